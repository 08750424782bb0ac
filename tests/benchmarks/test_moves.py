"""The ledger of moves counts what a search does, and a value that moves by a fifth of its error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from made_results import SPHERE, p

from benchmarks import moves
from sasnet_plugin.fitting.api import fit_with
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.types import Curve


def test_a_value_has_moved_beyond_a_fifth_of_its_error() -> None:
    fit = replace(SPHERE, parameters={"radius": p(60.0, 1.0)})
    for shift, is_moved in ((0.1, False), (-0.1, False), (0.3, True), (-0.3, True)):
        other = replace(fit, parameters={"radius": p(60.0 + shift, 1.0)})
        assert moves.has_moved(fit, other) is is_moved
    assert moves.has_moved(fit, replace(fit, parameters={}))


def test_every_move_of_the_search_is_listed() -> None:
    from sasnet_plugin.fitting.strategy import moves as of_search

    names = moves.list_names(of_search)
    assert len(names) == len(set(names)) > 10
    assert {"first", "kinds"} <= set(names)


def test_a_search_leaves_a_ledger_whose_answer_came_from_one_move() -> None:
    q = np.geomspace(0.005, 0.3, 60)
    rng = np.random.default_rng(1)
    clean = 10 * np.exp(-((q * 20.0) ** 2) / 3) + 0.01
    curve = Curve(q, clean * (1 + 0.02 * rng.standard_normal(60)), 0.02 * clean)
    with moves.keep_ledger() as ledger:
        fit_with(moves.this_process(), curve, FitOptions(models=("guinier",), time_limit=10))
    assert sum(row["first"] for row in ledger.values()) == 1
    assert sum(row["final"] for row in ledger.values()) == 1
    assert all(row["runs"] > 0 and row["seconds"] >= 0 for row in ledger.values())
    rows = [{"moves": ledger, "cpu": 1.0}]
    assert "| propose_named | " in moves.table(rows)
