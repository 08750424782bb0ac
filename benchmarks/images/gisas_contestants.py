"""Numbered problems of GISAS orientation, and who answers them."""

from __future__ import annotations

import os

# One core: CPU-seconds are then seconds.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from sasnet_plugin.fitting.orientation import invert
from sasnet_plugin.fitting.orientation.counts import on_window
from sasnet_plugin.fitting.orientation.forward import State, state
from sasnet_plugin.fitting.orientation.linear import deviance, reweighted
from sasnet_plugin.fitting.orientation.parameters import PARAMETERS, OrientationGuess, clipped
from sasnet_plugin.fitting.orientation.refine import fitted
from sasnet_plugin.fitting.orientation.verify import moments
from sasnet_plugin.predict.arithmetic import circular_w1, mirrored
from sasnet_plugin.simulate.gisas.basis import basis
from sasnet_plugin.simulate.gisas.geometry import N_XI, PERIOD, WINDOW, XI
from sasnet_plugin.simulate.gisas.priors import GEOMETRY, deltas, sample_geometry
from sasnet_plugin.simulate.gisas.simulator import Example, example
from sasnet_plugin.simulate.images.detector import MARGIN

from .mlem import stopped

#: What a problem is stratified by: truth, decades of counts, and the decay length of the order in Å.
FAMILIES = ("two angles", "deltas", "peaks", "mixture", "uniform")
COUNTS = ((5.0, 5.67), (5.67, 6.33), (6.33, 7.0))
WIDTHS = ((700.0, 1450.0), (1450.0, 3000.0))
#: What the blind joint fit moves, and evaluations of each of its starts.
JOINT, EVALUATIONS = ("lattice", "width", "position_spread", "radius"), 110


