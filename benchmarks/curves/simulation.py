"""How fast training examples come, against one sasmodels call each; how right their smearing is.

1. Examples per CPU-second, every form model equally weighted. Ours: measured examples out of the training
   stream (instrument, resolution, noise, faults, features), without and with its share of the clean curves'
   cost. Peer: what SASNets' generator does, one sasmodels call per example with Pinhole1D (100 q from 1e-3 to
   1 Å⁻¹, dq/q 3 %, 2 % noise), with the parameters that our prior drew for the same clean curves; models
   compiled and kernels built beforehand.
2. Smearing: curves of the models that cost least, drawn from the prior and smeared by random settings of the
   frozen protocol, against Pinhole1D and Slit1D with a q_calc that resolves the curve. sasmodels' own choice
   of q_calc is judged by the same measure.

Usage: ``python -m benchmarks curves/simulation [--write]``; ``--write`` keeps the tables in
``benchmarks/curves/simulation.md``.
"""

from __future__ import annotations

import os

# One core: CPU-seconds are then seconds.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", SAS_OPENCL="none")

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from sasnet_plugin.simulate import instrument
from sasnet_plugin.simulate.clean import PD_TYPES, Clean, evaluate, simulate_clean
from sasnet_plugin.simulate.curve_simulator import CurveSimulator
from sasnet_plugin.simulate.examples import Stream
from sasnet_plugin.simulate.grid import BLUR, LN_STEP, N_LAGRANGE, WIDE_Q, lagrange_weights
from sasnet_plugin.simulate.kernel import call, load_model
from sasnet_plugin.simulate.library import DILUTE_SHARE, Library
from sasnet_plugin.simulate.priors import form_models, structure_factors
from sasnet_plugin.simulate.quick_models.cost_classes import cost_class
from sasnet_plugin.simulate.shards import Request, make_shard, plan

from ..asked import parser_of
from ..tables import markdown

WANTED_RATIO = 20.0
WANTED_SHARE = 0.99
TOLERANCE = 0.01
USES = (1, 10, 100, 1000)
#: The least background of the protocol, over the largest intensity: no measured curve is without it.
BACKGROUND = 1e-5


@dataclass(frozen=True)
class Cost:
    """CPU-seconds of one clean curve (ours) and of one example (peer) of a model."""

    clean: float
    peer: float


def _parameters(numbers: dict[str, float]) -> dict[str, Any]:
    return {k: PD_TYPES[int(v)] if k.endswith("_pd_type") else v for k, v in numbers.items()}


def costs(name: str, folder: Path, count: int, patience: float) -> Cost:
    """Time both for one model, and leave its clean curves in a shard for the stream.

    At most `count` curves, fewer when `patience` (s) is over, but one at least.
    """
    from sasmodels.data import empty_data1D
    from sasmodels.direct_model import DirectModel

    call(name, WIDE_Q[500:501], {})  # compiles
    request = Request(rounds=1, seed=1, models=(name,), limit=count)
    (shard,) = plan(CurveSimulator(), folder, request).shards
    rng = np.random.default_rng(list(shard.seed))
    simulate_clean(name, np.random.default_rng(0))  # fills the caches of priors and kernels
    start = time.process_time()
    drawn: list[Clean] = []
    while len(drawn) < count and (not drawn or time.process_time() - start < patience):
        drawn.append(simulate_clean(name, rng))
    clean = (time.process_time() - start) / len(drawn)
    make_shard(replace(shard, rows=len(drawn)))
    if name in structure_factors():
        return Cost(clean, 0.0)
    q = np.logspace(-3, 0, 100)
    model = DirectModel(empty_data1D(q, resolution=0.03), load_model(name))
    noise = np.random.default_rng(1)
    model()
    start, done = time.process_time(), 0
    with np.errstate(all="ignore"):
        for one in drawn:
            theory = model(**_parameters(one.parameters), background=1e-5)
            theory += 0.02 * theory * noise.standard_normal(q.size)
            done += 1
            if time.process_time() - start > patience:
                break
    return Cost(clean, (time.process_time() - start) / done)


def stream_rate(folder: Path, seconds: float) -> float:
    """Examples per CPU-second out of the training stream, once its pool of settings is filled."""
    stream = Stream(Library(folder), np.random.default_rng(2))
    start = time.process_time()
    while len(stream._pool) < stream._pool_size and time.process_time() - start < seconds:
        stream.chunk()
    start, count = time.process_time(), 0
    while time.process_time() - start < seconds:
        count += len(stream.chunk())
    return count / (time.process_time() - start)


