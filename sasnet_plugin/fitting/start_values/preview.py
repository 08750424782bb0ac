"""What a model may look like on a curve before it is fitted: the bank's nearest curve of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.start_values.curve_bank import binned, search, seen, shifted
from sasnet_plugin.types import Curve, product_name

if TYPE_CHECKING:
    from sasnet_plugin.simulate.bank import Bank

#: Points of a preview, even in ln q; the bank has 50 a decade.
POINTS = 150

Drawn = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Preview:
    """The nearest curve of one model; a job for `sasnet_plugin.fitting.pool.Workers`.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        Positive.
    model : str
        Form model.
    structure_factor : str or None
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    model: str
    structure_factor: str | None

    @property
    def name(self) -> str:
        """sasmodels' name of the product or the form model."""
        return product_name(self.model, self.structure_factor)

    def dispatched(self, reduced_chisq: float, seconds: float) -> Preview:
        """The same: neither other models nor the time matter here."""
        return self

    def run(self, bank: Bank) -> Drawn | None:
        """q (Å⁻¹) and I(q) with resolution, scale and background; None where no curve is finite here."""
        if self.model not in bank.models:
            return None
        page = bank.page(self.model)
        data = binned(self.curve, self.dintensity)
        shifts, tried = search(page, self.model, self.structure_factor, data)
        badness = np.stack([t[1] for t in tried])
        best = np.unravel_index(int(np.argmin(badness)), badness.shape)
        if not np.isfinite(badness[best]):
            return None
        k, row, s = (int(i) for i in best)
        q = np.geomspace(self.curve.q[0], self.curve.q[-1], POINTS)
        columns, matrix = seen(self.curve, q)
        curves = [c for _, c in shifted(page, self.structure_factor, columns, shifts[s : s + 1])]
        intensity = tried[k][2][row, s] * (curves[k][row, 0] @ matrix) + tried[k][3][row, s]
        finite = np.isfinite(intensity)
        return (q[finite], intensity[finite]) if finite.any() else None
