"""Usual special cases of bodies with many proportions, beside the library's curves of random ones.

A cube is what most boxes are made as, and of 160 boxes of random proportions none is near one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Floats
from ...simulate.bank import BANK_STEP, FLOOR, LOG_Q_MIN, N_BANK, Page

if TYPE_CHECKING:
    from ...simulate.bank import Bank

#: Length of the usual bodies in the table, Å: the search tries others of the same proportions.
_SIDE = 50.0
#: Proportions of boxes, b over a and c over a: cubes, square plates and bars.
_RATIOS = ((1.0, 1.0), (1.0, 0.5), (1.0, 0.2), (1.0, 2.0), (1.0, 5.0))
#: Points of Gauss and Legendre's quadrature of each of two angles, in one octant.
_NODES = 48
#: Widths of their sizes, relative.
_WIDTHS = (0.0, 0.05, 0.1)


def page_with_usual(bank: Bank, model: str) -> Page:
    """The library's curves of a model, with those of usual proportions at the end."""
    page = bank.page(model)
    rows = _ROWS.get(model)
    if rows is None:
        return page
    table = np.full((len(rows), len(page.names)), np.nan)
    curves = []
    for i, (parameters, ratios, width) in enumerate(rows):
        for name, value in parameters.items():
            if name in page.names:
                table[i, page.names.index(name)] = value
        curves.append(_log_curve(ratios, width))
    return Page(
        page.names,
        np.concatenate([page.parameters, table]),
        np.concatenate([page.log_intensity, np.array(curves, dtype=np.float32)]),
        np.concatenate([page.radius_effective, np.full(len(rows), 0.5 * _SIDE)]),
    )


def _rectangular(ratios: tuple[float, float], width: float) -> dict[str, float]:
    found = {"length_a": _SIDE, "b2a_ratio": ratios[0], "c2a_ratio": ratios[1], "sld": 6.3, "sld_solvent": 1.0}
    return found | ({"length_a_pd": width, "length_a_pd_type": 0.0} if width else {})


def _parallelepiped(ratios: tuple[float, float], width: float) -> dict[str, float]:
    sides = {"length_a": _SIDE, "length_b": _SIDE * ratios[0], "length_c": _SIDE * ratios[1]}
    return sides | {"sld": 4.0, "sld_solvent": 1.0}


_ROWS = {
    "rectangular_prism": [(_rectangular(r, w), r, w) for r in _RATIOS for w in _WIDTHS],
    "parallelepiped": [(_parallelepiped(r, 0.0), r, 0.0) for r in _RATIOS],
}


@lru_cache(maxsize=64)
def _log_curve(ratios: tuple[float, float], width: float) -> Floats:
    """ln I at the library's points, largest 0: P. Mittelbach and G. Porod, Acta Phys. Austriaca 14 (1961) 185."""
    log_q = LOG_Q_MIN + BANK_STEP * np.arange(N_BANK)
    curve = _box(np.exp(log_q), ratios)
    if width:
        steps = 1 + width * np.linspace(-3, 3, 21)
        weight = np.exp(-(((steps - 1) / width) ** 2) / 2) * steps**6
        log_curve = np.log(curve)
        each = [np.exp(np.interp(log_q + np.log(step), log_q, log_curve)) for step in steps]
        curve = weight @ np.array(each)
    return np.asarray(np.maximum(np.log(curve / np.max(curve)), FLOOR))


def _box(q: Floats, ratios: tuple[float, float]) -> Floats:
    """P of a box, averaged over orientations; beyond what the quadrature resolves, its surface's q⁻⁴."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    cosine, along = 0.5 * (nodes + 1), 0.25 * np.pi * (nodes + 1)
    sine = np.sqrt(1 - cosine**2)[:, None]
    axes = (sine * np.cos(along), sine * np.sin(along), np.broadcast_to(cosine[:, None], (_NODES, _NODES)))
    half = 0.5 * _SIDE * np.array([1.0, *ratios])
    resolved = q * 2 * half.max() < 1.5 * _NODES
    found = np.empty(q.size)
    for i in np.flatnonzero(resolved):
        amplitude = np.ones((_NODES, _NODES))
        for length, axis in zip(half, axes, strict=True):
            amplitude = amplitude * np.sinc(q[i] * length * axis / np.pi)
        found[i] = weights @ amplitude**2 @ weights / 4
    last = int(np.count_nonzero(resolved)) - 1
    found[~resolved] = found[last] * (q[~resolved] / q[last]) ** -4
    return found
