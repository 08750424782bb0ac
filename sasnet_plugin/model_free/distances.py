"""Pair distances: p(r) and the largest distance D of a body, from its curve alone.

    I(q) = ∫₀ᴰ p(r) sin(qr)/(qr) dr + B

p(r) is a Gaussian process on [0, D] that vanishes at both ends (as r² at the lower one, for p(r) = r² γ(r),
and as a power at the upper one that is not known), as smooth as its length says. D, that power, the length
and the amplitude are averaged over with their evidence, as in S. Hansen, J. Appl. Cryst. 33 (2000) 1415, who
has a smoothness constraint in the place of the process (C. E. Rasmussen and C. K. I. Williams, "Gaussian
Processes for Machine Learning", 2006); B is integrated over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from .maxima import average_neighbours, roughness
from .results import Guinier, PairDistances, Refused


class DistanceSettings(NamedTuple):
    """What is averaged over, and when there is no answer."""

    #: Largest q Rg used: beyond, single bodies of one size alone have fringes, which say little of D.
    reach: float = 8.0
    #: points, fine: most averages of neighbours that are used, and most points that are averaged with their
    #: kernels.
    points: int = 150
    fine: int = 2000
    cells: int = 50  #: Of p(r) between 0 and D.
    #: D over Rg, least and most: a thin shell has 2, a sphere 2.6, a rod 3.5.
    ratio: tuple[float, float] = (1.7, 6.0)
    ratios: int = 36  #: Values of it, by equal factors.
    ends: tuple[int, ...] = (1, 2, 3, 4)  #: Powers of D − r.
    lengths: tuple[float, ...] = (0.1, 0.2, 0.4, 0.8)  #: Of the process, over D.
    #: Of the process, over the largest intensity: least, most, number.
    amplitudes: tuple[float, float, int] = (1e-4, 10.0, 31)
    #: Share of the evidence in the largest two D from which on the largest distance is not in the range.
    beyond: float = 0.2
    unseen: float = np.pi  #: Largest q_min D: what is larger than π / q_min is not seen.
    misfit: float = 3.0  #: Reduced χ² from which on no p(r) explains the curve.
    #: Share of the evidence of the likeliest below which an alternative is left out of p(r).
    kept: float = 1e-2


SETTINGS = DistanceSettings()


def pair_distances(
    q: Floats,
    intensity: Floats,
    sigma: Floats,
    guinier: Guinier | Refused,
    dq: Floats | None = None,
    slit: float = 0.0,
    settings: DistanceSettings = SETTINGS,
) -> PairDistances | Refused:
    """Estimate p(r), its largest distance, and Rg and I(0) from the whole curve; q in Å⁻¹, ascending."""
    # Errors below the scatter of neighbours are enlarged to it; a flat background may stay.
    # Corrected for pinhole resolution `dq` and a slit's half length, Å⁻¹.
    if not isinstance(guinier, Guinier):
        return Refused(f"there is no Guinier region: {guinier.reason}")
    if slit > 0:
        return Refused("a slit has smeared the curve")
    used = slice(guinier.left_out, int(np.searchsorted(q, settings.reach / guinier.rg, side="right")))
    sigma = sigma * roughness(intensity / sigma)
    points = (q[used], intensity[used], sigma[used], None if dq is None else dq[used])
    data = _Data.prepare(*_thin(points, settings.fine), settings)
    diameters = guinier.rg * np.geomspace(*settings.ratio, settings.ratios)
    factors = [_factor(end, length, settings) for end in settings.ends for length in settings.lengths]
    solved = [
        _Solved.solve(data, columns, factor, diameter)
        for diameter in diameters
        for columns in [data.columns(diameter * _cells(settings))]
        for factor in factors
    ]
    amplitudes = np.geomspace(*settings.amplitudes)
    evidence = np.array([solution.evidence(data, amplitudes) for solution in solved])
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    pair_distribution = _average_solutions(data, solved, share, amplitudes, settings)
    refused = _find_refusal(pair_distribution, diameters, share, solved, settings)
    return pair_distribution if refused is None else refused


class _Data(NamedTuple):
    """Averages of neighbours over their errors, the largest intensity being 1; without a flat background."""

    #: q, share: (n,), points, and the weight of each in its average.
    q: Floats
    share: Floats
    first: NDArray[np.intp]  #: (m,), the first point of each average.
    #: y, error: (m,)
    y: Floats
    error: Floats
    flat: Floats  #: (m,), a background, of unit length.
    dq: Floats | None  #: (n,)
    unit: float  #: The largest intensity.

    @classmethod
    def prepare(
        cls, q: Floats, intensity: Floats, sigma: Floats, dq: Floats | None, settings: DistanceSettings
    ) -> _Data:
        unit = float(intensity.max())
        first = _firsts(q, settings.points)
        weight = sigma**-2
        total = np.add.reduceat(weight, first)
        share = weight / np.repeat(total, np.diff(np.append(first, q.size)))
        error = total**-0.5 / unit
        flat = 1 / error / float(np.linalg.norm(1 / error))
        y = np.add.reduceat(share * intensity, first) / unit / error
        return cls(q, share, first, _project_out(y, flat), error, flat, dq, unit)

    def columns(self, r: Floats) -> Floats:
        """(m, cells) what each cell of p(r) contributes, over the errors, less a flat part."""
        kernel = np.sinc(self.q[:, None] * r / np.pi)
        if self.dq is not None:  # of a normal distribution of q
            kernel *= np.exp(-0.5 * (self.dq[:, None] * r) ** 2)
        averaged = np.add.reduceat(self.share[:, None] * kernel, self.first, axis=0)
        return _project_out(averaged / self.error[:, None], self.flat)


_Points = tuple[Floats, Floats, Floats, Floats | None]


def _thin(points: _Points, most: int) -> _Points:
    """Means of so few neighbours that no curve bends between them."""
    q, intensity, sigma, dq = points
    together = -(-q.size // most)
    if together == 1:
        return points
    return (
        average_neighbours(q, together), average_neighbours(intensity, together),
        np.sqrt(average_neighbours(sigma**2, together) / together),
        None if dq is None else average_neighbours(dq, together),
    )  # fmt: skip


def _firsts(q: Floats, most: int) -> NDArray[np.intp]:
    """The first of each group of neighbours, half of the groups by equal steps, half by equal factors."""
    if q.size <= most:
        return np.arange(q.size)
    even, factor = (q - q[0]) / (q[-1] - q[0]), np.log(q / q[0]) / np.log(q[-1] / q[0])
    place = (0.5 * most * (even + factor)).astype(np.intp)
    return np.flatnonzero(np.append(True, np.diff(place) > 0))


def _project_out(columns: Floats, flat: Floats) -> Floats:
    rest: Floats = columns - np.multiply.outer(flat, flat @ columns)
    return rest


def _cells(settings: DistanceSettings) -> Floats:
    return (np.arange(settings.cells) + 0.5) / settings.cells


def _factor(end: int, length: float, settings: DistanceSettings) -> Floats:
    """Cholesky factor of the covariance of p(r): Matérn's of order 5/2 between the ends."""
    x = _cells(settings)
    envelope = x**2 * (1 - x) ** end
    envelope /= envelope.max()
    d = np.sqrt(5) * np.abs(x[:, None] - x) / length
    covariance = envelope[:, None] * (1 + d + d**2 / 3) * np.exp(-d) * envelope
    return np.linalg.cholesky(covariance + 1e-12 * np.eye(x.size))


