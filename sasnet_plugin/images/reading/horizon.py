"""Whether a pattern begins below the horizon that the stated angle of incidence gives the sample."""

from __future__ import annotations

import numpy as np

from ...digits import significant
from ...types import Image

#: Resolution may bring light so far below α_f = 0, degrees; scattering is first seen so far above it, as it
#: rises with the wave that gets into the sample: median of patterns by other code.
BELOW, RISES = -0.015, 0.01
#: Rows that are looked at, degrees on each side, and those that are surely dark.
_REACH, _DARK = 0.3, -0.06
#: Dark rows that are needed, standard deviations by which a row is lit, and least share of the brightest.
_ROWS, _LIT, _SHARE = 5, 6.0, 0.01
#: Rows that are lit together where the pattern begins.
_TOGETHER = 3


def begins_at(image: Image) -> float | None:
    """Return α_f of the first lit row, degrees; None if too little below the horizon was measured."""
    # Row angles ascend.
    alpha = np.asarray(image.geometry.alpha_f, dtype=float)
    near = np.abs(alpha) < _REACH
    pixels = image.mask[near].sum(axis=1).astype(float)
    total = np.where(image.mask, image.counts, 0.0)[near].sum(axis=1)
    alpha = alpha[near]
    seen = pixels > 0.3 * max(float(pixels.max(initial=0.0)), 1.0)
    dark = seen & (alpha < _DARK)
    if dark.sum() < _ROWS:
        return None
    rate = np.where(seen, total / np.maximum(pixels, 1.0), 0.0)
    # Its lower part, should the true horizon lie among what is called dark.
    ground = float(np.quantile(rate[dark], 0.3))
    noise = np.sqrt(np.maximum(ground, 1.0 / pixels.max()) / np.maximum(pixels, 1.0))
    lit = seen & (rate - ground > np.maximum(_LIT * noise, _SHARE * (rate.max() - ground)))
    together = np.convolve(lit | ~seen, np.ones(_TOGETHER), "valid") == _TOGETHER
    first = np.flatnonzero(together & lit[: together.size])
    return float(alpha[first[0]]) if first.size else None


def misfit(image: Image) -> str:
    """What is to be said of an incidence that the horizon contradicts; empty where it does not."""
    # A pattern that begins above the horizon says nothing: a beamstop may hide it.
    at = begins_at(image)
    if at is None or at > BELOW:
        return ""
    stated = float(image.geometry.alpha_i)
    return (
        f"The pattern begins at alpha_f = {at:.3f} degrees, below the sample's horizon: alpha_i ="
        f" {significant(stated, 3)} degrees or the direct beam is wrong; about"
        f" {significant(stated + at - RISES, 2)} degrees would fit. Correct it in the file's TOML or with"
        " --geometry alpha_i=DEGREES."
    )
