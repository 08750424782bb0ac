"""What is known of a pattern before anyone has looked at it."""

from __future__ import annotations

import numpy as np

from ...simulate.gisas.geometry import N_XI, XI
from ...types import Image, OrientationGuess
from .parameters import PARAMETERS


def prior_guess(image: Image) -> OrientationGuess:
    """A guess from the prior alone: every angle alike, every quantity anywhere in its range.

    Parameters
    ----------
    image : Image
        Only its name is taken.
    """
    flat = np.full(N_XI, 1 / N_XI)
    return OrientationGuess(
        xi=np.array(XI, dtype=np.float64),
        p=flat,
        p_low=np.zeros(N_XI),
        p_high=np.ones(N_XI),
        geometry={parameter.name: parameter.broad() for parameter in PARAMETERS},
        in_scope=1.0,
        file=image.file,
        notes=("No network was asked: the geometry is searched in the whole prior.",),
    )
