"""Files that come and grow: each curve once, in order; what is half written waits, but not for ever."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.batch.live.run import Arrived, Source, Waiting, key_of
from sasnet_plugin.data.frames import EmptyFrameError
from sasnet_plugin.types import Curve, DataError

Q = np.geomspace(0.01, 0.3, 20)


def read(path: str, start: int) -> Iterator[Curve | Exception]:
    """A curve a line; a line "bad" is none, "empty" has no values yet, and "broken" breaks the file."""
    for number, line in enumerate(Path(path).read_text().split()):
        if line == "broken":
            raise DataError(f"{path}: broken; mend it.")
        if number >= start:
            errors = {"bad": DataError("no curve"), "empty": EmptyFrameError("no values")}
            yield errors.get(line, Curve(Q, Q, file=path, entry=line))


def source(folder: Path, **given: object) -> Source:
    return Source(lambda: (str(path) for path in folder.iterdir()), read, **given)  # type: ignore[arg-type]


def names(found: Iterator[Arrived]) -> list[tuple[str, int]]:
    return [(Path(one.file).name, one.part) for one in found]


def old(path: Path, seconds: float = 100.0) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_files_come_in_natural_order_each_once(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        (tmp_path / f"run{number}.dat").write_text("a")
    here = source(tmp_path)
    assert names(here.look()) == [("run1.dat", 1), ("run9.dat", 1), ("run10.dat", 1)]
    assert names(here.look()) == []
    (tmp_path / "run11.dat").write_text("a b")
    assert names(here.look()) == [("run11.dat", 1), ("run11.dat", 2)]


def test_what_was_answered_before_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "run.dat"
    path.write_text("a b c")
    here = source(tmp_path, answered={key_of(str(path)): 2})
    assert names(here.look()) == [("run.dat", 3)]


def test_a_growing_file_gives_all_but_its_last_curve_until_it_stands_still(tmp_path: Path) -> None:
    path = tmp_path / "run.dat"
    path.write_text("a b")
    here = source(tmp_path, watch=True, waiting=Waiting(still=0.05))
    assert names(here.look()) == []
    path.write_text("a b c")
    assert names(here.look()) == [("run.dat", 1), ("run.dat", 2)]
    time.sleep(0.06)
    assert names(here.look()) == [("run.dat", 3)]
    assert names(here.look()) == []


def test_files_behind_one_that_is_being_written_wait(tmp_path: Path) -> None:
    first, second = tmp_path / "run1.dat", tmp_path / "run2.dat"
    first.write_text("broken")
    second.write_text("a")
    old(second)
    here = source(tmp_path, watch=True, waiting=Waiting(still=0.0, patience=60.0))
    assert names(here.look()) == []
    first.write_text("a")
    here.waiting = Waiting(still=0.0, patience=60.0)
    time.sleep(0.01)
    assert names(here.look()) == [("run1.dat", 1), ("run2.dat", 1)]


def test_a_file_that_stays_broken_is_said_once_and_read_when_it_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "run1.dat"
    path.write_text("broken")
    old(path)
    here = source(tmp_path, watch=True)
    (said,) = here.look()
    assert (said.part, str(said.one)) == (0, f"{path}: broken; mend it.")
    assert names(here.look()) == []
    path.write_text("a")
    here.waiting = Waiting(still=0.0)
    assert names(here.look()) == [("run1.dat", 1)]


def test_a_bad_curve_keeps_its_place(tmp_path: Path) -> None:
    (tmp_path / "run.dat").write_text("a bad c")
    found = list(source(tmp_path).look())
    assert [one.part for one in found] == [1, 2, 3]
    assert isinstance(found[1].one, DataError)


@pytest.mark.parametrize("watch", [True, False])
def test_what_is_no_file_is_said_unless_it_may_still_come(watch: bool) -> None:
    here = Source(lambda: iter([DataError("folder: is empty."), "/none/run.dat"]), read, watch=watch)
    assert len(list(here.look())) == (0 if watch else 2)


def test_frames_without_values_are_waited_for_and_read_when_they_have_some(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    path.write_text("a empty empty")
    here = source(tmp_path, watch=True, waiting=Waiting(still=0.0, patience=60.0))
    assert names(here.look()) == [("run.h5", 1)]
    assert names(here.look()) == []
    path.write_text("a b empty")
    assert names(here.look()) == [("run.h5", 2)]
    path.write_text("a b empty d")
    assert names(here.look()) == [("run.h5", 3), ("run.h5", 4)], "one before a frame with values stays empty"


@pytest.mark.parametrize("watch", [True, False])
def test_frames_that_stay_without_values_have_one_line_and_are_not_lost(tmp_path: Path, watch: bool) -> None:
    path = tmp_path / "run.h5"
    path.write_text("a empty empty")
    old(path)
    here = source(tmp_path, watch=watch, waiting=Waiting(still=0.0))
    first, said = here.look()
    assert (first.part, said.part) == (1, 0)
    assert "frames 2 to 3 hold no values yet" in str(said.one)
    assert names(here.look()) == []
    path.write_text("a b c")
    assert names(here.look()) == [("run.h5", 2), ("run.h5", 3)]
    later = source(tmp_path, watch=watch, answered={key_of(str(path)): 1}, failed={key_of(str(path))})
    later.waiting = Waiting(still=0.0)
    assert names(later.look()) == [("run.h5", 2), ("run.h5", 3)]
