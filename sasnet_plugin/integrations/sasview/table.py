"""A small plot of I(q), both axes logarithmic: data with error bars, and a curve over them.

Painted directly: a drawing of matplotlib takes a tenth of a second and more of the window's thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPen, QPixmap, QPolygonF
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

# --- A small plot of I(q), both axes logarithmic: data with error bars, and a curve over them.

_DATA, _CURVE, _FRAME = QColor("#1f77b4"), QColor("#d62728"), QColor("#777777")
_ERROR = QColor("#a9cbe6")
_BAND = QColor("#e8e8e8")
#: Of the height, for the residuals.
_STRIP = 0.26
_MARGINS = (58, 22, 12, 40)  # left, top, right, bottom


class Plot(QWidget):
    """Data and one curve."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data: dict[str, Any] | None = None
        self._curve: tuple[Sequence[float], Sequence[float]] | None = None
        self.title = ""
        self._residuals: Sequence[float | None] | None = None
        self.setMinimumSize(320, 220)

    def show_data(self, data: dict[str, Any] | None) -> None:
        """The data (CURVE of the protocol), without a curve."""
        self._data, self._curve, self.title, self._residuals = data, None, "", None
        self.update()

    def show_curve(
        self,
        curve: tuple[Sequence[float], Sequence[float]] | None,
        title: str,
        residuals: Sequence[float | None] | None = None,
    ) -> None:
        """A curve over the data: q in Å⁻¹, intensity; below it (I - fit) / σ of a fit."""
        self._curve, self.title, self._residuals = curve, title, residuals
        self.update()

    def sizeHint(self) -> QSize:  # Qt's name
        return QSize(460, 320)

    def paintEvent(self, event: Any) -> None:  # Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint(painter, QRectF(self.rect()), self._data, self._curve, self.title, _MARGINS, self._residuals)
        painter.end()


def thumbnail(data: dict[str, Any] | None, size: QSize) -> QPixmap:
    """A picture of the data without axes."""
    picture = QPixmap(size)
    picture.fill(Qt.GlobalColor.white)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint(painter, QRectF(0, 0, size.width(), size.height()), data, None, "", (2, 2, 2, 2))
    painter.end()
    return picture


@dataclass(frozen=True)
class _Scales:
    """Decades that a box shows: from and to, across and up."""

    box: QRectF
    across: tuple[float, float]
    up: tuple[float, float]

    def place(self, x: float, y: float) -> QPointF:
        """Where q in Å⁻¹ and I in the data's unit are drawn."""
        right = (math.log10(x) - self.across[0]) / (self.across[1] - self.across[0])
        high = (math.log10(y) - self.up[0]) / (self.up[1] - self.up[0])
        # Qt paints coordinates far outside slowly.
        return QPointF(
            self.box.left() + right * self.box.width(),
            self.box.bottom() - min(max(high, -1.0), 2.0) * self.box.height(),
        )


def paint(
    painter: QPainter,
    area: QRectF,
    data: dict[str, Any] | None,
    curve: tuple[Sequence[float], Sequence[float]] | None,
    title: str,
    margins: tuple[int, int, int, int],
    residuals: Sequence[float | None] | None = None,
) -> None:
    """Draw into an area; labels only where the margins leave room for them, residuals in a strip below."""
    painter.fillRect(area, Qt.GlobalColor.white)
    left_margin, top, right, bottom = margins
    box = area.adjusted(left_margin, top, -right, -bottom)
    labelled = left_margin > 20
    strip = QRectF(box)
    if residuals is not None and curve is not None:
        box.setBottom(box.bottom() - _STRIP * box.height())
        strip.setTop(box.bottom() + 18)
    if labelled:
        painter.setPen(QPen(_FRAME))
        painter.drawRect(box)
    points = _positive_points(data["q"], data["intensity"]) if data else []
    if not points:
        return
    scales = _Scales(
        box, _range([x for x, _ in points], 0.03), _range(_drop_depths([y for _, y in points]), 0.06)
    )
    if labelled:
        _axes(painter, box, scales.across, scales.up, strip.bottom())
        painter.drawText(QRectF(2, 2, 160, 16), Qt.AlignmentFlag.AlignLeft, _intensity_label(data))
        painter.drawText(QRectF(box.left(), 2, box.width(), top - 4), Qt.AlignmentFlag.AlignCenter, title)
    painter.save()
    painter.setClipRect(box)
    _draw_points(painter, data or {}, points, scales.place, 2.2 if labelled else 1.1)
    if curve is not None:
        painter.setPen(QPen(_CURVE, 2.0))
        painter.drawPolyline(QPolygonF([scales.place(x, y) for x, y in _positive_points(*curve)]))
    painter.restore()
    if residuals is not None and curve is not None:
        _draw_residuals(painter, strip, _place_residuals(scales, curve[0], residuals))


