"""Commands for images: ``sasnet follow`` of images, ``sasnet sort``, ``sasnet tag``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from ..batch import series as recognised
from ..cli.arguments import Browser, Force, Geometry, Live, PagePort, Scheduler
from ..cli.files import Frames, curves_of, expand, report_page
from ..cli.follow import choose_predictor
from ..cli.programs import WORK, page_app, user_name
from ..data.limits import sentence_of
from ..domains import Domain, ReadOptions, names_and_titles, specification
from ..domains.heads import Parameter
from ..files import check_figure, check_output
from ..predict import open_predictor
from ..predict.predictor import available_cores
from ..report.canvas import save
from ..types import SasnetError, describe_install, printable
from .diffraction import sorting
from .diffraction import sorting as diffraction_sorting
from .diffraction.sorting import (
    EMBEDDINGS,
    LEARNED,
    NOISE,
    Mixture,
    Part,
    Sorted,
    embed,
    fit,
    network_of,
    plan_parts,
    points_of,
    sample_of,
    write_report,
)
from .report import draw_against_counts, trends, trends_size

if TYPE_CHECKING:
    from ..web.curves.bench import Bench
    from .tagging.events import Log


# --- ``sasnet follow`` of images: their numbers against time, or frames of one sample added up.


@dataclass(frozen=True)
class Images:
    """What is asked of a series of images."""

    files: Sequence[str]  #: Files, folders and patterns.
    out: Path
    domain: Domain
    geometry: Sequence[str] = ()  #: What headers lack.
    plot: str | None = None  #: Figure of the numbers against time.
    interval: float | None = None  #: Seconds between two frames; None counts them.
    next_settings: Sequence[str] = ()  #: SANS: settings that could be measured next.
    before: Sequence[str] = ()  #: Images of the sample in other settings.
    force: bool = False
    scheduler: str | None = None  #: Of a Dask cluster whose workers ask the network.


def follow_images(quantities: Sequence[Parameter], *arguments: Any) -> None:
    """Follow these numbers of a series (`Images`); exit code 1 where a frame has no answer."""
    from . import series

    options = Images(*arguments)
    domain = options.domain
    head = recognised.HEAD if domain.added else series.HEAD
    check_output(options.out, force=options.force, mark=",".join(head))
    if options.plot is not None:
        check_figure(options.plot, force=options.force)
    _check_kind(options, quantities)
    if domain.added:
        if options.scheduler is not None:
            raise SasnetError(
                f"{domain.name}: frames of one sample are added in order, so a cluster is not faster; do"
                f" not give --scheduler."
            )
        earlier = [measurement for _, measurement in _measurements(options, options.before)]
        for measurement in earlier:
            if isinstance(measurement, Exception):
                raise measurement
        _recognise(options, earlier)
        return
    with choose_predictor(options.scheduler, domain.name, open_predictor(domain.name)) as predictor:
        frames = series.follow(
            _measurements(options, options.files),
            predictor.outcomes,
            [quantity.name for quantity in quantities],
            interval=options.interval or 1.0,
        )
        number, failures = series.write(frames, options.out, quantities)
    _say_frames(options.out, number, failures, "without an answer")
    if options.plot is not None:
        _draw(options.plot, options.out, quantities, "time / s" if options.interval else "frame")
    if failures:
        raise typer.Exit(1)


def _check_kind(options: Images, quantities: Sequence[Parameter]) -> None:
    domain = options.domain
    if options.next_settings and not domain.settings:
        raise SasnetError(f"{domain.name}: --next is only for SANS images; do not give it.")
    if options.before and not domain.together:
        raise SasnetError(f"{domain.name}: --before is only for SANS images; do not give it.")
    if not quantities:
        raise SasnetError(
            f"{domain.name}: gives no numbers to follow; use 'sasnet batch --series' for curves."
        )


def _say_frames(out: Path, frames: int, failures: int, label: str) -> None:
    typer.echo(f"{out}: {frames} frames" + (f", {failures} of them {label}." if failures else "."))


def _measurements(options: Images, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for argument in Frames(names).keep(expand(list(names))):
        # A file of settings is the geometry of its neighbours.
        if not (isinstance(argument, str) and argument.endswith(".toml")):
            yield from _frames_of(argument, options)


def _frames_of(argument: Any, request: Images) -> Iterator[tuple[str, Any]]:
    bad: list[SasnetError] = []
    options = ReadOptions(geometry=tuple(request.geometry), failed=bad.append)

    def read(path: str) -> Iterable[Any]:
        return request.domain.read(path, options)

    for path, outcome in curves_of(argument, read, None):
        # Frames that could not be read before this one.
        yield from ((path, sentence) for sentence in bad)
        bad.clear()
        yield path, SasnetError(sentence_of(path, outcome)) if isinstance(outcome, Exception) else outcome
    yield from ((str(argument), sentence) for sentence in bad)


def _recognise(options: Images, earlier: Sequence[Any]) -> None:
    """Frames of one sample, added up, beside its images in other settings; and what would tell most next."""
    # As `follow_images` has seen: such a kind of measurement has frames that add up, and settings.
    domain = options.domain
    together, advised = domain.together, domain.settings
    assert domain.added is not None
    assert together is not None
    assert advised is not None
    predictor = open_predictor(domain.name)
    totals: list[Any] = []

    def answers(measurements: Sequence[Any]) -> Sequence[Any]:
        totals[:] = (
            [together([*earlier, measurement]) for measurement in measurements] if earlier else measurements
        )
        return predictor.outcomes(totals)

    labels = predictor.manifest.labels
    frames = _measurements(options, options.files)
    looks = recognised.write(recognised.recognise(frames, domain.added, answers), options.out, labels)
    failures = sum(bool(look.note) for look in looks)
    _say_frames(options.out, len(looks), failures, "not used")
    typer.echo(recognised.describe_recognition(looks))
    if options.plot is not None:
        _draw_counts(options.plot, looks, labels)
    if options.next_settings and totals:
        for sentence in advised(totals, options.next_settings, predictor):
            typer.echo(sentence)
    if failures:
        raise typer.Exit(1)


def _draw_counts(plot: str, looks: Sequence[Any], labels: Sequence[str]) -> None:
    answered_looks = [look for look in looks if look.classes]
    if not answered_looks:
        raise SasnetError(f"{plot}: no frame has an answer, so there is nothing to draw.")
    settled = next((look.counts for look in answered_looks if look.settled), None)
    classes = {name: [look.classes[name] for look in answered_looks] for name in labels}
    save(draw_against_counts([look.counts for look in answered_looks], classes, settled), plot, (5.5, 3.4))


def _draw(plot: str, out: Path, quantities: Any, against: str) -> None:
    from .series import read_back

    table = read_back(out, quantities)
    if not table.columns:
        raise SasnetError(f"{plot}: no frame has an answer, so there is nothing to draw.")
    units = {quantity.name: quantity.unit for quantity in quantities}
    save(trends(table.time, table.columns, units, against=against), plot, trends_size(len(table.columns)))


# --- ``sasnet sort IMAGES…``: which of these images are alike?


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
    number = diffraction_sorting.write(out, points_of(parts), mixture, embedding, geometry or ())
    sorting = diffraction_sorting.read(out)
    _say_sorting(out, number, sorting)
    alike = None if like is None else (like, _say_like(out, like, sorting))
    if report is not None:
        write_report(report, sorting, alike, diffraction_sorting.traverse_components(out, sorting.mixture))
    if failed:
        raise typer.Exit(1)


def _earlier(old: Path) -> Sorted:
    """An earlier sorting, whose points can be compared with those that are made today."""
    earlier = sorting.read(old)
    if json.loads(earlier.networks) != network_of(earlier.embedding):
        raise SasnetError(
            f"{old}: its clusters belong to another network; sort all images again without --old."
        )
    return earlier


def _check_free(out: Path, report: Path | None, force: bool) -> None:
    check_output(out, force=force, mark="sasnet")
    check_output(out.with_suffix(".csv"), force=force, mark="file,entry,cluster")
    if report is not None:
        check_output(report, force=force, mark="sasnet")


def _parts(
    images: list[str], out: Path, embedding: str, geometry: tuple[str, ...], force: bool
) -> tuple[list[Part], int]:
    """What is to be read, and how many files could not be, which is said."""
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


def _say_sorting(out: Path, number: int, sorting: Sorted) -> None:
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

    from .diffraction.sorting import Part, make_part, points_of

    file, _, frame = name.rpartition(":")
    file, frame = (file, frame) if file and frame.isdigit() else (name, "1")
    with tempfile.TemporaryDirectory() as folder:
        number = max(int(frame), 1)
        part = Part(
            str(Path(folder) / "like.npz"), ((file, number - 1, number),), sorting.embedding, sorting.geometry
        )
        make_part(part)
        (points,) = points_of([part])
    rows, _ = diffraction_sorting.nearest(out, points.points[0], sorting.mixture)
    return [int(row) for row in rows]


def _fit_mixture(points: Any, rng: Any, clusters: int | None, embedding: str) -> Mixture:
    """The mixture of points, in the space of a network that is trained on them where that is asked for."""
    if embedding not in LEARNED or not len(points):
        return fit(points, rng, clusters)
    try:
        from .diffraction import training

        train = training.fit_autoencoder if embedding == "tcvae" else training.fit_contrastive
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


# --- ``sasnet tag FOLDER``: look at images in the browser, tag them, and train on the tags.


def tag(
    folder: Annotated[Path, typer.Argument(help="Folder of images or curves, with its subfolders.")],
    database: Annotated[
        str,
        typer.Option(
            "--database",
            help="Database of the labels: a file, or a URL (postgresql+psycopg://…).",
        ),
    ] = "labels.sqlite",
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain", help=f"Kind of measurement, by default from the files: {names_and_titles()}."
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", help="Your name in the labels; you can change it on the page.")
    ] = None,
    models: Annotated[Path, typer.Option("--models", help="Folder for retrained models.")] = Path(
        "retrained"
    ),
    cache: Annotated[
        Path | None,
        typer.Option("--cache", help="File for thumbnails; default: in your cache folder."),
    ] = None,
    moved: Annotated[
        bool,
        typer.Option("--moved", help="The labels in the database are of this folder, which has moved."),
    ] = False,
    live: Live = True,
    port: PagePort = 0,
    browser: Browser = True,
) -> None:
    """Tag images in the browser: filter, accept suggestions of a model, retrain on your labels.

    The page is for this machine only. Labels are saved at once, and files of the folder do not change. Ctrl-C
    ends it.
    """
    if not folder.is_dir():
        raise SasnetError(f"{folder}: is not a folder; name one with images or curves.")
    app = page_app()
    from .tagging.events import Log
    from .tagging.retraining import Retraining
    from .tagging.thumbnails import Thumbnails, cache_of
    from .tagging.workspace import Tagging, Workspace, kind_of, name_given

    name = domain or kind_of(folder)
    specification(name)
    person = name_given(user or user_name(), "person")
    log = Log(database)
    log.claim(folder, too=moved or _confirm_folder(log, folder))
    thumbnails, dropped = Thumbnails(cache or cache_of(folder)), _dropped_folder(folder)
    without = dropped.parent if dropped else None
    workspace = Workspace(folder, name, log, thumbnails, live=live, without=without, dropped=dropped)
    retraining = Retraining(models, name, [workspace.folder, *([dropped] if dropped else [])])

    def ready(address: str) -> None:
        count = len(workspace.images)
        files = f"{count:,} file{'' if count == 1 else 's'}"
        typer.echo(f"{files} as {specification(name).title}; labels in {log.public_place}.")
        print(f"Tag them at {address} (Ctrl-C ends it).", flush=True)

    tagging = Tagging(workspace, retraining)
    tabs = app.Tabs(bench_of(folder, live=live), lambda _: tagging, folder, name, person)
    try:
        app.serve(tabs, port=port, browser=browser, path="tags", ready=ready)
    finally:
        tagging.close()


def _dropped_folder(folder: Path) -> Path | None:
    """Return where the tabs of files and images keep what is dropped; None if `folder` is a part of that."""
    work, here = WORK.resolve(), folder.resolve()
    return None if here.is_relative_to(work) else work / "dropped"


def bench_of(folder: Path, *, live: bool) -> Callable[[], Bench]:
    """Opens the tabs of curves and images on the same folder, when somebody looks at one of them."""

    def open_bench() -> Bench:
        from ..web.curves.bench import Bench

        return Bench(folder, WORK, available_cores(), live=live)

    return open_bench


def _confirm_folder(log: Log, folder: Path) -> bool:
    """Whether the user at the terminal says that another folder's labels are this one's."""
    if not sys.stdin.isatty() or log.database.belongs_to(folder):
        return False
    known_folder = printable(log.database.folders()[0])
    return typer.confirm(
        f"{log.public_place} holds labels of {known_folder}. Is {folder} the same folder, moved?"
    )
