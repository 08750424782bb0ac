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
from ...written import written_by_sasnet
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


def add_curves(asked: Asked, reading: ReadOptions) -> None:
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

    check_output(asked.out, force=asked.force, mark=",".join(HEAD))
    predictor = open_predictor()
    source = Source(_listed(asked), _reader(reading, asked.window), watch=asked.watch)
    kept: list[Curve] = []
    asked_at = [0.0]

    def forecast() -> None:
        found = outlook(kept[0], predictor, Bank(bank_path()), SETTLED.probability, np.random.default_rng(0))
        if found is not None:
            typer.echo(found.in_words())

    def told(look: Look, whole: Sum) -> None:
        if look is whole.first:
            typer.echo(whole.sentence)
        elif asked.watch and whole.first is None and look.counts > AGAIN * asked_at[0]:
            asked_at[0] = look.counts
            forecast()

    choice = predictor.choice(len(predictor.manifest.labels))
    found = ((one.file, one.one) for one in arriving(source, watch=asked.watch, quiet_for=asked.quiet_for))
    looks = recognise(found, lambda some: predictor.outcomes(some, choice), kept)
    with term_as_interrupt():
        whole = write(looks, asked.out, names_of(predictor).groups, told)
    failed = f", {whole.failures} of them not used" if whole.failures else ""
    typer.echo(f"{asked.out}: {whole.frames} frames{failed}.")
    if whole.first is None:
        typer.echo(whole.sentence)
        if kept:
            forecast()
    if whole.failures or not whole.frames:
        raise typer.Exit(1)


def follow_curves(asked: Asked, reading: ReadOptions) -> None:
    """Follow, say what has changed and how it went; exit code 1 where a frame has no answer."""
    from ...batch.live.source import Source
    from ...predict import open_predictor

    predictor = open_predictor()
    source = Source(_listed(asked), _reader(reading, asked.window), watch=asked.watch)
    lines = lines_of_curves(asked, predictor)
    with asked_where(asked.scheduler, DEFAULT, predictor) as there:
        follow_series(asked, source, there, lines, _belongs(asked.files))


def lines_of_curves(asked: Asked, predictor: Any) -> CurveLines:
    """What the lines of curves say; raises a SasnetError where there is no such model to fit."""
    from ...batch.live.fitted import Fitted, parameters_of
    from ...batch.live.line import CurveLines
    from ...batch.steering.outcome import names_of

    groups = names_of(predictor).groups
    if not asked.model:
        return CurveLines(groups)
    return CurveLines(groups, Fitted(asked.model), parameters_of(asked.model))


