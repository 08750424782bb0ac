"""Whether an image is alike all around, and along which direction it is not: from its second harmonics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .polar import Polar, harmonics

#: Below this chance of an image that is alike all around, and above this amplitude of the second harmonic, it
#: has a direction. What efficiencies and a wrong centre make of an image without one stays below.
CHANCE, AMPLITUDE = 1e-3, 0.03


@dataclass(frozen=True)
class Anisotropy:
    """What the second harmonics say.

    Parameters
    ----------
    chance : float
        Of harmonics as large as these in an image that is alike all around.
    amplitude : float
        Root mean square of the second harmonic over the mean, noise taken off, each ring by its certainty.
    axis, axis_error : float
        Direction, degrees from qx, of the most or of the least scattering: it is known up to a quarter turn;
        and one standard deviation.
    """

    chance: float
    amplitude: float
    axis: float
    axis_error: float

    @property
    def directed(self) -> bool:
        """Whether the image has a direction."""
        return self.chance < CHANCE and self.amplitude > AMPLITUDE


def anisotropy(images: Sequence[Polar]) -> Anisotropy:
    """Look for a direction in images of one sample.

    Parameters
    ----------
    images : sequence of Polar

    Notes
    -----
    In ring q the second harmonic is z = c + is with variance σ² each; Σ |z|²/σ² is χ² of two degrees of
    freedom a ring. z points along the director or across it, as the ring has it: z² points one way in all
    rings, at four times the angle.
    """
    from scipy.special import chdtrc

    z, variance = [], []
    for image in images:
        relative, error = harmonics(image)
        seen = np.isfinite(error[:, 0]) & np.isfinite(error[:, 1]) & (image.counts.sum(axis=1) >= 20)
        z.append(relative[seen, 0] + 1j * relative[seen, 1])
        variance.append(0.5 * (error[seen, 0] ** 2 + error[seen, 1] ** 2))
    amplitude, spread = np.concatenate(z), np.concatenate(variance)
    if not amplitude.size:
        return Anisotropy(1.0, 0.0, 0.0, 90.0)
    power = np.abs(amplitude) ** 2 / spread
    chance = float(chdtrc(2 * power.size, power.sum()))
    # Rings whose harmonic is surely zero count, too: of equal weight beyond an error of 5 %.
    weight = 1 / (spread + 0.05**2)
    square = float(np.sum(weight * (np.abs(amplitude) ** 2 - 2 * spread)) / weight.sum())
    turned = complex(np.sum(amplitude**2 / spread))
    axis = float(np.degrees(np.angle(turned)) / 4) % 90
    axis_error = float(np.degrees(0.5 / np.sqrt(max(float(power.sum()) - 2 * power.size, 1.0))))
    return Anisotropy(chance, float(np.sqrt(max(square, 0.0))), axis, min(axis_error, 45.0))
