"""One least-squares problem of several curves: shared and own parameters, scales and backgrounds solved for.

The scales of one sample's curves are a common one, times what is known of each, within the calibration of a
measurement: rows of a prior beside those of the data. Scales, backgrounds and the common scale enter the
curves linearly and are solved for at each step (variable projection, as in `optimize.descent`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arrays import Floats
from ...data.sample.kind import CALIBRATION
from ..problem.contrast_forms import ContrastForms
from ..problem.free_parameters import independent
from ..problem.model_curves import ModelCurves
from ..problem.shared_parameters import Plan, names_to_fit
from ..result.sample_result import Key
from ..settings import PROBLEM
from .least_squares import Problem, least_squares
from .local_search import Code, code_of, project_out


@dataclass(frozen=True)
class Solved:
    """Curves at their best scales and backgrounds."""

    residual: Floats  #: Shape (n + 2 m,). Of all points, and of the priors of scales and backgrounds.
    #: `scales`, `backgrounds`: shape (m,).
    scales: Floats
    backgrounds: Floats
    common: float  #: Scale that all have in common, calibration apart.


class Joint:
    """Curves of one sample under one model; `start` is shared, `own` are parameters of each curve."""

    def __init__(
        self,
        curves: Sequence[ModelCurves],
        plan: Plan,
        start: Mapping[str, Any],
        own: Sequence[Mapping[str, Any]] = (),
        forms: ContrastForms | None = None,
    ) -> None:
        self.curves, self.plan = list(curves), plan
        self.forms = forms or ContrastForms(self.curves)
        own_starts = list(own) or [{}] * len(self.curves)
        self.starts = [dict(start) | dict(g) | k for g, k in zip(own_starts, plan.known, strict=True)]
        shared, single = names_to_fit(self.curves[0].info, self.starts[0], plan)
        first = self.curves[0]
        least = min(float(c.curve.q[0]) for c in self.curves)
        self.codes: dict[Key, Code] = {
            (n, None): code_of(first.info, n, self.starts[0], first.ranges, least) for n in shared
        }
        for i, known_values in enumerate(plan.known):
            for name in single:
                if name not in known_values:
                    self.codes[name, i] = code_of(first.info, name, self.starts[i], first.ranges, least)
        self._known: dict[int, tuple[Any, Floats]] = {}
        self._slopes: tuple[Any, dict[Key, Floats]] = (None, {})
        self.best: tuple[float, Floats] = (np.inf, self.first)

    @property
    def first(self) -> Floats:
        return np.array([code.first for code in self.codes.values()])

    def codes_at(self, x: Floats) -> list[Code]:
        """Codes that begin there."""
        return [
            replace(code, first=float(code_value))
            for code, code_value in zip(self.codes.values(), x, strict=True)
        ]

    @property
    def points(self) -> int:
        return sum(len(c.curve) for c in self.curves)

    @property
    def rows(self) -> int:
        """Number of residuals: points, and what is known of scales and backgrounds."""
        return self.points + (0 if self.plan.factors is None else 2 * len(self.curves))

    def decode(self, x: Floats) -> list[dict[str, Any]]:
        decoded = [dict(start) for start in self.starts]
        for (name, place), code, value in zip(self.codes, self.codes.values(), x, strict=True):
            for i in range(len(decoded)) if place is None else (place,):
                if name not in self.plan.known[i]:
                    decoded[i][name] = code.value(value)
        return [self._apply_ties(curve_parameters, i) for i, curve_parameters in enumerate(decoded)]

    def _apply_ties(self, curve_parameters: dict[str, Any], i: int) -> dict[str, Any]:
        given_values = self.plan.given[i] if self.plan.given else {}
        for name, tie in self.plan.ties.items():
            curve_parameters[name] = tie.value({**curve_parameters, **given_values})
        return curve_parameters

    def intensities(self, x: Floats) -> list[Floats]:
        """I(q) of each curve at scale 1 without background, (n_i,); kept while its parameters stay."""
        curves = []
        for i, curve_parameters in enumerate(self.decode(x)):
            key = _numbers(curve_parameters)
            if i not in self._known or self._known[i][0] != key:
                self._known[i] = key, self.forms.intensity(i, curve_parameters)
            curves.append(self._known[i][1])
        return curves

    def solve(self, curves: Sequence[Floats]) -> Solved:
        if not all(np.all(np.isfinite(c)) for c in curves):
            return self._nothing()
        factors = self.plan.factors
        scales, backgrounds = _each(self.curves, curves)
        common = 1.0
        if factors is not None:
            common = _common(self.curves, curves, factors)
            if not common > 0:
                return self._nothing()
            for _ in range(2):  # the prior is of the ratio to the common scale, which moves with it
                scales, backgrounds, common = _solve_calibrated(self.curves, curves, self.plan, common)
        if not (np.all(np.isfinite(scales)) and np.all(scales > 0)):
            return self._nothing()
        parts = [
            (s * c + b - curve.curve.intensity) / curve.dintensity
            for s, c, b, curve in zip(scales, curves, backgrounds, self.curves, strict=True)
        ]
        residual = np.concatenate([*parts, self.compute_prior_residuals(scales, backgrounds, common)])
        most = PROBLEM.no_value
        return Solved(np.clip(np.nan_to_num(residual, nan=most), -most, most), scales, backgrounds, common)

    def compute_prior_residuals(self, scales: Floats, backgrounds: Floats, common: float) -> Floats:
        """Deviations of scales from the common one's, and of backgrounds from 0."""
        if self.plan.factors is None:
            return np.zeros(0)
        scaled = (scales / (np.array(self.plan.factors) * common) - 1) / CALIBRATION
        return np.concatenate([scaled, backgrounds / self.plan.background])

    def _nothing(self) -> Solved:
        count = len(self.curves)
        return Solved(np.full(self.rows, PROBLEM.no_value), np.ones(count), np.zeros(count), 1.0)

    def residuals(self, x: Floats) -> Floats:
        """(n + 2 m,) at the best scales and backgrounds."""
        residual = self.solve(self.intensities(x)).residual
        total = float(residual @ residual)
        if total < self.best[0]:
            self.best = (total, x.copy())
        return residual

    def columns(self, x: Floats) -> dict[Key, Floats]:
        """Slopes of the residuals by each code, scales and backgrounds staying; kept while curves stay."""
        numbers = [_numbers(curve_parameters) for curve_parameters in self.decode(x)]
        if self._slopes[0] != numbers or not self.codes.keys() <= self._slopes[1].keys():
            self._slopes = numbers, self._columns(x)
        return {key: self._slopes[1][key] for key in self.codes}

    def _columns(self, x: Floats) -> dict[Key, Floats]:
        base, decoded = self.intensities(x), self.decode(x)
        scales = self.solve(base).scales
        ends = np.cumsum([0, *(len(c.curve) for c in self.curves)])
        columns = {}
        for j, (key, code) in enumerate(self.codes.items()):
            step = PROBLEM.step if x[j] + PROBLEM.step <= code.high else -PROBLEM.step
            moved_x = x.copy()
            moved_x[j] += step
            column = np.zeros(self.rows)
            for i, (curve_parameters, base_parameters) in enumerate(
                zip(self.decode(moved_x), decoded, strict=True)
            ):
                if curve_parameters != base_parameters:
                    moved = self.forms.intensity(i, curve_parameters)
                    slope = scales[i] * (moved - base[i]) / (step * self.curves[i].dintensity)
                    column[ends[i] : ends[i + 1]] = np.nan_to_num(slope, nan=0.0, posinf=0.0, neginf=0.0)
            columns[key] = column
        return columns

    def linear(self, x: Floats) -> Floats:
        """Slopes (n + 2 m, k) by scales, backgrounds and the common scale."""
        base = self.intensities(x)
        solved = self.solve(base)
        count, total = len(self.curves), self.points
        tied = self.plan.factors
        matrix = np.zeros((self.rows, 2 * count + bool(tied)))
        begin = 0
        for i, (curve, model_curves) in enumerate(zip(base, self.curves, strict=True)):
            end = begin + len(model_curves.curve)
            matrix[begin:end, 2 * i] = curve / model_curves.dintensity
            matrix[begin:end, 2 * i + 1] = 1 / model_curves.dintensity
            if tied:
                matrix[total + i, 2 * i] = 1 / (CALIBRATION * tied[i] * solved.common)
                matrix[total + count + i, 2 * i + 1] = 1 / self.plan.background
                matrix[total + i, -1] = -solved.scales[i] / (CALIBRATION * tied[i] * solved.common**2)
            begin = end
        return matrix

    def jacobian(self, x: Floats) -> Floats:
        """(n + 2 m, k), with what is solved for projected out."""
        return project_out(np.stack(list(self.columns(x).values()), axis=1), self.linear(x))

    def refine(self, steps: int) -> float:
        """Go downhill; χ² with the prior of the scales where it ends, kept in `best`."""
        x = self.first
        if np.all(np.abs(self.residuals(x)) >= PROBLEM.no_value) or not self.codes:
            return self.best[0]
        self._drop_unseen(x)
        low, high = (np.array([getattr(c, end) for c in self.codes.values()]) for end in ("low", "high"))
        if self.codes:
            problem = Problem(self.residuals, self.jacobian, low, high)
            least_squares(problem, self.first, steps=steps)
        return self.best[0]

    def _drop_unseen(self, x: Floats) -> None:
        """Parameters that the curves do not show beside the others stand where they are."""
        linear = self.linear(x)
        columns: dict[Any, Floats] = {("linear", i): linear[:, i] for i in range(linear.shape[1])}
        shown_keys: set[Any] = set(independent(columns | self.columns(x)))
        decoded = self.decode(x)
        for name, place in list(self.codes):
            if (name, place) not in shown_keys:
                for i in range(len(decoded)) if place is None else (place,):
                    self.starts[i][name] = decoded[i][name]
                del self.codes[name, place]
        self.best = (np.inf, self.first)
        self.residuals(self.first)


