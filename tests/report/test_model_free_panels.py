"""What a curve says without a model, drawn: each panel shows its number, or says why there is none."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from sasnet_plugin.report.plot import TITLES, draw_panels
from sasnet_plugin.types import Curve

Q = np.geomspace(0.004, 0.3, 150)


def drawn(intensity: np.ndarray) -> dict[str, tuple[list[str], list[np.ndarray]]]:
    """Texts and lines by title."""
    sigma = 0.02 * intensity
    curve = Curve(Q, intensity + sigma * np.random.default_rng(1).standard_normal(Q.size), sigma)
    axes = Figure().subplots(1, len(TITLES))
    draw_panels(list(axes), curve, curve.model_free())
    return {
        one.get_title(): ([text.get_text() for text in one.texts], [line.get_xydata() for line in one.lines])
        for one in axes
    }


def test_distances_of_a_sphere_end_at_its_diameter() -> None:
    x = Q * 50
    texts, (line, *_) = drawn((3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 1e-4)["Pair distances"]
    assert any(text.startswith("D_max") for text in texts)
    r, p = line.T
    assert r[p > 0.01 * p.max()].max() == pytest.approx(100, rel=0.1)
    assert r[p.argmax()] == pytest.approx(52.5, rel=0.06)  # of a sphere at 0.525 diameters


def test_where_there_is_no_guinier_region_the_data_are_drawn_and_three_panels_say_so() -> None:
    found = drawn(1e-4 / Q**3)
    for title, power in (("Guinier", 0), ("Kratky", 2), ("Pair distances", None)):
        texts, lines = found[title]
        assert "q^-" in " ".join(texts) or "Guinier" in " ".join(texts)
        assert len(lines) == (power is not None)
    (points,) = found["Guinier"][1]
    np.testing.assert_allclose(points[:, 1], np.log(1e-4) - 1.5 * np.log(points[:, 0] / 1e3), atol=0.1)
    (points,) = found["Kratky"][1]
    np.testing.assert_allclose(points[:, 1] * points[:, 0], 1e-4, rtol=0.1)
