"""Search among joint fits: which models, in which order, what each may become, and how they rank.

A long or a flat particle of one size and spheres of many sizes have curves alike to a few per cent (O.
Glatter and O. Kratky, Small Angle X-ray Scattering, 1982, chapter 5): a search that goes downhill ends at the
one where it begins near, and a size distribution that makes up for another shape stays.

sasmodels' size of a log-normal distribution is its median, that of the other kinds the mean: with the same
curve it is smaller by half the width squared, which is many errors. Kinds are compared by their means.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np

from ...data.sample.sample import CONCENTRATIONS, CONTRASTS, MAGNETIC, PROBES, SERIES, Sample
from ...simulate.clean import PD_TYPES
from ...simulate.priors import model_info
from ...types import Curve, SasnetError, Suggestion, sum_parts
from ..assessment.assess import as_the_simpler, prefer_likeliest_group
from ..assessment.error_estimates import Kind, spread_over
from ..evidence.marginal import alike, shares
from ..ledger import Ledger
from ..pool import answers
from ..problem.experiment import starting_values
from ..problem.free_parameters import fittable
from ..problem.nested_models import larger, simpler
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit, Parameter
from ..result.sample_result import JointFit, Key
from ..task import Budget, FitOptions, Pair, Task
from .fit_candidate import fit_candidate
from .hypothesis import make_hypothesis, priors
from .joint_fit import (
    BESIDE,
    JOINT,
    NEGLIGIBLE,
    JointTask,
    collect_fixed,
    fit_jointly,
    make_restart_task,
)
from .settings import STRATEGY

# --- Other layers, shapes and size distributions.

#: A model that is thought less probable is not fitted where another explains the sample.
UNLIKELY = 0.02
#: What every contrast is held against: bodies of one material, and of a core with a shell.
_PLAIN = ("sphere", "ellipsoid", "cylinder")
_SHELLS = ("core_shell_sphere", "core_shell_ellipsoid", "core_shell_cylinder")


def list_layered_bodies(body: str, chances: Mapping[str, float], but: Collection[str]) -> list[str]:
    """List bodies that one of fewer layers may stand for, the likeliest by `chances` first, without `but`."""
    material_count = materials(body)
    limits = [name for name in larger(body) if materials(name) > material_count > 0]
    likely = [
        n for n, chance in chances.items() if chance > UNLIKELY and materials(n) >= max(material_count, 2)
    ]
    body_names = dict.fromkeys(name for name in (*limits, *likely) if name not in but)
    return sorted(body_names, key=lambda name: -chances.get(name, 0.0))


def plainer(best: JointFit, options: FitOptions) -> list[Pair]:
    """Bodies with no more lengths than that of a fit, among hard neighbours where it has any."""
    # Of one material as well, where a fit of several leaves open whether they differ.
    factor = options.structure_factor
    if factor is None:
        factor = "hardsphere" if best.structure_factor else None
    elif factor == "none":
        factor = None
    bodies = [*_PLAIN]
    if materials(best.model) > 1:
        plain = _PLAIN if _may_be_one(best) else ()
        bodies = [n for n in (*plain, *_SHELLS) if lengths(n) <= lengths(best.model)]
    return [(name, factor) for name in bodies if options.allows(name, structure_factor=factor)]


def _may_be_one(fit: JointFit) -> bool:
    """Whether a density is so uncertain that it may be another part's."""
    density_parameters = (p for n, p in fit.parameters.items() if n.startswith("sld"))
    densities = [(p.value, p.error) for p in density_parameters if p.error is not None]
    return any(
        abs(value - other_density) < error
        for (value, error), (other_density, _) in permutations(densities, 2)
    )


def materials(model: str) -> int:
    """How many densities a body has, the solvent's left out."""
    table = model_info(model).parameters.call_parameters
    return len([p for p in table if p.type == "sld" and "solvent" not in p.name])


def lengths(model: str) -> int:
    """How many a body has, at least one."""
    table = model_info(model).parameters.call_parameters
    return max(len([p for p in table if p.type == "volume"]), 1)


