"""From a window of exit angles to what the network reads: the same for simulated and measured patterns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...types import Image

CHANNELS = ("log", "root", "measured", "asymmetry", "significance", "level", "wavelength", "alpha_i")
N_CHANNELS = len(CHANNELS)
#: The first channels are pictures, the others the same number in every pixel.
N_PICTURES = 5
#: Columns closer to the middle than this, degrees, hold the specular rod: most of the counts, and nothing of
#: the lattice.
ROD = 0.12
_FLOOR, _TALLEST = 0.01, 64.0


def features(images: Sequence[Image]) -> NDArray[np.float32]:
    """What the network reads of images that lie in its window already (`to_window`).

    Parameters
    ----------
    images : sequence of Image
        All of one shape and one phi.

    Returns
    -------
    (n, rows, columns, N_CHANNELS) float32 array
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
    """What the network reads of patterns.

    Counts are divided by their mean beside the specular rod, so that a pattern looks the same however long it
    was measured; how long that was is a channel of its own. A logarithm shows weak pixels, a root (whose
    noise is the same everywhere) the strong ones. A rotation of the lattice and its mirror image differ by a
    few per cent between φ and −φ alone: that difference, over the sum and over its noise, is shown as well.

    Parameters
    ----------
    counts : (n, rows, columns) float array
    mask : (n, rows, columns) bool array
        True where the pixel counts.
    phi : (columns,) float array
        Degrees, symmetric about 0.
    wavelength, alpha_i : (n,) float arrays
        Å, degrees.

    Returns
    -------
    (n, rows, columns, N_CHANNELS) float32 array
        Pictures are 0 where masked.
    """
    seen = np.where(mask, counts, 0.0).astype(np.float32)
    level = level_of(seen, mask, phi)
    relative = seen / level[:, None, None]
    found = np.empty((*seen.shape, N_CHANNELS), dtype=np.float32)
    found[..., 0] = np.log(relative + np.float32(_FLOOR)) / 3 * mask
    found[..., 1] = np.sqrt(np.minimum(relative, _TALLEST)) / 2 * mask
    found[..., 2] = mask
    other = seen[:, :, ::-1]
    difference, both = (seen - other) * (mask & mask[:, :, ::-1]), seen + other
    found[..., 3] = difference / (both + 1)
    found[..., 4] = np.arcsinh(difference / np.sqrt(both + 1)) / 2
    for channel, values in (
        (5, np.log10(level) / 3),
        (6, (wavelength - 1.35) / 0.15),
        (7, (alpha_i - 0.175) / 0.03),
    ):
        found[..., channel] = values[:, None, None]
    return found


def level_of(
    seen: NDArray[np.float32], mask: NDArray[np.bool_], phi: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Mean counts of a pixel beside the specular rod, (n,); of all pixels where none beside it counts.

    Never below what one count in all would be.
    """
    beside: NDArray[np.bool_] = mask & (np.abs(phi) > ROD)
    alone = ~beside.any(axis=(1, 2))
    beside[alone] = mask[alone]
    number = np.maximum(beside.sum(axis=(1, 2)), 1)
    total = np.sum(seen, axis=(1, 2), where=beside, dtype=np.float64)
    return np.asarray(np.maximum(total, 1.0) / number, dtype=np.float32)


def mirrored(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The features of the pattern seen in a mirror, φ → −φ."""
    # The asymmetry between φ and −φ is odd in φ: turned round, it has changed its sign.
    return np.ascontiguousarray(values[:, :, ::-1])


def inputs(images: Sequence[Image]) -> dict[str, NDArray[np.float32]]:
    """`features`, and their ``level``, on which calibration depends: how much was measured, (n,)."""
    values = features(images)
    return {"features": values, "level": values[:, 0, 0, CHANNELS.index("level")]}


def mirrored_inputs(found: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """`inputs` of the pattern seen in a mirror, φ → −φ."""
    return {**found, "features": mirrored(found["features"])}
