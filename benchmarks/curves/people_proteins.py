"""Curves of proteins from structures, atom by atom, and of chains without a fold: no code of training.

Amplitudes are summed over directions, those of atoms, displaced water and bound water apart, so that
contrasts cost nothing: I(q) = ⟨|a A_atoms − b A_displaced + c A_shell|²⟩.
"""

from __future__ import annotations

import bz2
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Q = np.arange(0.0, 0.8001, 0.01)
DIRECTIONS = 500
#: Å³ that an atom displaces, and hydrogens that it carries on average (Fraser et al. 1978).
VOLUME = {"C": 16.44, "N": 2.49, "O": 9.13, "S": 19.86, "P": 5.73, "H": 5.15}
CARRIES = {"C": 1.35, "N": 1.1, "O": 0.3, "S": 0.4, "P": 0.0}
WATER = 0.334
ATOMS_AT_MOST = 6000


@dataclass(frozen=True)
class Structure:
    """Non-hydrogen atoms: (n, 3) places in Å, and their elements."""

    places: Floats
    elements: tuple[str, ...]


def structure(path: Path) -> Structure:
    """The first model of a PDB file, waters and hydrogens left out."""
    opener = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix, open)
    places, elements = [], []
    with opener(path, "rt", errors="replace") as file:  # type: ignore[operator]
        for line in file:
            if line.startswith("ENDMDL"):
                break
            if not line.startswith("ATOM") or line[17:20] in ("HOH", "WAT", "TIP", "SOL"):
                continue
            name = line[12:16].strip().lstrip("0123456789")
            element = name[:1]
            if element in CARRIES and line[16] in " A":
                places.append([float(line[30:38]), float(line[38:46]), float(line[46:54])])
                elements.append(element)
    return Structure(np.array(places), tuple(elements))


def shell(places: Floats) -> Floats:
    """Centres of 3 Å cubes whose nearest atom is 3 to 5.5 Å away."""
    from scipy.spatial import cKDTree

    axes = [np.arange(low - 6, high + 6, 3.0) for low, high in zip(places.min(0), places.max(0), strict=True)]
    cubes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    nearest = cKDTree(places).query(cubes, distance_upper_bound=5.5)[0]
    return np.asarray(cubes[(nearest > 3.0) & (nearest < 5.5)])


def directions(count: int) -> Floats:
    """Evenly spread over half of a sphere, (count, 3)."""
    k = np.arange(count) + 0.5
    z, turn = k / count, np.pi * (1 + 5**0.5) * k
    return np.column_stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z])


def _waves(places: Floats, kinds: NDArray[np.intp], count: int) -> NDArray[np.complex64]:
    """Σ exp(i q u·r) over the places of each kind, (Q, count, DIRECTIONS)."""
    along = (places @ directions(DIRECTIONS).T).astype(np.float32)
    chosen = np.zeros((count, len(places)), dtype=np.complex64)
    chosen[kinds, np.arange(len(places))] = 1
    step = np.exp(1j * np.float32(Q[1]) * along)
    wave = np.ones_like(step)
    found = np.empty((Q.size, count, DIRECTIONS), dtype=np.complex64)
    for row in range(Q.size):
        found[row] = chosen @ wave
        wave *= step
    return found


@dataclass(frozen=True)
class Amplitudes:
    """Of one structure, by direction."""

    #: atoms, displaced, water: (Q, DIRECTIONS), electrons.
    atoms: NDArray[np.complex64]
    displaced: NDArray[np.complex64]
    water: NDArray[np.complex64]
    moments: tuple[tuple[float, float, Floats], ...]  #: Of each: total, Σ f r², Σ f r.
    places: Floats  #: (n, 3), of atoms, Å.


