"""``fit``: from a curve to fitted, ranked and verified models."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..data.given import Given, curve_of, curves_of
from ..data.no_structure import constant
from ..data.sample.combined_settings import as_one_curve
from ..data.sample.described import polarisation_of, read_description, sample_of
from ..data.sample.sample import MAGNETIC, SECTORS, SETTINGS, Sample
from ..data.sample.sectors import Magnetism, compare_sectors, separate_magnetism
from ..data.scatter import use_scatter
from ..data.step import exclude_step
from ..digits import significant
from ..materials import densities
from ..noise import error_of_rounding, fill_dintensity, is_usable
from ..predict import open_classifier
from ..predict.class_prior import COMMON
from ..predict.predictor import Classifier, check_points
from ..predict.sample_kinds import PROTEIN, SAMPLE_KINDS
from ..predict.together import contradicting, together
from ..protein.particles import measure_particles, shows_interaction, shows_maximum
from ..protein.results import ProteinResult
from ..simulate.compile_cache import check_compiler
from ..simulate.magnetic_spheres import SPHERES
from ..simulate.orientations import ORIENTATION
from ..types import Curve, ModelGuess, SasnetError, Suggestion, TechnicalError
from ..wording import option
from ..workers.threads import one_thread
from ..zoo import bank_path
from .asked import check_names, check_shared, options_of, select_named_hypotheses, several_of
from .assessment.artefacts import find_artefact, suspect_of
from .assessment.assess import GIVEN_ERRORS, assess, discrepancy
from .assessment.error_estimates import errors_to_add, make_fixed_task, spread_over_kinds, widen_errors
from .assessment.goodness_of_fit import follows_closer
from .assessment.size_mixtures import add_mixture, fit_mixture, mixture_task
from .evidence.marginal import weigh_fits
from .ledger import Ledger
from .optimize.bumps_fit import Reported, fit_by_bumps, warn_without_bumps
from .optimize.refine_best import refine_best
from .pool import Workers, answers
from .problem.contrast import given_parameters, names_settled_by
from .problem.oriented_particles import LENGTHS
from .problem.plugin_models import add_plugins, split
from .problem.resolution import add_resolution_tails, has_resolution
from .progress import Progress, show_progress, watch
from .request import FitRequest, take_keywords
from .result.fit_result import Artefact, FitResult, SizeMixture
from .result.model_fit import ModelFit, explains
from .result.sample_result import JointFit, SampleResult
from .settings import ASSESSMENT, EFFORT, EVIDENCE
from .strategy.disagreement import odd_one, other_shape_that_explains, own_that_explains
from .strategy.hypothesis import Beliefs, priors
from .strategy.joint_fit import JOINT, UNKNOWN_SOLVENTS, fit_jointly, make_restart_task, widen_joint_errors
from .strategy.joint_search import Alone, Reading, kin, rank_fits, search
from .strategy.magnetic import fit_magnetic
from .strategy.oriented import ALIGNED, fit_oriented, is_complete
from .strategy.search import Found, collect_found, describe, search_points
from .strategy.settings import STRATEGY
from .strategy.state import State
from .task import Contrast, FitOptions, Method, Pool, Work
from .verdict import sample_sentences as sentences
from .verdict import sentences as verdict_sentences
from .verdict.doubts import atoms, describe_unlikely
from .verdict.equals import is_explained_within_error
from .verdict.next_step import translate_to_python
from .verdict.sample import add_isotropy, add_magnetism, add_sample_verdict, translate_sample_to_python
from .verdict.tell import add_verdict

_Kind = TypeVar("_Kind")

ESTIMATED = "The uncertainties were estimated"
CUT = (
    "The clock ended the search. A longer search may change the answer and increase its uncertainties."
    " A faster or less busy machine searches further in the same time."
)
ENDED = "You ended the search. A longer search may change the answer and increase its uncertainties."


@dataclass(frozen=True, kw_only=True)
class FitCall(FitRequest):
    """What `fit` is asked for in Python."""

    rng: np.random.Generator | None = None
    progress: bool | Progress = True


@take_keywords(FitCall)
def fit(curve: Given, call: FitCall) -> FitResult:
    """Fit the models that may explain a curve, rank and verify them.

    Parameters
    ----------
    curve : Curve or path
        From `load`, or of arrays; or the name of a file of one curve.
    {options}
    rng : numpy.random.Generator, optional
        Source of randomness of de and dream; default: the same at every call.
    progress : bool or callable
        Whether to show a bar, in a notebook and on a terminal alone. Or what is called instead, with the
        keywords ``done`` and ``of`` (fits; ``of`` is 0 until their number is known), ``name`` and, where a
        model was fitted, ``reduced_chisq``.

    Raises
    ------
    SasnetError
        A file that cannot be read, unknown names or materials, too few points, or a damaged model zoo.
    """
    single_curve, options = curve_of(curve), options_of(call)
    check_names(options)
    with (
        show_progress(call.progress, options.time_limit) as tell,
        Workers(bank_path(), options.workers) as pool,
    ):
        result = fit_with(watch(pool, tell), single_curve, options, rng=call.rng)
    return translate_to_python(result, options)


@one_thread()
def fit_with(
    pool: Pool,
    curve: Curve,
    options: FitOptions,
    *,
    rng: np.random.Generator | None = None,
    wall: float | None = None,
    answer: tuple[Suggestion, Suggestion] | None = None,
) -> FitResult:
    """Fit as `fit` with running processes, for many curves in a row."""
    # `options` leaves workers to the pool; `rng` of de and dream is the same at every call by default; `wall`
    # limits the clock in seconds where it differs from the time limit; `answer` is that of `suggest_models`
    # if it was asked before.
    check_compiler()
    with_scatter = use_scatter(curve)
    measure = cache(lambda: measure_particles(curve))
    fit_once = partial(_fit_curve, pool, options=options, measure=measure, rng=rng, wall=wall, answer=answer)
    result = fit_once(with_scatter)
    return result if with_scatter is curve or not follows_closer(result) else fit_once(curve)


def _fit_curve(
    pool: Pool,
    curve: Curve,
    options: FitOptions,
    *,
    measure: Callable[[], ProteinResult | None],
    rng: np.random.Generator | None,
    wall: float | None,
    answer: tuple[Suggestion, Suggestion] | None,
) -> FitResult:
    method, limit = options.method, (1 - STRATEGY.assessment_share) * options.time_limit
    wall = options.time_limit if wall is None else wall
    for_ranking = 1.0 if method.name == "lm" else EFFORT.planned
    start_time = time.monotonic()
    # The search, another method, and what follows take from one account of time.
    search_end = start_time + STRATEGY.search_share * wall
    ledger = Ledger(pool, start_time + for_ranking * STRATEGY.search_share * wall)
    dintensity, note = uncertainties(curve)
    dintensity, tails = add_resolution_tails(curve, dintensity)
    notes = [*curve.notes, *filter(None, [note, tails])]
    classifier = open_classifier()
    if not split(options.models, classifier.manifest.labels)[1]:
        ledger.first = ledger.until + EFFORT.first  # but for a plugin, which may never return
    suggestion, shown_suggestion = (
        answer or _name_model(curve, options, classifier) or suggest_models(curve, options, classifier)
    )
    if options.models is None and constant(curve.q, curve.intensity, curve.dintensity) is not None:
        return add_verdict(
            _make_structureless_result(curve, dintensity, notes, shown_suggestion, classifier), options
        )
    state = State(
        curve,
        dintensity,
        Beliefs(suggestion),
        options if options.sample_kind is None else _bar_interactions(options, curve, measure()),
        select_named_hypotheses(options, suggestion),
        notes=notes,
    )
    state, search_result = search_points(ledger, state, EFFORT.of_limit * for_ranking * limit)
    refining = replace(ledger, until=search_end)
    longer = replace(refining, until=start_time + (1 - STRATEGY.assessment_share) * wall)
    known_names, probe = _collect_known(options)
    given_names = known_names | set(options.ranges)

    def judge(state: State, search_result: Found) -> FitResult:
        dintensity = state.dintensity
        prior = priors(suggestion, search_result.fits, explained=state.is_explained())
        fits, refinement_notes = _refine_leader(
            refining, search_result.curve, dintensity, search_result.fits, prior, method, rng
        )
        late = _late(_list_unfitted(state, fits), options, ended=ledger.ended)
        supposed = has_resolution(search_result.curve) and not has_resolution(state.curve)
        make_task = partial(
            make_fixed_task, search_result.curve, dintensity, given_names=known_names,
            widest_dq=STRATEGY.relative_dq[-1], supposed=supposed, ranged=frozenset(options.ranges),
        )  # fmt: skip
        reported = partial(_finalise_fits, longer, search_result.curve, dintensity, make_task, method)
        mixture = _mixture(longer, search_result.curve, dintensity, fits, given_names)
        all_notes = [
            *state.notes, *state.materials(), *search_result.notes, *refinement_notes, *late,
            *sentences_of(state.unanswered),
        ]  # fmt: skip
        assessed = assess(
            search_result.curve, dintensity, fits, all_notes, prior, given_names, probe, suggestion.groups,
            reported, mixture, _name_errors(state.described_within),
        )  # fmt: skip
        return add_mixture(assessed, mixture)

    result, described_within = judge(state, search_result), 0.0
    if not is_explained_within_error(result):
        described = describe(refining, state, STRATEGY.time["fast"])
        if described is not state:
            found = collect_found(described)
            described_result = judge(described, found)
            # A simpler model may lead that is not the nearest.
            misfit = np.sqrt(max((fit.reduced_chisq for fit in described_result.fits[:1]), default=np.inf))
            share = float(described.described_within * max(misfit, 1.0))
            # What follows the curve with lengths of atoms, as wide-angle scattering, describes no particles.
            if share <= ASSESSMENT.most_systematic and not any(atoms(described_result)):
                state, search_result, result = described, found, described_result
                described_within = share
    unfitted = _list_unfitted(state, result.fits)
    if options.models is None:
        result = _compare_with_network(result, shown_suggestion, classifier.manifest.scope_threshold)
    if method.name == "lm":
        result = _spread_over_best_kinds(result, search_result.kinds)
    ended = ledger.ended or longer.ended
    artefact = _artefact(longer, state.curve, state.dintensity, result, given_names)
    result = replace(
        result,
        artefact=artefact,
        limited=tuple(options.ranges),
        fitted=_list_fitted(options),
        given=_list_given(options, result.fits),
        contrast=options.contrast,
        ended=ended,
        limit_met=longer.cut and not ended,
        unfitted=unfitted,
        unfinished=_list_unfinished(state, result.fits, unfitted),
        described_within=described_within,
    )
    result = _add_particles(result, options, measure)
    return add_verdict(_note_missing_fits(result, state), options)


def _name_errors(share: float) -> str:
    """What the fits are compared with: the given errors, or those with an error of a share of I added."""
    return f"an error of {significant(100 * share, 2)} % of I" if share else GIVEN_ERRORS


def _bar_interactions(options: FitOptions, curve: Curve, measured: ProteinResult | None) -> FitOptions:
    """Exclude the structure factors of a kind of sample where the curve shows no interaction."""
    if options.structure_factor is not None or options.sample_kind is None:
        return options
    factors = (
        () if shows_interaction(curve, measured) else SAMPLE_KINDS[options.sample_kind].structure_factors
    )
    return replace(options, exclude=(*options.exclude, *factors))


def _add_particles(
    result: FitResult, options: FitOptions, measure: Callable[[], ProteinResult | None]
) -> FitResult:
    """With what holds without a model, where no model fits or the user says that it is a protein."""
    if options.sample_kind == PROTEIN:
        return replace(result, protein=measure(), sample_kind=PROTEIN)
    # p(r) costs as much as several fits.
    if is_explained_within_error(result):
        return result
    measured = replace(result, protein=measure())
    particles = measured.particles
    return result if particles is None or shows_maximum(result.curve, particles) else measured


def _make_structureless_result(
    curve: Curve,
    dintensity: NDArray[np.float64],
    notes: Sequence[str],
    suggestion: Suggestion,
    classifier: Classifier,
) -> FitResult:
    """The result of a curve that is a constant and noise: no model has anything to explain in it."""
    threshold = classifier.manifest.scope_threshold
    return FitResult(
        curve,
        dintensity,
        (),
        verified=True,
        notes=tuple(notes),
        expected=suggestion,
        scope_threshold=threshold,
    )


def _collect_known(options: FitOptions) -> tuple[frozenset[str], str | None]:
    """Parameters whose values a user gives, and the probe where materials are named."""
    known_names = {*options.fixed, *(options.start.fixed if options.start else ())}
    contrast = options.contrast
    if contrast is None:
        return frozenset(known_names), None
    return frozenset({*known_names, *names_settled_by(contrast)}), contrast.probe


def _list_fitted(options: FitOptions) -> tuple[str, ...]:
    names = (*options.fitted, *(options.start.fitted if options.start else ()))
    return tuple(name for name in names if name not in options.fixed)


def _list_given(options: FitOptions, fits: Sequence[ModelFit]) -> tuple[str, ...]:
    """Names of the parameters that a user has given, in any of the fits."""
    names = [name for fit in fits for name in given_parameters(options.fixed, options.contrast, fit.model)]
    return tuple(dict.fromkeys([*names, *["temperature"] * (options.temperature is not None)]))


def _spread_over_best_kinds(result: FitResult, kinds: Sequence[ModelFit]) -> FitResult:
    names = [best.name for best in result.fits[:1]]
    return spread_over_kinds(replace(result, distributions=tuple(fit for fit in kinds if fit.name in names)))


def _finalise_fits(
    ledger: Ledger,
    curve: Curve,
    dintensity: NDArray[np.float64],
    make_task: Callable[[ModelFit], Any],
    method: Method,
    fits: Sequence[ModelFit],
) -> list[ModelFit]:
    """Fits as they are reported: fitted by Bumps, with all that is unknown in their errors."""
    finalised_fits = list(fits)
    open_ = [i for i, fit in enumerate(finalised_fits) if not fit.fitter]
    tasks = [Reported(curve, dintensity, finalised_fits[i]) for i in open_]
    for index, fit in answers(ledger, fit_by_bumps, tasks, EFFORT.reported):
        place = open_[index]
        finalised_fits[place] = (
            fit if isinstance(fit, ModelFit) else warn_without_bumps(finalised_fits[place])
        )
    return _widen_all_errors(ledger, make_task, method, finalised_fits)


def _artefact(
    ledger: Ledger,
    curve: Curve,
    dintensity: NDArray[np.float64],
    result: FitResult,
    given_names: frozenset[str],
) -> Artefact | None:
    if len(curve) != len(result.curve):  # the first points are excluded already
        return None
    suspect = suspect_of(curve, dintensity, result.fits, given_names)
    return _answer_one(ledger, find_artefact, suspect, Artefact)


def _mixture(
    ledger: Ledger,
    curve: Curve,
    dintensity: NDArray[np.float64],
    fits: Sequence[ModelFit],
    given_names: frozenset[str],
) -> SizeMixture | None:
    """Hard spheres of several sizes as a mixture, where one of the fits is of these."""
    least = min((fit.reduced_chisq for fit in fits), default=0.0)
    tasks = (mixture_task(curve, dintensity, fit, least, given_names) for fit in fits)
    return _answer_one(ledger, fit_mixture, next(filter(None, tasks), None), SizeMixture)


def _answer_one(ledger: Ledger, work: Work, task: Any, kind: type[_Kind]) -> _Kind | None:
    """What comes of one task after the search; None without a task, or where nothing came of it."""
    answered = [] if task is None else list(answers(ledger, work, [task], STRATEGY.time["fast"]))
    return next((found for _, found in answered if isinstance(found, kind)), None)


def _widen_all_errors(
    ledger: Ledger, make_task: Callable[[ModelFit], Any], method: Method, fits: Sequence[ModelFit]
) -> list[ModelFit]:
    """With all that is unknown in the errors of each fit; other methods have errors of their own."""
    widened_fits = list(fits)
    if method.name != "lm":
        return widened_fits
    tasks = list(map(make_task, widened_fits))
    for index, added_errors in answers(ledger, errors_to_add, tasks, STRATEGY.time["fast"]):
        if not isinstance(added_errors, Exception):
            fit = widened_fits[index]
            widened_fits[index] = replace(fit, parameters=widen_errors(fit.parameters, added_errors))
    return widened_fits


def _note_missing_fits(result: FitResult, state: State) -> FitResult:
    """With what could not be fitted, and a note where the clock on the wall or the user ended the search."""
    failed = tuple(dict.fromkeys(error.name for error in state.unanswered))
    notes = (*result.notes, *[CUT] * result.limit_met, *[ENDED] * result.ended)
    return replace(result, notes=notes, unanswered=failed)


def _refine_leader(
    ledger: Ledger,
    curve: Curve,
    dintensity: NDArray[np.float64],
    fits: Sequence[ModelFit],
    prior: Sequence[float],
    method: Method,
    rng: np.random.Generator | None,
) -> tuple[list[ModelFit], list[str]]:
    """The fits, the likeliest refined by another method until the ledger's end; and what is said of it."""
    if not fits or method.name == "lm":
        return list(fits), []
    leader = weigh_fits(discrepancy(curve, dintensity, fits), fits, prior).fits[0].name
    place = [fit.name for fit in fits].index(leader)
    seconds_left, rng = ledger.until - time.monotonic(), rng or np.random.default_rng(0)
    refined_fit, notes = refine_best(ledger, curve, dintensity, fits[place], method, seconds_left, rng)
    return [*fits[:place], refined_fit, *fits[place + 1 :]], notes