class _Solved(NamedTuple):
    """The linear problem of one D, end and length."""

    diameter: float
    basis: Floats  #: (cells, cells), of p(r), from what the singular vectors stand for.
    #: values, data: (cells,), singular values, and the data along their vectors.
    values: Floats
    data: Floats

    @classmethod
    def solve(cls, data: _Data, columns: Floats, factor: Floats, diameter: float) -> _Solved:
        u, values, v = np.linalg.svd(columns @ factor, full_matrices=False)
        return cls(diameter, factor @ v.T, values, u.T @ data.y)

    def evidence(self, data: _Data, amplitudes: Floats) -> Floats:
        grown = 1 + np.multiply.outer(amplitudes**2, self.values**2)
        rest = data.y @ data.y - self.data @ self.data
        log_evidence: Floats = -0.5 * (np.log(grown).sum(axis=1) + rest + (self.data**2 / grown).sum(axis=1))
        return log_evidence

    def cells(self, amplitude: float) -> tuple[Floats, Floats]:
        """What each cell of p(r) holds at its most probable, and a root of its covariance."""
        grown = 1 + (amplitude * self.values) ** 2
        return self.basis @ (amplitude**2 * self.values / grown * self.data), self.basis * (
            amplitude / np.sqrt(grown)
        )


def _average_solutions(
    data: _Data, solved: list[_Solved], share: Floats, amplitudes: Floats, settings: DistanceSettings
) -> PairDistances:
    diameters = np.array([solution.diameter for solution in solved])
    solution_shares = share.sum(axis=1)
    d_max = float(solution_shares @ diameters)
    step = np.log(settings.ratio[1] / settings.ratio[0]) / (settings.ratios - 1)
    d_error = float(np.sqrt(solution_shares @ (diameters - d_max) ** 2 + (step * d_max) ** 2 / 12))
    r = np.linspace(0, d_max + 2 * d_error, 101)
    weights, rows = [], []
    for weight, solution, amplitude in _select_kept(solved, share, amplitudes, settings):
        weights.append(weight)
        rows.append(_evaluate_solution(data, solution, amplitude, r, settings))
    shares = np.array(weights) / sum(weights)
    values, variances = (np.stack(part) for part in zip(*rows, strict=True))
    mean = shares @ values
    error = np.sqrt(shares @ (variances + (values - mean) ** 2))
    chi2, i0, rg = mean[:3]
    return PairDistances(
        d_max, d_error, float(rg), float(error[2]), float(i0), float(error[1]), r, mean[3:], error[3:],
        float(data.q[0]), float(data.q[-1]), data.y.size, float(chi2),
    )  # fmt: skip


