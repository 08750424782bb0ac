"""An opened network for growing films: images in, sizes, distances and thicknesses with their bands out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sasnet_plugin.predict.decode import sigmoid
from sasnet_plugin.predict.opened import no_choice, opened
from sasnet_plugin.predict.outcomes import one_by_one
from sasnet_plugin.predict.runtime import Runtime
from sasnet_plugin.predict.seen import beyond_training, decoded, of_level
from sasnet_plugin.simulate.growth.quantities import QUANTITIES
from sasnet_plugin.simulate.growth.reading import read, values_of
from sasnet_plugin.types import GrowthGuess, Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sasnet_plugin.zoo.growth_manifest import GrowthManifest

_UNITS = {quantity.name: quantity.unit for quantity in QUANTITIES}

OUT_OF_SCOPE = (
    "This pattern is outside what this model knows (metal clusters on a polymer film, in the trained window);"
    " nothing is said of its film."
)


class Outputs(NamedTuple):
    """What the network says of n patterns; see `train.growth.build_net`."""

    quantities: NDArray[np.float32]
    scope: NDArray[np.float32]


class Decoded(NamedTuple):
    """Calibrated answers for n patterns.

    Parameters
    ----------
    values, low, high : (n, quantities) arrays
        Most likely value and ends of the 90 % band, in the units of `simulate.growth.quantities`.
    in_scope : (n,) array
    """

    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    in_scope: NDArray[np.float64]


def decode(
    straight: Outputs, turned: Outputs, levels: NDArray[np.floating], manifest: GrowthManifest
) -> Decoded:
    """From outputs to calibrated answers.

    Parameters
    ----------
    straight, turned : Outputs
        For n patterns, and for their mirror images.
    levels : (n,) array
        The channel "level" of the patterns.
    manifest : GrowthManifest
    """
    reading = read(straight._asdict(), turned._asdict())
    half = reading.sigma * factors(levels, manifest)
    return Decoded(
        values=values_of(reading.centre),
        low=values_of(reading.centre - half),
        high=values_of(reading.centre + half),
        in_scope=sigmoid(manifest.scope_slope * reading.scope + manifest.scope_offset),
    )


def factors(levels: NDArray[np.floating], manifest: GrowthManifest) -> NDArray[np.float64]:
    """Half width of each band over the network's standard deviation, (n, quantities), by the level."""
    return of_level(manifest.band_scale, levels)


@dataclass(frozen=True)
class GrowthReader:
    """A verified network, ready to run.

    Parameters
    ----------
    manifest : GrowthManifest
    runtime : Runtime
    """

    manifest: GrowthManifest
    runtime: Runtime

    def suggest(self, images: Sequence[Image]) -> list[GrowthGuess]:
        """Say of each image what its film is like.

        Raises
        ------
        DataError
            An image that cannot be judged; the sentence names its file.
        """
        every = decoded(images, self.manifest, self.runtime, decode)
        return [self._describe(image, answers, row) for image, _, answers, row in every]

    def outcomes(self, images: Sequence[Image]) -> list[GrowthGuess | Exception]:
        """Like `suggest`, but an image that fails yields its exception and the others their answer."""
        return one_by_one(self.suggest, images)

    def _describe(self, image: Image, answers: Decoded, row: int) -> GrowthGuess:
        beyond = beyond_training(image, self.manifest)
        in_scope = 0.0 if beyond else float(answers.in_scope[row])
        notes = [*image.notes, *beyond]
        quantities = {
            name: (float(value), float(low), float(high), _UNITS[name])
            for name, value, low, high in zip(
                self.manifest.quantities,
                answers.values[row],
                answers.low[row],
                answers.high[row],
                strict=True,
            )
        }
        if in_scope < self.manifest.scope_threshold:
            quantities = {}
            notes.append(OUT_OF_SCOPE)
        return GrowthGuess(quantities, in_scope, image.file, image.entry, tuple(notes))


def judge(
    *, top: int, models: list[str] | None, exclude: list[str] | None
) -> Callable[[Sequence[Image]], list[GrowthGuess | Exception]]:
    """What judges images; there are no models to choose from.

    Raises
    ------
    UnknownModelError
        Models are named.
    """
    no_choice("images of growing films", models, exclude)
    return open_growth().outcomes


def open_growth(name: str = "gisas_growth") -> GrowthReader:
    """Open a model of the zoo, once per process.

    Raises
    ------
    ModelZooError
        It is missing, damaged or made for another version.
    """
    return opened(name, GrowthReader, Outputs)
