"""What a network for images sees of one: its window, and whether it was trained with such a geometry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from sasnet_plugin.data.images import to_window
from sasnet_plugin.data.images.features import CHANNELS, features, mirrored
from sasnet_plugin.types import DataError, Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sasnet_plugin.predict.runtime import Runtime

D = TypeVar("D")
S = TypeVar("S", bound="Seeing")

#: Images whose features are held at once, 6 MiB.
CHUNK = 64

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


def decoded(
    images: Sequence[Image],
    manifest: S,
    runtime: Runtime,
    decode: Callable[[Any, Any, NDArray[np.floating], S], D],
) -> Iterator[tuple[Image, Image, D, int]]:
    """What a network says of images and of their mirror images, a few at a time.

    Parameters
    ----------
    images : sequence of Image
    manifest : Seeing
    runtime : Runtime
    decode : callable
        (outputs, outputs of the mirror images, levels, manifest) to calibrated answers.

    Yields
    ------
    image, window : Image
        As given, and as the network sees it.
    answers, row
        Calibrated answers, and which of them is the image's.

    Raises
    ------
    DataError
        See `on_window`.
    """
    for start in range(0, len(images), CHUNK):
        some = images[start : start + CHUNK]
        windows = [on_window(image, manifest) for image in some]
        values = features(windows)
        levels = values[:, 0, 0, CHANNELS.index("level")]
        answers = decode(runtime.run(values), runtime.run(mirrored(values)), levels, manifest)
        for row, (image, window) in enumerate(zip(some, windows, strict=True)):
            yield image, window, answers, row


def of_level(
    classes: Sequence[tuple[float, Sequence[float]]], levels: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Numbers of the class that each level is in, (n, numbers); beyond the last end the last one's.

    Parameters
    ----------
    classes : sequence of (float, sequence of float)
        Largest level of each, ascending, and its numbers.
    levels : (n,) array
        The channel "level" of patterns.
    """
    ends = np.array([end for end, _ in classes])
    which = np.minimum(np.searchsorted(ends, levels), len(ends) - 1)
    return np.array([numbers for _, numbers in classes])[which]


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
        f"{name} = {getattr(image.geometry, name):g} {_UNITS[name]} is outside what the network was trained"
        f" with, {low:g} to {high:g} {_UNITS[name]}."
        for name, (low, high) in manifest.stated.items()
        if not low <= getattr(image.geometry, name) <= high
    ]
