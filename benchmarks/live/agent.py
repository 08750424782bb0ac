"""After how many measurements is the phase boundary of a grid of samples known: agent, random order, raster?

``python -m benchmarks live/agent`` simulates grids of 12 × 12 and 18 × 18 samples with a curved boundary,
of three kinds, each with several seeds. A curve of a sample is answered by the network, and all three orders
go into the same map of phases; the agent chooses by expected gain of information. A sample that the network
leaves undecided it counts again and longer, which costs as many measurements. The boundary is known when
95 % of the true pairs of neighbours across it lie within one step of a believed one, and the other way
round, at three looks in a row, one after every second measurement. ``--write`` puts the table into
``benchmarks/live/agent.md``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.batch.live.line import said
from sasnet_plugin.batch.steering.outcome import names_of, outcome_of
from sasnet_plugin.batch.steering.phases import PhaseMap, Suggestion, aspects_of
from sasnet_plugin.predict import open_predictor

from ..asked import parser_of
from ..tables import markdown, percent
from .grids import KINDS, Samples, drawn

ORDERS = ("agent", "random", "raster")
#: Share of the pairs, steps of the grid, looks in a row, and measurements between two looks.
SHARE, NEAR, LOOKS, EVERY = 0.95, 1.0, 3, 2
THIRD = 1 / 3


@dataclass(frozen=True)
class Run:
    """A grid measured in some order."""

    #: Measurements after which the boundary was known, in usual counting times; all, where it never was.
    measured: int
    known: bool
    stopped: int = 0  #: Measurements after which the agent said that the map is settled; 0 for never.
    right: bool = False  #: The boundary was known when it said so.
    seconds: float = 0.0  #: For a suggestion.


def is_known(samples: Samples, phases: Sequence[str]) -> bool:
    """Whether the believed boundary is the true one."""
    grid = samples.grid
    pairs = grid.neighbours
    middle = (grid.steps[pairs[:, 0]] + grid.steps[pairs[:, 1]]) / 2
    said_so = np.array([phases[one] != phases[other] for one, other in pairs])
    true = samples.phase[pairs[:, 0]] != samples.phase[pairs[:, 1]]
    if not said_so.any():
        return False
    apart = np.abs(middle[true][:, None] - middle[said_so][None]).max(axis=-1)
    return bool(np.mean(apart.min(axis=1) <= NEAR) >= SHARE and np.mean(apart.min(axis=0) <= NEAR) >= SHARE)


def measured(samples: Samples, order: str, rng: np.random.Generator, *, beyond: bool = True) -> Run:
    """Measure in an order until the boundary is known, and, with the agent, until it says so.

    Parameters
    ----------
    beyond : bool
        Go on until the agent says that the map is settled.
    """
    predictor, found = open_predictor(), PhaseMap(samples.grid)
    names = names_of(predictor)
    places = _places(order, len(samples.grid), rng)
    lasted, known_at, stopped, right, seconds = 0, 0, 0, False, 0.0
    number, time_used, first_look = 0, 0, 0
    while time_used < len(samples.grid):
        began = time.monotonic()
        suggestion = found.suggest() if order == "agent" else None
        seconds += time.monotonic() - began
        if suggestion is not None and not stopped and _is_settled(found, suggestion):
            stopped, right = time_used, is_known(samples, found.phases()[0])
        place = places[number] if suggestion is None else suggestion.place
        times = found.settings.longer if suggestion is not None and suggestion.longer else 1.0
        (answer,) = predictor.outcomes([samples.measured(place, rng, times)])
        if isinstance(answer, Exception):
            raise answer
        found.take(place, aspects_of(outcome_of(said(answer), names)))
        number, time_used = number + 1, time_used + round(times)
        if number % EVERY:
            continue
        lasted = lasted + 1 if is_known(samples, found.phases()[0]) else 0
        first_look = time_used if lasted == 1 else first_look if lasted else 0
        if lasted == LOOKS and not known_at:
            known_at = first_look
        if known_at and (stopped or order != "agent" or not beyond):
            break
    return Run(known_at or len(samples.grid), bool(known_at), stopped, right, seconds / number)


def _is_settled(found: PhaseMap, suggestion: Suggestion) -> bool:
    """Whether the agent says that the map is settled."""
    return suggestion.gain < found.settings.enough and not suggestion.longer and not found.undecided()


def _places(order: str, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.permutation(count) if order == "random" else np.arange(count)


def main() -> None:
    """Print the table, or write it."""
    parser = parser_of(__doc__, each=(8, "grids of each kind and size"), seed=1)
    parser.add_argument("--sides", type=int, nargs="+", default=[12, 18], help="samples along an axis")
    options = parser.parse_args()
    rows, agents, shares = [], [], []
    for side in options.sides:
        for index, kind in enumerate(KINDS):
            runs: dict[str, list[Run]] = {order: [] for order in ORDERS}
            for number in range(options.each):
                samples = drawn(kind, side, np.random.default_rng([options.seed, side, index, number]))
                for k, order in enumerate(ORDERS):
                    rng = np.random.default_rng([options.seed, side, index, number, k])
                    runs[order].append(measured(samples, order, rng))
            total = side * side
            agents += runs["agent"]
            shares += [run.measured / total if run.known else 1.0 for run in runs["agent"]]
            rows.append([kind, f"{side} × {side}", str(options.each), *_cells(runs, total)])
            print(rows[-1], flush=True)
    head = ["boundary", "grid", "grids", *(f"{order}, median / % of the grid" for order in ORDERS)]
    head += ["agent within a third / %", "agent's median / random's", "says settled at / %", "and is / %"]
    text = markdown(head, rows)
    within = np.mean(np.array(shares) <= THIRD)
    said_so = [run for run in agents if run.stopped]
    right = sum(run.right for run in said_so)
    text += f"\nOf {len(agents)} grids {percent(within)} % are known within a third of the raster's"
    text += f" measurements; median {percent(np.median(shares))} %. The agent said that the map is settled in"
    text += f" {len(said_so)} grids, in {right} of them rightly. A suggestion takes"
    text += f" {np.median([run.seconds for run in agents]):.2f} s (median).\n"
    print(text)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")


def _cells(runs: dict[str, list[Run]], total: int) -> list[str]:
    """Of a kind and a size."""
    middle = {order: float(np.median([run.measured for run in own])) for order, own in runs.items()}
    own = runs["agent"]
    stopped = [run for run in own if run.stopped]
    return [
        *(percent(middle[order] / total) for order in ORDERS),
        percent(np.mean([run.known and run.measured <= total * THIRD for run in own])),
        f"{middle['agent'] / middle['random']:.2f}",
        percent(np.median([run.stopped for run in stopped]) / total) if stopped else "–",
        percent(np.mean([run.right for run in stopped])) if stopped else "–",
    ]


if __name__ == "__main__":
    main()
