"""``sasnet follow FILES…``: a series of frames, its quantities against time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from ..domains import DEFAULT, PAGES, Domain, ReadOptions, recognised, specification
from ..domains.heads import Parameter, Quantities
from .arguments import Force, Geometry, QRange, QUnit, Wavelength, window_of
from .follow_curves import Asked, add_curves, follow_curves


def numbers_of(domain: Domain) -> tuple[Parameter, ...]:
    """The numbers of a domain that can be followed: those with an uncertainty."""
    heads = (head for head in domain.heads if isinstance(head, Quantities) and head.interval)
    return tuple(parameter for head in heads for parameter in head.parameters)


#: Domains whose numbers can be followed; by default the one whose numbers have bands.
_WITH_NUMBERS = [found for found in map(specification, PAGES) if numbers_of(found)]
FOLLOWED = next(
    found for found in _WITH_NUMBERS for head in found.heads
    if isinstance(head, Quantities) and head.interval == "band"
)  # fmt: skip


def follow(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Curves or images: files with one frame or many, folders or patterns, in the order of time."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Table to write (CSV), a line for each frame as it comes.")
    ],
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain",
            help="Kind of measurement, one with numbers:"
            f" {' or '.join(found.name for found in _WITH_NUMBERS)}, or {DEFAULT} for curves; default: curves"
            f" where the first file holds them, else {FOLLOWED.name}.",
        ),
    ] = None,
    geometry: Geometry = None,
    plot: Annotated[
        str | None, typer.Option("--plot", help="Draw the quantities against time into this file (PNG).")
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option("--interval", help="Seconds between two frames; default: frames are counted."),
    ] = None,
    next_settings: Annotated[
        list[str] | None,
        typer.Option(
            "--next",
            metavar="NAME=VALUE,…",
            help="SANS: a setting that could be measured next, such as distance=2000,collimation=2800 (mm);"
            " repeat it. Says how much each would tell.",
        ),
    ] = None,
    before: Annotated[
        list[str] | None,
        typer.Option(
            "--before",
            metavar="FILE",
            help="SANS: an image of the same sample that was taken before in another setting; repeat it. The"
            " answer is that of all settings together.",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Curves: wait for more; Ctrl-C ends it. Again, and it goes on.")
    ] = False,
    quiet_for: Annotated[
        float | None,
        typer.Option("--quiet-for", metavar="S", help="With --watch: end when nothing came for so long."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--fit", metavar="MODEL", help="Curves: fit this model to each, sphere@hardsphere say."),
    ] = None,
    hdf5: Annotated[
        Path | None, typer.Option("--hdf5", help="Curves: the table as HDF5, too, made anew as it grows.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", help="Curves: a page (HTML) that shows the series and renews itself."),
    ] = None,
    add: Annotated[
        bool,
        typer.Option("--add", help="Curves of one sample: add them up, and say when the answer is settled."),
    ] = False,
    q_range: QRange = None,
    q_unit: QUnit = None,
    wavelength: Wavelength = None,
    force: Force = False,
) -> None:
    """Answer a series of frames one after the other, in constant memory.

    Curves get a line each with probabilities and numbers, and it is said where the series changes. The same
    command again goes on after the last line. SANS frames of one sample are added up: probabilities against
    counts, and when the answer is settled.

    Exit code 0: every frame has its answer; 1: some have not, and their line says why; 2: wrong usage.
    """
    if interval is not None and not 0 < interval < float("inf"):
        raise typer.BadParameter(f"{interval:g} is no time; give seconds above 0.", param_hint="--interval")

    if quiet_for is not None and not (watch and quiet_for > 0):
        raise typer.BadParameter("goes with --watch, in seconds above 0.", param_hint="--quiet-for")
    if _of_curves(domain, files, watch):
        _refuse({"--geometry": geometry, "--next": next_settings, "--before": before}, "images")
        reading = ReadOptions(q_unit=q_unit, wavelength=wavelength)
        figure = None if plot is None else Path(plot)
        window = window_of(q_range)
        asked = Asked(files, out, figure, page, hdf5, interval, model, watch, quiet_for, window, add, force)
        if add:
            _refuse({"--fit": model, "--hdf5": hdf5, "--page": page, "--plot": plot}, "series without --add")
        (add_curves if add else follow_curves)(asked, reading)
        return
    only = {
        "--watch": watch,
        "--fit": model,
        "--hdf5": hdf5,
        "--page": page,
        "--q-range": q_range,
        "--add": add,
    }
    _refuse(only, "curves")

    from ..batch import follow as series
    from ..batch import recognise as recognised
    from ..data.failure import sentence_of
    from ..files import check_output
    from ..predict import open_predictor
    from ..types import SasnetError
    from .files import curves_of, expand

    found = specification(domain) if domain else FOLLOWED
    head = recognised.HEAD if found.added else series.HEAD
    check_output(out, force=force, mark=",".join(head))
    if plot is not None:
        check_output(plot, force=force)
    if next_settings and not found.settings:
        raise SasnetError(f"{found.name}: --next is for SANS images; leave it out.")
    if before and not found.together:
        raise SasnetError(f"{found.name}: --before is for SANS images; leave it out.")
    quantities = numbers_of(found)
    if not quantities:
        raise SasnetError(f"{domain}: has no numbers to follow; use 'sasnet batch --series' for curves.")

    def measurements(names: list[str]) -> Iterator[tuple[str, Any]]:
        for argument in expand(names):
            if isinstance(argument, str) and argument.endswith(".toml"):
                continue  # the geometry of its neighbours
            bad: list[SasnetError] = []
            options = ReadOptions(geometry=tuple(geometry or ()), failed=bad.append)

            def read(path: str, options: ReadOptions = options) -> Iterable[Any]:
                return found.read(path, options)

            for path, one in curves_of(argument, read, None):
                # Frames that could not be read before this one, in their order.
                yield from ((path, sentence) for sentence in bad)
                bad.clear()
                yield path, SasnetError(sentence_of(path, one)) if isinstance(one, Exception) else one
            yield from ((str(argument), sentence) for sentence in bad)

    if found.added:
        earlier = [one for _, one in measurements(before or [])]
        for one in earlier:
            if isinstance(one, Exception):
                raise one
        _recognise(found, measurements(files), earlier, out, plot, next_settings or [])
        return
    frames = series.follow(
        measurements(files),
        open_predictor(found.name).outcomes,
        [quantity.name for quantity in quantities],
        interval=interval or 1.0,
    )
    number, failures = series.write(frames, out, quantities)
    typer.echo(f"{out}: {number} frames" + (f", {failures} of them without an answer." if failures else "."))
    if plot is not None:
        _draw(plot, out, quantities, "time / s" if interval else "frame")
    if failures:
        raise typer.Exit(1)


def _refuse(given: Mapping[str, object], kind: str) -> None:
    """See that no option is given that is for another kind of measurement."""
    for name, value in given.items():
        if value:
            raise typer.BadParameter(f"is for {kind}; leave it out.", param_hint=name)


def _of_curves(domain: str | None, files: Sequence[str], watch: bool) -> bool:
    """Whether a series is one of curves: by what is said, else by the first file that is there.

    Before there is one only curves can be watched.
    """
    if domain is not None:
        return specification(domain).name == DEFAULT
    from .files import expand

    found = (one for one in expand(files) if isinstance(one, str) and not one.endswith(".toml"))
    first = next(found, None)
    if first is None or not Path(first).is_file():
        return watch
    if recognised(Path(first)) != DEFAULT:
        return False
    from ..data.frames import holds_curves
    from ..data.images.formats import may_hold_images

    return holds_curves(first) or not may_hold_images(Path(first))


def _recognise(
    domain: Domain,
    frames: Iterable[tuple[str, Any]],
    earlier: Sequence[Any],
    out: Path,
    plot: str | None,
    settings: Sequence[str],
) -> None:
    """Frames of one sample, added up, beside its images in other settings; and what would tell most next."""
    from ..batch import recognise as recognised
    from ..predict import open_predictor
    from ..types import SasnetError

    # As `follow` has seen: such a kind of measurement has frames that add up, and settings.
    together, advised = domain.together, domain.settings
    assert domain.added is not None
    assert together is not None
    assert advised is not None
    predictor = open_predictor(domain.name)
    kept: list[Any] = []

    def answers(measurements: Sequence[Any]) -> Sequence[Any]:
        kept[:] = measurements
        if earlier:
            kept[:] = [together([*earlier, one]) for one in measurements]
        return predictor.outcomes(kept)

    labels = predictor.manifest.labels
    looks = recognised.write(recognised.recognise(frames, domain.added, answers), out, labels)
    failures = sum(bool(look.note) for look in looks)
    typer.echo(f"{out}: {len(looks)} frames" + (f", {failures} of them not used." if failures else "."))
    typer.echo(recognised.in_words(looks))
    if plot is not None:
        from ..report.images.canvas import save
        from ..report.images.trends import against_counts

        known = [look for look in looks if look.classes]
        if not known:
            raise SasnetError(f"{plot}: no frame has an answer, so there is nothing to draw.")
        settled = next((look.counts for look in known if look.settled), None)
        classes = {name: [look.classes[name] for look in known] for name in labels}
        save(against_counts([look.counts for look in known], classes, settled), plot, (5.5, 3.4))
    if settings and kept:
        for sentence in advised(kept, settings, predictor):
            typer.echo(sentence)
    if failures:
        raise typer.Exit(1)


def _draw(plot: str, out: Path, quantities: Any, against: str) -> None:
    from ..batch.follow import read_back
    from ..report.images.canvas import save
    from ..report.images.trends import trends, trends_size
    from ..types import SasnetError

    table = read_back(out, quantities)
    if not table.columns:
        raise SasnetError(f"{plot}: no frame has an answer, so there is nothing to draw.")
    units = {quantity.name: quantity.unit for quantity in quantities}
    save(trends(table.time, table.columns, units, against=against), plot, trends_size(len(table.columns)))
