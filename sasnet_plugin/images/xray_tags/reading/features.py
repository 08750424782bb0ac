"""What the network reads of an X-ray scattering image: rings about the beam, a map over ring and azimuth, the
image itself, and where the beam is.

A sample's turn about the beam moves the map around, which its convolutions do not mind, and leaves what is
said of the rings as it is. The image shows what does not lie about the beam: stops, gaps, a beam that was
taken for elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ....types import Image
from ...diffraction.reading.frame import Window
from .blocks import bin_counts, sum_blocks
from .rings import Pixels, map_of, profile_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats

#: Pixels of the longer side that are worked with at most; finer images are summed to it, counts and all.
WORK = 136
#: Pixels of a side of the image that is read, two of the others each.
PICTURE = WORK // 2
PICTURE_CHANNELS, FACTS = 3, 9


def window(shape: tuple[int, int], centre: tuple[float, float]) -> Window:
    """The circle about the beam that reaches to the farthest corner of the image."""
    rows, columns = shape
    x = max(abs(centre[0] + 0.5), abs(columns - 0.5 - centre[0]))
    y = max(abs(centre[1] + 0.5), abs(rows - 0.5 - centre[1]))
    return Window(shape, centre, float(np.hypot(x, y)))


def inputs(images: Sequence[Image]) -> dict[str, NDArray[np.float32]]:
    """Compute the classifier's input: ``profile`` (n, RINGS, CHANNELS), ``map`` (n, MAP_RINGS, SECTORS,
    MAP_CHANNELS), ``picture`` (n, PICTURE, PICTURE, PICTURE_CHANNELS), ``beam`` (n, FACTS), ``level`` (n,),
    log10 of the mean counts.
    """
    image_inputs = [_compute_inputs(image) for image in images]
    return {name: np.stack([arrays[name] for arrays in image_inputs]) for name in image_inputs[0]}


def mirror_inputs(inputs_given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What would be read of images seen from behind: the same tags."""
    return {
        **inputs_given,
        "map": inputs_given["map"][:, :, ::-1],
        "picture": inputs_given["picture"][:, :, ::-1],
    }


def turn_inputs(inputs_given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What would be read of images upside down: the same tags."""
    half = inputs_given["map"].shape[2] // 2
    turned = np.roll(inputs_given["map"], half, axis=2)
    return {**inputs_given, "map": turned, "picture": inputs_given["picture"][:, ::-1, ::-1]}


def _compute_inputs(image: Image) -> dict[str, NDArray[np.float32]]:
    counts, area, block = bin_counts(image.counts, image.mask, WORK)
    column, row = ((coordinate + 0.5) / block - 0.5 for coordinate in image.geometry.centre)
    # In blocks: a block of which half was measured counts as half.
    pixels = Pixels(counts, area / block**2, column, row, image.geometry.edge / block)
    inputs_made = {
        "profile": profile_of(pixels),
        "map": map_of(pixels),
        "picture": _picture(pixels),
        "beam": _beam(pixels),
        "level": np.asarray(np.log10(1 + pixels.mean)),
    }
    return {name: values.astype(np.float32) for name, values in inputs_made.items()}


def _picture(pixels: Pixels) -> Floats:
    """Return for each pixel log10 of rate over the image's, what was measured, and log10 of distance."""
    counts, area, radius = (sum_blocks(v, 2) for v in (pixels.counts, pixels.area, pixels.radius))
    channels = np.stack([pixels.rate(counts, area), area / 4, np.log10(1 + radius / 4)], axis=2)
    picture = np.zeros((PICTURE, PICTURE, PICTURE_CHANNELS))
    top, left_edge = ((PICTURE - n) // 2 for n in counts.shape)
    picture[top : top + counts.shape[0], left_edge : left_edge + counts.shape[1]] = channels
    return picture


def _beam(pixels: Pixels) -> Floats:
    """Decades of counts in the mean, and of the brightest cell of the second brightest ring; where the beam
    is; the shape; the rate around the beam.
    """
    shape = pixels.counts.shape
    aside = np.sort(
        [
            abs(coordinate - (n - 1) / 2) / (n / 2)
            for coordinate, n in zip((pixels.row, pixels.column), shape, strict=True)
        ]
    )
    radius = pixels.radius
    inner = [radius < reach * max(shape) for reach in (0.015, 0.04)]
    rates = [
        float(pixels.rate(np.asarray(pixels.counts[near].sum()), np.asarray(pixels.area[near].sum())))
        for near in inner
    ]
    bright = np.sort(pixels.cells[0].max(axis=1))[-2]
    return np.array(
        [
            np.log10(pixels.mean + 0.01),
            np.log10(1 + bright),
            *np.minimum(aside, 3.0),
            float(aside[1] > 1),
            pixels.edge / max(shape),
            min(shape) / max(shape),
            *rates,
        ]
    )
