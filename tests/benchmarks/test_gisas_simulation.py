"""The benchmark of the GISAS generator: from how many uses on it is faster than its peer by a factor."""

from __future__ import annotations

from benchmarks.images.gisas_simulation import break_even


def test_break_even_is_where_the_ratio_is_reached() -> None:
    theirs, ours, made = 1.0, 0.005, 0.15
    uses = int(break_even(theirs, ours, made, 50))
    assert theirs / (ours + made / uses) >= 50 > theirs / (ours + made / (uses - 1))
    assert break_even(theirs, 0.03, made, 50) == "no number of"
