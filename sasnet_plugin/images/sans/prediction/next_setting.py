"""Which setting of the instrument to measure next: the information that an image there is expected to give.

Samples that may explain what was measured are drawn from the prior of training and weighted by how alike
the network finds their images and the measured ones, in the same settings (approximate Bayesian computation
with the network's outputs as summaries: Fearnhead & Prangle, J. R. Stat. Soc. B 74 (2012) 419). Each is
then measured in every setting that the user lists, and the network reads the old and the new image as a
set: the gain is the fall of the entropy of the classes, in bits, on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ....arrays import Floats
from ....predict.arithmetic import softmax
from ....types import DataError, Image
from ..reading.features import FRAMES, Settings, images_of
from ..reading.geometry import make_detector_geometry
from ..reading.polar import Polar, polar
from ..reading.resolution import Setting
from ..reading.settings import settings_of_texts
from ..simulation.cells import CellBeam, count_in_cells, gather_in_cells
from ..simulation.measurement import Beam, draw_background
from ..simulation.samples import draw_sample, resize, row_of
from ..simulation.simulator import Posture, draw_posture


@dataclass(frozen=True)
class AdviceSettings:
    """How much is simulated."""

    #: Samples that are computed; uses of each in another size; those that are measured in each setting.
    samples: int = 80
    uses: int = 8
    kept: int = 120
    #: Least effective number of samples that the weights leave.
    effective: float = 40.0


ADVICE = AdviceSettings()


@dataclass(frozen=True)
class Advice:
    """What a setting is expected to tell."""

    name: str  #: As the user wrote it; empty for counting on.
    bits: float  #: Expected gain of information on the class.
    counts: float  #: That as long a measurement gives there as all so far took.


def advise(measurements: Sequence[Any], setting_names: Sequence[str], predictor: Any) -> list[str]:
    """Rank the settings a user lists, in sentences."""
    # The first measurement is what is there so far; the last could be counted on.
    # Settings are "name=value,name=value" of `SansSettings`, else as before. Raises DataError if a setting is
    # unknown or wrong, or the classifier reads no more settings.
    advices = advice(images_of(measurements[0]), setting_names, predictor, np.random.default_rng(0))
    ranked = sorted(advices, key=lambda one_advice: -one_advice.bits)
    return [
        f"{one_advice.name or 'counting on'}: {one_advice.bits:.2f} bits of information expected."
        f" An equally long measurement gives {one_advice.counts:,.0f} counts."
        for one_advice in ranked
    ]


def advice(
    images: Sequence[Image], setting_names: Sequence[str], predictor: Any, rng: np.random.Generator
) -> list[Advice]:
    """Return the expected gain of counting on, and of each listed setting, for the last counting time;
    arguments as for `advise`.
    """
    if len(images) >= FRAMES:
        raise DataError(
            f"{images[-1].file}: {len(images)} settings are more than the network can combine; give at"
            f" most {FRAMES - 1} of them."
        )
    settings = [_setting_of(image) for image in images]
    image, current_setting, beams = images[-1], settings[-1], [_beam_of(image) for image in images]
    other_settings = [(name, *_other(image, current_setting, name)) for name in setting_names]
    polars = tuple(polar(one_image) for one_image in images)
    entropy_before = float(entropy(classes(predictor, [Settings(polars)])).mean())
    postures = _alike(polars, beams, predictor, rng)
    current_beam, counts, advices = beams[-1], float(polars[-1].counts.sum()), []
    for name, beam, flux in [("", current_beam, 1.0), *other_settings]:
        again = [
            _count_posture(posture, beam, rng, _total(posture, current_beam, beam, flux) * counts)
            for posture in postures
        ]
        sets = [
            Settings((*polars, one_image) if name else (*polars[:-1], _sum(polars[-1], one_image)))
            for one_image in again
        ]
        after = entropy(classes(predictor, sets))
        expected = float(np.median([one_image.counts.sum() for one_image in again]))
        advices.append(Advice(name, entropy_before - float(after.mean()), expected))
    return advices


def _alike(
    polars: tuple[Polar, ...], beams: Sequence[CellBeam], predictor: Any, rng: np.random.Generator
) -> list[Posture]:
    """Samples that look to the network as the measured one does, drawn by how much they do."""
    pool = [row_of(draw_sample(rng)) for _ in range(ADVICE.samples)]
    postures = [draw_posture(resize(row, rng), rng) for row in pool for _ in range(ADVICE.uses)]
    counts = [float(posture.counts.sum()) for posture in polars]
    measured = [
        Settings(
            tuple(
                _count_posture(posture, beam, rng, total) for beam, total in zip(beams, counts, strict=True)
            )
        )
        for posture in postures
    ]
    weight = weights(summaries(predictor, [Settings(polars)]), summaries(predictor, measured))
    return [postures[k] for k in rng.choice(len(postures), ADVICE.kept, p=weight)]


def _setting_of(image: Image) -> Setting:
    if image.geometry.setting is None:
        raise DataError(
            f"{image.file}: its collimation and apertures are not known, so no other setting can be"
            f" simulated; give them with --geometry."
        )
    return image.geometry.setting


def _beam_of(image: Image) -> CellBeam:
    return gather_in_cells(
        Beam(image.geometry, image.geometry, image.mask, float(image.geometry.q[image.mask].min()))
    )


def weights(measured: Floats, simulated: Floats) -> Floats:
    """Weights of simulated samples by the distance of their summaries, (n,), which add up to 1."""
    # The width of the kernel is the least that leaves `AdviceSettings.effective` samples.
    scale = simulated.std(axis=0) + 1e-9
    distance = (((simulated - measured) / scale) ** 2).sum(axis=1)
    for width in np.geomspace(0.05, 100, 60):
        weight = np.exp(-(distance - distance.min()) / (2 * width**2))
        weight /= weight.sum()
        if 1 / np.sum(weight**2) >= min(ADVICE.effective, 0.5 * len(weight)):
            break
    return np.asarray(weight)


def summaries(predictor: Any, measurements: Sequence[Settings]) -> Floats:
    """What the network says of measurements: ln p of the classes, (n, labels)."""
    outputs = predictor.outputs(predictor.features(measurements))
    # Below this a class is ruled out, and how far does not matter.
    return np.log(np.maximum(softmax(np.asarray(outputs["class"], dtype=np.float64)), 1e-4))


def classes(predictor: Any, measurements: Sequence[Settings]) -> Floats:
    """Calibrated probabilities of the classes, (n, labels)."""
    outputs = predictor.outputs(predictor.features(measurements))
    return softmax(np.asarray(outputs["class"]) / predictor.manifest.calibration["class"]["temperature"])


def entropy(p: Floats) -> Floats:
    """Bits, (n,)."""
    return np.asarray(-np.sum(p * np.log2(np.maximum(p, 1e-12)), axis=1))


def _count_posture(posture: Posture, beam: CellBeam, rng: np.random.Generator, counts: float) -> Polar:
    return count_in_cells(
        posture.intensity(beam.geometry, fine=True), beam, draw_background(rng), rng, counts
    )


def _total(posture: Posture, current_beam: CellBeam, next_beam: CellBeam, flux: float) -> float:
    """Counts of a sample there over those here in the same time."""
    total = [
        float((posture.intensity(b.geometry, fine=True) * b.geometry.weight).sum())
        for b in (current_beam, next_beam)
    ]
    return float(np.clip(flux * total[1] / max(total[0], 1e-300), 1e-4, 1e4))


def _sum(first: Polar, second: Polar) -> Polar:
    return replace(first, counts=first.counts + second.counts, exposure=first.exposure + second.exposure)


def _other(image: Image, current_setting: Setting, name: str) -> tuple[CellBeam, float]:
    """The image's detector in another setting, and what its pixels see there of the flux over here."""
    # A guide's flux goes as λ⁻⁴ L1⁻², a pixel's solid angle as L2⁻².
    settings_given = settings_of_texts(name.split(","), "--next")
    keys = ("wavelength", "spread", "collimation", "distance", "source_radius", "sample_radius")
    given_values = {
        key: getattr(settings_given, key) for key in keys if getattr(settings_given, key) is not None
    }
    if not given_values and settings_given.direct_beam is None:
        raise DataError(f"{name}: is not a setting; give, for example, distance=2000,collimation=2800.")
    setting = replace(current_setting, **given_values)
    rows, columns = image.geometry.shape
    place = [
        float(np.interp(0.0, q, np.arange(q.size)))
        for q in (image.geometry.qx.mean(axis=0), image.geometry.qy.mean(axis=1))
    ]
    centre = settings_given.direct_beam or (place[0], place[1])
    geometry = make_detector_geometry((rows, columns), centre, setting)
    radius = float(image.geometry.q[image.mask].min()) * current_setting.distance / current_setting.k
    block = radius * setting.k / setting.distance
    mask = geometry.q > block
    flux = (current_setting.wavelength / setting.wavelength) ** 4 * (
        current_setting.collimation / setting.collimation
    ) ** 2
    flux *= (current_setting.distance / setting.distance) ** 2 * (setting.spread / current_setting.spread)
    return gather_in_cells(Beam(geometry, geometry, mask, block)), flux
