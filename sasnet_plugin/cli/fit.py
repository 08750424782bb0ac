"""``sasnet fit FILES…``: read, fit, print and write, file by file or all as one sample."""

from __future__ import annotations

import re
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..batch.plan import Options
from ..data.limits import sentence_of, unforeseen
from ..data.sample.described import Described, parse_sector
from ..data.sample.sample import Sample
from ..domains import DEFAULT, PAGES, Domain, ReadOptions, names_and_titles, recognise_domain, specification
from ..extensions import service
from ..files import MARK, check_folder, check_output
from ..fitting.request import OPTIONS, list_given
from ..fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from ..fitting.task import FitOptions
from ..materials import densities
from ..model_free.results import distances, lines
from ..predict import Answer
from ..predict.predictor import open_predictor
from ..report.summaries import list_shared, own, ranking
from ..types import Curve, DataError, SasnetError
from ..zoo import bank_path
from .answers import TableWriter, make_failure_row, make_fit_row, wide_console
from .arguments import (
    NO_SAMPLE,
    Details,
    Force,
    Geometry,
    Given,
    Plot,
    Quiet,
    Table,
    Together,
    add_sample_options,
    as_given,
)
from .files import check_free, curves_of, expand, many, say_drawn, time_outcomes
from .fit_options import Files, add_fit_options, also_given
from .progress import Ending, show_fit_progress
from .streams import JsonLine, json_lines

if TYPE_CHECKING:
    from ..fitting.pool import Workers
    from ..fitting.result.fit_result import FitResult
    from ..fitting.result.sample_result import JointFit, SampleResult
    from ..report.page.overview import Row


# --- ``--together`` of ``classify`` and ``fit``: all files are curves of one sample.

#: Joint fits that are listed.
_MOST = 8


def sample_from(
    files: Sequence[str],
    read: Callable[[str], Iterable[Any]],
    window: tuple[float, float] | None,
    sample_options: Given,
    wavelength: float | None = None,
) -> Sample:
    """Read the sample of all curves in files; X-ray `wavelength` in Å. Raises SasnetError if a file cannot be
    read, holds no curve, or the curves do not go together.
    """
    described = sample_options.describe_sample()
    read_curves = partial(_read_curves, read, described)
    curves = []
    for each_path in expand(files):
        for path, outcome in curves_of(each_path, read_curves, window):
            if isinstance(outcome, Exception):
                raise DataError(sentence_of(path, outcome))
            curves.append(outcome)
    return described.sample(curves, densities(wavelength))


def _read_curves(read: Callable[[str], Iterable[Any]], described: Described, path: str) -> Iterator[Curve]:
    """The curves of a file; of an image those of its sectors."""
    texts = described.sections.get("sectors")
    sectors = [parse_sector(text, described.source) for text in texts.values()] if texts else None
    field_azimuth = described.sections.get("field")
    for measurement in read(path):
        if isinstance(measurement, Curve):
            yield measurement
        else:
            yield from service("average_sectors")(measurement, sectors, field_azimuth)


def print_sample(result: SampleResult, *, quiet: bool = False, details: bool = False) -> None:
    """The answer in three lines; with details all joint fits, and what each curve says alone."""
    from rich.text import Text

    say = wide_console().print
    head, *more_lines = _list_lines(result, details=details)
    say(Text(head, style="bold"), soft_wrap=True)
    if quiet:
        return
    for line in more_lines:
        say(Text(line, style="bold" if line.startswith("Next") else ""), soft_wrap=True)
    if details:
        say()
        for table in _tables(result):
            say(table)
        for file, single in zip(result.sample.files, result.singles, strict=False):
            say(Text(f"{Path(file).name} alone: {single.headline}"), soft_wrap=True)
        if result.as_one is not None:
            say(Text(f"All settings as one curve: {result.as_one.headline}"), soft_wrap=True)
        for note in result.remarks:
            say(Text(f"Note: {note}"), soft_wrap=True)
    sys.stdout.flush()


def _list_lines(result: FitResult | SampleResult, *, details: bool) -> list[str]:
    """The lines of an answer; with details without a next command that asks for these."""
    lines = result.verdict.lines()
    # They are the last thing that such a command adds.
    return [line for line in lines if not (details and re.match(r"Next: .* --details  # ", line))]


