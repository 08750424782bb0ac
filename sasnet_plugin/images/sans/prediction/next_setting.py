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
from ..reading.geometry import on_detector
from ..reading.polar import Polar, polar
from ..reading.resolution import Setting
from ..reading.settings import settings_of_texts
from ..simulation.cells import CellBeam, counted, gathered
from ..simulation.measurement import Beam, draw_background
from ..simulation.samples import draw_sample, resized, row_of
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


def advised(measurements: Sequence[Any], wanted: Sequence[str], predictor: Any) -> list[str]:
    """Rank the settings a user lists, in sentences."""
    # The first measurement is what is there so far; the last could be counted on.
    # Settings are "name=value,name=value" of `SansSettings`, else as before. Raises DataError if a setting is
    # unknown or wrong, or the classifier reads no more settings.
    found = advice(images_of(measurements[0]), wanted, predictor, np.random.default_rng(0))
    ranked = sorted(found, key=lambda one: -one.bits)
    return [
        f"{one.name or 'counting on'}: {one.bits:.2f} bits of information expected from"
        f" {one.counts:,.0f} counts, the result of an equally long measurement."
        for one in ranked
    ]


def advice(
    images: Sequence[Image], wanted: Sequence[str], predictor: Any, rng: np.random.Generator
) -> list[Advice]:
    """Return the expected gain of counting on, and of each listed setting, for the last counting time;
    arguments as for `advised`.
    """
    if len(images) >= FRAMES:
        raise DataError(
            f"{images[-1].file}: {len(images)} settings are more than the network can combine; give at"
            f" most {FRAMES - 1} of them."
        )
    settings = [_setting_of(image) for image in images]
    image, now, beams = images[-1], settings[-1], [_beam_of(image) for image in images]
    others = [(name, *_other(image, now, name)) for name in wanted]
    seen = tuple(polar(one) for one in images)
    before = float(entropy(classes(predictor, [Settings(seen)])).mean())
    postures = _alike(seen, beams, predictor, rng)
    here, counts, found = beams[-1], float(seen[-1].counts.sum()), []
    for name, beam, flux in [("", here, 1.0), *others]:
        again = [
            _counted(posture, beam, rng, _total(posture, here, beam, flux) * counts) for posture in postures
        ]
        sets = [Settings((*seen, one) if name else (*seen[:-1], _sum(seen[-1], one))) for one in again]
        after = entropy(classes(predictor, sets))
        expected = float(np.median([one.counts.sum() for one in again]))
        found.append(Advice(name, before - float(after.mean()), expected))
    return found


def _alike(
    seen: tuple[Polar, ...], beams: Sequence[CellBeam], predictor: Any, rng: np.random.Generator
) -> list[Posture]:
    """Samples that look to the network as the measured one does, drawn by how much they do."""
    pool = [row_of(draw_sample(rng)) for _ in range(ADVICE.samples)]
    postures = [draw_posture(resized(row, rng), rng) for row in pool for _ in range(ADVICE.uses)]
    counts = [float(one.counts.sum()) for one in seen]
    measured = [
        Settings(tuple(_counted(one, beam, rng, total) for beam, total in zip(beams, counts, strict=True)))
        for one in postures
    ]
    weight = weights(summaries(predictor, [Settings(seen)]), summaries(predictor, measured))
    return [postures[k] for k in rng.choice(len(postures), ADVICE.kept, p=weight)]


def _setting_of(image: Image) -> Setting:
    if image.geometry.setting is None:
        raise DataError(
            f"{image.file}: its collimation and apertures are not known, so no other setting can be"
            f" simulated; give them with --geometry."
        )
    return image.geometry.setting


def _beam_of(image: Image) -> CellBeam:
    return gathered(
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


def _counted(posture: Posture, beam: CellBeam, rng: np.random.Generator, counts: float) -> Polar:
    return counted(posture.intensity(beam.geometry, fine=True), beam, draw_background(rng), rng, counts)


def _total(posture: Posture, here: CellBeam, there: CellBeam, flux: float) -> float:
    """Counts of a sample there over those here in the same time."""
    total = [
        float((posture.intensity(b.geometry, fine=True) * b.geometry.weight).sum()) for b in (here, there)
    ]
    return float(np.clip(flux * total[1] / max(total[0], 1e-300), 1e-4, 1e4))


def _sum(one: Polar, other: Polar) -> Polar:
    return replace(one, counts=one.counts + other.counts, exposure=one.exposure + other.exposure)


def _other(image: Image, now: Setting, name: str) -> tuple[CellBeam, float]:
    """The image's detector in another setting, and what its pixels see there of the flux over here."""
    # A guide's flux goes as λ⁻⁴ L1⁻², a pixel's solid angle as L2⁻².
    said = settings_of_texts(name.split(","), "--next")
    keys = ("wavelength", "spread", "collimation", "distance", "source_radius", "sample_radius")
    given = {key: getattr(said, key) for key in keys if getattr(said, key) is not None}
    if not given and said.direct_beam is None:
        raise DataError(f"{name}: is not a setting; give, for example, distance=2000,collimation=2800.")
    setting = replace(now, **given)
    rows, columns = image.geometry.shape
    place = [
        float(np.interp(0.0, q, np.arange(q.size)))
        for q in (image.geometry.qx.mean(axis=0), image.geometry.qy.mean(axis=1))
    ]
    centre = said.direct_beam or (place[0], place[1])
    geometry = on_detector((rows, columns), centre, setting)
    radius = float(image.geometry.q[image.mask].min()) * now.distance / now.k
    block = radius * setting.k / setting.distance
    mask = geometry.q > block
    flux = (now.wavelength / setting.wavelength) ** 4 * (now.collimation / setting.collimation) ** 2
    flux *= (now.distance / setting.distance) ** 2 * (setting.spread / now.spread)
    return gathered(Beam(geometry, geometry, mask, block)), flux
