"""What ``sasnet classify`` writes besides its answers: pages, an overview, a table and a figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.failure import sentence_of
from ..types import Curve
from . import folders
from .fits.outputs import check_free, say_drawn
from .kinds import Outcome

if TYPE_CHECKING:
    from ..domains import Domain
    from ..predict import Answer
    from ..report.page.overview import Row
    from .answers import Writer

OF_ONE_FILE = 4  # entries of one file that --plot draws


@dataclass
class Outputs:
    """Files that are written as answers come, and at the end.

    Parameters
    ----------
    report : Path or None
        Folder for an overview and for a page of each.
    plot, table : Path or None
        A figure of the first few, and a line for each.
    force : bool
        Replace files that sasnet has not written.
    given : sequence of str
        Options that a fit needs as well.
    """

    report: Path | None = None
    plot: Path | None = None
    table: Path | None = None
    force: bool = False
    given: Sequence[str] = ()
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
                    self.rows.append(folders.failed(path, sentence))
            else:
                writer.answer(one, outcome)
                self._answered(path, one, outcome, domain_of)
        return failed

    @property
    def _listed(self) -> bool:
        """Whether there is a list to write."""
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
        from ..files import check_output
        from ..report.images.pages import answer_page, page_name
        from ..report.page.classified import classified_name, write_classified
        from .answers import next_command

        curve = isinstance(one, Curve)
        page = (classified_name if curve else page_name)(one, self.report)
        self.rows.append(folders.classified(one, answer, page))
        check_output(self.report / page, force=self.force)
        if curve:
            write_classified(one, answer, self.report, next_command(one, self.given, Path(answer.file).name))
        else:
            answer_page(domain_of(one), one, answer, self.report)

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

        if self.table is not None:
            write_csv(self.rows, self.table)
        if self.report is not None and self.rows and (self.rows[1:] or not self.rows[0].page):
            write_overview(self.rows, self.report, title)
