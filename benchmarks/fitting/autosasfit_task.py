"""autoSASfit's task: four models, 200 points of calculated intensity, a bad start, an answer to be met.

What is known of https://github.com/ljding94/autoSASfit (its ``models/registry.py``, ``data/synthetic.py``,
``eval/corpus.py``, ``loop/controller.py`` and PROGRESS.md of 28 April 2026): parameters are drawn evenly
within the bounds below, scale and background in their logarithm; q runs evenly in ln q from 0.001 to 0.5 Å⁻¹;
the noise is Gaussian, 3 % of I with its background; there is no resolution; scattering length densities are
not fitted. The start is drawn like the truth until one parameter is off by more than five times its true
value. A fit is accepted with every fitted parameter within 10 % of the truth and a reduced χ² of at most 2.
All draws come from one generator in the order in which it makes them, so that a seed gives the problems that
it gives there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sasnet_plugin.types import Curve

#: Its seeds: of the problems that its published 65, 70 and 50 % are for, and of those kept for reports.
DEV_SEED, REPORTED_SEED = 0, 20260428
NOISE, FLOOR = 0.03, 1e-6
WITHIN, CHISQ = 0.10, 2.0
_Q = np.logspace(-3, np.log10(0.5), 200)
_BAD, _TRIES = 5.0, 50


@dataclass(frozen=True)
class Spec:
    """One model of the task."""

    bounds: Mapping[str, tuple[float, float]]  #: Of the fitted parameters, in the order they are drawn.
    fixed: Mapping[str, float]

    def drawn(self, rng: np.random.Generator) -> dict[str, float]:
        """A point within the bounds."""
        return {name: self.between(name, rng.uniform()) for name in self.bounds}

    def between(self, name: str, share: float) -> float:
        """The value at this share of a parameter's range, 0..1."""
        low, high = self.bounds[name]
        if name in ("scale", "background"):
            return float(np.exp(np.log(low) + (np.log(high) - np.log(low)) * share))
        return float(low + (high - low) * share)

    @property
    def sizes(self) -> tuple[str, ...]:
        """Parameters of the body itself."""
        return tuple(name for name in self.bounds if name not in ("scale", "background"))


_SCALE, _BACKGROUND = (1e-3, 10.0), (1e-4, 1.0)
_CONTRAST = {"sld": 4.0, "sld_solvent": 1.0}
#: In the order of its ``run_baseline_eval.py``.
SPECS = {
    "sphere": Spec({"scale": _SCALE, "radius": (10.0, 500.0), "background": _BACKGROUND}, _CONTRAST),
    "power_law": Spec({"scale": (1e-6, 100.0), "power": (1.0, 4.5), "background": _BACKGROUND}, {}),
    "cylinder": Spec(
        {"scale": _SCALE, "radius": (10.0, 200.0), "length": (50.0, 2000.0), "background": _BACKGROUND},
        _CONTRAST,
    ),
    "lamellar": Spec(
        {"scale": _SCALE, "thickness": (20.0, 300.0), "background": _BACKGROUND},
        {"sld": 1.0, "sld_solvent": 6.0},
    ),
}


@dataclass(frozen=True)
class Draft:
    """What a problem is made of, before it is calculated."""

    model: str
    #: truth, start: of the fitted parameters.
    truth: dict[str, float]
    start: dict[str, float]
    #: noise, seed: seeds of the noise and of what a contestant draws.
    noise: int
    seed: int


@dataclass(frozen=True)
class Problem:
    """A curve and what made it; `clean` is I(q) without noise."""

    index: int
    draft: Draft
    curve: Curve
    dintensity: np.ndarray
    clean: np.ndarray

    @property
    def spec(self) -> Spec:
        """Of the true model."""
        return SPECS[self.draft.model]


@lru_cache(maxsize=4)
def drafts(seed: int, per_model: int) -> dict[str, list[Draft]]:
    """All problems of a seed, by model."""
    rng = np.random.default_rng(seed)
    return {model: [_draft(model, rng) for _ in range(per_model)] for model in SPECS}


def _draft(model: str, rng: np.random.Generator) -> Draft:
    spec = SPECS[model]
    truth = spec.drawn(rng)
    noise = int(rng.integers(2**31))
    for _ in range(_TRIES):
        start = spec.drawn(rng)
        if any(abs(start[k] - v) > _BAD * abs(v) for k, v in truth.items()):
            break
    return Draft(model, truth, start, noise, int(rng.integers(2**31)))


def problem(index: int, seed: int, per_model: int) -> Problem:
    """Problem number `index`; the models take turns."""
    names = list(SPECS)
    draft = drafts(seed, per_model)[names[index % len(names)]][index // len(names)]
    clean = intensity(draft.model, draft.truth)
    dintensity = np.maximum(NOISE * clean, FLOOR)
    measured = clean + np.random.default_rng(draft.noise).normal(0.0, dintensity)
    curve = Curve(_Q, measured, dintensity, file=f"{draft.model}_{index // len(names):02d}")
    return Problem(index, draft, curve, dintensity, clean)


def intensity(model: str, values: Mapping[str, float]) -> np.ndarray:
    """I at the task's q with its contrast."""
    from sasnet_plugin.simulate.kernel import call

    shape = {k: v for k, v in values.items() if k not in ("scale", "background")}
    found = call(model, _Q, {**SPECS[model].fixed, **shape}).intensity
    return np.asarray(values["scale"] * found + values["background"])


def accepted(
    given: Problem, values: Mapping[str, float], reduced_chisq: float, names: Iterable[str] | None = None
) -> bool:
    """Whether `values` are within 10 % of the truth (all, or those named), at a reduced χ² of at most 2."""
    truth = given.draft.truth
    return bool(reduced_chisq <= CHISQ) and all(
        abs(values[k] - truth[k]) <= WITHIN * abs(truth[k]) for k in (truth if names is None else names)
    )
