"""A model that earlier measurements leave possible, with what they say of its parameters.

The likelihood of the measurements and a wide normal prior give the most probable parameters and, from the
curvature there, the evidence (Laplace's approximation: MacKay, Neural Computation 4 (1992) 415). Draws of the
posterior are made by randomised maximum likelihood: data and prior are drawn anew, and the minimum is found
again (Oliver, He & Reynolds, Proc. 5th ECMOR (1996)); that follows curved valleys, as of scale and contrast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..arrays import ArrayCache, Floats
from ..data.sample.kind import CALIBRATION
from ..fitting.assessment.error_estimates import calibration_error
from ..fitting.optimize.least_squares import Problem, least_squares
from ..fitting.problem.experiment import starting_values
from ..fitting.problem.free_parameters import is_size
from ..fitting.problem.model_curves import ModelCurves
from ..fitting.result.components import is_scale
from ..fitting.result.model_fit import ModelFit, Parameter
from ..fitting.result.reported_values import moments
from ..fitting.settings import ASSESSMENT, PROBLEM
from ..simulate.clean import PD_TYPES
from ..types import Curve, sum_parts
from .measurements import Measurement

#: Mean and standard deviation of a scattering length density that nobody has given, 1e-6/Å²: oils rich in
#: hydrogen have -0.5, silica 3.5, D2O 6.4.
DENSITY, DENSITY_DEVIATION = 3.0, 2.5
#: A part of a body whose size is not determined, over the body's largest length; by a factor of e either way.
_PART = 0.3
#: The smallest factor of contrasts, so that the scale beside it stays finite.
_LEAST_FACTOR = 0.03
#: Lowest value of a range over its highest, where a fit's begins at 0; span of ln of one without an end.
_LOWEST_SHARE, _OPEN_SPAN = 1e-4, 6.0
#: Points of q a decade at which models are calculated for smearing where the fit needed no more.
_PER_DECADE = 40
#: Points of a size distribution at least: a fit takes as many as its q range needs, another one needs more.
_DISTRIBUTION_POINTS = 35
#: Largest standard deviations of a coordinate that is a logarithm, and step of derivatives in these units.
_WIDEST_LOG, _STEP = 0.7, 0.1
#: Draws at which a model begins as well, where its data leave much open.
_MORE_STARTS = 2
#: Places along an unknown density, so many standard deviations of the prior to either side, and how many of
#: them a minimisation begins from.
_LINE, _LINE_PLACES, _MOST_STARTS = 2.5, 41, 2
#: Steps of a minimisation at most, and how far from the fit it goes, in units of the coordinates.
_STEPS, _FARTHEST = 30, 100.0
#: Digits to which contrasts over the largest one are equal.
_CONTRAST_DIGITS = 12
#: χ² of a new measurement below which no other kind of size distribution is tried.
_FITS = 1.0
#: ln of a width that does not show, over the usual one: its mean, in standard deviations, and one of these.
#: These are those of a width whose square is normal, as errors suppose it.
_WIDTH_MEAN, _WIDTH_DEVIATION = -0.57, 0.56
#: Curves that are kept, bytes.
_KEPT_BYTES = 2**23


@dataclass(frozen=True)
class Coordinate:
    """One unknown of a model, such that 0 is the fitted value and 1 about a standard deviation away."""

    name: str
    value: float
    unit: float  #: The standard deviation: of ln of the parameter if `is_log`, else of the parameter.
    is_log: bool
    prior: float  #: Standard deviation of what is known beforehand, in units.
    place: int | None = None  #: Of the only curve that it belongs to; None: of all.
    prior_mean: float = 0.0  #: In units.
    #: All contrasts change with this density by one factor, and the scale by its inverse square: the curve
    #: stays the same, so that the data say nothing of it.
    all_contrasts: bool = False

    def parameter(self, z: float, value: float | None = None) -> float:
        """The value of the parameter, of a curve for which 0 means `value`."""
        fitted = self.value if value is None else value
        if self.is_log:
            return fitted * math.exp(min(max(z * self.unit, -12.0), 12.0))
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


class ExpectedError(NamedTuple):
    """Of an unknown after a measurement."""

    value: float
    error: float  #: The standard deviation that a fit would report.
    noise: float  #: Of counting noise alone.


#: A rival, and a draw (k,) of its parameters.
Spread = tuple["Rival", Floats]


class Rival:
    """A fitted model as a rival of others: its fits and curves so far, and its probability `weight`.

    `densities` are scattering length densities that are unknown although they were not fitted, `own` are free
    parameters that each curve has of its own. `check_time` is called before each curve is calculated and
    raises where there is no time for more. All rivals are calculated at `per_decade` points of q: one
    formula on two grids would be two curves.
    """

    def __init__(
        self,
        fits: Sequence[ModelFit],
        curves: Sequence[Curve],
        dintensities: Sequence[Floats],
        weight: float,
        densities: frozenset[str] = frozenset(),
        own: frozenset[str] = frozenset(),
        per_decade: int | None = None,
        check_time: Callable[[], None] = lambda: None,
    ) -> None:
        self._fits, self._check_time = fits, check_time
        self._make_again = partial(
            Rival, curves=curves, dintensities=dintensities, weight=weight, densities=densities, own=own,
            per_decade=per_decade, check_time=check_time,
        )  # fmt: skip
        self.fit, self.weight = fits[0], weight
        self.name, self.short_name = self.fit.name, self.fit.short_name
        self._bases = [_add_points(starting_values(fit)) for fit in fits]
        self._data = [np.asarray(curve.intensity) for curve in curves]
        # What a fit misses beyond the uncertainties is an uncertainty.
        excess = [max(1.0, float(np.sqrt(fit.reduced_chisq))) for fit in fits]
        self._errors = [np.asarray(d) * f for d, f in zip(dintensities, excess, strict=True)]
        self.per_decade = per_decade or self.fit.per_decade or _PER_DECADE
        self._old = [
            ModelCurves(curve, error, self.name, per_decade=self.per_decade)
            for curve, error in zip(curves, self._errors, strict=True)
        ]
        self._new: dict[str, ModelCurves] = {}
        self._solvent, self._matter = _densities(self._old[0], self._bases[0])
        self._calculated = ArrayCache[Floats](_KEPT_BYTES)
        self._found: dict[Hashable, Floats] = {}
        self.coordinates = _coordinates(fits, densities, own)
        self._prior_mean = np.array([coordinate.prior_mean for coordinate in self.coordinates])
        self._prior = np.array([coordinate.prior for coordinate in self.coordinates])
        self._is_vague = np.array([coordinate.prior_mean != 0 for coordinate in self.coordinates])
        self.before = self.minimise(np.zeros(len(self.coordinates)))
        self._starts, self._widening = [self.before.z], self._widen()
        #: By names of a measurement and a parameter: errors by noise alone, and as fits report them.
        self._reported: dict[tuple[str, str], list[tuple[float, float]]] = {}
        #: The same model with other kinds of its widest size distribution.
        self.other_kinds: list[Rival] = []

    def add_kinds(self) -> None:
        """Compare other kinds of the widest size distribution as well."""
        if name := _widest(self.fit):
            kinds = [kind for kind in PD_TYPES if kind != self.fit.distributions[name]]
            changed = ([_change_kind(fit, kind) for fit in self._fits] for kind in kinds)
            self.other_kinds = list(map(self._make_again, changed))

    @property
    def evidence_before(self) -> float:
        """ln of the marginal likelihood so far, with the kind of size distribution that suits best."""
        return max(rival.before.log_evidence for rival in (self, *self.other_kinds))

    def values(self, z: Floats, place: int = 0) -> dict[str, Any]:
        """Keywords of sasmodels for a curve measured so far."""
        values = dict(self._bases[place])
        density = None
        for coordinate, each in zip(self.coordinates, z, strict=True):
            if coordinate.all_contrasts:
                density = coordinate.name, coordinate.parameter(float(each))
            elif coordinate.place in (None, place):
                name = coordinate.name  # of scales with a common factor each curve has its own
                values[name] = coordinate.parameter(float(each), float(values[name]))
        return values if density is None else _set_density(values, *density)

    def predict(self, z: Floats, measurement: Measurement) -> Floats:
        """I(q) (m,) of a measurement without its background, as an endless one would give it."""
        if measurement.grid not in self._new:
            self._new[measurement.grid] = ModelCurves(
                measurement.curve, np.ones(len(measurement.curve)), self.name, per_decade=self.per_decade
            )
        key, grid = (z.tobytes(), *measurement.key), measurement.grid
        return self._once(
            key,
            lambda: self._calculate(grid, self._new[grid], measurement.change(self.values(z))),
        )

    def minimise(self, start: Floats) -> Minimum:
        """Minimise χ² and prior of the curves so far."""
        found = minimise(lambda z: _finite(self._residuals(z, self._prior_mean)), start)
        return replace(found, new_residuals=found.new_residuals[:0])

    def best_minimum(self, measurement: Measurement, data: Floats, error: Floats, *true: Floats) -> Minimum:
        """The deepest minimum beside one more measurement of `data` and `error` (m,), from where the
        parameters may be, and from the true ones if they are of this model.
        """

        def residuals(z: Floats) -> Floats:
            added = _free_of_nuisances(self.predict(z, measurement), data, error)
            return _finite(np.append(self._residuals(z, self._prior_mean), added))

        # With another error the same data have their minimum near the one that was found before.
        key = (*measurement.key, data.tobytes(), bool(true))
        starts = [self._found[key]] if key in self._found else [*true, *self._starts_beside(residuals)]
        deepest = min((minimise(residuals, z) for z in starts), key=lambda found: -found.log_evidence)
        self._found[key] = deepest.z
        deepest = replace(deepest, new_residuals=deepest.new_residuals[-len(measurement.curve) - 1 :])
        if true or deepest.new_residuals @ deepest.new_residuals < _FITS:
            return deepest
        others = [rival.best_minimum(measurement, data, error) for rival in self.other_kinds]
        return max([deepest, *others], key=lambda found: found.log_evidence)

    def _starts_beside(self, residuals: Callable[[Floats], Floats]) -> list[Floats]:
        """Of where the parameters may be, the places with the least sum of squares."""
        # An unknown density changes no curve so far, and that of another solvent steeply where the density is
        # near the present solvent's; two densities, on either side of a solvent, give the same contrast.
        line = np.array([coordinate.all_contrasts for coordinate in self.coordinates], dtype=float)
        steps = np.linspace(-_LINE, _LINE, _LINE_PLACES) if line.any() else np.zeros(1)

        def place(start: Floats, step: float) -> Floats:
            return start + (self._prior_mean - start + step) * line

        def cost(z: Floats) -> float:
            return float(np.sum(residuals(z) ** 2))

        costs = np.array([cost(place(self._starts[0], step)) for step in steps])
        least = np.flatnonzero(
            costs <= np.minimum(np.append(costs[1:], np.inf), np.append(np.inf, costs[:-1]))
        )
        best = steps[least[np.argsort(costs[least])][:_MOST_STARTS]]
        return [min((place(start, step) for start in self._starts), key=cost) for step in best]

    def draws(self, count: int, rng: np.random.Generator) -> list[Floats]:
        """Draw parameters (k,) from the posterior; `before` becomes the deepest minimum that is met."""
        found = [self._draw(rng) for _ in range(count)]
        if self._is_vague.any():
            minima = [self.before, *map(self.minimise, found)]
            self.before = min(minima, key=lambda minimum: minimum.cost)
            self._starts = [minimum.z for minimum in sorted(minima, key=lambda m: m.cost)[: 1 + _MORE_STARTS]]
        return found

    def _draw(self, rng: np.random.Generator) -> Floats:
        noise = [rng.standard_normal(d.size) for d in self._data]
        centre = self._prior_mean + self._prior * rng.standard_normal(self._prior.size)
        most = self.before.cost + 2 * self._prior.size + 9
        # What the data do not determine begins where the prior is drawn, or nearer to the fit.
        for share in (1.0, 0.5, 0.25, 0.0):
            start = self.before.z + share * self._is_vague * (centre - self.before.z)
            z = minimise(lambda z: _finite(self._residuals(z, centre, noise)), start).z
            plain = _finite(self._residuals(z, self._prior_mean))
            if plain @ plain < most:
                return z
        return self.before.z

    def list_sharp_sizes(self) -> list[str]:
        """Sizes, where none of them has a distribution."""
        table = self._old[0].info.parameters.call_parameters
        sizes = [p.name for p in table if is_size(p) and self.fit.parameters[p.name].value > 0]
        return [] if len(sum_parts(self.name)) > 1 or _widest(self.fit) else sizes

    def draw_spread(self, count: int, lengths: Sequence[str], rng: np.random.Generator) -> list[Spread]:
        """Draw the same model with sizes that spread where none do: each of the `lengths` in turn."""
        # No sample is of one size. The parameters follow, as far as the data so far leave it open.
        spread = [self._make_again([_spread(fit, name) for fit in self._fits]) for name in lengths] or [self]
        rivals = [spread[i % len(spread)] for i in range(count)]
        return [(rival, rival._draw(rng)) for rival in rivals]

    def _residuals(self, z: Floats, centre: Floats, noise: Sequence[Floats] | None = None) -> Floats:
        parts = [
            (self._calculate_old(z, i) - self._data[i]) / self._errors[i]
            + (0.0 if noise is None else noise[i])
            for i in range(len(self._old))
        ]
        return np.concatenate([*parts, (z - centre) / self._prior])

    def _calculate_old(self, z: Floats, place: int) -> Floats:
        return self._once(
            (z.tobytes(), place), lambda: self._calculate(place, self._old[place], self.values(z, place))
        )

    def _calculate(self, grid: Hashable, curves: ModelCurves, values: dict[str, Any]) -> Floats:
        # I(q); a scale, a background or a factor of all contrasts needs no curve but the known one.
        self._check_time()
        factor, shape = self._divide_contrasts(values)
        key = (grid, *((name, value) for name, value in shape.items() if name not in curves.linear))
        parts = self._once(key, lambda: curves.intensity(shape))
        scales = np.array([factor * float(values.get(name, 1.0)) for name in curves.scales])
        return np.asarray(scales @ parts + float(values.get("background", 0.0)))

    def _divide_contrasts(self, values: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        # The largest contrast squared, and values with contrasts over it; 1 and the same without one.
        if not self._solvent:
            return 1.0, values
        around = float(values[self._solvent])
        contrasts = {name: float(values[name]) - around for name in self._matter}
        largest = max(contrasts.values(), key=abs)
        if largest == 0.0:
            return 1.0, values
        shares = {name: round(contrast / largest, _CONTRAST_DIGITS) for name, contrast in contrasts.items()}
        return largest**2, values | shares | {self._solvent: 0.0}

    def _once(self, key: Hashable, calculate: Callable[[], Floats]) -> Floats:
        """What a curve is, calculated once: all minimisations begin at the same few places."""
        return self._calculated.get(key, calculate, lambda curve: curve.nbytes)

    def errors(self, covariance: Floats, measurement: str = "") -> dict[str, ExpectedError]:
        """What to expect of each unknown, of the first curve where each has its own."""
        found = {}
        for name, (value, noise) in self._linear_errors(covariance).items():
            error = min(self._fit_error(measurement, name, value, noise), self.present_error(name))
            found[name] = ExpectedError(value, error, noise)
        return found

    def reported_covariance(self) -> Floats:
        """Of the coordinates (k, k) so far, with errors as large as those that the fit reports."""
        factors = np.array([self._widening.get(coordinate.name, 1.0) for coordinate in self.coordinates])
        return np.asarray(self.before.covariance * np.outer(factors, factors))

    def _fit_error(self, measurement: str, name: str, value: float, noise: float) -> float:
        # A fit's errors hold more than noise, such as other size distributions, and what the calibration of q
        # adds, which stays however long one counts.
        least = calibration_error(value, self.fit.parameters[name].unit)
        *before, last = self._reported.get((measurement, name), [(0.0, 0.0)])
        if before and before[-1][0] != last[0]:
            return _interpolate_error(noise, before[-1], last, least)
        factor = _subtract(last[1], least) / last[0] if last[0] else self._widening.get(name, 1.0)
        return math.hypot(factor * noise, least)

    def present_error(self, name: str) -> float:
        """What the fit so far reports; infinite where it knows nothing. More data make no error larger."""
        error = self.fit.parameters[name].error
        return math.inf if error is None or not error > 0 else error

    def learn_error(self, measurement: str, name: str, foreseen: ExpectedError, reported: float) -> float:
        """Take over what a fit would report in place of what was expected; the ratio of the two."""
        self._reported.setdefault((measurement, name), []).append((max(foreseen.noise, 1e-300), reported))
        return reported / foreseen.error

    def _linear_errors(self, covariance: Floats) -> dict[str, tuple[float, float]]:
        found = {}
        for coordinate, z, variance in zip(self.coordinates, self.before.z, np.diag(covariance), strict=True):
            if coordinate.place in (None, 0):
                value = coordinate.parameter(float(z))
                slope = value * coordinate.unit if coordinate.is_log else coordinate.unit
                found[coordinate.name] = value, float(abs(slope) * np.sqrt(variance))
        return found

    def _widen(self) -> dict[str, float]:
        """By how much the fit's errors are larger than those of noise alone, at least 1."""
        factors = {}
        for name, (_, error) in self._linear_errors(self.before.covariance).items():
            p = self.fit.parameters[name]
            if p.error is not None and np.isfinite(p.error):
                square = p.error**2 - calibration_error(p.value, p.unit) ** 2
                factors[name] = max(1.0, math.sqrt(max(square, 0.0)) / max(error, 1e-300))
        return factors