def _list_unfitted(state: State, fits: Sequence[ModelFit]) -> tuple[str, ...]:
    fitted = {fit.name for fit in fits}
    return tuple(name for name in dict.fromkeys(state.late) if name not in fitted)


def _list_unfinished(state: State, fits: Sequence[ModelFit], unfitted: Sequence[str]) -> tuple[str, ...]:
    """Short names of the models that the user named and that there was no time to fit to their end."""
    cut = [fit for fit in fits if fit.cut and not explains(fit.reduced_chisq, len(state.curve))]
    names = {name: name for name in unfitted} | {fit.name: fit.short_name for fit in cut}
    named = {hypothesis.name for hypothesis in state.named} if state.options.models is not None else set()
    return tuple(short_name for name, short_name in names.items() if name in named)


def _late(unfitted: Sequence[str], options: FitOptions, *, ended: bool) -> list[str]:
    more_time = option("time-limit", round(options.longer()), page="more time")
    limit = f"within the time limit (go on with {more_time})"
    when = "before you ended the search" if ended else limit
    return [f"Not fitted {when}: {', '.join(unfitted)}."] if unfitted else []


def _compare_with_network(result: FitResult, suggestion: Suggestion, threshold: float) -> FitResult:
    """With what the network had expected, and a note where it knows no such curve and a fit explains it."""
    notes: tuple[str, ...] = ()
    if result.best is not None and result.verified and suggestion.in_scope < threshold:
        notes = (describe_unlikely(result.best, suggestion.in_scope),)
    return replace(result, notes=(*result.notes, *notes), expected=suggestion, scope_threshold=threshold)


