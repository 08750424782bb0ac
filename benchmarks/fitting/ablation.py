"""Which settings of a fit decide anything? Problems of `fitting`, with settings that watch their comparisons.

``python -m benchmarks fitting/ablation --work W --count 60`` fits the first problems with every setting
watched (`watched`) and keeps, beside the answer, what each setting did. ``--without STRATEGY.sums=0`` changes
settings and fits those of these problems again in which the first of them was read at all: elsewhere nothing
can differ. ``--write`` puts the tables into ``benchmarks/fitting/ablation.md``. Every answer is kept in W: a
killed run goes on.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sasnet_plugin.fitting.settings as shared
from sasnet_plugin.fitting.evidence.settings import EVIDENCE
from sasnet_plugin.fitting.strategy.settings import STRATEGY

from ..asked import parser_of
from ..kept import kept, run
from ..tables import markdown
from .watched import RECORD, change, watch

# Modules that read a setting when they are imported come after `watch`.
ROOMS = {
    name: getattr(shared, name) for name in ("EFFORT", "PROBLEM", "START_VALUES", "OPTIMIZE", "ASSESSMENT")
} | {"EVIDENCE": EVIDENCE, "STRATEGY": STRATEGY}
#: What is less than a factor two from a comparison's other side might decide in other problems.
FAR = math.log(2.0)


def watched(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """One problem's answer as `fitting` keeps it, and the uses of the settings."""
    from . import fitting

    if not RECORD.uses:
        for room, settings in ROOMS.items():
            watch(room, settings)
    RECORD.uses.clear()
    row = fitting.solve("sasnet", index, seed)
    RECORD.uses.setdefault("", RECORD.of(""))
    uses = {name: asdict(each) for name, each in RECORD.uses.items() if name}
    for each in uses.values():
        each["margin"] = None if math.isinf(each["margin"]) else each["margin"]
    return row | {"uses": uses}


def without(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """One problem's answer with the changed settings that follow in the contestant's name."""
    from . import fitting

    for each in contestant.split(" ")[1:]:
        name, _, text = each.partition("=")
        room, _, key = name.partition(".")
        change(ROOMS[room], key, text)
    return fitting.solve("sasnet", index, seed)


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The uses of each setting over all problems: sums, the least margin, and in how many it was read."""
    found: dict[str, dict[str, Any]] = {
        f"{room}.{each.name}": {
            "read": 0,
            "below": 0,
            "above": 0,
            "formula": 0,
            "margin": math.inf,
            "problems": 0,
        }
        for room, settings in ROOMS.items()
        for each in fields(settings)
    }
    for row in rows:
        for name, uses in row["uses"].items():
            own = found[name]
            for key in ("read", "below", "above", "formula"):
                own[key] += uses[key]
            own["margin"] = min(own["margin"], math.inf if uses["margin"] is None else uses["margin"])
            own["problems"] += uses["read"] > 0
    return found


def verdict(uses: Mapping[str, Any]) -> str:
    """What is known of a setting without a second run."""
    if not uses["read"]:
        return "never read"
    compared = uses["below"] + uses["above"]
    if not compared or uses["formula"] or compared < uses["read"]:
        return "in a formula"
    if uses["below"] and uses["above"]:
        return "decides"
    return "one side" if uses["margin"] > FAR else "one side, near"


def tables(rows: Sequence[Mapping[str, Any]], changed: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Both tables in Markdown."""
    by_index = {row["index"]: row for row in rows}
    lines = []
    for name, uses in sorted(summary(rows).items()):
        found = verdict(uses)
        if found in {"decides", "in a formula"}:
            continue
        ratio = "" if math.isinf(uses["margin"]) else f"{math.exp(uses['margin']):.3g}"
        lines.append([name, found, str(uses["problems"]), str(uses["below"] + uses["above"]), ratio])
    counts: dict[str, int] = {}
    for uses in summary(rows).values():
        counts[verdict(uses)] = counts.get(verdict(uses), 0) + 1
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    text = (
        f"{len(rows)} problems, {sum(row['success'] for row in rows)} succeed. Settings: {said}.\n\n"
        "Those that decided nothing in any of them, or nothing at all:\n\n"
        + markdown(["setting", "uses", "problems", "comparisons", "nearest ratio"], lines)
    )
    again = []
    for name, theirs in changed.items():
        pairs = [(by_index[row["index"]], row) for row in theirs if row["index"] in by_index]
        differ = sum(a["best"] != b["best"] or a["reduced_chisq"] != b["reduced_chisq"] for a, b in pairs)
        again.append(
            [
                name,
                str(len(pairs)),
                str(differ),
                " → ".join(str(sum(pair[i]["success"] for pair in pairs)) for i in (0, 1)),
                " → ".join(f"{sum(pair[i]['weight_of_alike'] for pair in pairs):.1f}" for i in (0, 1)),
                " → ".join(f"{sum(pair[i]['seconds'] for pair in pairs):.0f}" for i in (0, 1)),
            ]
        )
    if again:
        header = [
            "changed",
            "problems that read it",
            "differ",
            "succeed",
            "weight of truth or alike",
            "CPU s",
        ]
        text += "\nWith other values, in the problems in which they are read:\n\n" + markdown(header, again)
    return text


def main() -> None:
    """Run what is missing, print the tables, and keep them if asked to."""
    parser = parser_of(
        __doc__, work=True, count=60, seed=2026, workers=1, most=(10, "problems fitted again, quickest first")
    )
    parser.add_argument("--without", nargs="*", default=[], metavar="ROOM.name=value")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.without:
        rows = list(kept(options.work / f"watched-{options.seed}.jsonl").values())
        name = options.without[0].partition("=")[0]
        read = [row for row in rows if row["uses"].get(name, {}).get("read")]
        asked = [row["index"] for row in sorted(read, key=lambda row: row["seconds"])][: options.most]
        run(without, " ".join(["without", *options.without]), asked, options.seed, options.work, 1)
    else:
        run(watched, "watched", options.count, options.seed, options.work, options.workers)
    rows = list(kept(options.work / f"watched-{options.seed}.jsonl").values())
    ending = f"-{options.seed}.jsonl"
    changed = {
        path.name.removesuffix(ending).removeprefix("without "): list(kept(path).values())
        for path in sorted(options.work.glob(f"without *{ending}"))
    }
    report = tables(rows, changed)
    print(report)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(f"# Settings of a fit\n\n{report}", encoding="utf-8")
