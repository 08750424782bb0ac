"""Run inside the real SasView: a session like a user's, step by step, and what was seen.

The tests copy this file into SasView's folder of plugin models, which SasView executes while its window is
made, and start SasView as always. SASNET_SCENARIO is a function of the file SASNET_SCENARIOS, SASNET_OUT the
folder for ``seen.json`` and pictures. Standard library and PySide6 only; nothing of sasnet is imported.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Slot
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox, QTableWidget

OUT = Path(os.environ.get("SASNET_OUT", "."))
TICK = 50
#: Seconds for a step; a fit of SasView's own may take long on a busy machine.
PATIENCE = 240


class Ear(QObject):
    """Hears signals that come from worker threads, in the thread of the window."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    @Slot(tuple)
    def hear(self, what: Any) -> None:
        self.heard.append(what)


def scenario() -> Any:
    """The function that the test names."""
    spec = importlib.util.spec_from_file_location("sasview_scenarios", os.environ["SASNET_SCENARIOS"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, os.environ["SASNET_SCENARIO"])


def _waited() -> float:
    """Seconds for which this thread waited for a processor: the second number of Linux's schedstat."""
    with open("/proc/thread-self/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e9


class Session(QObject):
    """Takes one step of the scenario whenever what it waits for has come, and watches the ticks meanwhile."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.seen: dict[str, Any] = {"gaps_ms": {}, "work_ms": {}, "modal": [], "python": sys.version}
        self.window: Any = None
        self.last: float | None = None
        self.watch("start")
        self.waited = self.worked = 0.0
        self.ear = Ear()
        self.steps = scenario()(self)
        self.wanted: Any = None
        self.until = time.monotonic() + PATIENCE
        self.timer = QTimer(self)
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self.tick)
        self.timer.start(TICK)

    def watch(self, phase: str) -> None:
        """Begin to note the longest gap between two ticks, of this time, under this name."""
        self.phase, self.last = phase, None
        self.seen["gaps_ms"].setdefault(phase, []).append(0.0)

    def tick(self) -> None:
        # Without the time that this thread waited for a processor: tests run at once, each with its fits.
        # What SasView's process has worked meanwhile does not depend on what else the machine does, such as
        # writing all that pip installs while this process waits for its file.
        now, waited, worked = time.monotonic(), _waited(), time.process_time()
        if self.last is not None:
            gap = 1000 * (now - self.last - (waited - self.waited))
            work = min(gap, 1000 * (worked - self.worked))
            gaps, works = self.seen["gaps_ms"][self.phase], self.seen["work_ms"]
            gaps[-1] = max(gap, gaps[-1])
            works[self.phase] = max(work, works.get(self.phase, 0.0))
        self.last, self.waited, self.worked = now, waited, worked
        box = QApplication.activeModalWidget()
        if box is not None:
            text = box.text() if isinstance(box, QMessageBox) else box.windowTitle()
            self.seen["modal"].append(text)
            box.close()
        try:
            if self.wanted is None or self.wanted():
                self.timer.stop()
                self.wanted = next(self.steps)
                self.until = time.monotonic() + PATIENCE
                self.last = None if self.phase == "steps" else self.last
                self.timer.start(TICK)
            elif time.monotonic() > self.until:
                raise TimeoutError(f"waited {PATIENCE} s in phase {self.phase}")
        except StopIteration:
            self.finish()
        except Exception:
            self.seen["failure"] = traceback.format_exc()
            self.picture("failure")
            self.finish()

    def finish(self) -> None:
        self.timer.stop()
        self.write()
        if self.seen.get("leave") == "close":
            self.window.close()
        else:
            os._exit(0)  # leaving SasView would ask and wait

    def write(self) -> None:
        (OUT / "seen.json").write_text(json.dumps(self.seen, default=str), encoding="utf-8")

    def picture(self, name: str, widget: Any = None) -> None:
        """Of a widget, or of all that is on the screen."""
        shown = widget.grab() if widget is not None else QApplication.primaryScreen().grabWindow(0)
        image = shown.toImage().convertToFormat(QImage.Format.Format_RGB888)
        image.save(str(OUT / f"{name}.png"), "PNG", 0)
        self.last = None  # that was not SasView's work

    # What a user does

    @property
    def manager(self) -> Any:
        return self.window.guiManager

    @property
    def fitting(self) -> Any:
        return self.manager.loadedPerspectives["Fitting"]

    @property
    def dialog(self) -> Any:
        found = [w for w in QApplication.topLevelWidgets() if w.objectName() == "sasnetDialog"]
        return found[0] if found and found[0].isVisible() else None

    def ready(self) -> bool:
        for window in QApplication.topLevelWidgets():
            if type(window).__name__ == "MainSasViewWindow" and hasattr(window, "guiManager"):
                self.window = window
        return self.window is not None and self.window.isVisible()

    def entry(self) -> Any:
        found = [a for a in self.window.menuFitting.actions() if a.text().startswith("Suggest model")]
        assert len(found) <= 1, "the entry is in the menu twice"
        return found[0] if found else None

    def begin(self) -> Any:
        """Wait for the window and its menu; nothing of SasView may ask later."""
        yield self.ready
        yield lambda: self.entry() is not None
        from sas import config

        config.SHOW_EXIT_MESSAGE = False
        self.window.setGeometry(0, 0, 1400, 900)
        for dialog in QApplication.topLevelWidgets():
            if isinstance(dialog, QDialog) and dialog.isVisible():
                dialog.close()  # what is new, a newer version
        yield from self.pause(1.0)

    def pause(self, seconds: float) -> Any:
        until = time.monotonic() + seconds
        yield lambda: time.monotonic() > until

    def load(self, *paths: str) -> Any:
        explorer = self.manager.filesWidget
        explorer.loadComplete(explorer.readData(list(paths)))
        yield from self.pause(0.5)

    def tick_only(self, row: int) -> None:
        """Tick one data set in the data explorer."""
        model = self.manager.filesWidget.model
        for i in range(model.rowCount()):
            model.item(i).setCheckState(Qt.CheckState.Checked if i == row else Qt.CheckState.Unchecked)

    def tick_all(self) -> None:
        model = self.manager.filesWidget.model
        for i in range(model.rowCount()):
            model.item(i).setCheckState(Qt.CheckState.Checked)

    def click_menu(self) -> Any:
        """Press Fitting, then the entry, with the mouse."""
        bar, menu = self.window.menubar, self.window.menuFitting
        QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.actionGeometry(menu.menuAction()).center())
        yield menu.isVisible
        yield from self.pause(0.3)
        if not (OUT / "menu.png").exists():
            self.picture("menu")
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(self.entry()).center())

    def open(self) -> Any:
        yield from self.click_menu()
        yield lambda: self.dialog is not None

    def click_row(
        self, table: QTableWidget, row: int, with_key: Any = Qt.KeyboardModifier.NoModifier
    ) -> None:
        where = table.visualItemRect(table.item(row, 0)).center()
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, with_key, where)

    def press(self, button: Any) -> None:
        assert button.isEnabled(), f"{button.text()} cannot be pressed"
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def suggest(self) -> Any:
        self.watch("suggestion")
        yield from self.open()
        yield lambda: all(e.candidates or e.data.refusal for e in self.dialog.entries)
        self.watch("steps")

    def fit(self, phase: str = "fit") -> Any:
        self.watch(phase)
        self.press(self.dialog.fit_button)
        yield lambda: not self.dialog.entry.asked
        yield from self.pause(0.2)
        self.watch("steps")

    def table(self) -> list[list[str]]:
        """What stands in the table of candidates."""
        table = self.dialog.candidates
        columns = range(table.columnCount())
        return [[table.item(row, c).text() for c in columns] for row in range(table.rowCount())]

    def page(self, page: Any) -> dict[str, Any]:
        """A fit page: as SasView writes it down, as it shows it, and what its model calculates with."""
        kernel = page.logic.kernel_module
        state = {line[0]: line[1:] for line in page.getFitPage() + page.getFitModel()}
        values = {}
        for name in state:
            try:
                values[name] = float(kernel.getParam(name))
            except (ValueError, TypeError, AttributeError):
                continue
        return {
            "state": state,
            "kernel": values,
            "model": page.cbModel.currentText(),
            "category": page.cbCategory.currentText(),
            "structure_factor": page.cbStructureFactor.currentText(),
            "polydispersity": page.chkPolydispersity.isChecked(),
            "smearing": page.smearing_widget.cbSmearing.currentText(),
            "free": sorted(page.main_params_to_fit + page.polydispersity_widget.poly_params_to_fit),
            "limits": {k: list(map(str, v[1:3])) for k, v in kernel.details.items()},
        }

    def graphs(self) -> list[list[str]]:
        """The names of what each plot shows."""
        plots = {id(each): each for each in self.manager.filesWidget.active_plots.values()}
        return [[str(one) for one in getattr(each, "plot_dict", {})] for each in plots.values()]

    def send_and_fit(self, row: int) -> Any:
        """Select a candidate, send it, let SasView fit it; returns what was sent and seen."""
        self.click_row(self.dialog.candidates, row)
        yield from self.pause(0.3)
        candidate = self.dialog.entry.candidates[row]
        before = len(self.fitting.tabs)
        self.press(self.dialog.send_button)
        yield from self.pause(1.0)
        page = self.fitting.currentFittingWidget
        sent = {"sent": candidate.page, "row": self.table()[row], "status": self.dialog.status.text()}
        sent |= {"page": self.page(page), "new_pages": len(self.fitting.tabs) - before}
        yield lambda: page.chi2 is not None and page.cmdPlot.isEnabled()
        sent["chi2_as_sent"] = float(page.chi2)
        yield from self.pause(1.0)
        yield lambda: any(len(names) > 1 for names in self.graphs())  # data and theory
        sent["graphs"] = self.graphs()
        dialog = self.dialog
        dialog.hide()
        yield from self.pause(0.5)
        self.picture("as_sent")
        dialog.show()
        self.ear.heard.clear()
        page.fittingFinishedSignal.connect(self.ear.hear)
        self.watch("SasView's own fit")
        self.press(page.cmdFit)
        yield lambda: bool(self.ear.heard)
        self.watch("steps")
        yield from self.pause(2.0)
        page.fittingFinishedSignal.disconnect(self.ear.hear)
        # Of the fit itself: the page may show the sum over the number of points by now.
        result = self.ear.heard[0][0][0][0]
        sent |= {
            "chi2_fitted": float(result.fitness),
            "shown": page.lblChi2Value.text(),
            "after": self.page(page),
        }
        return sent


_application = QCoreApplication.instance()
if (
    "SASNET_SCENARIO" in os.environ
    and isinstance(_application, QApplication)
    and _application.findChild(Session) is None
):
    Session(_application)
