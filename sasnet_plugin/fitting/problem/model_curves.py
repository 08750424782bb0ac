"""A model's curves as measured, with what is linear in them solved for: scales and background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arrays import ArrayCache, Floats, bytes_of
from ...simulate.kernel import load_model
from ...simulate.kernel_call import calls_of
from ...simulate.quick_models.quick import is_quick, quick_model
from ...types import Curve, sum_parts
from ..ledger import count, read_spent_time
from ..settings import PROBLEM
from ..task import Task
from .experiment import TimeUpError
from .free_parameters import fittable
from .overlaps import is_limited, is_negative, overlaps
from .resolution import resolution, scale_and_background
from .sums import extract_part, scales_of, solve_scales

#: The last curves: each stage of a fit begins where another has ended.
_KEPT: ArrayCache[Floats] = ArrayCache(4 * 2**20)


def _size(curves: Floats) -> int:
    """Bytes of curves, and about those of the parameters that they are kept under."""
    return curves.nbytes + 2**10


class ModelCurves:
    """Curves of one model as measured, and their residuals at the best scales and background.

    `per_decade` as for `resolution.resolution`; `quick` uses `simulate.quick_models.quick` instead of
    sasmodels.
    """

    def __init__(
        self,
        curve: Curve,
        dintensity: Floats,
        name: str,
        *,
        fixed: frozenset[str] = frozenset(),
        ranges: Mapping[str, tuple[float, float]] | None = None,
        fitted: frozenset[str] = frozenset(),
        per_decade: int | None = None,
        quick: bool = True,
    ) -> None:
        self.curve, self.dintensity, self.name = curve, dintensity, name
        self.fixed, self.ranges, self.fitted, self.quick = fixed, dict(ranges or {}), fitted, quick
        load = quick_model if quick else load_model
        self.info = load(name).info
        self.per_decade = per_decade
        points = map(bytes_of, (curve.q, curve.dq, curve.dxl, curve.dxw))
        self._key = type(self), self.info, quick, per_decade, *points
        self._resolution = resolution(curve, per_decade)
        self._parts = sum_parts(name)
        self._limited = [(i, part) for i, part in enumerate(self._parts) if is_limited(part)]
        # What is sasmodels' own is not interpolated: its χ² is reported.
        self._kernels = calls_of(
            [load(part) for part in self._parts], self.q_calculated,
            between=[quick and is_quick(part) for part in self._parts],
        )  # fmt: skip
        self.scales = scales_of(name)
        self.linear = (*self.scales, "background")
        self.deadline = np.inf
        self._weights = _Weights(curve.intensity, dintensity)
        # No more is subtracted than was measured: without an end a parabola would be any body's curve.
        self._lowest = -float(np.max(np.abs(curve.intensity)))
        # A user's scale or background is not to be solved for.
        self._solved = not set(self.linear) & (fixed | set(self.ranges))

    @property
    def q_calculated(self) -> Floats:
        """Where the model is calculated, Å⁻¹."""
        return np.asarray(self._resolution.q_calc)

    def intensity(self, parameters: dict[str, Any]) -> Floats:
        """I(q) of each component as measured, (k, n), scale 1 and background 0."""
        with np.errstate(all="ignore"):
            return self.calculate(parameters)

    def calculate(self, parameters: Mapping[str, Any]) -> Floats:
        """`intensity` where floating-point errors are ignored already, as in the loops of a search."""
        if read_spent_time() > self.deadline:
            raise TimeUpError
        part_parameters = [extract_part(parameters, i, len(self._parts)) for i in range(len(self._parts))]
        for part, own_parameters in zip(self._parts, part_parameters, strict=True):
            count(part, own_parameters, self._resolution.q_calc, quick=self.quick)
        if any(overlaps(part, part_parameters[i]) for i, part in self._limited):
            return np.full((len(part_parameters), len(self.curve)), np.nan)
        key = self._key, *(tuple(part.items()) for part in part_parameters)
        return _KEPT.get(key, lambda: self._calculate(part_parameters), _size)

    def _calculate(self, parts: list[dict[str, Any]]) -> Floats:
        try:
            intensities = [
                call(part_parameters) for call, part_parameters in zip(self._kernels, parts, strict=True)
            ]
        except Exception:  # a user's model has no value there, whatever it raises
            return np.full((len(parts), len(self.curve)), np.nan)
        if any(map(is_negative, intensities)):
            return np.full((len(parts), len(self.curve)), np.nan)
        return np.array([self._resolution.apply(calculated) for calculated in intensities])

    def solve(self, parameters: dict[str, Any], tolerance: float = 0.0) -> tuple[Floats, Floats, float]:
        """Residuals at the best scales, one of each component, and background; and these."""
        return self.residual(self.intensity(parameters), parameters, self.error(tolerance))

    def error(self, tolerance: float) -> Floats:
        """The data's own with a relative error added."""
        if tolerance == 0:
            return self.dintensity
        return np.asarray(np.hypot(self.dintensity, tolerance * np.abs(self.curve.intensity)))

    def linear_columns(self, curves: Floats, scales: Floats, error: Floats, *names: str) -> dict[str, Floats]:
        """Slopes of the residuals by ln of the scales and by the background: those solved for, or these."""
        columns = dict(zip(self.scales, scales[:, None] * curves / error, strict=True))
        columns["background"] = 1 / error
        column_names = names or (self.linear if self._solved else ())
        return {name: column for name, column in columns.items() if name in column_names}

    def residual(
        self, curves: Floats, parameters: Mapping[str, Any], error: Floats
    ) -> tuple[Floats, Floats, float]:
        """Return residuals as `solve` does, from curves calculated before."""
        with np.errstate(all="ignore"):
            return self.compare(curves, parameters, error)

    def compare(
        self, curves: Floats, parameters: Mapping[str, Any], error: Floats
    ) -> tuple[Floats, Floats, float]:
        """`residual` where floating-point errors are ignored already."""
        if self._weights.error is not error:
            self._weights = _Weights(self.curve.intensity, error)
        solved = self._solve_linear(curves, parameters)
        if solved is None or not _are_possible(solved[0]):
            return np.full(error.size, PROBLEM.no_value), np.ones(len(curves)), 0.0
        scales, background = solved
        residual = scales @ curves
        residual += background
        residual -= self.curve.intensity
        residual /= error
        if not residual @ residual <= PROBLEM.no_value**2:  # nor is what is not a number
            residual = np.nan_to_num(residual, nan=PROBLEM.no_value)
            residual = np.clip(residual, -PROBLEM.no_value, PROBLEM.no_value)
        return residual, scales, background

    def _solve_linear(self, curves: Floats, parameters: Mapping[str, Any]) -> tuple[Floats, float] | None:
        """Best scales and background, or those that a user gives; None where a curve is not finite."""
        if self._solved and len(curves) == 1:
            return self._scale_and_background(curves)
        if not np.isfinite(curves).all():
            return None
        if not self._solved:
            return np.array([parameters[name] for name in self.scales]), parameters["background"]
        return solve_scales(curves, self._weights.weight, self.curve.intensity)

    def _scale_and_background(self, curves: Floats) -> tuple[Floats, float] | None:
        """Solve for one component; without background if its best scale is negative."""
        weights = self._weights
        square = float((curves**2 @ weights.weight)[0])
        if not np.inf > square > 0:  # far from any number that is usual
            return self._scale_and_background_far_off(curves)
        mean, product = float((curves @ weights.weight)[0]), float((curves @ weights.weighted)[0])
        scale, background = weights.solve(mean, square, product, self._lowest)
        if scale <= 0:
            return self._scale_and_background_far_off(curves)
        return np.array([scale]), background

    def _scale_and_background_far_off(self, curves: Floats) -> tuple[Floats, float] | None:
        if not np.isfinite(curves).all():
            return None
        intensity, weight = self.curve.intensity, self._weights.weight
        scales, level = scale_and_background(curves, weight, intensity, lowest=self._lowest)
        if scales[0] <= 0:
            # Far from the minimum dips lie where the measured curve has tops. A start there is no dead end.
            unit = float(np.max(np.abs(curves)))  # the square of what a start far off gives may be no number
            curves = curves / unit
            return curves @ (weight * intensity) / (curves**2 @ weight) / unit, 0.0
        return scales, float(level[0])

    def list_free(self, parameters: Mapping[str, Any]) -> list[str]:
        """Names of the parameters that are not fixed, those that are solved for included."""
        return [n for n in fittable(self.info, parameters, self.fitted) if n not in self.fixed]

    def count(self, parameters: dict[str, Any]) -> int:
        return len(self.list_free(parameters))

    def list_varied(self, start: Mapping[str, Any]) -> list[str]:
        """Names of the parameters that are searched for: those not fixed, and not solved for."""
        return [n for n in self.list_free(start) if n not in self.linear or not self._solved]

    def add_scale(self, start: dict[str, Any]) -> dict[str, Any]:
        """Set the best scale where a user has fixed the background, which the bank's curves lack."""
        if self.scales[0] in start or self._solved:
            return start
        return start | {"scale": self._scale_beside(start.get("background", 0.0), start)}

    def _scale_beside(self, background: float, start: dict[str, Any]) -> float:
        try:
            curve = self.intensity(start)[0] / self.dintensity
        except TimeUpError:
            return 1.0
        scale = float(curve @ ((self.curve.intensity - background) / self.dintensity) / (curve @ curve))
        return scale if np.isfinite(scale) and scale > 0 else 1.0

    def better(
        self, parameters: dict[str, Any], best: tuple[float, dict[str, Any]]
    ) -> tuple[float, dict[str, Any]]:
        """The one of less χ², with the scales and background that are solved for."""
        residual, scales, background = self.solve(parameters)
        chisq = float(residual @ residual)
        if chisq < best[0]:
            scale_values = {name: float(value) for name, value in zip(self.scales, scales, strict=True)}
            return chisq, parameters | scale_values | {"background": float(background)}
        return best