def rate_table(found: dict[str, Cost], rate: float, curves: int) -> str:
    """Rates and ratios as Markdown."""
    forms = [cost for name, cost in found.items() if cost.peer > 0]
    factors = [cost.clean for cost in found.values() if cost.peer == 0]
    clean = float(np.mean([c.clean for c in forms]))
    if factors:
        clean += (1 - DILUTE_SHARE) * float(np.mean(factors))
    peer = float(np.mean([c.peer for c in forms]))
    dearest = sorted(found, key=lambda name: -found[name].peer)[:3]
    lines = [
        f"{len(forms)} form models, equally weighted; at most {curves} curves of each timed. One clean curve"
        f" costs {1e3 * clean:.1f} ms on average, one example of the peer {1e3 * peer:.1f} ms"
        f" (dearest: {', '.join(f'{name} {1e3 * found[name].peer:.0f} ms' for name in dearest)}).",
        "",
    ]
    rows = [
        ["one sasmodels call per example", f"{1 / peer:.1f}", "1"],
        ["ours, clean curves at hand", f"{rate:.0f}", f"{rate * peer:.0f}"],
    ]
    for uses in USES:
        each = 1 / (1 / rate + clean / uses)
        made = f"ours, each clean curve simulated for {uses:,} examples"
        rows.append([made, f"{each:.1f}", f"{each * peer:.1f}"])
    lines.append(markdown(["", "examples per CPU-second", "ratio to the peer"], rows).rstrip())
    spare = peer / WANTED_RATIO - 1 / rate
    need = f"{clean / spare:.0f} uses of a clean curve" if spare > 0 else "more speed than the stream has"
    lines += ["", f"A ratio of {WANTED_RATIO:g} with the clean curves' cost included takes {need}."]
    return "\n".join(lines)


def _fine(low: float, high: float, size: float) -> np.ndarray:
    """q_calc with ten points in each fringe of a body of that size, Å, and evenly in log q besides."""
    step = min(2 * np.pi / size / 20, (high - low) / 4000)
    even = np.linspace(low, high, int(min((high - low) / step, 40000)))
    return np.union1d(even, np.geomspace(max(low, 1e-5), high, 4000))


def _smear(kind: str, q: np.ndarray, width: np.ndarray, curve: Any, q_calc: np.ndarray | None) -> np.ndarray:
    """Let sasmodels smear `curve`, a function of q; points without width are perfect."""
    from sasmodels.resolution import Pinhole1D, Slit1D

    out = np.asarray(curve(q))
    wide = width > 0
    if wide.any():
        if kind == "pinhole":
            resolution = Pinhole1D(q[wide], width[wide], q_calc=q_calc)
        else:
            resolution = Slit1D(q[wide], q_length=width[wide], q_calc=q_calc)
        out[wide] = resolution.apply(curve(resolution.q_calc))
    return out


def _setting(rng: np.random.Generator) -> tuple[instrument.Setting, str, np.ndarray]:
    """A setting of the protocol, with the true resolution that its file may not state."""
    with (
        mock.patch.object(instrument, "pinhole_matrix", wraps=instrument.pinhole_matrix) as pinhole,
        mock.patch.object(instrument, "slit_matrix", wraps=instrument.slit_matrix) as slit,
    ):
        setting = instrument.sample_setting(rng)
    kind, used = ("slit", slit) if slit.called else ("pinhole", pinhole)
    return setting, kind, np.asarray(used.call_args.args[1])


