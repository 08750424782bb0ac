"""Columns of numbers that are no scattering: how often are they named with confidence and without a word?

Straight lines, rising powers, exponentials, logs of temperatures, spectra: each with uncertainties and noise
of that size, or with noise alone. A failure is a probability above `SURE` in scope without a note that says
what kind of curve it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..asked import parser_of
from .robustness import Counts

SURE = 0.8
Array = np.ndarray


def _straight(x: Array, rng: np.random.Generator) -> Array:
    return 1 + rng.uniform(-0.95, 5) * (x - x[0]) / np.ptp(x)


def _rising_power(x: Array, rng: np.random.Generator) -> Array:
    return x ** rng.uniform(0.2, 4) + rng.choice([0, 0.1, 1]) * x[0]


def _falling(x: Array, rng: np.random.Generator) -> Array:
    return np.exp(-x / x[-1] * rng.uniform(0.3, 8)) + rng.choice([0, 0.01, 0.3])


def _growing(x: Array, rng: np.random.Generator) -> Array:
    rate = x / x[-1] * rng.uniform(0.5, 6)
    return np.exp(rate) if rng.random() < 0.5 else 1.001 - np.exp(-rate)


def _temperature(x: Array, rng: np.random.Generator) -> Array:
    place = (x - x[0]) / np.ptp(x)
    walk = np.cumsum(rng.normal(size=x.size)) * rng.uniform(0.001, 0.1)
    return rng.uniform(20, 300) + rng.uniform(-10, 10) * place + np.sin(place * rng.uniform(1, 40)) + walk


def _heating(x: Array, rng: np.random.Generator) -> Array:
    ramp = np.clip((x - x[0]) / np.ptp(x) * rng.uniform(1, 4), 0, 1)
    return 295 + rng.uniform(-200, 400) * ramp


def _spectrum(x: Array, rng: np.random.Generator) -> Array:
    place = (x - x[0]) / np.ptp(x)
    peaks = [
        1 / (1 + ((place - rng.random()) / rng.uniform(0.005, 0.1)) ** 2) for _ in range(rng.integers(1, 6))
    ]
    return rng.uniform(0.05, 1) + rng.uniform(0, 1) * place + np.sum(peaks, axis=0)


def _parabola(x: Array, rng: np.random.Generator) -> Array:
    place = (x - x[0]) / np.ptp(x) - rng.random()
    return 0.05 + rng.uniform(0.2, 5) * place**2


KINDS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "straight line": _straight,
    "rising power": _rising_power,
    "falling exponential": _falling,
    "growing exponential": _growing,
    "temperature": _temperature,
    "heating": _heating,
    "spectrum": _spectrum,
    "parabola": _parabola,
}


def garbage(work: Path, tried: int, seed: int) -> Counts:
    """Classify curves of each kind in turn."""
    from sasnet_plugin import Curve, suggest
    from sasnet_plugin.predict.checks import is_flag

    del work
    rng, counts = np.random.default_rng(seed), Counts()
    for number in range(tried):
        name, kind = list(KINDS.items())[number % len(KINDS)]
        size, low = int(rng.integers(30, 300)), 10 ** rng.uniform(-3, -1.5)
        space = np.linspace if rng.random() < 0.6 else np.geomspace
        x = space(low, rng.uniform(0.15, 0.9), size)
        clean = kind(x, rng) * 10 ** rng.uniform(-1, 3)
        error = np.abs(clean) * 10 ** rng.uniform(-3, -1.3) + 1e-4 * np.max(np.abs(clean))
        given = bool(rng.random() < 0.5)
        curve = Curve(x, clean + error * rng.normal(size=size), error if given else None)
        answer = suggest(curve, top=1)
        best = answer.models[0]
        quiet = answer.in_scope >= SCOPE() and not any(map(is_flag, answer.notes))
        counts.add(
            f"{number}: {name}, {'with' if given else 'no'} errors: {best.name} {best.probability:.2f}"
            if best.probability > SURE and quiet
            else None
        )
    return counts


def SCOPE() -> float:
    """Of the network: what is less in scope is said to be out of it."""
    from sasnet_plugin.predict import open_classifier

    return open_classifier().manifest.scope_threshold


def main() -> None:
    """The table by kind."""
    parser = parser_of(__doc__, write=False, tried=640, seed=17)
    given = parser.parse_args()
    counts = garbage(Path(), given.tried, given.seed)
    for name in KINDS:
        print(f"{name}: {sum(f': {name},' in line for line in counts.failures)}")
    print(f"{len(counts.failures)} of {counts.tried} named with more than {SURE:g} and no word")