def _tables(result: SampleResult) -> Iterator[Any]:
    """The joint fits; and the parameters of the best one."""
    yield list_table(*ranking(result, _MOST))
    if result.best is not None:
        names = [Path(f).name for f in result.sample.files]
        yield list_table(["parameter", "all", *names], _parameters(result.best))


def _parameters(best: JointFit) -> list[list[str]]:
    blanks = [""] * len(best.own)
    fitted = [[name, value, *blanks] for name, value, state in list_shared(best) if state == "fitted"]
    return fitted + [[name, "", *values] for name, *values in own(best)]


def list_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in head:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    return table


def print_suggestion(
    files: Sequence[str], suggestion: Any, against: Sequence[int], kind: str, top: int
) -> None:
    from rich.text import Text

    say = wide_console().print
    say(Text(f"{len(files)} curves of one sample ({kind})", style="bold"), soft_wrap=True)
    for i in against:
        say(Text(f"By itself, {files[i]} looks like another kind of sample.", style="bold"), soft_wrap=True)
    rows = [
        [guess.name, guess.structure_factor or "–", f"{100 * guess.probability:.0f} %", guess.group]
        for guess in suggestion.models[:top]
    ]
    say(list_table(("model", "structure factor", "probability", "group"), rows))
    sys.stdout.flush()


def print_sectors(sample: Sample, sample_options: Given, as_json: bool) -> None:
    """Say whether sectors differ, whether they do by magnetism, and what to do next."""
    from ..data.sample.sectors import compare_sectors, separate_magnetism
    from ..fitting.verdict.sample import describe_sectors

    difference = compare_sectors(sample.curves)
    parts = None if sample.field_azimuth is None else separate_magnetism(sample)
    words = [
        *dict.fromkeys(curve.file for curve in sample.curves),
        "--together",
        *as_given(sample_options.options()),
    ]
    lines = describe_sectors(sample, difference, parts, shlex.join(["sasnet", "fit", *words]))
    if not as_json:
        print("\n".join(lines), flush=True)
        return
    numbers = {"relative": difference.relative, "most": difference.most, "seen": difference.is_seen}
    json_lines()({
        "files": sample.files, "kind": sample.kind, "headline": lines[0], "difference": numbers,
        "magnetism": parts and parts.as_dict(),
    })  # fmt: skip


def refuse(error: SasnetError) -> None:
    """Say why there is no answer, and end."""
    print(str(error), file=sys.stderr, flush=True)
    raise typer.Exit(1)


# --- How the answers of ``sasnet fit`` are printed: three lines, all details, or JSON.


@dataclass(frozen=True)
class Say:
    """How answers are printed."""

    line: JsonLine | None  #: Prints an object as JSON; None prints for people.
    #: quiet, details: the headline alone; or all there is.
    quiet: bool
    details: bool
    titled: bool  #: There are several files.

    @property
    def silent(self) -> bool:
        """Whether nothing is said beside the answers."""
        return self.quiet or self.line is not None

    def failure(self, path: str, sentence: str) -> None:
        if self.line:
            self.line({"file": path, "error": sentence})
        else:
            print(sentence, file=sys.stderr, flush=True)

    def answer(self, measurement: Any, result: FitResult | Answer) -> None:
        if self.line:
            result_dict = result.as_dict()
            if self.details and not isinstance(result, Answer):
                result_dict["pair_distances"] = result.pair_distances.as_dict()
            self.line(result_dict)
        elif isinstance(result, Answer):
            TableWriter().answer(measurement, result)
        else:
            titled = self.titled or several(result.curve)
            print_result(result, quiet=self.quiet, details=self.details, titled=titled)


def several(curve: Curve) -> bool:
    """Whether its entry says more than the file's name, as where a file holds several."""
    return curve.entry not in ("", Path(curve.file).stem)


#: Of a verdict, on a terminal.
_STYLES = {EXPLAINS: "green", DOUBTS: "yellow", DOES_NOT: "red"}


