"""One damaged value in a good file is excluded and named; peaks, minima and settings are not damage."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.data.damaged import exclude_damaged
from sasnet_plugin.data.raw import RawCurve


def sphere(radius: float = 60.0, n: int = 160, *, seed: int = 1) -> RawCurve:
    rng = np.random.default_rng(seed)
    q = np.geomspace(0.005, 0.3, n)
    x = q * radius
    intensity = 30 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 0.05
    error = 0.02 * intensity + 0.002
    return RawCurve(q, intensity + error * rng.standard_normal(n), error)


def changed(raw: RawCurve, name: str, k: int, value: float) -> RawCurve:
    columns = {key: getattr(raw, key).copy() for key in ("q", "intensity", "dintensity")}
    columns[name][k] = value
    return RawCurve(**columns)


@pytest.mark.parametrize("k", [12, 40, 80, 120])
@pytest.mark.parametrize("factor", [1e6, 1e3, 10.0, 0.5, 1e-3, 1e-6, -1.0])
def test_a_damaged_intensity_is_excluded(k: int, factor: float) -> None:
    good = sphere()
    if abs(good.intensity[k] * (factor - 1)) < 15 * good.dintensity[k]:  # type: ignore[index]
        pytest.skip("within what noise can do")
    notes: list[str] = []
    left = exclude_damaged(changed(good, "intensity", k, factor * good.intensity[k]), notes)
    np.testing.assert_array_equal(left.q, np.delete(good.q, k))
    assert len(notes) == 1
    assert "damaged" in notes[0]


@pytest.mark.parametrize("k", [1, 12, 80, 158, 159])
@pytest.mark.parametrize("value", [1e-320, 5e-9, 3e4, 1e300])
def test_a_damaged_q_is_excluded(k: int, value: float) -> None:
    good = sphere()
    notes: list[str] = []
    left = exclude_damaged(changed(good, "q", k, value), notes)
    np.testing.assert_array_equal(left.intensity, np.delete(good.intensity, k))
    assert len(notes) == 1


def test_swapped_tokens_are_excluded() -> None:
    good = sphere()
    both = changed(changed(good, "q", 30, good.intensity[30]), "intensity", 30, good.q[30])
    notes: list[str] = []
    assert exclude_damaged(both, notes).q.size == good.q.size - 1
    assert len(notes) == 1


def test_a_file_in_descending_order_is_looked_at_as_well() -> None:
    good = sphere()
    down = RawCurve(*(getattr(good, name)[::-1] for name in ("q", "intensity", "dintensity")))
    notes: list[str] = []
    assert exclude_damaged(down, notes).q.size == good.q.size
    assert exclude_damaged(changed(down, "q", 30, 1e-12), notes).q.size == good.q.size - 1


@pytest.mark.parametrize("seed", range(12))
def test_a_good_curve_keeps_all_its_points(seed: int) -> None:
    notes: list[str] = []
    for radius in (30.0, 60.0, 200.0, 600.0):
        good = sphere(radius, 80 + 20 * seed, seed=seed)
        assert exclude_damaged(good, notes) is good
    assert not notes


def test_a_bragg_peak_of_one_point_keeps_it() -> None:
    """Its uncertainty grows with it, as counts do."""
    good = sphere()
    height = 40 * good.intensity[70]
    peak = changed(good, "intensity", 70, height)
    peak.dintensity[70] *= np.sqrt(40.0)  # type: ignore[index]
    notes: list[str] = []
    assert exclude_damaged(peak, notes).q.size == good.q.size


def test_two_rows_that_changed_places_and_two_settings_are_sorted_not_damaged() -> None:
    good = sphere()
    order = np.arange(160)
    order[[50, 51]] = order[[51, 50]]
    notes: list[str] = []
    assert exclude_damaged(good.take_rows(order), notes).q.size == 160
    settings = good.take_rows(np.concatenate([np.arange(100), np.arange(60, 160)]))
    assert exclude_damaged(settings, notes).q.size == 200
    assert not notes


def test_a_grid_that_begins_next_to_zero_keeps_its_first_point() -> None:
    q = 0.001 * np.arange(100) + 1e-5
    intensity = 20 * np.exp(-((q * 40) ** 2) / 3) + 0.1
    notes: list[str] = []
    assert exclude_damaged(RawCurve(q, intensity, 0.02 * intensity), notes).q.size == 100


def test_many_odd_points_are_the_data_not_damage() -> None:
    odd = sphere()
    odd.intensity[20:140:10] *= 50
    notes: list[str] = []
    assert exclude_damaged(odd, notes).q.size == 160
    assert not notes


@pytest.mark.parametrize("value", [1e-320, 1e300])
def test_an_extreme_uncertainty_is_no_reason_to_drop_a_point_or_to_hang(value: float) -> None:
    good = sphere()
    notes: list[str] = []
    assert exclude_damaged(changed(good, "dintensity", 80, value), notes).q.size == 160


def test_one_resolution_far_off_is_replaced() -> None:
    good = sphere()
    width = 0.03 * good.q
    width[50] *= 1e6
    notes: list[str] = []
    found = exclude_damaged(RawCurve(good.q, good.intensity, good.dintensity, dq=width), notes)
    np.testing.assert_allclose(found.dq, 0.03 * good.q, rtol=0.03)
    assert len(notes) == 1


def test_rows_that_will_be_dropped_are_no_neighbours_of_a_resolution() -> None:
    good = sphere(n=8)
    dq = 0.1 * good.q
    bad = np.ones(10)  # q = 0, or no intensity beside the last point, with a resolution of 1
    raw = RawCurve(
        q=np.concatenate([0 * bad[:8], 0.29 * bad[:2], good.q]),
        intensity=np.concatenate([bad[:8], np.nan * bad[:2], good.intensity]),
        dintensity=np.concatenate([bad, good.dintensity]),
        dq=np.concatenate([bad, dq]),
    )
    notes: list[str] = []
    left = exclude_damaged(raw, notes)
    assert left.dq is not None
    np.testing.assert_array_equal(left.dq[-good.q.size :], dq)
    assert notes == []
