"""The wide log-q grid that clean curves are stored on, interpolation on it, resolution as a matrix from it.

sasmodels' Pinhole1D and Slit1D define the physics of resolution; here the same integrals are taken on a grid
that is shared by every model, so that one sparse matrix smears a whole batch of curves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse

#: Cells per decade: 0.29 % steps, finer than the resolution of synchrotron SAXS.
PER_DECADE = 800
WIDE_MIN = 3e-5
N_WIDE = 4001
WIDE_Q = WIDE_MIN * 10 ** (np.arange(N_WIDE) / PER_DECADE)
LN_STEP = float(np.log(10) / PER_DECADE)
#: Clean curves are kept blurred by a Gaussian in ln q of this standard deviation, in cells: fringes finer
#: than the grid are averaged, not aliased. Pinhole smearing is narrowed by as much (variances add).
BLUR = 0.7


def blur(log_i: NDArray[np.float64], per_cell: int) -> NDArray[np.float64]:
    """Average ln I at `per_cell` points per grid cell over ``BLUR`` cells, and keep one per cell, (n,); power
    laws continue the ends.
    """
    reach = int(np.ceil(3.5 * BLUR * per_cell))
    weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (BLUR * per_cell)) ** 2)
    beyond = np.arange(1, reach + 1)
    last = min(per_cell, log_i.size - 1)
    head = log_i[0] + (log_i[0] - log_i[last]) / last * beyond[::-1]
    tail = log_i[-1] + (log_i[-1] - log_i[-1 - last]) / last * beyond
    top = log_i.max()
    padded = np.exp(np.concatenate((head, log_i, tail)) - top)
    with np.errstate(divide="ignore"):  # what vanishes beside the rest is -inf
        return np.asarray(np.log(np.convolve(padded, weight / weight.sum(), "valid")[::per_cell]) + top)


def position(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fractional index of q (Å⁻¹) on the wide grid, clipped to it."""
    return np.clip(np.log(q / WIDE_MIN) / LN_STEP, 0.0, N_WIDE - 1.0)


#: Points of Lagrange's interpolation: six follow fringes twice as fine as four do.
N_LAGRANGE = 6


