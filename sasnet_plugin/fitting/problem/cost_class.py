"""How dear a model is in a fit."""

from __future__ import annotations

from sasnet_plugin.simulate.clean import tier
from sasnet_plugin.simulate.lattice import LATTICES

#: One integral, which is no longer dear with as many points as it needs.
_SINGLE = ("stacked_disks",)


def pace(name: str) -> str:
    """Fast, medium or slow: as sasmodels calculates it, or as what stands for it in fits does.

    Parameters
    ----------
    name : str
        Form model.
    """
    return "medium" if name in (*LATTICES, *_SINGLE) else tier(name)
