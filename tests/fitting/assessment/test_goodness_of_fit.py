"""Whether a fit explains its measurement, and what is wrong with the uncertainties where it does not.

Parametric bootstrap: replicates of a right fit are like the measurement, those of a wrong one are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from made_results import Q, fitted
from scipy.stats import chi2

from sasnet_plugin.fitting.assessment import goodness_of_fit
from sasnet_plugin.fitting.assessment.assess import assess, discrepancy
from sasnet_plugin.fitting.assessment.goodness_of_fit import (
    as_independent,
    compare,
    describe_share,
    independent_share,
    misfit_of,
    verify,
)
from sasnet_plugin.fitting.evidence.marginal import weigh_fits
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter, doubtful, explains
from sasnet_plugin.fitting.result.residuals import standardise_runs
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve

# --- Whether a fit explains its measurement, and what is wrong with the uncertainties where it does
# --- not.

N = 100
Q_FITTED = np.geomspace(0.01, 0.3, N)


def _fit(
    model: str, chisq: float, k: int, probability: float = 0.5, theory: np.ndarray | None = None
) -> ModelFit:
    parameters = {f"p{i}": Parameter(1.0, 0.1, "Ang", False, 0.0, 2.0) for i in range(k)}
    bic = chisq + k * np.log(N)
    shown = np.ones(N) if theory is None else theory
    return ModelFit(model, None, parameters, {}, chisq, chisq / (N - k), bic, probability, 0.1, shown)


def test_a_right_fit_is_doubtful_one_time_in_six_and_none_without_a_number_is_right() -> None:
    drawn = chi2.rvs(N, size=20_000, random_state=1) / N
    # P(χ² > n + √(2n)) of a normal distribution is 0.159; that of n = 100 has a longer tail.
    assert np.mean([doubtful(x, N) for x in drawn]) == pytest.approx(chi2.sf(N + np.sqrt(2 * N), N), abs=0.01)
    assert np.mean([explains(x, N) for x in drawn]) > 0.99
    for none in (np.nan, np.inf):
        assert doubtful(none, N)
        assert not explains(none, N)


def test_explained_is_chisq_within_its_scatter() -> None:
    assert explains(1.15, 1000)
    assert not explains(1.3, 1000)
    assert explains(1.3, 60)
    assert not explains(2.0, 60)
    assert explains(0.2, 60)


def _measured(seed: int, size: float = 1.0, bend: float = 0.0) -> tuple[Curve, np.ndarray]:
    sigma = np.full(N, 0.02)
    noise = np.random.default_rng(seed).standard_normal(N)
    return Curve(Q_FITTED, 1 + size * sigma * noise + bend * np.sin(np.log(Q_FITTED) * 4), sigma), sigma


def test_quantile_of_chisq_is_uniform_for_honest_data() -> None:
    quantiles = []
    for seed in range(200):
        curve, sigma = _measured(seed)
        chisq = float(np.sum(((curve.intensity - 1) / sigma) ** 2))
        quantiles.append(verify(curve, sigma, _fit("m", chisq, 0)).chisq_quantile)
    assert np.mean(quantiles) == pytest.approx(0.5, abs=0.07)
    assert np.mean(np.array(quantiles) < 0.1) == pytest.approx(0.1, abs=0.07)
    assert quantiles[0] == pytest.approx(
        chi2.cdf(float(np.sum(((_measured(0)[0].intensity - 1) / 0.02) ** 2)), N), abs=1e-9
    )


def test_structure_in_the_residuals_is_said_and_where() -> None:
    curve, sigma = _measured(1, bend=0.08)
    chisq = float(np.sum(((curve.intensity - 1) / sigma) ** 2))
    found = verify(curve, sigma, _fit("m", chisq, 3))
    assert not found.explained
    assert any("not random" in s for s in found.sentences)


@pytest.mark.parametrize("size", [2.0, 1.3])  # the smaller one beyond the scatter of χ², too
def test_too_small_uncertainties_are_said_and_forgiven(size: float) -> None:
    curve, sigma = _measured(2, size=size)
    chisq = float(np.sum(((curve.intensity - 1) / sigma) ** 2))
    assert not explains(chisq / N, N)
    found = verify(curve, sigma, _fit("m", chisq, 3))
    assert found.explained
    assert any("too small by a factor of about" in s for s in found.sentences)


def test_runs_of_known_sequences() -> None:
    assert standardise_runs(np.tile([1.0, -1.0], 50)) > 9
    assert standardise_runs(np.repeat([1.0, -1.0], 50)) < -9
    noise = np.random.default_rng(0).standard_normal((300, 80))
    z = np.array([standardise_runs(row) for row in noise])
    assert np.mean(z) == pytest.approx(0.0, abs=0.15)
    assert np.std(z) == pytest.approx(1.0, abs=0.15)


def test_noise_that_is_larger_in_one_part_is_said_with_its_place() -> None:
    q = np.geomspace(0.01, 0.3, 150)
    sigma = np.full(150, 0.02)
    noise = np.random.default_rng(6).standard_normal(150) * np.where(q > 0.15, 4.0, 1.0)
    curve = Curve(q, 1 + sigma * noise, sigma)
    chisq = float(np.sum(noise**2))
    fit = ModelFit("m", None, {}, {}, chisq, chisq / 150, chisq, 0.5, 0.1, np.ones(150))
    (sentence,) = verify(curve, sigma, fit).sentences
    assert "0.3 Å⁻¹" in sentence
    assert "seem too small between q = 0.15" in sentence
    assert "elsewhere 1." in sentence or "elsewhere 0.9" in sentence


def test_what_a_fit_explains_lacks_nothing_and_what_may_be_excused_is_not_called_inexcusable() -> None:
    sigma, wave = np.full(N, 0.02), np.sin(np.arange(N) / 4)
    curve = Curve(Q_FITTED, 1 + 0.9 * sigma * wave, sigma)
    small = verify(curve, sigma, _fit("m", float(np.sum((0.9 * wave) ** 2)), 0))
    assert small.explained
    assert any("they are within the uncertainties" in said for said in small.sentences)
    assert not any("lacks" in said for said in small.sentences)
    noise = 8 * np.random.default_rng(3).standard_normal(N)
    far = _fit("m", float(np.sum(noise**2)), 0)
    for excusable in (False, True):
        (said,) = verify(Curve(Q_FITTED, 1 + sigma * noise, sigma), sigma, far, excusable=excusable).sentences
        assert said.startswith("Residuals are about")
        assert ("usual mis-statement" in said) != excusable


def test_uncertainties_that_sasnet_estimated_are_not_called_the_files_own() -> None:
    sigma = np.full(N, 0.02)
    noise = np.random.default_rng(3).standard_normal(N)
    for size in (0.3, 1e-4):
        curve = Curve(Q_FITTED, 1 + size * sigma * noise)
        chisq = float(np.sum((size * noise) ** 2))
        (sentence,) = verify(curve, sigma, _fit("m", chisq, 0)).sentences
        assert "that sasnet estimated seem too large" in sentence
        (stated,) = verify(replace(curve, dintensity=sigma), sigma, _fit("m", chisq, 0)).sentences
        assert stated.startswith("The stated uncertainties seem too large")


Simulated = Callable[..., Curve]


def _fitted(curve: Curve, bank: Bank, *models: str, **fixed: float) -> list[ModelFit]:
    assert curve.dintensity is not None
    fits = [fit_candidate(Task(curve, curve.dintensity, model, None, 0.5, fixed), bank) for model in models]
    return fits


def test_the_truth_is_like_its_replicates_and_the_same_data_get_the_same_answer(
    simulated: Simulated, bank: Bank
) -> None:
    curve = simulated("core_shell_sphere", {"radius": 60.0, "thickness": 20.0, "background": 0.01})
    assert curve.dintensity is not None
    fits = _fitted(curve, bank, "core_shell_sphere")
    found = assess(curve, curve.dintensity, fits)
    assert found.verification is not None
    replicates = found.verification.replicates
    assert replicates is not None
    assert replicates.count == 0  # none could change what is said
    assert replicates.measured_taken
    assert found.verification.describe().endswith(
        f"The classifier places the measured curve in the group of this model, “{replicates.group}”"
        " (similar curves)."
    )
    assert replicates.sentences == ()
    assert found.fits[0].warnings == ()
    assert [note for note in found.notes if "points of q per decade" not in note] == []
    again = assess(curve, curve.dintensity, fits).verification
    assert again is not None
    assert again.as_dict() == found.verification.as_dict()


def test_a_measurement_stands_out_among_replicates_of_a_wrong_fit(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("cylinder", {"radius": 20.0, "length": 300.0, "background": 0.01})
    order = _fitted(curve, bank, "fractal")
    replicates = compare(open_classifier(), curve, curve.dintensity, order[0], np.random.default_rng(2))
    assert replicates is not None
    assert replicates.count == ASSESSMENT.replicates
    assert replicates.taken > ASSESSMENT.replicates / 3
    assert not replicates.measured_taken
    assert replicates.probability_quantile < 0.05
    assert any("but the measured curve in “" in s for s in replicates.sentences)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.5])
@pytest.mark.parametrize("measured", [0.1, 0.69, 0.9])
def test_the_first_replicates_suffice_only_where_the_others_change_no_sentence(
    share: float, measured: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replicates of which a share gives less than the measurement, in whatever order they come."""
    rng = np.random.default_rng([round(100 * share), round(100 * measured)])
    count = ASSESSMENT.replicates
    values = np.where(np.arange(count) < round(share * count), measured - 0.05, 0.99)
    curve = Curve(Q_FITTED, np.ones(N), np.full(N, 0.01), None)
    fit = _fit("sphere", float(N), 2)

    class Answers:
        """Stands for the classifier."""

        manifest = open_classifier().manifest

        def __init__(self, each: np.ndarray) -> None:
            self.each, self.asked = [measured, *each], 0

        def glance(self, curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
            first, self.asked = self.asked, self.asked + len(curves)
            each = np.array(self.each[first : self.asked])
            own = next(i for i, group in enumerate(self.manifest.groups) if "sphere" in group.members)
            groups = np.zeros((len(curves), len(self.manifest.groups)))
            groups[:, own - 1], groups[:, own] = 1.0, each
            return groups, each

    for _ in range(5):
        rng.shuffle(values)
        staged, whole = (Answers(values) for _ in range(2))
        some = compare(staged, curve, np.full(N, 0.01), fit, np.random.default_rng(0))  # type: ignore[arg-type]
        with monkeypatch.context() as patch:
            patch.setattr(goodness_of_fit._Classified, "can_stand_out", lambda *_: True)
            every = compare(whole, curve, np.full(N, 0.01), fit, np.random.default_rng(0))  # type: ignore[arg-type]
        assert some is not None
        assert every is not None
        assert every.count == count
        if some.count < count:
            assert every.sentences == ()
        assert some.sentences == every.sentences


def test_a_model_that_the_network_does_not_know_has_no_group(simulated: Simulated, bank: Bank) -> None:
    curve = simulated("sphere", {"radius": 80.0, "background": 0.01})
    own = replace(_fitted(curve, bank, "sphere")[0], model="/models/mine.py")
    replicates = compare(open_classifier(), curve, curve.dintensity, own, np.random.default_rng(3))
    assert replicates is not None
    assert replicates.group == ""
    assert replicates.sentences == ()


# --- Uncertainties that are no noise: how many points count, and what that makes of weights and
# --- errors.

N_POINTS = 400
Q_POINTS = np.geomspace(0.005, 0.3, N_POINTS)


def running(correlation: float, size: float, rng: np.random.Generator) -> np.ndarray:
    """Residuals of which each is correlated with the next."""
    drawn = rng.standard_normal(N_POINTS)
    for i in range(1, N_POINTS):
        drawn[i] = correlation * drawn[i - 1] + np.sqrt(1 - correlation**2) * drawn[i]
    return size * drawn


def level(residual: np.ndarray, name: str = "flat", value: float = 1.0) -> ModelFit:
    """A fit of a constant, with the residuals in units of uncertainties of 1."""
    error = 1 / np.sqrt(N_POINTS)  # of independent points
    parameters = {"background": Parameter(value, error, "1/cm", False, 0.0, 2.0)}
    chisq = float(np.sum(residual**2))
    return ModelFit(
        name,
        None,
        parameters,
        {},
        chisq,
        chisq / (N_POINTS - 1),
        chisq + np.log(N_POINTS),
        0.5,
        0.1,
        10 - residual,
    )


def measured() -> Curve:
    return Curve(Q_POINTS, np.full(N_POINTS, 10.0), dintensity=np.ones(N_POINTS))


@pytest.mark.parametrize("correlation", [0.6, 0.9])
def test_as_many_points_count_as_the_correlation_leaves(correlation: float) -> None:
    rng = np.random.default_rng(4)
    shares = [
        independent_share(measured(), np.ones(N_POINTS), [level(running(correlation, 0.3, rng))])
        for _ in range(40)
    ]
    assert np.mean(shares) == pytest.approx((1 - correlation) / (1 + correlation), rel=0.2)


def test_noise_counts_whole_whatever_its_size() -> None:
    rng = np.random.default_rng(5)
    fits = [level(running(0.0, size, rng)) for size in (0.1, 0.5, 1.0)]
    assert all(independent_share(measured(), np.ones(N_POINTS), [fit]) == 1 for fit in fits)
    # Residuals as large as the uncertainties, or these taken from the scatter: as they are.
    assert independent_share(measured(), np.ones(N_POINTS), [level(running(0.9, 1.2, rng))]) == 1
    unknown = Curve(Q_POINTS, np.full(N_POINTS, 10.0))
    assert independent_share(unknown, np.ones(N_POINTS), [level(running(0.9, 0.3, rng))]) == 1


def test_errors_are_those_that_repeated_measurements_scatter_by() -> None:
    rng = np.random.default_rng(6)
    size = 0.3
    means, errors = [], []
    for _ in range(60):
        residual = running(0.9, size, rng)
        fit = level(residual - residual.mean())
        share = independent_share(measured(), np.ones(N_POINTS), [fit])
        means.append(residual.mean())
        errors.append(as_independent(fit, share).parameters["background"].error or 0.0)
    # The uncertainties themselves are too large, by 1/size.
    assert np.std(means) == pytest.approx(size * np.mean(errors), rel=0.35)
    assert np.std(means) > 3 * size / np.sqrt(N_POINTS)


def test_a_second_component_comes_not_first_by_what_neighbours_share_within_the_errors() -> None:
    def first(rest: np.ndarray) -> str:
        alone, both = level(rest), level(0.5 * rest, "flat+power_law")
        assert alone.chisq - both.chisq > 50, "overwhelming, were the points independent"
        curve = Curve(Q_POINTS, np.full(N_POINTS, 10.0), dintensity=np.ones(N_POINTS))
        return (
            weigh_fits(discrepancy(curve, np.ones(N_POINTS), [alone, both]), [alone, both], [0.9, 0.025])
            .fits[0]
            .name
        )

    rest = running(0.95, 0.6, np.random.default_rng(7))
    assert f"the {N_POINTS} points count as" in describe_share(
        N_POINTS, independent_share(measured(), np.ones(N_POINTS), [level(rest)])
    )
    assert first(rest) == level(rest).name
    assert first(np.random.default_rng(8).permutation(rest)) == "flat+power_law"


# --- Scatter of neighbouring points against stated uncertainties: a test that does not trust these.

EXACT = 1 / (1 + (40 * Q) ** 2) ** 2


@pytest.mark.parametrize("factor", [1 / 3, 1.0, 3.0])
def test_uncertainties_wrong_by_three_are_measured_whatever_the_misfit(factor: float) -> None:
    rng = np.random.default_rng(2)
    measured = EXACT * (1 + 0.01 * rng.standard_normal(Q.size) + 0.04 * np.sin(3 * np.log(Q)))
    stated = factor * 0.01 * EXACT
    found = misfit_of(Curve(Q, measured, stated), stated, fitted("sphere", theory=EXACT))
    assert found is not None
    assert found.over_stated == pytest.approx(1 / factor, rel=0.35)
    assert found.scatter == pytest.approx(0.01, rel=0.35)
    assert found.relative > 2 * found.scatter


def test_a_fit_that_follows_the_points_misses_them_by_their_scatter() -> None:
    rng = np.random.default_rng(3)
    measured = EXACT * (1 + 0.02 * rng.standard_normal(Q.size))
    found = misfit_of(Curve(Q, measured, 0.02 * EXACT), 0.02 * EXACT, fitted("sphere", theory=EXACT))
    assert found is not None
    assert found.relative == pytest.approx(found.scatter, rel=0.4)
