"""From a file to X-ray scattering images: bad pixels left out, the beam by header, user, or symmetry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ....data.settings_tables import overlay_settings
from ....domains import ReadOptions, Seen
from ....types import DataError, Image
from ...diffraction.reading.settings import Setup, setup_of
from ...diffraction.reading.stacks import SMALLEST, blocks, make_title, mask_of, same_shape, select_images
from ...reading import masks
from ...reading.noisy_lines import noisy_lines
from .centre import centre_of
from .features import window

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

#: Counts of an image below which nothing is tagged: the faintest of training has some thousand.
LEAST_COUNTS = 300
#: Shorter over longer side below which an image is a strip: training has 0.5 at least, 0.4 is right as well.
SHORTEST = 0.35
#: The beam may be this many of the longer side off the image; farther it was mistyped.
_FARTHEST = 2.0


def read(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[Image]:
    """The images of a file as `diffraction.stacks.select_images` gives them."""
    # Gaps that the file marks, saturated and hot pixels are left out. Shadows of beamstops stay: they are
    # among the tags.
    return select_images(path, options, _images)


def _images(path: Path, geometry: tuple[str, ...], start: int) -> Iterator[Image]:
    settings = setup_of(path, geometry)
    given_mask = mask_of(settings.mask_file) if settings.mask_file else None
    for block in blocks(path, str(path), settings.dataset, start):
        setup = overlay_settings(settings, block.setup)
        for row, frame in enumerate(block.frames):
            entry = make_title(block.start + row, block.total)
            yield _image(frame, block.bad, given_mask, setup, str(path), entry)


def check_image(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """An image as it is; of no known kind where it has hardly any counts, or is a strip."""
    total = float(image.counts.sum())
    short, long = sorted(image.counts.shape)
    if total < LEAST_COUNTS:
        note = f"The image has {total:.3g} counts in all, too few to tag; give the detector's own counts."
    elif short < SHORTEST * long:
        note = (
            f"The image is a strip of {short} by {long} pixels. Edges of shadows resemble pieces of"
            f" rings, and the training data hold no such strips. Average it to a curve instead."
        )
    else:
        return Seen(image, image.notes)
    return Seen(image, (*image.notes, note), known=False)


def _image(
    frame: NDArray[Any],
    bad: NDArray[np.bool_] | None,
    given_mask: NDArray[np.bool_] | None,
    setup: Setup,
    file: str,
    entry: str,
) -> Image:
    shape = (frame.shape[0], frame.shape[1])
    masks.check_counts(frame, f"{file} ({entry})" if entry else file)
    unmeasured, notes = masks.find_unmeasured(
        frame, None if bad is None else same_shape(bad, shape, file, file)
    )
    good = ~unmeasured
    if given_mask is not None:
        good &= ~same_shape(given_mask, shape, str(setup.mask_file), file)
    counts = np.where(good, np.nan_to_num(frame.astype(np.float64), posinf=0.0, neginf=0.0), 0.0)
    good &= ~_find_saturated(frame, notes)
    masks.check_mask(good, SMALLEST**2, file)
    for label, faulty in (("Rows and columns of noise", noisy_lines), ("Hot pixels", masks.hot_pixels)):
        if (is_faulty := faulty(counts, good)).any():
            good &= ~is_faulty
            notes.append(f"{label} were excluded: {masks.share(is_faulty)}.")
    centre = setup.direct_beam
    if centre is None:
        centre, note = _centre(counts, good)
        notes.append(note)
    _check_near(centre, shape, file)
    return Image(np.where(good, counts, 0.0), good, window(shape, centre), file, entry, tuple(notes))


def _centre(counts: NDArray[np.float64], good: NDArray[np.bool_]) -> tuple[tuple[float, float], str]:
    """Column and row of the beam, and where they are from."""
    centre, is_found = centre_of(counts, good)
    if is_found:
        return (
            centre,
            f"The beam was found by the image's symmetry: column {centre[0]:.1f}, row {centre[1]:.1f}.",
        )
    return centre, (
        "No beam was found in the image; its middle was used, so tags of rings are less certain. Give"
        " the beam centre with --geometry direct_beam=[COLUMN,ROW]."
    )


def _find_saturated(frame: NDArray[Any], notes: list[str]) -> NDArray[np.bool_]:
    """Pixels at the detector's limit; where most are the image is a picture, and its detector not faulty."""
    limit = masks.integer_limit(frame)
    full = np.zeros(frame.shape, dtype=np.bool_) if limit is None else np.asarray(frame >= limit)
    if not 0 < np.mean(full) < 0.5:
        return np.zeros_like(full)
    notes.append(f"Saturated pixels were excluded: {masks.share(full)}.")
    return full


def _check_near(centre: tuple[float, float], shape: tuple[int, int], file: str) -> None:
    off = max(abs(centre[k] - shape[1 - k] / 2) for k in (0, 1))
    if off > _FARTHEST * max(shape):
        raise DataError(
            f"{file}: the beam at column {centre[0]:.6g} and row {centre[1]:.6g} is far off the detector;"
            " give it with --geometry direct_beam=[COLUMN,ROW]."
        )
