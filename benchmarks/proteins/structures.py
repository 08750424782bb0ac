"""Does `protein(curve, structure=…)` accept the right conformation and refuse moved domains?

``python -m benchmarks proteins/structures --work W`` makes proteins of two or three domains: regions around
random walks of blobs, filled with atoms at the density of proteins (a residue in 134 Å³), which get the names
of amino acids along a path through the region and move until each has its volume around it. One part is bent
about a hinge in its interface until the structure has moved by 5 or 15 Å of RMSD after superposition.
The curve is Debye's sum over all atoms with their form factors, over displaced water on a grid of 2 Å in the
molecule's volume, and over explicit waters at random in a layer of 3 Å; nothing of it is the program that
fits. ``--third K`` answers every third structure from K on; ``--write`` keeps the table.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from sasnet_plugin.arrays import Floats
from sasnet_plugin.model_free import Refused
from sasnet_plugin.protein import StructureFit, protein
from sasnet_plugin.types import Curve

from ..common import markdown, parser_of, resumed, show

#: Å, RMSD of the conformations; 0 is the right one.
MOVES = (0.0, 5.0, 15.0)
#: Å³ of a residue, edge of the grid of displaced water (Å), electrons per Å³ of water.
_RESIDUE, _GRID, _WATER = 134.0, 2.0, 0.334
#: Å, of the layer of waters from the atoms' centres.
_LAYER = (2.9, 5.9)
_DENSE = np.linspace(4e-4, 0.36, 300)
#: Heavy atoms of amino acids beyond N, CA, C and O, their hydrogens in the same order with those four first,
#: and their frequency in proteins (per cent, UniProt).
_AMINO: dict[str, tuple[str, tuple[int, ...], float]] = {
    "ALA": ("CB", (1, 1, 0, 0, 3), 8.3),
    "ARG": ("CB CG CD NE CZ NH1 NH2", (1, 1, 0, 0, 2, 2, 2, 1, 0, 2, 2), 5.5),
    "ASN": ("CB CG OD1 ND2", (1, 1, 0, 0, 2, 0, 0, 2), 4.1),
    "ASP": ("CB CG OD1 OD2", (1, 1, 0, 0, 2, 0, 0, 0), 5.5),
    "CYS": ("CB SG", (1, 1, 0, 0, 2, 1), 1.4),
    "GLN": ("CB CG CD OE1 NE2", (1, 1, 0, 0, 2, 2, 0, 0, 2), 3.9),
    "GLU": ("CB CG CD OE1 OE2", (1, 1, 0, 0, 2, 2, 0, 0, 0), 6.7),
    "GLY": ("", (1, 2, 0, 0), 7.1),
    "HIS": ("CB CG ND1 CD2 CE1 NE2", (1, 1, 0, 0, 2, 0, 1, 1, 1, 0), 2.3),
    "ILE": ("CB CG1 CG2 CD1", (1, 1, 0, 0, 1, 2, 3, 3), 5.9),
    "LEU": ("CB CG CD1 CD2", (1, 1, 0, 0, 2, 1, 3, 3), 9.7),
    "LYS": ("CB CG CD CE NZ", (1, 1, 0, 0, 2, 2, 2, 2, 3), 5.8),
    "MET": ("CB CG SD CE", (1, 1, 0, 0, 2, 2, 0, 3), 2.4),
    "PHE": ("CB CG CD1 CD2 CE1 CE2 CZ", (1, 1, 0, 0, 2, 0, 1, 1, 1, 1, 1), 3.9),
    "PRO": ("CB CG CD", (0, 1, 0, 0, 2, 2, 2), 4.7),
    "SER": ("CB OG", (1, 1, 0, 0, 2, 1), 6.6),
    "THR": ("CB OG1 CG2", (1, 1, 0, 0, 1, 1, 3), 5.3),
    "TRP": ("CB CG CD1 CD2 NE1 CE2 CE3 CZ2 CZ3 CH2", (1, 1, 0, 0, 2, 0, 1, 0, 1, 0, 1, 1, 1, 1), 1.1),
    "TYR": ("CB CG CD1 CD2 CE1 CE2 CZ OH", (1, 1, 0, 0, 2, 0, 1, 1, 1, 1, 0, 1), 2.9),
    "VAL": ("CB CG1 CG2", (1, 1, 0, 0, 1, 3, 3), 6.9),
}  # fmt: skip
_ELECTRONS = {"C": 6, "N": 7, "O": 8, "S": 16}
#: Å³ of atoms with so many hydrogens within proteins (J. Tsai et al., J. Mol. Biol. 290 (1999) 253), rounded;
#: that of an aromatic CH.
_VOLUMES = {
    "C0": 9.2, "C1": 13.8, "C2": 23.7, "C3": 36.7, "N0": 8.7, "N1": 14.5, "N2": 22.7, "N3": 21.4, "O0": 15.9,
    "O1": 18.0, "S0": 29.2, "S1": 36.7,
}  # fmt: skip
_AROMATIC = 20.8


class Structure(NamedTuple):
    """A protein of domains."""

    places: Floats  #: (n, 3) Å, heavy atoms.
    domain: np.ndarray  #: (n,)
    names: list[str]
    residues: list[str]
    numbers: list[int]
    electrons: Floats  #: (n,) with hydrogens.


def _draw_region(volume: float, rng: Generator, edge: float) -> Floats:
    """Points of a jittered cubic lattice of this edge in a region around a walk of blobs."""
    count = max(1, round(volume / _RESIDUE / rng.uniform(60, 150)))
    size = 0.62 * (volume / count) ** (1 / 3)
    blobs = [np.zeros(3)]
    for _ in range(count - 1):
        ways = rng.standard_normal((10, 3))
        ways *= 1.2 * size / np.linalg.norm(ways, axis=1)[:, None]
        tries = blobs[-1] + ways
        near = np.linalg.norm(tries[:, None] - np.array(blobs), axis=2).min(axis=1)
        middle = np.linalg.norm(tries - np.mean(blobs, axis=0), axis=1)
        blobs.append(tries[np.argmax(np.minimum(near, size) - 0.8 * middle)])
    centres = np.array(blobs)
    reach = np.abs(centres).max() + 3 * size + 2 * edge
    steps = np.arange(-reach, reach, edge)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    squares = ((grid[:, None] - centres) ** 2).sum(axis=2)
    height = np.exp(-squares / (2 * (0.75 * size) ** 2)).sum(axis=1)
    height *= np.exp(0.1 * rng.standard_normal(len(grid)))
    chosen = grid[np.argsort(height)[-round(volume / edge**3) :]]
    return chosen + rng.uniform(-0.45, 0.45, chosen.shape)


def _volume_of(name: str, residue: str, hydrogens: int) -> float:
    ring = residue in ("HIS", "PHE", "TRP", "TYR") and name not in ("CA", "CB")
    return _AROMATIC if ring and name[0] == "C" and hydrogens else _VOLUMES[f"{name[0]}{hydrogens}"]


def _pack(points: Floats, volumes: Floats, edge: float) -> Floats:
    """Move points so that each has its volume around it: centres of a power diagram's cells.

    The cells divide the region of the points; volumes are met by weights, as the fourth coordinate.
    """
    low, high = points.min(axis=0) - 3, points.max(axis=0) + 3
    steps = [np.arange(a, b, 1.0) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[np.argsort(cKDTree(points).query(grid)[0])[: round(len(points) * edge**3)]]
    weights = (0.75 * volumes / np.pi) ** (2 / 3)
    wanted = volumes * len(grid) / volumes.sum()
    for _ in range(25):
        lifted = np.column_stack([points, np.sqrt(weights.max() - weights)])
        owner = cKDTree(lifted).query(np.column_stack([grid, np.zeros(len(grid))]))[1]
        sizes = np.maximum(np.bincount(owner, minlength=len(points)), 0.5)
        weights = weights + 0.3 * np.clip(wanted - sizes, -15, 15) / wanted ** (1 / 3) / 3
        held = np.bincount(owner, minlength=len(points)) > 0
        centres = np.stack(
            [np.bincount(owner, grid[:, k], len(points)) / np.maximum(sizes, 1) for k in range(3)], axis=1
        )
        points = np.where(held[:, None], centres, points)
    return points


def _walk(points: Floats) -> np.ndarray:
    """Order points along a path of short steps."""
    tree, left = cKDTree(points), np.ones(len(points), dtype=bool)
    order = [int(np.argmin(points[:, 0]))]
    left[order[0]] = False
    while left.any():
        here = points[order[-1]]
        near = [k for k in tree.query(here, k=min(24, len(points)))[1] if left[k]]
        rest = near or np.flatnonzero(left)
        order.append(int(rest[np.argmin(((points[rest] - here) ** 2).sum(axis=1))]))
        left[order[-1]] = False
    return np.array(order)


def draw_structure(rng: Generator) -> Structure:
    """A protein of two or three touching domains of 120 to 260 residues."""
    sequences = []
    for _ in range(int(rng.choice([2, 3], p=[0.7, 0.3]))):
        share = np.array([amino[2] for amino in _AMINO.values()])
        sequences.append(rng.choice(list(_AMINO), int(rng.integers(120, 261)), p=share / share.sum()))
    places, domain = np.zeros((0, 3)), []
    names: list[str] = []
    residues: list[str] = []
    numbers: list[int] = []
    electrons: list[float] = []
    for number, sequence in enumerate(sequences):
        atoms = [
            (name, residue, hydrogens)
            for residue in sequence
            for name, hydrogens in zip(
                ["N", "CA", "C", "O", *_AMINO[residue][0].split()], _AMINO[residue][1], strict=True
            )
        ]
        # One point an atom.
        edge = (len(sequence) * _RESIDUE / len(atoms)) ** (1 / 3)
        points = _draw_region(len(sequence) * _RESIDUE, rng, edge)
        atoms = atoms[: len(points)]
        points = points[_walk(points)][: len(atoms)]
        points = _pack(points, np.array([_volume_of(*atom) for atom in atoms]), edge)
        points = points + 0.2 * rng.standard_normal(points.shape)
        points = (points - points.mean(axis=0)) @ Rotation.random(random_state=rng).as_matrix()
        if number:
            way = rng.standard_normal(3)
            way /= np.linalg.norm(way)
            # They approach each other until they touch.
            start = places[np.array(domain) == number - 1].mean(axis=0)
            tree = cKDTree(places)
            shift = next(
                s for s in np.arange(0, 300, 0.5)
                if tree.query(points + start + s * way, distance_upper_bound=2.6)[0].min() == np.inf
            )  # fmt: skip
            points = points + start + shift * way
        places = np.concatenate([places, points])
        domain += [number] * len(points)
        begin = numbers[-1] + 1 if numbers else 1
        position = begin - 1
        for name, residue, hydrogens in atoms:
            position += name == "N"
            names.append(name)
            residues.append(residue)
            numbers.append(position)
            electrons.append(_ELECTRONS[name[0]] + hydrogens)
    return Structure(places, np.array(domain), names, residues, numbers, np.array(electrons, dtype=float))


def rmsd(one: Floats, other: Floats) -> float:
    """Å, after superposition."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    rotation, _ = Rotation.align_vectors(one, other)
    return float(np.sqrt(((one - other @ rotation.as_matrix().T) ** 2).sum(axis=1).mean()))


