"""How fast measured GISAS patterns come, against BornAgain once a sample; how right the factorised basis is.

1. Examples per CPU-second. Ours: a distribution, its pattern out of a basis, detector, counts, mask; with the
   basis at hand, read from a store, or made anew after so many uses. Peer: BornAgain's plain interface
   simulates the same geometries with the same distributions, one sample with all its domains, one thread, in
   the middle of each of 64 x 64 pixels; the same detector and counts afterwards. The peer does not average
   over pixels, which would cost it tens of times more.
2. The basis: factorised against BornAgain in the middle of each pixel, and averaged over pixels against
   BornAgain on many parts of each.

Usage: ``python -m benchmarks images/gisas_simulation [--write]``; ``--write`` keeps the tables in
``benchmarks/images/gisas_simulation.md``.
"""

from __future__ import annotations

import os

# One core: CPU-seconds are then seconds.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from sasnet_plugin.simulate import bornagain
from sasnet_plugin.simulate.dataset import Dataset
from sasnet_plugin.simulate.gisas.basis import Basis, basis, binned, point_basis
from sasnet_plugin.simulate.gisas.geometry import N_HALF, WINDOW, XI, Geometry
from sasnet_plugin.simulate.gisas.priors import FAMILIES, sample_geometry, sample_orientation
from sasnet_plugin.simulate.gisas.simulator import SIMULATOR, example
from sasnet_plugin.simulate.images.detector import MARGIN, background, count, sample_mask
from sasnet_plugin.simulate.images.measurement import sample_measurement
from sasnet_plugin.simulate.images.window import Window
from sasnet_plugin.simulate.shards import Request, plan

from ..asked import parser_of

WANTED_RATIO = 50.0
USES = (1, 10, 100, 1000)
#: Half width of what counts as the specular rod, degrees.
ROD = 0.1
SEED = 11


def seconds(function: Callable[[], object]) -> float:
    """CPU-seconds of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def peer(geometry: Geometry, p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One measured pattern by BornAgain alone."""
    inside = np.flatnonzero(p)
    pattern = bornagain.pattern(geometry, WINDOW, list(XI[inside]), list(p[inside]))
    measurement = sample_measurement(rng)
    every = pattern + pattern.sum() * background(WINDOW, measurement)
    mask = sample_mask(WINDOW, geometry.alpha_i, rng)
    return count(every * (measurement.counts / every.sum()), mask, rng)


def peer_costs(each: int, families: Iterable[str] = FAMILIES) -> dict[str, float]:
    """CPU-seconds of a sample by BornAgain, by kind of distribution."""
    found = {}
    for family in families:
        rng = np.random.default_rng(SEED)
        drawn = [(sample_geometry(rng), sample_orientation(rng, family=family)[1]) for _ in range(each)]
        found[family] = seconds(lambda drawn=drawn, rng=rng: [peer(g, p, rng) for g, p in drawn]) / each  # type: ignore[misc]
    return found


def our_costs(bases: list[Basis], each: int) -> tuple[dict[str, float], float]:
    """CPU-seconds of an example with its basis at hand, by kind of distribution, and of any kind."""
    rng = np.random.default_rng(SEED)
    halves = [b.half() for b in bases]

    def many(family: str | None) -> float:
        return seconds(
            lambda: [
                example(b, rng, half=half, family=family)
                for b, half in zip(bases, halves, strict=True)
                for _ in range(each)
            ]
        ) / (each * len(bases))

    return {family: many(family) for family in FAMILIES}, many(None)


def reading_cost(bases: int) -> float:
    """CPU-seconds of a basis read from a store, single precision and all."""
    with tempfile.TemporaryDirectory() as folder:
        request = Request(rounds=1, seed=SEED, scale=bases / SIMULATOR.layout.per_round)
        for _ in plan(SIMULATOR, Path(folder), request).run():
            pass
        stored = Dataset(Path(folder), SIMULATOR)
        rows = range(len(stored))
        return seconds(lambda: [SIMULATOR.basis(stored[i]).half() for i in rows]) / len(stored)


