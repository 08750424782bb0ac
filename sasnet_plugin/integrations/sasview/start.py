"""From SasView's start to the menu entry: wait for the window, add the entry, open the dialog."""

from __future__ import annotations

import logging
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, QThread, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMessageBox

from .adapter import MissingHookError, SasView
from .dialog import SuggestDialog

_log = logging.getLogger("sas.sasnet")
_ENTRY = "Suggest model…"
_EVERY, _TRIES = 200, 600


def begin(record: dict[str, Any]) -> None:
    """Add the entry to SasView's menu as soon as its window is complete."""
    # SasView makes its window while this is called. Without a window (a script that only wants the models)
    # nothing happens.
    application = QCoreApplication.instance()
    if not isinstance(application, QApplication) or QThread.currentThread() is not application.thread():
        return
    if application.findChild(_Waiting) is None:
        _Waiting(application, record)


class _Waiting(QObject):
    """Looks for the window until it is there."""

    def __init__(self, application: QApplication, record: dict[str, Any]) -> None:
        super().__init__(application)
        self.record, self.left = record, _TRIES
        self.timer = QTimer(self)
        self.timer.timeout.connect(self.look)
        self.timer.start(_EVERY)

    def look(self) -> None:
        """Add the entry if the window has its manager by now."""
        self.left -= 1
        ready = [
            window
            for window in QApplication.topLevelWidgets()
            if type(window).__name__ == "MainSasViewWindow" and hasattr(window, "guiManager")
        ]
        if ready:
            self.timer.stop()
            attach(ready[0], self.record)
        elif self.left <= 0:
            self.timer.stop()
            _log.warning(
                "SasView's main window was not found, so its menu has no entry of sasnet; start it with"
                " sasnet sasview."
            )


def attach(window: Any, record: dict[str, Any]) -> None:
    """Add the entry to the menu of a window, once."""
    if window.findChild(Suggest) is not None:
        return
    menu = getattr(window, "menuFitting", None)
    if menu is None:
        _log.warning("%s", MissingHookError("window.menuFitting"))
        return
    suggest = Suggest(window, record)
    action = QAction(_ENTRY, window)
    action.setStatusTip("Rank the models that may fit the data of the fit page (sasnet)")
    action.triggered.connect(suggest.open)
    first = menu.actions()
    menu.insertAction(first[0] if first else None, action)
    _log.info("sasnet: Fitting -> %s", _ENTRY)


def load_soon(window: Any, files: list[str]) -> None:
    """Load files when SasView has come to rest."""
    if files:
        QTimer.singleShot(500, window, lambda: _load(window, files))


def _load(window: Any, files: list[str]) -> None:
    try:
        SasView(window).load(files)
    except MissingHookError as error:
        _log.warning("%s", error)


class Suggest(QObject):
    """What the menu entry does; lives as long as the window."""

    def __init__(self, window: Any, record: dict[str, Any]) -> None:
        super().__init__(window)
        self.window, self.record = window, record
        self.dialog: Any = None

    def open(self) -> None:
        """Open the dialog on the data of the fit page and the ticked data sets."""
        try:
            sasview = SasView(self.window)
            chosen = sasview.list_chosen()
        except MissingHookError as error:
            self.say(str(error))
            return
        if not chosen:
            self.say("There are no data: load a file, and tick it or send it to a fit page.")
            return
        if self.dialog is None:
            self.dialog = SuggestDialog(self.window, sasview, self.record)
        self.dialog.take(chosen)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def say(self, sentence: str) -> None:
        """One sentence in a box that does not stop SasView, and in its log."""
        _log.warning("sasnet: %s", sentence)
        box = QMessageBox(QMessageBox.Icon.Information, "Suggest model", sentence, parent=self.window)
        box.setModal(False)
        box.show()