def amplitudes(found: Structure, rng: np.random.Generator) -> Amplitudes:
    """What atoms, the water they displace, and the water around them scatter."""
    from periodictable.cromermann import fxrayatq

    places = found.places - found.places.mean(axis=0)
    weight = 1.0
    if len(places) > ATOMS_AT_MOST:
        some = rng.choice(len(places), ATOMS_AT_MOST, replace=False)
        weight = len(places) / ATOMS_AT_MOST
        places, elements = places[some], [found.elements[k] for k in some]
    else:
        elements = list(found.elements)
    names = sorted(set(elements))
    kinds = np.array([names.index(e) for e in elements])
    waves = _waves(places, kinds, len(names))
    hydrogen = fxrayatq("H", Q)
    form = np.array([fxrayatq(n, Q) + CARRIES[n] * hydrogen for n in names])
    volume = np.array([VOLUME[n] + CARRIES[n] * VOLUME["H"] for n in names])
    dummy = WATER * volume[:, None] * np.exp(-(Q**2) * volume[:, None] ** (2 / 3) / (4 * np.pi))
    bound = shell(places)
    around = _waves(bound, np.zeros(len(bound), dtype=np.intp), 1)[:, 0] * 0.03 * 27.0
    around *= np.sinc(Q * 1.5 / np.pi)[:, None]
    parts = ((form[:, 0][kinds], places), (dummy[:, 0][kinds], places), (np.full(len(bound), 0.81), bound))
    moments = tuple((float(f.sum()), float(f @ np.sum(r**2, axis=1)), np.asarray(f @ r)) for f, r in parts)
    atoms = weight * np.einsum("qkd,kq->qd", waves, form)
    displaced = weight * np.einsum("qkd,kq->qd", waves, dummy)
    return Amplitudes(atoms, displaced, around, moments, places)


def intensity(found: Amplitudes, contrast: tuple[float, float, float]) -> tuple[Floats, float]:
    """I(Q), largest 1, and Rg in Å, with weights of atoms, displaced water and bound water."""
    a, b, c = contrast
    total = a * found.atoms - b * found.displaced + c * found.water
    curve = np.mean(np.abs(total) ** 2, axis=1)
    f, second, first = (
        sum(w * np.asarray(m[k]) for w, m in zip((a, -b, c), found.moments, strict=True)) for k in range(3)
    )
    rg = float(np.sqrt(second / f - np.sum((first / f) ** 2)))
    return np.asarray(curve / curve[0], dtype=np.float64), rg


def walk(residues: int, rng: np.random.Generator, conformations: int = 12) -> list[Floats]:
    """Self-avoiding chains of bonds of 3.8 Å, by pivot moves (Madras & Sokal 1988)."""
    from scipy.spatial import cKDTree

    k = np.arange(residues)
    chain = np.column_stack([3.2 * k, 2.05 * (k % 2), 0.0 * k])
    radius, found = rng.uniform(3.6, 5.5), []
    every = 3 * 12
    for move in range(6 * residues // 2 + every * conformations):
        at = int(rng.integers(1, residues - 1))
        q, r = np.linalg.qr(rng.standard_normal((3, 3)))
        turn = q * np.sign(np.diag(r))
        turn = turn * np.linalg.det(turn)
        new = chain.copy()
        new[at:] = chain[at] + (chain[at:] - chain[at]) @ turn.T
        if not any(j - i > 2 for i, j in cKDTree(new).query_pairs(radius)):
            chain = new
        if move >= 3 * residues and move % every == 0:
            found.append(chain)
    return found[:conformations]


def chain_intensity(conformations: list[Floats]) -> tuple[Floats, float]:
    """I(Q), largest 1, of beads of residues, and Rg in Å: Debye's sum over every pair."""
    total, moment = np.zeros(Q.size), 0.0
    for points in conformations:
        first, second = np.triu_indices(len(points), 1)
        r = np.linalg.norm(points[first] - points[second], axis=1)
        total += len(points) + 2 * np.array([np.sum(np.sinc(q * r / np.pi)) for q in Q])
        moment += float(np.mean(np.sum((points - points.mean(0)) ** 2, axis=1)))
    bead = np.exp(-((Q * 2.3) ** 2) / 3)
    return total / total[0] * bead, float(np.sqrt(moment / len(conformations)))