def rate_table(
    ours: dict[str, float], mean: float, theirs: dict[str, float], made: float, read: float
) -> str:
    """Examples per CPU-second, of the prior's mixture and of each kind."""
    peer_mean = sum(share * theirs[family] for family, share in FAMILIES.items())
    lines = [
        f"A basis of 61 patterns costs {1e3 * made:.0f} ms to make (mean over the prior's geometries) and"
        f" {1e3 * read:.1f} ms to read from a store.",
        "",
        "| | examples per CPU-second | ratio to the peer |",
        "|---|---|---|",
        f"| BornAgain once a sample, distributions of the prior | {1 / peer_mean:.2f} | 1 |",
        f"| ours, basis at hand | {1 / mean:,.0f} | {peer_mean / mean:,.0f} |",
    ]
    for uses in USES[1:]:
        cost = mean + read / uses
        lines.append(
            f"| ours, a basis read for every {uses:,} examples | {1 / cost:,.0f} | {peer_mean / cost:,.0f} |"
        )
    for uses in USES:
        cost = mean + made / uses
        lines.append(
            f"| ours, a basis made for every {uses:,} examples | {1 / cost:,.1f} | {peer_mean / cost:,.1f} |"
        )
    lines += [
        "",
        f"{WANTED_RATIO:g} times the peer's rate with the cost of the basis included takes"
        f" {break_even(peer_mean, mean, made, WANTED_RATIO)} uses of a basis, the peer's own rate"
        f" {break_even(peer_mean, mean, made, 1)}.",
        "",
        "| distribution | BornAgain, s | ours, basis at hand, ms | ratio | uses for 50 times |",
        "|---|---|---|---|---|",
    ]
    for family in FAMILIES:
        lines.append(
            f"| {family} | {theirs[family]:.3f} | {1e3 * ours[family]:.2f} |"
            f" {theirs[family] / ours[family]:,.0f} |"
            f" {break_even(theirs[family], ours[family], made, WANTED_RATIO)} |"
        )
    return "\n".join(lines)


def break_even(theirs: float, ours: float, made: float, ratio: float) -> str:
    """Uses of a basis after which ours is so many times faster, in words."""
    left = theirs / ratio - ours
    return f"{int(np.ceil(made / left)):,}" if left > 0 else "no number of"


def accuracy_table(geometries: int) -> str:
    """How far the basis is from BornAgain, over geometries of the prior."""
    rng = np.random.default_rng(SEED + 1)
    small, parts = Window(16, 16), (8, 12)
    away = np.abs(WINDOW.centres()[1]) > ROD
    middle, averaged, alone, shares = [], [], [], []
    for _ in range(geometries):
        geometry = sample_geometry(rng)
        row = int(rng.integers(N_HALF))
        true = bornagain.pattern(geometry, small, [XI[row]])
        middle.append(np.max(np.abs(point_basis(geometry, small)[row] / true - 1)))
        true = binned(bornagain.pattern(geometry, WINDOW.finer(*parts), [XI[row]]), parts)
        ours = basis(geometry, WINDOW).half()[row]
        averaged.append((_off(ours, true), _off(ours[:, away], true[:, away])))
        point = bornagain.pattern(geometry, WINDOW, [XI[row]])
        alone.append((_off(point, true), _off(point[:, away], true[:, away])))
        shares.append(1 - true[:, away].sum() / true.sum())
    lines = [
        f"{geometries} geometries of the prior, one angle each, median (worst). In the middle of a pixel: the"
        " largest relative error. Over pixels: Σ|difference| over Σ, of the window and of what lies more than"
        f" {ROD:g} degrees beside the specular rod, which has {np.median(shares):.0%} of the window's"
        f" counts ({min(shares):.0%} to {max(shares):.0%}) and knows nothing of the angle.",
        "",
        "| | window | beside the rod |",
        "|---|---|---|",
        "| factorised, middle of the pixel, against BornAgain |"
        f" {np.median(middle):.1e} ({max(middle):.1e}) | |",
        f"| factorised, mean over the pixel, against BornAgain on {parts[0]} x {parts[1]} parts |"
        f" {_percent(averaged)} |",
        f"| BornAgain in the middle of the pixel, against the same | {_percent(alone)} |",
    ]
    return "\n".join(lines)


def _off(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.abs(found - true).sum() / true.sum())


def _percent(found: list[tuple[float, float]]) -> str:
    columns = np.array(found).T
    return " | ".join(f"{np.median(c):.2%} ({c.max():.2%})" for c in columns)


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = parser_of(
        __doc__, bases=(16, "timed"), examples=(40, "of each kind"), peer=(6, "by BornAgain"), geometries=10
    )
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    geometries = [sample_geometry(rng) for _ in range(options.bases)]
    window = WINDOW.with_margin(MARGIN)
    basis(geometries[0], window)  # imports and tables of indices
    bases: list[Basis] = []
    made = seconds(lambda: bases.extend(basis(g, window, dtype=np.float16) for g in geometries))
    ours, mean = our_costs(bases, options.examples)
    rates = rate_table(
        ours, mean, peer_costs(options.peer), made / options.bases, reading_cost(options.bases)
    )
    report = "\n\n".join(
        ["## Examples per CPU-second", rates, "## The basis", accuracy_table(options.geometries)]
    )
    print(report)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(f"# GISAS simulation\n\n{report}\n", encoding="utf-8")
