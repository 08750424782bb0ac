"""``sasnet fit FILES…``: fit the models that may explain these data, rank and verify them."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..batch.plan import Options
from ..data.failure import sentence_of, unforeseen
from ..domains import names_and_titles
from ..types import Curve, SasnetError
from .arguments import (
    Details,
    Force,
    Geometry,
    Given,
    Kind,
    Own,
    Plot,
    Quiet,
    SampleFile,
    Share,
    Table,
    Tie,
    Together,
)
from .files import clocked, curves_of, expand
from .fits.options import Files, also_given, with_fit_options
from .fits.outputs import Outputs, written
from .fits.printed import Say
from .fits.reading import Reading
from .interrupt import Ending
from .progress import fitting
from .streams import json_lines

if TYPE_CHECKING:
    from ..domains import Domain
    from ..fitting.pool import Workers
    from ..fitting.result.fit_result import FitResult
    from ..fitting.task import FitOptions
    from ..fitting.together.result import SampleResult
    from ..predict import Answer


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
    details: Details = False,
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain", help=f"Kind of measurement, where the file does not tell it: {names_and_titles()}."
        ),
    ] = None,
    geometry: Geometry = None,
    together: Together = False,
    sample_file: SampleFile = None,
    kind: Kind = None,
    share: Share = None,
    own: Own = None,
    tie: Tie = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Fit the models that may explain 1D small-angle-scattering data, rank and verify them.

    The answer has three lines: what explains the data, the one doubt that would hurt most, and what to do
    next.

    An image that is alike all around is averaged and fitted as a curve; to one with a direction a body and
    the distribution of its axes are fitted.

    Ctrl-C ends with what is fitted of the present file, and leaves out the others; once more, at once.

    Exit code 0: every file has its answer; 1: some have not, and a sentence says why; 2: wrong usage;
    130: ended by Ctrl-C.
    """
    began = time.monotonic()

    from ..fitting.api import bank_path
    from ..fitting.asked import check_names
    from ..fitting.pool import Workers
    from .files import many

    outputs = Outputs(report, export, plot, table, force, details)
    outputs.check()
    of_sample = Given(sample_file, kind, share, own, tie)
    of_sample.check(together)
    given = {"--domain": domain, "--geometry": geometry, **outputs.options()}
    given |= of_sample.options()
    how = replace(options.fit, also=options.fit.also | also_given(given))
    say = Say(json_lines() if as_json else None, quiet, details, many(files) or bool(files[1:]))
    reading = Reading(domain, options, tuple(geometry or ()))
    # The processes start while the files are read and classified.
    ending = Ending()
    with Workers(bank_path(), options.fit.workers, ended=ending) as pool:
        check_names(options.fit)
        if together:
            failed = _together(pool, ending, files, how, reading, of_sample, outputs, say)
        else:
            failed = _each(pool, ending, files, how, reading, outputs, say, began)
    if ending():
        raise typer.Exit(130)
    if failed:
        raise typer.Exit(1)


def _each(
    pool: Workers,
    ending: Ending,
    files: list[str],
    how: FitOptions,
    reading: Reading,
    outputs: Outputs,
    say: Say,
    began: float,
) -> int:
    """An answer to each curve and image, one after the other; how many things failed."""
    failed = 0
    window = reading.options.window
    every = (pair for each in expand(files) for pair in curves_of(each, reading.read, window))
    try:
        for path, outcome, passed in clocked(every, began):
            # Reading counts, and for the first data set what passed since the command began.
            left = max(how.time_limit - passed, 0.5 * how.time_limit)
            found = _found(pool, ending, path, outcome, how, left, reading, say)
            with ending.heard():
                failed += _answered(path, outcome, found, outputs, reading, say)
            if ending():
                break
    finally:  # after Ctrl-C, too, with the answers that there are
        outputs.close()
    return failed


def _together(
    pool: Workers,
    ending: Ending,
    files: list[str],
    how: FitOptions,
    reading: Reading,
    given: Given,
    outputs: Outputs,
    say: Say,
) -> int:
    """One answer to all files, as curves of one sample; how many things failed."""
    from ..fitting.progress import Watched
    from ..fitting.together.fit_together import fit_sample
    from .together import print_sample, refused, sample_from

    try:
        sample = sample_from(files, reading.read, reading.options.window, given, reading.options.wavelength)
        limit = how.time_limit * len(sample.curves)
        with fitting(limit, say.silent) as progress, ending.heard():
            result = fit_sample(Watched(pool, progress), sample, how)
    except SasnetError as error:
        refused(error)
    if ending() or len(sample.curves) == 1:  # what each curve says alone, of one the very answer of its fit
        if sample.curves[1:]:
            typer.echo("sasnet: ended before the curves were fitted together; alone they say:", err=True)
        return _alone(result, outputs, reading, say)
    if say.line:
        say.line(result.as_dict())
    else:
        print_sample(result, quiet=say.quiet, details=say.details)
    return outputs.together(result, said=not say.silent) + (result.best is None)


def _alone(result: SampleResult, outputs: Outputs, reading: Reading, say: Say) -> int:
    """The answer to each curve of a sample that was fitted; how many things failed."""
    failed = 0
    for single in result.singles if result.as_one is None else (result.as_one,):
        if single.best is not None or not single.ended:
            failed += _answered(single.curve.file, single.curve, single, outputs, reading, say)
    outputs.close()
    return failed


def _found(
    pool: Workers,
    ending: Ending,
    path: str,
    outcome: Any,
    how: FitOptions,
    left: float,
    reading: Reading,
    say: Say,
) -> FitResult | Answer | Exception:
    """Fit a curve or an image within so many seconds, or pass on why there is neither."""
    from ..fitting.api import fit_with
    from ..fitting.progress import Watched

    if isinstance(outcome, Exception):
        return outcome
    try:
        if not isinstance(outcome, Curve):
            return _fit_image(reading.kinds[outcome.file], outcome, left)
        with fitting(left, say.silent) as progress, ending.heard():
            found = fit_with(Watched(pool, progress), outcome, how, wall=left)
    except SasnetError as error:
        return error
    except Exception as error:  # one file must not stop the others, whatever is wrong
        return unforeseen(path, error)
    if found.ended and found.best is None:
        return SasnetError(f"{path}: ended before any model was fitted.")
    return found


def _answered(
    path: str,
    outcome: Any,
    found: FitResult | Answer | Exception,
    outputs: Outputs,
    reading: Reading,
    say: Say,
) -> int:
    """Print and write an answer; how many things failed."""
    from ..predict import Answer

    if isinstance(found, Exception):
        sentence = sentence_of(path, found)
        say.failure(path, sentence)
        outputs.failed(path, sentence)
        return 1
    say.answer(outcome, found)
    if isinstance(found, Answer):
        return int(outputs.image(reading.kinds[outcome.file], outcome, found))
    failed = int(found.best is None or bool(found.unanswered))  # the notes say why
    why = written(found, outputs, said=not say.silent)
    if why:
        say.failure(path, why)
    return failed + bool(why)


def _fit_image(kind: Domain, image: Any, seconds: float) -> Answer:
    """The network's answer with what is fitted from it on."""
    from ..predict.predictor import open_predictor

    (answer,) = open_predictor(kind.name).answers([image])
    assert kind.refine is not None  # of those with curves
    found: Answer = kind.refine(image, answer, seconds)
    return found
