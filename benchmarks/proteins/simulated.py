"""Do errors of simulated proteins hold: molecular weight, Rg, D_max and the oligomeric state?

``python -m benchmarks proteins/simulated --work W`` simulates proteins by another way than those from which
the molecular weight was learnt (`sasnet_plugin.protein.simulated_proteins`): a subunit is the region around a
random walk of blobs where their sum is largest, filled with points of a jittered cubic lattice; copies are
docked by distance; water molecules stand at random in a layer. Noise, a constant of the subtraction, and in
every fifth curve 5 % aggregates are added. ``--write`` keeps the table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.random import Generator
from scipy import stats
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from sasnet_plugin.arrays import Floats
from sasnet_plugin.protein import MolecularWeight, Oligomer, Value, protein
from sasnet_plugin.protein.simulated_proteins import Beads, radius_of_gyration, scatter
from sasnet_plugin.types import Curve

from ..common import markdown, parser_of, resumed, show

#: Å³ and kDa of a residue: 0.737 cm³/g.
_VOLUME, _MASS = 134.0, 0.1095
_EDGE = _VOLUME ** (1 / 3)
_DENSE = np.linspace(4e-4, 0.36, 460)
#: Share of the mass in aggregates, and of curves that have them.
_AGGREGATES, _AGGREGATED = 0.05, 0.2


def grow(residues: int, rng: Generator) -> Floats:
    """(residues, 3) places of a subunit: the region where the sum of blobs along a random walk is largest."""
    count = max(1, round(residues / rng.uniform(60, 180)))
    size = 0.62 * (residues * _VOLUME / count) ** (1 / 3)
    centres = [np.zeros(3)]
    tight = rng.uniform(0.0, 1.5)
    for _ in range(count - 1):
        ways = rng.standard_normal((12, 3))
        ways *= rng.uniform(1.0, 1.6) * size / np.linalg.norm(ways, axis=1)[:, None]
        places = centres[-1] + ways
        near = np.linalg.norm(places[:, None] - np.array(centres), axis=2).min(axis=1)
        middle = np.linalg.norm(places - np.mean(centres, axis=0), axis=1)
        # Compact walks stay near their middle without running into themselves.
        centres.append(places[np.argmax(np.minimum(near, size) - tight * middle)])
    blobs = np.array(centres)
    reach = np.abs(blobs).max() + 3.2 * size + 2 * _EDGE
    steps = np.arange(-reach, reach, _EDGE)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[np.isfinite(cKDTree(blobs).query(grid, distance_upper_bound=3.2 * size)[0])]
    squares = ((grid[:, None] - blobs) ** 2).sum(axis=2)
    height = np.exp(-squares / (2 * (0.75 * size) ** 2)).sum(axis=1)
    height *= np.exp(0.12 * rng.standard_normal(len(grid)))
    chosen = grid[np.argsort(height)[-residues:]]
    return chosen + rng.uniform(-1.2, 1.2, chosen.shape)


def assemble(unit: Floats, number: int, rng: Generator) -> Floats:
    """Copies of a subunit around an axis, or in two such rings, so that they touch."""
    unit = unit - unit.mean(axis=0)
    if number == 1:
        return unit
    fold = number // 2 if number % 2 == 0 and number > 2 and rng.random() < 0.7 else number
    whole = unit @ Rotation.random(random_state=rng).as_matrix().T

    def around(shift: float) -> list[Floats]:
        moved = whole + np.array([shift, 0, 0])
        turns = [Rotation.from_rotvec([0, 0, 2 * np.pi * k / fold]).as_matrix() for k in range(fold)]
        return [moved @ turn.T for turn in turns]

    parts = around(_touching(lambda shift: around(shift)[:2])) if fold > 1 else [whole]
    ring = np.concatenate(parts)
    if fold == number:
        return ring
    flip = np.diag([1.0, -1.0, -1.0]) @ Rotation.from_rotvec([0, 0, rng.uniform(0, 2 * np.pi)]).as_matrix()

    def stacked(shift: float) -> list[Floats]:
        return [ring + [0, 0, shift], (ring + [0, 0, shift]) @ flip.T]

    return np.concatenate(stacked(_touching(stacked)))


def _touching(place: Any) -> float:
    """The smallest shift beyond which two parts do not run into each other."""
    shift = 0.0
    while shift < 500:
        first, second = place(shift)
        clashes = cKDTree(first).query(second, distance_upper_bound=0.72 * _EDGE)[0]
        if np.isfinite(clashes).sum() <= 0.01 * len(second):
            break
        shift += 1.5
    return shift


def draw_beads(number: int, residues: int, rng: Generator) -> Beads:
    """A complex of so many subunits, with water in a layer around it."""
    protein_places = assemble(grow(residues, rng), number, rng)
    contrasts = np.maximum(rng.normal(14.0, 6.5, len(protein_places)), 2.0)
    tree = cKDTree(protein_places)
    low, high = protein_places.min(axis=0) - 9, protein_places.max(axis=0) + 9
    water = rng.uniform(low, high, (int(np.prod(high - low) / 90), 3))
    distance = tree.query(water, distance_upper_bound=7.0)[0]
    water = water[np.isfinite(distance) & (distance > 3.9)]
    # Electrons per Å³ above bulk water; each point stands for 90 Å³.
    layer = np.full(len(water), 90 * rng.uniform(0.01, 0.035))
    places = np.concatenate([protein_places, water])
    return Beads(places, np.concatenate([contrasts, layer]), len(protein_places))


def measure(beads: Beads, rg: float, rng: Generator) -> Curve:
    """A measurement with noise, a constant and perhaps aggregates; I(0) is that of 0.5 to 20 mg/ml."""
    curve = scatter(beads, _DENSE)
    if rng.random() < _AGGREGATED:
        number = int(rng.integers(4, 11))
        walk = np.cumsum(rng.standard_normal((number, 3)) * 2.2 * rg / math.sqrt(3), axis=0)
        pairs = np.sinc(np.multiply.outer(_DENSE, pdist(walk)) / np.pi).sum(axis=1)
        curve = (1 - _AGGREGATES) * curve + _AGGREGATES * curve * (1 + 2 * pairs / number)
    q = np.arange(min(rng.uniform(0.006, 0.014), 0.6 / rg), rng.uniform(0.22, 0.35), rng.uniform(4e-4, 1e-3))
    clean = np.exp(np.interp(q, _DENSE, np.log(curve)))
    buffer = 10 ** rng.uniform(-2, 0)
    sigma = (
        10 ** rng.uniform(-2.9, -2.0) * np.sqrt((clean + buffer) / (1 + buffer)) * np.sqrt(0.05 / (q + 0.01))
    )
    constant = 2e-3 * rng.standard_normal()
    return Curve(q, clean + constant + sigma * rng.standard_normal(q.size), sigma)


def answer(numbers: Iterable[int], seed: int) -> Iterator[dict[str, Any]]:
    """Truth and answer of each protein."""
    for index in numbers:
        rng = np.random.default_rng([seed, index])
        mass = math.exp(rng.uniform(math.log(1.0), math.log(800.0)))
        number = int(rng.choice([1, 2, 3, 4, 6], p=[0.45, 0.28, 0.08, 0.13, 0.06]))
        if mass < 6 * number:
            number = 1
        beads = draw_beads(number, max(round(mass / number / _MASS), 9), rng)
        mass = beads.residues * _MASS
        rg = radius_of_gyration(beads)
        result = protein(measure(beads, rg, rng), monomer=mass / number)
        row: dict[str, Any] = {
            "index": index, "mass": mass, "rg": rg, "number": number,
            "d_max": float(pdist(beads.places[: beads.residues][_hull(beads)]).max()) + _EDGE,
            "problems": list(result.problems), "cautions": len(result.cautions),
        }  # fmt: skip
        found, size = result.molecular_weight, result.rg
        if isinstance(found, MolecularWeight) and isinstance(size, Value):
            row |= {"found": found.value, "relative": found.relative_error}
            row |= {"found_rg": size.value, "rg_error": size.error}
            if isinstance(result.d_max, Value):
                row |= {"found_d": result.d_max.value, "d_error": result.d_max.error}
            if isinstance(result.oligomer, Oligomer):
                shares = result.oligomer.probabilities
                row |= {"oligomer": result.oligomer.number, "share": shares[result.oligomer.number]}
        yield row


def _hull(beads: Beads) -> Floats:
    from scipy.spatial import ConvexHull

    places = beads.places[: beads.residues]
    return np.asarray(ConvexHull(places).vertices)


def lines_of(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Each question with its answer."""
    told = [row for row in rows if "found" in row]

    def column(name: str, among: list[dict[str, Any]] = told) -> Floats:
        return np.array([row[name] for row in among], dtype=float)

    off = np.log(column("found") / column("mass")) / column("relative")
    off_rg = (column("found_rg") - column("rg")) / column("rg_error")
    lengths = [row for row in told if "found_d" in row]
    off_d = np.abs(np.log(column("found_d", lengths) / column("d_max", lengths)))
    counted = [row for row in rows if "oligomer" in row]
    right = np.array([row["oligomer"] == row["number"] for row in counted])
    share = column("share", counted)
    # Reliability: the sum of right answers against the sum of their probabilities.
    z = float((right.sum() - share.sum()) / np.sqrt((share * (1 - share)).sum()))
    percent = "{:.0f} %".format
    return [
        ["curves with an Rg", f"{len(told)} of {len(rows)}"],
        ["molecular weight within one error", percent(100 * np.mean(np.abs(off) < 1))],
        ["molecular weight within two errors", percent(100 * np.mean(np.abs(off) < 2))],
        ["median half-width of 68 %", percent(100 * np.median(column("relative")))],
        ["median of ln(found / true)", f"{np.median(np.log(column('found') / column('mass'))):+.3f}"],
        ["Rg within one error", percent(100 * np.mean(np.abs(off_rg) < 1))],
        ["Rg within two errors", percent(100 * np.mean(np.abs(off_rg) < 2))],
        ["median relative error of Rg", f"{100 * np.median(column('rg_error') / column('rg')):.2f} %"],
        ["D_max within 10 %", percent(100 * np.mean(off_d < 0.1))],
        ["oligomeric state right", percent(100 * np.mean(right))],
        ["p of its probabilities being calibrated", f"{2 * stats.norm.sf(abs(z)):.3f}"],
    ]  # fmt: skip


def main() -> None:
    options = parser_of(__doc__, work=True, count=300, seed=11).parse_args()
    rows = resumed(
        options.work / f"proteins-{options.seed}.jsonl", range(options.count),
        lambda missing: answer(missing, options.seed),
        lambda row: f"{row['mass']:.0f} kDa, found {row.get('found', 0):.0f}",
    )  # fmt: skip
    show(markdown(["question", "answer"], lines_of(rows)), options.write, __file__, "")


if __name__ == "__main__":
    main()