def print_result(
    result: FitResult, *, quiet: bool = False, details: bool = False, titled: bool = True
) -> None:
    """Print the answer in three lines; `quiet` prints the headline alone, `details` also all fits,
    parameters, warnings and notes. `titled` puts the file's name above.
    """
    from rich.text import Text

    say = wide_console().print
    if titled:
        say(Text(_title(result.curve), style="bold"), soft_wrap=True)
    head, *more_lines = _list_lines(result, details=details)
    say(Text(head, style=_STYLES[result.verdict.level]), soft_wrap=True)
    if not quiet:
        _print_more(more_lines, say)
        if details:
            _print_details(result, say)
        if details or titled:
            say()
    sys.stdout.flush()


def _title(curve: Curve) -> str:
    return " · ".join(filter(None, (curve.file, curve.entry))) or "curve"


def _print_more(sentences: list[str], say: Any) -> None:
    from rich.text import Text

    for sentence in sentences:
        say(Text(sentence, style="bold" if sentence.startswith("Next") else ""), soft_wrap=True)


def _print_details(result: FitResult, say: Any) -> None:
    """Numbers without a model, all fits, the best one's parameters and warnings, verification, and notes."""
    from rich.text import Text

    say()
    say(Text("\n".join([*lines(result.model_free), distances(result.pair_distances)])), soft_wrap=True)
    say(result)
    for sentence in _describe_best_fit(result):
        say(Text(sentence), soft_wrap=True)


def _has_composed_names(result: FitResult) -> bool:
    return any(sign in fit.short_name for fit in result.fits for sign in "@+")


def _describe_best_fit(result: FitResult) -> Iterator[str]:
    from ..fitting.result.reported_values import parameters_in_words
    from ..fitting.verdict.headline import includes_other_models
    from ..fitting.verdict.sentences import MODEL_ERRORS, NAMES

    best, doubts = result.best, result.verdict.doubts
    more_lines = [f"Caution: {doubt}" for doubt in doubts[1:]]
    yield from [str(NAMES)] if _has_composed_names(result) else []
    if best is not None:
        yield f"{best.short_name}: {parameters_in_words(best)}"
        yield from [str(MODEL_ERRORS)] if includes_other_models(result) else []
        if best.fitter:
            yield f"Fitted by {best.fitter}."
        more_lines += [f"Warning: {sentence}" for sentence in best.warnings if sentence not in doubts]
    yield from more_lines
    if result.verification is not None:
        yield result.verification.describe()
    yield from (f"Note: {note}" for note in result.notes)


# --- What ``sasnet fit`` writes besides its answers: pages, exports, a table and a figure.


