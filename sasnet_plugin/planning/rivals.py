"""A model that earlier measurements leave possible, with what they say of its parameters.

The likelihood of the measurements and a wide normal prior give the most probable parameters and, from the
curvature there, the evidence (Laplace's approximation: MacKay, Neural Computation 4 (1992) 415). Draws of the
posterior are made by randomised maximum likelihood: data and prior are drawn anew, and the minimum is found
again (Oliver, He & Reynolds, Proc. 5th ECMOR (1996)); that follows curved valleys, as of scale and contrast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arrays import Floats
from ..fitting.problem.experiment import starting_values
from ..fitting.problem.model_curves import ModelCurves
from ..fitting.result.model_fit import ModelFit
from ..types import Curve
from .measurements import Measurement

#: Standard deviation of a scattering length density that nobody has given, 1e-6/Å²: from that of hydrogen-rich
#: oils, -0.5, to that of D2O, 6.4, is 7.
DENSITY_DEVIATION = 3.0
#: Points of q a decade at which models are calculated for smearing where the fit needed no more.
_PER_DECADE = 40
#: Largest standard deviations of a coordinate that is a logarithm, and step of derivatives in these units.
_WIDEST_LOG, _STEP = 0.7, 0.1
#: Iterations of a minimisation at most, and the gain in χ² at which it ends.
_ITERATIONS, _GAIN = 12, 0.01


@dataclass(frozen=True)
class Coordinate:
    """One unknown of a model, such that 0 is the fitted value and 1 about a standard deviation away."""

    name: str
    value: float
    unit: float  #: The standard deviation: of ln of the parameter if `is_log`, else of the parameter.
    is_log: bool
    prior: float  #: Standard deviation of what is known beforehand, in units.
    place: int | None = None  #: Of the only curve that it belongs to; None: of all.

    def parameter(self, z: float, value: float | None = None) -> float:
        """The value of the parameter, of a curve for which 0 means `value`."""
        fitted = self.value if value is None else value
        if self.is_log:
            return float(fitted * np.exp(np.clip(z * self.unit, -12.0, 12.0)))
        return fitted + z * self.unit


@dataclass(frozen=True)
class Minimum:
    """The most probable parameters beside some measurements."""

    z: Floats  #: Shape (k,).
    cost: float  #: χ² and what the prior adds.
    log_determinant: float  #: ln of the determinant of the curvature.
    covariance: Floats  #: Shape (k, k), of the coordinates.
    #: Shape (m + 1,). Of the measurement that was added, and of its calibration; empty where none was.
    new_residuals: Floats

    @property
    def log_evidence(self) -> float:
        """ln of the marginal likelihood, to a constant of the measurements."""
        return -0.5 * (self.cost + self.log_determinant)


class Rival:
    """A fitted model as a rival of others.

    Parameters
    ----------
    fits : sequence of ModelFit
        Of each curve measured so far; what they share has the same value in all.
    curves, dintensities : sequences of Curve and of (n,) float array
        As they were fitted.
    weight : float
        Probability of the model so far, 0..1.
    densities : frozenset of str
        Scattering length densities that are unknown although they were not fitted.
    own : frozenset of str
        Free parameters that each curve has of its own.
    """

    def __init__(
        self,
        fits: Sequence[ModelFit],
        curves: Sequence[Curve],
        dintensities: Sequence[Floats],
        weight: float,
        densities: frozenset[str] = frozenset(),
        own: frozenset[str] = frozenset(),
    ) -> None:
        self.fit, self.weight = fits[0], weight
        self.name, self.short_name = self.fit.name, self.fit.short_name
        self._bases = [starting_values(fit) for fit in fits]
        self._data = [np.asarray(curve.intensity) for curve in curves]
        # What a fit misses beyond the uncertainties is an uncertainty.
        excess = [max(1.0, float(np.sqrt(fit.reduced_chisq))) for fit in fits]
        self._errors = [np.asarray(d) * f for d, f in zip(dintensities, excess, strict=True)]
        self._per_decade = self.fit.per_decade or _PER_DECADE
        self._old = [
            ModelCurves(curve, error, self.name, per_decade=self._per_decade)
            for curve, error in zip(curves, self._errors, strict=True)
        ]
        self._new: dict[str, ModelCurves] = {}
        self.coordinates = _coordinates(fits, densities, own)
        self._prior_mean = np.zeros(len(self.coordinates))
        self._prior = np.array([coordinate.prior for coordinate in self.coordinates])
        self.before = self.minimise(np.zeros(len(self.coordinates)))

    def values(self, z: Floats, place: int = 0) -> dict[str, Any]:
        """Keywords of sasmodels for a curve measured so far."""
        values = dict(self._bases[place])
        for coordinate, each in zip(self.coordinates, z, strict=True):
            if coordinate.place in (None, place):
                name = coordinate.name  # of scales with a common factor each curve has its own
                values[name] = coordinate.parameter(float(each), float(values[name]))
        return values

    def predict(self, z: Floats, measurement: Measurement) -> Floats:
        """I(q) (m,) of a measurement without its background, as an endless one would give it."""
        if measurement.grid not in self._new:
            self._new[measurement.grid] = ModelCurves(
                measurement.curve, np.ones(len(measurement.curve)), self.name, per_decade=self._per_decade
            )
        values = measurement.change(self.values(z))
        return _calculate(self._new[measurement.grid], values)

    def minimise(
        self,
        start: Floats,
        measurement: Measurement | None = None,
        data: Floats | None = None,
        error: Floats | None = None,
        *,
        draw: np.random.Generator | None = None,
    ) -> Minimum:
        """Minimise χ² and prior beside the curves so far, and one more measurement's `data` and `error` (m,).

        With `draw` noise is added to data and prior, and the minimum is a draw of the posterior.
        """
        noise = [np.zeros(d.size) if draw is None else draw.standard_normal(d.size) for d in self._data]
        centre = self._prior_mean
        if draw is not None:
            centre = centre + self._prior * draw.standard_normal(centre.size)

        def residuals(z: Floats) -> Floats:
            parts = [
                (_calculate(curves, self.values(z, i)) - data_i) / error_i + noise_i
                for i, (curves, data_i, error_i, noise_i) in enumerate(
                    zip(self._old, self._data, self._errors, noise, strict=True)
                )
            ]
            parts.append((z - centre) / self._prior)
            if measurement is not None and data is not None and error is not None:
                parts.append(_free_of_nuisances(self.predict(z, measurement), data, error))
            return np.nan_to_num(np.concatenate(parts), nan=1e6, posinf=1e6, neginf=-1e6)

        found = _minimise(residuals, start)
        added = 0 if measurement is None else len(measurement.curve) + 1
        return replace(found, new_residuals=found.new_residuals[found.new_residuals.size - added :])

    def draws(self, count: int, rng: np.random.Generator) -> list[Floats]:
        """Draw parameters (k,) from the posterior."""
        return [self.minimise(self.before.z, draw=rng).z for _ in range(count)]

    def error_of(self, name: str, covariance: Floats) -> tuple[float, float] | None:
        """A parameter and its standard deviation; None where it is no unknown of this model."""
        for i, coordinate in enumerate(self.coordinates):
            if coordinate.name == name and coordinate.place in (None, 0):
                value = coordinate.parameter(float(self.before.z[i]))
                slope = value * coordinate.unit if coordinate.is_log else coordinate.unit
                return value, float(abs(slope) * np.sqrt(covariance[i, i]))
        return None


#: Standard deviation of the calibration of I between two measurements, as a share of I.
CALIBRATION = 0.03


def _free_of_nuisances(calculated: Floats, data: Floats, error: Floats) -> Floats:
    """Residuals with the background and the calibration of a new measurement solved for."""
    # Both are linear. Its background is unknown; the calibration is known, which is the last residual.
    columns = np.stack([1 / error, CALIBRATION * calculated / error], axis=1)
    residual = (calculated - data) / error
    matrix = columns.T @ columns + np.diag([0.0, 1.0])
    solution = np.linalg.lstsq(matrix, -columns.T @ residual, rcond=None)[0]
    return np.append(residual + columns @ solution, solution[1])


def _calculate(curves: ModelCurves, values: Mapping[str, Any]) -> Floats:
    parts = curves.intensity(dict(values))
    scales = np.array([float(values.get(name, 1.0)) for name in curves.scales])
    return np.asarray(scales @ parts + float(values.get("background", 0.0)))


def _coordinates(
    fits: Sequence[ModelFit], densities: frozenset[str], own: frozenset[str]
) -> list[Coordinate]:
    first = fits[0]
    shared = [
        _coordinate(first, name, None, name in densities)
        for name in first.parameters
        if name not in own and (name in first.free or name in densities)
    ]
    if len(fits) == 1:
        return shared + [_coordinate(first, name, None, False) for name in first.free if name in own]
    return shared + [
        _coordinate(fit, name, i, False) for i, fit in enumerate(fits) for name in fit.free if name in own
    ]


def _coordinate(fit: ModelFit, name: str, place: int | None, is_unknown: bool) -> Coordinate:
    p = fit.parameters[name]
    error = p.error if p.error is not None and np.isfinite(p.error) and p.error > 0 else None
    if "sld" in name:
        return Coordinate(name, p.value, min(error or 1.0, 1.0), False, _in_units(error, 1.0), place)
    if p.value > 0 and p.low >= 0 and name != "background":
        unit = min((error or p.value) / p.value, _WIDEST_LOG)
        span = np.log(p.high / max(p.low, 1e-4 * p.high)) if np.isfinite(p.high) and p.high > 0 else 6.0
        return Coordinate(name, p.value, unit, True, max(span / np.sqrt(12), unit) / unit, place)
    unit = error or max(abs(p.value), 1e-3)
    span = p.high - p.low
    prior = span / np.sqrt(12) / unit if np.isfinite(span) and span > 0 else 100.0
    return Coordinate(name, p.value, unit, False, max(prior, 1.0), place)


def _in_units(error: float | None, widest: float) -> float:
    return DENSITY_DEVIATION / min(error or widest, widest)


def _minimise(residuals: Any, start: Floats) -> Minimum:
    """Levenberg and Marquardt's steps (Press et al., Numerical Recipes, 3rd ed. 2007, 15.5)."""
    z, damping = np.array(start, dtype=float), 1e-3
    r = residuals(z)
    cost = float(r @ r)
    jacobian = _derivatives(residuals, z, r)
    for _ in range(_ITERATIONS):
        curvature, slope = jacobian.T @ jacobian, jacobian.T @ r
        step = np.linalg.solve(curvature + damping * np.diag(np.diag(curvature)), -slope)
        tried = z + np.clip(step, -20.0, 20.0)
        r_tried = residuals(tried)
        cost_tried = float(r_tried @ r_tried)
        if cost_tried < cost:
            gain, z, r, cost, damping = cost - cost_tried, tried, r_tried, cost_tried, damping * 0.1
            jacobian = _derivatives(residuals, z, r)
            if gain < _GAIN:
                break
        elif damping > 1e3 or float(np.abs(step).max()) < 1e-4:
            break
        else:
            damping = max(10 * damping, 1e-2)
    curvature = jacobian.T @ jacobian
    return Minimum(z, cost, float(np.linalg.slogdet(curvature)[1]), np.linalg.inv(curvature), r)


def _derivatives(residuals: Any, z: Floats, r: Floats) -> Floats:
    columns = []
    for i in range(z.size):
        moved = z.copy()
        moved[i] += _STEP
        columns.append((residuals(moved) - r) / _STEP)
    return np.stack(columns, axis=1)
