"""A change of shape is found and named; drift, wrong errors and one odd frame are none."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.model_free.changes import Change, Detector, pack_state, restore_state

Q = np.geomspace(0.01, 0.3, 120)


def sphere(radius: float) -> np.ndarray:
    """I(q) of spheres with a spread of 10 %, 1 at q = 0."""
    radii = radius * np.linspace(0.75, 1.25, 25)
    weight = np.exp(-0.5 * ((radii / radius - 1) / 0.1) ** 2) * radii**6
    x = Q[:, None] * radii
    each = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    return each @ weight / weight.sum()


def found(
    frames: list[np.ndarray], rng: np.random.Generator, *, error: float = 0.03, stated: float = 1.0
) -> tuple[list[Change], Detector]:
    detector, changes = Detector(), []
    for number, true in enumerate(frames, start=1):
        sigma = error * true + 1e-4
        change = detector.add(number, Q, true + sigma * rng.standard_normal(Q.size), stated * sigma)
        changes += [] if change is None else [change]
    return changes, detector


def test_a_change_of_shape_is_named_by_its_frame() -> None:
    rng = np.random.default_rng(1)
    frames = [sphere(50.0)] * 20 + [sphere(54.0)] * 20
    changes, _ = found(frames, rng)
    assert [change.first for change in changes] == [21]
    assert changes[0].seen <= 23
    assert not changes[0].gradual


def test_growth_is_named_where_it_begins() -> None:
    rng = np.random.default_rng(2)
    frames = [sphere(50.0)] * 20 + [sphere(50.0 * 1.01**k) for k in range(1, 21)]
    changes, _ = found(frames, rng)
    own = [change for change in changes if not change.goes_on]
    assert abs(own[0].first - 21) <= 3
    assert all(change.first >= 18 for change in changes)


@pytest.mark.parametrize("error", [0.003, 0.03])
@pytest.mark.parametrize("ratio", [0.6, 0.85, 1.05, 1.37, 2.0])
def test_a_jump_of_any_size_is_named_at_its_frame_and_is_not_gradual(ratio: float, error: float) -> None:
    for seed, first in enumerate((3, 5, 21)):
        frames = [sphere(49.0)] * (first - 1) + [sphere(49.0 * ratio)] * 20
        changes, _ = found(frames, np.random.default_rng(seed), error=error)
        assert [(change.first, change.gradual) for change in changes] == [(first, False)]


@pytest.mark.parametrize("first", [5, 6, 7, 8, 16])
@pytest.mark.parametrize("error", [0.01, 0.03])
def test_a_jump_within_growth_is_named_at_its_frame(first: int, error: float) -> None:
    """Wherever it lies between the frames at which growth is seen to go on."""
    radii = [49.0 - 0.6 * (first - 1 - k) for k in range(1, first)] + [67.0 + 0.6 * k for k in range(15)]
    changes, _ = found([sphere(radius) for radius in radii], np.random.default_rng(first), error=error)
    jumps = [change for change in changes if not change.gradual]
    assert [(change.first, change.goes_on) for change in jumps] == [(first, False)]


def test_growth_stays_gradual_and_is_reported_once_or_twice() -> None:
    early = 0
    for seed in range(20):
        rng = np.random.default_rng([11, seed])
        rate, first = rng.uniform(0.006, 0.02), int(rng.integers(6, 25))
        frames = [sphere(50.0 * (1 + rate * max(k - first + 1, 0))) for k in range(1, 41)]
        changes, _ = found(frames, rng, error=rng.uniform(0.005, 0.03))
        growing = [change for change in changes if change.first >= first - 3]
        early += len(changes) - len(growing)
        assert all(change.gradual or not change.is_clear for change in growing)
        own = [change for change in growing if not change.goes_on]
        assert abs(own[0].first - first) <= 3
        assert len(own) <= 2
    assert early <= 1  # of 300 frames before


@pytest.mark.parametrize(("rate", "error"), [(0.002, 0.01), (0.005, 0.03), (0.01, 0.01), (0.02, 0.03)])
@pytest.mark.parametrize("last", [30, 40])
def test_growth_from_the_first_frame_is_steady_and_begins_nowhere(
    rate: float, error: float, last: int
) -> None:
    """It is reported once, as a drift without a first frame; neither jumps nor an end are invented."""
    steady, seeds = 0, 6
    for seed in range(seeds):
        frames = [sphere(50.0 * (1 + rate * min(k, last))) for k in range(40)]
        changes, _ = found(frames, np.random.default_rng([13, seed]), error=error)
        drifts = [change for change in changes if change.gradual and not change.goes_on]
        assert len(drifts) == 1
        assert not any(change.is_clear and not change.gradual for change in changes)
        assert changes[-1].first <= last + 2
        steady += not drifts[0].has_onset
    assert steady >= seeds - 1


def test_a_small_step_is_never_called_gradual() -> None:
    for seed in range(8):
        frames = [sphere(50.0)] * 20 + [sphere(50.7)] * 15
        changes, _ = found(frames, np.random.default_rng([14, seed]), error=0.02)
        assert [change.gradual for change in changes if not change.goes_on] == [False]
        assert abs(changes[0].first - 21) <= 2


def test_one_frame_that_jumps_is_odd_in_growth_too() -> None:
    frames = [sphere(40.0 + 0.5 * k) for k in range(30)]
    frames[19] = sphere(80.0)
    changes, detector = found(frames, np.random.default_rng(12), error=0.01)
    assert detector.odd == [20]
    assert all(change.gradual for change in changes)


@pytest.mark.parametrize("stated", [0.4, 1.0, 2.5])
def test_drift_of_intensity_and_background_is_no_change_whatever_the_stated_errors(stated: float) -> None:
    rng = np.random.default_rng(3)
    shape = sphere(50.0)
    frames = [(1 + 0.3 * np.sin(k / 20)) * shape + 1e-3 * (1 + 0.02 * k) for k in range(300)]
    assert found(frames, rng, stated=stated)[0] == []


def test_one_odd_frame_is_left_out_and_no_change() -> None:
    rng = np.random.default_rng(4)
    frames = [sphere(50.0)] * 40
    frames[19] = sphere(80.0)
    changes, detector = found(frames, rng)
    assert changes == []
    assert detector.odd == [20]


def test_there_and_back_are_two_changes() -> None:
    rng = np.random.default_rng(5)
    frames = [sphere(50.0)] * 15 + [sphere(60.0)] * 15 + [sphere(50.0)] * 15
    changes, _ = found(frames, rng)
    assert [change.first for change in changes if not change.goes_on] == [16, 31]


def test_frames_on_other_q_are_compared_and_others_begin_anew() -> None:
    rng = np.random.default_rng(6)
    detector = Detector()
    for number in range(1, 41):
        true = sphere(50.0)
        sigma = 0.03 * true + 1e-4
        noisy = true + sigma * rng.standard_normal(Q.size)
        keep = slice(number % 3, None) if number <= 20 else slice(60, None)
        assert detector.add(number, Q[keep], noisy[keep], sigma[keep]) is None
    assert detector.edges is not None
    # Another range of q cannot be compared with the one before.
    assert detector.edges[0] == pytest.approx(Q[60])


def test_what_is_kept_goes_on_as_if_never_stopped() -> None:
    rng, frames = np.random.default_rng(7), [sphere(50.0)] * 20 + [sphere(53.0)] * 10
    whole, parted = Detector(), Detector()
    for number, true in enumerate(frames, start=1):
        sigma = 0.03 * true + 1e-4
        noisy = true + sigma * rng.standard_normal(Q.size)
        parted = restore_state(pack_state(parted))
        assert whole.add(number, Q, noisy, sigma) == parted.add(number, Q, noisy, sigma)


def test_what_is_kept_does_not_grow() -> None:
    _, detector = found([sphere(50.0)] * 200, np.random.default_rng(8))
    assert len(detector.newest) == detector.settings.window
    assert sum(array.size for array in pack_state(detector).values()) < 1500
