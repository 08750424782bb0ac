"""How small-angle-scattering images are measured: setting, beam, background, faults, counts; drawn anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ....simulate.draws import Prior, draw_all
from ....types import Image
from ..reading.geometry import SmallAngle, make_detector_geometry
from ..reading.resolution import Setting
from .instruments import INSTRUMENTS, Instrument, draw_setting

MEASUREMENT = {
    "counts": Prior("loguniform 1e2 1e7", "", "counts of the image (mask applied), expected"),
    "flat": Prior("loguniform 0.003 1", "", "flat background over the sample's counts", 0.9),
    "parasitic": Prior("loguniform 0.003 0.3", "", "scattering by slits and windows over the sample's", 0.5),
    "parasitic_power": Prior("uniform 2 4", "", "it falls as this power of q from the beamstop on"),
    "offset": Prior("uniform -0.4 0.4", "", "beam off the detector's middle, over its width", 0.17),
    "centre": Prior("uniform -0.5 0.5", "pixels", "what the stated centre is wrong by, each way", 0.5),
    "efficiency": Prior("uniform 0 0.04", "", "scatter of efficiencies of tubes, not known", 0.8),
    "pixels": Prior("loguniform 0.005 0.3", "", "the same of pixels; of tubes' a tenth of it", 0.7),
    "uneven": Prior("loguniform 0.005 0.1", "", "scatter of efficiency over larger areas, not known", 0.7),
    "patch": Prior("loguniform 2 40", "pixels", "size of those areas"),
    "edge": Prior("uniform 0 4", "pixels", "over which the detector's rim counts less", 0.4),
    "rate": Prior("loguniform 10 2e5", "1/s", "counts a second, of which dead time loses some"),
    "shadow": Prior("uniform 0 1.5", "pixels", "penumbra of the beamstop that is not masked", 0.3),
    "faults": Prior("integer 0 30", "pixels", "dead and hot ones, masked", 0.5),
    "dead_tubes": Prior("integer 1 3", "", "tubes that do not count, masked", 0.1),
}
#: A setting suits a sample when its window begins below the sample's first feature over `FAR` and ends above
#: `NEAR` of it: what it shows is neither all plateau nor all asymptote.
FAR, NEAR = 1.5, 0.4
#: Share of files that do not say how sharp q is.
SILENT = 0.15
_TRIES = 60


@dataclass(frozen=True)
class Beam:
    """An instrument in a setting, its beam and its mask."""

    #: true, stated: where the pixels lie, and where the file says that they do; weights are those of the
    #: stated solid angle, and of the efficiency that no file says.
    true: SmallAngle
    stated: SmallAngle
    mask: NDArray[np.bool_]  #: (rows, columns)
    block: float  #: Radius of the beamstop, Å⁻¹.
    dead_time: float = 0.0  #: Of a tube, or of the chamber, s.
    tubes: int = -1  #: As of `Instrument`.


def suits(setting: Setting, instrument: Instrument, feature: float) -> bool:
    """Whether a setting's window meets a sample's first feature, Å⁻¹; any does where there is none."""
    if not np.isfinite(feature):
        return True
    scale = setting.k / setting.distance
    lowest = 1.2 * min(instrument.beamstop) * scale
    highest = (
        scale * 0.5 * min(instrument.shape[0] * setting.pixel[1], instrument.shape[1] * setting.pixel[0])
    )
    return lowest * FAR < feature and highest > NEAR * feature


def draw_beam(
    rng: np.random.Generator, feature: float = float("nan"), instrument: Instrument | None = None
) -> Beam:
    """Draw an instrument (unless given) in a setting that suits a sample with its first feature at `feature`,
    Å⁻¹.
    """
    for _ in range(_TRIES):
        chosen = instrument or INSTRUMENTS[int(rng.integers(len(INSTRUMENTS)))]
        setting = draw_setting(chosen, rng)
        if suits(setting, chosen, feature):
            break
    return beam(chosen, setting, rng)


def beam(instrument: Instrument, setting: Setting, rng: np.random.Generator) -> Beam:
    """The rest of what is drawn of an instrument in a setting."""
    rows, columns = instrument.shape
    width, height = setting.pixel
    values = draw_all(MEASUREMENT, rng)
    side = min(values["offset"] * columns, instrument.offset / width, key=abs)
    centre = (columns - 1) / 2 + side + rng.normal(0, 1.5), (rows - 1) / 2 + rng.normal(0, 1.5)
    wrong = values["centre"], MEASUREMENT["centre"](rng)
    counted = efficiency(instrument, values, rng)
    right = make_detector_geometry((rows, columns), centre, setting)
    true = replace(right, weight=right.weight * counted)
    # A wrong centre of less than a pixel moves all of q alike.
    shift = [setting.k / setting.distance * by * size for by, size in zip(wrong, setting.pixel, strict=True)]
    stated = replace(right, qx=right.qx - shift[0], qy=right.qy - shift[1])
    # What of the beam reaches the detector must not pass the beamstop: the image of source and sample.
    spread = setting.distance / setting.collimation
    spot = setting.source_radius * spread + setting.sample_radius * (1 + spread)
    fitting = [radius for radius in instrument.beamstop if radius > spot] or [max(instrument.beamstop)]
    radius = float(rng.choice(fitting[:2]))
    scale = setting.k / setting.distance
    margin = max(width, height) * (1.0 - values["shadow"] + rng.uniform(0, 1))
    mask = stated.q > scale * (radius + margin)
    for _ in range(round(values["faults"])):
        mask[rng.integers(rows), rng.integers(columns)] = False
    for _ in range(round(values["dead_tubes"])):
        line_index = rng.integers(columns if instrument.tubes == 1 else rows)
        mask[(slice(None), line_index) if instrument.tubes == 1 else (line_index, slice(None))] = False
    return Beam(true, stated, mask, scale * radius, 1e-6 * instrument.dead_time, instrument.tubes)


def efficiency(instrument: Instrument, values: Mapping[str, float], rng: np.random.Generator) -> Floats:
    """What pixels count of what they see, as it is left of files that were not divided by a flat field."""
    from scipy.ndimage import gaussian_filter

    rows, columns = shape = instrument.shape
    chamber = instrument.tubes < 0
    efficiencies = 1 + values["pixels"] * (1.0 if chamber else 0.1) * rng.standard_normal(shape)
    if not chamber:
        number = columns if instrument.tubes == 1 else rows
        tube_noise = values["efficiency"] * rng.standard_normal(number)
        efficiencies += tube_noise if instrument.tubes == 1 else tube_noise[:, None]
    clouds = gaussian_filter(rng.standard_normal(shape), values["patch"], mode="reflect")
    efficiencies += values["uneven"] * clouds / float(clouds.std())
    if values["edge"]:
        ways = [np.minimum(np.arange(n), n - 1 - np.arange(n)) + 0.5 for n in shape]
        rim = np.minimum(ways[0][:, None], ways[1][None, :])
        efficiencies *= 1 - np.exp(-rim / values["edge"])
    return np.asarray(np.maximum(efficiencies, 0.05))


@dataclass(frozen=True)
class Background:
    """What is counted besides the sample, and how fast."""

    #: flat, parasitic, power, rate: see `MEASUREMENT`.
    flat: float = 0.0
    parasitic: float = 0.0
    power: float = 3.0
    rate: float = 0.0

    def add_to(self, sample: Floats, weight: Floats, q: Floats, block: float, mask: Any = True) -> Floats:
        """The sample's counts and these, arbitrary scale; shares are of what the mask lets count."""
        total = float(sample.sum(where=mask)) or 1.0
        counts = sample + weight * (self.flat * total / float(weight.sum(where=mask)))
        if self.parasitic:
            slope = np.maximum(q / block, 0.5) ** -self.power * weight
            counts += slope * (self.parasitic * total / float(slope.sum(where=mask)))
        return counts