def smearing(draws: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Relative errors at up to 40 points of each curve, and these points' q times size.

    ``ours``: end to end, against the model itself. ``operator``: the smearing alone, of the curve that
    the wide grid represents. ``sasmodels``: Pinhole1D and Slit1D with the q_calc that they choose.
    """
    found: dict[str, list[np.ndarray]] = {k: [] for k in ("q_size", "slit", "ours", "operator", "sasmodels")}
    cheap = [name for name in form_models() if cost_class(name) == "fast"]
    for name in cheap:
        for _ in range(draws):
            setting, kind, width = _setting(rng)
            parameters = _parameters(simulate_clean(name, rng, truncated=True).parameters)
            clean = evaluate(name, parameters, truncated=True)
            top = int(setting.matrix.indices.max()) + 1
            if clean is None or clean.n_valid < top:
                continue
            grid = np.zeros(WIDE_Q.size)
            grid[:top] = np.exp(clean.log_intensity[:top].astype(float))
            unit = float(np.median(grid[:top] / call(name, WIDE_Q[:top], parameters).intensity))

            def model(
                q: np.ndarray, name: str = name, pars: Any = parameters, unit: float = unit
            ) -> np.ndarray:
                return unit * call(name, np.abs(q), pars).intensity

            def represented(q: np.ndarray, grid: np.ndarray = grid) -> np.ndarray:
                first, weights = lagrange_weights(np.abs(q))
                return np.sum(weights * grid[first[..., None] + np.arange(N_LAGRANGE)], axis=-1)

            own = _smear(kind, setting.q, width, model, None)
            ours = setting.matrix @ grid
            pick = np.sort(rng.choice(setting.q.size, min(40, setting.q.size), replace=False))
            q, w = setting.q[pick], width[pick]
            size = clean.max_length if np.isfinite(clean.max_length) else 1.0
            if kind == "pinhole":
                low, high = float(np.min(q - 2.6 * w)), float(np.max(q + 3.1 * w))
                fine = _fine(max(low, 1e-5), high, size)
                if low < 0:
                    fine = np.concatenate([-fine[(fine > 0) & (fine < -low)][::-1], fine])
            else:
                fine = _fine(float(q[0]) * 0.999, float(np.max(np.hypot(q, w))) * 1.001, size)
            exact = _smear(kind, q, w, model, fine)
            floor = BACKGROUND * exact.max()
            found["q_size"].append(q * size)
            found["slit"].append(np.full(q.size, kind == "slit"))
            found["ours"].append(np.abs(ours[pick] - exact) / (exact + floor))
            found["sasmodels"].append(np.abs(own[pick] - exact) / (exact + floor))
            # The clean curve carries a blur of its own, which the matrix allows for.
            left = np.sqrt(np.maximum(w**2 - (BLUR * LN_STEP * q) ** 2, 0)) if kind == "pinhole" else w
            same = _smear(kind, q, left, represented, fine)
            found["operator"].append(np.abs(ours[pick] - same) / (np.abs(same) + floor))
    return {key: np.concatenate(parts) for key, parts in found.items()}


def smearing_table(found: dict[str, np.ndarray]) -> str:
    """Shares of points within the tolerance as Markdown."""
    size, slit = found["q_size"], found["slit"]
    rows = {
        "all": np.ones(size.size, bool),
        "pinhole": ~slit,
        "slit": slit,
        "q·size below 30": size < 30,
        "30 to 100": (size >= 30) & (size < 100),
        "100 to 300": (size >= 100) & (size < 300),
        "above 300": size >= 300,
    }
    lines = [
        f"Share of points within {TOLERANCE:.0%} of Pinhole1D and Slit1D on a fine q_calc, relative to the"
        f" intensity plus {BACKGROUND:g} of the largest (the protocol's least background); {WANTED_SHARE:.0%}"
        " are wanted. Smearing alone: of the curve that the wide grid represents; end to end: of the model."
        " Size is the largest length of the sample: beyond q·size of some hundred the fringes of a"
        " monodisperse body are finer than the wide grid, and finer than most instruments' points.",
        "",
    ]
    cells = []
    for name, rows_in in rows.items():
        if rows_in.any():
            share = [np.mean(found[k][rows_in] < TOLERANCE) for k in ("operator", "ours", "sasmodels")]
            cells.append([name, f"{rows_in.sum():,}", *(f"{100 * s:.1f} %" for s in share)])
    head = ["points", "number", "smearing alone", "end to end", "sasmodels' own q_calc"]
    return "\n".join([*lines, markdown(head, cells)])


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = parser_of(__doc__, draws=(10, "curves of each cheap model smeared"))
    parser.add_argument(
        "--curves-per-model", type=int, default=20, help="curves of each model timed, at most"
    )
    parser.add_argument(
        "--patience", type=float, default=1.0, help="CPU-seconds for each model and contestant"
    )
    parser.add_argument("--seconds", type=float, default=40.0, help="CPU-seconds of the training stream")
    parser.add_argument("--models", nargs="*", help="time these models alone (default: all)")
    parser.add_argument(
        "--shards", type=Path, help="stream from these shards, not from the curves just timed"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for name in options.models or (*form_models(), *structure_factors()):
            found[name] = costs(name, Path(folder), options.curves_per_model, options.patience)
        rate = stream_rate(options.shards or Path(folder), options.seconds)
    report = "\n\n".join(
        [
            "## Examples per CPU-second",
            rate_table(found, rate, options.curves_per_model),
            "## Smearing",
            smearing_table(smearing(options.draws, np.random.default_rng(3))),
        ]
    )
    print(report)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(f"# Simulation\n\n{report}\n", encoding="utf-8")
