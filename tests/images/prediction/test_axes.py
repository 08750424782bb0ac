"""Bodies with axes held against an image's rings: which, how large, along a director or across it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.images.sans.prediction import Bodies, Held, evidence, fit_bodies, spread_over
from sasnet_plugin.images.sans.rings import N_SECTORS, RINGS, Polar, anisotropy
from sasnet_plugin.images.sans.simulation import (
    DEGREES,
    LN_Q,
    Q,
    compute_legendre,
    expand_in_harmonics,
    maier_saupe,
    pars_of,
    strength_of,
)

DIRECTOR = 25.0


def image(body: str, p2: float, counts: float = 3e5, aspect: float = 4.0, radius: float = 45.0) -> Polar:
    """Counts of bodies of one size between q = 0.006 and 0.2 Å⁻¹, flat background 5 %, a masked wedge."""
    pars = {k: v for k, v in pars_of(body, radius, aspect, 0.0).items() if "_pd" not in k}
    form = compute_legendre(body, pars, Q)
    ring = np.stack([np.interp(np.log(RINGS), LN_Q, one) for one in form.T], axis=1)
    angle = (np.arange(N_SECTORS) + 0.5) * (2 * np.pi / N_SECTORS) - np.radians(DIRECTOR)
    around = expand_in_harmonics() @ np.cos(np.outer(DEGREES, angle))
    rate = (ring * maier_saupe(strength_of(p2))) @ around
    exposure = np.where((RINGS > 0.006) & (RINGS < 0.2), RINGS**2, 0.0)[:, None] * np.ones(N_SECTORS)
    # A detector's gap: the mean of a ring that is not seen all around is not that of what is seen.
    exposure[RINGS > 0.05, 3:9] = 0
    rate = rate / np.sum(rate * exposure) + 0.05 / exposure.sum()
    counted = np.random.default_rng(4).poisson(counts * rate * exposure / np.sum(rate * exposure))
    return Polar(counted.astype(float), exposure, 0.03 * RINGS, np.ones(RINGS.size))


def best(seen: Polar) -> tuple[Held, list[Held], np.ndarray]:
    found = fit_bodies(seen, anisotropy([seen]).axis)
    assert found is not None
    return found.held[int(np.argmax(found.evidence))], list(found.held), found.evidence


def off(one: Held) -> float:
    """Degrees between a fit's director and the true one."""
    return float(abs((np.degrees(one.at[4]) - DIRECTOR + 90) % 180 - 90))


@pytest.mark.parametrize(
    ("body", "p2"), [("cylinder", 0.6), ("cylinder", -0.25), ("ellipsoid", 0.4), ("ellipsoid", -0.3)]
)
def test_a_body_is_found_along_its_director_and_across_it(body: str, p2: float) -> None:
    one, held, likely = best(image(body, p2))
    assert one.body == body
    assert off(one) < 1
    assert one.at[3] == pytest.approx(p2, abs=4 * np.sqrt(one.covariance[3, 3]) + 0.01)
    assert np.exp(one.at[0]) == pytest.approx(45, rel=0.05)
    assert np.exp(one.at[1]) == pytest.approx(4, rel=0.1)
    # The way a quarter turn off is no rival here: ten to one and more.
    wrong = [value for value, each in zip(likely, held, strict=True) if off(each) > 45]
    assert max(wrong, default=-np.inf) < likely.max() - 2.3


def test_few_counts_leave_open_which_way_axes_lie() -> None:
    _, held, likely = best(image("cylinder", -0.2, counts=3e3))
    chance = np.exp(likely - likely.max())
    bodies = Bodies(tuple(held), chance / chance.sum())
    p2, director, other = bodies.orientation()
    ways = [(p2.value, director.value), *([other] if other else [])]
    assert min(abs((way - DIRECTOR + 90) % 180 - 90) for _, way in ways) < 8
    assert other is not None
    assert sum(bodies.shares().values()) == pytest.approx(1)
    assert p2.error > 0.02


def test_what_no_body_explains_is_told_by_what_the_best_leaves_over() -> None:
    seen = image("cylinder", 0.6, counts=1e6)
    found = fit_bodies(seen, anisotropy([seen]).axis)
    assert found is not None
    assert found.over < 1.2
    # A streak to one side of the director, as of a magnetic film or a slit, is no body's.
    turned = np.roll(seen.counts, 4, axis=1) * np.where(RINGS > 0.02, 6, 0)[:, None] * (seen.exposure > 0)
    other = replace(seen, counts=seen.counts + turned)
    mixed = fit_bodies(other, anisotropy([other]).axis)
    assert mixed is not None
    assert mixed.over > 5 * found.over
    # Fits weigh less where none explains.
    assert np.ptp(evidence(found.held, 4.0)) < np.ptp(evidence(found.held, 1.0))


def test_too_few_rings_say_nothing() -> None:
    seen = image("cylinder", 0.6)
    few = np.where((RINGS > 0.02) & (RINGS < 0.03), 1.0, 0.0)[:, None]
    assert fit_bodies(replace(seen, counts=seen.counts * few, exposure=seen.exposure * few), 0.0) is None
    assert fit_bodies(replace(seen, counts=0 * seen.counts), 0.0) is None


def test_sizes_that_scatter_weigh_by_their_volume_squared() -> None:
    q = Q[100:260]
    spread = 0.1
    slope = -4.0
    # Of a power law s⁶ (q s)^-4 the mean over sizes is exp(2σ²) q^-4: here normalised, the law itself.
    found = spread_over(q, spread) @ q**slope
    inside = slice(20, -20)
    assert np.allclose(np.log(found / q**slope)[inside], np.log(found / q**slope)[80], atol=1e-6)
    # A Guinier law has the radius of gyration of the heavier bodies: Rg² exp(2 (6 + 1) σ²).
    guinier = np.exp(-((q * 2.0) ** 2) / 3)
    low = slice(20, 60)
    fitted = np.polyfit(q[low] ** 2, np.log(spread_over(q, spread) @ guinier)[low], 1)[0]
    assert -3 * fitted / 4 == pytest.approx(np.exp(14 * spread**2), rel=0.02)


def test_the_order_is_as_uncertain_as_what_the_best_body_leaves_over() -> None:
    _, held, likely = best(image("cylinder", 0.6))
    chance = np.exp(likely - likely.max())
    right, wrong = (Bodies(tuple(held), chance / chance.sum(), over).orientation()[0] for over in (1.0, 9.0))
    assert wrong.value == right.value
    assert wrong.error**2 - right.error**2 == pytest.approx(8 * 0.016**2)
