"""Proteins and complexes: pseudo-atoms of residues, with water around them, folded, assembled, or without
a fold.

The prior: 60 to 900 residues a domain, log-uniform; half axes log-normal, σ 0.25. X-rays (0.65): a
residue is its electrons less the water that it displaces, Gaussians both, so that its form factor rises
against that of a bead; neutrons: a bead. Water: none in 0.15, else 0.05 to 0.4 of a residue's contrast a
place, log-uniform.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...arrays import Floats
from . import accepted
from .body import Body, interpolate_on_wide_grid
from .chains import BOND, coil, domain, rotation, shell
from .debye import distances, sum_debye

#: More residues are represented by so many of them; what single residues scatter is that of all.
MOST = 1500
#: From this largest q Rg on, an exact curve of a protein is none of an ellipsoid any more.
NO_ELLIPSOID = 8.0
_ENSEMBLE = 10
#: Square root of the ratio of the largest to the smallest principal moment: longer bodies are elongated.
_LONG, _LONGISH = 2.8, 2.0


def residue(q: Floats, rng: np.random.Generator) -> Floats:
    """Return a residue's form factor (n,), 1 at q = 0."""
    # Gaussian clouds: atoms spread over 1.1 to 1.5 Å (one axis), electrons exp(−a q²), a 0.2 to 0.35 Å², and
    # displaced water exp(−0.5 q²), volume 16 Å³ (Fraser et al., J. Appl. Cryst. 11 (1978) 693).
    spread = np.exp(-0.5 * (rng.uniform(1.1, 1.5) * q) ** 2)
    if rng.random() < 0.35:
        return np.asarray(spread)
    water = rng.uniform(2.0, 4.5)
    atoms = np.exp(-rng.uniform(0.2, 0.35) * q**2)
    return np.asarray(spread * ((1 + water) * atoms - water * np.exp(-0.5 * q**2)))


def protein(rng: np.random.Generator) -> Body:
    """A folded protein, a complex of some, or domains on linkers."""
    build = _ARCHITECTURES[int(rng.choice(len(_ARCHITECTURES), p=_SHARES))]
    conformations, names = build(rng)
    scattering = _scattering(conformations, rng)
    return Body(
        "protein", scattering[0], scattering[1], names or list_accepted_names(conformations[0]), NO_ELLIPSOID
    )


def flexible(rng: np.random.Generator) -> Body:
    """Draw an unfolded chain: 40 to 600 residues, persistence 5 to 20 Å, in poor to good solvents."""
    # Distances grow by (|i − j|/10)^(ν − 1/2) beyond ten residues, ν 0.48 to 0.62.
    n = int(np.exp(rng.uniform(np.log(40), np.log(600))))
    chains = coil(n, rng.uniform(5.0, 20.0), _ENSEMBLE, rng)
    first, second = np.triu_indices(n, 1)
    swelling = np.maximum((second - first) / 10.0, 1.0) ** (rng.uniform(0.48, 0.62) - 0.5)
    pairs, weights = [], []
    for chain in chains:
        w = 1 + 0.25 * rng.standard_normal(n)
        r, product = distances(chain, w)
        pairs.append((r * swelling, product))
        weights.append(w)
    q, intensity, rg = sum_debye(pairs, weights)
    return Body(
        "flexible", interpolate_on_wide_grid(q, intensity * residue(q, rng) ** 2), rg, accepted.FLEXIBLE
    )


def list_accepted_names(points: Floats) -> tuple[str, ...]:
    """What is accepted of a solid body, by how long it is: (n, 3) points, Å."""
    moments = np.linalg.eigvalsh(np.cov(points.T))
    ratio = float(np.sqrt(moments[-1] / moments[0]))
    if ratio > _LONG:
        return accepted.ELONGATED
    return accepted.COMPACT if ratio < _LONGISH else (*accepted.COMPACT, *accepted.ELONGATED)


def _scattering(conformations: list[Floats], rng: np.random.Generator) -> tuple[Floats, float]:
    """ln I on the wide grid, and Rg in Å, of residues and the water around them."""
    hydration = 0.0 if rng.random() < 0.15 else float(np.exp(rng.uniform(np.log(0.05), np.log(0.4))))
    pairs, weights = [], []
    for points in conformations:
        water = shell(points, rng) if hydration and len(points) < 4 * MOST else np.empty((0, 3))
        w = np.concatenate([1 + 0.25 * rng.standard_normal(len(points)), np.full(len(water), hydration)])
        pair, w = _thin_pairs(np.concatenate([points, water]), w, rng)
        pairs.append(pair)
        weights.append(w)
    q, intensity, rg = sum_debye(pairs, weights)
    return interpolate_on_wide_grid(q, intensity * residue(q, rng) ** 2), rg


