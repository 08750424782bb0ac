"""All that is said about ranked fits: verification, doubts, and which the data do not tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..predict import open_classifier
from ..types import Curve
from . import decide
from .doubts import doubts
from .rank import alike
from .result import ModelFit
from .twins import compare
from .verify import Verification, verify

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
    notes = list(decide.sentences(curve, dintensity, order[0], others, ask=first.explained))
    if not first.explained:
        notes.append(NONE_EXPLAINS)
    return fits, first, notes
