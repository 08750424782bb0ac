"""Whether an image is alike all around, and along which direction it is not: from its second harmonics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .polar import N_SECTORS, Polar, harmonics

#: Below this chance of an image that is alike all around, and above this amplitude of the second harmonic, it
#: has a direction. What detectors' sensitivities and a wrong centre make of an image without one stays below;
#: the average around the beam of one that is weaker than this is its curve all the same.
CHANCE, AMPLITUDE = 1e-3, 0.06
#: Above this difference of scattering at q and at −q an image is no transmission through a sample: simulated
#: shapes with all faults stay below 0.1 at 10⁶ counts (95 %) and sasdata's good files below 0.17.
ONE_SIDED = 0.4


@dataclass(frozen=True)
class Anisotropy:
    """What the second harmonics say."""

    chance: float  #: Of harmonics as large as these in an image that is alike all around.
    #: Median over the rings of the second harmonic over the mean, noise taken off, each ring by its
    #: certainty: a few rings in the corners of a detector do not decide.
    amplitude: float
    #: axis, axis_error: direction, degrees from qx, of the most or of the least scattering: it is known up to
    #: a quarter turn; and one standard deviation.
    axis: float
    axis_error: float

    @property
    def has_direction(self) -> bool:
        return self.chance < CHANCE and self.amplitude > AMPLITUDE


def anisotropy(images: Sequence[Polar]) -> Anisotropy:
    """Look for a direction in images of one sample."""
    # In ring q the second harmonic is z = c + is with variance σ² each; Σ |z|²/σ² is χ² of two degrees of
    # freedom per ring. z points along or across the director, so z² has four times the angle in all rings.
    from scipy.special import chdtrc

    z, variance = [], []
    for image in images:
        relative, error = harmonics(image)
        has_values = np.isfinite(error[:, 0]) & np.isfinite(error[:, 1]) & (image.counts.sum(axis=1) >= 20)
        z.append(relative[has_values, 0] + 1j * relative[has_values, 1])
        variance.append(0.5 * (error[has_values, 0] ** 2 + error[has_values, 1] ** 2))
    amplitude, spread = np.concatenate(z), np.concatenate(variance)
    if not amplitude.size:
        return Anisotropy(1.0, 0.0, 0.0, 90.0)
    power = np.abs(amplitude) ** 2 / spread
    chance = float(chdtrc(2 * power.size, power.sum()))
    # Rings whose harmonic is surely zero count, too: of equal weight beyond an error of 5 %.
    weight = 1 / (spread + 0.05**2)
    size = np.sqrt(np.maximum(np.abs(amplitude) ** 2 - 2 * spread, 0.0))
    order = np.argsort(size)
    middle = int(np.searchsorted(np.cumsum(weight[order]), 0.5 * weight.sum()))
    turned = complex(np.sum(amplitude**2 / spread))
    axis = float(np.degrees(np.angle(turned)) / 4) % 90
    axis_error = float(np.degrees(0.5 / np.sqrt(max(float(power.sum()) - 2 * power.size, 1.0))))
    return Anisotropy(chance, float(size[order][middle]), axis, min(axis_error, 45.0))


def one_sided(image: Polar) -> float:
    """How much scattering at q and at −q differ, root mean square over their mean, counting taken off."""
    # A sample that the beam goes through scatters alike to both sides at small angles, whatever it is
    # (Friedel's law); one under grazing incidence does not, nor does an image with a wrong centre. Only a
    # lattice in Bragg's condition on one side differs, too.
    half = N_SECTORS // 2
    half_counts, opposite_counts = image.counts[:, :half], image.counts[:, half:]
    sees, sees_other = image.exposure[:, :half], image.exposure[:, half:]
    has_both = (sees > 0) & (sees_other > 0) & (half_counts + opposite_counts > 0)
    if not has_both.any():
        return 0.0
    total, share = (half_counts + opposite_counts)[has_both], sees[has_both] / (sees + sees_other)[has_both]
    off = (half_counts[has_both] - total * share) ** 2 - total * share * (1 - share)
    # Each pair weighs as many counts as it has, so that its relative difference counts.
    most = (2 * total * share * (1 - share)) ** 2
    return float(np.sqrt(max(float(np.sum(off / total)), 0.0) / float(np.sum(most / total))))
