"""What a network for images sees of one: its window, and whether it was trained with such a geometry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from sasnet_plugin.data.images import to_window
from sasnet_plugin.types import DataError, Image

#: Less than this share of the window is too little to answer.
LEAST_SEEN = 0.1
_UNITS = {"wavelength": "Å", "alpha_i": "degrees"}


class Seeing(Protocol):
    """The part of a manifest that says what a network sees."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the window."""

    @property
    def phi(self) -> tuple[float, float]:
        """Its outer edges in the plane, degrees."""

    @property
    def alpha_f(self) -> tuple[float, float]:
        """Its outer edges above the horizon, degrees."""

    @property
    def stated(self) -> Mapping[str, tuple[float, float]]:
        """Least and largest wavelength (Å) and angle of incidence (degrees) of the training."""


def on_window(image: Image, manifest: Seeing) -> Image:
    """The image on the window that the network sees.

    Raises
    ------
    DataError
        Too little of it was measured, or it holds no counts.
    """
    seen = to_window(image, phi=manifest.phi, alpha_f=manifest.alpha_f, shape=manifest.shape)
    name = image.file or "the image"
    if np.mean(seen.mask) < LEAST_SEEN:
        raise DataError(
            f"{name}: only {100 * np.mean(seen.mask):.0f} % of the window that the network sees (phi"
            f" {manifest.phi[0]:g} to {manifest.phi[1]:g}, alpha_f {manifest.alpha_f[0]:g} to"
            f" {manifest.alpha_f[1]:g} degrees) was measured; check the geometry and the mask."
        )
    if not np.any(seen.counts[seen.mask] > 0):
        raise DataError(f"{name}: holds no counts in the window that the network sees; check the geometry.")
    return seen


def beyond_training(image: Image, manifest: Seeing) -> list[str]:
    """One sentence for each part of the geometry that the network was not trained with."""
    return [
        f"{name} = {getattr(image, name):g} {_UNITS[name]} is outside what the network was trained with,"
        f" {low:g} to {high:g} {_UNITS[name]}."
        for name, (low, high) in manifest.stated.items()
        if not low <= getattr(image, name) <= high
    ]
