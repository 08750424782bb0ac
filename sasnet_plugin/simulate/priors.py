"""The prior: which parameters a model is simulated with.

Where `own_priors` replaces ``random()``, half of the draws are sasmodels' own all the same: its ``random()``,
and for what that leaves out, or where it is missing, its generic rule by unit and limits. Parameters that
``random()`` leaves at their default are drawn here.

One function per model, named as the model; each takes a ``numpy.random.Generator`` and returns the parameters
it draws, lengths in Å (scattering length densities are drawn in :mod:`sasnet_plugin.simulate.priors`). Its
docstring gives the ranges and why; the docs quote it.

sasmodels' own ``random()`` where it is good, mended, kept to sizes that a measurement between 1e-4 and 1 Å⁻¹
can see, and given contrasts of either sign; our own (:mod:`sasnet_plugin.simulate.priors`) where it is
missing or broken. docs/prior.md publishes it. The one place where numpy's global random state is touched.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

from ..files import read_tables
from ..types import SimulationError
from . import lengths
from .draws import draw, log10_uniform

if TYPE_CHECKING:
    from sasmodels.modelinfo import ModelInfo, Parameter


# --- Scattering length densities drawn so that contrasts take either sign, as neutrons and X-rays
# --- give them.

NEUTRON_SOLVENT = (-0.56, 6.40)
"""H2O to D2O, 1e-6/Å² (NIST neutron activation calculator, 1.00 and 1.11 g/cm³)."""
NEUTRON_MATTER = (-0.6, 10.0)
"""From alkanes and light water to nickel and graphite, 1e-6/Å²."""
XRAY_SOFT = (7.0, 14.0)
"""Organic matter, water (9.4) and proteins, 1e-6/Å², Cu K-alpha."""
XRAY_HARD = (14.0, 40.0)
"""From silica (18) over oxides to semiconductors, 1e-6/Å², Cu K-alpha."""

SHARE_NEUTRON = 0.6
SHARE_SOLID_MATRIX = 0.2  # X-rays: pores or soft matter in a heavy matrix
LEAST_CONTRAST = 0.5
LEAST_DIFFERENCE = 0.3
_CONTRAST_TRIES = 1000


def draw_slds(limits: Mapping[str, tuple[float, float]], rng: np.random.Generator) -> dict[str, float]:
    """Draw scattering length densities within limits, by the model's names, 1e-6/Å²."""
    # The solvent is every name with ``solvent``, else the last (teubner_strey).
    # The probe is drawn first (neutrons 0.6, X-rays 0.4), then solvent, then other phases. The largest
    # contrast is at least 0.5, and two or more other phases differ by at least 0.3: never all equal, either
    # sign.
    names = list(limits)
    if not names:
        return {}
    solvents = [name for name in names if "solvent" in name] or names[-1:]
    other_names = [name for name in names if name not in solvents]
    pars: dict[str, float] = {}
    for _ in range(_CONTRAST_TRIES):
        solvent, matter = _phases(len(other_names), rng)
        pars = dict.fromkeys(solvents, solvent) | dict(zip(other_names, matter.tolist(), strict=True))
        pars = {name: pars[name] for name in names}
        inside = all(limits[name][0] <= pars[name] <= limits[name][1] for name in names)
        if inside and _distinct(matter - solvent):
            return pars
    # Limits too tight for any probe (a user's own model): uniform within them.
    return {name: float(rng.uniform(*np.clip(limits[name], -1.0, 40.0))) for name in names}


def _phases(n: int, rng: np.random.Generator) -> tuple[float, np.ndarray]:
    if rng.random() < SHARE_NEUTRON:
        return float(rng.uniform(*NEUTRON_SOLVENT)), rng.uniform(*NEUTRON_MATTER, size=n)
    matrix = XRAY_HARD if rng.random() < SHARE_SOLID_MATRIX else XRAY_SOFT
    soft = rng.random(n) < 0.5
    matter = np.where(soft, rng.uniform(*XRAY_SOFT, size=n), rng.uniform(*XRAY_HARD, size=n))
    return float(rng.uniform(*matrix)), matter


