"""The prior beside our own: nothing frozen, sasmodels' draws for half, the earlier one by a switch."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.simulate import priors
from sasnet_plugin.simulate.priors import FROZEN, OWN_PRIORS, SETTINGS

MODELS = (*priors.form_models(), *priors.structure_factors())
DRAWS = 1000


@pytest.mark.parametrize("name", MODELS)
def test_no_parameter_is_constant_over_a_thousand_draws(name: str) -> None:
    rng = np.random.default_rng(1)
    seen: dict[str, set[float]] = {}
    for _ in range(DRAWS):
        for parameter, value in priors.sample_prior(name, rng).items():
            seen.setdefault(parameter, set()).add(value)
        constant = [p for p, values in seen.items() if len(values) == 1 and p not in SETTINGS]
        if not constant:
            return
    pytest.fail(f"{name}: {', '.join(constant)} never changed")


def test_what_random_leaves_out_is_listed_by_the_models_own_names() -> None:
    for name, drawn in FROZEN.items():
        table = {p.id for p in priors.model_info(name).parameters.kernel_parameters}
        assert set(drawn) <= table, name


@pytest.mark.parametrize(
    ("name", "parameter", "least"),
    [("bcc_paracrystal", "d_factor", 0.1), ("sc_paracrystal", "d_factor", 0.06)],
)
def test_half_of_the_replaced_draws_are_sasmodels_own(name: str, parameter: str, least: float) -> None:
    def share(truncated: bool) -> float:
        rng = np.random.default_rng(2)
        drawn = [priors.sample_prior(name, rng, truncated=truncated)[parameter] for _ in range(300)]
        return float(np.mean(np.array(drawn) < least))

    assert share(truncated=True) == 0
    # random() draws log-uniform 0.01..0.2.
    expected = 0.5 * np.log(least / 0.01) / np.log(0.2 / 0.01)
    assert share(truncated=False) == pytest.approx(expected, abs=0.08)


def test_sizes_are_not_cut() -> None:
    rng = np.random.default_rng(3)
    drawn = [priors.sample_prior("core_shell_ellipsoid", rng) for _ in range(400)]
    sizes = [priors.max_length("core_shell_ellipsoid", one) or 0.0 for one in drawn]
    assert max(sizes) > priors.SIZE_LIMITS[1]


def test_every_model_with_a_prior_of_ours_has_a_generic_draw_that_is_valid_now_and_then() -> None:
    rng = np.random.default_rng(4)
    for name in sorted(set(OWN_PRIORS) & set(priors.form_models())):
        drawn = [priors.sample_prior(name, rng) for _ in range(5)]
        table = dict(priors.parameter_names(priors.model_info(name), drawn[0]))
        assert set(drawn[0]) == set(table)


def test_the_truncated_prior_draws_what_it_always_drew() -> None:
    rng = np.random.default_rng(1)
    drawn = priors.sample_prior("core_shell_cylinder", rng, truncated=True)
    assert drawn == pytest.approx(
        {
            "sld_core": 8.173647494496683,
            "sld_shell": 3.737510845513109,
            "sld_solvent": 2.386352084849127,
            "radius": 234.5720110369717,
            "thickness": 6.373248760808309,
            "length": 13506.51096678838,
        }
    )
    assert priors.sample_prior("fractal_core_shell", rng, truncated=True)["thickness"] == 10.0
