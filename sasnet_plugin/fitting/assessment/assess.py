"""All that is said about fits: ranking, verification, warnings, and which the data do not distinguish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.digits import chisq_text, listed
from sasnet_plugin.fitting.assessment import discriminate
from sasnet_plugin.fitting.assessment.diagnostics import remarks_of, warnings_of
from sasnet_plugin.fitting.assessment.effective_points import as_independent, in_words, independent_share
from sasnet_plugin.fitting.assessment.excused import (
    beyond_excuse,
    excused_beside,
    excuses,
    largest,
    none_explains,
    not_the_least,
    simplest_within_error,
    within_the_given,
)
from sasnet_plugin.fitting.assessment.goodness_of_fit import compare, verify
from sasnet_plugin.fitting.assessment.plausible import implausible
from sasnet_plugin.fitting.assessment.systematic_error import (
    SystematicError,
    each_error,
    widened,
)
from sasnet_plugin.fitting.problem.conventions import conventional, scale_in_words
from sasnet_plugin.fitting.result import components
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.types import Curve


def assess(
    curve: Curve,
    dintensity: NDArray[np.float64],
    fits: Sequence[ModelFit],
    notes: Sequence[str] = (),
    prior: Sequence[float] | None = None,
    given: Iterable[str] = (),
    probe: str | None = None,
) -> FitResult:
    """Rank and verify fits, and warn of what may be wrong.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        The uncertainties used.
    fits : sequence of ModelFit
    notes : sequence of str
        What is known already.
    prior : sequence of float, optional
        As for `ranked`.
    given : iterable of str
        Parameters that the user settled: of fits without, contrasts follow convention.
    probe : str, optional
        neutron or xray, where that is known.

    Returns
    -------
    FitResult
        With warnings of each fit, and what the network says of replicates of the best one.
    """
    given = tuple(given)
    fits = [conventional(fit, given) for fit in fits]
    errors, share = dependence(curve, dintensity, fits)
    order = ranked(fits, prior, misfits(fits, errors, share))
    if not order:
        return FitResult(curve, dintensity, (), False, (*notes, "No model could be fitted."))
    if errors:
        order = [widened(curve, dintensity, fit, errors[fit.name]) for fit in order]
    if share < 1:
        order = [as_independent(fit, share) for fit in order]
    compared = misfits(order, errors, share)
    excusable = any(excuses(error) for error in errors.values())
    verdicts = [
        verify(curve, dintensity, fit, systematic=fit.name in compared.excused, excusable=excusable)
        for fit in order
    ]
    verdicts = [
        beyond_excuse(verdict, fit, errors.get(fit.name), len(curve))
        for fit, verdict in zip(order, verdicts, strict=True)
    ]
    first = verdicts[0]
    # Replicates whose noise is not the measurement's would differ from it for that reason alone.
    noise = first.noise if not first.structured else 1.0
    rng = np.random.default_rng(ASSESSMENT.replicate_seed)
    replicates = compare(open_classifier(), curve, dintensity, order[0], rng, noise=noise)
    if replicates is not None:
        first = replace(first, replicates=replicates, sentences=(*first.sentences, *replicates.sentences))
        verdicts[0] = first
    warned = tuple(
        replace(
            fit,
            warnings=(
                *fit.warnings, *verdict.sentences, *warnings_of(curve, fit, order, probe),
                # Of the first it is a note: the data may have any unit.
                *(scale_in_words(fit) if fit is not order[0] else ()),
            ),
        )
        for fit, verdict in zip(order, verdicts, strict=True)
    )  # fmt: skip
    same, near = set(alike(order, compared)), set(nearly(order, misfits(order, share=share)))
    others = [fit for fit in order[1:] if fit.name in same]
    # What only a shared error makes as good is not called the same.
    beside = [f for f in others if f.name not in near and compared.excused & {f.name, order[0].name}]
    near = {f.name for f in others if f not in beside}
    error = errors.get(order[0].name)
    told = first.explained or (error is not None and excuses(error))
    # Where none explains the data, more of them decide between wrong models.
    asked = [fit for fit in others if fit.name in near] if told else ()
    said = list(discriminate.sentences(curve, dintensity, order[0], asked, ask=first.explained))
    if order[0].per_decade is not None:
        said.append(
            f"{order[0].name} was calculated at {order[0].per_decade} points of q a decade, as the measured"
            " ones are too few for its curve or resolution; SasView calculates it at these and shows another"
            " χ²."
        )
    if first.explained:
        said += excused_beside(order[0], beside, errors)
    if share < 1:
        said.append(in_words(len(curve), share))
    given_too = within_the_given(order, first, same)
    if given_too:
        named = [f"{f.short_name} (reduced χ² {chisq_text(f.reduced_chisq)})" for f in given_too]
        why = (
            ": these errors are larger than the noise, and residuals within them are not random, so that they"
            " hardly decide between models"
        )
        verb = "explain" if named[1:] else "explains"
        said.append(f"To their errors {listed(named)} {verb} the data, too{'' if share < 1 else why}.")
    simple = simplest_within_error(curve, dintensity, order, same, errors)
    if simple is not None and first.explained:
        fit, its = simple
        said.append(
            f"With {its.words()} in the data, {fit.short_name} says the same with {len(fit.free)} instead of"
            f" {len(order[0].free)} parameters."
        )
    if order[0].components:
        said.append(components.in_words(order[0].components))
    said += [*not_the_least(order, error), *remarks_of(order[0])]
    said += none_explains(order, same, errors, len(curve)) if not first.explained else []
    if error is not None and error.relative > 0:
        said.append(
            f"Neighbouring residuals share {error.words()}; parameters' errors include it, and models are"
            " compared with it."
        )
        first = replace(first, systematic={**error.as_dict(), "excuses": excuses(error)})
    return FitResult(
        curve, dintensity, warned, first.explained, (*notes, *said), first,
        alike=tuple(fit.short_name for fit in others if fit.name in near),
        excused=(largest([order[0], *beside], errors).words(), tuple(fit.short_name for fit in beside))
        if beside else ("", ()),
        explaining=tuple(fit.short_name for fit in given_too),
    )  # fmt: skip


def dependence(
    curve: Curve, dintensity: NDArray[np.float64], fits: Sequence[ModelFit]
) -> tuple[dict[str, SystematicError], float]:
    """What neighbouring points have in common: `systematic_errors` and `independent_share`."""
    share = independent_share(curve, dintensity, fits)
    # Uncertainties that are larger than the noise hold what neighbours share already.
    return systematic_errors(curve, dintensity, fits) if share == 1 else {}, share


def systematic_errors(
    curve: Curve, dintensity: NDArray[np.float64], fits: Sequence[ModelFit]
) -> dict[str, SystematicError]:
    """Of each fit by its name; none where no fit's residuals share an error that a measurement may have.

    A model with parameters to spare takes up what an instrument does to a curve, and leaves nothing but
    independent noise; so the others' residuals are looked at as well, if they are not much larger.
    """
    found = {fit.name: error for fit, error in zip(fits, each_error(curve, dintensity, fits), strict=True)}
    if not any(0 < error.relative <= ASSESSMENT.most_systematic for error in found.values()):
        return {}
    return found


@dataclass(frozen=True)
class Misfits:
    """What fits of one curve are compared by.

    Parameters
    ----------
    chisq : (m,) float array
        Of each fit; or, to a constant, what takes its place under systematic errors: -2 ln of the likelihood.
    penalty : (m,) float array
        What BIC asks for the parameters of each, and what a second component, and values that no sample has,
        cost besides.
    shared : bool
        Under systematic errors.
    excused : frozenset of str
        Names of the fits whose residuals share one.
    """

    chisq: NDArray[np.float64]
    penalty: NDArray[np.float64]
    shared: bool = False
    excused: frozenset[str] = frozenset()


def misfits(
    fits: Sequence[ModelFit], errors: Mapping[str, SystematicError] | None = None, share: float = 1.0
) -> Misfits:
    """Misfit and penalty of each fit.

    Where even the best fit has a reduced χ² above 1, the uncertainties are taken to be too small by its root,
    as otherwise a per cent of difference between two bad fits would decide with certainty. Where its
    residuals share a systematic error, each fit is assessed by the likelihood of its residuals with the
    systematic error that describes them best: a larger one costs, but not as if neighbours were independent.

    Parameters
    ----------
    fits : sequence of ModelFit
    errors : mapping of str to SystematicError, optional
        Of each by its name; none where no fit's residuals share one.
    share : float
        Of the points, as many as are independent.
    """
    penalty = np.array(
        [
            f.bic - f.chisq + len(f.free) * np.log(share) + ASSESSMENT.implausible_bic * implausible(f)
            + ASSESSMENT.second_component * ("+" in f.model)
            for f in fits
        ]
    )  # fmt: skip
    if errors:
        found = np.array([errors[f.name].minus_two_log for f in fits])
        left = np.array([(f.chisq, len(f.free)) for f in fits])
        for i in np.argsort(left[:, 0]):
            chisq, free = left[i]
            # Smooth residuals put no fit above one of smaller residuals with no more parameters.
            better = (left[:, 0] < chisq) & (left[:, 1] <= free)
            if better.any():
                found[i] = max(found[i], found[better].min())
        return Misfits(found, penalty, True, frozenset(n for n, e in errors.items() if e.relative > 0))
    tempering = max(min((f.reduced_chisq for f in fits), default=1.0), 1.0)
    return Misfits(share * np.array([f.chisq for f in fits]) / tempering, penalty)


def ranked(
    fits: Sequence[ModelFit], prior: Sequence[float] | None = None, compared: Misfits | None = None
) -> list[ModelFit]:
    """Give each fit its weight, best first.

    The evidence is exp(-BIC/2) (Schwarz, Ann. Stat. 6 (1978) 461) times the prior; values that
    no sample has cost besides (`implausible`).

    Parameters
    ----------
    fits : sequence of ModelFit
    prior : sequence of float, optional
        What each model has before it is fitted; default: the network's probability.
    compared : Misfits, optional
        Of these fits; default: to their noise alone.

    Returns
    -------
    list of ModelFit
        By falling weight; the weights sum to one.
    """
    if not fits:
        return []
    compared = compared or misfits(fits)
    before = np.array([f.probability for f in fits] if prior is None else prior)
    log_weight = -0.5 * (compared.chisq + compared.penalty) + np.log(
        np.maximum(before, ASSESSMENT.least_prior)
    )
    # What residuals share may make two fits indistinguishable; it does not put one with residuals that are
    # so much larger above the other, nor with larger ones if it is hardly simpler.
    chisq = np.maximum([f.reduced_chisq for f in fits], 1.0)
    free = np.array([len(f.free) for f in fits])
    for i in np.argsort(chisq):
        hardly_more = free < free[i] + ASSESSMENT.fewer_parameters
        much_nearer = chisq < chisq[i] / ASSESSMENT.much_worse
        nearer = hardly_more & (chisq < chisq[i] / ASSESSMENT.worse)
        for far in (much_nearer, nearer):
            if compared.shared and far.any():
                log_weight[i] = min(log_weight[i], log_weight[far].max())
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    found = [replace(f, weight=float(w)) for f, w in zip(fits, weight, strict=True)]
    return sorted(found, key=lambda f: (-f.weight, f.reduced_chisq))


def nearly(fits: Sequence[ModelFit], compared: Misfits) -> list[str]:
    """Names of the fits whose misfit is the first's but for what the number of parameters lets expect."""
    own = len(fits[0].free) if fits else 0
    return [
        fit.name
        for fit, its in zip(fits[1:], compared.chisq[1:], strict=True)
        if abs(its - compared.chisq[0]) < ASSESSMENT.same_bic + abs(len(fit.free) - own)
    ]


def alike(fits: Sequence[ModelFit], compared: Misfits | None = None) -> list[str]:
    """Names of the fits that this curve cannot distinguish from the best one, the first.

    Those of nearly its misfit; where residuals share an error, whose size is itself an estimate, also those
    whose evidence is not very strongly less.
    """
    if not fits:
        return []
    compared = compared or misfits(fits)
    near = set(nearly(fits, compared))
    bic = compared.chisq + compared.penalty
    return [
        fit.name
        for fit, less in zip(fits[1:], (bic - bic[0])[1:], strict=True)
        if fit.name in near
        or (less < ASSESSMENT.strong_bic and not compared.excused.isdisjoint((fit.name, fits[0].name)))
    ]
