"""N², M² and NM of magnetic spheres: a nuclear core, with a shell or not, magnetised up to another radius."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Floats
from .quick_models.separable import sphere_amplitude
from .size_distributions import count_points, find_nsigma

#: Names of the core's radius and density, and of the shell's where there is one.
SPHERES = {"sphere": ("radius", "sld", ""), "core_shell_sphere": ("radius", "sld_core", "sld_shell")}
#: Parameters that sasmodels' particles do not have.
LAYER, MAGNETIC_SLD, POLARISATION = "nonmagnetic_layer", "sld_magnetic", "polarisation"
#: What else scatters and is not magnetic, as free ligands and their micelles: radius of gyration, 0 for none,
#: and intensity at q = 0 over that of the spheres.
SMALL, SHARE = "small_rg", "small_share"
#: Points over 7.5 widths of a distribution.
_POINTS = 31


def calculate_parts(name: str, parameters: Mapping[str, Any], q: Floats) -> Floats:
    """N², M² and NM of spheres with a Gaussian distribution of radii, (3, n), cm⁻¹ at scale 1."""
    radius, density, shell = SPHERES[name]
    solvent = float(parameters["sld_solvent"])
    radii, shares = _distribute(float(parameters[radius]), float(parameters.get(f"{radius}_pd", 0.0)))
    core = float(parameters[density]) - solvent
    outer, nuclear = radii, core * _sphere(q, radii)
    if shell:
        outer = radii + float(parameters["thickness"])
        between = float(parameters[shell]) - solvent
        nuclear = between * _sphere(q, outer) + (core - between) * _sphere(q, radii)
    inner = np.maximum(radii - float(parameters[LAYER]), 0.0)
    magnetic = float(parameters[MAGNETIC_SLD]) * _sphere(q, inner)
    # Densities are 10⁻⁶ Å⁻², and 1 Å⁻¹ is 10⁸ cm⁻¹.
    shares = 1e-4 * shares / (shares @ (4 * np.pi / 3 * outer**3))
    return np.stack([nuclear**2 @ shares, magnetic**2 @ shares, (nuclear * magnetic) @ shares])


def _distribute(mean: float, width: float) -> tuple[Floats, Floats]:
    deviations = np.zeros(1)
    if width > 0:
        end = find_nsigma("gaussian", width)
        deviations = np.linspace(-end, end, count_points("gaussian", width, _POINTS))
    radii = mean * (1 + width * deviations)
    return radii[radii > 0], np.exp(-(deviations[radii > 0] ** 2) / 2)


def _sphere(q: Floats, radii: Floats) -> Floats:
    """Volume times form amplitude of spheres, (n, m)."""
    return np.asarray(4 * np.pi / 3 * radii**3 * sphere_amplitude(np.outer(q, radii)))