Values = Mapping[str, float]
Start = dict[str, Any]
#: Long over wide of the bodies one begins at, a long and a flat one.
_RATIOS = (1.8, 0.55)
#: Width of a polydisperse sphere one begins at.
_WIDTH = 0.15
#: Of the volume that is seen of spheres of many sizes, <R⁶>/<R³>, over that of the mean one: 1 + 12 w² to
#: lowest order in the width w, of which a third for the radius.
_SEEN = 4.0


def _sphere(radius: float, ratio: float) -> Start:
    del ratio
    return {"radius": radius, "radius_pd": _WIDTH}


def _ellipsoid(radius: float, ratio: float) -> Start:
    wide = radius * ratio ** (-1 / 3)
    return {"radius_equatorial": wide, "radius_polar": wide * ratio}


def _rod(radius: float, ratio: float) -> Start:
    wide = radius * (2 / 3 / ratio) ** (1 / 3)
    return {"radius": wide, "length": 2 * wide * ratio}


def _make_coated_ellipsoid(radius: float, ratio: float) -> Start:
    return {"radius_equat_core": radius * ratio ** (-1 / 3), "x_core": ratio, "x_polar_shell": 1.0}


#: Of each body, the sphere of its volume, or of its core's; and its sizes from that and from its ratio.
_BODIES: dict[str, tuple[Callable[[Values], float], Callable[[float, float], Start]]] = {
    "sphere": (lambda v: v["radius"], _sphere),
    "ellipsoid": (lambda v: (v["radius_polar"] * v["radius_equatorial"] ** 2) ** (1 / 3), _ellipsoid),
    "cylinder": (lambda v: (0.75 * v["radius"] ** 2 * v["length"]) ** (1 / 3), _rod),
    "core_shell_sphere": (lambda v: v["radius"], _sphere),
    "core_shell_ellipsoid": (
        lambda v: v["x_core"] ** (1 / 3) * v["radius_equat_core"],
        _make_coated_ellipsoid,
    ),
    "core_shell_cylinder": (lambda v: (0.75 * v["radius"] ** 2 * v["length"]) ** (1 / 3), _rod),
}
_ROUND = ("sphere", "core_shell_sphere")
#: Long over wide, of bodies that are either.
_RATIO: dict[str, Callable[[Values], float]] = {
    "ellipsoid": lambda v: v["radius_polar"] / v["radius_equatorial"],
    "cylinder": lambda v: v["length"] / (2 * v["radius"]),
    "core_shell_ellipsoid": lambda v: v["x_core"],
    "core_shell_cylinder": lambda v: v["length"] / (2 * v["radius"]),
}
#: A longer or flatter body has a curve of its own, and is not taken for the other.
_MOST_RATIO = 4.0
_THICKNESS = {"core_shell_ellipsoid": "thick_shell"}


def kin(fit: JointFit, options: FitOptions) -> list[str]:
    """Bodies of as many materials as that of a fit, of those that a user asks for; none if it is no body."""
    # Its own too, as a long and a flat one of it are two.
    if fit.model not in _BODIES:
        return []
    coated = fit.model.startswith("core_shell")
    bodies = [n for n in _BODIES if n.startswith("core_shell") == coated and options.allows(n)]
    other_bodies = [n for n in bodies if n not in _ROUND or n != fit.model]
    return [n for n in other_bodies if options.models is None or n in options.models]


def sizes(model: str) -> list[str]:
    """Names of the lengths of one of these bodies, or of its core, and of their ratio."""
    return [name for name in _BODIES[model][1](1.0, 1.0) if name != "x_polar_shell" and "_pd" not in name]


def other_shapes(task: JointTask, fit: JointFit, models: Sequence[str]) -> list[JointTask]:
    """Make long and flat bodies (`kin` of the fit) with the volume of a fit and one size, for all curves."""
    if not models:
        return []
    curve_values = [starting_values(fit.make_curve_fit(i)) for i in range(len(fit.own))]
    mean = sum(_compute_apparent_radius(fit.model, start) for start in curve_values) / len(curve_values)
    tasks = []
    for model in models:
        for ratio in (1.0,) if model in _ROUND else _RATIOS:
            body_values = _BODIES[model][1](mean, ratio)
            starts = tuple(
                _others(fit.model, s) | _coat(fit.model, model, s) | body_values for s in curve_values
            )
            tasks.append(replace(task, model=model, starts=starts, settled=False))
    return tasks


