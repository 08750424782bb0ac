"""Fit sectors and spin states of magnetic spheres as one: shape, magnetic density and non-magnetic layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from ...arrays import Floats, Integers
from ...data.raw import points
from ...data.sample.sample import Sample
from ...simulate.magnetic_spheres import LAYER, MAGNETIC_SLD, POLARISATION, SHARE, SMALL, SPHERES
from ...simulate.size_distributions import distribution_keywords
from ...types import Suggestion
from ..ledger import Ledger, read_spent_time
from ..pool import answers
from ..problem.magnetic_particles import MagneticCurves, magnetic_info
from ..problem.shared_parameters import Plan
from ..result.sample_result import JointFit, SampleResult
from ..settings import EVIDENCE
from ..task import Budget, FitOptions, no_curve
from .joint_fit import collect_fixed
from .oriented import (
    SectorProblem,
    SectorTask,
    descend,
    is_complete,
    list_densities,
    make_fit,
    rank_particles,
)

#: Core radii of starts; shell over core; contrast of the shell over that of the core.
_SIZES, _SHELLS, _CONTRASTS = 14, (0.12, 0.35, 1.0), (-5.0, -1.0, 0.3, 2.0)
#: Starts that are followed, steps of each, how many go on, and steps of those to the end.
_FOLLOWED, _FIRST_STEPS, _REFINED, _STEPS = 6, 12, 2, 60
#: Points of each curve among which starts are compared, and the relative error that is added there.
_FEW, _TOLERANCE = 30, 0.05
#: Between these a non-magnetic layer is found, Å; below 0 the magnetisation reaches beyond the core.
_LAYERS = (-100.0, 100.0)
#: Radii of gyration of smaller particles where a fit begins, Å.
_SMALL = (7.0, 18.0)
_WIDTH, _POLARISED = 0.1, 0.9
_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class MagneticTask(SectorTask):
    """Spheres to fit to all curves of a sample in a field."""

    contrast: float = 0.5  #: Magnetic over nuclear, where a fit begins.

    @property
    def info(self) -> Any:
        return magnetic_info(self.model)

    @property
    def free_densities(self) -> tuple[str, ...]:
        return ("sld_shell", MAGNETIC_SLD)

    @property
    def is_polarisation_fitted(self) -> bool:
        """Whether the polarisation of incident neutrons is not known, but the curves show it."""
        spins = [curve.spin for curve in self.sample.curves]
        return self.sample.polarisation is None and all(len(spin) < 2 for spin in spins) and any(spins)


class MagneticProblem(SectorProblem):
    """Sectors in a field; where spins are analysed, curves of flipped spins have their own background."""

    @property
    def groups(self) -> Integers:
        flips = np.array([curve.curve.spin in ("+-", "-+") for curve in self.curves], dtype=int)
        return flips if flips.min() < flips.max() else 0 * flips


def fit_magnetic(
    ledger: Ledger, sample: Sample, dintensities: tuple[Floats, ...], options: FitOptions, contrast: float,
    suggestion: Suggestion,
) -> SampleResult:  # fmt: skip
    """Fit spheres with and without shell, each with and without a non-magnetic layer, the likeliest first."""
    tasks = [
        MagneticTask(
            sample, dintensities, model, collect_fixed(options, model), options.ranges, contrast=contrast
        )
        for model in SPHERES
        if model in (options.models or SPHERES) and options.allows(model)
    ]
    fits = list[JointFit]()
    for _, answer in answers(ledger, fit_spheres, tasks, ledger.remaining):
        fits += [] if isinstance(answer, Exception) else [_select_likelier(answer)]
    return SampleResult(sample, dintensities, tuple(rank_particles(fits)), suggestion)


def _select_likelier(fits: Sequence[JointFit]) -> JointFit:
    """Of fits with more and more parameters the first that none is strongly likelier than."""
    chosen = fits[0]
    for fit in fits[1:]:  # each has more parameters than those before it
        if fit.minus_two_log < chosen.minus_two_log - EVIDENCE.strong:
            chosen = fit
    return chosen


def fit_spheres(task: MagneticTask, bank: Any, budget: Budget) -> list[JointFit]:
    """Fit one particle to all curves, magnetised up to its surface, and with a non-magnetic layer. Raises
    SasnetError if no start has a finite curve.
    """
    del bank, budget
    spent_time = read_spent_time()
    few = [np.unique(np.linspace(0, len(c) - 1, _FEW).round().astype(int)) for c in task.sample.curves]
    thin = _make_curves(task, few)
    rough = _descend(task, thin, _find_starts(task, thin), _FIRST_STEPS, _TOLERANCE)[:_REFINED]
    whole = _make_curves(task, [slice(None)] * len(few))
    fits = _fit_variants(task, whole, [problem.nearest[0] for problem in rough])
    if not any(is_complete(fit) for fit in fits) and SMALL not in task.fixed:
        starts = [p.nearest[0] | {SMALL: rg, SHARE: 0.05, LAYER: 0.0} for p in rough for rg in _SMALL]
        fits += _fit_variants(task, whole, starts, frozenset({SMALL, SHARE}))
    if not fits:
        raise no_curve(task.name)
    return [replace(fit, seconds=read_spent_time() - spent_time) for fit in fits]


def _fit_variants(
    task: MagneticTask, curves: list[Any], starts: Sequence[Mapping[str, Any]], free: frozenset[str] = _NONE
) -> list[JointFit]:
    plain = _descend(task, curves, starts, _STEPS, free=free)
    begin = [problem.nearest[0] | {LAYER: depth} for problem in plain[:1] for depth in (3.0, -3.0)]
    layered = [] if LAYER in task.fixed else _descend(task, curves, begin, _STEPS, free=free | {LAYER})
    return [make_fit(task, problem) for problem in [*plain[:1], *layered[:1]]]


def _make_curves(task: MagneticTask, rows: Sequence[Any]) -> list[Any]:
    ranges = {LAYER: _LAYERS, POLARISATION: (0.0, 1.0)} | dict(task.ranges)
    return [
        MagneticCurves(points(curve, part), dintensity[part], task.model, task.sample, ranges=ranges)
        for curve, dintensity, part in zip(task.sample.curves, task.dintensities, rows, strict=True)
    ]


def _descend(
    task: MagneticTask, curves: list[Any], starts: Sequence[Mapping[str, Any]], steps: int,
    tolerance: float = 0.0, free: frozenset[str] = _NONE,
) -> list[MagneticProblem]:  # fmt: skip
    return descend([_make_problem(task, curves, start, tolerance, free) for start in starts], steps)


def _make_problem(
    task: MagneticTask,
    curves: list[Any],
    start: Mapping[str, Any],
    tolerance: float,
    free: frozenset[str] = _NONE,
) -> MagneticProblem:
    known = dict(task.fixed) | list_densities(task)[0]
    known |= {name: task.fixed.get(name, 0.0) for name in (LAYER, SMALL, SHARE) if name not in free}
    known |= {} if task.is_polarisation_fitted else {POLARISATION: 1.0}
    plan = Plan(known=(known,) * len(curves))
    return MagneticProblem(curves, [start] * len(curves), plan, tolerance=tolerance)


def _find_starts(task: MagneticTask, curves: list[Any]) -> list[dict[str, Any]]:
    low = min(float(curve.q[0]) for curve in task.sample.curves)
    high = max(float(curve.q[-1]) for curve in task.sample.curves)
    radii = np.geomspace(2.5 / high, 2.5 / low, _SIZES)
    compared = [(_misfit(task, curves, start), start) for start in _list_spheres(task, radii)]
    compared.sort(key=lambda pair: pair[0])
    return [start for _, start in compared[:_FOLLOWED]]


def _misfit(task: MagneticTask, curves: list[Any], start: Mapping[str, Any]) -> float:
    problem = _make_problem(task, curves, start, _TOLERANCE)
    residual = problem.residuals(problem.each("first"))
    return float(residual @ residual)


def _list_spheres(task: MagneticTask, radii: Floats) -> list[dict[str, Any]]:
    radius, density, shell = SPHERES[task.model]
    fixed = dict(task.fixed) | list_densities(task)[0]
    solvent = fixed["sld_solvent"]
    core = fixed[density] - solvent
    signs = (1.0, -1.0) if any(curve.spin for curve in task.sample.curves) else (1.0,)
    polarised = _POLARISED if task.is_polarisation_fitted else 1.0
    start = {f"{radius}_pd": _WIDTH, **distribution_keywords(radius, "gaussian", _WIDTH, 15)}
    start |= {LAYER: 0.0, SMALL: 0.0, SHARE: 0.0, POLARISATION: polarised}
    shells = product(_SHELLS, _CONTRASTS) if shell else [(0.0, 0.0)]
    grid = [
        start | {radius: float(r), MAGNETIC_SLD: sign * task.contrast * core}
        | ({"thickness": float(r) * t, shell: solvent + c * core} if shell else {})
        for r, sign, (t, c) in product(radii, signs, list(shells))
    ]  # fmt: skip
    return [sizes | fixed for sizes in grid]
