"""The cautions about a fit ("doubts" is their former name), each a function, in order of harm.

Each function takes the result and yields a sentence of `sentences`, or nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from ...data.scatter import is_stated
from ...digits import chisq_text, interval, join_names, quantity, significant, unit_text
from ...noise import RELATIVE_FLOOR
from ...predict.classes import percent
from ...types import GroupGuess, sum_parts
from ..result.components import bare
from ..result.contrasts import find_fixed_solvent, invariant, slds_of
from ..result.fit_result import NONE, SLIT, FitResult
from ..result.fit_warning import HARMLESS, About
from ..result.model_fit import ModelFit, Parameter, end_of_range
from ..result.reported_values import is_determined, telling
from ..settings import ASSESSMENT, PROBLEM
from . import equals, sentences
from .names import add_model_name, capital, is_body, kind, some, spell_name
from .settings import VERDICT
from .sizes import comparable, find_lower_bounds, largest, list_open, sizes

# --- Cautions of the classifier.


def scope(result: FitResult) -> Iterator[str]:
    """The curve may be of nothing that sasnet knows."""
    expected = result.expected
    if expected is not None and expected.in_scope < result.scope_threshold:
        yield sentences.OUT_OF_SCOPE(probability=percent(expected.in_scope))


def find_missing_model(result: FitResult) -> Iterator[str]:
    """A body explains the curve, but a curve like it is more often one of something that is no model."""
    expected, model = result.expected, result.fits[0].model
    is_one = is_body(model) and len(sum_parts(model)) == 1
    if expected is not None and expected.in_scope < ASSESSMENT.likely and is_one:
        yield sentences.NOT_A_MODEL(probability=percent(expected.in_scope))


def describe_unlikely(best: ModelFit, in_scope: float) -> str:
    """Say that a fit explains a curve that the network knows no model of."""
    parts = sum_parts(best.model)
    advice = sentences.TRUST_FIT
    if any(map(is_body, parts)):  # as `find_missing_model` says of one particle
        advice = sentences.TRUST_SIZE if len(parts) > 1 else sentences.RATHER_SIZE
    return sentences.UNLIKELY_BUT_FITS(
        probability=percent(in_scope), model=best.short_name, advice=str(advice)
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
        probability=percent(first.probability),
        model=best.short_name,
        comparison=comparison,
    )


def _find_expected_group(result: FitResult) -> GroupGuess | None:
    """The network's first group, where it is likely and the best fit is not of it."""
    expected = result.expected
    if expected is None or equals.no_shape(result) or not _place(result.fits[0].model, expected.groups):
        return None
    first = expected.groups[0]
    return first if first.probability >= ASSESSMENT.likely else None


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


# --- Cautions of the fit.


def doubts(result: FitResult) -> tuple[str, ...]:
    """List cautions about a result with a fit, the most harmful first."""
    if result.best is None or result.constant is not None:
        return tuple(_collect_doubts(_WITHOUT, result))
    order = _EXPLAINED if equals.is_explained_within_error(result) else _UNEXPLAINED
    if result.described_within:
        order = tuple(find for find in order if find not in _OF_UNCERTAINTIES)
    return tuple(dict.fromkeys(_collect_doubts(order, result)))


def _collect_doubts(
    finders: Iterable[Callable[[FitResult], Iterable[str]]], result: FitResult
) -> Iterator[str]:
    for find in finders:
        yield from find(result)


def unit(result: FitResult) -> Iterator[str]:
    """Warn that q may be in another unit: all lengths would be wrong by ten."""
    if result.curve.q_unit.doubt:
        yield result.curve.q_unit.doubt


def find_missing_candidates(result: FitResult) -> Iterator[str]:
    """A candidate is missing for a technical reason."""
    if result.unanswered:
        names = join_names(list(result.unanswered))
        yield sentences.NOT_FITTED(models=names)


def time(result: FitResult) -> Iterator[str]:
    """More was to be tried."""
    if result.ended:
        yield str(sentences.ENDED_BY_USER)
    elif result.unfitted:
        unfitted_text = "one of them" if result.unfitted[1:] else "it"
        yield sentences.LEFT_UNFITTED(models=some(result.unfitted), which=unfitted_text)
    elif result.limit_met:
        yield str(sentences.ENDED_BY_TIME)


