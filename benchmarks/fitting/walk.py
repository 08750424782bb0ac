"""How far has a reader to walk who follows one fit through the code?

``python -m benchmarks fitting/walk`` fits one everyday curve in one process and counts how many files of the
package it enters and how often control changes from one of them to another: at a call and at a return alike,
through whatever other library lies between. Modules that are only imported are not entered. Beside that:
lines, settings, and cyclomatic complexity of ``fitting/``. ``--curve 6`` takes another curve of
`everyday_curves`; ``--pairs 20`` names the pairs of files between which control changes most; ``--code``
counts the code alone; ``--write`` puts the table into ``benchmarks/fitting/walk.md``.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from ..asked import parser_of
from ..tables import markdown
from .everyday_curves import SAMPLES, everyday

PACKAGE = Path(__file__).resolve().parents[2] / "sasnet_plugin"
SEED = 1


@dataclass
class Walk:
    """Where control was in the package."""

    root: str  #: Folder of the package.
    entered: Counter[str] = field(default_factory=Counter)  #: Calls by file.
    #: Changes of file by pair, from and to.
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    _here: str = ""

    def see(self, frame: FrameType, event: str, _: Any) -> None:
        """For `sys.setprofile`."""
        name = frame.f_code.co_filename
        # Bodies of modules and of classes run where something is imported.
        if not name.startswith(self.root) or not frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            return
        if event == "call":
            self.entered[name] += 1
            self._to(name)
        elif event == "return":
            caller = frame.f_back
            while caller is not None and not caller.f_code.co_filename.startswith(self.root):
                caller = caller.f_back
            if caller is not None:
                self._to(caller.f_code.co_filename)

    def _to(self, name: str) -> None:
        if self._here and name != self._here:
            self.changes[self._here, name] += 1
        self._here = name


def walked(run: Callable[[], Any], root: Path = PACKAGE) -> Walk:
    """The walk of one call."""
    walk = Walk(f"{root}{os.sep}")
    sys.setprofile(walk.see)
    try:
        run()
    finally:
        sys.setprofile(None)
    return walk


def one_fit(index: int) -> Walk:
    """The walk of a fit with default options, all in this process."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.types import Curve

    from ..kept import Here

    given = everyday(index, SEED)
    curve = Curve(given.q, given.intensity, given.dintensity, dq=given.dq, file="measurement.dat")
    pool = Here()
    return walked(lambda: fit_with(pool, curve, FitOptions(workers=1)))


def lines_of(folder: Path) -> dict[str, int]:
    """Lines of Python by subfolder of a package; its own files under its own name."""
    found: Counter[str] = Counter()
    for path in folder.rglob("*.py"):
        inside = path.relative_to(folder).parts
        found[inside[0] if inside[1:] else folder.name] += len(path.read_text(encoding="utf-8").splitlines())
    return dict(found)


def settings_of(folder: Path) -> int:
    """How many settings stand in a package."""
    return sum(path.read_text(encoding="utf-8").count(" = setting(") for path in folder.rglob("*.py"))


def complexities(folder: Path) -> dict[str, int]:
    """Cyclomatic complexity of each function of a package, by file and line."""
    found = {}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                where = f"{path.relative_to(folder)}:{node.lineno} {node.name}"
                found[where] = complexity(node)
    return found


_ONE = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.match_case)


def complexity(function: ast.AST) -> int:
    """McCabe's number with radon's rules: conditions, loops, handlers, comprehensions, and each and/or.

    A function inside is a function of its own.
    """
    count, nodes = 1, list(ast.iter_child_nodes(function))
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        count += isinstance(node, _ONE)
        if isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += 1 + len(node.ifs)
        nodes += ast.iter_child_nodes(node)
    return count


def code_table(folder: Path) -> str:
    """Lines, settings and complexity of a package."""
    lines, each = lines_of(folder), complexities(folder)
    found = list(each.values())
    worst = max(each, key=each.__getitem__)
    rows = [
        ["lines", str(sum(lines.values()))],
        *([f"… {name}", str(count)] for name, count in sorted(lines.items())),
        ["settings", str(settings_of(folder))],
        ["functions", str(len(found))],
        ["complexity of 90 of 100, at most", f"{np.percentile(found, 90, method='higher'):.0f}"],
        ["functions above 6", str(sum(one > 6 for one in found))],
        ["functions above 15", str(sum(one > 15 for one in found))],
        [f"largest complexity: {worst}", str(each[worst])],
    ]
    return markdown([f"{folder.name}/", "count"], rows)


def walk_table(walk: Walk, pairs: int = 0) -> str:
    """Files entered, changes of file, and the pairs with most of them."""

    def short(name: str) -> str:
        return name.removeprefix(walk.root)

    inside = Counter(short(name).split(os.sep)[0] for name in walk.entered)
    rows = [
        ["files entered", str(len(walk.entered))],
        *([f"… {name}", str(count)] for name, count in inside.most_common()),
        ["changes of file", f"{walk.changes.total():,}"],
    ]
    text = markdown(["one fit", "count"], rows)
    if pairs:
        most = [[f"{short(a)} → {short(b)}", f"{n:,}"] for (a, b), n in walk.changes.most_common(pairs)]
        text += "\n" + markdown(["change", "count"], most)
    return text


def main() -> None:
    parser = parser_of(__doc__, curve=(0, "number in everyday_curves"), pairs=0)
    parser.add_argument("--code", action="store_true")
    asked = parser.parse_args()
    page = f"# One fit through the code\n\n{code_table(PACKAGE / 'fitting')}"
    if not asked.code:
        page += f"\nCurve: {SAMPLES[asked.curve].model}.\n\n{walk_table(one_fit(asked.curve), asked.pairs)}"
    print(page)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(page, encoding="utf-8")
