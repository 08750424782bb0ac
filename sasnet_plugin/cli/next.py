"""``sasnet next FILES…``: which measurement to make next."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..batch.plan import Options
from ..data.limits import sentence_of
from ..files import check_output, check_place, put_whole
from ..types import Curve, DataError, SasnetError
from ..zoo import bank_path
from .answers import wide_console
from .arguments import NO_SAMPLE, Force, Given, Quiet, add_sample_options
from .files import check_free, curves_of, expand, say_drawn
from .fit import Reading, list_table, print_result, print_sample, sample_from
from .fit_options import Files, add_fit_options
from .progress import Ending, show_fit_progress, stages
from .streams import json_lines

if TYPE_CHECKING:
    from ..fitting.pool import Workers
    from ..fitting.result.fit_result import FitResult
    from ..fitting.result.sample_result import SampleResult
    from ..planning.next_measurement import Plan

#: What a plan begins with.
_MARK = '{"files"'


@add_fit_options()
@add_sample_options("sectors", "field", "spins", "polarisation")
def next_(
    files: Files,
    options: Options,
    parameter: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="NAME", help="Plan for a small error of this parameter, such as radius."
        ),
    ] = None,
    aim: Annotated[
        float | None,
        typer.Option(
            "--aim",
            help=(
                "Chance that the likeliest model is right  [default: 0.95]; with --for the relative error "
                " [default: 0.01]"
            ),
        ),
    ] = None,
    solvents: Annotated[
        list[str] | None,
        typer.Option(
            "--solvents",
            help="Solvents that are possible (commas or repeated). In water by default H2O, 20%D2O … D2O.",
        ),
    ] = None,
    exchange: Annotated[
        list[str] | None,
        typer.Option(
            "--exchange",
            metavar="NAME=FORMULA@DENSITY",
            help="Material of a part that exchanges hydrogen with water, labile ones as H[1]; repeatable.",
        ),
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--change",
            metavar="NAME=VALUE,…",
            help="Another sample that is possible, by the parameters that it changes; repeatable.",
        ),
    ] = None,
    instrument: Annotated[
        str | None,
        typer.Option(
            "--instrument", help="Settings of the instrument: a TOML file, or the name of an example."
        ),
    ] = None,
    counting_time: Annotated[
        float | None,
        typer.Option(
            "--time",
            help=(
                "Time of the table: seconds with --instrument  [default: 600], else multiples of the present"
                " measurement's time  [default: 1]"
            ),
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", help="Earlier plan (--save) that the new file followed: did it hold?"),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Write the plan into this file, for --plan after it.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Draw what the models predict into this file (PNG, PDF, SVG)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    of_sample: Given = NO_SAMPLE,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Say which measurement to make next: what would decide between the models that still fit.

    The files are fitted first, several as one sample. Then other solvents, q ranges and counting times are
    compared by the probability that the likeliest model is then the right one.

    Exit code 0: there is a plan; 1: no plan was possible, with the fit and a sentence; 2: wrong usage; 130:
    ended by Ctrl-C.
    """
    from ..fitting.asked import check_names
    from ..fitting.pool import Workers
    from ..fitting.result.sample_result import SampleResult
    from ..planning.next_measurement import next_measurement
    from ..planning.options import fix_exchanging

    check_free(None, plot, None, force=force)
    if save is not None:
        check_place(save)
        check_output(save, force=force, mark=_MARK)
    question = _question(
        parameter=parameter, aim=aim, solvents=solvents, exchange=exchange, changes=change,
        instrument=instrument, time=counting_time, earlier=None if plan is None else read_plan(plan),
    )  # fmt: skip
    options = replace(options, fit=fix_exchanging(options.fit, question.get("exchange")))
    ending, start_time = Ending(), time.monotonic()
    with Workers(bank_path(), options.fit.workers, ended=ending) as pool:
        check_names(options.fit)
        result = _fit(pool, ending, files, options, of_sample, question.get("exchange"), quiet or as_json)
    # Fits and plan take from one account of time.
    progress = _progress(quiet or as_json)
    curve_count = len(result.sample.curves) if isinstance(result, SampleResult) else 1
    seconds_left = options.fit.time_limit * curve_count - (time.monotonic() - start_time)
    try:
        with ending.listen():
            answer = next_measurement(
                result, **question, ended=ending, progress=progress, time_limit=seconds_left
            )
    except SasnetError:
        # Why there is no plan is told after the fit, which took most of the time.
        if as_json:
            json_lines()(result.as_dict())
        elif isinstance(result, SampleResult):
            print_sample(result, quiet=quiet)
        else:
            print_result(result, quiet=quiet)
        raise
    if as_json:
        json_lines()(answer.as_dict())
    else:
        _print(answer, quiet=quiet)
    if save is not None:
        put_whole(save, json.dumps(answer.as_dict()).encode(), "plan")
    if plot is not None and answer.ranked:
        from ..report.next_measurement import plot_plan

        plot_plan(plot, answer)
        say_drawn(plot, 1, 1)
    if ending():
        raise typer.Exit(130)


