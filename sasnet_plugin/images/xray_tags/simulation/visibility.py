"""What can be seen of a scene in an image: how surely each part is found when all others are unknown.

A ring under its neighbours, a Guinier term under slit scattering or a weak S(q) may have many counts of its
own and still be seen by nobody. Where expected counts are t = Σ a_k c_k with a_k = 1, the Fisher matrix of
the strengths a is F_jk = Σ c_j c_k / t over the pixels, and the strength of part k is known to
σ_k = √(F⁻¹)_kk while those of all others are fitted, too. A part is seen by 1/σ_k standard deviations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from ....simulate.dataset import Row
from .components import FWHM, GRID, peak
from .parts import CURVE_PARTS, Part, curve_on, ring_width

#: Ridge on Fisher's matrix of templates of length 1: two that are alike to a part in 10⁷ are the same.
_RIDGE = 1e-7


@dataclass(frozen=True)
class Rings:
    """What pixels of one distance from the beam know together."""

    q: Floats  #: (n,)
    weight: Floats  #: (n,), σ 1/t over the pixels of each, t the expected counts.


def rings_of(q: Floats, radius: Floats, expected: Floats) -> Rings:
    """Sort usable pixels by half pixels of their radius (pixels, or any steps of equal q)."""
    bins = (2 * radius).astype(int)
    number = np.bincount(bins)
    has_pixels = number > 0
    weight = np.asarray(np.bincount(bins, 1 / np.maximum(expected, 1e-9)), dtype=np.float64)
    return Rings(np.bincount(bins, q)[has_pixels] / number[has_pixels], weight[has_pixels])


def measure_visibility(templates: Mapping[str, Floats], weight: Floats) -> dict[str, float]:
    """Return by how many standard deviations each template's strength (expected counts) is known next to all
    others; `weight` is Σ 1/t.
    """
    length = {name: float(np.sqrt((c * c * weight).sum())) for name, c in templates.items()}
    names = [name for name in templates if length[name] > 0]
    visibility = dict.fromkeys(templates, 0.0)
    if names:
        unit = np.stack([templates[name] * np.sqrt(weight) / length[name] for name in names])
        error = np.diag(np.linalg.inv(unit @ unit.T + _RIDGE * np.eye(len(names))))
        visibility |= {name: length[name] / float(np.sqrt(e)) for name, e in zip(names, error, strict=True)}
    return visibility


def templates_of(row: Row, q: Floats, resolution: float, reach: float) -> dict[str, Floats]:
    """Compute parts of a scene over q without texture, and what may hide them: ground, slit scattering,
    bodies' size. `resolution` is one standard deviation in q; `reach` where slit scattering falls by e.
    """
    log_q = np.log(np.maximum(q, GRID[0]))
    stray = np.exp(-q / reach)
    templates = {"ground": np.ones_like(q), "stray": stray, "stray's reach": q * stray}
    for name, curve in zip(CURVE_PARTS, np.asarray(row["curves"], float), strict=False):
        if curve.any():
            templates[name] = curve_on(curve, log_q)
    if "body" in templates:
        templates["body's size"] = _slope(np.asarray(row["curves"][0], float), log_q)
    for number, (position, fwhm, height, *_) in enumerate(np.asarray(row["rings"], float)):
        if height:
            wide = ring_width(fwhm, resolution)
            templates[f"ring {number}"] = height * (fwhm / wide) * peak(q, position, wide)
    return templates


def interaction_seen(row: Row, templates: Mapping[str, Floats], rings: Rings) -> float:
    """Standard deviations by which bodies differ from dilute ones of any size and spread."""
    dilute = np.asarray(row["curves"][3], float)
    if not dilute.any():
        return 0.0
    log_q = np.log(np.maximum(rings.q, GRID[0]))
    once = np.gradient(dilute, np.log(GRID))
    other_templates = {name: c for name, c in templates.items() if name != "body's size"}
    other_templates |= {
        "dilute": curve_on(dilute, log_q),
        "size": np.interp(log_q, np.log(GRID), once),
        "spread": np.interp(log_q, np.log(GRID), np.gradient(once, np.log(GRID))),
    }
    return measure_visibility(other_templates, rings.weight)["body"]


def paracrystal_seen(
    row: Row, templates: Mapping[str, Floats], rings: Rings, resolution: float, scale: float
) -> float:
    """Return by how many standard deviations peaks widen with the square of their order: the strength of the
    derivative by ln g, with ring strengths and common relative width unknown.
    """
    # Templates of `templates_of` are in counts, `scale` is counts per intensity.
    p = row["parameters"]
    order_squared, order = np.zeros_like(rings.q), np.zeros_like(rings.q)
    for position, fwhm, height, *_, of_lattice in np.asarray(row["rings"], float):
        if not height or not of_lattice:
            continue
        wide, h = ring_width(fwhm, resolution), position / p["first"]
        miss = (rings.q - position) * (FWHM / wide)
        # By the FWHM, at the height that the ring has.
        slope = scale * height * (fwhm / wide) * peak(rings.q, position, wide) * miss**2 * fwhm / wide**2
        order_squared += slope * 2 * (np.pi * p["disorder"] * h) ** 2 * p["first"]
        order += slope * h * p["first"]
    visibility = measure_visibility({**templates, "g": order_squared, "width": order}, rings.weight)
    return visibility["g"]


def unevenness_seen(
    parts: Sequence[Part], expected: Floats, lit: NDArray[np.bool_], *, grains: bool
) -> float:
    """Return by how many standard deviations texture, or grains, of `parts` are visible."""
    # Positions of grains are unknown: their Σ d²/t, t without them, is compared with the scatter √Σ (2 + 1/t)
    # of Σ (n − t)²/t. An arc has few unknowns: √Σ d²/t.
    untextured, near = np.zeros_like(expected), np.zeros(expected.shape, dtype=bool)
    for part in parts:
        if grains and part.textured is not None and part.even is not None:
            untextured += part.intensity - part.textured
            near |= part.even > 0.1 * part.even.max()
        elif not grains and part.even is not None:
            untextured += (part.intensity if part.textured is None else part.textured) - part.even
    near &= lit
    if grains:
        if not near.any():
            return 0.0
        expected_rest = np.maximum(expected[near] - untextured[near], 1e-9)
        return float((untextured[near] ** 2 / expected_rest).sum() / np.sqrt((2 + 1 / expected_rest).sum()))
    return float(np.sqrt((untextured[lit] ** 2 / expected[lit]).sum()))


def spots_seen(part: Part, expected: Floats, lit: NDArray[np.bool_], scale: float, least: float) -> int:
    """Spots of a crystal that are seen by `least` standard deviations each."""
    t, counted = np.maximum(expected.ravel(), 1e-9), lit.ravel()
    number = 0
    for position, spot in part.spots:
        good = counted[position]
        number += int(((spot[good] * scale) ** 2 / t[position[good]]).sum() >= least**2)
    return number


def _slope(curve: Floats, log_q: Floats) -> Floats:
    """d/d ln q of a stored curve, which is what a little larger body changes."""
    return np.asarray(np.interp(log_q, np.log(GRID), np.gradient(curve, np.log(GRID))))
