"""A generator, and one basis that many tests look at."""

from __future__ import annotations

import numpy as np
import pytest
from hexpatterns import ONE_SIZE

from sasnet_plugin.images.gisas.simulation import Basis, basis
from sasnet_plugin.images.simulation import MARGIN, WINDOW


@pytest.fixture(scope="session")
def wide_basis() -> Basis:
    """One geometry in the network's window with its margin."""
    return basis(ONE_SIZE, WINDOW.add_margin(MARGIN))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)