def _subtract(error: float, part: float) -> float:
    return math.sqrt(max(error**2 - part**2, 1e-300))


def _interpolate_error(
    noise: float, before: tuple[float, float], last: tuple[float, float], least: float
) -> float:
    """An error through two pairs of noise and error: noise and what stays, or a power of the noise."""
    slope = (before[1] ** 2 - last[1] ** 2) / (before[0] ** 2 - last[0] ** 2)
    stays = last[1] ** 2 - max(slope, 0.0) * last[0] ** 2
    if stays >= least**2:
        return math.sqrt(stays + max(slope, 0.0) * noise**2)
    # What noise hides, such as the kind of a size distribution, is decided with more data.
    errors = _subtract(before[1], least), _subtract(last[1], least)
    power = math.log(errors[0] / errors[1]) / math.log(before[0] / last[0])
    return math.hypot(errors[1] * (noise / last[0]) ** power, least)


def _free_of_nuisances(calculated: Floats, data: Floats, error: Floats) -> Floats:
    # Both are linear. Its background is unknown; the calibration is known, which is the last residual.
    flat, scale, residual = 1 / error, CALIBRATION * calculated / error, (calculated - data) / error
    ff, fs, ss = float(flat @ flat), float(flat @ scale), float(scale @ scale) + 1.0
    f, s = float(flat @ residual), float(scale @ residual)
    factor = (fs * f - ff * s) / (ff * ss - fs * fs)
    background = -(f + factor * fs) / ff
    return np.append(residual + background * flat + factor * scale, factor)


