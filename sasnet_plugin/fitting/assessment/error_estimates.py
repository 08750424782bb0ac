"""All that widens an error: what a fit keeps fixed, other minima, a flat χ², other size distributions.

What a curve does not show stands at its default, and a file may say nothing of the resolution. Both are
unknown all the same, and what is fitted beside them is known no better than they let it be. Each is a column
beside the slopes of the fit, known beforehand as well as a sample or an instrument may have it, and the
errors are those of all together (a linear model with a Gaussian prior: A. Gelman et al., Bayesian Data
Analysis, 3rd ed. 2013, 14.8). A width broadens a curve by its square, so that its slope at 0 is 0: a column
is the difference of two curves, as far apart as the data would still allow.

Two minima of a model may be as good (`start_values.layered`), and the curvature of χ² at one says nothing of
the other.

Particles of one shape and several sizes wash out fringes as a resolution does, and scatter as larger ones.
sasmodels spreads one size at a time, and not the distances of neighbours with it, so that no fit has this
(with a structure factor the local monodisperse approximation: J. S. Pedersen, J. Appl. Cryst. 27 (1994) 595).
Where the data show no difference the sizes of both are possible.

Profile likelihood: along the line on which the other parameters follow, χ² has risen by four at two standard
deviations (D. M. Bates and D. G. Watts, Nonlinear Regression Analysis, 1988, 6.1). Half the way there is the
error, also where χ² is no parabola.

A size that the data hardly show, or of which they show only a bound, has a χ² that rises less on one side
than a parabola does, or not at all: its error is half the distance at which χ² has risen by four, the others
following (`Profile`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property, partial
from itertools import filterfalse
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ...data.sample.sample import ALWAYS_OWN
from ...simulate.kernel import load_model
from ...simulate.quick_models.cost_classes import cost_class
from ...simulate.size_distributions import distribution_keywords
from ...types import Curve, sum_parts
from ..evidence.marginal import extent_in
from ..ledger import read_spent_time
from ..optimize.least_squares_problem import Code, LeastSquaresProblem, code_of, project_out_others
from ..optimize.local_search import LocalMinimum, refine
from ..problem.bounds import range_of
from ..problem.contrast_forms import ContrastForms
from ..problem.experiment import TimeUpError, starting_values
from ..problem.free_parameters import are_near_in_size, fittable, is_size, moving
from ..problem.model_curves import ModelCurves
from ..problem.resolution import has_resolution
from ..problem.shared_parameters import Plan
from ..result.components import bare, is_amplitude
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit, Parameter
from ..result.reported_values import deviation_over_width, errors_of, mean_over_parameter
from ..result.sample_result import Key
from ..settings import ASSESSMENT, OPTIMIZE, PROBLEM
from ..start_values.layered import Others, others_of
from ..task import UNLIMITED, Budget

if TYPE_CHECKING:
    from ...simulate.bank import Bank


# --- What a fit keeps fixed: widths, exponents at defaults, a resolution that is not given.


@dataclass(frozen=True)
class Held:
    """A fit and its data, of which it is asked what is unknown besides what was fitted."""

    curves: tuple[Curve, ...]  #: All that were fitted at once.
    dintensities: tuple[Floats, ...]  #: (n_i,) of each.
    fits: tuple[ModelFit, ...]  #: The fit as each curve has it.
    #: Of the residuals of all curves by each free parameter, per unit of it, those of what is known besides
    #: at the end.
    slopes: Mapping[Any, Floats]
    given: frozenset[str]  #: Parameters whose values a user gives: these are known.
    widest_dq: float  #: dq/q of the widest usual resolution of instruments.
    supposed: bool = False  #: The resolution of the curves is no file's: the fit has found it.
    plan: Plan | None = None  #: What several curves share; None: there is one.
    ranged: frozenset[str] = frozenset()  #: Parameters that a user gives a range of.

    @property
    def name(self) -> str:
        return self.fits[0].name

    def error(self, key: Any) -> float:
        """Standard deviation of a parameter by its name, or name and curve; 0 without one."""
        name, place = key if isinstance(key, tuple) else (key, None)
        p = self.fits[place or 0].parameters.get(name)
        return (p and p.error) or 0.0

    @property
    def noise(self) -> float:
        """Residuals over the stated uncertainties, 1 at least: no less is what the data leave open."""
        points = sum(map(len, self.curves))
        return float(np.sqrt(max(sum(fit.chisq for fit in self.fits) / points, 1.0)))

    @property
    def residual(self) -> Floats:
        """Of all curves, (n,), in units of the stated uncertainties."""
        each = zip(self.curves, self.dintensities, self.fits, strict=True)
        return self.rows([(curve.intensity - fit.theory) / error for curve, error, fit in each])

    def rows(self, parts: Sequence[Floats]) -> Floats:
        """Join each curve's (n_i,) to rows of all residuals, (n,)."""
        joined_rows = np.zeros(len(next(iter(self.slopes.values()))))
        joined_rows[: sum(map(len, parts))] = np.concatenate(parts)
        return joined_rows


class _Spread(Enum):
    """How sizes spread in a change."""

    NONE = auto()
    RESOLUTION = auto()  #: None do, but the points.
    APART = auto()  #: One size alone.
    TOGETHER = auto()  #: All sizes of a particle, its proportions the same.


@dataclass(frozen=True)
class _Column:
    """What something unknown changes."""

    kind: _Spread
    change: Floats  #: Of the residuals, (n,).
    size: float  #: Over what is usual.


