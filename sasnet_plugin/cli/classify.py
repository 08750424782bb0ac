"""``sasnet classify FILES…``: what explains these data?"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..data.failure import sentence_of
from ..domains import ReadOptions, names_and_titles
from ..extensions import service
from ..names import is_tiled
from ..predict.class_prior import COMMON
from ..types import Curve
from . import folders
from .answers import JsonWriter, TableWriter, Writer
from .arguments import (
    TOP,
    Entry,
    Exclude,
    Force,
    Geometry,
    Given,
    Kind,
    Models,
    Plot,
    Prior,
    QRange,
    Quiet,
    QUnit,
    SampleFile,
    Table,
    TiledKey,
    Together,
    Top,
    Wavelength,
    as_given,
    names_of,
    prior_given,
    unit_of,
    wavelength_of,
    window_of,
)
from .files import check_free, expand, many, say_drawn
from .kinds import Kinds, Outcome, Wanted, outcomes

if TYPE_CHECKING:
    from ..domains import Domain
    from ..integrations.tiled.reader import Reader
    from ..predict import Answer
    from ..report.page.overview import Row

#: What a next command need not repeat.
USUAL = {"--top": TOP, "--prior": COMMON}
OF_ONE_FILE = 4  # entries of one file that --plot draws


def classify(
    files: Annotated[
        list[str],
        typer.Argument(
            help=(
                "Data files, folders (with subfolders), patterns, or addresses on a Tiled server,"
                " tiled:http://HOST:PORT/PATH."
            )
        ),
    ],
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain",
            help=f"Kind of measurement, if the file does not give it: {names_and_titles()}.",
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Images: fit the physics, simulate the answer again and compare."),
    ] = False,
    image_set: Annotated[
        bool, typer.Option("--set", help="Images: all files are one sample in several settings.")
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
        typer.Option("--report", help="Folder for a page of each data set, and an overview (index.html)."),
    ] = None,
    details: Annotated[
        bool,
        typer.Option(
            "--details",
            help=(
                "Print everything: all columns and sentences, p(r) and D_max; for a folder, tables instead of"
                " lines."
            ),
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
    tiled_key: TiledKey = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Rank the models that fit a curve, or say what an image shows, with probabilities.

    Images are answered by the network of their kind, such as the rotations of a lattice.

    Exit code 0: every file has an answer; 1: some have not, each with a sentence; 2: wrong usage.
    """
    window, unit = window_of(q_range), unit_of(q_unit)
    outputs = Outputs(report, plot, table, force)
    outputs.check()
    wanted = Wanted(top, names_of(models), names_of(exclude), prior_given(prior))
    reading = ReadOptions(unit, entry, tuple(geometry or ()), wavelength_of(wavelength))
    told = _stages(quiet) if verify else None
    reader = _reader(files, tiled_key, domain)
    kinds = Kinds(domain, wanted, reading, verify=verify, told=told, reader=reader)
    of_sample = Given(sample_file, kind)
    of_sample.check(together)
    if together:
        _together(files, kinds, window, of_sample, wanted, as_json)
        return
    brief = quiet or (_many(files, reader) and not (details or image_set))
    given = {
        "--models": wanted.models, "--exclude": wanted.exclude, "--top": top, "--prior": prior,
        "--wavelength": wavelength, "--q-range": q_range, "--q-unit": q_unit, "--entry": entry,
    }  # fmt: skip
    outputs.given = as_given({name: value for name, value in given.items() if value != USUAL.get(name)})
    writer = _writer(outputs.given, as_json, brief, details)
    files, read = _as_one(files, kinds) if image_set else (files, kinds.read)
    try:
        with _counted(quiet) as step, closing(reader) if reader else nullcontext():
            arguments = reader.expanded(files) if reader else files
            found = outcomes(arguments, read, kinds.answers, window, step, addresses=bool(reader))
            failed = outputs.take(found, writer, kinds.domain_of)
    except KeyboardInterrupt:
        outputs.close(files)  # with the answers that there are
        raise
    writer.close(next_step=not (quiet or reader))
    outputs.close(files)
    if failed:
        raise typer.Exit(1)


def _counted(quiet: bool) -> AbstractContextManager[Callable[[], None]]:
    """What is called after each file: it shows how many are done where answers go elsewhere than progress."""
    if quiet or sys.stdout.isatty() or not sys.stderr.isatty():
        return nullcontext(lambda: None)
    from .progress import classifying

    return classifying()


def _stages(quiet: bool) -> Callable[[str], None]:
    from .progress import stages

    return stages(quiet)


def _many(files: Sequence[str], reader: Reader | None) -> bool:
    """Whether tables of all answers would run for pages."""
    return many(files) or (reader is not None and reader.many(files))


