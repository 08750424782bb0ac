"""``fit_together``: from several curves of one sample to one answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.data.sample import CONCENTRATIONS, CONTRASTS, Sample, read_description, sample_of
from sasnet_plugin.fitting.api import bank_path, check_names, fit_with, uncertainties
from sasnet_plugin.fitting.ledger import Ledger
from sasnet_plugin.fitting.pool import Workers, answers
from sasnet_plugin.fitting.problem.contrast import scattering_length_density
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import Parameter
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Counting, FitOptions, Pool, Task
from sasnet_plugin.fitting.together.one_model import JointMinimum, JointTask, fit_one
from sasnet_plugin.fitting.together.result import JointFit, SampleResult, ranked
from sasnet_plugin.fitting.together.said import told
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.predict.class_prior import COMMON
from sasnet_plugin.predict.together import contradicting, together
from sasnet_plugin.simulate.priors import model_info
from sasnet_plugin.types import Curve, SasnetError, Suggestion, product_name, sum_parts

#: Models fitted jointly at once, and at most.
_AT_ONCE, _MOST = 4, 12
#: What one curve's fit may take of a model that was not fitted to it alone; and a joint fit.
_SINGLE, _JOINT = Budget(2.0), Budget(12.0)
#: What curves may be as well that look like one of these.
_OTHER = {CONTRASTS: CONCENTRATIONS, CONCENTRATIONS: CONTRASTS}
#: A model that is thought less probable is not fitted where another explains the sample.
_UNLIKELY = 0.02


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
    models, structure_factor, fixed, ranges, time_limit, workers, prior, exclude
        As of `fit`; the time limit is of each curve.

    Returns
    -------
    SampleResult

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
    with Workers(bank_path(), workers) as pool:
        return fit_sample(pool, found, options)


def fit_sample(pool: Pool, sample: Sample, options: FitOptions) -> SampleResult:
    """As `fit_together`, with processes that are there already.

    Parameters
    ----------
    pool : Pool
    sample : Sample
    options : FitOptions
        The time limit is of each curve.
    """
    curves = sample.curves
    classifier = open_classifier()
    keep = classifier.selection(options.models, options.exclude or None)
    each = [classifier.under(curve, (options.prior,), keep)[0] for curve in curves]
    suggestion = together(each, options.prior)
    singles = tuple(fit_with(pool, curve, options) for curve in curves)
    if len(curves) == 1:
        return SampleResult(sample, (singles[0].dintensity,), (), suggestion, singles)
    dintensities = tuple(uncertainties(curve)[0] for curve in curves)
    limit = options.time_limit * len(curves)
    ledger = Ledger(pool, time.monotonic() + limit)
    fits, notes = _search(ledger, sample, dintensities, options, suggestion, singles)
    other = _OTHER.get(sample.kind)
    if other and not sample.told and not any(not fit.lacking() for fit in fits):
        second = replace(sample, kind=other)
        again, said = _search(ledger, second, dintensities, options, suggestion, singles)
        if min((f.bic for f in again), default=np.inf) < min((f.bic for f in fits), default=np.inf):
            sample, fits, notes = second, again, said
    against = tuple(contradicting(suggestion, each))
    best = ranked(fits)[0] if fits else None
    odd = None
    if best is not None and best.lacking():
        starts = tuple(starting_values(best.of_curve(i)) for i in range(len(curves)))
        odd = odd_one(
            ledger,
            JointTask(
                sample, dintensities, best.model, best.structure_factor, starts, dict(options.fixed),
                dict(options.ranges), best.probability, best.per_decade, _JOINT,
            ),
        )  # fmt: skip
    made = SampleResult(
        sample, dintensities, tuple(ranked(fits)), suggestion, singles, against, odd, tuple(notes)
    )
    return told(made, options)


def _search(
    ledger: Ledger,
    sample: Sample,
    dintensities: tuple[Any, ...],
    options: FitOptions,
    suggestion: Suggestion,
    singles: Sequence[FitResult],
) -> tuple[list[JointFit], list[str]]:
    chances = _chances(suggestion, singles, options)
    done: list[JointFit] = []
    notes: list[str] = []
    open_ = sorted(chances, key=lambda pair: -chances[pair])
    while open_ and len(done) < _MOST:
        least = min(done, key=lambda fit: fit.bic, default=None)
        explained = least is not None and not least.lacking()
        if explained:
            open_ = [pair for pair in open_ if chances[pair] > _UNLIKELY]
        now, open_ = open_[:_AT_ONCE], open_[_AT_ONCE:]
        tasks = [_task(ledger, sample, dintensities, options, pair, singles, chances[pair]) for pair in now]
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
    pool : Counting
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
    singles: Sequence[FitResult],
    chance: float,
) -> JointTask:
    """With starts from the single curves; a model that was fitted to none of them is, briefly."""
    model, factor = pair
    own = [
        next((f for f in result.fits if (f.model, f.structure_factor) == pair), None) for result in singles
    ]
    missing = [i for i, fit in enumerate(own) if fit is None]
    if len(missing) > len(own) // 2:
        asked = [
            Task(
                sample.curves[i], dintensities[i], model, factor, chance, dict(options.fixed),
                dict(options.ranges), budget=_SINGLE,
            )
            for i in missing
        ]  # fmt: skip
        for k, answer in answers(ledger, fit_candidate, asked, ledger.until - ledger.clock()):
            if not isinstance(answer, SasnetError):
                own[missing[k]] = answer
    fits = [fit for fit in own if fit is not None]
    sampling = [fit.per_decade for fit in fits if fit.per_decade is not None]
    return JointTask(
        sample, dintensities, model, factor, tuple(None if f is None else starting_values(f) for f in own),
        dict(options.fixed), dict(options.ranges), chance, max(sampling, default=None), _JOINT,
    )  # fmt: skip


def joint_fit(found: JointMinimum) -> JointFit:
    """Where a joint fit has ended, as people see it."""
    task, info = found.task, model_info(product_name(found.task.model, found.task.structure_factor))
    table = [p for p in info.parameters.call_parameters if p.type not in ("magnetic", "orientation")]
    units = {p.name: p.units for p in table}
    # Without one solvent that is known, densities are known but for a common shift and factor.
    anchored = {*found.plan.ties, *(name for known in found.plan.known for name in known)}
    relative = task.sample.kind == CONTRASTS and not any("sld" in name for name in anchored)
    units["background"] = "1/cm"

    def parameter(name: str, place: int | None) -> Parameter:
        value = float(found.values[place or 0][name])
        error = None if relative and "sld" in name else found.errors.get((name, place))
        fixed = error is None
        unit = "" if name.endswith("_pd") and name not in units else units.get(name, "")
        return Parameter(value, error, unit, fixed, value, value)

    own_names = {"scale", "background", *(name for name, place in found.errors if place is not None)}
    own_names |= {n for n in units if n in found.values[0] and len({v[n] for v in found.values}) > 1}
    names = [n for n in found.values[0] if n in units or (n.endswith("_pd") and n[:-3] in units)]
    shared = {n: parameter(n, None) for n in names if n not in own_names and _tells(n, found)}
    own = tuple({n: parameter(n, i) for n in names if n in own_names} for i in range(len(found.values)))
    kinds = {
        n.removesuffix("_pd"): str(found.values[0].get(f"{n}_type", "gaussian"))
        for n in shared
        if n.endswith("_pd") and shared[n].value > 0
    }
    return JointFit(
        task.model, task.structure_factor, shared, own, found.chisq, found.reduced_chisq, found.bic,
        task.probability, found.theories, kinds, tuple(one.shared for one in found.evidences),
        task.per_decade, seconds=found.seconds,
    )  # fmt: skip


def _tells(name: str, found: JointMinimum) -> bool:
    """Widths of nothing are left out."""
    return not name.endswith("_pd") or float(found.values[0][name]) > 0