#: A parameter's name; of several curves also the place of the curve that has it of its own.
_Key = TypeVar("_Key")
#: Directions of which a curve tells less than this of what it tells of the best known one are not seen.
_OPEN = 1e-9
#: Residuals, (n,), less the fit's, where something held is so far away, in usual deviations or their squares.
_Change = Callable[[float], Floats]
#: Parameters of a curve where one that is held is so far from its value, the same; widths squared.
_Moved = Callable[[Mapping[str, Any], float], dict[str, Any]]


def make_fixed_task(
    curve: Curve,
    dintensity: Floats,
    fit: ModelFit,
    given_names: frozenset[str],
    widest_dq: float,
    *,
    supposed: bool = False,
    ranged: frozenset[str] = frozenset(),
) -> Held:
    """State what is asked of the fit of one curve; `widest_dq` is dq/q of the widest usual resolution."""
    return Held(
        (curve,), (dintensity,), (fit,), moving(fit.derivatives), given_names, widest_dq, supposed,
        ranged=ranged,
    )  # fmt: skip


def errors_beside_held(task: Held, bank: Bank | None = None, budget: Budget = UNLIMITED) -> dict[Any, float]:
    """What adds to the error of each free parameter, a standard deviation; work for a pool."""
    if not task.slopes:
        return {}
    # In units of the residuals: where uncertainties are stated too small, what is held is as open as these.
    known_slopes = {name: column / task.noise for name, column in task.slopes.items()}
    slopes = np.stack(list(known_slopes.values()), axis=1)
    basis, _ = np.linalg.qr(slopes / np.linalg.norm(slopes, axis=0))
    unknowns = _columns(task, basis, read_spent_time() + budget.seconds)
    # Sizes spread each on its own, or all of a particle together: both at once could cancel each other.
    together = [column for column in unknowns if column.kind is not _Spread.APART]
    apart = [column for column in unknowns if column.kind is not _Spread.TOGETHER]
    left = task.residual / task.noise
    no_spread = len(together) == len(apart) == len(unknowns)  # both are the same
    ways = [columns for columns in ([unknowns] if no_spread else [together, apart]) if columns]
    alone = errors_of(known_slopes), _step(slopes, (), left) if ways else np.empty(0)
    added_errors = [_compute_added_errors(known_slopes, slopes, columns, left, *alone) for columns in ways]
    return (
        {name: max(errors[name] for errors in added_errors) for name in known_slopes} if added_errors else {}
    )


def _compute_added_errors(
    known_slopes: Mapping[Any, Floats],
    slopes: Floats,
    unknown: Sequence[_Column],
    residual: Floats,
    errors_alone: Mapping[Any, float],
    step_alone: Floats,
) -> dict[Any, float]:
    """What some unknowns add to the error of each free parameter: their spread, and how far they move it.

    A width of sizes that shows was fitted. A resolution that no file states was not, though there always is
    one: the values stand where there is none.
    """
    all_rows = _beside(slopes, unknown)
    names = [*known_slopes, *(f"unknown {i}" for i in range(len(unknown)))]
    together = errors_of(dict(zip(names, all_rows.T, strict=True)))
    resolutions = [column for column in unknown if column.kind is _Spread.RESOLUTION]
    step = _step(slopes, resolutions, residual) - step_alone
    moved = dict(zip(known_slopes, step, strict=True))
    return {
        name: float(np.sqrt(max(together[name] ** 2 - errors_alone[name] ** 2, 0.0) + moved[name] ** 2))
        for name in known_slopes
    }


def errors_by_resolution(
    slopes: Mapping[Any, Floats], residual: Floats, changes: Sequence[Floats]
) -> dict[Any, float]:
    """What a resolution that is not given, or a width that is 0, adds to the error of each parameter.

    `slopes` (n,) of all residuals by each parameter; the residuals of the data less the fit, (n,); and
    `changes` (n,) of the fit where it is smeared as usual.
    """
    columns = np.stack(list(slopes.values()), axis=1)
    basis, _ = np.linalg.qr(columns / np.linalg.norm(columns, axis=0))
    found = [_column(_Spread.RESOLUTION, partial(np.multiply, change), basis) for change in changes]
    unknown = [column for column in found if column is not None]
    step = _step(columns, (), residual)
    return _compute_added_errors(slopes, columns, unknown, residual, errors_of(slopes), step)


def _beside(slopes: Floats, unknown: Sequence[_Column]) -> Floats:
    """(n + m, k + m) columns of the free parameters and of m unknowns, with a row for what each is likely."""
    rows = np.eye(len(unknown), slopes.shape[1] + len(unknown), k=slopes.shape[1])
    rows *= np.array([one.size for one in unknown]).reshape(-1, 1)
    return np.vstack([np.column_stack([slopes, *(one.change for one in unknown)]), rows])


def _step(slopes: Floats, unknown: Sequence[_Column], residual: Floats) -> Floats:
    """(k,) how far the free parameters move if what is unknown is fitted too; squares stay at 0 or above."""
    every = _beside(slopes, unknown)
    scale = np.linalg.norm(every, axis=0)
    scale[scale == 0] = 1.0
    data = np.append(residual, np.zeros(len(unknown)))
    found = np.linalg.lstsq(every / scale, data, rcond=_OPEN)[0] / scale
    k = slopes.shape[1]
    kept = [one for one, at in zip(unknown, found[k:], strict=True) if at >= 0]
    return np.asarray(found[:k]) if len(kept) == len(unknown) else _step(slopes, kept, residual)


