"""How long a user waits: a cold ``sasnet classify`` of one file, and 10,000 curves in one process.

The cold start is compared, run by run and in turn, with importing the libraries that reading and running a
network need in any case. Usage: ``python -m benchmarks service/latency [--write]``; ``--write`` keeps the
table in ``benchmarks/service/latency.md``.
"""

from __future__ import annotations

import importlib.util
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from sasnet_plugin import Curve, suggest
from sasnet_plugin.data.preprocess import features
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.predict.predictor import available_cores

from ..asked import parser_of
from ..tables import markdown

FLOOR = "import numpy, scipy, onnxruntime, sasdata.dataloader.loader"
ALLOWED_RATIO = 3.0
WANTED_RATE = 500.0


def example_file() -> Path:
    """apoferritin.txt out of the installed sasdata package."""
    spec = importlib.util.find_spec("sasdata")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "example_data" / "1d_data" / "apoferritin.txt"


def seconds(command: list[str]) -> float:
    """Wall time of one process, s; it has to succeed."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def cold(repeats: int) -> dict[str, list[float]]:
    """Wall times, s, of the imports alone and of two forms of the command, in turn.

    One more round comes first and is not counted: it fills the disk cache.
    """
    classify = [sys.executable, "-m", "sasnet_plugin", "classify", str(example_file())]
    commands = {
        f'`python -c "{FLOOR}"`': [sys.executable, "-c", FLOOR],
        "`sasnet classify apoferritin.txt`": classify,
        "`sasnet classify --json apoferritin.txt`": [*classify, "--json"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for index in range(repeats + 1):
        for name, command in commands.items():
            taken = seconds(command)
            if index:
                times[name].append(taken)
    return times


def sphere_curves(count: int, rng: np.random.Generator) -> list[Curve]:
    """Noisy curves of spheres, each with its own q window, number of points and radius (Å)."""
    curves = []
    for radius, points in zip(rng.uniform(20, 200, count), rng.integers(70, 180, count), strict=True):
        q = np.geomspace(rng.uniform(0.002, 0.006), rng.uniform(0.25, 0.55), points)
        x = q * radius
        intensity = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 1e-3
        sigma = 0.03 * intensity
        curves.append(Curve(q, rng.normal(intensity, sigma), sigma, dq=0.05 * q))
    return curves


def rates(count: int) -> dict[str, float]:
    """Curves a second for the whole call and for its two largest parts, with the network already open."""
    curves = sphere_curves(count, np.random.default_rng(1))
    predictor = open_classifier().predictor
    suggest(curves[:200])
    start = time.perf_counter()
    suggest(curves)
    whole = time.perf_counter() - start
    part = curves[: max(count // 5, 1)]
    start = time.perf_counter()
    inputs = features(part)
    prepared = time.perf_counter()
    predictor.outputs({"features": inputs})  # of each curve as it is, larger and smaller
    done = time.perf_counter()
    return {
        "suggest": count / whole,
        "of which preprocessing alone": len(part) / (prepared - start),
        "of which the network alone": len(part) / (done - prepared),
    }


def table(times: dict[str, list[float]], per_second: dict[str, float], count: int) -> str:
    """Both tables in Markdown."""
    medians = {name: statistics.median(values) for name, values in times.items()}
    floor = next(iter(medians.values()))
    processes = [
        [name, f"{m:.3f}", f"{min(times[name]):.3f}", f"{m / floor:.2f}"] for name, m in medians.items()
    ]
    speeds = [[name, f"{rate:,.0f}"] for name, rate in per_second.items()]
    lines = [
        f"Python {platform.python_version()}, {available_cores()} CPU cores, {platform.machine()};"
        f" median of {len(next(iter(times.values())))} cold processes.",
        "",
        markdown(["process", "median / s", "fastest / s", "ratio of medians"], processes),
        f"At most {ALLOWED_RATIO:g} is wanted of the ratio.",
        "",
        markdown([f"{count:,} curves in one process", "curves a second"], speeds),
        f"At least {WANTED_RATE:g} curves a second are wanted.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = parser_of(
        __doc__, repeats=(9, "cold processes of each kind"), curves=(10_000, "curves in one process")
    )
    options = parser.parse_args()
    report = table(cold(options.repeats), rates(options.curves), options.curves)
    print(report)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(f"# Latency\n\n{report}", encoding="utf-8")
