"""The beamstop's shadow is left out and comes back; repulsion and peaks are none."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.data.clean import cut_to_q_range
from sasnet_plugin.data.shadow import count_shadowed, percus_yevick
from sasnet_plugin.fitting.request import OPTIONS, FileRequest
from sasnet_plugin.types import Curve

Q = np.geomspace(0.002, 0.3, 200)


def measured(clean: np.ndarray, seed: int = 1, floor: float = 1e-4) -> Curve:
    """With 2 % noise on a floor of the strongest intensity."""
    sigma = np.hypot(0.02 * clean, floor * clean.max())
    return Curve(Q, clean + sigma * np.random.default_rng(seed).normal(size=Q.size), sigma)


def guinier(rg: float) -> np.ndarray:
    return 100 * np.exp(-((Q * rg) ** 2) / 3) + 0.05


def beamstop(edge: float, width: float, floor: float = 0.0) -> np.ndarray:
    """What it lets pass: a logistic of the width, relative to q at its edge, from a floor on."""
    return floor + (1 - floor) / (1 + np.exp(-(Q - edge) / (width * edge)))


@pytest.mark.parametrize("width", [0.01, 0.03, 0.06])
@pytest.mark.parametrize("clean", [guinier(30), guinier(150), 1e-6 * Q**-3 + 0.05, 10 / (1 + (60 * Q) ** 2)])
def test_a_shadow_is_found_up_to_where_it_ends(clean: np.ndarray, width: float) -> None:
    passed = beamstop(0.006, width)
    curve = measured(clean * passed)
    hidden = count_shadowed(curve)
    assert passed[hidden] > 0.85
    assert Q[hidden] < 0.006 * (1 + 8 * width) * 1.2


@pytest.mark.parametrize("fraction", [0.2, 0.35, 0.45, 0.5])
@pytest.mark.parametrize("below", [0.1, 0.3, 0.6])
def test_hard_spheres_are_no_shadow(fraction: float, below: float) -> None:
    radius = 3.5 / (Q[0] / below)  # the first peak lies about 7 over the diameter
    clean = percus_yevick(fraction, 2 * radius * Q) * np.exp(-((Q * radius) ** 2) / 5) * 50 + 1e-4
    assert count_shadowed(measured(clean, floor=1e-5)) == 0


def test_a_peak_of_a_lattice_on_nothing_is_no_shadow() -> None:
    assert count_shadowed(measured(50 / (1 + ((Q - 0.03) / 0.001) ** 2) + 0.001, floor=1e-5)) == 0


def test_plain_curves_are_none() -> None:
    for seed, clean in enumerate([guinier(30), guinier(300), 1e-6 * Q**-3, np.full(Q.size, 2.0), 1 + 10 * Q]):
        assert count_shadowed(measured(clean, seed)) == 0


def test_percus_yevick_at_zero_is_the_compressibility() -> None:
    for fraction in (0.1, 0.3, 0.5):
        zero = (1 - fraction) ** 4 / (1 + 2 * fraction) ** 2
        assert percus_yevick(fraction, np.array([0.1]))[0] == pytest.approx(zero, rel=0.01)


def test_points_are_left_out_named_and_taken_back(write) -> None:
    shade = measured(guinier(60) * beamstop(0.006, 0.03))
    path = write(shade.q, shade.intensity, shade.dintensity)
    (curve,) = load(path)
    assert curve.shadow is not None
    left = len(curve.shadow)
    (note,) = (note for note in curve.notes if "shadow" in note)
    assert note.startswith(f"{left} points lie in the beamstop's shadow")
    assert "--q-range 0:" in note

    def cut(given: str) -> Curve:
        window = FileRequest(q_range=OPTIONS["q_range"].parse(given)).window
        assert window is not None
        return cut_to_q_range(curve, *window)

    for given in ("0:", "0.001:1", "0:0.3"):
        whole = cut(given)
        np.testing.assert_allclose(whole.q, Q)
        np.testing.assert_allclose(whole.intensity, shade.intensity, rtol=1e-8)
        assert whole.dintensity is not None
        assert any("seem to lie in the beamstop's shadow" in note for note in whole.notes)
        assert note not in whole.notes
    part = cut("0.004:0.1")
    assert 0.004 <= part.q[0] < curve.q[0]
    # A range that leaves the lower end open leaves the shadow out.
    open_end = cut(":0.1")
    assert open_end.q[0] == curve.q[0]
    assert open_end.q[-1] <= 0.1
    above = cut("0.02:0.1")
    assert above.q[0] >= 0.02
    assert not any("shadow" in note for note in above.notes)


def test_a_shadow_in_noise_around_zero_and_without_uncertainties() -> None:
    clean = 26 * np.exp(-((Q * 40) ** 2) / 3) * beamstop(0.007, 0.04)
    rng = np.random.default_rng(3)
    noisy = clean + 0.8 * rng.normal(size=Q.size)
    assert Q[count_shadowed(Curve(Q, noisy, np.full(Q.size, 0.8)))] > 0.007
    quiet = clean + 0.1 * rng.normal(size=Q.size)
    assert Q[count_shadowed(Curve(Q, quiet))] > 0.0065


def test_equal_q_and_no_uncertainties_are_no_division_by_zero() -> None:
    """Settings laid over each other have each q several times; warnings are errors here."""
    q = np.repeat(Q[::8], 4)
    clean = (1 + 100 * np.exp(-((q * 30) ** 2) / 3)) * (0.01 + 1 / (1 + np.exp(-(q - 0.006) / 0.0002)))
    for sigma in (np.zeros_like(q), 0.01 * clean, np.where(q < 0.004, 0.0, 0.01 * clean)):
        assert 0 <= count_shadowed(Curve(q, clean, sigma)) < q.size


def _lattice(squares: list[int], first: float, width: float, q: np.ndarray) -> np.ndarray:
    """Gaussian peaks of a cubic lattice at the square roots of h² + k² + l², on little between them."""
    at = first * np.sqrt(np.array(squares) / squares[0])
    peaks = sum(np.exp(-0.5 * ((q - one) / (width * one)) ** 2) / (k + 1) for k, one in enumerate(at))
    return 100 * np.asarray(peaks) + 0.3


@pytest.mark.parametrize("squares", [[1, 2, 3, 4], [2, 4, 6, 8], [3, 4, 8, 11, 12]])
@pytest.mark.parametrize("width", [0.02, 0.04])
@pytest.mark.parametrize("first", [0.024, 0.0253, 0.0261])
def test_peaks_of_a_lattice_are_no_edge(squares: list[int], width: float, first: float) -> None:
    """However the points fall on the first peak, and though the next one follows at 1.15 times its q."""
    q = np.linspace(0.005, 0.15, 112)
    clean = _lattice(squares, first, width, q)
    sigma = 0.03 * clean
    noisy = clean + sigma * np.random.default_rng(2).normal(size=q.size)
    assert count_shadowed(Curve(q, noisy, sigma)) == 0
