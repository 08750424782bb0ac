"""Sentences that name an option of the command line name what the page has in its place."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.verdict import sample_sentences as of_samples
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


@pytest.mark.parametrize(
    "sentence", [str(of_samples.POLARISATION_FITTED), of_samples.KIND_INFERRED(kind="contrasts")]
)
def test_cautions_of_a_joint_fit_name_no_option(sentence: str) -> None:
    assert "--" in sentence
    assert "--" not in adapt_to_page(sentence)


def test_the_unit_of_q_is_named_once() -> None:
    from sasnet_plugin.data.preprocess import make_grid
    from sasnet_plugin.types import DataError

    with pytest.raises(DataError) as refused:
        make_grid(np.linspace(2.0, 9.0, 20))
    assert adapt_to_page(str(refused.value)).endswith("so check the unit of q")
