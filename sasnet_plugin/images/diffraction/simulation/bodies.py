"""Bodies as a beam sees them: where each line along it enters and leaves, and what is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....arrays import Floats

#: Where a line enters and leaves a convex body, (n, n) each; equal where it misses.
Chord = tuple[Floats, Floats]


@dataclass(frozen=True)
class Columns:
    """A body on a square grid across the beam."""

    step: float  #: Of the grid, whose middle is at 0; any unit of length, the same for all.
    edges: Floats  #: (m + 1, n, n), along the beam, ascending: where the material changes.
    #: tuple of m complex, n − 1 of the refractive index n = 1 − δ + iβ between two edges.
    contrast: tuple[complex, ...]

    @property
    def half_depth(self) -> float:
        """Largest distance from the plane z = 0."""
        return float(np.abs(self.edges).max())


def grid(half: float, n: int) -> tuple[float, Floats]:
    """Step and places, (n,), of a grid of n cells that reaches from −half to half."""
    step = 2 * half / n
    return step, np.asarray((np.arange(n) - (n - 1) / 2) * step, dtype=np.float64)


def direction(tilt: float, turn: float) -> Floats:
    """Unit vector of an axis that leaves the plane across the beam by `tilt`, turned by `turn` in it,
    radians.
    """
    return np.array([np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)])


def spheroid(
    x: Floats,
    radius: float,
    polar: float,
    axis: Floats,
    centre: tuple[float, float, float] = (0, 0, 0),
) -> Chord:
    """Chords on a grid of an ellipsoid with `radius` across and `polar` along its unit axis."""
    # r·M·r = 1 with M = (1 − u uᵀ)/a² + u uᵀ/c², a quadratic in z.
    m = (np.eye(3) - np.outer(axis, axis)) / radius**2 + np.outer(axis, axis) / polar**2
    across, up = x[None, :] - centre[0], x[:, None] - centre[1]
    b = (m[0, 2] * across + m[1, 2] * up) / m[2, 2]
    c = (m[0, 0] * across**2 + 2 * m[0, 1] * across * up + m[1, 1] * up**2 - 1) / m[2, 2]
    half = np.sqrt(np.maximum(b * b - c, 0.0))
    return centre[2] - b - half, centre[2] - b + half


def pill(x: Floats, radius: float, length: float, axis: Floats) -> Chord:
    """Chords of a cylinder of `length` between two half spheres of its radius, about 0."""
    # A capsule is convex: its chord is the hull of the chords of cylinder and spheres.
    across, up = x[None, :], x[:, None]
    along = across * axis[0] + up * axis[1]
    s2 = max(1 - axis[2] ** 2, 1e-12)
    b = -along * axis[2] / s2
    c = (across**2 + up**2 - along**2 - radius**2) / s2
    half = np.sqrt(np.maximum(b * b - c, 0.0))
    w = axis[2] if abs(axis[2]) > 1e-9 else 1e-9
    ends = np.sort(np.stack([(-length / 2 - along) / w, (length / 2 - along) / w]), axis=0)
    low, high = np.maximum(-b - half, ends[0]), np.minimum(-b + half, ends[1])
    missed = (b * b < c) | (low >= high)
    chords = [(np.where(missed, np.inf, low), np.where(missed, -np.inf, high))]
    for side in (-0.5, 0.5):
        end = side * length * axis
        first, last = spheroid(x, radius, radius, axis, (end[0], end[1], end[2]))
        hit = last > first
        chords.append((np.where(hit, first, np.inf), np.where(hit, last, -np.inf)))
    low, high = np.min([a for a, _ in chords], axis=0), np.max([b for _, b in chords], axis=0)
    outside = low >= high
    return np.where(outside, 0.0, low), np.where(outside, 0.0, high)


def solid(step: float, chord: Chord, contrast: complex) -> Columns:
    """A convex body of one material."""
    return Columns(step, np.stack(chord), (contrast,))


def nest_bodies(step: float, shell: Chord, core: Chord, outer: complex, inner: complex) -> Columns:
    """A convex body within another."""
    middle = (shell[0] + shell[1]) / 2
    hit = core[1] > core[0]
    a, b = (np.where(hit, np.clip(edge, *shell), middle) for edge in core)
    return Columns(step, np.stack([shell[0], a, b, shell[1]]), (outer, inner, outer))


def fuse_bodies(step: float, first_body: Chord, two: Chord, contrast: complex) -> Columns:
    """Two convex bodies of one material that touch or overlap."""
    hits = [chord[1] > chord[0] for chord in (first_body, two)]
    # Where one of them is missed the other stands for both.
    a = [np.where(hits[0], first_body[k], two[k]) for k in (0, 1)]
    b = [np.where(hits[1], two[k], first_body[k]) for k in (0, 1)]
    first = np.where(a[0] <= b[0], a, b)
    second = np.where(a[0] <= b[0], b, a)
    gap = np.maximum(second[0], first[1])
    end = np.maximum(first[1], second[1])
    return Columns(step, np.stack([first[0], first[1], gap, np.maximum(end, gap)]), (contrast, 0.0, contrast))
