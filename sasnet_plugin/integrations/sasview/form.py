"""The window of Fitting -> Suggest model…: data sets, a plot, candidates, sentences and buttons, laid out."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from .plot import Plot
from .table import CandidateTable, DataTable


class Form(QDialog):
    """Widgets in their places; what they do is in `dialog`.

    Parameters
    ----------
    category : callable
        SasView's category of a model.
    fit : str
        Text of the button that fits.
    parent : QWidget
    """

    def __init__(self, category: Callable[[str], str], fit: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Suggest model")
        self.setObjectName("sasnetDialog")
        self.setModal(False)
        self.resize(1180, 740)
        self.data_table = DataTable(self)
        self.plot = Plot(self)
        self.candidates = CandidateTable(category, self)
        self.remarks = QLabel(self)
        self.remarks.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.status = QLabel(self)
        for label in (self.remarks, self.status):
            label.setWordWrap(True)
        self.progress = QProgressBar(self)
        self.progress.setVisible(False)
        self.progress.setMaximumWidth(200)
        texts = (fit, "Fit all", "Send to fit page", "Open report", "Stop", "Close")
        buttons = [QPushButton(text, self) for text in texts]
        for button in buttons:
            button.setAutoDefault(False)
        self.fit_button, self.fit_all_button, self.send_button, self.report_button = buttons[:4]
        self.stop_button, self.close_button = buttons[4:]
        self._lay_out(buttons)

    def _lay_out(self, buttons: list[QPushButton]) -> None:
        upper = QSplitter(Qt.Orientation.Horizontal, self)
        upper.addWidget(self.data_table)
        upper.addWidget(self.plot)
        upper.setSizes([760, 420])
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(upper)
        split.addWidget(self.candidates)
        split.setSizes([320, 320])
        below = QHBoxLayout()
        below.addWidget(self.status, 1)
        below.addWidget(self.progress)
        row = QHBoxLayout()
        for button in buttons[:-1]:
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(buttons[-1])
        layout = QVBoxLayout(self)
        layout.addWidget(split, 1)
        layout.addWidget(self.remarks)
        layout.addLayout(below)
        layout.addLayout(row)
