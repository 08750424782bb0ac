"""Posterior of p(r) of a particle in solution, averaged over what disturbs the lowest q.

    I(q) = S(q) ∫₀ᴰ p(r) sin(qr)/(qr) dr + B,  S(q) = 1 + a w(qD)

p(r) is a Gaussian process as in `model_free.distances`. B, the constant that a buffer subtraction leaves, is
integrated out. a is what aggregates add to I(0) (a > 0) or weak repulsion takes away (a < 0). Aggregates are
random walks of particles whose step is about D, the length of a particle; w is the mean over pairs of
particles of such a walk. a is integrated out around each of a few values. How many of the first points are
disturbed, how large the relative systematic errors of the points are, a and the number of particles of an
aggregate are averaged over with their evidence. Every number of a protein is then a functional of p(r), and
its error is the spread of that functional over the posterior.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from ..arrays import Floats
from ..model_free.maxima import roughness


class Interaction(NamedTuple):
    """Aggregates or repulsion, and how probable they are before the curve is known."""

    kind: str  #: "none", "aggregates" or "repulsion".
    size: float  #: Range of the repulsion over D.
    excess: float  #: Mean of a.
    spread: float  #: Standard deviation of a.
    probability: float


class WalkSettings(NamedTuple):
    """Aggregates: random walks of particles."""

    particles: tuple[float, float] = (3.0, 16.0)  #: Fewest and most, by equal factors.
    #: Length of a step over D: median, and standard deviation of its logarithm. Particles that touch are D
    #: apart if they are spheres, and less if they lie side by side.
    step: tuple[float, float] = (0.9, 0.2)
    apart: float = 0.6  #: Least distance of two particles over D.
    walks: int = 200  #: Aggregates that are averaged.
    modes: int = 3  #: Main components of their differences.


class PosteriorSettings(NamedTuple):
    """What is averaged over."""

    reach: float = 8.0  #: Largest q Rg used.
    q_max: float = 0.4  #: Å⁻¹; beyond it, a protein's secondary structure scatters.
    groups: int = 90  #: Most averages of neighbouring points.
    cells: int = 36  #: Of p(r) between 0 and D.
    ratio: tuple[float, float, int] = (
        1.4,
        6.5,
        24,
    )  #: D over a rough Rg: least, most, number by equal factors.
    #: D over Rg of proteins: median, and standard deviation of its logarithm.
    usual: tuple[float, float] = (3.1, 0.2)
    ends: tuple[int, ...] = (1, 2, 3, 4)  #: Powers of D − r.
    lengths: tuple[float, ...] = (0.15, 0.3)  #: Correlation length of the process over D.
    amplitudes: tuple[float, float, int] = (3e-3, 3.0, 20)  #: Of the process over I(0): least, most, number.
    #: Amplitude of proteins: median, and standard deviation of its logarithm.
    usual_amplitude: tuple[float, float] = (0.5, 1.0)
    modes: tuple[int, int] = (
        12,
        20,
    )  #: Largest modes of the process used, to find treatments and in the end.
    skips: tuple[int, ...] = (0, 1, 2, 4, 7, 11)  #: Disturbed first groups.
    skipped: float = 0.8  #: Largest q Rg of the first point used, unless the curve begins there.
    #: Density of a disturbed point: normal, with this standard deviation relative to its intensity. It makes
    #: the evidence of different ranges comparable.
    disturbed: float = 0.15
    systematic: tuple[float, ...] = (3e-4, 2e-3, 8e-3, 3e-2)  #: Relative systematic error of a group.
    interactions: tuple[Interaction, ...] = (
        Interaction("none", 0, 0.0, 0.0, 0.6),
        Interaction("aggregates", 0, 0.03, 0.015, 0.1),
        Interaction("aggregates", 0, 0.1, 0.05, 0.1),
        Interaction("aggregates", 0, 0.3, 0.15, 0.1),
        Interaction("repulsion", 0.8, -0.03, 0.02, 0.05),
        Interaction("repulsion", 1.3, -0.1, 0.05, 0.05),
    )
    walk: WalkSettings = WalkSettings()
    constant: float = 3e-3  #: Standard deviation of B over I(0), of the subtraction.
    #: Mean and standard deviation of what the atoms within a protein of N residues scatter evenly, over I(0),
    #: times N; and N over (Rg / Å)³ of a compact protein.
    interior: tuple[float, float] = (1.0, 0.7)
    residues: float = 0.042
    kept: float = 0.01  #: Share of the evidence of the best below which a treatment is left out.
    most: int = 8  #: Treatments that are averaged.
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
    interaction: Interaction


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


class Aggregates(NamedTuple):
    """Pairs of particles in aggregates: the mean of sin(qd)/(qd) and how it varies, d their distance."""

    x: Floats  #: (n,) q times the length of a particle.
    mean: Floats  #: (n,)
    modes: Floats  #: (n, modes) main components of the variation, each times its standard deviation.


@cache
def aggregate(settings: WalkSettings) -> Aggregates:
    """Average over aggregates that are random walks of particles."""
    rng = np.random.default_rng(0)
    x = np.linspace(0.0, 30.0, 151)
    curves = []
    for _ in range(settings.walks):
        places = draw_walk(rng, settings)
        pairs = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(len(places), 1)]
        curves.append(np.sinc(np.multiply.outer(x, pairs) / np.pi).mean(axis=1))
    mean = np.mean(curves, axis=0)
    _, values, vectors = np.linalg.svd((curves - mean) / math.sqrt(settings.walks), full_matrices=False)
    return Aggregates(x, mean, (values[: settings.modes, None] * vectors[: settings.modes]).T)


def draw_walk(rng: Generator, settings: WalkSettings) -> Floats:
    """Centres (particles, 3) of the particles of one aggregate, over D."""
    number = int(np.exp(rng.uniform(*np.log(settings.particles))))
    step = settings.step[0] * np.exp(settings.step[1] * rng.standard_normal())
    step = max(step, 1.05 * settings.apart)
    places = np.zeros((1, 3))
    while len(places) < number:
        ways = rng.standard_normal((30, 3))
        next_places = places[-1] + step * ways / np.linalg.norm(ways, axis=1)[:, None]
        free = np.linalg.norm(next_places[:, None] - places, axis=2).min(axis=1) > settings.apart
        if not free.any():  # the walk has enclosed itself
            break
        places = np.concatenate([places, next_places[free][:1]])
    return places


def _walk(q: Floats, d_max: Floats, interaction: Interaction, settings: PosteriorSettings) -> Floats:
    """(ratios, q, 1 + modes) what an excess of 1 adds to S(q), and how it varies."""
    x = np.multiply.outer(d_max, q)
    if interaction.kind == "aggregates":
        table = aggregate(settings.walk)
        columns = [np.interp(x, table.x, column, right=0.0) for column in (table.mean, *table.modes.T)]
        return np.stack(columns, axis=-1)
    return np.exp(-((interaction.size * x[..., None]) ** 2) / 3)


def _expect_constant(d_max: Floats, settings: PosteriorSettings) -> tuple[Floats, Floats]:
    """Mean and standard deviation of B over I(0)."""
    residues = settings.residues * (d_max / settings.usual[0]) ** 3
    return settings.interior[0] / residues, np.hypot(settings.constant, settings.interior[1] / residues)


class _Points(NamedTuple):
    """Points of one treatment over their errors, for each D."""

    y: Floats  #: (ratios, m), without the mean of B.
    factor: Floats  #: (ratios, m) that multiplies the curve of a particle.
    #: (ratios, m, k) curves of deviations of a and w, and of B, each times its standard deviation.
    nuisances: Floats
    inverse: Floats  #: (ratios, k, k) their covariance without p(r).
    logdet: Floats  #: (ratios,)


def _weigh_points(
    groups: Groups, d_max: Floats, treatment: Treatment, settings: PosteriorSettings
) -> _Points:
    part = slice(treatment.skip, None)
    q, intensity = groups.q[part], groups.intensity[part]
    sigma = np.hypot(groups.sigma[part], treatment.systematic * np.abs(intensity))
    interaction = treatment.interaction
    factor = np.ones((d_max.size, q.size))
    constant, spread = _expect_constant(d_max, settings)
    nuisances = np.broadcast_to(spread[:, None, None], (*factor.shape, 1))
    if interaction.spread:
        walk = _walk(q, d_max, interaction, settings)
        factor += interaction.excess * walk[..., 0]
        # The curve itself shows that of the particles, by which what is linear in S(q) is multiplied.
        particle = np.maximum(intensity - constant[:, None], 0.0) / factor
        scale = np.full(walk.shape[-1], interaction.excess)
        scale[0] = interaction.spread
        nuisances = np.concatenate([scale * walk * particle[..., None], nuisances], axis=2)
    nuisances = nuisances / sigma[:, None]
    information = np.eye(nuisances.shape[2]) + np.swapaxes(nuisances, 1, 2) @ nuisances
    # The density of disturbed points, without the factor √(2π) that all points share.
    skipped = np.log(settings.disturbed * np.abs(groups.intensity[: treatment.skip]) + 1e-12).sum()
    logdet = np.linalg.slogdet(information)[1] + 2 * float(np.log(sigma).sum() + skipped)
    y = (intensity - constant[:, None]) / sigma
    return _Points(y, factor / sigma, nuisances, np.asarray(np.linalg.inv(information), dtype=float), logdet)


def _covariance_root(end: int, length: float, cells: int, modes: int) -> Floats:
    """(cells, modes) a root of the covariance of p(r), of its largest modes."""
    x = (np.arange(cells) + 0.5) / cells
    envelope = x**2 * (1 - x) ** end
    envelope /= envelope.sum()
    d = np.sqrt(5) * np.abs(x[:, None] - x) / length
    covariance = envelope[:, None] * (1 + d + d**2 / 3) * np.exp(-d) * envelope
    # The level of the process is known less well than its shape.
    covariance += 4 * np.outer(envelope, envelope)
    values, vectors = np.linalg.eigh(covariance)
    root: Floats = vectors[:, -modes:] * np.sqrt(np.maximum(values[-modes:], 0.0))
    return root


class _Solved(NamedTuple):
    """One prior and all D: log evidence for each amplitude, and what draws are made from."""

    evidence: Floats  #: (ratios, amplitudes)
    values: Floats  #: (ratios, modes)
    vectors: Floats  #: (ratios, modes, modes)
    projected: Floats  #: (ratios, modes)


def _solve(
    points: _Points, columns: Floats, root: Floats, amplitudes: Floats, settings: PosteriorSettings
) -> _Solved:
    """Solve for all D; `columns` (ratios, m, modes) are the curves of the modes of a particle."""
    matrix = points.factor[..., None] * columns
    both = np.swapaxes(matrix, 1, 2) @ np.concatenate([points.nuisances, matrix], axis=2)
    number = points.nuisances.shape[2]
    cross = both[..., :number] @ points.inverse
    nuisance_y = np.einsum("dmk,dm->dk", points.nuisances, points.y)
    gram = both[..., number:] - cross @ np.swapaxes(both[..., :number], 1, 2)
    right = np.einsum("dmk,dm->dk", matrix, points.y) - np.einsum("dkn,dn->dk", cross, nuisance_y)
    rest = (points.y**2).sum(axis=1) - np.einsum("dk,dkn,dn->d", nuisance_y, points.inverse, nuisance_y)
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(values, 0.0)
    projected = np.einsum("dkn,dk->dn", vectors, right)
    square = amplitudes[:, None] ** 2
    grown = 1 + square * values[:, None]
    mean = square * projected[:, None] / grown
    evidence = -0.5 * (
        np.log(grown).sum(axis=2) + (rest + points.logdet)[:, None] - (mean * projected[:, None]).sum(axis=2)
    )
    # D over Rg of the mean, of proteins.
    x = (np.arange(len(root)) + 0.5) / len(root)
    total, second = (
        np.einsum("dan,dkn,k->da", mean, vectors, moment @ root, optimize=True) for moment in (x**0, x**2)
    )
    ratio = np.sqrt(2 * np.maximum(total, 1e-9) / np.maximum(second, 1e-12))
    evidence -= 0.5 * (np.log(ratio / settings.usual[0]) / settings.usual[1]) ** 2
    evidence -= 0.5 * (np.log(amplitudes / settings.usual_amplitude[0]) / settings.usual_amplitude[1]) ** 2
    return _Solved(evidence, values, vectors, projected)


def sample_posterior(
    groups: Groups, rg: float, rng: Generator, settings: PosteriorSettings = SETTINGS
) -> Draws:
    """Draw particles that fit the curve; `rg` (Å) is a rough first value."""
    amplitudes = np.geomspace(*settings.amplitudes)
    ratios = np.geomspace(*settings.ratio)
    x = (np.arange(settings.cells) + 0.5) / settings.cells
    kernel = np.sinc(groups.q[:, None] * (rg * ratios[:, None, None] * x) / np.pi)
    skips = [
        skip for skip in settings.skips
        if skip == 0 or (skip < groups.q.size // 3 and groups.q[skip] * rg < settings.skipped)
    ]  # fmt: skip
    treatments = [
        Treatment(skip, systematic, interaction)
        for skip in skips for systematic in settings.systematic for interaction in settings.interactions
    ]  # fmt: skip
    root = _covariance_root(settings.ends[1], settings.lengths[-1], settings.cells, settings.modes[0])
    columns = kernel[1::3] @ root
    evidences = []
    for treatment in treatments:
        points = _weigh_points(groups, ratios[1::3] * rg, treatment, settings)
        solved = _solve(points, columns[:, treatment.skip :], root, amplitudes[::3], settings)
        evidences.append(_log_sum(solved.evidence) + math.log(treatment.interaction.probability))
    order = np.argsort(evidences)[::-1][: settings.most]
    kept = [k for k in order if evidences[k] > evidences[order[0]] + math.log(settings.kept)]
    roots = [
        _covariance_root(end, length, settings.cells, settings.modes[1])
        for end in settings.ends for length in settings.lengths
    ]  # fmt: skip
    all_points = [_weigh_points(groups, ratios * rg, treatments[k], settings) for k in kept]
    all_solved: list[list[_Solved]] = [[] for _ in kept]
    for root in roots:
        columns = kernel @ root
        for k, points, solutions in zip(kept, all_points, all_solved, strict=True):
            solutions.append(_solve(points, columns[:, treatments[k].skip :], root, amplitudes, settings))
    fine = [(treatments[k], *rest) for k, *rest in zip(kept, all_points, all_solved, strict=True)]
    return _draw(groups, rg, fine, roots, kernel, rng, settings)


def _log_sum(values: Floats) -> float:
    top = float(values.max())
    return top + math.log(float(np.exp(values - top).sum()))


def _draw(
    groups: Groups,
    rg: float,
    fine: list[tuple[Treatment, _Points, list[_Solved]]],
    roots: list[Floats],
    kernel: Floats,
    rng: Generator,
    settings: PosteriorSettings,
) -> Draws:
    # (treatments, roots, ratios, amplitudes)
    evidence = np.array([
        [solved.evidence + math.log(treatment.interaction.probability) for solved in solutions]
        for treatment, _, solutions in fine
    ])  # fmt: skip
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    picked = rng.choice(share.size, settings.samples, p=share.ravel())
    amplitudes = np.geomspace(*settings.amplitudes)
    ratios = np.geomspace(*settings.ratio)
    x = (np.arange(settings.cells) + 0.5) / settings.cells
    # A particle's D lies anywhere between the values of the grid.
    step = math.log(ratios[1] / ratios[0])
    expected, spreads = _expect_constant(ratios * rg, settings)
    r, p, interaction, constant, d_max, chi2 = [], [], [], [], [], []
    for number, count in zip(*np.unique(picked, return_counts=True), strict=True):
        which, prior, row, column = np.unravel_index(number, share.shape)
        treatment, points, solutions = fine[which]
        solution, amplitude = solutions[prior], amplitudes[column]
        values, projected = solution.values[row], solution.projected[row]
        grown = 1 + amplitude**2 * values
        mean = amplitude**2 * projected / grown
        noise = rng.standard_normal((count, values.size)) * (amplitude / np.sqrt(grown))
        back = roots[prior] @ solution.vectors[row]
        p.append((mean + noise) @ back.T)
        r.append(np.broadcast_to(ratios[row] * rg * x, (count, x.size)))
        d_max.append(ratios[row] * rg * np.exp(step * (rng.random(count) - 0.5)))
        curves = points.factor[row][:, None] * kernel[row, treatment.skip :]
        columns, covariance = points.nuisances[row], points.inverse[row]
        off = points.y[row] - curves @ (back @ mean)
        chi2.append(count * float(off @ off - off @ columns @ covariance @ (columns.T @ off)) / off.size)
        found = covariance @ (columns.T @ (points.y[row][:, None] - curves @ p[-1].T))
        found += np.linalg.cholesky(covariance) @ rng.standard_normal(found.shape)
        a = treatment.interaction
        interaction.append(a.excess + (a.spread * found[0] if a.spread else np.zeros(count)))
        constant.append(expected[row] + spreads[row] * found[-1])
    shares = share.sum(axis=(1, 2, 3))
    return Draws(
        np.concatenate(r), np.concatenate(p), np.concatenate(d_max), np.concatenate(interaction),
        np.concatenate(constant) * groups.unit, groups.unit,
        float(sum(s * t.skip for s, (t, _, _) in zip(shares, fine, strict=True))),
        float(sum(s * t.systematic for s, (t, _, _) in zip(shares, fine, strict=True))),
        groups.q, groups.intensity * groups.unit, groups.sigma * groups.unit,
        sum(chi2) / settings.samples, float(share[:, :, ratios >= ratios[-2]].sum()),
    )  # fmt: skip
