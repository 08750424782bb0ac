"""The window of Fitting -> Suggest model… laid out, and its tables: data sets, and the candidates of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from .entries import Candidate, Entry
from .plot import Plot, thumbnail

_DATA_COLUMNS = ("Data", "Best model", "S(q)", "Probability", "Red. χ²", "State")
_COLUMNS = (
    "Model", "Category", "S(q)", "Probability", "Group", "Red. χ²", "Weight", "Verdict", "Warnings",
)  # fmt: skip
PROBABILITY = 3
_THUMBNAIL = QSize(72, 44)
#: Rows of data sets that are seen at once; more are scrolled.
_ROWS = 4
#: Pixels beside a cell's text, its arrow or ellipsis included.
_AIR = 18
#: Of χ² of a fit that does not explain its data.
_POOR = QColor("#b3261e")
_BAR, _EMPTY = QColor("#fd8d3c"), QColor("#e6e6e6")


class Bar(QStyledItemDelegate):
    """A probability as a bar with its number."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the cell as usual, then the bar along its lower edge, where a selected row shows it too."""
        super().paint(painter, option, index)
        value = index.data(Qt.ItemDataRole.UserRole)
        if isinstance(value, float):
            area = QRectF(option.rect).adjusted(3, 0, -3, -2)
            painter.fillRect(QRectF(area.left(), area.bottom() - 5, area.width(), 5), _EMPTY)
            painter.fillRect(QRectF(area.left(), area.bottom() - 5, area.width() * value, 5), _BAR)


class _Table(QTableWidget):
    def __init__(self, columns: Sequence[str], parent: QWidget | None) -> None:
        super().__init__(0, len(columns), parent)
        self.setHorizontalHeaderLabels(list(columns))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAlternatingRowColors(True)
        self.verticalHeader().setVisible(False)
        self.setItemDelegateForColumn(PROBABILITY, Bar(self))

    def write(self, row: int, column: int, text: str, tip: str = "", value: Any = None) -> QTableWidgetItem:
        item = self.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            self.setItem(row, column, item)
        item.setText(text)
        item.setToolTip(tip)
        item.setData(Qt.ItemDataRole.UserRole, value)
        return item


