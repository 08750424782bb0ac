"""Assess fits together: ranking, verification, warnings, and which fits the data do not distinguish."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ...digits import chisq_text, join_names
from ...predict import open_classifier
from ...types import Curve, GroupGuess, sum_parts
from ..evidence.discrepancy import Discrepancy
from ..evidence.marginal import alike, shares, sort_by_weight, weigh_fits, widen_by_shared_error
from ..problem.conventions import conventional, scale_in_words
from ..problem.experiment import add_effective_radii
from ..problem.nested_models import simpler
from ..result import components
from ..result.fit_result import FitResult, SizeMixture
from ..result.fit_warning import FitWarning
from ..result.model_fit import ModelFit, Verification, explains
from ..result.residuals import SharedError
from ..result.verdict import SMOOTH
from ..settings import ASSESSMENT, EVIDENCE
from . import discriminate
from .diagnostics import reductions_met, remarks_of, warnings_of
from .goodness_of_fit import as_independent, compare, describe_share, independent_share, misfit_of, verify
from .size_mixtures import rank_by_mixture
from .undetermined_lengths import (
    mark_lengths_beyond_range,
    mark_tails,
    stands_for_a_power_law,
    widen_length_errors,
)

# --- What a systematic error excuses.

#: What fits are compared with, unless an error of a share of I was added.
GIVEN_ERRORS = "the given errors"
NONE_EXPLAINS = "None of these models fits the data."


def not_the_least(order: Sequence[ModelFit], error: SharedError) -> list[str]:
    """Why the first is not the one of the least χ², where another's is clearly less and has earned it."""
    first, least = order[0], min(order, key=lambda fit: fit.bic)
    if (first.bic - least.bic) / max(least.reduced_chisq, 1.0) < ASSESSMENT.significant**2:
        return []
    reasons = []
    if error.relative > 0:
        reasons.append(str(SMOOTH))
    elif len(first.free) < len(least.free):
        reasons.append(f"it has {len(first.free)} instead of {len(least.free)} parameters")
    if first.log_evidence < least.log_evidence:
        reasons.append("it is the more common model")
    why = " and ".join(reasons) or "it has the greater evidence"
    return [
        (
            f"{least.short_name} comes nearer (reduced χ² {chisq_text(least.reduced_chisq)} against"
            f" {chisq_text(first.reduced_chisq)}). {first.short_name} ranks first, because {why}."
        )
    ]


def rank_behind_explaining(
    order: Sequence[ModelFit], errors: Mapping[str, SharedError], points: int
) -> list[ModelFit]:
    """Fits by falling weight; those that only an error explains which no measurement has have none."""
    # Where a fit explains the curve to its errors, no such error is there for another to be excused by. Noise
    # that is somewhat larger than stated is usual: of that the evidence speaks.

    def stands(fit: ModelFit) -> bool:
        error = errors[fit.name]
        is_noise = error.relative == 0 and error.noise**2 < ASSESSMENT.too_small
        return is_noise or explains(fit.reduced_chisq, points) or error.excuses()

    if stands(order[0]) or not any(explains(fit.reduced_chisq, points) for fit in order):
        return list(order)
    whole = sum(fit.weight for fit in order if stands(fit))
    reweighted_fits = [
        replace(fit, weight=fit.weight / whole if stands(fit) and whole else 0.0) for fit in order
    ]
    return sorted(reweighted_fits, key=lambda fit: (-fit.weight, not stands(fit), fit.reduced_chisq))


def reject_inexcusable(verdict: Verification, fit: ModelFit, error: SharedError, points: int) -> Verification:
    """The verdict of a fit whose residuals share more than a measurement does, though signs look random."""
    is_irrelevant = error.relative == 0 or error.excuses()
    if is_irrelevant or not verdict.explained or explains(fit.reduced_chisq, points):
        return verdict
    text = (
        f"Neighbouring residuals share {error.words()}, more than measurements usually do: the model is"
        f" incomplete."
    )
    return replace(verdict, explained=False, sentences=(*verdict.sentences, FitWarning(text)))