def _see_they_are_curves(file: str | DataError, outcomes: list[Any]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
        if not isinstance(outcome, Curve):
            raise DataError(
                f"{file}: is an image, but sasnet next plans from curves; give its azimuthal average as"
                f" columns q, I, dI."
            )


def _fit(
    pool: Workers,
    ending: Ending,
    files: list[str],
    options: Options,
    sample_options: Given,
    exchange: dict[str, str] | None,
    silent: bool,
) -> FitResult | SampleResult:
    from ..fitting.api import fit_sample, fit_with
    from ..fitting.progress import Watched
    from ..planning.next_measurement import FIT_SHARE
    from ..planning.options import tie_exchanging

    reading = Reading(None, options, ())
    first, *others = expand(files)
    curves = [] if others else [outcome for _, outcome in curves_of(first, reading.read, options.window)]
    _see_they_are_curves(first, curves)
    if len(curves) == 1:
        with show_fit_progress(options.fit.time_limit, silent) as progress, ending.listen():
            wall = FIT_SHARE * options.fit.time_limit
            return fit_with(Watched(pool, progress), curves[0], options.fit, wall=wall)
    sample = sample_from(files, reading.read, options.window, sample_options, options.wavelength)
    sample = tie_exchanging(sample, exchange)
    limit = options.fit.time_limit * len(sample.curves)
    with show_fit_progress(limit, silent) as progress, ending.listen():
        return fit_sample(Watched(pool, progress), sample, options.fit, FIT_SHARE)


def _question(**given: Any) -> dict[str, Any]:
    """Options of the plan, checked, or wrong usage."""
    from ..planning.measurements import read_instrument
    from ..planning.options import plan_options

    try:
        question = plan_options(given)
        if "instrument" in question:  # before anything is fitted
            read_instrument(question["instrument"])
        return question
    except SasnetError as error:
        raise typer.BadParameter(str(error)) from None


def read_plan(path: Path) -> dict[str, Any]:
    """Read an earlier plan; raises SasnetError if it cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SasnetError(sentence_of(str(path), error)) from None
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("predictions"), dict):
        raise SasnetError(f"{path}: is no plan; give the file that sasnet next --save wrote.")
    return found


def _progress(silent: bool) -> Any:
    if silent:
        return None

    tell = stages()
    return lambda done, of: tell(f"Planning: {done} of {of} measurements")


def _print(plan: Plan, *, quiet: bool) -> None:
    from rich.text import Text

    say = wide_console().print
    now, answer, *notes = plan.lines()
    say(Text(now), soft_wrap=True)
    say(Text(answer, style="bold"), soft_wrap=True)
    if quiet:
        return
    for note in notes:
        say(Text(f"Note: {note}"), soft_wrap=True)
    head, *rows = plan.table()
    if rows:
        say(list_table(head, rows))
