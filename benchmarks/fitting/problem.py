"""A measured curve of known truth: the noun of the benchmarks of fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sasnet_plugin.types import Curve, product_name


@dataclass(frozen=True)
class Problem:
    """A measured curve and what made it."""

    index: int
    curve: Curve
    dintensity: np.ndarray  #: (n,)
    form: str
    factor: str | None
    parameters: dict[str, Any]  #: Of the truth.
    truth: float  #: Reduced χ² of the truth, over all points.

    @property
    def name(self) -> str:
        """sasmodels' name."""
        return product_name(self.form, self.factor)