def unfinished(result: FitResult) -> Iterator[str]:
    """A model that the user named was not fitted to its end."""
    if result.unfinished and not result.ended:
        which = "they" if result.unfinished[1:] else "it"
        yield sentences.UNFINISHED(models=some(result.unfinished), which=which)


def time_within_error(result: FitResult) -> Iterator[str]:
    """Warn that the time is up where the best fit needs an error that is not stated."""
    if result.ended or (equals.describe_error(result) and not equals.small_chisq(result)):
        yield from time(result)


def reasons(result: FitResult) -> Iterator[str]:
    """Why no model could be fitted."""
    yield from (note for note in result.notes if note not in result.curve.notes)


def few_points(result: FitResult) -> Iterator[str]:
    """Warn that with so few points any model fits."""
    n, k = len(result.curve), len(result.fits[0].free)
    if n - k < max(3, k):
        yield sentences.FEW_POINTS(points=n, parameters=k)


def instrument(result: FitResult) -> Iterator[str]:
    """A simpler model fits if the instrument did what the file does not say."""
    artefact = result.artefact
    if artefact is None:
        return
    model, chisq = artefact.model, chisq_text(artefact.reduced_chisq)
    fewer = "" if model == result.fits[0].name else " with fewer parameters"
    if artefact.kind == NONE:
        yield sentences.SIMPLER(model=model, chisq=chisq)
    elif artefact.kind == SLIT:
        yield sentences.SLIT(length=significant(artefact.q, 2), model=model, fewer=fewer, chisq=chisq)
    else:
        yield sentences.PARASITIC(
            points=artefact.points, model=model, fewer=fewer, q=significant(artefact.q, 2), chisq=chisq
        )


def own_limits(result: FitResult) -> Iterator[str]:
    """Warn that a range given by the user ends at the fitted value."""
    for name in result.limited:
        p = result.fits[0].parameters.get(name)
        if p is not None and end_of_range(p):
            yield sentences.RANGE_ENDS(name=name, range=f"{interval(p.low, p.high)} {unit_text(p.unit)}")


def undetermined(result: FitResult) -> Iterator[str]:
    """Warn that the data leave open what the user wanted fitted."""
    best = result.fits[0]
    names = [name for name in result.fitted if name in best.parameters and name not in best.free]
    if names:
        yield sentences.UNDETERMINED(names=join_names(names), pronoun="them" if names[1:] else "it")


def no_uncertainties(result: FitResult) -> Iterator[str]:
    """χ² tests nothing, as no uncertainties are stated."""
    if result.curve.dintensity is not None:
        return
    found_misfit = result.verification and result.verification.misfit
    if not found_misfit:
        yield str(sentences.NO_UNCERTAINTIES)
        return
    misfit, scatter = (significant(100 * share, 2) for share in (found_misfit.relative, found_misfit.scatter))
    if found_misfit.relative < RELATIVE_FLOOR:
        yield sentences.CALCULATED(misfit=misfit)
    else:
        yield sentences.NO_UNCERTAINTIES_BUT_SCATTER(misfit=misfit, scatter=scatter)


def find_replaced_uncertainties(result: FitResult) -> Iterator[str]:
    """Many of the stated uncertainties are none."""
    share = result.curve.replaced / max(len(result.curve), 1)
    if share >= ASSESSMENT.seldom:
        yield sentences.REPLACED(share=f"{100 * share:.0f}")


def too_large_uncertainties(result: FitResult) -> Iterator[str]:
    """χ² tests nothing, as the stated uncertainties are far too large."""
    factor = _compare_with_scatter(result)
    if is_stated(result.curve) and (equals.is_overstated(result) or factor >= VERDICT.misstated):
        factor = factor or max(result.fits[0].reduced_chisq, 1e-12) ** -0.5
        yield sentences.TOO_LARGE(factor=significant(factor, 2))


def understated(result: FitResult) -> Iterator[str]:
    """The stated uncertainties are so far too small that the fit uses the scatter of the points."""
    if result.curve.understated:
        yield sentences.UNDERSTATED(factor=significant(result.curve.understated, 2))


def _compare_with_scatter(result: FitResult) -> float:
    """Uncertainties over the scatter of neighbouring points; 0 where that is not known."""
    found_misfit = result.verification and result.verification.misfit
    return 1 / max(found_misfit.over_stated, 1e-12) if found_misfit else 0.0


