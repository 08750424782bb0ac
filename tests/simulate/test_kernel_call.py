"""A kernel called with what is kept between calls has sasmodels' own curve, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sasnet_plugin.simulate.kernel import call, load_model
from sasnet_plugin.simulate.kernel_call import InterpolatedCall, KernelCall, calls_of
from sasnet_plugin.simulate.priors import form_models
from sasnet_plugin.simulate.quick_models.quick import quick_model
from sasnet_plugin.types import SimulationError

Q = np.geomspace(0.005, 0.3, 20)
PRODUCTS = (
    "sphere@hayter_msa",
    "core_shell_sphere@hardsphere",
    "sphere+power_law",
    "vesicle@stickyhardsphere",
)
#: Of these one curve takes minutes at sasmodels' own points of quadrature.
SLOW = ("paracrystal", "superball", "pringle", "raspberry", "micromagnetic")


def _values(kernel: Any, rng: np.random.Generator) -> dict[str, Any]:
    table = kernel.info.parameters.call_parameters
    return {
        p.name: float(p.default) * rng.uniform(0.95, 1.05)
        for p in table
        if p.default and not p.choices and p.type not in ("magnetic", "orientation")
    }


@pytest.mark.parametrize("name", [*(m for m in form_models()[::4] if not m.endswith(SLOW)), *PRODUCTS])
def test_curves_are_those_of_sasmodels(name: str) -> None:
    from sasmodels.direct_model import call_kernel

    kernel, rng = load_model(name).make_kernel([Q]), np.random.default_rng(1)
    call = KernelCall(kernel)
    wide = [p for p in kernel.info.parameters.call_parameters if p.name in kernel.info.parameters.pd_1d]
    for kind in ("", "gaussian", "lognormal", "schulz"):
        values = _values(kernel, rng)
        for p in wide[:1] if kind else ():
            values |= {f"{p.name}_pd": 0.1, f"{p.name}_pd_n": 5, f"{p.name}_pd_nsigma": 3.0}
            values[f"{p.name}_pd_type"] = kind
        expected = np.array(call_kernel(kernel, dict(values)))
        assert np.array_equal(call(values), expected, equal_nan=True)
        assert np.array_equal(call(values), expected, equal_nan=True)  # with its details known


@pytest.mark.parametrize("mode", [0, 1])
def test_steps_of_a_structure_factor_keep_the_particle(mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from sasmodels.direct_model import call_kernel

    kernel = quick_model("core_shell_bicelle@hayter_msa").make_kernel([Q])
    call, values = KernelCall(kernel), {"radius_effective_mode": mode, "radius": 40.0, "length": 60.0}
    call(values)
    steps = [values | {"volfraction": 0.1}, values | {"charge": 5.0, "temperature": 300.0}]
    expected = [np.array(call_kernel(kernel, dict(step))) for step in steps]
    with monkeypatch.context() as patch:
        patch.setattr(kernel.p_kernel, "_call_kernel", lambda *_: pytest.fail("calculated anew"))
        assert all(np.array_equal(call(step), curve) for step, curve in zip(steps, expected, strict=True))
    longer = values | {"length": 61.0}
    assert np.array_equal(call(longer), call_kernel(kernel, dict(longer)))
    beta = values | {"structure_factor_mode": 1}  # which asks for the mean amplitude
    assert np.array_equal(call(beta), call_kernel(kernel, dict(beta)))


def test_magnetic_spheres_are_those_of_sasmodels() -> None:
    from sasmodels.direct_model import call_kernel

    kernel = load_model("sphere").make_kernel([Q])
    values = {"radius": 50.0, "sld_M0": 3.0, "sld_mtheta": 30.0, "up_frac_i": 0.5}
    assert np.array_equal(KernelCall(kernel)(values), call_kernel(kernel, dict(values)))


def test_a_parameter_of_another_model_is_an_error() -> None:
    with pytest.raises(TypeError, match="thickness"):
        KernelCall(load_model("sphere").make_kernel([Q]))({"radius": 50.0, "thickness": 3.0})


@pytest.mark.parametrize("name", ["sphere@hardsphere", "sphere+power_law"])
def test_a_product_or_sum_has_no_amplitude_and_says_so(name: str) -> None:
    with pytest.raises(SimulationError, match=r"has no F\(q\); use sasmodels"):
        call(name, np.array([0.01, 0.1]), {})


def test_components_of_a_sum_keep_their_last_curves_and_a_single_model_none() -> None:
    models = [load_model(name) for name in ("sphere", "power_law")]
    sphere, _ = calls_of(models, Q)
    (alone,) = calls_of(models[:1], Q)
    values, other = {"radius": 40.0}, {"radius": 50.0}
    kept = sphere(values)
    assert not np.array_equal(sphere(other), kept)
    assert sphere(dict(values)) is kept
    assert np.array_equal(alone(values), kept)
    assert alone(values) is not kept


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("cylinder", {"radius": 20.0, "length": 400.0}),
        ("core_shell_ellipsoid", {"radius_equat_core": 40.0, "x_core": 1.5, "thick_shell": 12.0}),
        ("core_shell_sphere", {"radius": 80.0, "thickness": 20.0, "radius_pd": 0.1, "radius_pd_n": 35}),
    ],
)
def test_a_curve_at_many_q_is_interpolated(name: str, values: dict[str, float]) -> None:
    q = np.geomspace(1e-3, 0.4, 1200)
    models = [quick_model(name)]
    (between,), each = calls_of(models, q, [True]), calls_of(models, q)
    assert isinstance(between, InterpolatedCall)
    assert between(values) == pytest.approx(each[0](values), rel=1e-3)
    longer = {**values, next(iter(values)): 300.0}
    assert between(longer) == pytest.approx(each[0](longer), rel=1e-3)