def largest(fits: Sequence[ModelFit], errors: Mapping[str, SharedError]) -> SharedError:
    return max((errors[fit.name] for fit in fits if fit.name in errors), key=lambda error: error.relative)


def describe_excused(
    first: ModelFit, fits: Sequence[ModelFit], errors: Mapping[str, SharedError]
) -> list[str]:
    """Fits that only an error which neighbours share makes as good as the first."""
    if not fits:
        return []
    fewer = min(fits, key=lambda fit: len(fit.free))
    within = largest([first, *fits], errors).words()
    text = f"Within {within}, also indistinguishable from {first.short_name}: {join_names(short_names(fits))}"
    if len(fewer.free) < len(first.free):
        text += f"; {fewer.short_name} has {len(fewer.free)} parameters instead of {len(first.free)}"
    return [f"{text}."]


def short_names(fits: Sequence[ModelFit]) -> tuple[str, ...]:
    return tuple(fit.short_name for fit in fits)


def join_with_verb(names: Sequence[str], singular: str, plural: str) -> str:
    """Names with a verb, which depends on how many they are."""
    return f"{join_names(names)} {plural if names[1:] else singular}"


def select_within_uncertainties(
    order: Sequence[ModelFit], verdict: Verification, same_names: Iterable[str]
) -> list[ModelFit]:
    """Fits that explain the data to errors which are no noise: too large for it, and shared by neighbours."""
    # The simplest first. To such errors a difference of χ² is not the evidence that independent ones make it.
    if not verdict.structured or order[0].reduced_chisq >= 1 / ASSESSMENT.too_small:
        return []
    excused_fits = [fit for fit in order[1:] if fit.reduced_chisq <= 1 and fit.name not in set(same_names)]
    return sorted(excused_fits, key=lambda fit: (len(fit.free), fit.reduced_chisq))


def none_explains(
    order: Sequence[ModelFit],
    same_names: set[str],
    errors: Mapping[str, SharedError],
    points: int,
    given: str = GIVEN_ERRORS,
) -> list[str]:
    """Say that the first fit does not explain the data without a systematic error, beside `given` ones."""
    explaining = [fit for fit in order if explains(fit.reduced_chisq, points)]
    excused = _select_excused(order, same_names, errors)
    if not excused:
        return [] if explaining else [NONE_EXPLAINS]
    changing = max(errors[fit.name].background for fit in excused)
    within = f"within {replace(largest(excused, errors), background=changing).words()}"
    do = join_with_verb(short_names(excused), "does", "do")
    if explaining:
        text = join_with_verb(short_names(explaining), "fits", "fit")
        return [f"Within {given} {text} the data; {within}, {do} too."]
    return [f"None of these models fits the data within {given}; {within}, {do}."]


def _select_excused(
    order: Sequence[ModelFit], same_names: set[str], errors: Mapping[str, SharedError]
) -> list[ModelFit]:
    """The first and those that are the same, where the error excuses them that their own residuals share."""
    same_fits = [order[0], *(fit for fit in order[1:] if fit.name in same_names)]
    return [fit for fit in same_fits if fit.name in errors and errors[fit.name].excuses()]


def simplest_within_error(
    order: Sequence[ModelFit], errors: Mapping[str, SharedError], same_names: Iterable[str] = ()
) -> tuple[ModelFit, SharedError] | None:
    """Find the simplest fit that a small systematic error would excuse, and that error; None unless it has
    clearly fewer parameters than the best.
    """
    # A flexible model also fits instrument artefacts. The curve alone does not decide; whoever measured it
    # knows how accurate the intensities are.
    most = len(order[0].free) - ASSESSMENT.fewer_parameters
    simpler = [f for f in order[1:] if len(f.free) <= most and f.name not in set(same_names)]
    for fit in sorted(simpler, key=lambda f: len(f.free)):
        if errors[fit.name].excuses(ASSESSMENT.small_systematic):
            return fit, errors[fit.name]
    return None


# --- Ranking, verification, warnings.


