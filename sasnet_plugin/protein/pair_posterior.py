"""Posterior of p(r) of a particle in solution, averaged over what disturbs the lowest q.

    I(q) = ∫₀ᴰ p(r) sin(qr)/(qr) dr + a exp(−(qL)²/3) + B

p(r) is a Gaussian process as in `model_free.distances`. B, the constant that a buffer subtraction leaves, is
integrated out. a is what aggregates add (a > 0) or a weak repulsion takes away (a < 0). How many of the first
points are disturbed, how large the relative systematic errors of the points are, and L, are averaged over
with their evidence. Every number of a protein is then a functional of p(r), and its error is the spread of
that functional over the posterior.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from ..arrays import Floats
from ..model_free.maxima import roughness


class PosteriorSettings(NamedTuple):
    """What is averaged over."""

    reach: float = 8.0  #: Largest q Rg used.
    q_max: float = 0.4  #: Å⁻¹; beyond it, a protein's secondary structure scatters.
    groups: int = 90  #: Most averages of neighbouring points.
    cells: int = 36  #: Of p(r) between 0 and D.
    ratio: tuple[float, float, int] = (2.1, 6.5, 18)  #: D over Rg: least, most, number by equal factors.
    ends: tuple[int, ...] = (1, 2, 3, 4)  #: Powers of D − r.
    lengths: tuple[float, ...] = (0.15, 0.3)  #: Correlation length of the process over D.
    amplitudes: tuple[float, float, int] = (3e-3, 3.0, 20)  #: Of the process over I(0): least, most, number.
    skips: tuple[int, ...] = (0, 1, 2, 4, 7, 11)  #: Disturbed first groups.
    skipped: float = 0.8  #: Largest q Rg of the first point used, unless the curve begins there.
    #: Density of a disturbed point: normal, with this standard deviation relative to its intensity. It makes
    #: the evidence of different ranges comparable.
    disturbed: float = 0.15
    systematic: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)  #: Relative systematic error of a group.
    #: L over Rg and the standard deviation of a over I(0) of aggregates or repulsion; the first has none.
    interactions: tuple[tuple[float, float], ...] = (
        (0.0, 0.0), (2.5, 0.03), (5.0, 0.03), (2.5, 0.3), (4.0, 0.3),
    )  # fmt: skip
    constant: float = 3e-3  #: Standard deviation of B over I(0), of the subtraction.
    #: Mean and standard deviation of what the atoms within a protein of N residues scatter evenly, over I(0),
    #: times N; and N over (Rg / Å)³ of a compact protein.
    interior: tuple[float, float] = (1.0, 0.7)
    residues: float = 0.042
    kept: float = 0.03  #: Share of the evidence of the best below which a treatment is left out.
    most: int = 4  #: Treatments that are averaged.
    samples: int = 300  #: Draws from the posterior.


SETTINGS = PosteriorSettings()


class Groups(NamedTuple):
    """Averages of neighbouring points, the intensity in units of a rough I(0)."""

    q: Floats
    intensity: Floats
    sigma: Floats
    unit: float


class Treatment(NamedTuple):
    """How disturbances are allowed for."""

    skip: int
    systematic: float
    interaction: tuple[float, float]


class Draws(NamedTuple):
    """Draws from the posterior, each a body's p(r)."""

    r: Floats  #: (draws, cells) Å
    p: Floats  #: (draws, cells), the share of I(0) of each cell, times I(0) over `unit`.
    d_max: Floats  #: (draws,) Å
    interaction: Floats  #: (draws,), a over I(0)
    constant: Floats  #: (draws,), B, in units of the intensity.
    unit: float  #: Of the intensity.
    skip: float  #: Mean number of disturbed first groups.
    systematic: float  #: Mean relative systematic error.
    q: Floats  #: (groups,) used, Å⁻¹.
    intensity: Floats  #: (groups,)
    sigma: Floats  #: (groups,)
    reduced_chisq: float  #: Of the mean, over the errors with their systematic part.
    beyond: float  #: Share of the evidence with the largest distances that are considered.

    def scattered(self, q: Floats) -> Floats:
        """(draws, n) I(q) of each draw, in units of the intensity, without constant and interaction."""
        curves: Floats = np.einsum("dc,dcn->dn", self.p, np.sinc(self.r[..., None] * q / np.pi)) * self.unit
        return curves


