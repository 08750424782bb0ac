"""What may be wrong with an answer, by the harm that it would do: one sentence each, the worst first."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator

from ...digits import chisq_text, interval, listed, quantity, significant, unit_text
from ..result.artefact import SLIT
from ..result.components import bare
from ..result.fit_result import FitResult
from ..result.headline import determined, telling
from ..result.model_fit import Parameter
from ..result.ranges import end_of_range
from ..settings import ASSESSMENT
from . import equals
from .names import capital, is_body, kind, some, with_name
from .network import disagreement, scope, without_a_model
from .settings import VERDICT
from .sizes import beyond, comparable, largest, left_open, sizes
from .words import spoken


def doubts(result: FitResult) -> tuple[str, ...]:
    """Of a result with a fit, by falling harm; empty where there is nothing that would hurt."""
    if result.best is None or result.constant is not None:
        return tuple(_said(_WITHOUT, result))
    order = _EXPLAINED if equals.explained_within_error(result) else _UNEXPLAINED
    return tuple(dict.fromkeys(_said(order, result)))


def _said(finders: Iterable[Callable[[FitResult], Iterable[str]]], result: FitResult) -> Iterator[str]:
    for find in finders:
        yield from find(result)


def unit(result: FitResult) -> Iterator[str]:
    """All lengths are wrong by ten."""
    if result.curve.q_unit.doubt:
        yield result.curve.q_unit.doubt


def failed(result: FitResult) -> Iterator[str]:
    """A candidate is missing for a technical reason."""
    if result.unanswered:
        names = listed(list(result.unanswered))
        yield f"{capital(names)} could not be fitted for a technical reason; the answer may be another."


def time(result: FitResult) -> Iterator[str]:
    """More was to be tried."""
    if result.ended:
        yield "You ended the search early, so that a better fit may exist, and the errors be larger."
    elif result.unfitted:
        which = "one of them" if result.unfitted[1:] else "it"
        yield f"The time limit left {some(result.unfitted)} unfitted; {which} may come nearer."
    elif result.limit_met:
        yield "The time limit ended the search early, so that a better fit may exist."


def time_within_error(result: FitResult) -> Iterator[str]:
    """The same, where the best fit needs an error that is not stated: another may not."""
    if result.ended or (equals.within_error(result) and not equals.small_chisq(result)):
        yield from time(result)


def reasons(result: FitResult) -> Iterator[str]:
    """Why no model could be fitted."""
    yield from (note for note in result.notes if note not in result.curve.notes)


def few_points(result: FitResult) -> Iterator[str]:
    """Whatever is fitted fits."""
    n, k = len(result.curve), len(result.fits[0].free)
    if n - k < max(3, k):
        yield f"{n} points for {k} fitted parameters: hardly any model would fail."


def instrument(result: FitResult) -> Iterator[str]:
    """A simpler model fits if the instrument did what the file does not say."""
    found = result.artefact
    if found is None:
        return
    model, chisq = found.model, chisq_text(found.reduced_chisq)
    fewer = "" if model == result.fits[0].name else " with fewer parameters"
    if found.kind == SLIT:
        yield (
            f"A slit that the file does not state may smear these data. Behind a slit of half length"
            f" {significant(found.q, 2)} Å⁻¹, {model} fits{fewer} (reduced χ² {chisq})."
        )
    else:
        yield (
            f"The lowest points may hold parasitic scattering. Without the first {found.points}, {model} fits"
            f"{fewer} from q = {significant(found.q, 2)} Å⁻¹ on (reduced χ² {chisq})."
        )


def own_limits(result: FitResult) -> Iterator[str]:
    """A range that a user has given ends where the best value is."""
    for name in result.limited:
        p = result.fits[0].parameters.get(name)
        if p is not None and end_of_range(p):
            yield (
                f"The range given for {name}, {interval(p.low, p.high)} {unit_text(p.unit)}, ends at the"
                " fitted value. It may exclude the answer."
            )


def no_uncertainties(result: FitResult) -> Iterator[str]:
    """χ² tests nothing, as no uncertainties are stated."""
    if result.curve.dintensity is not None:
        return
    found = result.verification and result.verification.misfit
    if not found:
        yield (
            "The data state no uncertainties, so that χ² says only that the fit follows the points; a small"
            " misfit would not show."
        )
        return
    yield (
        "The data state no usable uncertainties. The fit misses the points by"
        f" {significant(100 * found.relative, 2)} % of I; neighbouring points scatter by"
        f" {significant(100 * found.scatter, 2)} %."
    )


def replaced_uncertainties(result: FitResult) -> Iterator[str]:
    """Many of the stated uncertainties are none."""
    share = result.curve.replaced / max(len(result.curve), 1)
    if share >= VERDICT.replaced:
        yield (
            f"{100 * share:.0f} % of the stated uncertainties are not usable and were replaced from their"
            " neighbours; χ² depends on that."
        )


def too_large_uncertainties(result: FitResult) -> Iterator[str]:
    """χ² tests nothing, as the stated uncertainties are far too large."""
    factor = _over_scatter(result)
    if result.curve.dintensity is not None and (equals.overstated(result) or factor >= VERDICT.misstated):
        factor = factor or max(result.fits[0].reduced_chisq, 1e-12) ** -0.5
        yield (
            f"The stated uncertainties are about {significant(factor, 2)} times the scatter of neighbouring"
            " points, so that they hardly reject any model."
        )


def _over_scatter(result: FitResult) -> float:
    """Uncertainties over the scatter of neighbouring points; 0 where that is not known."""
    found = result.verification and result.verification.misfit
    return 1 / max(found.over_stated, 1e-12) if found else 0.0


def too_small_uncertainties(result: FitResult) -> Iterator[str]:
    """χ² rejects right models, as neighbouring points scatter by more than is stated."""
    factor = _over_scatter(result)
    if result.curve.dintensity is not None and 0 < factor <= 1 / VERDICT.misstated:
        yield (
            f"Neighbouring points scatter by {significant(1 / factor, 2)} times the stated uncertainties:"
            " these are too small. The errors of the values include that."
        )


def smooth_misfit(result: FitResult) -> Iterator[str]:
    """The fit misses the points by more than they scatter, which large uncertainties hide."""
    found = result.verification and result.verification.misfit
    if not found or equals.only_within_error(result):
        return
    if found.relative >= max(VERDICT.hidden_misfit * found.scatter, VERDICT.least_misfit):
        yield (
            f"The fit misses the points by {significant(100 * found.relative, 2)} % of I, but neighbouring"
            f" points scatter by {significant(100 * found.scatter, 2)} % only: the model may lack something."
        )


def nearer(result: FitResult) -> Iterator[str]:
    """Another model comes much nearer than the one that stands first."""
    if (least := equals.much_nearer(result)) is not None:
        against = f"{chisq_text(least.reduced_chisq)} against {chisq_text(result.fits[0].reduced_chisq)}"
        yield f"Much nearer: {with_name(least)}, with reduced χ² {against}."


def other_shape(result: FitResult) -> Iterator[str]:
    """Another kind of sample gives the same curve."""
    others = equals.of_other_shape(result)
    if equals.no_shape(result):
        yield "Sizes and contrasts of any one of these models rest on choosing it, not on these data."
        return
    if not others:
        return
    within = equals.within_error(result)
    last = f" within {within}" if within else ""
    if others[1:]:
        yield f"Other shapes explain the data as well{last}: {some([fit.short_name for fit in others])}."
        return
    chisq = chisq_text(others[0].reduced_chisq)
    yield (
        f"Another shape, {kind(others[0])}, explains the data as well{last}"
        f" ({others[0].short_name}, reduced χ² {chisq})."
    )


def other_size(result: FitResult) -> Iterator[str]:
    """A model of the same kind that is as good, with quite another size."""
    for name, size in sizes(result.fits[0]).items():
        for fit in equals.of_one_kind(result):
            other = sizes(fit).get(name)
            if other is not None and not comparable(size, other):
                own = quantity(other.value, other.unit, other.error)
                yield f"{fit.short_name}, which fits as well, has another {name}, {own}."


def replicates(result: FitResult) -> Iterator[str]:
    """The measurement is unlike what the fit would give."""
    if result.verification is not None and result.verification.replicates is not None:
        yield from result.verification.replicates.sentences


def open_values(result: FitResult) -> Iterator[str]:
    """A length of the headline's model is anything."""
    names = [spoken(bare(name)) for name in left_open(result)]
    if names:
        many = bool(names[1:])
        # A peak or a network is the same with other exponents; of a body a layer may not be there.
        rest = (
            f": a model without {'them' if many else 'it'} may say the same"
            if is_body(result.fits[0].model)
            else ", whose curve is the same with other exponents"
        )
        yield f"The {listed(names)} {'are' if many else 'is'} not determined by these data{rest}."