def assess(
    curve: Curve,
    dintensity: NDArray[np.float64],
    fits: Sequence[ModelFit],
    notes: Sequence[str] = (),
    prior: Sequence[float] | None = None,
    given_names: Iterable[str] = (),
    probe: str | None = None,
    groups: Sequence[GroupGuess] = (),
    completed: Callable[[list[ModelFit]], list[ModelFit]] = lambda fits: fits,
    mixture: SizeMixture | None = None,
    given_errors: str = GIVEN_ERRORS,
) -> FitResult:
    """Rank and verify fits, and warn of what may be wrong."""
    # `given` are parameters the user fixed (in fits without them, contrasts follow convention), `probe` is
    # neutron or xray, `groups` are form models of the same meaning, and `completed` treats the first fit and
    # those indistinguishable from it, as by wider errors. `mixture` is that of hard spheres of several sizes.
    # `given_errors` names the uncertainties.
    given_names = tuple(given_names)
    differences = discrepancy(curve, dintensity, fits)
    weighed = weigh_fits(differences, [conventional(fit, given_names) for fit in fits], prior)
    if not weighed.fits:
        return FitResult(curve, dintensity, (), False, (*notes, "No model could be fitted."))
    weighed_fits = _drop_weight_of_given_up(weighed.fits)
    marked_fits = _mark_all_tails(
        rank_behind_explaining(weighed_fits, weighed.errors, len(curve)), curve, dintensity
    )
    order = rank_by_mixture(as_the_simpler(rank_behind_power_laws(marked_fits)), mixture)
    ranked_fits = [
        widen_by_shared_error(differences, as_independent(fit, differences.share)) for fit in order
    ]
    order = _complete_in_order(ranked_fits, groups, len(curve), completed)
    order = [widen_length_errors(mark_lengths_beyond_range(fit, curve, dintensity)) for fit in order]
    order = nearest_where_none_explains(weightless_by_misfit(order), weighed.errors, len(curve), completed)
    order = list(map(add_effective_radii, order))
    verdicts = _verify_fits(differences, order, weighed.errors)
    ranking = _ranking(differences, order, verdicts[0], weighed.errors, given_errors)
    return FitResult(
        curve, dintensity, _add_warnings(curve, order, verdicts, probe), ranking.first.explained,
        (*notes, *chain.from_iterable(say(ranking) for say in _SAID)), ranking.first,
        alike=short_names(ranking.near), explaining=short_names(ranking.explaining),
        excused=_describe_excuse(ranking),
    )  # fmt: skip


def _drop_weight_of_given_up(fits: Sequence[ModelFit]) -> list[ModelFit]:
    """Fits by falling weight, without any of those that were stopped early."""
    total = sum(fit.weight for fit in fits if not fit.given_up)
    if not total > 0:  # there is nothing else to lead
        return list(fits)
    weights = [0.0 if fit.given_up else fit.weight / total for fit in fits]
    return sort_by_weight([replace(fit, weight=w) for fit, w in zip(fits, weights, strict=True)])


def _mark_all_tails(
    fits: Sequence[ModelFit], curve: Curve, dintensity: NDArray[np.float64]
) -> list[ModelFit]:
    """Each fit that is not far behind, told which of its components show a power law alone."""
    least = min(fit.reduced_chisq for fit in fits)
    most = ASSESSMENT.much_worse * max(least, 1.0)
    return [mark_tails(f, curve, dintensity) if f.reduced_chisq <= most else f for f in fits]


def rank_behind_power_laws(order: Sequence[ModelFit]) -> list[ModelFit]:
    """Fits by falling weight; a model of which only a power law is seen has none where that was fitted."""
    # Its lengths are free beyond the data, at no cost: that is no reason to prefer it.
    names = {fit.name for fit in order}
    weights = [0.0 if stands_for_a_power_law(fit) in names else fit.weight for fit in order]
    total = sum(weights)
    if not total > 0:
        return list(order)
    return sort_by_weight([replace(f, weight=w / total) for f, w in zip(order, weights, strict=True)])


