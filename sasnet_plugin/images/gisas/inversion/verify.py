"""Whether a pattern looks like what the model found for it, with noise of counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from ....arrays import Floats
from .counts import Counts
from .linear import deviance, variance
from .settings import INVERSION


@dataclass(frozen=True)
class Verification:
    """A pattern against its simulation."""

    #: deviance, expected, sd: Poisson deviance, and its mean and standard deviation were the model right.
    deviance: float
    expected: float
    sd: float
    dof: int
    in_scope: float  #: 0..1.
    residual: Floats  #: (n,), signed roots of the pixels' deviances.
    #: By how much the simulated pattern is off beside the rod, relative; 0 where noise explains it.
    misfit: float
    sentence: str


def verify(
    counts: Counts,
    simulated: Floats,
    parameters: float,
    scattered: Floats | None = None,
    dispersed: float = 1.0,
) -> Verification:
    """Compare the simulated pattern (n,) with the counts."""
    # Each of `parameters` takes one off the deviance; `scattered` are expected counts without background;
    # `dispersed` has widened the band already.
    deviances = deviance(counts.y, simulated)
    whole, sd = chance(simulated)
    dof = int(round(counts.y.size - parameters))
    expected = whole * dof / counts.y.size
    total = float(deviances.sum())
    z = (total - expected) / sd
    misfit = _misfit(counts, simulated)
    in_scope = 1.0 if z < INVERSION.significant else 1 / (1 + (misfit / INVERSION.half_believed) ** 2)
    off_rod = counts.rotation_mask
    share = (
        1.0 if scattered is None else float(scattered[off_rod].sum() / max(simulated[off_rod].sum(), 1e-9))
    )
    in_scope *= min(1.0, share / INVERSION.least_share)
    return Verification(
        total,
        expected,
        sd,
        dof,
        in_scope,
        np.sign(counts.y - simulated) * np.sqrt(deviances),
        0.0 if z < INVERSION.significant else misfit,
        _describe_verification(total, expected, z, misfit, in_scope, share, dispersed),
    )


def chance(simulated: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the deviance of all pixels, were the expected counts right."""
    mean, var = moments(simulated)
    # What the tolerance takes off a pixel's deviance.
    weight = np.maximum(simulated, 1e-3) / variance(simulated)
    return float((mean * weight).sum()), float(np.sqrt((var * weight**2).sum()))


def excess(counts: Counts, simulated: Floats) -> float:
    """Return the deviance of all pixels above its mean, in standard deviations."""
    expected, sd = chance(simulated)
    return (float(deviance(counts.y, simulated).sum()) - expected) / sd


def dispersion(counts: Counts, simulated: Floats) -> float:
    """Return the scatter of counts about their simulation over that of noise, off the rod."""
    # One where chance explains the deviance. Beyond, the likelihood divided by it (R. W. M. Wedderburn,
    # Biometrika 61 (1974) 439) says how well the angles are known from a model that is nearly right.
    if excess(counts, simulated) < INVERSION.significant:
        return 1.0
    off_rod = counts.rotation_mask
    return max(1.0, float(deviance(counts.y, simulated)[off_rod].sum()) / chance(simulated[off_rod])[0])


def _describe_verification(
    total: float, expected: float, z: float, misfit: float, in_scope: float, share: float, dispersed: float
) -> str:
    if share < INVERSION.least_share:
        return (
            "The background alone fits the image, and no ordered particles are visible. It is outside"
            " the training data of this model, so p(ξ) is meaningless."
        )
    text = f"The deviance is {total:.0f}, {expected:.0f} expected"
    if z < INVERSION.significant:
        return f"{text}: the simulated pattern fits the image."
    if in_scope > 0.5:
        band = (
            f"its band allows for {dispersed:.3g} times the variance of counts"
            if dispersed > 1
            else "its band too narrow"
        )
        return (
            f"{text}: the simulated pattern differs by {100 * misfit:.0f} % outside the specular rod,"
            f" more than the noise. The orientation is probably right, {band}."
        )
    return (
        f"{text}: no orientation of the lattice fits the image (misfit {100 * misfit:.0f} % outside the"
        " specular rod). The image is outside the training data of this model, so p(ξ) is meaningless."
    )


def _misfit(counts: Counts, simulated: Floats) -> float:
    """Root mean square of what noise does not explain beside the rod, over that of the pattern there."""
    off_rod = counts.rotation_mask
    mu, y = simulated[off_rod], counts.y[off_rod]
    # Σ(y − μ)² less the noise, over Σμ², pixels weighted as noise weighs them.
    excess = float(np.sum(((y - mu) ** 2 - mu) / np.maximum(mu, 1.0)))
    return float(np.sqrt(max(excess, 0.0) / max(float(np.sum(mu**2 / np.maximum(mu, 1.0))), 1e-9)))


def moments(expected: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of a pixel's Poisson deviance under right expected counts: summed below 100 counts,
    above 1 + 1/(6μ) and 2 + 4/(3μ), the expansion in 1/μ.
    """
    grid, mean, var = _table()
    mu = np.maximum(expected, grid[0])
    large = mu > grid[-1]
    log_mu = np.log(np.minimum(mu, grid[-1]))
    first = np.where(large, 1 + 1 / (6 * mu), np.interp(log_mu, np.log(grid), mean))
    second = np.where(large, 2 + 4 / (3 * mu), np.interp(log_mu, np.log(grid), var))
    return np.asarray(first), np.asarray(second)


@lru_cache(maxsize=1)
def _table() -> tuple[Floats, Floats, Floats]:
    grid = np.geomspace(1e-3, 100.0, 200)
    y = np.arange(0, 260.0)
    log_p = y * np.log(grid[:, None]) - grid[:, None] - gammaln(y + 1)
    p = np.exp(log_p)
    ratio = np.where(y > 0, y, 1.0) / grid[:, None]
    deviances = 2 * (np.where(y > 0, y * np.log(ratio), 0.0) - (y - grid[:, None]))
    mean = (p * deviances).sum(axis=1)
    return grid, mean, (p * deviances**2).sum(axis=1) - mean**2
