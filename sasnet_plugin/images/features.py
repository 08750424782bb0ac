"""From a window of exit angles to what the network reads: the same for simulated and measured patterns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..types import Image

CHANNELS = ("log", "root", "measured", "asymmetry", "significance", "level", "wavelength", "alpha_i")
N_CHANNELS = len(CHANNELS)
#: The first channels are pictures, the others the same number in every pixel.
N_PICTURES = 5
#: Columns closer to the middle than this, degrees, hold the specular rod: most of the counts, and nothing of
#: the lattice.
ROD = 0.12
_FLOOR, _TALLEST = 0.01, 64.0


def features(images: Sequence[Image]) -> NDArray[np.float32]:
    """Compute the classifier's input (n, rows, columns, N_CHANNELS), float32, of images on its window
    (`to_window`), all of one shape and phi.
    """
    return features_of(
        np.stack([image.counts for image in images]),
        np.stack([image.mask for image in images]),
        images[0].geometry.phi,
        np.array([image.geometry.wavelength for image in images]),
        np.array([image.geometry.alpha_i for image in images]),
    )


def features_of(
    counts: NDArray[np.floating],
    mask: NDArray[np.bool_],
    phi: NDArray[np.float64],
    wavelength: NDArray[np.float64],
    alpha_i: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Compute the classifier's input (n, rows, columns, N_CHANNELS), 0 where masked; phi and alpha_i in
    degrees, phi symmetric about 0, wavelength in Å.
    """
    # Counts are divided by their mean next to the specular rod, and exposure is a channel of its own. The
    # logarithm shows weak pixels, the root (of uniform noise) strong ones. A rotation differs from its mirror
    # image by a few per cent between φ and −φ: that difference, over sum and noise, is a channel too.
    visible = np.where(mask, counts, 0.0).astype(np.float32)
    level = level_of(visible, mask, phi)
    relative = visible / level[:, None, None]
    channels = np.empty((*visible.shape, N_CHANNELS), dtype=np.float32)
    channels[..., 0] = np.log(relative + np.float32(_FLOOR)) / 3 * mask
    channels[..., 1] = np.sqrt(np.minimum(relative, _TALLEST)) / 2 * mask
    channels[..., 2] = mask
    mirrored = visible[:, :, ::-1]
    difference, sums = (visible - mirrored) * (mask & mask[:, :, ::-1]), visible + mirrored
    channels[..., 3] = difference / (sums + 1)
    channels[..., 4] = np.arcsinh(difference / np.sqrt(sums + 1)) / 2
    for channel, values in (
        (5, np.log10(level) / 3),
        (6, (wavelength - 1.35) / 0.15),
        (7, (alpha_i - 0.175) / 0.03),
    ):
        channels[..., channel] = values[:, None, None]
    return channels


def level_of(
    visible: NDArray[np.float32], mask: NDArray[np.bool_], phi: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Mean counts of a pixel beside the specular rod, (n,); of all pixels where none beside it counts."""
    # Never below what one count in all would be.
    off_rod: NDArray[np.bool_] = mask & (np.abs(phi) > ROD)
    without_sides = ~off_rod.any(axis=(1, 2))
    off_rod[without_sides] = mask[without_sides]
    number = np.maximum(off_rod.sum(axis=(1, 2)), 1)
    total = np.sum(visible, axis=(1, 2), where=off_rod, dtype=np.float64)
    return np.asarray(np.maximum(total, 1.0) / number, dtype=np.float32)


def mirror_features(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The features of the pattern seen in a mirror, φ → −φ."""
    # The asymmetry between φ and −φ is odd in φ: turned round, it has changed its sign.
    return np.ascontiguousarray(values[:, :, ::-1])


def inputs(images: Sequence[Image]) -> dict[str, NDArray[np.float32]]:
    """`features`, and their ``level``, on which calibration depends: how much was measured, (n,)."""
    values = features(images)
    return {"features": values, "level": values[:, 0, 0, CHANNELS.index("level")]}


def mirror_inputs(found_inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """`inputs` of the pattern seen in a mirror, φ → −φ."""
    return {**found_inputs, "features": mirror_features(found_inputs["features"])}
