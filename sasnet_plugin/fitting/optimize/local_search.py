"""To the minimum beside a start: least squares in ln size, with scale and background solved for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.ledger import count, spent
from sasnet_plugin.fitting.optimize.descent import Descent
from sasnet_plugin.fitting.problem.experiment import TimeUpError
from sasnet_plugin.fitting.problem.free_parameters import fittable
from sasnet_plugin.fitting.problem.resolution import resolution, scale_and_background
from sasnet_plugin.fitting.problem.sums import of_part, scales_of, solve_scales
from sasnet_plugin.fitting.settings import OPTIMIZE, PROBLEM
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick_models.quick import quick_model
from sasnet_plugin.types import Curve, sum_parts

Array = NDArray[np.float64]


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
    quick : bool
        With the model of `simulate.quick_models.quick`; else with sasmodels' own.
    """

    def __init__(
        self,
        curve: Curve,
        dintensity: Array,
        name: str,
        *,
        fixed: frozenset[str] = frozenset(),
        ranges: Mapping[str, tuple[float, float]] | None = None,
        per_decade: int | None = None,
        quick: bool = True,
    ) -> None:
        self.curve, self.dintensity, self.name = curve, dintensity, name
        self.fixed, self.ranges, self.quick = fixed, dict(ranges or {}), quick
        load = quick_model if quick else load_model
        self.info = load(name).info
        self.per_decade = per_decade
        self._resolution = resolution(curve, per_decade)
        self._kernels = [load(part).make_kernel([self._resolution.q_calc]) for part in sum_parts(name)]
        self._scales = scales_of(name)
        self.deadline = np.inf
        # A user's scale or background is not to be solved for.
        self._solved = not {*self._scales, "background"} & (fixed | set(self.ranges))

    @property
    def q_calculated(self) -> Array:
        """Where the model is calculated, Å⁻¹."""
        return np.asarray(self._resolution.q_calc)

    def intensity(self, parameters: dict[str, Any]) -> Array:
        """I(q) of each component as measured, (k, n), scale 1 and background 0."""
        from sasmodels.direct_model import call_kernel

        if spent() > self.deadline:
            raise TimeUpError
        parts = [of_part(parameters, i, len(self._kernels)) for i in range(len(self._kernels))]
        for name, own in zip(sum_parts(self.name), parts, strict=True):
            count(name, own, self._resolution.q_calc, quick=self.quick)
        with np.errstate(all="ignore"):
            try:
                found = [call_kernel(k, own) for k, own in zip(self._kernels, parts, strict=True)]
            except Exception:  # a user's model has no value there, whatever it raises
                return np.full((len(parts), len(self.curve)), np.nan)
            return np.stack([np.asarray(self._resolution.apply(one)) for one in found])

    def solved(self, parameters: dict[str, Any], tolerance: float = 0.0) -> tuple[Array, Array, float]:
        """Residuals at the best scales, one of each component, and background; and these."""
        return self.residual(self.intensity(parameters), parameters, self.error(tolerance))

    def error(self, tolerance: float) -> Array:
        """The data's own with a relative error added."""
        return np.asarray(np.hypot(self.dintensity, tolerance * np.abs(self.curve.intensity)))

    @property
    def scales(self) -> tuple[str, ...]:
        """Names of the factors of the model, or of its components."""
        return self._scales

    @property
    def linear(self) -> tuple[str, ...]:
        """Names of scales and background."""
        return (*self._scales, "background")

    def linear_columns(self, curves: Array, scales: Array, error: Array, *names: str) -> dict[str, Array]:
        """Slopes of the residuals by ln of the scales and by the background: those solved for, or these."""
        found = dict(zip(self._scales, scales[:, None] * curves / error, strict=True))
        found["background"] = 1 / error
        wanted = names or (self.linear if self._solved else ())
        return {name: column for name, column in found.items() if name in wanted}

    def residual(
        self, curves: Array, parameters: Mapping[str, Any], error: Array
    ) -> tuple[Array, Array, float]:
        """As `solved`, of curves that are there."""
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
        return sum(n not in self.fixed for n in fittable(self.info, parameters))

    def varied(self, start: Mapping[str, Any]) -> list[str]:
        """Names of the parameters that are searched for: those not fixed, and not solved for."""
        names = [n for n in fittable(self.info, start) if n not in self.fixed]
        return [n for n in names if n not in (*self._scales, "background") or not self._solved]

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
            Relative change of χ² at which it ends.

        Returns
        -------
        LocalMinimum or None
            None where the model has no finite curve at the start. Out of time it is the best point seen.
        """
        if self._scales[0] not in start and not self._solved:
            start = start | {"scale": self._scale_beside(start.get("background", 0.0), start)}
        best: tuple[float, dict[str, Any]] = (np.inf, {})
        here = start
        try:
            for tolerance in tolerances:
                descent = Descent(self, here, tolerance)
                try:
                    moved = descent.run(steps, enough)
                finally:
                    here = descent.nearest
                if not moved:
                    return None
                best = self.better(here, best)
        except TimeUpError:
            self.deadline = np.inf
            best = self.better(here, best)
        return LocalMinimum(best[1], best[0])

    def _scale_beside(self, background: float, start: dict[str, Any]) -> float:
        """Best scale where a user has fixed the background: the bank's curves have none of their own."""
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
        residual, scales, background = self.solved(parameters)
        chisq = float(residual @ residual)
        if chisq < best[0]:
            found = {name: float(value) for name, value in zip(self._scales, scales, strict=True)}
            return chisq, parameters | found | {"background": float(background)}
        return best
