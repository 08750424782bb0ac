"""``sasnet follow`` of curves: files that come and grow, answered as they do."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import typer

from ...batch.live.run import arriving
from ...domains import DEFAULT
from ...types import Curve, DataError, SasnetError
from ...written import is_written_by_sasnet
from ..interrupt import term_as_interrupt

if TYPE_CHECKING:
    from ...batch.live.line import CurveLines
    from ...batch.live.run import Arrivals, Back, Follower, Lines
    from ...batch.recognise import Look
    from ...domains import ReadOptions
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...predict import Predictor
    from ...predict.elsewhere import Elsewhere


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
    from ...batch.live.settled import SETTLED, Sum, recognise, write
    from ...batch.live.source import Source
    from ...batch.recognise import HEAD
    from ...batch.steering.outcome import names_of
    from ...files import check_output
    from ...predict import open_predictor
    from ...predict.counting import outlook
    from ...simulate.bank import Bank
    from ...zoo import bank_path

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
    from ...batch.live.source import Source
    from ...predict import open_predictor

    predictor = open_predictor()
    source = Source(_make_lister(request), _reader(reading, request.window), watch=request.watch)
    lines = lines_of_curves(request, predictor)
    with choose_predictor(request.scheduler, DEFAULT, predictor) as chosen_predictor:
        follow_series(request, source, chosen_predictor, lines, _belongs(request.files))


def lines_of_curves(request: Asked, predictor: Any) -> CurveLines:
    """What the lines of curves say; raises a SasnetError where there is no such model to fit."""
    from ...batch.live.fitted import Fitted, parameters_of
    from ...batch.live.line import CurveLines
    from ...batch.steering.outcome import names_of

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
    from ...batch.live import run as live
    from ...batch.live.table import Table
    from ...files import check_figure, check_output, check_place

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
    from ...batch.live.source import key_of
    from ..files import expand

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
        for path in expand(request.files, output=output, said=lambda _: None):
            # The table may lie in the folder that is followed.
            if isinstance(path, str) and (os.path.abspath(path) in own_paths or ".sasnet-tmp" in path):
                continue
            yield path

    return list_files


def _reader(
    reading: ReadOptions, window: tuple[float, float] | None
) -> Callable[[str, int], Iterator[Curve | Exception]]:
    from ...data.clean import cut_to_q_range
    from ...data.frames import frames

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
            from ...batch.live.copies import write_hdf5

            write_hdf5(request.out, request.hdf5)

    return update_outputs


def _draw_trend(request: Asked, follower: Follower) -> tuple[Any, tuple[float, float], list[str]]:
    from ...batch.live.copies import read_columns
    from ...report.trend import describe_gaps, trend, trend_size

    columns = read_columns(request.out, follower.frames, follower.interval)
    against = "time / s" if request.interval else "frame"
    time = columns.time if request.interval else columns.time + 1
    changes = [change + (0 if request.interval else 1) for change in columns.changes]
    gaps = columns.gaps(time)
    draw = trend(time, columns.shares, columns.numbers, changes, gaps, against=against)
    return draw, trend_size(len(columns.numbers)), describe_gaps(gaps, against)


def _write_plot(request: Asked, follower: Follower) -> None:
    from ...files import put_aside
    from ...report.canvas import save

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
    from ...batch.live.run import EVERY
    from ...report.page.document import write_page
    from ...report.trend import trend_page

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
    from ...predict.elsewhere import Elsewhere
    from ...workers.spread import connect

    with connect(scheduler) as cluster:
        yield Elsewhere(cluster, domain)