def _columns(task: Held, basis: Floats, deadline: float) -> list[_Column]:
    """`_column` of each thing that is held; what was found in time adds what it adds."""
    columns = []
    with suppress(TimeUpError):
        for kind, change in _changes(task, deadline):
            columns.append(_column(kind, partial(_over_noise, change, task.noise), basis))
    return [column for column in columns if column is not None]


def _over_noise(change: _Change, noise: float, size: float) -> Floats:
    return change(size) / noise


def widen_errors(
    parameters: Mapping[_Key, Parameter], added_errors: Mapping[_Key, float]
) -> dict[_Key, Parameter]:
    """Parameters with what adds to the errors of those that have one."""
    return {key: widen_error(p, added_errors.get(key, 0.0)) for key, p in parameters.items()}


#: Units in which a value follows the scale of q, and by which power.
_POWERS_OF_LENGTH = {"Ang": 1, "1/Ang": 1, "Ang^2": 2}


def widen_error(p: Parameter, added_error: float) -> Parameter:
    """The parameter with a further error, and with that of the calibration of q."""
    if p.error is None or not np.isfinite(added_error):
        return p
    return replace(
        p, error=float(np.hypot(np.hypot(p.error, added_error), calibration_error(p.value, p.unit)))
    )


def calibration_error(value: float, unit: str) -> float:
    """What the calibration of q adds to the error of a value in powers of a length; 0 of any other."""
    return _POWERS_OF_LENGTH.get(unit, 0) * PROBLEM.alike * value


def _column(kind: _Spread, change: _Change, basis: Floats) -> _Column | None:
    """Change of the residuals by about as much as data allow; `basis` (n, k) spans the free parameters."""
    size = 1.0
    while size > np.finfo(float).eps:
        column = change(size)
        remaining_norm = float(np.linalg.norm(column - basis @ (basis.T @ column)))
        if remaining_norm <= ASSESSMENT.significant:
            return _Column(kind, column, size)
        size *= float(np.clip(1 / remaining_norm, 1e-3, 0.5)) if np.isfinite(remaining_norm) else 0.5
    return None


def _changes(  # noqa: C901, the branches of the functions inside are counted as well
    task: Held, deadline: float
) -> Iterator[tuple[_Spread, _Change]]:
    starts = [starting_values(fit) for fit in task.fits]
    curves = list(zip(task.curves, task.dintensities, task.fits, strict=True))

    def make_curve_function(
        i: int, curve: Curve, per_decade: int | None
    ) -> Callable[[dict[str, Any]], Floats]:
        local = ModelCurves(curve, task.dintensities[i], task.name, per_decade=per_decade)
        local.deadline = deadline
        scales = np.array([starts[i][name] for name in local.scales])
        return lambda parameters: np.asarray(scales @ local.intensity(parameters))

    curve_functions = [
        make_curve_function(i, curve, fit.per_decade) for i, (curve, _, fit) in enumerate(curves)
    ]
    reference = [curve_of_start(start) for curve_of_start, start in zip(curve_functions, starts, strict=True)]

    def compute_change(moved: _Moved, size: float) -> Floats:
        parts = zip(curve_functions, starts, reference, task.dintensities, strict=True)
        return task.rows(
            [
                (curve_of_start(moved(start, size)) - base_curve) / error
                for curve_of_start, start, base_curve, error in parts
            ]
        )

    def smear_curves(places: Collection[int], size: float, *, beam: bool) -> Floats:
        """Smear curves as the direct beam does, or as the spread of wavelengths, a share of q.

        The beam ends below the least q; bins are made about as fine as what smears.
        """
        parts = [np.zeros(len(curve)) for curve in task.curves]
        for i in places:
            curve = task.curves[i]
            points = ASSESSMENT.resolution_points * np.median(distances_of_points(curve.q) / curve.q)
            wavelengths = min(task.widest_dq, float(points)) * curve.q
            dq = np.full(len(curve), PROBLEM.wide_resolution * curve.q[0]) if beam else wavelengths
            smeared = replace(curve, dq=np.sqrt(size) * dq)
            curve_function = make_curve_function(i, smeared, PROBLEM.fine)
            parts[i] = (curve_function(starts[i]) - reference[i]) / task.dintensities[i]
        return task.rows(parts)

    def mix_sizes(size: float) -> Floats:
        """Scale all lengths of a particle together, at the same number of particles."""
        factors, shares = size_factors(size)
        parts = []
        for curve_of_start, start, base_curve, error in zip(
            curve_functions, starts, reference, task.dintensities, strict=True
        ):
            volumes = shares * factors**3
            each_curves = [curve_of_start(scale_sizes(start, sizes, factor)) for factor in factors]
            parts.append((volumes @ np.array(each_curves) / volumes.sum() - base_curve) / error)
        return task.rows(parts)

    def displace_q(size: float) -> Floats:
        """Move all points of a curve in q by a share of the resolution."""
        parts = []
        for i, (curve, error, fit) in enumerate(curves):
            width = curve.dq if curve.dq is not None else distances_of_points(curve.q)
            q = curve.q + size * ASSESSMENT.resolution_off[0] * width
            moved = replace(curve, q=q, dq=None if curve.dq is None else curve.dq * q / curve.q)
            parts.append((make_curve_function(i, moved, fit.per_decade)(starts[i]) - reference[i]) / error)
        return task.rows(parts)

    def change_resolution(size: float) -> Floats:
        """A stated resolution wider by a share of it; of one that a fit has found the square less by one."""
        parts = [np.zeros(len(curve)) for curve in task.curves]
        factor = np.sqrt(max(1 - size, 0.0)) if task.supposed else 1 + size * ASSESSMENT.resolution_off[1]
        for i, (curve, _, fit) in enumerate(curves):
            if curve.dq is not None:
                wider = replace(curve, dq=factor * curve.dq)
                curve_function = make_curve_function(i, wider, fit.per_decade)
                parts[i] = (curve_function(starts[i]) - reference[i]) / task.dintensities[i]
        return task.rows(parts)

    sizes = sharp_sizes(task, starts)
    if len(sizes) > 1:
        yield _Spread.TOGETHER, mix_sizes
    yield _Spread.NONE, displace_q
    if any(curve.dq is not None for curve in task.curves):
        yield _Spread.NONE, change_resolution
    for kind, moved in _list_fixed_changes(task, starts):
        yield kind, partial(compute_change, moved)
    for places in _not_stated(task.curves):
        yield _Spread.RESOLUTION, partial(smear_curves, places, beam=False)
        yield _Spread.RESOLUTION, partial(smear_curves, places, beam=True)


