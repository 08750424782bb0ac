"""The table of `fitting`: who succeeds, at what cost, and what differential evolution would cost uncut."""

from __future__ import annotations

from typing import Any

import numpy as np
from contest import markdown, percent
from fitting_task import CONTESTANTS, PATIENCE
from recovered import sentence

Rows = list[dict[str, Any]]
#: CPU-seconds: nobody would wait longer for the fit of a curve.
_MOST = 600.0


def table(found: dict[str, Rows], seed: int) -> str:
    """Success and cost of each contestant in Markdown."""
    header = ["contestant", "problems", "success / %", "CPU-seconds, mean", "median", "ratio to DE's CPU"]
    dear = np.mean([r["seconds"] for r in found["de"]]) if found.get("de") else np.nan
    lines = []
    for key, rows in found.items():
        seconds = np.array([r["seconds"] for r in rows])
        lines.append(
            [
                CONTESTANTS[key],
                str(len(rows)),
                percent(float(np.mean([r["success"] for r in rows]))),
                f"{seconds.mean():.1f}",
                f"{np.median(seconds):.1f}",
                f"{seconds.mean() / dear:.2f}" if found.get("de") else "",
            ]
        )
    text = markdown(header, lines)
    missing = [CONTESTANTS[key] for key in CONTESTANTS if not found.get(key)]
    if missing:
        text += f"\nNot run yet: {'; '.join(missing)}.\n"
    if found.get("amoeba"):
        cut = sum(r["late"] for r in found["amoeba"])
        text += f"\nNelder-Mead was stopped after {PATIENCE['amoeba']:.0f} CPU-seconds in {cut} problems.\n"
    if found.get("de"):
        text += _cut(found["de"])
    if found.get("sasnet"):
        true, same = (np.mean([r[f"weight_of_{k}"] for r in found["sasnet"]]) for k in ("truth", "alike"))
        text += (
            f"\nMean weight among sasnet's fits of the true form model: {true:.2f}; of it, its group and what"
            f" the curve cannot tell from it: {same:.2f}.\n"
        )
        text += sentence(found["sasnet"], seed)
    return text


def uncut(rows: Rows, generations: float) -> float:
    """Mean CPU-seconds if those that were cut had gone on, at their pace, to so many generations or `_MOST`.

    Parameters
    ----------
    rows : list of dict
        Of differential evolution, with ``seconds``, ``steps`` and ``late``.
    generations : float
    """
    longer = [max(generations / max(r["steps"], 1), 1.0) if r["late"] else 1.0 for r in rows]
    each = [max(min(r["seconds"] * k, _MOST), r["seconds"]) for r, k in zip(rows, longer, strict=True)]
    return float(np.mean(each))


def _cut(rows: Rows) -> str:
    late = [r["steps"] for r in rows if r["late"]]
    whole = [r["steps"] for r in rows if not r["late"]]
    text = (
        f"\nDifferential evolution was stopped after {PATIENCE['de']:.0f} CPU-seconds in {len(late)} of"
        f" {len(rows)} problems, there after {np.median(late or [0]):.0f} generations in the middle; where it"
        f" ended by itself it took {np.median(whole or [0]):.0f}. Its CPU time here is a lower bound"
    )
    if late and whole:
        few = float(np.percentile(whole, 10))
        mean = uncut(rows, few)
        text += (
            f": had the others gone on at their pace to {few:.0f} generations, which nine tenths of those"
            f" that ended took, or for {_MOST / 60:.0f} minutes, the mean would be about {mean:.0f}"
            " s (not measured)"
        )
    return text + ".\n"
