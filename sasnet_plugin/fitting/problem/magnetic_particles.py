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
from ...simulate.magnetic_spheres import LAYER, MAGNETIC_SLD, POLARISATION, SHARE, SMALL, calculate_parts
from ...types import Curve
from ..ledger import count, read_spent_time
from .experiment import TimeUpError
from .model_curves import ModelCurves


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
