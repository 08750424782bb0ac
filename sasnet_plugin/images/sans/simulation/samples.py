"""Samples of small-angle-scattering images: which shapes, how large, and what is drawn of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....simulate.clean import simulate_clean
from ....simulate.draws import Prior, loguniform
from ....simulate.kernel import call
from ....simulate.priors import form_models, model_info
from ....simulate.quick_models.cost_classes import cost_class
from ..heads import LABELS
from .form_factors import LN_Q, SLD, SPREAD, Q, compute_legendre, pars_of, plain
from .orientation import DEGREES

#: Share of rows of each class.
SHARES = {
    "sphere": 0.2,
    "cylinder": 0.22,
    "ellipsoid": 0.22,
    "core_shell_sphere": 0.2,
    "bragg_glass": 0.06,
    "unknown": 0.1,
}
#: By class, what is drawn. Aspects near 1 are left out: there is nothing that a measurement could say.
PRIORS: dict[str, dict[str, Prior]] = {
    "sphere": {
        "radius": Prior("loguniform 15 500", "Å", "radius"),
        "radius_pd": Prior("uniform 0.02 0.25", "", "spread of the radius, relative, Schulz"),
    },
    "cylinder": {
        "radius": Prior("loguniform 8 200", "Å", "radius"),
        "aspect": Prior("loguniform 2 25", "", "length over diameter"),
        "radius_pd": Prior("uniform 0.02 0.2", "", "spread of the radius, relative, Schulz"),
    },
    "ellipsoid": {
        "radius": Prior("loguniform 10 300", "Å", "equatorial radius"),
        "aspect": Prior("loguniform 1.5 8", "", "polar over equatorial radius; turned over in 40 %"),
        "radius_pd": Prior("uniform 0.02 0.2", "", "spread of the equatorial radius, relative, Schulz"),
    },
    "core_shell_sphere": {
        "radius": Prior("loguniform 20 500", "Å", "outer radius"),
        "shell": Prior("uniform 0.1 0.6", "", "thickness of the shell over the outer radius"),
        "core": Prior("uniform -2 0.5", "", "contrast of the core over that of the shell"),
        "radius_pd": Prior("uniform 0.02 0.2", "", "spread of the core's radius, relative, Schulz"),
    },
    "bragg_glass": {
        "spacing": Prior("loguniform 150 2500", "Å", "2π/g of the first order of vortices"),
        "azimuthal": Prior("loguniform 1 8", "degrees", "width of a spot around the beam, σ"),
        "rocking": Prior("loguniform 0.05 0.6", "degrees", "half width of the rocking curve"),
        "tail": Prior("uniform 0.3 1", "", "share of Lorentzian in the rocking curve, η"),
        "second": Prior("loguniform 0.003 0.1", "", "intensity of the orders √3 g and 2 g"),
        "domains": Prior("integer 1 2", "", "6 or 12 spots"),
    },
    "unknown": {},
}
#: Share of ellipsoids that are flat, of aspect 1/a; of unknown samples that are boxes.
FLAT, BOXES = 0.4, 0.3
#: Half sides of boxes: smallest, Å, and the others over the one before.
BOX = {"length_a": (20.0, 200.0), "length_b": (1.3, 4.0), "length_c": (1.3, 6.0)}
#: Samples of no radius are made larger or smaller at each use by a factor drawn between these, log-uniform.
STRETCH = 0.5, 2.0
#: What any of them has, in the order of a row's parameters; NaN where a class has none.
NAMES = (
    "label", "radius", "aspect", "shell", "core", "radius_pd",
    "spacing", "azimuthal", "rocking", "tail", "second", "domains", "feature",
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """One sample."""

    name: str  #: Class.
    values: Mapping[str, float]  #: Drawn, by the names of `NAMES`.
    model: str = ""  #: sasmodels' name; empty where it is none of sasmodels'.
    parameters: Mapping[str, Any] | None = None  #: Of sasmodels.
    curve: NDArray[np.float64] | None = None  #: (len(Q),), ln I, where the draw itself took its simulation.


@cache
def others() -> tuple[str, ...]:
    """Quick models that are none of the four shapes nor close to one: layers, or none at all."""
    kinds = ("shape-independent", "shape:lamellae")
    return tuple(n for n in form_models() if model_info(n).category in kinds and cost_class(n) == "fast")


def draw_sample(rng: np.random.Generator, name: str = "") -> Sample:
    """Draw a sample, of a class or of any by their shares."""
    kind = name or str(rng.choice(list(SHARES), p=np.array(list(SHARES.values())) / sum(SHARES.values())))
    values = {key: prior(rng) for key, prior in PRIORS[kind].items()}
    radius = values.get("radius", float("nan"))
    spread = {"radius_pd": values.get("radius_pd", 0.0), **SPREAD}
    if kind == "sphere":
        return Sample(kind, {**values, "feature": 4.49 / radius}, kind, {"radius": radius, **SLD, **spread})
    if kind in ("cylinder", "ellipsoid"):
        if kind == "ellipsoid" and rng.random() < FLAT:
            values["aspect"] = 1 / values["aspect"]
        feature = 3.83 / radius if kind == "cylinder" else 4.49 / (radius * min(1.0, values["aspect"]))
        pars = pars_of(kind, radius, values["aspect"], values["radius_pd"])
        return Sample(kind, {**values, "feature": feature}, kind, pars)
    if kind == "core_shell_sphere":
        shell = radius * values["shell"]
        pars = {"radius": radius - shell, "thickness": shell, "sld_shell": 4.0, "sld_solvent": 0.0}
        pars |= {"sld_core": 4.0 * values["core"], **spread}
        return Sample(kind, {**values, "feature": 3.5 / radius}, kind, pars)
    if kind == "bragg_glass":
        return Sample(kind, {**values, "feature": 2 * np.pi / values["spacing"]})
    if rng.random() < BOXES:
        sides = {key: float(np.exp(rng.uniform(*np.log(span)))) for key, span in BOX.items()}
        sides["length_b"] *= sides["length_a"]
        sides["length_c"] *= sides["length_b"]
        return Sample(kind, {"feature": 2 * np.pi / sides["length_a"]}, "parallelepiped", {**sides, **SLD})
    model = str(rng.choice(others()))
    return Sample(kind, {"feature": float("nan")}, model, {}, plain(simulate_clean(model, rng).log_intensity))


def row_of(sample: Sample) -> dict[str, Any]:
    """Store a sample: ``parameters`` by `NAMES`; ``log_intensity`` (len(Q),) of the average, largest 0 (all 0
    of a Bragg glass); ``compute_legendre`` (len(Q), len(DEGREES) - 1), other Legendre coefficients over it.
    """
    label = LABELS.index(sample.name)
    values = {"label": label, **sample.values}
    log_intensity, ratio = np.zeros(Q.size), np.zeros((Q.size, len(DEGREES) - 1), dtype=np.float16)
    if sample.curve is not None:
        log_intensity = sample.curve
    elif sample.model in ("cylinder", "ellipsoid", "parallelepiped"):
        legendre = compute_legendre(sample.model, dict(sample.parameters or {}), Q)
        log_intensity = np.log(np.maximum(legendre[:, 0], 1e-300))
        ratio = (legendre[:, 1:] / legendre[:, :1]).astype(np.float16)
    elif sample.model:
        log_intensity = np.log(call(sample.model, Q, dict(sample.parameters or {})).intensity)
    return {
        "parameters": {name: float(values.get(name, np.nan)) for name in NAMES},
        "log_intensity": continue_curve(log_intensity - np.nanmax(log_intensity)).astype(np.float32),
        "directed": ratio,
    }


def resize(row: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Rescale a stored sample: a body s times as large scatters I(q s), a shift in ln q."""
    # Radii are drawn from their prior, samples without one stretched by `STRETCH`, to a step of `Q`, so rows
    # differ in proportions and their uses in size. A Bragg glass is drawn anew.
    values = dict(row["parameters"])
    name = LABELS[int(values["label"])]
    if name == "bragg_glass":
        return {**row, "parameters": {**values, **draw_sample(rng, name).values}}
    prior = PRIORS[name].get("radius")
    stretch = loguniform(*STRETCH, rng) if prior is None else prior(rng) / values["radius"]
    step = float(LN_Q[1] - LN_Q[0])
    by = int(np.clip(round(np.log(stretch) / step), 1 - Q.size // 2, Q.size // 2))
    place = np.arange(Q.size) + by
    curve = np.asarray(row["log_intensity"], dtype=np.float64)[np.clip(place, 0, Q.size - 1)]
    curve = continue_curve(np.where(place < Q.size, curve, np.nan))
    values["radius"] *= np.exp(by * step)
    values["feature"] *= np.exp(-by * step)
    return {
        "parameters": values,
        "log_intensity": (curve - curve.max()).astype(np.float32),
        "directed": np.asarray(row["directed"])[np.clip(place, 0, Q.size - 1)],
    }


def continue_curve(log_intensity: NDArray[np.float64]) -> NDArray[np.float64]:
    """A curve whose end is not known, continued as a power law of its last fifth of a decade."""
    last = int(np.flatnonzero(np.isfinite(log_intensity))[-1])
    if last == log_intensity.size - 1:
        return log_intensity
    first = max(last - 16, 0)
    slope = (log_intensity[last] - log_intensity[first]) / (LN_Q[last] - LN_Q[first])
    beyond = log_intensity[last] + slope * (LN_Q - LN_Q[last])
    return np.where(np.arange(log_intensity.size) <= last, log_intensity, beyond)
