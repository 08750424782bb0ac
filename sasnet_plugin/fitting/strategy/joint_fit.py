"""Fit one model to several curves: from starts that single curves give, to values and errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...arrays import Floats
from ...data.sample.sample import ALWAYS_OWN, CONTRASTS, SETTINGS, Sample
from ...simulate.priors import default_values, model_info
from ...types import product_name
from ...units import unit_of_parameter
from ..assessment.error_estimates import Held, errors_to_add, widen_errors
from ..evidence.discrepancy import Discrepancy
from ..evidence.linear import (
    Minimum,
    deviations,
    evidence_of_all,
    linear_at,
    plain,
    residuals,
    solve_generalised,
)
from ..evidence.marginal import Evidence, cost_outside, marginal, penalise_outside
from ..ledger import Ledger, read_spent_time
from ..optimize.bumps_fit import ReportedJoint, refit_jointly_by_bumps
from ..optimize.least_squares_problem import LeastSquaresProblem
from ..pool import answers
from ..problem.bounds import range_of
from ..problem.contrast import compute_contrast_values
from ..problem.contrast_forms import ContrastForms
from ..problem.experiment import TimeUpError, starting_values
from ..problem.free_parameters import SALT, add_surroundings, complete_distributions, moving
from ..problem.model_curves import ModelCurves
from ..problem.shared_parameters import Plan, plan_of
from ..result.components import bare
from ..result.model_fit import ModelFit, Parameter
from ..result.residuals import standardise_runs
from ..result.sample_result import JointFit, Key, SampleResult, select_alike
from ..settings import ASSESSMENT, EFFORT, EVIDENCE, PROBLEM
from ..start_values.contrast_starts import APART, density_starts, own_density_starts
from ..task import Budget, FitOptions, no_curve
from .settings import STRATEGY

# --- One model, several curves.

#: Values that all curves share, and those of each.
Start = tuple[dict[str, Any], list[dict[str, Any]]]
#: Steps with which a start is tried, those of the best to the end, and how many these are.
_FIRST_STEPS, _STEPS, _FOLLOWED = 6, 60, 2
#: Starts that are tried, the nearest to the data.
_TRIED = 4
#: What a joint fit may take, and one beside another that explains the sample.
JOINT, BESIDE = Budget(8.0), Budget(3.0)
#: Share of the greatest weight up to which a fit may not be first and is not refined.
NEGLIGIBLE = 0.01
#: Less is none, mol/L: it screens over 3000 Å. By the logarithm of what does nothing a step is endless, and
#: being the longest it holds up all others.
_NO_SALT = 1e-6


@dataclass(frozen=True)
class JointTask:
    """A model to fit to a sample."""

    sample: Sample
    dintensities: tuple[Floats, ...]  #: Shape (n,).
    model: str
    structure_factor: str | None
    starts: tuple[dict[str, Any] | None, ...]  #: Of each curve alone, where this model was fitted to it.
    fixed: dict[str, float] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    fitted: tuple[str, ...] = ()  #: Parameters that the user wants fitted.
    probability: float = 0.0  #: Of the curves' answers together.
    per_decade: int | None = None
    budget: Budget = Budget(10.0)
    settled: bool = False  #: The starts are where a joint fit has ended: other densities need not be tried.

    @property
    def name(self) -> str:
        return product_name(self.model, self.structure_factor)


@dataclass(frozen=True)
class JointMinimum:
    """Where a joint fit has ended."""

    task: JointTask
    plan: Plan
    values: tuple[dict[str, Any], ...]  #: sasmodels' parameters of each curve, scale and background included.
    #: Standard deviations by (name, curve); shared ones by (name, None); of what was fitted.
    errors: dict[Key, float]
    chisq: tuple[float, ...]  #: Of each curve.
    prior: float  #: What the calibration of the scales costs besides.
    theories: tuple[Floats, ...]  #: Shape (n,).
    common: float  #: The scale that the curves have in common; NaN where they have none.
    evidences: tuple[Evidence, ...] = ()  #: Of each curve, its parameters where they are.
    minus_two_log: float = np.inf  #: -2 ln of the marginal likelihood of all curves (`joint_evidence`).
    #: Shape (n + m,). Of the residuals of all curves, those of what is known besides at the end.
    derivatives: Mapping[Key, Floats] = field(default_factory=dict)
    varied: tuple[Key, ...] = ()  #: What was fitted, shown by the curves or not.


def make_restart_task(
    sample: Sample, dintensities: tuple[Any, ...], options: FitOptions, fit: JointFit
) -> JointTask:
    """A joint fit from where it has ended."""
    starts = tuple(starting_values(fit.make_curve_fit(i)) for i in range(len(sample.curves)))
    return JointTask(
        sample, dintensities, fit.model, fit.structure_factor, starts,
        collect_fixed(options, fit.model, fit.structure_factor),
        dict(options.ranges), options.fitted, fit.probability, fit.per_decade,
        JOINT if fit.lacking() else BESIDE, settled=True,
    )  # fmt: skip


def collect_fixed(options: FitOptions, model: str, factor: str | None = None) -> dict[str, float]:
    contrast = compute_contrast_values(options.contrast, model) if options.contrast else {}
    free = {*options.fitted, *options.ranges}
    return add_surroundings(factor, {**contrast, **options.fixed}, free, given=options.temperature)


def fit_jointly(task: JointTask, bank: Any, budget: Budget) -> JointFit:
    """Fit one model to all curves of a sample. Raises SasnetError if no start has a finite curve."""
    del bank
    spent_time = read_spent_time()
    deadline = spent_time + min(budget.seconds, task.budget.seconds)
    plan, curves = _plan(task), _curves(task)
    forms = ContrastForms(curves)
    problems: list[LeastSquaresProblem] = []
    for joint in _nearest(_problem(curves, plan, start, forms) for start in _starts(task, plan, forms)):
        for search in curves:
            search.deadline = deadline
        with suppress(TimeUpError):
            joint.run(_FIRST_STEPS)
        if np.isfinite(joint.chisq):
            problems.append(joint)
        if read_spent_time() > deadline and problems:
            break
    problems.sort(key=lambda problem: problem.chisq)
    ends = [_restart(joint) for joint in problems[:_FOLLOWED]]
    for joint in ends:
        with suppress(TimeUpError):
            joint.run(_STEPS)
    if not ends:
        raise no_curve(task.name)
    for search in curves:
        search.deadline = np.inf
    different = _find_different_matter(ends, forms.matter)
    fits = (_make_joint_fit(_make_joint_minimum(task, plan, joint)) for joint in different)
    fit = min(fits, key=lambda joint_fit: joint_fit.minus_two_log)
    return replace(fit, seconds=read_spent_time() - spent_time)


def _find_different_matter(
    problems: Sequence[LeastSquaresProblem], names: Sequence[str]
) -> list[LeastSquaresProblem]:
    """The nearest to the data, and as near ones with other densities of matter."""
    # In two solvents two densities have contrasts of one ratio; that one is of no matter is seen in itself.
    first = min(problems, key=lambda joint: joint.chisq)
    near = [joint for joint in problems if joint.chisq <= first.chisq + EVIDENCE.strong]

    def change(joint: LeastSquaresProblem) -> float:
        here, there = joint.nearest[0], first.nearest[0]
        return max((abs(float(here[name]) - float(there[name])) for name in names), default=0.0)

    return [first, *(joint for joint in near if change(joint) > APART)]


def _plan(task: JointTask) -> Plan:
    return plan_of(task.sample, task.model, task.structure_factor, task.fixed)


def _curves(task: JointTask) -> list[ModelCurves]:
    # Values that are given are the plan's; scales and backgrounds that are not are solved for.
    fixed = _plan(task).linear_constants
    return [
        ModelCurves(
            curve,
            dintensity,
            task.name,
            fixed=fixed,
            ranges=task.ranges,
            fitted=frozenset(task.fitted),
            per_decade=task.per_decade,
        )
        for curve, dintensity in zip(task.sample.curves, task.dintensities, strict=True)
    ]


def _problem(
    curves: Sequence[ModelCurves], plan: Plan, start: Start, forms: ContrastForms
) -> LeastSquaresProblem:
    shared, own_starts = start
    starts = [shared | own_start for own_start in own_starts]
    if plan.linear_constants == {"background"}:
        starts = [
            curve.add_scale({n: v for n, v in {**values, **known}.items() if n != "scale"})
            for curve, values, known in zip(curves, starts, plan.known, strict=True)
        ]
    return LeastSquaresProblem(curves, starts, plan, forms=forms)


def _nearest(problems: Iterable[LeastSquaresProblem]) -> list[LeastSquaresProblem]:
    off = [(float(np.sum(joint.residuals(joint.each("first")) ** 2)), joint) for joint in problems]
    return [joint for _, joint in sorted(off, key=lambda pair: pair[0])[:_TRIED]]


def _restart(joint: LeastSquaresProblem) -> LeastSquaresProblem:
    """Another beginning where one has ended."""
    return LeastSquaresProblem(joint.curves, joint.nearest, joint.plan, forms=joint.forms)


def _starts(task: JointTask, plan: Plan, forms: ContrastForms) -> list[Start]:
    """Values that all share, and those of each curve, from the fits of single curves."""
    starts: list[Start] = []
    rng = np.random.default_rng(0)
    for single in _different([s for s in task.starts if s is not None] or [{}], plan):
        shared = complete_distributions({**default_values(task.name), **single, **task.fixed}, 35)
        own_starts = [_select_own(start or single, plan) for start in task.starts]
        starts += _from_one(task, plan, forms, (shared, own_starts), rng)
    return starts


def _from_one(
    task: JointTask, plan: Plan, forms: ContrastForms, start: Start, rng: np.random.Generator
) -> list[Start]:
    if task.settled:
        return [start]
    shared, own_own_start = start
    if task.sample.kind == CONTRASTS and not set(forms.matter) <= plan.own:
        of_matter = density_starts(forms, plan, shared, rng)
        if of_matter:
            return [(shared | matter, list(around)) for matter, around in of_matter]
    owns = [
        own_own_start,
        *_add_salt(shared, own_own_start, plan),
        *_make_density_starts(forms, plan, shared, rng),
    ]
    return [(shared, own_start) for own_start in owns]


def _select_own(start: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    own_values = {n: v for n, v in start.items() if n in plan.own or n.removesuffix("_pd") in plan.own}
    return {n: 0.0 if bare(n) == SALT and v < _NO_SALT else v for n, v in own_values.items()}


def _add_salt(
    shared: Mapping[str, Any], own_starts: Sequence[dict[str, Any]], plan: Plan
) -> Iterator[list[dict[str, Any]]]:
    """Yield the same starts with salt, if each curve may have some and none begins with any."""
    for name in plan.own:
        if bare(name) == SALT and not float(shared.get(name, 0.0)) > 0:
            yield [own_start | {name: STRATEGY.some_salt} for own_start in own_starts]


def _make_density_starts(
    forms: ContrastForms, plan: Plan, shared: Mapping[str, Any], rng: np.random.Generator
) -> list[list[dict[str, Any]]]:
    """Each curve's own densities for a shape; those of its single fit go with another one."""
    if not forms.matter or not set(forms.matter) <= plan.own:
        return []
    densities = own_density_starts(forms, plan, shared, rng)
    return [list(densities)] if densities else []


