"""Artefacts of an instrument with which a simpler model fits; curves are numpy formulas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_results import SPHERE, answer

from sasnet_plugin.fitting.assessment.artefacts import suspect_of
from sasnet_plugin.fitting.result.fit_result import LOWEST_POINTS, NONE, SLIT, Artefact, FitResult
from sasnet_plugin.fitting.verdict.doubts import doubts
from sasnet_plugin.types import Curve

Q = np.geomspace(0.006, 0.3, 120)


def spheres(q: np.ndarray, radius: float = 90.0, width: float = 0.08) -> np.ndarray:
    """Of a Gaussian distribution, I(0) about 1."""
    sizes = radius * (1 + width * np.linspace(-3, 3, 41))
    share = np.exp(-(np.linspace(-3, 3, 41) ** 2) / 2)
    x = q[..., None] * sizes
    amplitude = 3 * (np.sin(x) - x * np.cos(x)) / x**3
    return np.asarray((share * sizes**6 * amplitude**2).sum(-1) / (share * sizes**6).sum())


def measured(exact: np.ndarray, seed: int = 1) -> Curve:
    sigma = 0.008 * exact + 2e-5
    return Curve(
        Q, exact + sigma * np.random.default_rng(seed).standard_normal(Q.size), sigma, file="made.dat"
    )


def fitted_to(curve: Curve, *models: str) -> FitResult:
    from sasnet_plugin import fit

    # The clock is no part of what is tested.
    return fit(curve, models=models, structure_factor="none", workers=1, time_limit=400.0)


def test_a_slit_that_no_file_states_is_found_with_its_length() -> None:
    along = 0.12 * (np.arange(200) + 0.5) / 200  # half of a slit
    behind = spheres(np.hypot(Q[:, None], along)).mean(axis=1)
    result = fitted_to(measured(behind), "sphere", "core_shell_sphere")
    assert result.best is not None
    assert result.best.name == "core_shell_sphere"
    assert result.artefact is not None
    assert result.artefact.kind == SLIT
    assert result.artefact.model == "sphere"
    assert 0.09 < result.artefact.q < 0.17
    assert "A slit that the file does not state" in result.verdict.doubt


def test_parasitic_scattering_at_the_lowest_points_is_found() -> None:
    parasitic = 0.3 * np.exp(-(Q - Q[0]) / 0.0007)
    result = fitted_to(measured(spheres(Q) + parasitic), "sphere", "core_shell_sphere")
    asked = suspect_of(result.curve, result.dintensity, result.fits, frozenset())
    assert asked is not None
    assert "sphere" in {simple.name for simple in asked.simple}
    found = result.artefact
    assert found is not None
    assert (found.kind, found.model) == (LOWEST_POINTS, "sphere")
    assert 2 <= found.points <= 24
    assert result.verdict.doubt.startswith("The lowest points may contain parasitic scattering.")


def test_parasitic_scattering_is_found_where_a_second_component_stands_for_it() -> None:
    parasitic = 0.3 / (1 + ((Q - Q[0]) / 0.0015) ** 2) ** 2
    result = fitted_to(measured(spheres(Q) + parasitic), "sphere+power_law", "sphere")
    assert result.best is not None
    assert result.best.name == "sphere+power_law"
    assert result.artefact is not None
    assert (result.artefact.kind, result.artefact.model) == (LOWEST_POINTS, "sphere")
    assert result.verdict.doubt.startswith("The lowest points may contain parasitic scattering.")


def test_a_model_that_needs_a_distribution_for_the_artefact_is_asked_without_one() -> None:
    """With it the sphere has as many parameters as the sum that leads, and would not be simpler."""
    from sasnet_plugin.fitting.result.model_fit import Parameter

    width = Parameter(0.3, 0.01, "", False, 0.0, 1.0)
    failing = replace(
        SPHERE, reduced_chisq=9.0, parameters={**SPHERE.parameters, "radius_pd": width},
    )  # fmt: skip
    best = replace(SPHERE, model="sphere+lorentz", reduced_chisq=1.1)
    asked = suspect_of(answer().curve, answer().dintensity, (best, failing), frozenset())
    assert asked is not None
    spread, single = asked.simple
    assert (spread.name, single.name) == ("sphere", "sphere")
    assert single.free == spread.free - 1
    assert not any(name.startswith("radius_pd") for name in single.starts[0])


def test_an_upturn_over_all_q_is_a_component_and_no_artefact() -> None:
    result = fitted_to(measured(spheres(Q) + 0.05 * (Q[0] / Q) ** 2), "sphere+power_law", "sphere")
    assert result.best is not None
    assert result.best.name == "sphere+power_law"
    assert result.artefact is None


def test_shells_that_a_sample_has_are_no_artefact() -> None:
    def amplitude(radius: float) -> np.ndarray:
        x = Q * radius
        return np.asarray(radius**3 * 3 * (np.sin(x) - x * np.cos(x)) / x**3)

    exact = (amplitude(75.0) * 2.0 - amplitude(60.0)) ** 2
    result = fitted_to(measured(exact / exact[0]), "sphere", "core_shell_sphere")
    assert result.best is not None
    assert result.best.name == "core_shell_sphere"
    assert result.artefact is None


def test_a_simpler_model_that_fits_as_it_is_is_named_without_a_slit() -> None:
    result = fitted_to(measured(spheres(Q)), "core_shell_sphere")
    assert result.artefact is not None
    assert (result.artefact.kind, result.artefact.model) == (NONE, "sphere")
    assert any(doubt.startswith("The simpler model sphere fits these data too") for doubt in doubts(result))


def test_the_simplest_model_has_no_simpler_one() -> None:
    assert suspect_of(answer().curve, answer().dintensity, (SPHERE,), frozenset()) is None


@pytest.mark.parametrize("explains", [True, False])
def test_an_artefact_is_the_first_caution(explains: bool) -> None:
    found = answer(artefact=Artefact(LOWEST_POINTS, "ellipsoid", 1.01, 0.032, 28))
    if not explains:
        assert found.verification is not None
        found = replace(found, verification=replace(found.verification, explained=False))
    assert doubts(found)[0] == (
        "The lowest points may contain parasitic scattering. Without the first 28, ellipsoid fits with fewer"
        " parameters from q = 0.032 Å⁻¹ on (reduced χ² 1.01)."
    )
