"""Lipid bilayers as they are measured: head groups as Gaussians, uneven leaflets, one layer to many, open
or closed.

Formulas: a Gaussian at distance z and of width σ, area A, adds A exp(−q² σ²/2) cos or sin(q z) to a flat
layer's amplitude, and a flat layer's curve is |F|²/q². On a sphere it adds 4π A exp(−q² σ²/2) [R sin(q
R)/q + σ² cos(q R)] (exact for R ≫ σ). Stacks: Caillé's structure factor as Zhang, Suter and Nagle have it
(Phys. Rev. E 50 (1994) 5047).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from . import accepted
from .body import COARSE_Q, Q_TOP, Body, interpolate_on_wide_grid

_EULER = 0.5772156649


@dataclass(frozen=True)
class Profile:
    """Contrast across one bilayer, a sum of Gaussians."""

    #: area, centre, width: (k,), contrast times length, any unit; Å from the middle; standard deviation in Å.
    area: Floats
    centre: Floats
    width: Floats

    def amplitude(self, q: Floats) -> NDArray[np.complex128]:
        """Fourier transform along the normal, (n,)."""
        damped = self.area * np.exp(-0.5 * np.outer(q, self.width) ** 2)
        return np.asarray(np.sum(damped * np.exp(1j * np.outer(q, self.centre)), axis=1))

    def wrap_on_sphere(self, q: Floats, radius: Floats) -> Floats:
        """Amplitude of a vesicle of each radius of the middle, (m, n)."""
        total = np.zeros((len(radius), len(q)))
        for area, centre, width in zip(self.area, self.centre, self.width, strict=True):
            radii = (radius + centre)[:, None]
            wave = radii * np.sin(q * radii) / q + width**2 * np.cos(q * radii)
            total += 4 * np.pi * area * np.exp(-0.5 * (q * width) ** 2) * wave
        return total


def profile(rng: np.random.Generator) -> Profile:
    """Draw a bilayer of 28 to 50 Å between its heads, for X-rays (0.6) or neutrons."""
    # X-rays: heads of 2.5 to 5 Å above water, chains below it, a trough of methyl ends. Neutrons in heavy
    # water: chains far below, heads between. In a third the leaflets differ, by up to 30 %.
    half, head = rng.uniform(14.0, 25.0), rng.uniform(2.5, 5.0)
    uneven = rng.uniform(-0.3, 0.3) if rng.random() < 1 / 3 else 0.0
    # The chains: Gaussians side by side over the thickness, which make a plateau with soft edges.
    chain = half - head
    places = np.linspace(-chain, chain, max(5, int(chain / 2)))
    pitch = places[1] - places[0]
    if rng.random() < 0.6:
        heads, chains, methyl = rng.uniform(0.6, 1.4), -rng.uniform(0.1, 0.5), -rng.uniform(0.3, 1.2)
    else:
        heads, chains, methyl = -rng.uniform(0.1, 0.8), -rng.uniform(0.7, 1.0), -rng.uniform(0.0, 0.2)
    area = [heads * head * 2.5 * (1 + uneven), heads * head * 2.5 * (1 - uneven), methyl * 4.0]
    area += [chains * pitch] * len(places)
    centre = [half * (1 + 0.1 * uneven), -half, 0.0, *places]
    width = [head, head, rng.uniform(2.0, 4.0), *([0.8 * pitch] * len(places))]
    return Profile(np.array(area), np.array(centre), np.array(width))


def caille(q: Floats, spacing: float, layers: int, eta: float) -> Floats:
    """Structure factor per layer (n,) of a stack of fluctuating layers; q in Å⁻¹, spacing in Å, eta is
    Caillé's parameter of the first order, 0 to 0.5.
    """
    phase, strength = q * spacing, eta * (q * spacing / (2 * np.pi)) ** 2
    total = np.ones_like(q)
    for k in range(1, layers):
        decay = np.exp(-strength * (_EULER + np.log(np.pi * k)))
        total += 2 * (1 - k / layers) * np.cos(k * phase) * decay
    return np.asarray(np.maximum(total, 0.0))


def draw_stacks(q: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Structure factor of stacks of 2 to 40 layers of about the same number, some layers alone, and spacing
    in Å.
    """
    # Spacing 45 to 75 Å or, swollen, to 200 Å; η 0.02 to 0.4; up to 40 % of the layers are in no stack.
    spacing = rng.uniform(45, 75) if rng.random() < 0.7 else rng.uniform(75, 200)
    most = int(np.exp(rng.uniform(np.log(2), np.log(40))))
    eta, share_alone = (
        np.exp(rng.uniform(np.log(0.02), np.log(0.4))),
        rng.uniform(0.0, 0.4) * (rng.random() < 0.5),
    )
    sizes = np.unique(np.maximum(2, np.round(most * np.array([0.7, 1.0, 1.3])).astype(int)))
    spacings = spacing * (1 + rng.uniform(0.0, 0.02) * np.array([-1.2, 0.0, 1.2]))
    factor = np.mean([caille(q, d, int(n), eta) for n in sizes for d in spacings], axis=0)
    return np.asarray(share_alone + (1 - share_alone) * factor), spacing


