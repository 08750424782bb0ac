"""What kinds of grazing-incidence patterns have in common; each adds its name, heads and simulator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..domains import Domain, Network, ReadOptions, Seen
from ..domains.heads import Inputs
from ..types import Image


def read(path: str, options: ReadOptions) -> Iterable[Image]:
    """Measurements of a file, one after the other."""
    from ..data.images.load import read as _read

    return _read(path, options)


def check(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """What the network sees of it."""
    from ..predict.checks import check_image

    return check_image(image, inputs)


def features(images: Sequence[Image]) -> Inputs:
    """What the network reads."""
    from ..data.images.features import inputs

    return inputs(images)


def mirrored(inputs: Inputs) -> Inputs:
    """Of the mirror image."""
    from ..data.images.features import mirrored_inputs

    return mirrored_inputs(inputs)


def two_sides(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """A pattern's sides beside the rod and their difference, in Keras."""
    from ..train.trunks import two_sides as _two_sides

    return _two_sides(inputs, sizes)


PATTERNS = Domain(
    name="",
    title="",
    heads=(),
    read=read,
    check=check,
    features=features,
    symmetries=(mirrored,),
    network=Network(
        trunk=two_sides,
        sizes={
            "trunk": "small",
            "weights": "",
            "stem": 32,
            "blocks": ((2, 16), (4, 16), (5, 32)),
            "dense": 256,
            "dropout": 0.0,
        },
        reservoir=16_000,
        reuse=4.0,
    ),
)
