"""The bank's curves in other sizes: shifted along ln q, and the parameters of a shift."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.simulate import lengths
from sasnet_plugin.simulate.priors import model_info, rescalable, rescale

#: Sizes are tried from a twelfth to twelve times those of the bank, in steps of 9.6 %.
_SHIFTS = np.arange(-54, 55, 2)
#: Factors of a power of q, by model, each with its exponent: their curves, too, can be shifted along ln q.
POWERED: Mapping[str, Mapping[str, str]] = {
    "broad_peak": {"porod_scale": "porod_exp"},
    "correlation_length": {"porod_scale": "porod_exp"},
    "unified_power_Rg": {f"B{i}": f"power{i}" for i in range(1, 7)},
}


def search_grid(model: str) -> NDArray[np.intp]:
    """Sizes tried of a model, in steps of the bank's grid."""
    return _SHIFTS if rescalable(model) or model in POWERED else np.zeros(1, dtype=int)


def rescaled(model: str, parameters: dict[str, float], factor: float) -> dict[str, float]:
    """All lengths times `factor`; widths of distributions are relative."""
    kept = {k: v for k, v in parameters.items() if "_pd" in k}
    sizes = {k: v for k, v in parameters.items() if "_pd" not in k}
    if model not in POWERED:
        return rescale(model, sizes, factor) | kept
    info = model_info(model)
    power = lengths.powers(info) or {}
    found = {
        name: value * factor ** power.get(lengths.base_id(info, name), 0) for name, value in sizes.items()
    }
    for name, exponent in POWERED[model].items():
        if name in found:
            found[name] = found[name] * factor ** -found[exponent]
    return found | kept