def _select_kept(
    solved: list[_Solved], share: Floats, amplitudes: Floats, settings: DistanceSettings
) -> Iterator[tuple[float, _Solved, float]]:
    """Weight, problem and amplitude of all that matter."""
    for row, column in zip(*np.nonzero(share > settings.kept * share.max()), strict=True):
        yield float(share[row, column]), solved[row], float(amplitudes[column])


def _evaluate_solution(
    data: _Data, solution: _Solved, amplitude: float, r: Floats, settings: DistanceSettings
) -> tuple[Floats, Floats]:
    """Reduced χ², I(0), Rg and p at each r, and the variances of all but the first."""
    x = _cells(settings)
    cells, root = solution.cells(amplitude)
    places = solution.diameter * x
    free = max(data.y.size - 1 - float(np.sum(1 - 1 / (1 + (amplitude * solution.values) ** 2))), 1.0)
    residual = data.y - data.columns(places) @ cells
    i0 = float(cells.sum())
    square = float(places**2 @ cells) / (2 * i0)
    rg = math.sqrt(max(square, 1e-300))
    slope = (places**2 / 2 - square) / (2 * rg * i0)
    density = data.unit / (solution.diameter / x.size)
    ends = np.concatenate([[0.0], places, [solution.diameter]])
    p, deviation = (
        np.interp(r, ends, np.concatenate([[0.0], column, [0.0]]), right=0.0) * density
        for column in (cells, np.sqrt(np.sum(root**2, axis=1)))
    )
    values = [float(residual @ residual) / free, i0 * data.unit, rg]
    variances = [0.0, float(np.sum(root.sum(axis=0) ** 2)) * data.unit**2, float(np.sum((slope @ root) ** 2))]
    return np.concatenate([values, p]), np.concatenate([variances, deviation**2])


def _find_refusal(
    distances: PairDistances,
    diameters: Floats,
    share: Floats,
    solved: list[_Solved],
    settings: DistanceSettings,
) -> Refused | None:
    if distances.reduced_chisq > settings.misfit:
        return Refused(
            f"no p(r) fits the curve (reduced χ² {distances.reduced_chisq:.3g}): the particles interact, or"
            " the errors are too small"
        )
    largest = np.array([solution.diameter >= diameters[-2] for solution in solved])
    if share[largest].sum() > settings.beyond:
        return Refused(
            f"p(r) reaches beyond {diameters[-1]:.3g} Å, {settings.ratio[1]:g} times Rg: a chain, aggregates,"
            " or a background"
        )
    if distances.q_min * distances.d_max > settings.unseen:
        return Refused(
            f"the curve begins at {distances.q_min:.3g} Å⁻¹, too late for distances of {distances.d_max:.3g}"
            " Å"
        )
    return None
