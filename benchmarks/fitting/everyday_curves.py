"""Curves of everyday samples: what is measured, with which values, and the measurement itself.

Clean curves are sasmodels' own, its resolution included; noise is numpy's. Nothing is shared with what the
networks are trained on, so that a shortcut of the simulation is no shortcut here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("SAS_OPENCL", "none")

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Range = tuple[float, float]
#: Typical values are drawn within this share of themselves: no two samples are alike.
CHANGE = 0.1
#: Points of q at which a clean curve is calculated before its resolution is applied: some per fringe of the
#: largest bodies. Fewer where sasmodels averages over two angles.
FINE, COARSE = 2400, 900
TWO_ANGLES = frozenset({"elliptical_cylinder", "parallelepiped", "triaxial_ellipsoid", "rectangular_prism"})


@dataclass(frozen=True)
class Sample:
    """A kind of sample as a scientist would describe it."""

    model: str  #: sasmodels' name, with its structure factor.
    values: Mapping[str, float]  #: Typical values, sasmodels' units.
    q: Range  #: Range measured, Å⁻¹.
    kept: frozenset[str]  #: Parameters that do not differ between samples.


@dataclass(frozen=True)
class Measured:
    """A measurement of known truth."""

    model: str
    values: dict[str, float]  #: Of the truth.
    #: q, intensity, dintensity: (n,), Å⁻¹, cm⁻¹.
    q: Array
    intensity: Array
    dintensity: Array
    dq: Array | None  #: (n,), standard deviation of q, Å⁻¹; None: none applied and none stated.
    expected: Array  #: (n,), before noise.

    @property
    def chisq(self) -> float:
        """χ² of the truth, not reduced."""
        residual = (self.intensity - self.expected) / self.dintensity
        return float(residual @ residual)

    def save(self, path: Path) -> None:
        """A file as instruments write it: columns of q, I, dI and, where there is one, dq."""
        columns = [self.q, self.intensity, self.dintensity, *([] if self.dq is None else [self.dq])]
        names = ["q (1/A)", "I (1/cm)", "dI (1/cm)", *([] if self.dq is None else ["dQ (1/A)"])]
        np.savetxt(path, np.column_stack(columns), fmt="%.8e", header="  ".join(names))


_D2O = {"sld_solvent": 6.3}


def _sample(model: str, q: Range = (0.004, 0.4), kept: str = "", **values: float) -> Sample:
    return Sample(model, values, q, frozenset(kept.split()))


#: The 30 curves.
SAMPLES = (
    _sample("sphere", scale=0.01, radius=60, radius_pd=0.08, sld=1.0, **_D2O),
    _sample(
        "core_shell_sphere", scale=0.02, radius=50, thickness=15, radius_pd=0.1, sld_core=0.5,
        sld_shell=3.0, **_D2O,
    ),
    _sample("cylinder", scale=0.01, radius=20, length=350, sld=1.0, **_D2O),
    _sample("ellipsoid", scale=0.01, radius_polar=25, radius_equatorial=70, sld=1.0, **_D2O),
    _sample("lamellar", scale=0.01, thickness=40, thickness_pd=0.1, sld=0.4, **_D2O),
    _sample("lamellar_hg", scale=0.01, length_tail=15, length_head=9, sld=-0.4, sld_head=2.5, **_D2O),
    _sample(
        "lamellar_stack_caille", scale=0.01, thickness=30, Nlayers=20, d_spacing=65,
        Caille_parameter=0.1, sld=0.4, **_D2O, kept="Nlayers",
    ),
    _sample("mono_gauss_coil", i_zero=20, rg=60),
    _sample("poly_gauss_coil", i_zero=20, rg=60, polydispersity=1.6),
    _sample("polymer_excl_volume", scale=20, rg=80, porod_exp=1.75),
    _sample("power_law", scale=1e-5, power=3.4),
    _sample("guinier", scale=5, rg=35, q=(0.004, 0.1)),
    _sample("guinier_porod", scale=5, rg=50, s=0.0, porod_exp=3.6, kept="s"),
    _sample(
        "broad_peak", porod_scale=1e-5, porod_exp=3, peak_scale=10, correlation_length=50,
        peak_pos=0.1, width_exp=2, shape_exp=1,
    ),
    _sample("gaussian_peak", scale=10, peak_pos=0.06, sigma=0.01, background=0.1),
    _sample("lorentz", scale=20, cor_length=50),
    _sample("dab", scale=0.005, cor_length=60),
    _sample(
        "teubner_strey", scale=0.2, volfraction_a=0.5, sld_a=0.3, sld_b=6.3, d=200, xi=90,
        kept="volfraction_a",
    ),
    _sample("vesicle", volfraction=0.02, radius=150, thickness=35, radius_pd=0.15, sld=0.4, **_D2O),
    _sample("fuzzy_sphere", scale=0.02, radius=80, fuzziness=15, radius_pd=0.08, sld=2.0, **_D2O),
    _sample("hollow_cylinder", scale=0.01, radius=40, thickness=20, length=300, sld=1.0, **_D2O),
    _sample("elliptical_cylinder", scale=0.01, radius_minor=20, axis_ratio=2.2, length=300, sld=1.0, **_D2O),
    _sample("flexible_cylinder", scale=0.01, length=1200, kuhn_length=150, radius=20, sld=1.0, **_D2O),
    _sample(
        "core_shell_cylinder", scale=0.01, radius=25, thickness=12, length=300, sld_core=0.5,
        sld_shell=3.5, **_D2O,
    ),
    _sample("parallelepiped", scale=0.01, length_a=30, length_b=70, length_c=220, sld=1.0, **_D2O),
    _sample(
        "sphere@hardsphere", scale=1.0, radius=60, radius_pd=0.08, volfraction=0.2, sld=1.0, **_D2O,
        kept="scale",
    ),
    _sample(
        "sphere@hayter_msa", scale=1.0, radius=24, volfraction=0.05, charge=20, temperature=298,
        concentration_salt=0.01, dielectconst=78, sld=0.4, **_D2O,
        kept="scale temperature dielectconst",
    ),
    _sample("fractal", volfraction=0.03, radius=12, fractal_dim=2.1, cor_length=150, sld_block=1.0, **_D2O),
    _sample(
        "correlation_length", lorentz_scale=10, porod_scale=1e-6, cor_length=50, porod_exp=3,
        lorentz_exp=2, q=(0.003, 0.4),
    ),
    _sample(
        "two_lorentzian", lorentz_scale_1=50, lorentz_length_1=200, lorentz_exp_1=3,
        lorentz_scale_2=1, lorentz_length_2=15, lorentz_exp_2=2, q=(0.003, 0.4),
    ),
)  # fmt: skip
#: Parameters that no sample differs in: their products with the scale are what a curve shows.
_MATERIALS = frozenset({"sld_solvent", "sld_b"})


def everyday(index: int, seed: int, *, points: int = 120) -> Measured:
    """Measurement of sample number `index`: good data of a SANS instrument.

    The error is 1 % to 2 % of I where the beam is strong and twice that at the largest q; the resolution is
    4 % to 8 % of q and is stated; the incoherent background is 0.01 cm⁻¹ or so.
    """
    sample, rng = SAMPLES[index], np.random.default_rng([seed, index])
    values = {"background": 0.01, **sample.values}
    for name, value in values.items():
        factor = rng.uniform(1 - CHANGE, 1 + CHANGE)
        if name not in sample.kept and name not in _MATERIALS:
            values[name] = float(value * factor)
    q = np.geomspace(*sample.q, points)
    dq = q * rng.uniform(0.04, 0.08)
    relative = rng.uniform(0.01, 0.02) * (1 + np.linspace(0, 1, points))
    return measured(sample.model, values, q, dq, relative, rng)


def measured(
    model: str, values: dict[str, float], q: Array, dq: Array | None, relative: Array,
    rng: np.random.Generator,
) -> Measured:  # fmt: skip
    """Measure one curve; `relative`: standard deviation over I, point by point."""
    expected = clean(model, values, q, dq)
    sigma = relative * expected
    return Measured(model, values, q, expected + sigma * rng.standard_normal(q.size), sigma, dq, expected)


def clean(model: str, values: Mapping[str, float], q: Array, dq: Array | None) -> Array:
    """sasmodels' curve at `q`, cm⁻¹, averaged over a normal distribution of q of width `dq`."""
    from sasmodels.core import load_model
    from sasmodels.direct_model import call_kernel
    from sasmodels.resolution import Perfect1D, Pinhole1D

    resolution = Perfect1D(q)
    if dq is not None:
        fine = COARSE if model in TWO_ANGLES else FINE
        beyond = 3.5 * dq / q
        resolution = Pinhole1D(q, dq, np.geomspace(q[0] * (1 - beyond[0]), q[-1] * (1 + beyond[-1]), fine))
    widths = {f"{name}_n": 80 for name in values if name.endswith("_pd")}
    kernel = load_model(model).make_kernel([resolution.q_calc])
    return np.asarray(resolution.apply(call_kernel(kernel, {**values, **widths})), dtype=float)
