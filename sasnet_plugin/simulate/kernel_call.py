"""Calls of one of sasmodels' kernels, again and again, with what does not change between them kept.

sasmodels' `call_kernel` looks up each parameter and lays out its distributions anew: of a fast model that
takes most of the time of an evaluation. The numbers that reach the kernel are the same, and so is the curve.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Floats

#: sasmodels rounds the length of a kernel's values up to a multiple of this.
_BLOCK = 32
#: How names of a distribution's width, number of points, range and kind end.
_OF_WIDTH = ("", "_n", "_nsigma", "_type")
_COMMON = 2  #: Scale and background, which have no distributions.


class KernelCall:
    """As ``sasmodels.direct_model.call_kernel(kernel, parameters)``, for a kernel of q alone."""

    def __init__(self, kernel: Any) -> None:
        table = kernel.info.parameters
        self._kernel, self._count = kernel, int(table.npars)
        call_parameters = table.call_parameters
        self._defaults = [(p.name, float(p.default)) for p in call_parameters]
        shaped = call_parameters[_COMMON : _COMMON + self._count]
        # Without a distribution an angle has one point, 0, and any other parameter its value.
        self._own = np.array([0.0 if p.polydisperse and not p.relative_pd else 1.0 for p in shaped])
        self._wide = {f"{p.name}_pd": (i, p) for i, p in enumerate(shaped) if p.name in table.pd_1d}
        self._names = {p.name for p in call_parameters} | {
            f"{p.name}_{end}"
            for p in call_parameters
            if p.polydisperse
            for end in ("pd", "pd_n", "pd_nsigma", "pd_type")
        }
        self._magnetic = slice(int(table.nvalues) - 3 * int(table.nmagnetic), int(table.nvalues), 3)
        self._details: dict[tuple[int, ...], Any] = {}
        self._plain = np.ones(_round_to_block(len(call_parameters) + 2 * self._count))
        self._plain[len(call_parameters) + 2 * self._count :] = 0.0

    def __call__(self, parameters: Mapping[str, Any]) -> Floats:
        """Return I(q), (n,). Raises TypeError for an unknown parameter."""
        if not parameters.keys() <= self._names:
            unknown = sorted(parameters.keys() - self._names)
            raise TypeError(f"Unused parameters in call: {', '.join(unknown)}")
        scalars = np.array([float(parameters.get(name, default)) for name, default in self._defaults])
        if scalars[self._magnetic].any():
            from sasmodels.direct_model import call_kernel

            return np.asarray(call_kernel(self._kernel, dict(parameters)))
        widths = self._widths(parameters)
        length, values = (1,) * self._count, self._lay_out_monodisperse(scalars)
        if widths:
            points = list(scalars[_COMMON : _COMMON + self._count, None] * self._own[:, None])
            weights = [_ONE] * self._count
            for i, p, width in widths:
                points[i], weights[i] = _distribution(parameters, p, scalars[_COMMON + i], width)
            length, values = tuple(map(len, weights)), self._lay_out(scalars, points, weights)
        return np.asarray(self._kernel(self._details_of(length), values, 0.0, False))

    def _lay_out_monodisperse(self, scalars: Floats) -> Floats:
        """Lay out values as `_lay_out` does one point of weight 1 for each parameter."""
        values, n = self._plain.copy(), scalars.size
        values[:n] = scalars
        values[n : n + self._count] = scalars[_COMMON : _COMMON + self._count] * self._own
        return np.asarray(values.astype(self._kernel.dtype, copy=False))

    def _widths(self, parameters: Mapping[str, Any]) -> list[tuple[int, Any, float]]:
        """Place, parameter and relative width of each that has a distribution."""
        wide = [(*self._wide[key], float(parameters[key])) for key in self._wide.keys() & parameters.keys()]
        return [width for width in wide if width[2] != 0.0 and parameters.get(f"{width[1].name}_pd_n", 0)]

    def _lay_out(self, scalars: Floats, points: list[Floats], weights: list[Floats]) -> Floats:
        parts = [scalars, *points, *weights]
        length = sum(part.size for part in parts)
        padded = np.zeros(_round_to_block(length))
        np.concatenate(parts, out=padded[:length])
        return np.asarray(padded.astype(self._kernel.dtype, copy=False))

    def _details_of(self, length: tuple[int, ...]) -> Any:
        """How distributions of such lengths lie among the values."""
        details = self._details.get(length)
        if details is None:
            from sasmodels.details import make_details

            lengths = np.array(length, dtype=int)
            offset = np.cumsum(np.hstack((0, lengths)))
            details = make_details(self._kernel.info, lengths, offset[:-1], offset[-1])
            self._details[length] = details
        return details


def _round_to_block(length: int) -> int:
    return length + (_BLOCK - length % _BLOCK) % _BLOCK


_ONE = np.ones(1)


def _distribution(parameters: Mapping[str, Any], p: Any, value: float, width: float) -> tuple[Floats, Floats]:
    from sasmodels.weights import get_weights

    points, weights = get_weights(
        parameters.get(f"{p.name}_pd_type", "gaussian"), parameters[f"{p.name}_pd_n"], width,
        parameters.get(f"{p.name}_pd_nsigma", 3.0), value, p.limits, p.relative_pd,
    )  # fmt: skip
    return np.asarray(points, dtype=float), np.asarray(weights, dtype=float)
