"""The tables of `autosasfit`: who succeeds, which problems cannot be, and what went wrong in the others."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ..tables import markdown, percent

Rows = list[dict[str, Any]]
_INTRODUCTION = """\
Problems by [autoSASfit](https://github.com/ljding94/autoSASfit)'s own rules and seeds: sphere, power law,
cylinder and lamellar sheet; 200 points even in ln q from 0.001 to 0.5 Å⁻¹; Gaussian noise of 3 % of I with
its background; no resolution; parameters drawn evenly within its bounds, scale and background in their
logarithm; a start that is off by more than five times in at least one parameter. Its contestants know model,
contrast and bounds. Chosen here, as it says nothing of them: 50 problems of each model instead of 5, from the
seed that it keeps for reports; bumps' amoeba as one more contestant; and sasnet is told nothing but the
curve, so that what is compared is scale × contrast²."""


def kind(row: dict[str, Any]) -> str:
    """``whole``: every parameter is identifiable; ``part``: a size is; ``none``: only scale or background."""
    sizes = [name for name in row["truth"] if name not in ("scale", "background")]
    if set(row["identifiable"]) == set(row["truth"]):
        return "whole"
    return "part" if set(sizes) & set(row["identifiable"]) else "none"


def report(found: dict[str, Rows]) -> str:
    """All tables in Markdown."""
    rows = max(found.values(), key=len)
    parts = ["# autoSASfit's task", _INTRODUCTION, _success(found), _by_model(found), _limits(rows)]
    for title, answers in found.items():
        if "best" in (answers[0] if answers else {}):
            parts += [_names(answers), _failures(title, answers)]
    return "\n\n".join(parts) + "\n"


def _success(found: dict[str, Rows]) -> str:
    header = [
        "contestant", "problems", "all identifiable: success / %", "of so many",
        "some identifiable: success / %", "of so many", "as autoSASfit counts / %", "CPU-seconds, mean",
        "median",
    ]  # fmt: skip
    lines = []
    for title, rows in found.items():
        cells = [title, str(len(rows))]
        for wanted in ("whole", "part"):
            those = [r["success"] for r in rows if kind(r) == wanted]
            cells += [_share(those), str(len(those))]
        seconds = [r["seconds"] for r in rows]
        cells += [
            _share([r["any_every"] for r in rows]),
            f"{np.mean(seconds):.1f}",
            f"{np.median(seconds):.1f}",
        ]
        lines.append(cells)
    return (
        markdown(header, lines)
        + "\nSuccess: the identifiable parameters within 10 % of the truth and a reduced χ² of at most 2, by"
        " the fit of least χ² (sasnet: by its best fit, of the true model or one that is the same body). As"
        " autoSASfit counts: all parameters, identifiable or not, by any of the fits, so the truth picks it."
    )


def _by_model(found: dict[str, Rows]) -> str:
    models = list(dict.fromkeys(r["model"] for rows in found.values() for r in rows))
    lines = []
    for title, rows in found.items():
        cells = [title]
        for model in models:
            those = [r["success"] for r in rows if r["model"] == model and kind(r) != "none"]
            cells.append(f"{sum(those)}/{len(those)}")
        lines.append(cells)
    return "Successes where a size is identifiable:\n\n" + markdown(["contestant", *models], lines)


def _limits(rows: Rows) -> str:
    """Which problems are not identifiable in full, and why."""
    counts = Counter(
        (r["model"], tuple(n for n in r["truth"] if n not in r["identifiable"]))
        for r in rows
        if kind(r) != "whole"
    )
    lines = [
        [f"{model}: {', '.join(names)}", str(count), _why(names)]
        for (model, names), count in sorted(counts.items(), key=lambda item: -item[1])
    ]
    which = ", ".join(str(r["index"]) for r in rows if kind(r) != "whole")
    return (
        f"Not identifiable in full (Cramér-Rao bound above a third of 10 %): {len(rows) - _whole(rows)} of"
        f" {len(rows)} problems, numbers {which or 'none'}.\n\n"
        + markdown(["what", "problems", "why"], lines)
    )


def _whole(rows: Rows) -> int:
    return sum(kind(r) == "whole" for r in rows)


def _why(names: tuple[str, ...]) -> str:
    if names == ("background",):
        return "below the noise of the signal in the whole window"
    if set(names) >= {"scale", "background"}:
        return "a curve this flat is background or signal"
    return "the signal lies in the noise of its background"


def _names(rows: Rows) -> str:
    """Under which names the true body was found."""
    good = [r for r in rows if r["success"]]
    own = [r for r in good if r["best"] == r["model"]]
    others = Counter(f"{r['model']} as {r['best']}" for r in good if r["best"] != r["model"])
    named = sum(r["model"] in r.get("alike", ()) for r in good if r["best"] != r["model"])
    words = ", ".join(f"{name} {count}" for name, count in others.most_common())
    return (
        f"Of the {len(good)} successes with the model unknown, {len(own)} have the true model's own name. The"
        f" others are the same body at a limit of another model, on the same curve ({words or 'none'}); for"
        f" {named} of these the answer names the true model among those that the data do not distinguish."
    )


def _failures(title: str, rows: Rows) -> str:
    failed = [r for r in rows if kind(r) != "none" and not r["success"]]
    lines = [
        [
            f"{r['index']} {r['model']}", _values(r["truth"]), str(r["best"]),
            _values(r["found"]) or "another body", _chisq(r), ", ".join(r.get("alike", ())) or "–",
        ]
        for r in failed
    ]  # fmt: skip
    header = ["problem", "truth", "best fit", "as the true model", "reduced χ²", "not distinguished from"]
    return f"Where {title.split(',')[0]} fails, {len(failed)} problems:\n\n" + markdown(header, lines)


def _values(values: dict[str, float] | None) -> str:
    return ", ".join(f"{k} {v:.3g}" for k, v in (values or {}).items())


def _chisq(row: dict[str, Any]) -> str:
    ranking = row.get("ranking") or [[None, 0.0, float("nan")]]
    return f"{ranking[0][2]:.3g}"


def _share(those: list[bool]) -> str:
    return percent(float(np.mean(those)) if those else float("nan"))