def suggest_models(
    curve: Curve, options: FitOptions, classifier: Classifier | None = None
) -> tuple[Suggestion, Suggestion]:
    """What the network makes of a curve, with a user's plugin models, and the same as it is shown."""
    classifier = classifier or open_classifier()
    network_models, plugins = split(options.candidates, classifier.manifest.labels)
    keep = classifier.selection(
        None if plugins and not network_models else network_models, options.exclude or None
    )
    suggestion, shown_suggestion = classifier.suggest_under(curve, (options.prior, COMMON), keep)
    return add_plugins(
        suggestion, plugins, is_only=network_models == []
    ) if plugins else suggestion, shown_suggestion


def _name_model(
    curve: Curve, options: FitOptions, classifier: Classifier
) -> tuple[Suggestion, Suggestion] | None:
    """What `suggest_models` says where a user names one model and its structure factor, unasked."""
    # Whatever the network makes of the curve, that model has all of the probability.
    models, plugins = split(options.models, classifier.manifest.labels)
    if plugins or models is None or len(models) != 1 or options.structure_factor is None:
        return None
    classifier.selection(models, options.exclude or None)
    check_points(curve)
    factor = None if options.structure_factor == "none" else options.structure_factor
    guess = ModelGuess(models[0], factor, 1.0, models[0])
    suggestion = Suggestion(curve.file, curve.entry, (guess,), (), 1.0)
    return suggestion, suggestion


