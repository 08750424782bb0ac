"""Diffraction images of single particles: what they are read, answered and simulated by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..data import signature
from ..domains import Domain, HeldOut, Network, ReadOptions, Seen, Simulator
from ..domains.diffraction import LABELS, NAME, PARENTS, QUANTITIES
from ..domains.heads import Inputs, Quantities, Scope, Tags
from ..types import Image

if TYPE_CHECKING:
    from ..predict.findings import Answer
    from ..train.package import Finished, Trained


def read(path: str, options: ReadOptions) -> Iterable[Image]:
    """Measurements of a file, one after the other."""
    from ..data.diffraction.load import read as _read

    return _read(path, options)


def check(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """What the network sees of it."""
    from ..predict.images.novelty import check as _check

    return _check(image, inputs)


def features(images: Sequence[Image]) -> Inputs:
    """What the network reads."""
    from ..data.diffraction.features import inputs

    return inputs(images)


def simulator() -> Simulator:
    """Of diffraction images of single particles."""
    from ..simulate.diffraction.simulator import SIMULATOR

    return SIMULATOR


def complete(image: Image, answer: Answer) -> Answer:
    """What the measurement itself says besides."""
    from ..predict.images.diffraction import completed

    return completed(image, answer)


def trunk(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """From what the network reads to what its heads read, in Keras."""
    from ..train.trunks import residual

    return residual(inputs, sizes)


def finish(trained: Trained, held: HeldOut, calibration: dict[str, dict[str, Any]]) -> Finished:
    """How far an image may be from all that the network has seen."""
    from ..train.novelty import finish as _finish

    return _finish(trained, held, calibration)


DIFFRACTION = Domain(
    name=NAME,
    title="diffraction images of single particles",
    purpose=(
        "Gives single-shot diffraction images of free particles up to eleven tags. It also gives size, length"
        " and tilt of the particle."
    ),
    limits="crystals, powders, solutions of many particles, images without a hole or mask where the"
    " beam saturates",
    recognise=signature.particles,
    read=read,
    check=check,
    features=features,
    simulator=simulator,
    finish=finish,
    heads=(
        Tags("tags", LABELS, parents=PARENTS, alone="Empty"),
        Quantities("quantities", QUANTITIES, interval="error", weight=0.2),
        Scope(
            inside="A diffraction image of a free particle, or of none",
            outside="This image is outside what this model knows (diffraction of single free particles);"
            " no tag is given.",
            silent=True,
            weight=1.0,
        ),
    ),
    complete=complete,
    keys=("file", "entry", "tags", "quantities", "in_scope", "notes"),
    network=Network(
        trunk=trunk,
        sizes={
            "stem": 96,
            "stages": ((128, 1), (192, 1)),
            "attention": 0,
            "dense": 256,
            "dense_blocks": 1,
            "dropout": 0.1,
        },
        reservoir=40_000,
        reuse=6.0,
    ),
)
