"""What does each move of the search cost, and how often does it decide anything?

``python -m benchmarks moves --work W`` fits everyday curves, independent ones, hard problems and sasdata's
measured files, nothing else given, and keeps a ledger of the steps taken: which move of
`fitting.strategy.moves` proposed each, what it cost in counted evaluations and in CPU time, and whether the
leading model or one of its values, by more than a fifth of its error, was another one after it. A move that
was taken together with others has its share of the cost, and the change where its hypothesis leads.
``--sets everyday real`` does some sets, ``--third 0|1|2`` a fixed third of each, ``--only`` some numbers.
Rows are kept in W; ``--write`` keeps the table.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sasnet_plugin.types import Curve, SasnetError

from .common import list_examples, markdown, parser_of, resumed, show, this_process

#: A value has changed that has moved by more than this share of its error.
CHANGE = 0.2
#: Seeds of everyday curves, of independent ones and of hard problems; how many of the last.
EVERYDAY_SEEDS, INDEPENDENT_SEED, HARD_SEED, HARD = (1, 2), 85, 85, 60
QUESTIONS = ("runs", "seconds", "cpu", "first", "winner", "value", "final")


# --- Curves.


def list_everyday() -> list[Callable[[], Curve]]:
    from .fitting.everyday_curves import SAMPLES, everyday

    def make(index: int, seed: int) -> Curve:
        drawn = everyday(index, seed)
        return Curve(drawn.q, drawn.intensity, drawn.dintensity, dq=drawn.dq)

    pairs = [(index, seed) for seed in EVERYDAY_SEEDS for index in range(len(SAMPLES))]
    return [lambda pair=pair: make(*pair) for pair in pairs]  # type: ignore[misc]


def list_independent() -> list[Callable[[], Curve]]:
    from .independent_curves.kinds import KINDS, curve_of

    def make(kind: Any) -> Curve:
        m = curve_of(kind, INDEPENDENT_SEED).measurement
        columns = {} if m.dq is None else {"dq": m.dq}
        return Curve(m.q, m.intensity, m.dintensity, **columns)

    return [lambda kind=kind: make(kind) for kind in KINDS]  # type: ignore[misc]


def list_hard() -> list[Callable[[], Curve]]:
    from .fitting.task import problem

    return [lambda i=i: problem(i, HARD_SEED, exact=False).curve for i in range(HARD)]  # type: ignore[misc]


def list_real() -> list[Callable[[], Curve]]:
    from sasnet_plugin import load

    return [lambda path=path: load(path)[0] for path in list_examples()]  # type: ignore[misc]


SETS: dict[str, Callable[[], list[Callable[[], Curve]]]] = {
    "everyday": list_everyday, "independent": list_independent, "hard": list_hard, "real": list_real,
}  # fmt: skip


# --- The ledger.


def leading_fit(state: Any) -> Any:
    """The fit of most evidence; None before the first."""
    return None if state.best is None else state.fits[state.best]


def has_moved(old: Any, new: Any) -> bool:
    """Whether a value of a fit is off by more than `CHANGE` of its error in another one of the same model."""
    pairs = ((p, new.parameters.get(name)) for name, p in old.parameters.items() if not p.fixed and p.error)
    return any(q is None or abs(q.value - p.value) > CHANGE * p.error for p, q in pairs)


@contextmanager
def keep_ledger() -> Iterator[dict[str, Counter[str]]]:
    """What each move did in the searches of the block, by its name."""
    from sasnet_plugin.fitting.strategy import moves, search

    ledger: dict[str, Counter[str]] = {}
    origin: dict[tuple[Any, ...], str] = {}
    list_moves, take = moves._moves, search._take

    def label(move: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def propose(state: Any) -> Iterator[Any]:
            for step in move(state):
                origin[step.key, step.due, step.worth] = move.__name__
                yield step

        return propose

    def labelled(state: Any) -> tuple[Callable[[Any], Any], ...]:
        return tuple(map(label, list_moves(state)))

    def take_and_note(pool: Any, state: Any, steps: Sequence[Any], seconds: float) -> None:
        old, began, spent = leading_fit(state), time.process_time(), pool.spent
        take(pool, state, steps, seconds)
        names = [origin[step.key, step.due, step.worth] for step in steps]
        for name in names:
            row = ledger.setdefault(name, Counter())
            row["runs"] += 1
            row["seconds"] += (pool.spent - spent) / len(names)
            row["cpu"] += (time.process_time() - began) / len(names)
        new = leading_fit(state)
        if new is None or new is old:
            return
        # What leads now was proposed by one of them; by the first where the step had no model, as a look.
        decider = next((n for n, s in zip(names, steps, strict=True) if s.hypothesis == state.best), names[0])
        if old is None:
            ledger[decider]["first"] += 1
        elif new.name != old.name:
            ledger[decider]["winner"] += 1
        elif has_moved(old, new):
            ledger[decider]["value"] += 1
        else:
            return
        for row in ledger.values():
            row["final"] = 0
        ledger[decider]["final"] = 1

    with mock.patch.object(moves, "_moves", labelled), mock.patch.object(search, "_take", take_and_note):
        yield ledger


def answer(name: str, curve: Curve) -> dict[str, Any]:
    """The ledger of one curve's fit."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.task import FitOptions

    began = time.process_time()
    with keep_ledger() as ledger:
        best = fit_with(this_process(), curve, FitOptions()).best
    rows = {move: dict(row) for move, row in ledger.items()}
    return {
        "index": name,
        "model": best.name if best else "",
        "moves": rows,
        "cpu": time.process_time() - began,
    }