def sentences_of(unanswered: Sequence[TechnicalError]) -> list[str]:
    """What could not be done, and that it may be what is missing; a sentence for each reason."""
    names: dict[str, list[str]] = {}
    for error in unanswered:
        names.setdefault(error.reason, []).append(error.name)
    return [
        f"{', '.join(dict.fromkeys(name))}: {reason}. Tried twice; the answer is incomplete."
        for reason, name in names.items()
    ]


def uncertainties(curve: Curve) -> tuple[NDArray[np.float64], str]:
    """Positive uncertainties for a fit, and sentences on what was estimated or added."""
    notes, stated = [], curve.dintensity
    if stated is None:
        notes.append(
            f"{ESTIMATED} from the scatter of the points. So a χ² of 1 only says that a fit follows the"
            " points as closely as they scatter."
        )
    elif curve.understated:
        notes.append(verdict_sentences.UNDERSTATED(factor=significant(curve.understated, 2)))
    elif unusable := np.sum(~is_usable(stated)):
        notes.append(f"{unusable} points have no uncertainty; theirs was estimated from the scatter.")
    dintensity = fill_dintensity(curve.intensity, stated)
    rounding = error_of_rounding(curve.q, curve.intensity)
    if count := np.sum(rounding > dintensity):
        notes.append(
            f"q is rounded to few digits. In {count} steep points this changes I by more than the"
            " uncertainty, so it was added to the uncertainties."
        )
    return np.hypot(dintensity, rounding), " ".join(notes)


