"""Panels of one detector as one image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ....types import Image
from .geometry import SmallAngle

if TYPE_CHECKING:
    from numpy.typing import NDArray


def joined(images: Sequence[Image], notes: tuple[str, ...]) -> Image:
    """Panels of one detector as one image, its pixels in a row."""

    def one(get: Callable[[Image], NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([get(image).ravel() for image in images])[None]

    first: SmallAngle = images[0].geometry
    given = {
        name: one(lambda image, name=name: getattr(image.geometry, name))  # type: ignore[misc]
        for name in ("qx", "qy", "weight", "along", "across", "error")
        if all(getattr(image.geometry, name) is not None for image in images)
    }
    said = dict.fromkeys(note for image in images for note in image.notes)
    return replace(
        images[0],
        counts=one(lambda image: image.counts),
        mask=one(lambda image: image.mask),
        geometry=SmallAngle(**given, setting=first.setting, picture=first.picture),
        notes=(*notes, *said),
    )
