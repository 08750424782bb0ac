"""An opened network for rotations of a lattice: images in, p(ξ), its band and the sample's numbers out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sasnet_plugin.predict.decode import sigmoid
from sasnet_plugin.predict.opened import no_choice, opened
from sasnet_plugin.predict.outcomes import one_by_one
from sasnet_plugin.predict.runtime import Runtime
from sasnet_plugin.predict.seen import beyond_training, decoded, of_level
from sasnet_plugin.simulate.gisas.geometry import XI
from sasnet_plugin.simulate.gisas.nuisance import QUANTITIES
from sasnet_plugin.simulate.gisas.reading import band, from_uniform, read
from sasnet_plugin.types import Image, OrientationGuess

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sasnet_plugin.simulate.gisas.reading import Reading
    from sasnet_plugin.zoo.gisas_manifest import OrientationManifest

_TABLE = {quantity.name: quantity for quantity in QUANTITIES}

OUT_OF_SCOPE = (
    "This pattern is outside what this model knows (ordered spheres with hexagonal lattices, upright, in the"
    " trained window); no orientation is given."
)


class Outputs(NamedTuple):
    """What the network says of n patterns; see `train.densenet.build_net`."""

    xi: NDArray[np.float32]
    band: NDArray[np.float32]
    nuisance: NDArray[np.float32]
    scope: NDArray[np.float32]


class Decoded(NamedTuple):
    """Calibrated answers for n patterns.

    Parameters
    ----------
    p : (n, 120) array
        Share of each angle.
    p_low, p_high : (n, 120) arrays
        90 % band of p averaged over the manifest's resolution.
    values, errors : (n, quantities) arrays
        In the units of the priors' tables.
    in_scope : (n,) array
    uniform_p_value : (n,) array
    """

    p: NDArray[np.float64]
    p_low: NDArray[np.float64]
    p_high: NDArray[np.float64]
    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    in_scope: NDArray[np.float64]
    uniform_p_value: NDArray[np.float64]


def decode(
    straight: Outputs, turned: Outputs, levels: NDArray[np.floating], manifest: OrientationManifest
) -> Decoded:
    """From outputs to calibrated answers.

    Parameters
    ----------
    straight, turned : Outputs
        For n patterns, and for their mirror images.
    levels : (n,) array
        The channel "level" of the patterns.
    manifest : OrientationManifest
    """
    reading: Reading = read(straight._asdict(), turned._asdict())
    low, high = band(reading, manifest.band_scale)
    sigma = reading.sigma * np.array(manifest.error_scale)
    pairs = np.array(
        [
            [_TABLE[name].value(*pair) for name, pair in zip(manifest.quantities, row, strict=True)]
            for row in np.stack((reading.centre, sigma), axis=-1)
        ]
    )
    return Decoded(
        p=reading.p,
        p_low=low,
        p_high=high,
        values=pairs[..., 0],
        errors=pairs[..., 1],
        in_scope=sigmoid(manifest.scope_slope * reading.scope + manifest.scope_offset),
        uniform_p_value=uniform_p_value(from_uniform(reading.p), levels, manifest),
    )


def uniform_p_value(
    distance: NDArray[np.float64], levels: NDArray[np.floating], manifest: OrientationManifest
) -> NDArray[np.float64]:
    """Share of patterns with uniform truth, measured about as long, whose answer is as far from uniform.

    Parameters
    ----------
    distance : (n,) array
        Of the answer from uniform, circular W1, degrees.
    levels : (n,) array
    """
    table = of_level(manifest.uniform, levels)
    below = np.sum(table < distance[:, None], axis=1)
    return np.asarray((1 + table.shape[1] - below) / (1 + table.shape[1]))


@dataclass(frozen=True)
class OrientationReader:
    """A verified network, ready to run.

    Parameters
    ----------
    manifest : OrientationManifest
    runtime : Runtime
    """

    manifest: OrientationManifest
    runtime: Runtime

    def suggest(self, images: Sequence[Image]) -> list[OrientationGuess]:
        """Say of each image how its lattice is rotated.

        Raises
        ------
        DataError
            An image that cannot be judged; the sentence names its file.
        """
        every = decoded(images, self.manifest, self.runtime, decode)
        return [self._describe(window, answers, row) for _, window, answers, row in every]

    def outcomes(self, images: Sequence[Image]) -> list[OrientationGuess | Exception]:
        """Like `suggest`, but an image that fails yields its exception and the others their answer."""
        return one_by_one(self.suggest, images)

    def _describe(self, image: Image, answers: Decoded, row: int) -> OrientationGuess:
        manifest = self.manifest
        notes = list(image.notes)
        in_scope = float(answers.in_scope[row])
        if beyond := beyond_training(image, manifest):
            in_scope = 0.0
            notes.extend(beyond)
        geometry = {
            name: (float(value), float(error))
            for name, value, error in zip(
                manifest.quantities, answers.values[row], answers.errors[row], strict=True
            )
        }
        geometry["wavelength"] = (image.geometry.wavelength, 0.0)
        if shift := geometry.get("shift_alpha"):
            # The stated angle is too small by the shift.
            geometry["alpha_i"] = (image.geometry.alpha_i + shift[0], shift[1])
        p = answers.p[row]
        guess = OrientationGuess(
            xi=np.array(XI, dtype=np.float64),
            p=p,
            # The band is that of the running mean; a narrow peak of the answer itself may stand above it.
            p_low=np.minimum(answers.p_low[row], p),
            p_high=np.maximum(answers.p_high[row], p),
            geometry=geometry,
            in_scope=in_scope,
            file=image.file,
            notes=tuple(notes),
            uniform_p_value=float(answers.uniform_p_value[row]),
        )
        return guess if in_scope >= manifest.scope_threshold else _nothing_said(guess)


def _nothing_said(guess: OrientationGuess) -> OrientationGuess:
    """The answer to a pattern of another kind: any orientation may be, and no sample is described."""
    even = np.full_like(guess.p, 1 / guess.p.size)
    return replace(
        guess,
        p=even,
        p_low=np.zeros_like(even),
        p_high=np.ones_like(even),
        geometry={},
        notes=(*guess.notes, OUT_OF_SCOPE),
        uniform_p_value=float("nan"),
    )


def judge(
    *, top: int, models: list[str] | None, exclude: list[str] | None
) -> Callable[[Sequence[Image]], list[OrientationGuess | Exception]]:
    """What judges images; there are no models to choose from.

    Raises
    ------
    UnknownModelError
        Models are named.
    """
    no_choice("images of ordered particles", models, exclude)
    return open_orientation().outcomes


def open_orientation(name: str = "gisas_hex") -> OrientationReader:
    """Open a model of the zoo, once per process.

    Raises
    ------
    ModelZooError
        It is missing, damaged or made for another version.
    """
    return opened(name, OrientationReader, Outputs)


def units() -> dict[str, str]:
    """Unit of each quantity of an answer by its name."""
    from sasnet_plugin.simulate.gisas.priors import GEOMETRY
    from sasnet_plugin.simulate.images.measurement import MEASUREMENT

    return {name: prior.unit for name, prior in (GEOMETRY | MEASUREMENT).items()}