def _distinct(contrasts: np.ndarray) -> bool:
    if contrasts.size == 0:
        return True
    if np.abs(contrasts).max() < LEAST_CONTRAST:
        return False
    return bool(contrasts.size == 1 or np.ptp(contrasts) >= LEAST_DIFFERENCE)


# --- What users' samples and sasmodels' own draws look like, beside the narrower priors of our own.

#: Share of sasmodels' own draws among models that have a prior of ours.
SHARE = 0.5
#: Model -> parameter that random() leaves at its default -> how it is drawn. Amounts and prefactors change
#: nothing but the scale, and are drawn so that no one takes their default for a fact.
FROZEN: Mapping[str, Mapping[str, str]] = read_tables(__file__)
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


# --- Priors of our own for the models whose ``random()`` in sasmodels 1.1.0 is missing, too narrow
# --- or broken.


def hardsphere(rng: Generator) -> Pars:
    """random() draws volume fractions to 1; here log-uniform 0.01..0.6, as far as Percus-Yevick holds.

    Effective radius 10..10^4 Å log-uniform, as in random().
    """
    return {"radius_effective": log10_uniform(rng, 1, 4), "volfraction": log10_uniform(rng, -2, -0.22)}


def hayter_msa(rng: Generator) -> Pars:
    """random() gives NaN in 40 % of draws (charges, salt and permittivity that no liquid has).

    Radius 8..300 Å and volume fraction 0.003..0.4 log-uniform, charge 1..100 e log-uniform, 278..350 K, salt
    1e-4..0.3 mol/L log-uniform, relative permittivity uniform 40..90 (water and its mixtures); draws whose
    rescaled MSA finds no solution are redrawn.
    """
    return {
        "radius_effective": log10_uniform(rng, 0.9, 2.5),
        "volfraction": log10_uniform(rng, -2.5, -0.4),
        "charge": log10_uniform(rng, 0, 2),
        "temperature": float(rng.uniform(278, 350)),
        "concentration_salt": log10_uniform(rng, -4, -0.5),
        "dielectconst": float(rng.uniform(40, 90)),
    }


def stickyhardsphere(rng: Generator) -> Pars:
    """random() reaches stickiness 0 and volume fraction 0.74, where no real solution exists.

    Radius 10..10^4 Å log-uniform, volume fraction 0.01..0.5 log-uniform, stickiness tau 0.08..1 log-uniform
    (the critical one is 0.0976), well width 0.01..0.1 of the diameter log-uniform; invalid draws are redrawn.
    """
    return {
        "radius_effective": log10_uniform(rng, 1, 4),
        "volfraction": log10_uniform(rng, -2, -0.3),
        "perturb": log10_uniform(rng, -2, -1),
        "stickiness": log10_uniform(rng, -1.1, 0),
    }


def two_yukawa(rng: Generator) -> Pars:
    """No random(). Short-range attraction with long-range repulsion (three quarters), or both signs free.

    Radius 10..1000 Å log-uniform, volume fraction 0.01..0.4 log-uniform; ranges of the two terms z1 5..20 and
    z2 0.5..4 inverse diameters, strengths 0.1..8 kT and 0.1..4 kT (Liu, Chen and Chen, J. Chem. Phys. 122
    (2005) 044507); draws without a positive S(q) are redrawn.
    """
    signs = (-1, 1) if rng.random() < 0.75 else rng.choice([-1, 1], size=2)
    return {
        "radius_effective": log10_uniform(rng, 1, 3),
        "volfraction": log10_uniform(rng, -2, -0.4),
        "k1": float(signs[0]) * log10_uniform(rng, -1, 0.9),
        "k2": float(signs[1]) * log10_uniform(rng, -1, 0.6),
        "z1": float(rng.uniform(5, 20)),
        "z2": log10_uniform(rng, -0.3, 0.6),
    }


Pars = dict[str, float]


def core_shell_cylinder(rng: Generator) -> Pars:
    """random() forgets the power of ten of the length (1..4.7 Å); here 10..10^4.3 Å, log-uniform.

    Outer radius 10..10^3.7 Å log-uniform; core radius a Beta(1/2, 1/2) share of it, at least 1 Å of each.
    """
    outer = log10_uniform(rng, 1, 3.7)
    radius = rng.beta(0.5, 0.5) * (outer - 2) + 1
    return {"radius": radius, "thickness": outer - radius, "length": log10_uniform(rng, 1, 4.3)}