def _finite(residuals: Floats) -> Floats:
    if math.isfinite(residuals @ residuals):
        return residuals
    return np.nan_to_num(residuals, nan=1e6, posinf=1e6, neginf=-1e6)


def _densities(curves: ModelCurves, values: Mapping[str, Any]) -> tuple[str, list[str]]:
    # Names of the solvent's density and of the others, where only their differences matter; else none.
    names = [p.name for p in curves.info.parameters.call_parameters if p.type == "sld" and p.name in values]
    solvents = [name for name in names if "solvent" in name]
    matter = [name for name in names if name not in solvents]
    return (solvents[0], matter) if len(solvents) == len(curves.scales) == 1 and matter else ("", [])


def _set_density(values: dict[str, Any], name: str, density: float) -> dict[str, Any]:
    """The same curve with a part at this density: contrasts times a factor, the scale by its square."""
    solvent = next(float(value) for key, value in values.items() if "sld_solvent" in key)
    factor = (density - solvent) / (float(values[name]) - solvent)
    if abs(factor) < _LEAST_FACTOR:
        factor = math.copysign(_LEAST_FACTOR, factor)
    changed = {
        key: solvent + factor * (float(value) - solvent)
        for key, value in values.items()
        if "sld" in key and "solvent" not in key
    }
    scales = {key: float(value) / factor**2 for key, value in values.items() if is_scale(key)}
    return values | changed | scales