def move_domain(structure: Structure, target: float, rng: Generator) -> Floats:
    """Places after the last part has bent about a hinge in its interface, by this RMSD (Å) of the whole.

    The axis is perpendicular to the line between the parts: a twist about that line, which hardly changes a
    curve, is no such move. Where a part would run into the other it gives way, so that they touch.
    """
    # The part nearest to half of the atoms.
    share = [float(np.mean(structure.domain >= k)) for k in range(1, int(structure.domain.max()) + 1)]
    last = structure.domain > int(np.argmin(np.abs(np.array(share) - 0.5)))
    rest, moving = structure.places[~last], structure.places[last]
    distance, nearest = cKDTree(rest).query(moving)
    touching = np.flatnonzero(distance < distance.min() + 5)
    tree, middle = cKDTree(rest), rest.mean(axis=0)
    line = moving.mean(axis=0) - middle
    for _ in range(100):
        pick = int(rng.choice(touching))
        hinge = 0.5 * (moving[pick] + rest[nearest[pick]])
        axis = np.cross(line, rng.standard_normal(3))
        axis /= np.linalg.norm(axis)

        def turned(angle: float, hinge: Floats = hinge, axis: Floats = axis) -> Floats:
            points = hinge + (moving - hinge) @ Rotation.from_rotvec(angle * axis).as_matrix().T
            way = points.mean(axis=0) - middle
            way /= np.linalg.norm(way)
            near = points[tree.query(points, distance_upper_bound=25.0)[0] < 25.0]
            low, high = 0.0, 40.0
            while high - low > 0.05:
                shift = 0.5 * (low + high)
                clash = np.isfinite(tree.query(near + shift * way, distance_upper_bound=2.4)[0]).any()
                low, high = (shift, high) if clash else (low, shift)
            places = structure.places.copy()
            places[last] = points + high * way
            return places

        low, high = 0.0, math.radians(179)
        if rmsd(structure.places, turned(high)) < target:
            continue
        for _ in range(20):
            angle = 0.5 * (low + high)
            low, high = (angle, high) if rmsd(structure.places, turned(angle)) < target else (low, angle)
        places = turned(high)
        if abs(rmsd(structure.places, places) - target) < 0.03 * target:
            return places
    raise RuntimeError("no hinge reaches this RMSD")


