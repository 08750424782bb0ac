"""How large is the package, and does it speak plainly?

``python -m benchmarks house`` prints for the package, its core, ``images/`` and ``fitting/``: files, lines of
code without blank lines, comments and docstrings, and lines of docstrings. A second table has settings, lines
of benchmarks and tests, the share of variables whose name says nothing (`found`, `one`, `own`), the number of
functions whose name begins with a participle or a preposition, and the complexity of functions. Nothing is
imported; ``--names 40`` lists the most frequent of these names.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .common import markdown, parser_of, show

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "sasnet_plugin"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Tokens that are not code.
LAYOUT = (
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
)  # fmt: skip
#: Words that say nothing of what a variable holds: pronouns, determiners, participles, some adverbs.
PRONOUN_LIKE = _words("""
    all alone among another asked at before began beside both done drawn each either every few found
    given gone held here how it its kept known left made many more much named none nothing now of one
    ones only other others own said same seen several shown some something such taken that them there
    these they things this those told tried wanted what whatever where which who whose with without
""")
#: Participles that do not end in -ed.
IRREGULAR = _words("""
    begun bent bound broken brought built caught chosen done drawn driven fallen felt fitting forgotten
    found given gone got grown heard held hidden kept known laid learnt left lent lost made meant met
    paid said seen sent shaken shown sold sought spent spoken stood struck sunk sworn taken taught
    thought thrown told torn understood undone unseen won worn woven written
""")
#: Verbs and nouns that end like a participle.
NOT_PARTICIPLES = _words("bed bleed breed embed exceed feed need proceed seed shed speed succeed weed")
PREPOSITIONS = _words("""
    about above across after against along amid among around as at before behind below beside besides
    between beyond by down during for from in inside into like near of off on onto out outside over past
    since through to toward under until up upon with within without
""")
#: Conversions, which Python's own library names so: ``from_dict``, ``to_json``, ``as_dict``.
CONVERSIONS = ("from", "to", "as")


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


def bound_names(tree: ast.AST) -> Iterator[str]:
    """Yield each name of a variable or parameter once for each place that binds it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def is_pronoun_like(name: str) -> bool:
    """Whether a variable's name says nothing of what it holds."""
    return not name.startswith("__") and name.strip("_") in PRONOUN_LIKE


def is_participle_or_preposition(name: str) -> bool:
    """Whether a function's name begins with a participle or a preposition instead of a verb."""
    words = name.strip("_").split("_")
    if name.startswith("__") or (words[0] in CONVERSIONS and len(words) > 1):
        return False
    return words[0] in PREPOSITIONS | IRREGULAR or (
        words[0].endswith("ed") and words[0] not in NOT_PARTICIPLES
    )


@dataclass(frozen=True)
class Names:
    """What variables and functions are called."""

    bindings: int
    pronouns: Counter[str]
    functions: int
    participles: Counter[str]

    @property
    def pronoun_share(self) -> float:
        """Of all bindings."""
        return self.pronouns.total() / max(self.bindings, 1)


def count_names(paths: Iterable[Path]) -> Names:
    """Count bindings and functions, and those of them whose names say too little."""
    bindings, functions = Counter[str](), Counter[str]()
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bindings.update(bound_names(tree))
        functions.update(
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        )
    return Names(
        bindings.total(),
        Counter({name: count for name, count in bindings.items() if is_pronoun_like(name)}),
        functions.total(),
        Counter({name: count for name, count in functions.items() if is_participle_or_preposition(name)}),
    )


def complexities(folder: Path) -> dict[str, int]:
    """Map each function of a package, by file and line, to its cyclomatic complexity."""
    numbers = {}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                where = f"{path.relative_to(folder)}:{node.lineno} {node.name}"
                numbers[where] = complexity(node)
    return numbers


_BRANCHES = (
    ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.match_case,
)  # fmt: skip


def complexity(function: ast.AST) -> int:
    """Return McCabe's number with radon's rules: conditions, loops, handlers, comprehensions, each and/or.

    A function inside is a function of its own.
    """
    count, nodes = 1, list(ast.iter_child_nodes(function))
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        count += isinstance(node, _BRANCHES)
        if isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += 1 + len(node.ifs)
        nodes += ast.iter_child_nodes(node)
    return count


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


def size_table(package: Path = PACKAGE) -> str:
    """Sizes of the package and of its parts."""
    paths = sorted(package.rglob("*.py"))
    wing, fitting = package / "images", package / "fitting"
    parts = {
        "package": paths,
        "core, without images/": [path for path in paths if wing not in path.parents],
        "images/": [path for path in paths if wing in path.parents],
        "fitting/": [path for path in paths if fitting in path.parents],
    }
    rows = []
    for name, some in parts.items():
        size = measure_size(some)
        rows.append([name, str(size.files), f"{size.code:,}", f"{size.docstrings:,}"])
    return markdown(["part", "files", "lines of code", "lines of docstrings"], rows)


def counts_table(names: Names) -> str:
    """Settings, lines beside the package, and names."""
    branches = list(complexities(PACKAGE).values())
    rows = [
        ["settings in fitting/", str(count_settings(PACKAGE / "fitting"))],
        ["settings in the package", str(count_settings(PACKAGE))],
        ["numbers that modules name beside them, fitting/", str(count_named_numbers(PACKAGE / "fitting"))],
        ["… package", f"{count_named_numbers(PACKAGE):,}"],
        ["lines of benchmarks", f"{count_lines((ROOT / 'benchmarks').rglob('*.py')):,}"],
        ["lines of tests", f"{count_lines((ROOT / 'tests').rglob('*.py')):,}"],
        ["bindings", f"{names.bindings:,}"],
        ["… pronoun-like", f"{names.pronouns.total():,} ({names.pronoun_share:.1%})"],
        ["functions", f"{names.functions:,}"],
        ["… named by a participle or preposition", str(names.participles.total())],
        ["… complexity of 90 of 100, at most", f"{sorted(branches)[int(0.9 * len(branches))]}"],
        ["… complexity above 15", str(sum(number > 15 for number in branches))],
    ]
    return markdown(["what", "count"], rows)


def main() -> None:
    parser = parser_of(__doc__, names=0)
    asked = parser.parse_args()
    names = count_names(PACKAGE.rglob("*.py"))
    page = f"# The house\n\n{size_table()}\n{counts_table(names)}"
    if asked.names:
        for title, some in (("pronoun-like", names.pronouns), ("participles", names.participles)):
            page += f"\n{title}: {', '.join(f'{n} {c}' for n, c in some.most_common(asked.names))}\n"
    show(page, asked.write, __file__)
