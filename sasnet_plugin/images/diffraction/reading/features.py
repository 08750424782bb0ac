"""What the network reads of a diffraction image: what does not turn with the particle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....types import Image
from .polar import RINGS, Rings, bin_images, rings

#: Harmonics whose amplitudes are read one by one; those up to the second number together; those read with
#: their sign, after the image was turned to its own axis.
HARMONICS, TOGETHER, SIGNED = 8, 24, 4
CHANNELS = 3 + HARMONICS + 1 + SIGNED
#: Counts within the window below which an image shows nothing that could be sorted.
LEAST_COUNTS = 50
#: Decades over which the rate is read.
_DECADES = 4.0
#: Largest amplitude that is read; a single bright cell has up to one.
_MOST = 1.5


def inputs(images: Sequence[Image]) -> dict[str, NDArray[np.float32]]:
    """Compute ``features`` (n, RINGS, CHANNELS) and ``level`` (n,), log10 of the counts."""
    return compute_ring_inputs(rings(bin_images(images)))


def compute_ring_inputs(found_rings: Rings) -> dict[str, NDArray[np.float32]]:
    """`inputs` of what was seen of the rings."""
    # Channels: rate over its mean in decades; counts; coverage; |I_1| to |I_8|; |I_9| to |I_24| together; and
    # the real parts of I_1 to I_4 in the frame of the image's own axis, the phase of I_2 over all rings.
    level = np.log10(1 + found_rings.counts.sum(axis=1))
    has_counts = (found_rings.rate > 0) & (found_rings.coverage > 0)
    decades = np.where(has_counts, np.log10(np.maximum(found_rings.rate, 1e-12)), np.nan)
    middle = np.array([np.nanmean(row) if np.isfinite(row).any() else 0.0 for row in decades])
    relative = np.clip(np.nan_to_num(decades - middle[:, None]), -_DECADES, _DECADES)
    amplitude = found_rings.amplitude
    squared = np.sign(amplitude) * amplitude**2
    rest = squared[..., HARMONICS + 1 : TOGETHER + 1].sum(axis=2)
    channels = [
        relative,
        np.log10(1 + found_rings.counts) / 3,
        found_rings.coverage,
        *np.moveaxis(np.clip(amplitude[..., 1 : HARMONICS + 1], -_MOST, _MOST), 2, 0),
        np.clip(np.sign(rest) * np.sqrt(np.abs(rest)), -_MOST, _MOST),
        *np.moveaxis(np.clip(upright(found_rings), -_MOST, _MOST), 2, 0),
    ]
    return {
        "features": np.stack(channels, axis=2).astype(np.float32),
        "level": level.astype(np.float32),
    }


def upright(found_rings: Rings) -> NDArray[np.float32]:
    """Real parts of I_1 to I_4 where the image is turned to its own axis, (n, RINGS, SIGNED)."""
    # Of the two ways round, the one that the odd harmonics are positive in.
    harmonics = found_rings.harmonics[..., 1 : SIGNED + 1]
    weight = np.sqrt(found_rings.counts)[..., None]
    axis = np.angle((weight * harmonics[..., 1:2]).sum(axis=1, keepdims=True)) / 2
    turned = (harmonics * np.exp(-1j * axis * np.arange(1, SIGNED + 1))).real
    odd = (weight * turned)[..., ::2].sum(axis=(1, 2), keepdims=True)
    sign = np.where(np.arange(1, SIGNED + 1) % 2 == 1, np.where(odd < 0, -1.0, 1.0), 1.0)
    return np.asarray(turned * sign, dtype=np.float32)


def amplitudes(found_rings: Rings) -> NDArray[np.float32]:
    """|I_1| to |I_8| of each ring over its mean, (n, any): alike whatever the turn."""
    amplitude = found_rings.amplitude[..., 1 : HARMONICS + 1].clip(-1, 1)
    return np.asarray(amplitude.reshape(len(amplitude), RINGS * HARMONICS))
