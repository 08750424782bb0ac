"""Are jumps and upturns in series of spheres named at their frame, and is growth left gradual?

``python -m benchmarks live/jumps`` calculates series of 40 frames of spheres of 10 % polydispersity by
formulas in numpy: radii that jump, grow, grow and jump, or stay; a power law that appears at low q at once or
slowly.
Noise is 0.5 to 6 %, stated errors are wrong by up to a factor of 1.6, the intensity and the background drift.
Each series goes through what ``sasnet follow`` does with it. ``--write`` puts the table into
``benchmarks/live/jumps.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.batch.live.states import Changed, States
from sasnet_plugin.predict import open_predictor
from sasnet_plugin.types import Curve

from ..asked import parser_of
from ..independent_curves.form_factors import normal_spheres, sphere_volume
from ..tables import markdown, show

Floats = NDArray[np.float64]
Q = np.geomspace(0.004, 0.35, 160)
FRAMES, BACKGROUND, WIDTH = 40, 0.003, 0.1
#: A gradual change is named within so many frames of its beginning.
WITHIN = 3


def sphere(radius: float) -> Floats:
    """I(q) of spheres with normally distributed radii, cm⁻¹."""
    return np.asarray(2e-5 * normal_spheres(Q, radius, WIDTH) / sphere_volume(1.0))


@dataclass(frozen=True)
class Series:
    """A sample against the number of the frame."""

    first: int  #: Frame from which on it differs.
    radius: Floats  #: (frames,), Å.
    upturn: Floats  #: (frames, n), cm⁻¹.


def _steady(first: int, rng: np.random.Generator) -> Series:
    radius = np.full(FRAMES, rng.uniform(30, 60))
    return Series(first, radius, np.zeros((FRAMES, Q.size)))


def _after(first: int) -> Floats:
    """1, 2, … from the frame on, 0 before."""
    return np.maximum(np.arange(FRAMES) - first + 2.0, 0.0)


def _jump(first: int, rng: np.random.Generator) -> Series:
    steady = _steady(first, rng)
    ratio = np.exp(rng.choice((-1, 1)) * rng.uniform(np.log(1.04), np.log(1.8)))
    return Series(first, np.where(_after(first) > 0, ratio, 1.0) * steady.radius, steady.upturn)


def _growth_from_the_start(first: int, rng: np.random.Generator) -> Series:
    steady = _steady(first, rng)
    return Series(1, steady.radius * (1 + rng.uniform(0.004, 0.02) * np.arange(FRAMES)), steady.upturn)


def _jump_in_growth(first: int, rng: np.random.Generator) -> Series:
    growth = _growth_from_the_start(first, rng)
    ratio = np.exp(rng.uniform(np.log(1.15), np.log(1.6)))
    return Series(first, np.where(_after(first) > 0, ratio, 1.0) * growth.radius, growth.upturn)


def _growth(first: int, rng: np.random.Generator) -> Series:
    steady = _steady(first, rng)
    return Series(first, steady.radius * (1 + rng.uniform(0.004, 0.02) * _after(first)), steady.upturn)


def _law(radius: float, rng: np.random.Generator) -> Floats:
    """A power law that makes 0.1 to 20 times the intensity of the spheres at the lowest q."""
    strength = np.exp(rng.uniform(np.log(0.1), np.log(20))) * sphere(radius)[0]
    return np.asarray(strength * (Q / Q[0]) ** -rng.uniform(2.5, 4))


def _upturn(first: int, rng: np.random.Generator) -> Series:
    steady = _steady(first, rng)
    law = _law(float(steady.radius[0]), rng)
    return Series(first, steady.radius, (_after(first) > 0)[:, None] * law)


def _slow_upturn(first: int, rng: np.random.Generator) -> Series:
    steady = _steady(first, rng)
    law = _law(float(steady.radius[0]), rng)
    return Series(first, steady.radius, _after(first)[:, None] / 10 * law)


def _upturn_in_growth(first: int, rng: np.random.Generator) -> Series:
    growth = _growth_from_the_start(first, rng)
    law = _law(float(growth.radius[0]), rng)
    return Series(first, growth.radius, (_after(first) > 0)[:, None] * law)


KINDS: Mapping[str, Callable[[int, np.random.Generator], Series]] = {
    "jump": _jump, "jump in growth": _jump_in_growth,
    "upturn": _upturn, "upturn in growth": _upturn_in_growth,
    "slow upturn": _slow_upturn, "growth": _growth, "growth from the start": _growth_from_the_start,
    "nothing": _steady,
}  # fmt: skip


def measured(series: Series, rng: np.random.Generator) -> Iterator[Curve]:
    """Frames as an instrument gives them."""
    error = float(np.exp(rng.uniform(np.log(0.005), np.log(0.06))))
    wander, wrong = rng.uniform(0, 0.2), float(np.exp(rng.uniform(-0.5, 0.5)))
    for frame in range(FRAMES):
        scale, flat = 1 + wander * np.sin(frame / 4), BACKGROUND * (1 + 0.3 * np.sin(frame / 9))
        true = (sphere(float(series.radius[frame])) + series.upturn[frame]) * scale + flat
        sigma = np.sqrt((error * true) ** 2 + 2e-3 * error * true)
        yield Curve(Q, true + sigma * rng.standard_normal(Q.size), wrong * sigma, file=f"{frame:02d}.dat")


@dataclass
class Score:
    """What is said of series of a kind."""

    exact: int = 0  #: The change is named at its very frame, and as one that comes at once.
    near: int = 0  #: It is named within `WITHIN` frames, gradual or not.
    gradual: int = 0  #: Of these as gradual.
    sphere: int = 0  #: Of these with the kind, sphere.
    upturn: int = 0  #: Of these with an upturn.
    other_kind: int = 0  #: Series of which another kind of sample is said anywhere.
    jumps: int = 0  #: Changes at once that are none.
    again: int = 0  #: Gradual changes besides.

    def add(self, first: int, told: list[Changed]) -> None:
        """Take what was said of a series whose sample changes at that frame."""
        near = [one for one in told if abs(one.change.first - first) <= WITHIN]
        exact = [one for one in near if one.change.first == first and not one.change.gradual]
        hit = (exact or near)[:1]
        self.exact += bool(exact)
        for one in hit:
            self.near += 1
            self.gradual += one.change.gradual
            self.sphere += "sphere" in one.words
            self.upturn += "an upturn" in one.words
        besides = [one for one in told if one not in hit]
        self.jumps += sum(not one.change.gradual for one in besides)
        self.again += sum(one.change.gradual for one in besides)
        wrong = ("cylinder", "ellipsoid", "coil", "no single model", "population", "interaction")
        self.other_kind += any(word in one.words for one in told for word in wrong)


def main() -> None:
    parser = parser_of(__doc__, each=(20, "series of each kind"), seed=7)
    options = parser.parse_args()
    predictor = open_predictor()
    rows = []
    for place, (kind, draw) in enumerate(KINDS.items()):
        score = Score()
        for number in range(options.each):
            rng = np.random.default_rng([options.seed, place, number])
            series = draw(int(rng.integers(8, 30)), rng)
            states = States(predictor.outcomes)
            told = (states.add(frame, curve) for frame, curve in enumerate(measured(series, rng), start=1))
            score.add(
                series.first if kind != "nothing" else -FRAMES, [one for one in told if one is not None]
            )
        rows.append([kind, *(str(value) for value in vars(score).values())])
        print(rows[-1], flush=True)
    header = ["series", "named at its frame, at once", f"named within {WITHIN} frames", "of these gradual",
              "with sphere", "with an upturn", "another kind said", "jumps besides",
              "gradual changes besides"]  # fmt: skip
    text = markdown(header, rows) + f"\nOf {options.each} series of each kind.\n"
    show(text, options.write, __file__)