def _add_points(values: dict[str, Any]) -> dict[str, Any]:
    return {n: max(v, _DISTRIBUTION_POINTS) if n.endswith("_pd_n") else v for n, v in values.items()}


def _change_kind(fit: ModelFit, kind: str) -> ModelFit:
    # The fit with another kind of its widest size distribution, of the same mean and deviation.
    name = _widest(fit)
    old, width = fit.distributions[name], fit.parameters[f"{name}_pd"]
    mean, deviation = moments(old, width.value)
    wide = replace(width, value=width.value * deviation / moments(kind, width.value)[1])
    size = fit.parameters[name]
    size = replace(size, value=size.value * mean / moments(kind, wide.value)[0])
    return replace(
        fit, parameters={**fit.parameters, name: size, f"{name}_pd": wide},
        distributions={**fit.distributions, name: kind},
    )  # fmt: skip


def _spread(fit: ModelFit, name: str) -> ModelFit:
    # The fit with a width of a size that it has without one.
    width = Parameter(ASSESSMENT.held_width, None, "", False, 0.0, PROBLEM.most_width)
    return replace(
        fit, parameters={**fit.parameters, f"{name}_pd": width},
        distributions={**fit.distributions, name: PD_TYPES[0]},
    )  # fmt: skip


def _widest(fit: ModelFit) -> str:
    # The parameter with the widest size distribution that was fitted; empty without one.
    widths = {name: fit.parameters.get(f"{name}_pd") for name in fit.distributions}
    fitted = {name: p.value for name, p in widths.items() if p is not None and p.value > 0 and not p.fixed}
    return max(fitted, key=lambda name: fitted[name], default="")


