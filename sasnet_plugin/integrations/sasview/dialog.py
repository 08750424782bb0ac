"""What the window of Fitting -> Suggest model… does: ask the process, show its answers, fill fit pages."""

from __future__ import annotations

import atexit
import logging
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PySide6.QtCore import QCoreApplication, QStandardPaths, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from .adapter import DataSet, NotSentError, SasView
from .child import Child
from .entries import Candidate, Entry
from .table import Form

_log = logging.getLogger("sas.sasnet")
_TOP, _SHOWN = 5, 10


def reports_folder() -> str:
    """Where reports stay when the window is closed: a folder beside the user's other documents."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return str(Path(folder or Path.home()) / "sasnet reports")


def what_is_drawn(candidate: Candidate) -> str:
    """What the curve of a candidate in the plot is."""
    if candidate.page is not None:
        return "fit"
    return "nearest simulated curve, not fitted" if candidate.curve else "no simulated curve is near"


class SuggestDialog(Form):
    """Suggests models for data sets of SasView, fits them, and sends them to fit pages."""

    def __init__(self, window: QWidget, sasview: SasView, record: dict[str, Any]) -> None:
        super().__init__(sasview.category, f"Fit top {_TOP}", window)
        self._sasview = sasview
        self.entries: list[Entry] = []
        self._reports: dict[int, Entry] = {}
        self._keeping: dict[int, Entry] = {}  # reports that are written to be there when the process is gone
        self._kept = TemporaryDirectory(prefix="sasnet-reports-", ignore_cleanup_errors=True)
        self._starts: dict[int, tuple[Entry, Candidate]] = {}  # sent without a fit
        self.child = Child(record["command"], record["environment"], self)
        self.child.answered.connect(self._handle_answer)
        self.child.progressed.connect(self._handle_progress)
        self.child.failed.connect(self._handle_failure)
        self.child.cancelled.connect(self._handle_cancel)
        self.child.died.connect(self._handle_death)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.child.kill)
        # SasView ends by its reactor, which may leave Qt no time to say so.
        atexit.register(self.child.kill)
        self.data_table.itemSelectionChanged.connect(self._data_chosen)
        self.candidates.itemSelectionChanged.connect(self._candidate_chosen)
        self.fit_button.clicked.connect(self._fit_one)
        self.fit_all_button.clicked.connect(self._fit_all)
        self.send_button.clicked.connect(self._send)
        self.report_button.clicked.connect(self._ask_report)
        self.stop_button.clicked.connect(self._stop)
        self.close_button.clicked.connect(self.close)

    # What is shown

    def take(self, chosen: list[DataSet]) -> None:
        """Show data sets; those that are new here are suggested for."""
        known_entries = {
            each_entry.data.key: each_entry
            for each_entry in self.entries
            if each_entry.data.curve is not None
        }
        gone_entries = [
            each_entry
            for each_entry in self.entries
            if each_entry.data.key not in {data.key for data in chosen}
        ]
        self._cancel(gone_entries)
        self.entries = []
        for data in chosen:
            entry = known_entries.get(data.key)
            if entry is None or entry.data.curve != data.curve:
                if entry is not None:
                    self._cancel([entry])
                entry = Entry(data, state=data.refusal)
            entry.data = data
            self.entries.append(entry)
        self.data_table.fill(self.entries)
        for entry in self.entries:
            if entry.data.curve is not None and not entry.candidates and not entry.asked:
                self._ask(entry, "suggest", top=_SHOWN)
        self.data_table.selectRow(0)
        self._data_chosen()

    @property
    def entry(self) -> Entry | None:
        row = self.data_table.currentRow()
        return self.entries[row] if 0 <= row < len(self.entries) else None

    def _data_chosen(self) -> None:
        entry = self.entry
        if entry is None:
            return
        self.plot.show_data(entry.data.curve)
        self.values.setText("")
        self.candidates.fill(entry.candidates)
        self.candidates.clearSelection()
        if entry.candidates:
            self.candidates.selectRow(0)
        self._refresh()

    def _candidate_chosen(self) -> None:
        entry, rows = self.entry, self.candidates.list_chosen()
        if entry is not None and rows and rows[0] < len(entry.candidates):
            candidate = entry.candidates[rows[0]]
            self.plot.show_curve(
                candidate.curve, f"{candidate.name}, {what_is_drawn(candidate)}", candidate.residuals
            )
            beware = [
                f"⚠ {sentence}" for sentence in candidate.warnings if sentence not in self.remarks.text()
            ]
            self.values.setText("\n".join(filter(None, (candidate.values, *beware))))
        self._refresh()

    def _refresh(self) -> None:
        """Rows of data sets, sentences, and what can be pressed."""
        for row, each_entry in enumerate(self.entries):
            self.data_table.refresh(row, each_entry)
        entry = self.entry
        busy = [each_entry for each_entry in self.entries if each_entry.asked]
        if entry is not None:
            lines = [*entry.data.notes, *entry.remarks]
            self.remarks.setText("\n".join([entry.data.refusal] if entry.data.refusal else lines))
        usable = [each_entry for each_entry in self.entries if each_entry.data.curve is not None]
        self.fit_button.setEnabled(entry in usable and entry is not None and entry.asked != "fit")
        self.fit_all_button.setVisible(len(self.entries) > 1)
        self.fit_all_button.setEnabled(any(each_entry.asked != "fit" for each_entry in usable))
        self.send_button.setEnabled(entry in usable and bool(self._list_selected()))
        self.report_button.setEnabled(entry is not None and (entry.fit is not None or bool(entry.report)))
        self.stop_button.setEnabled(bool(busy))
        self.progress.setVisible(bool(busy))
        if not busy:
            self.progress.setRange(0, 0)

    def _list_selected(self) -> list[Candidate]:
        entry = self.entry
        if entry is None:
            return []
        return [entry.candidates[row] for row in self.candidates.list_chosen() if row < len(entry.candidates)]

    def _say(self, sentence: str) -> None:
        self.status.setText(sentence)
        self.status.setToolTip(sentence)

    # What is asked

    def _ask(self, entry: Entry, do: str, **content: Any) -> None:
        entry.asked = do
        entry.state = "waiting for sasnet" if do == "suggest" else "waiting for the fit"
        # The number is known before an answer can come: answers arrive by the event loop.
        entry.request = self.child.ask(do, curve=entry.data.curve, **content)
        self.progress.setRange(0, 0)
        self._refresh()

    def _fit(self, entry: Entry) -> None:
        if entry.asked:
            self._cancel([entry])
        texts = {"sample": self.sample.text().strip(), "solvent": self.solvent.text().strip()}
        fields = {key: text for key, text in texts.items() if text}
        self._ask(entry, "fit", top=_TOP, **fields)

    def _fit_one(self) -> None:
        if self.entry is not None and self.entry.data.curve is not None:
            self._say("")
            self._fit(self.entry)

    def _fit_all(self) -> None:
        self._say("")
        for entry in self.entries:
            if entry.data.curve is not None and entry.asked != "fit":
                self._fit(entry)

    def _stop(self) -> None:
        self._cancel(self.entries, "stopped")
        self._refresh()

    def _cancel(self, entries: list[Entry], state: str = "") -> None:
        for entry in entries:
            if entry.request is not None:
                self.child.ask("cancel", of=entry.request)
                entry.settle(state)

    def _ask_report(self) -> None:
        if self.entry is not None and self.entry.fit is not None:
            number = self.child.ask("report", of=self.entry.fit, folder=reports_folder())
            self._reports[number] = self.entry
            self._say("The report is being written…")
        elif self.entry is not None and self.entry.report:  # the process that fitted is gone
            self._show_report(self.entry.report)

    def _show_report(self, path: str) -> None:
        self._say(f"Report: {path}")
        self.open_url(QUrl.fromLocalFile(path))

    # What is answered

    def _find_entry(self, number: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.request == number), None)

    def _handle_answer(self, number: int, result: dict[str, Any]) -> None:
        if self._reports.pop(number, None) is not None:
            self._show_report(str(result.get("path")))
            return
        if number in self._keeping:
            self._keeping.pop(number).report = str(result.get("path") or "")
            return
        if number in self._starts:
            fitted_entry, candidate = self._starts.pop(number)
            self._put(fitted_entry, [replace(candidate, page=result.get("page") or {})], fitted=False)
            return
        entry = self._find_entry(number)
        if entry is None:
            return
        try:
            if entry.asked == "suggest":
                entry.take_suggestion(result)
            else:
                entry.take_fit(result, number)
                self._keeping[self.child.ask("report", of=number, folder=self._kept.name)] = entry
        except (KeyError, IndexError, TypeError) as error:
            _log.warning("sasnet: an answer that is not understood (%s: %s)", type(error).__name__, error)
            entry.settle(
                "the answer of sasnet could not be read; check that sasnet and the SasView"
                " entry have the same version."
            )
        if entry is self.entry:
            self._data_chosen()
        self._refresh()

    def open_url(self, url: QUrl) -> None:
        QDesktopServices.openUrl(url)

    def _handle_progress(self, number: int, event: dict[str, Any]) -> None:
        entry = self._find_entry(number)
        if entry is None:
            return
        done_count, total = int(event.get("done") or 0), int(event.get("of") or 0)
        entry.state = (
            f"fitting {event.get('name') or ''} ({done_count} of {total})" if total else "fitting: screening"
        )
        self.progress.setRange(0, total)
        self.progress.setValue(done_count)
        self._refresh()

    def _handle_failure(self, number: int, sentence: str) -> None:
        self._reports.pop(number, None)
        self._starts.pop(number, None)
        if self._keeping.pop(number, None) is not None:
            _log.warning("sasnet: a report is not kept: %s", sentence)
            return
        entry = self._find_entry(number)
        if entry is not None:
            entry.settle(sentence)
        self._say(sentence)
        self._refresh()

    def _handle_cancel(self, number: int) -> None:
        entry = self._find_entry(number)
        if entry is not None:
            entry.settle("stopped")
        self._refresh()

    def _handle_death(self, sentence: str) -> None:
        for requests in (self._reports, self._keeping, self._starts):
            requests.clear()
        for entry in self.entries:
            entry.fit = None  # the process has it no more; the report that it has written stays
            if entry.asked:
                entry.settle(f"{entry.asked} ended early: the process of sasnet is gone")
        self._say(sentence)
        _log.warning("sasnet: %s", sentence)
        self._refresh()

    # What is sent

    def _send(self) -> None:
        """Open a fit page for each selected candidate; one that was not fitted has its preview's values."""
        entry, chosen = self.entry, self._list_selected()
        if entry is None or not chosen:
            return
        fitted = [candidate for candidate in chosen if candidate.page is not None]
        if fitted:
            self._put(entry, fitted)
        for candidate in chosen:
            if candidate.page is None:
                content = {"model": candidate.model, "structure_factor": candidate.structure_factor}
                number = self.child.ask("page", curve=entry.data.curve, **content)
                self._starts[number] = entry, candidate
                self._say(
                    f"Starting values of {candidate.name} are being calculated; then its fit page opens."
                )

    def _put(self, entry: Entry, chosen: list[Candidate], *, fitted: bool = True) -> None:
        """Fill a page for each; the first one's graph is opened, more would hide each other."""
        done_names: list[str] = []
        wrong: list[str] = []
        for candidate in chosen:
            try:
                differences = self._sasview.send(
                    entry.data, candidate.page or {}, candidate.dq, plot=not done_names
                )
            except NotSentError as error:
                wrong.append(str(error))
                continue
            done_names.append(candidate.name)
            wrong += (
                [f"SasView changed some values of {candidate.name}: {'; '.join(differences)}."]
                if differences
                else []
            )
        suffix = "" if fitted else " (not fitted: values of its preview)"
        self._say(
            " ".join(
                ([f"Sent to a fit page: {', '.join(done_names)}{suffix}."] if done_names else []) + wrong
            )
        )

    def closeEvent(self, event: Any) -> None:  # Qt's name
        self._leave()
        # Not QDialog's own: that rejects, and a window that is being closed by rejecting would stay.
        event.accept()

    def reject(self) -> None:
        """Escape closes as the button does."""
        self._leave()
        super().reject()

    def _leave(self) -> None:
        for entry in self.entries:
            if entry.asked:
                entry.settle("stopped")
            entry.fit = None
        for requests in (self._reports, self._keeping, self._starts):
            requests.clear()
        self.child.end()
        self._refresh()