def single(q: Floats, rng: np.random.Generator) -> Floats:
    """Sheets without an end in the window, all directions, (n,)."""
    return np.asarray(np.abs(profile(rng).amplitude(q)) ** 2 / q**2)


def stacks(q: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Such sheets in stacks: their curve, (n,), and the q of their first order, Å⁻¹."""
    factor, spacing = draw_stacks(q, rng)
    return single(q, rng) * factor, 2 * np.pi / spacing


def vesicles(q: Floats, rng: np.random.Generator) -> tuple[Floats, float]:
    """Closed bilayers, mean radius 80 to 800 Å, relative width 0.05 to 0.4: curve, and that radius."""
    mean, sigma = np.exp(rng.uniform(np.log(80), np.log(800))), rng.uniform(0.05, 0.4)
    # Nodes closer than half a wave of the largest q that is resolved; beyond it fringes have gone.
    count = int(np.clip(6 * sigma * mean * 0.15 / np.pi * 2, 40, 300))
    t = np.linspace(-3, 3, count) + rng.uniform(-3, 3) / count
    radius, weight = mean * np.exp(sigma * t), np.exp(-0.5 * t**2)
    layer_profile = profile(rng)
    intensity = weight @ layer_profile.wrap_on_sphere(q, radius) ** 2 / weight.sum()
    # At large q the fringes of the nodes are none of the distribution: what is left is a flat layer's.
    sheet = (
        np.abs(layer_profile.amplitude(q)) ** 2
        * (4 * np.pi) ** 2
        * float(weight @ radius**2 / weight.sum())
        / (2 * q**2)
    )
    share = 1 / (1 + (q * mean * sigma * 6 / count / 1.2) ** 8)
    return share * intensity + (1 - share) * sheet, float(mean)


def bilayer(rng: np.random.Generator) -> Body:
    """One to many bilayers, open or closed."""
    q = COARSE_Q[(COARSE_Q >= 3e-4) & (COARSE_Q <= Q_TOP)]
    kind = rng.random()
    if kind < 0.3:
        return Body("bilayer", interpolate_on_wide_grid(q, single(q, rng)), np.nan, accepted.VESICLE)
    if kind < 0.6:
        return Body("bilayer", interpolate_on_wide_grid(q, vesicles(q, rng)[0]), np.nan, accepted.VESICLE)
    layered, first = stacks(q, rng)
    if kind < 0.9:
        return Body(
            "bilayer",
            interpolate_on_wide_grid(q, layered),
            np.nan,
            accepted.MULTILAYER,
            named_from=1.3 * first,
        )
    # Vesicles with some stacks among them.
    closed = vesicles(q, rng)[0]
    index = np.searchsorted(q, 0.1)
    intensity = closed / closed[index] + np.exp(rng.uniform(-1.5, 1.5)) * layered / layered[index]
    names = (*accepted.VESICLE, *accepted.MULTILAYER)
    return Body(
        "bilayer", interpolate_on_wide_grid(q, intensity), np.nan, names, 1.3 * first, 1.0, second_below=first
    )
