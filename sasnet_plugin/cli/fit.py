"""``sasnet fit FILES…``: fit the models that may explain these data, rank and verify them."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sasnet_plugin.batch.plan import Options
from sasnet_plugin.cli.arguments import Force, Geometry, Plot, Quiet, Table
from sasnet_plugin.cli.files import clocked, curves_of, expand
from sasnet_plugin.cli.fit_options import Files, also_given, with_fit_options
from sasnet_plugin.cli.progress import fitting
from sasnet_plugin.cli.streams import JsonLine, json_lines
from sasnet_plugin.data.failure import sentence_of, unforeseen
from sasnet_plugin.domains import (
    DEFAULT,
    PAGES,
    ReadOptions,
    names_and_titles,
    recognised,
    resolve,
    specification,
)
from sasnet_plugin.fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from sasnet_plugin.types import Curve, SasnetError

if TYPE_CHECKING:
    from sasnet_plugin.domains import Domain
    from sasnet_plugin.fitting.result.fit_result import FitResult
    from sasnet_plugin.predict import Answer
    from sasnet_plugin.report.page.overview import Row


@with_fit_options(time_limit=90.0, methods=True)
def fit(
    files: Files,
    options: Options,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per line and data set.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Folder for an HTML page of each data set.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export", help="Folder for what opens elsewhere: SasView project, bumps session, NXcanSAS…"
        ),
    ] = None,
    plot: Plot = None,
    table: Table = None,
    details: Annotated[
        bool,
        typer.Option("--details", help="Besides the answer all fits, parameters, warnings and notes."),
    ] = False,
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain", help=f"Kind of measurement, where the file does not tell it: {names_and_titles()}."
        ),
    ] = None,
    geometry: Geometry = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Fit the models that may explain 1D small-angle-scattering data, rank and verify them.

    The answer has three lines: what explains the data, the one doubt that would hurt most, and what to do
    next.

    An image that is alike all around is averaged and fitted as a curve; to one with a direction a body and
    the distribution of its axes are fitted.

    Exit code 0: every file has its answer; 1: some have not, and a sentence says why; 2: wrong usage.
    """
    began = time.monotonic()
    limit = options.fit.time_limit

    from sasnet_plugin.cli.answers import TableWriter
    from sasnet_plugin.cli.folders import failed as without
    from sasnet_plugin.cli.folders import fitted, many
    from sasnet_plugin.data import load
    from sasnet_plugin.files import check_output
    from sasnet_plugin.fitting.api import bank_path, check_names, fit_with
    from sasnet_plugin.fitting.pool import Workers
    from sasnet_plugin.integrations.answers import Watched
    from sasnet_plugin.predict import Answer
    from sasnet_plugin.report.page.fit_report import page_name
    from sasnet_plugin.report.page.overview import HEAD, INDEX, write_csv, write_overview

    if report is not None:
        check_output(report / INDEX, force=force)
    if plot is not None:
        check_output(plot, force=force)
    if table is not None:
        check_output(table, force=force, mark=HEAD)
    given = {
        "--domain": domain, "--geometry": geometry, "--report": report, "--export": export, "--plot": plot,
        "--csv": table,
    }  # fmt: skip
    how = replace(options.fit, also=options.fit.also | also_given(given))
    titled = many(files) or bool(files[1:])
    line = json_lines() if as_json else None
    kinds: dict[str, Domain] = {}  # of files that hold images

    def read(path: str) -> Iterator[Any]:
        kind = specification(domain or recognised(Path(path)))
        if kind.name == DEFAULT:
            yield from load(path, q_unit=options.q_unit, entry=options.entry)
            return
        if not kind.curve:
            others = " or ".join(name for name in PAGES if specification(name).curve)
            raise SasnetError(
                f"{path}: {kind.title} are not fitted here; use 'sasnet classify --verify', or say --domain"
                f" {others} if the beam went through the sample."
            )
        reading = ReadOptions(options.q_unit, options.entry, tuple(geometry or ()))
        for one in resolve(kind.read)(path, reading):
            kinds[one.file] = kind
            curve = resolve(kind.curve)(one)
            yield one if curve is None else curve

    # The processes start while the files are read and classified.
    with Workers(bank_path(), options.fit.workers) as pool:
        check_names(options.fit)
        failed = 0
        rows: list[Row] | None = None if report is table is None else []  # of the overview and the table
        drawn: list[FitResult] = []
        every = (pair for each in expand(files) for pair in curves_of(each, read, options.window))
        outcome: Any  # a curve, an image, or why there is neither
        for path, outcome, passed in clocked(every, began):
            found: FitResult | Answer | Exception
            if not isinstance(outcome, Exception):
                try:
                    # Reading counts, and for the first data set what passed since the command began.
                    left = max(limit - passed, 0.5 * limit)
                    if isinstance(outcome, Curve):
                        with fitting(left, quiet or as_json) as progress:
                            watched = Watched(pool, progress)
                            found = fit_with(watched, outcome, how, wall=left)
                    else:
                        found = _fit_image(kinds[outcome.file], outcome, left)
                except SasnetError as error:
                    found = error
                except Exception as error:  # one file must not stop the others, whatever is wrong
                    found = unforeseen(path, error)
            else:
                found = outcome
            if isinstance(found, Exception):
                failed += 1
                _fail(path, sentence_of(path, found), line)
                if rows is not None:
                    rows.append(without(path, sentence_of(path, found)))
            elif line:
                line(found.as_dict())
            elif isinstance(found, Answer):
                TableWriter().answer(outcome, found)
            else:
                print_result(found, quiet=quiet, details=details, titled=titled or several(found.curve))
            if isinstance(found, Exception):
                continue
            if isinstance(found, Answer):
                failed += _write_image(kinds[outcome.file], outcome, found, report, export, force)
                continue
            if rows is not None:
                rows.append(fitted(found, page_name(found.curve, report) if report is not None else ""))
            if plot is not None:
                drawn.append(found)
            failed += found.best is None or bool(found.unanswered)  # the notes say why
            try:
                for written in _write(found, report, export, force):
                    if not (as_json or quiet):
                        print(f"Written: {written}", flush=True)
            except SasnetError as error:
                failed += 1
                _fail(path, str(error), line)
    if table is not None:
        write_csv(rows or [], table)
    if plot is not None and drawn:
        from sasnet_plugin.report.plot import plot_fits

        shown = plot_fits(plot, drawn)
        if len(drawn) > shown:
            typer.echo(f"{plot}: only the first {shown} data sets are drawn.", err=True)
    if report is not None and rows and rows[1:]:
        print(f"Written: {write_overview(rows, report, 'Fits')}", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def several(curve: Curve) -> bool:
    """Whether its entry says more than the file's name, as where a file holds several."""
    return curve.entry not in ("", Path(curve.file).stem)


def _fit_image(kind: Domain, image: Any, seconds: float) -> Answer:
    """The network's answer with what is fitted from it on."""
    from sasnet_plugin.predict.predictor import open_predictor

    (answer,) = open_predictor(kind.name).answers([image])
    found: Answer = resolve(kind.refine)(image, answer, seconds)
    return found


def _write_image(
    kind: Domain, image: Any, found: Answer, report: Path | None, export: Path | None, force: bool
) -> bool:
    """Write the page of an image's fit and the fit as NXcanSAS; whether something could not be written."""
    from sasnet_plugin.files import MARK, check_output
    from sasnet_plugin.fitting.images.oriented_fit import OrientedFit
    from sasnet_plugin.report.exports.nxcansas_image import image_name, write_image
    from sasnet_plugin.report.images.pages import answer_page, page_name

    if report is not None:
        check_output(report / page_name(image, report), force=force)
        answer_page(kind, image, found, report)
    fit = next((one for one in found.findings if isinstance(one, OrientedFit)), None)
    if export is not None and fit is not None:
        export.mkdir(parents=True, exist_ok=True)
        path = export / image_name(image, export)
        check_output(path, force=force, mark=MARK)
        write_image(image, fit, path)
    return export is not None and fit is None


def _write(found: FitResult, report: Path | None, export: Path | None, force: bool) -> Iterator[Path]:
    """Write what was asked for besides the answer."""
    from sasnet_plugin.files import check_output

    if report is not None:
        from sasnet_plugin.report.page.fit_report import page_name, write_report

        check_output(report / page_name(found.curve, report), force=force)
        when = time.strftime("%Y-%m-%d %H:%M")
        yield write_report(found, report, made=f"{when}, {shlex.join(['sasnet', *sys.argv[1:]])}")
    if export is not None:
        from sasnet_plugin.report.exports.write_all import export as write_exports
        from sasnet_plugin.report.exports.write_all import marks

        for path, mark in marks(found.curve, export).items():
            check_output(path, force=force, mark=mark)
        yield from write_exports(found, export)


def _fail(path: str, sentence: str, line: JsonLine | None) -> None:
    if line:
        line({"file": path, "error": sentence})
    else:
        print(sentence, file=sys.stderr, flush=True)


#: Of a verdict, on a terminal.
_STYLES = {EXPLAINS: "green", DOUBTS: "yellow", DOES_NOT: "red"}


def print_result(
    result: FitResult, *, quiet: bool = False, details: bool = False, titled: bool = True
) -> None:
    """The answer in three lines; with details also all fits, parameters, warnings and notes.

    Parameters
    ----------
    result : FitResult
    quiet : bool
        The headline alone.
    details : bool
    titled : bool
        With the file's name above, as where there are several.
    """
    from rich.text import Text

    from sasnet_plugin.cli.answers import wide_console

    say = wide_console().print
    title = " · ".join(part for part in (result.curve.file, result.curve.entry) if part)
    if titled:
        say(Text(title or "curve", style="bold"), soft_wrap=True)
    head, *more = result.verdict.lines()
    say(Text(head, style=_STYLES[result.verdict.level]), soft_wrap=True)
    if not quiet:
        for sentence in more:
            say(Text(sentence, style="bold" if sentence.startswith("Next") else ""), soft_wrap=True)
        if details:
            _print_details(result, say)
        if details or titled:
            say()
    sys.stdout.flush()


def _print_details(result: FitResult, say: Any) -> None:
    """All fits as a table, the best one's parameters and warnings, how it was verified, and notes."""
    from rich.text import Text

    from sasnet_plugin.fitting.result.display import parameters_in_words, rich_table

    say()
    say(rich_table(result.fits))
    if result.best is not None:
        say(Text(f"{result.best.short_name}: {parameters_in_words(result.best)}"), soft_wrap=True)
    for doubt in result.verdict.doubts[1:]:
        say(Text(f"Less of a doubt: {doubt}"), soft_wrap=True)
    said = set(result.verdict.doubts)
    if result.best is not None:
        for sentence in result.best.warnings:
            if sentence not in said:
                say(Text(f"Beware: {sentence}"), soft_wrap=True)
    if result.verification is not None:
        say(Text(result.verification.in_words()), soft_wrap=True)
    for note in result.notes:
        say(Text(f"Note: {note}"), soft_wrap=True)
