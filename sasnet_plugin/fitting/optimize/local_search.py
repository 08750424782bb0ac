"""To the minimum beside a start: least squares in ln size, with scale and background solved for.

Variable projection (G. H. Golub and V. Pereyra, SIAM J. Numer. Anal. 10 (1973) 413, with the Jacobian of L.
Kaufman, BIT 15 (1975) 49): what is linear is solved at each step and projected out of the slopes of the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Floats
from ..problem.bounds import bounds_of, default_of, reach_of
from ..problem.experiment import TimeUpError
from ..problem.free_parameters import independent
from ..problem.model_curves import ModelCurves
from ..settings import OPTIMIZE, PROBLEM
from .least_squares import Problem, least_squares


@dataclass(frozen=True)
class LocalMinimum:
    """Where a search from a start has ended."""

    parameters: dict[str, Any]
    chisq: float  #: With the data's own uncertainty.
    cut: bool = False  #: The time was up before it was there.


def refine(
    curves: ModelCurves,
    start: dict[str, Any],
    *,
    tolerances: tuple[float, ...] = (0.0,),
    steps: int = OPTIMIZE.steps,
) -> LocalMinimum | None:
    """Go downhill from a start; None if its curve is not finite, the best point seen if time runs out."""
    # `tolerances` are relative errors added to the data's in turn, as a narrow minimum is wide at first;
    # `steps` count for each.
    start_parameters = curves.add_scale(start)
    best: tuple[float, dict[str, Any]] = (np.inf, {})
    cut = False
    try:
        for tolerance in tolerances:
            descent = Descent(curves, start_parameters, tolerance)
            try:
                moved = descent.run(steps)
            finally:
                start_parameters = descent.nearest
            if not moved:
                return None
            best = curves.better(start_parameters, best)
    except TimeUpError:
        curves.deadline, cut = np.inf, True
        best = curves.better(start_parameters, best)
    return LocalMinimum(best[1], best[0], cut)


class Descent:
    """One descent: codes of what is varied, residuals and slopes, and the nearest point seen."""

    def __init__(self, search: ModelCurves, start: dict[str, Any], tolerance: float) -> None:
        self._search, self._start = search, start
        self._error = search.error(tolerance)
        self._codes: dict[str, Code] = {
            name: code_of(search.info, name, start, search.ranges, float(search.curve.q[0]))
            for name in search.list_varied(start)
        }
        self._point: tuple[bytes | None, dict[str, Any], Floats] = (None, start, np.empty(0))
        self._best: tuple[float, dict[str, Any]] = (np.inf, start)

    @property
    def nearest(self) -> dict[str, Any]:
        """The point of least χ² seen, with this tolerance."""
        return self._best[1]

    def run(self, steps: int) -> bool:
        """Go down; False where the model has no finite curve at the start."""
        with np.errstate(all="ignore"):
            return self._run(steps)

    def _run(self, steps: int) -> bool:
        x = self._each("first")
        if np.all(np.abs(self.residuals(x)) >= PROBLEM.no_value):
            return False
        jacobian = self._compute_shown_slopes(x)
        if jacobian is not None:
            problem = Problem(self.residuals, self.jacobian, self._each("low"), self._each("high"))
            least_squares(problem, self._each("first"), jacobian, steps=steps)
        return True

    def _each(self, attribute: str) -> Floats:
        """A field of all codes, (k,)."""
        return np.array([getattr(code, attribute) for code in self._codes.values()])

    def residuals(self, x: Floats) -> Floats:
        """(n,) at the best scales and background."""
        parameters, curves = self._calculate(x)
        residual = self._search.compare(curves, parameters, self._error)[0]
        total = float(residual @ residual)
        if total < self._best[0]:
            self._best = (total, parameters)
        return residual

    def _calculate(self, x: Floats) -> tuple[dict[str, Any], Floats]:
        """Parameters at codes, (k,), and the curves there; those of the last codes are kept."""
        key = x.tobytes()
        if self._point[0] != key:
            parameters = self._start | decode(self._codes, x)
            self._point = (key, parameters, self._search.calculate(parameters))
        return self._point[1:]

    def raw(self, x: Floats) -> dict[str, Floats]:
        """Slopes of the residuals by each code, scales and background staying; those of the linear first."""
        search, (parameters, base) = self._search, self._calculate(x)
        _, scales, _ = search.compare(base, parameters, self._error)
        columns = search.linear_columns(base, scales, self._error)
        for i, (name, code) in enumerate(self._codes.items()):
            if name in search.linear:  # `intensity` leaves them out
                column = columns.get(name, search.linear_columns(base, scales, self._error, name)[name])
                # By ln of a scale, by the background itself.
                by = 1.0 if name == "background" else code.value(x[i])
                columns[name] = column * code.slope(x[i]) / by
                continue
            step = PROBLEM.step if x[i] + PROBLEM.step <= code.high else -PROBLEM.step
            moved = search.calculate(parameters | {name: code.value(x[i] + step)})
            column = (scales @ (moved - base)) / (step * self._error)
            if not np.isfinite(column @ column):
                column = np.nan_to_num(column, nan=0.0, posinf=0.0, neginf=0.0)
            columns[name] = column
        return columns

    def natural(self) -> dict[str, Floats]:
        """Slopes (n,) of the residuals per unit of each parameter."""
        search, start = self._search, self._start
        x = self._each("first")
        with np.errstate(all="ignore"):
            columns = self.raw(x)
        for code_value, (name, code) in zip(x, self._codes.items(), strict=True):
            columns[name] = columns[name] / code.slope(code_value)
        for name in search.scales:
            if name in columns and name not in self._codes:
                columns[name] = columns[name] / (float(start[name]) or 1.0)
        return columns

    def jacobian(self, x: Floats) -> Floats:
        """(n, k), with what scales and background take up projected out."""
        return project_out_others(self.raw(x), self._codes)

    def _compute_shown_slopes(self, x: Floats) -> Floats | None:
        """Keep what the data show of the parameters, and give the slopes by these."""
        if not self._codes:
            return None
        columns = self.raw(x)
        # However small its effect is here: far from the minimum that says little.
        for name in self._codes.keys() - independent(columns):
            del self._codes[name], columns[name]
        return project_out_others(columns, self._codes) if self._codes else None


def project_out_others(columns: Mapping[str, Floats], names: Collection[str]) -> Floats:
    """Columns of these names, (n, k), with what the others take up projected out."""
    selected = _side_by_side([columns[name] for name in names])
    other_columns = [column for name, column in columns.items() if name not in names]
    return project_out(selected, _side_by_side(other_columns)) if other_columns else selected


def _side_by_side(columns: Sequence[Floats]) -> Floats:
    """As ``np.stack(columns, axis=1)``, to the order in memory, which rounding depends on."""
    return np.ascontiguousarray(np.array(columns).T)


def project_out(columns: Floats, linear: Floats) -> Floats:
    """Columns, (n, k), with what others, (n, m), take up projected out."""
    linear = linear[:, np.linalg.norm(linear, axis=0) > 0]
    base, _ = np.linalg.qr(linear / np.linalg.norm(linear, axis=0))
    return np.asarray(columns - base @ (base.T @ columns))


@dataclass(frozen=True)
class Code:
    """How one parameter is varied."""

    #: first, low, high: where it begins, and its bounds, in its code.
    first: float
    low: float
    high: float
    unit: float = 0.0  #: What 1 in the code stands for; 0: the code is a logarithm.

    def value(self, x: float) -> float:
        return float(np.exp(x)) if self.unit == 0 else float(x) * self.unit

    def clip(self, x: float) -> float:
        """The nearest that its bounds allow, in the code."""
        return float(min(max(x, self.low), self.high))

    def slope(self, x: float) -> float:
        return self.value(x) if self.unit == 0 else self.unit


def decode(codes: Mapping[str, Code], x: Floats) -> dict[str, float]:
    """Parameters, each in its own unit, at codes, (k,)."""
    return {name: code.value(v) for (name, code), v in zip(codes.items(), x, strict=True)}


def linear(value: float, low: float, high: float, unit: float) -> Code:
    value = _move_inside(value, low, high)
    return Code(value / unit, low / unit, high / unit, unit)


def logarithm(value: float, low: float, high: float) -> Code:
    low, high = np.log(low) if low > 0 else -np.inf, np.log(high)
    return Code(_move_inside(float(np.log(value)), low, high), float(low), float(high))


def code_of(
    info: Any, name: str, start: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]], least_q: float
) -> Code:
    """Choose the code of a parameter from its start; `least_q` of the data in Å⁻¹."""
    value = float(start.get(name, default_of(info, name)))
    if name in ranges:
        low, high = ranges[name]
        return linear(float(np.clip(value, low, high)), low, high, (high - low) / 4)
    if name.endswith("_pd"):
        return linear(min(max(value, 0.005), 0.65), 0.0, PROBLEM.most_width, 0.1)
    if name == "background":
        return linear(value, -np.inf, np.inf, abs(value) or 1.0)
    return _make_model_code(info.parameters[name], value, OPTIMIZE.longest / least_q)


def _make_model_code(p: Any, value: float, longest: float) -> Code:
    """The code of a parameter of the kernel, of which a body is no longer than so much, Å."""
    low, high = reach_of(p, value)
    if "sld" in p.name:
        return linear(value, low, high, 1.0)
    if bounds_of(p)[0] < 0 or value <= 0:
        return linear(value, low, high, max(abs(value), 0.3))
    if p.type == "volume" and p.units == "Ang":
        value, high = min(value, longest), min(high, longest)
    return logarithm(value, low, high)


def _move_inside(value: float, low: float, high: float) -> float:
    """Within the bounds, not on them: there the derivative would be taken outside."""
    if not np.isfinite(low) or not np.isfinite(high):
        return float(min(max(value, low), high))
    margin = 1e-6 * (high - low)
    return float(min(max(value, low + margin), high - margin))
