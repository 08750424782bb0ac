"""The shifted protocol: its own curves are what the file says, and it shares no code with training."""

import ast
from pathlib import Path

import numpy as np
import pytest

from benchmarks.curves import shifted_protocol as shifted


@pytest.mark.parametrize("protocol", sorted(shifted.SETS))
def test_a_curve_of_each_set_is_what_the_file_says(protocol):
    rng = np.random.default_rng(1)
    found = next(f for f in (shifted.measure("sphere", protocol, rng) for _ in range(60)) if f)
    assert np.all(np.diff(found.q) >= 0)
    assert found.q.size == {"grid": 100, "sans": 112, "saxs": 500}[protocol]
    assert found.intensity.shape == found.q.shape
    assert (found.dq is not None) == (protocol == "sans")
    assert found.size > 0


def test_the_resolution_is_a_gaussian_of_the_stated_width(monkeypatch):
    q = np.linspace(0.05, 0.15, 11)
    # Of I = q²: the average over a Gaussian of relative width s is q² (1 + s²).
    curve, _ = shifted.clean("line", q, 0.0, np.random.default_rng(2))
    blurred, _ = shifted.clean("line", q, 0.06, np.random.default_rng(2))
    np.testing.assert_allclose(blurred, curve, rtol=2e-3)


def test_a_power_law_says_nothing_and_a_sphere_something():
    q = np.geomspace(0.005, 0.3, 80)
    x = 60 * q
    sphere = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 1e-3
    power = (q / q[0]) ** -2.5 + 0.01
    assert shifted.says_nothing(q, power, 0.02 * power)
    assert not shifted.says_nothing(q, sphere, 0.02 * sphere)


def test_what_is_saved_is_read_again(tmp_path):
    rng = np.random.default_rng(3)
    made = [m for m in (shifted.measure("sphere", "saxs", rng) for _ in range(8)) if m]
    shifted.save(tmp_path / "some.npz", made)
    again = shifted.load(tmp_path / "some.npz")
    assert len(again) == len(made) > 1
    for one, other in zip(made, again, strict=True):
        assert (one.model, one.protocol, one.size) == (other.model, other.protocol, other.size)
        np.testing.assert_array_equal(one.intensity, other.intensity)
        assert (one.dintensity is None) == (other.dintensity is None)


def test_it_imports_nothing_that_simulates_or_measures_for_training():
    tree = ast.parse(Path(shifted.__file__).read_text(encoding="utf-8"))
    modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
    assert not [m for m in modules if m.startswith("sasnet_plugin.simulate")]
