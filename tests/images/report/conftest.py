"""A pattern with gaps, small enough to draw in no time."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.types import GrazingIncidence, Image


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def image(rng: np.random.Generator) -> Image:
    phi, alpha_f = np.linspace(-2, 2, 40), np.linspace(-0.6, 2.4, 30)
    expected = 1 + 500 * np.exp(-((phi[None, :] / 0.5) ** 2) - np.abs(alpha_f[:, None] - 0.3))
    mask = np.ones(expected.shape, dtype=bool)
    mask[10:12] = False
    mask[:, 25] = False
    counts = np.where(mask, rng.poisson(expected), 0.0)
    return Image(counts, mask, GrazingIncidence(phi, alpha_f, wavelength=0.96, alpha_i=0.4), file="film.tif")
