"""Small-angle-scattering images: what they are read, answered, fitted and simulated by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..data import signature
from ..domains import Domain, Network, ReadOptions, Seen, Simulator
from ..domains.heads import Inputs
from ..domains.sans2d import HEADS
from ..types import Curve, Image

if TYPE_CHECKING:
    from ..data.sans.features import Settings
    from ..predict.findings import Answer
    from ..predict.predictor import Predictor
    from ..report.images.pages import Section


def read(path: str, options: ReadOptions) -> Iterable[Image]:
    """Measurements of a file, one after the other."""
    from ..data.sans.load import read as _read

    return _read(path, options)


def together(images: Sequence[Image]) -> Settings:
    """Images of one sample in several settings."""
    from ..data.sans.features import together as _together

    return _together(images)


def added(one: Image, other: Image) -> Image:
    """All their counts."""
    from ..data.sans.features import added as _added

    return _added(one, other)


def settings(
    measurements: Sequence[Image | Settings], wanted: Sequence[str], predictor: Predictor
) -> Sequence[str]:
    """Which setting tells most next."""
    from ..predict.images.next_setting import advised

    return advised(measurements, wanted, predictor)


def check(image: Image | Settings, inputs: Mapping[str, Any]) -> Seen:
    """What the network sees of it."""
    from ..predict.images.sans import check as _check

    return _check(image, inputs)


def features(images: Sequence[Image | Settings]) -> Inputs:
    """What the network reads."""
    from ..data.sans.features import inputs

    return inputs(images)


def simulator() -> Simulator:
    """Of small-angle-scattering images."""
    from ..simulate.sans.simulator import SIMULATOR

    return SIMULATOR


def complete(image: Image | Settings, answer: Answer) -> Answer:
    """What the measurement itself says besides."""
    from ..predict.images.sans import completed

    return completed(image, answer)


def curve(image: Image | Settings) -> Curve | None:
    """Its average, where every direction is alike."""
    from ..predict.images.sans import as_curve

    return as_curve(image)


def refine(
    image: Image | Settings, answer: Answer, seconds: float, told: Callable[[str], None] | None = None, /
) -> Answer:
    """Fitted from the network's answer on, and simulated again."""
    from ..fitting.images.fit_image import refined

    return refined(image, answer, seconds, told)


def why_not_fitted(image: Image | Settings, answer: Answer) -> str:
    """Why no fit can explain it; empty where one may."""
    from ..fitting.images.fit_image import why_not_fitted as _why_not_fitted

    return _why_not_fitted(image, answer)


def sections(image: Image | Settings, answer: Answer) -> Sequence[Section]:
    """Of the report page."""
    from ..report.images.sans import sections as _sections

    return _sections(image, answer)


def trunk(inputs: Mapping[str, Any], sizes: Mapping[str, Any]) -> Any:
    """From what the network reads to what its heads read, in Keras."""
    from ..train.ring_trunk import over_rings

    return over_rings(inputs, sizes)


SANS2D = Domain(
    name="sans2d",
    title="small-angle-scattering images",
    purpose="Finds shape, size and orientation from SANS images, raw or reduced, of one setting or several.",
    limits="structure factors, mixtures, shapes other than its classes (which it calls unknown), time of"
    " flight that is not reduced",
    recognise=signature.sans,
    read=read,
    together=together,
    added=added,
    settings=settings,
    check=check,
    features=features,
    features_version=3,
    simulator=simulator,
    heads=HEADS,
    complete=complete,
    curve=curve,
    refine=refine,
    why_not_fitted=why_not_fitted,
    sections=sections,
    keys=("file", "entry", "classes", "quantities", "orientation", "models", "in_scope", "notes"),
    network=Network(
        trunk=trunk,
        sizes={
            "stages": ((40, (1, 2, 4)), (64, (1, 2)), (96, (1,))),
            "where": 24,
            "dense": 192,
            "dropout": 0.0,
        },
        pooling="sum",
        reservoir=20_000,
        reuse=3.0,
    ),
)
