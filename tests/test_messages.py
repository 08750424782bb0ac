"""Sentences of the program are found for proof-reading, and each template has an example."""

from __future__ import annotations

import ast
from string import Formatter

from docs.messages import find_texts, list_templates


def test_messages_are_found_in_code_and_docstrings_are_not() -> None:
    tree = ast.parse('"""A docstring of words."""\nx = f"The {n} files cannot be read."\ny = "a key"\n')
    assert [text for _, text in find_texts(tree)] == ["The value files cannot be read."]


def test_every_template_has_an_example_that_fills_its_gaps() -> None:
    templates = list(list_templates())
    assert len(templates) > 60
    for module, name, found in templates:
        gaps = {gap for _, gap, _, _ in Formatter().parse(found.text) if gap}
        assert gaps == set(found.example), (module, name)
        assert "{" not in str(found)
