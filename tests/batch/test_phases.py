"""What a map of phases takes from an answer, and that it does not call a sample known that is undecided."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from sasnet_plugin.batch.live.line import Names, Said, outcome_of
from sasnet_plugin.batch.steering.phases import GROUP, POPULATIONS, UNKNOWN, Grid, PhaseMap, aspects_of

NAMES = Names(("spheres", "rods"))
LINE = Grid({"temperature": tuple(np.linspace(20, 60, 12))})


def outcome(second: float, *, known: bool = True, spheres: float = 1.0) -> Mapping[str, object]:
    shares = {"spheres": spheres, "rods": 1 - spheres} if known else {}
    return outcome_of(Said(known, 0.9 if known else 0.1, second=second, shares=shares), NAMES)


def two(second: float) -> float:
    return aspects_of(outcome(second))[POPULATIONS]["two populations"]


def test_a_second_component_is_taken_without_the_share_that_the_network_expects() -> None:
    # Of the network's training curves, one in sixteen was a mixture: what says as much says nothing.
    assert abs(two(0.063) - 0.5) < 0.01
    assert two(0.004) < 0.1
    assert two(0.2) > 0.75
    assert math.isnan(float(outcome(math.nan)["two_populations"]))  # type: ignore[arg-type]


def test_what_two_populations_explain_is_nothing_unknown() -> None:
    assert GROUP not in aspects_of(outcome(0.4, known=False))
    assert aspects_of(outcome(0.001, known=False))[GROUP] == {UNKNOWN: 1.0}


def filled(right: float) -> PhaseMap:
    """A line of samples, all measured: spheres of one size, beyond the middle of two, as far as is seen."""
    found = PhaseMap(LINE)
    for place in range(0, 12):
        found.take(place, aspects_of(outcome(0.002 if place < 6 else right)))
    return found


def test_a_sample_that_is_undecided_is_counted_longer_and_not_called_known() -> None:
    undecided = filled(0.07).find_undecided()
    assert set(undecided) <= set(range(5, 12))
    assert len(undecided) >= 4
    assert filled(0.5).find_undecided() == []
    found = PhaseMap(LINE)
    often = [0] * 12
    while (one := found.suggest()) is not None:
        often[one.place] += 1
        if one.longer:
            assert one.place >= 6
            assert "measured but still undecided" in one.reason
            assert "8 times as long" in one.reason
            assert not found.assess_convergence()[0]
        # Counted longer the network is sure.
        found.take(one.place, aspects_of(outcome(0.002 if one.place < 6 else 0.5 if one.longer else 0.07)))
        if not one.longer and one.gain < found.settings.enough and not found.find_undecided():
            break
    assert max(often) >= 2
    assert found.find_undecided() == []
    done, sentence = found.assess_convergence()
    assert done
    assert "undecided" not in sentence
    phases, _ = found.phases()
    wrong = [place for place in range(12) if ("two populations" in phases[place]) != (place >= 6)]
    assert len(wrong) <= 1  # beside the boundary
    assert set(wrong) <= {5, 6}


def test_what_stays_undecided_however_long_it_is_counted_is_said_and_ends_the_search() -> None:
    found = PhaseMap(LINE)
    for _ in range(60):
        one = found.suggest()
        if one is None:
            break
        found.take(one.place, aspects_of(outcome(0.002 if one.place < 6 else 0.063)))
    assert found.find_undecided()
    done, sentence = found.assess_convergence()
    assert done
    assert "are undecided; measure them longer" in sentence
    assert "is settled" not in sentence