def _reader(files: Sequence[str], key: str | None, domain: str | None) -> Reader | None:
    """What reads addresses on Tiled servers; None where there is none among the files."""
    if not any(map(is_tiled, files)):
        return None
    from ..integrations.tiled.reader import Reader

    return Reader(key or "", domain)


def _as_one(files: list[str], kinds: Kinds) -> tuple[list[str], Callable[[str], Iterable[Any]]]:
    """Take all files as one sample, under the name of the first."""
    parts = list(expand(files))
    return [str(parts[0])], lambda _: [kinds.together(parts)]


def _writer(given: Sequence[str], as_json: bool, brief: bool, details: bool) -> Writer:
    """JSON; a line for each file; or tables with the next command."""
    if as_json:
        return JsonWriter(details=details)
    if brief:
        return folders.LineWriter()
    return TableWriter(given, details=details)


def _together(
    files: list[str],
    kinds: Kinds,
    window: tuple[float, float] | None,
    given: Given,
    wanted: Wanted,
    as_json: bool,
) -> None:
    from ..fitting.together.result import suggestion_as_dict
    from ..predict import open_classifier
    from ..predict.together import contradicting, together
    from ..types import SasnetError
    from .streams import json_lines
    from .together import print_suggestion, refused, sample_from

    try:
        sample = sample_from(files, kinds.read, window, given, kinds.wavelength)
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


@dataclass
class Outputs:
    """Files that are written as answers come, and at the end."""

    report: Path | None = None  #: Folder for an overview and for a page of each.
    #: plot, table: a figure of the first few, and a line for each.
    plot: Path | None = None
    table: Path | None = None
    force: bool = False  #: Replace files that sasnet has not written.
    given: Sequence[str] = ()  #: Options that a fit needs as well.
    rows: list[Row] = field(default_factory=list)
    drawn: list[tuple[Any, Answer]] = field(default_factory=list)
    _of_file: Counter[str] = field(default_factory=Counter)

    def check(self) -> None:
        """See that nothing but sasnet's own is where these will be."""
        check_free(self.report, self.plot, self.table, force=self.force)

    def take(self, found: Iterable[Outcome], writer: Writer, domain_of: Callable[[Any], Domain]) -> int:
        """Write outcomes as they come; how many failed."""
        failed = 0
        for path, one, outcome in found:
            if isinstance(outcome, Exception):
                failed += 1
                sentence = sentence_of(path, outcome)
                writer.failure(path, one.entry if one else "", sentence)
                if self._listed:
                    self.rows.append(folders.failed(path, sentence, one.entry if one else ""))
            else:
                writer.answer(one, outcome)
                self._answered(path, one, outcome, domain_of)
        return failed

    @property
    def _listed(self) -> bool:
        return self.table is not None or self.report is not None

    def _answered(self, path: str, one: Any, answer: Answer, domain_of: Callable[[Any], Domain]) -> None:
        """Keep what table and figure need, and write the page."""
        if self.plot is not None:
            self._draw_later(path, one, answer)
        if not self._listed:
            return
        if self.report is None:
            self.rows.append(folders.classified(one, answer))
            return
        if isinstance(one, Curve):
            from ..report.page.classified import classified_name, write_classified
            from .answers import next_command

            self._name(one, answer, self.report, classified_name(one, self.report))
            write_classified(one, answer, self.report, next_command(one, self.given, Path(answer.file).name))
        else:
            self._name(one, answer, self.report, service("page_name")(one, self.report))
            service("answer_page")(domain_of(one), one, answer, self.report)

    def _name(self, one: Any, answer: Answer, folder: Path, page: str) -> None:
        """List an answer with its page, in whose place nothing but sasnet's own may be."""
        from ..files import check_output

        self.rows.append(folders.classified(one, answer, page))
        check_output(folder / page, force=self.force)

    def _draw_later(self, path: str, one: Any, answer: Answer) -> None:
        from ..report.plot import MAX_CURVES

        # One more than is drawn, to know that there were more; a file of hundreds would hide the others.
        if len(self.drawn) <= MAX_CURVES and self._of_file[path] < OF_ONE_FILE:
            self.drawn.append((one, answer))
            self._of_file[path] += 1

    def close(self, files: Sequence[str]) -> None:
        """Write the table, the overview of more than one page, and the figure."""
        if self._listed:
            self._write_rows(Path(files[0]).absolute().name if len(files) == 1 else "Data sets")
        if self.plot is not None and self.drawn:
            from ..report.plot import plot_answers

            say_drawn(self.plot, plot_answers(self.plot, self.drawn), len(self.drawn))

    def _write_rows(self, title: str) -> None:
        from ..report.page.overview import write_csv, write_overview

        if not self.rows:  # Ctrl-C came first
            return
        if self.table is not None:
            write_csv(self.rows, self.table)
        if self.report is not None and (self.rows[1:] or not self.rows[0].page):
            write_overview(self.rows, self.report, title)
