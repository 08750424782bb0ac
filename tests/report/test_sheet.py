"""A sheet of many curves: a cell for each, the likeliest model's curve through the data."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.report.plot import COLUMNS, sheet
from sasnet_plugin.types import Curve


def _coil(rg: float) -> Curve:
    """Debye's function: no minima, which resolution would fill."""
    q = np.geomspace(0.005, 0.3, 60)
    x = (q * rg) ** 2
    intensity = 200 * (np.exp(-x) + x - 1) / x**2 + 0.01
    return Curve(q, intensity, 0.03 * intensity, file=f"folder/r{rg:.0f}.dat")


def test_each_curve_has_a_cell_with_the_curve_of_its_likeliest_model_through_the_data() -> None:
    curves = [_coil(rg) for rg in (30.0, 40.0, 50.0, 60.0, 70.0)]
    answers = open_predictor().answers(curves)
    figure = sheet(list(zip(curves, answers, strict=True)))
    assert len(figure.axes) == len(curves) > COLUMNS
    for axes, curve in zip(figure.axes, curves, strict=True):
        assert axes.get_title().startswith(curve.file.partition("/")[2])
        assert "%" in axes.get_title()
        data, line = axes.lines
        near = np.interp(np.log(curve.q), np.log(line.get_xdata()), np.log(line.get_ydata()))
        assert np.median(np.abs(near - np.log(curve.intensity))) < 0.3


def test_a_cell_without_a_line_says_why_and_the_foot_says_what_a_line_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sasnet_plugin.report.plot.nearest_simulated", lambda *asked: None)
    curve = _coil(40.0)
    figure = sheet([(curve, open_predictor().answers([curve])[0])])
    assert "none of its curves is near" in figure.axes[0].get_title()
    assert "no fit" in figure.texts[0].get_text()
