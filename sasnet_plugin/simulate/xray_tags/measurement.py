"""From a scene to an image and its tags: a tag is given for what can be seen, by its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.xray_tags.features import centre_of, window
from ...domains.xray_tags import LABELS, PARENTS
from ...types import Image
from ..dataset import Row
from . import scenes
from .components import FWHM, GRID, peak, speckle, texture
from .detector import REFERENCE, STOPS, Place, counted, draw_place, drawn_measurement, gaps, stop

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """From when on something is tagged.

    Parameters
    ----------
    signal : float
        √Σ c²/t over the pixels that count, c the expected counts of one part and t of all: how many standard
        deviations of counting a matched filter finds it by.
    share : float
        Of the sample's counts, for what has no edges of its own: diffuse scattering and halos.
    ring, halo : (float, float)
        FWHM over q between which a peak is a ring or a halo, as in the seed.
    many : int
        More rings than this are many.
    weak, strong : float
        Mean counts of the sample a pixel below and above which scattering is called so; 128 pixels are the
        longer side.
    background : float
        Over the sample's counts, from which on it is high.
    textured : float
        η from which on.
    grains : float
        Grains around a ring up to which a powder is seen as grains.
    disorder : float
        g of a paracrystal from which on.
    lattice_rings, spots : int
        Reflections that must be seen before a lattice is named, and before a crystal is.
    """

    signal: float = 5.0
    share: float = 0.04
    ring: tuple[float, float] = (0.004, 0.2)
    halo: tuple[float, float] = (0.28, 0.7)
    many: int = 4
    weak: float = 1.0
    strong: float = 300.0
    background: float = 0.5
    textured: float = 0.25
    grains: float = 200.0
    disorder: float = 0.05
    lattice_rings: int = 3
    spots: int = 4


RULES = Rules()


def shot(row: Row, rng: np.random.Generator, exposure: float | None = None) -> tuple[Image, dict[str, float]]:
    """Measure a scene on a detector drawn anew.

    Parameters
    ----------
    row : mapping
        Of `scenes.row`.
    rng : numpy.random.Generator
    exposure : float, optional
        Expected counts of the sample in the whole image; default: drawn.

    Returns
    -------
    image : Image
    tags : dict of str to float
        0 or 1 of each.
    """
    drawn = drawn_measurement(rng)
    place = draw_place(drawn, rng)
    q, phi = place.polar()
    kind = list(STOPS)[int(rng.choice(len(STOPS), p=np.array(list(STOPS.values())) / sum(STOPS.values())))]
    shadow, dark = stop(kind, drawn, place, rng), gaps(drawn, place.shape, rng)
    parts = parts_of(row, q, phi + rng.uniform(0, 2 * np.pi), drawn["resolution"] / REFERENCE, rng)
    total = np.sum([part for _, part in parts], axis=0) if parts else np.zeros(place.shape)
    lit = ~dark & ~shadow
    # The mean of what meets the detector, without the few pixels next to the beam.
    mean = max(float(total[lit & (q > 0.03)].mean()), 1e-12) if lit.any() else 1.0
    counts = drawn["counts"] if exposure is None else exposure / total.size
    scale = counts / mean
    ground = counts * (drawn["high_background"] or drawn["background"])
    stray = np.exp(-q / drawn["reach"])
    beside = ground + counts * drawn["parasitic"] * stray / max(float(stray[lit].mean()), 1e-9)
    if not kind and drawn["direct"] and place.sees_beam:
        beside = beside + counts * drawn["direct"] * np.exp(-0.5 * (q / 0.012) ** 2) * 50
    expected = np.minimum(total * scale, 1e9) + beside
    lost = float(expected[shadow & ~dark].sum())
    expected = np.where(shadow, expected * drawn["transmission"], expected)
    image = _image(
        counted(expected, drawn, dark, rng), dark | (shadow & bool(drawn["masked"])), place, drawn, rng
    )
    seen = [(name, part * scale) for name, part in parts]
    tags = _tags(row, seen, expected, lit & (q > 0.02))
    tags["beam_off_image"] = float(not place.sees_beam)
    if kind:
        masked = float((shadow & ~dark).sum()) if drawn["masked"] else 0.0
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
    counts: FloatArray,
    masked: NDArray[np.bool_],
    place: Place,
    drawn: Mapping[str, float],
    rng: np.random.Generator,
) -> Image:
    centre = place.centre
    if drawn["stated"]:
        centre = tuple(np.asarray(centre) + drawn["error"] * rng.standard_normal(2))
    else:
        centre = centre_of(counts, ~masked)[0]
    return Image(
        np.where(masked, 0.0, counts), ~masked, window(place.shape, (float(centre[0]), float(centre[1])))
    )


def parts_of(
    row: Row, q: FloatArray, phi: FloatArray, resolution: float, rng: np.random.Generator
) -> list[tuple[str, FloatArray]]:
    """Intensities of a scene's parts on a grid of q and azimuth, each with its name.

    Parameters
    ----------
    row : mapping
        Of `scenes.row`.
    q, phi : (rows, columns) arrays
    resolution : float
        One standard deviation in q, in reference radii.
    rng : numpy.random.Generator
        Of grains.

    Returns
    -------
    list of (str, array)
        ``body``, ``low_q``, ``high_q``, ``ring 0`` …, ``spots``.
    """
    p, found = row["parameters"], []
    log_q = np.log(np.maximum(q, GRID[0]))
    for name, curve in zip(("body", "low_q", "high_q"), np.asarray(row["curves"], float), strict=True):
        if curve.any():
            part = np.exp(np.interp(log_q, np.log(GRID), np.log(np.maximum(curve, 1e-30))))
            if name == "body" and p["eta"]:
                part = part * texture(phi, min(p["eta"], 0.7), 2, 0.0)
            found.append((name, part))
    speckles: FloatArray | None = None
    for number, (at, fwhm, height, eta, fold, chi, grains, _) in enumerate(np.asarray(row["rings"], float)):
        if not height:
            continue
        wide = np.hypot(fwhm, FWHM * resolution)
        part = height * (fwhm / wide) * peak(q, at, wide)
        near = part > 1e-6 * height
        if eta:
            part[near] *= texture(phi[near], eta, fold, chi)
        if grains:
            # A larger ring has more reflections of as many grains.
            speckles = speckle(rng, grains * np.sqrt(number + 1), rng.uniform(0.008, 0.03))
            bins = (phi[near] * (speckles.size / (2 * np.pi))).astype(int) % speckles.size
            part[near] *= speckles[bins]
        found.append((f"ring {number}", part))
    spots = np.asarray(row["spots"], float)
    if spots[:, 2].any():
        x, y = q * np.cos(phi), q * np.sin(phi)
        part = np.zeros_like(q)
        for across, up, strength, fwhm in spots[spots[:, 2] > 0]:
            wide = np.hypot(fwhm, FWHM * resolution)
            far = 2 * wide
            near = (np.abs(x - across) < far) & (np.abs(y - up) < far)
            part[near] += (
                strength * (fwhm / wide) ** 2 * peak(np.hypot(x[near] - across, y[near] - up), 0.0, wide)
            )
        found.append(("spots", part))
    return found


def _tags(
    row: Row, parts: list[tuple[str, FloatArray]], expected: FloatArray, lit: NDArray[np.bool_]
) -> dict[str, float]:
    """What of the sample can be seen."""
    p: Mapping[str, Any] = row["parameters"]
    tags = dict.fromkeys(LABELS, 0.0)
    total = np.maximum(expected[lit], 1e-9)
    sample = max(sum(float(part[lit].sum()) for _, part in parts), 1e-12)
    signal = {name: float(np.sqrt((part[lit] ** 2 / total).sum())) for name, part in parts}
    share = {name: float(part[lit].sum()) / sample for name, part in parts}
    seen = {name for name in signal if signal[name] >= RULES.signal}
    large = {name for name in seen if share[name] >= RULES.share}
    tags["diffuse_low_q"], tags["diffuse_high_q"] = float("low_q" in large), float("high_q" in large)
    rings = np.asarray(row["rings"], float)
    there = [n for n in range(len(rings)) if f"ring {n}" in seen]
    width = {n: rings[n, 1] / rings[n, 0] for n in there}
    sharp = [n for n in there if RULES.ring[0] <= width[n] <= RULES.ring[1]]
    halos = [n for n in there if RULES.halo[0] <= width[n] <= RULES.halo[1] and f"ring {n}" in large]
    tags["ring"], tags["halo"] = float(bool(sharp)), float(bool(halos))
    tags["many_rings"] = float(len(sharp) > RULES.many)
    first = rings[sharp, 0].min() if sharp else np.inf
    tags["higher_orders"] = float(
        any(abs(rings[n, 0] / first - k) < 0.01 for n in sharp for k in (2, 3, 4, 5))
    )
    tags["polycrystalline"] = float(any(0 < rings[n, 6] <= RULES.grains for n in sharp))
    tags["textured"] = float(
        any(rings[n, 3] >= RULES.textured for n in sharp + halos)
        or ("body" in large and p["eta"] >= RULES.textured)
    )
    main, lattice = scenes.main_of(p), scenes.lattice_of(p)
    of_lattice = [n for n in there if rings[n, 7]]
    crystal = main == "crystal" and "spots" in seen and (row["spots"][:, 2] > 0).sum() >= RULES.spots
    tags["single_crystal"] = float(crystal)
    if lattice in tags:
        tags[lattice] = float(crystal or len(of_lattice) >= RULES.lattice_rings)
    interacting = main == "bodies" and "body" in large and p["volume_fraction"] > 0
    tags["structure_factor"] = float(interacting)
    paracrystal = p["disorder"] >= RULES.disorder and bool(of_lattice)
    tags["disordered"] = float(interacting or paracrystal)
    tags["amorphous"] = float(bool(halos) and not sharp and not crystal)
    return tags
