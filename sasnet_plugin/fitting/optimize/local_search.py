"""Local search of one curve: to the nearest minimum, and out of one that no slope leaves.

One loop for all that is proposed: other sizes and whole numbers, and other size distributions.

Along lines through a minimum χ² is looked at in small steps, with nothing refined but scale and background;
what is least beside its neighbours on the line is a start. One evaluation instead of a refinement finds far
more than a few refinements do.

Where nothing else leads to the minimum, random starts about those that are known are refined. Minima of
scattering curves are many and narrow: a walk from one to the next stays where it began, while one of a
hundred starts that share nothing but the size of the body lies near enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..problem.experiment import TimeUpError
from ..problem.free_parameters import (
    COUNTS,
    complete_distributions,
    counts_of,
    fittable,
    sharp,
    sizes_of,
    widths_of,
)
from ..problem.model_curves import ModelCurves
from ..settings import OPTIMIZE, PROBLEM, START_VALUES
from .least_squares_problem import LeastSquaresProblem

# --- To the nearest minimum.


@dataclass(frozen=True)
class LocalMinimum:
    """Where a search from a start has ended."""

    parameters: dict[str, Any]
    chisq: float  #: With the data's own uncertainty.
    cut: bool = False  #: The time was up before it was there.
    starts: int = 1  #: How many starts have led there.


def refine(
    curves: ModelCurves,
    start: dict[str, Any],
    *,
    tolerances: tuple[float, ...] = (0.0,),
    steps: int = OPTIMIZE.steps,
    most: float = np.inf,
) -> LocalMinimum | None:
    """Go downhill from a start; None if its curve is not finite, the best point seen if time runs out."""
    # `tolerances` are relative errors added to the data's in turn, as a narrow minimum is wide at first;
    # `steps` count for each. With a χ² above `most` after one of them it is not followed further.
    start_parameters = curves.add_scale(start)
    best: tuple[float, dict[str, Any]] = (np.inf, {})
    cut = False
    try:
        for tolerance in tolerances:
            problem = LeastSquaresProblem([curves], [start_parameters], tolerance=tolerance)
            try:
                moved = problem.run(steps)
            finally:
                start_parameters = problem.nearest[0]
            if not moved:
                return None
            best = curves.better(start_parameters, best)
            if best[0] > most:
                break
    except TimeUpError:
        curves.deadline, cut = np.inf, True
        best = curves.better(start_parameters, best)
    return LocalMinimum(best[1], best[0], cut)


# --- To other minima.

#: From a start to the minimum beside it; None where it has no finite curve or the time is up.
Refine = Callable[[dict[str, Any]], LocalMinimum | None]


@dataclass
class Walk:
    """Where a search stands."""

    best: LocalMinimum  #: The least χ² so far.


#: Whether a minimum leaves nothing to look for.
IsEnough = Callable[[LocalMinimum], bool]
#: Starts to refine in one round; it may look at where the walk stands before each of them.
Propose = Callable[[Walk], Iterator[dict[str, Any]]]


def neighbour_search(
    start: LocalMinimum,
    propose: Propose,
    refine: Refine,
    *,
    needed_fall: float = 1.0,
    enough: float = 0.0,
) -> list[LocalMinimum]:
    """Refine proposals next to a minimum until none is better, and return each minimum that was the best so
    far. Another round needs a relative fall `needed_fall`; χ² of `enough` ends it.
    """
    walk, minima = Walk(start), [start]
    while True:
        old_chisq = walk.best.chisq
        for proposal in _propose_until_enough(walk, propose, enough):
            neighbour = refine(proposal)
            if neighbour is not None and neighbour.chisq < walk.best.chisq * (1 - PROBLEM.alike):
                walk.best = neighbour
                minima.append(neighbour)
        if walk.best.chisq >= old_chisq * (1 - needed_fall):
            return minima


def _propose_until_enough(walk: Walk, propose: Propose, enough: float) -> Iterator[dict[str, Any]]:
    """What is proposed, looked for only as long as the best leaves something to look for."""
    proposals = propose(walk)
    while walk.best.chisq > enough and (proposal := next(proposals, None)) is not None:
        yield proposal


Values = dict[str, Any]
#: χ² of values at their best scale and background.
Misfit = Callable[[Values], float]
#: Lines through values, each of them in order.
Lines = Callable[[Values], Iterator[list[Values]]]


def propose_along(lines: Lines, seen_from: Callable[[Values], Misfit]) -> Propose:
    """Yield the nearest point of each line but the current one, nearest first; `seen_from` is the distance
    (not finite where a model has no curve).
    """

    def propose(walk: Walk) -> Iterator[Values]:
        parameters, misfit = walk.best.parameters, seen_from(walk.best.parameters)
        proposals: list[tuple[float, Values]] = []
        for line in lines(parameters):
            least = [
                (chisq, line[code_index])
                for chisq, code_index in _least(line, misfit)
                if line[code_index] != parameters
            ]
            proposals += sorted(least, key=lambda proposal: proposal[0])[: START_VALUES.semifinalists]
        for _, values in sorted(proposals, key=lambda proposal: proposal[0]):
            yield values

    return propose


def _least(line: list[Values], misfit: Misfit) -> list[tuple[float, int]]:
    """χ² and place of what is less than its neighbours on both sides."""
    chisq = np.array([np.inf, *(misfit(values) for values in line), np.inf])
    inner = chisq[1:-1]
    least = np.isfinite(inner) & (inner < chisq[:-2]) & (inner <= chisq[2:])
    return [(float(inner[i]), int(i)) for i in np.flatnonzero(least)]


def size_lines(info: Any, fixed: frozenset[str]) -> Lines:
    """One size after the other, the longest first: to half and twice, in steps that grow."""
    grow = OPTIMIZE.line_growth
    up = OPTIMIZE.line_step * (grow ** np.arange(1, 1 + OPTIMIZE.line_steps) - 1) / (grow - 1)

    def lines(values: Values) -> Iterator[list[Values]]:
        for name in sizes_of(info, values, fixed):
            yield [values | {name: float(values[name] * np.exp(x))} for x in (*-up[::-1], 0.0, *up)]

    return lines


def position_lines(info: Any, fixed: frozenset[str], q: NDArray[np.float64]) -> Lines:
    """Move a peak or a change of power law to every measured q (Å⁻¹), as wide as there and narrower."""
    # Lengths over it and other q scale with it.
    in_q = {p.name for p in info.parameters.call_parameters if p.units == "1/Ang"} - fixed
    places = np.geomspace(q.min(), q.max(), START_VALUES.bins)

    def lines(values: Values) -> Iterator[list[Values]]:
        wide = [n for n in fittable(info, values) if n in in_q]
        current_position = _first_above_0(values, wide)
        if current_position is None:
            return
        long = sizes_of(info, values, fixed)
        for narrower in OPTIMIZE.narrower:
            by = places / float(values[current_position]) / narrower
            positions = zip(places.tolist(), by.tolist(), strict=True)
            yield [_stretch(values, wide, long, x) | {current_position: place} for place, x in positions]

    return lines


def _first_above_0(values: Values, names: list[str]) -> str | None:
    return next((n for n in names if float(values[n]) > 0), None)


def _stretch(values: Values, wide: list[str], long: list[str], by: float) -> Values:
    """Scale values of q by `by`, and lengths by its inverse."""
    return values | {n: values[n] * by for n in wide} | {n: values[n] / by for n in long}


def count_lines(info: Any, fixed: frozenset[str]) -> Lines:
    """Each whole number of a body alone, and with one of its lengths so that their product stays."""
    # A stack with twice the layers at half the distance is as long.
    reach = OPTIMIZE.count_ratios[-1]

    def lines(values: Values) -> Iterator[list[Values]]:
        for name in counts_of(info, values, fixed):
            current_value = float(values[name])
            for length in (None, *sizes_of(info, values, fixed)):
                yield [
                    values | {name: n} | ({length: values[length] * current_value / n} if length else {})
                    for n in sorted({*_COUNTS, current_value})
                    if current_value / reach <= n <= current_value * reach
                ]

    return lines


def _counts() -> list[float]:
    """Whole numbers, each at most a tenth above the last one or by one."""
    grid = np.geomspace(1, OPTIMIZE.largest_count, 1 + round(np.log(OPTIMIZE.largest_count) / np.log(1.1)))
    return sorted({float(round(n)) for n in grid})


_COUNTS = _counts()


def other_counts(info: Any, fixed: frozenset[str]) -> Propose:
    """Each count of a body changed by ratios and by one, none twice, none to more than can be told."""
    # A chain of ever more pearls may fit ever so slightly better: without an end, one evaluation takes
    # minutes.
    visited: set[tuple[float, ...]] = set()

    def propose(walk: Walk) -> Iterator[Values]:
        values = walk.best.parameters
        names = counts_of(info, values, fixed)
        visited.add(tuple(values[n] for n in names))
        for name in names:
            for count in _list_near_counts(round(float(values[name]))):
                start = values | {name: float(count)}
                key = tuple(start[n] for n in names)
                if key not in visited:
                    visited.add(key)
                    yield start

    return propose


def _list_near_counts(value: int) -> list[int]:
    """Counts that are a ratio of one, or one more or less."""
    ratios = {max(round(r * value), 1) for r in OPTIMIZE.count_ratios}
    counts = {n for n in ratios | {max(value - 1, 1), value + 1} if n <= OPTIMIZE.largest_count}
    return sorted(counts - {value})


def restarts(
    info: Any,
    starts: Sequence[LocalMinimum],
    refine: Refine,
    rng: np.random.Generator,
    *,
    fixed: frozenset[str],
    points: int,
    is_enough: IsEnough,
    going: Callable[[], bool],
    most_in_vain: float,
) -> list[LocalMinimum]:
    """Refine starts and random ones about them, best first, while `going`."""
    # Ends at a minimum that `is_enough`, or after `most_in_vain` restarts in a row without gain, of which
    # those that end in the lowest minimum count several times; `points` are of a size distribution.
    minima, in_vain = list(starts), 0
    while going() and not is_enough(minima[0]) and in_vain < most_in_vain:
        about, least = starts[int(rng.integers(len(starts)))].parameters, minima[0].chisq
        minimum = refine(scatter_values(info, about, rng, fixed, points))
        fall = -np.inf if minimum is None else 1 - minimum.chisq / least
        in_vain = 0 if fall > PROBLEM.alike else in_vain + _weigh_restart(fall)
        if minimum is not None:
            minima = sorted([*minima, minimum], key=lambda known_minimum: known_minimum.chisq)
    return minima


def _weigh_restart(fall: float) -> int:
    """How much a restart says against a lower minimum; `fall` is that of χ², relative."""
    return OPTIMIZE.agreeing if fall >= -PROBLEM.alike else 1


def scatter_values(
    info: Any, parameters: dict[str, Any], rng: np.random.Generator, fixed: frozenset[str], points: int
) -> dict[str, Any]:
    """Values about these: sizes and counts by a factor, contrasts anew, one size distribution or none."""
    has_fixed_width = not fixed.isdisjoint(widths_of(parameters))
    values = parameters if has_fixed_width else sharp(parameters)
    fixed_names = fixed | {"scale", "background"}
    free = _entries(info, fittable(info, values), fixed_names)
    varied = [*free, *_entries(info, counts_of(info, values), fixed_names)]
    moved = {p.name: _draw_value(p, float(values.get(p.name, p.default)), values, rng) for p in varied}
    return values | moved if has_fixed_width else _broaden(values | moved, free, rng, points)


def _entries(info: Any, names: list[str], fixed_names: frozenset[str]) -> list[Any]:
    """sasmodels' parameters of these names, without widths and what is left as it is."""
    table = {p.name: p for p in info.parameters.call_parameters if p.name not in fixed_names}
    return [table[name] for name in names if name in table]


def _broaden(
    values: dict[str, Any], free: list[Any], rng: np.random.Generator, points: int
) -> dict[str, Any]:
    """Give one size a distribution or, as often, none."""
    broad = [p.name for p in free if p.type == "volume" and p.polydisperse]
    if not broad or rng.random() < 0.5:
        return values
    return complete_distributions(values | {f"{rng.choice(broad)}_pd": PROBLEM.first_width}, points)


def _draw_value(p: Any, value: float, values: dict[str, Any], rng: np.random.Generator) -> float:
    if p.type == "sld":
        solvent = float(values.get("sld_solvent", 0.0))
        return float(np.clip(solvent + rng.normal(0, PROBLEM.sld_reach / 3), *p.limits))
    if value <= 0:
        return float(np.clip(value + rng.normal(0, OPTIMIZE.scatter), *p.limits))
    far = value * np.exp(rng.normal(0, OPTIMIZE.scatter))
    return float(np.clip(max(round(far), 1) if p.name in COUNTS else far, *p.limits))
