"""Frames added up: when an answer is settled, what is not added, and the table that is written."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.batch.series import SETTLED, Look, describe_recognition, recognise, write
from sasnet_plugin.domains.heads import Classes
from sasnet_plugin.predict.classes import ClassesFinding
from sasnet_plugin.predict.findings import Answer
from sasnet_plugin.types import DataError

HEAD = Classes("class", "class", ("ball", "rod"))


@dataclass(frozen=True)
class Counts:
    """Counts of a frame."""

    counts: np.ndarray
    entry: str = ""


def frames(*numbers: float) -> list[tuple[str, Any]]:
    return [(f"{k}.dat", Counts(np.array([x]))) for k, x in enumerate(numbers, start=1)]


def added(one: Counts, other: Counts) -> Counts:
    return Counts(one.counts + other.counts)


def sure_by(ball: dict[float, float], known: bool = True) -> Callable[[Sequence[Any]], list[Any]]:
    """Probability of a ball by all counts."""

    def answers(measurements: Sequence[Any]) -> list[Any]:
        p = [ball[float(one.counts.sum())] for one in measurements]
        return [Answer("a", "", 0.9, (ClassesFinding(HEAD, np.array([x, 1 - x])),), known=known) for x in p]

    return answers


RISING = {10.0: 0.6, 20.0: 0.96, 30.0: 0.5, 40.0: 0.97, 50.0: 0.98, 60.0: 0.99, 70.0: 0.99}


def test_an_answer_is_settled_when_it_has_stayed_and_counts_add_up(tmp_path: Path) -> None:
    looks = write(recognise(frames(*[10.0] * 7), added, sure_by(RISING)), tmp_path / "t.csv", HEAD.labels)
    assert [look.counts for look in looks] == list(RISING)
    # One sure look that the next does not bear out settles nothing.
    assert [look.settled for look in looks] == [""] * 5 + ["ball", "ball"]
    assert "Converged after frame 6, 60 counts: ball" in describe_recognition(looks)
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row["ball"]) for row in rows] == pytest.approx(list(RISING.values()))
    assert rows[-1]["settled"] == "ball"


def test_nothing_is_settled_by_few_counts_nor_out_of_scope() -> None:
    looks = list(recognise(frames(10.0), added, sure_by(RISING)))
    assert "Not converged after 10 counts: ball has 60%" in describe_recognition(looks)
    outside = list(recognise(frames(*[10.0] * 7), added, sure_by(RISING, known=False)))
    assert not any(look.settled for look in outside)
    assert SETTLED.probability >= 0.9


def test_a_bad_frame_is_named_and_the_others_count() -> None:
    some = frames(10.0, 10.0, 10.0)
    some.insert(1, ("bad.dat", DataError("bad.dat: holds nothing.")))
    looks: list[Look] = list(recognise(some, added, sure_by(RISING)))
    assert [look.note for look in looks] == ["", "bad.dat: holds nothing.", "", ""]
    assert looks[-1].counts == 30
    assert describe_recognition([looks[1]]) == "No frame has an answer."
