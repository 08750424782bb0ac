"""What one stage leaves to the next: its best fit, and whether anything explains the curve."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.fitted import Fitted
from sasnet_plugin.types import Curve

Q = np.geomspace(0.01, 0.3, 100)
CURVE = Curve(Q, np.ones(Q.size), 0.1 * np.ones(Q.size))


def of(name: str, chisq: float, bic: float) -> ModelFit:
    return ModelFit(name, None, {}, {}, Q.size * chisq, chisq, bic, 0.5, 1.0, np.ones(Q.size))


def test_the_best_has_the_least_bic_and_the_curve_is_explained_by_the_least_chi_squared() -> None:
    found = Fitted(CURVE, [], [of("onion", 1.0, 150.0), of("sphere", 1.1, 120.0), of("cylinder", 9.0, 900.0)])
    assert found.best.name == "sphere"
    assert found.chisq == 1.0
    assert not found.unexplained
    assert Fitted(CURVE, [], [of("cylinder", 9.0, 900.0)]).unexplained


def test_without_fits_nothing_is_unexplained() -> None:
    found = Fitted(CURVE, [], [])
    assert not found.unexplained
    with pytest.raises(ValueError, match="empty"):
        _ = found.best
