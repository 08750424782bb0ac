"""Tables of structure factors for the bank's curves, over q times effective radius."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.simulate.kernel import call

#: Dimensionless grid q·R on which structure factors are tabulated.
_LOG_X = np.linspace(np.log(1e-3), np.log(300.0), 1200)
#: Parameters tried of each structure factor; radius_effective comes from the body.
FACTORS: dict[str, tuple[dict[str, float], ...]] = {
    "hardsphere": tuple({"volfraction": v} for v in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)),
    "squarewell": tuple(
        {"volfraction": v, "welldepth": d, "wellwidth": w}
        for v in (0.05, 0.15, 0.3)
        for d in (0.5, 1.5)
        for w in (1.2, 1.6)
    ),
    "stickyhardsphere": tuple(
        {"volfraction": v, "perturb": 0.05, "stickiness": s}
        for v in (0.05, 0.15, 0.3)
        for s in (0.12, 0.3, 1.0)
    ),
    "hayter_msa": tuple(
        {"volfraction": v, "charge": c} for v in (0.01, 0.03, 0.1, 0.25) for c in (5.0, 20.0, 60.0)
    ),
}
#: Radii at which hayter_msa, which does not scale with its size, is tabulated, Å.
_RADII = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0)


def places(log_x: NDArray[np.float64]) -> NDArray[np.intp]:
    """Where in the tables of structure factors; one beyond their end, S is 1.

    Parameters
    ----------
    log_x : float array
        ln q·R.
    """
    step = _LOG_X[1] - _LOG_X[0]
    at = np.rint(np.nan_to_num((log_x - _LOG_X[0]) / step, neginf=0.0))
    return np.asarray(np.clip(at, 0, _LOG_X.size), dtype=np.intp)


def interaction(
    factor: str, parameters: dict[str, float], at: NDArray[np.intp], radius: NDArray[np.float64]
) -> NDArray[np.float32]:
    """S of a structure factor, NaN where its closure has no solution.

    Parameters
    ----------
    factor : str
    parameters : dict
        One of `FACTORS`.
    at : (n, s, c) int array
        From `places`.
    radius : (n, s) float array
        Effective radius, Å.
    """
    key = tuple(sorted(parameters.items()))
    if factor != "hayter_msa":
        return _table(factor, key, 50.0)[at]
    pick = np.argmin(np.abs(np.log(np.maximum(radius, 1e-3))[..., None] - np.log(_RADII)), axis=-1)
    tables = np.stack([_table(factor, key, r) for r in _RADII])
    return np.asarray(tables[pick[..., None], at])


@lru_cache(maxsize=256)
def _table(factor: str, parameters: tuple[tuple[str, float], ...], radius: float) -> NDArray[np.float32]:
    """S on the grid of q·R, and the 1 beyond it; NaN where the closure has no solution."""
    values = call(factor, np.exp(_LOG_X) / radius, dict(parameters) | {"radius_effective": radius}).intensity
    known = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    return np.append(known, 1.0).astype(np.float32)
