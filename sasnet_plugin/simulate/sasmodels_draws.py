"""What users' samples and sasmodels' own draws look like, beside the narrower priors of our own.

Where `own_priors` replaces ``random()``, half of the draws are sasmodels' own all the same: its ``random()``,
and for what that leaves out, or where it is missing, its generic rule by unit and limits. Parameters that
``random()`` leaves at their default are drawn here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from .draws import draw

#: Share of sasmodels' own draws among models that have a prior of ours.
SHARE = 0.5
#: Model -> parameter that random() leaves at its default -> how it is drawn. Amounts and prefactors change
#: nothing but the scale, and are drawn so that no one takes their default for a fact.
FROZEN: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "adsorbed_layer": {
            "adsorbed_amount": "loguniform 0.3 10",
            "density_shell": "uniform 0.5 2",
            "radius": "loguniform 50 5000",
            "volfraction": "loguniform 1e-3 0.3",
        },
        # A molecule to a thick polymer or silica coat; random() leaves 10 Å.
        "fractal_core_shell": {"thickness": "loguniform 3 300"},
        # Polarised beams and fields along the beam, beside the common experiment.
        "micromagnetic_FF_3D": {
            "up_i": "uniform 0 1",
            "up_f": "uniform 0 1",
            "alpha": "uniform 0 90",
            "beta": "uniform 0 360",
        },
        "mono_gauss_coil": {"i_zero": "loguniform 1 1e7"},
        "poly_gauss_coil": {"i_zero": "loguniform 1 1e7"},
        "polymer_micelle": {"ndensity": "loguniform 0.1 100"},
        # Where the aggregate ends: within some windows; random() leaves 10⁶ Å.
        "surface_fractal": {"cutoff_length": "loguniform 1e3 1e6"},
        "two_power_law": {"coefficent_1": "loguniform 1e-3 1e3"},
    }
)
#: Parameters that are settings of a calculation, not of a sample: they keep their default.
SETTINGS = frozenset({"n_steps"})
#: Share of the draws in which a model's parameters of `FROZEN` keep the usual experiment's values.
_USUAL: Mapping[str, float] = MappingProxyType({"micromagnetic_FF_3D": 0.6})


def frozen(name: str, rng: np.random.Generator) -> dict[str, float]:
    """Draw what ``random()`` leaves at its default; empty for most models."""
    if rng.random() < _USUAL.get(name, 0.0):
        return {}
    return {parameter: draw(text, rng) for parameter, text in FROZEN.get(name, {}).items()}


def prefactor(name: str, parameters: Mapping[str, float], rng: np.random.Generator) -> dict[str, float]:
    """The two scales of a correlation_length multiplied by one factor, which keeps the curve's form."""
    if name != "correlation_length" or "porod_scale" not in parameters:
        return dict(parameters)
    factor = draw("loguniform 1e-2 1e2", rng)
    return {
        **parameters,
        "porod_scale": parameters["porod_scale"] * factor,
        "lorentz_scale": parameters["lorentz_scale"] * factor,
    }


def generic(info: Any, seeded: Callable[[Callable[[], Any]], Any]) -> dict[str, float]:
    """Draw all parameters as ``sascomp -random``, `seeded` by our generator."""
    from sasmodels.compare import constrain_pars, randomize_pars

    def draw() -> dict[str, Any]:
        values: dict[str, Any] = randomize_pars(info, dict(info.parameters.defaults))
        constrain_pars(info, values)
        return values

    values = {name: float(v) for name, v in seeded(draw).items() if not isinstance(v, str)}
    return values | {name: float(info.parameters.defaults[name]) for name in SETTINGS & values.keys()}
