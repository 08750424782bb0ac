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
from ..simulation.form_factors import LN_Q, Q, directed, pars_of
from ..simulation.orientation import in_harmonics, maier_saupe, strength_of
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
    return directed(body, pars_of(body, _RADIUS, aspect, _SPREAD), Q)


def screened(image: Image, bodies: Sequence[str], guess: dict[str, float]) -> list[Start]:
    """Return starts of each body, the nearest first and of different aspects; `guess` as in
    `fit_oriented`.
    """
    # A ring's mean and second harmonic about the director are Σ ⟨P_l⟩ F_l(q) c_lm, m = 0 and 2
    # (`orientation.in_harmonics`). Both directions that the harmonic allows are tried.
    found = polar(image)
    seen = (found.counts.sum(axis=1) > 5) & (found.exposure.sum(axis=1) > 0)
    rate = (found.rate * found.scale)[seen]
    error = rate * np.hypot(1 / np.sqrt(found.counts.sum(axis=1)[seen]), _FLOOR)
    relative, spread = harmonics(found)
    axis = anisotropy([found]).axis
    turns = [axis, axis + 90]
    # The network knows which of the two; it goes first, and both are tried.
    turns.sort(key=lambda turn: abs(np.mod(turn - guess.get("director", turn) + 90, 180) - 90))
    waves = [
        np.real((relative[seen, 0] + 1j * relative[seen, 1]) * np.exp(-2j * np.radians(t))) for t in turns
    ]
    noise = np.hypot(spread[seen, 0], _FLOOR)
    radii = np.geomspace(SETTINGS.radius[0], SETTINGS.radius[1], _RADII)
    ln_q = np.log(RINGS[seen])

    def starts(body: str, aspect: float) -> Iterator[Start]:
        """Yield the start of best radius for each order and direction."""
        table = _table(body, aspect)
        for p2 in P2S:
            of_l = maier_saupe(strength_of(p2)) * in_harmonics().T
            rings, second = table @ of_l[0], table @ of_l[1]
            at = ln_q[None] + np.log(radii / _RADIUS)[:, None]
            mean = np.exp(np.interp(at, LN_Q, np.log(np.maximum(rings, 1e-300))))
            wave = np.interp(at, LN_Q, second / np.maximum(rings, 1e-300))
            profile, share = _profiles(mean, rate, error)
            for turn, wanted in zip(turns, waves, strict=True):
                apart = profile + (((share * wave - wanted) / noise) ** 2).sum(axis=1)
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
    one = mean / size
    a, b, c = (w * one**2).sum(axis=1), (w * one).sum(axis=1), w.sum()
    d, e = (w * one * rate).sum(axis=1), (w * rate).sum()
    det = np.maximum(a * c - b**2, 1e-12 * a * c)
    scale, flat = (d * c - b * e) / det, (a * e - b * d) / det
    only = (flat < 0) | (scale < 0)
    scale = np.where(only, d / a, scale)[:, None]
    flat = np.where(only, 0.0, flat)[:, None]
    fitted = scale * one + flat
    return (w * (fitted - rate) ** 2).sum(axis=1), scale * one / np.maximum(fitted, 1e-300)
