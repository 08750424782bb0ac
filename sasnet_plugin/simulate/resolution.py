"""Resolution as a sparse matrix from the wide grid to the measured points.

sasmodels' Pinhole1D and Slit1D define the physics; here the same integrals are taken on a grid that is
shared by every model, so that one matrix smears a whole batch of curves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .grid import BLUR, LN_STEP, N_LAGRANGE, N_WIDE, WIDE_MIN, WIDE_Q, lagrange_weights

#: Limits of the Gaussian, in standard deviations below and above (sasmodels' PINHOLE_N_SIGMA;
#: Barker & Pedersen, J. Appl. Cryst. 28 (1995) 105).
N_SIGMA = (2.5, 3.0)


def pinhole_matrix(q: NDArray[np.float64], sigma: NDArray[np.float64]) -> sparse.csr_matrix:
    """Gaussian resolution of standard deviation sigma.

    Parameters
    ----------
    q, sigma : (n,) float arrays
        Å⁻¹; up to ``BLUR`` cells of the grid (0.2 % of q) only interpolate: clean curves are kept with that
        blur, and it is taken off sigma here.

    Returns
    -------
    matrix : (n, N_WIDE) sparse matrix
        Rows sum to one.
    """
    sigma = np.sqrt(np.maximum(sigma**2 - (BLUR * LN_STEP * q) ** 2, 0.0))
    # As many nodes as the widest point covers cells of the grid: fewer would alias fringes.
    cells = np.max(sum(N_SIGMA) * sigma / (q * LN_STEP), initial=0.0)
    nodes = int(np.clip(1.3 * cells, 15, 121)) if np.any(sigma > 0) else 1
    x = -N_SIGMA[0] + (np.arange(nodes) + 0.5) * sum(N_SIGMA) / nodes if nodes > 1 else np.zeros(1)
    gauss = np.exp(-0.5 * x**2)
    gauss /= gauss.sum()
    # Below q = 0 the beam's other side is seen: I(-q) = I(q).
    at = np.maximum(np.abs(q[:, None] + sigma[:, None] * x), WIDE_MIN)
    return _assemble(at, np.broadcast_to(gauss, at.shape))


def slit_matrix(q: NDArray[np.float64], half_length: NDArray[np.float64]) -> sparse.csr_matrix:
    """Slit of half length l: I_s(q) = 1/l ∫₀ˡ I(√(q² + u²)) du (sasmodels' Slit1D, q_width = 0).

    The integral is a trapezium in u, with a node at every point of the wide grid that √(q² + u²) passes
    (they resolve a short wavelength in q) and 33 more (they resolve u within a cell at large q).

    Parameters
    ----------
    q, half_length : (n,) float arrays
        Å⁻¹; a point with half_length = 0 is interpolated only.
    """
    rows = []
    for q_i, length in zip(q, half_length, strict=True):
        if length <= 0:
            rows.append((np.array([q_i]), np.array([1.0])))
            continue
        top = np.hypot(q_i, length)
        inner = WIDE_Q[(WIDE_Q > q_i * (1 + 1e-9)) & (WIDE_Q < top)]
        u = np.union1d(np.linspace(0.0, length, 33), np.sqrt(inner**2 - q_i**2))
        step = np.diff(u)
        weight = np.zeros(u.size)
        weight[:-1] += step / 2
        weight[1:] += step / 2
        rows.append((np.hypot(q_i, u), weight / length))
    width = max(w.size for _, w in rows)
    at = np.full((len(rows), width), WIDE_MIN)
    weights = np.zeros((len(rows), width))
    for i, (nodes, w) in enumerate(rows):
        at[i, : w.size] = nodes
        weights[i, : w.size] = w
    return _assemble(at, weights)


def _assemble(at: NDArray[np.float64], weights: NDArray[np.float64]) -> sparse.csr_matrix:
    n, nodes = at.shape
    first, lagrange = lagrange_weights(at)
    columns = first[..., None] + np.arange(N_LAGRANGE)
    values = weights[..., None] * lagrange
    rows = np.repeat(np.arange(n), nodes * N_LAGRANGE)
    matrix = sparse.coo_matrix((values.ravel(), (rows, columns.ravel())), shape=(n, N_WIDE)).tocsr()
    matrix.eliminate_zeros()
    return matrix
