"""Detectors that count unevenly: how residuals of an image are correlated, from the image itself.

Counts n of cells about their expectation m(θ) have the covariance

    V = diag(m + σ₀² m²/N) + Σ_k σ_k² (m Φ_k)(m Φ_k)ᵀ,

N pixels in a cell: relative efficiencies scatter from pixel to pixel, and smoothly over areas of the lengths
k, by the bumps Φ_k. Their sizes σ are those of the largest restricted likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....arrays import Floats

#: Distance of the bumps of an efficiency field, over the detector's side: coarse and fine.
LENGTHS = (0.3, 0.1)
#: Sizes of relative efficiency: between which the likelihood is searched; what is usual of detectors, and by
#: what factor one standard deviation away, which says that without proof none counts quite evenly.
SIZES, USUAL, FACTOR = (1e-3, 0.5), 0.015, 3.0


def bumps_at(x: Floats, y: Floats, length: float) -> Floats:
    """Evaluate Gaussian bumps, `length` (of the wider side) apart and wide, whose random sum is a smooth
    field, (n, bumps).
    """
    # Independent weights give a Gaussian field with correlation exp(-r²/4s²) (Higdon, Environ. Ecol. Stat. 5
    # (1998) 173). Rows are scaled to variance one.
    step = length * max(np.ptp(x), np.ptp(y))
    places = [np.arange(a.min() - step / 2, a.max() + step, step) for a in (x, y)]
    bumps = np.exp(
        -0.5 * ((x[:, None, None] - places[0][:, None]) ** 2 + (y[:, None, None] - places[1]) ** 2) / step**2
    ).reshape(x.size, -1)
    return np.asarray(bumps / np.sqrt((bumps**2).sum(axis=1, keepdims=True)))


@dataclass(frozen=True)
class Whitening:
    """V to the power of -1/2, applied without a matrix of all cells."""

    root: Floats  #: (n,), 1 over the standard deviation of each cell on its own.
    axes: Floats  #: (n, K), orthonormal directions in which residuals, so scaled, vary together.
    shrink: Floats  #: (K,), what is left of them: (1 + variance)^-1/2.

    def apply(self, values: Floats) -> Floats:
        """V^-1/2 times (n,) or (n, columns)."""
        scaled = (values.T * self.root).T
        along = self.axes.T @ scaled
        return np.asarray(scaled + self.axes @ ((self.shrink - 1) * along.T).T)

    @property
    def log_determinant(self) -> float:
        return float(-2 * np.log(self.root).sum() - 2 * np.log(self.shrink).sum())


def whitening(variance: Floats, together: Floats) -> Whitening:
    """Return the whitening of V = diag(variance) + together · togetherᵀ; columns (n, K) are times their
    standard deviations.
    """
    root = 1 / np.sqrt(variance)
    columns = together * root[:, None]
    values, turns = np.linalg.eigh(columns.T @ columns)
    is_large = values > 1e-9 * max(float(values[-1]), 1e-300)
    axes = columns @ (turns[:, is_large] / np.sqrt(values[is_large]))
    return Whitening(root, axes, 1 / np.sqrt(1 + values[is_large]))


@dataclass(frozen=True)
class Unevenness:
    """What an image says of its detector."""

    pixels: float  #: Scatter of the efficiency of pixels, relative.
    areas: Floats  #: (len(LENGTHS),), of smooth fields.


def covariance(expected: Floats, pixels: Floats, fields: list[Floats], size: Unevenness) -> Whitening:
    """Return the covariance of counts of cells (n,), with `pixels` each and `fields` of `bumps_at` for each
    length.
    """
    variance = np.maximum(expected, 0.3) + (size.pixels * expected) ** 2 / pixels
    smooth = [a * expected[:, None] * field for a, field in zip(size.areas, fields, strict=True)]
    return whitening(variance, np.concatenate(smooth, axis=1))


def unevenness(
    residuals: Floats,
    jacobian: Floats,
    expected: Floats,
    pixels: Floats,
    fields: list[Floats],
) -> Unevenness:
    """Estimate sizes of efficiency fields by restricted likelihood times a wide prior; `jacobian` (n, p) is
    that of expected counts.
    """
    # -2 ln L = ln|V| + ln|XᵀV⁻¹X| + rᵀPr, P = V⁻¹ - V⁻¹X(XᵀV⁻¹X)⁻¹XᵀV⁻¹ (Patterson & Thompson, Biometrika 58
    # (1971) 545) restores the share of residuals taken by fitted values.
    from scipy.optimize import minimize

    jacobian = jacobian / np.maximum(np.linalg.norm(jacobian, axis=0), 1e-300)
    low, high = np.log(SIZES)

    def compute_loss(point: Floats) -> float:
        sizes = np.exp(np.clip(point, low, high))
        whitener = covariance(expected, pixels, fields, Unevenness(sizes[0], sizes[1:]))
        whole = whitener.apply(np.column_stack([jacobian, residuals]))
        triangle = np.abs(np.diag(np.linalg.qr(whole, mode="r")))
        out = float(np.sum((point - np.clip(point, low, high)) ** 2))
        bent = 2 * np.log(np.maximum(triangle[:-1], 1e-12)).sum()
        unusual = float(np.sum(((point - np.log(USUAL)) / np.log(FACTOR)) ** 2))
        return float(whitener.log_determinant + bent + triangle[-1] ** 2 + 10 * out + unusual)

    first = np.full(1 + len(fields), np.log(USUAL))
    simplex = np.vstack([first, first + 1.2 * np.eye(first.size)])
    optimum = minimize(
        compute_loss, first, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.1, "fatol": 0.1, "maxfev": 80},
    )  # fmt: skip
    sizes = np.exp(np.clip(optimum.x, low, high))
    return Unevenness(float(sizes[0]), sizes[1:])