def other_proportions(task: JointTask, fit: JointFit) -> list[JointTask]:
    """Make a long body of a fit flat, and the reverse; none of others."""
    # With the widths that it has, and where none is the first of its sizes', with one of that alone: neither
    # of the two need be of one size, nor of many in the same length.
    curve_values = [starting_values(fit.make_curve_fit(i)) for i in range(len(fit.own))]
    if fit.model not in _RATIO or any(fit.make_curve_fit(0).parameters[n].fixed for n in sizes(fit.model)):
        return []
    ratio = _RATIO[fit.model](curve_values[0])
    if not 1 / _MOST_RATIO < ratio < _MOST_RATIO:
        return []
    (volume, of_volume), (long, flat) = _BODIES[fit.model], _RATIOS
    starts = [s | of_volume(volume(s), long if ratio < 1 else flat) for s in curve_values]
    start_sets = [starts]
    width = f"{sizes(fit.model)[0]}_pd"
    if any(name.endswith("_pd") for name in curve_values[0]) and width not in curve_values[0]:
        start_sets.append([{n: v for n, v in s.items() if "_pd" not in n} | {width: _WIDTH} for s in starts])
    return [replace(task, starts=tuple(start_set), settled=False) for start_set in start_sets]


def _compute_apparent_radius(model: str, values: Start) -> float:
    """Radius of the sphere of the volume that a curve shows, polydispersity included."""
    width = max((v for n, v in values.items() if n.endswith("_pd")), default=0.0)
    return float(_BODIES[model][0](values) * (1 + _SEEN * width**2))


def _others(model: str, values: Start) -> Start:
    """What is no size: densities, neighbours, scale and background."""
    sizes = {*_BODIES[model][1](1.0, 1.0), _THICKNESS.get(model, "thickness")}
    return {n: v for n, v in values.items() if not any(n == s or n.startswith(f"{s}_pd") for s in sizes)}


def _coat(model: str, other_model: str, values: Start) -> Start:
    """The shell's thickness under the other body's name, where it has one."""
    if not other_model.startswith("core_shell"):
        return {}
    return {_THICKNESS.get(other_model, "thickness"): values[_THICKNESS.get(model, "thickness")]}


#: Fits whose -2 ln of the evidence lies so far behind the best one may lead with another width: that of the
#: wrong length costs 40 in three curves that are off by 2 %, the wrong kind up to 25.
_LENGTH, _KIND = 60.0, 25.0
_MOVES_AT_ONCE = 2
#: Width with which one begins that has none.
_FIRST_WIDTH = 0.1


def whichever_distribution(
    ledger: Ledger, fits: Sequence[JointFit], make_task: Callable[[JointFit], JointTask], most: float
) -> list[JointFit]:
    """Give the best fit, and those near it within `most` CPU seconds, the size distribution that suits each.
    `make_task` makes the task that begins where a fit ended.
    """
    if not fits:
        return []
    first = _whichever(ledger, fits[0], make_task)
    fits_found, end = [first], ledger.spent + most
    # The quick ones first: one model that takes long would leave no time for all others.
    for fit in sorted(fits[1:], key=lambda joint: joint.seconds):
        near = fit.minus_two_log < first.minus_two_log + _LENGTH and ledger.spent < end
        fits_found.append(_whichever(ledger, fit, make_task, first.minus_two_log, end) if near else fit)
    return fits_found


def _whichever(
    ledger: Ledger,
    fit: JointFit,
    make_task: Callable[[JointFit], JointTask],
    best: float = np.inf,
    end: float = np.inf,
) -> JointFit:
    """The fit with the width of the length that suits best, and of the kind that does where that matters."""
    lengths = [fit, *_fit_in_turn(ledger, other_lengths(make_task(fit), fit), end)]
    moved = min(lengths, key=lambda length_fit: length_fit.minus_two_log)
    if moved.minus_two_log > best + _KIND:
        return spread_over_kinds(lengths)
    return spread_over_kinds([*lengths, *_fit_in_turn(ledger, other_kinds(make_task(moved), moved), end)])


