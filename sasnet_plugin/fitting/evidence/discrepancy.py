"""Correlated (systematic) errors along ln q: their sizes, and what they leave of parameters' errors.

A calibrated intensity is off by some per cent, smoothly along q: background, sensitivity, resolution, a model
that is nearly right. It is described as a Gaussian process (M. C. Kennedy and A. O'Hagan, J. R. Stat. Soc. B
63 (2001) 425) of Matérn's covariance, ν = 3/2: (1 + d) exp(-d) with d = √3 |Δ ln q|/length. Its size is a
share of the fit's intensity, of the mean intensity about each point, or, as where a background is taken off,
of a constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ...arrays import ArrayCache, Floats, bytes_of
from ...types import Curve
from ..result.model_fit import ModelFit
from ..result.residuals import Shape, SharedError
from ..settings import ASSESSMENT, EVIDENCE, PROBLEM

# --- Correlated errors along ln q.

#: Shapes of the last curves and fits: the search weighs a fit, and the assessment weighs it again.
_KEPT: ArrayCache[list[Shape]] = ArrayCache(4 * 2**20)


@dataclass(frozen=True)
class Discrepancy:
    """The shared errors that are thought possible in one curve."""

    curve: Curve
    dintensity: Floats  #: (n,), positive.
    share: float = 1.0  #: Of the points, as many as are independent.

    def residual(self, fit: ModelFit) -> Floats:
        """(n,) in units of the uncertainty."""
        return np.asarray((self.curve.intensity - fit.theory) / self.dintensity)

    @property
    def least_noise(self) -> float:
        """The least that the noise may be over the uncertainty: stated ones are no smaller in truth.

        Estimated ones have a floor, so that they are the most that the noise is: computed curves have none.
        """
        return EVIDENCE.least_noise if self.curve.dintensity is None else 1.0

    @cached_property
    def local_mean(self) -> Floats:
        """Mean intensity about each point, (n,): a share of it does not vanish in a minimum."""
        return _mean_about(np.log(self.curve.q), self.curve.intensity, self.dintensity)

    @cached_property
    def constant(self) -> float:
        """About as much as a background makes up."""
        return float(np.quantile(self.local_mean, EVIDENCE.background_quantile))

    @cached_property
    def ratios(self) -> Floats:
        """Sizes that are tried, relative to a shape and to the noise."""
        least = EVIDENCE.least_size * float(np.median(self.dintensity / self.local_mean))
        least = float(np.clip(least, 1e-6, 0.01))
        return np.geomspace(least, 1.0, int(np.ceil(np.log(1 / least) / EVIDENCE.size_step)) + 1)

    def shapes(self, theory: Floats) -> tuple[Shape, ...]:
        """Each level with each length, for a fit of this intensity (n,)."""
        return (*self._common_shapes, *self._make_shapes(np.abs(theory)))

    @cached_property
    def _common_shapes(self) -> tuple[Shape, ...]:
        return (
            *self._make_shapes(self.local_mean),
            *self._make_shapes(np.full_like(self.local_mean, self.constant)),
        )

    def _make_shapes(self, level: Floats) -> list[Shape]:
        key = tuple(map(bytes_of, (self.curve.q, self.curve.intensity, self.dintensity, level)))
        return _KEPT.get(key, lambda: self._calculated(level), _size)

    def _calculated(self, level: Floats) -> list[Shape]:
        share = float(np.sqrt(np.mean((level / self.local_mean) ** 2)))
        gain = level / self.dintensity
        found = []
        for length, modes in zip(EVIDENCE.lengths, self._modes, strict=True):
            columns = gain[:, None] * modes
            values, vectors = np.linalg.eigh(columns.T @ columns)
            large = values > max(values[-1] * 1e-12, ASSESSMENT.negligible)
            root = np.sqrt(values[large])
            found.append(Shape(length, level, share, values[large], columns @ (vectors[:, large] / root)))
        return found

    @cached_property
    def _modes(self) -> tuple[Floats, ...]:
        """Modes (n, p) of each correlation length whose products sum to the process's covariance."""
        return _calculate_modes(self.curve.q.tobytes())

    @cached_property
    def drifts(self) -> Floats:
        """Backgrounds that change along q, (n, 2), each of the size that one may have, in uncertainties."""
        q = self.curve.q / self.curve.q[-1]
        return np.column_stack([self.constant * q**power / self.dintensity for power in (1, 2)])


