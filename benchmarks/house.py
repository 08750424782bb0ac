"""How large is the package, and how many places does a reader visit to follow one number?

``python -m benchmarks house`` prints for the package, its core, ``images/`` and ``fitting/``: files, lines of
code without blank lines, comments and docstrings, and lines of docstrings. A second table has the private
functions that their file names once, settings, and lines of benchmarks and tests. Nothing is imported.
``--trace FILE`` also fits a curve in this process, and counts the functions and files of the package that
this enters, and the deepest stack of them. ``--root FOLDER`` measures another checkout, without ``--trace``.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from .common import markdown, parser_of, show, this_process

ROOT = Path(__file__).resolve().parents[1]
#: Tokens that are not code.
LAYOUT = (
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """Of some files."""

    files: int
    code: int  #: Lines with code.
    docstrings: int  #: Lines of docstrings.


def measure_size(paths: Iterable[Path]) -> Size:
    """Count files and lines of code and of docstrings."""
    files = code = docstrings = 0
    for path in paths:
        text = path.read_text(encoding="utf-8")
        described = docstring_lines(ast.parse(text))
        coded = {
            line
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type not in LAYOUT
            for line in range(token.start[0], token.end[0] + 1)
        }
        files, code, docstrings = files + 1, code + len(coded - described), docstrings + len(described)
    return Size(files, code, docstrings)


def docstring_lines(tree: ast.Module) -> set[int]:
    """Numbers of the lines on which docstrings stand."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                lines |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def count_settings(folder: Path) -> int:
    """Count the settings of a package: fields that state a number with its reason."""
    return sum(path.read_text(encoding="utf-8").count(" = setting(") for path in folder.rglob("*.py"))


def count_named_numbers(folder: Path) -> int:
    """Count names that modules give to a literal number, or to several: those that are no settings."""
    numbers = 0
    for path in folder.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                names = node.targets if isinstance(node, ast.Assign) else [node.target]
                if values and all(is_number(value) for value in values):
                    numbers += len(names[0].elts) if isinstance(names[0], ast.Tuple) else 1
    return numbers


def is_number(node: ast.expr) -> bool:
    """Whether an expression is a literal number, with its sign."""
    value = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(value, ast.Constant) and type(value.value) in (int, float)


def count_lines(paths: Iterable[Path]) -> int:
    """Count all lines, blank ones too."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def count_private_named_once(paths: Iterable[Path]) -> tuple[int, int]:
    """Count private functions whose file names them once besides, and all functions."""
    once = functions = 0
    for path in paths:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        defined = [n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        used = [
            n.id if isinstance(n, ast.Name) else n.attr
            for n in nodes
            if isinstance(n, ast.Name | ast.Attribute)
        ]
        functions += len(defined)
        once += sum(name[0] == "_" and name[:2] != "__" and used.count(name) == 1 for name in defined)
    return once, functions


def size_table(package: Path) -> str:
    """Sizes of the package and of its parts."""
    paths = sorted(package.rglob("*.py"))
    images, integrations, fitting = (package / name for name in ("images", "integrations", "fitting"))
    parts = {
        "package": paths,
        "core, without images/ and integrations/": [
            path for path in paths if not {images, integrations} & set(path.parents)
        ],
        "images/": [path for path in paths if images in path.parents],
        "fitting/": [path for path in paths if fitting in path.parents],
    }
    rows = []
    for name, some in parts.items():
        size = measure_size(some)
        rows.append([name, str(size.files), f"{size.code:,}", f"{size.docstrings:,}"])
    return markdown(["part", "files", "lines of code", "lines of docstrings"], rows)


def counts_table(root: Path) -> str:
    """Private functions, settings, and lines beside the package."""
    package = root / "sasnet_plugin"
    once, functions = count_private_named_once(package.rglob("*.py"))
    rows = [
        ["functions", f"{functions:,}"],
        ["… private and named once in their file", f"{once:,} ({once / functions:.1%})"],
        ["settings with a reason", f"{count_settings(package):,}"],
        ["numbers that modules name beside them", f"{count_named_numbers(package):,}"],
        ["… fitting/", str(count_named_numbers(package / "fitting"))],
        ["lines of benchmarks", f"{count_lines((root / 'benchmarks').rglob('*.py')):,}"],
        ["lines of tests", f"{count_lines((root / 'tests').rglob('*.py')):,}"],
    ]
    return markdown(["what", "count"], rows)


@dataclass
class Trace:
    """What a call enters of the package."""

    functions: set[Any]
    deepest: int = 0

    @property
    def files(self) -> set[str]:
        return {code.co_filename for code in self.functions}


def trace(work: Any) -> Trace:
    """Call `work` and note each function of the package that it enters, in this thread."""
    package, noted = str(ROOT / "sasnet_plugin"), Trace(set())

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(package):
            return
        noted.functions.add(frame.f_code)
        depth, each = 0, frame
        while each is not None:
            depth += each.f_code.co_filename.startswith(package)
            each = each.f_back  # type: ignore[assignment]
        noted.deepest = max(noted.deepest, depth)

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return noted


def trace_table(file: Path) -> str:
    """What the fit of a curve enters, from the file to the answer's sentences."""
    from sasnet_plugin import load
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.task import FitOptions

    noted = trace(lambda: str(fit_with(this_process(), load(file)[0], FitOptions()).verdict))
    rows = [
        ["functions", f"{len(noted.functions):,}"],
        ["files", str(len(noted.files))],
        ["deepest stack of them", str(noted.deepest)],
    ]
    return markdown([f"entered by a fit of {file.name}", "count"], rows)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--trace", type=Path, metavar="FILE", help="a curve that is fitted")
    parser.add_argument("--root", type=Path, default=ROOT, help="checkout that is measured")
    asked = parser.parse_args()
    page = f"# The house\n\n{size_table(asked.root / 'sasnet_plugin')}\n{counts_table(asked.root)}"
    if asked.trace:
        page += f"\n{trace_table(asked.trace)}"
    show(page, asked.write, __file__)