def either_proportions(ledger: Ledger, fit: JointFit, make_task: Callable[[JointFit], JointTask]) -> JointFit:
    """The fit, long or flat, whichever is likelier, with errors that hold the other as well."""
    return spread_over_kinds([fit, *_fit_in_turn(ledger, other_proportions(make_task(fit), fit), np.inf)])


def _fit_in_turn(ledger: Ledger, tasks: Sequence[JointTask], end: float) -> list[JointFit]:
    """A few at once, until so much CPU is spent, s; what a busy clock says makes no difference."""
    fits_found: list[JointFit] = []
    for i in range(0, len(tasks), _MOVES_AT_ONCE):
        if ledger.spent < end:
            subset = answers(ledger, fit_jointly, tasks[i : i + _MOVES_AT_ONCE], ledger.remaining)
            fits_found += [fit for _, fit in subset if isinstance(fit, JointFit)]
    return fits_found


def other_kinds(task: JointTask, fit: JointFit) -> list[JointTask]:
    """Repeat a fit from its end with other kinds of its widest distribution."""
    widths = _widths(fit)
    if not widths:
        return []
    widest = max(widths, key=lambda n: widths[n])
    distribution = fit.distributions[widest]
    return [_set_start_values(task, {f"{widest}_pd_type": kind}) for kind in PD_TYPES if kind != distribution]


def other_lengths(task: JointTask, fit: JointFit) -> list[JointTask]:
    """Repeat the fit with the width of another length than the widest one, or of each."""
    widths = _widths(fit)
    used = set(
        fittable(model_info(task.name), {n: p.value for n, p in fit.make_curve_fit(0).parameters.items()})
    )
    table = model_info(task.name).parameters.call_parameters
    lengths = [p.name for p in table if p.polydisperse and p.type == "volume" and p.name in used]
    free = [n for n in lengths if f"{n}_pd" not in task.fixed and n not in widths]
    if not widths:
        return [_set_start_values(task, {f"{n}_pd": _FIRST_WIDTH, f"{n}_pd_type": PD_TYPES[0]}) for n in free]
    widest = max(widths, key=lambda n: widths[n])
    if f"{widest}_pd" in task.fitted:
        return []
    width, distribution = widths[widest], fit.distributions[widest]
    return [
        _set_start_values(task, {f"{widest}_pd": 0.0, f"{n}_pd": width, f"{n}_pd_type": distribution})
        for n in free
    ]


def _widths(fit: JointFit) -> dict[str, float]:
    width_parameters = {n: fit.parameters[f"{n}_pd"] for n in fit.distributions}
    return {n: p.value for n, p in width_parameters.items() if not p.fixed}


def _set_start_values(task: JointTask, values: Mapping[str, Any]) -> JointTask:
    return replace(task, starts=tuple({**(s or {}), **values} for s in task.starts))


def spread_over_kinds(fits: Sequence[JointFit]) -> JointFit:
    """Take the likeliest of fits that differ in their distribution, with errors that cover the others."""
    best = min(fits, key=lambda fit: fit.minus_two_log)
    rest = [
        (float(np.exp(0.5 * (best.minus_two_log - fit.minus_two_log))), fit)
        for fit in fits
        if fit is not best
    ]

    def spread(key: Key) -> Parameter:
        name, place = key[0], key[1] or 0
        kinds = [
            Kind(weight, {**fit.parameters, **fit.own[place]}, fit.distributions)
            for weight, fit in [(1.0, best), *rest]
        ]
        return spread_over(name, kinds[0], kinds[1:])

    return best.replace_parameters({key: spread(key) for key in best.parameters_by_key()})


# --- Which models, in which order, and how they rank.


@dataclass(frozen=True)
class Alone:
    """Curves that are fitted alone, where the joint fit begins: the sample's, or settings as one."""

    curves: tuple[Curve, ...]
    dintensities: tuple[Any, ...]  #: Shape (n_i,).
    fits: tuple[FitResult, ...]  #: Of each.

    def find_fits(self, pair: Pair) -> list[ModelFit | None]:
        return [
            next((f for f in result.fits if (f.model, f.structure_factor) == pair), None)
            for result in self.fits
        ]