def group_points(
    q: Floats, intensity: Floats, sigma: Floats, rg: float, settings: PosteriorSettings
) -> Groups:
    """Average neighbours up to the largest q used; errors below the scatter are enlarged to it."""
    used = slice(int(np.searchsorted(q, min(settings.reach / rg, settings.q_max), side="right")))
    sigma = (sigma * max(1.0, roughness(intensity / sigma)))[used]
    q, intensity = q[used], intensity[used]
    unit = float(np.median(intensity[: max(3, int(np.searchsorted(q, 0.5 / rg)))]))
    if q.size > settings.groups:
        even, factor = (q - q[0]) / (q[-1] - q[0]), np.log(q / q[0]) / np.log(q[-1] / q[0])
        place = (0.5 * settings.groups * (even + factor)).astype(np.intp)
        first = np.flatnonzero(np.append(True, np.diff(place) > 0))
        weight = np.add.reduceat(sigma**-2, first)
        q = np.add.reduceat(q / sigma**2, first) / weight
        intensity = np.add.reduceat(intensity / sigma**2, first) / weight
        sigma = weight**-0.5
    return Groups(q, intensity / unit, sigma / unit, unit)


class _Problem(NamedTuple):
    """Points of one treatment, whitened; a and B are integrated out."""

    root: Floats  #: (m, m) that whitens.
    y: Floats
    logdet: float
    q: Floats


def _whiten(groups: Groups, rg: float, treatment: Treatment, settings: PosteriorSettings) -> _Problem:
    part = slice(treatment.skip, None)
    q, intensity = groups.q[part], groups.intensity[part]
    sigma = np.hypot(groups.sigma[part], treatment.systematic * np.abs(intensity))
    root = np.diag(1 / sigma)
    logdet = 2 * float(np.log(sigma).sum())
    for column in _nuisances(q, rg, treatment, settings).T:
        column = root @ column
        square = float(column @ column)
        if square:
            root = root - (1 - 1 / math.sqrt(1 + square)) / square * np.outer(column, column @ root)
            logdet += math.log1p(square)
    skipped = groups.intensity[: treatment.skip]
    # The density of disturbed points, without the factor √(2π) that all points share.
    logdet += 2 * float(np.log(settings.disturbed * np.abs(skipped) + 1e-12).sum())
    return _Problem(root, root @ (intensity - _expected_constant(rg, settings)), logdet, q)


def _expected_constant(rg: float, settings: PosteriorSettings) -> float:
    return settings.interior[0] / (settings.residues * rg**3)


def _nuisances(q: Floats, rg: float, treatment: Treatment, settings: PosteriorSettings) -> Floats:
    """(n, 2) the curves of a and B, each times its standard deviation."""
    length, spread = treatment.interaction
    interaction = spread * np.exp(-((q * length * rg) ** 2) / 3)
    constant = math.hypot(settings.constant, settings.interior[1] / (settings.residues * rg**3))
    return np.stack([interaction, np.full_like(q, constant)], axis=1)


def _covariance_root(end: int, length: float, cells: int) -> Floats:
    x = (np.arange(cells) + 0.5) / cells
    envelope = x**2 * (1 - x) ** end
    envelope /= envelope.sum()
    d = np.sqrt(5) * np.abs(x[:, None] - x) / length
    covariance = envelope[:, None] * (1 + d + d**2 / 3) * np.exp(-d) * envelope
    # The level of the process is known less well than its shape.
    covariance += 4 * np.outer(envelope, envelope)
    return np.linalg.cholesky(covariance + 1e-13 * np.eye(cells) * np.trace(covariance))


class _Solved(NamedTuple):
    """One D and one prior: log evidence for each amplitude, and what draws are made from."""

    evidence: Floats
    values: Floats
    vectors: Floats
    projected: Floats
    factor: Floats
    d_max: float


def _solve(problem: _Problem, columns: Floats, factor: Floats, d_max: float, amplitudes: Floats) -> _Solved:
    matrix = columns @ factor
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    values = np.maximum(values, 0.0)
    projected = vectors.T @ (matrix.T @ problem.y)
    grown = 1 + np.multiply.outer(amplitudes**2, values)
    explained = (amplitudes[:, None] ** 2 * projected**2 / grown).sum(axis=1)
    rest = float(problem.y @ problem.y)
    evidence = -0.5 * (np.log(grown).sum(axis=1) + rest - explained + problem.logdet)
    return _Solved(evidence, values, vectors, projected, factor, d_max)


def _solve_all(
    problem: _Problem, rg: float, ratios: Floats, factors: list[Floats], amplitudes: Floats
) -> list[_Solved]:
    cells = factors[0].shape[0]
    x = (np.arange(cells) + 0.5) / cells
    solved = []
    for ratio in ratios:
        columns = problem.root @ np.sinc(problem.q[:, None] * (ratio * rg * x) / np.pi)
        solved += [_solve(problem, columns, factor, ratio * rg, amplitudes) for factor in factors]
    return solved


