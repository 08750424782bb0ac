"""Priors of our own for structure factors, as `own_priors` has them for form models."""

from __future__ import annotations

from numpy.random import Generator

from .draws import log10_uniform

Pars = dict[str, float]


def hardsphere(rng: Generator) -> Pars:
    """random() draws volume fractions to 1; here log-uniform 0.01..0.6, as far as Percus-Yevick holds."""
    # Effective radius 10..10^4 Å log-uniform, as in random().
    return {"radius_effective": log10_uniform(rng, 1, 4), "volfraction": log10_uniform(rng, -2, -0.22)}


def hayter_msa(rng: Generator) -> Pars:
    """random() gives NaN in 40 % of draws (charges, salt and permittivity that no liquid has)."""
    # Radius 8..300 Å and volume fraction 0.003..0.4 log-uniform, charge 1..100 e log-uniform, 278..350 K,
    # salt 1e-4..0.3 mol/L log-uniform, relative permittivity uniform 40..90 (water and its mixtures); draws
    # whose rescaled MSA finds no solution are redrawn.
    return {
        "radius_effective": log10_uniform(rng, 0.9, 2.5),
        "volfraction": log10_uniform(rng, -2.5, -0.4),
        "charge": log10_uniform(rng, 0, 2),
        "temperature": float(rng.uniform(278, 350)),
        "concentration_salt": log10_uniform(rng, -4, -0.5),
        "dielectconst": float(rng.uniform(40, 90)),
    }


def stickyhardsphere(rng: Generator) -> Pars:
    """random() reaches stickiness 0 and volume fraction 0.74, where no real solution exists."""
    # Radius 10..10^4 Å log-uniform, volume fraction 0.01..0.5 log-uniform, stickiness tau 0.08..1 log-uniform
    # (the critical one is 0.0976), well width 0.01..0.1 of the diameter log-uniform; invalid draws are
    # redrawn.
    return {
        "radius_effective": log10_uniform(rng, 1, 4),
        "volfraction": log10_uniform(rng, -2, -0.3),
        "perturb": log10_uniform(rng, -2, -1),
        "stickiness": log10_uniform(rng, -1.1, 0),
    }


def two_yukawa(rng: Generator) -> Pars:
    """No random(). Short-range attraction with long-range repulsion (three quarters), or both signs free."""
    # Radius 10..1000 Å log-uniform, volume fraction 0.01..0.4 log-uniform; ranges of the two terms z1 5..20
    # and z2 0.5..4 inverse diameters, strengths 0.1..8 kT and 0.1..4 kT (Liu, Chen and Chen, J. Chem. Phys.
    # 122 (2005) 044507); draws without a positive S(q) are redrawn.
    signs = (-1, 1) if rng.random() < 0.75 else rng.choice([-1, 1], size=2)
    return {
        "radius_effective": log10_uniform(rng, 1, 3),
        "volfraction": log10_uniform(rng, -2, -0.4),
        "k1": float(signs[0]) * log10_uniform(rng, -1, 0.9),
        "k2": float(signs[1]) * log10_uniform(rng, -1, 0.6),
        "z1": float(rng.uniform(5, 20)),
        "z2": log10_uniform(rng, -0.3, 0.6),
    }
