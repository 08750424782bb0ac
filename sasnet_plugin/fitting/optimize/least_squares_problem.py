"""One least-squares problem of 1..n curves: what is varied, residuals, slopes; scales are solved for.

Variable projection (G. H. Golub and V. Pereyra, SIAM J. Numer. Anal. 10 (1973) 413, with the Jacobian of L.
Kaufman, BIT 15 (1975) 49): what is linear is solved at each step and projected out of the slopes of the rest.
The scales of one sample's curves may be a common one, times what is known of each, within the calibration of
a measurement: rows of a prior besides those of the data. Then the common scale is solved for as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arrays import Floats
from ...data.sample.kind import CALIBRATION
from ...simulate.size_distributions import adapt_ranges
from ..problem.bounds import bounds_of, default_of, reach_of
from ..problem.contrast_forms import ContrastForms
from ..problem.free_parameters import independent
from ..problem.model_curves import ModelCurves
from ..problem.shared_parameters import Plan
from ..result.sample_result import Key
from ..settings import OPTIMIZE, PROBLEM
from .least_squares import Problem, least_squares


@dataclass(frozen=True)
class Solved:
    """Curves at their best scales and backgrounds."""

    residual: Floats  #: Shape (n + 2 m,). Of all points, and of the priors of scales and backgrounds.
    scales: Sequence[Floats]  #: Of each curve, (k,), one for each component.
    backgrounds: Sequence[float]  #: Of each curve.
    common: float = 1.0  #: Scale that all have in common, calibration apart.


class LeastSquaresProblem:
    """Curves of one sample under one model, from starting values of each; the fewest are one."""

    def __init__(
        self,
        curves: Sequence[ModelCurves],
        starts: Sequence[Mapping[str, Any]],
        plan: Plan | None = None,
        *,
        tolerance: float = 0.0,
        forms: ContrastForms | None = None,
    ) -> None:
        self.curves, self.plan, self.forms = list(curves), plan or Plan(), forms
        self.known = self.plan.known or ({},) * len(self.curves)
        self.starts = [{**start, **known} for start, known in zip(starts, self.known, strict=True)]
        self.errors = [curve.error(tolerance) for curve in self.curves]
        self.codes = self._make_codes()
        self.varied = tuple(self.codes)  #: Also what the data turn out not to show.
        self._ends = np.cumsum([0, *(len(curve.curve) for curve in self.curves)])
        self._evaluated: tuple[bytes | None, list[dict[str, Any]], list[Floats]] = (None, [], [])
        self._slopes: tuple[bytes | None, dict[Key, Floats]] = (None, {})
        #: Of the point of least χ² seen: χ², codes (k,), and parameters of each curve.
        self.chisq, self.best, self.nearest = np.inf, self.each("first"), self.starts

    def _make_codes(self) -> dict[Key, Code]:
        first = self.curves[0]
        least_q = min(float(curve.curve.q[0]) for curve in self.curves)

        def code(name: str, start: Mapping[str, Any]) -> Code:
            return code_of(first.info, name, start, first.ranges, least_q)

        shared, own = self.plan.split(first.list_varied(self.starts[0]))
        codes: dict[Key, Code] = {(name, None): code(name, self.starts[0]) for name in shared}
        for i, (start, known) in enumerate(zip(self.starts, self.known, strict=True)):
            codes |= {(name, i): code(name, start) for name in own if name not in known}
        return codes

    def codes_at(self, x: Floats) -> list[Code]:
        """Codes that begin there."""
        codes = zip(self.codes.values(), x, strict=True)
        return [replace(code, first=float(value)) for code, value in codes]

    def each(self, attribute: str) -> Floats:
        """A field of all codes, (k,)."""
        return np.array([getattr(code, attribute) for code in self.codes.values()])

    @property
    def points(self) -> int:
        return int(self._ends[-1])

    @property
    def rows(self) -> int:
        """Number of residuals: points, and what is known of scales and backgrounds."""
        return self.points + (0 if self.plan.factors is None else 2 * len(self.curves))

    def split(self, rows: Floats) -> tuple[list[Floats], Floats]:
        """Rows (n + 2 m, …) of each curve, (n_i, …), and of what is known of scales and backgrounds."""
        *parts, rest = np.split(rows, self._ends[1:])
        return parts, rest

    def decode(self, x: Floats) -> list[dict[str, Any]]:
        """Parameters of each curve at codes, (k,), scales and backgrounds that are solved for apart."""
        decoded: list[dict[str, Any]] = list(map(dict, self.starts))
        for (name, place), code, value in zip(self.codes, self.codes.values(), x, strict=True):
            for i in range(len(decoded)) if place is None else (place,):
                if name not in self.known[i]:
                    decoded[i][name] = code.value(value)
        for i, parameters in enumerate(decoded):
            self.plan.apply_ties(parameters, i)
        return list(map(adapt_ranges, decoded, self.starts))

    def evaluate(self, x: Floats) -> tuple[list[dict[str, Any]], list[Floats]]:
        """Parameters of each curve, and its components, (k, n_i), at scale 1 without background."""
        key = x.tobytes()
        if self._evaluated[0] != key:
            decoded = self.decode(x)
            self._evaluated = key, decoded, [self._calculate(i, values) for i, values in enumerate(decoded)]
        return self._evaluated[1:]

    def _calculate(self, i: int, parameters: dict[str, Any]) -> Floats:
        if self.forms is None:
            return self.curves[i].calculate(parameters)
        return self.forms.intensity(i, parameters)[None]

    def solve(self, x: Floats) -> Solved:
        with np.errstate(all="ignore"):
            return self._solve(x)

    def _solve(self, x: Floats) -> Solved:
        parameters, curves = self.evaluate(x)
        if self.plan.factors is not None:
            return self._solve_calibrated([curve[0] for curve in curves])
        parts = [
            curve.compare(shapes, values, error)
            for curve, shapes, values, error in zip(self.curves, curves, parameters, self.errors, strict=True)
        ]
        residuals, scales, backgrounds = zip(*parts, strict=True)
        return Solved(residuals[0] if len(parts) == 1 else np.concatenate(residuals), scales, backgrounds)

    def _solve_calibrated(self, shapes: Sequence[Floats]) -> Solved:
        """Scales about a common one within their calibration; no values where that is not possible."""
        nothing = Solved(
            np.full(self.rows, PROBLEM.no_value), [np.ones(1)] * len(shapes), [0.0] * len(shapes)
        )
        if not all(np.isfinite(shape).all() for shape in shapes):
            return nothing
        common = _common(self.curves, shapes, self.plan.factors or ())
        if not common > 0:
            return nothing
        for _ in range(2):  # the prior is of the ratio to the common scale, which moves with it
            scales, backgrounds, common = _solve_calibrated(self.curves, shapes, self.plan, common)
        if not (np.all(np.isfinite(scales)) and np.all(scales > 0)):
            return nothing
        parts = [
            (s * shape + b - curve.curve.intensity) / error
            for s, shape, b, curve, error in zip(
                scales, shapes, backgrounds, self.curves, self.errors, strict=True
            )
        ]
        residual = np.concatenate([*parts, self.compute_prior_residuals(scales, backgrounds, common)])
        most = PROBLEM.no_value
        residual = np.clip(np.nan_to_num(residual, nan=most), -most, most)
        return Solved(residual, list(scales[:, None]), list(backgrounds), common)

    def compute_prior_residuals(self, scales: Floats, backgrounds: Floats, common: float) -> Floats:
        """Deviations of scales (m,) from the common one's, and of backgrounds (m,) from 0."""
        if self.plan.factors is None:
            return np.zeros(0)
        scaled = (scales / (np.array(self.plan.factors) * common) - 1) / CALIBRATION
        return np.concatenate([scaled, backgrounds / self.plan.background])

    def residuals(self, x: Floats) -> Floats:
        """(n + 2 m,) at the best scales and backgrounds."""
        with np.errstate(all="ignore"):
            return self._residuals(x)

    def _residuals(self, x: Floats) -> Floats:
        residual = self._solve(x).residual
        total = float(residual @ residual)
        if total < self.chisq:
            self.chisq, self.best, self.nearest = total, x.copy(), self.evaluate(x)[0]
        return residual

    def slopes(self, x: Floats) -> dict[Key, Floats]:
        """Slopes (n + 2 m,) of the residuals by ln of scales and by backgrounds that are solved for, and by
        each code, the former staying.
        """
        key = x.tobytes()
        if self._slopes[0] != key:
            with np.errstate(all="ignore"):
                solved = self._solve(x)
                columns = self._differentiate_linear(x, solved)
                for j, (name, place) in enumerate(self.codes):
                    columns[name, place] = self._differentiate(x, j, solved)
            self._slopes = key, columns
        return dict(self._slopes[1])

    def _differentiate_linear(self, x: Floats, solved: Solved) -> dict[Key, Floats]:
        curves, columns = self.evaluate(x)[1], dict[Key, Floats]()
        for i, curve in enumerate(self.curves):
            linear = curve.linear_columns(curves[i], solved.scales[i], self.errors[i])
            free = linear.keys() - self.known[i].keys()
            columns |= {(n, i): self._as_rows(i, column) for n, column in linear.items() if n in free}
        if self.plan.factors is not None:
            self._add_prior_rows(columns, solved)
        return columns

    def _add_prior_rows(self, columns: dict[Key, Floats], solved: Solved) -> None:
        """What is known of scales and backgrounds, with the common scale that is solved for besides."""
        count, common = len(self.curves), np.zeros(self.rows)
        for i, factor in enumerate(self.plan.factors or ()):
            ratio = float(solved.scales[i][0]) / (CALIBRATION * factor * solved.common)
            columns["scale", i][self.points + i], common[self.points + i] = ratio, -ratio
            if ("background", i) in columns:
                columns["background", i][self.points + count + i] = 1 / self.plan.background
        columns["scale", None] = common

    def _as_rows(self, i: int, part: Floats) -> Floats:
        """Of a curve, (n_i,), among those of all, (n + 2 m,)."""
        if len(part) == self.rows:
            return part
        rows = np.zeros(self.rows)
        rows[self._ends[i] : self._ends[i + 1]] = part
        return rows

    def _differentiate(self, x: Floats, j: int, solved: Solved) -> Floats:
        """By code j; of those curves that it changes."""
        (name, place), code = list(self.codes.items())[j]
        decoded, curves = self.evaluate(x)
        if name in self.curves[0].linear:  # `intensity` leaves them out
            slope = self._differentiate_by_linear(name, place or 0, solved)
            # By ln of a scale, by the background itself.
            by = 1.0 if name == "background" else code.value(x[j])
            return self._as_rows(place or 0, slope * code.slope(x[j]) / by)
        step = PROBLEM.step if x[j] + PROBLEM.step <= code.high else -PROBLEM.step
        moved_x = x.copy()
        moved_x[j] += step
        column = np.zeros(self.rows)
        for i, (moved, values) in enumerate(zip(self.decode(moved_x), decoded, strict=True)):
            if moved != values:
                change = self._calculate(i, moved) - curves[i]
                column[self._ends[i] : self._ends[i + 1]] = (solved.scales[i] @ change) / (
                    step * self.errors[i]
                )
        return (
            column if np.isfinite(column @ column) else np.nan_to_num(column, nan=0.0, posinf=0.0, neginf=0.0)
        )

    def _differentiate_by_linear(self, name: str, i: int, solved: Solved) -> Floats:
        """By a scale or background of curve i that is varied as a user has given a range, or the other."""
        shapes = self._evaluated[2][i]
        return self.curves[i].linear_columns(shapes, solved.scales[i], self.errors[i], name)[name]

    def linear_slopes(self, x: Floats, scales: Mapping[Key, float] | None = None) -> dict[Key, Floats]:
        """Slopes (n + 2 m,) of the residuals per unit of what is solved for, at these `scales` if given."""
        solved = self.solve(x)
        units: dict[Key, float] = {("scale", None): solved.common}
        for i, curve in enumerate(self.curves):
            units |= {(name, i): float(s) for name, s in zip(curve.scales, solved.scales[i], strict=True)}
        units |= scales or {}
        columns = self._differentiate_linear(x, solved)
        return {key: column / units.get(key, 1.0) for key, column in columns.items()}

    def slopes_per_unit(self, x: Floats, scales: Mapping[Key, float] | None = None) -> dict[Key, Floats]:
        """Slopes (n + 2 m,) of the residuals per unit of each parameter; `scales` as for `linear_slopes`."""
        columns = self.slopes(x)
        codes = zip(self.codes.items(), x, strict=True)
        by_codes = {key: columns[key] / code.slope(value) for (key, code), value in codes}
        return self.linear_slopes(x, scales) | by_codes

    def jacobian(self, x: Floats) -> Floats:
        """(n + 2 m, k), with what is solved for projected out."""
        return project_out_others(self.slopes(x), self.codes)

    def run(self, steps: int) -> bool:
        """Go downhill; False where the model has no finite curve at the start."""
        with np.errstate(all="ignore"):
            return self._run(steps)

    def _run(self, steps: int) -> bool:
        x = self.each("first")
        if np.all(np.abs(self._residuals(x)) >= PROBLEM.no_value):
            return False
        jacobian = self._keep_shown(x)
        if jacobian is not None:
            problem = Problem(self._residuals, self.jacobian, self.each("low"), self.each("high"))
            least_squares(problem, self.each("first"), jacobian, steps=steps)
        return True

    def _keep_shown(self, x: Floats) -> Floats | None:
        """Keep what the data show of the parameters, and give the slopes by these."""
        if not self.codes:
            return None
        columns = self.slopes(x)
        # However small its effect is here: far from the minimum that says little.
        for key in self.codes.keys() - set(independent(columns)):
            del self.codes[key], columns[key]
        self.best = self.each("first")
        return project_out_others(columns, self.codes) if self.codes else None


