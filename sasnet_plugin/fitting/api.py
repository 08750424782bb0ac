"""``fit``: from a curve to fitted, ranked and verified models."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..data.given import Given, curve_of, sentences_in_python
from ..data.no_structure import constant
from ..noise import estimate_dintensity
from ..predict import open_classifier
from ..predict.class_prior import COMMON, check_prior
from ..predict.curves import Classifier
from ..types import Curve, Suggestion, TechnicalError
from ..workers.threads import one_thread
from ..zoo import bank_path
from .asked import check_names, select_named_hypotheses, several_of, start_of
from .assessment.artefacts import find_artefact, suspect_of
from .assessment.assess import assess, discrepancy
from .assessment.flat import errors_to_add
from .assessment.held import make_fixed_task, widen_errors
from .assessment.over_kinds import spread_over_kinds
from .evidence.weights import weigh_fits
from .ledger import Ledger
from .optimize.bumps_fit import Reported, fit_by_bumps, warn_without_bumps
from .optimize.refine_best import refine_best
from .pool import Workers, answers
from .problem.contrast import contrast_of, given_parameters, names_settled_by
from .problem.plugin_models import add_plugins, split
from .problem.resolution import has_resolution
from .problem.resolution_tails import add_resolution_tails
from .progress import Progress, show_progress, watch
from .result.artefact import Artefact
from .result.fit_result import FitResult
from .result.model_fit import ModelFit
from .settings import EFFORT, OPTIMIZE
from .strategy.first_points import search_points
from .strategy.hypothesis import Beliefs, priors
from .strategy.settings import STRATEGY
from .strategy.state import State
from .task import FitOptions, Method, Pool
from .verdict.in_python import translate_to_python
from .verdict.tell import add_verdict

ESTIMATED = "The uncertainties were estimated"
CUT = (
    "The clock ended the search. A longer search may change the answer and increase its uncertainties."
    " A faster or less busy machine searches further in the same time."
)
ENDED = "You ended the search. A longer search may change the answer and increase its uncertainties."


def fit(
    curve: Given,
    *,
    top: int = 5,
    models: Iterable[str] | None = None,
    structure_factor: str | None = None,
    fixed: Mapping[str, float] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    sample: str | None = None,
    solvent: str | None = None,
    probe: str = "neutron",
    wavelength: float | None = None,
    method: str = "lm",
    samples: int = 10_000,
    burn: int = 100,
    rng: np.random.Generator | None = None,
    time_limit: float = 90.0,
    workers: int = 2,
    prior: str = COMMON,
    exclude: Iterable[str] = (),
    start: Mapping[str, float | str] | None = None,
    progress: bool | Progress = True,
) -> FitResult:
    """Fit the models that may explain a curve, rank and verify them.

    Parameters
    ----------
    curve : Curve or path
        From `load`, or of arrays; or the name of a file of one curve.
    top : int
        How many form models to fit.
    models : str or iterable of str, optional
        Fit these instead of the network's choice.
    structure_factor : str, optional
        Fit this one alone ("none" for none); default: those that the network holds for likely.
    fixed : mapping, optional
        Values of parameters that are not to be fitted, in sasmodels' units.
    ranges : mapping, optional
        (low, high) of fitted parameters.
    sample, solvent : str, optional
        What they are made of, ``SiO2@2.2`` and ``D2O``: scattering length densities that are not fitted.
    probe, wavelength : str, and float, optional
        For those: neutron or xray; Å, needed for X-rays.
    method : str
        What follows for the best model: lm (nothing more), amoeba, de, or dream (samples of its posterior).
    samples, burn : int
        Draws of DREAM, and steps of its chains before the first.
    rng : numpy.random.Generator, optional
        Source of randomness of de and dream; default: the same at every call.
    time_limit : float
        Seconds for the whole curve. It sets how many evaluations of models are made, the same on every
        machine; where one is so slow or busy that the time is up before, the search ends with a note.
    workers : int
        Processes.
    prior : str
        "common" weights models with how common they are in practice, "uniform" takes all for alike.
    exclude : iterable of str
        Form models that are not fitted, nor as a part of a sum.
    start : mapping, optional
        Values of the one model in `models` from which its fit begins as well, in sasmodels' units.
    progress : bool or callable
        Whether to show a bar, in a notebook and on a terminal alone. Or what is called instead, with the
        keywords ``done`` and ``of`` (fits; ``of`` is 0 until their number is known), ``name`` and, where a
        model was fitted, ``reduced_chisq``.

    Raises
    ------
    SasnetError
        A file that cannot be read, unknown names or materials, too few points, or a damaged model zoo.
    """
    with sentences_in_python():
        single_curve = curve_of(curve)
        model_names = None if models is None else several_of(models)
        options = FitOptions(
            top=top,
            models=model_names,
            structure_factor=structure_factor,
            fixed=dict(fixed or {}),
            ranges=dict(ranges or {}),
            contrast=contrast_of(sample, solvent, probe, wavelength),
            method=Method(method, samples, burn),
            time_limit=time_limit,
            workers=workers,
            prior=check_prior(prior),
            exclude=several_of(exclude),
            start=start_of(model_names, structure_factor, start or {}),
            also={} if wavelength is None else {"--wavelength": f"{wavelength:g}"},
        )
        check_names(options)
        with show_progress(progress, time_limit) as tell, Workers(bank_path(), workers) as pool:
            result = fit_with(watch(pool, tell), single_curve, options, rng=rng)
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
    method, limit = options.method, (1 - STRATEGY.assessment_share) * options.time_limit
    stop = limit if wall is None else (1 - STRATEGY.assessment_share) * wall
    for_ranking = 1.0 if method.name == "lm" else OPTIMIZE.ranking_share
    start_time = time.monotonic()
    ledger = Ledger(pool, start_time + for_ranking * stop)
    dintensity, note = uncertainties(curve)
    dintensity, tails = add_resolution_tails(curve, dintensity)
    notes = [*curve.notes, *filter(None, [note, tails])]
    classifier = open_classifier()
    if not split(options.models, classifier.manifest.labels)[1]:
        ledger.first = ledger.until + EFFORT.first  # but for a plugin, which may never return
    suggestion, shown_suggestion = answer or suggest_models(curve, options, classifier)
    if options.models is None and constant(curve.q, curve.intensity, curve.dintensity) is not None:
        return add_verdict(
            _make_structureless_result(curve, dintensity, notes, shown_suggestion, classifier), options
        )
    state = State(
        curve,
        dintensity,
        Beliefs(suggestion),
        options,
        select_named_hypotheses(options, suggestion),
        notes=notes,
    )
    state, search_result = search_points(ledger, state, EFFORT.of_limit * for_ranking * limit)
    notes, dintensity = state.notes, state.dintensity
    fits, prior = search_result.fits, priors(suggestion, search_result.fits, explained=state.is_explained())
    notes.extend([*state.materials(), *search_result.notes])
    longer = replace(ledger, until=start_time + max(stop, limit))
    fits, refinement_notes = _refine_leader(longer, search_result.curve, dintensity, fits, prior, method, rng)
    unfitted = _list_unfitted(state, fits)
    notes.extend(
        [*refinement_notes, *_late(unfitted, options, ended=ledger.ended), *sentences_of(state.unanswered)]
    )
    given_names, probe = _collect_given(options)
    supposed = has_resolution(search_result.curve) and not has_resolution(state.curve)
    reported = partial(_finalise_fits, longer, search_result.curve, dintensity, given_names, method, supposed)
    result = assess(
        search_result.curve, dintensity, fits, notes, prior, given_names, probe, suggestion.groups, reported
    )
    if options.models is None:
        result = _compare_with_network(result, shown_suggestion, classifier.manifest.scope_threshold)
    if method.name == "lm":
        result = _spread_over_best_kinds(result, search_result.kinds)
    ended = ledger.ended or longer.ended
    artefact = _artefact(longer, state.curve, dintensity, result, given_names)
    result = replace(
        result,
        artefact=artefact,
        limited=tuple(options.ranges),
        given=given_parameters(options.fixed, options.contrast, result.fits[0].model) if result.fits else (),
        ended=ended,
        limit_met=ledger.cut and not ended,
        unfitted=unfitted,
    )
    return add_verdict(_note_missing_fits(result, state), options)


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


def _collect_given(options: FitOptions) -> tuple[frozenset[str], str | None]:
    """What a user says of parameters, and the probe where materials are named."""
    given_names, contrast = {*options.fixed, *options.ranges}, options.contrast
    if contrast is None:
        return frozenset(given_names), None
    return frozenset({*given_names, *names_settled_by(contrast)}), contrast.probe


def _spread_over_best_kinds(result: FitResult, kinds: Sequence[ModelFit]) -> FitResult:
    names = [best.name for best in result.fits[:1]]
    return spread_over_kinds(replace(result, distributions=tuple(fit for fit in kinds if fit.name in names)))


def _finalise_fits(
    ledger: Ledger,
    curve: Curve,
    dintensity: NDArray[np.float64],
    given_names: frozenset[str],
    method: Method,
    supposed: bool,
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
    return _widen_all_errors(ledger, curve, dintensity, given_names, method, supposed, finalised_fits)


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
    if suspect is None:
        return None
    answered = answers(ledger, find_artefact, [suspect], STRATEGY.time["fast"])
    return next((artefact for _, artefact in list(answered) if isinstance(artefact, Artefact)), None)


def _widen_all_errors(
    ledger: Ledger,
    curve: Curve,
    dintensity: NDArray[np.float64],
    given_names: frozenset[str],
    method: Method,
    supposed: bool,
    fits: Sequence[ModelFit],
) -> list[ModelFit]:
    """With all that is unknown in the errors of each fit; other methods have errors of their own."""
    widened_fits = list(fits)
    if method.name != "lm":
        return widened_fits
    tasks = [
        make_fixed_task(curve, dintensity, fit, given_names, STRATEGY.relative_dq[-1], supposed=supposed)
        for fit in widened_fits
    ]
    for index, added_errors in answers(ledger, errors_to_add, tasks, STRATEGY.time["fast"]):
        if not isinstance(added_errors, Exception):
            widened_fits[index] = widen_errors(widened_fits[index], added_errors)
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


def _late(unfitted: Sequence[str], options: FitOptions, *, ended: bool) -> list[str]:
    limit = f"within the time limit (go on with --time-limit {options.longer():.0f})"
    when = "before you ended the search" if ended else limit
    return [f"Not fitted {when}: {', '.join(unfitted)}."] if unfitted else []


def _compare_with_network(result: FitResult, suggestion: Suggestion, threshold: float) -> FitResult:
    """With what the network had expected, and a note where it knows no such curve and a fit explains it."""
    notes: tuple[str, ...] = ()
    if result.best is not None and result.verified and suggestion.in_scope < threshold:
        notes = (
            (
                f"The network finds no library model likely ({100 * suggestion.in_scope:.0f} %), but"
                f" {result.best.short_name} fits the data. Trust the fit, because it tested"
                " the model."
            ),
        )
    return replace(result, notes=(*result.notes, *notes), expected=suggestion, scope_threshold=threshold)


def suggest_models(
    curve: Curve, options: FitOptions, classifier: Classifier | None = None
) -> tuple[Suggestion, Suggestion]:
    """What the network makes of a curve, with a user's plugin models, and the same as it is shown."""
    classifier = classifier or open_classifier()
    network_models, plugins = split(options.models, classifier.manifest.labels)
    keep = classifier.selection(
        None if plugins and not network_models else network_models, options.exclude or None
    )
    suggestion, shown_suggestion = classifier.suggest_under(curve, (options.prior, COMMON), keep)
    return add_plugins(
        suggestion, plugins, is_only=network_models == []
    ) if plugins else suggestion, shown_suggestion


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
    """Positive uncertainties for a fit, and a sentence where they had to be estimated."""
    estimate = np.asarray(estimate_dintensity(curve.intensity))
    if curve.dintensity is None:
        return estimate, (
            f"{ESTIMATED} from the scatter of the points. So a χ² of 1 only says that a fit follows the"
            " points as closely as they scatter."
        )
    good = np.isfinite(curve.dintensity) & (curve.dintensity > 0)
    if good.all():
        return np.asarray(curve.dintensity), ""
    return (
        np.where(good, curve.dintensity, estimate),
        f"{np.sum(~good)} points have no uncertainty; theirs was estimated from the scatter.",
    )
