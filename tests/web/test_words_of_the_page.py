"""Sentences that name an option of the command line name what the page has in its place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sasnet_plugin.fitting.verdict import sample_sentences as of_samples
from sasnet_plugin.planning import sentences
from sasnet_plugin.wording import SURFACE


@pytest.mark.parametrize(
    "say",
    [
        lambda: str(sentences.NO_SOLVENT),
        lambda: sentences.UNKNOWN_DENSITIES(names="sld", are="is"),
        lambda: sentences.ONE_LEFT(model="sphere", least="1 %"),
        lambda: sentences.ONE_FITTED(model="sphere"),
        lambda: of_samples.POLARISATION_FITTED(),
        lambda: of_samples.KIND_INFERRED(kind="contrasts"),
    ],
)
def test_plans_and_joint_fits_name_no_option(say: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SURFACE, "command")
    assert "--" in say()
    for surface in ("page", "python"):
        monkeypatch.setenv(SURFACE, surface)
        assert "--" not in say()


def test_the_unit_of_q_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from sasnet_plugin.data.preprocess import make_grid
    from sasnet_plugin.types import DataError

    monkeypatch.setenv(SURFACE, "page")
    with pytest.raises(DataError) as refused:
        make_grid(np.linspace(2.0, 9.0, 20))
    assert str(refused.value).endswith("so check the unit of q")
