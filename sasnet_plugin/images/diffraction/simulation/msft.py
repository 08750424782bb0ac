"""The multi-slice Fourier transform (MSFT): the far field of a body, with absorption and phase shift in it.

E(q) = Σ_j exp(i(k − k_z) z_j) DFT₂[(exp(ik dz (n_j − 1)) − 1) T_j],  T_j = exp(ik dz Σ_{m<j} (n_m − 1)),
k_z = √(k² − q²): one direction of propagation, nothing scattered twice (A. Colombo et al., J. Appl. Cryst. 55
(2022) 1232; J. Zimmermann et al., Phys. Rev. E 99 (2019) 063309). Since T_{j+1} = T_j exp(ik dz (n_j − 1)),
the sum over slices is ∫ exp(iζz) (∂T/∂z) dz with ζ = k − k_z, and within one material it is known:
κ/(ζ + κ) [exp(iζz) T], κ = k(n − 1). So there are no slices here at all. What is left depends smoothly on ζ,
and is interpolated between a few Chebyshev nodes, each one transform of two matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .bodies import Columns

ComplexArray = NDArray[np.complexfloating]
#: Nodes beyond half the largest phase ζz: the error of the interpolation then is below 10⁻³ of the field.
_MORE_NODES = 4
#: Against division by zero where ζ = kδ; of k.
_TINY = 1e-7


def far_field(body: Columns, k: float, q_edge: float, size: int) -> ComplexArray:
    """Compute the scattered field (size, size) over a square from −q_edge to q_edge, at pixel centres, times
    a grid cell's area; rows along y, 0 beyond q_edge.
    """
    # `k` = 2π over the wavelength; k and q_edge are in inverse units of the body's length.
    z_max = body.half_depth
    zeta_max = k - np.sqrt(max(k * k - q_edge * q_edge, 0.0))
    number = int(np.ceil(0.6 * zeta_max * z_max)) + _MORE_NODES
    angle = (np.arange(number) + 0.5) * np.pi / number
    nodes = zeta_max * (np.cos(angle) + 1) / 2
    # Coefficients of Chebyshev polynomials from values at the nodes.
    transform = np.cos(np.outer(np.arange(number), angle)) * (2 / number)
    transform[0] /= 2
    columns = _columns(body, k, nodes)
    coefficients = np.tensordot(transform.astype(np.float32), columns, axes=1)
    x = (np.arange(columns.shape[1]) - (columns.shape[1] - 1) / 2) * body.step
    q = detector_axis(q_edge, size)
    waves = np.exp(-1j * np.outer(q, x)).astype(np.complex64)
    images = (waves @ coefficients) @ waves.T
    inside, t = _places(q_edge / k, size)
    # Clenshaw's recurrence, the last coefficient first.
    after, last = np.zeros_like(images[0]), np.zeros_like(images[0])
    for image in images[:0:-1]:
        after, last = image + 2 * t * after - last, after
    field = images[0] + t * after - last
    return np.asarray(np.where(inside, field * np.complex64(body.step**2), 0))


def _columns(body: Columns, k: float, nodes: NDArray[np.float64]) -> ComplexArray:
    """∫ exp(iζz) (∂T/∂z) dz of every line along the beam, (nodes, n, n)."""
    kappa = k * np.array(body.contrast)
    depth = np.diff(body.edges, axis=0)
    phases = 1j * kappa[:, None, None] * depth
    passed = np.exp(np.concatenate([np.zeros_like(phases[:1]), np.cumsum(phases, axis=0)])).astype(
        np.complex64
    )
    edges = body.edges.astype(np.float32)
    field = np.zeros((nodes.size, *edges.shape[1:]), np.complex64)
    for row, zeta in enumerate(nodes):
        weighted = np.exp(1j * np.float32(zeta) * edges) * passed
        for segment, wave_number in enumerate(kappa):
            if wave_number != 0:
                factor = np.complex64(wave_number / (zeta + wave_number + 1j * _TINY * k))
                field[row] += factor * (weighted[segment + 1] - weighted[segment])
    return field


def shift_field(field: ComplexArray, k: float, q_edge: float, place: Sequence[float]) -> ComplexArray:
    """The field of the same body somewhere else, (x, y, z)."""
    q = detector_axis(q_edge, len(field))
    zeta = k - np.sqrt(np.maximum(k * k - q[:, None] ** 2 - q[None, :] ** 2, 0.0))
    phase = zeta * place[2] - q[None, :] * place[0] - q[:, None] * place[1]
    return np.asarray(field * np.exp(1j * phase).astype(np.complex64))


def detector_axis(q_edge: float, size: int) -> NDArray[np.float64]:
    """q at the middles of pixels, (size,)."""
    return np.asarray((np.arange(size) + 0.5 - size / 2) * (2 * q_edge / size))


@lru_cache(maxsize=4)
def _radius(size: int) -> NDArray[np.float64]:
    axis = detector_axis(1.0, size)
    return np.asarray(np.hypot(axis[:, None], axis[None, :]))


def _places(sine: float, size: int) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which points lie within the circle; their ζ on the interval −1..1, (size, size)."""
    inside = _radius(size) <= 1
    squared = np.minimum(_radius(size), 1.0) ** 2
    # ζ/ζ_max = (1 − cos θ)/(1 − cos θ_max)
    share = (1 - np.sqrt(1 - sine**2 * squared)) / (1 - np.sqrt(1 - sine**2))
    return inside, np.asarray(2 * share - 1, dtype=np.float32)
