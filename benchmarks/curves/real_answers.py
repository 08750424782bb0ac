"""Score suggestions against what experts say real data sets are (tests/reference/real_answers.toml).

Usage: ``python -m benchmarks curves/real_answers [--write]``; ``--write`` keeps the table in
``benchmarks/curves/real_answers.md``.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sasnet_plugin import load, suggest
from sasnet_plugin.types import Suggestion

from ..common import markdown, show

#: What the project wants of the 12 measured and the 9 calculated sets.
MARKS = {"measured top5": 11, "measured group": 10, "calculated top5": 9, "calculated group": 9}


@dataclass(frozen=True)
class Score:
    """How one data set was answered."""

    file: str
    kind: str
    top5: bool
    group: bool
    first: tuple[str, ...]
    accepted: tuple[str, ...]
    in_scope: float


def accepts(rule: str, name: str, structure_factor: str | None) -> bool:
    """Whether a suggestion is what an entry of ``models`` names; "sphere?@x" leaves x open to be absent."""
    form, _, factor = rule.partition("@")
    optional = form.endswith("?")
    if form.removesuffix("?") != name:
        return False
    if not factor:
        return True
    return structure_factor == factor or (optional and structure_factor is None)


def score(data: Path, table: Path) -> list[Score]:
    """Score every data set of the table.

    A file of several entries measured on one sample counts once: the probabilities of a model multiply,
    as they do for independent data of one truth.
    """
    rows = []
    for entry in tomllib.loads(table.read_text(encoding="utf-8"))["data"]:
        suggestions = [suggest(curve, top=1000) for curve in load(data / entry["file"])]
        ranked = _combined(suggestions)
        groups = {
            model.group for model in suggestions[0].models for r in entry["models"] if _form(r) == model.name
        }
        first_group = _first_group(suggestions)
        rows.append(
            Score(
                file=entry["file"],
                kind=entry["kind"],
                top5=any(
                    accepts(rule, name, factor) for name, factor, _ in ranked[:5] for rule in entry["models"]
                ),
                group=first_group in groups,
                first=tuple(f"{n}{'@' + f if f else ''} {100 * p:.0f} %" for n, f, p in ranked[:5]),
                accepted=tuple(entry["models"]),
                in_scope=min(s.in_scope for s in suggestions),
            )
        )
    return rows


def _form(rule: str) -> str:
    return rule.partition("@")[0].removesuffix("?")


def _combined(suggestions: Sequence[Suggestion]) -> list[tuple[str, str | None, float]]:
    product = {m.name: 1.0 for m in suggestions[0].models}
    for suggestion in suggestions:
        for model in suggestion.models:
            product[model.name] *= model.probability
    total = sum(product.values()) or 1.0
    factor = {m.name: m.structure_factor for m in suggestions[0].models}
    return sorted(
        ((name, factor[name], value / total) for name, value in product.items()), key=lambda row: -row[2]
    )


def _first_group(suggestions: Sequence[Suggestion]) -> str:
    product: dict[str, float] = {}
    for suggestion in suggestions:
        for group in suggestion.groups:
            product[group.name] = product.get(group.name, 1.0) * group.probability
    return max(product, key=lambda name: product[name])


def table(rows: Sequence[Score]) -> str:
    """The scores as a table in Markdown."""
    answers = []
    for row in rows:
        marks = ["yes" if hit else "NO" for hit in (row.top5, row.group)]
        answers.append([row.file, row.kind, *marks, f"{row.in_scope:.2f}", ", ".join(row.first)])
    reached = counts(rows)
    missed = {key: "" if reached[key] >= mark else " (missed)" for key, mark in MARKS.items()}
    met = [[key, f"{reached[key]}{missed[key]}", str(mark)] for key, mark in MARKS.items()]
    head = ["file", "kind", "top 5", "group first", "in scope", "answer"]
    return markdown(head, answers, texts=6) + "\n" + markdown(["what", "reached", "wanted"], met)


def counts(rows: Sequence[Score]) -> dict[str, int]:
    """What was reached, under the names of `MARKS`."""
    measured = [row for row in rows if row.kind == "measured"]
    return {
        "measured top5": sum(row.top5 for row in measured),
        "measured group": sum(row.group for row in measured),
        "calculated top5": sum(row.top5 for row in rows if row.kind == "calculated"),
        "calculated group": sum(row.group for row in rows if row.kind == "calculated"),
    }


def recorded(path: Path) -> dict[str, int]:
    """The counts that a table on disk states."""
    text = path.read_text(encoding="utf-8")
    return {key: int(re.findall(rf"\| {key} \| (\d+)", text)[0]) for key in MARKS}


def main() -> None:
    import sasdata

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the table beside this file")
    here = Path(__file__).parent
    rows = score(
        Path(sasdata.__file__).parent / "example_data" / "1d_data",
        here.parents[1] / "tests" / "reference" / "real_answers.toml",
    )
    text = "# Real data with expert answers\n\n" + table(rows)
    show(text, parser.parse_args().write, __file__)
