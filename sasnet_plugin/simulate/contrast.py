"""Scattering length densities drawn so that contrasts take either sign, as neutrons and X-rays give them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

NEUTRON_SOLVENT = (-0.56, 6.40)
"""H2O to D2O, 1e-6/Å² (NIST neutron activation calculator, 1.00 and 1.11 g/cm³)."""
NEUTRON_MATTER = (-0.6, 10.0)
"""From alkanes and light water to nickel and graphite, 1e-6/Å²."""
XRAY_SOFT = (7.0, 14.0)
"""Organic matter, water (9.4) and proteins, 1e-6/Å², Cu K-alpha."""
XRAY_HARD = (14.0, 40.0)
"""From silica (18) over oxides to semiconductors, 1e-6/Å², Cu K-alpha."""

SHARE_NEUTRON = 0.6
SHARE_SOLID_MATRIX = 0.2  # X-rays: pores or soft matter in a heavy matrix
LEAST_CONTRAST = 0.5
LEAST_DIFFERENCE = 0.3
_TRIES = 1000


def draw_slds(limits: Mapping[str, tuple[float, float]], rng: np.random.Generator) -> dict[str, float]:
    """Draw scattering length densities within limits, by the model's names, 1e-6/Å²."""
    # The solvent is every name with ``solvent``, else the last (teubner_strey).
    # The probe is drawn first (neutrons 0.6, X-rays 0.4), then solvent, then other phases. The largest
    # contrast is at least 0.5, and two or more other phases differ by at least 0.3: never all equal, either
    # sign.
    names = list(limits)
    if not names:
        return {}
    solvents = [name for name in names if "solvent" in name] or names[-1:]
    other_names = [name for name in names if name not in solvents]
    pars: dict[str, float] = {}
    for _ in range(_TRIES):
        solvent, matter = _phases(len(other_names), rng)
        pars = dict.fromkeys(solvents, solvent) | dict(zip(other_names, matter.tolist(), strict=True))
        pars = {name: pars[name] for name in names}
        inside = all(limits[name][0] <= pars[name] <= limits[name][1] for name in names)
        if inside and _distinct(matter - solvent):
            return pars
    # Limits too tight for any probe (a user's own model): uniform within them.
    return {name: float(rng.uniform(*np.clip(limits[name], -1.0, 40.0))) for name in names}


def _phases(n: int, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    if rng.random() < SHARE_NEUTRON:
        return float(rng.uniform(*NEUTRON_SOLVENT)), rng.uniform(*NEUTRON_MATTER, size=n)
    matrix = XRAY_HARD if rng.random() < SHARE_SOLID_MATRIX else XRAY_SOFT
    soft = rng.random(n) < 0.5
    matter = np.where(soft, rng.uniform(*XRAY_SOFT, size=n), rng.uniform(*XRAY_HARD, size=n))
    return float(rng.uniform(*matrix)), matter


def _distinct(contrasts: np.ndarray) -> bool:
    if contrasts.size == 0:
        return True
    if np.abs(contrasts).max() < LEAST_CONTRAST:
        return False
    return bool(contrasts.size == 1 or np.ptp(contrasts) >= LEAST_DIFFERENCE)