@lru_cache(maxsize=2)
def _calculate_modes(q_bytes: bytes) -> tuple[Floats, ...]:
    """See `Discrepancy._modes`; measurements of one instrument have them in common."""
    log_q = np.log(np.frombuffer(q_bytes))
    cell = np.floor((log_q - log_q[0]) / EVIDENCE.cell)
    cell_index = np.unique(cell, return_inverse=True)[1]
    centres = np.bincount(cell_index, log_q) / np.bincount(cell_index)
    modes = []
    for length in EVIDENCE.lengths:
        values, vectors = np.linalg.eigh(correlation(centres, length))
        large = values > EVIDENCE.least_mode * values[-1]
        modes.append((vectors[:, large] * np.sqrt(values[large]))[cell_index])
    return tuple(modes)


def _size(shapes: Sequence[Shape]) -> int:
    """Bytes of their eigenvectors."""
    return sum(shape.vectors.nbytes for shape in shapes)


def correlation(log_q: Floats, length: float) -> Floats:
    """(n, n) between points at `log_q`."""
    far = np.sqrt(3.0) * np.abs(np.subtract.outer(log_q, log_q)) / length
    return np.asarray((1 + far) * np.exp(-far))


def _mean_about(log_q: Floats, intensity: Floats, dintensity: Floats) -> Floats:
    """Mean intensity over a window of ln q, (n,); not below the uncertainty of that mean."""
    low = np.searchsorted(log_q, log_q - PROBLEM.window / 2)
    high = np.searchsorted(log_q, log_q + PROBLEM.window / 2, side="right")

    def total(values: Floats) -> Floats:
        cumulative = np.concatenate(([0.0], np.cumsum(values)))
        return np.asarray(cumulative[high] - cumulative[low])

    return np.asarray(np.maximum(total(intensity), np.sqrt(total(dintensity**2))) / (high - low))


# --- What they leave of parameters' errors.

#: Directions in which a curve tells less than this of what it tells of the best known one are not seen.
_OPEN = 1e-9


@dataclass(frozen=True)
class Information:
    """What residuals tell of the parameters that they are linear in."""

    precision: Floats  #: Shape (k, k). Inverse of the covariance.
    pull: Floats  #: Shape (k,). Half the gradient of χ².

    def __add__(self, other: Information) -> Information:
        return Information(self.precision + other.precision, self.pull + other.pull)

    def solve(self) -> Floats:
        """How far the parameters, (k,), lie from where χ² is least; directions that are not seen stay."""
        return np.asarray(np.linalg.pinv(self.precision, rcond=_OPEN, hermitian=True) @ self.pull)


def compute_information(error: SharedError, residual: Floats, columns: Floats) -> Information:
    """What residuals (n,) tell of parameters by their slopes (n, k), weighted by their inverse covariance."""
    weight = _weight_columns(error, columns)
    return Information(columns.T @ weight, weight.T @ residual)


def propagate_error(error: SharedError, inverse: Floats) -> Floats:
    """Covariance (k, k) of what is linear in the residuals with these coefficients, (k, n)."""
    return np.asarray(error.noise**2 * inverse @ inverse.T + _project_shared_part(error, inverse.T))


def _weight_columns(error: SharedError, columns: Floats) -> Floats:
    """Columns (n, k) times the inverse of the residuals' covariance."""
    plain = columns / error.noise**2
    if not error.parts:
        return np.asarray(plain)
    base = np.column_stack([size * shape.vectors * np.sqrt(shape.values) for size, shape in error.parts])
    if base.shape[1] >= len(columns):
        whole = error.noise**2 * np.eye(len(columns)) + base @ base.T
        return np.asarray(np.linalg.solve(whole, columns))
    inner = error.noise**2 * np.eye(base.shape[1]) + base.T @ base
    return np.asarray(plain - base @ np.linalg.solve(inner, base.T @ plain))


def _project_shared_part(error: SharedError, columns: Floats) -> Floats:
    """columnsᵀ K columns, (m, m), with K the shared part's covariance of the residuals."""
    covariance = np.zeros((columns.shape[1], columns.shape[1]))
    for size, shape in error.parts:
        projected = shape.vectors.T @ columns
        covariance += size**2 * projected.T @ (shape.values[:, None] * projected)
    return covariance