#: What says how strongly particles interact.
_STRENGTHS = {
    "volfraction": "the volume fraction", "charge": "the charge", "stickiness": "the stickiness",
    "welldepth": "the depth of the well",
}  # fmt: skip


#: Lengths that belong to molecules in every sample: of segments, and between charges.
_MOLECULAR = frozenset({"b1", "b2", "b3", "b4", "monomer_length", "bjerrum_length"})


def atoms(result: FitResult) -> Iterator[str]:
    """All lengths are those of molecules, and so is what they make up: a small core has its shell."""
    best = result.fits[0]
    lengths = [one for one in telling(best) if _is_known_length(*one)]
    if not lengths:
        return
    name, p = max(lengths, key=lambda one: one[1].value)
    if max(p.value, largest(best)) < 2 * math.pi / ASSESSMENT.atoms:
        yield (
            f"The {spoken(bare(name))}, {quantity(p.value, 'Ang', p.error)}, is that of atoms and molecules,"
            " of which no model here knows; is q in another unit?"
        )


def _is_known_length(name: str, p: Parameter) -> bool:
    return p.unit == "Ang" and determined(name, p) and bare(name) not in _MOLECULAR


def interaction(result: FitResult) -> Iterator[str]:
    """A structure factor whose strength the data do not determine."""
    best = result.fits[0]
    if best.structure_factor is None:
        return
    names = [
        words
        for name, words in _STRENGTHS.items()
        if name in best.parameters and not determined(name, best.parameters[name])
    ]
    if names:
        yield (
            f"The data do not determine {listed(names)}: that the particles interact in this way is not"
            " certain, and neighbours or aggregates of another kind may do the same."
        )