def _different(starts: Sequence[dict[str, Any]], plan: Plan) -> list[dict[str, Any]]:
    excluded_names = {
        "scale",
        "background",
        *plan.own,
        *(name for known_values in plan.known for name in known_values),
    }
    different: dict[Any, dict[str, Any]] = {}
    for start in starts:
        key = tuple(
            sorted((n, str(v)) for n, v in start.items() if n.removesuffix("_pd") not in excluded_names)
        )
        different.setdefault(key, start)
    return list(different.values())


def _make_joint_minimum(task: JointTask, plan: Plan, joint: LeastSquaresProblem) -> JointMinimum:
    discrepancies = [Discrepancy(curve.curve, curve.dintensity) for curve in joint.curves]
    first = plain(joint, joint.best)
    evidences = _evidences(discrepancies, first)
    linear = linear_at(joint, first.x)
    errors, slow = deviations(
        linear, first, residuals(joint, first), discrepancies, [curve.shared for curve in evidences]
    )
    if _usual(evidences):  # nothing is gained by weights where the model is wrong
        second = solve_generalised(joint, first.x, slow)
        better = _evidences(discrepancies, second)
        if _usual(better) and _compute_minus_two_log(second, better) < _compute_minus_two_log(
            first, evidences
        ):
            first, evidences = second, better
    values = joint.decode(first.x)
    for i, curve_values in enumerate(values):
        curve_values |= {"scale": float(first.scales[i]), "background": float(first.backgrounds[i])}
    chisq = tuple(
        float(np.sum(((theory - curve.curve.intensity) / curve.dintensity) ** 2))
        for theory, curve in zip(first.theories, joint.curves, strict=True)
    )
    common = first.common if plan.factors is not None else np.nan
    lost = evidence_of_all(joint, task.name, linear, first, discrepancies)
    return JointMinimum(
        task, plan, tuple(values), errors, chisq, first.prior, first.theories, common, evidences, lost,
        linear.columns(), joint.varied,
    )  # fmt: skip


