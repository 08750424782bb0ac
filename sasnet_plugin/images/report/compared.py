"""What was simulated again from an answer about an image, beside what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...report.canvas import upright
from ...types import Image
from ..sans.fitting.oriented_fit import OrientedFit
from ..sans.reading.geometry import SmallAngle
from ..sans.report import again
from .patterns import compute_signed_deviance

if TYPE_CHECKING:
    from ...predict import Answer


@dataclass(frozen=True)
class Compared:
    """An image simulated again."""

    image: Image  #: As it was compared: perhaps of fewer pixels than were measured.
    #: simulated, residual: (rows, columns), expected counts, and standard deviations.
    simulated: NDArray[np.float64]
    residual: NDArray[np.float64]


def compare(image: Image, answer: Answer) -> Compared | None:
    """What a fit of an answer simulates; None where nothing was fitted."""
    for finding in answer.findings:
        if isinstance(finding, OrientedFit):
            small, simulated, residual = again(image, finding)
            remaining = compute_signed_deviance(small.counts, simulated) if residual is None else residual
            return _as_seen(Compared(small, simulated, remaining))
        if (result := getattr(finding, "result", None)) is not None:
            return Compared(result.image, result.simulated, result.residual)
    return None


def as_seen(image: Image) -> Image:
    """An image over q with qx to the right and qy up, its first row above; others as they are."""
    return _flip_rows(upright(image)) if isinstance(image.geometry, SmallAngle) else image


def _as_seen(compared: Compared) -> Compared:
    return Compared(_flip_rows(compared.image), compared.simulated[::-1], compared.residual[::-1])


def _flip_rows(image: Image) -> Image:
    geometry: Any = image.geometry
    names = [
        n for n in ("qx", "qy", "weight", "along", "across", "error") if getattr(geometry, n) is not None
    ]
    turned = replace(geometry, **{name: getattr(geometry, name)[::-1] for name in names})
    return replace(image, counts=image.counts[::-1], mask=image.mask[::-1], geometry=turned)
