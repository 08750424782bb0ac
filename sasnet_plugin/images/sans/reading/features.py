"""From images of one sample, in one setting or several, to what the network reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ....domains.heads import FRAME_MASK
from ....types import DataError, Image
from .local_fit import local_fit, local_mean
from .polar import N_RINGS, N_SECTORS, RINGS, Polar, excess, harmonics, odd_harmonics, polar

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Images of one sample that are looked at together, at most.
FRAMES = 3
#: Widths in ln q of local fits: less than a fringe of the first ten, and more than one.
FINE, TREND = 0.06, 0.35
#: ln of the profile about its mean, its relative error, share of the ring that was seen; harmonics of
#: neighbouring rings, shrunk by what is known of them, and their significance; excess of the sectors;
#: resolution; counts of the image; the second harmonic and its significance over wider rings; trend and its
#: slope; fine fit, its slope and error; fringes about the trend, of the fit and in errors of the counts; the
#: fine fit above a flat background and its error; place of the ring.
N_CHANNELS = 28
#: Variance of a harmonic below which an instrument's faults are taken to be known alike, whatever the counts.
_LEAST_FAULT = 1e-4
#: Share of the seen range of ln q, at its end, whose least level is taken for the flat background.
_END = 0.25


@dataclass(frozen=True)
class Settings:
    """Images of one sample in several settings of the instrument."""

    images: tuple[Any, ...]  #: At least one; in rings and sectors already where they were simulated so.

    @property
    def file(self) -> str:
        return str(self.images[0].file)

    @property
    def entry(self) -> str:
        """Entry of the first image, and how many there are."""
        first = str(self.images[0].entry)
        return " ".join(filter(None, [first, f"({len(self.images)} settings)"])) if len(self) > 1 else first

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(note for image in self.images for note in image.notes))

    def __len__(self) -> int:
        return len(self.images)


def together(images: Sequence[Image]) -> Settings:
    """Images of one sample as one measurement."""
    return Settings(tuple(images))


def add_images(first: Image, second: Image) -> Image:
    """Add counts of one sample in one setting. Raises DataError if they are no counts or pixels differ."""
    for image in (first, second):
        if image.geometry.error is not None:
            raise DataError(f"{image.file}: contains no counts; only frames of raw counts can be added.")
    a, b = first.geometry, second.geometry
    # A centre that was found from the data may move by less than a pixel between frames.
    apart = np.inf if a.shape != b.shape else max(np.ptp(a.qx) / a.shape[1], np.ptp(a.qy) / a.shape[0])
    if a.shape != b.shape or max(np.abs(a.qx - b.qx).max(), np.abs(a.qy - b.qy).max()) > apart:
        raise DataError(
            f"{second.file}: its q values differ from those of {first.file}; give frames of one setting."
        )
    mask = first.mask & second.mask
    notes = tuple(dict.fromkeys([*first.notes, *second.notes]))
    return replace(second, counts=np.where(mask, first.counts + second.counts, 0.0), mask=mask, notes=notes)


def images_of(measurement: Image | Settings) -> tuple[Any, ...]:
    return measurement.images if isinstance(measurement, Settings) else (measurement,)


def inputs(measurements: Sequence[Image | Settings]) -> dict[str, NDArray[np.float32]]:
    """Compute the classifier's input: ``features`` (n, FRAMES, N_RINGS, N_CHANNELS), ``frame_mask`` (n,
    FRAMES), 1 where there is an image, and ``level`` (n,), log10 of all counts, on which calibration depends.
    """
    n = len(measurements)
    features = np.zeros((n, FRAMES, N_RINGS, N_CHANNELS), dtype=np.float32)
    mask, level = np.zeros((n, FRAMES), dtype=np.float32), np.zeros(n, dtype=np.float32)
    for row, measurement in enumerate(measurements):
        total = 0.0
        for column, image in enumerate(images_of(measurement)[:FRAMES]):
            polar_image = image if isinstance(image, Polar) else polar(image)
            total += max(float(polar_image.counts.sum()), 0.0)
            features[row, column], mask[row, column] = features_of(polar_image), 1.0
        level[row] = np.log10(total + 1)
    return {"features": features, FRAME_MASK: mask, "level": level}


def features_of(polar_image: Polar) -> NDArray[np.float32]:
    """Channels of one image, (N_RINGS, N_CHANNELS)."""
    # Less than nothing is left of some rings where a background was subtracted.
    counts, exposure = np.maximum(polar_image.counts.sum(axis=1), 0.0), polar_image.exposure.sum(axis=1)
    # What one count more over the same exposure and one of the scale would be: nothing is never ln 0.
    rate = (counts + 0.5) * np.divide(polar_image.scale, exposure, out=np.ones(N_RINGS), where=exposure > 0)
    log_rate = np.log(rate)
    has_exposure = exposure > 0
    middle = np.average(log_rate, weights=np.where(has_exposure, np.sqrt(counts) + 1e-6, 0.0) + 1e-12)
    covered = (polar_image.exposure > 0).mean(axis=1)
    relative, error = harmonics(polar_image)
    odd = odd_harmonics(polar_image)
    near, near_power = _shrunk(relative, error, FINE, _faults(*odd, FINE))
    wide, wide_power = _shrunk(relative[:, :2], error[:, :2], TREND, _faults(*odd, TREND))
    values = np.zeros((N_RINGS, N_CHANNELS))
    values[:, 0] = np.clip((log_rate - middle) / 3, -4, 4)
    values[:, 1] = 1 / np.sqrt(counts + 1)
    values[:, 2] = covered
    values[:, 3:9], values[:, 9:12] = near, near_power
    values[:, 12] = np.arcsinh((excess(polar_image) - 1) * np.sqrt(N_SECTORS / 2)) / 4
    values[:, 13] = np.minimum(np.nan_to_num(polar_image.along) / RINGS, 1.0)
    values[:, 14] = np.log10(counts.sum() + 1) / 7
    values[:, 15:17], values[:, 17:18] = wide, wide_power
    values *= has_exposure[:, None]
    between = np.zeros(N_RINGS, dtype=bool)
    if has_exposure.any():
        first, last = np.flatnonzero(has_exposure)[[0, -1]]
        # Near the beam some rings are narrower than a pixel; those around them say what is there.
        between[first : last + 1] = True
        scaled = np.divide(exposure, polar_image.scale, out=np.zeros(N_RINGS), where=has_exposure)
        values[:, 18:] = _make_fit_channels(counts, scaled, middle, between)
    return (values * between[:, None]).astype(np.float32)


def _shrunk(
    relative: NDArray[np.float64],
    error: NDArray[np.float64],
    width: float,
    faults: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Harmonics of neighbouring rings together, shrunk by what is known of them; orders' significance."""
    mean, spread = local_mean(relative, error, width)
    spread = np.sqrt(spread**2 + faults[:, None])
    trust = mean**2 / (mean**2 + spread**2 + 1e-12)
    power = (mean / np.maximum(spread, 1e-9)) ** 2
    by_order = power.reshape(N_RINGS, -1, 2).sum(axis=2)
    return np.clip(mean * trust, -2, 2), np.arcsinh(by_order - 2) / 4


