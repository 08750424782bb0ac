"""Answers given back to a real server: behind the series, again after failures, two series at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
from tiledplaces import at

from sasnet_plugin.integrations.tiled import given_back
from sasnet_plugin.integrations.tiled.connection import Server, address_of
from sasnet_plugin.integrations.tiled.given_back import Behind, InTable, Line, Manner
from sasnet_plugin.types import SasnetError, TechnicalError

TITLES = ("frame", "part", "note", "rg [Å]")


def lines(first: int, last: int) -> list[Line]:
    return [
        {"frame": str(k), "part": "1", "note": "" if k % 5 else "no curve", "rg [Å]": f"{40 + k}"}
        for k in range(first, last + 1)
    ]


def frames_of(place: Any) -> list[int]:
    beside = place.parent[f"{place.path_parts[-1]}_sasnet"]
    return [int(number) for one in beside.values() for number in one.read()["frame"]]


@pytest.fixture
def in_table(new_place: Callable[..., Any]) -> Iterator[Callable[..., tuple[InTable, Any]]]:
    """Makes what gives lines back beside a new container, or one that is there."""
    opened: list[Server] = []

    def made(place: Any = None, series: str = "mine", **manner: Any) -> tuple[InTable, Any]:
        place = new_place() if place is None else place
        address = address_of(at(place))
        opened.append(Server(address))
        return InTable(opened[-1], series, address, TITLES, Manner(**manner)), place

    yield made
    for one in opened:
        one.close()


@pytest.mark.parametrize("rows", [4, 500])
def test_a_series_that_is_killed_and_goes_on_has_each_row_once(
    rows: int, in_table: Callable[..., tuple[InTable, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_back, "ROWS", rows)
    first, place = in_table()
    first.give(lines(1, 3))
    first.give(lines(4, 9))
    assert frames_of(place) == list(range(1, 10))
    # The next process has lines that the server lacks, and one that it has.
    second, _ = in_table(place)
    second.catch_up(lambda: lines(1, 14))
    second.give(lines(15, 15))
    assert frames_of(place) == list(range(1, 16))
    (last,) = list(place.parent[f"{place.path_parts[-1]}_sasnet"].values())[-1:]
    assert last.read()["rg"].tolist()[-1] == 55.0
    assert last.read()["note"].tolist()[-1] == "no curve"
    # The same series from its start on does not mix with what was there.
    third, _ = in_table(place)
    third.give(lines(1, 2))
    assert frames_of(place) == [1, 2]
    other, _ = in_table(place, series="another's")
    with pytest.raises(SasnetError, match="contains other answers"):
        other.give(lines(1, 1))


def test_an_answer_that_is_lost_on_its_way_costs_and_doubles_no_row(
    in_table: Callable[..., tuple[InTable, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    table, place = in_table(watch=True, tell=told.append)
    put, failures = Server.put, iter([True, False, True, True, True, False])

    def lossy(self: Server, *given: Any) -> None:
        put(self, *given)
        if next(failures, False):
            raise TechnicalError("the server", "went away")

    monkeypatch.setattr(Server, "put", lossy)
    table.give(lines(1, 2))
    assert told == []  # one failure is nothing to speak of
    table.give(lines(3, 4))
    assert [one for one in told if "Waiting for it" in one]
    assert "The server can be written to again, and the answers are saved there." in told
    assert frames_of(place) == [1, 2, 3, 4]
    waits_not, _ = in_table(watch=False)
    monkeypatch.setattr(Server, "put", lambda *given: (_ for _ in ()).throw(TechnicalError("it", "is away")))
    with pytest.raises(TechnicalError):
        waits_not.give(lines(1, 1))


def test_two_series_that_write_at_once_lose_nothing_and_leave_the_server_alive(
    in_table: Callable[..., tuple[InTable, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given_back, "ROWS", 8)
    both = [in_table(watch=True) for _ in range(2)]

    def write(table: InTable) -> None:
        for k in range(1, 21):
            table.give(lines(k, k))

    threads = [threading.Thread(target=write, args=(table,)) for table, _ in both]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [frames_of(place) for _, place in both] == [list(range(1, 21))] * 2


class Slow:
    """Takes lines when it is let."""

    def __init__(self, error: Exception | None = None) -> None:
        self.given: list[list[str]] = []
        self.let = threading.Event()
        self.error = error

    def catch_up(self, earlier: Any) -> None:
        raise AssertionError

    def give(self, some: Sequence[Line]) -> None:
        self.let.wait(10)
        if self.error is not None:
            raise self.error
        self.given.append([line["frame"] for line in some])


def test_nobody_waits_for_the_server_and_many_lines_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_back, "GATHER", 0.01)
    way = Slow()
    with Behind([way], Manner()) as back:  # type: ignore[list-item]
        for k in range(1, 6):
            back.give(lines(k, k))
        assert way.given == []
        way.let.set()
    assert sum(way.given, []) == ["1", "2", "3", "4", "5"]
    assert len(way.given) <= 2


def test_what_goes_wrong_behind_is_said_to_the_series() -> None:
    way = Slow(SasnetError("the table is another's."))
    way.let.set()
    with pytest.raises(SasnetError, match="another's"), Behind([way], Manner()) as back:  # type: ignore[list-item]
        back.give(lines(1, 1))

    def nothing_more_comes(back: Behind) -> None:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            back.give(())
            time.sleep(0.01)
        pytest.fail("nothing was said")

    back = Behind([way], Manner())  # type: ignore[list-item]
    back.give(lines(1, 1))
    with pytest.raises(SasnetError, match="another's"):
        nothing_more_comes(back)
    told: list[str] = []
    away = Slow(TechnicalError("the server", "is away"))
    away.let.set()
    # Who was watching and ends it by hand is told; nothing of it is an error.
    with Behind([away], Manner(watch=True, tell=told.append)) as back:  # type: ignore[list-item]
        back.give(lines(1, 1))
    assert len(told) == 1
    assert "written to the server when the same command runs again" in told[0]


def test_data_that_are_asked_for_ahead_are_taken_once_and_forgotten_in_time(place: Any) -> None:
    import numpy as np

    from sasnet_plugin.integrations.tiled.nodes import array, ask_ahead, node_at

    written = place.write_array(np.zeros((3, 40)), key="a")
    where = address_of(at(place, "a"))
    with closing(Server(where)) as server:
        node = node_at(server, where)
        ask_ahead(server, node)
        assert not array(server, node).any()
        written.write(np.ones((3, 40)))
        # What was taken is asked for anew, and so is what was forgotten.
        assert array(server, node).all()
        ask_ahead(server, node)
        server.forget()
        assert array(server, node).all()