def distances_of_points(q: Floats) -> Floats:
    """Mean distance of neighbouring points about each, (n,), Å⁻¹."""
    log_q, place = np.log(q), np.arange(q.size)
    low = np.minimum(np.searchsorted(log_q, log_q - PROBLEM.window / 2), np.maximum(place - 1, 0))
    high = np.searchsorted(log_q, log_q + PROBLEM.window / 2, side="right") - 1
    high = np.maximum(high, np.minimum(place + 1, q.size - 1))
    return np.asarray((q[high] - q[low]) / np.maximum(high - low, 1))


def _not_stated(curves: Sequence[Curve]) -> list[list[int]]:
    """Places of curves whose resolution no file states: those at the very same q are of one instrument."""
    places_by_grid: dict[bytes, list[int]] = {}
    for i, curve in enumerate(curves):
        if not has_resolution(curve):
            places_by_grid.setdefault(curve.q.tobytes(), []).append(i)
    return list(places_by_grid.values())


def _list_fixed_changes(task: Held, starts: Sequence[Mapping[str, Any]]) -> Iterator[tuple[_Spread, _Moved]]:
    """What moves each parameter that all curves have at a value that was not fitted."""
    fit, info, start = task.fits[0], load_model(task.name).info, starts[0]
    names = set(fittable(info, start)).difference(task.given, *(joint_part.free for joint_part in task.fits))
    points = PROBLEM.coarse_width_points[cost_class(fit.model)]
    for p in info.parameters.call_parameters:
        value = float(start.get(p.name, p.default))
        if _is_sharp(p, value, task.given, starts):
            yield _Spread.APART, partial(_broaden, f"{p.name}_pd", points)
        elif p.name in names and _is_exponent(p):
            usual = extent_in(fit.name, p.name, fit.parameters[p.name], 0.0) / np.sqrt(12)
            yield (
                _Spread.NONE,
                partial(_shift, p.name, _inwards(usual, value, range_of(info, p.name, value))),
            )


