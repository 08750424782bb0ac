"""``sasnet classify FILES…``: what explains these data?"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.failure import sentence_of
from ..domains import ReadOptions, names_and_titles
from ..predict.class_prior import COMMON
from ..types import Curve
from .arguments import (
    TOP,
    Entry,
    Exclude,
    Force,
    Geometry,
    Models,
    Plot,
    Prior,
    QRange,
    Quiet,
    QUnit,
    Table,
    Top,
    Wavelength,
    as_given,
    names_of,
    prior_given,
    unit_of,
    wavelength_of,
    window_of,
)
from .files import curves_of, expand
from .kinds import Kinds
from .progress import stages
from .together import Given, Kind, SampleFile, Together

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..domains import Domain
    from ..predict import Answer
    from ..report.page.overview import Row
    from .answers import Writer

CHUNK = 64  # measurements run at once, across files
PATIENCE = 0.25  # seconds after which answers are given, however few there are
OF_ONE_FILE = 4  # entries of one file that --plot draws
MANY = 20  # files from which on progress is shown

#: File, measurement if there is one, answer or why there is none.
Outcome = tuple[str, Any, Any]


def classify(
    files: Annotated[
        list[str], typer.Argument(help="Data files, folders (searched to the bottom) or patterns.")
    ],
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain",
            help=f"Kind of measurement, where the file does not tell it: {names_and_titles()}.",
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Patterns: fit the physics from the answer on, simulate it again and compare."
        ),
    ] = False,
    image_set: Annotated[
        bool, typer.Option("--set", help="Images: all of the files are one sample in several settings.")
    ] = False,
    together: Together = False,
    sample_file: SampleFile = None,
    kind: Kind = None,
    top: Top = TOP,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line and data set.")
    ] = False,
    plot: Plot = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Folder for an overview (index.html), and a page of each pattern."),
    ] = None,
    details: Annotated[
        bool,
        typer.Option(
            "--details", help="Tables for each file of a folder, not a line; of curves also p(r) and D_max."
        ),
    ] = False,
    table: Table = None,
    q_range: QRange = None,
    q_unit: QUnit = None,
    wavelength: Wavelength = None,
    entry: Entry = None,
    geometry: Geometry = None,
    prior: Prior = COMMON,
    models: Models = None,
    exclude: Exclude = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Say what explains scattering data, and how sure that is.

    Of curves: which models; of patterns: what their specification asks, such as how a lattice is rotated.

    Exit code 0: every file has its answer; 1: some have not, and a sentence says why; 2: wrong usage.
    """
    window = window_of(q_range)
    unit = unit_of(q_unit)

    from ..files import check_output
    from .answers import JsonWriter, TableWriter
    from .folders import LineWriter, many

    if plot is not None:
        check_output(plot, force=force)
    if table is not None or report is not None:
        from ..report.page.overview import HEAD, INDEX, write_csv, write_overview

        if table is not None:
            check_output(table, force=force, mark=HEAD)
        if report is not None:
            check_output(report / INDEX, force=force)
    chosen, left_out = names_of(models), names_of(exclude)
    kinds = Kinds(
        domain,
        top=top,
        models=chosen,
        exclude=left_out,
        reading=ReadOptions(unit, entry, tuple(geometry or ()), wavelength_of(wavelength)),
        prior=prior_given(prior),
        verify=verify,
        told=stages(quiet) if verify else None,
    )
    read: Callable[[str], Iterable[Any]] = kinds.read
    of_sample = Given(sample_file, kind)
    of_sample.check(together)
    if together:
        _together(files, kinds, window, of_sample, Wanted(top, chosen, left_out, prior_given(prior)), as_json)
        return
    if image_set:
        parts = list(expand(files))
        files, read = [str(parts[0])], lambda _: [kinds.together(parts)]
    brief = quiet or (many(files) and not details and not image_set)
    given = as_given(
        {
            "--models": chosen, "--exclude": left_out, "--top": None if top == TOP else top,
            "--prior": None if prior == COMMON else prior, "--wavelength": wavelength, "--q-range": q_range,
            "--q-unit": q_unit, "--entry": entry,
        }
    )  # fmt: skip
    writer: Writer = LineWriter() if brief else TableWriter(given, details=details)
    if as_json:
        writer = JsonWriter(details=details)
    rows: list[Row] | None = None if table is report is None else []
    with _progress(quiet) as step:
        found = outcomes(files, read, kinds.answers, window, step)
        if report is not None:
            found = _reported(found, kinds.domain_of, report, force)
        failed, drawn = _write(found, writer, plot is not None, rows, report)
    if isinstance(writer, LineWriter):
        writer.close(next_step=not quiet)
    if table is not None:
        write_csv(rows or [], table)
    if report is not None and rows and (rows[1:] or not rows[0].page):
        write_overview(rows, report, str(Path(files[0]).absolute().name) if len(files) == 1 else "Data sets")
    if plot is not None and drawn:
        _draw(plot, drawn)
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Wanted:
    """Which models are chosen from, and how many are listed."""

    top: int
    models: list[str] | None
    exclude: list[str] | None
    prior: str


