"""AutoSAS of AFL-agent with candidates from the network, and the candidates without AFL-agent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sasnet_plugin.integrations.autosas.candidates import candidates
from sasnet_plugin.types import Curve, SasnetError

RADIUS = 55.0


def curve_of(radius: float, rng: np.random.Generator) -> Curve:
    """I(q) of spheres (Rayleigh 1911) of some sizes."""
    q = np.geomspace(0.005, 0.3, 100)
    nodes = np.linspace(-3, 3, 31)
    sizes = radius * (1 + 0.08 * nodes)
    weight = np.exp(-(nodes**2) / 2) * sizes**6
    x = q[:, None] * sizes
    form = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 @ weight / weight.sum()
    clean = 20 * form + 0.01
    sigma = 0.02 * clean
    return Curve(q, clean + sigma * rng.standard_normal(q.size), sigma, file="spheres")


def test_candidates_are_probable_models_with_starts_near_the_truth_and_bounds_about_them() -> None:
    rng = np.random.default_rng(4)
    found = candidates([curve_of(RADIUS, rng), curve_of(1.1 * RADIUS, rng)], top=3)
    assert 1 <= len(found) <= 3
    first = next(one for one in found if one["sasmodel"] == "sphere")
    radius = first["fit_params"]["radius"]
    assert radius["value"] == pytest.approx(RADIUS, rel=0.2)
    assert radius["bounds"][0] < radius["value"] < radius["bounds"][1]
    for one in found:
        fitted = [p["bounds"] for p in one["fit_params"].values() if p["bounds"] is not None]
        assert len(fitted) >= 3
        assert all(low < high and np.isfinite([low, high]).all() for low, high in fitted)
        assert one["fit_params"]["scale"]["bounds"] is not None
        assert one["q_min"] <= 0.005 <= 0.3 <= one["q_max"]


def test_without_curves_or_with_noise_there_are_no_candidates() -> None:
    with pytest.raises(SasnetError, match="gets no candidates"):
        candidates([])


@pytest.mark.slow
def test_a_pipeline_of_afl_agent_fits_what_the_network_suggests() -> None:
    pytest.importorskip("AFL.double_agent")
    import xarray as xr
    from AFL.double_agent import Pipeline
    from AFL.double_agent.AutoSAS import ModelSelectAIC

    from sasnet_plugin.integrations.autosas.operation import SasnetAutoSAS

    rng = np.random.default_rng(4)
    curves = [curve_of(RADIUS, rng), curve_of(1.1 * RADIUS, rng)]
    data: dict[str, Any] = {
        "I": (("sample", "q"), np.stack([one.intensity for one in curves])),
        "dI": (("sample", "q"), np.stack([one.dintensity for one in curves])),
    }
    dataset = xr.Dataset(data, coords={"q": curves[0].q})
    with Pipeline() as pipeline:
        fit = SasnetAutoSAS("I", "dI", "q", "fit", top=2)
    result = pipeline.calculate(dataset, disable_progress_bar=True)
    assert result["fit_all_chisq"].shape == (2, len(fit.model_inputs))
    assert float(result["fit_all_chisq"].min(axis=1).max()) < 2
    radius = result["sphere_fit_val"].sel(sphere_params="sphere_radius").values
    assert radius == pytest.approx([RADIUS, 1.1 * RADIUS], rel=0.03)
    chosen = ModelSelectAIC("fit_all_chisq", "models", "sample", model_inputs=fit.model_inputs).calculate(
        result
    )
    assert set(chosen.output["AIC_label_names"].values) <= {one["name"] for one in fit.model_inputs}
    again = type(fit).from_json(fit.to_json())
    assert again.top == 2
    with pytest.raises(SasnetError, match="no variable 'dI'"):
        fit.calculate(dataset.drop_vars("dI"))
