"""``sasnet follow FILES…``: a series of frames, from files or a Tiled server, answered as they come."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from ..batch.live import run as live
from ..batch.live.line import CurveLines, Fitted, names_of, parameters_of
from ..batch.live.run import Arrivals, Back, Follower, Lines, Source, arriving, key_of
from ..batch.live.states import SETTLED, Sum, recognise, write
from ..batch.live.table import Table, read_columns, write_hdf5
from ..batch.series import HEAD, Look
from ..data.clean import cut_to_q_range
from ..domains import DEFAULT, PAGES, Domain, ReadOptions, recognise_domain, specification
from ..domains.heads import Classes, Parameter, Quantities, Tags
from ..extensions import has_service, service
from ..files import check_figure, check_output, check_place, put_aside
from ..fitting.request import FileRequest
from ..names import is_tiled
from ..predict import Predictor, open_predictor
from ..predict.counting import outlook
from ..predict.predictor import Elsewhere
from ..report.canvas import save
from ..report.page.document import write_page
from ..report.trend import describe_gaps, trend, trend_page, trend_size
from ..types import Curve, DataError, SasnetError
from ..written import is_written_by_sasnet
from ..zoo import bank_path
from .arguments import Force, Geometry, Scheduler, TiledKey, add_request
from .files import Frames, expand, print_to_stderr
from .progress import term_as_interrupt

if TYPE_CHECKING:
    from ..integrations.tiled.given_back import InMetadata, InTable, Manner
    from ..integrations.tiled.source import TiledSource


# --- ``sasnet follow`` of curves: files that come and grow, answered as they do.

#: Times the counts after which the forecast is made anew while one waits.
AGAIN = 4.0


@dataclass(frozen=True)
class Asked:
    """What is asked of a series of curves."""

    files: Sequence[str]  #: Files, folders and patterns.
    out: Path
    #: plot, page, hdf5: what is made of it besides.
    plot: Path | None = None
    page: Path | None = None
    hdf5: Path | None = None
    interval: float | None = None  #: Seconds between two frames; None counts them.
    model: str | None = None  #: Fitted to each curve.
    watch: bool = False
    quiet_for: float | None = None  #: Seconds without a new curve after which it ends.
    window: tuple[float, float] | None = None  #: Range of q, Å⁻¹.
    add: bool = False  #: The curves are of one sample, and added up.
    force: bool = False
    scheduler: str | None = None  #: Of a Dask cluster whose workers ask the network.


def add_curves(request: Asked, reading: ReadOptions) -> None:
    """Add up curves of one sample, say when the answer is settled, and else what more counting will bring."""
    from ..simulate.bank import Bank

    check_output(request.out, force=request.force, mark=",".join(HEAD))
    predictor = open_predictor()
    source = Source(_make_lister(request), _reader(reading, request.window), watch=request.watch)
    curves: list[Curve] = []
    asked_at = [0.0]

    def forecast() -> None:
        found_outlook = outlook(
            curves[0], predictor, Bank(bank_path()), SETTLED.probability, np.random.default_rng(0)
        )
        if found_outlook is not None:
            typer.echo(found_outlook.describe())

    def report_look(look: Look, whole: Sum) -> None:
        if look is whole.first:
            typer.echo(whole.sentence)
        elif request.watch and whole.first is None and look.counts > AGAIN * asked_at[0]:
            asked_at[0] = look.counts
            forecast()

    choice = predictor.choice(len(predictor.manifest.labels))
    frames = (
        (arrived.file, arrived.one)
        for arrived in arriving(source, watch=request.watch, quiet_for=request.quiet_for)
    )
    looks = recognise(frames, lambda batch: predictor.outcomes(batch, choice), curves)
    with term_as_interrupt():
        whole = write(looks, request.out, names_of(predictor).groups, report_look)
    failed = f", {whole.failures} of them not used" if whole.failures else ""
    typer.echo(f"{request.out}: {whole.frames} frames{failed}.")
    if whole.first is None:
        typer.echo(whole.sentence)
        if curves:
            forecast()
    if whole.failures or not whole.frames:
        raise typer.Exit(1)


def follow_curves(request: Asked, reading: ReadOptions) -> None:
    """Follow, say what has changed and how it went; exit code 1 where a frame has no answer."""
    predictor = open_predictor()
    source = Source(_make_lister(request), _reader(reading, request.window), watch=request.watch)
    lines = lines_of_curves(request, predictor)
    with choose_predictor(request.scheduler, DEFAULT, predictor) as chosen_predictor:
        follow_series(request, source, chosen_predictor, lines, _belongs(request.files))


def lines_of_curves(request: Asked, predictor: Any) -> CurveLines:
    """What the lines of curves say; raises a SasnetError where there is no such model to fit."""
    groups = names_of(predictor).groups
    if not request.model:
        return CurveLines(groups)
    return CurveLines(groups, Fitted(request.model), parameters_of(request.model))


def follow_series(
    request: Asked,
    source: Arrivals,
    predictor: Any,
    lines: Lines,
    belongs: Callable[[Mapping[str, str]], bool],
    *,
    back: Back | None = None,
    together: int | None = None,
    changes_sought: bool = True,
) -> None:
    """Follow a series into its table and pictures; raises as `follow_curves`."""
    # `belongs` says whether a line of an earlier table is of this series; `together` is how many measurements
    # are answered at once.

    if request.plot is not None:
        check_figure(request.plot, force=request.force)
    for path in (request.page, request.hdf5):
        if path is not None:
            check_place(path)
            check_output(path, force=request.force)
    with (
        Table(request.out, lines.titles(), anew=request.force, belongs=belongs) as table,
        term_as_interrupt(),
    ):
        if request.force:
            live.state_path(request.out).unlink(missing_ok=True)
        follower = live.Follower(
            source, table, predictor, lines, request.interval or 1.0, typer.echo, back, changes_sought,
            together or live.TOGETHER,
        )  # fmt: skip
        resumed = follower.resume()
        if resumed:
            typer.echo(f"{request.out}: resumed after frame {resumed}.", err=True)
        try:
            live.run(
                follower,
                watch=request.watch,
                quiet_for=request.quiet_for,
                update=_make_updater(request, follower),
            )
        except KeyboardInterrupt:
            if not request.watch:
                raise
        if table.is_unchanged:
            why = table.reason.rstrip(".") or "no frames were read"
            raise SasnetError(
                f"{request.out}: no frame has an answer ({why}), so the earlier table was kept; check the"
                f" files given."
            )
        _report_end(request, follower)


def _report_end(request: Asked, follower: Follower) -> None:
    if request.page is not None and follower.frames:
        _write_page(request, follower, last=True)
    typer.echo(f"{request.out}: {_how_it_went(follower)}")
    if follower.table.reason:
        typer.echo(f"The first without an answer: {follower.table.reason}", err=True)
    if follower.failures or not follower.frames:
        raise typer.Exit(1)


def _how_it_went(follower: Follower) -> str:
    text = _number(follower.frames, "frame")
    if follower.failures:
        text += f", {follower.failures} of them without an answer"
    if follower.changes:
        text += f"; {_number(len(follower.changes), 'change')}"
    return f"{text}."


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _make_lister(request: Asked) -> Callable[[], Iterator[str | DataError]]:
    frames = Frames(request.files)
    own_paths = {
        os.path.abspath(p) for p in (request.out, request.plot, request.page, request.hdf5) if p is not None
    }
    own_paths.add(f"{os.path.abspath(request.out)}.state")

    measured: set[int] = set()

    def output(path: str) -> bool:
        # The folder is listed many times a second. What has been a measurement once is one.
        if key_of(path) in measured:
            return False
        if is_written_by_sasnet(path):
            return True
        measured.add(key_of(path))
        return False

    def list_files() -> Iterator[str | DataError]:
        for path in frames.keep(expand(request.files, output=output, said=lambda _: None)):
            # The table may lie in the folder that is followed.
            if isinstance(path, str) and (os.path.abspath(path) in own_paths or ".sasnet-tmp" in path):
                continue
            yield path

    return list_files


def _reader(
    reading: ReadOptions, window: tuple[float, float] | None
) -> Callable[[str, int], Iterator[Curve | Exception]]:
    from ..data.frames import frames

    def read(path: str, start: int) -> Iterator[Curve | Exception]:
        for frame in frames(path, reading, start):
            if window is None or not isinstance(frame, Curve):
                yield frame
                continue
            try:
                yield cut_to_q_range(frame, *window)
            except SasnetError as error:
                yield error

    return read


def _belongs(files: Sequence[str]) -> Callable[[Mapping[str, str]], bool]:
    """Whether a line of a table is of one of these files, folders and patterns."""
    patterns = [os.path.abspath(os.path.expanduser(one_file)) for one_file in files]

    def belongs(line: Mapping[str, str]) -> bool:
        file = line["file"]
        return any(
            file == pattern
            or file.startswith(pattern.rstrip(os.sep) + os.sep)
            or fnmatch.fnmatch(file, pattern)
            for pattern in patterns
        )

    return belongs


def _make_updater(request: Asked, follower: Follower) -> Callable[[], None] | None:
    if request.plot is None and request.page is None and request.hdf5 is None:
        return None

    def update_outputs() -> None:
        if follower.table.is_unchanged:
            return
        if request.plot is not None:
            _write_plot(request, follower)
        if request.page is not None:
            _write_page(request, follower, last=False)
        if request.hdf5 is not None:
            write_hdf5(request.out, request.hdf5)

    return update_outputs


def _draw_trend(request: Asked, follower: Follower) -> tuple[Any, tuple[float, float], list[str]]:
    columns = read_columns(request.out, follower.frames, follower.interval)
    against = "time / s" if request.interval else "frame"
    time = columns.time if request.interval else columns.time + 1
    changes = [change + (0 if request.interval else 1) for change in columns.changes]
    gaps = columns.gaps(time)
    draw = trend(time, columns.shares, columns.numbers, changes, gaps, against=against)
    return draw, trend_size(len(columns.numbers)), describe_gaps(gaps, against)


def _write_plot(request: Asked, follower: Follower) -> None:
    assert request.plot is not None
    draw, size, _ = _draw_trend(request, follower)
    # Whoever looks at it must not see half of a picture.
    with put_aside(request.plot, "figure of the series") as aside:
        path = aside.with_name(aside.name + request.plot.suffix)
        try:
            save(draw, path, size)
            os.replace(path, aside)
        finally:
            path.unlink(missing_ok=True)


def _write_page(request: Asked, follower: Follower, *, last: bool) -> None:
    from ..batch.live.run import EVERY

    assert request.page is not None
    draw, size, gaps = _draw_trend(request, follower)
    facts = f"{follower.frames} frames" + (
        f", {follower.failures} of them without an answer." if follower.failures else "."
    )
    again = EVERY if request.watch and not last else None
    write_page(
        request.page, trend_page(request.out.stem, draw, size, follower.changes, facts, gaps, again=again)
    )


@contextmanager
def choose_predictor(
    scheduler: str | None, domain: str, predictor: Predictor
) -> Iterator[Predictor | Elsewhere]:
    """Yield what answers: the network itself, or its like on a cluster while connected. Raises ClusterError
    if no scheduler answers.
    """
    if scheduler is None:
        yield predictor
        return
    from ..workers.spread import connect

    with connect(scheduler) as cluster:
        yield Elsewhere(cluster, domain)


# --- ``sasnet follow tiled:http://…``: entries of a Tiled server, answered as they are made.

Line = Mapping[str, str]


class WriteBack(StrEnum):
    """Where answers are written back."""

    metadata = "metadata"
    table = "table"
    both = "both"


def follow_tiled(
    request: Asked, reading: ReadOptions, domain: str | None, key: str | None, back: WriteBack | None
) -> None:
    """Follow the entries of an address; exit code 1 if a frame has no answer. Raises SasnetError if the
    address is invalid, the server does not answer or refuses, or its content cannot be followed.
    """
    from ..integrations.tiled.connection import Server, address_of
    from ..integrations.tiled.nodes import kind_of
    from ..integrations.tiled.source import TiledSource

    if len(request.files) != 1:
        raise SasnetError("Only one address tiled:… can be followed; give it as the only argument.")
    address = address_of(request.files[0])
    with closing(Server(address, key or "")) as server:
        kind = kind_of(server, address, specification(domain).name if domain else None)
        _check(request, kind)
        source = TiledSource(
            server, address, domain, reading, kind, request.window, request.watch, print_to_stderr
        )
        with closing(source):
            _follow(request, source, back)


def _follow(request: Asked, source: TiledSource, back: WriteBack | None) -> None:
    from ..integrations.tiled.given_back import Behind, Manner

    predictor, curves = open_predictor(source.kind), source.kind == DEFAULT
    lines: Lines = (
        lines_of_curves(request, predictor) if curves else service("series_lines")(predictor.manifest.heads)
    )
    belongs = _belongs_to_address(str(source.address))
    manner = Manner(request.watch, request.force, print_to_stderr)
    ways = list(_ways(request, source, lines.titles(), back, manner))
    with Behind(ways, manner) as behind:
        follow_series(
            request,
            source,
            predictor,
            lines,
            belongs,
            back=behind,
            together=lines.together,
            changes_sought=curves,
        )
    if behind.remaining:
        typer.echo(
            f"{behind.remaining} entries keep the answers of another run; --force replaces them.",
            err=True,
        )


def _check(request: Asked, kind: str) -> None:
    if kind == DEFAULT:
        return
    for name, value in {"--model": request.model, "--q-range": request.window}.items():
        if value:
            raise SasnetError(f"{request.files[0]}: holds images, but {name} is for curves; omit {name}.")
    if not any(isinstance(head, Classes | Tags | Quantities) for head in specification(kind).heads):
        raise SasnetError(
            f"{request.files[0]}: {kind} gives no class, tag or quantity to follow; see 'sasnet sort'."
        )


def _ways(
    request: Asked, source: TiledSource, titles: Sequence[str], back: WriteBack | None, manner: Manner
) -> Iterator[InMetadata | InTable]:
    """Where answers go, with the name of this series: that of its table on this machine."""
    from ..integrations.tiled.given_back import InMetadata, InTable

    place = f"{platform.node()}:{os.path.abspath(request.out)}"
    series = hashlib.blake2b(os.fsencode(place), digest_size=8).hexdigest()
    if back in (WriteBack.metadata, WriteBack.both):
        yield InMetadata(source.server, series, source.metadata, manner)
    if back in (WriteBack.table, WriteBack.both):
        yield InTable(source.server, series, source.address, titles, manner)


def _belongs_to_address(address: str) -> Callable[[Line], bool]:
    return lambda line: line["file"] == address or line["file"].startswith(f"{address.rstrip('/')}/")


# --- ``sasnet follow FILES…``: a series of frames, its quantities against time.


def numbers_of(domain: Domain) -> tuple[Parameter, ...]:
    """The numbers of a domain that can be followed: those with an uncertainty."""
    heads = (head for head in domain.heads if isinstance(head, Quantities) and head.interval)
    return tuple(parameter for head in heads for parameter in head.parameters)


#: Domains whose numbers can be followed; by default the one whose numbers have bands.
_WITH_NUMBERS = [found for found in map(specification, PAGES) if numbers_of(found)]
FOLLOWED = next(
    (found for found in _WITH_NUMBERS for head in found.heads
     if isinstance(head, Quantities) and head.interval == "band"),
    specification(DEFAULT),
)  # fmt: skip


@add_request("q_range", "q_unit", "wavelength")
def follow(
    files: Annotated[
        list[str],
        typer.Argument(
            help=(
                "Files with one frame or many, folders or patterns, in the order of time; or an address"
                " tiled:http://HOST:PORT/PATH."
            )
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="CSV table to write, a line for each frame.")],
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
        typer.Option("--interval", help="Seconds between two frames; default: the time axis counts frames."),
    ] = None,
    next_settings: Annotated[
        list[str] | None,
        typer.Option(
            "--next",
            metavar="NAME=VALUE,…",
            help=(
                "SANS: a setting that could follow, such as distance=2000,collimation=2800 (mm); repeatable."
                " Prints the expected information of each."
            ),
        ),
    ] = None,
    before: Annotated[
        list[str] | None,
        typer.Option(
            "--before",
            metavar="FILE",
            help=(
                "SANS: an earlier image of the same sample in another setting; repeatable. The answer"
                " combines all settings."
            ),
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Curves: wait for more until Ctrl-C; the same command resumes.")
    ] = False,
    quiet_for: Annotated[
        float | None,
        typer.Option(
            "--quiet-for", metavar="S", help="With --watch: end after so many seconds without data."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help=(
                "Curves: fit this model to each, such as sphere@hardsphere (A@B: form factor A with structure"
                " factor B)."
            ),
        ),
    ] = None,
    hdf5: Annotated[
        Path | None, typer.Option("--hdf5", help="Curves: also write the table as HDF5, renewed as it grows.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", help="Curves: an HTML page of the series that renews itself."),
    ] = None,
    add: Annotated[
        bool,
        typer.Option(
            "--add", help="Curves of one sample: add them up, and say when the answer has converged."
        ),
    ] = False,
    write_back: Annotated[
        WriteBack | None,
        typer.Option(
            "--write-back",
            help="Tiled: write answers into the metadata of their entries, or as a table next to them.",
        ),
    ] = None,
    tiled_key: TiledKey = None,
    request: FileRequest = FileRequest(),  # noqa: B008  it is frozen
    scheduler: Scheduler = None,
    force: Force = False,
) -> None:
    """Answer curves or images as they are measured, one line each, in constant memory.

    Of curves, the table also says where the series changes. The same command again continues after the last
    line. SANS frames of one sample are added up, with probabilities against counts and a sign when the answer
    has converged.

    Exit code 0: every frame has an answer; 1: some have not, and their lines say why; 2: wrong usage.
    """
    _check_seconds(interval, quiet_for, watch)
    only_curves = {
        "--watch": watch, "--model": model, "--hdf5": hdf5, "--page": page,
        "--q-range": request.q_range, "--add": add,
    }  # fmt: skip
    figure = None if plot is None else Path(plot)
    series = Asked(
        files,
        out,
        figure,
        page,
        hdf5,
        interval,
        model,
        watch,
        quiet_for,
        request.window,
        add,
        force,
        scheduler,
    )
    if any(map(is_tiled, files)):
        only_files = {"--next": next_settings, "--before": before, "--add": add, "--scheduler": scheduler}
        _refuse(only_files, "files")
        reading = ReadOptions(
            q_unit=request.q_unit, wavelength=request.wavelength, geometry=tuple(geometry or ())
        )
        follow_tiled(series, reading, domain, tiled_key, write_back)
        return
    _refuse({"--write-back": write_back}, "addresses tiled:…")
    if not _is_curve_series(domain, _first(files, watch)):
        _refuse(only_curves, "curves")
        found_specification = specification(domain) if domain else FOLLOWED
        service("follow")(
            numbers_of(found_specification), files, out, found_specification, tuple(geometry or ()), plot,
            interval, next_settings or (),
            before or (), force, scheduler,
        )  # fmt: skip
        return
    _refuse({"--geometry": geometry, "--next": next_settings, "--before": before}, "images")
    if add:
        not_added = {
            "--model": model,
            "--hdf5": hdf5,
            "--page": page,
            "--plot": plot,
            "--scheduler": scheduler,
        }
        _refuse(not_added, "series without --add")
    (add_curves if add else follow_curves)(
        series, ReadOptions(q_unit=request.q_unit, wavelength=request.wavelength)
    )


def _check_seconds(interval: float | None, quiet_for: float | None, watch: bool) -> None:
    if interval is not None and not 0 < interval < float("inf"):
        raise typer.BadParameter(
            f"{interval:g} is not a time; give seconds above 0.", param_hint="--interval"
        )
    if quiet_for is not None and not (watch and quiet_for > 0):
        raise typer.BadParameter("needs --watch and a number of seconds above 0.", param_hint="--quiet-for")


def _refuse(options: Mapping[str, object], kind: str) -> None:
    for name, value in options.items():
        if value:
            raise typer.BadParameter(f"is for {kind}; leave it out.", param_hint=name)


def _first(files: Sequence[str], watch: bool) -> Path | None:
    """Find the first file; None while waiting for one, else SasnetError."""
    missing: list[SasnetError] = []
    kept = Frames(files, lambda sentence: missing.append(DataError(sentence)))
    for path in kept.keep(expand(files, said=lambda _: None)):
        if isinstance(path, SasnetError):
            missing.append(path)
        elif not Path(path).is_file():
            missing.append(DataError(f"{path}: there is no such file or folder; check the path."))
        elif not path.endswith(".toml"):
            return Path(path)
    if watch:
        return None
    raise next(iter(missing), DataError(f"{files[0]}: holds no measurements; check the path."))


def _is_curve_series(domain: str | None, first: Path | None) -> bool:
    """Whether a series is one of curves: by what is said, else by its first file."""
    # Before there is one only curves can be watched.
    if domain is not None:
        return specification(domain).name == DEFAULT
    if first is None:
        return True
    if recognise_domain(first) != DEFAULT:
        return False
    from ..data.frames import holds_curves

    return (
        not has_service("may_hold_images")
        or holds_curves(str(first))
        or not service("may_hold_images")(first)
    )