def follow_series(
    asked: Asked,
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

    if asked.plot is not None:
        check_figure(asked.plot, force=asked.force)
    for path in (asked.page, asked.hdf5):
        if path is not None:
            check_place(path)
            check_output(path, force=asked.force)
    with Table(asked.out, lines.titles(), anew=asked.force, belongs=belongs) as table, term_as_interrupt():
        if asked.force:
            live.state_path(asked.out).unlink(missing_ok=True)
        follower = live.Follower(
            source, table, predictor, lines, asked.interval or 1.0, typer.echo, back, changes_sought,
            together or live.TOGETHER,
        )  # fmt: skip
        before = follower.resume()
        if before:
            typer.echo(f"{asked.out}: goes on after frame {before}.", err=True)
        try:
            live.run(follower, watch=asked.watch, quiet_for=asked.quiet_for, shown=_shown(asked, follower))
        except KeyboardInterrupt:
            if not asked.watch:
                raise
        if table.unchanged:
            why = table.reason.rstrip(".") or "there is none"
            raise SasnetError(
                f"{asked.out}: no frame has an answer ({why}), so the earlier table was kept; check the"
                f" files given."
            )
        _ended(asked, follower)


def _ended(asked: Asked, follower: Follower) -> None:
    if asked.page is not None and follower.frames:
        _write_page(asked, follower, last=True)
    typer.echo(f"{asked.out}: {_how_it_went(follower)}")
    if follower.table.reason:
        typer.echo(f"The first without an answer: {follower.table.reason}", err=True)
    if follower.failures or not follower.frames:
        raise typer.Exit(1)


def _how_it_went(follower: Follower) -> str:
    said = _number(follower.frames, "frame")
    if follower.failures:
        said += f", {follower.failures} of them without an answer"
    if follower.changes:
        said += f"; {_number(len(follower.changes), 'change')}"
    return f"{said}."


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _listed(asked: Asked) -> Callable[[], Iterator[str | DataError]]:
    from ...batch.live.source import key_of
    from ..files import expand

    own = {os.path.abspath(p) for p in (asked.out, asked.plot, asked.page, asked.hdf5) if p is not None}
    own.add(f"{os.path.abspath(asked.out)}.state")

    measured: set[int] = set()

    def output(path: str) -> bool:
        # The folder is listed many times a second. What has been a measurement once is one.
        if key_of(path) in measured:
            return False
        if written_by_sasnet(path):
            return True
        measured.add(key_of(path))
        return False

    def listed() -> Iterator[str | DataError]:
        for one in expand(asked.files, output=output, said=lambda _: None):
            # The table may lie in the folder that is followed.
            if isinstance(one, str) and (os.path.abspath(one) in own or ".sasnet-tmp" in one):
                continue
            yield one

    return listed


def _reader(
    reading: ReadOptions, window: tuple[float, float] | None
) -> Callable[[str, int], Iterator[Curve | Exception]]:
    from ...data.clean import within
    from ...data.frames import frames

    def read(path: str, start: int) -> Iterator[Curve | Exception]:
        for one in frames(path, reading, start):
            if window is None or not isinstance(one, Curve):
                yield one
                continue
            try:
                yield within(one, *window)
            except SasnetError as error:
                yield error

    return read


def _belongs(files: Sequence[str]) -> Callable[[Mapping[str, str]], bool]:
    """Whether a line of a table is of one of these files, folders and patterns."""
    wanted = [os.path.abspath(os.path.expanduser(one)) for one in files]

    def belongs(line: Mapping[str, str]) -> bool:
        file = line["file"]
        return any(
            file == one or file.startswith(one.rstrip(os.sep) + os.sep) or fnmatch.fnmatch(file, one)
            for one in wanted
        )

    return belongs


def _shown(asked: Asked, follower: Follower) -> Callable[[], None] | None:
    if asked.plot is None and asked.page is None and asked.hdf5 is None:
        return None

    def shown() -> None:
        if follower.table.unchanged:
            return
        if asked.plot is not None:
            _write_plot(asked, follower)
        if asked.page is not None:
            _write_page(asked, follower, last=False)
        if asked.hdf5 is not None:
            from ...batch.live.copies import write_hdf5

            write_hdf5(asked.out, asked.hdf5)

    return shown


def _drawn(asked: Asked, follower: Follower) -> tuple[Any, tuple[float, float], list[str]]:
    from ...batch.live.copies import read_columns
    from ...report.trend import in_sentences, trend, trend_size

    found = read_columns(asked.out, follower.frames, follower.interval)
    against = "time / s" if asked.interval else "frame"
    time = found.time if asked.interval else found.time + 1
    changes = [at + (0 if asked.interval else 1) for at in found.changes]
    gaps = found.gaps(time)
    draw = trend(time, found.shares, found.numbers, changes, gaps, against=against)
    return draw, trend_size(len(found.numbers)), in_sentences(gaps, against)


def _write_plot(asked: Asked, follower: Follower) -> None:
    from ...files import put_aside
    from ...report.canvas import save

    assert asked.plot is not None
    draw, size, _ = _drawn(asked, follower)
    # Whoever looks at it must not see half of a picture.
    with put_aside(asked.plot, "figure of the series") as aside:
        named = aside.with_name(aside.name + asked.plot.suffix)
        try:
            save(draw, named, size)
            os.replace(named, aside)
        finally:
            named.unlink(missing_ok=True)


def _write_page(asked: Asked, follower: Follower, *, last: bool) -> None:
    from ...batch.live.run import EVERY
    from ...report.page.document import write_page
    from ...report.trend import trend_page

    assert asked.page is not None
    draw, size, gaps = _drawn(asked, follower)
    facts = f"{follower.frames} frames" + (
        f", {follower.failures} of them without an answer." if follower.failures else "."
    )
    again = EVERY if asked.watch and not last else None
    write_page(asked.page, trend_page(asked.out.stem, draw, size, follower.changes, facts, gaps, again=again))


@contextmanager
def asked_where(scheduler: str | None, domain: str, here: Predictor) -> Iterator[Predictor | Elsewhere]:
    """Yield what answers: the network itself, or its like on a cluster while connected. Raises ClusterError
    if no scheduler answers.
    """
    if scheduler is None:
        yield here
        return
    from ...predict.elsewhere import Elsewhere
    from ...workers.spread import connected

    with connected(scheduler) as cluster:
        yield Elsewhere(cluster, domain)