@dataclass
class Outputs:
    """Files that are written as answers come, and at the end."""

    #: report, export: folders for pages, and for what opens elsewhere.
    report: Path | None = None
    export: Path | None = None
    #: plot, table: a figure of all, and a line for each.
    plot: Path | None = None
    table: Path | None = None
    force: bool = False  #: Replace files that sasnet has not written.
    details: bool = False  #: Pages have all there is.
    rows: list[Row] = field(default_factory=list)
    drawn: list[FitResult] = field(default_factory=list)

    def check(self) -> None:
        """Raise SasnetError if a file that is not sasnet's is in the way of an output."""
        check_free(self.report, self.plot, self.table, force=self.force)
        if self.export is not None:
            check_folder(self.export)

    def options(self) -> dict[str, object]:
        return {"--report": self.report, "--export": self.export, "--plot": self.plot, "--csv": self.table}

    def record_failure(self, path: str, sentence: str) -> None:
        self.rows.append(make_failure_row(path, sentence))

    def write_fit(self, result: FitResult) -> Iterator[Path]:
        """Write what belongs to one fit, and keep what the table and the figure need."""
        from ..report.page.reports import page_name

        page = page_name(result.curve, self.report) if self.report is not None else ""
        self.rows.append(make_fit_row(result, page))
        if self.plot is not None:
            self.drawn.append(result)
        if self.report is not None:
            yield self._page(result, self.report / page)
        if self.export is not None:
            yield from self._exports(result, self.export)

    def _page(self, result: FitResult, page: Path) -> Path:
        from ..report.page.reports import write_report

        check_output(page, force=self.force)
        when = time.strftime("%Y-%m-%d %H:%M")
        origin = f"{when}, {shlex.join(['sasnet', *sys.argv[1:]])}"
        return write_report(result, page.parent, origin=origin, tree=self.details)

    def _exports(self, result: FitResult, folder: Path) -> Iterator[Path]:
        from ..report.exports.write_all import export, marks

        for path, mark in marks(result.curve, folder).items():
            check_output(path, force=self.force, mark=mark)
        yield from export(result, folder)

    def image(self, kind: Domain, image: Any, answer: Answer) -> bool:
        """Write the page of an image's fit and the fit as NXcanSAS; whether there was no fit to export."""
        if self.report is not None:
            check_output(self.report / service("page_name")(image, self.report), force=self.force)
            service("answer_page")(kind, image, answer, self.report)
        return self.export is not None and not service("export_fit")(image, answer, self.export, self.force)

    def together(self, found_result: SampleResult, *, said: bool) -> int:
        """Write page, exports, a figure and lines of a sample's curves; how many things failed."""
        failed = 0
        try:
            print_outputs(self._write_sample_outputs(found_result), is_said=said)
        except SasnetError as error:
            print(error, file=sys.stderr, flush=True)
            failed += 1
        lines = replace(self, report=None, export=None)
        for result in found_result.as_results():
            if why := write_outputs(result, lines, is_said=said):
                print(why, file=sys.stderr, flush=True)
                failed += 1
        lines.close()
        return failed

    def _write_sample_outputs(self, found_result: SampleResult) -> Iterator[Path]:
        from ..report.page.reports import sample_page_name, write_sample_report

        if self.report is not None:
            check_output(self.report / sample_page_name(found_result, self.report), force=self.force)
            yield write_sample_report(found_result, self.report)
        if self.export is not None and found_result.best is not None:
            yield from self._export_sample(found_result, found_result.best, self.export)

    def _export_sample(self, found_result: SampleResult, best: JointFit, folder: Path) -> Iterator[Path]:
        from ..report.exports.hdf5 import write_nxcansas
        from ..report.exports.sectors import plugin_path
        from ..report.exports.write_all import SAMPLE_MARKS, free_stem, write_sample
        from ..report.page.document import stem

        first = found_result.sample.curves[0]
        name = free_stem(folder, stem(first.file, "together", "sample"), first)
        folder.mkdir(parents=True, exist_ok=True)
        for ending in ("sasview.json", "bumps.py"):
            check_output(folder / f"{name}.{ending}", force=self.force, mark=SAMPLE_MARKS[ending])
        if plugin := plugin_path(best, folder):
            check_output(plugin, force=self.force)
        yield from write_sample(found_result, folder, name)
        for i, result in enumerate(found_result.as_results(), start=1):
            path = folder / f"{name}-{i}.nxcansas.h5"
            check_output(path, force=self.force, mark=MARK)
            write_nxcansas(result, path)
            yield path

    def close(self) -> None:
        """Write table, figure and overview. Raises SasnetError if one cannot be written."""
        from ..report.page.overview import write_csv, write_overview

        if self.table is not None and self.rows:  # none where it was ended before
            write_csv(self.rows, self.table)
        if self.plot is not None and self.drawn:
            from ..report.plot import plot_fits

            say_drawn(self.plot, plot_fits(self.plot, self.drawn), len(self.drawn))
        if self.report is not None and self.rows[1:]:
            print(f"Written: {write_overview(self.rows, self.report, 'Fits')}", file=sys.stderr)


def print_outputs(paths: Iterable[Path], *, is_said: bool) -> None:
    """Name each file once it is written, then how SasView and Bumps open those for them."""
    opening: dict[str, str] = {}
    for path in paths:
        if is_said:
            print(f"Written: {path}", flush=True)
        if path.name.endswith(".sasview.json"):
            opening["SasView"] = f"{path} in SasView (File, Open Project)"
        elif path.name.endswith(".bumps.py"):
            opening["Bumps"] = f"the fit in Bumps with {shlex.join(['bumps', str(path)])}"
    if is_said and opening:
        print(f"Open: {', or '.join(opening.values())}", flush=True)


def write_outputs(result: FitResult, outputs: Outputs, *, is_said: bool) -> str:
    """Write what belongs to a fit and return why something failed, or an empty string."""
    try:
        print_outputs(outputs.write_fit(result), is_said=is_said)
    except SasnetError as error:
        return str(error)
    return ""


