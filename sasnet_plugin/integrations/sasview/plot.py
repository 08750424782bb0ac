"""A small plot of I(q), both axes logarithmic: data with error bars, and a curve over them.

Painted directly: a drawing of matplotlib takes a tenth of a second and more of the window's thread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

_DATA, _CURVE, _FRAME = QColor("#1f77b4"), QColor("#d62728"), QColor("#777777")
_MARGINS = (58, 22, 12, 40)  # left, top, right, bottom


class Plot(QWidget):
    """Data and one curve."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data: dict[str, Any] | None = None
        self._curve: tuple[Sequence[float], Sequence[float]] | None = None
        self._title = ""
        self.setMinimumSize(320, 240)

    def show_data(self, data: dict[str, Any] | None) -> None:
        """The data (CURVE of the protocol), without a curve."""
        self._data, self._curve, self._title = data, None, ""
        self.update()

    def show_curve(self, curve: tuple[Sequence[float], Sequence[float]] | None, title: str) -> None:
        """A curve over the data: q in Å⁻¹, intensity in cm⁻¹."""
        self._curve, self._title = curve, title
        self.update()

    def sizeHint(self) -> QSize:  # Qt's name
        """As large as a table beside it."""
        return QSize(460, 320)

    def paintEvent(self, event: Any) -> None:  # Qt's name
        """Draw."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint(painter, QRectF(self.rect()), self._data, self._curve, self._title, _MARGINS)
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


def paint(
    painter: QPainter,
    area: QRectF,
    data: dict[str, Any] | None,
    curve: tuple[Sequence[float], Sequence[float]] | None,
    title: str,
    margins: tuple[int, int, int, int],
) -> None:
    """Draw into an area; labels only where the margins leave room for them."""
    painter.fillRect(area, Qt.GlobalColor.white)
    points = [(x, y) for x, y in zip(data["q"], data["intensity"], strict=True) if y > 0] if data else []
    left, top, right, bottom = margins
    box = area.adjusted(left, top, -right, -bottom)
    labelled = left > 20
    if labelled:
        painter.setPen(QPen(_FRAME))
        painter.drawRect(box)
    if not points:
        return
    xs = _range([x for x, _ in points], 0.03)
    ys = _range(_without_depths([y for _, y in points]), 0.06)

    def place(x: float, y: float) -> QPointF:
        across = (math.log10(x) - xs[0]) / (xs[1] - xs[0])
        up = (math.log10(y) - ys[0]) / (ys[1] - ys[0])
        # Qt paints coordinates far outside slowly.
        return QPointF(
            box.left() + across * box.width(), box.bottom() - min(max(up, -1.0), 2.0) * box.height()
        )

    if labelled:
        _axes(painter, box, xs, ys)
        painter.drawText(QRectF(box.left(), 2, box.width(), top - 4), Qt.AlignmentFlag.AlignCenter, title)
    painter.save()
    painter.setClipRect(box)
    _draw_points(painter, data or {}, points, place, 2.2 if labelled else 1.1)
    if curve is not None:
        line = [place(x, y) for x, y in zip(*curve, strict=True) if _positive(x) and _positive(y)]
        painter.setPen(QPen(_CURVE, 2.0))
        painter.drawPolyline(QPolygonF(line))
    painter.restore()


def _draw_points(painter: QPainter, data: dict[str, Any], points: Any, place: Any, radius: float) -> None:
    errors = data.get("dintensity")
    if errors is not None and radius > 2:
        painter.setPen(QPen(_DATA.lighter(150), 1.0))
        for x, y, e in zip(data["q"], data["intensity"], errors, strict=True):
            if y > 0 and _positive(e):
                painter.drawLine(place(x, max(y - e, y * 1e-3)), place(x, y + e))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_DATA)
    for x, y in points:
        painter.drawEllipse(place(x, y), radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _axes(painter: QPainter, box: QRectF, xs: tuple[float, float], ys: tuple[float, float]) -> None:
    font = QFont(painter.font())
    font.setPointSizeF(8.5)
    painter.setFont(font)
    for value, text in _ticks(*xs):
        x = box.left() + (value - xs[0]) / (xs[1] - xs[0]) * box.width()
        painter.drawLine(QPointF(x, box.bottom()), QPointF(x, box.bottom() - (6 if text else 3)))
        place = QRectF(x - 40, box.bottom() + 2, 80, 16)
        painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)
    for value, text in _ticks(*ys):
        y = box.bottom() - (value - ys[0]) / (ys[1] - ys[0]) * box.height()
        painter.drawLine(QPointF(box.left(), y), QPointF(box.left() + (6 if text else 3), y))
        place = QRectF(0, y - 8, box.left() - 4, 16)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
    below = QRectF(box.left(), box.bottom() + 18, box.width(), 18)
    painter.drawText(below, Qt.AlignmentFlag.AlignCenter, "q / Å⁻¹")
    painter.drawText(QRectF(2, 2, 80, 16), Qt.AlignmentFlag.AlignLeft, "I / cm⁻¹")


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Positions (log10) and labels; small ticks have none."""
    ticks = []
    few = high - low < 1.3
    for decade in range(math.floor(low), math.ceil(high) + 1):
        for times in range(1, 10):
            value = decade + math.log10(times)
            if low <= value <= high:
                named = times == 1 or (few and times in (2, 5))
                ticks.append((value, f"{times * 10.0**decade:g}" if named else ""))
    return ticks


def _range(values: list[float], room: float) -> tuple[float, float]:
    low, high = math.log10(min(values)), math.log10(max(values))
    room = max(room * (high - low), 0.02)
    return low - room, high + room


def _without_depths(values: list[float]) -> list[float]:
    """Values above a quarter of the 5th percentile: noise about zero would stretch the logarithmic axis."""
    floor = sorted(values)[len(values) // 20] / 4
    return [value for value in values if value >= floor]


def _positive(value: Any) -> bool:
    return isinstance(value, float | int) and math.isfinite(value) and value > 0