def project_out_others(columns: Mapping[Any, Floats], names: Collection[Any]) -> Floats:
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


def _common(curves: Sequence[ModelCurves], shapes: Sequence[Floats], factors: Sequence[float]) -> float:
    """The one scale of all curves that are calibrated exactly."""
    above = below = 0.0
    for search, curve, factor in zip(curves, shapes, factors, strict=True):
        weight = 1 / search.dintensity**2
        moved = factor * (curve - np.average(curve, weights=weight))
        level = np.average(search.curve.intensity, weights=weight)
        above += float((weight * moved) @ (search.curve.intensity - level))
        below += float((weight * moved) @ moved)
    return above / below if below > 0 else np.nan


def _solve_calibrated(
    curves: Sequence[ModelCurves], shapes: Sequence[Floats], plan: Plan, common: float
) -> tuple[Floats, Floats, float]:
    """Scales about a common one, within the calibration: the prior's rows linear beside this common scale."""
    count = len(curves)
    given = [known.get("background") for known in plan.known or ({},) * count]
    normal, right = np.zeros((2 * count + 1, 2 * count + 1)), np.zeros(2 * count + 1)
    for i, (search, curve, factor) in enumerate(zip(curves, shapes, plan.factors or (), strict=True)):
        is_free = float(given[i] is None)
        rows = np.stack([curve, np.full(curve.size, is_free)]) / search.dintensity
        rows_here = slice(2 * i, 2 * i + 2)
        normal[rows_here, rows_here] += rows @ rows.T
        right[rows_here] += rows @ ((search.curve.intensity - (given[i] or 0.0)) / search.dintensity)
        prior = np.zeros(2 * count + 1)
        prior[2 * i], prior[-1] = 1 / (CALIBRATION * factor * common), -1 / (CALIBRATION * common)
        normal += np.outer(prior, prior)
        normal[2 * i + 1, 2 * i + 1] += 1 / plan.background**2 if is_free else 1.0
    scale = np.sqrt(np.diag(normal))
    if not np.all(np.isfinite(scale)) or np.any(scale == 0):
        return np.full(count, np.nan), np.zeros(count), common
    solved = np.linalg.lstsq(normal / np.outer(scale, scale), right / scale, rcond=None)[0] / scale
    levels = [b if value is None else value for b, value in zip(solved[1:-1:2], given, strict=True)]
    return solved[0:-1:2], np.array(levels), float(solved[-1])