def core_shell_bicelle_elliptical_belt_rough(rng: Generator) -> Pars:
    """No random(). Core radius 10..1000 Å and length 10..3000 Å log-uniform, axis ratio log-uniform 1/5..5.

    Rim and face 5..50 Å, the sizes of lipid heads and surfactant belts; roughness uniform 0..half the
    thinner of them.
    """
    rim, face = log10_uniform(rng, 0.7, 1.7), log10_uniform(rng, 0.7, 1.7)
    return {
        "radius": log10_uniform(rng, 1, 3),
        "x_core": log10_uniform(rng, -0.7, 0.7),
        "thick_rim": rim,
        "thick_face": face,
        "length": log10_uniform(rng, 1, 3.5),
        "sigma": float(rng.uniform(0, 0.5 * min(rim, face))),
    }


def correlation_length(rng: Generator) -> Pars:
    """No random(). Correlation length 5..1000 Å log-uniform; exponents Lorentz 1.5..2.5, Porod 2.5..4.5.

    Hammouda, Ho and Kline, Macromolecules 37 (2004) 6932. The Porod term is drawn by where it meets the
    Lorentzian plateau: q0 times the correlation length log-uniform 0.01..1; a larger share hides the plateau.
    """
    length = log10_uniform(rng, 0.7, 3)
    exponent = float(rng.uniform(2.5, 4.5))
    crossing = log10_uniform(rng, -2, 0) / length
    scale = 10.0
    return {
        "lorentz_scale": scale,
        "porod_scale": scale * crossing**exponent,
        "cor_length": length,
        "porod_exp": exponent,
        "lorentz_exp": float(rng.uniform(1.5, 2.5)),
    }


def micromagnetic_FF_3D(rng: Generator) -> Pars:
    """random() draws the radii alone; here also fields and scattering length densities.

    Outer radius 20..2000 Å log-uniform, core a Beta(1/2, 1/2) share of it. Nuclear slds uniform -0.6..10,
    magnetic ones uniform 0..6 (b_H M_s of iron is 5), anisotropy 0..3 (1e-6/Å²); internal field 0.01..5 T
    log-uniform, saturation 0.3..2.2 T, exchange 3..30 pJ/m, DMI 0 (half) or to 3 mJ/m²; unpolarised beam,
    field across the beam: the common experiment (Honecker and Michels, Phys. Rev. B 87 (2013) 224426).
    """
    outer = log10_uniform(rng, 1.3, 3.3)
    radius = rng.beta(0.5, 0.5) * (outer - 2) + 1
    pars = {"radius": radius, "thickness": outer - radius}
    for phase in ("core", "shell", "solvent"):
        pars[f"nuc_sld_{phase}"] = float(rng.uniform(-0.6, 10))
        pars[f"mag_sld_{phase}"] = float(rng.uniform(0, 6))
    pars["hk_sld_core"] = float(rng.uniform(0, 3))
    pars["Hi"] = log10_uniform(rng, -2, 0.7)
    pars["Ms"] = float(rng.uniform(0.3, 2.2))
    pars["A"] = float(rng.uniform(3, 30))
    pars["D"] = float(rng.uniform(0, 3)) if rng.random() < 0.5 else 0.0
    return pars


def sc_paracrystal(rng: Generator) -> Pars:
    """random()'s sizes with the distortion d_factor log-uniform 0.06..0.2 instead of 0.01..0.2.

    Below, Bragg rings are narrower than the 150 points of the orientation average: their heights are noise.
    Radius 20..10^4 Å log-uniform; nearest neighbours at 2 radii over a Beta(10, 1) share.
    """
    return _paracrystal(rng, 2.0, log10_uniform(rng, -1.2, -0.7))


