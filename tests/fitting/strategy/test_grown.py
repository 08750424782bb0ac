"""Bodies with layers, begun from a plain one that comes nearer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sasmodels.core import load_model
from sasmodels.direct_model import call_kernel

from sasnet_plugin import fit, load
from sasnet_plugin.fitting.strategy.grown import GROWN, starts

CASES = Path(__file__).parents[2] / "data" / "cases"
PLAIN = {
    "sphere": {"radius": 60.0},
    "fuzzy_sphere": {"radius": 60.0, "fuzziness": 5.0},
    "cylinder": {"radius": 20.0, "length": 300.0},
    "ellipsoid": {"radius_polar": 30.0, "radius_equatorial": 60.0},
    "lamellar": {"thickness": 40.0},
}


@pytest.mark.parametrize("form", GROWN)
def test_a_layer_has_a_contrast_between_body_and_solvent_or_beyond(form: str) -> None:
    _, _, inner, outer = GROWN[form]
    plain = {**PLAIN[form], "sld": 1.0, "sld_solvent": 6.0, "background": 0.01, "scale": 0.02}
    between, past = starts(form, plain)
    assert between[inner] == past[inner] == 1.0
    assert past[outer] < 1.0 < between[outer] < 6.0


@pytest.mark.parametrize("form", GROWN)
def test_the_layered_body_is_about_as_large_as_the_plain_one(form: str) -> None:
    plain = {**PLAIN[form], "sld": 1.0, "sld_solvent": 6.0, "background": 0.0, "scale": 1.0}
    q = [np.array([1e-3, 0.02])]

    def fall(name: str, values: dict[str, float]) -> float:
        kernel = load_model(name).make_kernel(q)
        low, high = call_kernel(kernel, values)
        return float(high / low)

    own = fall(form, plain)
    assert all(0.6 < fall(GROWN[form][0], start) / own < 1.6 for start in starts(form, plain))


def test_a_precise_core_shell_sphere_is_explained_though_a_fuzzy_one_comes_nearer_at_first() -> None:
    (curve,) = load(CASES / "one_zero_uncertainty.dat")
    result = fit(curve, workers=1)
    assert result.best is not None
    assert result.best.name == "core_shell_sphere"
    found = result.best.parameters
    assert found["radius"].value == pytest.approx(60.0, abs=0.02)
    assert found["thickness"].value == pytest.approx(10.0, abs=0.02)
    assert result.best.reduced_chisq < 1.2