def _coordinates(
    fits: Sequence[ModelFit], densities: frozenset[str], own: frozenset[str]
) -> list[Coordinate]:
    first = fits[0]
    shared = [_coordinate(first, name, None) for name in first.free if name not in own]
    if reference := _reference(first, densities):
        others = [name for name in first.parameters if name in densities - {reference}]
        shared += [_coordinate(first, name, None) for name in others]
        value = first.parameters[reference].value
        mean = (DENSITY - value) / DENSITY_DEVIATION
        shared.append(
            Coordinate(reference, value, DENSITY_DEVIATION, False, 1.0, prior_mean=mean, all_contrasts=True)
        )
    places = enumerate(fits) if len(fits) > 1 else [(None, first)]
    return shared + [_coordinate(fit, name, i) for i, fit in places for name in fit.free if name in own]


def _reference(fit: ModelFit, densities: frozenset[str]) -> str:
    """The unknown density with the largest contrast; empty where none is, or there is no solvent."""
    solvent = next((p.value for name, p in fit.parameters.items() if "sld_solvent" in name), None)
    if solvent is None:
        return ""
    known = {name: abs(fit.parameters[name].value - solvent) for name in fit.parameters if name in densities}
    return max(filter(known.get, known), key=lambda n: known[n], default="")


def _coordinate(fit: ModelFit, name: str, place: int | None) -> Coordinate:
    p = fit.parameters[name]
    error = p.error if p.error is not None and np.isfinite(p.error) and p.error > 0 else None
    if name.endswith("_pd") and error is None:
        return Coordinate(name, p.value, _WIDTH_DEVIATION, True, 1.0, place, _WIDTH_MEAN)
    if "sld" in name:
        unit = min(error or 1.0, 1.0)
        return Coordinate(name, p.value, unit, False, DENSITY_DEVIATION / unit, place)
    if p.value > 0 and p.low >= 0 and name != "background":
        return _make_positive_coordinate(fit, name, place, error)
    unit, span = error or max(abs(p.value), 1e-3), p.high - p.low
    prior = span / np.sqrt(12) / unit if np.isfinite(span) and span > 0 else 100.0
    return Coordinate(name, p.value, unit, False, max(prior, 1.0), place)