#: Models fitted jointly at once, and at most; so many where one of them explains the sample.
_AT_ONCE, _MOST, _ENOUGH = 3, 12, 6
#: What one curve's fit may take of a model that was not fitted to it alone.
_SINGLE = Budget(2.0)
#: What curves may be as well that look like one of these.
_OTHER = {CONTRASTS: CONCENTRATIONS, CONCENTRATIONS: CONTRASTS}
#: Of all models, for each curve, before and after one explains the sample, s.
_PER_CURVE = {JOINT: 12.0, BESIDE: 3.0}
#: And of other size distributions than that of the best model, for each curve, s.
_WIDTHS = 2.0
#: Layered bodies that are fitted beside the best, the likeliest.
_MORE = 2
#: Kinds of sample whose best body is held against those of another shape.
_SHAPED = (CONCENTRATIONS, PROBES, SERIES, MAGNETIC)


@dataclass(frozen=True)
class Reading:
    """What the curves are taken for, and what was fitted to them as such."""

    sample: Sample
    fits: list[JointFit]
    notes: list[str]  #: What failed.
    own_densities: bool = False  #: Against the custom of contrasts, each curve has densities of its own.

    @property
    def is_explained(self) -> bool:
        return any(not fit.lacking() for fit in self.fits)


@dataclass(frozen=True)
class _Asked:
    """What is fitted to what."""

    ledger: Ledger
    sample: Sample
    dintensities: tuple[Any, ...]
    options: FitOptions
    suggestion: Suggestion
    alone: Alone


def search(
    ledger: Ledger,
    sample: Sample,
    dintensities: tuple[Any, ...],
    options: FitOptions,
    suggestion: Suggestion,
    single_fits: Alone,
) -> list[Reading]:
    """The search; where nothing explains the curves, further, and all that was tried, the likeliest first."""
    # Curves whose kind nobody has told are taken for another kind, also where a slow error has to excuse what
    # the first leaves; each contrast may have its own densities.
    ask = _Asked(ledger, sample, dintensities, options, suggestion, single_fits)
    readings = [_read(ask)]
    if readings[0].is_explained:
        if sample.told or not readings[0].fits[0].excusing_error or sample.kind not in _OTHER:
            return readings
        readings.append(_read(replace(ask, sample=replace(sample, kind=_OTHER[sample.kind]))))
        return sorted((one_reading for one_reading in readings if one_reading.is_explained), key=_least)
    for second, own_densities in _otherwise(
        sample, [model for model, _ in _chances(suggestion, single_fits.fits, options)]
    ):
        reading = replace(_read(replace(ask, sample=second)), own_densities=own_densities)
        if reading.is_explained:
            return [reading]
        readings.append(reading)
    return sorted(readings, key=_least)


def _least(reading: Reading) -> float:
    return min((fit.minus_two_log for fit in reading.fits), default=float(np.inf))


def _read(ask: _Asked) -> Reading:
    """Joint fits of curves taken for one kind of sample, the best first, with the distributions that suit."""
    fits, notes = _models(ask)
    if any(not fit.lacking() for fit in fits):
        fits += _bodies(ask, fits)
        fits += _fit_layered(ask, fits)
        fits += _fit_other_shapes(ask, fits)

    def starting(fit: JointFit) -> JointTask:
        return make_restart_task(ask.sample, ask.dintensities, ask.options, fit)

    most = _WIDTHS * len(ask.sample.curves)
    fits = whichever_distribution(ask.ledger, rank_fits(fits, ask.suggestion), starting, most)
    fits = rank_fits(fits, ask.suggestion)
    fits = rank_fits(
        [either_proportions(ask.ledger, one_fit, starting) for one_fit in fits[:1]] + fits[1:], ask.suggestion
    )
    return Reading(ask.sample, fits, notes)


