"""What a measurement would decide: the chance that the right model leads afterwards, and errors.

For each model that may be right, and draws of its parameters, the measurement is predicted and all models are
fitted again to what was measured and what is predicted. The difference in χ² that remains is the T-criterion
of discrimination (Atkinson & Fedorov, Biometrika 62 (1975) 57). With noise the logarithm of the ratio of two
marginal likelihoods is normal about half of that with that variance, so that the chance follows without
simulating noise; the parameters' volumes (Occam's factors) are in the mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ..arrays import Floats
from .measurements import Measurement
from .rivals import Rival

#: Least variance of a ratio of marginal likelihoods: none is known better.
_LEAST = 1e-3


@dataclass(frozen=True)
class Outlook:
    """What one measurement of some length is expected to say."""

    measurement: Measurement
    time: float
    chance: float  #: That the right model leads afterwards, 0..1.
    #: By names of two models: root of the χ² by which the second misses what the first predicts.
    differences: dict[tuple[str, str], float]
    value: float | None = None  #: Of the parameter that was asked for.
    error: float | None = None  #: Its expected standard deviation.


def foresee(
    rivals: Sequence[Rival],
    draws: Sequence[Sequence[Floats]],
    measurement: Measurement,
    time: float,
    parameter: str | None = None,
) -> Outlook:
    """Return the outlook of a measurement; `draws` are of each rival."""
    chance, total = 0.0, 0.0
    differences: dict[tuple[str, str], list[float]] = {}
    errors: list[tuple[float, float, float]] = []
    for truth, own_draws in zip(rivals, draws, strict=True):
        share = truth.weight / len(own_draws)
        for z in own_draws:
            intensity = truth.predict(z, measurement)
            error = measurement.error(intensity, time)
            after = [
                rival.minimise(z, measurement, intensity, error)
                if rival is truth
                else rival.best_minimum(measurement, intensity, error)
                for rival in rivals
            ]
            own = after[rivals.index(truth)]
            leads = 1.0
            for rival, other in zip(rivals, after, strict=True):
                if rival is truth:
                    continue
                gap = float(np.sum((other.new_residuals - own.new_residuals) ** 2))
                gain = (own.log_evidence - truth.before.log_evidence) - (
                    other.log_evidence - rival.before.log_evidence
                )
                mean = math.log(max(truth.weight, 1e-12) / max(rival.weight, 1e-12)) + gain
                leads *= float(ndtr(mean / math.sqrt(max(gap, _LEAST))))
                differences.setdefault((truth.short_name, rival.short_name), []).append(math.sqrt(gap))
            chance, total = chance + share * leads, total + share
            if parameter is not None:
                found = truth.error_of(parameter, own.covariance)
                if found is not None:
                    errors.append((share, *found))
    value, deviation = _average(errors)
    middle = {pair: float(np.median(gaps)) for pair, gaps in differences.items()}
    return Outlook(measurement, time, chance / max(total, 1e-12), middle, value, deviation)


def _average(errors: Sequence[tuple[float, float, float]]) -> tuple[float | None, float | None]:
    if not errors:
        return None, None
    weights, values, deviations = np.array(errors).T
    return float(np.average(values, weights=weights)), float(np.average(deviations, weights=weights))
