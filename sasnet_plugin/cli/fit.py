"""``sasnet fit FILES…``: fit the models that may explain these data, rank and verify them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..batch.plan import Options
from ..data.failure import sentence_of, unforeseen
from ..domains import (
    DEFAULT,
    PAGES,
    ReadOptions,
    names_and_titles,
    recognised,
    specification,
)
from ..fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from ..types import Curve, SasnetError
from .arguments import Details, Force, Geometry, Plot, Quiet, Table
from .files import clocked, curves_of, expand
from .fit_options import Files, also_given, with_fit_options
from .fit_outputs import Outputs, written
from .progress import fitting
from .streams import JsonLine, json_lines
from .together import Given, Kind, Own, SampleFile, Share, Tie, Together

if TYPE_CHECKING:
    from ..domains import Domain
    from ..fitting.pool import Workers
    from ..fitting.result.fit_result import FitResult
    from ..fitting.task import FitOptions
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

    Exit code 0: every file has its answer; 1: some have not, and a sentence says why; 2: wrong usage.
    """
    began = time.monotonic()

    from ..fitting.api import bank_path, check_names
    from ..fitting.pool import Workers
    from .folders import many

    outputs = Outputs(report, export, plot, table, force)
    outputs.check()
    of_sample = Given(sample_file, kind, share, own, tie)
    of_sample.check(together)
    given = {"--domain": domain, "--geometry": geometry, **outputs.options()}
    given |= of_sample.options()
    how = replace(options.fit, also=options.fit.also | also_given(given))
    say = Say(json_lines() if as_json else None, quiet, details, many(files) or bool(files[1:]))
    reading = Reading(domain, options, tuple(geometry or ()))
    # The processes start while the files are read and classified.
    with Workers(bank_path(), options.fit.workers) as pool:
        check_names(options.fit)
        if together:
            _together(pool, files, how, reading, of_sample, outputs, say)
            return
        every = (pair for each in expand(files) for pair in curves_of(each, reading.read, options.window))
        failed = 0
        for path, outcome, passed in clocked(every, began):
            # Reading counts, and for the first data set what passed since the command began.
            left = max(how.time_limit - passed, 0.5 * how.time_limit)
            found = _found(pool, path, outcome, how, left, reading, say)
            failed += _answered(path, outcome, found, outputs, reading, say)
    outputs.close()
    if failed:
        raise typer.Exit(1)


def _together(
    pool: Workers,
    files: list[str],
    how: FitOptions,
    reading: Reading,
    given: Given,
    outputs: Outputs,
    say: Say,
) -> None:
    """One answer to all files, as curves of one sample."""
    from ..fitting.together.fit_together import fit_sample
    from ..integrations.answers import Watched
    from .together import print_sample, refused, sample_from

    try:
        sample = sample_from(files, reading.read, reading.options.window, given)
        limit = how.time_limit * len(sample.curves)
        with fitting(limit, say.quiet or say.line is not None) as progress:
            result = fit_sample(Watched(pool, progress), sample, how)
    except SasnetError as error:
        refused(error)
    if len(sample.curves) == 1:  # the very answer of its fit
        single = result.singles[0]
        failed = _answered(files[0], sample.curves[0], single, outputs, reading, say)
        outputs.close()
        if failed:
            raise typer.Exit(1)
        return
    if say.line:
        say.line(result.as_dict())
    else:
        print_sample(result, quiet=say.quiet, details=say.details)
    failed = outputs.together(result, said=not (say.line or say.quiet))
    if result.best is None or failed:
        raise typer.Exit(1)


@dataclass
class Reading:
    """How files are read, and of which kind those were that hold images.

    Parameters
    ----------
    domain : str or None
        Of all files; None asks each file.
    options : Options
    geometry : tuple of str
    """

    domain: str | None
    options: Options
    geometry: tuple[str, ...]
    kinds: dict[str, Domain] = field(default_factory=dict)

    def read(self, path: str) -> Iterator[Any]:
        """The curves of a file, or its images where these have a direction."""
        from ..data import load

        options = self.options
        kind = specification(self.domain or recognised(Path(path)))
        if kind.name == DEFAULT:
            yield from load(path, q_unit=options.q_unit, entry=options.entry, wavelength=options.wavelength)
            return
        if not kind.curve:
            others = " or ".join(name for name in PAGES if specification(name).curve)
            raise SasnetError(
                f"{path}: {kind.title} are not fitted here; use 'sasnet classify --verify', or say --domain"
                f" {others} if the beam went through the sample."
            )
        for one in kind.read(path, ReadOptions(options.q_unit, options.entry, self.geometry)):
            self.kinds[one.file] = kind
            curve = kind.curve(one)
            yield one if curve is None else curve