# --- The table.


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each move, those that cost most first; moves that were never taken are named below."""
    from sasnet_plugin.fitting.strategy import moves

    totals: dict[str, Counter[str]] = {}
    for row in rows:
        for move, counts in row["moves"].items():
            totals.setdefault(move, Counter()).update(counts)
    whole = sum(counts["cpu"] for counts in totals.values()) or 1.0
    lines = [
        [move, f"{counts['runs']:.0f}", f"{counts['seconds']:.1f}", f"{counts['cpu']:.1f}",
         f"{100 * counts['cpu'] / whole:.0f}", *(f"{counts[name]:.0f}" for name in QUESTIONS[3:])]
        for move, counts in sorted(totals.items(), key=lambda item: -item[1]["cpu"])
    ]  # fmt: skip
    header = [
        "move", "steps", "counted s", "CPU s", "% of the search", "first fit", "changed the winner",
        "changed a value", "gave the answer",
    ]  # fmt: skip
    text = markdown(header, lines)
    never = sorted(set(list_names(moves)) - totals.keys())
    fit_cpu = sum(row["cpu"] for row in rows)
    text += f"\n{len(rows)} curves, {fit_cpu:,.0f} CPU-seconds, {whole:,.0f} of them in the search."
    return text + (f" Never taken: {', '.join(never)}.\n" if never else "\n")


def list_names(moves: Any) -> list[str]:
    """Names of all moves."""
    state = mock.Mock(fits=True, free=True)
    return [move.__name__ for move in moves._moves(state)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of(__doc__, work=True)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS))
    parser.add_argument("--third", type=int, choices=(0, 1, 2))
    parser.add_argument("--only", type=int, nargs="+", help="numbers of curves, within a set")
    asked = parser.parse_args(arguments)
    text = "# Moves of the search\n"
    every: list[dict[str, Any]] = []
    for name in asked.sets:
        makers = SETS[name]()
        numbers = [
            i
            for i in range(len(makers))
            if (asked.third is None or i % 3 == asked.third) and (asked.only is None or i in asked.only)
        ]

        def answers(missing: list[str], makers: Any = makers) -> Iterator[dict[str, Any]]:
            for key in missing:
                try:
                    yield answer(key, makers[int(key.split()[1])]())
                except SasnetError as error:
                    yield {"index": key, "model": f"refused: {error}", "moves": {}, "cpu": 0.0}

        rows = resumed(
            asked.work / f"moves-{name}.jsonl", [f"{name} {i}" for i in numbers], answers,
            lambda row: f"{row['model']} {row['cpu']:.1f} s",
        )  # fmt: skip
        every += rows
        text += f"\n## {name.capitalize()}\n\n{table(rows)}"
    if len(asked.sets) > 1:
        text += f"\n## All\n\n{table(every)}"
    show(text, asked.write, __file__)
    return 0
