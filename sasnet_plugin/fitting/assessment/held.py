"""Errors that hold what a fit holds: widths that it has not, exponents at defaults, a resolution not stated.

What a curve does not show stands at its default, and a file may say nothing of the resolution. Both are
unknown all the same, and what is fitted beside them is known no better than they let it be. Each is a column
beside the slopes of the fit, known beforehand as well as a sample or an instrument may have it, and the
errors are those of all together (a linear model with a Gaussian prior: A. Gelman et al., Bayesian Data
Analysis, 3rd ed. 2013, 14.8). A width broadens a curve by its square, so that its slope at 0 is 0: a column
is the difference of two curves, as far apart as the data would still allow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ...arrays import Floats
from ...simulate.kernel import load_model
from ...simulate.quick_models.cost_classes import cost_class
from ...types import Curve, sum_parts
from ..evidence.prior import extent_in
from ..evidence.settings import EVIDENCE
from ..ledger import read_spent_time
from ..problem.bounds import range_of
from ..problem.experiment import TimeUpError, starting_values
from ..problem.free_parameters import fittable, is_size, moving
from ..problem.model_curves import ModelCurves
from ..problem.resolution import has_resolution
from ..problem.shared_parameters import Plan
from ..result.components import bare
from ..result.covariance import errors_of
from ..result.model_fit import ModelFit, Parameter
from ..result.size_distributions import sigmas
from ..settings import ASSESSMENT, PROBLEM
from ..task import UNLIMITED, Budget

if TYPE_CHECKING:
    from ...simulate.bank import Bank


@dataclass(frozen=True)
class Held:
    """A fit and its data, of which it is asked what is unknown besides what was fitted."""

    curves: tuple[Curve, ...]  #: All that were fitted at once.
    dintensities: tuple[Floats, ...]  #: (n_i,) of each.
    fits: tuple[ModelFit, ...]  #: The fit as each curve has it.
    #: Of the residuals of all curves by each free parameter, per unit of it, those of what is known besides
    #: at the end.
    slopes: Mapping[Any, Floats]
    given: frozenset[str]  #: Parameters that a user has settled: these are known.
    widest_dq: float  #: dq/q of the widest usual resolution of instruments.
    supposed: bool = False  #: The resolution of the curves is no file's: the fit has found it.
    plan: Plan | None = None  #: What several curves share; None: there is one.

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
) -> Held:
    """State what is asked of the fit of one curve; `widest_dq` is dq/q of the widest usual resolution."""
    return Held((curve,), (dintensity,), (fit,), moving(fit.derivatives), given_names, widest_dq, supposed)


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
    added_errors = [
        _compute_added_errors(known_slopes, slopes, columns, left) for columns in (together, apart) if columns
    ]
    return (
        {name: max(errors[name] for errors in added_errors) for name in known_slopes} if added_errors else {}
    )


def _compute_added_errors(
    known_slopes: Mapping[Any, Floats], slopes: Floats, unknown: Sequence[_Column], residual: Floats
) -> dict[Any, float]:
    """What some unknowns add to the error of each free parameter: their spread, and how far they move it.

    A width of sizes that shows was fitted. A resolution that no file states was not, though there always is
    one: the values stand where there is none.
    """
    all_rows = _beside(slopes, unknown)
    names = [*known_slopes, *(f"unknown {i}" for i in range(len(unknown)))]
    together, errors_alone = errors_of(dict(zip(names, all_rows.T, strict=True))), errors_of(known_slopes)
    resolutions = [column for column in unknown if column.kind is _Spread.RESOLUTION]
    step = _step(slopes, resolutions, residual) - _step(slopes, (), residual)
    moved = dict(zip(known_slopes, step, strict=True))
    return {
        name: float(np.sqrt(max(together[name] ** 2 - errors_alone[name] ** 2, 0.0) + moved[name] ** 2))
        for name in known_slopes
    }


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
    calibration = _POWERS_OF_LENGTH.get(p.unit, 0) * ASSESSMENT.q_calibration * p.value
    return replace(p, error=float(np.hypot(np.hypot(p.error, added_error), calibration)))


def _column(kind: _Spread, change: _Change, basis: Floats) -> _Column | None:
    """Change of the residuals by about as much as the data allow; `basis` (n, k), orthonormal, spans the free
    parameters.
    """
    size = 1.0
    while size > np.finfo(float).eps:
        column = change(size)
        remaining_norm = float(np.linalg.norm(column - basis @ (basis.T @ column)))
        if remaining_norm <= ASSESSMENT.significant:
            return _Column(kind, column, size)
        size *= float(np.clip(1 / remaining_norm, 1e-3, 0.5)) if np.isfinite(remaining_norm) else 0.5
    return None


def _changes(task: Held, deadline: float) -> Iterator[tuple[_Spread, _Change]]:
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
            dq = np.full(len(curve), ASSESSMENT.beam_width * curve.q[0]) if beam else wavelengths
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
            q = curve.q + size * ASSESSMENT.resolution_centre * width
            moved = replace(curve, q=q, dq=None if curve.dq is None else curve.dq * q / curve.q)
            parts.append((make_curve_function(i, moved, fit.per_decade)(starts[i]) - reference[i]) / error)
        return task.rows(parts)

    def change_resolution(size: float) -> Floats:
        """A stated resolution wider by a share of it; of one that a fit has found the square less by one."""
        parts = [np.zeros(len(curve)) for curve in task.curves]
        factor = np.sqrt(max(1 - size, 0.0)) if task.supposed else 1 + size * ASSESSMENT.resolution_width
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
    low = np.minimum(np.searchsorted(log_q, log_q - EVIDENCE.window / 2), np.maximum(place - 1, 0))
    high = np.searchsorted(log_q, log_q + EVIDENCE.window / 2, side="right") - 1
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
    kind = {f"{width}_n": points, f"{width}_nsigma": sigmas("gaussian"), f"{width}_type": "gaussian"}
    return {**start, **kind, width: ASSESSMENT.held_width * float(np.sqrt(size))}


def _shift(name: str, usual: float, start: Mapping[str, Any], size: float) -> dict[str, Any]:
    return {**start, name: float(start[name]) + size * usual}


def _is_exponent(p: Any) -> bool:
    """Whether a parameter is neither a length nor an intensity, contrast or amount."""
    plain_name = bare(p.name)
    amount = (
        "sld" in plain_name or "scale" in plain_name or plain_name in ("background", "volfraction", "i_zero")
    )
    return not (amount or p.units in ("Ang", "1/cm", "cm^-1") or p.type == "volume")
