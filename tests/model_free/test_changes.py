"""A change of shape is found and named; drift, wrong errors and one odd frame are none."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.model_free.changes import Change, Detector, kept, restored

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
        parted = restored(kept(parted))
        assert whole.add(number, Q, noisy, sigma) == parted.add(number, Q, noisy, sigma)


def test_what_is_kept_does_not_grow() -> None:
    _, detector = found([sphere(50.0)] * 200, np.random.default_rng(8))
    assert len(detector.newest) == detector.settings.window
    assert sum(array.size for array in kept(detector).values()) < 1500