def too_small_uncertainties(result: FitResult) -> Iterator[str]:
    """χ² rejects right models, as neighbouring points scatter by more than is stated."""
    factor = _scatter_over_stated(result)
    if is_stated(result.curve) and factor >= VERDICT.misstated:
        yield sentences.TOO_SMALL(factor=significant(factor, 2))


def _scatter_over_stated(result: FitResult) -> float:
    """Scatter of neighbouring points over the uncertainties; without what neighbours share, where known."""
    # Of a fit that is far off, residuals change from point to point as well: that is misfit, not noise.
    factor = _compare_with_scatter(result)
    systematic = (result.verification and result.verification.systematic) or {}
    return min(1 / factor, systematic.get("noise", math.inf)) if factor else 0.0


def smooth_misfit(result: FitResult) -> Iterator[str]:
    """The fit misses the points by more than they scatter, which large uncertainties hide."""
    found_misfit = result.verification and result.verification.misfit
    if not found_misfit or equals.only_within_error(result):
        return
    if found_misfit.relative >= max(VERDICT.misstated * found_misfit.scatter, ASSESSMENT.negligible):
        yield sentences.HIDDEN_MISFIT(
            misfit=significant(100 * found_misfit.relative, 2),
            scatter=significant(100 * found_misfit.scatter, 2),
        )


def nearer(result: FitResult) -> Iterator[str]:
    """Another model comes much nearer than the one that stands first."""
    if (least := equals.much_nearer(result)) is not None:
        chisq, best_chisq = (chisq_text(fit.reduced_chisq) for fit in (least, result.fits[0]))
        yield sentences.MUCH_NEARER(model=add_model_name(least), chisq=chisq, best_chisq=best_chisq)


def other_shape(result: FitResult) -> Iterator[str]:
    """Another kind of sample gives the same curve."""
    other_fits = equals.list_other_shapes(result)
    if equals.no_shape(result):
        yield str(sentences.CHOICE)
        return
    if not other_fits:
        return
    within = equals.describe_error(result)
    last = f" within {within}" if within else ""
    if other_fits[1:]:
        yield sentences.OTHER_SHAPES(within=last, models=some([fit.short_name for fit in other_fits]))
        return
    chisq, name = chisq_text(other_fits[0].reduced_chisq), other_fits[0].short_name
    yield sentences.OTHER_SHAPE(kind=kind(other_fits[0]), within=last, model=name, chisq=chisq)


def simpler_shape(result: FitResult) -> Iterator[str]:
    """Another kind of sample with fewer parameters fits within the uncertainties, too."""
    fit = equals.find_simpler_shape(result)
    if fit is not None and not equals.list_other_shapes(result):
        chisq, best_chisq = (chisq_text(f.reduced_chisq) for f in (fit, result.fits[0]))
        yield sentences.SIMPLER_SHAPE(
            kind=kind(fit), model=fit.short_name, chisq=chisq, best_chisq=best_chisq
        )


def same_curve(result: FitResult) -> Iterator[str]:
    """A Lorentzian is the curve of coils of the most probable length distribution, Rg² = 3 ξ².

    Source: sasmodels' poly_gauss_coil with U = Mw/Mn - 1 = 1, 2 ((1 + x)^-1 + x - 1)/(2 x²) = 1/(1 + x),
    x = q² Rg²/3.
    """
    best = result.fits[0]
    if best.name != "lorentz" or any("gauss_coil" in fit.model for fit in equals.as_good(result)):
        return
    length = best.parameters["cor_length"]
    error = None if length.error is None else math.sqrt(3) * length.error
    yield sentences.SAME_AS_COILS(rg=quantity(math.sqrt(3) * length.value, "Ang", error))


def second_unseen(result: FitResult) -> Iterator[str]:
    """A second contribution fits much better, though these data do not determine its size."""
    best = result.fits[0]
    sums = [fit for fit in result.fits[1:] if fit.components and equals.shows_no_length(fit)]
    better = [fit.reduced_chisq for fit in sums if equals.much_better(fit, best)]
    if better and not best.components:
        chisq, best_chisq = chisq_text(min(better)), chisq_text(best.reduced_chisq)
        yield sentences.SECOND_UNSEEN(chisq=chisq, best_chisq=best_chisq)


