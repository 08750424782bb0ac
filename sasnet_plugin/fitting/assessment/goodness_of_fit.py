"""Whether a measurement looks like what its fitted model would give with noise of the stated size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from sasnet_plugin.fitting.assessment.bootstrap_check import Twins
from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.types import Curve

#: A measurement whose χ² lies beyond this quantile of the simulated ones is not explained by the model alone.
EXTREME = 0.999
#: Beyond this reduced χ² no mis-stated uncertainty of the usual kind is an excuse.
HOPELESS = 30.0
#: Standardised runs below which residuals hang together.
STRUCTURED = -3.0
#: Reduced χ² of honest uncertainties lies between; noise in one part of the curve this much above the rest.
_TOO_LARGE, _TOO_SMALL, _LOUD = 0.5, 2.0, 4.0
#: Parts of a curve that are looked at, and points in each at least.
_PARTS, _PER_PART = 5, 10


@dataclass(frozen=True)
class Verification:
    """The measurement among simulated twins of its fit.

    Parameters
    ----------
    chisq_quantile : float
        Share of the twins with a smaller χ², 0..1.
    runs : float
        Standardised number of runs of residuals of one sign; below -3 they hang together.
    worst : (float, float)
        q range, Å⁻¹, of the tenth of the points with the largest mean squared residual.
    explained : bool
        The fit explains the curve: χ² among its twins, or too large by what uncertainties are mis-stated by,
        without structure in the residuals.
    sentences : tuple of str
        For people.
    noise : float
        Size of the residuals over the stated uncertainty, all over the curve: its root mean square.
    twins : Twins or None
        What the network says of simulated twins; None where it was not asked.
    """

    chisq_quantile: float
    runs: float
    worst: tuple[float, float]
    explained: bool
    sentences: tuple[str, ...]
    noise: float = 1.0
    twins: Twins | None = None

    @property
    def structured(self) -> bool:
        """Residuals of one sign hang together."""
        return self.runs < STRUCTURED

    def in_words(self) -> str:
        """One sentence: where χ² lies, and what the network says."""
        share = 100 * self.chisq_quantile
        place = "nearly all" if share > 99.5 else "hardly any" if share < 0.5 else f"{share:.0f} %"
        said = f"χ² is larger than that of {place} of its simulated twins"
        if self.twins is None or not self.twins.group:
            return f"{said}."
        twins = self.twins
        also = "and" if twins.measured_taken else "but not" if 2 * twins.taken > twins.count else "and not"
        return (
            f"{said}; the network takes {twins.taken} of {twins.count} of them, {also} the measurement, for"
            f" “{twins.group}”."
        )

    def as_dict(self) -> dict[str, Any]:
        """As ``sasnet fit --json`` prints it; q in Å⁻¹."""
        return {
            "chisq_quantile": self.chisq_quantile,
            "runs": self.runs,
            "worst_q": list(self.worst),
            "twins": self.twins.as_dict() if self.twins else None,
        }


def verify(curve: Curve, dintensity: NDArray[np.float64], fit: ModelFit) -> Verification:
    """Hold a fit against its measurement.

    With Gaussian noise of the stated size the χ² of twins follows the χ² distribution of n - k degrees of
    freedom exactly, so it is taken from there rather than from a few hundred draws.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    fit : ModelFit
    """
    residual = (curve.intensity - fit.theory) / dintensity
    degrees = max(len(curve) - len(fit.free), 1)
    above = float(gammaincc(degrees / 2, fit.chisq / 2))
    runs = standardised_runs(residual)
    worst = _worst(curve.q, residual)
    sentences = []
    structured = runs < STRUCTURED
    if not structured:
        sentences += _misstated(curve.q, residual, fit.reduced_chisq)
    elif fit.reduced_chisq < _TOO_LARGE:
        sentences.append(_too_large(fit.reduced_chisq))
    if structured:
        sentences.append(
            f"Residuals hang together (runs test {runs:.1f} σ), most between q = {worst[0]:.3g} and"
            f" {worst[1]:.3g} Å⁻¹: the model lacks something there."
        )
    explained = (1 - above <= EXTREME or not structured) and fit.reduced_chisq < HOPELESS
    noise = float(np.sqrt(max(fit.reduced_chisq, 1e-6)))
    return Verification(1 - above, runs, worst, explained, tuple(sentences), noise)


def _misstated(q: NDArray[np.float64], residual: NDArray[np.float64], reduced_chisq: float) -> list[str]:
    """Uncertainties that seem wrong all over the curve, or in one part of it."""
    if reduced_chisq < _TOO_LARGE:
        return [_too_large(reduced_chisq)]
    parts = np.array_split(np.arange(q.size), min(_PARTS, q.size // _PER_PART)) if q.size >= _PER_PART else []
    means = np.array([np.mean(residual[part] ** 2) for part in parts])
    # The mean square of n residuals scatters by √(2/n) of itself.
    loud = int(np.argmax(means)) if means.size > 1 else 0
    if means.size > 2 and means[loud] > _LOUD * max(float(np.median(means)), 1.0):
        ends = q[parts[loud][0]], q[parts[loud][-1]]
        return [
            f"Residuals between q = {ends[0]:.3g} and {ends[1]:.3g} Å⁻¹ are without structure but"
            f" {np.sqrt(means[loud]):.1f} times larger than stated, elsewhere"
            f" {np.sqrt(np.median(means)):.1f} times: the uncertainties seem too small there."
        ]
    if reduced_chisq > _TOO_SMALL:
        return [
            f"Residuals are without structure but {np.sqrt(reduced_chisq):.1f} times larger than stated:"
            " the uncertainties seem too small."
        ]
    return []


def _too_large(reduced_chisq: float) -> str:
    return (
        f"The reduced χ² is {reduced_chisq:.2g}: the uncertainties seem too large by a factor of"
        f" about {1 / np.sqrt(max(reduced_chisq, 1e-6)):.1f}."
    )


def standardised_runs(residual: NDArray[np.float64]) -> float:
    """(runs - expected)/standard deviation (Wald and Wolfowitz, Ann. Math. Stat. 11 (1940) 147)."""
    sign = residual[residual != 0] > 0
    n, up = sign.size, int(sign.sum())
    down = n - up
    if up == 0 or down == 0:
        return -float(np.sqrt(n))
    runs = 1 + int(np.sum(sign[1:] != sign[:-1]))
    mean = 1 + 2 * up * down / n
    variance = (mean - 1) * (mean - 2) / max(n - 1, 1)
    return float((runs - mean) / np.sqrt(variance)) if variance > 0 else 0.0


def _worst(q: NDArray[np.float64], residual: NDArray[np.float64]) -> tuple[float, float]:
    width = max(3, q.size // 10)
    if q.size <= width:
        return float(q[0]), float(q[-1])
    total = np.concatenate(([0.0], np.cumsum(residual**2)))
    first = int(np.argmax(total[width:] - total[:-width]))
    return float(q[first]), float(q[first + width - 1])
