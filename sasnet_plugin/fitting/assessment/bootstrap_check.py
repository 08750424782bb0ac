"""What the network says of simulated twins of a fit, and whether the measurement is one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.types import Curve, SasnetError, Suggestion

if TYPE_CHECKING:
    from sasnet_plugin.predict.curves import Classifier

#: Twins drawn: enough to say "nearly all", and a few hundredths of a second.
COUNT = 64
#: The measurement stands out if at most this share of the twins is as unlike the model.
_RARE = 0.02
#: And by no less than this, in probability.
_GAP = 0.3


@dataclass(frozen=True)
class Twins:
    """The network's answers for simulated twins of a fit, and for the measurement among them.

    Parameters
    ----------
    count : int
        Of twins.
    group : str
        Of models, that the fitted model belongs to; empty where the network does not know the model.
    taken : int
        Twins whose likeliest group is that one.
    measured_taken : bool
        The measurement's likeliest group is that one.
    probability, median_probability : float
        Of that group: for the measurement, and for the middle one of the twins, 0..1.
    probability_quantile : float
        Share of the twins that give the group less than the measurement does, 0..1.
    in_scope, median_in_scope, in_scope_quantile : float
        The same for looking like any known model.
    sentences : tuple of str
        For people; empty where the measurement is like its twins.
    """

    count: int
    group: str
    taken: int
    measured_taken: bool
    probability: float
    median_probability: float
    probability_quantile: float
    in_scope: float
    median_in_scope: float
    in_scope_quantile: float
    sentences: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """All but the sentences."""
        return {k: v for k, v in vars(self).items() if k != "sentences"}


def compare(
    classifier: Classifier,
    curve: Curve,
    dintensity: NDArray[np.float64],
    fit: ModelFit,
    rng: np.random.Generator,
    *,
    noise: float = 1.0,
    count: int = COUNT,
) -> Twins | None:
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
        Twins.

    Returns
    -------
    Twins or None
        None where the network cannot judge such curves.
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
    found = Twins(
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


def _sentences(twins: Twins, measured: Suggestion, threshold: float) -> tuple[str, ...]:
    sentences = []
    apart = twins.median_probability - twins.probability
    if twins.group and twins.probability_quantile <= _RARE and apart >= _GAP and not twins.measured_taken:
        likeliest = measured.groups[0]
        sentences.append(
            f"The network takes {twins.taken} of {twins.count} simulated twins of this fit for"
            f" “{twins.group}”, the measurement for “{likeliest.name}” ({100 * likeliest.probability:.0f} %):"
            " it may show something that the model lacks."
        )
    apart = twins.median_in_scope - twins.in_scope
    if twins.in_scope_quantile <= _RARE and apart >= _GAP and twins.in_scope < threshold:
        sentences.append(
            "To the network, simulated twins of this fit look like a known model"
            f" ({100 * twins.median_in_scope:.0f} %), the measurement does not"
            f" ({100 * twins.in_scope:.0f} %): it may hold a second component."
        )
    return tuple(sentences)
