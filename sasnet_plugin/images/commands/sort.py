"""``sasnet sort IMAGES…``: which of these images are alike?"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...cli.arguments import Force, Geometry, Scheduler
from ...cli.files import expand, report_page
from ...types import SasnetError, describe_install
from ..diffraction.sorting.embedded import EMBEDDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..diffraction.sorting.embedded import Part
    from ..diffraction.sorting.mixture import Mixture
    from ..diffraction.sorting.sorted_file import Sorted


def sort(
    images: Annotated[
        list[str],
        typer.Argument(help="Stacks of diffraction images, single images, folders or patterns."),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", help="HDF5 file of the clusters; a CSV file of the same name is written too."),
    ] = Path("sorted.h5"),
    clusters: Annotated[
        int | None,
        typer.Option("--clusters", min=1, help="Number of clusters; default: the number with the least BIC."),
    ] = None,
    embedding: Annotated[
        str, typer.Option("--embedding", help=f"What is compared: `{', '.join(EMBEDDINGS)}`.")
    ] = EMBEDDINGS[0],
    old: Annotated[
        Path | None, typer.Option("--old", help="Assign images to the clusters of this earlier sorted.h5.")
    ] = None,
    like: Annotated[
        str | None,
        typer.Option("--like", metavar="FILE[:FRAME]", help="List the images most similar to this one."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Folder for an HTML page with contact sheets.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    geometry: Geometry = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that read images.")] = 1,
    scheduler: Scheduler = None,
    force: Force = False,
) -> None:
    """Sort diffraction images without labels: images that look alike after any rotation form a cluster.

    Frames are read in a stream. Finished work is kept in a folder next to the output, and the same command
    resumes. Files that have changed are read again.
    """
    import numpy as np

    from ..diffraction.sorting import sorted_file
    from ..diffraction.sorting.embedded import embed, points_of, sample_of

    if embedding not in EMBEDDINGS:
        raise typer.BadParameter(
            f"{embedding!r} is none of {', '.join(EMBEDDINGS)}.", param_hint="--embedding"
        )
    report = report_page(report, "index.html")
    _check_free(out, report, force)
    earlier = None if old is None else _earlier(old)
    if earlier is not None:
        embedding = earlier.embedding
    parts, failed = _parts(images, out, embedding, tuple(geometry or ()), force)
    with _progress(sum(end - first for part in parts for _, first, end in part.pieces)) as step:
        embed(parts, workers=scheduler or workers, report_done=step)
    rng = np.random.default_rng(seed)
    mixture = (
        earlier.mixture
        if earlier is not None
        else _fit_mixture(sample_of(parts, rng), rng, clusters, embedding)
    )
    number = sorted_file.write(out, points_of(parts), mixture, embedding, geometry or ())
    sorting = sorted_file.read(out)
    _say(out, number, sorting)
    alike = None if like is None else (like, _say_like(out, like, sorting))
    if report is not None:
        from ..diffraction.sorting.page import write_report

        write_report(report, sorting, alike, sorted_file.traverse_components(out, sorting.mixture))
    if failed:
        raise typer.Exit(1)


def _earlier(old: Path) -> Sorted:
    """An earlier sorting, whose points can be compared with those that are made today."""
    import json

    from ..diffraction.sorting import sorted_file
    from ..diffraction.sorting.embedded import network_of

    earlier = sorted_file.read(old)
    if json.loads(earlier.networks) != network_of(earlier.embedding):
        raise SasnetError(
            f"{old}: its clusters belong to another network; sort all images again without --old."
        )
    return earlier


def _check_free(out: Path, report: Path | None, force: bool) -> None:
    from ...files import check_output

    check_output(out, force=force, mark="sasnet")
    check_output(out.with_suffix(".csv"), force=force, mark="file,entry,cluster")
    if report is not None:
        check_output(report, force=force, mark="sasnet")


def _parts(
    images: list[str], out: Path, embedding: str, geometry: tuple[str, ...], force: bool
) -> tuple[list[Part], int]:
    """What is to be read, and how many files could not be, which is said."""
    from ..diffraction.sorting.embedded import plan_parts

    names: list[str] = []
    failed: list[str] = []
    for path in expand(images):
        (failed if isinstance(path, SasnetError) else names).append(str(path))
    folder = out.with_name(f"{out.stem}.parts")
    parts, sentences = plan_parts(names, folder, embedding, geometry, force=force)
    for sentence in (*failed, *sentences):
        typer.echo(f"sasnet: {sentence}", err=True)
    if not parts:
        raise SasnetError(f"{out}: there is no image to sort; nothing was written.")
    return parts, len(failed) + len(sentences)


def _say(out: Path, number: int, sorting: Sorted) -> None:
    import numpy as np

    from ..diffraction.sorting.mixture import NOISE

    outside = int(np.count_nonzero(sorting.cluster == NOISE))
    typer.echo(
        f"{out}: {number:,} images in {len(sorting.mixture.weights)} clusters, {outside:,} in none;"
        f" stability {sorting.mixture.stability:.2f}."
    )


def _say_like(out: Path, name: str, sorting: Sorted) -> list[int]:
    """Rows of the images most like one, which are listed."""
    rows = _find_similar(out, name, sorting)
    for row in rows:
        typer.echo(f"{sorting.file[row]}:{sorting.entry[row]}  cluster {sorting.cluster[row]}")
    return rows


def _find_similar(out: Path, name: str, sorting: Sorted) -> list[int]:
    import tempfile

    from ..diffraction.sorting import sorted_file
    from ..diffraction.sorting.embedded import Part, make_part, points_of

    file, _, frame = name.rpartition(":")
    file, frame = (file, frame) if file and frame.isdigit() else (name, "1")
    with tempfile.TemporaryDirectory() as folder:
        number = max(int(frame), 1)
        part = Part(
            str(Path(folder) / "like.npz"), ((file, number - 1, number),), sorting.embedding, sorting.geometry
        )
        make_part(part)
        (points,) = points_of([part])
    rows, _ = sorted_file.nearest(out, points.points[0], sorting.mixture)
    return [int(row) for row in rows]


def _fit_mixture(points: Any, rng: Any, clusters: int | None, embedding: str) -> Mixture:
    """The mixture of points, in the space of a network that is trained on them where that is asked for."""
    from ..diffraction.sorting.embedded import LEARNED
    from ..diffraction.sorting.mixture import fit

    if embedding not in LEARNED or not len(points):
        return fit(points, rng, clusters)
    try:
        from ..diffraction.training import autoencoder, contrastive

        train = autoencoder.fit if embedding == "tcvae" else contrastive.fit
        encoder = train(points, int(rng.integers(2**31)))
    except ImportError:
        raise SasnetError(
            f"--embedding {embedding} trains a network, and Keras is not installed;"
            f" run {describe_install('train')}"
        ) from None
    return fit(points, rng, clusters, encoder)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("images"), TimeRemainingColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda number: progress.update(task, advance=number)
