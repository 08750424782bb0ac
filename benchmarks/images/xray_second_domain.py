"""A second, differently built set of X-ray images, for transfer: no code shared with the simulator.

A CCD behind a fibre taper instead of a counting detector: 160 × 120 pixels, blurred, an offset, read noise,
gain; no gaps. Lorentzian peaks at q ratios written by hand, Gaussian arcs, grains as single spots, spheres by
their formula with S = 1/(1 + 8φ f(2qR)) (P. Debye, 1927), background that slopes. Tags by contrast: what
stands out by a share of its ground.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

ROWS, COLUMNS = 120, 160
SQUARES = {
    "bcc": (2, 4, 6, 8, 10, 12),
    "fcc": (3, 4, 8, 11, 12, 16),
    "lamellar": (1, 4, 9, 16, 25),
    "hexagonal": (1, 3, 4, 7, 9, 12),
}
OFFSET, READ = 40.0, 4.0
#: Least contrast over the ground at which something is tagged.
SEEN = 0.15


def image(rng: np.random.Generator) -> tuple[np.ndarray, set[str], tuple[float, float]]:
    """Counts of one image, its tags, and the beam's column and row."""
    tags: set[str] = set()
    centre = np.array([COLUMNS, ROWS]) * rng.uniform(0.35, 0.65, 2)
    if rng.random() < 0.08:
        tags.add("beam_off_image")
        centre = np.array([rng.choice([-0.08, 1.08]) * COLUMNS, ROWS * rng.uniform(0.2, 0.8)])
    y, x = np.mgrid[:ROWS, :COLUMNS]
    x, y = x - centre[0], y - centre[1]
    r, phi = np.hypot(x, y), np.arctan2(y, x)
    ground = np.full(r.shape, float(np.exp(rng.uniform(np.log(0.002), np.log(0.05)))))
    ground *= 1 + 0.15 * rng.normal() * x / COLUMNS
    if rng.random() < 0.2:
        tags.add("high_background")
        ground += rng.uniform(0.7, 2)
    found = ground + rng.uniform(0, 0.6) * np.exp(-r / rng.uniform(3, 9))
    if rng.random() < 0.4:
        tags.add("diffuse_low_q")
        length = rng.uniform(4, 14)
        found = found + rng.uniform(0.5, 4) * (1 + (r / length) ** 2) ** -rng.uniform(0.8, 2)
    if rng.random() < 0.08:
        tags.add("diffuse_high_q")
        found = found + rng.uniform(0.4, 1.5) * (1 - np.exp(-((r / rng.uniform(30, 70)) ** 2)))
    arcs = np.ones_like(r)
    textured = rng.random() < 0.35
    if textured:
        axis, width = rng.uniform(0, np.pi), rng.uniform(0.15, 0.5)
        turn = (phi - axis + np.pi / 2) % np.pi - np.pi / 2
        arcs = 0.15 + 2.5 * np.exp(-0.5 * (turn / width) ** 2)
    kind = rng.choice(
        ["lattice", "rings", "halo", "spheres", "crystal", "none"], p=[0.3, 0.2, 0.15, 0.15, 0.08, 0.12]
    )
    sharp = 0
    if kind in ("lattice", "rings"):
        first, width = rng.uniform(14, 32), rng.uniform(1.2, 3.5)
        name = str(rng.choice(list(SQUARES))) if kind == "lattice" else ""
        at = (
            first * np.sqrt(np.array(SQUARES[name]) / SQUARES[name][0])
            if name
            else first * rng.uniform(1, 2.8, rng.integers(1, 4))
        )
        heights = np.exp(-rng.uniform(0.05, 0.5) * np.arange(at.size)) * rng.uniform(0.6, 3)
        coarse = rng.random() < 0.2
        for place, height in zip(at, heights, strict=True):
            near = np.abs(r - place) < 3
            if near.sum() < 60 or height < SEEN * np.median(found[near]):
                continue
            sharp += 1
            line = height / (1 + ((r - place) / width) ** 2)
            if coarse:
                spots = np.zeros(720)
                spots[rng.integers(720, size=int(rng.integers(10, 50)))] = rng.exponential(1, 1)
                spots = gaussian_filter(spots, 4, mode="wrap")
                line = line * (spots / spots.mean())[(phi / (2 * np.pi) % 1 * 720).astype(int) % 720]
            found = found + line * arcs
        tags |= {"ring"} if sharp else set()
        tags |= {"many_rings"} if sharp > 4 else set()
        tags |= {"polycrystalline"} if coarse and sharp else set()
        tags |= (
            {"higher_orders"}
            if name and sharp >= (3 if name in ("bcc", "hexagonal", "fcc") else 2)
            else set()
        )
        tags |= {name} if name in ("bcc", "fcc") and sharp >= 3 else set()
    elif kind == "halo":
        place = rng.uniform(25, 55)
        found = (
            found
            + rng.uniform(0.6, 3)
            * np.exp(-0.5 * ((r - place) / (place * rng.uniform(0.14, 0.24))) ** 2)
            * arcs
        )
        tags |= {"halo", "amorphous"}
    elif kind == "spheres":
        radius = rng.uniform(0.06, 0.25)
        z = np.maximum(r * radius, 1e-3)
        form = (3 * (np.sin(z) - z * np.cos(z)) / z**3) ** 2
        if rng.random() < 0.6:
            fraction = rng.uniform(0.2, 0.45)
            z2 = 2 * z
            form = form / (1 + 8 * fraction * 3 * (np.sin(z2) - z2 * np.cos(z2)) / z2**3)
            tags |= {"structure_factor", "disordered"}
        found = found + rng.uniform(2, 8) * gaussian_filter(form, 1.5)
        textured = False
    elif kind == "crystal":
        a, angle = rng.uniform(14, 30), rng.uniform(0, np.pi)
        base = a * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        if rng.random() < 0.5:
            base[1] = base[0] * 0.5 + base[1] * np.sqrt(3) / 2
        for h in range(-6, 7):
            for k in range(-6, 7):
                spot = h * base[0] + k * base[1]
                if (h, k) != (0, 0):
                    found = found + 4 * rng.exponential() * np.exp(
                        -((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / 6
                    )
        tags |= {"single_crystal"}
        textured = False
    if textured and (sharp or kind == "halo"):
        tags.add("textured")
    stop = str(rng.choice(["circular", "linear", "wedge", ""], p=[0.2, 0.45, 0.15, 0.2]))
    if stop and "beam_off_image" not in tags:
        tags.add(f"{stop}_beamstop")
        half = {"circular": rng.uniform(5, 10), "linear": rng.uniform(2, 4), "wedge": 0.0}[stop]
        shadow = r < half
        if stop == "linear":
            shadow |= (np.abs(x) < half) & (y > -half)
        if stop == "wedge":
            shadow = np.abs(x) < (y + 5) * rng.uniform(0.1, 0.22)
        found = found * (1 - 0.995 * gaussian_filter(shadow.astype(float), 0.6))
    level = float(np.exp(rng.uniform(np.log(0.2), np.log(2000))))
    tags |= {"weak_scattering"} if level < 1 else {"strong_scattering"} if level > 300 else set()
    sample = np.maximum(found - ground, 0)
    expected = found * level / max(float(sample.mean()), 1e-6)
    seen = gaussian_filter(rng.poisson(np.minimum(expected, 1e8)).astype(float), 0.7)
    counts = seen * rng.uniform(0.9, 1.1) + OFFSET + READ * rng.normal(size=r.shape) * min(1.0, level)
    # The dark image is taken off, as every user does.
    return np.maximum(counts - OFFSET, 0), tags, (float(centre[0]), float(centre[1]))
