"""The prior: valid, reproducible, seen by a measurement, contrast of either sign, exactly rescaled."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.simulate import lengths, priors
from sasnet_plugin.simulate.polydispersity import sample_polydispersity
from sasnet_plugin.simulate.priors import OWN_PRIORS
from sasnet_plugin.types import SimulationError

EVERY_MODEL = (*priors.form_models(), *priors.structure_factors(), "two_yukawa")
SLOW = {
    "bcc_paracrystal", "fcc_paracrystal", "sc_paracrystal", "superball", "pringle",
    "core_shell_parallelepiped",
    "core_shell_bicelle_elliptical", "core_shell_bicelle_elliptical_belt_rough", "hollow_rectangular_prism",
    "hollow_rectangular_prism_thin_walls", "parallelepiped", "rectangular_prism", "triaxial_ellipsoid",
    "truncated_octahedron", "barbell",
}  # fmt: skip


@lru_cache(maxsize=128)
def _model(name: str) -> Any:
    from sasmodels.core import build_model

    return build_model(priors.model_info(name), dtype="double", platform="dll")


def _curve(name: str, pars: dict[str, Any], q: np.ndarray) -> np.ndarray:
    from sasmodels.direct_model import call_kernel

    return call_kernel(_model(name).make_kernel([q]), {**pars, "background": 0.0})


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_draws_give_physical_curves(name: str) -> None:
    """At least 95 % of draws are finite, nowhere negative and not all zero."""
    rng = np.random.default_rng(11)
    q = np.geomspace(1e-3, 0.5, 60)
    draws = 2 if name in SLOW else 20
    good = 0
    for _ in range(draws):
        pars = priors.sample_prior(name, rng, truncated=True)
        assert all(np.isfinite(list(pars.values())))
        intensity = _curve(name, pars, q)
        # A Gaussian fades below the smallest double within the window: zero there is the right answer.
        good += bool(np.all(np.isfinite(intensity)) and np.all(intensity >= 0) and np.any(intensity > 0))
    assert good >= 0.95 * draws


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_draws_are_complete_within_limits_and_of_visible_size(name: str) -> None:
    rng = np.random.default_rng(3)
    info = priors.model_info(name)
    for _ in range(10):
        pars = priors.sample_prior(name, rng)
        table = dict(priors.parameter_names(info, pars))
        assert set(pars) == set(table)
        for parameter_name, value in pars.items():
            low, high = table[parameter_name].limits
            assert low <= value <= high, parameter_name
        size = priors.max_length(name, priors.sample_prior(name, rng, truncated=True))
        if size is not None:
            assert priors.SIZE_LIMITS[0] <= size <= priors.SIZE_LIMITS[1]


def test_sasmodels_lists_78_forms_and_the_four_structure_factors() -> None:
    assert len(priors.form_models()) == 78
    assert not any(priors.model_info(name).structure_factor for name in priors.form_models())
    assert list(priors.form_models()) == sorted(priors.form_models())
    assert priors.structure_factors() == ("hardsphere", "hayter_msa", "squarewell", "stickyhardsphere")


def test_structure_factors_go_with_bodies_only() -> None:
    assert priors.list_structure_factors("sphere") == priors.structure_factors()
    assert priors.list_structure_factors("power_law") == ()
    assert priors.list_structure_factors("hardsphere") == ()


@pytest.mark.parametrize("name", [n for n in priors.form_models() if priors.list_structure_factors(n)])
def test_sasmodels_builds_every_allowed_product(name: str) -> None:
    from sasmodels.core import load_model_info

    for factor in priors.list_structure_factors(name):
        assert load_model_info(f"{name}@{factor}").composition[0] == "product"


@pytest.mark.parametrize("name", ["sphere", "core_multi_shell", "rpa", "onion", "unified_power_Rg"])
def test_same_seed_same_parameters_and_the_global_state_is_left_alone(name: str) -> None:
    np.random.seed(5)  # noqa: NPY002
    untouched = np.random.random(4)  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    one = [priors.sample_prior(name, np.random.default_rng(9)) for _ in range(2)]
    np.testing.assert_array_equal(np.random.random(4), untouched)  # noqa: NPY002
    assert one[0] == one[1]
    assert one[0] != priors.sample_prior(name, np.random.default_rng(10))


@pytest.mark.parametrize("name", [n for n in EVERY_MODEL if priors.rescalable(n)])
def test_rescaling_is_an_exact_shift_of_log_q(name: str) -> None:
    rng = np.random.default_rng(2)
    q, factor = np.geomspace(2e-3, 0.1, 6), 2.3
    for _ in range(1 if name in SLOW else 4):
        pars = priors.sample_prior(name, rng)
        small = _curve(name, pars, q * factor)
        while not np.all(np.isfinite(small)):  # of some of sasmodels' own draws of spherical_sld
            pars = priors.sample_prior(name, rng)
            small = _curve(name, pars, q * factor)
        large = _curve(name, priors.rescale(name, pars, factor), q)
        seen = (large > 1e-10 * large.max()) & (small > 1e-10 * small.max())
        ratio = large[seen] / small[seen]
        # Structure factors lose digits to cancellation at q times size below 0.1.
        np.testing.assert_allclose(ratio, np.median(ratio), rtol=1e-6)
        assert priors.max_length(name, priors.rescale(name, pars, factor)) == pytest.approx(
            factor * priors.max_length(name, pars)
        )


@pytest.mark.parametrize("name", sorted(lengths.NOT_RESCALABLE))
def test_exceptions_from_the_units_rule_are_needed(name: str) -> None:
    info = priors.model_info(name)
    powers = lengths.powers(info)
    assert powers is not None  # the units alone would allow it
    q, rng, apart = np.geomspace(1e-3, 0.2, 20), np.random.default_rng(4), []
    for _ in range(4):
        pars = priors.sample_prior(name, rng)
        scaled = {key: value * 2.0 ** powers[lengths.base_id(info, key)] for key, value in pars.items()}
        ratio = _curve(name, scaled, q) / _curve(name, pars, 2 * q)
        apart.append(np.ptp(ratio) / np.median(ratio))
    assert max(apart) > 1e-3
    with pytest.raises(ValueError, match="does not scale with its lengths"):
        priors.rescale(name, pars, 2.0)


def test_contrast_takes_both_signs_and_phases_differ() -> None:
    rng = np.random.default_rng(6)
    draws = [priors.sample_prior("core_shell_sphere", rng) for _ in range(300)]
    core = np.array([p["sld_core"] - p["sld_solvent"] for p in draws])
    shell = np.array([p["sld_shell"] - p["sld_solvent"] for p in draws])
    assert 0.15 < np.mean(core < 0) < 0.6
    assert 0.1 < np.mean(core * shell < 0) < 0.6  # a shell of opposite contrast: another curve, not a mirror
    assert np.maximum(abs(core), abs(shell)).min() >= 0.5
    assert abs(core - shell).min() >= 0.3


def test_misspelt_and_foreign_keys_of_random_are_mended() -> None:
    pars = priors.sample_prior("two_power_law", np.random.default_rng(1))
    assert set(pars) == {"coefficent_1", "crossover", "power_1", "power_2"}
    # random() means coefficient_1 = 1; the table's default is the same, so look at what mending alone does.
    info = priors.model_info("two_power_law")
    mended = priors._mend(info, {"coefficient_1": 7.0, "scale": 3.0, "power_1_pd": 0.1, "nonsense": 2.0})
    assert mended == {"coefficent_1": 7.0}


def test_own_priors_are_for_models_that_exist() -> None:
    assert set(OWN_PRIORS) <= set(EVERY_MODEL)
    without_random = {n for n in EVERY_MODEL if priors.model_info(n).random is None}
    assert without_random <= set(OWN_PRIORS)


def test_polydispersity_follows_the_protocol() -> None:
    rng = np.random.default_rng(8)
    pars = priors.sample_prior("core_shell_cylinder", rng)
    draws = [sample_polydispersity("core_shell_cylinder", pars, rng, pd_n=21) for _ in range(2000)]
    counts = np.bincount([len(extra) // 4 for extra in draws], minlength=3) / 2000
    np.testing.assert_allclose(counts, [0.4, 0.5, 0.1], atol=0.04)
    widths = np.array([v for extra in draws for k, v in extra.items() if k.endswith("_pd")])
    assert 0.03 <= widths.min() < 0.04
    assert 0.29 < widths.max() <= 0.3
    kinds = [v for extra in draws for k, v in extra.items() if k.endswith("_pd_type")]
    assert 0.35 < kinds.count("gaussian") / len(kinds) < 0.45
    assert {k.split("_pd")[0] for extra in draws for k in extra} == {"radius", "thickness", "length"}
    assert sample_polydispersity("lorentz", {"cor_length": 50.0}, rng) == {}


def test_polydispersity_is_what_sasmodels_understands() -> None:
    """A wide distribution washes out the minima of a sphere."""
    rng = np.random.default_rng(12)
    pars = {"radius": 100.0, "sld": 4.0, "sld_solvent": 1.0}
    extra: dict[str, Any] = {}
    while not extra.get("radius_pd", 0) > 0.15:
        extra = sample_polydispersity("sphere", pars, rng)
    minimum = np.array([4.4934 / 100.0])
    assert _curve("sphere", {**pars, **extra}, minimum) > 1e3 * _curve("sphere", pars, minimum)


def test_a_plugin_without_random_gets_a_prior_from_its_table(tmp_path: Path) -> None:
    plugin = tmp_path / "my_ball.py"
    plugin.write_text(
        "from numpy import inf, exp\n"
        "name = 'my_ball'\ntitle = 'a Gaussian ball'\ndescription = 'test'\ncategory = 'shape:sphere'\n"
        "parameters = [['sld', '1e-6/Ang^2', 1, [-inf, inf], 'sld', ''],\n"
        "              ['sld_solvent', '1e-6/Ang^2', 6, [-inf, inf], 'sld', ''],\n"
        "              ['radius', 'Ang', 50, [20, 200], 'volume', '']]\n"
        "def form_volume(radius):\n    return radius**3\n"
        "def Iq(q, sld, sld_solvent, radius):\n"
        "    return (sld - sld_solvent)**2 * radius**6 * exp(-(q*radius)**2/5)\n"
        "Iq.vectorized = True\n"
    )
    rng = np.random.default_rng(0)
    radii = [priors.sample_prior(str(plugin), rng)["radius"] for _ in range(60)]
    assert 20 <= min(radii) < 40
    assert 120 < max(radii) <= 200
    assert priors.rescalable(str(plugin))


def test_a_missing_plugin_and_an_unknown_model_are_one_sentence(tmp_path: Path) -> None:
    for name in (str(tmp_path / "absent.py"), "spheer"):
        with pytest.raises(SimulationError) as caught:
            priors.sample_prior(name, np.random.default_rng(0))
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_every_model_is_published(repository: Path) -> None:
    text = (repository / "docs" / "prior_models.md").read_text(encoding="utf-8")
    assert all(f"\n### {name}\n" in text for name in EVERY_MODEL)
