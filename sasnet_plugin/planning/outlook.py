"""What a measurement would decide: the chance that the likeliest model is then right, and errors.

For each model that may be right, and draws of its parameters, the measurement is predicted and all models are
fitted again to what was measured and what is predicted. The difference in χ² that remains is the T-criterion
of discrimination (Atkinson & Fedorov, Biometrika 62 (1975) 57). With noise the logarithm of the ratio of two
marginal likelihoods is normal about half of that with that variance, so that the chance follows without
simulating noise; the parameters' volumes (Occam's factors) are in the mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import ndtr

from ..arrays import Floats
from .measurements import Measurement
from .rivals import ExpectedError, Minimum, Rival

#: Least variance of the logarithm of a ratio of marginal likelihoods: Laplace's approximation is no better.
_LEAST = 0.25


@dataclass(frozen=True)
class Outlook:
    """What one measurement of some length is expected to say."""

    measurement: Measurement
    time: float
    chance: float  #: That the likeliest model is then the right one, 0..1.
    #: By names of two models: root of the χ² by which the second misses what the first predicts.
    differences: dict[tuple[str, str], float]
    value: float | None = None  #: Of the parameter that was asked for.
    error: float | None = None  #: Its expected standard deviation.
    #: By names of a model and of its parameter: what is expected if this model is right.
    errors: dict[tuple[str, str], ExpectedError] = field(default_factory=dict)


def foresee(
    rivals: Sequence[Rival],
    draws: Sequence[Sequence[Floats]],
    measurement: Measurement,
    time: float,
    parameter: str | None = None,
) -> Outlook:
    """Return the outlook of a measurement; `draws` are of each rival."""
    chances = []
    differences: dict[tuple[str, str], list[float]] = {}
    errors: dict[tuple[str, str], list[ExpectedError]] = {}
    for truth, own_draws in zip(rivals, draws, strict=True):
        for z in own_draws:
            after = _refit(rivals, truth, z, measurement, time)
            own, leads = after[rivals.index(truth)], 1.0
            for rival, other in zip(rivals, after, strict=True):
                if rival is not truth:
                    gap = float(np.sum((other.new_residuals - own.new_residuals) ** 2))
                    leads *= _lead((truth, own), (rival, other), gap)
                    differences.setdefault((truth.short_name, rival.short_name), []).append(math.sqrt(gap))
            chances.append((truth.weight / len(own_draws), leads))
            for name, figures in truth.errors(own.covariance, measurement.name).items():
                errors.setdefault((truth.short_name, name), []).append(figures)
    middle = {pair: float(np.median(gaps)) for pair, gaps in differences.items()}
    by_model = {key: _mean(figures) for key, figures in errors.items()}
    value, error = _average(rivals, by_model, parameter)
    shares, leading = np.array(chances).T
    return Outlook(
        measurement, time, float(np.average(leading, weights=shares)), middle, value, error, by_model
    )


def replace_errors(
    look: Outlook, rivals: Sequence[Rival], parameter: str, reported: Mapping[str, float]
) -> Outlook:
    """The outlook with other errors of a parameter, by names of the models."""
    errors = dict(look.errors)
    for name, error in reported.items():
        errors[name, parameter] = errors[name, parameter]._replace(error=error)
    mean_value, mean_error = _average(rivals, errors, parameter)
    return replace(look, value=mean_value, error=mean_error, errors=errors)


def _refit(
    rivals: Sequence[Rival], truth: Rival, z: Floats, measurement: Measurement, time: float
) -> list[Minimum]:
    """All rivals fitted to what was measured and to what `truth` at z predicts."""
    intensity = truth.predict(z, measurement)
    error = measurement.error(intensity, time)
    return [
        rival.best_minimum(measurement, intensity, error, *([z] if rival is truth else []))
        for rival in rivals
    ]


def _lead(right: tuple[Rival, Minimum], wrong: tuple[Rival, Minimum], gap: float) -> float:
    """Probability that the first of two models leads after the measurement; `gap` is the χ² between them."""
    (truth, own), (rival, other) = right, wrong
    gain = (own.log_evidence - truth.before.log_evidence) - (other.log_evidence - rival.evidence_before)
    mean = math.log(max(truth.weight, 1e-12) / max(rival.weight, 1e-12)) + gain
    return float(ndtr(mean / math.sqrt(max(gap, _LEAST))))


def _mean(figures: Sequence[ExpectedError]) -> ExpectedError:
    return ExpectedError(*map(float, np.mean(figures, axis=0)))


def _average(
    rivals: Sequence[Rival], errors: Mapping[tuple[str, str], ExpectedError], parameter: str | None
) -> tuple[float | None, float | None]:
    having = [rival for rival in rivals if (rival.short_name, parameter) in errors]
    if parameter is None or not having:
        return None, None
    figures = [errors[rival.short_name, parameter] for rival in having]
    value, error, _ = np.average(figures, axis=0, weights=[rival.weight for rival in having])
    return float(value), float(error)
