"""The benchmark of robustness goes on where it was stopped, and its parts see what they are to see."""

import json

import pytest
import robustness
import robustness_state
from robustness import Counts, Part

SEEDS = []


def part(work, tried, seed):
    """Fails at each third attempt."""
    SEEDS.append(seed)
    counts = Counts()
    for k in range(tried):
        counts.add("third" if k % 3 == 2 else None)
    return counts


@pytest.fixture
def _known(monkeypatch):
    monkeypatch.setitem(robustness.PARTS, "mine", Part("mine", f"{__name__}:part", 10, 4))
    SEEDS.clear()


@pytest.mark.usefixtures("_known")
def test_a_benchmark_that_was_stopped_goes_on(tmp_path):
    mine = robustness.PARTS["mine"]
    first, _ = robustness.done(tmp_path, "mine", mine, 4, 1)
    assert (first.tried, first.survived, first.failures) == (4, 3, ["third"])
    whole, seconds = robustness.done(tmp_path, "mine", mine, 10, 1)
    assert (whole.tried, whole.survived, len(whole.failures)) == (10, 8, 2)
    assert len(set(SEEDS)) == len(SEEDS) == 3
    assert robustness.done(tmp_path, "mine", mine, 10, 1)[0] == whole
    assert "| mine | 10 | 8 | 2 |" in robustness.report({"mine": (whole, seconds)})
    robustness.done(tmp_path, "mine", mine, 4, 2)
    assert len(SEEDS) == 4


def test_a_flipped_bit_that_were_not_seen_would_be_counted(tmp_path, monkeypatch):
    assert robustness_state.flips(tmp_path, 10, 3).survived == 10
    # Without checksums most pass.
    monkeypatch.setattr("sasnet_plugin.batch.journal._record_of", json.loads)
    found = robustness_state.flips(tmp_path, 10, 3)
    assert found.tried == 10
    assert found.failures
