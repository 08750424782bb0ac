"""Whether a fit agrees with its data: χ², runs of residuals, noisy replicates, independent points.

Uncertainties that hold a calibration or a smearing correction, too, are no scatter: all fits are within them
and the residuals run along q together. A difference of χ² that is shared by neighbours is then counted once
for each of them, and would decide between models, and narrow errors, as no independent points do.

χ² is as good as the uncertainties it divides by. The scatter of neighbouring residuals about each other needs
none (J. von Neumann et al., Ann. Math. Stat. 12 (1941) 153), and no smooth misfit adds to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, ndtr

from ...arrays import Floats
from ...data.scatter import is_stated
from ...digits import significant
from ...types import Curve, SasnetError
from ..result.fit_warning import About, FitWarning
from ..result.model_fit import Misfit, ModelFit, Replicates, Verification, explains
from ..result.residuals import standardise_runs
from ..settings import ASSESSMENT, PROBLEM

if TYPE_CHECKING:
    from ...predict.predictor import Classifier
    from ..result.fit_result import FitResult


# --- χ², runs of residuals, noisy replicates.


def verify(
    curve: Curve,
    dintensity: NDArray[np.float64],
    fit: ModelFit,
    *,
    systematic: bool = False,
    excusable: bool = False,
) -> Verification:
    """Compare a fit with its measurement."""
    # For Gaussian noise of the stated size χ² of simulated measurements follows the χ² distribution of n - k
    # degrees of freedom, used here instead of draws. `systematic`: neighbouring residuals share an error;
    # `excusable`: so do those of another fit.
    stated = is_stated(curve)
    residual = (curve.intensity - fit.theory) / dintensity
    degrees = max(len(curve) - len(fit.free), 1)
    above = float(gammaincc(degrees / 2, fit.chisq / 2))
    runs = standardise_runs(residual)
    worst = _worst(curve.q, residual)
    structured = runs < -ASSESSMENT.significant
    random = not (structured or systematic)
    sentences = [
        *map(
            FitWarning,
            _describe_uncertainties(curve, residual, fit.reduced_chisq, random=random, excusable=excusable),
        )
    ]
    explained = _is_explained(1 - above, structured, fit.reduced_chisq)
    # Rounding alone is not random either.
    if structured and (stated or fit.reduced_chisq >= 1 / ASSESSMENT.too_small):
        sentences.append(_not_random(runs, worst, explained))
    noise = float(np.sqrt(max(fit.reduced_chisq, 1e-6)))
    return Verification(1 - above, runs, worst, explained, tuple(sentences), noise)


def _is_explained(probability: float, structured: bool, reduced_chisq: float) -> bool:
    """Whether χ² is probable, or residuals are random, and χ² is not far too large."""
    small = bool(probability <= ndtr(ASSESSMENT.significant))
    return (small or not structured) and reduced_chisq < ASSESSMENT.hopeless


def _not_random(runs: float, worst: tuple[float, float], explained: bool) -> FitWarning:
    within = "they are within the uncertainties, but neighbouring points have a common error."
    reason = within if explained else "the model is incomplete there."
    return FitWarning(
        f"Residuals are not random (runs test {runs:.1f} σ), largest between"
        f" q = {significant(worst[0], 3)} and {significant(worst[1], 3)} Å⁻¹: {reason}",
        About.NOT_RANDOM,
    )


def _describe_uncertainties(
    curve: Curve, residual: NDArray[np.float64], reduced_chisq: float, *, random: bool, excusable: bool
) -> list[str]:
    """Say that the uncertainties seem too large or, with random residuals, too small."""
    stated = is_stated(curve)
    uncertainty_name = "stated uncertainties" if stated else "uncertainties that sasnet estimated"
    if reduced_chisq < 1 / ASSESSMENT.too_small:
        also = "" if stated else ", as with calculated data"
        factor = significant(1 / np.sqrt(max(reduced_chisq, 1e-12)), 2)
        return [
            f"The {uncertainty_name} seem too large by a factor of about {factor}{also}; the errors of the"
            f" parameters are then too large as well."
        ]
    return _too_small(curve.q, residual, reduced_chisq, uncertainty_name, excusable) if random else []


def _too_small(
    q: NDArray[np.float64],
    residual: NDArray[np.float64],
    reduced_chisq: float,
    uncertainty_name: str,
    excusable: bool,
) -> list[str]:
    if reduced_chisq >= ASSESSMENT.hopeless:
        factor = significant(np.sqrt(reduced_chisq), 2 if reduced_chisq < 100 * 100 else 3)
        no_excuse = "" if excusable else ", more than any usual mis-statement"
        return [f"Residuals are about {factor} times as large as the {uncertainty_name}{no_excuse}."]
    if loud := _loud_part(q, residual, uncertainty_name):
        return [loud]
    if not explains(reduced_chisq, q.size):
        return [
            (
                f"The {uncertainty_name} seem too small by a factor of about {np.sqrt(reduced_chisq):.1f}:"
                f" residuals are random but larger by this factor."
            )
        ]
    return []


def _worst(q: NDArray[np.float64], residual: NDArray[np.float64]) -> tuple[float, float]:
    width = max(3, q.size // 10)
    if q.size <= width:
        return float(q[0]), float(q[-1])
    total = np.concatenate(([0.0], np.cumsum(residual**2)))
    first = int(np.argmax(total[width:] - total[:-width]))
    return float(q[first]), float(q[first + width - 1])


def compare(
    classifier: Classifier,
    curve: Curve,
    dintensity: NDArray[np.float64],
    fit: ModelFit,
    rng: np.random.Generator,
    *,
    noise: float = 1.0,
) -> Replicates | None:
    """Classify noisy copies of a fit together with the measurement; None if the classifier cannot."""
    # `noise` is the noise over `dintensity` where that is mis-stated. A measurement that the classifier takes
    # for the fitted model is like its copies: none is made.
    count = ASSESSMENT.replicates
    ends = [0, count // 16, count // 4, count]
    try:
        replicates = _classified(classifier, [curve], fit)
        for part in np.diff(ends):
            if not replicates.can_stand_out(classifier.manifest.scope_threshold):
                break
            draws = fit.theory + noise * dintensity * rng.standard_normal((part, len(curve)))
            replicates = replicates.joined(_classified(classifier, _copy(curve, draws), fit))
    except SasnetError:
        return None
    return replicates.replicates(classifier.manifest.scope_threshold)


def _copy(curve: Curve, draws: Floats) -> list[Curve]:
    return [replace(curve, intensity=draw, notes=()) for draw in draws]


@dataclass(frozen=True)
class _Classified:
    """What the network says of a measurement, which is the first of n, and of its replicates."""

    group: str  #: Of the fitted model.
    likeliest: str  #: The measurement's likeliest group.
    probability: NDArray[np.float64]  #: (n,) of the fitted model's group.
    in_scope: NDArray[np.float64]  #: (n,) of any known model.
    taken: NDArray[np.bool_]  #: (n,) whether the likeliest group is that of the fitted model.

    def joined(self, other: _Classified) -> _Classified:
        return replace(
            self,
            probability=np.concatenate([self.probability, other.probability]),
            in_scope=np.concatenate([self.in_scope, other.in_scope]),
            taken=np.concatenate([self.taken, other.taken]),
        )

    def can_stand_out(self, threshold: float) -> bool:
        """Whether further replicates could show that the measurement is unlike them."""
        other_group = bool(self.group) and not self.taken[0] and _can_be_less(self.probability)
        return other_group or (self.in_scope[0] < threshold and _can_be_less(self.in_scope))

    def replicates(self, threshold: float) -> Replicates:
        found = Replicates(
            self.taken.size - 1, self.group, int(self.taken[1:].sum()), bool(self.taken[0]),
            *_compare_with_replicates(self.probability), *_compare_with_replicates(self.in_scope),
        )  # fmt: skip
        return replace(found, sentences=tuple(_sentences(found, self.likeliest, threshold)))


def _classified(classifier: Classifier, curves: Sequence[Curve], fit: ModelFit) -> _Classified:
    names = [group.name for group in classifier.manifest.groups]
    groups, in_scope = classifier.glance(curves)
    likeliest, group = groups.argmax(axis=1), _group_of(fit.model, classifier)
    place = names.index(group) if group else -1
    probability = groups[:, place] if group else np.zeros(len(curves))
    return _Classified(group, names[likeliest[0]], probability, in_scope, likeliest == place)


def _can_be_less(each: NDArray[np.float64]) -> bool:
    """Whether `_is_less` could hold after all replicates: few have less by now, and the gap is there."""
    return bool(np.sum(each[1:] < each[0]) <= 1 and each[0] <= 1 - ASSESSMENT.gap)


def _compare_with_replicates(statistics: NDArray[np.float64]) -> tuple[float, float | None, float | None]:
    """Return the measurement's value (first), the others' median, and the share that is less."""
    if statistics.size == 1:
        return float(statistics[0]), None, None
    return (
        float(statistics[0]),
        float(np.median(statistics[1:])),
        float(np.mean(statistics[1:] < statistics[0])),
    )


def _group_of(model: str, classifier: Classifier) -> str:
    return next((group.name for group in classifier.manifest.groups if model in group.members), "")


def _sentences(replicates: Replicates, likeliest: str, threshold: float) -> Iterator[str]:
    less_likely = _is_less(
        replicates.probability, replicates.median_probability, replicates.probability_quantile
    )
    if replicates.group and less_likely and not replicates.measured_taken:
        yield (
            f"The classifier places {100 * replicates.taken / replicates.count:.0f} % of the simulated"
            f" measurements of this fit in the group “{replicates.group}” (similar curves), but the measured"
            f" curve in “{likeliest}”. The model may be incomplete."
        )
    less_known = _is_less(replicates.in_scope, replicates.median_in_scope, replicates.in_scope_quantile)
    if less_known and replicates.in_scope < threshold:
        yield (
            f"The measurement looks less like a library model ({100 * replicates.in_scope:.0f} %) than"
            f" simulated measurements of this fit ({100 * (replicates.median_in_scope or 0):.0f} %). It may"
            " hold a second component."
        )


def _is_less(measured: float, median: float | None, quantile: float | None) -> bool:
    """Whether the measurement has clearly less of something than replicates, of which few have as little."""
    if median is None or quantile is None:
        return False
    return quantile <= 1 / ASSESSMENT.replicates and median - measured >= ASSESSMENT.gap


def _loud_part(q: NDArray[np.float64], residual: NDArray[np.float64], uncertainty_name: str) -> str:
    number = min(ASSESSMENT.parts, q.size // PROBLEM.fewest_points)
    if number < 3:
        return ""
    parts = np.array_split(np.arange(q.size), number)
    means = np.array([np.mean(residual[part] ** 2) for part in parts])
    # The mean square of n residuals scatters by √(2/n) of itself.
    loud = int(np.argmax(means))
    if means[loud] <= ASSESSMENT.much_worse * max(float(np.median(means)), 1.0):
        return ""
    ends = q[parts[loud][0]], q[parts[loud][-1]]
    return (
        f"The {uncertainty_name} seem too small between q = {significant(ends[0], 3)} and"
        f" {significant(ends[1], 3)}"
        f" Å⁻¹. Residuals there are random but {np.sqrt(means[loud]):.1f} times the uncertainties,"
        f" elsewhere {np.sqrt(np.median(means)):.1f} times."
    )


# --- Number of independent points.


def independent_share(curve: Curve, dintensity: Floats, fits: Sequence[ModelFit]) -> float:
    """Estimate the share of points that count, from the nearest fit's residuals."""
    # Neighbours of equal sign have frequency 1/2 + arcsin(ρ)/π at correlation ρ (W. F. Sheppard, Phil. Trans.
    # R. Soc. A 192 (1899) 101). A mean of n such points is known as from n (1 - ρ)/(1 + ρ) independent ones
    # (G. V. Bayley and J. M. Hammersley, J. R. Stat. Soc. Suppl. 8 (1946) 184). The share is 1 for estimated
    # uncertainties, or small or random residuals, and leaves at least two points.
    if not is_stated(curve) or not fits:
        return 1.0
    nearest = min(fits, key=lambda fit: fit.reduced_chisq)
    residual = (curve.intensity - nearest.theory) / dintensity
    random = standardise_runs(residual) >= -ASSESSMENT.significant
    if nearest.reduced_chisq >= 1 / ASSESSMENT.too_small or random:
        return 1.0
    sign = residual[residual != 0] > 0
    same_signs = float(np.mean(sign[1:] == sign[:-1]))
    correlation = np.sin(np.pi * (same_signs - 0.5))
    return float(max((1 - correlation) / (1 + correlation), 2 / len(curve)))