def lagrange_weights(
    q: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return Lagrange interpolation from the wide grid, polynomial in ln q: first neighbour's index (...) and
    weights (..., N_LAGRANGE) that sum to one; q in Å⁻¹.
    """
    first, weights = _lagrange(q)
    return first, np.stack(weights, axis=-1)


#: What the product over all other points of a Lagrange weight is divided by.
_LAGRANGE_NORM = tuple(
    float(np.prod([j - k for k in range(N_LAGRANGE) if k != j])) for j in range(N_LAGRANGE)
)


def _lagrange(q: NDArray[np.float64]) -> tuple[NDArray[np.intp], list[NDArray[np.float64]]]:
    """Return `lagrange_weights` with an array for each neighbour, by products from either side."""
    place = position(q)
    first = np.clip(np.floor(place).astype(np.intp) - (N_LAGRANGE // 2 - 1), 0, N_WIDE - N_LAGRANGE)
    apart = [place - first - k for k in range(N_LAGRANGE)]
    basis = [np.ones_like(place)]
    for distance in apart[:-1]:
        basis.append(basis[-1] * distance)
    right = np.ones_like(place)
    weights = [right] * N_LAGRANGE
    for j in reversed(range(N_LAGRANGE)):
        weights[j] = basis[j] * right / _LAGRANGE_NORM[j]
        right = right * apart[j]
    return first, weights


#: Limits of the Gaussian, in standard deviations below and above (sasmodels' PINHOLE_N_SIGMA;
#: Barker & Pedersen, J. Appl. Cryst. 28 (1995) 105).
N_SIGMA = (2.5, 3.0)


def pinhole_matrix(q: NDArray[np.float64], sigma: NDArray[np.float64]) -> sparse.csr_matrix:
    """Return a sparse matrix (n, N_WIDE) of Gaussian resolution sigma, Å⁻¹; rows sum to one."""
    # Clean curves are blurred by ``BLUR`` cells (0.2 % of q) already, which is taken off sigma; less only
    # interpolates.
    sigma = np.sqrt(np.maximum(sigma**2 - (BLUR * LN_STEP * q) ** 2, 0.0))
    # As many nodes as the widest point covers cells of the grid: fewer would alias fringes.
    cells = np.max(sum(N_SIGMA) * sigma / (q * LN_STEP), initial=0.0)
    nodes = int(np.clip(1.3 * cells, 15, 121)) if np.any(sigma > 0) else 1
    x = -N_SIGMA[0] + (np.arange(nodes) + 0.5) * sum(N_SIGMA) / nodes if nodes > 1 else np.zeros(1)
    gauss = np.exp(-0.5 * x**2)
    gauss /= gauss.sum()
    # Below q = 0 the beam's other side is seen: I(-q) = I(q).
    evaluated_q = np.maximum(np.abs(q[:, None] + sigma[:, None] * x), WIDE_MIN)
    return _make_banded(evaluated_q, gauss)


def _make_banded(positions: NDArray[np.float64], weight: NDArray[np.float64]) -> sparse.csr_matrix:
    """Weighted sums of a curve at q `positions`, (n, nodes): each row's columns are neighbours,
    so that nothing
    has to be sorted.
    """
    first, lagrange = _lagrange(positions)
    n, begin = len(positions), first.min(axis=1)
    width = int(np.max(first.max(axis=1) - begin)) + N_LAGRANGE
    indices = (first - begin[:, None] + width * np.arange(n)[:, None]).ravel()
    flat = np.zeros(n * width)
    for k in range(N_LAGRANGE):
        flat[k:] += np.bincount(indices, (weight * lagrange[k]).ravel(), n * width)[: n * width - k]
    band = flat.reshape(n, width)
    mask = band != 0
    columns = (begin[:, None] + np.arange(width))[mask]
    ends = np.concatenate(([0], np.cumsum(mask.sum(axis=1))))
    from scipy import sparse

    return sparse.csr_matrix((band[mask], columns, ends), shape=(n, N_WIDE))


def slit_matrix(q: NDArray[np.float64], half_length: NDArray[np.float64]) -> sparse.csr_matrix:
    """Return the matrix of a slit of half length l, Å⁻¹ (0: interpolation): I_s(q) = 1/l ∫₀ˡ I(√(q² + u²)) du
    (sasmodels' Slit1D, q_width = 0).
    """
    # A trapezium in u with nodes where √(q² + u²) passes the wide grid (for short wavelengths in q) and 33
    # more (within a cell at large q).
    parts: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]] = []
    for row, (q_i, length) in enumerate(zip(q, half_length, strict=True)):
        if length <= 0:
            parts.append(_interpolating(np.array([row]), np.array([q_i]), np.array([1.0])))
            continue
        low = int(np.searchsorted(WIDE_Q, q_i * (1 + 1e-9), side="right"))
        inner = np.arange(low, int(np.searchsorted(WIDE_Q, np.hypot(q_i, length))))
        u = np.concatenate([np.linspace(0.0, length, 33), np.sqrt(WIDE_Q[inner] ** 2 - q_i**2)])
        order = np.argsort(u, kind="stable")
        step = np.diff(u[order])
        weight = np.zeros(u.size)
        weight[order[:-1]] += step / 2
        weight[order[1:]] += step / 2
        weight /= length
        parts.append(_interpolating(np.full(33, row), np.hypot(q_i, u[:33]), weight[:33]))
        # The others are points of the grid.
        parts.append((np.full(inner.size, row), inner, weight[33:]))
    rows, columns, values = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return _gather(rows, columns, values, len(q))


def _interpolating(
    rows: NDArray[np.intp], positions: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Rows, columns and values of weighted sums of a curve at some q, a row each, (k,) all three."""
    first, lagrange = lagrange_weights(positions)
    columns = first[:, None] + np.arange(N_LAGRANGE)
    return np.repeat(rows, N_LAGRANGE), columns.ravel(), (weights[:, None] * lagrange).ravel()


def _gather(
    rows: NDArray[np.intp], columns: NDArray[np.intp], values: NDArray[np.float64], n: int
) -> sparse.csr_matrix:
    from scipy import sparse

    matrix = sparse.coo_matrix((values, (rows, columns)), shape=(n, N_WIDE)).tocsr()
    matrix.eliminate_zeros()
    return matrix
