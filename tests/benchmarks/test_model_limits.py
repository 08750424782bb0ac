"""A parameter fixed at a limit ends in a fit or in a sentence, never in an exception or a negative curve."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.fitting.model_limits import curve_of, kind, limits, outcome, report
from sasnet_plugin.fitting.pool import Workers
from sasnet_plugin.zoo import bank_path


@pytest.fixture(scope="module")
def pool() -> Iterator[Any]:
    with Workers(bank_path(), 1) as workers:
        yield workers


@pytest.mark.parametrize(
    ("model", "factor", "name"),
    [
        ("fcc_paracrystal", None, "d_factor"),
        ("polymer_micelle", None, "v_core"),
        ("sphere", "stickyhardsphere", "perturb"),
        ("sphere", None, "radius"),
    ],
)
def test_a_parameter_fixed_at_0_is_a_fit_or_a_sentence(
    pool: Any, model: str, factor: str | None, name: str
) -> None:
    assert (name, 0.0) in set(limits(model, factor))
    text = outcome(pool, curve_of(), model, factor, name, 0.0)
    assert not text.startswith("!"), text


def test_the_table_counts_and_lists_what_is_wrong() -> None:
    done = {"sphere radius=0": "no fit: a sentence.", "sphere sld=0": "fit", "dab scale=0": "!IndexError: 3"}
    assert kind(done["dab scale=0"]).startswith("internal exception")
    text = report(done)
    assert "3 fits of a small curve, 2 models and products" in text
    assert "- `dab scale=0`: IndexError: 3" in text