def other_size(result: FitResult) -> Iterator[str]:
    """A model of the same kind that is as good, with quite another size."""
    for name, size in sizes(result.fits[0]).items():
        for fit in equals.list_same_kind(result):
            other_size_found = sizes(fit).get(name)
            if other_size_found is not None and not comparable(size, other_size_found):
                value_text = quantity(other_size_found.value, other_size_found.unit, other_size_found.error)
                yield sentences.OTHER_SIZE(model=fit.short_name, name=name, value=value_text)


def opposite_contrasts(result: FitResult) -> Iterator[str]:
    """I(q) has products of two contrasts: fitted densities on the other side of the solvent fit as well."""
    best = result.fits[0]
    solvent, densities = find_fixed_solvent(best), slds_of(best)
    if not solvent or not set(densities) - {solvent} <= set(best.free):
        return
    middle = densities.pop(solvent).value
    if not invariant(best.model, solvent, tuple(densities)):
        return
    others = {name: 2 * middle - p.value for name, p in densities.items()}
    least, most = PROBLEM.matter["neutron"]
    apart = [
        abs(others[name] - p.value) > ASSESSMENT.significant * (p.error or math.inf)
        for name, p in densities.items()
    ]
    if any(apart) and all(least <= value <= most for value in others.values()):
        values = [f"{name} {significant(value, 2)}" for name, value in others.items()]
        yield sentences.OPPOSITE_CONTRASTS(values=f"{join_names(values)} ({unit_text('1e-6/Ang^2')})")


def replicates(result: FitResult) -> Iterator[str]:
    """The measurement is unlike what the fit would give."""
    if result.verification is not None and result.verification.replicates is not None:
        yield from result.verification.replicates.sentences


def open_values(result: FitResult) -> Iterator[str]:
    """A length of the headline's model is anything."""
    names = [spell_name(bare(name)) for name in list_open(result)]
    if names:
        verb, pronoun = ("are", "them") if names[1:] else ("is", "it")
        # A peak or a network is the same with other exponents; of a particle a layer may not be there.
        if is_body(result.fits[0].model):
            yield sentences.OPEN_LENGTHS(names=join_names(names), verb=verb, pronoun=pronoun)
        else:
            yield sentences.OPEN_EXPONENTS(names=join_names(names), verb=verb)


#: What says how strongly particles interact.
_STRENGTHS = {
    "volfraction": "the volume fraction", "charge": "the charge", "stickiness": "the stickiness",
    "welldepth": "the depth of the well",
}  # fmt: skip


#: Lengths that belong to molecules in every sample: of segments, and between charges.
_MOLECULAR = frozenset({"b1", "b2", "b3", "b4", "monomer_length", "bjerrum_length"})


def atoms(result: FitResult) -> Iterator[str]:
    """Warn that all lengths are those of molecules, and so is what they make up."""
    best = result.fits[0]
    lengths = [length for length in telling(best) if _is_known_length(*length)]
    if not lengths:
        return
    name, p = max(lengths, key=lambda length: length[1].value)
    if max(p.value, largest(best)) < 2 * math.pi * PROBLEM.thinnest:
        yield sentences.ATOMIC(name=spell_name(bare(name)), value=quantity(p.value, "Ang", p.error))


def _is_known_length(name: str, p: Parameter) -> bool:
    return p.unit == "Ang" and is_determined(name, p) and bare(name) not in _MOLECULAR


def size_mixture(result: FitResult) -> Iterator[str]:
    """Hard spheres explain the curve as well, once each pair of sizes has its own structure factor."""
    mixture = result.mixture
    is_best = mixture is not None and mixture.name == result.fits[0].name
    if mixture is None or (is_best and mixture.lead_over(result.fits[0]) < ASSESSMENT.significant**2):
        return
    sentence = sentences.MIXTURE_BETTER if is_best else sentences.MIXTURE_TOO
    mean, percent = quantity(mixture.mean, "Ang"), significant(100 * mixture.deviation, 2)
    texts = [f"mean radius {mean}", f"polydispersity {percent} %"]
    if "volfraction" in mixture.values:
        texts.append(f"volume fraction {significant(100 * mixture.values['volfraction'], 2)} %")
    yield sentence(chisq=chisq_text(mixture.reduced_chisq), values=", ".join(texts))


def interaction(result: FitResult) -> Iterator[str]:
    """Warn of a structure factor whose strength (charge, volume fraction, ...) the data do not determine."""
    best = result.fits[0]
    if best.structure_factor is None:
        return
    names = [
        words
        for name, words in _STRENGTHS.items()
        if name in best.parameters and not is_determined(name, best.parameters[name])
    ]
    if names:
        yield sentences.WEAK_INTERACTION(names=join_names(names))


