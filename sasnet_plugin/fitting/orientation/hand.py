"""ξ or 60° − ξ? Only the Ewald sphere's curvature tells the hands apart, and often it does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...simulate.gisas.distances import circular_w1, mirrored

FloatArray = NDArray[np.float64]
#: Share of the crowd on the other side from which on the hand is not known.
_DOUBT = 0.03
#: Distributions so near to their mirror image, degrees, have no hand.
_ALIKE = 2.0


@dataclass(frozen=True)
class Hand:
    """The two mirror solutions.

    Parameters
    ----------
    one, other : (120,) float arrays
        Means of the members of either hand; `other` is the mirror image of `one` where none has it.
    share : float
        Of the members, that have the hand of `one`.
    known : bool
        The data can choose, or need not.
    sentence : str
        For people.
    """

    one: FloatArray
    other: FloatArray
    share: float
    known: bool
    sentence: str


def hand(crowd: FloatArray) -> Hand:
    """Sort the members of a crowd by hand.

    Parameters
    ----------
    crowd : (n, 120) float array
        Equally likely distributions.
    """
    # The member that the others are nearest to stands for its hand.
    few = crowd[:: max(1, len(crowd) // 100)]
    middle = few[np.argmin(circular_w1(few[:, None], few[None]).mean(axis=1))]
    other = mirrored(middle)
    apart = float(circular_w1(middle, other))
    if apart < _ALIKE:
        return Hand(
            crowd.mean(axis=0),
            mirrored(crowd.mean(axis=0)),
            1.0,
            True,
            "The distribution is its own mirror image as far as the data tell.",
        )
    there = circular_w1(crowd, other) < circular_w1(crowd, middle)
    share = 1 - float(there.mean())
    one = crowd[~there].mean(axis=0)
    if share > 1 - _DOUBT:
        sentence = f"The data choose between ξ and 60° − ξ ({100 * share:.0f} % for the hand given)."
        return Hand(one, mirrored(one), share, True, sentence)
    sentence = (
        f"ξ and 60° − ξ cannot be told apart everywhere ({100 * share:.0f} % against"
        f" {100 * (1 - share):.0f} %): p is the mean of both, the mirror solution is given as well."
    )
    return Hand(one, crowd[there].mean(axis=0), share, False, sentence)
