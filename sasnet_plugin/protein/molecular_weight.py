"""Molecular weight by several ways, combined with their correlated errors.

From the curve alone, each way is a logarithm of a volume with a correction that was learnt from simulated
proteins (`learn`): the correlated volume, the Porod volume up to q Rg = 6, and all descriptors of size and
shape together. Their errors are the scatter over simulated proteins, which depends on the shape, plus the
noise of this curve, both with correlations between the ways. I(0) against the concentration is independent of
them. The combination is the generalised least-squares mean of the logarithms.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..arrays import Floats
from ..files import read_text
from ..model_free.results import Refused
from .descriptors import NAMES
from .results import MassEstimate, MolecularWeight, Oligomer

AVOGADRO = 6.02214076e23
#: cm, scattering length of an electron.
ELECTRON_RADIUS = 2.8179403e-13
#: Electrons per cm³ of water, electrons per g of dry protein, and cm³/g with its standard deviation over
#: proteins (D. M. Orthaber, A. Bergmann and O. Glatter, J. Appl. Cryst. 33 (2000) 218).
WATER_ELECTRONS, PROTEIN_ELECTRONS = 3.34e23, 3.22e23
SPECIFIC_VOLUME = (0.7425, 0.01)
#: Relative standard deviations of a concentration that is given without one, and of an absolute scale.
CONCENTRATION_ERROR, SCALE_ERROR = 0.10, 0.03
#: Standard deviation of ln M, in all ways from the curve, by which real proteins may differ from the
#: simulated ones: half of how far the answers for seven measured proteins moved between two ways to
#: simulate (a surface of 1.4 and one of 2.5 Å roughness, other shells and distances of domains). It was
#: chosen with those curves in view; curves that nobody has looked at must judge.
DISCREPANCY = 0.07
#: The same where a particle lies outside of the sizes and shapes of the simulated ones.
OUTSIDE = 0.4  # a guess
#: Standard deviations beyond which a way disagrees with the others.
_DISAGREES = 2.5
#: χ² per degree of freedom of the ways from which on their disagreement is no chance.
_BIRGE = 3.0
METHODS = ("correlated volume", "Porod volume", "size and shape")
FORWARD = "I(0) and concentration"


@dataclass(frozen=True)
class MassTable:
    """What was learnt from simulated proteins."""

    centre: Floats  #: (names,) of the descriptors.
    offsets: Floats  #: (methods,)
    weights: Floats  #: (methods, names): ln M = offset + weights · (descriptors − centre).
    correlation: Floats  #: (methods, methods) covariance of a protein whose scale is 1.
    scale_offset: float  #: ln of the standard deviation's scale = offset + weights · (descriptors − centre).
    scale_weights: Floats
    scale_range: tuple[float, float]  #: Of the scale, over the simulated proteins.
    #: Mean and standard deviation of ln of the largest distance over that of p(r), at the centre.
    d_max: tuple[float, float]
    d_weights: Floats  #: (names,) by which that mean depends on the descriptors.
    minimum: Floats  #: (names,) of the descriptors of simulated proteins.
    maximum: Floats


@cache
def read_table() -> MassTable:
    """Return the committed table."""
    raw: dict[str, Any] = json.loads(read_text(__file__, "mass_table.json"))
    if tuple(raw["names"]) != NAMES:
        raise RuntimeError(
            "mass_table.json is of other descriptors; run python -m sasnet_plugin.protein.learn"
        )
    arrays = (
        "centre", "offsets", "weights", "correlation", "scale_weights", "d_weights", "minimum", "maximum",
    )  # fmt: skip
    return MassTable(
        **{name: np.array(raw[name]) for name in arrays}, scale_offset=float(raw["scale_offset"]),
        scale_range=tuple(raw["scale_range"]), d_max=tuple(raw["d_max"]),
    )  # fmt: skip


def evaluate_scale(table: MassTable, columns: Floats) -> float:
    """How much wider than usual the ways scatter for particles of this shape."""
    inside = np.clip(columns.mean(axis=0), table.minimum, table.maximum)
    scale = math.exp(table.scale_offset + float(table.scale_weights @ (inside - table.centre)))
    return float(np.clip(scale, *table.scale_range))


def is_outside(table: MassTable, columns: Floats) -> bool:
    """Whether a particle lies outside of the sizes and shapes of the simulated ones."""
    middle = np.median(columns, axis=0)
    return bool(np.any((middle < table.minimum) | (middle > table.maximum)))


def forward_mass(
    i0: float, i0_error: float, concentration: float, error: float | None
) -> tuple[float, float]:
    """ln of the molecular weight in kDa from I(0) in cm⁻¹ and the concentration in mg/ml, and its error.

    M = I(0) N_A / (c (Δρ v)²), with the contrast of the electrons of 1 g of protein in water for X-rays.
    """
    contrast = ELECTRON_RADIUS * (PROTEIN_ELECTRONS - WATER_ELECTRONS * SPECIFIC_VOLUME[0])
    mass = i0 * AVOGADRO / (1e-3 * concentration * contrast**2) / 1000
    relative = np.array([
        i0_error / i0,
        (CONCENTRATION_ERROR * concentration if error is None else error) / concentration,
        SCALE_ERROR,
        2 * ELECTRON_RADIUS * WATER_ELECTRONS * SPECIFIC_VOLUME[1] / contrast,
    ])  # fmt: skip
    return math.log(mass), float(np.linalg.norm(relative))


def combine(
    columns: Floats, forward: tuple[float, float] | None = None, table: MassTable | None = None
) -> MolecularWeight:
    """Combine all ways; `columns` are the descriptors of draws, `forward` ln of a mass and its error."""
    table = table or read_table()
    draws = table.offsets + (columns - table.centre) @ table.weights.T
    logs = np.median(draws, axis=0)
    # The spread by quantiles: noise that makes an integral negative in a few draws is no matter.
    spread = 0.5 * (np.quantile(draws, 0.84, axis=0) - np.quantile(draws, 0.16, axis=0))
    noise = np.corrcoef(draws.T) * np.outer(spread, spread)
    discrepancy = OUTSIDE if is_outside(table, columns) else DISCREPANCY
    covariance = table.correlation * evaluate_scale(table, columns) ** 2 + noise + discrepancy**2
    methods: tuple[str, ...] = METHODS
    if forward is not None:
        methods += (FORWARD,)
        logs = np.append(logs, forward[0])
        covariance = np.pad(covariance, (0, 1))
        covariance[-1, -1] = forward[1] ** 2
    mean, variance = _mean(logs, covariance)
    pulls = [_pull(logs, covariance, k) for k in range(logs.size)]
    worst = int(np.argmax(np.abs(pulls)))
    # Errors that ways share leave small differences significant; a reader sees one that exceeds its error.
    is_far = abs(logs[worst] - mean) > math.sqrt(covariance[worst, worst])
    distrusted = methods[worst] if abs(pulls[worst]) > _DISAGREES and is_far else ""
    # Ways that disagree by more than chance make the error larger, by Birge's ratio.
    off = logs - mean
    ratio = float(off @ np.linalg.solve(covariance, off)) / max(logs.size - 1, 1)
    deviation = math.sqrt(variance * (ratio if ratio > _BIRGE else 1.0))
    mass = math.exp(mean)
    errors = np.sqrt(np.diag(covariance))
    estimates = tuple(
        MassEstimate(method, math.exp(log), math.exp(log) * error, pull)
        for method, log, error, pull in zip(methods, logs.tolist(), errors.tolist(), pulls, strict=True)
    )
    return MolecularWeight(
        mass, mass * deviation, mass * math.exp(-deviation), mass * math.exp(deviation), estimates, distrusted
    )


def _mean(logs: Floats, covariance: Floats) -> tuple[float, float]:
    """Generalised least-squares mean and its variance; weights below zero are not used."""
    kept = np.arange(logs.size)
    while True:
        part = covariance[np.ix_(kept, kept)]
        weights = np.linalg.solve(part, np.ones(kept.size))
        weights /= weights.sum()
        if kept.size == 1 or weights.min() >= 0:
            return float(weights @ logs[kept]), float(weights @ part @ weights)
        kept = np.delete(kept, int(np.argmin(weights)))


def _pull(logs: Floats, covariance: Floats, number: int) -> float:
    rest = np.delete(np.arange(logs.size), number)
    part = covariance[np.ix_(rest, rest)]
    weights = np.linalg.solve(part, np.ones(rest.size))
    weights /= weights.sum()
    difference = np.zeros(logs.size)
    difference[rest] = -weights
    difference[number] = 1.0
    return float(difference @ logs) / math.sqrt(max(float(difference @ covariance @ difference), 1e-12))


#: Shares of the numbers of monomers of proteins in solution, roughly as in the Protein Data Bank's biological
#: assemblies (S. E. Ahnert et al., Science 350 (2015) aaa2245); other numbers share the last one.
_PRIOR = {1: 0.4, 2: 0.3, 3: 0.06, 4: 0.1, 5: 0.02, 6: 0.05, 8: 0.02, 10: 0.01, 12: 0.015, 24: 0.005}
_OTHER = 0.003
_MOST = 60


def find_oligomer(mass: MolecularWeight, monomer: float) -> Oligomer | Refused:
    """Return the probabilities of numbers of monomers of this molecular weight, kDa."""
    numbers = np.arange(1, _MOST + 1)
    prior = np.array([_PRIOR.get(int(number), _OTHER) for number in numbers])
    off = (np.log(numbers * monomer) - math.log(mass.value)) / mass.relative_error
    share = prior * np.exp(-0.5 * (off**2 - (off**2).min()))
    # A little more probability for what no model of the error expects.
    share = 0.99 * share / share.sum() + 0.01 * prior / prior.sum()
    if abs(off).min() > 3:
        return Refused(
            f"no number of monomers of {monomer:g} kDa has {mass.value:.3g} ± {mass.error:.2g} kDa"
        )
    probable = {int(n): float(s) for n, s in zip(numbers, share, strict=True) if s > 1e-3}
    return Oligomer(monomer, int(numbers[np.argmax(share)]), probable)
