"""Particles that images with a direction are fitted with: what is fitted, and the shapes of starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ...digits import unit_text
from ...fitting.problem.bounds import default_of, range_of
from ...fitting.problem.free_parameters import fittable
from ...fitting.settings import OPTIMIZE, START_VALUES, setting
from ...simulate.kernel import load_model
from ...simulate.lengths import unit_of
from ...simulate.priors import max_length, rescale, sample_prior
from ...types import DataError
from .simulation import pars_of, spread_of

# --- What decides in fits of images.


@dataclass(frozen=True)
class OrientedSettings:
    """What decides in fits of images."""

    fewest_cells: int = setting(60, "Cells of rings and sectors below which nothing is fitted.")
    misfit: float = setting(
        0.03,
        "A fit within this relative misfit beyond counting noise is verified: detector efficiencies are no"
        " better known.",
    )
    limits: Mapping[str, tuple[float, float]] = setting(
        {"radius": (3.0, 2000.0), "aspect": (0.005, 60.0), "radius_pd": (0.01, 0.5), "p2": (-0.4, 0.95)},
        "What a particle may have: radius, Å, length over diameter or polar over equatorial radius, relative"
        " spread of radii, order parameter of its axes.",
    )
    few_turns: int = setting(6, "Turns of a particle about its axis, over a quarter, in the screening.")
    of_lie: int = setting(2, "Starts of each director and sign of order, of other particles.")
    hopeless: float = setting(3.0, "Factor on the negative log likelihood from which a rival is not refined.")
    first_steps: int = setting(12, "Steps from each start of a particle with more parameters.")
    refits: int = setting(
        2, "Repeated fits, with residuals weighted by the correlated errors of the fit before."
    )
    penumbra: float = setting(
        2.5,
        "Where cells that lack half of their counts are the beamstop's; starting value of the blur by slits.",
        "pixels",
    )
    selector: float = setting(
        0.04, "Spread of wavelengths that is expected where a file says nothing, σ over mean."
    )
    powers: tuple[float, ...] = setting(
        (2.0, 3.0, 4.0),
        "Powers of 1/q of the scattering of slits and windows; sums approximate other powers.",
    )


SETTINGS = OrientedSettings()


# --- Cylinders and ellipsoids, by radius and aspect; other particles by sasmodels' parameters.

#: Fitted if no others are named.
BODIES = ("cylinder", "ellipsoid")
ASPECTS = {
    "cylinder": (0.05, 0.12, 0.3, 0.6, 2.0, 4.0, 8.0, 16.0, 32.0),
    "ellipsoid": (0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 2.0, 4.0, 8.0),
}
#: Extent along the axis as sasmodels names it, over radius times aspect.
EXTENTS = {"cylinder": ("length", 2.0), "ellipsoid": ("radius_polar", 1.0)}
#: Size of shapes of starts, Å, and its spread.
RADIUS, WIDTH = 60.0, 0.12
#: By angles of a particle: shapes of starts, and points of size distributions of starts and of fits.
_SHAPES, _FEW, _POINTS = {2: 96, 3: 48}, {2: 7, 3: 5}, {2: 21, 3: 11}
#: Rounds in which a start is changed at random, changes in each, and their relative size.
_ROUNDS, _CHANGED, _CHANGE = {2: 3, 3: 1}, 6, 0.3
#: ln of the size of a changed shape over `RADIUS`: between two of the sizes that are tried.
_BETWEEN = (-0.05, 0.05)
#: Sizes of shapes over `RADIUS`, and contrasts over that of the part whose density is fixed.
_SIZES, _CONTRAST = (0.08, 25.0), 3.0
#: Sides across the axis, the smaller first, as sasmodels has them.
_SIDES = (("length_a", "length_b"), ("radius_equat_minor", "radius_equat_major"))
#: Models that take minutes for one image.
_TOO_SLOW = frozenset({"superball"})
Values = Mapping[str, float]


class RoundParticle:
    """A cylinder or an ellipsoid by radius, aspect, and the spread of its radius."""

    is_round, steps, starts, rounds, stride = True, OPTIMIZE.steps, START_VALUES.near_fits, 0, 1

    def __init__(self, model: str) -> None:
        self.model = model
        self.names = ("radius", "aspect", "radius_pd")
        self.units = {"radius": "Å", EXTENTS[model][0]: "Å"}

    def limits(self, values: Values) -> dict[str, tuple[float, float]]:
        del values
        return {name: SETTINGS.limits[name] for name in self.names}

    def list_shapes(self, given: Values) -> list[dict[str, float]]:
        del given
        return [dict(zip(self.names, (RADIUS, a, WIDTH), strict=True)) for a in ASPECTS[self.model]]

    def list_changed(self, values: Values, rng: np.random.Generator) -> list[dict[str, float]]:
        del values, rng
        return []

    def enlarge(self, shape: Values, factor: float) -> dict[str, float]:
        return {**shape, "radius": shape["radius"] * factor}

    def parameters(self, values: Values, distribution: str, *, few: bool = False) -> dict[str, Any]:
        del few
        return pars_of(self.model, values["radius"], values["aspect"], values["radius_pd"], distribution)


def _find_across(sizes: Sequence[str]) -> str:
    """The size across the axis, as far as names say."""
    across = [name for name in sizes if name.startswith(("radius", "length_a"))]
    return "radius" if "radius" in across else (across or sizes)[0]


def _sort_sides(values: Values) -> dict[str, float]:
    """Give the smaller of two sides across the axis to the first: seen alike but for their spread."""
    for first, second in _SIDES:
        if {first, second} <= values.keys():
            small, large = sorted((values[first], values[second]))
            values = {**values, first: small, second: large}
    return dict(values)


def _split_densities(parameters: Sequence[Any]) -> tuple[str, list[str]]:
    solvents, parts = list[str](), list[str]()
    for name in (p.name for p in parameters if p.type == "sld"):
        (solvents if "solvent" in name else parts).append(name)
    return "".join(solvents[:1]), parts


def _list_of_shape(table: Any) -> list[Any]:
    return [p for p in table.kernel_parameters if p.type not in ("orientation", "magnetic")]


class Particle:
    """A particle by sasmodels' parameters, one of its sizes distributed. It turns freely about its axis."""

    is_round, steps, starts, stride = False, SETTINGS.first_steps, 4 * SETTINGS.of_lie, 2

    def __init__(self, model: str) -> None:
        self.model, self.info = model, load_model(model).info
        table = self.info.parameters
        self._angles = len(table.orientation_parameters)
        own = _list_of_shape(table)
        self.units = {p.name: unit_text(unit_of(self.info, p.id)) for p in own}
        self._sizes = [p.name for p in own if p.type == "volume" and self.units[p.name] == "Å"]
        self.size = _find_across(self._sizes)
        self._solvent, self._parts = _split_densities(own)
        self.names = (*self.units, f"{self.size}_pd")
        self.rounds = _ROUNDS[self._angles]

    def limits(self, values: Values) -> dict[str, tuple[float, float]]:
        """Ranges of what is fitted: the scale takes up the contrast of the last part."""
        fitted = [name for name in fittable(self.info, values) if name in self.names]
        unfitted = {self._solvent, *self._parts[-1:]}
        ranges = {n: range_of(self.info, n, float(values[n])) for n in fitted if n not in unfitted}
        return ranges | {f"{self.size}_pd": SETTINGS.limits["radius_pd"]}

    def list_shapes(self, given: Values) -> list[dict[str, float]]:
        """Shapes of starts of size `RADIUS`, from what samples of this model are like."""
        rng, shapes, wanted = np.random.default_rng(0), list[dict[str, float]](), _SHAPES[self._angles]
        for _ in range(50 * wanted):
            drawn = _sort_sides(sample_prior(self.model, rng))
            shape = rescale(self.model, drawn, RADIUS / drawn[self.size])
            if self._is_likely(shape):
                shapes.append({**shape, **self._scale_densities(shape, given), f"{self.size}_pd": WIDTH})
            if len(shapes) == wanted:
                break
        return shapes

    def list_changed(self, values: Values, rng: np.random.Generator) -> list[dict[str, float]]:
        """Shapes of size `RADIUS` about those of a start."""
        own = {name: value for name, value in values.items() if name in self.names}
        shape = rescale(self.model, own, float(RADIUS / own[self.size] * np.exp(rng.uniform(*_BETWEEN))))
        ranges = self.limits(shape)
        ranges.pop(self.size, None)
        return [shape | self._change(shape, ranges, rng) for _ in range(_CHANGED)]

    def _change(self, shape: Values, ranges: Mapping[str, Any], rng: np.random.Generator) -> dict[str, float]:
        contrast, moved = self._contrast(shape), {}
        for name, (low, high) in ranges.items():
            step = _CHANGE * float(rng.standard_normal())
            value = shape[name] + step * contrast if name in self._parts else shape[name] * np.exp(step)
            moved[name] = float(np.clip(value, low, high))
        return moved

    def _is_likely(self, shape: Values) -> bool:
        sizes = [shape[name] for name in self._sizes]
        longest = max_length(self.model, shape) or max(sizes)
        return min(sizes) > _SIZES[0] * RADIUS and longest < 2 * _SIZES[1] * RADIUS

    def _scale_densities(self, shape: Values, given: Values) -> dict[str, float]:
        """Densities whose contrasts are to that of the last part as in a shape, about the given solvent."""
        if not self._parts or not self._solvent:
            return {}
        ends = (self._solvent, self._parts[-1])
        fixed = {name: float(given.get(name, default_of(self.info, name))) for name in ends}
        solvent, contrast = fixed[self._solvent], self._contrast(fixed)
        ratios = [(shape[name] - shape[self._solvent]) / self._contrast(shape) for name in self._parts]
        densities = [float(solvent + np.clip(r, -_CONTRAST, _CONTRAST) * contrast) for r in ratios]
        return dict(zip(self._parts, densities, strict=True)) | fixed

    def _contrast(self, values: Values) -> float:
        return values[self._parts[-1]] - values.get(self._solvent, 0.0) if self._parts else 1.0

    def enlarge(self, shape: Values, factor: float) -> dict[str, float]:
        return rescale(self.model, shape, factor)

    def parameters(self, values: Values, distribution: str, *, few: bool = False) -> dict[str, Any]:
        own = {name: value for name, value in values.items() if name in self.names}
        width = spread_of(self.size, distribution, values[f"{self.size}_pd"])
        points = (_FEW if few else _POINTS)[self._angles]
        return own | width | {f"{self.size}_pd_n": points}


@cache
def particle_of(model: str) -> RoundParticle | Particle:
    """Find what is fitted of a particle. Raises DataError where an image cannot be fitted with it."""
    if model in BODIES:
        return RoundParticle(model)
    if "@" in model or "+" in model:
        raise DataError(f"{model}: images are fitted with one particle, without structure factor.")
    if not load_model(model).info.parameters.orientation_parameters:
        raise DataError(
            f"{model}: has no orientation in sasmodels. Choose an oriented model, such as parallelepiped."
        )
    if model in _TOO_SLOW:
        raise DataError(f"{model}: an image takes too long to compute; choose a similar model.")
    return Particle(model)
