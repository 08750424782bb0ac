"""A small plot of I(q), both axes logarithmic: data with error bars, and a curve over them.

Painted directly: a drawing of matplotlib takes a tenth of a second and more of the window's thread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QWidget

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
