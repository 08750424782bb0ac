"""Entries of a real Tiled server are followed: once each, in order, over cuts, kills and late writers."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiledplaces import (
    GEOMETRY,
    KEY,
    Network,
    Q,
    TiledServer,
    at,
    curve,
    file_of,
    frame,
    register,
)
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app

runner = CliRunner()


def follow(*arguments: object) -> Any:
    return runner.invoke(app, ["follow", *map(str, arguments)])


def rows_of(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def names(path: Path) -> list[str]:
    return [row["file"].rpartition("/")[2] for row in rows_of(path)]


def frames_of(place: Any) -> list[int]:
    """Of the tables beside a container."""
    beside = place.parent[f"{place.path_parts[-1]}_sasnet"]
    return [int(number) for one in beside.values() for number in one.read()["frame"]]


def until(true: Callable[[], bool], seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


class Watching:
    """`sasnet follow --watch` in a process of its own."""

    def __init__(self, address: str, out: Path, *options: str) -> None:
        command = [sys.executable, "-m", "sasnet_plugin", "follow", address, "--out", str(out), "--watch"]
        self.said = out.with_suffix(".log")
        with self.said.open("a") as log:
            self.process = subprocess.Popen(
                [*command, *options], stdout=log, stderr=log, env={**os.environ, "TILED_API_KEY": KEY}
            )

    def end(self, how: int = signal.SIGTERM) -> str:
        self.process.send_signal(how)
        self.process.wait(timeout=60)
        return self.said.read_text()


def test_a_container_becomes_a_table_that_goes_on(place: Any, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    for number, radius in enumerate([40.0] * 8 + [50.0] * 6):
        place.write_table(curve(radius, number), key=f"c{number:02d}")
    result = follow(at(place), "--out", out, "--page", tmp_path / "t.html", "--interval", 0.1)
    assert result.exit_code == 0, result.output
    assert names(out) == [f"c{number:02d}" for number in range(14)]
    assert [row["change_from"] for row in rows_of(out) if row["change_from"]] == ["9"]
    assert "From frame 9 on" in (tmp_path / "t.html").read_text(encoding="utf-8")
    place.write_table(curve(50.0, 20), key="another")
    result = follow(at(place), "--out", out)
    assert "resumed after frame 14" in result.stderr
    assert names(out)[14:] == ["another"]
    # What is deleted between two runs moves the others up, and none is answered twice.
    place.delete_contents(["c03"], external_only=False)
    place.write_table(curve(50.0, 21), key="last")
    assert follow(at(place), "--out", out).exit_code == 0
    assert names(out)[14:] == ["another", "last"]
    other = follow(at(place, "last"), "--out", out)
    assert "holds frames of other files" in " ".join(other.stderr.split())


def test_images_are_followed_with_their_numbers(new_place: Any, tmp_path: Path) -> None:
    place, out = new_place(domain="sans2d", geometry=GEOMETRY), tmp_path / "t.csv"
    rng = np.random.default_rng(1)
    for number in range(2):
        place.write_array(frame(rng, 60.0), key=f"f{number}")
    place.write_array(np.array([frame(rng, 60.0) for _ in range(2)]), key="stack")
    place.write_table(curve(40.0), key="curve")
    result = follow(at(place), "--out", out, "--hdf5", tmp_path / "t.h5")
    assert result.exit_code == 1
    rows = rows_of(out)
    assert [(row["entry"], row["part"]) for row in rows] == [
        ("f0", "1"), ("f1", "1"), ("stack 1", "1"), ("stack 2", "2"), ("", "0")
    ]  # fmt: skip
    assert "it holds curves; follow these with a separate command" in rows[4]["note"]
    for row in rows[:4]:
        assert row["class"] == "sphere"
        # Scattering weighs by volume squared: ten per cent of spread make spheres look larger.
        assert abs(float(row["radius [Å]"]) - 60) < max(3 * float(row["radius_error [Å]"]), 4)
    assert (tmp_path / "t.h5").stat().st_size > 1000
    # An array that grows is followed by its own address.
    grown = tmp_path / "grown.csv"
    assert follow(at(place, "stack"), "--out", grown).exit_code == 0
    place["stack"].patch(frame(rng, 60.0)[None], offset=(2, 0, 0), extend=True)
    assert follow(at(place, "stack"), "--out", grown).exit_code == 0
    assert [row["entry"] for row in rows_of(grown)] == ["stack 1", "stack 2", "stack 3"]
    for option in (["--model", "sphere"], ["--q-range", "0.01:0.2"]):
        result = follow(at(place), "--out", tmp_path / "u.csv", *option)
        assert (result.exit_code, f"{option[0]} is for curves" in result.stderr) == (1, True)


def test_answers_go_back_and_what_others_wrote_stays(place: Any, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    place.write_table(curve(40.0, 1), key="a", metadata={"sample": "S1"})
    place.write_table(curve(40.0, 2), key="b", metadata={"sasnet": "somebody's"})
    result = follow(at(place), "--out", out, "--write-back", "both")
    assert result.exit_code == 0, result.output
    assert "1 entries keep the answers of another run" in result.stderr
    said, row = place["a"].metadata, rows_of(out)[0]
    assert said["sample"] == "S1"
    assert said["sasnet"]["model"] == row["model"]
    assert said["sasnet"]["rg [Å]"] == float(row["rg [Å]"])
    assert place["b"].metadata["sasnet"] == "somebody's"
    beside = place.parent[f"{place.path_parts[-1]}_sasnet"]
    assert beside.metadata["units"]["rg"] == "Å"
    assert frames_of(place) == [1, 2]
    # What was not given back before a kill is made up for.
    place["a"].replace_metadata({"sample": "S1"})
    place.write_table(curve(40.0, 3), key="c")
    assert follow(at(place), "--out", out, "--write-back", "both").exit_code == 0
    assert place["a"].metadata["sasnet"]["frame"] == 1
    assert frames_of(place) == [1, 2, 3]
    # Another series neither replaces these answers nor mixes with the table, unless it is told to.
    other = follow(at(place), "--out", tmp_path / "u.csv", "--write-back", "table")
    assert other.exit_code == 1
    assert "exists already and contains other answers" in other.stderr
    other = follow(at(place), "--out", tmp_path / "u.csv", "--write-back", "both", "--force")
    assert other.exit_code == 0, other.output
    assert place["b"].metadata["sasnet"]["frame"] == 2
    assert frames_of(place) == [1, 2, 3]


def test_what_is_half_written_waits_and_holds_the_order(place: Any, tmp_path: Path) -> None:
    from tiled.structures.array import ArrayStructure
    from tiled.structures.core import StructureFamily
    from tiled.structures.data_source import DataSource

    out, found = tmp_path / "t.csv", curve(40.0)
    watching = Watching(at(place), out)
    try:
        place.write_table(found, key="first")
        until(lambda: names(out) == ["first"])
        # A place for an array is made before its values come; it holds zeros until then.
        values = np.array(list(found.values()))
        structure = ArrayStructure.from_array(values)
        slow = place.new(
            StructureFamily.array,
            [DataSource(structure=structure, structure_family=StructureFamily.array)],
            key="slow",
        )
        parts = place.create_container("parts")
        parts.write_array(Q, key="q")
        place.write_table(found, key="last")
        time.sleep(1.5)
        assert names(out) == ["first"]
        slow.write(values)
        parts.write_array(found["I"], key="I")
        parts.write_array(found["dI"], key="dI")
        until(lambda: names(out) == ["first", "slow", "parts", "last"])
        # After some seconds it is said that there is no measurement; when one comes it is answered.
        late = place.create_container("late")
        until(lambda: names(out)[4:] == ["late"])
        for name, column in found.items():
            late.write_array(column, key=name)
        until(lambda: names(out)[5:] == ["late"])
    finally:
        watching.end()
    assert [bool(row["note"]) for row in rows_of(out)] == [False] * 4 + [True, False]


def test_kills_cuts_and_restarts_lose_and_double_nothing(
    tiled_server: TiledServer, place: Any, tmp_path: Path
) -> None:
    network, out = Network(tiled_server.port), tmp_path / "t.csv"
    network.start()
    address, wanted = f"tiled:http://127.0.0.1:{network.port}/{place.path_parts[-1]}", []

    def write(number: int) -> None:
        for _ in range(number):
            wanted.append(f"c{len(wanted):03d}")
            place.write_table(curve(40.0, len(wanted)), key=wanted[-1])

    for _ in range(2):  # killed while it answers, with more to answer than before
        writing = threading.Thread(target=write, args=(10,))
        writing.start()
        before = len(names(out))
        watching = Watching(address, out, "--write-back", "both")
        until(lambda before=before: len(names(out)) > before)  # type: ignore[misc]
        watching.end(signal.SIGKILL)
        writing.join()
    watching = Watching(address, out, "--write-back", "both")
    try:
        write(1)
        until(lambda: names(out) == wanted)
        network.cut()
        write(3)
        until(lambda: "Waiting for it" in watching.said.read_text())
        network.mend()
        until(lambda: names(out) == wanted)
        tiled_server.kill()
        tiled_server.start()
        write(3)
        until(lambda: names(out) == wanted)
        until(lambda: "sasnet" in place[wanted[-1]].metadata)
        until(lambda: len(frames_of(place)) >= len(wanted))
        in_table = frames_of(place)
    finally:
        said = watching.end()
    given = {key: node.metadata["sasnet"]["frame"] for key, node in place.items()}
    assert "the server answers again" in said
    assert KEY not in said
    assert "Traceback" not in said
    assert names(out) == wanted
    assert in_table == list(range(1, len(wanted) + 1))
    assert given == {key: number for number, key in enumerate(wanted, start=1)}


def test_wrong_usage_is_said(place: Any, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    result = follow(at(place), tmp_path, "--out", out)
    assert (result.exit_code, "Only one address" in result.stderr) == (1, True)
    result = follow(at(place), "--out", out, "--add")
    assert (result.exit_code, "is for files" in result.stderr) == (2, True)
    result = follow(tmp_path, "--out", out, "--write-back", "table")
    assert (result.exit_code, "is for addresses tiled:" in result.stderr) == (2, True)
    result = follow(at(place), "--out", out)
    assert result.exit_code == 1
    assert "0 frames" in result.output
    place.write_table({"time": Q, "t": Q}, key="x", metadata=json.loads("{}"))
    result = follow(at(place), "--out", out)
    assert (result.exit_code, "1 of them without an answer" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("late", "deleted", "requests"), [((), (), 1), ((3,), (), 2), ((), (2,), 3), ((7,), (2,), 2)]
)
def test_a_series_that_goes_on_asks_little_of_a_long_container_and_misses_nothing(
    place: Any,
    monkeypatch: pytest.MonkeyPatch,
    late: tuple[int, ...],
    deleted: tuple[int, ...],
    requests: int,
) -> None:
    from sasnet_plugin.domains import DEFAULT, ReadOptions
    from sasnet_plugin.integrations.tiled import source as sources
    from sasnet_plugin.integrations.tiled.connection import Server, address_of

    keys = [f"c{number:02d}" for number in range(12)]
    for key in keys:
        place.write_table(curve(40.0), key=key)
    asked: list[int] = []
    real = sources.page_of

    def page_of(server: Any, at_: Any, start: int, most: int, *, names_only: bool = False) -> Any:
        if names_only:
            asked.append(start)
        return real(server, at_, start, most, names_only=names_only)

    monkeypatch.setattr(sources, "page_of", page_of)
    monkeypatch.setattr(sources, "NAMES", 7)
    address = address_of(at(place))
    with closing(Server(address)) as server:
        found = sources.TiledSource(server, address, None, ReadOptions(), DEFAULT)
        for number, key in enumerate(keys[:10]):
            if number not in late:
                found.remember(at(place, key), 1)
        for number in deleted:
            place.delete_contents(keys[number], recursive=True, external_only=False)
        arrived = [one.file.rpartition("/")[2] for one in found.look()]
    assert arrived == [keys[number] for number in late] + keys[10:]
    assert len(asked) == requests


def test_files_that_an_instrument_registers_are_followed(
    tiled_server: TiledServer, place: Any, tmp_path: Path
) -> None:
    for number in range(3):
        path = tiled_server.files / f"{place.path_parts[-1]}{number}"
        register(place, f"c{number}", file_of(path, curve(40.0, number)))
    register(place, "c2", file_of(path, curve(40.0, 2)))  # again, as its answer was lost
    out = tmp_path / "t.csv"
    assert follow(at(place), "--out", out, "--write-back", "table").exit_code == 0
    assert names(out) == ["c0", "c1", "c2"]
    assert frames_of(place) == [1, 2, 3]
    # √(3/5 <R⁸>/<R⁶>) of spheres of 40 Å with a width of 10 %.
    assert [float(row["rg [Å]"]) for row in rows_of(out)] == pytest.approx([32.9] * 3, rel=0.05)