def _otherwise(sample: Sample, models: Iterable[str]) -> list[tuple[Sample, bool]]:
    """What the curves may be besides, and whether each then has densities of its own."""
    alternatives: list[tuple[Sample, bool]] = []
    if sample.kind in _OTHER and not sample.told:
        alternatives.append((replace(sample, kind=_OTHER[sample.kind]), False))
    if sample.kind == CONTRASTS:
        tables = [model_info(model).parameters.call_parameters for model in models]
        densities = {p.name for table in tables for p in table if p.type == "sld"}
        if not densities & {*sample.own, *sample.share, *sample.ties}:
            alternatives.append((replace(sample, own=sample.own | densities), True))
    return alternatives


def _models(ask: _Asked) -> tuple[list[JointFit], list[str]]:
    """Joint fits, a few at once, until one explains the curves and a few stand beside it; and what failed."""
    chances = _chances(ask.suggestion, ask.alone.fits, ask.options)
    fits_done: list[JointFit] = []
    notes: list[str] = []
    open_ = sorted(chances, key=lambda pair: -chances[pair] / lengths(pair[0]))  # simple ones first
    budget, spent_before = JOINT, ask.ledger.spent
    while open_ and len(fits_done) < _MOST:
        if ask.ledger.spent - spent_before > _PER_CURVE[budget] * len(ask.sample.curves):
            break
        least = min(fits_done, key=lambda fit: fit.minus_two_log, default=None)
        explained = least is not None and not least.lacking()
        if explained:
            open_ = [pair for pair in open_ if _is_worthy(ask, pair, chances[pair])][
                : _ENOUGH - len(fits_done)
            ]
        current_pairs, open_ = open_[:_AT_ONCE], open_[_AT_ONCE:]
        budget = BESIDE if explained else JOINT
        nearest = np.inf if least is None else least.reduced_chisq
        fits_found, failed = _fit_pairs(ask, {pair: chances[pair] for pair in current_pairs}, budget, nearest)
        fits_done += fits_found
        notes += failed
    return fits_done, notes


def is_worth_its_time(pair: Pair, chance: float, curve_count: int, *, fitted: bool) -> bool:
    """Whether a model may gain enough on one that explains the curves; `fitted`: to one of them alone."""
    # As a step of a single fit.
    fits = STRATEGY.from_start * curve_count + (0 if fitted else 1)
    return chance * STRATEGY.doubtful_boost / (fits * make_hypothesis(pair).seconds) > STRATEGY.price


def _is_worthy(ask: _Asked, pair: Pair, chance: float) -> bool:
    fitted = any(ask.alone.find_fits(pair))
    named = ask.options.models is not None
    return chance > UNLIKELY and (
        named or is_worth_its_time(pair, chance, len(ask.sample.curves), fitted=fitted)
    )


def _fit_pairs(
    ask: _Asked, pairs: Mapping[Pair, float], budget: Budget, nearest: float
) -> tuple[list[JointFit], list[str]]:
    """Joint fits of models, with what is thought of each; and what failed."""
    single = Budget(_SINGLE.seconds, nearest)
    tasks = [replace(_task(ask, pair, chance, single), budget=budget) for pair, chance in pairs.items()]
    return _joint(ask, tasks)


def _joint(ask: _Asked, tasks: Sequence[JointTask]) -> tuple[list[JointFit], list[str]]:
    fits_done, notes = [], []
    for _, answer in answers(ask.ledger, fit_jointly, tasks, ask.ledger.remaining):
        if isinstance(answer, JointFit):
            fits_done.append(answer)
        elif isinstance(answer, SasnetError):
            notes.append(str(answer))
    return fits_done, notes


def _bodies(ask: _Asked, fits: Sequence[JointFit]) -> list[JointFit]:
    """Plain bodies, of contrasts and where no density is in what explains the curves."""
    # A curve alone may show no shape; several contrasts of one body agree on its density.
    best = _likeliest(fit for fit in fits if not fit.lacking())
    if ask.options.models is not None or (materials(best.model) and ask.sample.kind != CONTRASTS):
        return []
    pairs_done = {(fit.model, fit.structure_factor) for fit in fits}
    probabilities = {guess.name: guess.probability for guess in ask.suggestion.models}
    open_ = {(name, factor): probabilities.get(name, 0.0) for name, factor in plainer(best, ask.options)}
    open_ = {pair: chance for pair, chance in open_.items() if pair not in pairs_done}
    return _fit_pairs(ask, open_, BESIDE, best.reduced_chisq)[0]