@dataclass(frozen=True)
class Say:
    """How answers are printed.

    Parameters
    ----------
    line : JsonLine or None
        Prints an object as JSON; None prints for people.
    quiet, details : bool
        The headline alone; or all there is.
    titled : bool
        There are several files.
    """

    line: JsonLine | None
    quiet: bool
    details: bool
    titled: bool

    def failure(self, path: str, sentence: str) -> None:
        """Print why there is no answer."""
        if self.line:
            self.line({"file": path, "error": sentence})
        else:
            print(sentence, file=sys.stderr, flush=True)

    def answer(self, measurement: Any, found: FitResult | Answer) -> None:
        """Print an answer."""
        from ..predict import Answer
        from .answers import TableWriter

        if self.line:
            told = found.as_dict()
            if self.details and not isinstance(found, Answer):
                told["pair_distances"] = found.pair_distances.as_dict()
            self.line(told)
        elif isinstance(found, Answer):
            TableWriter().answer(measurement, found)
        else:
            titled = self.titled or several(found.curve)
            print_result(found, quiet=self.quiet, details=self.details, titled=titled)


def _found(
    pool: Workers, path: str, outcome: Any, how: FitOptions, left: float, reading: Reading, say: Say
) -> FitResult | Answer | Exception:
    """Fit a curve or an image within so many seconds, or pass on why there is neither."""
    from ..fitting.api import fit_with
    from ..integrations.answers import Watched

    if isinstance(outcome, Exception):
        return outcome
    try:
        if not isinstance(outcome, Curve):
            return _fit_image(reading.kinds[outcome.file], outcome, left)
        with fitting(left, say.quiet or say.line is not None) as progress:
            return fit_with(Watched(pool, progress), outcome, how, wall=left)
    except SasnetError as error:
        return error
    except Exception as error:  # one file must not stop the others, whatever is wrong
        return unforeseen(path, error)


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
    why = written(found, outputs, said=not (say.line or say.quiet))
    if why:
        say.failure(path, why)
    return failed + bool(why)


def several(curve: Curve) -> bool:
    """Whether its entry says more than the file's name, as where a file holds several."""
    return curve.entry not in ("", Path(curve.file).stem)


def _fit_image(kind: Domain, image: Any, seconds: float) -> Answer:
    """The network's answer with what is fitted from it on."""
    from ..predict.predictor import open_predictor

    (answer,) = open_predictor(kind.name).answers([image])
    assert kind.refine is not None  # of those with curves
    found: Answer = kind.refine(image, answer, seconds)
    return found


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

    from .answers import wide_console

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
    """Numbers without a model, all fits, the best one's parameters and warnings, verification, and notes."""
    from rich.text import Text

    from ..fitting.result.display import parameters_in_words, rich_table
    from ..model_free.in_words import distances, lines

    say()
    say(Text("\n".join([*lines(result.model_free), distances(result.pair_distances)])), soft_wrap=True)
    say(rich_table(result.fits))
    if result.best is not None:
        say(Text(f"{result.best.short_name}: {parameters_in_words(result.best)}"), soft_wrap=True)
    for doubt in result.verdict.doubts[1:]:
        say(Text(f"Less of a doubt: {doubt}"), soft_wrap=True)
    for sentence in result.best.warnings if result.best is not None else ():
        if sentence not in result.verdict.doubts:
            say(Text(f"Beware: {sentence}"), soft_wrap=True)
    if result.verification is not None:
        say(Text(result.verification.in_words()), soft_wrap=True)
    for note in result.notes:
        say(Text(f"Note: {note}"), soft_wrap=True)
