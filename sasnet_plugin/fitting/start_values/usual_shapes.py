"""Usual special cases of bodies with many proportions, beside the library's curves of random ones.

A cube is what most boxes are made as, and of 160 boxes of random proportions none is near one.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from ...arrays import Floats
from ...simulate.bank import BANK_STEP, FLOOR, LOG_Q_MIN, N_BANK, Page
from ...simulate.kernel import call

if TYPE_CHECKING:
    from ...simulate.bank import Bank

#: Length of the usual bodies in the table, Å: the search tries others of the same proportions.
_SIDE = 50.0
#: And lengths between those of the search, whose two steps of 5 % are as wide as a minimum of a fringe.
_SIDES = tuple(float(_SIDE * np.exp(2 * BANK_STEP * third / 3)) for third in (-1, 0, 1))
#: Proportions of boxes, b over a and c over a: cubes, square plates and bars.
_RATIOS = ((1.0, 1.0), (1.0, 0.5), (1.0, 0.2), (1.0, 2.0), (1.0, 5.0))
#: Points of Gauss and Legendre's quadrature of each of two angles, in one octant.
_NODES = 48
#: Widths of their sizes, relative.
_WIDTHS = (0.0, 0.05, 0.1)


def page_with_usual(bank: Bank, model: str) -> Page:
    """The library's curves of a model, with those of usual proportions at the end."""
    page = bank.page(model)
    rows = _usual(model)
    if not rows:
        return page
    table = np.full((len(rows), len(page.names)), np.nan)
    for i, (parameters, _) in enumerate(rows):
        for name in parameters.keys() & set(page.names):
            table[i, page.names.index(name)] = parameters[name]
    curves = np.array([curve for _, curve in rows], dtype=np.float32)
    return Page(
        page.names,
        np.concatenate([page.parameters, table]),
        np.concatenate([page.log_intensity, curves]),
        np.concatenate([page.radius_effective, np.full(len(rows), 0.5 * _SIDE)]),
    )


@lru_cache(maxsize=8)
def _usual(model: str) -> list[tuple[dict[str, float], Floats]]:
    """Parameters and ln I at the library's points of usual bodies of a model; none of most."""
    if model == "polymer_micelle":
        q = np.exp(LOG_Q_MIN + BANK_STEP * np.arange(N_BANK))
        rows = [_micelle(side, *corona) for side in _SIDES for corona in _CORONAS]
        return [(row, _logarithm(call(model, q, row | {"background": 0.0}).intensity)) for row in rows]
    boxes = [(side, *one) for side in _SIDES for one in _BOXES.get(model, ())]
    return [(parameters(r, side, w), _log_curve(r, side, w)) for side, parameters, r, w in boxes]


def _logarithm(curve: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(curve / np.max(curve), np.exp(FLOOR))))


def _rectangular(ratios: tuple[float, float], side: float, width: float) -> dict[str, float]:
    box = {
        "length_a": side,
        "b2a_ratio": ratios[0],
        "c2a_ratio": ratios[1],
        "sld": 6.3,
        "sld_solvent": 1.0,
    }
    return box | ({"length_a_pd": width, "length_a_pd_type": 0.0} if width else {})


def _make_parallelepiped(ratios: tuple[float, float], side: float, width: float) -> dict[str, float]:
    sides = {"length_a": side, "length_b": side * ratios[0], "length_c": side * ratios[1]}
    return sides | {"sld": 4.0, "sld_solvent": 1.0}


def _micelle(core: float, rg: float, share: float) -> dict[str, float]:
    """A core of the usual size with a corona of chains, whose amplitude is a share of the core's."""
    return {
        "radius_core": core, "rg": rg * core, "n_aggreg": 60.0, "d_penetration": 1.0, "ndensity": 8.94,
        "v_core": 1e4, "v_corona": 1e4, "sld_solvent": 6.4, "sld_core": 5.4, "sld_corona": 6.4 - share,
    }  # fmt: skip


#: Rg of the chains of a corona over the radius of the core, and their amplitude over the core's.
_CORONAS = tuple(product((0.25, 0.4, 0.6, 1.0), (0.3, 0.6, 1.0, 2.0)))


_BOXES = {
    "rectangular_prism": [(_rectangular, r, w) for r in _RATIOS for w in _WIDTHS],
    "parallelepiped": [(_make_parallelepiped, r, 0.0) for r in _RATIOS],
}


def _log_curve(ratios: tuple[float, float], side: float, width: float) -> Floats:
    """ln I at the library's points, largest 0 (Mittelbach, Porod, Acta Phys. Austriaca 14 (1961) 185)."""
    log_q = LOG_Q_MIN + BANK_STEP * np.arange(N_BANK)
    steps = 1 + width * np.linspace(-3, 3, 21) if width else np.ones(1)
    weight = np.exp(-(((steps - 1) / (width or 1.0)) ** 2) / 2) * steps**6
    log_curve = np.log(_box_curve(ratios))
    stretched = [np.exp(np.interp(log_q + np.log(side / _SIDE * step), log_q, log_curve)) for step in steps]
    return _logarithm(weight @ np.array(stretched))


@lru_cache(maxsize=16)
def _box_curve(ratios: tuple[float, float]) -> Floats:
    return _box(np.exp(LOG_Q_MIN + BANK_STEP * np.arange(N_BANK)), ratios)


def _box(q: Floats, ratios: tuple[float, float]) -> Floats:
    """P of a box, averaged over orientations; beyond what the quadrature resolves, its surface's q⁻⁴."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    cosine, along = 0.5 * (nodes + 1), 0.25 * np.pi * (nodes + 1)
    sine = np.sqrt(1 - cosine**2)[:, None]
    axes = (sine * np.cos(along), sine * np.sin(along), np.broadcast_to(cosine[:, None], (_NODES, _NODES)))
    half = 0.5 * _SIDE * np.array([1.0, *ratios])
    resolved = q * 2 * half.max() < 1.5 * _NODES
    intensity = np.empty(q.size)
    for i in np.flatnonzero(resolved):
        amplitude = np.ones((_NODES, _NODES))
        for length, axis in zip(half, axes, strict=True):
            amplitude = amplitude * np.sinc(q[i] * length * axis / np.pi)
        intensity[i] = weights @ amplitude**2 @ weights / 4
    last = int(np.count_nonzero(resolved)) - 1
    intensity[~resolved] = intensity[last] * (q[~resolved] / q[last]) ** -4
    return intensity