def find_warnings(result: FitResult) -> Iterator[str]:
    """A value of the headline is impossible, at an end of its range, or says that a simpler model does."""
    best = result.fits[0]
    headline_names = dict(telling(best)).keys() - find_lower_bounds(best)
    for warning in best.warnings:
        stated = warning.parameter in headline_names and warning.about not in HARMLESS
        if warning.about is About.SIMPLER or stated:
            yield warning if warning.parameter in best.parameters else capital(warning)


def simpler_model(result: FitResult) -> str:
    """Name of the model that the best one has become, where that is what is doubted; else empty."""
    return next((warning.model for warning in result.fits[0].warnings if warning.about is About.SIMPLER), "")


def find_structure(result: FitResult) -> Iterator[str]:
    """Residuals hang together although they are small; where nobody states errors, only if they show."""
    verification = result.verification
    far_below = not is_stated(result.curve) and equals.is_overstated(result)
    if verification is not None and verification.structured and not (verification.systematic or far_below):
        low, high = verification.worst
        yield sentences.STRUCTURED(
            runs=f"{verification.runs:.1f}", low=significant(low, 3), high=significant(high, 3)
        )


def find_understated(result: FitResult) -> Iterator[str]:
    """Residuals are random, but larger than stated."""
    explanation = equals.small_chisq(result) or equals.describe_error(result)
    if not (explanation or list(too_small_uncertainties(result))):
        yield sentences.RANDOM_BUT_LARGE(factor=f"{result.fits[0].reduced_chisq ** 0.5:.1f}")


def described(result: FitResult) -> Iterator[str]:
    """No model fits within the uncertainties; the best describes the curve within a share of I."""
    if result.described_within:
        yield sentences.DESCRIBED_ONLY(source=equals.name_uncertainties(result))


def systematic(result: FitResult) -> Iterator[str]:
    """Only an error that neighbours share makes it an explanation; the headline says how large."""
    if equals.only_within_error(result):
        yield str(sentences.BEYOND_ERRORS)


def misfit(result: FitResult) -> Iterator[str]:
    """Where in q nothing fits, or that all residuals are too large."""
    verification = result.verification
    if verification is None:
        return
    low, high = (significant(q, 3) for q in verification.worst)
    if verification.structured or verification.systematic:
        yield sentences.MISFIT_AT(low=low, high=high)
    else:
        factor = significant(verification.noise, 2 if verification.noise < 100 else 3)
        source = equals.name_uncertainties(result)
        yield sentences.MISFIT_RANDOM(factor=factor, source=source, low=low, high=high)


_Find = Callable[[FitResult], Iterator[str]]
#: The order of cautions, the most harmful first: sizes wrong by ten, an answer without meaning, another
#: sample, a wrong value. `_WITHOUT`: there is no fit, or the curve is a constant; `_EXPLAINED`: the best fit
#: describes the data, at least within a systematic error; `_UNEXPLAINED`: it does not.
_WITHOUT: tuple[_Find, ...] = (unit, reasons, find_missing_candidates, time)
_EXPLAINED: tuple[_Find, ...] = (
    unit, few_points, understated, own_limits, undetermined, described, instrument, time_within_error,
    unfinished, atoms, size_mixture, nearer, other_shape, simpler_shape, same_curve, second_unseen,
    find_missing_model, other_size, opposite_contrasts, find_warnings, interaction, open_values, disagreement,
    too_large_uncertainties, too_small_uncertainties, find_structure, smooth_misfit, no_uncertainties,
    find_replaced_uncertainties, replicates, find_missing_candidates, find_understated, systematic,
)  # fmt: skip
_UNEXPLAINED: tuple[_Find, ...] = (
    unit, understated, own_limits, undetermined, instrument, find_missing_candidates, too_small_uncertainties,
    find_replaced_uncertainties, size_mixture, time, unfinished, scope,
    misfit,
)  # fmt: skip
#: Not said of a curve that is described within an error: they compare residuals with the uncertainties.
_OF_UNCERTAINTIES = frozenset({
    too_large_uncertainties, too_small_uncertainties, find_structure, smooth_misfit, replicates,
    find_understated, systematic,
})  # fmt: skip