def _evidences(discrepancies: Sequence[Discrepancy], minimum: Minimum) -> tuple[Evidence, ...]:
    return tuple(
        integrate_discrepancy(discrepancy, theory)
        for discrepancy, theory in zip(discrepancies, minimum.theories, strict=True)
    )


def _usual(evidences: Sequence[Evidence]) -> bool:
    """Whether slow errors are no larger than measurements have."""
    return all(one_evidence.shared.relative <= ASSESSMENT.small_systematic for one_evidence in evidences)


def _compute_minus_two_log(minimum: Minimum, evidences: Sequence[Evidence]) -> float:
    """-2 ln of the likelihood."""
    return minimum.prior + sum(one_evidence.minus_two_log for one_evidence in evidences)


def integrate_discrepancy(discrepancy: Discrepancy, theory: Floats) -> Evidence:
    """Integrate over noise and shared error of one curve, parameters fixed."""
    # What all curves share cannot move for one of them alone.
    residual = (discrepancy.curve.intensity - theory) / discrepancy.dintensity
    return marginal(discrepancy, theory, residual, np.zeros((residual.size, 0)))


#: Why parameters are not determined.
NOT_SHOWN = "it was fitted, but the curves do not determine it"
UNKNOWN_SOLVENTS = "the solvents are not given, so that only ratios of contrasts are known"
NO_DENSITY = "no density is given, so that only differences of densities are known"
ONE_SOLVENT = "not all other densities are given, so that only ratios of contrasts are known"


