"""Curves of sectors from particles whose axes are distributed about a director, as measured."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from ...arrays import Floats
from ...simulate.kernel import load_model
from ...simulate.orientations import DIRECTOR, FINE_DEGREE, P2, sector_series
from ...simulate.quick_models.size_averages import average_squares
from ...types import Curve
from ..ledger import count, read_spent_time
from .experiment import TimeUpError
from .free_parameters import select_accepted
from .model_curves import ModelCurves

#: Particles with one axis whose sectors are fitted, and the lengths along and across it.
LENGTHS = {
    "cylinder": (("length",), ("radius",)),
    "core_shell_cylinder": (("length", "thickness"), ("radius", "thickness")),
    "ellipsoid": (("radius_polar",), ("radius_equatorial",)),
    "lamellar": (("thickness",), ("thickness",)),
    "parallelepiped": (("length_c",), ("length_a", "length_b")),
}
#: Between these the strength of Maier and Saupe's distribution is found.
P2_RANGE = (-0.45, 0.97)
#: Points over the cosine between q and axis: as many as F² and the density of the axes need, see `_rungs`.
_RUNGS, _SLOPE, _LEAST = (32, 48, 72, 108, 162, 243, 365, 547, 820), 0.6, 24.0
#: Points over a quarter turn of a parallelepiped about its axis: so many, and more for larger phases.
_TURNS, _LEAST_TURNS = 0.4, 8
#: Coefficients and kernels that are kept: those of a few steps downhill and their slopes.
_KEPT = 16
#: Particles whose F² is interpolated in tables.
_IN_TABLES = frozenset({"cylinder", "core_shell_cylinder"})
#: What F² does not depend on: the axis is put where it is wanted, and the kernel has scale 1.
_NOT_OF_SHAPE = frozenset({"theta", "phi", "scale", "background"})


@lru_cache(maxsize=8)
def particle_info(name: str) -> Any:
    """sasmodels' description of a particle, with order parameter and director as parameters of the fit."""
    from sasmodels.modelinfo import ParameterTable, parse_parameter

    info = copy.copy(load_model(name).info)
    table = info.parameters.kernel_parameters
    order = parse_parameter(P2, "", 0.4, list(P2_RANGE), "", "order parameter")
    director = parse_parameter(DIRECTOR, "degrees", 0.0, [-720, 720], "", "azimuth of the director")
    info.parameters = ParameterTable([*(p for p in table if p.type != "orientation"), order, director])
    return info


