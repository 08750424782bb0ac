"""Sentences that users read are short and use the words of the field; counts are those of a reader."""

from __future__ import annotations

import ast
from pathlib import Path
from string import Formatter

import pytest

from benchmarks.prose import (
    AVERAGE,
    FORBIDDEN,
    LONGEST,
    Surface,
    collect_surfaces,
    count_words,
    merge,
    parse_page,
    read_pages,
    split_sentences,
)
from docs.messages import find_texts, list_templates

#: Groups of surfaces that have reached the marks; none leaves this list.
REACHED = ["pages", "help", "messages", "settings"]


@pytest.fixture(scope="module")
def surfaces() -> dict[str, list[Surface]]:
    return collect_surfaces()


@pytest.mark.parametrize("group", REACHED)
def test_sentences_are_short(surfaces: dict[str, list[Surface]], group: str) -> None:
    found = surfaces[group]
    assert sum(len(surface.sentences) for surface in found) > 200
    assert {s.name: s.longest for s in found if s.longest > LONGEST} == {}
    assert {s.name: s.average for s in found if s.average > AVERAGE} == {}
    assert merge(group, found).average <= AVERAGE


@pytest.mark.parametrize("group", REACHED)
def test_no_word_that_people_outside_must_guess(surfaces: dict[str, list[Surface]], group: str) -> None:
    assert [(s.name, *found) for s in surfaces[group] for found in s.forbidden()] == []


def test_every_page_starts_with_task_command_and_picture(repository: Path) -> None:
    for path in [repository / "README.md", *sorted((repository / "docs").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        start = text[: text.find("\n## ") if "\n## " in text else len(text)]
        assert "\n```" in start, path.name
        assert "![" in start, path.name


def test_pages_with_special_words_lead_to_the_glossary(repository: Path) -> None:
    without = {"glossary.md"}
    for path in (repository / "docs").glob("*.md"):
        if path.name not in without:
            assert "glossary.md" in path.read_text(encoding="utf-8"), path.name


def test_words_are_counted_as_people_count_them() -> None:
    assert count_words("Radius 62.0 ± 0.1 Å is the mean.") == 7
    assert (
        split_sentences("One fact. Then another, as J. Smith has it (Phys. Rev. 3). See `a.b`.")[0]
        == "One fact."
    )
    assert len(split_sentences("It ends at 0.5 Å. The next begins.")) == 2


def test_code_tables_and_formulas_are_no_prose() -> None:
    code = "```bash\nsasnet fit of many words here\n```\n\n$$a b c d e$$\n\n"
    text = f"# Title\n\nA sentence of five words.\n\n{code}| a | one two three four five |\n|---|---|\n"
    page = parse_page("page.md", text)
    assert page.sentences == ("A sentence of five words.",)
    assert page.cells == ("one two three four five",)


def test_forbidden_words_are_found_in_text_and_not_in_code() -> None:
    page = parse_page("page.md", "The body of which we speak is here. The key `doubt` stays as code.\n")
    assert {word for word, _ in page.forbidden()} == {"body", "of which"}
    assert set(FORBIDDEN) >= {"of which", "that which", "whatever"}


def test_messages_are_found_in_code_and_docstrings_are_not() -> None:
    tree = ast.parse('"""A docstring of words."""\nx = f"The {n} files cannot be read."\ny = "a key"\n')
    assert [text for _, text in find_texts(tree)] == ["The value files cannot be read."]


def test_all_pages_are_read(repository: Path) -> None:
    names = {surface.name for surface in read_pages(repository)}
    assert names >= {f"docs/{path.name}" for path in (repository / "docs").glob("*.md")} | {"README.md"}


def test_every_template_has_an_example_that_fills_its_gaps() -> None:
    templates = list(list_templates())
    assert len(templates) > 60
    for module, name, found in templates:
        gaps = {gap for _, gap, _, _ in Formatter().parse(found.text) if gap}
        assert gaps == set(found.example), (module, name)
        assert "{" not in str(found)
