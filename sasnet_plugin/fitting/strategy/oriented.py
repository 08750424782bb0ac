"""Fit sectors of an oriented sample as one: shared sizes, order parameter, scale and background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np

from ...arrays import Floats, Integers
from ...data.raw import points
from ...data.sample.sample import Sample
from ...data.sample.sectors import list_at_common_q
from ...simulate.magnetic_spheres import LAYER, POLARISATION, SHARE, SMALL
from ...simulate.orientations import DIRECTOR, P2, SHARPNESS, TAILS
from ...types import Curve, DataError, ModelGuess, SasnetError, Suggestion
from ...units import unit_of_parameter
from ...wording import option
from ..assessment.error_estimates import distances_of_points, errors_by_resolution, widen_errors
from ..evidence.discrepancy import Discrepancy
from ..evidence.linear import Minimum, deviations, linear_at, minus_two_log, plain, residuals
from ..evidence.marginal import extent_in, shares
from ..ledger import Ledger, read_spent_time
from ..optimize.least_squares_problem import LeastSquaresProblem, Solved
from ..pool import answers
from ..problem.bounds import default_of, range_of
from ..problem.experiment import TimeUpError
from ..problem.free_parameters import complete_distributions
from ..problem.model_curves import ModelCurves
from ..problem.oriented_particles import LENGTHS, P2_RANGE, SectorCurves, particle_info
from ..problem.resolution import has_resolution
from ..problem.shared_parameters import Plan
from ..result.model_fit import Parameter
from ..result.residuals import standardise_runs
from ..result.sample_result import JointFit, Key, SampleResult
from ..settings import ASSESSMENT, EVIDENCE, PROBLEM
from ..task import Budget, FitOptions, no_curve
from .hypothesis import Supposed
from .joint_fit import ONE_SOLVENT, collect_fixed, integrate_discrepancy
from .settings import STRATEGY

#: What one particle may take, as `costs` counts evaluations.
_BUDGET = Budget(30.0)
#: Long over wide of starts, sizes across and along for each model; shell over core; contrast of the core.
_RATIOS = {
    "cylinder": (0.1, 0.25, 0.5, 1.5, 2.5, 4.0, 7.0, 15.0),
    "ellipsoid": (0.1, 0.2, 0.45, 2.0, 4.0, 9.0),
    "parallelepiped": (0.15, 0.5, 1.5, 4.0, 10.0),
}
#: Particles that magnetic scattering is told from: what sectors of others show, one of these follows.
ALIGNED = ("ellipsoid", "cylinder")
#: Second side over the first of a parallelepiped: where both are equal, a descent cannot tell them apart.
_SIDES = (1.25, 2.5)
_SIDES_OF_FLAT = (1.0, 1.25)
_SHELLS, _CORES = (0.3, 1.0), (-1.0, 0.2)
_SIZES = 13
#: Order parameters of starts.
_ORDERS = (0.2, 0.6, 0.9, -0.2, -0.4)
#: Starts that are followed, steps of each, how many go on and their steps, and those of the best to the end.
_FOLLOWED, _FIRST_STEPS, _REFINED, _SECOND_STEPS, _STEPS = 9, 12, 3, 15, 60
#: Lengths that are tried about that of a first minimum: fringes along the axis hold a descent.
_FACTORS = np.geomspace(0.3, 3.0, 16)
#: Of a core with a shell also radii: fringes across the axis hold a descent, too.
_WIDER = (0.7, 0.8, 0.9, 1.0, 1.12, 1.25, 1.4)
#: Lengths whose logarithms differ by less, and orders, are one start.
_NEAR = 0.1
#: Relative error that is added on the way to a minimum: without it fringes of wrong sizes hold up a descent.
_TOLERANCE = 0.1
#: How far parameters that sasmodels does not have may be off: a non-magnetic layer in Å, as others.
_EXTENTS = {
    P2: P2_RANGE[1] - P2_RANGE[0],
    DIRECTOR: 180.0,
    SHARPNESS: 1.0,
    TAILS: 2.0,
    LAYER: 40.0,
    POLARISATION: 1.0,
    SMALL: 50.0,
    SHARE: 1.0,
}
#: Of the shape of the distribution of axes, where any is as likely.
_NOT_SHOWN = "These sectors do not show it."
#: χ² of fits that the sectors do not tell apart at all.
_SAME_CHISQ = 0.1
#: Points of each curve among which starts are compared.
_FEW = 40
#: Width of the size distributions where a fit begins, and their points.
_WIDTH, _POINTS = 0.1, 15
#: Shape of the distribution of axes where a fit of it begins: some are isotropic.
_SHARPNESS = 0.2
#: The largest sharpness and tails from which the last descents begin.
_SOFT = 0.9
#: Another shape from which they begin, narrow with an isotropic part: descents from long tails miss it.
_PARTLY_ISOTROPIC = {SHARPNESS: 0.9, TAILS: -0.5}
#: Another orientation is fitted to the end if its χ² is less than so many times the least.
_NEAR_CHISQ = 4.0
#: A length that shows only together with others, as one of two equal sides, is known to so much of itself.
_UNSEEN = 0.3
#: Steps of the last descent, with curves that are not interpolated.
_LAST_STEPS = 4


@dataclass(frozen=True)
class SectorTask:
    """A particle to fit to all sectors of a sample."""

    sample: Sample
    dintensities: tuple[Floats, ...]
    model: str
    fixed: Mapping[str, float] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    free_direction: bool = False  #: The director is fitted to two sectors, too.

    @property
    def name(self) -> str:
        return self.model

    @property
    def info(self) -> Any:
        return particle_info(self.model)

    @property
    def free_densities(self) -> tuple[str, ...]:
        """Scattering length densities that are fitted where no value is given."""
        return ("sld_core",)


def list_columns(shapes: Sequence[Floats], errors: Sequence[Floats], groups: Integers) -> Floats:
    """Shape and a level for each group of curves, (1 + k, n), over errors."""
    of_points = np.repeat(groups, [error.size for error in errors])
    levels = [of_points == group for group in range(int(groups.max()) + 1)]
    return np.vstack([np.concatenate(shapes), *levels]) / np.concatenate(errors)


def solve_shared(
    columns: Floats, curves: Sequence[ModelCurves], errors: Sequence[Floats]
) -> tuple[Floats, Floats]:
    """Common scale and backgrounds of groups, (1 + k,), and residuals of all; no values if none."""
    measured = np.concatenate([curve.curve.intensity for curve in curves]) / np.concatenate(errors)
    if not np.isfinite(columns).all():
        return np.eye(len(columns))[0], np.full(measured.size, PROBLEM.no_value)
    length = np.linalg.norm(columns, axis=1)
    unit = columns / length[:, None]
    right = unit @ measured
    values = np.linalg.solve(unit @ unit.T + 1e-12 * np.eye(len(unit)), right) / length
    if not values[0] > 0:  # far from the minimum dips lie where tops are measured
        values = np.eye(len(columns))[0] * right[0] / length[0]
    return values, values @ columns - measured


class SectorProblem(LeastSquaresProblem):
    """Sectors of one detector: one scale for all, and one background for each group of curves."""

    @property
    def groups(self) -> Integers:
        """Which background each curve has, (m,)."""
        return np.zeros(len(self.curves), dtype=int)

    def _columns(self, x: Floats) -> Floats:
        return list_columns([curve[0] for curve in self.evaluate(x)[1]], self.errors, self.groups)

    def _solve(self, x: Floats) -> Solved:
        values, residual = solve_shared(self._columns(x), self.curves, self.errors)
        levels = [float(values[1 + group]) for group in self.groups]
        return Solved(residual, [values[:1]] * len(levels), levels, float(values[0]))

    def _differentiate_linear(self, x: Floats, solved: Solved) -> dict[Key, Floats]:
        columns = self._columns(x)
        columns[0] *= solved.common
        keys: list[Key] = [("scale", None), ("background", None), ("background", 1)]
        return dict(zip(keys, columns, strict=False))


def descend(problems: Sequence[Any], steps: int) -> list[Any]:
    """Go downhill in each problem; the nearest to the data first."""
    for problem in problems:
        with suppress(TimeUpError):
            problem.run(steps)
    return sorted((p for p in problems if np.isfinite(p.chisq)), key=lambda problem: problem.chisq)


def fit_oriented(
    ledger: Ledger, sample: Sample, dintensities: tuple[Floats, ...], options: FitOptions
) -> SampleResult:
    """Fit all particles that sectors are fitted with, or those that a user names, the likeliest first."""
    models = _select_models(options)
    tasks = [
        SectorTask(sample, dintensities, model, collect_fixed(options, model), options.ranges)
        for model in models
    ]
    fits, notes = _fit_particles(ledger, tasks)
    if all(fit.lacking() for fit in fits):  # the direction may be between two sectors
        free = [replace(task, free_direction=True) for task in tasks if not _is_director_fitted(task)]
        fits += _fit_particles(ledger, [task for task in free if _is_director_fitted(task)])[0]
    guesses = tuple(ModelGuess(model, None, 1 / len(models), "") for model in models)
    suggestion = Suggestion(sample.curves[0].file, "", guesses, (), 1.0)
    ranked = rank_particles(_select_likeliest(fits))
    ranked[:1] = [_widen_errors(_find_task(tasks, fit), fit) for fit in ranked[:1]]
    turned = _find_turned(ranked[0], fits) if ranked else None
    return SampleResult(sample, dintensities, tuple(ranked), suggestion, notes=tuple(notes), turned=turned)


def is_complete(fit: JointFit) -> bool:
    """Whether a fit follows all curves to their uncertainties, without any systematic error."""
    return not fit.lacking() and not fit.excusing_error


def _fit_particles(ledger: Ledger, tasks: Sequence[SectorTask]) -> tuple[list[JointFit], list[str]]:
    """Fits, and why there are none of other particles."""
    fits, notes = list[JointFit](), list[str]()
    for _, answer in answers(ledger, fit_particle, tasks, ledger.remaining):
        if isinstance(answer, Exception):
            notes.append(str(answer))
        else:
            fits += answer
    return fits, notes


def _select_likeliest(fits: Sequence[JointFit]) -> list[JointFit]:
    """Of each model the fit of greatest evidence; of two that fit alike that of axes along the director."""
    best: dict[str, JointFit] = {}
    for fit in sorted(fits, key=lambda fit: fit.minus_two_log):
        first = best.setdefault(fit.name, fit)
        if abs(fit.total - first.total) < _SAME_CHISQ and fit.parameters[P2].value > 0:
            best[fit.name] = fit
    return list(best.values())


def _find_turned(best: JointFit, fits: Sequence[JointFit]) -> tuple[float, float] | None:
    """P₂ and direction of the likeliest other orientation that fits as well, by the evidence or, of the same
    particle, by χ²: the evidence is rough where parameters are at their ends.
    """
    for fit in sorted(fits, key=lambda fit: fit.minus_two_log):
        is_near = fit.minus_two_log < best.minus_two_log + EVIDENCE.strong
        is_near |= fit.name == best.name and fit.total < best.total + EVIDENCE.strong
        orientation, leading = (
            (each.parameters[P2].value, each.parameters[DIRECTOR].value) for each in (fit, best)
        )
        if is_near and _is_turned(orientation, leading) and (best.lacking() or not fit.lacking()):
            return orientation
    return None


# --- What a fit leaves open: a resolution that no file gives, and widths that it has found to be 0.


def _find_task(tasks: Sequence[SectorTask], fit: JointFit) -> SectorTask:
    return next(task for task in tasks if task.model == fit.model)


def _apply_resolution(sample: Sample, supposed: Supposed) -> Sample:
    return replace(sample, curves=tuple(map(supposed.apply_to, sample.curves)))


def _list_values(fit: JointFit) -> dict[str, Any]:
    """Parameters of a fit, with its size distributions, that curves are calculated from."""
    kinds: dict[str, Any] = {f"{name}_pd_type": kind for name, kind in fit.distributions.items()}
    return complete_distributions(kinds | {name: p.value for name, p in fit.parameters.items()}, _POINTS)


def _list_residuals(task: SectorTask, fit: JointFit) -> Floats:
    """(n,) in units of the uncertainties."""
    curves = zip(fit.theories, task.sample.curves, task.dintensities, strict=True)
    return np.concatenate([(theory - curve.intensity) / error for theory, curve, error in curves])


def _change(task: SectorTask, fit: JointFit, sample: Sample, widths: Mapping[str, float]) -> Floats:
    """Change of all residuals, (n,), where the curves have another resolution or sizes other widths."""
    every, values = [slice(None)] * len(fit.theories), _list_values(fit)
    before = [curve.calculate(values)[0] for curve in _make_curves(task, every, quick=True)]
    values = complete_distributions({**values, **widths}, _POINTS)
    other = replace(task, sample=sample)
    after = [curve.calculate(values)[0] for curve in _make_curves(other, every, quick=True)]
    background = fit.parameters["background"].value
    # The scale of curves of a search is another.
    curves = zip(before, after, fit.theories, task.dintensities, strict=True)
    return np.concatenate(
        [(new / old - 1) * (theory - background) / error for old, new, theory, error in curves]
    )


def _widen_errors(task: SectorTask, fit: JointFit) -> JointFit:
    """The fit with what a resolution that is not given, and widths of 0, may do to its parameters."""
    sample = task.sample
    narrow = [
        f"{name}_pd" for name, p in fit.parameters.items() if f"{name}_pd" in fit.parameters and not p.fixed
    ]
    narrow = [name for name in narrow if fit.parameters[name].error is None and name not in task.fixed]
    changes = [_change(task, fit, sample, {name: _WIDTH}) for name in narrow]
    if not any(map(has_resolution, sample.curves)):
        points = ASSESSMENT.resolution_points * min(
            float(np.median(distances_of_points(curve.q) / curve.q)) for curve in sample.curves
        )
        beam = PROBLEM.wide_resolution * min(float(curve.q[0]) for curve in sample.curves)
        for usual in Supposed(min(STRATEGY.relative_dq[-1], points), 0.0), Supposed(0.0, beam):
            changes.append(_change(task, fit, _apply_resolution(sample, usual), {}))
    slopes = {key: column for key, column in fit.derivatives.items() if np.any(column)}
    if not slopes or not changes:
        return fit
    added = errors_by_resolution(slopes, -_list_residuals(task, fit), changes)
    return fit.replace_parameters(widen_errors(fit.parameters_by_key(), added))


def _select_models(options: FitOptions) -> list[str]:
    """Names of the particles to fit. Raises SasnetError for others, and for structure factors."""
    others = [model for model in options.models or () if model not in LENGTHS]
    if others:
        raise SasnetError(
            f"{others[0]}: sectors are fitted with {', '.join(LENGTHS)}; other oriented models are fitted to"
            " whole images alone."
        )
    if options.structure_factor not in (None, "none"):
        raise SasnetError(
            f"Sectors are fitted without structure factor; remove {option('structure-factor')}."
        )
    return [m for m in options.models or LENGTHS if options.allows(m)]


def rank_particles(fits: Sequence[JointFit]) -> list[JointFit]:
    """Rank by marginal likelihood; those that do not fit the sectors come last."""
    if not fits:
        return []
    weights = shares(np.array([-0.5 * fit.minus_two_log for fit in fits]))
    order = sorted(
        (replace(fit, weight=float(w)) for fit, w in zip(fits, weights, strict=True)),
        key=lambda fit: (bool(fit.lacking()), fit.minus_two_log),
    )
    # Of indistinguishable ones the simplest leads: a core without contrast is none.
    limit = order[0].minus_two_log + EVIDENCE.strong
    fits_too = bool(order[0].lacking())
    able = {fit.name for fit in order if fit.minus_two_log < limit and bool(fit.lacking()) == fits_too}
    order.sort(key=lambda fit: (fit.name not in able, len(fit.parameters) if fit.name in able else 0))
    return [
        replace(fit, alike=i > 0 and abs(fit.minus_two_log - order[0].minus_two_log) < EVIDENCE.strong)
        for i, fit in enumerate(order)
    ]


# --- One particle.


def fit_particle(task: SectorTask, bank: Any, budget: Budget) -> list[JointFit]:
    """Fit one particle to all sectors, also with axes across the director instead of along it; the likelier
    first. Raises SasnetError if no start has a finite curve.

    A search has axes distributed by Maier and Saupe and one size distribution; from its ends all sizes have
    one, and the distribution of axes is free.
    """
    del bank
    spent_time = read_spent_time()
    deadline = spent_time + min(budget.seconds, _BUDGET.seconds)
    curves = _make_curves(task, _thin(task), quick=True)
    _limit(curves, deadline)
    rough = _descend(task, curves, _find_starts(task, curves), _FIRST_STEPS, _TOLERANCE)
    ends = _select_distinct(task, [problem.nearest[0] for problem in rough])
    starts = [start for end in ends for start in (end, _mirror(task, end), *_vary_length(task, curves, end))]
    starts += _swap_axes(task, ends)
    fine = _descend(task, curves, [_free_distributions(task, start) for start in starts], _SECOND_STEPS)
    if not fine:
        raise no_curve(task.name)
    all_points = [slice(None)] * len(curves)
    whole = _make_curves(task, all_points, quick=True)
    _limit(whole, deadline)
    ends = [problem.nearest[0] for problem in _select_orientations(fine, 2)]
    shapes = [_soften(task, values) for values in ends]
    shapes += [values | _PARTLY_ISOTROPIC | dict(task.fixed) for values in shapes]
    longer = _select_orientations(_descend(task, whole, shapes, _STEPS), 1)
    exact = _make_curves(task, all_points)
    last = _descend(task, exact, [_sort_sides(task, problem.nearest[0]) for problem in longer], _LAST_STEPS)
    fits = sorted((make_fit(task, problem) for problem in last), key=lambda fit: fit.minus_two_log)
    return [replace(fit, seconds=read_spent_time() - spent_time) for fit in fits]


def _free_distributions(task: SectorTask, start: Mapping[str, Any]) -> dict[str, Any]:
    """Starting values with a distribution of each size, and a shape of that of the axes."""
    widths = {f"{name}_pd": _WIDTH for names in LENGTHS[task.model] for name in names if name != "thickness"}
    values = {**start, **{name: width for name, width in widths.items() if name not in start}}
    values |= {SHARPNESS: _SHARPNESS, TAILS: 0.0} | dict(task.fixed)
    return complete_distributions(values, _POINTS)


def _soften(task: SectorTask, values: Mapping[str, Any]) -> dict[str, Any]:
    """Starting values within the ends of the shape of the distribution of axes, where descents are slow."""
    limits = {SHARPNESS: (0.0, _SOFT), TAILS: (-_SOFT, _SOFT)}
    inner = {name: float(np.clip(values[name], *ends)) for name, ends in limits.items()}
    return dict(values) | inner | dict(task.fixed)


def _sort_sides(task: SectorTask, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The shorter side of a parallelepiped first: as it turns about its axis, both are alike."""
    sides = ("length_a", "length_b")
    named = {name.removesuffix("_pd") for name in (*task.fixed, *task.ranges)}
    if task.model != "parallelepiped" or named & {*sides} or values[sides[0]] <= values[sides[1]]:
        return values
    other = {sides[0]: sides[1], sides[1]: sides[0]}
    return {f"{other.get(name[:8], name[:8])}{name[8:]}": value for name, value in values.items()}


