"""Bodies whose amplitude is a sum of cross-sections times profiles along an axis, and their I(q).

Amplitudes of boxes: Mittelbach & Porod, Acta Phys. Austriaca 14 (1961) 185; of cylinders: Guinier & Fournet,
Small-angle scattering of X-rays (1955); core and shell as sums of such. `separable_average` averages them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import pringle
from .separable_average import STEP, Body, Floats, average_orientations, rule
from .size_averages import combinations, list_distributions

#: Directions of an ellipsoid, in each angle of an octant.
_DIRECTIONS = 230


def _sinc(x: Floats) -> Floats:
    return np.asarray(np.sinc(x / np.pi))


def _disk(x: Floats) -> Floats:
    """2 J₁(x)/x."""
    from scipy.special import j1

    safe = np.maximum(x, 1e-8)
    return np.asarray(2 * j1(safe) / safe)


def _sides(qab: Floats, turn: Floats) -> tuple[Floats, Floats]:
    """q along a and b of a box; a quarter of a turn is all that differs."""
    phi = np.pi / 2 * turn
    return qab * np.sin(phi), qab * np.cos(phi)


def _box(a: float, b: float, c: float) -> Body:
    def scatter_across(qab: Floats, turn: Floats) -> list[Floats]:
        qa, qb = _sides(qab, turn)
        return [a * _sinc(qa * a / 2) * b * _sinc(qb * b / 2)]

    return Body(scatter_across, lambda qc: [c * _sinc(qc * c / 2)], np.hypot(a, b) / 2, c / 2)


def _hollow_box(a: float, b: float, c: float, wall: float) -> Body:
    ia, ib, ic = (side - 2 * wall for side in (a, b, c))

    def scatter_across(qab: Floats, turn: Floats) -> list[Floats]:
        qa, qb = _sides(qab, turn)
        return [_sinc(qa * a / 2) * _sinc(qb * b / 2), _sinc(qa * ia / 2) * _sinc(qb * ib / 2)]

    def scatter_along(qc: Floats) -> list[Floats]:
        return [a * b * c * _sinc(qc * c / 2), -ia * ib * ic * _sinc(qc * ic / 2)]

    return Body(scatter_across, scatter_along, np.hypot(a, b) / 2, c / 2)


def _thin_box(a: float, b: float, c: float) -> Body:
    """Six infinitely thin walls (Nayuk & Huber, Z. Phys. Chem. 226 (2012) 837)."""

    def scatter_across(qab: Floats, turn: Floats) -> list[Floats]:
        qa, qb = _sides(qab, turn)
        sa, sb = a / 2 * _sinc(qa * a / 2), b / 2 * _sinc(qb * b / 2)
        # Top and bottom; then the four sides.
        return [8 * sa * sb, 8 * (np.cos(qa * a / 2) * sb + np.cos(qb * b / 2) * sa)]

    def scatter_along(qc: Floats) -> list[Floats]:
        return [np.cos(qc * c / 2), c / 2 * _sinc(qc * c / 2)]

    return Body(scatter_across, scatter_along, np.hypot(a, b) / 2, c / 2)


def _core_shell_box(p: Mapping[str, float]) -> Body:
    """A box with slabs of their own materials on its faces, none at its edges."""
    a, b, c = (p[f"length_{x}"] for x in "abc")
    ta, tb, tc = (p[f"length_{x}"] + 2 * p[f"thick_rim_{x}"] for x in "abc")
    core, da, db, dc = (p[f"sld_{x}"] - p["sld_solvent"] for x in ("core", "a", "b", "c"))

    def scatter_across(qab: Floats, turn: Floats) -> list[Floats]:
        qa, qb = _sides(qab, turn)
        sa, sb = a * _sinc(qa * a / 2), b * _sinc(qb * b / 2)
        rim_a, rim_b = ta * _sinc(qa * ta / 2) - sa, tb * _sinc(qb * tb / 2) - sb
        return [core * sa * sb + da * rim_a * sb + db * sa * rim_b, sa * sb]

    def scatter_along(qc: Floats) -> list[Floats]:
        sc = c * _sinc(qc * c / 2)
        return [sc, dc * (tc * _sinc(qc * tc / 2) - sc)]

    return Body(scatter_across, scatter_along, np.hypot(ta, tb) / 2, tc / 2)


def _radius(minor: float, major: float, turn: Floats) -> Floats:
    """Radius of an ellipse's projection, for directions over half a turn."""
    mean, half = (major**2 + minor**2) / 2, (major**2 - minor**2) / 2
    return np.asarray(np.sqrt(np.maximum(mean - half * np.cos(np.pi * turn), 0.0)))


def _elliptic_cylinder(minor: float, ratio: float, length: float) -> Body:
    def scatter_across(qab: Floats, turn: Floats) -> list[Floats]:
        return [np.pi * minor**2 * ratio * _disk(qab * _radius(minor, minor * ratio, turn))]

    def scatter_along(qc: Floats) -> list[Floats]:
        return [length * _sinc(qc * length / 2)]

    return Body(scatter_across, scatter_along, minor * max(ratio, 1.0), length / 2)


