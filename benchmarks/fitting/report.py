"""The table of `fitting`: who succeeds, at what cost, and what differential evolution would cost uncut."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tables import markdown, percent
from .recovered import sentence
from .task import AGREES, CONTESTANTS, LATEST, LIMIT, PATIENCE

Rows = list[dict[str, Any]]


def table(found: dict[str, Rows], seed: int, longer: Rows | None = None, again: Rows | None = None) -> str:
    """Success and cost of each contestant in Markdown.

    Parameters
    ----------
    found : dict
        Answers by contestant.
    seed : int
    longer : list of dict, optional
        Differential evolution's answers to a sample of what it was stopped in, stopped later.
    again : list of dict, optional
        Answers of ``lm`` once more, on the machine of sasnet's answers, where the others' are of another.
    """
    slower, equal = pace(found.get("lm", []), again or [])
    header = ["contestant", "problems", "success / %", "CPU-seconds, mean", "median", "ratio to DE's CPU"]
    dear = np.mean([r["seconds"] for r in found["de"]]) if found.get("de") else np.nan
    # As of the others' machine.
    ours = float(np.mean([r["seconds"] for r in found["sasnet"]])) / slower if found.get("sasnet") else None
    lines = []
    for key, rows in found.items():
        seconds = np.array([r["seconds"] for r in rows])
        mean = ours if key == "sasnet" and ours is not None else float(seconds.mean())
        lines.append(
            [
                CONTESTANTS[key],
                str(len(rows)),
                percent(float(np.mean([r["success"] for r in rows]))),
                f"{seconds.mean():.1f}",
                f"{np.median(seconds):.1f}",
                f"{mean / dear:.2f}" if found.get("de") else "",
            ]
        )
    text = markdown(header, lines)
    missing = [CONTESTANTS[key] for key in CONTESTANTS if not found.get(key)]
    if missing:
        text += f"\nNot run yet: {'; '.join(missing)}.\n"
    text += (
        f"\nA problem's curve is of training's grid, or sasmodels' own where the two differ by more than"
        f" {100 * AGREES:.0f} % of the truth's χ², mean square.\n"
    )
    if found.get("sasnet"):
        text += f"\nsasnet had at most {LIMIT:.0f} CPU-seconds a problem.\n"
    if ours is not None and equal:
        text += (
            f"\nsasnet's seconds are of another machine than the others' are: {equal} fits by LM,"
            f" the same in χ², take {slower:.2f} times the CPU time there, in the middle. In seconds of the"
            f" others' machine sasnet's mean is {ours:.1f}; ratios are of one machine.\n"
        )
    if found.get("amoeba"):
        cut = sum(r["late"] for r in found["amoeba"])
        text += f"\nNelder-Mead was stopped after {PATIENCE['amoeba']:.0f} CPU-seconds in {cut} problems.\n"
    if found.get("de"):
        text += _cut(found["de"], longer or [], ours)
    if found.get("sasnet"):
        true, same = (np.mean([r[f"weight_of_{k}"] for r in found["sasnet"]]) for k in ("truth", "alike"))
        text += (
            f"\nMean weight among sasnet's fits of the true form model: {true:.2f}; of it, its group and what"
            f" the curve cannot tell from it: {same:.2f}.\n"
        )
        text += sentence(found["sasnet"], seed)
    return text


def pace(rows: Rows, again: Rows) -> tuple[float, int]:
    """How many times longer the same fits take on another machine, in the middle, and of how many.

    Parameters
    ----------
    rows, again : list of dict
        Answers of one contestant with ``index``, ``seconds`` and ``reduced_chisq``; ones that ended
        elsewhere took other steps and do not count. 1 and 0 where none are left.
    """
    before = {r["index"]: r for r in rows}
    ratios = [
        r["seconds"] / before[r["index"]]["seconds"]
        for r in again
        if r["index"] in before
        and np.isclose(r["reduced_chisq"], before[r["index"]]["reduced_chisq"], rtol=1e-3)
    ]
    return (float(np.median(ratios)), len(ratios)) if ratios else (1.0, 0)


def uncut(rows: Rows, generations: float) -> float:
    """Mean CPU-seconds if those that were cut had gone on, at their pace, to so many generations or `LATEST`.

    Parameters
    ----------
    rows : list of dict
        Of differential evolution, with ``seconds``, ``steps`` and ``late``.
    generations : float
    """
    longer = [max(generations / max(r["steps"], 1), 1.0) if r["late"] else 1.0 for r in rows]
    each = [max(min(r["seconds"] * k, LATEST), r["seconds"]) for r, k in zip(rows, longer, strict=True)]
    return float(np.mean(each))


def sampled(rows: Rows, longer: Rows) -> tuple[float, float]:
    """Mean CPU-seconds of all problems, with those of a sample for what was stopped, and its standard error.

    Parameters
    ----------
    rows : list of dict
        Of differential evolution, with ``seconds`` and ``late``.
    longer : list of dict
        Of a random sample of those that were late, at least two.
    """
    whole = sum(r["seconds"] for r in rows if not r["late"])
    late, seconds = sum(r["late"] for r in rows), np.array([r["seconds"] for r in longer])
    left_out = 1 - len(longer) / late
    error = late * float(np.sqrt(seconds.var(ddof=1) / seconds.size * left_out))
    return (whole + late * float(seconds.mean())) / len(rows), error / len(rows)


def _cut(rows: Rows, longer: Rows, ours: float | None) -> str:
    late = [r["steps"] for r in rows if r["late"]]
    whole = [r["steps"] for r in rows if not r["late"]]
    text = (
        f"\nDifferential evolution was stopped after {PATIENCE['de']:.0f} CPU-seconds in {len(late)} of"
        f" {len(rows)} problems, there after {np.median(late or [0]):.0f} generations in the middle; where it"
        f" ended by itself it took {np.median(whole or [0]):.0f}. Its CPU time here is a lower bound"
    )
    if len(longer) > 1:
        mean, error = sampled(rows, longer)
        text += (
            f". {len(longer)} of these problems, drawn at random, went on for {LATEST / 60:.0f} minutes: it"
            f" took {np.mean([r['seconds'] for r in longer]):.0f} s in the mean, was stopped again in"
            f" {sum(r['late'] for r in longer)} and succeeded in {sum(r['success'] for r in longer)}. With"
            f" these its mean over all problems is {mean:.0f} ± {error:.0f} s"
        )
        if ours is not None:
            text += f", and sasnet's CPU time {ours / mean:.2f} of it"
    elif late and whole:
        few = float(np.percentile(whole, 10))
        mean = uncut(rows, few)
        text += (
            f": had the others gone on at their pace to {few:.0f} generations, which nine tenths of those"
            f" that ended took, or for {LATEST / 60:.0f} minutes, the mean would be about {mean:.0f}"
            " s (not measured)"
        )
    return text + ".\n"
