"""``sasnet classify FILES…``: which models explain these data?"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from sasnet_plugin.cli.arguments import names_of, unit_of, window_of
from sasnet_plugin.cli.files import curves_of, expand
from sasnet_plugin.data.failure import sentence_of
from sasnet_plugin.types import Curve, Suggestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from sasnet_plugin.cli.answers import Writer

CHUNK = 64  # curves run at once, across files
PATIENCE = 0.25  # seconds after which answers are given, however few there are
MANY = 20  # files from which on progress is shown

Outcome = tuple[str, Curve | None, Suggestion | Exception]


def classify(
    files: Annotated[
        list[str], typer.Argument(help="Data files, folders (searched to the bottom) or patterns.")
    ],
    top: Annotated[int, typer.Option("--top", min=1, help="How many models to list.")] = 5,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line and data set.")
    ] = False,
    plot: Annotated[
        str | None, typer.Option("--plot", help="Draw data and probabilities into this file (PNG).")
    ] = None,
    q_range: Annotated[
        str | None,
        typer.Option("--q-range", metavar="A:B", help="Use only q from A to B, Å⁻¹; either may be left out."),
    ] = None,
    q_unit: Annotated[
        str | None,
        typer.Option("--q-unit", help="Unit of q: A (Å⁻¹) or nm (nm⁻¹), where the file is silent or wrong."),
    ] = None,
    entry: Annotated[
        str | None, typer.Option("--entry", help="Only this entry of a file that holds several.")
    ] = None,
    models: Annotated[
        list[str] | None, typer.Option("--models", help="Choose only from these models (commas or repeated).")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="Leave these models out (commas or repeated).")
    ] = None,
) -> None:
    """Say which models explain 1D small-angle-scattering data, and how sure that is.

    Exit code 0: every file has its answer; 1: some have not, and a sentence says why; 2: wrong usage.
    """
    window = window_of(q_range)
    unit = unit_of(q_unit)

    from sasnet_plugin.cli.answers import JsonWriter, TableWriter
    from sasnet_plugin.predict import open_classifier
    from sasnet_plugin.predict.classifier import UnknownModelError

    classifier = open_classifier()
    try:
        keep = classifier.selection(names_of(models), names_of(exclude))
    except UnknownModelError as error:
        raise typer.BadParameter(str(error), param_hint="--models / --exclude") from None
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Å or block characters is no failure

    def read(path: str) -> tuple[Curve, ...]:
        from sasnet_plugin.data import load

        return load(path, q_unit=unit, entry=entry)

    def judge(curves: list[Curve]) -> list[Suggestion | Exception]:
        return classifier.outcomes(curves, top=top, keep=keep)

    writer: Writer = JsonWriter() if as_json else TableWriter()
    with _progress() as step:
        failed, drawn = _write(outcomes(files, read, judge, window, step), writer, plot is not None)
    if plot is not None and drawn:
        from sasnet_plugin.report.plot import MAX_ROWS, plot_suggestions

        plot_suggestions(plot, drawn)
        if len(drawn) > MAX_ROWS:
            typer.echo(f"{plot}: only the first {MAX_ROWS} data sets are drawn.", err=True)
    if failed:
        raise typer.Exit(1)


def outcomes(
    arguments: Iterable[str],
    read: Callable[[str], tuple[Curve, ...]],
    judge: Callable[[list[Curve]], list[Suggestion | Exception]],
    window: tuple[float, float] | None,
    step: Callable[[], None],
) -> Iterator[Outcome]:
    """Yield the outcome of each data set in order, a few files at a time.

    Curves of small files are run together, but none waits longer than `PATIENCE` for company.
    """
    waiting: list[tuple[str, Curve | Exception]] = []
    answered = -math.inf  # the first file is answered at once
    for path in expand(arguments):
        waiting.extend(curves_of(path, read, window))
        if len(waiting) >= CHUNK or time.monotonic() - answered > PATIENCE:
            yield from _answer(waiting, judge)
            waiting = []
            answered = time.monotonic()
        step()
    yield from _answer(waiting, judge)


def _answer(
    waiting: list[tuple[str, Curve | Exception]], judge: Callable[[list[Curve]], list[Suggestion | Exception]]
) -> Iterator[Outcome]:
    judged = iter(judge([curve for _, curve in waiting if isinstance(curve, Curve)]))
    for path, curve in waiting:
        yield (path, curve, next(judged)) if isinstance(curve, Curve) else (path, None, curve)


def _write(
    outcomes: Iterable[Outcome], writer: Writer, remember: bool
) -> tuple[int, list[tuple[Curve, Suggestion]]]:
    """Write outcomes as they come; return how many failed, and what a figure needs."""
    from sasnet_plugin.report.plot import MAX_ROWS

    failed = 0
    drawn: list[tuple[Curve, Suggestion]] = []
    for path, curve, outcome in outcomes:
        if isinstance(outcome, Suggestion) and curve is not None:
            writer.answer(curve, outcome)
            if remember and len(drawn) <= MAX_ROWS:  # one more than is drawn, to know that there were more
                drawn.append((curve, outcome))
        elif isinstance(outcome, Exception):
            failed += 1
            writer.failure(path, curve.entry if curve else "", sentence_of(path, outcome))
    return failed, drawn


@contextmanager
def _progress() -> Iterator[Callable[[], None]]:
    """Show on stderr how many files are done, where answers go elsewhere and the files are many."""
    if sys.stdout.isatty() or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.completed:.0f} files"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, visible=False)
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            progress.update(task, completed=done, visible=done >= MANY)

        yield step