def _elliptic_bicelle(p: Mapping[str, float], *, belt: bool) -> Body:
    """A core, faces above and below it, and a rim around both, or with a belt around the core alone."""
    minor, major = p["radius"], p["radius"] * p["x_core"]
    rim, face, length = p["thick_rim"], p["thick_face"], p["length"]
    solvent, core_sld = p["sld_solvent"], p["sld_core"]
    face_sld, rim_sld = p["sld_face"], p["sld_rim"]
    tall = length + 2 * face
    core = np.pi * minor * major * length
    faced = np.pi * minor * major * tall
    rimmed = np.pi * (minor + rim) * (major + rim) * (length if belt else tall)

    def scatter_across(qab: Floats, turn: Floats) -> list[Floats]:
        r = _radius(minor, major, turn)
        return [_disk(qab * r), _disk(qab * (r + rim))]

    def scatter_along(qc: Floats) -> list[Floats]:
        short, whole = _sinc(qc * length / 2), _sinc(qc * tall / 2)
        if belt:
            inner = core * (core_sld + solvent - rim_sld - face_sld) * short
            return [
                inner + faced * (face_sld - solvent) * whole,
                rimmed * (rim_sld - solvent) * short,
            ]
        return [
            core * (core_sld - face_sld) * short + faced * (face_sld - rim_sld) * whole,
            rimmed * (rim_sld - solvent) * whole,
        ]

    return Body(scatter_across, scatter_along, max(minor, major) + rim, tall / 2)


def sphere_amplitude(x: Floats) -> Floats:
    """Form amplitude of a sphere, of q R."""
    small = x < 1e-2
    safe = np.where(small, 1.0, x)
    return np.where(small, 1 - x**2 / 10, 3 * (np.sin(safe) - safe * np.cos(safe)) / safe**3)


def _ellipsoid(a: float, b: float, c: float, q: Floats) -> Floats:
    """Seen along a direction it is a sphere of a radius r of its own: the average over directions is one over
    r, whose distribution is made once (Finnigan & Jacobs, J. Phys. D 4 (1971) 72).
    """
    u, weight = rule(_DIRECTIONS)
    cosine, phi = u[:, None], np.pi / 2 * u[None, :]
    r = np.sqrt((1 - cosine**2) * ((a * np.cos(phi)) ** 2 + (b * np.sin(phi)) ** 2) + (c * cosine) ** 2)
    low, high = float(min(a, b, c)), float(max(a, b, c))
    steps = int(np.clip((high - low) * q[-1] / (STEP / 2), 50, 2500))
    # Each direction's weight goes to the two radii beside its own.
    position = np.clip((r - low) / max(high - low, 1e-12) * steps, 0.0, steps - 1e-9).ravel()
    index, weights = position.astype(np.intp), np.outer(weight, weight).ravel()
    share = np.bincount(index, weights * (1 - position + index), steps + 1)
    share += np.bincount(index + 1, weights * (position - index), steps + 1)
    amplitude = sphere_amplitude(q[:, None] * np.linspace(low, high, steps + 1))
    return np.asarray((4 / 3 * np.pi * a * b * c) ** 2 * (amplitude**2 @ share))


def _sides_of(p: Mapping[str, float]) -> tuple[float, float, float]:
    a = p["length_a"]
    return a, a * p["b2a_ratio"], a * p["c2a_ratio"]


_BODIES: dict[str, Callable[[Mapping[str, float]], Body]] = {
    "core_shell_bicelle_elliptical": lambda p: _elliptic_bicelle(p, belt=False),
    "core_shell_bicelle_elliptical_belt_rough": lambda p: _elliptic_bicelle(p, belt=True),
    "core_shell_parallelepiped": _core_shell_box,
    "elliptical_cylinder": lambda p: _elliptic_cylinder(p["radius_minor"], p["axis_ratio"], p["length"]),
    "hollow_rectangular_prism": lambda p: _hollow_box(*_sides_of(p), p["thickness"]),
    "hollow_rectangular_prism_thin_walls": lambda p: _thin_box(*_sides_of(p)),
    "parallelepiped": lambda p: _box(p["length_a"], p["length_b"], p["length_c"]),
    "rectangular_prism": lambda p: _box(*_sides_of(p)),
}
#: Models that `intensity` knows; a pringle's thickness, too, is a factor of its own.
SEPARABLE = frozenset({*_BODIES, "triaxial_ellipsoid", "pringle"})


def intensity(name: str, q: Floats, parameters: Mapping[str, Any]) -> Floats:
    """Return I(q) of one of `SEPARABLE` up to a factor, (n,); q in Å⁻¹, ascending; sasmodels' parameters with
    distributions of lengths.
    """
    wide = [key.removesuffix("_pd") for key in parameters if key.endswith("_pd") and parameters[key] > 0]
    single = {key: value for key, value in parameters.items() if "_pd" not in key}
    distributions, total = list_distributions(parameters), np.zeros_like(q)
    if name == "pringle":
        thick = [key for key in wide if key == "thickness"]
        thicknesses = [(w, (single | size)["thickness"]) for w, size in combinations(thick, distributions)]
        for weight, sizes in combinations([key for key in wide if key not in thick], distributions):
            p = single | sizes
            total += weight * pringle.intensity(q, p["radius"], p["alpha"], p["beta"], thicknesses)
        return total
    for weight, sizes in combinations(wide, distributions):
        total += weight * _compute_square(name, q, single | sizes)
    return total


def _compute_square(name: str, q: Floats, parameters: Mapping[str, Any]) -> Floats:
    """⟨F²⟩ of one size, F the amplitude times the volume."""
    if name == "triaxial_ellipsoid":
        return _ellipsoid(
            parameters["radius_equat_minor"], parameters["radius_equat_major"], parameters["radius_polar"], q
        )
    intensities = average_orientations(_BODIES[name](parameters), q)
    if name == "core_shell_bicelle_elliptical_belt_rough":
        intensities = intensities * np.exp(-0.5 * (q * parameters["sigma"]) ** 2)
    return intensities
