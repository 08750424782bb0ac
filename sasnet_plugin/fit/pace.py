"""How dear a model is in a fit."""

from __future__ import annotations

from ..simulate.clean import tier
from ..simulate.lattice import LATTICES


def pace(name: str) -> str:
    """Fast, medium or slow: as sasmodels calculates it, or as the table does that stands for it in fits.

    Parameters
    ----------
    name : str
        Form model.
    """
    return "medium" if name in LATTICES else tier(name)
