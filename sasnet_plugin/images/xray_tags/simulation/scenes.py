"""What scenes are drawn from: which parts a sample has, how strong they are, on what ground."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ....arrays import Floats
from ....simulate.dataset import Row
from ....simulate.draws import Prior, draw_all
from .components import BODIES, DIFFUSE, GRID, body, diffuse_high_q, diffuse_low_q, paracrystal_width
from .lattices import LATTICES, crystal, powder

#: What a sample mainly is, and how often.
MAIN = {"lattice": 25, "crystal": 3, "rings": 20, "halos": 16, "bodies": 24, "nothing": 10}
#: How often each lattice is.
LATTICE = {"bcc": 17, "fcc": 22, "hcp": 14, "lamellar": 19, "hexagonal": 17, "gyroid": 8}
#: Rings and spots that are kept, and curves: bodies, diffuse at low q, diffuse at high q, and what
#: interacting bodies would scatter if they were dilute, which is compared with the image, no part of it.
RINGS, SPOTS, CURVES = 14, 72, 4
#: Columns of a ring: place, FWHM and height; η, m and χ of its texture; grains (0: powder); 1 of a
#: lattice.
RING_COLUMNS = 8

PRIORS = {
    "first": Prior(
        "loguniform 0.1 0.6", "", "q of the first ring, peak or halo, of q at the reference radius"
    ),
    "width": Prior("loguniform 0.005 0.1", "", "FWHM of rings over their q; up to 0.2 of plain ones"),
    "halo": Prior("uniform 0.3 0.6", "", "FWHM of halos over their q"),
    "disorder": Prior("uniform 0.06 0.12", "", "g of a paracrystal: neighbours' distances scatter so", 0.25),
    "debye_waller": Prior("loguniform 0.05 0.5", "", "σ of exp(−σ²q²), in one over the first ring's q"),
    "eta": Prior("uniform 0.3 0.85", "", "η of the texture; of rings, halos and bodies", 0.25),
    "grains": Prior("loguniform 8 150", "", "grains around a ring of a coarse powder", 0.25),
    "low_q": Prior("loguniform 0.15 8", "", "diffuse scattering at low q over the main part", 0.55),
    "high_q": Prior("loguniform 0.3 3", "", "diffuse scattering at high q over the main part", 0.12),
    "sigma": Prior("loguniform 0.6 3", "", "σ of 1 − exp(−σ²q²), in one over the reference q"),
    "also_ring": Prior("loguniform 0.1 1", "", "a ring besides, over the main part", 0.12),
    "also_halo": Prior("loguniform 0.2 2", "", "a halo besides, over the main part", 0.1),
    "size": Prior("loguniform 2 30", "", "radius of bodies times the reference q"),
    "spread": Prior("uniform 0.03 0.25", "", "relative width of its distribution"),
    "volume_fraction": Prior("uniform 0.2 0.5", "", "of bodies as hard spheres", 0.45),
    "thick": Prior(
        "uniform 0.04 0.15",
        "",
        "reflections of a crystal are lit so far off Ewald's sphere, in first rings' q",
    ),
    "spot": Prior("loguniform 0.01 0.03", "", "FWHM of a crystal's spots, of the reference q"),
}


def draw_scene(rng: np.random.Generator) -> dict[str, float]:
    """Draw what a sample holds: values of `PRIORS`, ``main`` and ``lattice`` (−1: none) as indices into
    `MAIN` and `LATTICE`, and the ``seed`` of what `row` draws.
    """
    values = draw_all(PRIORS, rng)
    main = _choose(rng, MAIN)
    lattice = _choose(rng, LATTICE) if main in ("lattice", "crystal") else ""
    while main == "crystal" and lattice == "lamellar":
        lattice = _choose(rng, LATTICE)
    if main == "nothing":
        values["low_q"] = values["low_q"] or PRIORS["low_q"](np.random.default_rng(1)) or 1.0
    return {
        **values,
        "main": float(list(MAIN).index(main)),
        "lattice": float(list(LATTICE).index(lattice)) if lattice else -1.0,
        "seed": float(rng.integers(2**40)),
    }


def main_of(p: Mapping[str, float]) -> str:
    return list(MAIN)[int(p["main"])]


def lattice_of(p: Mapping[str, float]) -> str:
    """Its lattice; empty for none."""
    return list(LATTICE)[int(p["lattice"])] if p["lattice"] >= 0 else ""


def row(p: Mapping[str, float]) -> Row:
    """Turn a scene into ``parameters``; ``curves`` (CURVES, n) on `components.GRID`: bodies, diffuse low and
    high q, bodies if dilute, each of mean 1 over the reference circle or 0; ``rings`` (RINGS, RING_COLUMNS);
    ``spots`` (SPOTS, 4): q across and up, strength, FWHM. Absent ones have height 0.
    """
    rng = np.random.default_rng(int(p["seed"]))
    main, lattice = main_of(p), lattice_of(p)
    rings: list[tuple[float, ...]] = []
    curves = np.zeros((CURVES, GRID.size))
    spots = np.zeros((SPOTS, 4))
    if main == "lattice":
        rings += _lattice_rings(p, lattice, rng)
    elif main == "rings":
        rings += _plain_rings(p, rng)
    elif main == "halos":
        position = 0.5 * (p["first"] + 0.6)
        rings += _rings(p, rng, [(position, p["halo"] * position, 1.0)], 1.0)
        if rng.random() < 0.4:
            further = position * rng.uniform(1.6, 2.1)
            rings += _rings(p, rng, [(further, rng.uniform(0.3, 0.5) * further, 1.0)], rng.uniform(0.2, 0.8))
    elif main == "bodies":
        name = list(BODIES)[int(rng.integers(len(BODIES)))]
        curves[0] = _mean_one(body(name, p["size"], p["spread"], p["volume_fraction"]))
        if p["volume_fraction"]:
            curves[3] = _mean_one(body(name, p["size"], p["spread"], 0.0))
    elif main == "crystal":
        spots = _spots(p, lattice, rng)
    if p["also_ring"]:
        position = rng.uniform(0.15, 1.1)
        rings += _rings(p, rng, [(position, rng.uniform(0.01, 0.15) * position, 1.0)], p["also_ring"])
    if p["also_halo"]:
        position = rng.uniform(0.35, 1.1)
        rings += _rings(p, rng, [(position, p["halo"] * position, 1.0)], p["also_halo"])
    if p["low_q"]:
        kind = DIFFUSE[int(rng.integers(len(DIFFUSE)))]
        scale = rng.uniform(1, 4) if kind == "power_law" else np.exp(rng.uniform(np.log(3), np.log(25)))
        curves[1] = p["low_q"] * _mean_one(diffuse_low_q(GRID, kind, float(scale)))
    if p["high_q"]:
        curves[2] = p["high_q"] * _mean_one(diffuse_high_q(GRID, p["sigma"]))
    table = np.zeros((RINGS, RING_COLUMNS))
    rings_kept = np.array(rings[:RINGS]).reshape(-1, RING_COLUMNS)
    table[: len(rings_kept)] = rings_kept
    arrays = {"curves": curves, "rings": table, "spots": spots}
    return {"parameters": dict(p), **{name: values.astype(np.float32) for name, values in arrays.items()}}


def _lattice_rings(p: Mapping[str, float], lattice: str, rng: np.random.Generator) -> list[tuple[float, ...]]:
    positions, height = powder(lattice, RINGS - 2)
    inside = positions * p["first"] < 1.6
    positions, height = positions[inside], height[inside]
    # Layers of unequal thickness, or bodies at the lattice's points, give rings other strengths.
    height = (
        height * np.exp(-((p["debye_waller"] * positions) ** 2)) * np.exp(rng.normal(0, 0.4, positions.size))
    )
    width = positions * p["width"] + paracrystal_width(positions, p["disorder"])
    return _rings(
        p,
        rng,
        [(x * p["first"], w * p["first"], h) for x, w, h in zip(positions, width, height, strict=True)],
        1.0,
        1,
    )


def _plain_rings(p: Mapping[str, float], rng: np.random.Generator) -> list[tuple[float, ...]]:
    number = int(rng.choice([1, 2, 3, 4, 6, 8], p=[0.4, 0.2, 0.12, 0.1, 0.1, 0.08]))
    wide = rng.uniform(0.01, 0.2) if number == 1 else p["width"]
    if number > 1 and rng.random() < 0.4:
        positions = p["first"] * np.arange(1, number + 1)
        height = np.exp(-rng.uniform(0.1, 1) * np.arange(number))
    else:
        positions = np.sort(rng.uniform(p["first"], max(1.15, 2 * p["first"]), number))
        positions[0] = p["first"]
        height = np.exp(rng.normal(0, 0.6, number))
    return _rings(p, rng, [(x, wide * x, h) for x, h in zip(positions, height, strict=True)], 1.0)


def _rings(
    p: Mapping[str, float],
    rng: np.random.Generator,
    peaks: list[tuple[float, float, float]],
    strength: float,
    of_lattice: int = 0,
) -> list[tuple[float, ...]]:
    """Rings of one texture, which together have a mean over the reference circle of `strength`."""
    fold, chi = float(rng.choice([1, 2, 2, 2, 4, 6])), float(rng.uniform(0, 2 * np.pi))
    eta = p["eta"] if strength == 1.0 or rng.random() < 0.5 else 0.0
    grains = p["grains"] if all(w < 0.1 * x for x, w, _ in peaks) else 0.0
    # A Gaussian ring of height h covers 2πq · h · FWHM · 1.064 of the circle's π.
    area = sum(2 * x * h * w * 1.064 for x, w, h in peaks)
    return [
        (x, w, h * strength / area, eta, fold, chi, grains, float(of_lattice)) for x, w, h in peaks if area
    ]


def _spots(p: Mapping[str, float], lattice: str, rng: np.random.Generator) -> Floats:
    from scipy.spatial.transform import Rotation

    table = np.zeros((SPOTS, 4))
    flat = lattice == "hexagonal"
    for _ in range(6):
        if flat or rng.random() < 0.6:
            # Seen along an axis of symmetry, a little off.
            axis = ((0, 0, 1), (1, 1, 0), (1, 1, 1))[0 if flat else int(rng.integers(3))]
            unit = np.array(axis) / np.linalg.norm(axis)
            turn = Rotation.align_vectors([[0.0, 0.0, 1.0]], [unit])[0]
            turn = Rotation.from_rotvec(np.append(rng.normal(0, 0.02, 2), rng.uniform(0, 2 * np.pi))) * turn
        else:
            turn = Rotation.random(random_state=int(rng.integers(2**31)))
        spots = crystal(lattice, turn.as_matrix(), p["thick"], 1.5 / p["first"])
        if len(spots) >= 6:
            break
    order = np.argsort(np.hypot(spots[:, 0], spots[:, 1]))[:SPOTS]
    spots = spots[order]
    distance = np.hypot(spots[:, 0], spots[:, 1])
    strength = spots[:, 2] * np.exp(-((p["debye_waller"] * distance) ** 2))
    table[: len(spots), :2] = spots[:, :2] * p["first"]
    # Together of mean 1 over the reference circle: a Gaussian spot covers 1.133 FWHM² of its π.
    table[: len(spots), 2] = strength / max(strength.sum(), 1e-12) * np.pi / (1.133 * p["spot"] ** 2)
    table[: len(spots), 3] = p["spot"]
    return table


def _mean_one(curve: Floats) -> Floats:
    """Scale a curve to mean 1 over the circle from 1/20 of the reference q on: closer is the beamstop."""
    ring = GRID * np.gradient(GRID) * ((GRID > 0.05) & (GRID <= 1))
    return curve * (ring.sum() / max(float((curve * ring).sum()), 1e-300))


def _choose(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    weights = np.array(list(shares.values()), dtype=float)
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]


assert set(LATTICE) == set(LATTICES)
