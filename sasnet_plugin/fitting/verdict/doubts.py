"""What may be wrong with an answer, by the harm that it would do: one sentence each, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sasnet_plugin.digits import chisq_text, listed, significant
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.headline import telling, undetermined
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT

from .equals import of_other_shape, within_error
from .names import kind, shape, some
from .settings import VERDICT

#: What reading says of q whose unit nobody states.
UNIT = "looks like nm⁻¹"


def doubts(result: FitResult) -> tuple[str, ...]:
    """Of a result with a fit, by falling harm; empty where there is nothing that would hurt."""
    best = result.best
    if best is None:
        return tuple(said for find in _WITHOUT for said in find(result))
    explained = result.verification is None or result.verification.explained
    order = _EXPLAINED if explained or within_error(result) else _UNEXPLAINED
    return tuple(dict.fromkeys(said for find in order for said in find(result)))


def unit(result: FitResult) -> Iterator[str]:
    """All lengths are wrong by ten."""
    if unit_doubtful(result):
        yield (
            f"the file names no unit of q, and q up to {significant(result.curve.q[-1], 2)} Å⁻¹ looks like"
            " nm⁻¹; if it is, every length here is too small by a factor of ten."
        )


def unit_doubtful(result: FitResult) -> bool:
    """Whether q was read in Å⁻¹ for want of a unit, and looks like nm⁻¹."""
    return any(UNIT in note for note in result.curve.notes)


def failed(result: FitResult) -> Iterator[str]:
    """A candidate is missing for a technical reason."""
    if result.unanswered:
        yield f"{listed(list(result.unanswered))} could not be fitted for a technical reason; the answer may be another."


def few_points(result: FitResult) -> Iterator[str]:
    """Whatever is fitted fits."""
    n, k = len(result.curve), len(result.fits[0].free)
    if n - k < max(3, k):
        yield f"{n} points for {k} fitted parameters: hardly any model would fail."


def no_test(result: FitResult) -> Iterator[str]:
    """χ² tests nothing: no uncertainties are stated, or far too large ones."""
    if result.curve.dintensity is None:
        yield (
            "the data state no uncertainties, so that χ² says only that the fit follows the points; a small"
            " misfit would not show."
        )
        return
    factor = result.fits[0].reduced_chisq ** -0.5 if result.fits[0].reduced_chisq > 0 else float("inf")
    if factor >= VERDICT.overstated:
        yield (
            f"the stated uncertainties are about {significant(factor, 2)} times the scatter about the fit, so"
            " that they hardly reject any model."
        )


def other_shape(result: FitResult) -> Iterator[str]:
    """Another kind of sample gives the same curve."""
    others = of_other_shape(result)
    if not others:
        return
    shapes = list(dict.fromkeys(shape(fit.model) for fit in others))
    if len(shapes) > VERDICT.many_shapes:
        yield (
            f"{len(others)} models of other shapes explain the data as well, such as"
            f" {some([fit.short_name for fit in others])}: these data choose no shape."
        )
        return
    within = within_error(result)
    last = f" within {within}" if within else ""
    said = "fit" if others[1:] else "fits"
    also = ", ".join(f"reduced χ² {chisq_text(fit.reduced_chisq)}" for fit in others[:1])
    yield (
        f"another shape, {kind(others[0])}, explains the data as well{last} ({others[0].short_name}, {also})."
        if not others[1:]
        else f"other shapes {said} as well{last}: {some([fit.short_name for fit in others])}."
    )


def scope(result: FitResult) -> Iterator[str]:
    """The curve may be of nothing that sasnet knows."""
    known = result.expected
    if known is not None and known.in_scope < result.scope_threshold:
        yield (
            f"to the network the curve looks like no single known model ({100 * known.in_scope:.0f} %): it may"
            " be a mixture, or hold an artefact."
        )


def disagreement(result: FitResult) -> Iterator[str]:
    """The network, which has seen a million curves, expects another kind."""
    known, best = result.expected, result.fits[0]
    if known is None or not known.groups:
        return
    first = known.groups[0]
    home = next((group.name for group in known.groups if best.model in group.members), first.name)
    if home == first.name or first.probability < VERDICT.expected:
        return
    rivals = [fit for fit in result.fits if fit.model in first.members]
    if rivals:
        nearest = min(rivals, key=lambda fit: fit.reduced_chisq)
        why = f"of these {nearest.short_name} comes nearest, with reduced χ² {chisq_text(nearest.reduced_chisq)}"
    else:
        why = "none of these was fitted"
    yield (
        f"the network expects “{first.name}” ({100 * first.probability:.0f} %), the fit says"
        f" {best.short_name}: {why}."
    )


def replicates(result: FitResult) -> Iterator[str]:
    """The measurement is unlike what the fit would give."""
    if result.verification is not None and result.verification.replicates is not None:
        yield from map(_small, result.verification.replicates.sentences)


def open_values(result: FitResult) -> Iterator[str]:
    """A length of the headline's model is anything."""
    names = undetermined(result.fits[0])
    if names:
        are = "are" if names[1:] else "is"
        yield (
            f"{listed(names)} {are} not determined by these data, and what else the model says may depend on"
            f" {'them' if names[1:] else 'it'}."
        )