def _complete_in_order(
    weighed_fits: Sequence[ModelFit],
    groups: Sequence[GroupGuess],
    n: int,
    completed: Callable[[list[ModelFit]], list[ModelFit]],
) -> list[ModelFit]:
    """The first, those that the data do not tell from it and all that explain them completed."""
    # With errors of all that is unknown a fit may be another that is simpler.
    order, completed_names = prefer_likeliest_group(weighed_fits, groups), frozenset[str]()
    while incomplete := _select_incomplete(order, n, completed_names):
        completed_names |= {fit.name for fit in incomplete}
        completed_fits = {fit.name: fit for fit in completed(incomplete)}
        order = update_weights(order, [completed_fits.get(fit.name, fit) for fit in order])
        order = prefer_likeliest_group(as_the_simpler(order), groups)
    return order


def weightless_by_misfit(order: Sequence[ModelFit]) -> list[ModelFit]:
    """Order fits whose weights are shown as 0 by how far they miss the data."""
    # Which of 10⁻⁴⁰ and 10⁻⁶⁰ is larger says nothing, as neither noise nor model is known to that.
    shown_fits = [fit for fit in order if fit is order[0] or _has_weight(fit)]
    first = set(map(id, shown_fits))
    rest = [fit for fit in order if id(fit) not in first]
    return [*shown_fits, *sorted(rest, key=lambda fit: fit.reduced_chisq)]


def nearest_where_none_explains(
    order: Sequence[ModelFit],
    errors: Mapping[str, SharedError],
    points: int,
    completed: Callable[[list[ModelFit]], list[ModelFit]],
) -> list[ModelFit]:
    """Order fits by how far they miss the data, where none explains them even within a usual error.

    Their evidence compares errors that no measurement has; the nearest is what an answer names and shows.
    """
    least = min(order, key=lambda fit: fit.reduced_chisq)
    if least is order[0] or any(
        explains(fit.reduced_chisq, points) or errors[fit.name].excuses() for fit in order
    ):
        return list(order)
    fits = [completed([fit])[0] if fit is least and not fit.fitter else fit for fit in order]
    weights = shares(np.array([-0.5 * fit.chisq / max(least.reduced_chisq, 1.0) for fit in fits]))
    weighed = [replace(fit, weight=float(w)) for fit, w in zip(fits, weights, strict=True)]
    return sorted(weighed, key=lambda fit: fit.reduced_chisq)


def update_weights(old_fits: Sequence[ModelFit], after: Sequence[ModelFit]) -> list[ModelFit]:
    """Update evidence and weight of fits whose χ² has fallen since; both in the same order."""
    # In units of the noise that suits the fit, as the evidence has it.
    gain = np.array([
        0.5 * (old.chisq - new.chisq) / max(new.reduced_chisq, 1.0)
        for old, new in zip(old_fits, after, strict=True)
    ])  # fmt: skip
    if not np.any(gain):
        return list(after)
    weight = np.array([fit.weight for fit in after]) * np.exp(gain - np.max(gain))
    weight = weight / max(float(np.sum(weight)), np.finfo(float).tiny)
    return [
        replace(fit, weight=float(w), log_evidence=fit.log_evidence + float(log_gain))
        for fit, w, log_gain in zip(after, weight, gain, strict=True)
    ]


def _select_incomplete(order: Sequence[ModelFit], n: int, completed: frozenset[str]) -> list[ModelFit]:
    # One without weight counts as another fit (`as_the_simpler`).
    near = {fit.name for fit in _select_near_first(order)}
    new = [fit for fit in order if fit.name not in completed]
    return [
        fit
        for fit in new
        if fit.name in near or (_may_be_named(fit, order[0]) and explains(fit.reduced_chisq, n))
    ]


def _may_be_named(fit: ModelFit, first: ModelFit) -> bool:
    # Not a larger model of no weight, unless uncertainties are too large for weights to decide.
    overstated = first.reduced_chisq < 1 / ASSESSMENT.too_small
    return fit.weight > 0 and (_has_weight(fit) or overstated or len(fit.free) < len(first.free))


def _has_weight(fit: ModelFit) -> bool:
    return round(fit.weight, 3) > 0  # as it is shown


