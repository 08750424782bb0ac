"""ξ or 60° − ξ? Only the Ewald sphere's curvature distinguishes a pattern from its mirror image.

Often it does not suffice; then both solutions are given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...predict.arithmetic import circular_w1, mirrored
from ...simulate.gisas.geometry import PERIOD
from .settings import INVERSION

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class MirrorAmbiguity:
    """The two mirror solutions.

    Parameters
    ----------
    one, other : (120,) float arrays
        Means of the samples nearer to either; `other` is the mirror image of `one` where no sample is.
    share : float
        Of the samples, that belong to `one`.
    resolved : bool
        The data can choose, or need not.
    sentence : str
        For people.
    """

    one: FloatArray
    other: FloatArray
    share: float
    resolved: bool
    sentence: str


def mirror_ambiguity(p: FloatArray) -> MirrorAmbiguity:
    """Sort samples by which of two mirror images they belong to.

    Parameters
    ----------
    p : (n, 120) float array
        Equally likely distributions.
    """
    # The sample that the others are nearest to stands for its side.
    few = p[:: max(1, len(p) // 100)]
    middle = few[np.argmin(circular_w1(few[:, None], few[None], PERIOD).mean(axis=1))]
    other = mirrored(middle)
    if float(circular_w1(middle, other, PERIOD)) < INVERSION.own_mirror:
        mean = p.mean(axis=0)
        sentence = "The distribution is its own mirror image as far as the data tell."
        return MirrorAmbiguity(mean, mirrored(mean), 1.0, True, sentence)
    there = circular_w1(p, other, PERIOD) < circular_w1(p, middle, PERIOD)
    share = 1 - float(there.mean())
    one = p[~there].mean(axis=0)
    if share > 1 - INVERSION.mirrored_share:
        sentence = f"The data choose between ξ and 60° − ξ ({100 * share:.0f} % for the solution given)."
        return MirrorAmbiguity(one, mirrored(one), share, True, sentence)
    sentence = (
        f"ξ and 60° − ξ cannot be distinguished everywhere ({100 * share:.0f} % against"
        f" {100 * (1 - share):.0f} %): p is the mean of both, the mirror solution is given as well."
    )
    return MirrorAmbiguity(one, p[there].mean(axis=0), share, False, sentence)
