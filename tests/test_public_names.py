"""The names that a user's script begins with: on the page of the Python interface, and in `help`."""

from __future__ import annotations

import inspect
import pydoc
import re
from pathlib import Path

import sasnet_plugin


def test_every_public_name_is_on_the_page_with_its_docstring(repository: Path) -> None:
    page = (repository / "docs" / "api.md").read_text(encoding="utf-8")
    first = page.partition("## ")[0]
    for name in set(sasnet_plugin.__all__) - {"__version__"}:
        assert f"`{name}`" in first, name
        thing = getattr(sasnet_plugin, name)
        places = (f"sasnet_plugin.{name}", f"{thing.__module__}.{name}")
        by_itself = any(
            re.search(rf"auto(function|class|exception):: {re.escape(p)}$", page, re.MULTILINE)
            for p in places
        )
        members = re.search(rf"automodule:: {re.escape(thing.__module__)}\n +:members:", page)
        assert by_itself or members, name


def test_help_shows_signature_and_docstring() -> None:
    text = pydoc.render_doc(sasnet_plugin.fit, renderer=pydoc.plaintext)
    assert "fit(curve: " in text
    assert "Fit the models that may explain a curve, rank and verify them." in text
    for name in inspect.signature(sasnet_plugin.fit).parameters:
        assert re.search(rf"^ +(?:\w+, )*{name}(?:, \w+)* : ", text, re.MULTILINE), name
    everything = pydoc.render_doc(sasnet_plugin, renderer=pydoc.plaintext)
    assert "From a scattering curve to a ranked list of models" in everything