def _select_near_first(order: Sequence[ModelFit]) -> list[ModelFit]:
    """The first, and those that the data do not tell from it."""
    names = {order[0].name, *alike(order)}
    return [fit for fit in order if fit.name in names]


def as_the_simpler(
    order: Sequence[ModelFit], combine: Callable[[float, float], float] = operator.add
) -> list[ModelFit]:
    """Order fits by weight; those that became a fitted simpler model count as that, as a vesicle without a
    core is a sphere. `combine` combines two weights.
    """
    weight = {fit.name: fit.weight for fit in order}
    for fit in sorted(order, key=lambda fit: -len(fit.free)):
        become = _become(fit, order)
        if become is not None:
            weight[become.name] = combine(weight[become.name], weight[fit.name])
            weight[fit.name] = 0.0
    reweighted_fits = [replace(fit, weight=weight[fit.name]) for fit in order]
    return sort_by_weight(reweighted_fits)


def _become(fit: ModelFit, order: Sequence[ModelFit]) -> ModelFit | None:
    """The nearest of the simpler fits that a fit has become; None where it has not."""
    reductions = simpler(fit.model, fit.structure_factor)
    met = {r.name for r in reductions_met(reductions, fit, order)}
    # By what a fit does not change, as with one shell of several.
    same = {r.name for r in reductions if all(_is_held_at(fit, name, at) for name, at in r.at.items())}
    # With a width it may have no fewer parameters; the one that the fit has become is then in it. So it is
    # where a component of a sum is absent.
    larger_fits = [
        other_fit
        for other_fit in order
        if not other_fit.given_up
        if other_fit.name in same
        or (other_fit.name in met and (_is_smaller(other_fit, fit) or other_fit.chisq <= fit.chisq))
    ]
    return min(larger_fits, key=lambda other_fit: other_fit.chisq, default=None)


def _is_held_at(fit: ModelFit, name: str, limit: float | str) -> bool:
    p = fit.parameters.get(name)
    return p is not None and p.fixed and p.value == limit


def _is_smaller(smaller: ModelFit, larger: ModelFit) -> bool:
    return len(smaller.free) < len(larger.free) or len(sum_parts(smaller.name)) < len(sum_parts(larger.name))


def prefer_likeliest_group(order: Sequence[ModelFit], groups: Sequence[GroupGuess]) -> list[ModelFit]:
    """Put first, of indistinguishable fits, one of the group with most weight."""
    # Several bodies alike share what speaks for their shape, and one of another kind has its share alone. Of
    # these the simplest leads that has a share worth naming; or a simpler one of another kind, where the
    # difference is not worth a mention.
    near_fits = _select_near_first(order)
    kinds = _kinds(near_fits, groups)
    weight = [
        sum(fit.weight for fit, kind in zip(near_fits, kinds, strict=True) if kind == likeliest_kind)
        for likeliest_kind in kinds
    ]
    first = near_fits[int(np.argmax(weight))]
    likeliest_kind = kinds[near_fits.index(first)]
    alike_ = [fit for fit, kind in zip(near_fits, kinds, strict=True) if kind == likeliest_kind]
    weighty_fits = [fit for fit in alike_ if fit.weight >= EVIDENCE.weight_to_name]
    first = min(weighty_fits, key=_size, default=first)  # of equal ones the weightiest
    first = min((fit for fit in near_fits if _is_as_likely_and_simpler(fit, first)), key=_size, default=first)
    return [first, *(fit for fit in order if fit is not first)]


def _size(fit: ModelFit) -> tuple[int, int, int]:
    """How many parameters a fit has fitted, its model has at all, and how many simpler models are in it."""
    return len(fit.free), len(fit.parameters), len(simpler(fit.model, fit.structure_factor))


def _is_as_likely_and_simpler(fit: ModelFit, first: ModelFit) -> bool:
    """Whether a fit has fewer parameters than the first, and a weight that is nearly the same."""
    bare_mention = first.weight * np.exp(-EVIDENCE.bare_mention / 2)
    return len(fit.free) < len(first.free) and fit.weight >= bare_mention