def _thin_pairs(
    points: Floats, weights: Floats, rng: np.random.Generator
) -> tuple[tuple[Floats, Floats], Floats]:
    """Pairs of `MOST` of the points, weighted as all pairs are, and the weights of all."""
    n = len(points)
    if n <= MOST:
        return distances(points, weights), weights
    selection = rng.choice(n, MOST, replace=False)
    r, product = distances(points[selection], weights[selection])
    return (r, product * (n * (n - 1)) / (MOST * (MOST - 1))), weights


def _residues(rng: np.random.Generator, most: int = 900) -> int:
    return int(np.exp(rng.uniform(np.log(60), np.log(most))))


def _axes(rng: np.random.Generator, sigma: float = 0.25) -> Floats:
    return np.asarray(np.exp(sigma * rng.standard_normal(3)))


_Built = tuple[list[Floats], tuple[str, ...]]


def _globular(rng: np.random.Generator) -> _Built:
    return [domain(_residues(rng), _axes(rng), rng)], ()


def _long(rng: np.random.Generator) -> _Built:
    """One domain of axis ratio up to five, or domains in a row, fixed."""
    if rng.random() < 0.4:
        return [domain(_residues(rng), np.array([1.0, 1.0, rng.uniform(2, 5)]), rng)], ()
    parts, position = [], np.zeros(3)
    for _ in range(int(rng.integers(2, 5))):
        part = domain(_residues(rng, 300), _axes(rng), rng)
        reach = 1.7 * np.sqrt(np.mean(np.sum(part**2, axis=1)))
        step = rotation(rng)[0] * 0.8 + np.array([0.0, 0.0, 0.8])
        position = position + reach * step / np.linalg.norm(step)
        parts.append(part + position)
    return [np.concatenate(parts)], ()


def _ring(rng: np.random.Generator) -> _Built:
    """Equal subunits around an axis, in one ring or two."""
    n = int(rng.integers(2, 9))
    unit = domain(_residues(rng, 400), _axes(rng), rng)
    half = 1.25 * np.sqrt(np.mean(np.sum(unit**2, axis=1)))
    radius = half / np.sin(np.pi / n)
    two = n > 2 and rng.random() < 0.4
    parts = []
    for level in range(1 + two):
        for k in range(n):
            angle = 2 * np.pi * (k + 0.5 * level) / n
            turn = np.array(
                [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
            )
            parts.append((unit + [radius, 0, (2 * level - 1) * half * two]) @ turn.T)
    return [np.concatenate(parts)], accepted.RING if n > 4 else ()


def _cage(rng: np.random.Generator) -> _Built:
    """Equal subunits on a sphere: 12 to 60 places of a Fibonacci lattice."""
    n = int(rng.integers(12, 61))
    unit = domain(_residues(rng, 250), _axes(rng), rng)
    half = 1.25 * np.sqrt(np.mean(np.sum(unit**2, axis=1)))
    radius = half * np.sqrt(n) * rng.uniform(0.9, 1.15) / 1.8
    k = np.arange(n) + 0.5
    z, turn = 1 - 2 * k / n, np.pi * (1 + np.sqrt(5)) * k
    directions = np.column_stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z])
    parts = [unit @ rotation(rng).T + radius * direction for direction in directions]
    return [np.concatenate(parts)], accepted.HOLLOW


def _link_domains(rng: np.random.Generator) -> _Built:
    """One to three domains with linkers and tails of 10 to 120 residues, in several conformations."""
    count = int(rng.integers(1, 4))
    domains = [domain(_residues(rng, 350), _axes(rng), rng) for _ in range(count)]
    linkers = [int(rng.integers(10, 120)) for _ in range(count)]
    persistence = rng.uniform(5.0, 20.0)
    chains = [coil(n, persistence, _ENSEMBLE // 2, rng) for n in linkers]
    conformations = []
    for k in range(_ENSEMBLE // 2):
        parts, end = [], np.zeros(3)
        for domain_points, linker in zip(domains, chains, strict=True):
            body = domain_points @ rotation(rng).T
            reach = np.linalg.norm(body, axis=1).max() + BOND
            direction = rotation(rng)[0]
            body = body + end + reach * direction
            chain = linker[k] - linker[k][0] + end + 1.8 * reach * direction
            parts += [body, chain]
            end = chain[-1]
        conformations.append(np.concatenate(parts))
    names = (*accepted.COMPACT, *accepted.ELONGATED, *accepted.FLEXIBLE)
    return conformations, names


_ARCHITECTURES: tuple[Callable[[np.random.Generator], _Built], ...] = (
    _globular,
    _long,
    _ring,
    _cage,
    _link_domains,
)
_SHARES = (0.4, 0.17, 0.18, 0.1, 0.15)
