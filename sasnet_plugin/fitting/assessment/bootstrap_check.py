"""Parametric bootstrap: what the network says of noisy replicates of a fit, and of the measurement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.result.model_fit import ModelFit, Replicates
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.types import Curve, SasnetError, Suggestion

if TYPE_CHECKING:
    from sasnet_plugin.predict.curves import Classifier


def compare(
    classifier: Classifier,
    curve: Curve,
    dintensity: NDArray[np.float64],
    fit: ModelFit,
    rng: np.random.Generator,
    *,
    noise: float = 1.0,
    count: int = ASSESSMENT.replicates,
) -> Replicates | None:
    """Classify noisy copies of a fit together with the measurement.

    Parameters
    ----------
    classifier : Classifier
    curve : Curve
        The measurement.
    dintensity : (n,) float array
    fit : ModelFit
    rng : numpy.random.Generator
        Of the noise.
    noise : float
        Size of the noise over `dintensity`, where the residuals show that it is mis-stated.
    count : int
        Replicates.

    Returns
    -------
    Replicates or None
        None where the network cannot classify such curves.
    """
    draws = fit.theory + noise * dintensity * rng.standard_normal((count, len(curve)))
    curves = [curve, *(replace(curve, intensity=draw, notes=()) for draw in draws)]
    try:
        answers = classifier.suggest(curves, top=len(classifier.manifest.groups))
    except SasnetError:
        return None
    group = next((g.name for g in classifier.manifest.groups if fit.model in g.members), "")
    given = np.array([_given(answer, group) for answer in answers])
    first = np.array([answer.groups[0].name == group for answer in answers])
    scope = np.array([answer.in_scope for answer in answers])
    found = Replicates(
        count,
        group,
        int(first[1:].sum()),
        bool(first[0]),
        float(given[0]),
        float(np.median(given[1:])),
        float(np.mean(given[1:] < given[0])),
        float(scope[0]),
        float(np.median(scope[1:])),
        float(np.mean(scope[1:] < scope[0])),
    )
    return replace(found, sentences=_sentences(found, answers[0], classifier.manifest.scope_threshold))


def _given(answer: Suggestion, group: str) -> float:
    return next((g.probability for g in answer.groups if g.name == group), 0.0)


def _sentences(found: Replicates, measured: Suggestion, threshold: float) -> tuple[str, ...]:
    sentences = []
    apart = found.median_probability - found.probability
    if (
        found.group
        and found.probability_quantile <= ASSESSMENT.rare
        and apart >= ASSESSMENT.gap
        and not found.measured_taken
    ):
        likeliest = measured.groups[0]
        sentences.append(
            f"The network takes {found.taken} of {found.count} simulated measurements of this fit for"
            f" “{found.group}”, the measurement for “{likeliest.name}” ({100 * likeliest.probability:.0f} %):"
            " it may show something that the model lacks."
        )
    apart = found.median_in_scope - found.in_scope
    if found.in_scope_quantile <= ASSESSMENT.rare and apart >= ASSESSMENT.gap and found.in_scope < threshold:
        sentences.append(
            "To the network, simulated measurements of this fit look like a known model"
            f" ({100 * found.median_in_scope:.0f} %), the measurement does not"
            f" ({100 * found.in_scope:.0f} %): it may hold a second component."
        )
    return tuple(sentences)
