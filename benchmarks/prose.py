"""How long are the sentences that users read, and which forbidden words are left in them?

Counted are README, the pages of ``docs/``, the help of every command, and the messages of the program: all
texts in its code that read as a sentence, errors and texts of the pages in the browser among them. Code,
formulas and generated tables are no prose. Cells of tables are checked for length and words, but do not lower
the average. The reasons of settings are their own group.
Run ``python -m benchmarks prose``; ``--long 30`` prints sentences of more than 30 words, ``--words`` each
forbidden word with its sentence.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from docs.messages import find_reasons, find_texts, list_others, list_page_texts, list_templates

from .common import markdown, parser_of, show

ROOT = Path(__file__).resolve().parents[1]
#: Marks: average and longest sentence of a surface, in words; below COUNTED sentences there is no average.
AVERAGE, LONGEST, COUNTED = 18.0, 40, 8
#: Texts of code that are shorter are labels and parts of sentences rather than sentences, in words.
SHORTEST = 4
#: Words that STYLE forbids, as people would search for them; each with the reason for its exact form.
FORBIDDEN: Mapping[str, str] = {
    "of which": r"\bof which\b", "that which": r"\bthat which\b", "whatever": r"\bwhatever\b",
    "so that it": r"\bso that it\b", "body": r"\bbod(?:y|ies)\b", "repel each other": r"\brepel each other\b",
    "slow error": r"\bslow error\b", "doubt": r"\bdoubts?\b", "bank": r"\bbanks?\b",
    "held against": r"\bheld against\b", "beside": r"\bbeside\b", "window of q": r"\bwindow (?:of q|in q)\b",
    "to the network": r"\bto the network\b", "the network sees": r"\bnetwork (?:sees|thinks|has seen|says)\b",
    "explains the data": r"\bexplains? (?:the|these|this) (?:data|curves?)\b",
    "costly": r"\b(?:costly|dear)\b", "left out": r"\b(?:left|leaves?) out\b",
    "nobody has": r"\bnobody has\b", "told": r"\b(?:told|is said|are said|was said|says nothing of)\b",
    "standing at": r"\bstand(?:s|ing)? at (?:its|their) default", "kind of sizes": r"\bkinds? of sizes?\b",
    "a look": r"\ba look\b", "as it is": r"\bas it is[.,;]",
}  # fmt: skip
#: Abbreviations whose full stop ends no sentence: those of journals and of citations.
_ABBREVIATIONS = (
    r"e\.g|i\.e|cf|vs|et al|Refs?|Fig|Phys|Ann|Rev|Appl|Cryst|Stat|Chem|Proc|Soc|Natl|Acad|Sci|Mol|Math|Edinb"
    r"|Comput|Methods|Biol|Curr|Opin|Struct|Mech"
)
#: The pages whose subject needs a forbidden word in another sense: what the page calls by it.
ALLOWED: Mapping[str, frozenset[str]] = {
    # A glossary and a translation name the words that people meet elsewhere.
    "docs/glossary.md": frozenset(FORBIDDEN),
}


@dataclass(frozen=True)
class Surface:
    """A page, the help of a command, or the messages of a package, with its sentences."""

    name: str
    sentences: tuple[str, ...]
    cells: tuple[str, ...] = ()

    @property
    def lengths(self) -> list[int]:
        return [count_words(sentence) for sentence in self.sentences]

    @property
    def average(self) -> float:
        """Mean number of words in a sentence; NaN where there are too few to tell."""
        return float(np.mean(self.lengths)) if len(self.sentences) >= COUNTED else float("nan")

    @property
    def longest(self) -> int:
        """Words of the longest sentence, in running text or in a table."""
        return max(map(count_words, (*self.sentences, *self.cells)), default=0)

    def forbidden(self) -> list[tuple[str, str]]:
        """Forbidden words, each with its sentence."""
        allowed = ALLOWED.get(self.name, frozenset())
        return [
            (word, sentence)
            for sentence in (*self.sentences, *self.cells)
            for word, pattern in FORBIDDEN.items()
            if word not in allowed and re.search(pattern, sentence, re.IGNORECASE)
        ]


def count_words(sentence: str) -> int:
    """Count words: runs between blanks that hold a letter or a digit; ``62.0 ± 0.1 Å`` has three."""
    return sum(bool(re.search(r"\w", word)) for word in sentence.split())


def split_sentences(paragraph: str) -> list[str]:
    """Split a paragraph at full stops, question marks, exclamation marks, and colons before a list."""
    text = " ".join(paragraph.split())
    text = re.sub(rf"\b(?:{_ABBREVIATIONS}|[A-Z])\.(?= )", lambda found: found[0][:-1], text)
    parts = re.split(r"(?<=[.!?])[\"”’)*_]*\s+(?=[^a-z\s])", text)
    return [part.strip() for part in parts if re.search(r"[A-Za-z]{2}", part)]


def parse_page(name: str, text: str) -> Surface:
    """Sentences of a Markdown page: paragraphs, items of lists and captions; and the cells of its tables."""
    text = re.sub(r"<!-- tables: begin -->.*?<!-- tables: end -->", "", text, flags=re.DOTALL)
    text = re.sub(r"<!-- quadrature: begin -->.*?<!-- quadrature: end -->", "", text, flags=re.DOTALL)
    text = re.sub(r"^(```|:::).*?^\1\s*$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    found: dict[bool, list[str]] = {False: [], True: []}
    for is_cell, block in _blocks(text):
        found[is_cell] += [s for s in split_sentences(strip_markup(block)) if count_words(s) >= SHORTEST]
    return Surface(name, tuple(found[False]), tuple(found[True]))


def strip_markup(markup: str) -> str:
    """Markdown as it is read: links by their text, code and formulas as one word."""
    markup = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", lambda m: m[1] or "link", markup)
    markup = re.sub(
        r"`([^`]*)`|\$([^$]+)\$", lambda m: "C_" + re.sub(r"\W+", "_", m[1] or m[2] or "_"), markup
    )
    return re.sub(r"[*]|<[^>]*>|\{[\w:]+\}", "", markup)


def _blocks(text: str) -> Iterator[tuple[bool, str]]:
    """Paragraphs, items and cells, each as one text, and whether it is a cell."""
    block: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        begins = re.match(r"(?:[-*+] |\d+\. |: |#+ |>|\|)", stripped)
        if begins or not stripped:
            yield False, " ".join(block)
            block = []
        if stripped.startswith("|"):
            cells = re.split(r"(?<!\\)\|", stripped.strip("|"))
            yield from ((True, cell) for cell in cells)
        elif stripped and not stripped.startswith("#"):
            block.append(re.sub(r"^(?:[-*+] |\d+\. |: |> ?)", "", stripped))
    yield False, " ".join(block)


def read_pages(root: Path = ROOT) -> Iterator[Surface]:
    """README, CHANGELOG and the pages of the documentation."""
    for path in [root / "README.md", root / "CHANGELOG.md", *sorted((root / "docs").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        yield parse_page(path.relative_to(root).as_posix(), text)


def read_helps() -> Iterator[Surface]:
    """The help of every command: what it does, its arguments and options."""
    import typer

    from sasnet_plugin.cli.main import app

    group: Any = typer.main.get_command(app)
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        texts = [command.help or "", *((getattr(p, "help", "") or "") for p in command.params)]
        found = [
            sentence
            for text in texts
            for part in text.split("\n\n")
            for sentence in split_sentences(strip_markup(part))
        ]
        yield Surface(f"sasnet {name} -h", tuple(s for s in found if count_words(s) >= SHORTEST))


def read_messages() -> Iterator[Surface]:
    """Sentences of the program by package: templates with their examples, and all others in its code."""
    found: dict[str, list[str]] = {}
    for module, _, template in list_templates():
        found.setdefault(module.split(".")[1], []).extend(split_sentences(str(template)))
    for file, _, text in list_others():
        found.setdefault(file.split("/")[0].removesuffix(".py"), []).extend(split_sentences(text))
    for _, _, text in list_page_texts():
        found.setdefault("pages in the browser", []).extend(split_sentences(text))
    for part, sentences in found.items():
        yield Surface(f"messages: {part}", tuple(s for s in sentences if count_words(s) >= SHORTEST))


def read_settings(root: Path = ROOT) -> Iterator[Surface]:
    """The reasons of the settings; the documentation prints those of files called settings."""
    found: dict[str, list[str]] = {}
    for path in sorted((root / "sasnet_plugin").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = find_texts(tree) if path.name.endswith("settings.py") else find_reasons(tree)
        sentences = [sentence for _, text in texts for sentence in split_sentences(text)]
        name = path.relative_to(root / "sasnet_plugin").parent.as_posix()
        found.setdefault(name, []).extend(s for s in sentences if count_words(s) >= SHORTEST)
    for name, sentences in found.items():
        if sentences:
            yield Surface(f"settings: {name}", tuple(sentences))


def format_row(surface: Surface) -> list[str]:
    """A line of the table."""
    lengths = surface.lengths or [0]
    average = "–" if np.isnan(surface.average) else f"{surface.average:.1f}"
    ninth = f"{np.quantile(lengths, 0.9, method='inverted_cdf'):.0f}"
    counted = (len(surface.sentences), average, ninth, surface.longest, len(surface.forbidden()))
    return [surface.name, *map(str, counted)]


def merge(name: str, surfaces: Iterable[Surface]) -> Surface:
    surfaces = list(surfaces)
    sentences = tuple(sentence for surface in surfaces for sentence in surface.sentences)
    return Surface(name, sentences, tuple(cell for surface in surfaces for cell in surface.cells))


def format_report(groups: Mapping[str, Sequence[Surface]]) -> str:
    """The table: each surface, and a line for each group of them."""
    header = ["surface", "sentences", "average", "90 %", "longest", "forbidden"]
    rows = []
    for name, surfaces in groups.items():
        rows += [format_row(surface) for surface in surfaces]
        summed = format_row(merge(f"**{name}**", surfaces))
        rows.append([*summed[:-1], str(sum(len(surface.forbidden()) for surface in surfaces))])
    marks = f"Marks: {AVERAGE:.0f} words on average, {LONGEST} in any sentence, no forbidden word.\n\n"
    return "# Sentences that users read\n\n" + marks + markdown(header, rows)


def collect_surfaces() -> dict[str, list[Surface]]:
    return {
        "pages": list(read_pages()),
        "help": list(read_helps()),
        "messages": list(read_messages()),
        "settings": list(read_settings()),
    }


def main() -> None:
    """Print the table; with ``--write`` keep it."""
    parser = parser_of(__doc__, long=(0, "print sentences of more words than this"))
    parser.add_argument("--words", action="store_true", help="print each forbidden word with its sentence")
    parser.add_argument("--only", default="", help="only surfaces whose name holds this")
    asked = parser.parse_args()
    groups = {
        name: [surface for surface in surfaces if asked.only in surface.name]
        for name, surfaces in collect_surfaces().items()
    }
    for surface in (s for surfaces in groups.values() for s in surfaces):
        for sentence in (*surface.sentences, *surface.cells):
            if asked.long and count_words(sentence) > asked.long:
                print(f"{surface.name} [{count_words(sentence)}] {sentence}")
        for word, sentence in surface.forbidden() if asked.words else ():
            print(f"{surface.name} ({word}) {sentence}")
    text = format_report(groups)
    show(text, asked.write, __file__)
