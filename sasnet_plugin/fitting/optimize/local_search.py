"""To the minimum beside a start: least squares in ln size, with scale and background solved for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.effort import count, spent
from sasnet_plugin.fitting.problem.experiment import TimeUpError
from sasnet_plugin.fitting.problem.free_parameters import fittable, independent
from sasnet_plugin.fitting.problem.resolution import resolution, scale_and_background
from sasnet_plugin.fitting.problem.sums import of_part, scales_of, solve_scales
from sasnet_plugin.fitting.result.components import is_scale
from sasnet_plugin.fitting.settings import OPTIMIZE, PROBLEM
from sasnet_plugin.simulate.quick_models.quick import quick_model
from sasnet_plugin.types import Curve, sum_parts


@dataclass(frozen=True)
class LocalMinimum:
    """Where a search from a start has ended.

    Parameters
    ----------
    parameters : dict
        sasmodels' parameters, scale and background included.
    chisq : float
        With the data's own uncertainty.
    """

    parameters: dict[str, Any]
    chisq: float


class LocalSearch:
    """Refines starts of one model on one curve.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        Positive.
    name : str
        sasmodels' name, ``sphere`` or ``sphere@hardsphere``.
    fixed : frozenset of str
        Parameters that keep their start.
    ranges : mapping of str to (float, float)
        Given by a user.
    per_decade : int, optional
        As for `resolution.resolution`.
    """

    def __init__(
        self,
        curve: Curve,
        dintensity: NDArray[np.float64],
        name: str,
        *,
        fixed: frozenset[str] = frozenset(),
        ranges: dict[str, tuple[float, float]] | None = None,
        per_decade: int | None = None,
    ) -> None:
        self.curve, self.dintensity, self.name = curve, dintensity, name
        self.fixed, self.ranges = fixed, ranges or {}
        self._model = quick_model(name)
        self._resolution = resolution(curve, per_decade)
        kernels = [quick_model(part).make_kernel([self._resolution.q_calc]) for part in sum_parts(name)]
        self._kernels, self._scales = kernels, scales_of(name)
        self.deadline = np.inf
        # A user's scale or background is not to be solved for.
        self._solved = not {*self._scales, "background"} & (fixed | set(self.ranges))

    def intensity(self, parameters: dict[str, Any]) -> NDArray[np.float64]:
        """I(q) of each component as measured, (k, n), scale 1 and background 0."""
        from sasmodels.direct_model import call_kernel

        if spent() > self.deadline:
            raise TimeUpError
        parts = [of_part(parameters, i, len(self._kernels)) for i in range(len(self._kernels))]
        for name, own in zip(sum_parts(self.name), parts, strict=True):
            count(name, own, self._resolution.q_calc, quick=True)
        with np.errstate(all="ignore"):
            try:
                found = [call_kernel(k, own) for k, own in zip(self._kernels, parts, strict=True)]
            except Exception:  # a user's model has no value there, whatever it raises
                return np.full((len(parts), len(self.curve)), np.nan)
            return np.stack([np.asarray(self._resolution.apply(one)) for one in found])

    def solved(
        self, parameters: dict[str, Any], tolerance: float = 0.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Residuals at the best scales, one of each component, and background; and these."""
        curves = self.intensity(parameters)
        error = np.hypot(self.dintensity, tolerance * np.abs(self.curve.intensity))
        ones = np.ones(len(curves))
        if not np.all(np.isfinite(curves)):
            return np.full(error.size, PROBLEM.no_value), ones, 0.0
        if not self._solved:
            scales = np.array([parameters[name] for name in self._scales])
            background = parameters["background"]
        elif len(curves) > 1:
            scales, background = solve_scales(curves, 1 / error**2, self.curve.intensity)
        else:
            scales, level = scale_and_background(curves, 1 / error**2, self.curve.intensity, negative=True)
            background = float(level[0])
        if not (np.all(np.isfinite(scales)) and np.any(scales > 0) and np.all(scales >= 0)):
            return np.full(error.size, PROBLEM.no_value), ones, 0.0
        residual = (scales @ curves + background - self.curve.intensity) / error
        return (
            np.clip(np.nan_to_num(residual, nan=PROBLEM.no_value), -PROBLEM.no_value, PROBLEM.no_value),
            scales,
            background,
        )

    def count(self, parameters: dict[str, Any]) -> int:
        """How many parameters are varied."""
        return sum(n not in self.fixed for n in fittable(self._model.info, parameters))

    def refine(
        self,
        start: dict[str, Any],
        *,
        tolerances: tuple[float, ...] = OPTIMIZE.tolerances,
        steps: int = OPTIMIZE.local_steps,
        enough: float = OPTIMIZE.local_enough,
    ) -> LocalMinimum | None:
        """Go downhill from a start.

        Parameters
        ----------
        start : dict
            sasmodels' parameters.
        tolerances : tuple of float
            Relative errors added to the data's own, one after the other.
        steps : int
            Steps with each.
        enough : float
            Relative change of χ² and of the parameters at which it ends.

        Returns
        -------
        LocalMinimum or None
            None where the model has no finite curve at the start. Out of time it is the best point seen.
        """
        from scipy.optimize import least_squares

        best: tuple[float, dict[str, Any]] = (np.inf, {})
        if self._scales[0] not in start and not self._solved:
            start = start | {"scale": self._scale_beside(start.get("background", 0.0), start)}
        names = [n for n in fittable(self._model.info, start) if n not in self.fixed]
        names = [n for n in names if n not in (*self._scales, "background") or not self._solved]
        codes = [self._code(n, start) for n in names]

        def decoded(x: NDArray[np.float64]) -> dict[str, Any]:
            return start | {n: c.value(v) for n, c, v in zip(names, codes, x, strict=True)}

        def residuals(x: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
            return self.solved(decoded(x), tolerance)[0]

        x = np.array([c.first for c in codes])
        try:
            if np.all(np.abs(residuals(x, 0.1)) >= PROBLEM.no_value):
                return None
            free = self._distinguishable(names, codes, start)
            names, codes = [names[i] for i in free], [codes[i] for i in free]
            x = x[free]
            for tolerance in tolerances:
                if names:
                    bounds = [c.low for c in codes], [c.high for c in codes]
                    x = least_squares(
                        residuals, x, args=(tolerance,), bounds=bounds, max_nfev=steps,
                        diff_step=PROBLEM.step, ftol=enough, xtol=enough,
                    ).x  # fmt: skip
                best = self._better(decoded(x), best)
        except TimeUpError:
            self.deadline = np.inf
            best = self._better(decoded(x), best)
        return LocalMinimum(best[1], best[0])

    def _scale_beside(self, background: float, start: dict[str, Any]) -> float:
        """Best scale where a user has fixed the background: the bank's curves have none of their own."""
        try:
            curve = self.intensity(start)[0] / self.dintensity
        except TimeUpError:
            return 1.0
        scale = float(curve @ ((self.curve.intensity - background) / self.dintensity) / (curve @ curve))
        return scale if np.isfinite(scale) and scale > 0 else 1.0

    def _distinguishable(self, names: list[str], codes: list[_Code], start: dict[str, Any]) -> list[int]:
        """Which of the parameters the data distinguish from scale, background and those before them."""
        _, scales, _ = self.solved(start, 0.02)
        parts = scales[:, None] * self.intensity(start)
        base = parts.sum(axis=0)
        weight = 1 / np.hypot(self.dintensity, 0.02 * np.abs(self.curve.intensity))
        linear = dict(zip(self._scales, parts, strict=True)) | {"background": np.ones(weight.size)}
        columns = {name: column * weight for name, column in linear.items()} if self._solved else {}
        for name, code in zip(names, codes, strict=True):
            if name in linear:  # `intensity` leaves them out
                columns[name] = linear[name] * weight
                continue
            moved = scales @ self.intensity(start | {name: code.value(code.first + PROBLEM.step)})
            columns[name] = (moved - base) * weight
        free = independent(columns)
        return [i for i, name in enumerate(names) if name in free]

    def _better(
        self, parameters: dict[str, Any], best: tuple[float, dict[str, Any]]
    ) -> tuple[float, dict[str, Any]]:
        residual, scales, background = self.solved(parameters)
        chisq = float(residual @ residual)
        if chisq < best[0]:
            found = {name: float(value) for name, value in zip(self._scales, scales, strict=True)}
            return chisq, parameters | found | {"background": background}
        return best

    def _code(self, name: str, start: dict[str, Any]) -> _Code:
        """How a parameter is varied: sizes in their logarithm, all else in units of what matters."""
        table = {p.name: p for p in self._model.info.parameters.call_parameters}
        value = float(start.get(name, table[name].default if name in table else 0.0))
        if name in self.ranges:
            low, high = self.ranges[name]
            return _Code.linear(float(np.clip(value, low, high)), low, high, (high - low) / 4)
        if name.endswith("_pd"):
            return _Code.linear(min(max(value, 0.005), 0.65), 0.0, PROBLEM.most_width, 0.1)
        low, high = (float(v) for v in table[name].limits)
        if name == "background":
            return _Code.linear(value, -np.inf, np.inf, abs(value) or 1.0)
        if "sld" in name:
            low, high = max(low, value - OPTIMIZE.sld_reach), min(high, value + OPTIMIZE.sld_reach)
            return _Code.linear(value, low, high, 1.0)
        if (low >= 0 or is_scale(name)) and value > 0:
            if name in table and table[name].type == "volume" and table[name].units == "Ang":
                longest = OPTIMIZE.longest / float(self.curve.q[0])
                value, high = min(value, longest), min(high, longest)
            reach = np.log(OPTIMIZE.size_reach)
            return _Code.logarithm(value, max(low, value * np.exp(-reach)), min(high, value * np.exp(reach)))
        return _Code.linear(value, low, high, max(abs(value), 0.3))


@dataclass(frozen=True)
class _Code:
    first: float
    low: float
    high: float
    unit: float  # 0: a logarithm

    @staticmethod
    def linear(value: float, low: float, high: float, unit: float) -> _Code:
        value = _inside(value, low, high)
        return _Code(value / unit, low / unit, high / unit, unit)

    @staticmethod
    def logarithm(value: float, low: float, high: float) -> _Code:
        low, high = np.log(low) if low > 0 else -np.inf, np.log(high)
        return _Code(_inside(float(np.log(value)), low, high), low, high, 0.0)

    def value(self, x: float) -> float:
        return float(np.exp(x)) if self.unit == 0 else float(x * self.unit)


def _inside(value: float, low: float, high: float) -> float:
    """Within the bounds, not on them: there the derivative would be taken outside."""
    if not np.isfinite(low) or not np.isfinite(high):
        return float(min(max(value, low), high))
    margin = 1e-6 * (high - low)
    return float(min(max(value, low + margin), high - margin))
