"""Errors of a fitted image by what residuals do in whole areas of the detector."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sasnet_plugin.fitting.images.oriented import SETTINGS, OrientedImage


def area_errors(problem: OrientedImage, errors: Mapping[str, float]) -> dict[str, float]:
    """Standard deviations by what residuals do in whole areas of the detector; NaN where nothing moves.

    An unevenly counting detector, or a body that is not quite the right one, leaves residuals that are alike
    in neighbouring cells, each hardly beyond its counting error: χ² says little of them.

    Parameters
    ----------
    problem : OrientedImage
        At its minimum; left as it was.
    errors : mapping
        By counting, which say over what steps to differentiate.

    Notes
    -----
    With H = JᵀJ and the sums g of Jᵀr over blocks the covariance is H⁻¹ (Σ g gᵀ) H⁻¹ (Liang & Zeger,
    Biometrika 73 (1986) 13), times the number of blocks over one less.
    """
    columns = {}
    for name, one in problem.pars.items():
        at, (low, high) = one.value, problem.limits[name]
        step = errors.get(name, 0.0)
        if not 0 < step < high - low:
            continue
        ends = []
        for value in (max(at - step / 2, low), min(at + step / 2, high)):
            one.value = value
            ends.append((value, problem.residuals()))
        one.value = at
        (first, before), (last, after) = ends
        columns[name] = (after - before) / (last - first)
    found = dict.fromkeys(problem.pars, float("nan"))
    if not columns:
        return found
    jacobian, geometry = np.stack(list(columns.values()), axis=1), problem.cells.geometry
    length = np.linalg.norm(jacobian, axis=0)
    moving = length > 0
    unit = jacobian[:, moving] / length[moving]
    sector = np.floor(np.arctan2(geometry.qy, geometry.qx) / np.radians(SETTINGS.block_degrees))
    ring = np.floor(np.log(geometry.q) / SETTINGS.block_ln_q)
    _, block = np.unique(np.stack([sector.ravel(), ring.ravel()]), axis=1, return_inverse=True)
    number = int(block.max()) + 1
    sums = np.zeros((number, unit.shape[1]))
    np.add.at(sums, block.ravel(), unit * problem.residuals()[:, None])
    inverse = np.linalg.pinv(unit.T @ unit, hermitian=True)
    covariance = inverse @ (sums.T @ sums) @ inverse * number / max(number - 1, 1)
    names = [name for name, moves in zip(columns, moving, strict=True) if moves]
    found |= dict(zip(names, map(float, np.sqrt(np.diag(covariance)) / length[moving]), strict=True))
    return found
