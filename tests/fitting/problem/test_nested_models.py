"""Each reduction holds in sasmodels itself: at the limit the larger model's curve is the simpler one's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sasmodels.data import empty_data1D
from sasmodels.direct_model import DirectModel

from sasnet_plugin.fitting.problem.nested_models import Reduction, reduce_attraction, simpler
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.priors import form_models, model_info

Q = np.geomspace(0.004, 0.3, 40)
FACTORS = ("hardsphere", "hayter_msa", "squarewell", "stickyhardsphere")
CASES = [(name, None, r) for name in form_models() for r in simpler(name)]
CASES += [("sphere", factor, r) for factor in FACTORS for r in simpler("sphere", factor)]
CASES += [("core_shell_sphere", "hardsphere", r) for r in simpler("core_shell_sphere", "hardsphere")]

# Of either component, renamed and by a formula.
SUMS = ("lorentz+power_law", "fuzzy_sphere+power_law", "power_law+elliptical_cylinder", "superball+superball")
CASES += [(name, None, r) for name in SUMS for r in simpler(name)]


def _curve(name: str, parameters: dict[str, Any]) -> np.ndarray:
    known = {p.name for p in model_info(name).parameters.call_parameters}
    values = {k: v for k, v in parameters.items() if k in known} | {"scale": 1.0, "background": 0.0}
    return np.asarray(DirectModel(empty_data1D(Q), load_model(name))(**values))


def _defaults(name: str) -> dict[str, float]:
    """sasmodels' own, with contrasts that all differ, as some defaults are matched."""
    table = model_info(name).parameters.call_parameters
    found = {p.name: float(p.default) for p in table if p.type not in ("orientation", "magnetic")}
    for k, key in enumerate(key for key in found if "sld" in key):
        found[key] = (1.3, 4.1, 2.2, 6.3, 0.4)[k % 5]
    return found


@pytest.mark.parametrize(
    ("model", "factor", "reduction"), CASES, ids=[f"{m}@{f}-{'-'.join(r.at)}" for m, f, r in CASES]
)
def test_the_curves_agree_at_the_limit(model: str, factor: str | None, reduction: Reduction) -> None:
    name = model if factor is None else f"{model}@{factor}"
    away = _defaults(name) | ({"radius_effective": 70.0, "volfraction": 0.2} if factor else {})
    at = dict(away)
    for key, limit in reduction.at.items():
        value = at[limit] if isinstance(limit, str) else limit
        if factor and limit == 0.0 and key in ("volfraction", "charge"):
            value = 1e-6  # the closures have no value at the limit itself but go there smoothly
        at[key] = 1e6 if value == np.inf else value
    larger, smaller = _curve(name, at), _curve(reduction.name, reduction.start(at))
    assert np.all(smaller > 0)
    ratio = larger / smaller
    assert np.ptp(ratio) / np.mean(ratio) < 1e-3


@pytest.mark.parametrize("factor", ["squarewell", "stickyhardsphere"])
def test_without_attraction_the_curves_nearly_agree(factor: str) -> None:
    base = {"scale": 1.0, "background": 0.0, "radius": 70.0, "radius_effective": 70.0, "volfraction": 0.1}
    hard = _curve("sphere@hardsphere", base)
    for reduction in reduce_attraction("sphere", factor):
        at = {k: 1e3 if v == np.inf else 1.0001 if v == 1.0 else v for k, v in reduction.at.items()}
        apart = np.std(_curve(f"sphere@{factor}", base | {k: float(v) for k, v in at.items()}) / hard)
        assert reduction.name == "sphere@hardsphere"
        assert apart < 0.1  # of closures; with attraction it is a multiple of that
        assert np.std(_curve(f"sphere@{factor}", base) / hard) > 2 * apart
    assert reduce_attraction("sphere", "hayter_msa") == ()


def test_a_start_keeps_what_both_know_and_renames_widths() -> None:
    (first,) = (r for r in simpler("vesicle") if "radius" in r.at)
    values = {
        "scale": 2.0,
        "background": 0.1,
        "radius": 0.0,
        "thickness": 30.0,
        "thickness_pd": 0.1,
        "sld": 1.0,
    }
    assert first.start(values) == {"background": 0.1, "sld": 1.0, "radius": 30.0, "radius_pd": 0.1}


def test_a_size_of_a_formula_is_spread_as_what_it_is_made_of() -> None:
    """A shell of 30 Å and 10 %, about a core of one size of 20 Å that is no other: 50 Å and 6 %."""
    (whole,) = (r for r in simpler("core_shell_sphere") if r.at.get("sld_shell") == "sld_core")
    found = whole.start({"radius": 20.0, "thickness": 30.0, "thickness_pd": 0.1, "sld_core": 1.0})
    assert found["radius"] == pytest.approx(50.0)
    assert found["radius_pd"] == pytest.approx(0.06)


def test_going_to_simpler_models_comes_to_an_end() -> None:
    def depth(name: str, above: tuple[str, ...] = ()) -> int:
        assert name not in above
        form, _, factor = name.partition("@")
        return 1 + max((depth(r.name, (*above, name)) for r in simpler(form, factor or None)), default=0)

    assert depth("sphere") == 1
    assert depth("core_shell_ellipsoid@hayter_msa") == 6  # round, uncharged, dilute, hollow, full
    assert max(depth(name) for name in form_models()) >= 4


def test_a_sum_becomes_simpler_where_a_component_does() -> None:
    assert [r.name for r in simpler("fuzzy_sphere+fuzzy_sphere")] == [
        "fuzzy_sphere",  # either one alone
        "fuzzy_sphere",
        "sphere+fuzzy_sphere",
        "fuzzy_sphere+sphere",
    ]
    first = next(r for r in simpler("superball+superball") if r.name == "sphere+superball")
    start = first.start({"A_length_a": 80.0, "A_exponent_p": 1.0, "B_length_a": 20.0, "B_exponent_p": 1.2})
    known = {name: value for name, value in start.items() if name != "A_length_a"}  # of no use to a sphere
    assert known == {"A_radius": 40.0, "B_length_a": 20.0, "B_exponent_p": 1.2}