def _make_joint_fit(minimum: JointMinimum) -> JointFit:
    """Where a fit has ended, as people and programs see it."""
    task, points = minimum.task, sum(theory.size for theory in minimum.theories)
    total = sum(minimum.chisq) + minimum.prior
    shared, curve_parameters = _parameters(minimum)
    widths = [n.removesuffix("_pd") for n in shared if n.endswith("_pd")]
    kinds = {n: str(minimum.values[0].get(f"{n}_pd_type", "gaussian")) for n in widths}
    fit = JointFit(
        task.model, task.structure_factor, shared, curve_parameters, minimum.chisq,
        total / max(points - len(minimum.errors), 1),
        minimum.minus_two_log,
        task.probability, minimum.theories, kinds, tuple(evidence.shared for evidence in minimum.evidences),
        _runs(minimum), task.per_decade, derivatives=minimum.derivatives,
        one_intensity=task.sample.kind == SETTINGS, factors=minimum.plan.factors, common=minimum.common,
        background_deviation=minimum.plan.background,
    )  # fmt: skip
    # Values that no sample has, such as a length below an atom's, speak against a fit as they do alone.
    curve_fits = map(fit.make_curve_fit, range(len(curve_parameters)))
    outside = max(penalise_outside(one, _list_unseen(minimum, one)) for one in curve_fits)
    lost = minimum.minus_two_log + outside + _penalise_densities(fit, task.sample.probes)
    return replace(fit, minus_two_log=lost)