# --- What ``sasnet fit`` does: read, fit, print and write, file by file or all as one sample.


@dataclass(frozen=True)
class Run:
    """The fits of one command."""

    pool: Workers
    ending: Ending
    how: FitOptions
    reading: Reading
    outputs: Outputs
    say: Say

    def each(self, files: Sequence[str], start_time: float) -> int:
        """Answer each curve and image and return how many failed; `start_time` by `time.monotonic`."""
        failed = 0
        window = self.reading.options.window
        pairs = (pair for file in expand(files) for pair in curves_of(file, self.reading.read, window))
        try:
            for path, outcome, passed in time_outcomes(pairs, start_time):
                # Reading counts, and for the first data set what passed since the command began.
                seconds_left = max(self.how.time_limit - passed, 0.5 * self.how.time_limit)
                measurement = self._fit_measurement(path, outcome, seconds_left)
                with self.ending.listen():
                    failed += self._report_answer(path, outcome, measurement)
                if self.ending():
                    break
        finally:  # after Ctrl-C, too, with the answers that there are
            self.outputs.close()
        return failed

    def together(self, files: Sequence[str], sample_options: Given) -> int:
        """One answer to all files, as curves of one sample; how many things failed."""
        from ..fitting.api import fit_sample
        from ..fitting.progress import Watched

        options, say = self.reading.options, self.say
        try:
            sample = sample_from(files, self.reading.read, options.window, sample_options, options.wavelength)
            limit = self.how.time_limit * len(sample.curves)
            with show_fit_progress(limit, say.silent) as progress, self.ending.listen():
                result = fit_sample(Watched(self.pool, progress), sample, self.how)
        except SasnetError as error:
            refuse(error)
        if self.ending() or len(sample.curves) == 1:  # of one the very answer of its fit
            return self._alone(result)
        if say.line:
            say.line(result.as_dict())
        else:
            print_sample(result, quiet=say.quiet, details=say.details)
        return self.outputs.together(result, said=not say.silent) + (result.best is None)

    def _alone(self, result: SampleResult) -> int:
        """What each curve of a sample says by itself, as far as it was fitted; how many things failed."""
        failed = 0
        if result.sample.curves[1:]:
            typer.echo("sasnet: ended before the curves were fitted together; alone they say:", err=True)
        for single in result.singles if result.as_one is None else (result.as_one,):
            if single.best is not None or not single.ended:
                failed += self._report_answer(single.curve.file, single.curve, single)
        self.outputs.close()
        return failed

    def _fit_measurement(
        self, path: str, outcome: Any, seconds_left: float
    ) -> FitResult | Answer | Exception:
        """Fit a curve or an image within so many seconds, or pass on why there is neither."""
        if isinstance(outcome, Exception):
            return outcome
        try:
            if isinstance(outcome, Curve):
                return self._fit_curve(outcome, seconds_left)
            _check_image_options(outcome.file, self.how)
            return _fit_image(self.reading.kinds[outcome.file], outcome, seconds_left, self.how)
        except SasnetError as error:
            return error
        except Exception as error:  # one file must not stop the others, whatever is wrong
            return unforeseen(path, error)

    def _fit_curve(self, curve: Curve, seconds_left: float) -> FitResult:
        from ..fitting.api import fit_with
        from ..fitting.progress import Watched

        with show_fit_progress(seconds_left, self.say.silent) as progress, self.ending.listen():
            result = fit_with(Watched(self.pool, progress), curve, self.how, wall=seconds_left)
        if result.ended and result.best is None:
            raise SasnetError(f"{curve.file}: ended before any model was fitted.")
        return result

    def _report_answer(self, path: str, outcome: Any, result: FitResult | Answer | Exception) -> int:
        if isinstance(result, Exception):
            sentence = sentence_of(path, result)
            self.say.failure(path, sentence)
            self.outputs.record_failure(path, sentence)
            return 1
        self.say.answer(outcome, result)
        if isinstance(result, Answer):
            return int(self.outputs.image(self.reading.kinds[outcome.file], outcome, result))
        is_empty = result.best is None and result.constant is None
        failed = int(is_empty or bool(result.unanswered))  # the notes say why
        why = write_outputs(result, self.outputs, is_said=not self.say.silent)
        if why:
            self.say.failure(path, why)
        return failed + bool(why)


