"""What does sasnet survive: damaged and hostile files, kills at any moment, flipped bits, starts at once?

``python -m benchmarks service/robustness --work W`` attacks it in several ways, each by a part of its own. A
part is done in steps that are kept in ``W``, so that a benchmark that was stopped goes on; ``--share 0.01``
does a hundredth of it, ``--parts`` some of them. The seed decides what is done. ``--write`` keeps what was
done in ``rows/robustness.json``, with the commit that it was done with, and makes the table beside this file
of it.

An attempt survives if the answer is the one that is to be expected or one sentence with an exit code that is
not 0: no traceback, nothing that takes more than 30 s (a file twice in a row; where it computes: three times
what it takes in peace, and 30 s), no process of more than 1 GB, no other answer in silence, no row lost or
doubled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from zlib import crc32

from ..asked import parser_of
from ..tables import markdown

#: What no attempt may take.
MOST_SECONDS, MOST_BYTES = 30.0, 1_000_000_000


@dataclass
class Counts:
    """What came of some attempts."""

    tried: int = 0
    survived: int = 0
    #: One line each: what was done (enough to do it again), and what happened.
    failures: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  #: What was measured besides.

    def add(self, failure: str | None) -> None:
        """Count one more attempt; None where it survived."""
        self.tried += 1
        self.survived += failure is None
        self.failures += [] if failure is None else [failure]


@dataclass(frozen=True)
class Part:
    """A way to attack: a function ``part(work, tried, seed) -> Counts``."""

    title: str  #: For the table.
    where: str  #: ``module:function``.
    tried: int  #: Attempts of the whole benchmark.
    step: int  #: Attempts between two times that the counts are kept.

    @property
    def function(self) -> Callable[[Path, int, int], Counts]:
        """What does some attempts in a folder of its own: (work, tried, seed)."""
        module, _, name = self.where.partition(":")
        found: Callable[[Path, int, int], Counts] = getattr(import_module(module), name)
        return found


PARTS = {
    "mutants": Part(
        "mutated files, through Python", "benchmarks.service.robustness_files:mutants", 5000, 250
    ),
    "commands": Part(
        "mutated files, through the command line", "benchmarks.service.robustness_files:commands", 300, 10
    ),
    "hostile": Part("hostile files", "benchmarks.service.robustness_files:hostile", 110, 110),
    "structures": Part(
        "settings and files nested, wide or linked without end",
        "benchmarks.service.robustness_structures:structures",
        68,
        68,
    ),
    "rewritings": Part(
        "the same numbers written otherwise", "benchmarks.service.robustness_files:rewritings", 1000, 100
    ),
    "batch": Part("`batch` killed", "benchmarks.service.robustness_kills:batch", 20, 2),
    "simulate": Part(
        "`simulate` killed inside shards", "benchmarks.service.robustness_kills:simulate", 20, 2
    ),
    "compile": Part(
        "compilation of a model killed", "benchmarks.service.robustness_kills:compilation", 20, 5
    ),
    "journal": Part("journals with a flipped bit", "benchmarks.service.robustness_state:flips", 1000, 100),
    "starts": Part(
        "`fit` 8 times at once in a fresh home", "benchmarks.service.robustness_state:starts", 24, 8
    ),
    "many": Part("files of one `classify`", "benchmarks.service.robustness_state:many", 20_000, 20_000),
}
#: What is kept of parts that were done whole.
KEPT = Path(__file__).parents[1] / "rows" / "robustness.json"


def commit() -> str:
    """Of this checkout; with "+" where something was changed since."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "../../sasnet_plugin", "*.py")
    return (git("rev-parse", "--short=9", "HEAD") or "unknown") + "+" * bool(changed)


def done(work: Path, name: str, part: Part, tried: int, seed: int) -> dict[str, Any]:
    """Do a part, or what is left of it.

    Returns
    -------
    dict
        Its counts, the seconds that it took, and the commits that it was done with.
    """
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"counts-{seed}.json"
    state = {"seconds": 0.0, "commits": [], "counts": asdict(Counts())}
    state |= json.loads(kept.read_text()) if kept.exists() else {}
    counts, now = Counts(**state["counts"]), commit()
    while counts.tried < tried:
        began = time.monotonic()
        step = min(part.step, tried - counts.tried)
        more = part.function(folder, step, crc32(f"{seed} {name} {counts.tried}".encode()))
        counts = Counts(
            counts.tried + more.tried, counts.survived + more.survived,
            counts.failures + more.failures, counts.remarks + more.remarks,
        )  # fmt: skip
        commits = list(dict.fromkeys([*state["commits"], now]))
        seconds = state["seconds"] + time.monotonic() - began
        state = {"seconds": seconds, "commits": commits, "counts": asdict(counts)}
        aside = kept.with_suffix(".part")
        aside.write_text(json.dumps(state, indent=1))
        aside.replace(kept)
        print(f"{name}: {counts.survived} of {counts.tried} survived", file=sys.stderr, flush=True)
        if more.tried == 0:
            break  # this machine cannot do it
    return state


def report(found: dict[str, dict[str, Any]]) -> str:
    """The table, each failure, and what was measured besides."""
    rows, lists = [], {"failures": [], "remarks": []}
    for name, state in found.items():
        counts = Counts(**state["counts"])
        numbers = (counts.tried, counts.survived, len(counts.failures))
        minutes = f"{state['seconds'] / 60:.1f}"
        rows.append([PARTS[name].title, *(f"{n:,}" for n in numbers), minutes, ", ".join(state["commits"])])
        lists["failures"] += [f"- {name}: {line}" for line in counts.failures]
        lists["remarks"] += [f"- {name}: {line}" for line in counts.remarks]
    text = markdown(["attack", "tried", "survived", "failures", "minutes", "commit"], rows)
    for title, lines in zip(("Failures", "Measured besides"), lists.values(), strict=True):
        text += f"\n{title}:\n\n" + "\n".join(lines) + "\n" if lines else ""
    return text


def main() -> int:
    """Attack, print the table, and write it if asked to."""
    parser = parser_of(__doc__, work=True, seed=2026)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--share", type=float, default=1.0, help="Of the attempts of each part.")
    given = parser.parse_args()
    given.work = given.work.resolve()
    # Children import nothing from the folder that they are started in, which may be that of the benchmarks.
    given.work.mkdir(parents=True, exist_ok=True)
    os.chdir(given.work)
    found = {}
    for name in given.parts:
        part = PARTS[name]
        tried = max(round(given.share * part.tried), 1)
        found[name] = done(given.work, name, part, tried, given.seed)
        if given.write:
            kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
            kept = {one: (kept | found)[one] for one in PARTS if one in kept | found}
            KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            said = (__doc__ or "").split("\n\n")[2].replace("``", "`").strip()
            text = f"# Robustness\n\n{said}\n\n{report(kept)}"
            Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(report(found))
    return 1 if any(state["counts"]["failures"] for state in found.values()) else 0
