"""From a scene to an image and its tags: a tag is given for what can be seen, by its counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ....simulate.dataset import Row
from ....simulate.draws import draw_all
from ....types import Image
from ..labels import LABELS, PARENTS
from ..reading.centre import centre_of
from ..reading.features import window
from . import scenes
from .detector import MEASUREMENT, REFERENCE, STOPS, Place, count_pixels, draw_place, gaps, stop
from .parts import Part, parts_of
from .visibility import (
    Rings,
    interaction_seen,
    measure_visibility,
    paracrystal_seen,
    rings_of,
    spots_seen,
    templates_of,
    unevenness_seen,
)


@dataclass(frozen=True)
class Rules:
    """From when on something is tagged."""

    #: Standard deviations of counting by which something must be seen, while the strengths of all else are
    #: unknown (see `visibility`).
    signal: float = 5.0
    #: Of the sample's counts, for what has no edges of its own: diffuse scattering and halos.
    share: float = 0.04
    #: ring, halo: FWHM over q between which a peak is a ring or a halo, as in the seed.
    ring: tuple[float, float] = (0.004, 0.2)
    halo: tuple[float, float] = (0.28, 0.7)
    many: int = 4  #: More rings than this are many.
    #: weak, strong: mean counts of the sample a pixel below and above which scattering is called so; 128
    #: pixels are the longer side.
    weak: float = 1.0
    strong: float = 300.0
    background: float = 0.5  #: Over the sample's counts, from which on it is high.
    textured: float = 0.25  #: η from which on.
    grains: float = 200.0  #: Grains around a ring up to which a powder is seen as grains.
    disorder: float = 0.05  #: g of a paracrystal from which on.
    #: lattice_rings, spots: rings that must be seen before a lattice is named, and spots before a crystal is.
    lattice_rings: int = 3
    spots: int = 4


RULES = Rules()


def shot(row: Row, rng: np.random.Generator, exposure: float | None = None) -> tuple[Image, dict[str, float]]:
    """Measure a scene of `scenes.row` on a new detector, with tags 0 or 1; exposure is the sample's expected
    counts in the whole image, drawn by default.
    """
    values = draw_all(MEASUREMENT, rng)
    place = draw_place(values, rng)
    q, phi = place.polar()
    kind = list(STOPS)[int(rng.choice(len(STOPS), p=np.array(list(STOPS.values())) / sum(STOPS.values())))]
    shadow, dark = stop(kind, values, place, rng), gaps(values, place.shape, rng)
    resolution = values["resolution"] / REFERENCE
    parts = parts_of(row, q, phi + rng.uniform(0, 2 * np.pi), resolution, rng)
    total = np.sum([part.intensity for part in parts], axis=0) if parts else np.zeros(place.shape)
    lit = ~dark & (shadow == 0)
    # The mean of what meets the detector, without the few pixels next to the beam.
    mean = max(float(total[lit & (q > 0.03)].mean()), 1e-12) if lit.any() else 1.0
    counts = values["counts"] if exposure is None else exposure / total.size
    scale = counts / mean
    ground = counts * (values["high_background"] or values["background"])
    stray = np.exp(-q / values["reach"])
    background = ground + counts * values["parasitic"] * stray / max(float(stray[lit].mean()), 1e-9)
    if not kind and values["direct"] and place.sees_beam:
        background = background + counts * values["direct"] * np.exp(-0.5 * (q / 0.012) ** 2) * 50
    expected = np.minimum(total * scale, 1e9) + background
    lost = float((expected * shadow)[~dark].sum())
    expected = expected * (1 - shadow * (1 - values["transmission"]))
    image = _image(
        count_pixels(expected, values, dark, rng),
        dark | ((shadow > 0) & bool(values["masked"])),
        place,
        values,
        rng,
    )
    tags = _tags(row, _View(parts, scale, q, expected, lit & (q > 0.02), resolution, values["reach"]))
    tags["beam_off_image"] = float(not place.sees_beam)
    if kind:
        masked = float(((shadow > 0) & ~dark).sum()) if values["masked"] else 0.0
        tags[f"{kind}_beamstop"] = float(max(np.sqrt(lost), masked**0.5) >= RULES.signal)
    tags["high_background"] = float(ground >= RULES.background * counts)
    tags["weak_scattering"], tags["strong_scattering"] = (
        float(counts < RULES.weak),
        float(counts > RULES.strong),
    )
    for child, parent in PARENTS.items():
        tags[parent] = max(tags[parent], tags[child])
    return image, tags


def _image(
    counts: Floats,
    masked: NDArray[np.bool_],
    place: Place,
    values: Mapping[str, float],
    rng: np.random.Generator,
) -> Image:
    centre = place.centre
    if values["stated"]:
        centre = tuple(np.asarray(centre) + values["error"] * rng.standard_normal(2))
    else:
        centre = centre_of(counts, ~masked)[0]
    return Image(
        np.where(masked, 0.0, counts), ~masked, window(place.shape, (float(centre[0]), float(centre[1])))
    )


@dataclass(frozen=True)
class _View:
    """What tags are judged by: parts and the factor that makes counts of them, expected counts, pixels that
    count, resolution and reach of slit scattering in q.
    """

    parts: list[Part]
    scale: float
    q: Floats
    expected: Floats
    lit: NDArray[np.bool_]
    resolution: float
    reach: float

    def rings(self) -> Rings:
        """Its pixels by their distance from the beam, in steps of half a pixel at small angles."""
        lit = self.lit
        return rings_of(self.q[lit], self.q[lit] * REFERENCE, self.expected[lit])

    def share(self) -> dict[str, float]:
        """Share of each part in the sample's counts."""
        counts = {part.name: float(part.intensity[self.lit].sum()) for part in self.parts}
        total = max(sum(counts.values()), 1e-12)
        return {name: number / total for name, number in counts.items()}

    def uneven(self, names: set[str], *, grains: bool) -> float:
        """Standard deviations by which texture, or grains, of parts are visible."""
        unevenness = [
            Part(
                part.name,
                part.intensity * self.scale,
                None if part.even is None else part.even * self.scale,
                None if part.textured is None else part.textured * self.scale,
            )
            for part in self.parts
            if part.name in names
        ]
        t = np.maximum(self.expected, 1e-9)
        return unevenness_seen(unevenness, t, self.lit, grains=grains) if unevenness else 0.0


