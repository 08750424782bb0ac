"""What a model may look like on a curve before it is fitted: the bank's nearest curve of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.start_values.curve_bank import binned, search, seen, shifted
from sasnet_plugin.fitting.task import UNLIMITED, Budget
from sasnet_plugin.types import Curve, product_name

if TYPE_CHECKING:
    from sasnet_plugin.simulate.bank import Bank

#: Points of a preview, even in ln q; the bank has 50 a decade.
POINTS = 150

Drawn = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Preview:
    """Asks for the nearest curve of one model.

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


def previewed(asked: Preview, bank: Bank, budget: Budget = UNLIMITED) -> Drawn | None:
    """q (Å⁻¹) and I(q) with resolution, scale and background; None where no curve is finite here."""
    if asked.model not in bank.models:
        return None
    page = bank.page(asked.model)
    data = binned(asked.curve, asked.dintensity)
    shifts, tried = search(page, asked.model, asked.structure_factor, data)
    badness = np.stack([t[1] for t in tried])
    best = np.unravel_index(int(np.argmin(badness)), badness.shape)
    if not np.isfinite(badness[best]):
        return None
    k, row, s = (int(i) for i in best)
    q = np.geomspace(asked.curve.q[0], asked.curve.q[-1], POINTS)
    columns, matrix = seen(asked.curve, q)
    curves = [c for _, c in shifted(page, asked.structure_factor, columns, shifts[s : s + 1])]
    intensity = tried[k][2][row, s] * (curves[k][row, 0] @ matrix) + tried[k][3][row, s]
    finite = np.isfinite(intensity)
    return (q[finite], intensity[finite]) if finite.any() else None
