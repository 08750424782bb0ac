"""What single-shot images are drawn from: kinds of particles with their tags, sizes, tilts, materials."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from ....simulate.draws import Prior, draw_all, loguniform
from ..labels import LABELS, PARENTS

#: How often each kind was found among 7,264 images of helium droplets; Streak and Bent overlap as little as
#: their sum and the number of Prolate allow (242 + 390 − 453).
SEED = {
    "round": 5792,
    "elliptical": 797,
    "streak": 63,
    "bent": 211,
    "streak_bent": 179,
    "irregular": 11,
    "empty": 211,
}
#: What is found on top, of images that are neither irregular nor empty.
SEED_MORE = {"newton": 460, "double": 218, "layered": 47, "asymmetric": 367}
#: What networks are trained with: rare kinds often enough to be learned.
BALANCED = {
    "round": 25,
    "elliptical": 20,
    "streak": 12,
    "bent": 13,
    "streak_bent": 12,
    "irregular": 6,
    "empty": 12,
}
BALANCED_MORE = {"newton": 9, "double": 9, "layered": 9, "asymmetric": 9}
_TAGS = {
    "round": "Round",
    "elliptical": "Elliptical",
    "streak": "Streak",
    "bent": "Bent",
    "irregular": "Asymmetric",
    "empty": "Empty",
    "newton": "NewtonRings",
    "double": "DoubleRings",
    "layered": "Layered",
    "asymmetric": "Asymmetric",
}

PRIORS = {
    "theta": Prior("loguniform 2 30", "degrees", "scattering angle at the window's edge; of Bent 15 to 30"),
    "size": Prior("loguniform 6 45", "", "q at the window's edge times the mean radius that is seen"),
    "oblate": Prior("uniform 0.5 1", "", "polar over equatorial axis of oblate bodies"),
    "aspect": Prior("uniform 1.3 4", "", "length over width of prolate bodies"),
    "tilt": Prior("uniform 0 75", "degrees", "axis of a prolate body out of the detector's plane"),
    "fringes": Prior("uniform 3 10", "", "of Newton rings, over the window's radius"),
    "aside": Prior("uniform 0 2", "", "of the second particle across the beam, in fringes over the window"),
    "ratio": Prior("uniform 0.35 0.75", "", "smaller over larger particle of double rings"),
    "second": Prior("uniform 0.5 1", "", "second particle over the first, of Newton rings"),
    "core": Prior("uniform 0.5 0.85", "", "core over outer radius"),
    "denser": Prior("loguniform 1.5 5", "", "contrast of the core over that of the shell; hollow in 30 %"),
    "bump": Prior("uniform 0.35 0.8", "", "radius of the second body fused to an asymmetric one"),
}
#: Seen axis ratio from which on a body is called Elliptical, and up to which Round.
ELLIPTICAL, ROUND = 0.88, 0.93
#: A streak bends by tan(tilt) tan(θ/2) of the window's radius at its edge; from this share on it is Bent.
BENT = 0.10
#: Straight sides from this ratio of length to width, as it is seen, give a streak.
STREAK = 1.8
#: Solids and liquids with their density, g/cm³, and photon energies, keV, from which δ and β are drawn.
MATERIALS = {"He": 0.145, "Ne": 1.44, "Ar": 1.65, "Xe": 3.5, "H2O": 0.92, "SiO2": 2.2, "Ag": 10.5}
ENERGIES = (0.031, 1.5)
_ENERGY_STEPS = 24
#: The multi-slice transform neglects refraction; larger contrasts are not drawn.
_MOST_CONTRAST = 0.06


@cache
def contrasts() -> tuple[tuple[str, float, complex], ...]:
    """Material, photon energy in keV and n − 1, n = 1 − δ + iβ, from the tables that periodictable holds."""
    # Source: B. L. Henke, E. M. Gullikson, J. C. Davis, At. Data Nucl. Data Tables 54 (1993) 181.
    from periodictable.xsf import index_of_refraction

    found_contrasts = []
    for energy in np.geomspace(*ENERGIES, _ENERGY_STEPS):
        for name, density in MATERIALS.items():
            n = complex(index_of_refraction(name, density=density, energy=float(energy)))
            contrast = (n - 1).conjugate()
            if np.isfinite(abs(contrast)) and abs(contrast) < _MOST_CONTRAST:
                found_contrasts.append((name, float(energy), contrast))
    return tuple(found_contrasts)


def draw_sample(
    rng: np.random.Generator,
    kinds: Mapping[str, float],
    second_kinds: Mapping[str, float],
    share_alone: float,
    fixed: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Draw the parameters of one shot: those of `PRIORS` that its kind has, ``kind`` and ``more`` as indices
    into `SEED` and `SEED_MORE` (−1 for none), ``delta``, ``beta``; angles in radians.
    """
    # `kinds` and `more` are relative frequencies, `alone` that of no addition; `fixed` is common to a beam
    # time (``theta`` in radians, ``delta``, ``beta``).
    kind = _choose(rng, kinds)
    extra = _choose(rng, {"": share_alone, **second_kinds})
    if kind in ("irregular", "empty"):
        extra = ""
    values = draw_all(PRIORS, rng)
    theta, aspect, tilt = values["theta"], values["aspect"], np.radians(values["tilt"])
    if "bent" in kind:
        theta = loguniform(15, 30, rng)
    if fixed and "theta" in fixed:
        theta = float(np.degrees(fixed["theta"]))
    while kind in ("streak", "bent", "streak_bent"):
        apparent, bend = _project_prolate(aspect, tilt), np.tan(tilt) * np.tan(np.radians(theta) / 2)
        if ("streak" in kind) == (apparent >= STREAK) and ("bent" in kind) == (bend >= BENT):
            break
        aspect, tilt = PRIORS["aspect"](rng), np.radians(PRIORS["tilt"](rng))
    if kind in ("round", "elliptical"):
        oblate = values["oblate"]
        # Axes in all directions alike.
        tilt = np.arcsin(rng.uniform())
        while (
            not (ROUND, 0.0)[kind == "elliptical"]
            <= _project_oblate(oblate, tilt)
            <= (ELLIPTICAL if kind == "elliptical" else 1.0)
        ):
            oblate, tilt = PRIORS["oblate"](rng), np.arcsin(rng.uniform())
        aspect = 1 / oblate
    elif kind == "irregular":
        aspect = 1.0
    contrast = contrasts()[int(rng.integers(len(contrasts())))][2]
    return {
        **values,
        "kind": float(list(SEED).index(kind)),
        "more": float(list(SEED_MORE).index(extra)) if extra else -1.0,
        "theta": float(np.radians(theta)),
        "aspect": float(aspect),
        "tilt": float(tilt),
        "straight": float(rng.random() < 0.7 or "streak" in kind),
        "hollow": float(rng.random() < 0.3),
        "where": float(rng.uniform(0, 2 * np.pi)),
        "delta": -contrast.real,
        "beta": contrast.imag,
        **(fixed or {}),
    }


def tags_of(parameters: Mapping[str, float]) -> dict[str, float]:
    """0 or 1 of each tag of a sample."""
    kind = list(SEED)[int(parameters["kind"])]
    names = kind.split("_") + ([list(SEED_MORE)[int(parameters["more"])]] if parameters["more"] >= 0 else [])
    tags = {_TAGS[name] for name in names}
    tags |= {PARENTS[name] for name in tags if name in PARENTS}
    return {name: float(name in tags) for name in LABELS}


def _choose(rng: np.random.Generator, shares: Mapping[str, float]) -> str:
    weights = np.array(list(shares.values()), dtype=float)
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def _project_prolate(aspect: float, tilt: float) -> float:
    """Length over width of a prolate body's shadow."""
    return float(np.hypot(aspect * np.cos(tilt), np.sin(tilt)))


def _project_oblate(polar: float, tilt: float) -> float:
    """Shorter over longer axis of an oblate body's shadow."""
    return float(np.hypot(polar * np.cos(tilt), np.sin(tilt)))
