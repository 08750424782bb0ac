"""Which models are fitted to a sample jointly, in which order, as which kind of sample, and how they rank."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...data.sample.sample import CONCENTRATIONS, CONTRASTS, PROBES, SERIES, Sample
from ...simulate.priors import model_info
from ...types import Curve, SasnetError, Suggestion, sum_parts
from ..assessment.assess import as_the_simpler, prefer_likeliest_group
from ..evidence.marginal import alike, shares
from ..ledger import Ledger
from ..pool import answers
from ..problem.experiment import starting_values
from ..problem.nested_models import simpler
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit
from ..result.sample_result import JointFit
from ..task import Budget, FitOptions, Pair, Task
from ..verdict.sample_sentences import EXCHANGED
from .fit_candidate import fit_candidate
from .hypothesis import priors
from .joint_fit import BESIDE, JOINT, JointTask, collect_fixed, fit_jointly, make_restart_task
from .joint_moves import (
    UNLIKELY,
    either_proportions,
    kin,
    lengths,
    list_layered_bodies,
    materials,
    other_shapes,
    plainer,
    whichever_distribution,
)


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
_SHAPED = (CONCENTRATIONS, PROBES, SERIES)


@dataclass(frozen=True)
class Reading:
    """What the curves are taken for, and what was fitted to them as such."""

    sample: Sample
    fits: list[JointFit]
    notes: list[str]  #: What failed, and what this reading allows to the curves.

    @property
    def is_explained(self) -> bool:
        return any(not fit.lacking() for fit in self.fits)

    @property
    def usual(self) -> bool:
        """Whether the curves share what their kind does."""
        return str(EXCHANGED) not in self.notes


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
    readings = [_read(ask, [])]
    if readings[0].is_explained:
        if sample.told or not readings[0].fits[0].excusing_error or sample.kind not in _OTHER:
            return readings
        readings.append(_read(replace(ask, sample=replace(sample, kind=_OTHER[sample.kind])), []))
        return sorted((one_reading for one_reading in readings if one_reading.is_explained), key=_least)
    for second, why in _otherwise(
        sample, [model for model, _ in _chances(suggestion, single_fits.fits, options)]
    ):
        reading = _read(replace(ask, sample=second), why)
        if reading.is_explained:
            return [reading]
        readings.append(reading)
    return sorted(readings, key=_least)


def _least(reading: Reading) -> float:
    return min((fit.minus_two_log for fit in reading.fits), default=float(np.inf))


def _read(ask: _Asked, why: Sequence[str]) -> Reading:
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
    return Reading(ask.sample, fits, [*notes, *why])


def _otherwise(sample: Sample, models: Iterable[str]) -> list[tuple[Sample, list[str]]]:
    """What the curves may be besides, with what is to be said of it."""
    alternatives: list[tuple[Sample, list[str]]] = []
    if sample.kind in _OTHER and not sample.told:
        alternatives.append((replace(sample, kind=_OTHER[sample.kind]), []))
    if sample.kind == CONTRASTS:
        tables = [model_info(model).parameters.call_parameters for model in models]
        densities = {p.name for table in tables for p in table if p.type == "sld"}
        if not densities & {*sample.own, *sample.share, *sample.ties}:
            alternatives.append((replace(sample, own=sample.own | densities), [str(EXCHANGED)]))
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
            open_ = [pair for pair in open_ if chances[pair] > UNLIKELY][: _ENOUGH - len(fits_done)]
        current_pairs, open_ = open_[:_AT_ONCE], open_[_AT_ONCE:]
        budget = BESIDE if explained else JOINT
        nearest = np.inf if least is None else least.reduced_chisq
        fits_found, failed = _fit_pairs(ask, {pair: chances[pair] for pair in current_pairs}, budget, nearest)
        fits_done += fits_found
        notes += failed
    return fits_done, notes


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
    open_ = list_layered_bodies(best.model, probabilities, models_done | set(ask.options.exclude))
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
            collect_fixed(options, pair[0]),
            dict(options.ranges), budget=single,
        )  # fmt: skip
        for _, answer in answers(ledger, fit_candidate, [task], ledger.remaining):
            fits[i] = None if isinstance(answer, SasnetError) else answer
    starts = tuple(None if f is None else starting_values(f) for f in fits)
    starts += (None,) * (len(ask.sample.curves) - len(starts))  # where all are one curve
    sampling = [fit.per_decade for fit in fits if fit is not None and fit.per_decade is not None]
    return JointTask(
        ask.sample, ask.dintensities, *pair, starts, collect_fixed(options, pair[0]),
        dict(options.ranges), chance, max(sampling, default=None), JOINT,
    )  # fmt: skip


#: Share of the greatest weight from which on a fit may be first that explains what the likeliest does not.
_NEARLY = 0.01


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
    least = _NEARLY * max(fit.weight for fit in order)
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
