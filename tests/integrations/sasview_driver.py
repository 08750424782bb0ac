"""Run inside the real SasView: a session like a user's, step by step, and what was seen.

The tests copy this file into SasView's folder of plugin models, which SasView executes while its window is
made, and start SasView as always. SASNET_SCENARIO names the session, SASNET_OUT the folder for ``seen.json``
and pictures. Standard library and PySide6 only; nothing of sasnet is imported.
"""

from __future__ import annotations

import json
import os
import signal
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


class Session(QObject):
    """Takes one step of the scenario whenever what it waits for has come, and watches the ticks meanwhile."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self.seen: dict[str, Any] = {"gaps_ms": {}, "modal": [], "python": sys.version}
        self.window: Any = None
        self.phase = "start"
        self.last: float | None = None
        self.ear = Ear()
        self.steps = SCENARIOS[os.environ["SASNET_SCENARIO"]](self)
        self.wanted: Any = None
        self.until = time.monotonic() + PATIENCE
        self.timer = QTimer(self)
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.timeout.connect(self.tick)
        self.timer.start(TICK)

    def watch(self, phase: str) -> None:
        """Begin to note the longest gap between two ticks under this name."""
        self.phase, self.last = phase, None

    def tick(self) -> None:
        now = time.monotonic()
        if self.last is not None:
            gap = 1000 * (now - self.last)
            self.seen["gaps_ms"][self.phase] = max(gap, self.seen["gaps_ms"].get(self.phase, 0.0))
        self.last = now
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
        plain = Qt.ImageConversionFlag.AvoidDither
        small = shown.toImage().convertToFormat(QImage.Format.Format_Indexed8, plain)
        small.save(str(OUT / f"{name}.png"))
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


def whole(session: Session) -> Any:
    """Menu, table row, Fit top 5, Send to fit page, SasView's own fit, for each file."""
    paths = json.loads(os.environ["SASNET_FILES"])
    yield from session.begin()
    session.seen["sasnet_importable"] = _importable("sasnet_plugin")
    yield from session.load(*paths)
    sends = []
    for number, path in enumerate(paths):
        session.tick_only(number)
        QTest.mouseClick(session.manager.filesWidget.cmdSendTo, Qt.MouseButton.LeftButton)
        yield lambda: session.fitting.currentFittingWidget.data_is_loaded
        pages = [p for p in session.fitting.tabs if p.data_is_loaded]
        session.fitting.setCurrentWidget(pages[-1])
        yield from session.suggest()
        dialog = session.dialog
        child = dialog.child.pid
        session.seen.setdefault("suggested", []).append(session.table())
        session.click_row(dialog.candidates, 1)
        yield from session.pause(0.3)
        session.picture(f"suggested{number}", dialog)
        yield from session.fit()
        session.seen.setdefault("fitted", []).append(session.table())
        session.seen.setdefault("states", []).append(dialog.entry.state)
        fits = [c for c in dialog.entry.candidates if c.page is not None]
        session.seen.setdefault("warnings", []).append([c.warnings for c in fits])
        session.click_row(dialog.candidates, 0)
        yield from session.pause(0.3)
        session.picture(f"fitted{number}", dialog)
        rows = _rows(
            dialog.entry.candidates, json.loads(os.environ.get("SASNET_SEND", "{}")).get(str(number))
        )
        for row in rows:
            sends.append({"file": path} | (yield from session.send_and_fit(row)))
            dialog.hide()
            for window in session.window.workspace.subWindowList():
                if window.isVisible() and "Fit panel" not in window.windowTitle():
                    window.showMinimized()
            session.window.guiManager.logDockWidget.setVisible(False)
            session.window.workspace.tileSubWindows()
            yield from session.pause(1.0)
            session.picture(f"sent{len(sends)}")
            dialog.show()
        opened: list[str] = []
        dialog.open_url = lambda url, opened=opened: opened.append(url.toLocalFile())
        session.press(dialog.report_button)
        yield lambda opened=opened: bool(opened)
        text = Path(opened[0]).read_text(encoding="utf-8")
        session.seen.setdefault("reports", []).append([opened[0], len(text), "<html" in text])
        session.press(dialog.close_button)
        yield lambda child=child: not _alive(child)
        session.seen["child_ended"] = True
    session.seen["sends"] = sends
    session.seen["leave"] = "close"


