"""A power-law upturn with what stands in it: Bragg orders of layers, a long period, a correlation peak.

The prior: q⁻¹·⁵ to q⁻⁴·² that is equal to the rest between a quarter and four times the first peak's q;
the sample's own spacing 20 to 800 Å, log-uniform.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Floats
from . import accepted
from .bilayers import stacks
from .body import COARSE_Q, Q_TOP, Body, interpolate_on_wide_grid

_Q = COARSE_Q[(COARSE_Q >= 3e-4) & (COARSE_Q <= Q_TOP)]


def two_phase_stack(q: Floats, spacing: float, fraction: float, width: float, edge: float) -> Floats:
    """Scattering (n,) of endless alternating crystalline and amorphous layers of relative thickness spread
    `width`; q in Å⁻¹, `spacing` (mean long period) and `edge` (boundary's spread) in Å, `fraction`
    crystalline.
    """
    # Hosemann and Tsvankin: I ∝ q⁻⁴ Re[(1 − H_c)(1 − H_a)/(1 − H_c H_a)] across layers, H the (Gaussian)
    # characteristic function of a thickness, and q⁻² for all directions.
    characteristic = [
        np.exp(1j * q * part - 0.5 * (width * q * part) ** 2)
        for part in (fraction * spacing, (1 - fraction) * spacing)
    ]
    across = (1 - characteristic[0]) * (1 - characteristic[1]) / (1 - characteristic[0] * characteristic[1])
    return np.asarray(np.maximum(across.real, 1e-12) / q**4 * np.exp(-((q * edge) ** 2)))


def orders(q: Floats, spacing: float, rng: np.random.Generator) -> Floats:
    """Two to five orders of a spacing, Lorentzians or Gaussians, wider from order to order."""
    width = np.exp(rng.uniform(np.log(0.01), np.log(0.1))) * 2 * np.pi / spacing
    peaks = np.zeros_like(q)
    for order in range(1, int(rng.integers(2, 6)) + 1):
        x = (q - order * 2 * np.pi / spacing) / (width * order ** rng.uniform(0, 2))
        height = order ** -rng.uniform(1.0, 4.0) * np.exp(0.5 * rng.standard_normal())
        peaks += height * (1 / (1 + x**2) if rng.random() < 0.5 else np.exp(-0.5 * x**2))
    return peaks + np.exp(rng.uniform(-6, -3))


def upturn(rng: np.random.Generator) -> Body:
    """Layers, a long period or one peak, below an upturn."""
    kind = rng.random()
    names: tuple[str, ...]
    first = 2 * np.pi / float(np.exp(rng.uniform(np.log(20), np.log(800))))
    second = 1.0
    if kind < 0.35:
        (rest, first), names = stacks(_Q, rng), accepted.STACK
    elif kind < 0.7:
        sizes = rng.uniform(0.2, 0.8), rng.uniform(0.08, 0.3), rng.uniform(0.0, 0.5) / first
        rest, names = two_phase_stack(_Q, 2 * np.pi / first, *sizes), accepted.LONG_PERIOD
    elif kind < 0.85:
        rest, names = orders(_Q, 2 * np.pi / first, rng), accepted.MULTILAYER
    else:
        # One peak: with a power law it is what broad_peak is.
        width = np.exp(rng.uniform(np.log(0.05), np.log(0.5)))
        rest, names = 1 / (1 + (np.abs(_Q / first - 1) / width) ** rng.uniform(1.8, 3.0)), ("broad_peak",)
        second = np.nan
    index = min(int(np.searchsorted(_Q, first * np.exp(rng.uniform(-1.4, 1.4)))), len(_Q) - 1)
    # Not above the first order, or it could not be seen.
    near = (_Q > 0.7 * first) & (_Q < 1.3 * first)
    level = min(float(rest[index]), float(rest[near].max())) * np.exp(rng.uniform(-1.5, 1.0))
    added = level * (_Q / _Q[index]) ** -rng.uniform(1.5, 4.2)
    leads_to = float(_Q[(added > rest) & (_Q < first)].max(initial=0.0))
    outside = np.inf if np.isnan(second) else 1.3 * first
    log_i = interpolate_on_wide_grid(_Q, rest + added)
    return Body("upturn", log_i, np.nan, names, outside, second, 0.7 * leads_to, 1.3 * first)