def warned(result: FitResult) -> Iterator[str]:
    """A value of the headline is impossible, at an end of its range, or says that a simpler model does."""
    best = result.fits[0]
    told = dict(telling(best)).keys() - beyond(best)
    for sentence in best.warnings:
        first = sentence.split(",")[0].split(" ")[0]
        if equals.SIMPLER in sentence or (first in told and not _HARMLESS.search(sentence)):
            yield capital(sentence) if first not in best.parameters else sentence


def simpler_model(result: FitResult) -> str:
    """Name of the model that the best one has become, where that is what is doubted; else empty."""
    for sentence in warned(result):
        before, found, _ = sentence.partition(equals.SIMPLER)
        if found:
            return before.split(" ")[-1]
    return ""


#: A width at its lower limit is one size, which is an answer; what moves with another has it in its error.
_HARMLESS = re.compile("one size does|move together|are one within their errors")


def structured(result: FitResult) -> Iterator[str]:
    """Residuals hang together although they are small; where nobody states errors, only if they show."""
    found = result.verification
    far_below = result.curve.dintensity is None and equals.overstated(result)
    if found is not None and found.structured and not (found.systematic or far_below):
        low, high = found.worst
        yield (
            f"Residuals are not random (runs test {found.runs:.1f} σ), largest between q ="
            f" {significant(low, 3)} and {significant(high, 3)} Å⁻¹."
        )


def understated(result: FitResult) -> Iterator[str]:
    """Residuals are random, but larger than stated."""
    said = equals.small_chisq(result) or equals.within_error(result)
    if not (said or list(too_small_uncertainties(result))):
        yield (
            f"Residuals are random but {result.fits[0].reduced_chisq ** 0.5:.1f} times as large as the"
            " uncertainties; the errors of the values include that."
        )


def systematic(result: FitResult) -> Iterator[str]:
    """Only an error that neighbours share makes it an explanation; the headline says how large."""
    if equals.only_within_error(result):
        yield "The misfit is larger than the errors: they may be too small, or the model lacks something."


def misfit(result: FitResult) -> Iterator[str]:
    """Where in q nothing fits, or that all residuals are too large."""
    found = result.verification
    if found is None:
        return
    low, high = found.worst
    where = f"between q = {significant(low, 3)} and {significant(high, 3)} Å⁻¹"
    if found.structured or found.systematic:
        yield f"The residuals are largest {where}, where the models lack something."
    else:
        factor = significant(found.noise, 2 if found.noise < 100 else 3)
        yield (
            f"The residuals are random but about {factor} times the {equals.stated_or_estimated(result)}"
            f" uncertainties, largest {where}: these may be far too small."
        )


_Find = Callable[[FitResult], Iterator[str]]
#: By falling harm. Wrong by ten; no answer that means anything; another sample; a value that is none.
_WITHOUT: tuple[_Find, ...] = (unit, reasons, failed, time)
_EXPLAINED: tuple[_Find, ...] = (
    unit, few_points, own_limits, instrument, time_within_error, atoms, nearer, other_shape, without_a_model,
    other_size, warned, interaction, open_values, disagreement, too_large_uncertainties,
    too_small_uncertainties, structured, smooth_misfit, no_uncertainties, replaced_uncertainties, replicates,
    failed, understated, systematic,
)  # fmt: skip
_UNEXPLAINED: tuple[_Find, ...] = (
    unit, own_limits, instrument, failed, too_small_uncertainties, replaced_uncertainties, time, scope,
    misfit,
)  # fmt: skip
