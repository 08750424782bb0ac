"""X-ray scattering images: what they are read, answered and simulated by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..data import signature
from ..domains import Domain, Network, ReadOptions, Seen, Simulator
from ..domains.heads import Inputs, Scope, Tags
from ..domains.xray_tags import LABELS, PARENTS, WEIGHTS
from ..types import Image

if TYPE_CHECKING:
    from ..predict.findings import Answer


def read(path: str, options: ReadOptions) -> Iterable[Image]:
    """Measurements of a file, one after the other."""
    from ..data.xray_tags.load import read as _read

    return _read(path, options)


def check(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """What the network sees of it."""
    from ..data.xray_tags.load import seen

    return seen(image, inputs)


def features(images: Sequence[Image]) -> Inputs:
    """What the network reads."""
    from ..data.xray_tags.features import inputs

    return inputs(images)


def simulator() -> Simulator:
    """Of X-ray scattering images."""
    from ..simulate.xray_tags.simulator import SIMULATOR

    return SIMULATOR


def complete(image: Image, answer: Answer) -> Answer:
    """What the measurement itself says besides."""
    from ..predict.images.without_rings import completed

    return completed(image, answer)


def trunk(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """From what the network reads to what its heads read, in Keras."""
    from ..train.polar_trunk import about_a_beam

    return about_a_beam(inputs, sizes)


def mirrored(inputs: Inputs) -> Inputs:
    """Of the mirror image."""
    from ..data.xray_tags.features import mirrored_inputs

    return mirrored_inputs(inputs)


def turned(inputs: Inputs) -> Inputs:
    """Of the image turned round."""
    from ..data.xray_tags.features import turned_inputs

    return turned_inputs(inputs)


XRAY_TAGS = Domain(
    name="xray_tags",
    title="X-ray scattering images of materials",
    purpose=(
        "Gives an X-ray scattering image up to 21 tags. They describe the picture, beam and beamstop, and the"
        " order in the sample."
    ),
    limits="colour pictures, grazing incidence, images of single particles; a tag says what can be seen, not"
    " what the sample might hold besides",
    recognise=signature.materials,
    read=read,
    check=check,
    features=features,
    features_version=2,
    symmetries=(mirrored, turned),
    complete=complete,
    simulator=simulator,
    heads=(
        Tags("tags", LABELS, parents=PARENTS, positive_weight=WEIGHTS),
        Scope(
            inside="An X-ray scattering image",
            outside="This image is unlike anything that this model has seen; no tag is given.",
            silent=True,
            weight=0.5,
        ),
    ),
    keys=("file", "entry", "tags", "in_scope", "notes"),
    network=Network(
        trunk=trunk,
        sizes={
            "profile": (48, 48, 64, 64),
            "steps": (1, 4, 12),
            "map": (24, 48, 64),
            "picture": (16, 32, 48),
            "dense": 192,
            "dropout": 0.1,
        },
        reservoir=12_000,
        reuse=3.0,
    ),
)