def bcc_paracrystal(rng: Generator) -> Pars:
    """random()'s sizes with the distortion d_factor uniform 0.1..0.2 instead of log-uniform 0.01..0.2.

    Below, Bragg rings are narrower than the 150 points of the orientation average: their heights are noise.
    Radius 20..10^4 Å log-uniform; nearest neighbours at 4/sqrt(3) radii over a Beta(10, 1) share.
    """
    return _paracrystal(rng, 4 / np.sqrt(3), float(rng.uniform(0.1, 0.2)))


def fcc_paracrystal(rng: Generator) -> Pars:
    """As bcc_paracrystal, nearest neighbours at 4/sqrt(2) radii over a Beta(10, 1) share."""
    return _paracrystal(rng, 4 / np.sqrt(2), float(rng.uniform(0.1, 0.2)))


def _paracrystal(rng: Generator, touching: float, d_factor: float) -> Pars:
    radius = log10_uniform(rng, 1.3, 4)
    return {"radius": radius, "dnn": touching * radius / rng.beta(10, 1), "d_factor": d_factor}


def onion(rng: Generator) -> Pars:
    """No random(). As core_multi_shell: 1 + Poisson(1) shells, at most 5, exponential shares of the radius.

    Total radius 50..5000 Å log-uniform; exponent A uniform -5..5 (0 is a constant shell, which
    core_multi_shell describes already: |A| is at least 0.1).
    """
    n = int(min(rng.poisson(1) + 1, 5))
    shares = rng.exponential(size=n + 1) + 0.05
    widths = shares * log10_uniform(rng, 1.7, 3.7) / shares.sum()
    pars: Pars = {"n_shells": n, "radius_core": float(widths[0])}
    for k in range(1, n + 1):
        pars[f"thickness{k}"] = float(widths[k])
        pars[f"A{k}"] = float(rng.choice([-1, 1]) * rng.uniform(0.1, 5))
    return pars


def spherical_sld(rng: Generator) -> Pars:
    """No random(); drawing from twice the defaults gives NaN or zero in 40-70 %: nu and shape go together.

    1 + Poisson(0.7) shells, at most 5, total radius 30..3000 Å log-uniform in exponential shares; the
    interface takes 10-80 % of each. nu uniform 1..5, but 5..10 for the Boucher shape (its exponent nu/2 - 2
    must be positive).
    """
    n = int(min(rng.poisson(0.7) + 1, 5))
    shares = rng.exponential(size=n) + 0.1
    widths = shares * log10_uniform(rng, 1.5, 3.5) / shares.sum()
    pars: Pars = {"n_shells": n, "n_steps": 35}
    for k in range(1, n + 1):
        shape = int(rng.integers(0, 6))
        interface = float(rng.uniform(0.1, 0.8) * widths[k - 1])
        pars[f"thickness{k}"] = float(widths[k - 1]) - interface
        pars[f"interface{k}"] = interface
        pars[f"shape{k}"] = shape
        pars[f"nu{k}"] = float(rng.uniform(5, 10) if shape == 5 else rng.uniform(1, 5))
    return pars


def rpa(rng: Generator) -> Pars:
    """No random(), and the defaults' neighbourhood crosses the spinodal in most draws (negative intensity).

    All ten cases alike. Degree of polymerisation 50..5000 and segment length 3..10 Å log-uniform; volume
    fractions Dirichlet(2, ...) over the blocks that the case has; molar volume 50..200 mL/mol, scattering
    length uniform -10..100 fm per monomer (hydrogenous to deuterated). Interaction parameters follow the
    mean-field bound: K N v uniform -20..1.8, N v the longest chain's; unstable draws are redrawn.
    """
    case = int(rng.integers(0, 10))
    first = 3 if case < 2 else 2 if case < 5 else 1
    used = range(first, 5)
    pars: Pars = {"case_num": case}
    fractions = dict(zip(used, rng.dirichlet([2.0] * len(used)), strict=True))
    for k in range(1, 5):
        pars[f"N{k}"] = log10_uniform(rng, 1.7, 3.7)
        pars[f"Phi{k}"] = float(fractions.get(k, 1e-7))
        pars[f"v{k}"] = float(rng.uniform(50, 200))
        pars[f"L{k}"] = float(rng.uniform(-10, 100))
        pars[f"b{k}"] = log10_uniform(rng, 0.5, 1)
    longest = max(pars[f"N{k}"] * pars[f"v{k}"] for k in used)
    for i, j in combinations(range(1, 5), 2):
        pars[f"K{i}{j}"] = float(rng.uniform(-20, 1.8)) / longest
    return pars


