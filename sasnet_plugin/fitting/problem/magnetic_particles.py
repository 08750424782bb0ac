"""Curves of magnetic spheres in a saturating field, by sector and spin state, as measured.

A nuclear core, with a shell or not, is magnetised up to a distance below its surface, a non-magnetic layer,
or above it. Each curve is a sum of N², M² and NM, see `data.sample.sectors.weigh_parts`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ...arrays import Floats
from ...data.sample.sample import Sample
from ...data.sample.sectors import weigh_parts
from ...simulate.kernel import load_model
from ...types import Curve
from ..ledger import count, read_spent_time
from .experiment import TimeUpError
from .model_curves import ModelCurves

#: Names of the core's radius and density, and of the shell's where there is one.
SPHERES = {"sphere": ("radius", "sld", ""), "core_shell_sphere": ("radius", "sld_core", "sld_shell")}
#: Parameters that sasmodels' particles do not have.
LAYER, MAGNETIC_SLD, POLARISATION = "nonmagnetic_layer", "sld_magnetic", "polarisation"
#: What else scatters and is not magnetic, as free ligands and their micelles: radius of gyration, 0 for none,
#: and intensity at q = 0 over that of the spheres.
SMALL, SHARE = "small_rg", "small_share"
#: How far sizes are followed, in standard deviations.
_DEVIATIONS = 3.0


@lru_cache(maxsize=4)
def magnetic_info(name: str) -> Any:
    """sasmodels' description of a sphere, with what is magnetic of it as parameters of the fit."""
    from sasmodels.modelinfo import ParameterTable, parse_parameter

    info = copy.copy(load_model(name).info)
    inf = float("inf")
    more = [
        parse_parameter(MAGNETIC_SLD, "1e-6/Ang^2", 1.0, [-inf, inf], "", "magnetic density of the core"),
        parse_parameter(LAYER, "Ang", 0.0, [-inf, inf], "", "outer part of the core without magnetisation"),
        parse_parameter(SMALL, "Ang", 0.0, [0.0, inf], "", "radius of gyration of smaller particles"),
        parse_parameter(SHARE, "", 0.05, [0.0, inf], "", "their intensity over that of the spheres"),
        parse_parameter(POLARISATION, "", 1.0, [0.0, 1.0], "", "polarisation of the incident neutrons"),
    ]
    info.parameters = ParameterTable([*info.parameters.kernel_parameters, *more])
    return info


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
    points = 1 if width <= 0 else 31
    deviations = np.linspace(-_DEVIATIONS, _DEVIATIONS, points) if points > 1 else np.zeros(1)
    radii = mean * (1 + width * deviations)
    return radii[radii > 0], np.exp(-(deviations[radii > 0] ** 2) / 2)


def _sphere(q: Floats, radii: Floats) -> Floats:
    """Volume times form amplitude of spheres, (n, m)."""
    x = np.outer(q, radii)
    small = x < 1e-2
    safe = np.where(small, 1.0, x)
    amplitude = np.where(small, 1 - x**2 / 10, 3 * (np.sin(safe) - safe * np.cos(safe)) / safe**3)
    return np.asarray(4 * np.pi / 3 * radii**3 * amplitude)


class MagneticCurves(ModelCurves):
    """`ModelCurves` of a sector and spin state."""

    def __init__(self, curve: Curve, dintensity: Floats, name: str, sample: Sample, **more: Any) -> None:
        super().__init__(curve, dintensity, name, **more)
        self.info = magnetic_info(name)
        self._shares = weigh_parts(curve, sample.field_azimuth or 0.0, sample.polarisation)

    def calculate(self, parameters: Mapping[str, Any]) -> Floats:
        if read_spent_time() > self.deadline:
            raise TimeUpError
        count(self.name, dict(parameters), self.q_calculated, quick=True)
        parts = calculate_parts(self.name, parameters, self.q_calculated)
        shape = self._shares * [1.0, 1.0, float(parameters[POLARISATION])] @ parts
        if parameters[SMALL] > 0:
            first = calculate_parts(self.name, parameters, np.array([1e-6]))[0, 0]
            small = np.exp(-((self.q_calculated * parameters[SMALL]) ** 2) / 3)
            shape = shape + self._shares[0] * first * float(parameters[SHARE]) * small
        return np.asarray(self._resolution.apply(shape))[None]
