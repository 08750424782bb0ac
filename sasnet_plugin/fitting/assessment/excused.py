"""What a systematic error excuses, in sentences: a claim for each, that the table of fits bears out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...digits import chisq_text, join_names
from ..result.model_fit import ModelFit, Verification, explains
from ..result.residuals import SharedError
from ..settings import ASSESSMENT

NONE_EXPLAINS = "None of these models fits the data."


def not_the_least(order: Sequence[ModelFit], error: SharedError) -> list[str]:
    """Why the first is not the one of the least χ², where another's is clearly less and has earned it."""
    first, least = order[0], min(order, key=lambda fit: fit.bic)
    if (first.bic - least.bic) / max(least.reduced_chisq, 1.0) < ASSESSMENT.significant**2:
        return []
    reasons = []
    if error.relative > 0:
        reasons.append("its residuals are smooth, like a systematic error")
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
    return replace(verdict, explained=False, sentences=(*verdict.sentences, text))


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
    if not verdict.structured or order[0].reduced_chisq >= ASSESSMENT.too_large:
        return []
    excused_fits = [fit for fit in order[1:] if fit.reduced_chisq <= 1 and fit.name not in set(same_names)]
    return sorted(excused_fits, key=lambda fit: (len(fit.free), fit.reduced_chisq))


def none_explains(
    order: Sequence[ModelFit], same_names: set[str], errors: Mapping[str, SharedError], points: int
) -> list[str]:
    """Say that the first fit does not explain the data without a systematic error."""
    explaining = [fit for fit in order if explains(fit.reduced_chisq, points)]
    excused = _select_excused(order, same_names, errors)
    if not excused:
        return [] if explaining else [NONE_EXPLAINS]
    changing = max(errors[fit.name].background for fit in excused)
    within = f"within {replace(largest(excused, errors), background=changing).words()}"
    do = join_with_verb(short_names(excused), "does", "do")
    if explaining:
        text = join_with_verb(short_names(explaining), "fits", "fit")
        return [f"Within the given errors {text} the data; {within}, {do} too."]
    return [f"None of these models fits the data within the given errors; {within}, {do}."]


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