def sharp_sizes(task: Held, starts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sizes of a particle none of which has a distribution, if a user has settled none; else none."""
    info, start = load_model(task.name).info, starts[0]
    if len(sum_parts(task.name)) > 1:
        return []
    sizes = [
        p for p in info.parameters.call_parameters if is_size(p) and float(start.get(p.name, p.default)) > 0
    ]
    sharp = [p.name for p in sizes if _is_sharp(p, float(start.get(p.name, p.default)), task.given, starts)]
    return sharp if len(sharp) == len(sizes) else []


def size_factors(size: float) -> tuple[Floats, Floats]:
    """Sizes over their mean and their shares: Gaussian, the width squared so many times the usual one."""
    steps = np.linspace(-2.5, 2.5, 7)
    return 1 + ASSESSMENT.held_width * float(np.sqrt(size)) * steps, np.exp(-(steps**2) / 2)


def scale_sizes(start: Mapping[str, Any], sizes: Sequence[str], factor: float) -> dict[str, Any]:
    return {**start, **{name: factor * float(start[name]) for name in sizes if name in start}}


def _is_sharp(p: Any, value: float, given_names: frozenset[str], starts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a parameter is a size without a distribution, which no user has settled."""
    width = f"{p.name}_pd"
    settled = {p.name, width} & given_names or any(start.get(width) for start in starts)
    return is_size(p) and value > 0 and not settled


def _inwards(step: float, value: float, within: tuple[float, float]) -> float:
    """A step down where only that stays within a range; else up."""
    low, high = within
    return -step if value + step > high and value - step >= low else step


def _broaden(width: str, points: int, start: Mapping[str, Any], size: float) -> dict[str, Any]:
    value = ASSESSMENT.held_width * float(np.sqrt(size))
    kind = distribution_keywords(width.removesuffix("_pd"), "gaussian", value, points)
    return {**start, **kind, width: value}


def _shift(name: str, usual: float, start: Mapping[str, Any], size: float) -> dict[str, Any]:
    return {**start, name: float(start[name]) + size * usual}


def _is_exponent(p: Any) -> bool:
    """Whether a parameter is neither a length nor an intensity, contrast or amount."""
    plain_name = bare(p.name)
    amount = (
        "sld" in plain_name or "scale" in plain_name or plain_name in ("background", "volfraction", "i_zero")
    )
    return not (amount or p.units in ("Ang", "1/cm", "cm^-1") or p.type == "volume")


# --- Other minima that are as good.


def spread_over_minima(task: Held, deadline: float) -> dict[str, float]:
    """What adds to the errors of a fit, a standard deviation, for other minima that are as good."""
    # Each is weighted by its likelihood, as `spread_over_kinds` weights size distributions. Empty for a
    # model without any, where what they differ by is known, and of an expensive one.
    fit = task.fits[0]
    rest = others_of(fit.model)
    if rest is None or not set(rest.sizes) <= task.slopes.keys() or _is_told(rest, task):
        return {}
    start = starting_values(fit)
    total, apart = 1.0, dict.fromkeys(filterfalse(is_amplitude, task.slopes), 0.0)
    for other_start, weight in _as_good(task, rest, start, deadline):
        total += weight
        for name in apart:
            apart[name] += weight * float(other_start.get(name, 0.0) - start[name]) ** 2
    return {name: float(np.sqrt(variance / total)) for name, variance in apart.items()}


def _is_told(rest: Others, task: Held) -> bool:
    """Whether a user has given what minima differ by, or how widely it is spread."""
    return any(name.removesuffix("_pd") in rest.sizes for name in task.given)


def _as_good(
    task: Held, rivals: Others, start: dict[str, Any], deadline: float
) -> list[tuple[dict[str, Any], float]]:
    """Parameters of other minima, one of each, and their likelihood over that of the fit."""
    fit, curve = task.fits[0], task.curves[0]
    fixed = task.given | {name for name, p in fit.parameters.items() if p.fixed}
    ranges = {name: (p.low, p.high) for name, p in fit.parameters.items() if name in task.ranged - fixed}
    local = ModelCurves(
        curve, task.dintensities[0], fit.name, fixed=fixed, ranges=ranges, per_decade=fit.per_decade
    )
    local.deadline = deadline
    # Of independent noise of the stated size; an error that neighbours share makes less of a difference.
    size = rivals.sizes[0]
    wider = max(1.0, float(fit.parameters[size].error or 0.0) / errors_of(task.slopes)[size])
    starts, minima = [start], []
    with suppress(TimeUpError):
        least = float(np.sum(local.solve(start)[0] ** 2))
        for minimum in _minima(local, rivals.starts(start, curve.q)):
            risen = max(minimum.chisq - least, 0.0) / wider**2
            is_known = any(
                are_near_in_size(rivals.sizes, minimum.parameters, known_start) for known_start in starts
            )
            if risen < ASSESSMENT.significant**2 and not is_known:
                starts.append(minimum.parameters)
                minima.append((minimum.parameters, float(np.exp(-risen / 2))))
    return minima


def _minima(local: ModelCurves, starts: Iterator[dict[str, Any]]) -> Iterator[LocalMinimum]:
    for start in starts:
        minimum = refine(local, start)
        if minimum is None:
            continue
        yield minimum
        if minimum.cut:
            return


# --- All sizes of a particle varied together.


def errors_by_sizes_together(task: Held, deadline: float) -> dict[str, float]:
    """What adds to the errors of a fit, a standard deviation, for particles spread in size instead."""
    # Empty where the file states the resolution, or the particle has one size and no structure factor: a fit
    # may spread that itself.
    fit = task.fits[0]
    start = starting_values(fit)
    sizes = sharp_sizes(task, [start])
    free = [name for name in sizes if name in task.slopes]
    is_spread_by_fits = len(sizes) < 2 and fit.structure_factor is None
    if not task.supposed or is_spread_by_fits or not free:
        return {}
    errors: dict[str, float] = {}
    with suppress(TimeUpError):
        moved, chisq = _fit_sizes(task, start, sizes, free, deadline)
        size = free[0]
        wider = max(1.0, float(fit.parameters[size].error or 0.0) / errors_of(task.slopes)[size])
        weight = float(np.exp(-max(chisq - fit.chisq, 0.0) / 2 / wider**2))
        share = np.sqrt(weight / (1 + weight))
        errors = {name: float(share * abs(moved[name] - start[name])) for name in free}
    return errors


def _fit_sizes(
    task: Held, start: dict[str, Any], sizes: list[str], free: list[str], deadline: float
) -> tuple[dict[str, float], float]:
    """Mean sizes without a resolution but with a spread of all, and χ²."""
    from scipy.optimize import least_squares

    curve = replace(task.curves[0], dq=None)
    local = ModelCurves(curve, task.dintensities[0], task.name, fixed=task.given)
    local.deadline = deadline
    moved = partial(_move_sizes, start, free)
    residuals = partial(_residuals, local, moved, sizes)
    # Particles of w scatter as those larger by 6 w² of their size.
    first = np.append(np.full(len(free), -6 * PROBLEM.first_width**2), PROBLEM.first_width)
    limits = np.append(np.full(len(free), 0.5), ASSESSMENT.held_width)
    minimum = least_squares(
        residuals, first, bounds=(np.append(-limits[:-1], 0.0), limits), x_scale=0.01,
        max_nfev=OPTIMIZE.steps, ftol=1e-4,
    )  # fmt: skip
    values = moved(minimum.x)
    return {name: float(values[name]) for name in free}, float(2 * minimum.cost)


def _move_sizes(start: Mapping[str, Any], free: list[str], codes: Floats) -> dict[str, Any]:
    """Parameters where free sizes have changed by so much in ln, the last number being the width."""
    return {
        **start,
        **{name: start[name] * np.exp(step) for name, step in zip(free, codes[:-1], strict=True)},
    }


def _residuals(
    local: ModelCurves, moved: Callable[[Floats], dict[str, Any]], sizes: list[str], codes: Floats
) -> Floats:
    """(n,), at the best scale and background."""
    factors, shares = size_factors((float(codes[-1]) / ASSESSMENT.held_width) ** 2)
    volumes, parameters = shares * factors**3, moved(codes)
    curves = np.array([local.intensity(scale_sizes(parameters, sizes, factor))[0] for factor in factors])
    mean = (volumes @ curves / volumes.sum())[None]
    return np.asarray(local.residual(mean, parameters, local.error(0.0))[0])


# --- Contrasts that were fixed, as a combination of others is much like them.


def errors_beside_contrasts(task: Held, deadline: float) -> dict[str, float]:
    """What adds to the errors of one curve's fit as densities were fixed that differ from others a little.

    Common factors and shifts of all densities are factors of the scale: of these no size knows.
    """
    fit, start = task.fits[0], starting_values(task.fits[0])
    local = ModelCurves(task.curves[0], task.dintensities[0], task.name, per_decade=fit.per_decade)
    local.deadline = deadline
    fixed = _slopes_by_fixed_densities(task, local, start)
    if not fixed:
        return {}
    slopes = {name: column / task.noise for name, column in {**task.slopes, **fixed}.items()}
    prior = np.eye(len(fixed), len(slopes), k=len(task.slopes))
    rows = np.vstack([np.stack(list(slopes.values()), axis=1), prior])
    alone, together = errors_of(task.slopes), errors_of(dict(zip(slopes, rows.T, strict=True)))
    growth = {name: together[name] / alone[name] / task.noise for name in task.slopes}
    shapes = (name for name in growth if not is_amplitude(name) and name != "background")
    added = {name: task.error(name) * math.sqrt(max(growth[name] ** 2 - 1, 0.0)) for name in shapes}
    return {name: min(error, _limit_to_value(task, name)) for name, error in added.items()}


def _limit_to_value(task: Held, name: str) -> float:
    """What may add to an error so that it is less than the value: a layer of no thickness has no contrast."""
    least = 0.9 * abs(task.fits[0].parameters[name].value)
    return math.sqrt(max(least**2 - task.error(name) ** 2, 0.0))


def _slopes_by_fixed_densities(task: Held, local: ModelCurves, start: Mapping[str, Any]) -> dict[str, Floats]:
    usual, kept = _usual_density(start), {*task.given, *task.fits[0].free}
    names = [n for n in fittable(local.info, start) if "sld" in n and n not in kept]
    if not (names and usual > 0 and task.slopes):
        return {}
    try:
        return {name: usual * _slope_by_density(local, start, name, usual) for name in names}
    except TimeUpError:
        return {}


def _usual_density(start: Mapping[str, Any]) -> float:
    """Standard deviation of a density that is as likely anywhere between those of a fit."""
    densities = [float(value) for name, value in start.items() if "sld" in name]
    return (max(densities) - min(densities)) / math.sqrt(12) if densities else 0.0


def _slope_by_density(local: ModelCurves, start: Mapping[str, Any], name: str, step: float) -> Floats:
    """Slope of the residuals (n,), of a quadratic form of the densities over any distance."""
    up, down = (local.intensity({**start, name: float(start[name]) + by}) for by in (step, -step))
    scales = np.array([start[scale] for scale in local.scales])
    return np.asarray(scales @ (up - down) / (2 * step * local.dintensity))


# --- Profile likelihood: where χ² has risen by four, other parameters following.


@dataclass(frozen=True)
class Profile:
    """χ² where one parameter is held elsewhere, and the others follow."""

    residuals: Callable[[Floats], Floats]  #: Of codes, (k,): (n,), at the best of what is solved for.
    codes: Sequence[Code]  #: Of what is not; they begin at the minimum.
    slopes: Floats  #: Shape (n, k). Of the residuals by each code there, what is solved for projected out.

    @cached_property
    def first(self) -> Floats:
        return np.array([code.first for code in self.codes])

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        return np.array([code.low for code in self.codes]), np.array([code.high for code in self.codes])

    @cached_property
    def least(self) -> float:
        return _square(self.residuals(self.first))

    def half(self, i: int, error: float, wider: float) -> float:
        """Return half the likelihood interval of parameter i on its farther side, in its unit."""
        # `wider` is its error over that of independent noise of the stated size.
        unit = error / self.codes[i].slope(self.codes[i].first)
        return max(self._half(i, side, wider) for side in (-unit, unit))

    def _half(self, i: int, unit: float, wider: float) -> float:
        code, codes_here = self.codes[i], self.first
        enough = self.least + (2 * ASSESSMENT.flat_rise * wider) ** 2
        old_distance, risen, far = 0.0, 0.0, 2.0
        while far < ASSESSMENT.flat_far:
            chisq, codes_here = self._move_along(i, codes_here, code.clip(code.first + far * unit), enough)
            up = float(np.sqrt(max(chisq - self.least, 0.0))) / wider
            if up >= 2.0:
                far = old_distance + (far - old_distance) * (2.0 - risen) / (up - risen)
                break
            if not code.low < code.first + far * unit < code.high:
                break
            old_distance, risen, far = far, up, 1.5 * far
        return abs(code.value(code.clip(code.first + far * unit)) - code.value(code.first)) / 2

    def _move_along(self, i: int, codes_here: Floats, to: float, enough: float) -> tuple[float, Floats]:
        """χ² where parameter i has moved to a code, and codes of all there, from where they were."""
        # The others go on as they went; where that does not leave χ² low enough, with the slopes of the
        # minimum, as long as these lead down.
        other_slopes = np.delete(self.slopes, i, axis=1)
        step = -np.linalg.lstsq(other_slopes, self.slopes[:, i] * (to - codes_here[i]), rcond=None)[0]
        moved = self._apply_step(i, np.insert(np.delete(codes_here, i), i, to), step)
        residual = self.residuals(moved)
        for _ in range(OPTIMIZE.few_steps):
            if _square(residual) <= enough:
                break
            step = -np.linalg.lstsq(other_slopes, residual, rcond=None)[0]
            nearer = self._apply_step(i, moved, step)
            remaining = self.residuals(nearer)
            if _square(remaining) >= _square(residual):
                break
            moved, residual = nearer, remaining
        return _square(residual), moved

    def _apply_step(self, i: int, codes_here: Floats, step: NDArray[Any]) -> Floats:
        return np.asarray(np.clip(codes_here + np.insert(step, i, 0.0), *self._bounds))


def _square(residual: Floats) -> float:
    return float(residual @ residual)


# --- Where χ² is flatter than its curvature at the minimum.

#: Steps of several curves to the minimum of plain least squares: correlated errors may have moved the fit.
_STEPS = 6


def errors_to_add(task: Held, bank: Bank | None = None, budget: Budget = UNLIMITED) -> dict[Any, float]:
    """What adds to the errors of a fit, by name, of several curves by name and curve; for a pool."""
    # What it holds, where χ² is flat, and of one curve where another minimum is as good.
    deadline = read_spent_time() + budget.seconds
    added_errors = errors_beside_held(task, bank, budget)
    flat_errors = {
        key: float(np.sqrt(max(error**2 - task.error(key) ** 2, 0.0)))
        for key, error in _flat(task, deadline).items()
    }
    added_errors = _add_in_quadrature(added_errors, flat_errors)
    if task.plan is not None:
        return added_errors
    added_errors = _add_in_quadrature(added_errors, errors_by_sizes_together(task, deadline))
    added_errors = _add_in_quadrature(added_errors, errors_beside_contrasts(task, deadline))
    return _add_in_quadrature(added_errors, spread_over_minima(task, deadline))


def _add_in_quadrature(
    added_errors: Mapping[Any, float], further_errors: Mapping[Any, float]
) -> dict[Any, float]:
    """What adds to errors, with more of it that is independent."""
    return {
        **added_errors,
        **{key: float(np.hypot(added_errors.get(key, 0.0), error)) for key, error in further_errors.items()},
    }


def _flat(task: Held, deadline: float) -> dict[Any, float]:
    """Errors of the shape parameters where χ² is flat; of those that there was time for."""
    problem = _make_problem(task, deadline)
    slopes = {key if isinstance(key, tuple) else (key, None): column for key, column in task.slopes.items()}
    flat_errors: dict[Any, float] = {}
    with suppress(TimeUpError):
        profile, errors = (_profile_one if task.plan is None else _profile_several)(task, problem, slopes)
        for i, (key, code) in enumerate(problem.codes.items()):
            name = key if task.plan is not None else key[0]
            error, error_alone = task.error(name), errors.get(key, 0.0)
            if error > 0 and error_alone > 0 and _may_widen(task, key):
                wider = error / code.slope(code.first) / error_alone
                flat_errors[name] = profile.half(i, error, wider)
    return flat_errors


def _make_problem(task: Held, deadline: float) -> LeastSquaresProblem:
    """The least-squares problem of the fit from where it has ended."""
    free = {name: (p.low, p.high) for name, p in task.fits[0].parameters.items() if not p.fixed}
    ranges = {name: free[name] for name in task.ranged & free.keys() - set(ALWAYS_OWN)}
    curves = [
        ModelCurves(
            curve, error, task.name, per_decade=fit.per_decade,
            ranges=None if task.plan is None else ranges,
            fixed=frozenset() if task.plan is None else task.plan.linear_constants,
        )
        for curve, error, fit in zip(task.curves, task.dintensities, task.fits, strict=True)
    ]  # fmt: skip
    for curve in curves:
        curve.deadline = deadline
    forms = None if task.plan is None else ContrastForms(curves)
    return LeastSquaresProblem(curves, list(map(starting_values, task.fits)), task.plan, forms=forms)


def _profile_one(
    task: Held, problem: LeastSquaresProblem, slopes: Mapping[Key, Floats]
) -> tuple[Profile, dict[Key, float]]:
    """χ² about the fit of one curve by its own slopes, and errors of what is varied, in codes."""
    local, start = problem.curves[0], problem.starts[0]
    problem.codes = {
        key: _code(task, local.info, key[0], start) for key in slopes if key[0] not in local.linear
    }
    columns = {key: slopes[key] * code.slope(code.first) for key, code in problem.codes.items()}
    columns |= {key: column for key, column in slopes.items() if key not in columns}
    projected = project_out_others(columns, problem.codes) if problem.codes else np.empty((0, 0))
    return Profile(problem.residuals, list(problem.codes.values()), projected), errors_of(columns)


def _profile_several(
    task: Held, problem: LeastSquaresProblem, slopes: Mapping[Key, Floats]
) -> tuple[Profile, dict[Key, float]]:
    """χ² about the minimum of plain least squares beside the fit of several curves, and errors there."""
    problem.run(_STEPS)
    x, codes = problem.best, problem.codes_at(problem.best)
    problem.codes = dict(zip(problem.codes, codes, strict=True))
    errors = errors_of(slopes)
    alone = {key: errors.get(key, 0.0) / code.slope(code.first) for key, code in problem.codes.items()}
    return Profile(problem.residuals, codes, problem.jacobian(x) if codes else np.empty((0, 0))), alone


def _may_widen(task: Held, key: Key) -> bool:
    """Whether a parameter is no length beyond the range, nor a contrast, whose error is of a convention."""
    return task.fits[key[1] or 0].parameters[key[0]].at_least is None and not is_amplitude(key[0])


def _code(task: Held, info: Any, name: str, start: Mapping[str, Any]) -> Code:
    """Choose the code of a parameter as a search does, at the very value of the fit."""
    p = task.fits[0].parameters[name]
    ranges = {name: (p.low, p.high)} if name in task.ranged else {}
    code = code_of(info, name, start, ranges, float(task.curves[0].q[0]))
    first = float(np.log(p.value)) if code.unit == 0 else p.value / code.unit
    return replace(code, first=first, low=min(code.low, first), high=max(code.high, first))


# --- Other size distributions.


@dataclass(frozen=True)
class Kind:
    """A fit with one kind of size distribution."""

    weight: float  #: Its likelihood over that of the best kind.
    parameters: Mapping[str, Parameter]
    distributions: Mapping[str, str]

    def comparable(self, name: str) -> float:
        """What a parameter's value is multiplied by to be the same number in all kinds."""
        # Sizes are compared by their means, widths by the standard deviation over the mean.
        plain_name = name.removesuffix("_pd")
        compare = mean_over_parameter if plain_name == name else deviation_over_width
        return compare(self.parameters, self.distributions, plain_name)


def spread_over(name: str, best: Kind, kinds: Sequence[Kind]) -> Parameter:
    """A parameter whose error is the root of its variance over the kinds, each weighted by its likelihood."""
    p = best.parameters[name]
    if p.error is None or p.fixed:
        return p
    unit, total, apart = best.comparable(name), 1.0, 0.0
    for kind in kinds:
        if name in kind.parameters:
            value = kind.parameters[name].value * kind.comparable(name) / unit
        elif name.endswith("_pd"):
            value = 0.0  # a resolution that the file does not state may be there instead
        else:
            continue
        total += kind.weight
        apart += kind.weight * (value - p.value) ** 2
    return replace(p, error=math.sqrt(p.error**2 + apart / total))


def spread_over_kinds(result: FitResult) -> FitResult:
    """Add the spread over equally good kinds of size distribution to the best fit's errors."""
    fits = other_distributions(result) if result.fits else []
    if not fits:
        return result
    best = result.fits[0]
    other_kinds = [Kind(_compute_odds(result, fit), fit.parameters, fit.distributions) for fit in fits]
    kind = Kind(1.0, best.parameters, best.distributions)
    # Amplitudes are products with contrasts, which each fit has by a convention of its own.
    parameters = {
        name: p if is_amplitude(name) else spread_over(name, kind, other_kinds)
        for name, p in kind.parameters.items()
    }
    added = {
        name: _compute_added_error(p, best.parameters[name]) for name, p in parameters.items() if p.error
    }
    spread_fit = replace(best, parameters=parameters, apart=added)
    return replace(result, fits=(spread_fit, *result.fits[1:]))


def _compute_odds(result: FitResult, fit: ModelFit) -> float:
    # By the evidence that the search has chosen it by, with how seldom a resolution is supposed; of fits that
    # were not weighed, as of joint ones, by χ².
    best = result.fits[0]
    same = (kind for kind in result.distributions if _is_start_of(best, kind))
    lead = fit.log_evidence - next(same, best).log_evidence
    return math.exp(min(lead if math.isfinite(lead) else 0.5 * (best.chisq - fit.chisq), 0.0))


def _is_start_of(best: ModelFit, fit: ModelFit) -> bool:
    """Whether a kind is what the best fit was as the search has left it, before Bumps."""
    start_chisq = best.start_chisq if math.isfinite(best.start_chisq) else best.chisq
    return (
        fit.name == best.name
        and dict(fit.distributions) == dict(best.distributions)
        and math.isclose(fit.chisq, start_chisq, rel_tol=1e-9)
    )


def _compute_added_error(after: Parameter, old_parameter: Parameter) -> float:
    """What an error has grown by, as a standard deviation."""
    return math.sqrt(max((after.error or 0.0) ** 2 - (old_parameter.error or 0.0) ** 2, 0.0))


def other_distributions(result: FitResult) -> list[ModelFit]:
    """Fits of the best model that are as good, with other size distributions or a supposed resolution."""
    best = result.fits[0]
    return [
        fit
        for fit in (*result.fits[1:], *result.distributions)
        if fit.name == best.name
        and not _is_start_of(best, fit)
        and fit.chisq - best.chisq < ASSESSMENT.significant**2
    ]
