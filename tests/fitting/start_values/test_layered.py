"""Bodies with layers, begun from the plain body that they are without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sasmodels.core import load_model
from sasmodels.direct_model import call_kernel

from sasnet_plugin import fit, load
from sasnet_plugin.fitting.start_values.layered import PLAIN, divide_layers, make_layered_starts, others_of
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

# --- Bodies with layers, begun from the plain body that they are without.

CASES = Path(__file__).parents[2] / "data" / "cases"
BODY = {
    "sphere": {"radius": 60.0},
    "cylinder": {"radius": 20.0, "length": 300.0},
    "ellipsoid": {"radius_polar": 30.0, "radius_equatorial": 60.0},
    "lamellar": {"thickness": 40.0},
}


def plain_of(form: str) -> dict[str, float]:
    return {**BODY[PLAIN[form].name], "sld": 1.0, "sld_solvent": 6.0, "background": 0.0, "scale": 1.0}


@pytest.mark.parametrize("form", PLAIN)
def test_a_layer_has_a_contrast_between_body_and_solvent_or_beyond(form: str) -> None:
    starts = list(make_layered_starts(form, plain_of(form)))
    assert {start[PLAIN[form].inner] for start in starts} == {1.0}
    outer = [start[PLAIN[form].outer] for start in starts]
    assert min(outer) < 1.0 < max(outer) < 6.0


@pytest.mark.parametrize("form", PLAIN)
def test_the_layered_body_is_about_as_large_as_the_plain_one(form: str) -> None:
    q = [np.array([1e-3, 0.02])]

    def fall(name: str, values: dict[str, float]) -> float:
        low, high = call_kernel(load_model(name).make_kernel(q), values)
        return float(high / low)

    own = fall(PLAIN[form].name, plain_of(form))
    assert all(0.6 < fall(form, start) / own < 1.6 for start in make_layered_starts(form, plain_of(form)))


def test_an_interaction_stays() -> None:
    plain = plain_of("core_shell_sphere") | {"volfraction": 0.3, "radius_pd": 0.1}
    for start in make_layered_starts("core_shell_sphere", plain):
        assert start["volfraction"] == 0.3
        assert "radius_pd" not in start


def test_a_precise_core_shell_sphere_is_explained_though_a_fuzzy_one_comes_nearer_at_first() -> None:
    (curve,) = load(CASES / "one_zero_uncertainty.dat")
    result = fit(curve, workers=1)
    assert result.best is not None
    assert result.best.name == "core_shell_sphere"
    found = result.best.parameters
    assert found["radius"].value == pytest.approx(60.0, abs=0.02)
    assert found["thickness"].value == pytest.approx(10.0, abs=0.02)
    assert result.best.reduced_chisq < 1.2


@pytest.mark.parametrize("relative", [0.003, 0.005])
def test_a_precise_core_shell_sphere_is_found_at_once(bank: Bank, relative: float) -> None:
    """sasmodels' defaults; the plain sphere whose dips are as deep is 1.6 times as large."""
    q = np.geomspace(5e-4, 0.5, 150)
    clean = 0.001 + call("core_shell_sphere", q, {"radius": 60.0, "thickness": 10.0}).intensity
    sigma = relative * clean
    curve = Curve(q, clean + sigma * np.random.default_rng(7).standard_normal(q.size), sigma)
    found = fit_candidate(Task(curve, sigma, "core_shell_sphere", None), bank)
    assert found.reduced_chisq < 1.4
    assert found.parameters["radius"].value == pytest.approx(60.0, rel=0.002)
    assert found.parameters["thickness"].value == pytest.approx(10.0, rel=0.01)


def test_a_precise_core_shell_ellipsoid_most_of_which_is_shell_is_found() -> None:
    """sasmodels' defaults."""
    core, ratio, shell = 20.0, 3.0, 30.0
    body = {"radius_equat_core": core, "x_core": ratio, "thick_shell": shell, "background": 0.001}
    q = np.geomspace(5e-4, 0.5, 150)
    clean = call("core_shell_ellipsoid", q, body | {"sld_core": 2.0, "sld_shell": 1.0}).intensity
    sigma = 0.004 * clean
    curve = Curve(q, clean + sigma * np.random.default_rng(1).standard_normal(q.size), sigma)
    best = fit(curve, models=["core_shell_ellipsoid"], structure_factor="none", workers=1).best
    assert best is not None
    assert best.reduced_chisq < 1.4
    assert best.parameters["radius_equat_core"].value == pytest.approx(core, rel=0.01)
    assert best.parameters["thick_shell"].value == pytest.approx(shell, rel=0.01)


# --- Other minima of much the same χ² as a fit's.

Q = np.geomspace(0.005, 0.2, 40)


def body(form: str) -> dict[str, float]:
    """Values of the plain body of a layered one."""
    sizes = dict(zip(PLAIN[form].own, (60.0, 40.0), strict=False))
    return {**sizes, "sld": 1.0, "sld_solvent": 6.0, "background": 0.0, "scale": 1.0}


@pytest.mark.parametrize("form", PLAIN)
def test_another_division_is_as_large_and_as_broad(form: str) -> None:
    plain = PLAIN[form]
    first = next(make_layered_starts(form, body(form)))
    width = {f"{plain.core}_pd": 0.1, f"{plain.core}_pd_n": 35, f"{plain.core}_pd_nsigma": 3.0}
    values = first | width | {f"{plain.core}_pd_type": "schulz"}
    others = list(divide_layers(form, values))
    for other in others:
        assert plain.whole(other) == pytest.approx(plain.whole(values))
        (broad,) = [name for name in (plain.core, plain.layer) if f"{name}_pd" in other]
        assert other[broad] * other[f"{broad}_pd"] == pytest.approx(0.1 * values[plain.core])
        assert other[f"{broad}_pd_type"] == "schulz"
    layers = [other[plain.layer] for other in others]
    assert max(layers) > 3 * min(layers)


def test_a_power_law_is_read_on_the_other_side_of_a_knee() -> None:
    others = others_of("guinier_porod")
    assert others is not None
    values = {"rg": 0.4, "s": 2.7, "porod_exp": 4.0, "scale": 1e-4, "background": 0.0}
    (other,) = others.starts(values, Q)
    ratio = call("guinier_porod", Q, other).intensity / call("guinier_porod", Q, values).intensity
    assert np.ptp(np.log(ratio)) < 0.1
    assert other["rg"] > 1 / Q[0]


def test_a_knee_that_is_seen_has_one_reading() -> None:
    others = others_of("guinier_porod")
    assert others is not None
    assert list(others.starts({"rg": 60.0, "s": 1.0, "porod_exp": 4.0}, Q)) == []
