"""Simulated series of frames: a sample that changes or not; intensity and background always drift."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

os.environ.setdefault("SAS_OPENCL", "none")

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.types import Curve

Floats = NDArray[np.float64]
KINDS = ("sphere to ellipsoid", "dilute to interacting", "one to two populations", "growth")
#: Points of a frame; relative error of its brightest point, and counts in the fourth that is weakest.
POINTS = 150
SYSTEMATIC, COUNTS = 0.005, (30.0, 1000.0)


@dataclass(frozen=True)
class Series:
    """A sample against the number of the frame."""

    name: str  #: One of `KINDS`, or "nothing".
    q: Floats  #: (n,), Å⁻¹.
    clean: Callable[[int], Floats]  #: From a frame's number, from 1, to I(q).
    first: int  #: First frame that differs; 0 for none.
    frames: int


def curve(model: str, q: Floats, **parameters: float) -> Floats:
    """I(q) of a model of sasmodels without background."""
    from sasmodels.core import load_model
    from sasmodels.direct_model import call_kernel

    if model not in _MODELS:
        _MODELS[model] = load_model(model, dtype="double", platform="dll")
    found = call_kernel(_MODELS[model].make_kernel([q]), {"background": 0.0, **parameters})
    return np.asarray(found, dtype=np.float64)


_MODELS: dict[str, object] = {}


def drawn(kind: str, rng: np.random.Generator, frames: int = 80) -> Series:
    """A series of a kind with the change somewhere in its middle."""
    radius = float(np.exp(rng.uniform(np.log(20), np.log(80))))
    q = np.geomspace(rng.uniform(0.2, 0.6) / radius, rng.uniform(5, 12) / radius, POINTS)
    width = {"radius_pd": float(rng.uniform(0.05, 0.15)), "radius_pd_n": 31.0}
    before = curve("sphere", q, radius=radius, **width)
    first = int(rng.integers(frames // 4, 3 * frames // 4))
    if kind == "growth":
        rate = float(rng.uniform(0.005, 0.02))

        def grown(frame: int) -> Floats:
            times = max(frame - first + 1, 0)
            return curve("sphere", q, radius=radius * (1 + rate) ** times, **width) if times else before

        return Series(kind, q, grown, first, frames)
    after = _after(kind, q, radius, width, before, rng)
    if after is None:
        return Series("nothing", q, lambda frame: before, 0, frames)
    return Series(kind, q, lambda frame: after if frame >= first else before, first, frames)


def _after(
    kind: str, q: Floats, radius: float, width: dict[str, float], before: Floats, rng: np.random.Generator
) -> Floats | None:
    if kind == "sphere to ellipsoid":
        ratio = float(rng.uniform(1.3, 2.0)) ** rng.choice((-1, 1))
        equatorial = radius * ratio ** (-1 / 3)
        wide = {f"radius_equatorial{k.removeprefix('radius')}": v for k, v in width.items()}
        return curve("ellipsoid", q, radius_equatorial=equatorial, radius_polar=ratio * equatorial, **wide)
    if kind == "dilute to interacting":
        fraction = float(rng.uniform(0.05, 0.25))
        return curve("sphere@hardsphere", q, radius=radius, volfraction=fraction, **width)
    if kind == "one to two populations":
        other = curve("sphere", q, radius=radius * float(rng.uniform(1.6, 4.0)), **width)
        share = float(rng.uniform(0.1, 0.5))
        return before + share * before.max() * other / other.max()
    return None


def measured(series: Series, rng: np.random.Generator) -> Iterator[Curve]:
    """Frames as an instrument gives them.

    The intensity wanders by a fifth, the flat background by a half, and stated uncertainties are wrong by a
    factor of 0.5 to 2 that all frames share.
    """
    start = series.clean(1)
    top = float(start.max())
    counts = float(np.exp(rng.uniform(*np.log(COUNTS))))
    expected = (start / top + 1e-3) * series.q**2
    per_unit = counts / float(np.quantile(expected, 0.25))
    level = 10 ** rng.uniform(-4, -2)
    waves = rng.uniform(20, 200, 2), rng.uniform(0, 2 * np.pi, 2)
    wrong = float(np.exp(rng.uniform(np.log(0.5), np.log(2.0))))
    for frame in range(1, series.frames + 1):
        scale, background = 1 + np.array((0.2, 0.5)) * np.sin(2 * np.pi * frame / waves[0] + waves[1])
        scale *= 1 + 0.01 * rng.standard_normal()
        true = scale * series.clean(frame) / top + level * background
        n = np.maximum(true * series.q**2 * per_unit, 1e-9)
        sigma = true * np.hypot(1 / np.sqrt(n), SYSTEMATIC)
        noisy = true + sigma * rng.standard_normal(series.q.size)
        yield Curve(series.q, noisy, wrong * sigma, file=f"{series.name} {frame:05d}.dat")
