"""How densely values lie before a curve is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.fitting.evidence.discrepancy import Discrepancy
from sasnet_plugin.fitting.evidence.marginal import (
    Evidence,
    alike,
    evidence,
    extents,
    penalise_outside,
    weigh_fits,
)
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.types import Curve

from .simulated import CLEAN, STATED, Q, fitted, least_squares, shared, widths

# --- How densely values lie before a curve is seen.


def parameter_of(model: str, factor: str | None = None, **values: tuple[float, float, str]) -> ModelFit:
    known = {k: Parameter(v, e, unit, False, -np.inf, np.inf) for k, (v, e, unit) in values.items()}
    return ModelFit(model, factor, known, {}, 1.0, 1.0, 1.0, 0.5, 0.1, np.ones(3))


def test_a_size_is_as_likely_in_each_decade() -> None:
    small, large = (
        extents(parameter_of("sphere", radius=(r, 1.0, "Ang")), 1.0)["radius"] for r in (10.0, 1000.0)
    )
    assert large == pytest.approx(100 * small)
    # Four decades: e.g. from 1 Å to 1 µm.
    assert small == pytest.approx(10 * np.log(1e4))


def test_what_has_two_ends_is_as_likely_in_each_interval() -> None:
    found = extents(
        parameter_of("sphere", "hardsphere", volfraction=(0.2, 0.01, ""), radius_pd=(0.1, 0.01, "")), 1.0
    )
    assert found["volfraction"] == pytest.approx(0.74, abs=0.01)
    assert found["radius_pd"] == pytest.approx(0.7)
    assert extents(parameter_of("sphere", background=(0.1, 0.01, "1/cm")), 0.4)["background"] == 0.4
    # Exponents of a power law from that of thin rods on.
    extent = PROBLEM.most_exponent - PROBLEM.least_power
    assert extents(parameter_of("power_law", power=(4.0, 0.1, "")), 1.0)["power"] == pytest.approx(extent)
    assert extents(parameter_of("sphere+power_law", B_power=(4.0, 0.1, "")), 1.0)["B_power"] == pytest.approx(
        extent
    )


def test_a_chain_shorter_than_it_is_stiff_is_a_rod() -> None:
    """Rods of 400 Å were chains of 1.9 Å, of which the form factor of a thin disc is left."""
    kuhn = (100.0, 10.0, "Ang")
    assert (
        penalise_outside(parameter_of("flexible_cylinder", length=(400.0, 10.0, "Ang"), kuhn_length=kuhn))
        == 0
    )
    assert (
        penalise_outside(parameter_of("flexible_cylinder", length=(1.9, 0.4, "Ang"), kuhn_length=kuhn)) > 100
    )
    assert (
        penalise_outside(
            parameter_of("sphere+flexible_cylinder", B_length=(80.0, 2.0, "Ang"), B_kuhn_length=kuhn)
        )
        == 100
    )
    assert penalise_outside(parameter_of("cylinder", length=(5.0, 0.4, "Ang"))) == 0


def test_no_sample_has_a_layer_thinner_than_an_atom() -> None:
    assert penalise_outside(parameter_of("core_shell_sphere", thickness=(1.2, 0.1, "Ang"))) == 0
    assert penalise_outside(parameter_of("core_shell_sphere", thickness=(0.5, 0.1, "Ang"))) == pytest.approx(
        25
    )
    # A value that may as well be larger is not held against it.
    assert penalise_outside(parameter_of("core_shell_sphere", thickness=(0.5, 5.0, "Ang"))) < 0.1
    # A correlation length may be as short as it likes.
    assert penalise_outside(parameter_of("correlation_length", cor_length=(0.03, 0.001, "Ang"))) == 0
    assert penalise_outside(parameter_of("sphere", "hardsphere", volfraction=(0.8, 0.01, ""))) > 30


# --- The marginal likelihood is the integral that it says, and decides as it should.


def of(measured: np.ndarray, fit: ModelFit) -> Evidence:
    return evidence(Discrepancy(Curve(Q, measured, STATED), STATED), fit)


def noisy(seed: int, off: np.ndarray | float = 0.0) -> np.ndarray:
    return CLEAN + off + STATED * np.random.default_rng(seed).standard_normal(Q.size)


def test_the_integral_is_that_of_a_gaussian_process_over_all_errors() -> None:
    """Summed over the same grid of errors, each by the determinant and inverse of its whole covariance."""
    measured = noisy(7, shared(0.03, 0.3, np.random.default_rng(7))[:, 0])
    fit, _ = least_squares(measured, np.stack([CLEAN, CLEAN * np.log(Q / 0.07)], axis=1) / STATED[:, None])
    among = Discrepancy(Curve(Q, measured, STATED), STATED)
    residual, prior = (measured - fit.theory) / STATED, widths(fit)
    slopes = np.stack(list(fit.derivatives.values()), axis=1) * prior
    parts, shapes = [], among.shapes(fit.theory)
    step = np.log(among.ratios[1] / among.ratios[0])
    for columns in (slopes, np.column_stack([slopes, among.drifts])):
        both = np.eye(Q.size) + columns @ columns.T
        lost = residual @ np.linalg.solve(both, residual) + np.linalg.slogdet(both)[1]
        parts.append(-0.5 * lost + np.log(1 - np.exp(-among.ratios[0] / 0.01)) - np.log(2))
        for shape in shapes:
            for ratio in among.ratios:
                size = ratio * shape.share
                smooth = ratio**2 * (shape.vectors * shape.values) @ shape.vectors.T
                whole = both + smooth
                lost = residual @ np.linalg.solve(whole, residual) + np.linalg.slogdet(whole)[1]
                before = np.log(size * step / 0.01) - size / 0.01 - np.log(2 * len(shapes))
                parts.append(-0.5 * lost + before)
    most = max(parts)
    direct = -2 * (most + np.log(np.sum(np.exp(np.array(parts) - most))))
    # Larger noise than stated suits some of the errors a little better.
    assert of(measured, fit).minus_two_log == pytest.approx(direct, abs=1.0)


def test_a_parameter_costs_the_share_of_its_prior_that_the_data_leave() -> None:
    measured = noisy(3)
    slope = CLEAN * np.cos(60 * Q) / STATED
    lost = [of(measured, fitted(measured, CLEAN, slope[:, None] * f)).minus_two_log for f in (1.0, 10.0)]
    alone = of(measured, fitted(measured, CLEAN)).minus_two_log
    # Ten times as well known: a tenth of the share.
    assert lost[1] - lost[0] == pytest.approx(2 * np.log(10), abs=0.1)
    assert lost[0] > alone + 5
    nothing = of(measured, fitted(measured, CLEAN, 1e-4 * slope[:, None])).minus_two_log
    assert nothing == pytest.approx(alone, abs=0.1)


def test_a_component_that_has_no_curve_at_these_values_changes_nothing() -> None:
    """A power law of a large exponent: what its scale does is a number whose square is 0."""
    measured = noisy(6, shared(0.03, 0.3, np.random.default_rng(6))[:, 0])
    slope = CLEAN / STATED
    fit = fitted(measured, CLEAN, slope[:, None])
    beside = replace(
        fit,
        parameters={**fit.parameters, "B_scale": Parameter(1.0, None, "", False, 0.0, np.inf)},
        derivatives={**fit.derivatives, "B_scale": 1e-200 * slope},
    )
    assert of(measured, beside).minus_two_log == of(measured, fit).minus_two_log


@pytest.mark.parametrize("beyond", [-3.0, -30.0])
def test_a_parameter_at_the_end_of_its_range_is_not_moved_out_of_it(beyond: float) -> None:
    """An exponent of 1 whose slope asks for .7 fits no better than it does at 1."""
    slope = 50 * np.cos(60 * Q)
    measured = noisy(5, beyond * STATED * slope / np.linalg.norm(slope))
    fit = fitted(measured, CLEAN, slope[:, None])
    at_end = replace(fit, parameters={"p0": replace(fit.parameters["p0"], value=0.0)})
    lost = of(measured, at_end).minus_two_log - of(measured, fitted(measured, CLEAN)).minus_two_log
    # The integral over the range, of which a part next to its end is as likely as that.
    x, residual = np.geomspace(1e-9, 2.0, 200_000), (measured - CLEAN) / STATED
    rise = np.exp(x * (slope @ residual) - 0.5 * x**2 * (slope @ slope))
    assert lost == pytest.approx(-2 * np.log(np.trapezoid(rise, x) / 2.0), abs=1.0)


def test_an_expensive_model_pays_for_its_parameters_without_slopes() -> None:
    measured = noisy(5)
    few, many = (
        replace(fitted(measured, CLEAN, np.tile(CLEAN / STATED, (k, 1)).T), derivatives={}) for k in (3, 6)
    )
    assert of(measured, many).minus_two_log > of(measured, few).minus_two_log + 15


def test_a_smooth_error_of_some_per_cent_costs_far_less_than_its_chi_squared() -> None:
    """A model with parameters to spare takes it up: to χ² alone it would be certain."""
    wave = 0.03 * CLEAN * np.sin(2 * np.log(Q))
    measured = noisy(9, wave)
    simple = of(measured, fitted(measured, CLEAN)).minus_two_log
    assert fitted(measured, CLEAN).chisq - fitted(measured, CLEAN + wave).chisq > 500
    assert 0 < simple - of(measured, fitted(measured, CLEAN + wave)).minus_two_log < 45


def test_what_no_instrument_does_is_a_wrong_model() -> None:
    wave = 0.4 * CLEAN * np.sin(3 * np.log(Q))
    measured = noisy(9, wave)
    lost = of(measured, fitted(measured, CLEAN)).minus_two_log
    assert lost - of(measured, fitted(measured, CLEAN + wave)).minus_two_log > 60


def test_of_two_bad_fits_none_is_certain_for_a_per_cent_of_misfit() -> None:
    rng = np.random.default_rng(2)
    rough = 20 * STATED * rng.standard_normal(Q.size)
    measured = CLEAN + rough
    one, other = fitted(measured, CLEAN), fitted(measured, CLEAN + 0.005 * rough)
    assert one.chisq - other.chisq > 500
    assert 0 < of(measured, one).minus_two_log - of(measured, other).minus_two_log < 3


def test_no_sample_is_where_no_prior_is() -> None:
    measured = noisy(8)
    fit = fitted(measured, CLEAN, (CLEAN / STATED)[:, None])
    inside, below = (
        replace(fit, parameters={"length": Parameter(value, 0.05, "Ang", False, 0.0, 2.0)}, derivatives={})
        for value in (1.5, 0.5)
    )
    # Ten of its standard deviations below an atom.
    assert of(measured, below).minus_two_log - of(measured, inside).minus_two_log == pytest.approx(100, abs=1)


# --- Fits are ordered by evidence and what is known before; what these data do not tell apart is
# --- named.

MEASURED = CLEAN + STATED * np.random.default_rng(4).standard_normal(Q.size)
AMONG = Discrepancy(Curve(Q, MEASURED, STATED), STATED)
SLOPES = np.stack([CLEAN * np.cos(k * np.log(Q)) for k in range(1, 7)], axis=1) / STATED[:, None]


def test_a_parameter_must_earn_its_keep() -> None:
    small, _ = least_squares(MEASURED, SLOPES[:, :3], "small")
    large, _ = least_squares(MEASURED, SLOPES, "large")
    assert large.chisq < small.chisq
    order = weigh_fits(AMONG, [large, small]).fits
    assert [f.model for f in order] == ["small", "large"]
    assert order[0].weight > 0.95
    assert sum(f.weight for f in order) == pytest.approx(1.0)


def test_the_prior_decides_between_equals_and_rules_nothing_out() -> None:
    a, b = (replace(fitted(MEASURED, CLEAN, name=n), probability=p) for n, p in (("a", 0.1), ("b", 0.4)))
    off = CLEAN * (1 + 0.02 * np.random.default_rng(1).standard_normal(Q.size))
    c = replace(fitted(MEASURED, off, name="c"), probability=1.0)
    order = weigh_fits(AMONG, [a, b, c]).fits
    assert [f.model for f in order] == ["b", "a", "c"]
    assert order[0].weight / order[1].weight == pytest.approx(4.0)
    given = weigh_fits(AMONG, [a, b], [0.3, 0.1]).fits
    assert given[0].model == "a"
    assert given[0].weight / given[1].weight == pytest.approx(3.0)
    assert weigh_fits(AMONG, []).fits == ()


def test_models_without_a_difference_are_named_whatever_is_known_before() -> None:
    rough = STATED * np.random.default_rng(1).standard_normal(Q.size)
    fits = [
        replace(fitted(MEASURED, CLEAN + off * rough, name=name), probability=probability)
        for name, off, probability in (("a", 0.0, 0.5), ("b", 0.02, 0.001), ("c", 1.0, 0.5))
    ]
    order = weigh_fits(AMONG, fits).fits
    assert alike(order) == ["b"]
    assert alike(()) == []


def test_two_models_that_differ_by_less_than_the_shared_error_keep_their_weight() -> None:
    rng = np.random.default_rng(17)
    measured = CLEAN + shared(0.03, 0.3, rng)[:, 0] + STATED * rng.standard_normal(Q.size)
    bend = np.log(Q / 0.07)
    # The rival bends by a per cent, towards the error by chance.
    bent = CLEAN * (1 + 0.01 * np.sign(np.sum((measured - CLEAN) / CLEAN * bend)) * bend)
    fits = [fitted(measured, CLEAN), fitted(measured, bent, name="ellipsoid")]
    assert fits[0].chisq - fits[1].chisq > 20, "overwhelming, were the points independent"
    order = weigh_fits(Discrepancy(Curve(Q, measured, STATED), STATED), fits).fits
    assert alike(order) == [order[1].name]


def test_neighbours_within_too_large_errors_do_not_decide_between_two_models() -> None:
    rng = np.random.default_rng(7)
    drawn = rng.standard_normal(Q.size)
    for i in range(1, Q.size):
        drawn[i] = 0.95 * drawn[i - 1] + np.sqrt(1 - 0.95**2) * drawn[i]
    measured = CLEAN + 0.5 * STATED * drawn
    fits = [fitted(measured, CLEAN, name="near"), fitted(measured, CLEAN - 0.3 * STATED * drawn, name="far")]
    curve = Curve(Q, measured, STATED)
    counted, independent = (weigh_fits(Discrepancy(curve, STATED, share), fits).fits for share in (1.0, 0.03))
    assert counted[0].name == independent[0].name == "near"
    assert counted[0].weight > 0.99
    assert independent[0].weight < 0.85


def test_estimated_uncertainties_are_the_most_that_noise_is() -> None:
    """Computed curves scatter by nothing: the 0.2 % that are assumed hid what tells models apart."""
    right, wrong = fitted(CLEAN, CLEAN * (1 + 1e-6)), fitted(CLEAN, CLEAN * (1 + 1e-3 * np.sin(40 * Q)))
    for stated, preference in ((STATED, 1.0), (None, 100.0)):
        among = Discrepancy(Curve(q=Q, intensity=CLEAN, dintensity=stated), STATED)
        gain = evidence(among, wrong).minus_two_log - evidence(among, right).minus_two_log
        assert gain < preference if stated is not None else gain > preference
