"""Scattering length densities of a fit, and whether its contrasts alone make the curve."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...types import SasnetError
from .model_fit import ModelFit, Parameter

#: Where an invariance is looked at, Å⁻¹.
_Q = np.array([0.003, 0.012, 0.05, 0.11, 0.23])


def slds_of(fit: ModelFit) -> dict[str, Parameter]:
    return {name: p for name, p in fit.parameters.items() if "sld" in name and p.unit == "1e-6/Ang^2"}


def find_fixed_solvent(fit: ModelFit) -> str:
    """Name of the one solvent, as it was taken, beside other contrasts; empty where there is none."""
    slds = slds_of(fit)
    solvents = [name for name in slds if "solvent" in name]
    return solvents[0] if len(solvents) == 1 < len(slds) and solvents[0] not in fit.free else ""


@lru_cache(maxsize=256)
def invariant(model: str, solvent: str, other_names: tuple[str, ...]) -> bool:
    """Whether a model's curve only scales where its contrasts do, and their common level does not matter."""
    # Seen by calculating it: with models there are exceptions that no list would hold for ever.
    from ...simulate.kernel import call

    slds = {name: 1.3 + 0.7 * i for i, name in enumerate(other_names)}
    try:
        first_intensity = call(model, _Q, {**slds, solvent: 5.0}).intensity
        two = call(model, _Q, {**{k: 2.0 + 1.7 * (v - 5.0) for k, v in slds.items()}, solvent: 2.0}).intensity
    except SasnetError:
        return False
    return bool(
        np.all(np.isfinite(first_intensity))
        and np.any(first_intensity)
        and np.allclose(two, 1.7**2 * first_intensity, rtol=1e-5)
    )
