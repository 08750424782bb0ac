"""``fit_together``: from several curves of one sample to one answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...data.sample.described import read_description, sample_of
from ...data.sample.sample import CONCENTRATIONS, CONTRASTS, Sample
from ...predict.class_prior import COMMON
from ...predict.together import contradicting, together
from ...simulate.priors import model_info
from ...types import Curve, SasnetError, Suggestion, sum_parts
from ..api import bank_path, fit_with, suggested, uncertainties
from ..asked import check_names
from ..ledger import Ledger
from ..pool import Workers, answers
from ..problem.contrast import scattering_length_density
from ..problem.experiment import starting_values
from ..progress import shown
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit
from ..strategy.fit_candidate import fit_candidate
from ..task import Budget, Counting, FitOptions, Pair, Pool, Task
from ..watched import Progress, Watched
from .distributions import other_kinds, over_kinds
from .one_curve import as_one_curve
from .one_model import JointMinimum, JointTask, fit_one
from .result import JointFit, SampleResult, joint_fit, ranked
from .said import EXCHANGED, spoken_in_python, told

#: Models fitted jointly at once, and at most; so many where one of them explains the sample.
_AT_ONCE, _MOST, _ENOUGH = 3, 12, 6
#: What one curve's fit may take of a model that was not fitted to it alone; a joint fit; and one beside
#: another that explains the sample.
_SINGLE, _JOINT, _BESIDE = Budget(2.0), Budget(8.0), Budget(3.0)
#: Said of contrasts whose solvents nobody has given.
NO_DENSITIES = (
    "The solvents are not given: the curves tell only ratios of contrasts, no density, nor whether a part is"
    " denser or lighter than the solvent. With each curve's solvent densities come out."
)
#: What curves may be as well that look like one of these.
_OTHER = {CONTRASTS: CONCENTRATIONS, CONCENTRATIONS: CONTRASTS}
#: Of all models, for each curve, before and after one explains the sample, s.
_PER_CURVE = {_JOINT: 12.0, _BESIDE: 3.0}
#: A model that is thought less probable is not fitted where another explains the sample.
_UNLIKELY = 0.02


@dataclass(frozen=True)
class Alone:
    """Curves that are fitted alone, for the joint fit to begin there: the sample's, or settings as one.

    Parameters
    ----------
    dintensities : tuple of (n_i,) float array
    fits : tuple of FitResult
        Of each.
    """

    curves: tuple[Curve, ...]
    dintensities: tuple[Any, ...]
    fits: tuple[FitResult, ...]

    def of(self, pair: Pair) -> list[ModelFit | None]:
        """The fits of a model to each."""
        return [
            next((f for f in result.fits if (f.model, f.structure_factor) == pair), None)
            for result in self.fits
        ]


def fit_together(
    curves: Sequence[Curve],
    *,
    sample_file: str | Path | None = None,
    solvents: Sequence[str | float] | None = None,
    kind: str | None = None,
    share: Iterable[str] = (),
    own: Iterable[str] = (),
    ties: Iterable[str] = (),
    models: Iterable[str] | None = None,
    structure_factor: str | None = None,
    fixed: Mapping[str, float] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    time_limit: float = 90.0,
    workers: int = 2,
    prior: str = COMMON,
    exclude: Iterable[str] = (),
    progress: bool | Progress = True,
) -> SampleResult:
    """Fit the models that may explain several curves of one sample, all curves at once.

    Parameters
    ----------
    curves : sequence of Curve
        Two or more of the same sample.
    sample_file : str or Path, optional
        What is known of them (TOML, see docs/together.md).
    solvents : sequence of str or float, optional
        Of each curve, ``"44%D2O"``, or its scattering length density, 10⁻⁶ Å⁻².
    kind : str, optional
        settings, contrasts, concentrations, probes or series; default: told from the curves.
    share, own : iterable of str
        Parameters that all have in common, or each of its own, against the kind's custom.
    ties : iterable of str
        ``"sld_solvent = -0.56 + 6.92*x"``.
    models, structure_factor, fixed, ranges, time_limit, workers, prior, exclude, progress
        As of `fit`; the time limit is of each curve.

    Raises
    ------
    SasnetError
        Unknown names, or curves that do not go together; the sentence says why.
    """
    described: dict[str, Any] = {} if sample_file is None else read_description(sample_file)
    if solvents is not None:
        if len(solvents) != len(curves):
            raise SasnetError(f"{len(solvents)} solvents for {len(curves)} curves; give one for each.")
        described |= {"solvents": {str(i + 1): value for i, value in enumerate(solvents)}}
    if kind is not None:
        described |= {"kind": kind}
    found = sample_of(
        curves, described, sld=scattering_length_density, share=tuple(share), own=tuple(own),
        ties=tuple(ties), source=str(sample_file or "the sample"),
    )  # fmt: skip
    options = FitOptions(
        models=None if models is None else tuple(models), structure_factor=structure_factor,
        fixed=dict(fixed or {}), ranges=dict(ranges or {}), time_limit=time_limit, workers=workers,
        prior=prior, exclude=tuple(exclude),
    )  # fmt: skip
    check_names(options)
    with shown(progress, time_limit * len(curves)) as tell, Workers(bank_path(), workers) as pool:
        result = fit_sample(pool if tell is None else Watched(pool, tell), found, options)
    return spoken_in_python(result, options)


def fit_sample(pool: Pool, sample: Sample, options: FitOptions) -> SampleResult:
    """As `fit_together`, with processes that are there already.

    Parameters
    ----------
    options : FitOptions
        The time limit is of each curve.
    """
    curves = sample.curves
    dintensities = tuple(uncertainties(curve)[0] for curve in curves)
    asked = [suggested(curve, options) for curve in curves]
    each = [one for one, _ in asked]
    whole = as_one_curve(sample, dintensities)
    if whole is None:
        singles = tuple(fit_with(pool, c, options, answer=one) for c, one in zip(curves, asked, strict=True))
        suggestion = together(each, options.prior)
        alone = Alone(curves, dintensities, singles)
    else:  # a window of q alone tells little
        answer, seen = suggested(whole, options)
        each.append(answer)
        suggestion = together(each, options.prior)
        as_one = fit_with(pool, whole, options, answer=(suggestion, seen))
        alone = Alone((whole,), (as_one.dintensity,), (as_one,))
    if len(curves) == 1:
        return SampleResult(sample, (alone.fits[0].dintensity,), (), suggestion, alone.fits)
    limit = options.time_limit * len(curves)
    ledger = Ledger(pool, time.monotonic() + limit)
    sample, fits, notes = _found(ledger, sample, dintensities, options, suggestion, alone)
    order = tuple(ranked(fits))
    odd = None
    if order:
        again = _again(sample, dintensities, options, order[0])
        order = tuple(ranked([_whichever_kind(ledger, again, order[0]), *order[1:]]))
        odd = odd_one(ledger, again) if order[0].lacking() else None
    against = tuple(contradicting(suggestion, each[: len(curves)]))
    if fits and sample.kind == CONTRASTS and not any(one is not None for one in sample.solvents or ()):
        notes = [*notes, NO_DENSITIES]
    singles = alone.fits if whole is None else ()
    made = SampleResult(sample, dintensities, order, suggestion, singles, against, odd, tuple(notes))
    if whole is not None:
        made = replace(made, as_one=alone.fits[0])
    return told(made, options)


def _found(
    ledger: Ledger,
    sample: Sample,
    dintensities: tuple[Any, ...],
    options: FitOptions,
    suggestion: Suggestion,
    alone: Alone,
) -> tuple[Sample, list[JointFit], list[str]]:
    """The search; where nothing explains the curves, further.

    Curves whose kind nobody has told are taken for another kind; of contrasts each may have densities of its own.
    """
    fits, notes = _search(ledger, sample, dintensities, options, suggestion, alone)
    if any(not fit.lacking() for fit in fits):
        return sample, fits, notes
    tried = [(sample, fits, notes)]
    for second, why in _otherwise(sample, [model for model, _ in _chances(suggestion, alone.fits, options)]):
        again, said = _search(ledger, second, dintensities, options, suggestion, alone)
        tried.append((second, again, [*said, *why]))
        if any(not fit.lacking() for fit in again):
            break
    best = min(tried, key=lambda one: min((fit.bic for fit in one[1]), default=np.inf))
    return best


def _otherwise(sample: Sample, models: Iterable[str]) -> list[tuple[Sample, list[str]]]:
    """What the curves may be besides, with what is to be said of it."""
    found: list[tuple[Sample, list[str]]] = []
    if sample.kind in _OTHER and not sample.told:
        found.append((replace(sample, kind=_OTHER[sample.kind]), []))
    if sample.kind == CONTRASTS:
        tables = [model_info(model).parameters.call_parameters for model in models]
        densities = {p.name for table in tables for p in table if p.type == "sld"}
        if not densities & {*sample.own, *sample.share, *sample.ties}:
            found.append((replace(sample, own=sample.own | densities), [EXCHANGED]))
    return found


def _whichever_kind(ledger: Ledger, task: JointTask, first: JointFit) -> JointFit:
    """The same with the size distribution that suits best."""
    tasks = other_kinds(task, first)
    found = answers(ledger, fit_one, tasks, ledger.until - ledger.clock())
    kinds = [joint_fit(answer) for _, answer in found if isinstance(answer, JointMinimum)]
    return over_kinds([first, *kinds])


def _again(sample: Sample, dintensities: tuple[Any, ...], options: FitOptions, fit: JointFit) -> JointTask:
    """A joint fit from where it has ended."""
    starts = tuple(starting_values(fit.of_curve(i)) for i in range(len(sample.curves)))
    return JointTask(
        sample, dintensities, fit.model, fit.structure_factor, starts, dict(options.fixed),
        dict(options.ranges), fit.probability, fit.per_decade, _JOINT if fit.lacking() else _BESIDE,
    )  # fmt: skip


def _search(
    ledger: Ledger,
    sample: Sample,
    dintensities: tuple[Any, ...],
    options: FitOptions,
    suggestion: Suggestion,
    alone: Alone,
) -> tuple[list[JointFit], list[str]]:
    chances = _chances(suggestion, alone.fits, options)
    done: list[JointFit] = []
    notes: list[str] = []
    open_ = sorted(chances, key=lambda pair: -chances[pair] / _lengths(pair[0]))  # simple ones first
    budget, before = _JOINT, ledger.spent
    while open_ and len(done) < _MOST and ledger.spent - before < _PER_CURVE[budget] * len(sample.curves):
        least = min(done, key=lambda fit: fit.bic, default=None)
        explained = least is not None and not least.lacking()
        if explained:
            open_ = [pair for pair in open_ if chances[pair] > _UNLIKELY][: _ENOUGH - len(done)]
        now, open_ = open_[:_AT_ONCE], open_[_AT_ONCE:]
        budget = _BESIDE if explained else _JOINT
        nearest = Budget(_SINGLE.seconds, np.inf if least is None else least.reduced_chisq)
        tasks = [
            replace(
                _task(ledger, sample, dintensities, options, pair, alone, chances[pair], nearest),
                budget=budget,
            )
            for pair in now
        ]
        for _, answer in answers(ledger, fit_one, tasks, ledger.until - ledger.clock()):
            if isinstance(answer, JointMinimum):
                done.append(joint_fit(answer))
            elif isinstance(answer, SasnetError):
                notes.append(str(answer))
    return done, notes


def odd_one(pool: Counting, task: JointTask) -> int | None:
    """The one curve without which all others are explained; None where there is none, or several.

    Parameters
    ----------
    task : JointTask
        Of all curves, three at least; it starts where their joint fit has ended.
    """
    count = len(task.sample.curves)
    if count < 3:
        return None
    tasks = [without(task, i) for i in range(count)]
    found = []
    for i, answer in answers(pool, fit_one, tasks, _JOINT.seconds * count):
        if isinstance(answer, JointMinimum) and not joint_fit(answer).lacking():
            found.append(i)
    return found[0] if len(found) == 1 else None


def without(task: JointTask, i: int) -> JointTask:
    """The same of all curves but one."""

    def left(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return values[:i] + values[i + 1 :]

    sample = task.sample
    fewer = replace(
        sample, curves=left(sample.curves), solvents=left(sample.solvents),
        concentrations=left(sample.concentrations), probes=left(sample.probes), scale=left(sample.scale),
        values=left(sample.values),
    )  # fmt: skip
    return replace(task, sample=fewer, dintensities=left(task.dintensities), starts=left(task.starts))


def _chances(
    suggestion: Suggestion, singles: Sequence[FitResult], options: FitOptions
) -> dict[tuple[str, str | None], float]:
    """Models with their structure factors, and what is thought of each: by all curves, and by their fits."""
    found: dict[tuple[str, str | None], float] = {}
    for guess in suggestion.models:
        factor = guess.structure_factor
        if options.structure_factor is not None:
            factor = None if options.structure_factor == "none" else options.structure_factor
        if guess.probability > _UNLIKELY or options.models is not None:
            found[guess.name, factor] = guess.probability * guess.structure_factor_probability
            if options.structure_factor is None and guess.structure_factor_probability < 1 - _UNLIKELY:
                other = None if factor is not None else _interacting(guess.name, singles)
                if other != factor:
                    rest = guess.probability * (1 - guess.structure_factor_probability)
                    found[guess.name, other] = max(found.get((guess.name, other), 0.0), rest)
    known = {guess.name: guess.probability for guess in suggestion.models}
    for result in singles:
        for fit in result.fits[:2]:
            if len(sum_parts(fit.name)) == 1:
                pair = fit.model, fit.structure_factor
                gain = fit.weight / len(singles) * max(known.get(fit.model, 0.0), 10 * _UNLIKELY)
                found[pair] = max(found.get(pair, 0.0), gain)
    return found


def _lengths(model: str) -> int:
    """How many a body has, at least one."""
    table = model_info(model).parameters.call_parameters
    return max(sum(p.type == "volume" for p in table), 1)


def _shown(curve: Curve, dintensity: Any) -> float:
    """χ² of a constant: how much there is to see."""
    mean = np.average(curve.intensity, weights=1 / dintensity**2)
    return float(np.sum(((curve.intensity - mean) / dintensity) ** 2))


def _interacting(name: str, singles: Sequence[FitResult]) -> str | None:
    """A structure factor with which single curves were fitted by a model."""
    every = (fit for result in singles for fit in result.fits)
    return next((f.structure_factor for f in every if f.model == name and f.structure_factor), None)


def _task(
    ledger: Ledger,
    sample: Sample,
    dintensities: tuple[Any, ...],
    options: FitOptions,
    pair: tuple[str, str | None],
    alone: Alone,
    chance: float,
    single: Budget,
) -> JointTask:
    """With starts from curves alone; a model that was fitted to none is to one of them, briefly."""
    own = alone.of(pair)
    if not any(own):
        i = int(np.argmax([_shown(c, d) for c, d in zip(alone.curves, alone.dintensities, strict=True)]))
        asked = Task(
            alone.curves[i], alone.dintensities[i], *pair, chance, dict(options.fixed), dict(options.ranges),
            budget=single,
        )  # fmt: skip
        for _, answer in answers(ledger, fit_candidate, [asked], ledger.until - ledger.clock()):
            own[i] = None if isinstance(answer, SasnetError) else answer
    starts = tuple(None if f is None else starting_values(f) for f in own)
    starts += (None,) * (len(sample.curves) - len(starts))  # where all are one curve
    sampling = [fit.per_decade for fit in own if fit is not None and fit.per_decade is not None]
    return JointTask(
        sample, dintensities, *pair, starts, dict(options.fixed),
        dict(options.ranges), chance, max(sampling, default=None), _JOINT,
    )  # fmt: skip
