"""A series of frames becomes a table, line by line; who has no answer has a line that says why."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from detectorfiles import write_cbf
from tinypatterns import GEOMETRY, frames, write_nexus, write_stack
from tinyzoo import write_zoo
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.images.growth.specification import FILM, HEADS
from sasnet_plugin.images.series import TOGETHER, follow, number_of, read_back, write
from sasnet_plugin.predict import Answer
from sasnet_plugin.predict.findings import QuantitiesFinding, Value
from sasnet_plugin.types import DataError, SasnetError

NAMES = HEADS[0].names

runner = CliRunner()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(8)


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_zoo(tmp_path / "zoo", "gisas_growth")
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(folder))
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def guess(value: float) -> Answer:
    distance = Value(value, 0.1 * value, 0.9 * value, 1.2 * value, "Å")
    return Answer("", "", 0.9, (QuantitiesFinding(HEADS[0], {"distance": distance}),))


def test_no_more_than_a_few_frames_are_held() -> None:
    held: list[int] = []
    read = 0

    def source() -> Iterator[tuple[str, int]]:
        nonlocal read
        for number in range(100):
            read += 1
            yield "a", number

    def judge(some: list[int]) -> list[Answer]:
        held.append(len(some))
        return [guess(50.0 + one) for one in some]

    found = follow(source(), judge, NAMES)
    first = next(found)
    assert (first.number, first.values["distance"]) == (1, (50.0, 45.0, 60.0))
    assert read == TOGETHER
    assert [frame.number for frame in found] == list(range(2, 101))
    assert max(held) == TOGETHER


def test_lines_are_there_as_they_come_and_failures_among_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    seen: list[int] = []

    def judge(some: list[float]) -> list[Answer | Exception]:
        seen.append(len(rows_of(path)))
        return [guess(x) if x < 60 else DataError("x: too far; come back.") for x in some]

    source = [("a", 50.0), ("b", DataError("b: no image; give one.")), ("c", 70.0), ("d", 51.0), ("e", 52.0)]
    found = follow(source, judge, NAMES, interval=0.5)
    assert write(found, path, FILM) == (5, 2)
    assert seen == [0, TOGETHER]
    rows = rows_of(path)
    assert [row["frame"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [row["time"] for row in rows] == ["0", "0.5", "1", "1.5", "2"]
    assert [row["distance [Å]"] for row in rows] == ["50", "", "", "51", "52"]
    assert (rows[0]["distance_low [Å]"], rows[0]["distance_high [Å]"]) == ("45", "60")
    assert rows[1]["note"] == "b: no image; give one."
    assert rows[2]["note"] == "x: too far; come back."
    table = read_back(path, FILM)
    assert list(table.columns) == ["distance"]
    np.testing.assert_array_equal(table.columns["distance"][0], [50, np.nan, np.nan, 51, 52])


def test_numbers_with_an_error_have_a_band_as_well() -> None:
    answer = {"geometry": {"lattice": {"value": 350.0, "error": 2.0, "unit": "Å"}}, "notes": []}
    assert number_of(answer, "lattice") == pytest.approx((350.0, 346.71, 353.29))
    assert number_of(answer, "radius") is None


def test_long_series_are_thinned_for_the_figure(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write(follow((("a", i) for i in range(950)), lambda x: [guess(50.0 + i) for i in x], NAMES),
          path, FILM)  # fmt: skip
    table = read_back(path, FILM, most=100)
    assert 90 <= table.time.size <= 100
    np.testing.assert_allclose(table.columns["distance"][0], 50 + table.time)


def test_a_table_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SasnetError, match="another file"):
        write(iter(()), tmp_path / "none" / "a.csv", FILM)


@pytest.mark.parametrize("given", ["a mistyped name", "broken", "an empty folder", "Ctrl-C"])
def test_an_earlier_table_is_not_destroyed_by_what_has_no_answer(
    given: str, zoo: Path, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = write_stack(tmp_path / "film.tif", frames(2, rng))
    out, other = tmp_path / "growth.csv", tmp_path / "other"
    assert runner.invoke(app, ["follow", str(stack), "--out", str(out)]).exit_code == 0
    before = out.read_bytes()
    if given == "broken":
        other.write_bytes(b"###CBF: broken")
    elif given == "an empty folder":
        other.mkdir()
    elif given == "Ctrl-C":
        other = stack
        monkeypatch.setattr("sasnet_plugin.images.series._make_frames", _interrupted)
    result = runner.invoke(app, ["follow", str(other), "--out", str(out), "--force"])
    assert result.exit_code != 0
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if "tmp" in path.name) == []
    said = " ".join(result.output.split())
    wanted = {"broken": "so the earlier table was kept", "a mistyped name": "no such file", "Ctrl-C": ""}
    assert wanted.get(given, str(other)) in said
    monkeypatch.undo()


def _interrupted(*arguments: object) -> Iterator[object]:
    raise KeyboardInterrupt


@pytest.mark.parametrize("kind", ["tiff", "nexus", "cbf"])
def test_a_stack_a_stream_and_a_folder_are_followed(
    kind: str, zoo: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    values = frames(6, rng)
    source = tmp_path / "series"
    source.mkdir()
    if kind == "tiff":
        write_stack(source / "film.tif", values)
    elif kind == "nexus":
        write_nexus(source / "film.nxs", values)
    else:
        for number, one in enumerate(values):
            write_cbf(source / f"film_{number:05d}.cbf", one, "# Count_cutoff 1048574 counts\r\n")
        (source / "geometry.toml").write_text(GEOMETRY, encoding="utf-8")
    (source / "a_preview.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    out, plot = tmp_path / "growth.csv", tmp_path / "growth.png"
    result = runner.invoke(
        app, ["follow", str(source), "--out", str(out), "--plot", str(plot), "--interval", "0.1"]
    )
    assert result.exit_code == 0, result.output
    assert result.stderr.count(f"{source}/a_preview.png: this is a PNG image. Pictures in the folder") == 1
    rows = rows_of(out)
    assert len(rows) == 6
    assert rows[-1]["time"] == "0.5"
    for row in rows:
        low, value, high = (float(row[f"distance{end} [Å]"]) for end in ("_low", "", "_high"))
        assert low < value < high
        assert row["note"] == ""
    # One film is not another, and a frame is answered as it would be alone.
    assert rows[0]["radius [Å]"] != rows[5]["radius [Å]"]
    image = next(p for p in sorted(source.iterdir()) if p.suffix not in (".toml", ".png"))
    alone = runner.invoke(app, ["classify", str(image), "--domain", "gisas_growth", "--json"])
    first = json.loads(alone.output.splitlines()[0])["quantities"]["distance"]["value"]
    assert first == pytest.approx(float(rows[0]["distance [Å]"]), rel=1e-4)
    assert plot.stat().st_size > 5000


def test_frames_that_cannot_be_read_do_not_end_the_series(
    zoo: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    values = frames(3, rng)
    values[1] = 0
    stack = write_stack(tmp_path / "film.tif", values)
    (tmp_path / "broken.cbf").write_bytes(b"###CBF: broken")
    out = tmp_path / "growth.csv"
    result = runner.invoke(app, ["follow", str(tmp_path / "broken.cbf"), str(stack), "--out", str(out)])
    rows = rows_of(out)
    assert result.exit_code == 1
    assert rows[0]["note"].startswith(str(tmp_path / "broken.cbf"))
    assert len(rows) == 4
    assert [bool(row["distance [Å]"]) for row in rows] == [False, True, False, True]
    assert [bool(row["note"]) for row in rows] == [True, False, True, False]
    assert "frame 2" in rows[2]["note"]


def test_frames_out_of_scope_have_lines_without_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path / "zoo", "gisas_growth", scope_bias=-5.0)))
    stack = write_stack(tmp_path / "film.tif", frames(2, rng))
    out = tmp_path / "growth.csv"
    result = runner.invoke(app, ["follow", str(stack), "--out", str(out), "--plot", str(tmp_path / "a.png")])
    assert result.exit_code == 1
    assert "nothing to draw" in result.output
    assert [row["distance [Å]"] for row in rows_of(out)] == ["", ""]


@pytest.mark.parametrize("option", [["--watch"], ["--model", "sphere"], ["--q-range", "0.01:0.1"]])
def test_what_is_for_curves_is_refused_of_images(
    option: list[str], tmp_path: Path, rng: np.random.Generator
) -> None:
    stack = write_stack(tmp_path / "film.tif", frames(2, rng))
    result = runner.invoke(app, ["follow", str(stack), "--out", str(tmp_path / "a.csv"), *option])
    assert result.exit_code == 2
    assert "for curves" in result.output
