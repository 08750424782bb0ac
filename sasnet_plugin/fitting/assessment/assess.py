"""All that is said about ranked fits: verification, doubts, and which the data do not tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment import discriminate
from sasnet_plugin.fitting.assessment.bootstrap_check import compare
from sasnet_plugin.fitting.assessment.diagnostics import doubts
from sasnet_plugin.fitting.assessment.goodness_of_fit import Verification, verify
from sasnet_plugin.fitting.assessment.ranking import alike
from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.types import Curve

NONE_EXPLAINS = "None of these models explains the data."


def judge(
    curve: Curve, dintensity: NDArray[np.float64], order: Sequence[ModelFit], rng: np.random.Generator
) -> tuple[tuple[ModelFit, ...], Verification, list[str]]:
    """Verify fits and say what to doubt.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        The uncertainties used.
    order : sequence of ModelFit
        At least one, best first.
    rng : numpy.random.Generator
        Of the noise of simulated twins.

    Returns
    -------
    fits : tuple of ModelFit
        With their warnings.
    verification : Verification
        Of the best one, with what the network says of its twins.
    notes : list of str
        About the whole answer.
    """
    verdicts = [verify(curve, dintensity, fit) for fit in order]
    first = verdicts[0]
    # Twins whose noise is not the measurement's would differ from it for that reason alone.
    noise = first.noise if not first.structured else 1.0
    twins = compare(open_classifier(), curve, dintensity, order[0], rng, noise=noise)
    if twins is not None:
        first = replace(first, twins=twins, sentences=(*first.sentences, *twins.sentences))
        verdicts[0] = first
    fits = tuple(
        replace(fit, warnings=(*fit.warnings, *verdict.sentences, *doubts(curve, fit)))
        for fit, verdict in zip(order, verdicts, strict=True)
    )
    same = set(alike(order))
    others = [fit for fit in order[1:] if fit.name in same]
    # Where none explains the data, more of them decide between wrong models.
    notes = list(discriminate.sentences(curve, dintensity, order[0], others, ask=first.explained))
    if order[0].per_decade is not None:
        notes.append(
            f"{order[0].name} was calculated at {order[0].per_decade} points of q a decade, as its fringes"
            " are finer than the measured points; SasView calculates it at these and shows another χ²."
        )
    if not first.explained:
        notes.append(NONE_EXPLAINS)
    return fits, first, notes