def _together(
    files: list[str],
    kinds: Kinds,
    window: tuple[float, float] | None,
    given: Given,
    wanted: Wanted,
    as_json: bool,
) -> None:
    """One answer to all files, as curves of one sample."""
    from ..fitting.together.result import suggestion_as_dict
    from ..predict import open_classifier
    from ..predict.together import contradicting, together
    from ..types import SasnetError
    from .streams import json_lines
    from .together import print_suggestion, refused, sample_from

    try:
        sample = sample_from(files, kinds.read, window, given)
        classifier = open_classifier()
        keep = classifier.selection(wanted.models, wanted.exclude)
        each = [classifier.under(curve, (wanted.prior,), keep)[0] for curve in sample.curves]
    except SasnetError as error:
        refused(error)
    found = together(each, wanted.prior)
    against = contradicting(found, each)
    if as_json:
        said = suggestion_as_dict(found, wanted.top)
        names = sample.files
        json_lines()({"files": names, "kind": sample.kind, **said, "against": [names[i] for i in against]})
    else:
        print_suggestion(sample.files, found, against, sample.kind, wanted.top)


def outcomes(
    arguments: Iterable[str],
    read: Callable[[str], Iterable[Any]],
    answer: Callable[[list[Any]], list[Any]],
    window: tuple[float, float] | None,
    step: Callable[[], None],
) -> Iterator[Outcome]:
    """Yield the outcome of each measurement in order, a few at a time.

    Measurements of small files are run together, but none waits longer than `PATIENCE` for company; of a file
    with many no more than a few are held.
    """
    waiting: list[tuple[str, Any]] = []
    answered = -math.inf  # the first file is answered at once
    for path in expand(arguments):
        for pair in curves_of(path, read, window):
            waiting.append(pair)
            if len(waiting) >= CHUNK:
                yield from _answer(waiting, answer)
                waiting = []
                answered = time.monotonic()
        if time.monotonic() - answered > PATIENCE:
            yield from _answer(waiting, answer)
            waiting = []
            answered = time.monotonic()
        step()
    yield from _answer(waiting, answer)


def _answer(waiting: list[tuple[str, Any]], answer: Callable[[list[Any]], list[Any]]) -> Iterator[Outcome]:
    answered = iter(answer([one for _, one in waiting if not isinstance(one, Exception)]))
    for path, one in waiting:
        yield (path, None, one) if isinstance(one, Exception) else (path, one, next(answered))


def _reported(
    outcomes: Iterable[Outcome], domain_of: Callable[[Any], Domain], folder: Path, force: bool
) -> Iterator[Outcome]:
    """Write the page of each pattern's answer after it; pages of curves are those of their fits."""
    from ..files import check_output
    from ..report.images.pages import answer_page

    for path, one, outcome in outcomes:
        yield path, one, outcome
        if not isinstance(outcome, Exception) and not isinstance(one, Curve):
            check_output(folder / _page_name(one, folder), force=force)
            answer_page(domain_of(one), one, outcome, folder)


def _write(
    outcomes: Iterable[Outcome],
    writer: Writer,
    remember: bool,
    rows: list[Row] | None = None,
    report: Path | None = None,
) -> tuple[int, list[tuple[Any, Answer]]]:
    """Write outcomes as they come; return how many failed, and what a figure needs."""
    from ..report.plot import MAX_CURVES
    from . import folders

    failed = 0
    drawn: list[tuple[Any, Answer]] = []
    of_file: Counter[str] = Counter()
    for path, one, outcome in outcomes:
        if isinstance(outcome, Exception):
            failed += 1
            writer.failure(path, one.entry if one else "", sentence_of(path, outcome))
            if rows is not None:
                rows.append(folders.failed(path, sentence_of(path, outcome)))
            continue
        writer.answer(one, outcome)
        if rows is not None:
            page = "" if report is None or isinstance(one, Curve) else _page_name(one, report)
            rows.append(folders.classified(one, outcome, page))
        # One more than is drawn, to know that there were more; a file of hundreds would hide the others.
        if remember and len(drawn) <= MAX_CURVES and of_file[path] < OF_ONE_FILE:
            drawn.append((one, outcome))
            of_file[path] += 1
    return failed, drawn


def _page_name(image: Any, folder: Path) -> str:
    from ..report.images.pages import page_name

    return page_name(image, folder)


def _draw(plot: Path, drawn: list[tuple[Any, Answer]]) -> None:
    from ..report.plot import plot_answers

    shown = plot_answers(plot, drawn)
    if len(drawn) > shown:
        typer.echo(f"{plot}: only the first {shown} data sets are drawn.", err=True)


@contextmanager
def _progress(quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Show on stderr how many files are done, where answers go elsewhere and the files are many."""
    if quiet or sys.stdout.isatty() or not sys.stderr.isatty():
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
