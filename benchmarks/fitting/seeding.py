"""Where should a fit start? Ways to starting values, the true model given, each refined alike.

``python -m benchmarks fitting/seeding --work W`` trains a small network for each of thirteen form models
(Keras on any backend), draws measurements under the realistic protocol (monodisperse, dilute, resolution
given) and refines one or three starts of each way as `sasnet fit` does. A way succeeds when the reduced χ² is
at most 1.1 times the truth's own; what fails even from the true parameters is beyond the refinement, not the
start. ``--write`` puts the table into ``benchmarks/fitting/seeding.md``.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

import numpy as np

from ..asked import parser_of
from ..curves.contest import replacing
from ..kept import Solver, run
from ..tables import markdown, percent
from .estimates import NUMBERS, decoded, examples, settings
from .sampled import sampling_of
from .task import SUCCESS, Problem, measurement

STARTS, DRAWS = 3, 32
#: Clean curves, measurements and passes over them in the training of a network; instruments they share.
CLEAN, COUNT, EPOCHS, SETTINGS = 2000, 14_000, 8, 200
#: CPU-seconds that a refinement may take, steps on all points; points a decade of a coarse copy.
PATIENCE, STEPS = 10.0, 20
PER_DECADE = {"fast": 200, "medium": 100}
WAYS = {
    "truth": "the true parameters",
    "default": "sasmodels' defaults",
    "prior": "random draws of the prior",
    "prior_best": f"the best of {DRAWS} draws of the prior",
    "bank": "the bank's nearest curves (sasnet fit)",
    "network": "regression: mean, then draws with its spread",
    "network_best": f"regression: the best of {DRAWS} draws",
    "flow": "flow: its centre, then draws",
    "flow_best": f"flow: the best of {DRAWS} draws",
}
Point = dict[str, Any]


def prepare(model: str, work: Path, seed: int) -> float:
    """Train a model's network unless it is there; CPU-seconds it took, simulation included."""
    path = work / f"{model}-{seed}.npz"
    if not path.exists():
        from peers import flow

        began = time.process_time()
        rng = np.random.default_rng([seed, 7, list(NUMBERS).index(model)])
        found = examples(model, _pool(seed), rng, clean=CLEAN, count=COUNT)
        mean, spread = found.numbers.mean(axis=0), found.numbers.std(axis=0)
        target = ((found.numbers - mean) / spread).astype(np.float32)
        net = flow.train(found.features, target, seed, epochs=EPOCHS)
        facts = {"mean": mean, "spread": spread, "seconds": time.process_time() - began}
        weights = {f"w{i}": w for i, w in enumerate(net.get_weights())}
        with replacing(path) as file:
            np.savez(file, **facts, **weights)
    with np.load(path) as file:
        return float(file["seconds"])


@lru_cache(maxsize=1)
def _pool(seed: int) -> list[Any]:
    return settings(SETTINGS, np.random.default_rng([seed, 6]))


@lru_cache(maxsize=16)
def _network(model: str, work: Path, seed: int) -> tuple[Any, Any, Any]:
    from peers import flow

    from sasnet_plugin.data.preprocess import N_CHANNELS, N_GRID

    with np.load(work / f"{model}-{seed}.npz") as file:
        size = file["mean"].size
        net = flow.Estimator(size, seed)
        net((np.zeros((1, N_GRID, N_CHANNELS), np.float32), np.zeros((1, net.wide), np.float32)))
        net.set_weights([file[f"w{i}"] for i in range(len(net.get_weights()))])
        return net, file["mean"], file["spread"]


def solve(way: str, index: int, seed: int, *, work: Path) -> dict[str, Any]:
    """Three starts of one way for one problem, refined, as JSON has it."""
    from sasnet_plugin.fitting.optimize.local_search import refine
    from sasnet_plugin.fitting.problem.experiment import experiment
    from sasnet_plugin.fitting.problem.model_curves import ModelCurves
    from sasnet_plugin.fitting.problem.resolution import coarsened
    from sasnet_plugin.simulate.quick_models.cost_classes import cost_class

    models = list(NUMBERS)
    model = models[index % len(models)]
    given = measurement(model, index, np.random.default_rng([seed, index]), plain=True)
    coarse, coarse_error = coarsened(given.curve, given.dintensity)
    rough = ModelCurves(coarse, coarse_error, model, per_decade=PER_DECADE[cost_class(model)])
    true = experiment(given.curve, given.dintensity, model, given.parameters)
    fine = ModelCurves(given.curve, given.dintensity, model, per_decade=sampling_of(true, given.curve))
    if "network" in way or "flow" in way:  # opened once a process, whatever the order of problems
        _network(model, work, seed)
    began = time.process_time()
    starts = _starts(way, given, rough, np.random.default_rng([seed, index, 1]), work, seed)
    making = time.process_time() - began
    degrees = len(given.curve) - len(NUMBERS[model]) - 2
    reduced, seconds = [], []
    for start in starts:
        began = time.process_time()
        rough.deadline = fine.deadline = began + PATIENCE
        first = refine(rough, start, tolerances=(0.1, 0.02, 0.0), steps=12)
        last = first and refine(fine, first.parameters, steps=STEPS)
        seconds.append(time.process_time() - began)
        reduced.append(last.chisq / degrees if last else None)
    met = [r is not None and r <= SUCCESS * given.truth for r in reduced]
    return {
        "index": index, "model": model, "truth": given.truth, "reduced_chisq": reduced, "making": making,
        "polishing": seconds, "seconds": making + sum(seconds), "one": met[0] if met else False,
        "success": any(met),
    }  # fmt: skip


