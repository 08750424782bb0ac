"""Score suggestions against what experts say real data sets are (tests/reference/real_answers.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sasnet_plugin import load, suggest
from sasnet_plugin.types import Suggestion


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
    lines = ["| file | kind | top 5 | group first | in scope | answer |", "|---|---|---|---|---|---|"]
    for row in rows:
        marks = ["yes" if hit else "NO" for hit in (row.top5, row.group)]
        answer = ", ".join(row.first)
        lines.append(f"| {row.file} | {row.kind} | {marks[0]} | {marks[1]} | {row.in_scope:.2f} | {answer} |")
    for kind in ("measured", "calculated"):
        some = [row for row in rows if row.kind == kind]
        lines.append(
            f"| **{kind}** | {len(some)} | {sum(r.top5 for r in some)} | {sum(r.group for r in some)} | | |"
        )
    return "\n".join(lines) + "\n"