def _pairs(one: Floats, first: Floats, other: Floats, second: Floats, own: bool) -> Floats:
    """Sum of products of weights by distance, in bins of 0.25 Å, each pair of two points once."""
    counts = np.zeros(2000)
    points = other.astype(np.float32)
    squares = np.einsum("ij,ij->i", points, points)
    for begin in range(0, len(one), 400):
        part, rest = one[begin : begin + 400].astype(np.float32), slice(begin if own else 0, None)
        distance = np.einsum("ij,ij->i", part, part)[:, None] + squares[rest] - 2 * part @ points[rest].T
        bins = np.minimum((4 * np.sqrt(np.maximum(distance, 0.0))).astype(np.int32), counts.size - 1)
        weights = np.multiply.outer(first[begin : begin + 400], second[rest])
        if own:
            weights[:, : len(part)] *= np.triu(np.ones((len(part), len(part))), 1)
        counts += np.bincount(bins.ravel(), weights.ravel(), counts.size)
    return counts


def scatter(structure: Structure, rng: Generator) -> Floats:
    """I(q) at `_DENSE`: atoms less displaced water, and waters in a layer, over I(0) of the lowest q."""
    places, q = structure.places, _DENSE
    tree = cKDTree(places)
    low, high = places.min(axis=0) - 7, places.max(axis=0) + 7
    # Displaced water fills the volume of the residues: the grid points nearest to atoms.
    steps = [np.arange(a, b, _GRID) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    depth = tree.query(grid)[0]
    volume = structure.numbers[-1] * _RESIDUE * rng.normal(1.0, 0.01)
    inside = grid[np.argsort(depth)[: round(volume / _GRID**3)]]
    water = rng.uniform(low, high, (int(np.prod(high - low) / 20.0), 3))
    gap = tree.query(water, distance_upper_bound=_LAYER[1])[0]
    water = water[np.isfinite(gap) & (gap > _LAYER[0])]
    excess = 20.0 * rng.uniform(0.015, 0.045)
    groups = [
        # Atoms with their hydrogens scatter as Gaussians of 0.4 Å, cells of water as spheres of their volume.
        (places, structure.electrons, np.exp(-(q**2) * 1.2 / 6)),
        (inside, np.full(len(inside), -_WATER * _GRID**3), np.exp(-(q**2) * _GRID**2 / 24)),
        (water, np.full(len(water), excess), np.exp(-(q**2) * 1.5 / 6)),
    ]
    r = (np.arange(2000) + 0.5) / 4
    wave = np.sinc(np.multiply.outer(q, r) / np.pi)
    curve = np.zeros_like(q)
    for k, (one, first, factor) in enumerate(groups):
        for m, (other, second, other_factor) in enumerate(groups[k:], k):
            counts = _pairs(one, first, other, second, k == m)
            own = float(first @ first) if k == m else 0.0
            curve += (2 * wave @ counts + own) * factor * other_factor
    return np.asarray(curve / curve[0])


def measure(curve: Floats, rg: float, rng: Generator) -> Curve:
    """A measurement with noise as at a beamline and a constant of the subtraction."""
    q = np.arange(min(rng.uniform(0.006, 0.012), 0.5 / rg), rng.uniform(0.25, 0.35), rng.uniform(5e-4, 1e-3))
    clean = np.exp(np.interp(q, _DENSE, np.log(curve)))
    buffer = 10 ** rng.uniform(-2, 0)
    sigma = (
        10 ** rng.uniform(-2.7, -1.9) * np.sqrt((clean + buffer) / (1 + buffer)) * np.sqrt(0.05 / (q + 0.01))
    )
    constant = 2e-3 * rng.standard_normal()
    return Curve(q, clean + constant + sigma * rng.standard_normal(q.size), sigma)


def as_pdb(structure: Structure, places: Floats) -> str:
    rows = []
    for k, (name, residue, number, place) in enumerate(
        zip(structure.names, structure.residues, structure.numbers, places, strict=True), 1
    ):
        rows.append(
            f"ATOM  {k:5d}  {name:<3s} {residue} A{number:4d}    "
            f"{place[0]:8.3f}{place[1]:8.3f}{place[2]:8.3f}  1.00 20.00          {name[0]:>2s}\n"
        )
    return "".join(rows) + "END\n"


def answer(numbers: Iterable[int], seed: int) -> Iterator[dict[str, Any]]:
    """One structure in three conformations against its curve."""
    for index in numbers:
        rng = np.random.default_rng([seed, index])
        structure = draw_structure(rng)
        conformations = [structure.places, *(move_domain(structure, move, rng) for move in MOVES[1:])]
        sizes = [float(np.sqrt(((c - c.mean(axis=0)) ** 2).sum(axis=1).mean())) for c in conformations]
        curve = measure(scatter(structure, rng), sizes[0], rng)
        row: dict[str, Any] = {
            "index": index, "atoms": len(structure.places), "domains": int(structure.domain.max()) + 1,
            "sizes": sizes, "noise": float(np.median(curve.dintensity[:20] / curve.intensity[:20])),
        }  # fmt: skip
        started = time.process_time()
        protein(curve)
        row["alone"] = time.process_time() - started
        with tempfile.TemporaryDirectory() as folder:
            for move, places in zip(MOVES, conformations, strict=True):
                path = Path(folder) / f"moved_{move:g}.pdb"
                path.write_text(as_pdb(structure, places), encoding="ascii")
                started = time.process_time()
                fit = protein(curve, structure=path).structure
                seconds = time.process_time() - started
                row[f"{move:g}"] = (
                    {
                        "explains": fit.explains, "chisq": fit.reduced_chisq, "p": fit.p_value, "rg": fit.rg,
                        "hydration": fit.hydration.value, "volume": fit.displaced_volume.value,
                        "q": fit.misfit.q, "misfit": fit.misfit.relative, "seconds": seconds,
                        "constant": fit.constant.value,
                    }
                    if isinstance(fit, StructureFit)
                    else {"refused": fit.reason if isinstance(fit, Refused) else ""}
                )  # fmt: skip
        yield row


def lines_of(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Each conformation with how often it is accepted."""
    lines = []
    for move in MOVES:
        fits = [row[f"{move:g}"] for row in rows if "explains" in row[f"{move:g}"]]
        accepted = sum(fit["explains"] for fit in fits)
        change = [abs(row["sizes"][MOVES.index(move)] / row["sizes"][0] - 1) for row in rows]
        lines.append([
            "right" if move == 0 else f"moved by {move:g} Å", f"{accepted} of {len(rows)}",
            f"{len(fits) - accepted} of {len(rows)}", f"{np.median([fit['chisq'] for fit in fits]):.2f}",
            f"{100 * np.median(change):.1f} %", f"{np.median([fit['seconds'] for fit in fits]):.1f} s",
        ])  # fmt: skip
    return lines


def main() -> None:
    options = parser_of(
        __doc__, work=True, count=20, seed=21, third=(-1, "0, 1 or 2: every third structure from it on")
    ).parse_args()
    numbers = range(options.count) if options.third < 0 else range(options.third, options.count, 3)
    rows = resumed(
        options.work / f"structures-{options.seed}.jsonl", numbers,
        lambda missing: answer(missing, options.seed),
        lambda row: " ".join(f"{move:g} Å: {row[f'{move:g}'].get('explains')}" for move in MOVES),
    )  # fmt: skip
    header = ["conformation", "accepted", "refused", "median reduced χ²", "median change of Rg", "CPU time"]
    show(markdown(header, lines_of(rows)), options.write, __file__, "")


if __name__ == "__main__":
    main()