#: Said of contrasts whose solvents nobody has given.
NO_DENSITIES = (
    "The solvents are not given: the curves then determine only ratios of contrasts, not scattering"
    " length densities. Give the solvent of each curve to get these."
)
#: Models, the likeliest, of which each parameter in turn may be each curve's own where nothing explains all.
_CHANGED = 2


@dataclass(frozen=True, kw_only=True)
class TogetherCall(FitRequest):
    """What `fit_together` is asked for in Python."""

    sample_file: str | Path | None = None
    solvents: Sequence[str | float] | None = None
    kind: str | None = None
    sectors: Sequence[tuple[float, float]] | None = None
    field: float | None = None
    spins: Sequence[str] | None = None
    polarisation: Sequence[float] | None = None
    share: Iterable[str] = ()
    own: Iterable[str] = ()
    tie: Iterable[str] = ()
    progress: bool | Progress = True
    ties: Iterable[str] = ()


@take_keywords(TogetherCall)
def fit_together(curves: Given | Sequence[Given], call: TogetherCall) -> SampleResult:
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
        settings, contrasts, concentrations, probes, series or sectors; default: told from the curves.
    sectors : sequence of (float, float), optional
        Azimuth and half-width of each curve's sector in degrees; then the kind is sectors.
    field : float, optional
        Azimuth of a saturating magnetic field, degrees; separates magnetic from nuclear scattering.
    spins : sequence of str, optional
        Spin state of each curve in a field: + or -, with an analyser ++, +-, -+ or --.
    polarisation : sequence of float, optional
        Efficiencies of polariser, flipper, analyser and its flipper; not given, the first is fitted.
    share, own : iterable of str
        Parameters that all have in common, or each of its own, against the kind's custom.
    tie : iterable of str
        ``"sld_solvent = -0.56 + 6.92*x"``.
    {options}
    progress : bool or callable
        As of `fit`; the time limit is of each curve.
    ties : iterable of str
        Former name of `tie`; works until the next release.

    Raises
    ------
    SasnetError
        Unknown names, or curves that do not go together; the sentence says why.
    """
    curve_list = curves_of(curves)
    described: dict[str, Any] = {} if call.sample_file is None else read_description(call.sample_file)
    solvents, spins, polarisation = call.solvents, call.spins, call.polarisation
    if solvents is not None:
        if isinstance(solvents, str):
            raise SasnetError(f"solvents must be a list with one entry for each curve, not {solvents!r}.")
        if len(solvents) != len(curve_list):
            raise SasnetError(
                f"{len(solvents)} solvents for {len(curve_list)} curves; give one for each curve."
            )
        described |= {"solvents": {str(i + 1): value for i, value in enumerate(solvents)}}
    if call.kind is not None:
        described |= {"kind": call.kind}
    described |= _describe_sectors(call.sectors, call.field, len(curve_list))
    described |= {} if spins is None else {"spins": {str(i + 1): spin for i, spin in enumerate(spins)}}
    if polarisation is not None:
        described |= {"polarisation": polarisation_of(":".join(map(str, polarisation)))}
    sample = sample_of(
        curve_list, described, sld=densities(call.wavelength), share=several_of(call.share),
        own_names=several_of(call.own), ties=several_of(_present(call.tie, call.ties)),
        source=str(call.sample_file or "the sample"),
    )  # fmt: skip
    options = options_of(call)
    check_names(options)
    check_shared(sample, options)
    with (
        show_progress(call.progress, options.time_limit * len(curve_list)) as tell,
        Workers(bank_path(), options.workers) as pool,
    ):
        result = fit_sample(watch(pool, tell), sample, options)
    return translate_sample_to_python(result, options)


def _describe_sectors(
    sectors: Sequence[tuple[float, float]] | None, field_azimuth: float | None, count: int
) -> dict[str, Any]:
    """Sections of a sample file that say the same."""
    described: dict[str, Any] = {} if field_azimuth is None else {"field": field_azimuth}
    if sectors is None:
        return described
    if len(sectors) != count:
        raise SasnetError(f"{len(sectors)} sectors for {count} curves; give one for each curve.")
    section = {str(i + 1): list(sector) for i, sector in enumerate(sectors)}
    return described | {"kind": SECTORS, "sectors": section}


def _present(tie: Iterable[str], ties: Iterable[str]) -> Iterable[str]:
    """The value of `tie`, also where it is given by its former name."""
    if ties:
        warnings.warn(sentences.RENAMED_KEYWORD(old="ties", new="tie"), FutureWarning, stacklevel=3)
    return tie or ties


@one_thread()
def fit_sample(pool: Pool, sample: Sample, options: FitOptions, patience: float = 1.0) -> SampleResult:
    """Fit as `fit_together` with running processes."""
    # The time limit is per curve; the clock may show `patience` times that, without changing what may be
    # evaluated. All stages take from one account, which ends with `end`.
    end = time.monotonic() + patience * options.time_limit * len(sample.curves)
    check_compiler()
    sample = replace(sample, curves=tuple(map(use_scatter, sample.curves)))
    check_shared(sample, options)
    of_all = options.contrast.solvent if options.contrast else None
    if of_all is not None and any(value is not None for value in sample.solvents):
        raise SasnetError(
            f"Give either {option('solvent')} for all curves, or the solvent of each curve in the sample"
            " file."
        )
    if sample.kind == SECTORS:
        return _fit_sectors(pool, sample, options, end)
    result = leaving_out(partial(_as_measured, pool, end), pool, sample, options, end)
    return replace(result, contrast=options.contrast)


def _fit_sectors(pool: Pool, sample: Sample, options: FitOptions, end: float) -> SampleResult:
    """Fit particles with a common direction; in a magnetic field the parts that it tells apart."""
    if options.fitted:
        raise SasnetError(
            f"Sectors are fitted without {option('fitted')}; fix parameters with {option('fixed')} instead."
        )
    parts = None if sample.field_azimuth is None else separate_magnetism(sample)
    search = partial(leaving_out, partial(_as_measured, pool, end), pool)
    difference = compare_sectors(sample.curves)
    if parts is not None and parts.is_seen:
        result = _fit_in_field(pool, sample, options, end, parts, search)
    elif difference.is_seen or {*ORIENTATION} & {*options.fixed, *options.ranges}:
        result = _fit_aligned(pool, sample, options, end)
    else:
        curves = tuple(replace(curve, sector=None) for curve in sample.curves)
        isotropic = replace(sample, curves=curves, kind=SETTINGS, field_azimuth=None)
        result = search(isotropic, options, end)
    if parts is None:
        return result if difference.is_seen else add_isotropy(result, difference)
    return add_magnetism(result, parts, sample, options)


def _fit_aligned(pool: Pool, sample: Sample, options: FitOptions, end: float) -> SampleResult:
    ledger = Ledger(pool, end, most=options.time_limit * len(sample.curves))
    dintensities = tuple(uncertainties(curve)[0] for curve in sample.curves)
    return add_sample_verdict(fit_oriented(ledger, sample, dintensities, options), options)


def _fit_in_field(
    pool: Pool, sample: Sample, options: FitOptions, end: float, parts: Magnetism,
    search: Callable[[Sample, FitOptions, float], SampleResult],
) -> SampleResult:  # fmt: skip
    """Fit magnetic spheres and, where spins are not told apart, aligned particles without magnetism, as both
    make sectors differ; other shapes to nuclear and magnetic parts where neither settles it.
    """
    spheres = _fit_spheres_in_field(pool, sample, options, end, parts)
    aligned = _fit_alignment_in_field(pool, sample, options, end)
    if spheres is not None and spheres.best is not None and _is_sphere(spheres, options):
        if aligned is None or aligned.best is None:
            return spheres
        gain = spheres.best.minus_two_log - aligned.best.minus_two_log
        if abs(gain) < EVIDENCE.strong:
            return replace(spheres, aligned=aligned.best)
        return aligned if gain > 0 else spheres
    if aligned is not None:
        return aligned
    curves = parts.nuclear, parts.magnetic
    separated = Sample(curves, MAGNETIC, told=True, probes=("neutron",) * 2, values=({}, {}))
    result = search(separated, options, end)
    is_open = not result.explained or getattr(result.best, "name", "") in SPHERES
    return spheres if spheres is not None and is_open else result


def _fit_alignment_in_field(
    pool: Pool, sample: Sample, options: FitOptions, end: float
) -> SampleResult | None:
    """Aligned particles, where they follow sectors of unpolarised neutrons to their errors."""
    models = options.models or ALIGNED
    if any(curve.spin for curve in sample.curves) or not set(models) & set(LENGTHS):
        return None
    if options.structure_factor not in (None, "none"):
        return None
    named = tuple(model for model in models if model in LENGTHS)
    found = _fit_aligned(pool, sample, replace(options, models=named), end)
    return found if found.best is not None and is_complete(found.best) else None


def _is_sphere(spheres: SampleResult, options: FitOptions) -> bool:
    """Whether no other shapes are fitted: none is named, and spheres fit to the errors or are likeliest."""
    if spheres.best is None or not set(options.models or ()) <= set(SPHERES):
        return False
    return is_complete(spheres.best) or any(guess.name in SPHERES for guess in spheres.suggestion.models[:1])


def _fit_spheres_in_field(
    pool: Pool, sample: Sample, options: FitOptions, end: float, parts: Magnetism
) -> SampleResult | None:
    """Fit spheres to the curves as measured; None where they do not fit, or with a structure factor."""
    if options.structure_factor not in (None, "none"):
        return None
    ledger = Ledger(pool, end, most=options.time_limit * len(sample.curves))
    dintensities = tuple(uncertainties(curve)[0] for curve in sample.curves)
    suggestion = suggest_models(parts.nuclear, options)[0]
    spheres = fit_magnetic(
        ledger, replace(sample, told=True), dintensities, options, parts.contrast[0], suggestion
    )
    return add_sample_verdict(spheres, options) if spheres.explained else None


def _as_measured(pool: Pool, end: float, sample: Sample, options: FitOptions) -> SampleResult:
    curves = sample.curves
    dintensities = tuple(uncertainties(curve)[0] for curve in curves)
    suggestion_pairs = [suggest_models(curve, options) for curve in curves]
    suggestions = [suggestion_pair for suggestion_pair, _ in suggestion_pairs]
    whole = as_one_curve(sample, dintensities)
    singles_end = end if len(curves) == 1 else end - STRATEGY.joint_share * (end - time.monotonic())
    if whole is None:
        suggestion = together(suggestions, options.prior)
        fits = tuple(
            fit_with(
                pool, c, _add_solvent(options, sample, i), answer=suggestion_pair,
                wall=(singles_end - time.monotonic()) / (len(curves) - i),
            )
            for i, (c, suggestion_pair) in enumerate(zip(curves, suggestion_pairs, strict=True))
        )  # fmt: skip
        single_fits = Alone(curves, dintensities, fits)
    else:  # a window of q alone tells little
        answer, seen_suggestions = suggest_models(whole, options)
        suggestion = _copy_structure_factors(together([*suggestions, answer], options.prior), answer)
        seconds_left = singles_end - time.monotonic()
        as_one = fit_with(pool, whole, options, answer=(suggestion, seen_suggestions), wall=seconds_left)
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
    result = _jointly(pool, end, sample, dintensities, options, suggestion, single_fits)
    result = replace(
        result, against=tuple(contradicting(suggestion, suggestions)), apart=_apart(result, single_fits)
    )
    if whole is None:
        return add_sample_verdict(replace(result, singles=single_fits.fits), options)
    return add_sample_verdict(replace(result, as_one=single_fits.fits[0]), options)


def _add_solvent(options: FitOptions, sample: Sample, i: int) -> FitOptions:
    # A given scale makes the densities of a curve alone absolute.
    value = sample.solvents[i] if sample.solvents and "scale" in options.fixed else None
    if value is None:
        return options
    contrast = replace(options.contrast or Contrast(None, None), solvent=value, solvent_name="the solvent")
    return replace(options, contrast=contrast)


def _jointly(
    pool: Pool,
    end: float,
    sample: Sample,
    dintensities: tuple[Any, ...],
    options: FitOptions,
    suggestion: Suggestion,
    single_fits: Alone,
) -> SampleResult:
    start_time = time.monotonic()
    search_end = start_time + STRATEGY.search_share * (end - start_time)
    ledger = Ledger(pool, search_end, most=options.time_limit * len(sample.curves))
    readings = search(ledger, sample, dintensities, options, suggestion, single_fits)
    results = [_result(reading, dintensities, suggestion) for reading in readings]
    best = results[0] if results[0].explained else _disagreeing(ledger, readings, results, options)
    return widen_joint_errors(replace(ledger, until=end), best, options)


def _result(reading: Reading, dintensities: tuple[Any, ...], suggestion: Suggestion) -> SampleResult:
    notes, sample = [*reading.notes, *[str(sentences.EXCHANGED)] * reading.own_densities], reading.sample
    if reading.fits and UNKNOWN_SOLVENTS in {
        p.undetermined for p in reading.fits[0].make_curve_fit(0).parameters.values()
    }:
        notes = [*notes, NO_DENSITIES]
    return SampleResult(
        sample,
        dintensities,
        tuple(reading.fits),
        suggestion,
        notes=tuple(notes),
        own_densities=reading.own_densities,
    )


def _disagreeing(
    ledger: Ledger, readings: Sequence[Reading], results: Sequence[SampleResult], options: FitOptions
) -> SampleResult:
    """Find what curves of an unexplained sample do not share, or which of them disagrees."""
    # The first reading that says one or the other, before one that gives each curve densities of its own.
    usual = [
        usual_result
        for reading, usual_result in zip(readings, results, strict=True)
        if usual_result.fits and not reading.own_densities
    ]
    for usual_result in usual:
        changed = _changing(ledger, usual_result, options)
        if changed is not None:
            return changed
    for usual_result in usual or results[:1]:
        if usual_result.best is not None:
            odd = odd_one(
                ledger,
                make_restart_task(usual_result.sample, usual_result.dintensities, options, usual_result.best),
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
        task = make_restart_task(result.sample, result.dintensities, options, fit)
        changed = own_that_explains(ledger, task, fit, ledger.remaining)
        explaining += filter(None, [changed])
    for fit in [changed_fit for _, changed_fit in explaining] or result.fits[:1]:
        task = make_restart_task(result.sample, result.dintensities, options, fit)
        changed = other_shape_that_explains(ledger, task, fit, kin(fit, options), ledger.remaining)
        explaining += filter(None, [changed])
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
        or not joint_result.own_densities
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


def exclude_steps(sample: Sample, kept_places: Collection[int] = ()) -> Sample:
    """Exclude first points below a step, except in curves at `kept_places`."""
    curves = tuple(c if i in kept_places else exclude_step(c) for i, c in enumerate(sample.curves))
    is_same = all(a is b for a, b in zip(curves, sample.curves, strict=True))
    return sample if is_same else replace(sample, curves=curves)


def leaving_out(
    fit: Callable[[Sample, FitOptions], SampleResult],
    pool: Pool,
    sample: Sample,
    options: FitOptions,
    end: float,
) -> SampleResult:
    """Fit a sample without apparently dimmed first points if only that explains it."""
    clear = exclude_steps(sample)
    if clear is sample or len(sample.curves) < 2:
        return fit(sample, options)
    result = fit(clear, replace(options, time_limit=options.time_limit / 2))
    if not result.explained and time.monotonic() < end:
        return fit(sample, options)
    kept_places = _find_explained(Ledger(pool, end), sample, result, options) if result.explained else set()
    if kept_places and time.monotonic() < end:
        clear = exclude_steps(sample, kept_places)
        result = fit(clear, options)
    return replace(result, notes=(*result.notes, *_describe_excluded(sample, clear)))


def _find_explained(ledger: Ledger, sample: Sample, result: SampleResult, options: FitOptions) -> set[int]:
    """Places of the curves whose first points the best fit explains once it is refined on them."""
    best = result.best
    if best is None:
        return set()
    seem = [i for i, one_curve in enumerate(result.sample.curves) if len(one_curve) < len(sample.curves[i])]
    whole = replace(result.sample, curves=sample.curves)
    task = make_restart_task(whole, tuple(uncertainties(curve)[0] for curve in whole.curves), options, best)
    for _, fit in answers(ledger, fit_jointly, [task], JOINT.seconds):
        if isinstance(fit, JointFit):
            return {i for i in seem if explains(fit.per_point(i), len(sample.curves[i]))}
    return set()


def _describe_excluded(sample: Sample, clear: Sample) -> list[str]:
    """What was left out, by file."""
    pairs = zip(sample.curves, clear.curves, strict=True)
    return [
        f"{Path(whole_curve.file).name}: {note}"
        for whole_curve, rest in pairs
        for note in rest.notes[len(whole_curve.notes) :]
    ]
