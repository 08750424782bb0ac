"""What happens in a session inside the real SasView (`sasview_driver`): each function is one, step by step.

A step yields what it waits for, a function that says whether it has come.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox


def whole(session: Any) -> Any:
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
        session.seen.setdefault("drawn", []).append(dialog.plot.title)
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
        if number == len(paths) - 1:
            before = len(session.fitting.tabs)
            session.click_row(dialog.candidates, 0)
            session.click_row(dialog.candidates, 1, Qt.KeyboardModifier.ControlModifier)
            yield from session.pause(0.3)
            session.press(dialog.send_button)
            yield from session.pause(2.0)
            new = session.fitting.tabs[before:]
            session.seen["both"] = [dialog.status.text(), [page.cbModel.currentText() for page in new]]
            plain = next(row for row, each in enumerate(dialog.entry.candidates) if each.page is None)
            session.click_row(dialog.candidates, plain)
            before = len(session.fitting.tabs)
            session.press(dialog.send_button)
            yield lambda dialog=dialog: "not fitted" in dialog.status.text()
            new = session.fitting.tabs[before:]
            session.seen["unfitted"] = [
                session.table()[plain][0],
                [page.cbModel.currentText() for page in new],
            ]
            session.click_row(dialog.candidates, 0)
            yield from session.pause(0.3)
        opened: list[str] = []
        dialog.open_url = lambda url, opened=opened: opened.append(url.toLocalFile())
        session.press(dialog.report_button)
        yield lambda opened=opened: bool(opened)
        text = Path(opened[0]).read_text(encoding="utf-8")
        session.seen.setdefault("reports", []).append([opened[0], len(text), "<html" in text])
        session.seen.setdefault("values", []).append(dialog.values.text())
        session.seen.setdefault("cut", []).extend(_cut(dialog.candidates))
        session.seen.setdefault("drawn", []).append(dialog.plot.title)
        yield lambda dialog=dialog: bool(dialog.entry.report)  # kept for when the process is gone
        # By Escape and by the button: the window is gone, and the process with it.
        if session.seen.get("closed"):
            QTest.keyClick(dialog, Qt.Key.Key_Escape)
        else:
            session.press(dialog.close_button)
        session.seen.setdefault("closed", []).append(not dialog.isVisible())
        yield lambda child=child: not _alive(child)
        session.seen["child_ended"] = True
        yield from session.open()
        opened.clear()
        session.press(session.dialog.report_button)
        yield lambda opened=opened: bool(opened)
        session.seen.setdefault("reopened", []).append(Path(opened[0]).stat().st_size)
        session.press(session.dialog.close_button)
    session.seen["sends"] = sends
    session.seen["leave"] = "close"


def killed(session: Any) -> Any:
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
    yield from session.pause(0.5)
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
    yield from session.pause(0.5)  # so that there are ticks to watch
    session.picture("all", dialog)
    session.press(dialog.stop_button)
    yield lambda: not any(each.asked for each in dialog.entries)
    session.seen["stopped"] = [dialog.data_table.item(i, 5).text() for i in range(len(dialog.entries))]
    child = dialog.child.pid
    session.seen["child"] = child
    session.seen["leave"] = "close"  # with the dialog open: SasView's end must be that of the process as well


def hooks(session: Any) -> Any:
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


def pages(session: Any) -> Any:
    """Fit pages that the test made, sent one by one; nothing is fitted, SasView only calculates."""
    yield from session.begin()
    yield from session.load(*json.loads(os.environ["SASNET_FILES"]))
    adapter = sys.modules["_sasnet_in_sasview.adapter"]
    sasview = adapter.SasView(session.window)
    data = {each.name: each for each in sasview.list_chosen()}
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


def plain(session: Any) -> Any:
    """SasView without sasnet, or with a broken one: it starts, and there is no entry."""
    yield session.ready
    loaded = int(os.environ.get("SASNET_LOADED", "0"))
    yield lambda: session.manager.filesWidget.model.rowCount() >= loaded
    # Many times as long as sasnet needs to find the window, or to say that it cannot.
    yield from session.pause(2.0)
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


def _cut(table: Any) -> list[str]:
    """Texts of a table that are wider than their cells."""
    found = []
    for column in range(table.columnCount()):
        for row in range(table.rowCount()):
            text = table.item(row, column).text()
            if table.fontMetrics().horizontalAdvance(text) + 6 > table.columnWidth(column):
                found.append(text)
    return found


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
    return importlib.util.find_spec(name) is not None


def simultaneous(session: Any) -> Any:
    """Open a sample's project, look at its constraints, and press Fit in the page of the simultaneous fit."""
    yield session.ready
    yield from session.pause(3.0)
    from sas import config

    config.SHOW_EXIT_MESSAGE = False
    explorer = session.manager.filesWidget
    explorer.readProject(os.environ["SASNET_PROJECT"])
    yield from session.pause(3.0)
    tabs = session.fitting.tabs
    session.seen["tabs"] = [type(tab).__name__ for tab in tabs]
    together = next(tab for tab in tabs if type(tab).__name__ == "ConstraintWidget")
    table = together.tblConstraints
    session.seen["constraints"] = [table.item(row, 0).text() for row in range(table.rowCount())]
    pages = [tab for tab in tabs if type(tab).__name__ == "FittingWidget"]
    session.seen["chi2_as_opened"] = [float(page.chi2) for page in pages if page.chi2 is not None]
    session.seen["can_fit"] = together.cmdFit.isEnabled()
    session.picture("simultaneous")
    session.watch("steps")
    together.cmdFit.click()
    yield lambda: together.cmdFit.text() != "Stop fit" and together.cmdFit.isEnabled()
    yield from session.pause(1.0)
    session.seen["after"] = [session.page(page)["state"] for page in pages]
    session.seen["leave"] = "close"
