"""Whether a curve's uncertainties fit the scatter of its points, before what is said rests on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..noise import estimate_dintensity

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScatterSettings:
    """When uncertainties do not fit the points.

    Parameters
    ----------
    above : float
        Uncertainties over scatter from which they are too large. Points that a program has interpolated or
        smoothed scatter two or three times less than counting gives, and are not meant.
    below : float
        Scatter over uncertainties from which these are too small.
    changes : float
        Part of neighbouring fourth differences of unlike sign above which noise and no curvature makes them:
        0.8 for noise, next to none for a smooth curve.
    faint : float
        Standard deviations that the twentieth part of the points exceeds at least, in a curve that shows
        more than noise.
    points : int
        Fewer do not show their scatter.
    """

    above: float = 5.0
    below: float = 3.0
    changes: float = 0.65
    faint: float = 2.0
    points: int = 15


SETTINGS = ScatterSettings()
# Fourth differences take out any local cubic. The median of |x| of a unit normal is 0.6745.
_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
_MEDIAN = 0.6745


@dataclass(frozen=True)
class Judged:
    """What is to be thought of uncertainties.

    Parameters
    ----------
    note : str
        A sentence without its full stop about them; empty where they fit the points.
    sigma : (n,) float array
        What a claim about the curve may rest on.
    against : str
        What that is, to follow "within".
    hopeless : bool
        They are so large that nothing can be told.
    """

    note: str
    sigma: Array
    against: str
    hopeless: bool = False


def judged(intensity: Array, sigma: Array | None) -> Judged:
    """Compare uncertainties with the scatter of the points and with the intensity.

    Parameters
    ----------
    intensity : (n,) float array
        By ascending q.
    sigma : (n,) float array or None
        None where the file has none; zeros are left to the caller.
    """
    scatter = estimate_dintensity(intensity)
    if sigma is None:
        return Judged("", scatter, "the scatter of its points, which its uncertainties were estimated from")
    share = _scatter_share(intensity, sigma)
    if share is not None and share < 1 / SETTINGS.above:
        times = "more than a hundred" if share < 0.01 else f"about {1 / share:.2g}"
        note = (
            f"The uncertainties are {times} times the scatter of the points; with them, wrong models"
            " would explain the curve as well"
        )
        return Judged(note, np.minimum(sigma, scatter), "the scatter of its points")
    if np.quantile(intensity / sigma, 0.95) < SETTINGS.faint:
        note = "The uncertainties are as large as the intensities or larger"
        return Judged(note, sigma, "its uncertainties", hopeless=True)
    if share is not None and share > SETTINGS.below:
        note = (
            f"The points scatter about {share:.2g} times as much as their uncertainties say; χ² will be"
            " large for the right model too"
        )
        return Judged(note, sigma, "its uncertainties")
    return Judged("", sigma, "its uncertainties")


def _scatter_share(intensity: Array, sigma: Array) -> float | None:
    """Scatter of the points over their uncertainties; None where curvature or few points hide it."""
    if intensity.size < SETTINGS.points:
        return None
    differences = np.convolve(intensity, _FOURTH, "valid")
    expected = np.sqrt(np.convolve(sigma**2, _FOURTH**2, "valid"))
    share = float(np.median(np.abs(differences) / expected) / _MEDIAN)
    changes = float(np.mean(differences[1:] * differences[:-1] < 0))
    return None if share > 1 and changes < SETTINGS.changes else share
