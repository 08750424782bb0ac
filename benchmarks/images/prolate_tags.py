"""Are long bodies called prolate, and flat ones not, whoever made the image?

``python -m benchmarks images/prolate_tags`` asks the packaged network about spheroids and rods of three
simulators at any tilt; ``--write`` keeps the table. Counted are bodies that are seen more than 1.8 times as
long as wide, where the tags know them as a streak; and oblate ones, of which none is to be called prolate.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.predict.predictor import open_predictor
from sasnet_plugin.predict.tags import TagsFinding
from sasnet_plugin.simulate.diffraction.measurement import shot
from sasnet_plugin.simulate.diffraction.patterns import as_stored
from sasnet_plugin.simulate.diffraction.samples import STREAK, draw_sample
from sasnet_plugin.simulate.diffraction.simulator import SIMULATOR
from sasnet_plugin.types import Image

from ..asked import parser_of
from ..tables import markdown
from . import elsewhere_diffraction, formula_bodies

Floats = NDArray[np.float64]
#: Length over width of prolate spheroids and of rods; polar over equatorial axis of oblate spheroids.
LONG, FLAT = (2.0, 3.3), (0.45, 0.75)
#: q at the window's edge times half the largest size; decades of the counts; voxels' angle at the edge.
_SIZE, _COUNTS, _THETA = (9.0, 30.0), (4.0, 6.0), (8.0, 25.0)
#: An image, how many times as long as wide its body is seen, and whether the body is prolate.
Seen = tuple[Image, float, bool]
SHAPES = ("prolate", "pill", "oblate")


def drawn(shape: str, rng: np.random.Generator) -> tuple[float, Floats, float]:
    """Length over width, direction of the axis, and how many times as long as wide the body is seen."""
    axis = np.asarray((a := rng.normal(size=3)) / np.linalg.norm(a))
    sine, cosine = abs(axis[2]), float(np.hypot(axis[0], axis[1]))
    if shape == "oblate":
        polar = rng.uniform(*FLAT)
        return polar, axis, 1 / float(np.hypot(polar * cosine, sine))
    ratio = rng.uniform(*LONG)
    seen = 1 + (ratio - 1) * cosine if shape == "pill" else float(np.hypot(ratio * cosine, sine))
    return ratio, axis, seen


def _size_and_counts(rng: np.random.Generator) -> tuple[float, float]:
    return float(np.exp(rng.uniform(*np.log(_SIZE)))), float(10 ** rng.uniform(*_COUNTS))


def by_formulas(shape: str, rng: np.random.Generator) -> Seen:
    """Closed amplitudes."""
    ratio, axis, seen = drawn(shape, rng)
    size, counts = _size_and_counts(rng)
    if shape == "pill":
        amplitude = formula_bodies.pill(1 / ratio)
    else:
        amplitude = formula_bodies.spheroid(min(ratio, 1.0), min(1 / ratio, 1.0))
    return formula_bodies.measured(amplitude, axis, size, rng, counts), seen, shape != "oblate"


def by_voxels(shape: str, rng: np.random.Generator) -> Seen:
    """Voxels of the benchmark's own code, measured with the package's detector."""
    ratio, axis, seen = drawn(shape, rng)
    size, counts = _size_and_counts(rng)
    tilt, turn = float(np.arcsin(axis[2])), float(np.arctan2(axis[1], axis[0]))
    make = elsewhere_diffraction.rod if shape == "pill" else elsewhere_diffraction.ellipsoid
    body = elsewhere_diffraction.voxels(make(ratio, tilt, turn))
    theta = float(np.radians(rng.uniform(*_THETA)))
    q = (np.arange(160) + 0.5) / 160 * 2 - 1
    field = elsewhere_diffraction.field_of(body, size / 0.95, 1 / np.sin(theta), q, 0.0)
    pattern = {"picture": as_stored(np.abs(field) ** 2), "parameters": {"theta": theta}}
    return shot(pattern, rng, counts), seen, shape != "oblate"


def by_waves(shape: str, rng: np.random.Generator) -> Seen:
    """The package's first simulator, which the network was trained on: other draws."""
    long = shape != "oblate"
    theta = float(np.radians(rng.uniform(*_THETA)))
    kind = str(rng.choice(["streak", "bent", "streak_bent"])) if long else "elliptical"
    sample = draw_sample(rng, {kind: 1}, {}, 1, {"theta": theta} if kind != "bent" else None)
    aspect, tilt = sample["aspect"], sample["tilt"]
    if long:
        sample["straight"] = float(shape == "pill")
    seen = float(np.hypot(aspect * np.cos(tilt), np.sin(tilt)))
    counts = float(10 ** rng.uniform(*_COUNTS))
    return shot(SIMULATOR.clean(sample), rng, counts), max(seen, 1 / seen), long


MAKERS: dict[str, Callable[[str, np.random.Generator], Seen]] = {
    "closed formulas": by_formulas,
    "voxels": by_voxels,
    "waves (training's own)": by_waves,
}


def row(name: str, shape: str, number: int, seed: int) -> list[str]:
    """Of one simulator and shape: how many were counted, and how many are called what they are."""
    rng = np.random.default_rng([seed, list(MAKERS).index(name), SHAPES.index(shape)])
    long = shape != "oblate"
    found: list[Seen] = []
    while len(found) < number:
        one = MAKERS[name](shape, rng)
        if not long or one[1] > STREAK:
            found.append(one)
    answers = open_predictor("diffraction").answers([image for image, *_ in found])
    known = [answer.known for answer in answers]
    tags = [answer.finding(TagsFinding) for answer in answers]
    said = [one is not None and "Prolate" in one.present for one in tags]
    flat = [one is not None and "Spherical/Oblate" in one.present for one in tags]
    right, wrong = (said, flat) if long else (flat, said)
    shares = (100 * float(np.mean(values)) for values in (right, wrong, np.logical_not(known)))
    return [name, shape, str(number), *(f"{share:.0f}" for share in shares)]


def main() -> None:
    """Simulate, ask, print the table."""
    parser = parser_of(__doc__, number=(100, "images of each shape by each simulator"), seed=45)
    asked = parser.parse_args()
    rows = [row(name, shape, asked.number, asked.seed) for name in MAKERS for shape in SHAPES]
    header = ["images by", "shape", "images", "called it / %", "called the other / %", "out of scope / %"]
    text = (
        "# Long bodies and flat ones\n\nProlate spheroids and pills that are seen more than"
        f" {STREAK} times as long as wide, and oblate spheroids; 10⁴ to 10⁶ photons. Right of the first two"
        " is the tag Prolate, of oblate ones Spherical/Oblate. An oblate body on its edge that is seen 1.8"
        " times as long as wide is called Prolate: one image does not tell it from a prolate one.\n\n"
        f"{markdown(header, rows, texts=2)}"
    )
    print(text)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