def truncated_octahedron(rng: Generator) -> Pars:
    """No random(). Half height 20..2000 Å log-uniform, ratios 1 (half of draws) or log-uniform 1/2..2.

    Truncation uniform 0 (octahedron) .. 0.5 (cuboctahedron).
    """
    regular = rng.random() < 0.5
    return {
        "radius_a": log10_uniform(rng, 1.3, 3.3),
        "b2a_ratio": 1.0 if regular else log10_uniform(rng, -0.3, 0.3),
        "c2a_ratio": 1.0 if regular else log10_uniform(rng, -0.3, 0.3),
        "truncation": float(rng.uniform(0, 0.5)),
    }


def pringle(rng: Generator) -> Pars:
    """random() takes the curvatures for ratios (0.1..10): they are inverse Å, its saddles 10^7 Å high.

    Radius 10..1000 Å and thickness 5..100 Å log-uniform as in random(). The sheet is z = alpha r² + beta r²
    cos 2 phi: alpha R log-uniform 0.03..1 (bowl), beta R 0.02..0.5 (saddle; the kernel's series of Bessel
    functions stops at the third order and holds for q beta R² below 4.5).
    """
    radius = log10_uniform(rng, 1, 3)
    return {
        "radius": radius,
        "thickness": log10_uniform(rng, 0.7, 2),
        "alpha": log10_uniform(rng, -1.5, 0) / radius,
        "beta": log10_uniform(rng, -1.7, -0.3) / radius,
    }


def stacked_disks(rng: Generator) -> Pars:
    """random() draws sigma_d in Å, but the kernel takes it relative to the spacing: no stack ever interfered.

    Radius 10..10^3.7 Å and total height 20..10^3.7 Å log-uniform; 1..30 disks log-uniform, each at least
    10 Å; core a uniform 0.2..0.9 of the spacing, two layers the rest; sigma_d Beta(1.5, 7), relative.
    """
    height = log10_uniform(rng, 1.3, 3.7)
    n = int(10 ** rng.uniform(0, np.log10(min(30.0, height / 10))) + 0.5)
    spacing = height / n
    core = spacing * float(rng.uniform(0.2, 0.9))
    return {
        "thick_core": core,
        "thick_layer": (spacing - core) / 2,
        "radius": log10_uniform(rng, 1, 3.7),
        "n_stacking": n,
        "sigma_d": float(rng.beta(1.5, 7)),
    }


def prism(rng: Generator) -> Pars:
    """No random(). 3..8 sides (more is a cylinder), radius 10..2000 Å, length 10..10,000 Å, log-uniform."""
    return {
        "n_sides": int(rng.integers(3, 9)),
        "radius_average": log10_uniform(rng, 1, 3.3),
        "length": log10_uniform(rng, 1, 4),
    }


def tetrahedron(rng: Generator) -> Pars:
    """No random(). Circumscribed radius 20..3000 Å, log-uniform: nanocrystals to colloids."""
    return {"radius": log10_uniform(rng, 1.3, 3.5)}


def truncated_tetrahedron(rng: Generator) -> Pars:
    """No random(). As the tetrahedron; truncation uniform 0..0.5, the whole range allowed."""
    return tetrahedron(rng) | {"truncation": float(rng.uniform(0, 0.5))}


def be_polyelectrolyte(rng: Generator) -> Pars:
    """random() misspells contrast_factor; its monomer lengths reach 10,000 Å, where the curve is a constant.

    Contrast factor uniform 1..100 barns, Bjerrum length uniform 1..10 Å, monomer length 2..20 Å log-uniform,
    virial parameter uniform -100..30 Å³, concentration 0.05..2 mol/L and salt 1e-3..1 mol/L log-uniform,
    ionisation 0.02..0.6 (random()'s Beta(1.5, 4)); draws with a pole (microphase separation) are redrawn.
    """
    return {
        "contrast_factor": float(rng.uniform(1, 100)),
        "bjerrum_length": float(rng.uniform(1, 10)),
        "virial_param": float(rng.uniform(-100, 30)),
        "monomer_length": log10_uniform(rng, 0.3, 1.3),
        "salt_concentration": log10_uniform(rng, -3, 0),
        "ionization_degree": float(np.clip(rng.beta(1.5, 4), 0.02, 0.6)),
        "polymer_concentration": log10_uniform(rng, -1.3, 0.3),
    }


