"""The lattice sum of a hexagonal crystal, as BornAgain sums it, in numpy and for many angles at once.

BornAgain multiplies what the particles scatter by the structure factor of their lattice; that factor alone
knows how the lattice is rotated. A test holds the sum here to BornAgain's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

#: Reciprocal lattice points to each side that BornAgain 25 sums over, counted from the cell of q. It takes
#: more where order decays within a lattice constant; the prior is far from there.
REACH = 5
#: Points of the table of all peaks but one, across a cell.
_TABLE = 193
#: The same of peaks that are no neighbours of the cell's.
_FEW = 17
#: Angles between a cell's two vectors of one length, degrees.
HEXAGONAL, SQUARE = 120.0, 90.0


def project_in_plane(
    phi: NDArray[np.float64], alpha_f: NDArray[np.float64], wavelength: float, alpha_i: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Components qx along the beam and qy across it, (rows, columns), Å⁻¹; phi and alpha_f in radians,
    alpha_i in degrees, wavelength in Å.
    """
    k = 2 * np.pi / wavelength
    across = np.cos(alpha_f)[:, None]
    return k * (across * np.cos(phi) - np.cos(np.radians(alpha_i))), k * (across * np.sin(phi))


def debye_waller(
    qx: NDArray[np.float64], qy: NDArray[np.float64], position_spread: float
) -> NDArray[np.float64]:
    """What scatter about the sites leaves of the order, exp(−σ²q²)."""
    return np.asarray(np.exp(-(position_spread**2) * (qx**2 + qy**2)))


def cell_coordinates(
    qx: NDArray[np.float64], qy: NDArray[np.float64], lattice: float, xi: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """q in units of the two reciprocal basis vectors of a lattice turned by xi degrees."""
    c, s = np.cos(np.radians(xi)), np.sin(np.radians(xi))
    along, across = c * qx + s * qy, c * qy - s * qx
    scale = lattice / (2 * np.pi)
    return scale * along, scale * (-0.5 * along + np.sqrt(0.75) * across)


def lattice_sum(
    qx: NDArray[np.float64], qy: NDArray[np.float64], lattice: float, width: float, xi: float
) -> NDArray[np.float64]:
    """Sum over the peaks, term by term."""
    # 1/A Σ 2πω²/(1 + ω²|q − G|²)^(3/2) over 11 × 11 reciprocal lattice points G about the nearest one, with
    # the cell's area A = √3/2 a²: the Fourier transform of exp(−r/ω) at every site (BornAgain's manual,
    # two-dimensional lattice with Cauchy decay).
    u, v = cell_coordinates(qx, qy, lattice, xi)
    return _peaks(u - np.rint(u), v - np.rint(v), lattice, width)


def _peaks(
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    lattice: float,
    width: float,
    *,
    gamma: float = HEXAGONAL,
    rings: tuple[int, int] = (0, REACH),
) -> NDArray[np.float64]:
    """Peaks so many cells away from the one of the cell, at least and at most."""
    height, sharpness = _profile(lattice, width, gamma)
    skew = -2 * np.cos(np.radians(gamma))
    total = np.zeros(np.broadcast(u, v).shape)
    for i in range(-REACH, REACH + 1):
        for j in range(-REACH, REACH + 1):
            if not rings[0] <= max(abs(i), abs(j)) <= rings[1]:
                continue
            x, y = u + i, v + j
            spread = 1 + sharpness * (x * x + y * y + skew * (x * y))
            total += height / (spread * np.sqrt(spread))
    return total


def _profile(lattice: float, width: float, gamma: float = HEXAGONAL) -> tuple[float, float]:
    """Height of a peak, and ω²|a*|² for the distance in units of the reciprocal basis vectors."""
    sine = np.sin(np.radians(gamma))
    return 2 * np.pi * width**2 / (sine * lattice**2), (width * 2 * np.pi / (sine * lattice)) ** 2


@dataclass(frozen=True)
class LatticeSum:
    """The same sum in single precision, fast for many angles: the peak of the cell that q falls in as its
    formula says, all others, which are far off and smooth, from a table.
    """

    #: lattice, width: Å.
    lattice: float
    width: float
    table: NDArray[np.float32]  #: (n, n), all peaks but the cell's own, over the cell.
    gamma: float = HEXAGONAL  #: Angle between the cell's two vectors, degrees.

    @classmethod
    def tabulate(cls, lattice: float, width: float, gamma: float = HEXAGONAL) -> LatticeSum:
        """Make the table."""
        grid = np.linspace(-0.5, 0.5, _TABLE)
        # The sum is the same at −q, so half of the table gives the other.
        half = _peaks(grid[: _TABLE // 2 + 1, None], grid, lattice, width, gamma=gamma, rings=(1, 1))
        whole = np.concatenate((half, half[-2::-1, ::-1]))
        # Farther peaks are smooth over the cell: a few points of them do.
        coarse_grid = np.linspace(-0.5, 0.5, _FEW)
        far = _peaks(coarse_grid[:, None], coarse_grid, lattice, width, gamma=gamma, rings=(2, REACH))
        whole += RectBivariateSpline(coarse_grid, coarse_grid, far)(grid, grid)
        return cls(lattice, width, np.ascontiguousarray(whole, dtype=np.float32), gamma)

    def __call__(self, qx: NDArray[np.float32], qy: NDArray[np.float32], xi: float) -> NDArray[np.float32]:
        """Return the sum at each q, Å⁻¹, for a lattice rotated by xi degrees."""
        height, sharpness = (np.float32(value) for value in _profile(self.lattice, self.width, self.gamma))
        scale = self.lattice / (2 * np.pi)
        c, s = scale * np.cos(np.radians(xi)), scale * np.sin(np.radians(xi))
        leans, stands = np.cos(np.radians(self.gamma)), np.sin(np.radians(self.gamma))
        u = np.float32(c) * qx + np.float32(s) * qy
        v = np.float32(leans * c - stands * s) * qx + np.float32(stands * c + leans * s) * qy
        u -= np.rint(u)
        v -= np.rint(v)
        spread = u * u
        spread += v * v
        if self.gamma != SQUARE:
            spread += np.float32(-2 * leans) * (u * v)
        spread *= sharpness
        spread += np.float32(1)
        nearest = height / (spread * np.sqrt(spread))
        nearest += self._others(u, v)
        return np.asarray(nearest)

    def _others(self, u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bilinear in the table."""
        n = _TABLE
        x = (u + np.float32(0.5)) * np.float32(n - 1)
        y = (v + np.float32(0.5)) * np.float32(n - 1)
        row = np.minimum(x.astype(np.int32), n - 2)
        column = np.minimum(y.astype(np.int32), n - 2)
        x -= row
        y -= column
        index = row * n + column
        flat = self.table.ravel()
        low = flat.take(index)
        low += y * (flat.take(index + 1) - low)
        high = flat.take(index + n)
        high += y * (flat.take(index + (n + 1)) - high)
        high -= low
        high *= x
        low += high
        return np.asarray(low)
