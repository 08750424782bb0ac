"""A measured curve of known truth: the noun of the benchmarks of fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sasnet_plugin.types import Curve, product_name


@dataclass(frozen=True)
class Problem:
    """A measured curve and what made it.

    Parameters
    ----------
    index : int
    curve : Curve
    dintensity : (n,) float array
    form, factor : str, str or None
    parameters : dict
        Of the truth.
    truth : float
        Reduced χ² of the truth, over all points.
    """

    index: int
    curve: Curve
    dintensity: np.ndarray
    form: str
    factor: str | None
    parameters: dict[str, Any]
    truth: float

    @property
    def name(self) -> str:
        """sasmodels' name."""
        return product_name(self.form, self.factor)