def _list_unseen(minimum: JointMinimum, fit: ModelFit) -> list[str]:
    """Lengths that were fitted and end where no curve shows them, as that of an endlessly thin disc."""
    lengths = [name for name, p in fit.parameters.items() if p.fixed and p.unit == "Ang"]
    return [name for name in lengths if name not in minimum.plan.names_held]


def _penalise_densities(fit: JointFit, probes: Sequence[str]) -> float:
    """-2 ln of how far shared densities lie from those of matter, in their errors."""
    low, high = PROBLEM.matter["xray" if "xray" in probes else "neutron"]
    free = [p for name, p in fit.parameters.items() if "sld" in bare(name) and not p.fixed and p.error]
    return sum(cost_outside(p, low, high) for p in free)


def _parameters(minimum: JointMinimum) -> tuple[dict[str, Parameter], tuple[dict[str, Parameter], ...]]:
    """What all curves share, and what each has of its own."""
    table = _table(product_name(minimum.task.model, minimum.task.structure_factor))
    given = {curve.intensity_unit for curve in minimum.task.sample.curves}
    intensity_unit = given.pop() if len(given) == 1 else ""
    units = {p.name: unit_of_parameter(p.units, intensity_unit) for p in table}
    reasons = _find_undetermined(minimum, [p.name for p in table if p.type == "sld"])
    names = [n for n in minimum.values[0] if n.removesuffix("_pd") in units]
    single = _single(minimum, names)
    shared = {n: _parameter(minimum, units, n, None) for n in names if n not in single}
    # Widths of nothing are left out.
    shared = {n: p for n, p in shared.items() if not n.endswith("_pd") or p.value > 0}
    own_curve_parameters = [
        {n: _parameter(minimum, units, n, i) for n in names if n in single}
        for i in range(len(minimum.values))
    ]
    return _mark_undetermined(shared, reasons), tuple(
        _mark_undetermined(curve_parameters, reasons) for curve_parameters in own_curve_parameters
    )


def _table(name: str) -> list[Any]:
    call_parameters = model_info(name).parameters.call_parameters
    return [p for p in call_parameters if p.type not in ("magnetic", "orientation")]


def _single(minimum: JointMinimum, names: Sequence[str]) -> set[str]:
    varied = {name for name, place in (*minimum.errors, *minimum.varied) if place is not None}
    return {
        *ALWAYS_OWN, *varied,
        *(name for name in names if len({values[name] for values in minimum.values}) > 1),
    }  # fmt: skip


def _runs(minimum: JointMinimum) -> tuple[float, ...]:
    curves = zip(minimum.task.sample.curves, minimum.theories, strict=True)
    return tuple(standardise_runs(curve.intensity - theory) for curve, theory in curves)


def _parameter(minimum: JointMinimum, units: Mapping[str, str], name: str, place: int | None) -> Parameter:
    value = float(minimum.values[place or 0][name])
    error = minimum.errors.get((name, place))
    low, high, is_varied = value, value, (name, place) in minimum.varied
    if error is not None or is_varied:
        table = model_info(product_name(minimum.task.model, minimum.task.structure_factor))
        low, high = minimum.task.ranges.get(name) or range_of(table, name, value)
    reason = NOT_SHOWN if error is None and is_varied else ""
    return Parameter(value, error, units.get(name, ""), error is None, float(low), float(high), reason)


def _mark_undetermined(parameters: dict[str, Parameter], reasons: Mapping[str, str]) -> dict[str, Parameter]:
    return {
        name: replace(p, error=None, undetermined=reasons[name]) if name in reasons else p
        for name, p in parameters.items()
    }


