"""Poisson likelihood about a fit as a quadratic form, and its non-negative solutions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....arrays import Floats
from .settings import INVERSION


def variance(expected: Floats, tolerance: float = INVERSION.tolerance) -> Floats:
    """Variance of the counts: Poisson's, plus the simulation's relative tolerance."""
    expected = np.maximum(expected, INVERSION.least_expected)
    return np.asarray(expected + (tolerance * expected) ** 2)


@dataclass(frozen=True)
class Quadratic:
    """½ cᵀMc − vᵀc + ½ rest: minus the log likelihood of weights, others at their best."""

    m: Floats  #: (k, k)
    v: Floats  #: (k,)
    rest: float
    gain: Floats  #: (f, k), best others are ``others - gain @ c``.
    others: Floats
    spread: Floats  #: (f, f), covariance of the others at given weights.

    def best_others(self, c: Floats) -> Floats:
        """Others at given weights, (f,) or (..., f)."""
        return np.asarray(self.others - c @ self.gain.T)

    def log_likelihood(self, p: Floats) -> Floats:
        """Log likelihood (n,) of normalised distributions (n, k), all else at its best."""
        aligned = np.maximum(p @ self.v, 0.0)
        return np.asarray(0.5 * aligned**2 / np.einsum("ij,ij->i", p @ self.m, p))

    def scales(self, p: Floats) -> Floats:
        """Best total weight of normalised distributions, (n, k) → (n,)."""
        return np.asarray(np.maximum(p @ self.v, 0.0) / np.einsum("ij,ij->i", p @ self.m, p))

    def nonnegative(self) -> Floats:
        """Weights of least loss that are not negative (Lawson and Hanson)."""
        from scipy.optimize import nnls

        scale = 1 / np.sqrt(np.maximum(np.diag(self.m), 1e-300))
        m = self.m * scale[:, None] * scale
        try:
            root = np.linalg.cholesky(m + 1e-11 * np.eye(len(m)))
            matrix, target = root.T, np.linalg.solve(root, self.v * scale)
        except np.linalg.LinAlgError:
            # Rounding may leave a direction that the data say nothing of slightly below zero.
            values, vectors = np.linalg.eigh((m + m.T) / 2)
            values = np.sqrt(np.maximum(values, 1e-9 * values[-1]))
            matrix, target = values[:, None] * vectors.T, vectors.T @ (self.v * scale) / values
        solution, _ = nnls(matrix, target, maxiter=30 * len(m))
        return np.asarray(solution * scale)


def quadratic(
    columns: Floats,
    y: Floats,
    expected: Floats,
    other_columns: Floats,
    precision: Floats,
    target: Floats,
    tolerance: float = INVERSION.tolerance,
    dispersed: float = 1.0,
) -> Quadratic:
    """Expand the likelihood about a fit."""
    # Weights multiply `columns` (k, n); `others` (f, n) are eliminated with Gaussian priors of `precision`
    # (1/σ²) and `target`. `expected` counts set the variance, with the simulation's relative `tolerance` and
    # the factor `dispersed`.
    weight = 1 / np.sqrt(dispersed * variance(expected, tolerance))
    all_columns = np.concatenate((columns, other_columns)) * weight
    data = y * weight
    normal, right = all_columns @ all_columns.T, all_columns @ data
    k = len(columns)
    corner = normal[k:, k:] + np.diag(precision)
    target_sum = right[k:] + precision * target
    if len(other_columns) == 0:
        empty = np.zeros((0, k))
        return Quadratic(normal, right, float(data @ data), empty, np.zeros(0), np.zeros((0, 0)))
    spread: Floats = np.asarray(np.linalg.inv(corner), dtype=np.float64)
    gain = spread @ normal[k:, :k]
    best = spread @ target_sum
    return Quadratic(
        m=normal[:k, :k] - normal[:k, k:] @ gain,
        v=right[:k] - gain.T @ target_sum,
        rest=float(data @ data + precision @ target**2 - target_sum @ best),
        gain=gain,
        others=best,
        spread=spread,
    )


def reweight(
    columns: Floats,
    y: Floats,
    expected: Floats,
    tolerance: float = INVERSION.tolerance,
    rounds: int = 2,
) -> tuple[Floats, Floats]:
    """Find weights of columns and expected counts by reweighted least squares."""
    no_values, weights = np.zeros(0), np.zeros(len(columns))
    for _ in range(rounds):
        weights = quadratic(
            columns, y, expected, np.zeros((0, y.size)), no_values, no_values, tolerance
        ).nonnegative()
        expected = np.maximum(weights @ columns, INVERSION.least_expected)
    return weights, expected


def deviance(y: Floats, expected: Floats, tolerance: float = INVERSION.tolerance) -> Floats:
    """Poisson deviance of each pixel, what the simulation's tolerance explains taken off, (n,)."""
    mu = np.maximum(expected, INVERSION.least_expected)
    ratio = np.where(y > 0, y, 1.0) / mu
    whole = 2 * (np.where(y > 0, y * np.log(ratio), 0.0) - (y - mu))
    return np.asarray(np.maximum(whole, 0.0) * mu / variance(mu, tolerance))