def _fit_layered(ask: _Asked, fits: Sequence[JointFit]) -> list[JointFit]:
    """Bodies of as many materials as the best, or more, where this leaves a slow error to contrasts."""
    # What a curve may be off by, in one contrast a second material may be as well, and the others tell.
    best = _likeliest(fit for fit in fits if not fit.lacking())
    if ask.options.models is not None or ask.sample.kind != CONTRASTS or not best.excusing_error:
        return []
    models_done = {fit.model for fit in fits if fit.structure_factor == best.structure_factor}
    probabilities = {guess.name: guess.probability for guess in ask.suggestion.models}
    layered = list_layered_bodies(best.model, probabilities, models_done)
    open_ = [name for name in layered if ask.options.allows(name)]
    pairs = {(name, best.structure_factor): probabilities.get(name, 0.0) for name in open_[:_MORE]}
    return _fit_pairs(ask, pairs, BESIDE, best.reduced_chisq)[0]


def _fit_other_shapes(ask: _Asked, fits: Sequence[JointFit]) -> list[JointFit]:
    """Bodies of another shape from where the best has ended, along a series and by two probes."""
    # Spheres of many sizes are taken for a long body, whatever the network offers. Contrasts have `_bodies`.
    best = _likeliest(fit for fit in fits if not fit.lacking())
    if ask.sample.kind not in _SHAPED:
        return []
    models_done = {fit.model for fit in fits if fit.structure_factor == best.structure_factor}
    probabilities = {guess.name: guess.probability for guess in ask.suggestion.models}
    models = [name for name in kin(best, ask.options) if name not in models_done]
    task = make_restart_task(ask.sample, ask.dintensities, ask.options, best)
    tasks = [
        replace(shape_task, probability=probabilities.get(shape_task.model, 0.0))
        for shape_task in other_shapes(task, best, models)
    ]
    shape_fits = _joint(ask, tasks)[0]
    fits_by_model = [[fit for fit in shape_fits if fit.model == model] for model in models]
    return [_likeliest(model_fits) for model_fits in fits_by_model if model_fits]


def _likeliest(fits: Iterable[JointFit]) -> JointFit:
    return min(fits, key=lambda fit: fit.minus_two_log)


def _chances(
    suggestion: Suggestion, singles: Sequence[FitResult], options: FitOptions
) -> dict[tuple[str, str | None], float]:
    """Models with their structure factors, and what is thought of each: by all curves, and by their fits."""
    chances: dict[tuple[str, str | None], float] = {}
    for guess in suggestion.models:
        factor = guess.structure_factor
        if options.structure_factor is not None:
            factor = None if options.structure_factor == "none" else options.structure_factor
        if guess.probability > UNLIKELY or options.models is not None:
            chances[guess.name, factor] = guess.probability * guess.structure_factor_probability
            if options.structure_factor is None and guess.structure_factor_probability < 1 - UNLIKELY:
                other_factor = None if factor is not None else _interacting(guess.name, singles)
                if other_factor != factor:
                    rest = guess.probability * (1 - guess.structure_factor_probability)
                    chances[guess.name, other_factor] = max(
                        chances.get((guess.name, other_factor), 0.0), rest
                    )
    probabilities = {guess.name: guess.probability for guess in suggestion.models}
    for result in singles:
        for fit in result.fits[:2]:
            if len(sum_parts(fit.name)) == 1:
                pair = fit.model, fit.structure_factor
                gain = fit.weight / len(singles) * max(probabilities.get(fit.model, 0.0), 10 * UNLIKELY)
                chances[pair] = max(chances.get(pair, 0.0), gain)
    return chances


def _compute_constant_chisq(curve: Curve, dintensity: Any) -> float:
    """χ² of a constant: how much there is to see."""
    mean = np.average(curve.intensity, weights=1 / dintensity**2)
    return float(np.sum(((curve.intensity - mean) / dintensity) ** 2))


