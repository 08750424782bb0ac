"""Size distributions of bodies with one length, from one curve instead of one for each size.

If all lengths of a body grow by s, its amplitude F(q) becomes s³ F(q s), or s² F(q s) if it is of walls
without thickness. Where a model has one length, and otherwise ratios, a size distribution is a sum of shifted
copies of one curve: of superballs and truncated octahedra, whose average over orientations takes a tenth of a
second, one instead of fifteen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..priors import max_length

#: Expensive models with one length that F(q) is homogeneous in; the power of F and of the matter's volume
#: where it is not three.
SIMILAR = {
    "hollow_rectangular_prism_thin_walls": "length_a",
    "rectangular_prism": "length_a",
    "superball": "length_a",
    "tetrahedron": "radius",
    "truncated_octahedron": "radius_a",
    "truncated_tetrahedron": "radius",
}
POWERS = {"hollow_rectangular_prism_thin_walls": 2}
#: Largest distance of the points of the one curve: in ln q, and in q times the longest size, where fringes
#: are 2π apart.
_STEP, _PHASE = 0.05, 1.2
_LOWEST = 1e-300


def replace_kernel(model: Any, kernel: Any) -> Any:
    """Make a model whose kernels of q alone are these; the others stay the model's own."""
    from sasmodels.kernel import KernelModel

    class Replaced(KernelModel):
        info, dtype = model.info, model.dtype

        def make_kernel(self, q_vectors: list[NDArray[np.float64]]) -> Any:
            return kernel(q_vectors) if len(q_vectors) == 1 else model.make_kernel(q_vectors)

        def release(self) -> None:
            model.release()

    return Replaced()


def add_similar_kernel(model: Any) -> Any:
    """Make one of `SIMILAR` compute distributions of its only length from one curve, to 1e-3; other
    distributions stay with the model.
    """
    from sasmodels.kernel import Kernel
    from sasmodels.kernelpy import PyInput

    length, power = SIMILAR[model.info.id], POWERS.get(model.info.id, 3)

    class SimilarKernel(Kernel):
        """Fills in what sasmodels' kernels do: F², F, and the sums of weights, volumes and radii."""

        info, dtype, dim = model.info, model.dtype, "1d"

        def __init__(self, q_vectors: list[NDArray[np.float64]]) -> None:
            self.q_input = PyInput(q_vectors, self.dtype)
            self._plain = model.make_kernel(q_vectors)
            self.result = np.empty((2 if self.info.have_Fq else 1) * self.q_input.nq + 4)

        def _call_kernel(
            self, call_details: Any, values: NDArray[np.float64], cutoff: float, magnetic: bool, mode: int
        ) -> None:
            spread = _spread(self.info, length, call_details, values)
            if spread is None:
                return self._one_by_one(call_details, values, cutoff, magnetic, mode)
            ratios, weights, details, single = spread
            q = np.asarray(self.q_input.q, dtype=float)
            longest = max_length(self.info.id, _name_values(self.info, single)) or 0.0
            grid = _points(q[q > 0].min() * ratios.min(), q.max() * ratios.max(), longest)
            # The fringes of the largest of very different sizes may ask for more points than all sizes have.
            if grid.size > ratios.size * q.size:
                return self._one_by_one(call_details, values, cutoff, magnetic, mode)
            kernel = model.make_kernel([grid])
            kernel._call_kernel(details, single, cutoff, magnetic, mode)
            _sums(kernel.result, grid, q, ratios, weights, self.result, power, self.info.have_Fq)

        def _one_by_one(self, *call: Any) -> None:
            self._plain._call_kernel(*call)
            self.result[:] = self._plain.result[: self.result.size]

    return replace_kernel(model, SimilarKernel)


def _name_values(info: Any, values: NDArray[np.float64]) -> dict[str, float]:
    names = [p.name for p in info.parameters.call_parameters]
    return dict(zip(names, (float(v) for v in values), strict=False))


def _spread(
    info: Any, length: str, details: Any, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], Any, NDArray[np.float64]] | None:
    """Sizes over their mean, weights, and the call of the mean; None where anything else is distributed."""
    from sasmodels.details import make_details

    index, count = [p.name for p in info.parameters.call_parameters].index(length) - 2, info.parameters.npars
    if [int(k) for k in np.flatnonzero(np.asarray(details.length[:count]) > 1)] != [index]:
        return None
    first = info.parameters.nvalues
    begin, number = int(details.offset[index]), int(details.length[index])
    sizes = values[first + begin : first + begin + number]
    second = first + int(details.num_weights)
    weights = values[second + begin : second + begin + number]
    good = (sizes > 0) & (weights > 0)
    if not np.any(good):
        return None
    sizes, weights = sizes[good], weights[good]
    mean = float(np.average(sizes, weights=weights))
    scalars = values[:first].copy()
    scalars[2 + index] = mean
    single = np.concatenate((scalars, scalars[2 : 2 + count], np.ones(count), np.zeros(32)))
    ones_array = np.ones(count, dtype=int)
    return sizes / mean, weights, make_details(info, ones_array, np.arange(count), count), single


def _points(low: float, high: float, longest: float) -> NDArray[np.float64]:
    """Points of q that a curve's fringes can be interpolated on."""
    fine = np.linspace(np.log(low), np.log(high), 2000)
    # Number of points up to each q: the integral of the larger of the two densities, nearly.
    number = fine / _STEP + longest * np.exp(fine) / _PHASE
    numbers = np.linspace(number[0], number[-1], int(np.ceil(number[-1] - number[0])) + 2)
    return np.asarray(np.exp(np.interp(numbers, number, fine)))


def _sums(
    values: NDArray[np.float64], grid: NDArray[np.float64], q: NDArray[np.float64],
    ratios: NDArray[np.float64],
    weights: NDArray[np.float64], result: NDArray[np.float64], power: int, amplitudes: bool,
) -> None:  # fmt: skip
    """Σ w s²ᵖ F²(q s) and its like, in sasmodels' order."""
    from scipy.interpolate import CubicSpline

    step, n = (2 if amplitudes else 1), grid.size
    positions = np.log(np.maximum(q, grid[0] / ratios.min()))[:, None] + np.log(ratios)
    squared = np.maximum(values[0 : step * n : step], _LOWEST)
    square = np.exp(CubicSpline(np.log(grid), np.log(squared))(positions))
    result[0 : step * q.size : step] = square @ (weights * ratios ** (2 * power))
    if amplitudes:
        # F may change its sign; F over the root of the mean of F² is smooth.
        part = CubicSpline(np.log(grid), values[1 : step * n : step] / np.sqrt(squared))(positions)
        result[1 : step * q.size : step] = (part * np.sqrt(square)) @ (weights * ratios**power)
    total, form, shell, radius = values[step * n : step * n + 4]
    whole, matter = float(weights @ ratios**3), float(weights @ ratios**power)
    result[step * q.size :] = (
        total * weights.sum(), form * whole, shell * matter, radius * float(weights @ ratios)
    )  # fmt: skip
