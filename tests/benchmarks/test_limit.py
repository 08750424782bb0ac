"""The limit of classification: evidences that are known exactly, identical models, the simulator's prior."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, multivariate_normal, norm

from benchmarks.curves import limit_prior as prior
from benchmarks.curves.limit_curves import Case, Sample, case
from benchmarks.curves.limit_evidence import Clock, Mode, Problem, climb, laplace, posterior, sampled
from benchmarks.curves.limit_hypotheses import hypothesis, log_chance, problem, sizes_of
from benchmarks.curves.limit_tables import forms_table, mean_of, protocol_weights


def linear(seed: int, points: int = 30) -> tuple[Problem, float]:
    """A straight problem of three correlated parameters, and ln of its evidence in closed form."""
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(points, 3)) * [8.0, 1.0, 0.05]
    covariance = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, 0.3], [0.0, 0.3, 1.0]])
    data = design @ rng.multivariate_normal(np.zeros(3), covariance) + rng.normal(size=points)
    asked = Problem(lambda z: design @ z - data, np.linalg.inv(covariance))
    whole = multivariate_normal(np.zeros(points), np.eye(points) + design @ covariance @ design.T)
    # Without the normalisation of the likelihood, which is the same for every model.
    return asked, float(whole.logpdf(data) + 0.5 * points * np.log(2 * np.pi))


@pytest.mark.parametrize("seed", range(3))
def test_evidence_of_a_linear_model_is_exact(seed: int) -> None:
    asked, exact = linear(seed)
    mode = climb(asked, np.full(3, 0.5), Clock(10))
    assert mode is not None
    assert laplace(asked, mode).laplace == pytest.approx(exact, abs=0.02)
    by_samples = sampled(asked, mode, np.random.default_rng(1), [200, 400], Clock(10))
    assert by_samples.effective > 100
    assert by_samples.sampled == pytest.approx(exact, abs=0.15)


def test_sampling_mends_what_laplace_gets_wrong() -> None:
    # A parameter that the data bound from one side alone: half of the prior remains.
    asked = Problem(lambda z: 30 * np.minimum(z, 0.0), np.eye(1))
    mode = climb(asked, np.array([0.3]), Clock(10))
    assert mode is not None
    exact = np.log(0.5 + 0.5 / np.sqrt(901))
    found = sampled(asked, mode, np.random.default_rng(2), [300, 600], Clock(10))
    assert abs(found.sampled - exact) < 0.1 < abs(laplace(asked, mode).laplace - exact)


def test_stiff_matrices_are_sampled() -> None:
    # Very precise data that show two of six directions: the inverse has no root in floating point.
    rng = np.random.default_rng(0)
    design = 1e5 * rng.normal(size=(30, 2)) @ rng.normal(size=(2, 6))
    asked = Problem(lambda z: design @ z, np.eye(6))
    mode = Mode(np.zeros(6), 0.0, design.T @ design + np.eye(6), 0.0)
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(np.linalg.inv(mode.hessian))
    found = sampled(asked, mode, np.random.default_rng(4), [200, 400], Clock(10))
    assert found.sampled == pytest.approx(found.laplace, abs=0.2)


def test_a_useless_parameter_costs_nothing_and_a_wrong_model_loses() -> None:
    rng = np.random.default_rng(5)
    x = np.linspace(-1, 1, 40)
    data = 2 * x + 0.1 * rng.normal(size=x.size)
    straight = Problem(lambda z: (z[0] * x - data) / 0.1, np.eye(1))
    idle = Problem(lambda z: (z[0] * x - data) / 0.1, np.eye(2))
    bent = Problem(lambda z: (z[0] * x**2 - data) / 0.1, np.eye(1))
    values = {}
    for name, one in (("a", straight), ("b", idle), ("c", bent)):
        mode = climb(one, np.zeros(len(one.precision)), Clock(10))
        assert mode is not None
        values[name] = laplace(one, mode).laplace
    assert values["a"] == pytest.approx(values["b"], abs=1e-6)
    assert posterior(values)["c"] < 1e-9


def test_two_names_of_one_model_share_its_probability() -> None:
    asked, _ = linear(4)
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    turned = Problem(lambda z: asked.residuals(turn @ z), turn.T @ asked.precision @ turn)
    values = {}
    for name, one in (("this", asked), ("that", turned)):
        mode = climb(one, np.zeros(3), Clock(10))
        assert mode is not None
        values[name] = laplace(one, mode).laplace
    found = posterior(values)
    assert found["this"] == pytest.approx(0.5, abs=0.005)
    assert posterior(values | {"none": -np.inf})["none"] == 0.0


def test_scores_are_normal_under_the_models_own_prior() -> None:
    known = prior.coordinates("core_shell_sphere", prior.draws("core_shell_sphere")[0])
    rng = np.random.default_rng(21)
    scores = np.array(
        [known.scores(prior.expanded("core_shell_sphere", one)) for one in prior.draws("core_shell_sphere")]
    )
    for column in scores.T:
        assert kstest(column, norm.cdf).pvalue > 0.01
    z = rng.standard_normal(len(known.names))
    assert known.scores(known.parameters(z)) == pytest.approx(z, abs=0.05)


def test_contrasts_keep_the_curve() -> None:
    from benchmarks.curves.limit_curves import scattering

    pars = {"radius": 60.0, "thickness": 20.0, "sld_core": 1.0, "sld_shell": 4.5, "sld_solvent": 6.4}
    q = np.geomspace(0.005, 0.3, 50)
    again = prior.expanded("core_shell_sphere", prior.reduced("core_shell_sphere", pars))
    first, second = (
        scattering(Sample("core_shell_sphere", "", p, {}, {}, "gaussian"), q)[0] for p in (pars, again)
    )
    assert second / second[0] == pytest.approx(first / first[0], rel=1e-6)


def test_chances_of_distributed_sizes_add_up() -> None:
    for sizes in (1, 2, 4):
        every = [
            np.exp(log_chance(sizes, many)) * n
            for many, n in ((0, 1), (1, sizes), (2, sizes * (sizes - 1) / 2))
            if n
        ]
        assert sum(every) == pytest.approx(1.0)


@pytest.fixture(scope="module")
def sphere() -> Case:
    found = case("sphere", np.random.default_rng(8), 0.0)
    assert found is not None
    return found


def test_the_truth_is_explained_and_found_again(sphere: Case) -> None:
    one = hypothesis(sphere.sample)
    asked = problem(sphere, one)
    z = one.scores(sphere.sample, sphere.background, 0.0)
    residuals = asked.residuals(z)
    assert residuals is not None
    assert np.mean(residuals**2) == pytest.approx(1.0, abs=4 * np.sqrt(2 / residuals.size))
    mode = climb(asked, z + 0.02, Clock(10))
    assert mode is not None
    found = one.sample(mode.z).parameters["radius"]
    assert found == pytest.approx(sphere.sample.parameters["radius"], rel=0.02)
    assert sizes_of("sphere", sphere.sample.parameters) == ("radius",)


def test_shares_are_weighted_back_to_the_protocol() -> None:
    rows = [{"factor": "hardsphere", "by_factor": {"": 0.1}}] * 10 + [
        {"factor": "", "by_factor": {"": 0.9}}
    ] * 10
    w = protocol_weights(rows)
    assert w[:10].sum() / w.sum() == pytest.approx(0.25)
    assert mean_of([1.0] * 10 + [0.0] * 10, w).startswith("25.0 ±")


def test_the_table_counts_first_answers() -> None:
    row = {"instrument": "saxs_lab", "model": "sphere", "factor": "", "by_factor": {}, "examined": 0.9}
    said = {"success": True, "posterior": {"sphere": 0.8}, "network": {"dab": 0.6, "sphere": 0.4}}
    first = forms_table([row | said] * 4).splitlines()[2]
    assert "| all | 4 | 80.0 ± 0.0 | 72.0 ± 0.0 | 100.0 ± 0.0 | 0.0 ± 0.0 | 60.0 ± 0.0 |" == first