def _faults(relative: NDArray[np.float64], error: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """(N_RINGS,) variance of a harmonic of neighbouring rings by the instrument's faults, from odd orders."""
    # These are averaged as the others are, as faults of neighbouring rings are alike; what is left of their
    # squares beyond counting is averaged over more rings, as there are few orders. 0 where nothing is known.
    mean, spread = local_mean(relative, error, width)
    is_known = np.isfinite(spread)
    variance = np.where(is_known, spread, 0.0) ** 2
    square = np.where(is_known, mean**2 - variance, 0.0).sum(axis=1)
    # Where counts are few the difference of two large numbers says little.
    certainty = np.where(is_known, 1 / (_LEAST_FAULT + variance) ** 2, 0.0)
    number = is_known.sum(axis=1)
    mean_squares = np.divide(square, number, out=np.zeros(N_RINGS), where=number > 0)
    weight = certainty.max(axis=1)
    smoothed, _ = local_mean(
        mean_squares[:, None], np.where(weight > 0, weight, 1e-300)[:, None] ** -0.5, TREND
    )
    return np.maximum(smoothed[:, 0], 0.0)


def _make_fit_channels(
    counts: NDArray[np.float64], exposure: NDArray[np.float64], middle: float, between: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Channels of the local fits, (N_RINGS, N_CHANNELS - 18)."""
    trend, fine = local_fit(counts, exposure, TREND), local_fit(counts, exposure, FINE)
    smooth = exposure * np.exp(np.clip(trend.level, -700, 700))
    place = np.flatnonzero(between)
    end = place[int((1 - _END) * place.size) :]
    # A little less than the least that is surely there: a difference of 0 would say nothing.
    sure = (fine.level - middle - fine.error)[end]
    flat = 0.95 * np.exp(np.clip(np.median(np.sort(sure)[: max(3, end.size // 4)]), -30, 30))
    level = np.exp(np.clip(fine.level - middle, -30, 30))
    above = np.maximum(level - flat, 0.05 * level)
    fringe = fine.level - trend.level
    channels = [
        np.clip((trend.level - middle) / 3, -4, 4),
        np.clip(trend.slope / 4, -2, 2),
        np.clip((fine.level - middle) / 3, -4, 4),
        np.clip(fine.slope / 6, -3, 3),
        np.minimum(fine.error, 2.0),
        np.clip(fringe * fringe**2 / (fringe**2 + fine.error**2 + 1e-12), -2, 2),
        np.arcsinh((counts - smooth) / np.sqrt(smooth + 1)) / 3,
        np.clip(np.log(above) / 3, -4, 4),
        np.minimum(fine.error * level / above, 2.0),
        np.log(RINGS / RINGS[0]) / 7,
    ]
    return np.stack(channels, axis=1)