OWN_PRIORS: Mapping[str, Callable[[Generator], Pars]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            bcc_paracrystal,
            be_polyelectrolyte,
            core_shell_bicelle_elliptical_belt_rough,
            core_shell_cylinder,
            correlation_length,
            fcc_paracrystal,
            hardsphere,
            hayter_msa,
            micromagnetic_FF_3D,
            onion,
            pringle,
            prism,
            rpa,
            sc_paracrystal,
            spherical_sld,
            stacked_disks,
            stickyhardsphere,
            tetrahedron,
            truncated_octahedron,
            truncated_tetrahedron,
            two_yukawa,
        )
    }
)
"""Model name -> prior."""

SOLVED = frozenset(
    {"be_polyelectrolyte", "hayter_msa", "rpa", "squarewell", "stickyhardsphere", "two_yukawa"}
)
"""Models that have no solution for some parameters: a draw is checked by its curve and redrawn."""


# --- The prior: which parameters a model is simulated with.

SIZE_LIMITS = (8.0, 30000.0)
"""Least and greatest largest length of a sample under the truncated prior, Å."""
LEAST_LENGTH = 1.0
"""No body of the truncated prior has a dimension below this, Å: atoms are larger."""
_FREE_OF_LEAST = frozenset({"fuzziness", "sigma", "sigma_d", "interface"})  # widths, which may vanish
_NOT_DRAWN = frozenset({"scale", "background"})  # drawn with the measurement
_TRIES = 2000


@lru_cache(maxsize=256)
def model_info(name: str) -> ModelInfo:
    """Return sasmodels' description of a model or plugin file. Raises SimulationError if unknown."""
    os.environ.setdefault("SAS_OPENCL", "none")
    from sasmodels.core import load_model_info

    if name.endswith(".py") and not os.path.isfile(name):
        raise SimulationError(f"{name}: there is no such plugin model file; check the path.")
    try:
        return load_model_info(name)
    except (Exception, SystemExit) as error:  # a plugin runs the user's code: anything may come
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SimulationError(
            f"{name}: sasmodels cannot load this model ({reason}); give a sasmodels name or a plugin file."
        ) from error


@lru_cache(maxsize=256)
def default_values(name: str) -> Mapping[str, float]:
    """sasmodels' default of each parameter of a model, without those of size distributions."""
    return MappingProxyType({p.name: float(p.default) for p in model_info(name).parameters.call_parameters})


@lru_cache(maxsize=1)
def form_models() -> tuple[str, ...]:
    """Return every model of the installed sasmodels that is not a structure factor, sorted (78 in 1.1.0)."""
    import sasmodels
    from sasmodels.core import list_models

    # Their texts tell: to load them all takes half a second, as one of them imports matplotlib.
    texts = Path(sasmodels.__file__).with_name("models")
    is_factor = re.compile(r"^structure_factor\s*=\s*True", re.M)
    return tuple(
        n for n in sorted(list_models()) if not is_factor.search((texts / f"{n}.py").read_text("utf-8"))
    )


def structure_factors() -> tuple[str, ...]:
    """Return the four structure factors that P@S is simulated with."""
    # Written down, as to ask sasmodels all its models would be loaded. two_yukawa is left out: with four free
    # parameters it imitates each of the others.
    return ("hardsphere", "hayter_msa", "squarewell", "stickyhardsphere")