def warned(result: FitResult) -> Iterator[str]:
    """A value of the headline is impossible, at an end of its range, or says that a simpler model does."""
    best = result.fits[0]
    told = {name for name, _ in telling(best)}
    for sentence in best.warnings:
        first = sentence.split(",")[0].split(" ")[0]
        simpler = " says the same with fewer parameters" in sentence
        if simpler or (first in told and _HARMLESS not in sentence):
            yield sentence


#: A width at its lower limit is one size, which is an answer.
_HARMLESS = "one size does"


def structured(result: FitResult) -> Iterator[str]:
    """Residuals hang together although they are small."""
    found = result.verification
    if found is not None and found.structured and not found.systematic:
        low, high = found.worst
        yield (
            f"residuals are not random (runs test {found.runs:.1f} σ), largest between q ="
            f" {significant(low, 3)} and {significant(high, 3)} Å⁻¹."
        )


def understated(result: FitResult) -> Iterator[str]:
    """Residuals are random, but larger than stated."""
    chisq = result.fits[0].reduced_chisq
    n = len(result.curve)
    most = 1 + max(ASSESSMENT.significant * (2 / max(n, 1)) ** 0.5, ASSESSMENT.margin)
    if chisq >= most and not within_error(result):
        yield (
            f"residuals are random but {chisq**0.5:.1f} times as large as the uncertainties, so that the"
            " errors of the values are too small by that."
        )


def systematic(result: FitResult) -> Iterator[str]:
    """Only an error that neighbours share makes it an explanation."""
    within = within_error(result)
    if within:
        yield f"only {within}, which neighbouring points share, makes this an explanation; a better model may exist."


def time(result: FitResult) -> Iterator[str]:
    """More was to be tried."""
    if result.unfitted:
        yield f"the time limit left {some(result.unfitted)} unfitted, of which one may explain the data."
    elif result.limit_met:
        yield "the time limit ended the search early, so that a better fit may exist."


def misfit(result: FitResult) -> Iterator[str]:
    """Where in q nothing fits, or that all residuals are too large."""
    found = result.verification
    if found is None:
        return
    low, high = found.worst
    where = f"between q = {significant(low, 3)} and {significant(high, 3)} Å⁻¹"
    if found.structured:
        yield f"the residuals are largest {where}, where the models lack something."
    else:
        factor = significant(found.noise, 2 if found.noise < 100 else 3)
        given = "stated" if result.curve.dintensity is not None else "estimated"
        yield (
            f"the residuals are random but about {factor} times the {given} uncertainties, largest {where}:"
            " these may be far too small."
        )


def _small(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


_Find = Callable[[FitResult], Iterator[str]]
#: By falling harm. Wrong by ten; no answer that means anything; another sample; a value that is none.
_WITHOUT: tuple[_Find, ...] = (unit, failed, time)
_EXPLAINED: tuple[_Find, ...] = (
    unit, few_points, other_shape, disagreement, warned, open_values, no_test, systematic, scope, replicates,
    structured, failed, understated,
)  # fmt: skip
_UNEXPLAINED: tuple[_Find, ...] = (unit, failed, time, scope, misfit)