def _kinds(fits: Sequence[ModelFit], groups: Sequence[GroupGuess]) -> list[str]:
    """Name of the group of each fit, its own where none holds it; of a sum those of its components."""
    group_of = {name: group.name for group in groups for name in group.members}

    def kind(fit: ModelFit) -> str:
        parts = [part.partition("@")[0] for part in sum_parts(fit.name)]
        if len(parts) == 1:
            return group_of.get(fit.model, fit.name)
        return "+".join(group_of.get(part, part) for part in parts)

    return list(map(kind, fits))


def discrepancy(curve: Curve, dintensity: NDArray[np.float64], fits: Sequence[ModelFit]) -> Discrepancy:
    """What these data and a model may differ by, as far as their points are independent."""
    return Discrepancy(curve, dintensity, independent_share(curve, dintensity, fits))


def _verify_fits(
    discrepancies_to_check: Discrepancy, order: Sequence[ModelFit], errors: Mapping[str, SharedError]
) -> list[Verification]:
    curve, dintensity = discrepancies_to_check.curve, discrepancies_to_check.dintensity
    excusable = any(error.excuses() for error in errors.values())
    verdicts = []
    for fit in order:
        error = errors[fit.name]
        verdict = verify(curve, dintensity, fit, systematic=error.relative > 0, excusable=excusable)
        verdicts.append(reject_inexcusable(verdict, fit, error, len(curve)))
    first, error = verdicts[0], errors[order[0].name]
    # Replicates whose noise is not the measurement's would differ from it for that reason alone.
    noise = first.noise if not first.structured else 1.0
    rng = np.random.default_rng(1)
    replicates = compare(open_classifier(), curve, dintensity, order[0], rng, noise=noise)
    if replicates is not None:
        differences = map(FitWarning, replicates.sentences)
        first = replace(first, replicates=replicates, sentences=(*first.sentences, *differences))
    if error.relative > 0:
        first = replace(first, systematic={**error.as_dict(), "excuses": error.excuses()})
    return [replace(first, misfit=misfit_of(curve, dintensity, order[0])), *verdicts[1:]]


def _add_warnings(
    curve: Curve, order: Sequence[ModelFit], verdicts: Sequence[Verification], probe: str | None
) -> tuple[ModelFit, ...]:
    return tuple(
        replace(
            fit,
            warnings=(
                *fit.warnings, *verdict.sentences, *warnings_of(curve, fit, order, probe),
                *(map(FitWarning, scale_in_words(fit)) if fit is not order[0] else ()),
            ),
        )
        for fit, verdict in zip(order, verdicts, strict=True)
    )  # fmt: skip


@dataclass(frozen=True)
class _Ranking:
    """What is said of fits as a whole."""

    among: Discrepancy
    order: Sequence[ModelFit]
    first: Verification
    errors: Mapping[str, SharedError]
    near: tuple[ModelFit, ...]  #: Fits that the data do not tell from the best.
    beside: tuple[ModelFit, ...]  #: Those for which that takes a shared error.
    explaining: tuple[ModelFit, ...]  #: Fits that also explain the data to errors that are no noise.
    given_errors: str  #: What the fits are compared with, in words.

    @property
    def error(self) -> SharedError:
        return self.errors[self.order[0].name]

    @property
    def same(self) -> set[str]:
        return {fit.name for fit in (*self.near, *self.beside)}


def _ranking(
    differences: Discrepancy,
    order: Sequence[ModelFit],
    first: Verification,
    errors: Mapping[str, SharedError],
    given_errors: str,
) -> _Ranking:
    _, *rest = _select_near_first(order)
    excused_fits = tuple(fit for fit in rest if _takes_an_error(order[0], fit, errors, differences.share))
    near = tuple(fit for fit in rest if fit not in excused_fits)
    explaining = tuple(select_within_uncertainties(order, first, [fit.name for fit in rest]))
    return _Ranking(differences, order, first, errors, near, excused_fits, explaining, given_errors)


