"""The benchmark of robustness goes on where it was stopped, and its parts see what they are to see."""

import json
import multiprocessing
import os
import re

import pytest

from benchmarks.service import robustness, robustness_kills, robustness_state
from benchmarks.service.robustness import Counts, Part

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
def test_a_benchmark_that_was_stopped_goes_on(tmp_path, monkeypatch):
    mine = robustness.PARTS["mine"]
    monkeypatch.setattr(robustness, "commit", lambda: "a1")
    first = Counts(**robustness.done(tmp_path, "mine", mine, 4, 1)["counts"])
    assert (first.tried, first.survived, first.failures) == (4, 3, ["third"])
    monkeypatch.setattr(robustness, "commit", lambda: "b2")
    whole = robustness.done(tmp_path, "mine", mine, 10, 1)
    assert len(set(SEEDS)) == len(SEEDS) == 3
    assert robustness.done(tmp_path, "mine", mine, 10, 1) == whole
    assert "| mine | 10 | 8 | 2 | 0.0 | a1, b2 |" in robustness.report({"mine": whole})
    robustness.done(tmp_path, "mine", mine, 4, 2)
    assert len(SEEDS) == 4


def test_a_flipped_bit_that_were_not_seen_would_be_counted(tmp_path, monkeypatch):
    assert robustness_state.flips(tmp_path, 10, 3).survived == 10
    # Without checksums most pass.
    monkeypatch.setattr("sasnet_plugin.batch.journal._record_of", json.loads)
    found = robustness_state.flips(tmp_path, 10, 3)
    assert found.tried == 10
    assert found.failures


def watched(code, limit, folder):
    run = robustness_kills.Run(["-c", code], dict(os.environ), folder)
    return run.wrong(limit), run.code, run.out


@pytest.mark.parametrize(
    ("code", "limit", "words"),
    [
        ("import time; time.sleep(60)", 0.5, "hangs for 0 s"),
        ("x = bytearray(1_100_000_000)", 30.0, "took 1"),
        ("raise KeyError('x')", 30.0, "exit code 1: .*KeyError"),
        ("print('fine')", 30.0, None),
    ],
)
def test_time_memory_and_tracebacks_of_a_command_are_watched(tmp_path, code, limit, words):
    # From a process of its own: a command's memory counts from what its caller has, here all other tests.
    with multiprocessing.get_context("spawn").Pool(1) as small:
        wrong, ended, out = small.apply(watched, (code, limit, tmp_path))
    assert (wrong is None) if words is None else re.search(words, wrong, re.DOTALL)
    assert ended is not None
    assert out == ("fine\n" if words is None else "")
