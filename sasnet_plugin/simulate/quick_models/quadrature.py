"""How far sasmodels' orientation averages can be trusted, and averages with other numbers of points.

sasmodels 1.1.0 averages over orientations by Gauss-Legendre quadrature whose order is fixed in some models
and chosen from q times size, but capped, in others; the polyhedra written in Python take 500 points of a
Fibonacci sphere. Where q times size outruns the order, the curve is noise of the integrator, not physics.
:data:`LIMITS` says where; docs/studies.md says how it was measured.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import priors
from .written import write_once

LIMITS: Mapping[str, float] = MappingProxyType({
    "barbell": 240, "capped_cylinder": 360, "core_shell_bicelle_elliptical": 240,
    "core_shell_bicelle_elliptical_belt_rough": 360, "core_shell_parallelepiped": 800,
    "elliptical_cylinder": 240, "hollow_rectangular_prism": 800, "hollow_rectangular_prism_thin_walls": 800,
    "parallelepiped": 800, "pringle": 110, "prism": 33, "rectangular_prism": 800, "superball": 75,
    "tetrahedron": 110, "triaxial_ellipsoid": 75, "truncated_octahedron": 360, "truncated_tetrahedron": 110,
})  # fmt: skip
"""Model -> greatest q times ``max_length`` that is trusted: to 2 % of the mean intensity near that q."""

PRINGLE_ORDER = 4.5
"""Greatest q beta R² of pringle: its Bessel series stops at order 3 (checked against 25 orders)."""

TRIAXIAL_NOT_ROD = (0.3, 540.0)
"""For a triaxial ellipsoid whose middle axis is at least this share of the longest: greatest product."""

PRISM_THIN = (10.0, 250.0)
"""For a thin prism: greatest q times diameter and q times length that hold together."""

CANCELLATION: Mapping[str, float] = MappingProxyType(
    {"hayter_msa": 0.015, "rpa": 0.15, "spherical_sld": 0.05, "squarewell": 0.007}
)
"""Model -> q times ``max_length`` below which rounding noise exceeds about 1e-3."""

CANCELLATION_SMALL_SPHERE = 0.09
"""The same for binary_hard_sphere, q times the diameter of the smaller sphere."""


def gauss_legendre(n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ascending nodes and weights of n-point Gauss-Legendre quadrature on [-1, 1], n >= 2."""
    # Newton's method on the recurrence from Tricomi's guess (Abramowitz and Stegun 22.16.6), quick for ten
    # thousand points, unlike eigenvalue methods.
    k = np.arange(n, 0, -1)
    x = (1 - (n - 1) / (8 * n**3)) * np.cos(np.pi * (4 * k - 1) / (4 * n + 2))
    for _ in range(6):
        previous, current = np.ones_like(x), x.copy()
        for j in range(2, n + 1):
            previous, current = current, ((2 * j - 1) * x * current - (j - 1) * previous) / j
        slope = n * (x * current - previous) / (x * x - 1)
        step = current / slope
        x = x - step
        if np.abs(step).max() < 1e-15:
            break
    return x, 2 / ((1 - x * x) * slope * slope)


def set_quadrature(info: Any, n: int, folder: Path) -> Any:
    """Return a model's page with `n` points in each Gauss-Legendre integral, or on the Fibonacci sphere.

    Its table goes to `folder`; the installed sasmodels stays. Raises ValueError for a model without one.
    """
    argument = _points_argument(info)
    if argument is not None:
        info = copy.copy(info)
        function = functools.partial(info.Iq, **{argument: n})
        function.vectorized = True  # type: ignore[attr-defined]
        info.Iq = function
        return info
    definitions = f"#define GAUSS_N {n}\n#define GAUSS_Z Gauss{n}Z\n#define GAUSS_W Gauss{n}Wt\n"
    table = write_once(folder, f"gauss{n}.c", c_nodes(n) + definitions)
    adaptive = "lib/adaptive.c" in (info.source or ())
    return replace_rule(info, [str(table), "lib/nonadaptive.c"] if adaptive else [str(table)])


def replace_rule(info: Any, sources: list[str]) -> Any:
    """Return a model's page with other C files for its table of nodes. Raises ValueError without one."""
    index = _gauss_source(info)
    if index is None:
        raise ValueError(f"{info.id}: has no rule of integration to replace")
    info = copy.copy(info)
    info.source = [*info.source[:index], *sources, *info.source[index + 1 :]]
    return info


def _gauss_source(info: Any) -> int | None:
    for index, source in enumerate(info.source or ()):
        if source == "lib/adaptive.c" or source.startswith("lib/gauss"):
            return index
    return None


def _points_argument(info: Any) -> str | None:
    if not inspect.isfunction(info.Iq):
        return None
    parameters = [name for name in inspect.signature(info.Iq).parameters if name.startswith("npoints")]
    return parameters[0] if parameters else None


def c_nodes(n: int) -> str:
    """Return nodes and weights of Gauss-Legendre quadrature as C arrays ``GaussnZ`` and ``GaussnWt``."""
    nodes, weights = gauss_legendre(n)
    lines = []
    for letters, values in (("Wt", weights), ("Z", nodes)):
        numbers = ",\n".join(f"{value:.17e}" for value in values)
        lines.append(f"constant double Gauss{n}{letters}[{n}] = {{\n{numbers}\n}};")
    return "\n".join(lines) + "\n"


def q_valid(name: str, pars: Mapping[str, float]) -> float:
    """Return the q up to which sasmodels' curve can be trusted, Å⁻¹, maybe infinite; see `LIMITS`."""
    limit = LIMITS.get(name)
    size = priors.max_length(name, pars)
    if limit is None or size is None:
        return np.inf
    if name == "pringle":
        return min(limit / size, PRINGLE_ORDER / (abs(pars["beta"]) * pars["radius"] ** 2))
    if name == "triaxial_ellipsoid":
        # Only rods suffer: discs and blobs hold far beyond (measured, to 800).
        share, product = TRIAXIAL_NOT_ROD
        _, middle, longest = sorted(
            pars[f"radius_{axis}"] for axis in ("equat_minor", "equat_major", "polar")
        )
        return (product if middle >= share * longest else limit) / size
    if name == "prism":
        # Fibonacci points lie densely along the axis, sparsely around it: a thin long prism goes farther.
        thin, long = PRISM_THIN
        return max(limit / size, min(thin / (2 * pars["radius_average"]), long / pars["length"]))
    return limit / size


def q_quiet(name: str, pars: Mapping[str, float]) -> float:
    """Return the q below which rounding noise exceeds about 1e-3, Å⁻¹; 0 where there is none."""
    # Some closed formulas subtract nearly equal terms at small q, where the true curve is flat.
    if name == "binary_hard_sphere":
        return CANCELLATION_SMALL_SPHERE / (2 * pars["radius_sm"])
    size = priors.max_length(name, pars)
    return CANCELLATION[name] / size if name in CANCELLATION and size else 0.0