def _takes_an_error(
    first: ModelFit, other_fit: ModelFit, errors: Mapping[str, SharedError], share: float
) -> bool:
    """Whether two fits are as good only under an error that neighbours share: their χ² are not the same."""
    apart = (
        share
        * abs(other_fit.chisq - first.chisq)
        / max(min(first.reduced_chisq, other_fit.reduced_chisq), 1.0)
    )
    expected = ASSESSMENT.significant**2 + abs(len(other_fit.free) - len(first.free))
    return apart > expected and any(errors[fit.name].relative > 0 for fit in (first, other_fit))


def _describe_excuse(ranking: _Ranking) -> tuple[str, tuple[str, ...]]:
    if not ranking.beside:
        return "", ()
    error = largest([ranking.order[0], *ranking.beside], ranking.errors)
    return error.words(), short_names(ranking.beside)


def _describe_given_up(ranking: _Ranking) -> Iterator[str]:
    names = short_names([fit for fit in ranking.order if fit.given_up])
    if names:
        yield (
            f"Stopped early, far worse than others: {join_names(names)}. This has no weight and does not"
            " rule out the model. A model that you name is fitted to the end."
        )


def _describe_distinction(ranking: _Ranking) -> Iterator[str]:
    """Where more data would decide; where none explains the data, they decide between wrong models."""
    explained = ranking.first.explained
    if explained or ranking.error.excuses():
        yield from discriminate.sentences(
            ranking.among.curve, ranking.among.dintensity, ranking.order[0], ranking.near, ask=explained
        )


def _describe_sampling(ranking: _Ranking) -> Iterator[str]:
    best = ranking.order[0]
    if best.per_decade is not None:
        yield (
            f"{best.name} was calculated at {best.per_decade} points of q per decade, because the"
            f" measured points are too few for its fringes or resolution. SasView calculates only at"
            f" the measured"
            " points and shows another χ²."
        )


def _describe_indistinguishable(ranking: _Ranking) -> Iterator[str]:
    if ranking.first.explained:
        yield from describe_excused(ranking.order[0], ranking.beside, ranking.errors)
    if ranking.among.share < 1:
        yield describe_share(len(ranking.among.curve), ranking.among.share)


def _to_their_errors(ranking: _Ranking) -> Iterator[str]:
    if not ranking.explaining:
        return
    model_texts = [
        f"{fit.short_name} (reduced χ² {chisq_text(fit.reduced_chisq)})" for fit in ranking.explaining
    ]
    why = (
        ". These errors are larger than the noise, with residuals that are not random, so they hardly"
        " decide between models"
    )
    end = "" if ranking.among.share < 1 else why
    yield f"Within the errors, {join_with_verb(model_texts, 'fits', 'fit')} the data too{end}."


def _simpler(ranking: _Ranking) -> Iterator[str]:
    if not ranking.first.explained:
        return
    simple = simplest_within_error(ranking.order, ranking.errors, ranking.same)
    if simple is not None:
        fit, simple_error = simple
        yield (
            f"With {simple_error.words()} in the data, {fit.short_name} fits as well with {len(fit.free)}"
            f" instead of {len(ranking.order[0].free)} parameters."
        )


def _describe_best(ranking: _Ranking) -> Iterator[str]:
    best = ranking.order[0]
    if best.components:
        yield components.describe_components(best.components)
    yield from not_the_least(ranking.order, ranking.error)
    yield from remarks_of(best)
    if not ranking.first.explained:
        points = len(ranking.among.curve)
        yield from none_explains(ranking.order, ranking.same, ranking.errors, points, ranking.given_errors)


def _describe_shared_error(ranking: _Ranking) -> Iterator[str]:
    if ranking.error.relative > 0:
        yield (
            f"Neighbouring residuals share {ranking.error.words()}. Errors of parameters and the"
            f" ranking allow for it."
        )


_SAID = (
    _describe_distinction,
    _describe_sampling,
    _describe_indistinguishable,
    _to_their_errors,
    _simpler,
    _describe_best,
    _describe_shared_error,
    _describe_given_up,
)
