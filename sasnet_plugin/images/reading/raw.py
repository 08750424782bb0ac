"""What a reader found, before anything is turned, masked or converted: one frame as it stands in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...types import DataError
from .settings import ImageSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RawFrame:
    """One frame of a file."""

    values: NDArray[Any]  #: (rows, columns), as stored, first row first, in the file's own type of number.
    entry: str = ""  #: The frame's title within the file; empty where it holds one.
    geometry: ImageSettings = ImageSettings()  #: What the file's header says.
    #: (rows, columns), the file's own mask, True where a pixel is to be left out.
    bad: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()  #: Plain sentences about what the reader did.


def make_truncation_error(file: str) -> DataError:
    return DataError(f"{file}: the file is damaged or cut short; copy it again from its source.")


def not_an_image(file: str, shape: tuple[int, ...]) -> DataError:
    """The error for values that are no picture of rows and columns of counts."""
    if len(shape) == 3 and shape[-1] in (3, 4):
        return DataError(f"{file}: this is a colour picture; give the detector's own counts.")
    size = " x ".join(str(length) for length in shape) or "a single number"
    return DataError(f"{file}: it contains {size} values, not rows and columns of counts; give a 2D image.")
