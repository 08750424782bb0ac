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

from ..data.limits import sentence_of
from ..data.sample.sample import SECTORS
from ..domains import Domain, ReadOptions, names_and_titles
from ..extensions import service
from ..files import check_output
from ..fitting.request import FileRequest, list_changed, list_words
from ..names import is_tiled
from ..predict import Answer
from ..types import Curve, SasnetError
from . import answers
from .answers import JsonWriter, TableWriter, Writer, next_command
from .arguments import (
    NO_SAMPLE,
    Force,
    Geometry,
    Given,
    Plot,
    Quiet,
    Table,
    TiledKey,
    Together,
    add_request,
    add_sample_options,
)
from .files import check_free, expand, many, say_drawn
from .kinds import Kinds, Outcome, Wanted, outcomes
from .streams import json_lines

if TYPE_CHECKING:
    from ..integrations.tiled.nodes import Reader
    from ..report.page.overview import Row

OF_ONE_FILE = 4  # entries of one file that --plot draws


@add_request("top", "q_range", "q_unit", "wavelength", "entry", "prior", "models", "exclude")
@add_sample_options("share", "own", "tie")
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
    of_sample: Given = NO_SAMPLE,
    request: FileRequest = FileRequest(),  # noqa: B008  it is frozen
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
    geometry: Geometry = None,
    tiled_key: TiledKey = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Rank the models that fit a curve, or say what an image shows, with probabilities.

    Images are answered by the network of their kind, such as the rotations of a lattice.

    Exit code 0: every file has an answer; 1: some have not, each with a sentence; 2: wrong usage.
    """
    window = request.window
    outputs = Outputs(report, plot, table, force)
    outputs.check()
    models = None if request.models is None else list(request.models)
    selection = Wanted(request.top, models, list(request.exclude) or None, request.prior)
    reading = ReadOptions(request.q_unit, request.entry, tuple(geometry or ()), request.wavelength)
    tell = _stages(quiet) if verify else None
    reader = _reader(files, tiled_key, domain)
    kinds = Kinds(domain, selection, reading, verify=verify, told=tell, reader=reader)
    of_sample.check(together)
    if together:
        _together(files, kinds, window, of_sample, selection, as_json)
        return
    brief = quiet or (_many(files, reader) and not (details or image_set))
    outputs.given = list_words(list_changed(request))
    writer = _writer(outputs.given, as_json, brief, details)
    files, read = _as_one(files, kinds) if image_set else (files, kinds.read)
    try:
        with _show_count(quiet) as step, closing(reader) if reader else nullcontext():
            arguments = reader.expand(files) if reader else files
            outcome_stream = outcomes(arguments, read, kinds.answers, window, step, addresses=bool(reader))
            failed = outputs.take(outcome_stream, writer, kinds.domain_of)
    except KeyboardInterrupt:
        outputs.close(files)  # with the answers that there are
        raise
    writer.close(next_step=not (quiet or reader))
    outputs.close(files)
    if failed:
        raise typer.Exit(1)


def _show_count(quiet: bool) -> AbstractContextManager[Callable[[], None]]:
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
    from ..integrations.tiled.nodes import Reader

    return Reader(key or "", domain)


def _as_one(files: list[str], kinds: Kinds) -> tuple[list[str], Callable[[str], Iterable[Any]]]:
    """Take all files as one sample, under the name of the first."""
    parts = list(expand(files))
    return [str(parts[0])], lambda _: [kinds.together(parts)]


def _writer(arguments: Sequence[str], as_json: bool, brief: bool, details: bool) -> Writer:
    """JSON; a line for each file; or tables with the next command."""
    if as_json:
        return JsonWriter(details=details)
    if brief:
        return answers.LineWriter()
    return TableWriter(arguments, details=details)


def _together(
    files: list[str],
    kinds: Kinds,
    window: tuple[float, float] | None,
    sample_options: Given,
    selection: Wanted,
    as_json: bool,
) -> None:
    from ..fitting.result.sample_result import suggestion_as_dict
    from ..predict import open_classifier
    from ..predict.together import contradicting, together
    from .fit import print_sectors, print_suggestion, refuse, sample_from

    try:
        sample = sample_from(files, kinds.read, window, sample_options, kinds.wavelength)
        if sample.kind == SECTORS:
            print_sectors(sample, sample_options, as_json)
            return
        classifier = open_classifier()
        keep = classifier.selection(selection.models, selection.exclude)
        suggestions = [
            classifier.suggest_under(curve, (selection.prior,), keep)[0] for curve in sample.curves
        ]
    except SasnetError as error:
        refuse(error)
    suggestion = together(suggestions, selection.prior)
    against = contradicting(suggestion, suggestions)
    if as_json:
        suggestion_dict = suggestion_as_dict(suggestion, selection.top)
        names = sample.files
        json_lines()(
            {"files": names, "kind": sample.kind, **suggestion_dict, "against": [names[i] for i in against]}
        )
    else:
        print_suggestion(sample.files, suggestion, against, sample.kind, selection.top)


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

    def take(
        self, found_outcomes: Iterable[Outcome], writer: Writer, domain_of: Callable[[Any], Domain]
    ) -> int:
        """Write outcomes as they come; how many failed."""
        failed = 0
        for path, measurement, outcome in found_outcomes:
            if isinstance(outcome, Exception):
                failed += 1
                sentence = sentence_of(path, outcome)
                writer.failure(path, measurement.entry if measurement else "", sentence)
                if self._has_list:
                    self.rows.append(
                        answers.make_failure_row(path, sentence, measurement.entry if measurement else "")
                    )
            else:
                writer.answer(measurement, outcome)
                self._keep_answer(path, measurement, outcome, domain_of)
        return failed

    @property
    def _has_list(self) -> bool:
        return self.table is not None or self.report is not None

    def _keep_answer(
        self, path: str, measurement: Any, answer: Answer, domain_of: Callable[[Any], Domain]
    ) -> None:
        """Keep what table and figure need, and write the page."""
        if self.plot is not None:
            self._draw_later(path, measurement, answer)
        if not self._has_list:
            return
        if self.report is None:
            self.rows.append(answers.make_classified_row(measurement, answer))
            return
        if isinstance(measurement, Curve):
            from ..report.page.reports import page_name, write_classified

            self._name(measurement, answer, self.report, page_name(measurement, self.report))
            write_classified(
                measurement,
                answer,
                self.report,
                next_command(measurement, self.given, Path(answer.file).name),
            )
        else:
            self._name(measurement, answer, self.report, service("page_name")(measurement, self.report))
            service("answer_page")(domain_of(measurement), measurement, answer, self.report)

    def _name(self, measurement: Any, answer: Answer, folder: Path, page: str) -> None:
        """List an answer with its page, in whose place nothing but sasnet's own may be."""
        self.rows.append(answers.make_classified_row(measurement, answer, page))
        check_output(folder / page, force=self.force)

    def _draw_later(self, path: str, measurement: Any, answer: Answer) -> None:
        from ..report.plot import MAX_CURVES

        # One more than is drawn, to know that there were more; a file of hundreds would hide the others.
        if len(self.drawn) <= MAX_CURVES and self._of_file[path] < OF_ONE_FILE:
            self.drawn.append((measurement, answer))
            self._of_file[path] += 1

    def close(self, files: Sequence[str]) -> None:
        """Write the table, the overview of more than one page, and the figure."""
        if self._has_list:
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