def _make_positive_coordinate(fit: ModelFit, name: str, place: int | None, error: float | None) -> Coordinate:
    """A logarithm, with a prior as wide as the range of the fit."""
    p = fit.parameters[name]
    unit = min((error or p.value) / p.value, _WIDEST_LOG)
    if p.unit == "Ang" and unit == _WIDEST_LOG:
        return _make_part_coordinate(fit, name, place)
    bounded = np.isfinite(p.high) and p.high > 0
    span = np.log(p.high / max(p.low, _LOWEST_SHARE * p.high)) if bounded else _OPEN_SPAN
    return Coordinate(name, p.value, unit, True, max(span / np.sqrt(12), unit) / unit, place)


def _make_part_coordinate(fit: ModelFit, name: str, place: int | None) -> Coordinate:
    """A length that the data do not determine, as of a core that has vanished: some part of the body."""
    lengths = [p.value for p in fit.parameters.values() if p.unit == "Ang"]
    value, unit = fit.parameters[name].value, _WIDEST_LOG
    mean = np.log(_PART * max(lengths) / value) / unit
    return Coordinate(name, value, unit, True, 1 / unit, place, prior_mean=float(mean))


def minimise(residuals: Callable[[Floats], Floats], start: Floats) -> Minimum:
    """The minimum of the sum of squares next to a start, and the curvature there."""
    known = [(start, np.empty((0, start.size)))]

    def derivatives(z: Floats) -> Floats:
        here, moves = residuals(z), _STEP * np.eye(z.size)
        jacobian = np.stack([(residuals(z + move) - here) / _STEP for move in moves], axis=1)
        known[0] = z, jacobian
        return jacobian

    ends = np.full(start.size, _FARTHEST)
    problem = Problem(residuals, derivatives, -ends, ends)

    z = least_squares(problem, np.array(start, float), steps=_STEPS)
    place, jacobian = known[0]
    if np.abs(z - place).max() > _STEP:  # else the derivatives are those over the same step
        jacobian = derivatives(z)
    r, curvature = residuals(z), jacobian.T @ jacobian
    determinant = float(np.linalg.slogdet(curvature)[1])
    return Minimum(z, float(r @ r), determinant, np.asarray(np.linalg.inv(curvature)), r)