def _check_image_options(file: str, how: FitOptions) -> None:
    given = list_given(how)
    for option in OPTIONS.values():
        if option.spelling in given and not option.for_images:
            raise DataError(
                f"{file}: images are fitted without {option.spelling}; add --together to fit its sectors."
            )


def _fit_image(kind: Domain, image: Any, seconds: float, how: FitOptions) -> Answer:
    """The network's answer with what is fitted from it on."""
    (answer,) = open_predictor(kind.name).answers([image])
    refined: Answer = service("refine_answer")(image, answer, seconds, None, how.models, how.fixed)
    return refined


@dataclass
class Reading:
    """How files are read, and of which kind those were that hold images."""

    domain: str | None  #: Of all files; None asks each file.
    options: Options
    geometry: tuple[str, ...]
    is_cut: bool = False  #: Isotropic images are not averaged, as their sectors are asked for.
    kinds: dict[str, Domain] = field(default_factory=dict)

    def read(self, path: str) -> Iterator[Any]:
        """The curves of a file, or its images where these have a direction."""
        from ..data import load

        options = self.options
        kind = specification(self.domain or recognise_domain(Path(path)))
        if kind.name == DEFAULT:
            yield from load(path, q_unit=options.q_unit, entry=options.entry, wavelength=options.wavelength)
            return
        if not kind.curve:
            raise _not_fitted(path, kind)
        for measurement in kind.read(path, ReadOptions(options.q_unit, options.entry, self.geometry)):
            self.kinds[measurement.file] = kind
            curve = None if self.is_cut else kind.curve(measurement)
            yield measurement if curve is None else curve


def _not_fitted(path: str, kind: Domain) -> SasnetError:
    curve_kinds = " or ".join(name for name in PAGES if specification(name).curve)
    return SasnetError(
        f"{path}: {kind.title} are not fitted here; use 'sasnet classify --verify', or give --domain"
        f" {curve_kinds}"
        " if the beam went through the sample."
    )


# --- ``sasnet fit FILES…``: fit the models that may explain these data, rank and verify them.


@add_fit_options(without=())
@add_sample_options()
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
            "--export", help="Folder for files of other programs: SasView project, Bumps session, NXcanSAS…"
        ),
    ] = None,
    plot: Plot = None,
    table: Table = None,
    details: Details = False,
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain", help=f"Kind of measurement, if the file does not give it: {names_and_titles()}."
        ),
    ] = None,
    geometry: Geometry = None,
    together: Together = False,
    of_sample: Given = NO_SAMPLE,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Find, fit and check the models of a small-angle-scattering curve.

    The answer has up to three lines: the best fit, the most important caution, and the next command. A@B
    means form factor A with structure factor B; A+B is a sum of two models.

    An isotropic image is averaged and fitted as a curve. To an oriented image, cylinders and ellipsoids with
    a distribution of axes are fitted, or the oriented models that --models names.

    Ctrl-C ends with the fits so far of the present file, and skips the others; a second Ctrl-C ends at once.

    Exit code 0: every file has an answer; 1: some have not, each with a sentence; 2: wrong usage; 130: ended
    by Ctrl-C.
    """
    start_time = time.monotonic()

    from ..fitting.asked import check_names
    from ..fitting.pool import Workers

    outputs = Outputs(report, export, plot, table, force, details)
    outputs.check()
    of_sample.check(together)
    more_options = {"--domain": domain, "--geometry": geometry, **outputs.options()}
    more_options |= of_sample.options()
    fit_options = replace(options.fit, also=options.fit.also | also_given(more_options))
    say = Say(json_lines() if as_json else None, quiet, details, many(files) or bool(files[1:]))
    is_cut = of_sample.sectors is not None or of_sample.field is not None
    reading = Reading(domain, options, tuple(geometry or ()), is_cut)
    ending = Ending()
    # The processes start while the files are read and classified.
    with Workers(bank_path(), options.fit.workers, ended=ending) as pool:
        check_names(options.fit)
        run = Run(pool, ending, fit_options, reading, outputs, say)
        failed = run.together(files, of_sample) if together else run.each(files, start_time)
    if ending():
        raise typer.Exit(130)
    if failed:
        raise typer.Exit(1)
