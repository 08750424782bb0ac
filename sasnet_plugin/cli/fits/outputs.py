"""What ``sasnet fit`` writes besides its answers: pages, exports, a table and a figure."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...types import SasnetError
from ..files import check_free, say_drawn

if TYPE_CHECKING:
    from ...domains import Domain
    from ...fitting.result.fit_result import FitResult
    from ...fitting.together.result import SampleResult
    from ...predict import Answer
    from ...report.page.overview import Row


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
        from ...files import check_folder

        check_free(self.report, self.plot, self.table, force=self.force)
        if self.export is not None:
            check_folder(self.export)

    def options(self) -> dict[str, object]:
        return {"--report": self.report, "--export": self.export, "--plot": self.plot, "--csv": self.table}

    def record_failure(self, path: str, sentence: str) -> None:
        from ..folders import make_failure_row

        self.rows.append(make_failure_row(path, sentence))

    def write_fit(self, result: FitResult) -> Iterator[Path]:
        """Write what belongs to one fit, and keep what the table and the figure need."""
        from ...report.page.reports import page_name
        from ..folders import make_fit_row

        page = page_name(result.curve, self.report) if self.report is not None else ""
        self.rows.append(make_fit_row(result, page))
        if self.plot is not None:
            self.drawn.append(result)
        if self.report is not None:
            yield self._page(result, self.report / page)
        if self.export is not None:
            yield from self._exports(result, self.export)

    def _page(self, result: FitResult, page: Path) -> Path:
        from ...files import check_output
        from ...report.page.reports import write_report

        check_output(page, force=self.force)
        when = time.strftime("%Y-%m-%d %H:%M")
        origin = f"{when}, {shlex.join(['sasnet', *sys.argv[1:]])}"
        return write_report(result, page.parent, origin=origin, tree=self.details)

    def _exports(self, result: FitResult, folder: Path) -> Iterator[Path]:
        from ...files import check_output
        from ...report.exports.write_all import export, marks

        for path, mark in marks(result.curve, folder).items():
            check_output(path, force=self.force, mark=mark)
        yield from export(result, folder)

    def image(self, kind: Domain, image: Any, answer: Answer) -> bool:
        """Write the page of an image's fit and the fit as NXcanSAS; whether there was no fit to export."""
        from ...extensions import service
        from ...files import check_output

        if self.report is not None:
            check_output(self.report / service("page_name")(image, self.report), force=self.force)
            service("answer_page")(kind, image, answer, self.report)
        return self.export is not None and not service("export_fit")(image, answer, self.export, self.force)

    def together(self, found_result: SampleResult, *, said: bool) -> int:
        """Write page, exports, a figure and lines of a sample's curves; how many things failed."""
        failed = 0
        try:
            for path in self._write_sample_outputs(found_result):
                if said:
                    print(f"Written: {path}", flush=True)
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
        from ...files import MARK, check_output
        from ...report.exports.hdf5 import write_nxcansas
        from ...report.exports.write_all import SAMPLE_MARKS, write_sample
        from ...report.page.document import stem
        from ...report.page.reports import sample_page_name, write_sample_report

        if self.report is not None:
            check_output(self.report / sample_page_name(found_result, self.report), force=self.force)
            yield write_sample_report(found_result, self.report)
        if self.export is None or found_result.best is None:
            return
        name = stem(found_result.sample.curves[0].file, "together", "sample")
        for ending in ("sasview.json", "bumps.py"):
            check_output(self.export / f"{name}.{ending}", force=self.force, mark=SAMPLE_MARKS[ending])
        yield from write_sample(found_result, self.export, name)
        for i, result in enumerate(found_result.as_results(), start=1):
            path = self.export / f"{name}-{i}.nxcansas.h5"
            check_output(path, force=self.force, mark=MARK)
            write_nxcansas(result, path)
            yield path

    def close(self) -> None:
        """Write table, figure and overview. Raises SasnetError if one cannot be written."""
        from ...report.page.overview import write_csv, write_overview

        if self.table is not None and self.rows:  # none where it was ended before
            write_csv(self.rows, self.table)
        if self.plot is not None and self.drawn:
            from ...report.plot import plot_fits

            say_drawn(self.plot, plot_fits(self.plot, self.drawn), len(self.drawn))
        if self.report is not None and self.rows[1:]:
            print(f"Written: {write_overview(self.rows, self.report, 'Fits')}", file=sys.stderr)


def write_outputs(result: FitResult, outputs: Outputs, *, is_said: bool) -> str:
    """Write what belongs to a fit and return why something failed, or an empty string."""
    try:
        for path in outputs.write_fit(result):
            if is_said:
                print(f"Written: {path}", flush=True)
    except SasnetError as error:
        return str(error)
    return ""