def _tags(row: Row, view: _View) -> dict[str, float]:
    tags = dict.fromkeys(LABELS, 0.0)
    if not view.lit.any():
        return tags
    pixels = view.rings()
    found_templates = templates_of(row, pixels.q, view.resolution, view.reach)
    templates = {name: curve * view.scale for name, curve in found_templates.items()}
    visible, large = _find_visible(view, measure_visibility(templates, pixels.weight))
    tags["diffuse_low_q"], tags["diffuse_high_q"] = float("low_q" in large), float("high_q" in large)
    rings = np.asarray(row["rings"], float)
    visible_rings = _rings_of(visible, rings)
    sharp = [n for n in visible_rings if _is_within(RULES.ring, rings[n])]
    halos = [n for n in _rings_of(large, rings) if _is_within(RULES.halo, rings[n])]
    tags |= _ring_tags(rings, sharp, halos)
    tags |= _uneven_tags(row, view, rings, (sharp, halos), large)
    of_lattice = int(np.count_nonzero(rings[visible_rings, 7]))
    crystal = _spots(view) >= RULES.spots
    tags["single_crystal"] = float(crystal)
    lattice = scenes.lattice_of(row["parameters"])
    # From one side a crystal's spots seldom tell its lattice: along the cube's axis both are squares.
    if lattice in tags:
        tags[lattice] = float(of_lattice >= RULES.lattice_rings)
    interacting = "body" in large and interaction_seen(row, templates, pixels) >= RULES.signal
    tags["structure_factor"] = float(interacting)
    disordered = of_lattice > 0 and row["parameters"]["disorder"] >= RULES.disorder
    if disordered and not interacting:
        signal = paracrystal_seen(row, templates, pixels, view.resolution, view.scale)
        disordered = signal >= RULES.signal
    tags["disordered"] = float(interacting or disordered)
    tags["amorphous"] = float(bool(halos) and not sharp and not crystal)
    return tags


def _find_visible(view: _View, signal: Mapping[str, float]) -> tuple[set[str], set[str]]:
    """Names of what stands out of the counting noise, and of those that have a large share of the counts."""
    share = view.share()
    visible = {name for name in signal if signal[name] >= RULES.signal}
    return visible, {name for name in visible if share.get(name, 0.0) >= RULES.share}


def _rings_of(names: set[str], rings: Floats) -> list[int]:
    return [n for n in range(len(rings)) if f"ring {n}" in names]


def _is_within(limits: tuple[float, float], ring: Floats) -> bool:
    """Whether the width of a ring over its q is."""
    return bool(limits[0] <= ring[1] / ring[0] <= limits[1])


def _ring_tags(rings: Floats, sharp: Sequence[int], halos: Sequence[int]) -> dict[str, float]:
    first = rings[sharp, 0].min() if sharp else np.inf
    orders = (abs(rings[n, 0] / first - k) < 0.01 for n in sharp for k in (2, 3, 4, 5))
    return {
        "ring": float(bool(sharp)),
        "halo": float(bool(halos)),
        "many_rings": float(len(sharp) > RULES.many),
        "higher_orders": float(any(orders)),
    }


def _uneven_tags(
    row: Row,
    view: _View,
    rings: Floats,
    numbers: tuple[Sequence[int], Sequence[int]],
    large: set[str],
) -> dict[str, float]:
    """Return tags of grains and texture; `numbers` of sharp rings and of halos."""
    sharp, halos = numbers
    grainy = {f"ring {n}" for n in sharp if 0 < rings[n, 6] <= RULES.grains}
    uneven = {f"ring {n}" for n in (*sharp, *halos) if rings[n, 3] >= RULES.textured}
    uneven |= {"body"} & large if row["parameters"]["eta"] >= RULES.textured else set()
    return {
        "polycrystalline": float(view.uneven(grainy, grains=True) >= RULES.signal),
        "textured": float(view.uneven(uneven, grains=False) >= RULES.signal),
    }


def _spots(view: _View) -> int:
    with_spots = [part for part in view.parts if part.spots]
    return sum(spots_seen(part, view.expected, view.lit, view.scale, RULES.signal) for part in with_spots)
