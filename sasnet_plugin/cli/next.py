"""``sasnet next FILES…``: which measurement to make next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..batch.plan import Options
from ..types import Curve, DataError, SasnetError
from .arguments import Force, Given, Kind, Own, Quiet, SampleFile, Share, Tie, names_of
from .fit import Reading
from .fit_options import Files, add_fit_options
from .progress import Ending
from .streams import json_lines

if TYPE_CHECKING:
    from ..fitting.pool import Workers
    from ..fitting.result.fit_result import FitResult
    from ..fitting.result.sample_result import SampleResult
    from ..planning.next_measurement import Plan


@add_fit_options(time_limit=90.0)
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
                "Chance that the right model leads  [default: 0.95]; with --for the relative error "
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
        typer.Option("--plan", help="Earlier answer (--json) that the last file followed: did it hold?"),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="Draw what the models predict into this file (PNG, PDF, SVG)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    sample_file: SampleFile = None,
    kind: Kind = None,
    share: Share = None,
    own: Own = None,
    tie: Tie = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Say which measurement to make next: what would decide between the models that still fit.

    The files are fitted first, several as one sample. Then other solvents, q ranges and counting times are
    compared by the probability that the right model leads afterwards.

    Exit code 0: there is a plan; 1: nothing to plan from, with a sentence; 2: wrong usage; 130: ended by
    Ctrl-C.
    """
    from ..fitting.asked import check_names
    from ..fitting.pool import Workers
    from ..planning import sentences
    from ..planning.next_measurement import default_solvents, next_measurement, present_solvent
    from ..planning.prediction import prediction_held
    from ..zoo import bank_path
    from .files import check_free, say_drawn

    check_free(None, plot, None, force=force)
    earlier = None if plan is None else read_plan(plan)
    changes = changes_of(change)
    parts = materials_of(exchange)
    options = fix_exchanging(options, parts)
    ending = Ending()
    with Workers(bank_path(), options.fit.workers, ended=ending) as pool:
        check_names(options.fit)
        result = _fit(
            pool, ending, files, options, Given(sample_file, kind, share, own, tie), quiet or as_json
        )
    contrast, offered, note = options.fit.contrast, names_of(solvents) or [], ""
    if not offered:
        offered, note = default_solvents(result, contrast.solvent_name if contrast is not None else "")
    elif present_solvent(result) is None:
        offered, note = [], str(sentences.NO_SOLVENT)
    with ending.listen():
        answer = next_measurement(
            result, parameter=parameter, aim=aim, solvents=offered, exchange=parts, instrument=instrument,
            changes=changes, time=counting_time, ended=ending, progress=_progress(quiet or as_json),
        )  # fmt: skip
    answer = answer.add_notes(*filter(None, [note]), before=prediction_held(earlier, result))
    if as_json:
        json_lines()(answer.as_dict())
    else:
        _print(answer, quiet=quiet)
    if plot is not None:
        from ..report.next_measurement import plot_plan

        plot_plan(plot, answer)
        say_drawn(plot, 1, 1)
    if ending():
        raise typer.Exit(130)


def _fit(
    pool: Workers, ending: Ending, files: list[str], options: Options, sample_options: Given, silent: bool
) -> FitResult | SampleResult:
    from ..fitting.api import fit_sample, fit_with
    from ..fitting.progress import Watched
    from .files import curves_of, expand
    from .fit import sample_from
    from .progress import show_fit_progress

    reading = Reading(None, options, ())
    first, *others = expand(files)
    curves = [] if others else [outcome for _, outcome in curves_of(first, reading.read, options.window)]
    for outcome in curves:
        if isinstance(outcome, Exception):
            raise outcome
        if not isinstance(outcome, Curve):
            raise DataError(
                f"{first}: is an image, but sasnet next plans from curves; give its azimuthal average as"
                f" columns q, I, dI."
            )
    if len(curves) == 1:
        with show_fit_progress(options.fit.time_limit, silent) as progress, ending.listen():
            return fit_with(Watched(pool, progress), curves[0], options.fit)
    sample = sample_from(files, reading.read, options.window, sample_options, options.wavelength)
    limit = options.fit.time_limit * len(sample.curves)
    with show_fit_progress(limit, silent) as progress, ending.listen():
        return fit_sample(Watched(pool, progress), sample, options.fit)


def changes_of(texts: list[str] | None) -> dict[str, dict[str, float]]:
    """``name=value,…`` texts as samples by their text, or wrong usage."""
    from .fit_options import values_of

    return {text: values_of(text.split(","), "--change") for text in texts or ()}


def materials_of(texts: list[str] | None) -> dict[str, str]:
    """``name=formula@density`` pairs, or wrong usage."""
    from ..planning.measurements import exchanged_density

    parts = {}
    for text in texts or ():
        name, separator, material = text.partition("=")
        if not separator or not name.strip() or "@" not in material:
            raise typer.BadParameter(
                f"{text!r} is not name=formula@density, such as sld_shell=C6H7H[1]3O5@1.5.",
                param_hint="--exchange",
            )
        exchanged_density(material.strip(), 0.0)  # a SasnetError says what is wrong with it
        parts[name.strip()] = material.strip()
    return parts


def fix_exchanging(options: Options, parts: dict[str, str]) -> Options:
    """Options with the densities that exchanging parts have in the present solvent, where that is given."""
    from ..planning.measurements import exchanged_density

    fit = options.fit
    solvent = None if fit.contrast is None else fit.contrast.solvent
    if solvent is None:
        return options
    known = {name: exchanged_density(material, solvent) for name, material in parts.items()}
    return replace(options, fit=replace(fit, fixed={**known, **fit.fixed}))


def read_plan(path: Path) -> dict[str, Any]:
    """Read an earlier plan; raises SasnetError if it cannot be read."""
    import json

    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("predictions"), dict):
        raise SasnetError(f"{path}: is not the answer of sasnet next --json; give that file.")
    return found


def _progress(silent: bool) -> Any:
    if silent:
        return None
    from .progress import stages

    tell = stages()
    return lambda done, of: tell(f"Planning: {done} of {of} measurements")


def _print(plan: Plan, *, quiet: bool) -> None:
    from rich.text import Text

    from .answers import wide_console
    from .fit import list_table

    say = wide_console().print
    now, answer, *notes = plan.lines()
    say(Text(now), soft_wrap=True)
    say(Text(answer, style="bold"), soft_wrap=True)
    if quiet:
        return
    for note in notes:
        say(Text(f"Note: {note}"), soft_wrap=True)
    head, *rows = plan.table()
    say(list_table(head, rows))
