"""The figure of a fit: the best fit on top, the data with their errors, and the answer in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin import fit
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.report.plot import answer_text, fit_figure, plot_fits
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve


@pytest.fixture(scope="module")
def result() -> FitResult:
    q = np.geomspace(0.005, 0.3, 60)
    clean = 0.01 * call("sphere", q, {"radius": 60.0, "sld": 4.0, "sld_solvent": 1.0}).intensity + 0.02
    noise = np.random.default_rng(1).standard_normal(q.size)
    curve = Curve(q, clean * (1 + 0.03 * noise), 0.03 * clean, file="cost $5.dat", entry="cost $5")
    models = ["sphere", "ellipsoid"]
    return fit(curve, models=models, structure_factor="none", time_limit=60, workers=1, progress=False)


def test_the_best_fit_lies_on_top_of_the_points_and_of_the_others(result: FitResult) -> None:
    upper, lower = fit_figure(result).axes
    names = [text.get_text() for text in upper.get_legend().get_texts()]
    assert len(names) == 2
    assert all("χ²" in name for name in names)
    assert names[0].startswith(result.fits[0].short_name)
    drawn = {line.get_gid(): line for line in (*upper.lines, *lower.lines)}
    best = max(upper.lines, key=lambda line: line.get_zorder())
    assert best is drawn["line1"]
    assert best.get_ydata() == pytest.approx(result.fits[0].theory)
    assert len(drawn["bars1"].get_xdata()) == 3 * len(result.curve)
    assert "residual1" in drawn


def test_the_answer_stands_above_the_figure(result: FitResult, tmp_path: Path) -> None:
    title = fit_figure(result).axes[0].get_title(loc="left")
    words = " ".join(title.split())
    assert " ".join(result.verdict.headline.split()) in words
    assert r"cost \$5.dat" in words, "no mathematics"
    assert words.count("cost") == 1
    assert max(map(len, answer_text(result, 50).splitlines())) <= 52
    assert plot_fits(tmp_path / "two.png", [result, result]) == 2
    assert (tmp_path / "two.png").stat().st_size > 10_000
