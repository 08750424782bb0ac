"""The pieces of the inversion: derivatives, elimination, deviance, the test of uniformity, the hands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from orientedpatterns import GEOMETRY, MEASUREMENT

from sasnet_plugin.fitting.orientation.em import even, mlem, stopped
from sasnet_plugin.fitting.orientation.forward import State, state
from sasnet_plugin.fitting.orientation.hand import hand
from sasnet_plugin.fitting.orientation.linear import Quadratic, deviance, quadratic
from sasnet_plugin.fitting.orientation.parameters import INDEX, PARAMETERS, geometry_of, start
from sasnet_plugin.fitting.orientation.posterior import log_likelihood
from sasnet_plugin.fitting.orientation.refine import fitted
from sasnet_plugin.fitting.orientation.resolution import resolved
from sasnet_plugin.fitting.orientation.sampler import sample
from sasnet_plugin.fitting.orientation.uniform import uniform_p_value
from sasnet_plugin.fitting.orientation.verify import moments, verify
from sasnet_plugin.fitting.orientation.window import on_window
from sasnet_plugin.simulate.gisas import cube
from sasnet_plugin.simulate.gisas.distances import circular_w1, mirrored
from sasnet_plugin.simulate.gisas.geometry import N_XI
from sasnet_plugin.simulate.gisas.orientation import deltas, peak, sample_orientation
from sasnet_plugin.types import Image

Make = Callable[..., Image]
FLAT = np.full(N_XI, 1 / N_XI)


@pytest.fixture(scope="module")
def now(measured: Make) -> State:
    """The model at the true geometry."""
    true = {**vars(GEOMETRY), **vars(MEASUREMENT)}
    counts = on_window(measured(FLAT))[0]
    return state(counts, np.array([p.inner(true[p.name]) for p in PARAMETERS]))


def form_of(now: State, p: np.ndarray, counts: float, rng: np.random.Generator):
    """Counts of a distribution, and the quadratic form about what was expected of it."""
    expected = p @ now.patterns
    expected = expected * (counts / expected.sum())
    y = rng.poisson(expected).astype(float)
    precision = np.full(2, 1e-12)
    return y, expected, quadratic(now.patterns, y, expected, now.backgrounds, precision, np.zeros(2))


def test_the_model_is_the_generator_s(now: State, measured: Make) -> None:
    """What the inversion expects is what the simulated detector counts."""
    p = sample_orientation(np.random.default_rng(2), family="peaks")[1]
    counts = on_window(measured(p, counts=1e9))[0]
    exact = State(now.inner, counts, now.factors)
    weights = fitted(exact)[0]
    columns = np.concatenate((exact.backgrounds, (p @ exact.patterns)[None]))
    form = quadratic(columns, counts.y, counts.y + 1, np.zeros((0, counts.y.size)), np.zeros(0), np.zeros(0))
    expected = form.nonnegative() @ columns
    assert deviance(counts.y, expected, 0.0).mean() == pytest.approx(1.0, abs=0.1)
    # Spiky, as weights of least loss are, but in place.
    assert circular_w1(weights / weights.sum(), p) < 1.0


@pytest.mark.parametrize("name", [p.name for p in PARAMETERS if p.name != "oxide"])
def test_derivatives_are_differences_of_whole_models(now: State, name: str) -> None:
    weights = 1e5 * peak(7.0, 8.0)
    parameter = PARAMETERS[INDEX[name]]
    found = now.jacobian(weights, 1e3)[INDEX[name]]
    ends = []
    for sign in (1, -1):
        inner = now.inner.copy()
        inner[INDEX[name]] += sign * 2 * parameter.step
        moved = state(now.counts, inner)
        # The scale of the patterns follows the particles; here it must not.
        scale = moved.factors.every.mean() / now.factors.every.mean()
        ends.append(scale * (weights @ moved.patterns) + 1e3 * moved.backgrounds[1])
    true = (ends[0] - ends[1]) / (4 * parameter.step)
    assert np.linalg.norm(found - true) < 0.05 * np.linalg.norm(true)


def test_elimination_is_the_minimum_over_what_is_eliminated() -> None:
    rng = np.random.default_rng(0)
    columns, others = rng.random((3, 40)), rng.normal(size=(2, 40))
    y, expected = rng.poisson(50, 40).astype(float), np.full(40, 50.0)
    precision, target = np.array([0.5, 2.0]), np.array([1.0, -1.0])
    form = quadratic(columns, y, expected, others, precision, target, tolerance=0.0)
    c = np.array([10.0, 20.0, 30.0])

    def loss(b: np.ndarray) -> float:
        chi = (y - c @ columns - b @ others) ** 2 / expected
        return 0.5 * float(chi.sum() + precision @ (b - target) ** 2)

    best = form.best_others(c)
    assert 0.5 * c @ form.m @ c - form.v @ c + 0.5 * form.rest == pytest.approx(loss(best))
    for step in np.vstack((np.eye(2), -np.eye(2))):
        assert loss(best + 1e-3 * step) > loss(best)


def test_non_negative_weights_cannot_be_bettered() -> None:
    rng = np.random.default_rng(1)
    columns = rng.random((6, 50))
    y = np.maximum(np.array([1.0, 0, 0, 2, 0, 0]) @ columns + rng.normal(size=50), 0)
    form = quadratic(columns, y, np.ones(50), np.zeros((0, 50)), np.zeros(0), np.zeros(0), tolerance=0.0)
    c = form.nonnegative()
    slope = form.m @ c - form.v
    assert np.all(c >= 0)
    assert np.all(slope > -1e-6)
    assert abs(slope @ c) < 1e-6


def test_expectation_maximisation_never_loses_and_stops_earlier_with_fewer_counts(now: State) -> None:
    rng = np.random.default_rng(4)
    p = peak(6.0, 8.0)
    steps = []
    for counts in (3e3, 3e6):
        y = form_of(now, p, counts, rng)[0]
        weights, losses = even(now.patterns, y), []
        for _ in range(4):
            weights = mlem(now.patterns, y, weights, 20)
            losses.append(deviance(y, weights @ now.patterns, 0.0).sum())
        assert np.all(np.diff(losses) <= 1e-6)
        weights, number = stopped(now.patterns, y, rng)
        assert weights.sum() > 0
        steps.append(number)
    assert steps[0] < steps[1]
    assert circular_w1(weights / weights.sum(), p) < circular_w1(FLAT, p) / 2


def test_the_deviance_has_the_moments_that_are_told() -> None:
    rng = np.random.default_rng(3)
    for mu in (0.05, 0.7, 5.0, 300.0):
        drawn = deviance(rng.poisson(mu, 200_000).astype(float), np.full(200_000, mu), 0.0)
        mean, variance = (float(m[0]) for m in moments(np.array([mu])))
        assert drawn.mean() == pytest.approx(mean, rel=0.03)
        assert drawn.var() == pytest.approx(variance, rel=0.06)


def test_a_wrong_pattern_s_deviance_is_far_from_its_mean(now: State) -> None:
    from dataclasses import replace

    rng = np.random.default_rng(5)
    right = deltas(np.array([1.0]), np.array([1.0]))
    y, expected, _ = form_of(now, right, 1e6, rng)
    counts = replace(now.counts, y=y)
    good = verify(counts, expected, 0)
    assert abs(good.deviance - good.expected) < 4 * good.sd
    assert good.p_value > 1e-4
    wrong = FLAT @ now.patterns
    bad = verify(counts, wrong * (y.sum() / wrong.sum()), 0)
    assert bad.deviance - bad.expected > 20 * bad.sd
    assert bad.in_scope < 0.5 < good.in_scope


def test_uniform_is_called_uniform_and_two_angles_are_not(now: State) -> None:
    rng = np.random.default_rng(6)
    flat = [uniform_p_value(form_of(now, FLAT, 1e5, rng)[2], rng) for _ in range(40)]
    # At the level of 0.05, 2 of 40 on average; 7 or more happen once in 300 times.
    assert sum(value < 0.05 for value in flat) <= 6
    assert 0.3 < np.mean(flat) < 0.7
    for _ in range(5):
        two = deltas(rng.uniform(0, 60, 2), np.array([0.5, 0.5]))
        expected = FLAT @ now.patterns
        y, _, _ = form_of(now, two, 1e5, rng)
        expected = expected * (y.sum() / expected.sum())
        form = quadratic(now.patterns, y, expected, now.backgrounds, np.full(2, 1e-12), np.zeros(2))
        assert uniform_p_value(form, rng) < 0.05


def test_more_counts_determine_more_modes(now: State) -> None:
    rng = np.random.default_rng(7)
    modes = [resolved(form_of(now, FLAT, counts, rng)[2]) for counts in (1e3, 1e5, 1e7)]
    assert modes[0] < modes[1] < modes[2] < N_XI


def test_the_band_of_the_crowd_covers(now: State) -> None:
    """Truths of the prior lie in their 90 % band at about 90 % of the angles."""
    rng = np.random.default_rng(8)
    covered = []
    for family in ("deltas", "peaks", "mixture", "peaks", "mixture", "deltas"):
        p = sample_orientation(rng, family=family)[1]
        form = form_of(now, p, 3e4, rng)[2]
        crowd = sample(lambda q, form=form: log_likelihood(form, q), rng, accepted=10)
        low, high = np.quantile(crowd.p, (0.05, 0.95), axis=0)
        covered.append(np.mean((p >= low - 1e-9) & (p <= high + 1e-9)))
    assert 0.75 < np.mean(covered) <= 1.0


def test_without_data_the_crowd_is_the_prior() -> None:
    rng = np.random.default_rng(9)
    crowd = sample(lambda p: np.zeros(len(p)), rng, members=2000)
    drawn = np.stack([sample_orientation(rng)[1] for _ in range(2000)])
    for moment in (lambda p: p.max(axis=1), lambda p: (p**2).sum(axis=1), lambda p: (p > 1e-9).sum(axis=1)):
        assert moment(crowd.p).mean() == pytest.approx(moment(drawn).mean(), rel=0.12)
    assert crowd.evidence == pytest.approx(0)


def test_the_evidence_is_the_prior_s_mean_likelihood() -> None:
    rng = np.random.default_rng(10)

    def likely(p: np.ndarray) -> np.ndarray:
        return -0.5 * ((p[:, :30].sum(axis=1) - 0.5) / 0.03) ** 2

    crowd = sample(likely, rng, members=2000, accepted=6)
    drawn = cube.distributions(rng.random((40_000, cube.DIMENSIONS)))
    weight = np.exp(likely(drawn))
    assert crowd.evidence == pytest.approx(np.log(weight.mean()), abs=0.15)
    # And so are means over the posterior.
    wanted = weight @ (drawn**2).sum(axis=1) / weight.sum()
    assert (crowd.p**2).sum(axis=1).mean() == pytest.approx(wanted, rel=0.2)


def test_hands_are_told_apart_where_the_crowd_is_of_one() -> None:
    one = np.stack([peak(centre, 3.0) for centre in np.linspace(9, 11, 60)])
    sure = hand(one)
    assert sure.known
    assert circular_w1(sure.one, one.mean(axis=0)) < 0.1
    assert circular_w1(sure.other, mirrored(one.mean(axis=0))) < 0.1
    both = hand(np.concatenate((one, mirrored(one[:30]))))
    assert not both.known
    assert both.share == pytest.approx(2 / 3, abs=0.02)
    assert circular_w1(both.other, mirrored(one.mean(axis=0))) < 1.0
    assert hand(np.stack([peak(30.0, 5.0)] * 4)).known


def test_a_guess_is_believed_as_far_as_it_says() -> None:
    at, error = start({"lattice": (333.0, 2.0), "sigma_phi": (0.0, 0.001)})
    assert (at[INDEX["lattice"]], error[INDEX["lattice"]]) == (333.0, 2.0)
    broad = PARAMETERS[INDEX["radius"]].broad()
    assert (at[INDEX["radius"]], error[INDEX["radius"]]) == broad
    assert 0 < error[INDEX["sigma_phi"]] < 1e-5
    assert geometry_of(at, 1.34, 0.16).lattice == 333.0


def test_a_form_that_rounding_has_left_below_zero_is_solved_all_the_same() -> None:
    """Two weights that do the same: their sum is determined, and a third one by itself."""
    m = np.array([[1.0, 1.0 + 1e-9, 0.0], [1.0 + 1e-9, 1.0, 0.0], [0.0, 0.0, 4.0]])
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(m + 1e-11 * np.eye(3))
    none = (np.zeros((0, 3)), np.zeros(0), np.zeros((0, 0)))
    found = Quadratic(m, np.array([2.0, 2.0, 12.0]), 0.0, *none).nonnegative()
    assert np.all(found >= 0)
    assert found[0] + found[1] == pytest.approx(2.0, rel=1e-4)
    assert found[2] == pytest.approx(3.0, rel=1e-4)