class Particle:
    """F²(q, μ) of one particle, computed once for all sectors that are measured at the same q.

    `quick`: to 1e-3 and up to a factor, with sizes averaged in tables, where there are such.
    """

    def __init__(self, name: str, q: Floats, *, quick: bool = False) -> None:
        self.name, self.q, self._model = name, np.asarray(q), load_model(name)
        self.quick = quick and name in _IN_TABLES
        self._kernels: dict[bytes, Any] = {}
        self._kept: dict[Any, Floats] = {}

    def average(self, parameters: Mapping[str, Any], sector: Any) -> Floats:
        """I(q) of a sector, (n,), at scale 1 without background."""
        turn = sector.azimuth - float(parameters[DIRECTOR])
        return self._coefficients(parameters) @ sector_series(float(parameters[P2]), turn, sector.half_width)

    def _coefficients(self, parameters: Mapping[str, Any]) -> Floats:
        """∫ F²(q, μ) P_l(μ) dμ over 0..1 for even l, (n, m)."""
        values = select_accepted(self._model.info, dict(parameters))
        values = {name: v for name, v in values.items() if name not in _NOT_OF_SHAPE}
        key = tuple(sorted((name, v) for name, v in values.items() if not isinstance(v, str)))
        if key not in self._kept:
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            count(self.name, values, self.q, quick=self.quick)
            flat = self.name == "lamellar"
            self._kept[key] = self._expand_flat(values) if flat else self._expand(values)
        return self._kept[key]

    def _expand(self, values: dict[str, Any]) -> Floats:
        coefficients = np.full((self.q.size, FINE_DEGREE // 2 + 1), np.nan)
        rungs = self._rungs(values)
        if np.max(rungs) > _RUNGS[-1]:  # too long for these q
            return coefficients
        parts = [(int(points), np.flatnonzero(rungs == points)) for points in np.unique(rungs)]
        squares = self._list_quick_squares(parts, values)
        if squares is None:
            squares = [self._squares(rows, points, values) for points, rows in parts]
        for (points, rows), of_rows in zip(parts, squares, strict=True):
            coefficients[rows] = of_rows @ _rule(points)[1]
        return coefficients

    def _list_quick_squares(
        self, parts: Sequence[tuple[int, Any]], values: Mapping[str, Any]
    ) -> list[Floats] | None:
        """F² at the nodes of each part; None where there are no tables, or where they would be too large."""
        if not self.quick:
            return None
        q = np.concatenate([np.repeat(self.q[rows], points) for points, rows in parts])
        cosines = np.concatenate([np.tile(_rule(points)[0], rows.size) for points, rows in parts])
        squares = average_squares(self.name, q, cosines, values)
        if squares is None:
            return None
        ends = np.cumsum([rows.size * points for points, rows in parts])[:-1]
        pieces = np.split(squares, ends)
        return [of.reshape(rows.size, -1) for of, (_, rows) in zip(pieces, parts, strict=True)]

    def _expand_flat(self, values: dict[str, Any]) -> Floats:
        """Layers without end scatter along their normal alone: every P_l is 1 there."""
        from sasmodels.direct_model import call_kernel

        if not self._kernels:
            self._kernels[b""] = self._model.make_kernel([self.q])
        powder = call_kernel(self._kernels[b""], {**values, "scale": 1.0, "background": 0.0}, cutoff=0.0)
        return np.repeat(np.asarray(powder)[:, None], FINE_DEGREE // 2 + 1, axis=1)

    def _rungs(self, values: Mapping[str, Any]) -> Floats:
        """Points that each q needs, (n,): of phase differences qr a Gauss rule needs a few more than qr."""
        along, across = (_reach(names, values) for names in LENGTHS[self.name])
        half = along if self.name == "ellipsoid" else along / 2
        across /= len(LENGTHS[self.name][1]) if self.name == "parallelepiped" else 1
        wanted = _SLOPE * self.q * max(half, across) + _LEAST
        return np.array([*_RUNGS, _RUNGS[-1] + 1])[np.searchsorted(_RUNGS, wanted)]

    def _squares(self, rows: Any, points: int, values: Mapping[str, Any]) -> Floats:
        from sasmodels.direct_model import call_kernel

        key = rows.tobytes() + points.to_bytes(2, "big")
        if key not in self._kernels:
            cosines, _ = _rule(points)
            q = self.q[rows][:, None]
            along, across = (q * cosines).ravel(), (q * np.sqrt(1 - cosines**2)).ravel()
            while len(self._kernels) >= _KEPT:
                del self._kernels[next(iter(self._kernels))]
            self._kernels[key] = self._model.make_kernel([along, across])
        # The axis lies along the first component of q.
        axis = {"theta": 90.0, "phi": 0.0, "scale": 1.0, "background": 0.0}
        turned = self._turn(float(self.q[rows[-1]]), values) if self.name == "parallelepiped" else {}
        squares = call_kernel(self._kernels[key], {**values, **axis, **turned}, cutoff=0.0)
        return np.asarray(squares).reshape(rows.size, points)

    def _turn(self, q: float, values: Mapping[str, Any]) -> dict[str, Any]:
        """Turn a particle evenly about its axis, by a rule of midpoints over a quarter turn."""
        points = _LEAST_TURNS + int(_TURNS * q * max(values["length_a"], values["length_b"]))
        return {
            "psi": 45.0, "psi_pd": 45.0 * (1 - 1 / points), "psi_pd_n": points, "psi_pd_nsigma": 1.0,
            "psi_pd_type": "uniform",
        }  # fmt: skip


def _reach(names: Sequence[str], values: Mapping[str, Any]) -> float:
    """Sum of lengths, two standard deviations of their distributions above the mean."""
    widest = max(float(values.get(f"{name}_pd", 0.0)) for name in names)
    return sum(float(values[name]) for name in names) * (1 + 2 * widest)


@lru_cache(maxsize=len(_RUNGS))
def _rule(points: int) -> tuple[Floats, Floats]:
    """Nodes of a Gauss-Legendre rule over 0..1, and even Legendre polynomials there times its weights."""
    nodes, shares = legendre.leggauss(points)
    cosines = (nodes + 1) / 2
    return cosines, legendre.legvander(cosines, FINE_DEGREE)[:, ::2] * shares[:, None] / 2


class SectorCurves(ModelCurves):
    """`ModelCurves` of a sector; `particle` is shared by sectors that are measured at the same q."""

    def __init__(
        self, curve: Curve, dintensity: Floats, name: str, particles: dict[bytes, Particle], *,
        quick: bool = False, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(curve, dintensity, name, **more)
        self.info = particle_info(name)
        q = self.q_calculated
        self.particle = particles.setdefault(q.tobytes(), Particle(name, q, quick=quick))

    def calculate(self, parameters: Mapping[str, Any]) -> Floats:
        if read_spent_time() > self.deadline:
            raise TimeUpError
        intensity = self.particle.average(parameters, self.curve.sector)
        return np.asarray(self._resolution.apply(intensity))[None]
