"""Sentences that name an option of the command line name what the page has in its place."""

from __future__ import annotations

import pytest

from sasnet_plugin.planning import sentences
from sasnet_plugin.web.on_page import adapt_to_page


@pytest.mark.parametrize(
    "sentence",
    [
        str(sentences.NO_SOLVENT),
        sentences.UNKNOWN_DENSITIES(names="sld", are="is"),
        sentences.ONE_LEFT(model="sphere", least="1 %"),
        sentences.ONE_FITTED(model="sphere"),
    ],
)
def test_plans_name_no_option(sentence: str) -> None:
    assert "--" in sentence
    assert "--" not in adapt_to_page(sentence)
