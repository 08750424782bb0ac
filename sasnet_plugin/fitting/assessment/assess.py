"""All that is said about fits: ranking, verification, warnings, and which the data do not distinguish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment import discriminate
from sasnet_plugin.fitting.assessment.diagnostics import warnings_of
from sasnet_plugin.fitting.assessment.goodness_of_fit import compare, verify
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.types import Curve

NONE_EXPLAINS = "None of these models explains the data."


def assess(
    curve: Curve,
    dintensity: NDArray[np.float64],
    fits: Sequence[ModelFit],
    notes: Sequence[str] = (),
    prior: Sequence[float] | None = None,
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

    Returns
    -------
    FitResult
        With warnings of each fit, and what the network says of replicates of the best one.
    """
    order = ranked(fits, prior)
    if not order:
        return FitResult(curve, dintensity, (), False, (*notes, "No model could be fitted."))
    verdicts = [verify(curve, dintensity, fit) for fit in order]
    first = verdicts[0]
    # Replicates whose noise is not the measurement's would differ from it for that reason alone.
    noise = first.noise if not first.structured else 1.0
    rng = np.random.default_rng(ASSESSMENT.replicate_seed)
    replicates = compare(open_classifier(), curve, dintensity, order[0], rng, noise=noise)
    if replicates is not None:
        first = replace(first, replicates=replicates, sentences=(*first.sentences, *replicates.sentences))
        verdicts[0] = first
    warned = tuple(
        replace(fit, warnings=(*fit.warnings, *verdict.sentences, *warnings_of(curve, fit)))
        for fit, verdict in zip(order, verdicts, strict=True)
    )
    same = set(alike(order))
    others = [fit for fit in order[1:] if fit.name in same]
    # Where none explains the data, more of them decide between wrong models.
    said = list(discriminate.sentences(curve, dintensity, order[0], others, ask=first.explained))
    if order[0].per_decade is not None:
        said.append(
            f"{order[0].name} was calculated at {order[0].per_decade} points of q a decade, as its fringes"
            " are finer than the measured points; SasView calculates it at these and shows another χ²."
        )
    if not first.explained:
        said.append(NONE_EXPLAINS)
    return FitResult(curve, dintensity, warned, first.explained, (*notes, *said), verification=first)


def ranked(fits: Sequence[ModelFit], prior: Sequence[float] | None = None) -> list[ModelFit]:
    """Give each fit its weight, best first.

    The evidence is exp(-BIC/2) (Schwarz, Ann. Stat. 6 (1978) 461) times the prior. Where
    even the best fit has a reduced χ² above 1, the uncertainties are taken to be too small by its root, as
    otherwise a per cent of difference between two bad fits would decide with certainty.

    Parameters
    ----------
    fits : sequence of ModelFit
    prior : sequence of float, optional
        What each model has before it is fitted; default: the network's probability.

    Returns
    -------
    list of ModelFit
        By falling weight; the weights sum to one.
    """
    if not fits:
        return []
    best = min(f.reduced_chisq for f in fits)
    tempering = max(best, 1.0)
    penalty = np.array([f.bic - f.chisq for f in fits])
    chisq = np.array([f.chisq for f in fits])
    before = np.array([f.probability for f in fits] if prior is None else prior)
    log_weight = -0.5 * (chisq / tempering + penalty) + np.log(np.maximum(before, ASSESSMENT.least_prior))
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    found = [replace(f, weight=float(w)) for f, w in zip(fits, weight, strict=True)]
    return sorted(found, key=lambda f: -f.weight)


def alike(fits: Sequence[ModelFit]) -> list[str]:
    """Names of the fits that this curve cannot distinguish from the best one."""
    if not fits:
        return []
    tempering = max(min(f.reduced_chisq for f in fits), 1.0)
    best = fits[0]
    return [
        f.name
        for f in fits[1:]
        if abs(f.chisq - best.chisq) / tempering < ASSESSMENT.same_bic + abs(_k(f) - _k(best))
    ]


def _k(fit: ModelFit) -> int:
    return len(fit.free)