class DataTable(_Table):
    """A row for each data set, with a picture of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_DATA_COLUMNS, parent)
        self.setObjectName("sasnetData")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setIconSize(_THUMBNAIL)
        self.verticalHeader().setDefaultSectionSize(_THUMBNAIL.height() + 4)
        self.horizontalHeader().setStretchLastSection(True)
        for column, width in enumerate((330, 230, 130, 105, 80)):
            self.setColumnWidth(column, width)

    def fill(self, entries: Sequence[Entry]) -> None:
        """Write all rows anew, with their pictures."""
        self.setRowCount(len(entries))
        for row, entry in enumerate(entries):
            item = self.write(row, 0, entry.data.name, entry.data.name)
            picture = thumbnail(entry.data.curve, _THUMBNAIL)
            icon = QIcon(picture)
            icon.addPixmap(picture, QIcon.Mode.Selected)  # else it is tinted
            item.setIcon(icon)
            self.refresh(row, entry)
        self.setFixedHeight(self._height(len(entries)))

    def _height(self, rows: int) -> int:
        """Height of the head and so many rows, at most those visible at once."""
        row_count = min(max(rows, 1), _ROWS)
        head = self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth()
        return head + row_count * self.verticalHeader().defaultSectionSize()

    def refresh(self, row: int, entry: Entry) -> None:
        """What has changed in a row."""
        best = entry.best
        self.write(row, 1, best.model if best else "")
        self.write(row, 2, (best.structure_factor or "–") if best else "")
        self.write(row, PROBABILITY, _percent(best), value=best.probability if best else None)
        self.write(row, 4, _number(best.reduced_chisq) if best else "")
        self.write(row, 5, entry.state, entry.state)


class CandidateTable(_Table):
    """A row for each model that may explain the data set that is chosen."""

    def __init__(self, category: Callable[[str], str], parent: QWidget | None = None) -> None:
        super().__init__(_COLUMNS, parent)
        self.setObjectName("sasnetCandidates")
        self._category = category
        self.setWordWrap(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.verticalHeader().setDefaultSectionSize(30)
        self.horizontalHeader().setStretchLastSection(True)
        self._widen()

    def fill(self, candidates: Sequence[Candidate]) -> None:
        """Write all rows anew."""
        self.setRowCount(len(candidates))
        for row, candidate in enumerate(candidates):
            self._write_row(row, candidate)
        self._widen()

    def _write_row(self, row: int, candidate: Candidate) -> None:
        self.write(row, 0, candidate.model)
        self.write(row, 1, self._category(candidate.model) or "not listed")
        self.write(row, 2, candidate.structure_factor or "–")
        self.write(row, PROBABILITY, _percent(candidate), value=candidate.probability)
        self.write(row, 4, candidate.group, candidate.group)
        item = self.write(row, 5, _number(candidate.reduced_chisq))
        item.setForeground(_POOR if candidate.verdict == "does not explain" else self.palette().text())
        self.write(row, 6, _weight(candidate.weight))
        self.write(row, 7, "" if candidate.page is None else candidate.verdict or "–", candidate.verdict)
        self.write(
            row, 8, f"⚠ {len(candidate.warnings)}" * bool(candidate.warnings), "\n".join(candidate.warnings)
        )

    def _widen(self) -> None:
        """Each column as wide as its widest word: nothing is cut, and what has no room is scrolled to."""
        for column in range(self.columnCount() - 1):
            self.setColumnWidth(column, self._compute_needed_width(column))

    def _compute_needed_width(self, column: int) -> int:
        words = self.fontMetrics()
        cells = (self.item(row, column) for row in range(self.rowCount()))
        wide = [words.horizontalAdvance(cell.text()) for cell in cells if cell is not None]
        return max([self.horizontalHeader().sectionSizeHint(column), *(width + _AIR for width in wide)])

    def list_chosen(self) -> list[int]:
        """The rows that are selected, from the top."""
        return sorted({index.row() for index in self.selectionModel().selectedRows()})


def _percent(candidate: Candidate | None) -> str:
    if candidate is None or candidate.probability is None:
        return ""
    return f"{100 * candidate.probability:.1f} %" if candidate.probability < 0.9995 else "100 %"


def _weight(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if value >= 0.0005 else "< 0.001"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


_HELP = "\n\n".join(
    (
        "Upper list: data of the fit page and ticked data sets. Lower list: models that may fit the"
        " selected one, with their probabilities. Click a model to draw its nearest simulated curve"
        " (not fitted).",
        (
            "“Fit” fits the most probable models within about a minute and ranks them. Models in red do"
            " not fit the data. Cautions (⚠) are next to the plot. A+B is a sum of two models."
        ),
        "“Send to fit page” opens SasView's fit page with the fitted values of each selected model, or"
        " those of its preview. Sample and solvent, if given, fix the scattering length densities."
        " Close or Escape stops all work; reports stay in “sasnet reports” in your documents.",
    )
)


class Form(QDialog):
    """Widgets in their places; `category` maps a model to SasView's, `fit` labels the button."""

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
        self.values = QLabel(self)
        self.values.setObjectName("sasnetValues")
        self.values.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for label in (self.remarks, self.status, self.values):
            label.setWordWrap(True)
        for label in (self.remarks, self.values):
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.progress = QProgressBar(self)
        self.progress.setVisible(False)
        self.progress.setMaximumWidth(200)
        self.sample, self.solvent = QLineEdit(self), QLineEdit(self)
        for field, example, tip in (
            (self.sample, "Sample, SiO2@2.2", "What scatters, with its density in g/cm³; for neutrons"),
            (self.solvent, "Solvent, D2O", "What it is in: D2O, 40%D2O, toluene, or formula@density"),
        ):
            field.setPlaceholderText(example)
            field.setToolTip(f"{tip}. Its scattering length density is then not fitted.")
            field.setMaximumWidth(150)
        texts = (fit, "Fit all", "Send to fit page", "Open report", "Stop", "Help", "Close")
        buttons = [QPushButton(text, self) for text in texts]
        for button in buttons:
            button.setAutoDefault(False)
        self.fit_button, self.fit_all_button, self.send_button, self.report_button = buttons[:4]
        self.stop_button, self.help_button, self.close_button = buttons[4:]
        self.help_button.clicked.connect(self._help)
        self._lay_out(buttons)

    def _help(self) -> None:
        box = QMessageBox(self)
        box.setWindowTitle("Suggest model")
        box.setText(_HELP)
        box.open()

    def _lay_out(self, buttons: list[QPushButton]) -> None:
        words = QWidget(self)
        column = QVBoxLayout(words)
        column.addWidget(self.remarks)
        column.addWidget(self.values)
        column.addStretch(1)
        # Many notes do not squeeze the plot.
        scroll_area = QScrollArea(self)
        scroll_area.setWidgetResizable(True)
        scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        scroll_area.setWidget(words)
        middle = QSplitter(Qt.Orientation.Horizontal, self)
        middle.addWidget(self.plot)
        middle.addWidget(scroll_area)
        middle.setSizes([620, 540])
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(middle)
        split.addWidget(self.candidates)
        split.setSizes([330, 270])
        below = QHBoxLayout()
        below.addWidget(self.status, 1)
        below.addWidget(self.progress)
        row = QHBoxLayout()
        for widget in (self.sample, self.solvent, *buttons[:-1]):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(buttons[-1])
        layout = QVBoxLayout(self)
        layout.addWidget(self.data_table)
        layout.addWidget(split, 1)
        layout.addLayout(below)
        layout.addLayout(row)
