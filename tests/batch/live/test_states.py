"""What is said of a change: jumps in series that drift, upturns, and what kind of sample it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from sasnet_plugin.batch.live.line import Said
from sasnet_plugin.batch.live.states import SHAPE, Ask, Changed, States, different, states_of
from sasnet_plugin.model_free.changes import Upturn
from sasnet_plugin.predict import open_predictor
from sasnet_plugin.types import Curve

Q = np.geomspace(0.004, 0.35, 160)


def sphere(radius: float) -> np.ndarray:
    """I(q) of spheres of 10 % polydispersity, cm⁻¹."""
    steps = np.linspace(-4, 4, 81)
    radii, weight = radius * (1 + 0.1 * steps), np.exp(-(steps**2) / 2)
    x = Q[:, None] * radii
    volume = radii**3
    amplitude = volume * 3 * (np.sin(x) - x * np.cos(x)) / x**3
    return 2e-5 * (amplitude**2 @ weight) / (volume @ weight) + 0.003


def measured(frames: Sequence[np.ndarray], seed: int, error: float = 0.01) -> list[Curve]:
    rng = np.random.default_rng(seed)
    sigmas = [error * np.sqrt(true**2 + 0.2 * true) for true in frames]
    return [
        Curve(Q, true + sigma * rng.standard_normal(Q.size), sigma, file=f"{place}.dat")
        for place, (true, sigma) in enumerate(zip(frames, sigmas, strict=True))
    ]


@pytest.fixture(scope="module")
def ask() -> Ask:
    return open_predictor().outcomes


def told(
    ask: Ask, curves: Sequence[Curve], kept: Callable[[States], States] = lambda one: one
) -> list[Changed]:
    states, changes = States(ask), []
    for number, curve in enumerate(curves, start=1):
        states = kept(states)
        changes.append(states.add(number, curve))
    return [change for change in changes if change is not None]


GROWING = [40.0 + 0.64 * k for k in range(15)] + [67.0 + 0.64 * k for k in range(15)]


@pytest.mark.parametrize("radii", [[49.0] * 15 + [67.0] * 15, GROWING], ids=["steady", "growing"])
@pytest.mark.parametrize("error", [0.005, 0.03])
def test_a_jump_is_named_at_its_frame_as_spheres(ask: Ask, radii: list[float], error: float) -> None:
    for seed in range(3):
        changes = told(ask, measured([sphere(radius) for radius in radii], seed, error))
        (jump,) = (change for change in changes if not change.change.gradual)
        assert jump.change.first == 16
        assert "sphere" in jump.words
        assert "Rg" in jump.words
        assert not any("cylinder" in change.words for change in changes)


def test_steady_growth_is_called_steady_and_no_frame_its_first(ask: Ask) -> None:
    changes = told(ask, measured([sphere(40.0 + 0.8 * k) for k in range(30)], 2, 0.005))
    (steady,) = (change for change in changes if change.change.gradual)
    assert steady.sentence.startswith("The curve changes steadily: ")
    assert "From frame" not in steady.sentence


def test_a_series_goes_on_in_another_process_as_if_never_stopped(ask: Ask) -> None:
    curves = measured([sphere(radius) for radius in GROWING], 4)
    parted = told(ask, curves, lambda states: states_of(states.as_bytes(), ask))
    assert [one.sentence for one in parted] == [one.sentence for one in told(ask, curves)]


@pytest.mark.parametrize("share", [0.5, 10.0])
def test_an_upturn_is_named_where_it_comes_and_where_it_goes(ask: Ask, share: float) -> None:
    law = share * sphere(50.0)[0] * (Q / Q[0]) ** -3.5
    frames = [sphere(50.0)] * 12 + [sphere(50.0) + law] * 12 + [sphere(50.0)] * 12
    came, went = told(ask, measured(frames, 5))
    assert (came.change.first, went.change.first) == (13, 25)
    assert came.words.startswith("an upturn at low q (q^−3.")
    assert went.words.startswith("no upturn at low q any more")


def test_a_curve_that_stays_is_no_change(ask: Ask) -> None:
    assert told(ask, measured([sphere(50.0)] * 40, 6)) == []


def of(group: str, share: float, model: str = "sphere", probability: float = 0.4, other: str = "") -> Said:
    return Said(True, 0.9, False, group, model, probability, 0.0, 0.0, {group: share, other: 1 - share})


def test_another_kind_is_said_where_it_is_clearly_likelier() -> None:
    before = of("spheres", 0.9)
    assert different(before, of("coils", 0.51, other="spheres")) == SHAPE
    assert different(before, of("coils", 0.9, other="spheres")) == "coils (90 %)"
    assert different(before, of("spheres", 0.8)) == f"{SHAPE}, kind as before: spheres (80 %)"
    assert different(before, of("spheres", 0.8, probability=0.7)).endswith("kind as before: sphere (70 %)")


def test_an_upturn_is_no_second_population() -> None:
    before, after = (
        of("spheres", 0.9),
        Said(True, 0.9, True, "spheres", "sphere", 0.4, 0.7, 0.0, {"spheres": 0.8}),
    )
    assert "two populations (70 %)" in different(before, after)
    with_upturn = different(before, after, Upturn(4.0, 0.1, 0.3))
    assert with_upturn.startswith("an upturn at low q (q^−4.0 ± 0.1)")
    assert "population" not in with_upturn
