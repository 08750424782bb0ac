"""``fit_together``: from several curves of one sample to one answer."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...data.given import Given, curves_of, sentences_in_python
from ...data.sample.described import read_description, sample_of
from ...data.sample.sample import Sample
from ...predict.class_prior import COMMON
from ...predict.together import contradicting, together
from ...types import SasnetError, Suggestion
from ...workers.threads import one_thread
from ...zoo import bank_path
from ..api import fit_with, suggest_models, uncertainties
from ..asked import check_names, check_shared, several_of
from ..evidence.settings import EVIDENCE
from ..ledger import Ledger
from ..pool import Workers
from ..problem.contrast import densities
from ..progress import Progress, show_progress, watch
from ..task import FitOptions, Pool
from . import sentences
from .alone import Alone
from .beside_held import widen_joint_errors
from .disagreement import odd_one, other_shape_that_explains, own_that_explains
from .first_points import leaving_out
from .joint_fit import UNKNOWN_SOLVENTS
from .one_curve import as_one_curve
from .other_shapes import kin
from .ranking import rank_fits
from .result import JointFit, SampleResult
from .said import EXCHANGED, add_verdict, translate_to_python
from .search import Reading, again, search

#: Said of contrasts whose solvents nobody has given.
NO_DENSITIES = (
    "The solvents are not given: the curves then determine only ratios of contrasts, not scattering"
    " length densities. Give the solvent of each curve to get these."
)
#: Models, the likeliest, of which each parameter in turn may be each curve's own where nothing explains all.
_CHANGED = 2


def fit_together(
    curves: Given | Sequence[Given],
    *,
    sample_file: str | Path | None = None,
    solvents: Sequence[str | float] | None = None,
    kind: str | None = None,
    share: Iterable[str] = (),
    own: Iterable[str] = (),
    tie: Iterable[str] = (),
    models: Iterable[str] | None = None,
    structure_factor: str | None = None,
    fixed: Mapping[str, float] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    time_limit: float = 90.0,
    workers: int = 2,
    prior: str = COMMON,
    exclude: Iterable[str] = (),
    wavelength: float | None = None,
    progress: bool | Progress = True,
    ties: Iterable[str] = (),
) -> SampleResult:
    """Fit the models that may explain several curves of one sample, all curves at once.

    Parameters
    ----------
    curves : sequence of Curve or path
        Two or more of the same sample; also the name of one file that holds them.
    sample_file : str or Path, optional
        What is known of them (TOML, see docs/together.md).
    solvents : sequence of str or float, optional
        Of each curve, ``"44%D2O"``, or its scattering length density, 10⁻⁶ Å⁻².
    kind : str, optional
        settings, contrasts, concentrations, probes or series; default: told from the curves.
    share, own : iterable of str
        Parameters that all have in common, or each of its own, against the kind's custom.
    tie : iterable of str
        ``"sld_solvent = -0.56 + 6.92*x"``.
    wavelength : float, optional
        Å, of curves that were measured with X-rays and whose solvent is the name of a material.
    models, structure_factor, fixed, ranges, time_limit, workers, prior, exclude, progress
        As of `fit`; the time limit is of each curve.
    ties : iterable of str
        Former name of `tie`; works until the next release.

    Raises
    ------
    SasnetError
        Unknown names, or curves that do not go together; the sentence says why.
    """
    with sentences_in_python():
        curve_list = curves_of(curves)
        described: dict[str, Any] = {} if sample_file is None else read_description(sample_file)
        if solvents is not None:
            if isinstance(solvents, str):
                raise SasnetError(f"solvents must be a list with one entry for each curve, not {solvents!r}.")
            if len(solvents) != len(curve_list):
                raise SasnetError(
                    f"{len(solvents)} solvents for {len(curve_list)} curves; give one for each curve."
                )
            described |= {"solvents": {str(i + 1): value for i, value in enumerate(solvents)}}
        if kind is not None:
            described |= {"kind": kind}
        sample = sample_of(
            curve_list, described, sld=densities(wavelength), share=several_of(share),
            own_names=several_of(own),
            ties=several_of(_present(tie, ties)), source=str(sample_file or "the sample"),
        )  # fmt: skip
        options = FitOptions(
            models=None if models is None else several_of(models), structure_factor=structure_factor,
            fixed=dict(fixed or {}), ranges=dict(ranges or {}), time_limit=time_limit, workers=workers,
            prior=prior, exclude=several_of(exclude),
        )  # fmt: skip
        check_names(options)
        check_shared(sample, options)
        with (
            show_progress(progress, time_limit * len(curve_list)) as tell,
            Workers(bank_path(), workers) as pool,
        ):
            result = fit_sample(watch(pool, tell), sample, options)
    return translate_to_python(result, options)


def _present(tie: Iterable[str], ties: Iterable[str]) -> Iterable[str]:
    """The value of `tie`, also where it is given by its former name."""
    if ties:
        warnings.warn(sentences.RENAMED_KEYWORD(old="ties", new="tie"), FutureWarning, stacklevel=3)
    return tie or ties


@one_thread()
def fit_sample(pool: Pool, sample: Sample, options: FitOptions, patience: float = 1.0) -> SampleResult:
    """Fit as `fit_together` with running processes."""
    # The time limit is per curve; the clock may show `patience` times that, without changing what may be
    # evaluated.
    check_shared(sample, options)
    of_all = options.contrast.solvent if options.contrast else None
    if of_all is not None and any(value is not None for value in sample.solvents):
        raise SasnetError(
            "give either --solvent for all curves, or the solvent of each curve in the sample file."
        )
    return leaving_out(partial(_as_measured, pool, patience), pool, sample, options, patience)


def _as_measured(pool: Pool, patience: float, sample: Sample, options: FitOptions) -> SampleResult:
    curves = sample.curves
    dintensities = tuple(uncertainties(curve)[0] for curve in curves)
    suggestion_pairs = [suggest_models(curve, options) for curve in curves]
    suggestions = [suggestion_pair for suggestion_pair, _ in suggestion_pairs]
    fit_alone = partial(fit_with, pool, options=options, wall=patience * options.time_limit)
    whole = as_one_curve(sample, dintensities)
    if whole is None:
        suggestion = together(suggestions, options.prior)
        fits = tuple(
            fit_alone(c, answer=suggestion_pair)
            for c, suggestion_pair in zip(curves, suggestion_pairs, strict=True)
        )
        single_fits = Alone(curves, dintensities, fits)
    else:  # a window of q alone tells little
        answer, seen_suggestions = suggest_models(whole, options)
        suggestion = _copy_structure_factors(together([*suggestions, answer], options.prior), answer)
        as_one = fit_alone(whole, answer=(suggestion, seen_suggestions))
        single_fits = Alone((whole,), (as_one.dintensity,), (as_one,))
    if len(curves) == 1:
        suggestion_pair = single_fits.fits[0]
        return SampleResult(
            sample,
            (suggestion_pair.dintensity,),
            (),
            suggestion,
            single_fits.fits,
            verdict=suggestion_pair.verdict,
        )
    result = _jointly(pool, patience, sample, dintensities, options, suggestion, single_fits)
    result = replace(
        result, against=tuple(contradicting(suggestion, suggestions)), apart=_apart(result, single_fits)
    )
    if whole is None:
        return add_verdict(replace(result, singles=single_fits.fits), options)
    return add_verdict(replace(result, as_one=single_fits.fits[0]), options)


def _jointly(
    pool: Pool,
    patience: float,
    sample: Sample,
    dintensities: tuple[Any, ...],
    options: FitOptions,
    suggestion: Suggestion,
    single_fits: Alone,
) -> SampleResult:
    most = options.time_limit * len(sample.curves)
    ledger = Ledger(pool, time.monotonic() + patience * most, most=most)
    readings = search(ledger, sample, dintensities, options, suggestion, single_fits)
    results = [_result(reading, dintensities, suggestion) for reading in readings]
    best = results[0] if results[0].explained else _disagreeing(ledger, readings, results, options)
    return widen_joint_errors(ledger, best, options)


def _result(reading: Reading, dintensities: tuple[Any, ...], suggestion: Suggestion) -> SampleResult:
    notes, sample = reading.notes, reading.sample
    if reading.fits and UNKNOWN_SOLVENTS in {
        p.undetermined for p in reading.fits[0].make_curve_fit(0).parameters.values()
    }:
        notes = [*notes, NO_DENSITIES]
    return SampleResult(sample, dintensities, tuple(reading.fits), suggestion, notes=tuple(notes))


def _disagreeing(
    ledger: Ledger, readings: Sequence[Reading], results: Sequence[SampleResult], options: FitOptions
) -> SampleResult:
    """Find what curves of an unexplained sample do not share, or which of them disagrees."""
    # The first reading that says one or the other, before one that gives each curve densities of its own.
    usual = [
        usual_result
        for reading, usual_result in zip(readings, results, strict=True)
        if reading.usual and usual_result.fits
    ]
    for usual_result in usual:
        changed = _changing(ledger, usual_result, options)
        if changed is not None:
            return changed
    for usual_result in usual or results[:1]:
        if usual_result.best is not None:
            odd = odd_one(
                ledger, again(usual_result.sample, usual_result.dintensities, options, usual_result.best)
            )
            if odd is not None:
                return replace(usual_result, odd=odd)
        if ledger.remaining <= 0:
            break
    return results[0]


def _changing(ledger: Ledger, result: SampleResult, options: FitOptions) -> SampleResult | None:
    """The likeliest of what explains the curves where each has one parameter of its own."""
    explaining: list[tuple[str, JointFit]] = []
    for fit in result.fits[:_CHANGED]:
        task = again(result.sample, result.dintensities, options, fit)
        changed = own_that_explains(ledger, task, fit, ledger.remaining)
        explaining += [] if changed is None else [changed]
    for fit in [changed_fit for _, changed_fit in explaining] or result.fits[:1]:
        task = again(result.sample, result.dintensities, options, fit)
        changed = other_shape_that_explains(ledger, task, fit, kin(fit, options), ledger.remaining)
        explaining += [] if changed is None else [changed]
    if not explaining:
        return None
    name, changed_fit = min(explaining, key=lambda changed: changed[1].minus_two_log)
    sample = replace(result.sample, own=result.sample.own | {name})
    return replace(
        result, sample=sample, fits=tuple(rank_fits([changed_fit], result.suggestion)), changing=name
    )


def _apart(joint_result: SampleResult, single_fits: Alone) -> bool:
    """Whether curves that share a shape alone, if one sample, are strongly likelier to be several."""
    # Models of their own have more parameters, which their evidences pay for.
    if (
        joint_result.best is None
        or EXCHANGED not in joint_result.notes
        or not all(single_result.fits for single_result in single_fits.fits)
    ):
        return False
    separate = -2 * sum(
        max(fit.log_evidence for fit in single_result.fits) for single_result in single_fits.fits
    )
    return bool(separate < min(fit.minus_two_log for fit in joint_result.fits) - EVIDENCE.strong)


def _copy_structure_factors(suggestion: Suggestion, whole: Suggestion) -> Suggestion:
    """Use the structure factors of all settings as one curve, as most q ranges show none."""
    guesses = {guess.name: guess for guess in whole.models}
    models = [
        replace(
            guess,
            structure_factor=guesses[guess.name].structure_factor,
            structure_factor_probability=guesses[guess.name].structure_factor_probability,
        )
        for guess in suggestion.models
    ]
    return replace(suggestion, models=tuple(models))
