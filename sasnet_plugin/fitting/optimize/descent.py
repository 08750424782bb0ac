"""One descent: codes of what is varied, residuals and slopes, and the nearest point seen.

Variable projection (G. H. Golub and V. Pereyra, SIAM J. Numer. Anal. 10 (1973) 413, with the Jacobian of L.
Kaufman, BIT 15 (1975) 49): what is linear is solved at each step and projected out of the slopes of the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.optimize.least_squares import Problem, least_squares
from sasnet_plugin.fitting.optimize.varied import Code, code_of
from sasnet_plugin.fitting.problem.free_parameters import independent
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.types import Curve

Array = NDArray[np.float64]


class Curves(Protocol):
    """What a descent asks of a model and its data: see `local_search.LocalSearch`."""

    curve: Curve
    info: Any
    ranges: dict[str, tuple[float, float]]

    @property
    def scales(self) -> tuple[str, ...]: ...

    @property
    def linear(self) -> tuple[str, ...]: ...

    def error(self, tolerance: float) -> Array: ...

    def varied(self, start: Mapping[str, Any]) -> list[str]: ...

    def intensity(self, parameters: dict[str, Any]) -> Array: ...

    def residual(
        self, curves: Array, parameters: Mapping[str, Any], error: Array
    ) -> tuple[Array, Array, float]: ...

    def linear_columns(self, curves: Array, scales: Array, error: Array, *names: str) -> dict[str, Array]: ...


class Descent:
    """One descent: codes of what is varied, residuals and slopes, and the nearest point seen.

    Parameters
    ----------
    search : Curves
    start : dict
        sasmodels' parameters.
    tolerance : float
        Relative error added to the data's own.
    """

    def __init__(self, search: Curves, start: dict[str, Any], tolerance: float) -> None:
        self._search, self._start = search, start
        self._error = search.error(tolerance)
        self._codes: dict[str, Code] = {
            name: code_of(search.info, name, start, search.ranges, float(search.curve.q[0]))
            for name in search.varied(start)
        }
        self._curves: tuple[bytes | None, Array] = (None, np.empty(0))
        self._best: tuple[float, dict[str, Any]] = (np.inf, start)

    @property
    def nearest(self) -> dict[str, Any]:
        """The point of least χ² seen, with this tolerance."""
        return self._best[1]

    @property
    def free(self) -> list[str]:
        """Names of what is varied: after `run`, of what the data show."""
        return list(self._codes)

    def run(self, steps: int, enough: float) -> bool:
        """Go down; False where the model has no finite curve at the start."""
        x = np.array([code.first for code in self._codes.values()])
        if np.all(np.abs(self.residuals(x)) >= PROBLEM.no_value):
            return False
        jacobian = self._shown(x)
        if self._codes:
            x = np.array([code.first for code in self._codes.values()])
            low, high = (np.array([getattr(c, end) for c in self._codes.values()]) for end in ("low", "high"))
            least_squares(
                Problem(self.residuals, self.jacobian, low, high), x, jacobian, steps=steps, enough=enough
            )
        return True

    def decoded(self, x: Array) -> dict[str, Any]:
        """sasmodels' parameters."""
        return self._start | {n: c.value(v) for (n, c), v in zip(self._codes.items(), x, strict=True)}

    def residuals(self, x: Array) -> Array:
        """(n,) at the best scales and background."""
        parameters = self.decoded(x)
        found = self._search.residual(self._intensity(x), parameters, self._error)[0]
        total = float(found @ found)
        if total < self._best[0]:
            self._best = (total, parameters)
        return found

    def _intensity(self, x: Array) -> Array:
        key = x.tobytes()
        if self._curves[0] != key:
            self._curves = (key, self._search.intensity(self.decoded(x)))
        return self._curves[1]

    def raw(self, x: Array) -> dict[str, Array]:
        """Slopes of the residuals by each code, scales and background staying; those of the linear first."""
        search, parameters = self._search, self.decoded(x)
        base = self._intensity(x)
        _, scales, _ = search.residual(base, parameters, self._error)
        columns = search.linear_columns(base, scales, self._error)
        for i, (name, code) in enumerate(self._codes.items()):
            if name in search.linear:  # `intensity` leaves them out
                column = columns.get(name, search.linear_columns(base, scales, self._error, name)[name])
                # By ln of a scale, by the background itself.
                by = 1.0 if name == "background" else code.value(x[i])
                columns[name] = column * code.slope(x[i]) / by
                continue
            step = PROBLEM.step if x[i] + PROBLEM.step <= code.high else -PROBLEM.step
            moved = search.intensity(parameters | {name: code.value(x[i] + step)})
            column = (scales @ (moved - base)) / (step * self._error)
            columns[name] = np.nan_to_num(column, nan=0.0, posinf=0.0, neginf=0.0)
        return columns

    def natural(self) -> dict[str, Array]:
        """Slopes (n,) of the residuals per unit of each parameter."""
        search, start = self._search, self._start
        x = np.array([code.first for code in self._codes.values()])
        columns = self.raw(x)
        for at, (name, code) in zip(x, self._codes.items(), strict=True):
            columns[name] = columns[name] / code.slope(at)
        for name in search.scales:
            if name in columns and name not in self._codes:
                columns[name] = columns[name] / (float(start[name]) or 1.0)
        return columns

    def jacobian(self, x: Array) -> Array:
        """(n, k), with what scales and background take up projected out."""
        return self._projected(self.raw(x))

    def _projected(self, columns: Mapping[str, Array]) -> Array:
        own = np.stack([columns[name] for name in self._codes], axis=1)
        beside = [column for name, column in columns.items() if name not in self._codes]
        if not beside:
            return own
        linear = np.stack(beside, axis=1)
        linear = linear[:, np.linalg.norm(linear, axis=0) > 0]
        base, _ = np.linalg.qr(linear / np.linalg.norm(linear, axis=0))
        return np.asarray(own - base @ (base.T @ own))

    def _shown(self, x: Array) -> Array | None:
        """Keep what the data show of the parameters, and give the slopes by these."""
        if not self._codes:
            return None
        columns = self.raw(x)
        # However small its effect is here: far from the minimum that says little.
        kept, varied = set(independent(columns)), set(self._codes)
        self._codes = {name: code for name, code in self._codes.items() if name in kept}
        solved = {n: c for n, c in columns.items() if n in self._codes or n not in varied}
        return self._projected(solved) if self._codes else None
