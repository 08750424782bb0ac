"""The benchmark of the GISAS generator: its peer simulates the same physics, its break-even is right."""

from __future__ import annotations

from gisas_simulation import break_even, peer_costs, rate_table

from sasnet_plugin.simulate.gisas.orientation import FAMILIES


def test_break_even_is_where_the_ratio_is_reached() -> None:
    theirs, ours, made = 1.0, 0.005, 0.15
    uses = int(break_even(theirs, ours, made, 50))
    assert theirs / (ours + made / uses) >= 50 > theirs / (ours + made / (uses - 1))
    assert break_even(theirs, 0.03, made, 50) == "no number of"


def test_rates_are_means_over_the_prior_s_kinds() -> None:
    costs = dict.fromkeys(FAMILIES, 2.0) | peer_costs(2, ("deltas",))
    assert 0 < costs["deltas"] < 2
    table = rate_table(dict.fromkeys(FAMILIES, 1e-3), 1e-3, costs, 0.1, 1e-3)
    mean = sum(share * costs[family] for family, share in FAMILIES.items())
    assert f"| {1 / mean:.2f} | 1 |" in table
    assert "| ours, basis at hand | 1,000 |" in table