@lru_cache(maxsize=256)
def list_structure_factors(name: str) -> tuple[str, ...]:
    """Return the structure factors that sasmodels combines with the form model; () where it does not."""
    # A form must define an effective radius (``radius_effective_modes``, SasView's condition) and sasmodels'
    # ``make_product_info`` must accept the pair.
    from sasmodels.product import make_product_info

    form = model_info(name)
    if form.structure_factor or form.radius_effective_modes is None:
        return ()
    allowed = []
    for factor in structure_factors():
        try:
            make_product_info(form, model_info(factor))
        except TypeError:
            continue
        allowed.append(factor)
    return tuple(allowed)


def parameter_names(info: ModelInfo, pars: Mapping[str, float]) -> Iterator[tuple[str, Parameter]]:
    """Yield (name, table entry) of every parameter that shapes I(q), layers counted as `pars` says."""
    for parameter in info.parameters.kernel_parameters:
        if parameter.type in ("orientation", "magnetic"):
            continue
        if parameter.length == 1:
            yield parameter.id, parameter
            continue
        control = parameter.length_control
        count = int(pars[control] + 0.5) if control in pars else parameter.length
        for k in range(1, count + 1):
            yield f"{parameter.id}{k}", parameter


def sample_prior(name: str, rng: np.random.Generator, *, truncated: bool = False) -> dict[str, float]:
    """Draw one set of monodisperse parameters.

    Parameters
    ----------
    name : str
        Form model, structure factor, or path of a plugin model file.
    rng : numpy.random.Generator
        Source of randomness; the same state gives the same parameters.
    truncated : bool
        The earlier, truncated prior: our own alone where we have one, and only sizes within `SIZE_LIMITS`.

    Returns
    -------
    dict
        Every parameter that shapes I(q) by its sasmodels name (no scale, background, polydispersity,
        orientation or magnetism), in sasmodels' units: lengths in Å, sld in 1e-6/Å².

    Raises
    ------
    SimulationError
        If the model cannot be loaded or no acceptable parameters are found.
    """
    info = model_info(name)
    checked = info.id in SOLVED or (info.random is None and info.id not in OWN_PRIORS)
    for _ in range(_TRIES):
        pars = _draw(info, rng, truncated)
        if truncated and not _sizes_seen(info, pars):
            continue
        if not checked or _solvable(name, pars):
            return pars
    raise SimulationError(f"{name}: no valid parameters in {_TRIES} draws; define random() in the model.")


def _draw(info: ModelInfo, rng: np.random.Generator, truncated: bool) -> dict[str, float]:
    has_own_prior = info.id in OWN_PRIORS
    if has_own_prior and not truncated and not info.structure_factor and rng.random() < SHARE:
        parameters = _mend(info, generic(info, lambda f: _call_seeded(f, rng)))
    elif has_own_prior:
        parameters = OWN_PRIORS[info.id](rng)
    elif info.random is not None:
        parameters = _mend(info, _call_seeded(info.random, rng))
    else:
        parameters = _default_prior(info, rng)
    if not truncated:
        parameters = prefactor(info.id, {**parameters, **frozen(info.id, rng)}, rng)
    pars: dict[str, float] = {}
    controls = {n: float(v) for n, v in parameters.items()}
    for parameter in info.parameters.kernel_parameters:
        if parameter.is_control and parameter.id not in controls:
            controls[parameter.id] = float(parameter.default)
    slds: dict[str, tuple[float, float]] = {}
    for parameter_name, parameter in parameter_names(info, controls):
        pars[parameter_name] = controls.get(parameter_name, float(parameter.default))
        if parameter.type == "sld":
            slds[parameter_name] = parameter.limits
    pars.update(draw_slds(slds, rng))
    return pars


def _call_seeded(draw: Callable[[], Any], rng: np.random.Generator) -> dict[str, Any]:
    """Call what draws from numpy's global state, seeded from `rng`, and put the state back."""
    # sasmodels knows no other generator than the global one.
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(rng.integers(2**32, size=8, dtype=np.uint32))  # noqa: NPY002
    try:
        # A comma at the end of a line of random(), as some plugins have it, makes a tuple of a number.
        return {k: v[0] if isinstance(v, tuple) and len(v) == 1 else v for k, v in draw().items()}
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _mend(info: ModelInfo, parameters: Mapping[str, float]) -> dict[str, float]:
    """Drop what is drawn elsewhere; give a misspelt name to the parameter it is nearest to."""
    names = [name for name, _ in parameter_names(info, parameters)]
    missing = [name for name in names if name not in parameters]
    pars = {}
    for name, value in parameters.items():
        if name in _NOT_DRAWN or "_pd" in name:
            continue
        if name not in names:
            near = difflib.get_close_matches(name, missing, n=1, cutoff=0.85)
            if not near:
                continue
            name = near[0]
        pars[name] = float(value)
    return pars


