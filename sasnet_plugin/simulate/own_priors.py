"""Priors of our own for the models whose ``random()`` in sasmodels 1.1.0 is missing, too narrow or broken.

One function per model, named as the model; each takes a ``numpy.random.Generator`` and returns the parameters
it draws, lengths in Å (scattering length densities are drawn in :mod:`sasnet_plugin.simulate.contrast`). Its
docstring gives the ranges and why; the docs quote it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.random import Generator

from .draws import log10_uniform


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
    for i in range(1, 5):
        for j in range(i + 1, 5):
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