def draw_background(rng: np.random.Generator) -> Background:
    values = [MEASUREMENT[name](rng) for name in ("flat", "parasitic", "parasitic_power", "rate")]
    return Background(*values)


def compute_counted_share(expected: Floats, seen_beam: Beam, rate: float) -> Floats:
    """Return the share of events counted in each pixel; `expected` events have arbitrary scale, `rate` is per
    second on the detector.
    """
    # Not paralysable: of n events a second in a tube n/(1 + nτ) are counted (G. F. Knoll, Radiation Detection
    # and Measurement, 4.VII). A tube is dead as a whole, and so is a chamber.
    along = {1: 0, 0: 1}.get(seen_beam.tubes)
    share = expected.sum(axis=along, keepdims=True) / max(float(expected.sum()), 1e-300)
    return np.asarray(1 / (1 + rate * seen_beam.dead_time * share))


def simulate_measurement(
    intensity: Floats, seen_beam: Beam, background: Background, rng: np.random.Generator, counts: float
) -> Image:
    """Simulate counts of a beam from intensity in each pixel's true direction, arbitrary scale; `counts` are
    expected in usable pixels.
    """
    weight = seen_beam.true.weight
    expected = background.add_to(
        intensity * weight, weight, seen_beam.true.q, seen_beam.block, seen_beam.mask
    )
    # The beamstop stops neutrons over its whole area; its edge is as sharp as a pixel.
    expected[seen_beam.true.q < seen_beam.block] *= 1e-3
    expected *= counts / max(float(expected.sum(where=seen_beam.mask)), 1e-300)
    expected *= compute_counted_share(expected, seen_beam, background.rate)
    values = rng.poisson(np.minimum(expected, 1e9)).astype(np.float64)
    stated = seen_beam.stated if rng.random() >= SILENT else replace(seen_beam.stated, setting=None)
    return Image(np.where(seen_beam.mask, values, 0.0), seen_beam.mask, stated)
