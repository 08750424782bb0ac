"""The cautions that come from the classifier, one sentence each; `_EXPLAINED` has their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...digits import chisq_text
from ...types import GroupGuess, sum_parts
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit
from ..settings import ASSESSMENT
from . import equals, sentences
from .names import is_body
from .settings import VERDICT


def scope(result: FitResult) -> Iterator[str]:
    """The curve may be of nothing that sasnet knows."""
    expected = result.expected
    if expected is not None and expected.in_scope < result.scope_threshold:
        yield sentences.OUT_OF_SCOPE(probability=f"{100 * expected.in_scope:.0f}")


def find_missing_model(result: FitResult) -> Iterator[str]:
    """A body explains the curve, but a curve like it is more often one of something that is no model."""
    expected, model = result.expected, result.fits[0].model
    is_one = is_body(model) and len(sum_parts(model)) == 1
    if expected is not None and expected.in_scope < VERDICT.rather_known and is_one:
        yield sentences.NOT_A_MODEL(probability=f"{100 * expected.in_scope:.0f}")


def describe_unlikely(best: ModelFit, in_scope: float) -> str:
    """Say that a fit explains a curve that the network knows no model of."""
    parts = sum_parts(best.model)
    advice = sentences.TRUST_FIT
    if any(map(is_body, parts)):  # as `find_missing_model` says of one particle
        advice = sentences.TRUST_SIZE if len(parts) > 1 else sentences.RATHER_SIZE
    return sentences.UNLIKELY_BUT_FITS(
        probability=f"{100 * in_scope:.0f}", model=best.short_name, advice=str(advice)
    )


def disagreement(result: FitResult) -> Iterator[str]:
    """The network, which has seen millions of curves, expects another kind, and no fit has refuted it."""
    first = _find_expected_group(result)
    if first is None:
        return
    best = result.fits[0]
    rivals = _select_group(first, result)
    if not rivals:
        comparison = str(sentences.NONE_COMPARED)
    else:
        nearest = min(rivals, key=lambda fit: fit.reduced_chisq)
        if nearest.reduced_chisq > ASSESSMENT.worse * max(best.reduced_chisq, 1.0):
            return
        chisq = chisq_text(nearest.reduced_chisq)
        comparison = sentences.NEAREST_OF_GROUP(model=nearest.short_name, chisq=chisq)
    yield sentences.CLASSIFIER_DISAGREES(
        group=first.name,
        probability=f"{100 * first.probability:.0f}",
        model=best.short_name,
        comparison=comparison,
    )


def _find_expected_group(result: FitResult) -> GroupGuess | None:
    """The network's first group, where it is likely and the best fit is not of it."""
    expected = result.expected
    if expected is None or equals.no_shape(result) or not _place(result.fits[0].model, expected.groups):
        return None
    first = expected.groups[0]
    return first if first.probability >= VERDICT.expected else None


def _place(model: str, groups: Sequence[GroupGuess]) -> int:
    """Return the place of the group that holds a model, else 0."""
    return next((i for i, group in enumerate(groups) if model in group.members), 0)


def _select_group(group: GroupGuess, result: FitResult) -> list[ModelFit]:
    return [fit for fit in result.fits if fit.model in group.members]


def find_expected_unfitted(result: FitResult) -> tuple[str, str | None] | None:
    """The likeliest model, and its structure factor, of a group that is expected if none of it was fitted."""
    first = _find_expected_group(result)
    if first is None or result.expected is None or _select_group(first, result):
        return None
    guesses = (
        (guess.name, guess.structure_factor)
        for guess in result.expected.models
        if guess.name in first.members
    )
    return next(guesses, None)