class _Weights:
    """Sums over the data that do not depend on a curve, with these uncertainties."""

    def __init__(self, intensity: Floats, error: Floats) -> None:
        self.error = error
        self.weight = 1 / error**2  #: Shape (n,). Inverse variances.
        self.weighted = self.weight * intensity
        self._sum, self._sum_weighted = float(self.weight.sum()), float(self.weight @ intensity)

    def solve(self, mean: float, square: float, product: float, lowest: float) -> tuple[float, float]:
        """Scale and background as `resolution.scale_and_background`, from weighted sums of a curve, its
        square and its product with the data.
        """
        determinant = square * self._sum - mean * mean
        if determinant != 0:  # no flat curve
            background = (square * self._sum_weighted - mean * product) / determinant
            if background >= lowest:
                return (product * self._sum - mean * self._sum_weighted) / determinant, background
        return (product - lowest * mean) / square, lowest


def _are_possible(scales: Floats) -> bool:
    values = scales.tolist()  # one or two: plain Python is faster
    return all(0 <= value < np.inf for value in values) and any(value > 0 for value in values)


def curves_of(
    task: Task, per_decade: int | None, *, data: tuple[Curve, Floats] | None = None, quick: bool = True
) -> ModelCurves:
    curve, dintensity = (task.curve, task.dintensity) if data is None else data
    return ModelCurves(
        curve, dintensity, task.name, fixed=frozenset(task.fixed), ranges=task.ranges,
        fitted=frozenset(task.fitted), per_decade=per_decade, quick=quick,
    )  # fmt: skip
