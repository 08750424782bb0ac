"""How fast measured patterns of growing films come, against BornAgain once a sample; how right they are.

1. Examples per CPU-second. Ours: a film's pattern, averaged over pixels, made anew for so many examples, and
   detector, counts and mask for each. Peer: BornAgain's radial paracrystal once a sample, one thread, in the
   middle of each pixel; the same detector and counts afterwards. The peer does not average over pixels.
2. In the middle of each pixel, ours against BornAgain's; over pixels, ours against many parts of each.

Usage: ``python -m benchmarks images/growth_simulation [--write]``; ``--write`` keeps the tables in
``benchmarks/images/growth_simulation.md``.
"""

from __future__ import annotations

import os

# One core: CPU-seconds are then seconds.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sasnet_plugin.simulate.gisas.basis import binned
from sasnet_plugin.simulate.growth.film import WINDOW, Film
from sasnet_plugin.simulate.growth.pattern import pattern, point_pattern
from sasnet_plugin.simulate.growth.priors import sample_film
from sasnet_plugin.simulate.growth.stack import bornagain_pattern
from sasnet_plugin.simulate.images.detector import MARGIN
from sasnet_plugin.simulate.images.detector import measured as measure
from sasnet_plugin.simulate.images.window import Window

from ..asked import parser_of
from ..tables import markdown

SEED = 5
USES = (1, 3, 10, 30, 100)


def seconds(work: Callable[[], object]) -> float:
    """CPU time of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def rates(films: list[Film], peer: int, examples: int) -> str:
    """Costs of making, measuring and of the peer, as a table."""
    rng = np.random.default_rng(SEED)
    wide = WINDOW.with_margin(MARGIN)
    pattern(films[0], wide)  # imports and the table
    made = seconds(lambda: [pattern(film, wide) for film in films]) / len(films)
    clean = pattern(films[0], wide)
    measured = (
        seconds(
            lambda: [
                measure(lambda: clean, WINDOW, films[0].wavelength, films[0].alpha_i, rng)
                for _ in range(examples)
            ]
        )
        / examples
    )
    theirs = seconds(lambda: [bornagain_pattern(film, wide) for film in films[:peer]]) / peer + measured
    lines = [
        f"A pattern costs {1e3 * made:.0f} ms to make (mean over {len(films)} films of the prior), a"
        f" measurement of one {1e3 * measured:.2f} ms; BornAgain takes {theirs:.2f} s a sample.",
        "",
    ]
    rows = [["BornAgain once a sample", f"{1 / theirs:.2f}", "1"]]
    for uses in USES:
        cost = measured + made / uses
        rows.append([f"ours, {uses} measurements of each film", f"{1 / cost:,.0f}", f"{theirs / cost:,.0f}"])
    return "\n".join([*lines, markdown(["", "examples per CPU-second", "ratio to the peer"], rows)])


def accuracy(number: int) -> str:
    """How far ours is from BornAgain, over films of the prior."""
    rng = np.random.default_rng(SEED + 1)
    small = Window(16, 16, WINDOW.phi, WINDOW.alpha_f)
    middle, mean, alone = [], [], []
    for _ in range(number):
        film = sample_film(rng)
        ratio = point_pattern(film, small) / bornagain_pattern(film, small)
        middle.append(float(np.max(np.abs(ratio / np.median(ratio) - 1))))
        true = binned(point_pattern(film, WINDOW.finer(16, 16)), (16, 16))
        mean.append(_off(pattern(film, WINDOW).astype(float), true))
        alone.append(_off(point_pattern(film, WINDOW), true))
    rows = [
        ("middle of the pixel, against BornAgain, largest relative error", middle, "{:.1e}"),
        ("mean over the pixel, against 16 × 16 parts of it, Σ of differences over Σ", mean, "{:.2%}"),
        ("BornAgain in the middle of the pixel, against the same", alone, "{:.2%}"),
    ]
    cells = [[name, form.format(np.median(x)), form.format(max(x))] for name, x, form in rows]
    return f"{number} films of the prior.\n\n" + markdown(["", "median", "worst"], cells)


def _off(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.abs(found / found.sum() - true / true.sum()).sum())


def main() -> None:
    """Measure, print, and write if asked to."""
    parser = parser_of(
        __doc__, films=(100, "timed"), peer=(10, "by BornAgain"), examples=(300, "timed"), checked=20
    )
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    films = [sample_film(rng) for _ in range(options.films)]
    parts = ["## Examples per CPU-second", rates(films, options.peer, options.examples)]
    parts += ["## Against BornAgain", accuracy(options.checked)]
    report = "\n\n".join(parts)
    print(report)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(f"# Growth simulation\n\n{report}\n", encoding="utf-8")
