"""Patterns whose truth is known, and what the tests ask of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from inversion.orientedpatterns import FLAT, GEOMETRY, MEASUREMENT, STOP, coarse_films
from sasnet_plugin.images.gisas.inversion import (
    PARAMETERS,
    OrientationGuess,
    State,
    bin_on_window,
    prior_guess,
    state,
)
from sasnet_plugin.images.gisas.simulation import Basis, basis, mix
from sasnet_plugin.images.simulation import MARGIN, WINDOW, compute_expected_counts
from sasnet_plugin.types import GrazingIncidence, Image


@pytest.fixture(scope="session")
def one_basis() -> Basis:
    return basis(GEOMETRY, WINDOW.add_margin(MARGIN))


@pytest.fixture(scope="session")
def measured(one_basis: Basis) -> Callable[..., Image]:
    """An image of a distribution with so many counts, the rod behind a beamstop."""
    half = one_basis.half()

    def make(p: np.ndarray, counts: float = 1e6, seed: int = 1, turned: bool = False) -> Image:
        alpha, phi = WINDOW.centres()
        mask = np.broadcast_to(np.abs(phi) > STOP, WINDOW.shape)
        measurement = replace(MEASUREMENT, counts=counts)
        expected = compute_expected_counts(mix(half, p), WINDOW, measurement, mask)
        drawn = np.where(mask, np.random.default_rng(seed).poisson(expected), 0).astype(float)
        if turned:
            drawn = drawn[:, ::-1]
        nominal = GEOMETRY.alpha_i - MEASUREMENT.shift_alpha
        return Image(drawn, mask, GrazingIncidence(phi, alpha, GEOMETRY.wavelength, nominal), file="made.tif")

    return make


@pytest.fixture(scope="session")
def near() -> Callable[..., OrientationGuess]:
    """A guess with the true geometry and errors of a share of the prior's, which it knows."""

    def make(image: Image, share: float = 0.05, seed: int = 3, turned: bool = False) -> OrientationGuess:
        true = {**vars(GEOMETRY), **vars(MEASUREMENT)}
        if turned:
            true["shift_phi"] = -true["shift_phi"]
        rng = np.random.default_rng(seed)
        errors = {p.name: share * p.broad()[1] for p in PARAMETERS}
        geometry = {
            name: (float(true[name] + error * rng.uniform(-1, 1)), error) for name, error in errors.items()
        }
        return replace(prior_guess(image), geometry=geometry)

    return make


@pytest.fixture(scope="session")
def now(measured: Callable[..., Image]) -> State:
    """The model at the true geometry."""
    true = {**vars(GEOMETRY), **vars(MEASUREMENT)}
    counts = bin_on_window(measured(FLAT))[0]
    return state(counts, np.array([p.inner(true[p.name]) for p in PARAMETERS]))


@pytest.fixture
def few_films() -> Iterator[None]:
    with coarse_films():
        yield
