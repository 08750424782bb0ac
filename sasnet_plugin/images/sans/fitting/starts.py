"""Where fits of oriented bodies start: shapes, sizes and order, screened by profile and second harmonic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ....arrays import Floats
from ....types import Image
from ..reading.anisotropy import anisotropy
from ..reading.polar import RINGS, harmonics, polar
from ..simulation.form_factors import LN_Q, Q, compute_legendre, pars_of
from ..simulation.orientation import expand_in_harmonics, maier_saupe, strength_of
from .oriented_settings import SETTINGS

ASPECTS = {
    "cylinder": (2.0, 4.0, 8.0, 16.0, 32.0),
    "ellipsoid": (0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 2.0, 4.0, 8.0),
}
#: Order parameters; a radius whose form factor is moved to all others; their number, and its spread.
P2S = (-0.3, -0.15, 0.15, 0.3, 0.5, 0.7, 0.88)
_RADIUS, _RADII, _SPREAD = 60.0, 60, 0.12
#: Relative error of a ring of a start at least: neither resolution nor the spread of radii are right yet.
_FLOOR = 0.05


@dataclass(frozen=True)
class Start:
    """A start and how far it is from the image."""

    distance: float
    body: str
    values: dict[str, float]


@cache
def _table(body: str, aspect: float) -> Floats:
    """Legendre coefficients on `Q` of a body of `_RADIUS`, (len(Q), len(DEGREES))."""
    return compute_legendre(body, pars_of(body, _RADIUS, aspect, _SPREAD), Q)


def screen_starts(image: Image, bodies: Sequence[str], guess: dict[str, float]) -> list[Start]:
    """Return starts of each body, the nearest first and of different aspects; `guess` as in
    `fit_oriented`.
    """
    # A ring's mean and second harmonic about the director are Σ ⟨P_l⟩ F_l(q) c_lm, m = 0 and 2
    # (`orientation.expand_in_harmonics`). Both directions that the harmonic allows are tried.
    polar_image = polar(image)
    has_counts = (polar_image.counts.sum(axis=1) > 5) & (polar_image.exposure.sum(axis=1) > 0)
    rate = (polar_image.rate * polar_image.scale)[has_counts]
    error = rate * np.hypot(1 / np.sqrt(polar_image.counts.sum(axis=1)[has_counts]), _FLOOR)
    relative, spread = harmonics(polar_image)
    axis = anisotropy([polar_image]).axis
    turns = [axis, axis + 90]
    # The network knows which of the two; it goes first, and both are tried.
    turns.sort(key=lambda turn: abs(np.mod(turn - guess.get("director", turn) + 90, 180) - 90))
    waves = [
        np.real((relative[has_counts, 0] + 1j * relative[has_counts, 1]) * np.exp(-2j * np.radians(t)))
        for t in turns
    ]
    noise = np.hypot(spread[has_counts, 0], _FLOOR)
    radii = np.geomspace(SETTINGS.radius[0], SETTINGS.radius[1], _RADII)
    ln_q = np.log(RINGS[has_counts])

    def starts(body: str, aspect: float) -> Iterator[Start]:
        """Yield the start of best radius for each order and direction."""
        table = _table(body, aspect)
        for p2 in P2S:
            of_l = maier_saupe(strength_of(p2)) * expand_in_harmonics().T
            rings, second = table @ of_l[0], table @ of_l[1]
            log_positions = ln_q[None] + np.log(radii / _RADIUS)[:, None]
            mean = np.exp(np.interp(log_positions, LN_Q, np.log(np.maximum(rings, 1e-300))))
            wave = np.interp(log_positions, LN_Q, second / np.maximum(rings, 1e-300))
            profile, share = _profiles(mean, rate, error)
            for turn, target_wave in zip(turns, waves, strict=True):
                apart = profile + (((share * wave - target_wave) / noise) ** 2).sum(axis=1)
                place = int(np.argmin(apart))
                values = {"radius": float(radii[place]), "aspect": aspect, "radius_pd": _SPREAD}
                yield Start(float(apart[place]), body, {**values, "p2": p2, "director": turn % 180})

    def distance(start: Start) -> float:
        return start.distance

    nearest = [min(starts(body, aspect), key=distance) for body in bodies for aspect in ASPECTS[body]]
    return sorted(nearest, key=distance)


def _profiles(mean: Floats, rate: Floats, error: Floats) -> tuple[Floats, Floats]:
    """χ² of profiles (n, rings) with the best scale and flat background, and the share that is not flat."""
    w = 1 / error**2
    size = mean.max(axis=1, keepdims=True)
    scale_alone = mean / size
    a, b, c = (w * scale_alone**2).sum(axis=1), (w * scale_alone).sum(axis=1), w.sum()
    d, e = (w * scale_alone * rate).sum(axis=1), (w * rate).sum()
    det = np.maximum(a * c - b**2, 1e-12 * a * c)
    scale, flat = (d * c - b * e) / det, (a * e - b * d) / det
    is_single = (flat < 0) | (scale < 0)
    scale = np.where(is_single, d / a, scale)[:, None]
    flat = np.where(is_single, 0.0, flat)[:, None]
    fitted = scale * scale_alone + flat
    return (w * (fitted - rate) ** 2).sum(axis=1), scale * scale_alone / np.maximum(fitted, 1e-300)
