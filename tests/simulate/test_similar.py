"""Size distributions of bodies with one length: sasmodels' own curves, amplitudes, volumes and radii."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sasmodels.direct_model import call_Fq, call_kernel

from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick_models.quick import quick_model
from sasnet_plugin.simulate.quick_models.similar import SIMILAR

Q = np.geomspace(0.003, 0.3, 40)
KINDS = [("gaussian", 3), ("schulz", 5), ("lognormal", 5)]


def spread(form: str, size: float, kind: str, nsigma: float) -> dict[str, Any]:
    name = SIMILAR[form]
    width = {"": 0.14, "_n": 15, "_type": kind, "_nsigma": nsigma}
    return {name: size, "background": 0.0} | {f"{name}_pd{key}": value for key, value in width.items()}


@pytest.mark.parametrize(("kind", "nsigma"), KINDS)
@pytest.mark.parametrize("form", sorted(set(SIMILAR) - {"superball"}))
def test_the_sum_over_sizes_is_that_of_sasmodels(form: str, kind: str, nsigma: float) -> None:
    given = spread(form, 90.0, kind, nsigma)
    own, other = (model(form).make_kernel([Q]) for model in (load_model, quick_model))
    assert call_kernel(other, given) == pytest.approx(call_kernel(own, given), rel=5e-3)
    mode = {"radius_effective_mode": 1} if load_model(form).info.radius_effective_modes else {}
    amplitude, square, *rest = call_Fq(own, given | mode)
    found, _, *others = call_Fq(other, given | mode)
    assert others == pytest.approx(rest, rel=1e-9)
    if amplitude is not None:
        assert np.max(np.abs(found - amplitude) / np.sqrt(square)) < 5e-3


def test_superballs_of_exponent_one_are_spheres() -> None:
    """Their distribution too: sasmodels' own sphere, of half the length."""
    q = np.geomspace(0.003, 0.1, 12)
    given = spread("superball", 120.0, "gaussian", 3) | {"exponent_p": 1.0}
    ball = {
        "radius": 60.0,
        "radius_pd": 0.14,
        "radius_pd_n": 15,
        "sld": 4.0,
        "sld_solvent": 1.0,
        "background": 0.0,
    }
    sphere = call_kernel(load_model("sphere").make_kernel([q]), ball)
    found = call_kernel(quick_model("superball").make_kernel([q]), given | {"sld": 4.0, "sld_solvent": 1.0})
    assert found == pytest.approx(sphere, rel=1e-2)  # the quick average has few points


@pytest.mark.parametrize("width", [0.0, 0.15])
def test_products_take_it_up(width: float) -> None:
    name = "rectangular_prism@hardsphere"
    given = spread("rectangular_prism", 80.0, "gaussian", 3) | {
        "length_a_pd": width, "volfraction": 0.2, "radius_effective_mode": 1,
    }  # fmt: skip
    own, other = (call_kernel(model(name).make_kernel([Q]), given) for model in (load_model, quick_model))
    assert other == pytest.approx(own, rel=3e-3)


def test_distributions_of_anything_else_are_left_to_sasmodels() -> None:
    given = {"truncation": 0.1, "b2a_ratio": 1.2, "b2a_ratio_pd": 0.1, "b2a_ratio_pd_n": 5, "background": 0.0}
    own, other = (
        call_kernel(model("truncated_octahedron").make_kernel([Q]), given)
        for model in (load_model, quick_model)
    )
    assert other == pytest.approx(own, rel=3e-3)