def _numbers(parameters: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((k, v) for k, v in parameters.items() if not isinstance(v, str)))


def _each(curves: Sequence[ModelCurves], shapes: Sequence[Floats]) -> tuple[Floats, Floats]:
    """The best scale and background of each curve alone."""
    pairs = []
    for search, curve in zip(curves, shapes, strict=True):
        weight = 1 / search.dintensity**2
        mean, level = np.average(curve, weights=weight), np.average(search.curve.intensity, weights=weight)
        moved = curve - mean
        with np.errstate(all="ignore"):  # a flat curve has no scale
            scale = (weight * moved) @ (search.curve.intensity - level) / ((weight * moved) @ moved)
        pairs.append((scale, level - scale * mean))
    scales, backgrounds = np.array(pairs).T
    return scales, backgrounds


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
    normal, right = np.zeros((2 * count + 1, 2 * count + 1)), np.zeros(2 * count + 1)
    for i, (search, curve, factor) in enumerate(zip(curves, shapes, plan.factors or (), strict=True)):
        rows = np.stack([curve, np.ones(curve.size)]) / search.dintensity
        rows_here = slice(2 * i, 2 * i + 2)
        normal[rows_here, rows_here] += rows @ rows.T
        right[rows_here] += rows @ (search.curve.intensity / search.dintensity)
        prior = np.zeros(2 * count + 1)
        prior[2 * i], prior[-1] = 1 / (CALIBRATION * factor * common), -1 / (CALIBRATION * common)
        normal += np.outer(prior, prior)
        normal[2 * i + 1, 2 * i + 1] += 1 / plan.background**2
    scale = np.sqrt(np.diag(normal))
    if not np.all(np.isfinite(scale)) or np.any(scale == 0):
        return np.full(count, np.nan), np.zeros(count), common
    solved = np.linalg.lstsq(normal / np.outer(scale, scale), right / scale, rcond=None)[0] / scale
    return solved[0:-1:2], solved[1:-1:2], float(solved[-1])