def _intensity_label(data: dict[str, Any] | None) -> str:
    unit = str((data or {}).get("intensity_unit") or "")
    return f"I / {unit}" if unit else "I, unit not given"


def _place_residuals(
    scales: _Scales, q: Sequence[float], residuals: Sequence[float | None]
) -> list[tuple[float, float]]:
    return [(scales.place(x, 1.0).x(), r) for x, r in zip(q, residuals, strict=False) if r is not None]


def _positive_points(q: Sequence[Any], intensity: Sequence[Any]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in zip(q, intensity, strict=True) if _positive(x) and _positive(y)]


def _draw_residuals(painter: QPainter, strip: QRectF, points: list[tuple[float, float]]) -> None:
    """(I - fit) / σ at each place across; the grey band holds two standard deviations either way."""
    sizes = sorted(abs(r) for _, r in points)
    bound = max(3.0, 1.15 * sizes[int(0.98 * (len(sizes) - 1))]) if sizes else 3.0

    def height(value: float) -> float:
        return strip.center().y() - min(max(value / bound, -1.0), 1.0) * strip.height() / 2

    painter.fillRect(QRectF(strip.left(), height(2), strip.width(), height(-2) - height(2)), _BAND)
    painter.setPen(QPen(_FRAME))
    painter.drawRect(strip)
    painter.drawLine(QPointF(strip.left(), height(0)), QPointF(strip.right(), height(0)))
    for tick in (round(0.7 * bound), 0, -round(0.7 * bound)):
        label_area = QRectF(0, height(tick) - 8, strip.left() - 4, 16)
        painter.drawText(label_area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{tick}")
    painter.drawText(
        QRectF(strip.left(), strip.top() - 17, 120, 16), Qt.AlignmentFlag.AlignLeft, "(I − fit) / σ"
    )
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_CURVE)
    for x, value in points:
        if (
            strip.left() <= x <= strip.right()
        ):  # one whose intensity the axis above cannot show may lie outside
            painter.drawEllipse(QPointF(x, height(value)), 1.8, 1.8)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_points(painter: QPainter, data: dict[str, Any], points: Any, place: Any, radius: float) -> None:
    if data.get("dintensity") is not None and radius > 2:
        _draw_errors(painter, data, place)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_DATA)
    for x, y in points:
        painter.drawEllipse(place(x, y), radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_errors(painter: QPainter, data: dict[str, Any], place: Any) -> None:
    painter.setPen(QPen(_ERROR, 1.0))
    for x, y, e in zip(data["q"], data["intensity"], data["dintensity"], strict=True):
        if y > 0 and _positive(e):
            painter.drawLine(place(x, max(y - e, y * 1e-3)), place(x, y + e))


def _axes(
    painter: QPainter, box: QRectF, xs: tuple[float, float], ys: tuple[float, float], lowest: float
) -> None:
    font = QFont(painter.font())
    font.setPointSizeF(8.5)
    painter.setFont(font)
    for value, text in _ticks(*xs):
        x = box.left() + (value - xs[0]) / (xs[1] - xs[0]) * box.width()
        painter.drawLine(QPointF(x, box.bottom()), QPointF(x, box.bottom() - (6 if text else 3)))
        place = QRectF(x - 40, lowest + 2, 80, 16)
        painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)
    for value, text in _ticks(*ys):
        y = box.bottom() - (value - ys[0]) / (ys[1] - ys[0]) * box.height()
        painter.drawLine(QPointF(box.left(), y), QPointF(box.left() + (6 if text else 3), y))
        place = QRectF(0, y - 8, box.left() - 4, 16)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
    below = QRectF(box.left(), lowest + 18, box.width(), 18)
    painter.drawText(below, Qt.AlignmentFlag.AlignCenter, "q / Å⁻¹")


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Positions (log10) and labels; small ticks have none."""
    ticks = []
    multiples = (1, 2, 5) if high - low < 1.3 else (1,)
    for decade in range(math.floor(low), math.ceil(high) + 1):
        for times in range(1, 10):
            value = decade + math.log10(times)
            if low <= value <= high:
                ticks.append((value, f"{times * 10.0**decade:g}" if times in multiples else ""))
    return ticks


def _range(values: list[float], room: float) -> tuple[float, float]:
    low, high = math.log10(min(values)), math.log10(max(values))
    room = max(room * (high - low), 0.02)
    return low - room, high + room


def _drop_depths(values: list[float]) -> list[float]:
    """Values above a quarter of the 5th percentile: noise about zero would stretch the logarithmic axis."""
    floor = sorted(values)[len(values) // 20] / 4
    return [value for value in values if value >= floor]


def _positive(value: Any) -> bool:
    return isinstance(value, float | int) and math.isfinite(value) and value > 0


# --- The window of Fitting -> Suggest model… laid out, and its tables: data sets, and the
# --- candidates of one.

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
