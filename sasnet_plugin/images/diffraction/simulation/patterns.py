"""From a sample's parameters to the intensity that it scatters: which body, where, and what is beside it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ....arrays import Floats
from . import bodies
from .bodies import Columns
from .msft import far_field, shift_field
from .samples import SEED, SEED_MORE

#: Grid cells across a body, and points across the window.
CELLS, SIZE = 64, 128
#: Cells of a grid must be this much finer than half a wave at the window's edge.
_FINE = 0.9
#: Decades below the brightest point of the window that are kept.
DECADES = 7.0
#: Where the half that is beside a large body begins, in radii of both.
_TOUCHING = 0.85


def intensity(parameters: Mapping[str, float], size: int = SIZE, cells: int = CELLS) -> Floats:
    """Compute the scattered intensity (size, size) over a square in q, arbitrary scale, 0 outside its
    inscribed circle and for an empty shot. `cells` is the grid across the body.
    """
    kind = list(SEED)[int(parameters["kind"])]
    if kind == "empty":
        return np.zeros((size, size))
    second_kind = list(SEED_MORE)[int(parameters["more"])] if parameters["more"] >= 0 else ""
    # Unit of length: one over q at the window's edge.
    k = 1 / np.sin(parameters["theta"])
    whole = _body(kind, second_kind, parameters, cells)
    field = far_field(whole, k, 1.0, size)
    if second_kind not in ("newton", "double"):
        return _square(field)
    scale = parameters["second" if second_kind == "newton" else "ratio"]
    other_field = far_field(
        _body(kind, "", {**parameters, "size": parameters["size"] * scale}, cells), k, 1.0, size
    )
    if second_kind == "double":
        # Far apart their fringes are finer than a pixel: intensities add up. The smaller flies where the
        # beam is brighter, or it would not be seen.
        first, second = _square(field), _square(other_field)
        return np.asarray(first + second * (parameters["second"] * first.sum() / max(second.sum(), 1e-30)))
    # Path difference ζΔz: so many fringes between the middle and the edge.
    far = 2 * np.pi * parameters["fringes"] / (k - np.sqrt(k * k - 1))
    aside = 2 * np.pi * parameters["aside"]
    place = aside * np.cos(parameters["where"]), aside * np.sin(parameters["where"]), far
    ratio = np.sqrt(_square(field).sum() / max(_square(other_field).sum(), 1e-30)) * parameters["second"]
    return _square(field + np.complex64(ratio) * shift_field(other_field, k, 1.0, place))


def _square(field: NDArray[np.complexfloating]) -> Floats:
    return np.asarray(field.real.astype(np.float64) ** 2 + field.imag.astype(np.float64) ** 2)


def _body(kind: str, second_kind: str, p: Mapping[str, float], cells: int) -> Columns:
    """Make the body on a grid that it fills, about 0; its axis lies in the plane of beam and x."""
    contrast = complex(-p["delta"], p["beta"])
    axis = bodies.direction(p["tilt"], 0.0)
    radius, polar = _semi_axes(kind, p)
    half = 1.02 * max(radius, polar)
    bumped = second_kind == "asymmetric" or kind == "irregular"
    if bumped:
        half = half + p["bump"] * radius * (1 + _TOUCHING)
    half = max(half, 1.0)
    # Finer where a large body needs it: the step must resolve the wave at the edge.
    cells = max(cells, int(np.ceil(2 * half / (np.pi * _FINE))))
    step, x = bodies.grid(half, cells)
    prolate = kind in ("streak", "bent", "streak_bent")

    def chord(scale: float = 1.0) -> bodies.Chord:
        if prolate and p["straight"]:
            return bodies.pill(x, radius * scale, 2 * (polar - radius) * scale, axis)
        return bodies.spheroid(x, radius * scale, polar * scale, axis)

    if bumped:
        small = p["bump"] * radius
        reach = _TOUCHING * (radius + small)
        way = bodies.direction(0.4 * np.sin(p["where"]), p["where"])
        centre = reach * way
        return bodies.fuse_bodies(
            step, chord(), bodies.spheroid(x, small, small, way, (centre[0], centre[1], centre[2])), contrast
        )
    if second_kind == "layered":
        inner = 0.0 if p["hollow"] else contrast * p["denser"]
        return bodies.nest_bodies(step, chord(), chord(p["core"]), contrast, inner)
    return bodies.solid(step, chord(), contrast)


def _semi_axes(kind: str, p: Mapping[str, float]) -> tuple[float, float]:
    """Across and along the axis, such that the mean radius of the shadow is the drawn size."""
    aspect, tilt, size = p["aspect"], p["tilt"], p["size"]
    if kind == "irregular":
        return size, size
    ratio = 1 / aspect if kind in ("round", "elliptical") else aspect
    radius = size / np.sqrt(np.hypot(ratio * np.cos(tilt), np.sin(tilt)))
    return radius, radius * ratio


def as_stored(picture: Floats) -> NDArray[np.float16]:
    """Logarithm, base 10, of an intensity over its largest value; −`DECADES` at least."""
    top = picture.max()
    if top <= 0:
        return np.full(picture.shape, -DECADES, np.float16)
    return np.log10(np.maximum(picture / top, 10**-DECADES)).astype(np.float16)