def sample_posterior(
    groups: Groups, rg: float, rng: Generator, settings: PosteriorSettings = SETTINGS
) -> Draws:
    """Draw bodies that explain the curve; `rg` (Å) is a rough first value."""
    amplitudes = np.geomspace(*settings.amplitudes)
    ratios = np.geomspace(*settings.ratio)
    roots = {
        (end, length): _covariance_root(end, length, settings.cells)
        for end in settings.ends
        for length in settings.lengths
    }
    coarse = [roots[settings.ends[1], settings.lengths[-1]]]
    skips = [
        skip for skip in settings.skips
        if skip == 0 or (skip < groups.q.size // 3 and groups.q[skip] * rg < settings.skipped)
    ]  # fmt: skip
    treatments, problems, evidences = [], [], []
    for skip in skips:
        for systematic in settings.systematic:
            for interaction in settings.interactions:
                treatment = Treatment(skip, systematic, interaction)
                problem = _whiten(groups, rg, treatment, settings)
                solved = _solve_all(problem, rg, ratios[1::4], coarse, amplitudes[::3])
                treatments.append(treatment)
                problems.append(problem)
                evidences.append(_log_sum(np.concatenate([s.evidence for s in solved])))
    order = np.argsort(evidences)[::-1][: settings.most]
    kept = [k for k in order if evidences[k] > evidences[order[0]] + math.log(settings.kept)]
    fine = [
        (treatments[k], problems[k], _solve_all(problems[k], rg, ratios, list(roots.values()), amplitudes))
        for k in kept
    ]
    return _draw(groups, rg, fine, amplitudes, ratios, rng, settings)


def _log_sum(values: Floats) -> float:
    top = float(values.max())
    return top + math.log(float(np.exp(values - top).sum()))


def _draw(
    groups: Groups,
    rg: float,
    fine: list[tuple[Treatment, _Problem, list[_Solved]]],
    amplitudes: Floats,
    ratios: Floats,
    rng: Generator,
    settings: PosteriorSettings,
) -> Draws:
    evidence = np.array([[s.evidence for s in solved] for _, _, solved in fine])
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    picked = rng.choice(share.size, settings.samples, p=share.ravel())
    cells = settings.cells
    x = (np.arange(cells) + 0.5) / cells
    # A body's D lies anywhere between the values of the grid.
    step = math.log(ratios[1] / ratios[0])
    r, p, interaction, constant, d_max, chi2 = [], [], [], [], [], []
    for number, count in zip(*np.unique(picked, return_counts=True), strict=True):
        which, row, column = np.unravel_index(number, share.shape)
        treatment, problem, solved = fine[which]
        solution, amplitude = solved[row], amplitudes[column]
        grown = 1 + amplitude**2 * solution.values
        mean = amplitude**2 * solution.projected / grown
        noise = rng.standard_normal((count, cells)) * (amplitude / np.sqrt(grown))
        p.append((mean + noise) @ (solution.factor @ solution.vectors).T)
        r.append(np.broadcast_to(solution.d_max * x, (count, cells)))
        d_max.append(solution.d_max * np.exp(step * (rng.random(count) - 0.5)))
        kernel = np.sinc(problem.q[:, None] * (solution.d_max * x) / np.pi)
        expected = kernel @ (solution.factor @ (solution.vectors @ mean))
        chi2.append(count * float(np.sum((problem.y - problem.root @ expected) ** 2)) / problem.q.size)
        a, b = _draw_nuisances(groups, rg, treatment, kernel @ p[-1].T, rng, settings)
        interaction.append(a)
        constant.append(b)
    cells_of_all = np.concatenate(p)
    shares = share.sum(axis=(1, 2))
    beyond = np.array([s.d_max >= ratios[-2] * rg for s in fine[0][2]])
    return Draws(
        np.concatenate(r), cells_of_all, np.concatenate(d_max),
        np.concatenate(interaction) / np.maximum(cells_of_all.sum(axis=1), 1e-9),
        np.concatenate(constant) * groups.unit, groups.unit,
        float(sum(s * t.skip for s, (t, _, _) in zip(shares, fine, strict=True))),
        float(sum(s * t.systematic for s, (t, _, _) in zip(shares, fine, strict=True))),
        groups.q, groups.intensity * groups.unit, groups.sigma * groups.unit,
        sum(chi2) / settings.samples, float(share[:, beyond].sum()),
    )  # fmt: skip


def _draw_nuisances(
    groups: Groups,
    rg: float,
    treatment: Treatment,
    expected: Floats,
    rng: Generator,
    settings: PosteriorSettings,
) -> tuple[Floats, Floats]:
    """Draw a and B for each p(r); `expected` is (groups, draws)."""
    part = slice(treatment.skip, None)
    q, intensity = groups.q[part], groups.intensity[part]
    sigma = np.hypot(groups.sigma[part], treatment.systematic * np.abs(intensity))
    nuisances = _nuisances(q, rg, treatment, settings)
    columns = nuisances / sigma[:, None]
    covariance = np.linalg.inv(columns.T @ columns + np.eye(2))
    mean = _expected_constant(rg, settings)
    values = covariance @ (columns.T @ ((intensity[:, None] - mean - expected) / sigma[:, None]))
    values += np.linalg.cholesky(covariance) @ rng.standard_normal((2, expected.shape[1]))
    return values[0] * treatment.interaction[1], mean + values[1] * nuisances[0, 1]
