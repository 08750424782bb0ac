"""Forty common models with sasmodels' defaults and typical ranges, measured precisely.

A fit that is told the model has to come as near as the truth: everything that is left is its search.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .everyday_curves import Measured, Range, measured

#: Standard deviation over I of precise data, and their range of q, Å⁻¹.
ERRORS, Q, POINTS = (0.003, 0.005), (5e-4, 0.5), 150
_THIN: Range = (8, 40)
_WIDE: Range = (20, 150)
_LONG: Range = (100, 800)
_SHELL: Range = (5, 30)
_LEAST: Range = (0.05, 0.15)
_SLD = {"sld": (0.0, 4.0), "sld_solvent": (5.5, 6.4)}
_POWER: Range = (1.5, 4.0)
#: Of each model the parameters that differ between samples, with least and most. Lengths and amplitudes
#: that span a factor above three are drawn evenly on a logarithmic scale, the others evenly.
MODELS: Mapping[str, Mapping[str, Range]] = {
    "sphere": {"radius": (15, 300), "radius_pd": _LEAST, **_SLD},
    "core_shell_sphere": {"radius": _WIDE, "thickness": _SHELL, "radius_pd": _LEAST, "sld_core": (0, 2)}
    | {"sld_shell": (2.5, 5), "sld_solvent": (5.5, 6.4)},
    "fuzzy_sphere": {"radius": (40, 200), "fuzziness": (5, 30), "radius_pd": _LEAST, **_SLD},
    "vesicle": {"volfraction": (0.005, 0.05), "radius": (80, 400), "thickness": (20, 45)}
    | {"radius_pd": _LEAST, **_SLD},
    "multilayer_vesicle": {"radius": (60, 200), "thick_shell": (20, 40), "thick_solvent": (15, 40)}
    | {"volfraction": (0.005, 0.05)},
    "ellipsoid": {"radius_polar": _WIDE, "radius_equatorial": _WIDE, **_SLD},
    "core_shell_ellipsoid": {"radius_equat_core": (15, 60), "x_core": (1.5, 4), "thick_shell": _SHELL}
    | {"sld_core": (0, 2), "sld_shell": (2.5, 5)},
    "triaxial_ellipsoid": {"radius_equat_minor": (15, 30), "radius_equat_major": (40, 80)}
    | {"radius_polar": (100, 200), **_SLD},
    "cylinder": {"radius": _THIN, "length": _LONG, **_SLD},
    "hollow_cylinder": {"radius": _THIN, "thickness": _SHELL, "length": _LONG, **_SLD},
    "core_shell_cylinder": {"radius": _THIN, "thickness": _SHELL, "length": _LONG, "sld_core": (0, 2)}
    | {"sld_shell": (2.5, 5), "sld_solvent": (5.5, 6.4)},
    "elliptical_cylinder": {"radius_minor": _THIN, "axis_ratio": (1.3, 3), "length": _LONG, **_SLD},
    "flexible_cylinder": {"length": (500, 3000), "kuhn_length": (50, 300), "radius": (8, 30), **_SLD},
    "capped_cylinder": {"radius": (10, 30), "radius_cap": (32, 60), "length": _LONG, **_SLD},
    "parallelepiped": {"length_a": (20, 40), "length_b": (50, 100), "length_c": (150, 500), **_SLD},
    "rectangular_prism": {"length_a": _WIDE, "b2a_ratio": (1.2, 2), "c2a_ratio": (2, 5), **_SLD},
    "core_shell_bicelle": {"radius": (40, 120), "thick_rim": (8, 20), "thick_face": (8, 20)}
    | {"length": (20, 60)},
    "lamellar": {"thickness": (20, 80), **_SLD},
    "lamellar_hg": {"length_tail": (10, 20), "length_head": (5, 12), "sld": (-0.4, 0.5)}
    | {"sld_head": (1.5, 4)},
    "lamellar_stack_caille": {"thickness": (20, 40), "d_spacing": (55, 200), "Caille_parameter": (0.05, 0.4)},
    "lamellar_stack_paracrystal": {"thickness": (20, 40), "d_spacing": (60, 200), "sigma_d": (0.05, 0.2)},
    "mono_gauss_coil": {"i_zero": (1, 100), "rg": (20, 200)},
    "poly_gauss_coil": {"i_zero": (1, 100), "rg": (20, 200), "polydispersity": (1.1, 3)},
    "polymer_excl_volume": {"rg": (20, 200), "porod_exp": (1.6, 3)},
    "star_polymer": {"rg_squared": (1000, 20000), "arms": (2, 6)},
    "power_law": {"power": _POWER},
    "guinier": {"rg": (10, 60)},
    "guinier_porod": {"rg": (15, 100), "s": (0, 1.2), "porod_exp": (2.5, 4)},
    "two_power_law": {"coefficent_1": (0.1, 10), "crossover": (0.01, 0.1), "power_1": (1, 2.2)}
    | {"power_2": (3, 4)},
    "broad_peak": {"porod_scale": (1e-6, 1e-4), "porod_exp": (2.5, 4), "peak_scale": (1, 50)}
    | {"correlation_length": (20, 150), "peak_pos": (0.03, 0.2)},
    "gaussian_peak": {"peak_pos": (0.02, 0.2), "sigma": (0.003, 0.02)},
    "peak_lorentz": {"peak_pos": (0.02, 0.2), "peak_hwhm": (0.003, 0.02)},
    "lorentz": {"cor_length": (15, 200)},
    "correlation_length": {"lorentz_scale": (1, 50), "porod_scale": (1e-7, 1e-5), "cor_length": (15, 150)}
    | {"porod_exp": (2.5, 4), "lorentz_exp": (1.6, 2.4)},
    "two_lorentzian": {"lorentz_scale_1": (5, 100), "lorentz_length_1": (100, 400)}
    | {"lorentz_exp_1": (2, 4), "lorentz_scale_2": (0.5, 3), "lorentz_length_2": (8, 30)},
    "dab": {"cor_length": (15, 200)},
    "teubner_strey": {"d": (80, 300), "xi": (30, 150)},
    "fractal": {"volfraction": (0.01, 0.1), "radius": (5, 30), "fractal_dim": (1.6, 2.7)}
    | {"cor_length": (80, 500)},
    "sphere@hardsphere": {"radius": (20, 150), "radius_pd": _LEAST, "volfraction": (0.05, 0.35), **_SLD},
    "sphere@hayter_msa": {"radius": (15, 50), "volfraction": (0.01, 0.1), "charge": (8, 40)}
    | {"concentration_salt": (0.001, 0.05), "temperature": (298, 298.001), "dielectconst": (78, 78.001)},
}


def precise(index: int, seed: int) -> Measured:
    """Measurement number `index`: models take turns; the first of each is sasmodels' defaults.

    No resolution is applied and none stated. A background of sasmodels' default, 0.001 cm⁻¹; with typical
    values between 0.0005 and 0.01 cm⁻¹.
    """
    name, draw = tuple(MODELS)[index % len(MODELS)], index // len(MODELS)
    rng = np.random.default_rng([seed, index])
    values = typical(name, rng) if draw else defaults(name)
    q = np.geomspace(*Q, POINTS)
    relative = np.full(POINTS, rng.uniform(*ERRORS))
    return measured(name, values, q, None, relative, rng)


def defaults(name: str) -> dict[str, float]:
    """sasmodels' values of a model's parameters, without magnetism, angles and ways of calculation."""
    from sasmodels.core import load_model_info

    return {
        p.name: float(p.default)
        for p in load_model_info(name).parameters.call_parameters
        if p.type not in ("magnetic", "orientation") and not p.name.endswith("_mode")
    }


def typical(name: str, rng: np.random.Generator) -> dict[str, float]:
    """Values of a draw; what has no range is sasmodels' default."""
    values = defaults(name) | {"background": float(np.exp(rng.uniform(np.log(5e-4), np.log(1e-2))))}
    return values | {key: _drawn(low, high, rng) for key, (low, high) in MODELS[name].items()}


def _drawn(low: float, high: float, rng: np.random.Generator) -> float:
    if low > 0 and high > 3 * low:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return float(rng.uniform(low, high))