def folded_w1(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """`circular_w1` of what is left when ξ and 60° − ξ are not told apart, degrees."""
    return circular_w1((p + mirrored(p)) / 2, (q + mirrored(q)) / 2, PERIOD)


def total_variation(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Σ|p − q|/2 along the last axis, 0..1: blind to how far apart two angles are."""
    return np.abs(p - q).sum(axis=-1) / 2


@dataclass(frozen=True)
class Problem:
    """One pattern and where it stands."""

    example: Example
    family: str
    #: counts, width: index of the stratum.
    counts: int
    width: int


def problem(index: int, seed: int) -> Problem:
    """A pattern of a geometry that nobody has seen; any 30 in a row have every stratum once."""
    family = FAMILIES[index % 5]
    counts, width = index // 5 % 3, index // 15 % 2
    rng = np.random.default_rng([seed, index])
    while True:
        geometry = sample_geometry(rng)
        if WIDTHS[width][0] <= geometry.width < WIDTHS[width][1]:
            break
    made = basis(geometry, WINDOW.with_margin(MARGIN))
    number = float(10 ** rng.uniform(*COUNTS[counts]))
    if family != "two angles":
        return Problem(example(made, rng, family=family, exposure=number), family, counts, width)
    at = rng.choice(XI, size=2, replace=False)
    share = rng.uniform(0.2, 0.8)
    p = deltas(at, np.array([share, 1 - share]))
    return Problem(with_truth(made, rng, p, number), family, counts, width)


def with_truth(made: Any, rng: np.random.Generator, p: np.ndarray, counts: float) -> Example:
    """A measurement of a given distribution."""
    from sasnet_plugin.simulate.gisas.basis import mix
    from sasnet_plugin.simulate.images.detector import count, expected_counts

    drawn = example(made, rng, exposure=counts)
    mask = drawn.image.mask
    expected = expected_counts(mix(made.half(), p), WINDOW, drawn.measurement, mask)
    counted = replace(drawn.image, counts=count(expected, mask, rng))
    return replace(drawn, p=p, family="given", image=counted)


def truth(one: Example) -> np.ndarray:
    """The true geometry on the fit's scale."""
    value = one.drawn()
    return clipped(np.array([p.inner(value[p.name]) for p in PARAMETERS]))


def true_state(one: Example) -> State:
    """The model at the true geometry."""
    return state(on_window(one.image)[0], truth(one))


def reduced_deviance(now: State, p: np.ndarray) -> float:
    """Deviance over its mean of a distribution at the true geometry, scale and backgrounds fitted."""
    columns = np.concatenate((now.backgrounds, (p @ now.patterns)[None]))
    y = now.counts.y
    _, expected = reweighted(columns, y, y + 1.0, rounds=3)
    return float(deviance(y, expected, 0.0).sum() / moments(expected)[0].sum())


Answer = dict[str, Any]


def _uniform(one: Example, rng: np.random.Generator) -> Answer:
    return {"p": np.full(N_XI, 1 / N_XI)}


def _nnls(one: Example, rng: np.random.Generator) -> Answer:
    weights = fitted(true_state(one))[0]
    return {"p": weights / weights.sum()}


def _mlem(one: Example, rng: np.random.Generator) -> Answer:
    now = true_state(one)
    columns = np.concatenate((now.backgrounds, now.patterns))
    weights = stopped(columns, np.round(now.counts.y), rng)[0][2:]
    return {"p": weights / weights.sum()}


def _joint(one: Example, rng: np.random.Generator) -> Answer:
    """Nelder–Mead over four quantities around the best weights; all others are given to it as they are."""
    from scipy.optimize import minimize

    counts = on_window(one.image)[0]
    true = truth(one)
    where = [[p.name for p in PARAMETERS].index(name) for name in JOINT]
    broad = [GEOMETRY[name].limits() for name in JOINT]
    best: tuple[float, np.ndarray] = (np.inf, np.zeros(N_XI))
    now: State | None = None

    def loss(x: np.ndarray) -> float:
        nonlocal best, now
        inner = true.copy()
        for k, name, (low, high), u in zip(where, JOINT, broad, x, strict=True):
            value = low * (high / low) ** u if name == "width" else low + (high - low) * u
            inner[k] = PARAMETERS[k].inner(float(np.clip(value, low, high)))
        now = state(counts, clipped(inner), now)
        weights, _, expected = fitted(now)
        found = float(deviance(counts.y, expected).sum()) + 1e4 * float(
            np.sum(np.clip(np.abs(x - 0.5) - 0.5, 0, None))
        )
        if found < best[0]:
            best = (found, weights / weights.sum())
        return found

    # From the middle of the prior, and then from two corners of its core.
    for start in ((0.5, 0.5, 0.5, 0.5), (0.25, 0.5, 0.3, 0.25), (0.75, 0.5, 0.3, 0.75)):
        begin = np.array(start)
        simplex = np.stack([begin, *(begin + 0.15 * np.eye(4))])
        minimize(
            loss, begin, method="Nelder-Mead", options={"maxfev": EVALUATIONS, "initial_simplex": simplex}
        )
    return {"p": best[1]}


def _inverted(one: Example, guess: OrientationGuess) -> Answer:
    found = invert(one.image, guess)
    return {
        "p": found.p,
        "low": found.p_low,
        "high": found.p_high,
        "deviance": found.deviance / found.expected_deviance,
        "uniform": found.uniform_p_value,
        "hand_known": found.mirror_resolved,
        "in_scope": found.in_scope,
    }


def _guess(one: Example) -> OrientationGuess:
    from sasnet_plugin.fitting.orientation.answer import guess_of
    from sasnet_plugin.predict import open_predictor

    return guess_of(open_predictor("gisas_hex").answers([one.image])[0])


def _network(one: Example, rng: np.random.Generator) -> Answer:
    guess = _guess(one)
    return {"p": guess.p, "low": guess.p_low, "high": guess.p_high, "in_scope": guess.in_scope}


def _network_inversion(one: Example, rng: np.random.Generator) -> Answer:
    return _inverted(one, _guess(one))


@lru_cache(maxsize=1)
def _pls_model(patterns: int = 2400, uses: int = 8, components: int = 30) -> tuple[Any, np.ndarray]:
    """Partial least squares on logarithms of patterns, and their mean."""
    from sklearn.cross_decomposition import PLSRegression

    rng = np.random.default_rng(1)
    values, truths = [], []
    for _ in range(patterns // uses):
        made = basis(sample_geometry(rng), WINDOW.with_margin(MARGIN))
        half = made.half()
        for _ in range(uses):
            one = example(made, rng, half=half, exposure=float(10 ** rng.uniform(5, 7)))
            values.append(_pls_features(one))
            truths.append(one.p)
    mean = np.nanmean(values, axis=0)
    model = PLSRegression(n_components=components, scale=False, max_iter=100, tol=1e-4)
    model.fit(np.where(np.isnan(values), mean, values), np.array(truths))
    return model, mean


def _pls_features(one: Example) -> np.ndarray:
    counts, mask = one.image.counts, one.image.mask
    mean = counts[mask].mean()
    return np.where(mask, np.log(counts / mean + 0.01), np.nan).ravel().astype(np.float32)


def _pls(one: Example, rng: np.random.Generator) -> Answer:
    model, mean = _pls_model()
    values = _pls_features(one)
    p = np.maximum(model.predict(np.where(np.isnan(values), mean, values)[None])[0], 0.0)
    return {"p": p / p.sum() if p.sum() > 0 else np.full(N_XI, 1 / N_XI)}


CONTESTANTS: dict[str, Callable[[Example, np.random.Generator], Answer]] = {
    "uniform": _uniform,
    "pls": _pls,
    "nnls": _nnls,
    "mlem": _mlem,
    "joint": _joint,
    "network": _network,
    "network+inversion": _network_inversion,
}


def solve(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """One contestant's answer to one problem, as `kept.run` wants it."""
    one = problem(index, seed)
    if contestant == "pls":
        _pls_model()  # its training is not timed
    rng = np.random.default_rng([seed, index, 7])
    start = time.process_time()
    answer = CONTESTANTS[contestant](one.example, rng)
    seconds = time.process_time() - start
    return row(one, answer, seconds) | {"index": index}


def row(one: Problem, answer: Answer, seconds: float) -> dict[str, Any]:
    """What is kept of an answer."""
    true, p = one.example.p, answer["p"]
    beside = np.abs(WINDOW.centres()[1]) > 0.1
    w1 = float(circular_w1(true, p, PERIOD))
    found: dict[str, Any] = {
        "model": one.family,
        "success": w1 < 2.0,
        "seconds": seconds,
        "counts": one.counts,
        "width": one.width,
        "total": float(one.example.image.counts.sum()),
        "beside": float(one.example.image.counts[:, beside].sum()),
        "w1": w1,
        "folded": float(folded_w1(true, p)),
        "variation": float(total_variation(true, p)),
        "deviance": answer.get("deviance") or reduced_deviance(true_state(one.example), p),
        "p": [round(float(x), 5) for x in p],
    }
    if "low" in answer:
        low, high = answer["low"], answer["high"]
        found["coverage"] = float(np.mean((true >= low - 1e-9) & (true <= high + 1e-9)))
        found["low"], found["high"] = ([round(float(x), 5) for x in v] for v in (low, high))
    return found | {key: answer[key] for key in ("uniform", "hand_known", "in_scope") if key in answer}


def settings() -> dict[str, Any]:
    """What the kept answers depend on, for the table."""
    return {"families": FAMILIES, "counts": COUNTS, "widths": WIDTHS, "window": asdict(WINDOW)}