def _starts(
    way: str, given: Problem, rough: Any, rng: np.random.Generator, work: Path, seed: int
) -> list[Point]:
    if way in ("truth", "default"):
        return [dict(given.parameters) if way == "truth" else {}]
    if way == "bank":
        return _from_bank(given)
    kind, _, best = way.partition("_")
    count = DRAWS if best else STARTS
    drawn = _drawn(kind, given, count, rng, work, seed)
    if best:
        badness = []
        for start in drawn:
            residual = rough.solved(start, 0.1)[0]
            badness.append(float(residual @ residual))
        drawn = [drawn[i] for i in np.argsort(badness)]
    return drawn[:STARTS]


def _drawn(
    kind: str, given: Problem, count: int, rng: np.random.Generator, work: Path, seed: int
) -> list[Point]:
    if kind == "prior":
        from sasnet_plugin.simulate.priors import sample_prior

        return [dict(sample_prior(given.form, rng)) for _ in range(count)]
    from peers import flow

    from sasnet_plugin.data.preprocess import features

    net, mean, spread = _network(given.form, work, seed)
    seen = features([given.curve])
    if kind == "flow":
        numbers = flow.samples(net, seen, count, rng)
    else:
        centre, width = (a[0] for a in flow.likely(net, seen))
        noise = rng.standard_normal((count, centre.size))
        noise[0] = 0.0
        numbers = centre + width * noise
    return [decoded(given.form, row) for row in mean + spread * numbers]


@lru_cache(maxsize=1)
def _bank() -> Any:
    from sasnet_plugin.fitting.api import bank_path
    from sasnet_plugin.simulate.bank import Bank

    return Bank(bank_path())


def _from_bank(given: Problem) -> list[Point]:
    """As `sasnet fit`: the nearest after size, scale and background, monodisperse ones first."""
    from sasnet_plugin.fitting.start_values.curve_bank import binned, nearest

    data = binned(given.curve, given.dintensity)
    seeds = nearest(_bank().page(given.form), given.form, None, data, count=36)
    plain = [s.parameters for s in seeds if not any("_pd" in k for k in s.parameters)]
    others = [{k: v for k, v in s.parameters.items() if "_pd" not in k} for s in seeds]
    return [*plain, *others][:STARTS]


def table(found: dict[str, list[dict[str, Any]]], prepared: dict[str, float]) -> str:
    """Success and cost of each way, in Markdown."""
    header = [
        "start", "problems", "one start: success / %", "three starts / %", "making them, CPU-ms",
        "refining one, CPU-s",
    ]  # fmt: skip
    lines = []
    for way, rows in found.items():
        polishing = [s for r in rows for s in r["polishing"]]
        lines.append(
            [
                WAYS[way],
                str(len(rows)),
                percent(float(np.mean([r["one"] for r in rows]))),
                "–" if way in ("truth", "default") else percent(float(np.mean([r["success"] for r in rows]))),
                f"{1e3 * np.mean([r['making'] for r in rows]):.0f}",
                f"{np.mean(polishing):.2f}",
            ]
        )
    models = list(dict.fromkeys(r["model"] for rows in found.values() for r in rows))
    each = [[model, *(_successes(rows, model) for rows in found.values())] for model in models]
    learned = (
        f"\nA network learned from {COUNT} measurements of {CLEAN} clean curves in {EPOCHS} passes:"
        f" {np.mean(list(prepared.values())):.0f} CPU-seconds a model on average, simulation included.\n"
        if prepared
        else ""
    )
    count = max(len(rows) for rows in found.values())
    return (
        markdown(header, lines)
        + learned
        + f"\nWhat this cannot tell: differences below about {100 / np.sqrt(count):.0f} points, two standard"
        " errors of a share of one half; size distributions, structure factors and the expensive models, as"
        " all curves are monodisperse, dilute and quick to compute; what larger networks and more training"
        " would do; and resolutions that a file does not give, as all files here give theirs.\n"
        + "\nSuccesses with one and with three starts, by model:\n\n"
        + markdown(["model", *found], each)
    )


def _successes(rows: list[dict[str, Any]], model: str) -> str:
    those = [r for r in rows if r["model"] == model]
    return f"{sum(r['one'] for r in those)}, {sum(r['success'] for r in those)}/{len(those)}"


def main() -> None:
    """Train, run the ways, print the table, and write it if asked to."""
    parser = parser_of(__doc__, work=True, each=(6, "problems of each model"), seed=2026, workers=1)
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    learned = any("network" in way or "flow" in way for way in options.ways)
    prepared = {}
    for model in NUMBERS if learned else ():
        prepared[model] = prepare(model, options.work, options.seed)
        print(f"{model}: network, {prepared[model]:.0f} CPU-seconds", flush=True)
    solver: Solver = partial(solve, work=options.work)
    count = options.each * len(NUMBERS)
    found = {
        way: run(solver, way, count, options.seed, options.work, options.workers) for way in options.ways
    }
    text = table(found, prepared)
    print(text)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(f"# Starting values\n\n{text}", encoding="utf-8")