def _select_distinct(task: SectorTask, ends: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first ends that differ in lengths or in order: descents go on from each minimum once."""
    chosen = list[Mapping[str, Any]]()
    for end in ends:
        if not any(_is_same_end(task, end, other) for other in chosen):
            chosen.append(end)
    return chosen[:_REFINED]


def _is_same_end(task: SectorTask, end: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    along, across = LENGTHS[task.model]
    is_near = all(_is_near_in(end, other, name) for name in (*along, *across))
    return is_near and bool(abs(end[P2] - other[P2]) < _NEAR)


def _is_near_in(values: Mapping[str, Any], other: Mapping[str, Any], name: str) -> bool:
    return bool(abs(np.log(values[name] / other[name])) < _NEAR)


def _select_orientations(problems: Sequence[SectorProblem], sure: int) -> list[SectorProblem]:
    """The first descents of different orientations: so many are sure, others if they fit about as well."""
    chosen = list[SectorProblem]()
    for problem in problems:
        orientations = [(other.nearest[0][P2], other.nearest[0][DIRECTOR]) for other in (problem, *chosen)]
        if all(_is_turned(orientations[0], other) for other in orientations[1:]):
            chosen.append(problem)
    near = [problem for problem in chosen[sure:3] if problem.chisq < _NEAR_CHISQ * chosen[0].chisq]
    return [*chosen[:sure], *near]


def _is_turned(orientation: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two orientations, order parameter and director, differ in the sign of order or by more than an
    eighth of a turn.
    """
    is_other_sign = orientation[0] * other[0] < 0
    return bool(is_other_sign or abs((orientation[1] - other[1] + 90) % 180 - 90) > 45)


def _descend(
    task: SectorTask, curves: list[SectorCurves], starts: Sequence[Mapping[str, Any]], steps: int,
    tolerance: float = 0.0,
) -> list[SectorProblem]:  # fmt: skip
    """Go downhill from each start; the nearest to the data first."""
    return descend([_make_problem(task, curves, start, tolerance) for start in starts], steps)


def _mirror(task: SectorTask, start: Mapping[str, Any]) -> dict[str, Any]:
    """Axes across the director in place of axes along it, or the reverse: seen alike, a trap of a search."""
    director = float(start[DIRECTOR]) + (0.0 if DIRECTOR in task.fixed else 90.0)
    order = float(np.clip(-float(start[P2]), P2_RANGE[0] + 0.05, P2_RANGE[1] - 0.05))
    return dict(start) | {DIRECTOR: (director + 90) % 180 - 90, P2: task.fixed.get(P2, order)}


def _swap_axes(task: SectorTask, ends: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Flat particles in place of long ones, or the reverse, a quarter turn on, of the first end along the
    director: in the plane of the detector both look alike.
    """
    (along, *_), across = LENGTHS[task.model]
    end = next((end for end in ends if end[P2] > 0), None)
    if end is None or along in across or DIRECTOR in task.fixed:
        return []
    half = {name: 0.5 if name.startswith("length") else 1.0 for name in (along, *across)}
    swapped = dict(end) | {along: end[across[0]] * half[across[0]] / half[along]}
    wide = end[along] * half[along] / half[across[0]]
    sides = [name for name in across if name != "thickness"]
    swapped |= {name: wide * side for name, side in zip(sides, _SIDES_OF_FLAT, strict=False)}
    return [swapped | {DIRECTOR: float(end[DIRECTOR]) % 180 - 90} | dict(task.fixed)]


def _vary_length(
    task: SectorTask, curves: list[SectorCurves], start: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The best of other lengths along the axis with the same sign of order, and with the other sign: longer
    particles across the director may scatter as shorter ones along it.
    """
    name = LENGTHS[task.model][0][0]
    orders = [float(start[P2])] if P2 in task.fixed else [float(start[P2]), *_ORDERS]
    lengths = np.zeros(0) if name in task.fixed else float(start[name]) * _FACTORS
    orientations = [(order, float(start[DIRECTOR])) for order in orders]
    sizes = [dict(start) | {name: float(value)} for value in lengths]
    if "thickness" in start and "radius" in start and "radius" not in task.fixed:
        sizes = [each | {"radius": float(start["radius"]) * factor} for each in sizes for factor in _WIDER]
    varied = _sort_by_misfit(curves, sizes, orientations)
    signs = [[v for v in varied if (v[P2] > 0) == sign] for sign in (True, False)]
    return [near[0] for near in signs if near and not _is_same(near[0], start, name)]


def _is_same(values: Mapping[str, Any], start: Mapping[str, Any], name: str) -> bool:
    return bool(values[P2] == start[P2]) and _is_near_in(values, start, name)


def _sort_by_misfit(
    curves: Sequence[SectorCurves], sizes: Sequence[Mapping[str, Any]],
    orientations: Sequence[tuple[float, float]],
) -> list[dict[str, Any]]:  # fmt: skip
    """Sizes with each order parameter and director, that of least χ² with the tolerance of a search first."""
    errors = np.concatenate([curve.error(_TOLERANCE) for curve in curves])
    measured = np.concatenate([curve.curve.intensity for curve in curves]) / errors
    level = 1 / errors / np.linalg.norm(1 / errors)
    without_level = measured - (measured @ level) * level
    misfits = list[Floats]()
    for parameters in sizes:
        parts = [curve.calculate_oriented(parameters, orientations) for curve in curves]
        shapes = np.concatenate(parts, axis=1) / errors
        free = shapes - np.outer(shapes @ level, level)
        scaled = free @ without_level
        gains = without_level @ without_level - scaled**2 / np.sum(free**2, axis=1)
        # Far from the minimum dips lie where tops are measured: without background.
        alone = measured @ measured - (shapes @ measured) ** 2 / np.sum(shapes**2, axis=1)
        misfits.append(np.nan_to_num(np.where(scaled > 0, gains, alone), nan=np.inf))
    order = np.argsort(np.ravel(misfits), kind="stable")
    places = (divmod(int(place), len(orientations)) for place in order)
    return [{**sizes[i], P2: orientations[k][0], DIRECTOR: orientations[k][1]} for i, k in places]


def _limit(curves: Sequence[SectorCurves], deadline: float) -> None:
    for curve in curves:
        curve.deadline = deadline


def _thin(task: SectorTask) -> list[Any]:
    """A few points of each curve, spread evenly."""
    sizes = [len(curve) for curve in task.sample.curves]
    return [np.unique(np.linspace(0, n - 1, min(n, _FEW)).round().astype(int)) for n in sizes]


def _make_curves(task: SectorTask, rows: Sequence[Any], *, quick: bool = False) -> list[SectorCurves]:
    particles: dict[bytes, Any] = {}
    ranges = {P2: P2_RANGE, SHARPNESS: (0.0, 1.0), TAILS: (-1.0, 1.0)} | dict(task.ranges)
    if _is_director_fitted(task):
        ranges.setdefault(DIRECTOR, (-180.0, 360.0))
    return [
        SectorCurves(points(curve, part), dintensity[part], task.model, particles, quick=quick, ranges=ranges)
        for curve, dintensity, part in zip(task.sample.curves, task.dintensities, rows, strict=True)
    ]


def _azimuths(task: SectorTask) -> list[float]:
    return sorted({curve.sector.azimuth % 180 for curve in task.sample.curves if curve.sector})


def _is_director_fitted(task: SectorTask) -> bool:
    """Whether sectors tell where the director is: two do not, as any smaller order would fit another."""
    is_asked = task.free_direction or DIRECTOR in task.ranges
    return DIRECTOR not in task.fixed and (len(_azimuths(task)) > 2 or is_asked)


def list_densities(task: SectorTask) -> tuple[dict[str, float], list[str]]:
    """Scattering length densities that are fixed, and names of those that are fitted."""
    parameters = task.info.parameters.call_parameters
    names = [p.name for p in parameters if p.type == "sld" or p.name in task.free_densities]
    fitted = [name for name in names if name in task.free_densities and name not in task.fixed]
    return {
        name: float(task.fixed.get(name, default_of(task.info, name))) for name in names if name not in fitted
    }, fitted


def _make_problem(
    task: SectorTask, curves: list[SectorCurves], start: Mapping[str, Any], tolerance: float = 0.0
) -> SectorProblem:
    known = dict(task.fixed) | list_densities(task)[0]
    # A search begins without a shape of the distribution of axes.
    known |= {name: 0.0 for name in (SHARPNESS, TAILS) if name not in {*start, *known}}
    if not _is_director_fitted(task):
        known[DIRECTOR] = float(start[DIRECTOR])
    plan = Plan(known=(known,) * len(curves))
    return SectorProblem(curves, [start] * len(curves), plan, tolerance=tolerance)


def _find_starts(task: SectorTask, curves: list[SectorCurves]) -> list[dict[str, Any]]:
    """The best of a grid of sizes, order parameters and directors, and others unlike it."""
    directors = _list_directors(task)
    orders = [task.fixed[P2]] if P2 in task.fixed else _ORDERS
    compared = _sort_by_misfit(curves, _list_sizes(task), list(product(orders, directors)))
    chosen: list[dict[str, Any]] = []
    for start in compared:
        if len(chosen) < _FOLLOWED and not any(_is_near(start, other) for other in chosen):
            chosen.append(start)
    width = {f"{LENGTHS[task.model][1][0]}_pd": _WIDTH}
    return [complete_distributions(start | width | dict(task.fixed), _POINTS) for start in chosen]


def _is_near(start: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two starts have the same proportions and sign of order: descents from both end alike."""
    return bool(start["ratio"] == other["ratio"] and start[P2] * other[P2] > 0)


def _list_directors(task: SectorTask) -> list[float]:
    if DIRECTOR in task.fixed:
        return [float(task.fixed[DIRECTOR])]
    azimuths = _azimuths(task)
    if not _is_director_fitted(task):
        return azimuths
    if len(azimuths) > 2:  # two show no second harmonic
        with suppress(DataError):
            direction = find_direction(task.sample.curves)
            return [direction, direction + 90]
    between = [(a + b) / 2 for a, b in zip(azimuths, [*azimuths[1:], azimuths[0] + 180], strict=True)]
    return [*azimuths, *between]


def find_direction(curves: Sequence[Curve]) -> float:
    """Azimuth in degrees about which sectors are symmetric; a quarter turn on they are as symmetric. Raises
    DataError if they share too few points of q.
    """
    _, intensity, errors = list_at_common_q(curves)
    angles = np.radians([2 * curve.sector.azimuth for curve in curves if curve.sector])
    waves = np.column_stack([np.ones(angles.size), np.cos(angles), np.sin(angles)])
    second = (np.linalg.pinv(waves) @ intensity)[1:] / np.mean(errors, axis=0)
    _, vectors = np.linalg.eigh(second @ second.T)  # their sign changes with q
    return float(np.degrees(np.arctan2(vectors[1, -1], vectors[0, -1])) / 2)


def _list_sizes(task: SectorTask) -> list[dict[str, Any]]:
    """Sizes of a grid over what the q range shows, with given values in place of the grid's."""
    low = min(float(curve.q[0]) for curve in task.sample.curves)
    high = max(float(curve.q[-1]) for curve in task.sample.curves)
    across = np.geomspace(1.5 / high, 1.5 / low, _SIZES)
    fixed = dict(task.fixed) | list_densities(task)[0]
    grid = _GRIDS[task.model](across, fixed)
    return [sizes | fixed for sizes in grid]


def _list_ellipsoids(across: Floats, fixed: Mapping[str, float]) -> list[dict[str, Any]]:
    del fixed
    return [
        {"radius_equatorial": r, "radius_polar": r * k, "ratio": k}
        for r, k in product(across, _RATIOS["ellipsoid"])
    ]


def _list_cylinders(across: Floats, fixed: Mapping[str, float]) -> list[dict[str, Any]]:
    del fixed
    return [{"radius": r, "length": 2 * r * k, "ratio": k} for r, k in product(across, _RATIOS["cylinder"])]


def _list_core_shell_cylinders(across: Floats, fixed: Mapping[str, float]) -> list[dict[str, Any]]:
    shell, solvent = fixed["sld_shell"], fixed["sld_solvent"]
    return [
        {"radius": r / (1 + t), "thickness": r * t / (1 + t), "length": 2 * r * k, "ratio": (k, t, c),
         "sld_core": solvent + c * (shell - solvent)}
        for r, k, t, c in product(across, _RATIOS["cylinder"], _SHELLS, _CORES)
    ]  # fmt: skip


def _list_layers(across: Floats, fixed: Mapping[str, float]) -> list[dict[str, Any]]:
    del fixed
    return [{"thickness": 2 * r, "ratio": r} for r in across]


def _list_parallelepipeds(across: Floats, fixed: Mapping[str, float]) -> list[dict[str, Any]]:
    del fixed
    return [
        {"length_a": 1.8 * r, "length_b": 1.8 * r * b, "length_c": 2 * r * k, "ratio": (k, b)}
        for r, k, b in product(across, _RATIOS["parallelepiped"], _SIDES)
    ]


_GRIDS = {
    "cylinder": _list_cylinders,
    "core_shell_cylinder": _list_core_shell_cylinders,
    "ellipsoid": _list_ellipsoids,
    "lamellar": _list_layers,
    "parallelepiped": _list_parallelepipeds,
}


# --- What a descent says.


def make_fit(task: SectorTask, problem: SectorProblem) -> JointFit:
    minimum = plain(problem, problem.best)
    discrepancies = [Discrepancy(curve.curve, curve.dintensity) for curve in problem.curves]
    off = residuals(problem, minimum)
    evidences = [
        integrate_discrepancy(d, theory) for d, theory in zip(discrepancies, minimum.theories, strict=True)
    ]
    linear = linear_at(problem, minimum.x)
    errors, _ = deviations(linear, minimum, off, discrepancies, [e.shared for e in evidences])
    values = problem.decode(minimum.x)[0] | {
        "scale": minimum.common, "background": float(minimum.backgrounds[0])
    }  # fmt: skip
    wide = np.array([_extent(task, name, values, discrepancies[0].constant) for name, _ in linear.keys])
    lost = minus_two_log(
        discrepancies,
        minimum.theories,
        off[0],
        linear.slopes,
        (off[1], linear.besides),
        wide / np.sqrt(2 * np.pi),
    )
    lengths = [name for names in LENGTHS.get(task.model, ()) for name in names]
    for name in {name for name, _ in problem.varied if name in lengths} - {name for name, _ in linear.keys}:
        extent = _extent(task, name, values, discrepancies[0].constant)
        lost += 2 * float(np.log(extent / (np.sqrt(2 * np.pi) * _UNSEEN * float(values[name]))))
    return _as_joint_fit(task, minimum, values, errors, lost, [e.shared for e in evidences], linear.columns())


def _extent(task: SectorTask, name: str, values: Mapping[str, Any], background: float) -> float:
    """How far a parameter may be off before the curves are known: of angles half a turn."""
    if name in _EXTENTS:
        return _EXTENTS[name]
    value = float(values[name])
    return extent_in(task.model, name, Parameter(value, None, "", False, value, value), background)


def _as_joint_fit(
    task: SectorTask, minimum: Minimum, values: Mapping[str, Any], errors: Mapping[Key, float], lost: float,
    shared_errors: Sequence[Any], derivatives: Mapping[Key, Floats],
) -> JointFit:  # fmt: skip
    info = task.info
    intensity_unit = task.sample.curves[0].intensity_unit
    units = {p.name: unit_of_parameter(p.units, intensity_unit) for p in info.parameters.call_parameters}
    names = [name for name in values if name.removesuffix("_pd") in units]
    parameters = {
        name: _make_parameter(task, info, name, values[name], errors.get((name, None)), units)
        for name in names
    }
    curves = list(zip(task.sample.curves, task.dintensities, minimum.theories, strict=True))
    chisq = tuple(float(np.sum(((t - c.intensity) / d) ** 2)) for c, d, t in curves)
    points = sum(theory.size for theory in minimum.theories)
    widths = {n.removesuffix("_pd"): str(values[f"{n}_type"]) for n in parameters if n.endswith("_pd")}
    return JointFit(
        task.model, None, parameters, tuple(map(_describe_sector, task.sample.curves)), chisq,
        sum(chisq) / max(points - len(errors), 1), lost, 1.0, minimum.theories, widths, tuple(shared_errors),
        tuple(standardise_runs(c.intensity - t) for c, _, t in curves), derivatives=derivatives,
    )  # fmt: skip


def _describe_sector(curve: Curve) -> dict[str, Parameter]:
    """Azimuth and half-width of a curve, as values that are its own."""
    assert curve.sector is not None
    values = {"azimuth": curve.sector.azimuth, "half_width": curve.sector.half_width}
    return {name: Parameter(value, None, "degrees", True, value, value) for name, value in values.items()}


def _make_parameter(
    task: SectorTask, info: Any, name: str, value: float, error: float | None, units: Mapping[str, str]
) -> Parameter:
    if name == DIRECTOR:
        value = (value + 90) % 180 - 90
    low, high = (value, value) if error is None else task.ranges.get(name) or range_of(info, name, value)
    why = ""
    densities, fitted = list_densities(task)
    if name in (SHARPNESS, TAILS) and error is not None and error > _EXTENTS[name]:
        why, error = _NOT_SHOWN, None
    if (
        error is not None
        and fitted
        and name in (*fitted, "scale")
        and not densities.keys() <= task.fixed.keys()
    ):
        why, error = ONE_SOLVENT, None
    return Parameter(
        float(value),
        error,
        units.get(name, ""),
        error is None and not why,
        float(low),
        float(high),
        undetermined=why,
    )