def _interacting(name: str, singles: Sequence[FitResult]) -> str | None:
    """A structure factor with which single curves were fitted by a model."""
    all_fits = (fit for result in singles for fit in result.fits)
    return next((f.structure_factor for f in all_fits if f.model == name and f.structure_factor), None)


def _task(ask: _Asked, pair: Pair, chance: float, single: Budget) -> JointTask:
    """Start from fits of single curves; a model fitted to none is fitted briefly to one."""
    single_fits, ledger, options = ask.alone, ask.ledger, ask.options
    fits = single_fits.find_fits(pair)
    if not any(fits):
        i = int(
            np.argmax(
                [
                    _compute_constant_chisq(c, d)
                    for c, d in zip(single_fits.curves, single_fits.dintensities, strict=True)
                ]
            )
        )
        task = Task(
            single_fits.curves[i], single_fits.dintensities[i], *pair, chance,
            collect_fixed(options, *pair),
            dict(options.ranges), options.fitted, budget=single,
        )  # fmt: skip
        for _, answer in answers(ledger, fit_candidate, [task], ledger.remaining):
            fits[i] = None if isinstance(answer, SasnetError) else answer
    starts = tuple(None if f is None else starting_values(f) for f in fits)
    starts += (None,) * (len(ask.sample.curves) - len(starts))  # where all are one curve
    sampling = [fit.per_decade for fit in fits if fit is not None and fit.per_decade is not None]
    return JointTask(
        ask.sample, ask.dintensities, *pair, starts, collect_fixed(options, *pair),
        dict(options.ranges), options.fitted, chance, max(sampling, default=None), JOINT,
    )  # fmt: skip


def rank_fits(fits: Sequence[JointFit], suggestion: Suggestion) -> list[JointFit]:
    """Rank fits by marginal likelihood times how common each model is."""
    # A fit that became a fitted simpler model counts as that. Of indistinguishable fits one of the group with
    # most weight leads, preceded by its simpler limit. A fit that explains all curves precedes likelier ones
    # that need a rare error, unless its weight is negligible.
    if not fits:
        return []
    explained = any(not fit.lacking() for fit in fits)
    prior_weights = priors(suggestion, map(_as_single, fits), explained=explained)
    log = np.array([-0.5 * fit.minus_two_log for fit in fits]) + np.log(prior_weights)
    weight = shares(log)
    fits_by_name = {fit.name: fit for fit in fits}
    weighed = [replace(_as_single(f), weight=float(w)) for f, w in zip(fits, weight, strict=True)]
    # How many larger models were fitted that have become one says nothing for it.
    counted = as_the_simpler(weighed, max)
    total = sum(model_fit.weight for model_fit in counted)
    ranked = _plainest(prefer_likeliest_group(counted, suggestion.groups), fits_by_name)
    order = [replace(fits_by_name[model_fit.name], weight=model_fit.weight / total) for model_fit in ranked]
    least = NEGLIGIBLE * max(fit.weight for fit in order)
    first = next((fit for fit in order if fit.weight > least and not fit.lacking()), order[0])
    order = [first, *(fit for fit in order if fit is not first)]
    alike_names = alike(list(map(_as_single, order)))
    return [replace(fit, alike=fit.name in alike_names) for fit in order]


def _plainest(order: list[ModelFit], fits_by_name: Mapping[str, JointFit]) -> list[ModelFit]:
    """Put first what the leading fit becomes at a limit, if the curves do not tell them apart."""
    if fits_by_name[order[0].name].lacking():  # of what explains nothing the nearest is named
        return order
    limits = {limit.name for limit in simpler(order[0].model, order[0].structure_factor)}
    able = [
        model_fit
        for model_fit in order
        if model_fit.name in alike(order) and not fits_by_name[model_fit.name].lacking()
    ]
    first = next((model_fit for model_fit in able if model_fit.name in limits), order[0])
    return [first, *(model_fit for model_fit in order if model_fit is not first)]


def _as_single(fit: JointFit) -> ModelFit:
    return replace(
        fit.make_curve_fit(0), chisq=sum(fit.chisq), reduced_chisq=fit.reduced_chisq,
        log_evidence=-0.5 * fit.minus_two_log,
    )  # fmt: skip