def _default_prior(info: ModelInfo, rng: np.random.Generator) -> dict[str, float]:
    """Derive a prior from the parameter table, for a user's plugin without random()."""
    # Lengths log-uniform from a tenth to ten times the default, choices uniform, other parameters uniform
    # between half and twice the default; all within the table's limits.
    pars: dict[str, float] = {}
    for parameter in info.parameters.kernel_parameters:
        if parameter.is_control:
            low, high = parameter.limits
            pars[parameter.id] = float(rng.integers(max(1, int(low)), min(5, int(high)) + 1))
    for name, parameter in parameter_names(info, pars):
        if name in pars or parameter.type == "sld":
            continue
        low, high = parameter.limits
        default = float(parameter.default)
        if parameter.choices:
            pars[name] = float(rng.integers(len(parameter.choices)))
            continue
        if "Ang" in parameter.units and default > 0:
            value = float(np.exp(rng.uniform(*np.log(np.clip([default / 10, default * 10], low, high)))))
        elif default != 0:
            value = default * rng.uniform(0.5, 2)
        else:
            value = rng.uniform(max(low, -1), min(high, 1))
        pars[name] = float(np.clip(value, low, high))
    return pars


def _sizes_seen(info: ModelInfo, pars: Mapping[str, float]) -> bool:
    """Say whether the largest length is in `SIZE_LIMITS` and no dimension is below `LEAST_LENGTH`."""
    size = lengths.max_length(info, pars)
    if size is not None and not SIZE_LIMITS[0] <= size <= SIZE_LIMITS[1]:
        return False
    for name, parameter in parameter_names(info, pars):
        if parameter.id in _FREE_OF_LEAST or parameter.default == 0:
            continue
        if lengths.unit_of(info, parameter.id) == "Ang" and pars[name] < LEAST_LENGTH:
            return False
    return True


@lru_cache(maxsize=64)
def _kernel(name: str) -> Any:
    from .kernel import build

    # From 1e-3: below it rpa and structure factors lose their digits to cancellation, see q_quiet.
    # Each q has a close neighbour: some solutions of hayter_msa jump from one q to the next.
    q = np.geomspace(1e-3, 1.0, 60)
    q = np.concatenate([q, q * (1 + 1e-7)])
    return build(model_info(name)).make_kernel([q])


def _solvable(name: str, pars: Mapping[str, float]) -> bool:
    """Say whether the curve is finite, not negative, not all zero and continuous between 1e-3 and 1 Å⁻¹."""
    from sasmodels.direct_model import call_kernel

    try:
        with np.errstate(all="ignore"):
            intensity = call_kernel(_kernel(name), {**pars, "background": 0.0})
    except Exception:  # of a user's model, whatever it raises
        return False
    if not np.all(np.isfinite(intensity)) or np.any(intensity < 0) or not np.any(intensity > 0):
        return False
    reference, neighbour = intensity.reshape(2, -1)
    return bool(np.all(np.abs(reference - neighbour) <= 1e-3 * reference))


def rescalable(name: str) -> bool:
    """Say whether all lengths of the model can be multiplied exactly: see :func:`rescale`."""
    return lengths.rescalable(model_info(name))


def rescale(name: str, pars: Mapping[str, float], factor: float) -> dict[str, float]:
    """Multiply every length by `factor`: I(q; rescaled) is proportional to I(q * factor; pars). Raises
    ValueError if not `rescalable`.
    """
    return lengths.rescale(model_info(name), pars, factor)


def max_length(name: str, pars: Mapping[str, float]) -> float | None:
    """Return the largest real-space length (a diameter where there is a body), Å; None for none."""
    return lengths.max_length(model_info(name), pars)