def killed(session: Session) -> Any:
    """The process dies in the middle of a fit; then another fit; then two data sets at once, and Stop."""
    yield from session.begin()
    yield from session.load(*json.loads(os.environ["SASNET_FILES"]))
    session.tick_only(1)
    yield from session.suggest()
    dialog = session.dialog
    session.press(dialog.fit_button)
    yield lambda: "fitting" in dialog.entry.state
    workers = _children(dialog.child.pid)
    session.seen["workers"] = len(workers)
    session.watch("fit killed")
    os.kill(dialog.child.pid, signal.SIGKILL)
    yield lambda: not dialog.entry.asked
    session.seen["after_kill"] = [dialog.data_table.item(0, 5).text(), dialog.status.text()]
    session.picture("killed", dialog)
    yield lambda: not any(_alive(each) for each in workers)
    yield from session.fit("fit after a kill")
    session.seen["next"] = [dialog.data_table.item(0, 5).text(), dialog.data_table.item(0, 4).text()]
    workers = _children(dialog.child.pid)
    session.press(dialog.fit_button)
    yield lambda: "fitting" in dialog.entry.state
    session.watch("fit whose worker is killed")
    for each in _children(dialog.child.pid):
        os.kill(each, signal.SIGKILL)
    yield lambda: not dialog.entry.asked
    session.seen["after_worker_kill"] = [
        dialog.data_table.item(0, 5).text(),
        dialog.data_table.item(0, 4).text(),
    ]
    session.press(dialog.close_button)
    session.tick_all()
    session.watch("steps")
    yield from session.suggest()
    dialog = session.dialog
    session.seen["rows"] = [dialog.data_table.item(i, 0).text() for i in range(dialog.data_table.rowCount())]
    session.watch("two fits")
    session.press(dialog.fit_all_button)
    yield lambda: any("fitting" in each.state for each in dialog.entries)
    session.picture("all", dialog)
    session.press(dialog.stop_button)
    yield lambda: not any(each.asked for each in dialog.entries)
    session.seen["stopped"] = [dialog.data_table.item(i, 5).text() for i in range(len(dialog.entries))]
    child = dialog.child.pid
    session.seen["child"] = child
    session.seen["leave"] = "close"  # with the dialog open: SasView's end must be that of the process as well


def hooks(session: Session) -> Any:
    """What is said when something of SasView is gone, or the data are of another kind."""
    yield from session.begin()
    widget = type(session.fitting.tabs[0])
    taken = widget.createPageForParameters
    del widget.createPageForParameters
    yield from session.click_menu()
    yield lambda: bool(_boxes())
    session.seen["missing"] = [box.text() for box in _boxes()]
    session.picture("missing", _boxes()[0])
    for box in _boxes():
        box.close()
    widget.createPageForParameters = taken
    yield from session.click_menu()
    yield lambda: bool(_boxes())
    session.seen["no_data"] = [box.text() for box in _boxes()]
    for box in _boxes():
        box.close()
    yield from session.load(*json.loads(os.environ["SASNET_FILES"]))
    yield from session.open()
    yield lambda: all(e.candidates or e.data.refusal for e in session.dialog.entries)
    session.seen["refusals"] = [e.data.refusal for e in session.dialog.entries]
    session.seen["remarks"] = session.dialog.remarks.text()
    session.seen["leave"] = "close"


def pages(session: Session) -> Any:
    """Fit pages that the test made, sent one by one; nothing is fitted, SasView only calculates."""
    yield from session.begin()
    yield from session.load(*json.loads(os.environ["SASNET_FILES"]))
    adapter = sys.modules["_sasnet_in_sasview.adapter"]
    sasview = adapter.SasView(session.window)
    data = {each.name: each for each in sasview.chosen()}
    session.seen["curves"] = {name: each.curve for name, each in data.items()}
    sends = session.seen["sends"] = []
    for case in json.loads(os.environ["SASNET_PAGES"]):
        try:
            left = sasview.send(data[case["data"]], case["page"], case["dq"], plot=False)
        except adapter.NotSentError as error:
            sends.append({"refused": str(error)})
            continue
        page = session.fitting.currentFittingWidget
        yield lambda page=page: page.chi2 is not None and page.cmdPlot.isEnabled()
        yield from session.pause(1.0)
        sends.append({"left": left, "page": session.page(page), "chi2_as_sent": float(page.chi2)})
        sends[-1]["can_fit"] = page.cmdFit.isEnabled()
    session.seen["tabs"] = len(session.fitting.tabs)
    session.seen["leave"] = "close"


def plain(session: Session) -> Any:
    """SasView without sasnet, or with a broken one: it starts, and there is no entry."""
    yield session.ready
    yield from session.pause(float(os.environ.get("SASNET_PAUSE", "3")))
    session.seen["entry"] = session.entry() is not None
    session.seen["title"] = session.window.windowTitle()
    names = [
        session.manager.filesWidget.model.item(i).text()
        for i in range(session.manager.filesWidget.model.rowCount())
    ]
    session.seen["data"] = names
    from sas import config

    config.SHOW_EXIT_MESSAGE = False
    session.seen["leave"] = "close"


def _rows(candidates: list[Any], wanted: list[str] | None) -> list[int]:
    """The rows of the models that the test names, those that have been fitted; the first if it names none."""
    fitted = [i for i, each in enumerate(candidates) if each.page is not None]
    named = [i for i in fitted if wanted and candidates[i].name in wanted]
    return named or fitted[:1]


def _boxes() -> list[Any]:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox) and w.isVisible()]


def _alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found += [int(stat.parent.name), *_children(int(stat.parent.name))]
    return found


def _importable(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


SCENARIOS = {"whole": whole, "killed": killed, "hooks": hooks, "pages": pages, "plain": plain}

_application = QCoreApplication.instance()
if (
    "SASNET_SCENARIO" in os.environ
    and isinstance(_application, QApplication)
    and _application.findChild(Session) is None
):
    Session(_application)