def _find_undetermined(minimum: JointMinimum, densities: Sequence[str]) -> dict[str, str]:
    """Densities, and the scale, that other values could replace without any change of the curves."""
    # A common factor of all contrasts is one of the scale. In several solvents one density that is known
    # settles all others; in one solvent those that are fitted are relative to those that are not.
    plan = minimum.plan
    known_names = plan.names_held
    unknown = [name for name in densities if name not in known_names]
    if "scale" in known_names:
        return dict.fromkeys(unknown, NO_DENSITY) if len(unknown) == len(densities) else {}
    if minimum.task.sample.kind == CONTRASTS:
        reason = UNKNOWN_SOLVENTS if len(unknown) == len(densities) else ""
    else:
        curves = range(len(minimum.values))
        fixed_names = [n for n in unknown for i in curves if not {(n, None), (n, i)} & minimum.errors.keys()]
        reason = ONE_SOLVENT if fixed_names or len(unknown) == len(densities) else ""
    if not reason or not unknown:
        return {}
    return dict.fromkeys([*unknown, "scale"], reason)


# --- Errors of a joint fit.


def widen_joint_errors(ledger: Ledger, result: SampleResult, options: FitOptions) -> SampleResult:
    """The first fit, and those that the curves do not tell from it, with errors of all that is unknown."""
    if not result.fits:
        return result
    result = refit_by_bumps(ledger, result)
    near = [result.fits[0], *select_alike(result.fits)]
    widened = widen_fits(ledger, result.sample, result.dintensities, near, options)
    fits_by_name = {fit.name: fit for fit in widened}
    return replace(result, fits=tuple(fits_by_name.get(fit.name, fit) for fit in result.fits))


def widen_fits(
    ledger: Ledger,
    sample: Sample,
    dintensities: tuple[Any, ...],
    fits: Sequence[JointFit],
    options: FitOptions,
) -> list[JointFit]:
    """The fits with errors of all that is unknown."""
    tasks = [make_error_task(sample, dintensities, fit, options) for fit in fits]
    widened = list(fits)
    for index, added_errors in answers(ledger, errors_to_add, tasks, BESIDE.seconds):
        if not isinstance(added_errors, Exception):
            parameters = widen_errors(fits[index].parameters_by_key(), added_errors)
            widened[index] = fits[index].replace_parameters(parameters)
    return widened


def refit_by_bumps(ledger: Ledger, result: SampleResult) -> SampleResult:
    """Fit what is reported by Bumps, with a note on what was not."""
    near = {result.fits[0].name, *(fit.name for fit in select_alike(result.fits))}
    least = NEGLIGIBLE * max(fit.weight for fit in result.fits)
    places = [
        i
        for i, fit in enumerate(result.fits)
        if fit.name in near or (fit.weight > least and not fit.lacking())
    ]
    tasks = [ReportedJoint(result.sample, result.dintensities, result.fits[i]) for i in places]
    fits = list(result.fits)
    for index, fit in answers(ledger, refit_jointly_by_bumps, tasks, EFFORT.reported):
        if isinstance(fit, JointFit):
            fits[places[index]] = fit
    missing = [fits[i].name for i in places if not fits[i].fitter]
    notes = [*result.notes, *([f"{', '.join(missing)}: {_NOT_BY_BUMPS}"] if missing else [])]
    return replace(result, fits=tuple(fits), notes=tuple(notes))


_NOT_BY_BUMPS = (
    "Bumps did not refine this fit: the time was too short, or a tie determines a fitted parameter. Its"
    " values come from the search for starting values."
)


def make_error_task(
    sample: Sample, dintensities: tuple[Any, ...], fit: JointFit, options: FitOptions
) -> Held:
    """A fit with what is to be known of its errors."""
    given_names = frozenset({*options.fixed, *sample.ties})
    curve_fits = tuple(fit.make_curve_fit(i) for i in range(len(sample.curves)))
    fixed = collect_fixed(options, fit.model, fit.structure_factor)
    plan = plan_of(sample, fit.model, fit.structure_factor, fixed)
    return Held(
        sample.curves, dintensities, curve_fits, moving(fit.derivatives), given_names,
        STRATEGY.relative_dq[-1], plan=plan, ranged=frozenset(options.ranges),
    )  # fmt: skip