def as_independent(fit: ModelFit, share: float) -> ModelFit:
    """The fit with the errors that so many of its points give."""
    factor = 1 / np.sqrt(share)
    parameters = {
        name: p if p.error is None else replace(p, error=float(factor * p.error))
        for name, p in fit.parameters.items()
    }
    components = tuple(
        c if c.error is None else replace(c, error=float(factor * c.error)) for c in fit.components
    )
    return replace(fit, parameters=parameters, components=components)


def describe_share(points: int, share: float) -> str:
    return (
        "The stated uncertainties are larger than the noise, and neighbouring residuals are correlated."
        f" So the {points} points count as {significant(points * share, 2)} in the comparison of models and"
        " in the errors of parameters."
    )


# --- Distance of the fit from the points, whatever their uncertainties.

#: Standard deviation of a normal distribution over the median of its absolute values.
_NORMAL = 1.4826


def misfit_of(curve: Curve, dintensity: Floats, fit: ModelFit) -> Misfit | None:
    """Compare a fit's misfit with the scatter of neighbouring points; None for too few points."""
    # Only the ratio of scatter to uncertainty depends on the size of `dintensity`.
    residual = curve.intensity - fit.theory
    relative = dintensity / np.maximum(np.abs(fit.theory), 1e-300)
    # Points near the background say nothing of a share of I.
    clear = relative <= np.median(relative)
    if np.count_nonzero(clear) < PROBLEM.fewest_points or not np.all(np.isfinite(residual)):
        return None
    share = (residual / np.abs(fit.theory))[clear]
    return Misfit(
        relative=float(np.sqrt(np.mean(share**2))),
        scatter=_scatter(share),
        over_stated=_scatter(residual / dintensity),
    )


def follows_closer(result: FitResult) -> bool:
    """Whether the best fit is nearer to the points than the scatter in place of their uncertainties."""
    # Then that was no scatter: fringes or peaks that few points show.
    misfit = result.verification and result.verification.misfit
    return bool(result.curve.understated and misfit and misfit.over_stated < 1 / ASSESSMENT.too_small)


def _scatter(values: Floats) -> float:
    """Standard deviation of independent noise in a series, without what is smooth in it."""
    return float(_NORMAL * np.median(np.abs(np.diff(values))) / np.sqrt(2))
