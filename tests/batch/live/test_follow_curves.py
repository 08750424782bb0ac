"""Curves are followed into a table: once each, in order, whatever kills it, with their changes."""

from __future__ import annotations

import csv
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.batch.live import run as live
from sasnet_plugin.batch.live.table import Table
from sasnet_plugin.cli.main import app

Q = np.geomspace(0.01, 0.3, 100)
runner = CliRunner()


def sphere(radius: float) -> np.ndarray:
    radii = radius * np.linspace(0.75, 1.25, 15)
    weight = np.exp(-0.5 * ((radii / radius - 1) / 0.1) ** 2) * radii**6
    x = Q[:, None] * radii
    return (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 @ weight / weight.sum()


def write(folder: Path, radii: list[float], first: int = 1) -> None:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(first)
    for number, radius in enumerate(radii, start=first):
        sigma = 0.02 * sphere(radius) + 1e-4
        noisy = sphere(radius) + sigma * rng.standard_normal(Q.size)
        np.savetxt(folder / f"run{number}.dat", np.c_[Q, noisy, sigma])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def follow(*arguments: object) -> object:
    return runner.invoke(app, ["follow", *map(str, arguments)])


def test_pictures_in_a_folder_are_no_frames_and_one_sentence_says_so(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "t.csv"
    write(folder, [40.0, 40.0])
    for name, head in (("preview.png", b"\x89PNG\r\n\x1a\n"), ("run1.jpg", b"\xff\xd8\xff\xe0")):
        (folder / name).write_bytes(head + bytes(64))
    result = follow(folder, "--out", out)
    assert result.exit_code == 0, "every curve has an answer"
    assert [Path(row["file"]).name for row in rows_of(out)] == ["run1.dat", "run2.dat"]
    assert result.stderr == (
        f"{folder}/preview.png: this is a PNG image. Pictures in the folder are skipped, as they hold no"
        " detector counts; follow the detector's TIFF, CBF, EDF or HDF5 files.\n"
    )


def test_a_folder_of_pictures_and_a_picture_by_its_name_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "run1.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    for given in (folder, folder / "run1.png"):
        result = follow(given, "--out", tmp_path / f"{given.name}.csv")
        assert result.exit_code != 0
        assert f"{folder}/run1.png: this is a PNG image" in result.stderr
        assert "the detector's TIFF, CBF, EDF or HDF5 file" in result.stderr


def test_a_folder_becomes_a_table_with_changes_and_numbers(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "t.csv"
    write(folder, [40.0] * 8 + [50.0] * 6)
    result = follow(folder, "--out", out, "--model", "sphere", "--hdf5", tmp_path / "t.h5",
                    "--page", tmp_path / "t.html", "--plot", tmp_path / "t.png",
                    "--interval", 0.1)  # fmt: skip
    assert result.exit_code == 0, result.output
    rows = rows_of(out)
    assert [Path(row["file"]).name for row in rows] == [f"run{k}.dat" for k in range(1, 15)]
    assert rows[-1]["time"] == "1.3"
    for row, radius in zip(rows, [40.0] * 8 + [50.0] * 6, strict=True):
        value, error = float(row["radius [Ang]"]), float(row["radius_error [Ang]"])
        assert abs(value - radius) < max(5 * error, 0.5)
        shares = [float(row[name]) for name in row if name.startswith("p ")]
        assert sum(shares) == pytest.approx(1, abs=1e-3)
        assert float(row["rg_error [Å]"]) > 0
    assert [row["change_from"] for row in rows if row["change_from"]] == ["9"]
    assert "From frame 9 on" in result.output
    assert "Rg" in result.output
    with h5py.File(tmp_path / "t.h5") as file:
        assert file["frames"].shape == (14,)
        assert file["changes"]["first"].tolist() == [9]
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert "From frame 9 on" in page
    assert 'http-equiv="refresh"' not in page
    assert (tmp_path / "t.png").stat().st_size > 5000


class Killed(BaseException):
    """As SIGKILL leaves things: nothing after it runs that the disk would show."""


@pytest.mark.parametrize("where", ["before the line", "in the line", "before the state", "in the state"])
def test_a_kill_at_any_moment_loses_and_doubles_nothing(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out, whole = tmp_path / "in", tmp_path / "t.csv", tmp_path / "whole.csv"
    write(folder, [40.0] * 9 + [46.0] * 9)
    monkeypatch.setattr(live, "TOGETHER", 2)
    monkeypatch.setattr(live, "KEEP", 0.0)
    assert follow(folder, "--out", whole).exit_code == 0
    add, put = Table.add, live.put_whole
    for after in (2, 3, 2):
        count = [0, after]

        def dying_add(table: Table, cells: object, notes: object, count: list[int] = count) -> None:
            count[0] += 1
            if count[0] == count[1] and where == "before the line":
                raise Killed
            add(table, cells, notes)  # type: ignore[arg-type]
            if count[0] == count[1] and where == "in the line":
                with out.open("a") as file:
                    file.write('19,"half of a')
                raise Killed

        def dying_put(path: Path, content: bytes, what: str, count: list[int] = count) -> None:
            last = count[0] == count[1]
            if last and where == "before the state":
                raise Killed
            put(path, content[:1000] if last and where == "in the state" else content, what)
            if last and where == "in the state":
                raise Killed

        monkeypatch.setattr(Table, "add", dying_add)
        monkeypatch.setattr(live, "put_whole", dying_put)
        with pytest.raises(Killed):
            runner.invoke(app, ["follow", str(folder), "--out", str(out)], catch_exceptions=False)
    monkeypatch.setattr(Table, "add", add)
    monkeypatch.setattr(live, "put_whole", put)
    assert follow(folder, "--out", out).exit_code == 0
    rows, expected = rows_of(out), rows_of(whole)
    # Where the state was torn, the series before it is read again from its files.
    assert [(row["frame"], row["file"], row["rg [Å]"], row["change_from"]) for row in rows] == [
        (row["frame"], row["file"], row["rg [Å]"], row["change_from"]) for row in expected
    ]


def test_the_same_command_goes_on_and_another_series_is_refused(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "t.csv"
    write(folder, [40.0] * 3)
    assert follow(folder, "--out", out).exit_code == 0
    write(folder, [40.0] * 2, first=4)
    assert follow(folder, "--out", out).exit_code == 0
    assert [row["frame"] for row in rows_of(out)] == ["1", "2", "3", "4", "5"]
    before = out.read_bytes()
    write(tmp_path / "other", [30.0])
    result = follow(tmp_path / "other", "--out", out)
    assert result.exit_code == 1
    assert "holds frames of other files" in " ".join(result.output.split())
    result = follow(folder, "--out", out, "--model", "sphere")
    assert "no table of these columns" in " ".join(result.output.split())
    (tmp_path / "mistyped.dat").write_text("no curve\n")
    result = follow(tmp_path / "mistyped.dat", "--out", out, "--force")
    assert "so the earlier table was kept" in " ".join(result.output.split())
    assert out.read_bytes() == before


def test_a_growing_file_is_watched(tmp_path: Path) -> None:
    path, out = tmp_path / "run.h5", tmp_path / "t.csv"
    sigma = 0.02 * sphere(40.0)

    def written() -> None:
        rng = np.random.default_rng(1)
        with h5py.File(path, "w", libver="latest") as file:
            data = file.create_group("entry/data")
            data.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": [".", "radial_axis"]})
            data["radial_axis"] = Q
            data["radial_axis"].attrs["units"] = "1/angstrom"
            sets = [
                data.create_dataset(name, (0, Q.size), maxshape=(None, Q.size), chunks=(1, Q.size))
                for name in ("I", "I_errors")
            ]
            file.swmr_mode = True
            for number in range(12):
                for one, values in zip(
                    sets, (sphere(40.0) + sigma * rng.standard_normal(Q.size), sigma), strict=True
                ):
                    one.resize(number + 1, axis=0)
                    one[number] = values
                    one.flush()
                time.sleep(0.1)

    writer = threading.Thread(target=written)
    writer.start()
    time.sleep(0.5)
    result = follow(path, "--out", out, "--watch", "--quiet-for", "3")
    writer.join()
    assert result.exit_code == 0, result.output
    assert [row["part"] for row in rows_of(out)] == [str(k) for k in range(1, 13)]


@pytest.mark.parametrize("fill", [0.0, np.nan])
@pytest.mark.parametrize("room", ["of each frame", "of all frames"])
def test_frames_whose_room_is_there_before_their_values_are_not_lost(
    tmp_path: Path, room: str, fill: float
) -> None:
    path, out, frames = tmp_path / "run.h5", tmp_path / "t.csv", 4
    sigma, ready = 0.02 * sphere(40.0), threading.Event()

    def write_frames() -> None:
        rng, all_at_once = np.random.default_rng(1), room == "of all frames"
        with h5py.File(path, "w", libver="latest") as file:
            data = file.create_group("entry/data")
            data.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": [".", "radial_axis"]})
            data["radial_axis"] = Q
            data["radial_axis"].attrs["units"] = "1/angstrom"
            shape = (frames if all_at_once else 0, Q.size)
            sets = [
                data.create_dataset(name, shape, maxshape=(None, Q.size), chunks=(1, Q.size), fillvalue=fill)
                for name in ("I", "I_errors")
            ]
            file.swmr_mode = True
            ready.set()
            for number in range(frames):
                if not all_at_once:
                    for one in sets:
                        one.resize(number + 1, axis=0)
                        one.flush()
                # Longer than a file has to stand still, for each of the two arrays.
                for one, values in zip(
                    sets, (sphere(40.0) + sigma * rng.normal(size=Q.size), sigma), strict=True
                ):
                    time.sleep(0.5)
                    one[number] = values
                    one.flush()

    writer = threading.Thread(target=write_frames)
    writer.start()
    ready.wait()
    result = follow(path, "--out", out, "--watch", "--quiet-for", "3")
    writer.join()
    assert result.exit_code == 0, result.output
    rows = rows_of(out)
    assert [row["part"] for row in rows] == [str(k) for k in range(1, frames + 1)]
    # With its uncertainties each frame shows the radius of gyration of a sphere.
    assert all(abs(float(row["rg [Å]"]) / 40.0 - np.sqrt(0.6)) < 0.1 for row in rows)


def test_a_file_without_a_curve_has_its_line(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "t.csv"
    write(folder, [40.0] * 2)
    (folder / "run3.dat").write_text("no curve\n")
    result = follow(folder, "--out", out)
    assert result.exit_code == 1
    assert "run3.dat" in rows_of(out)[2]["note"]
    assert "3 frames, 1 of them without an answer" in result.output
    assert "The first without an answer: " in result.output
    # Given again it is tried again; as long as it is no curve it gets no other line.
    follow(folder, "--out", out)
    assert len(rows_of(out)) == 3
    write(folder, [40.0], first=3)
    assert follow(folder, "--out", out).exit_code == 1
    assert [(row["part"], bool(row["note"])) for row in rows_of(out)][2:] == [("0", True), ("1", False)]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--geometry", "alpha_i=0.4"], "images"),
        (["--quiet-for", "3"], "--watch"),
        (["--model", "sphre"], "sphre"),
    ],
)
def test_wrong_usage_is_said(option: list[str], said: str, tmp_path: Path) -> None:
    write(tmp_path / "in", [40.0])
    result = follow(tmp_path / "in", "--out", tmp_path / "t.csv", *option)
    assert result.exit_code in (1, 2)
    assert said in result.output


@pytest.mark.parametrize("name", ["nowhere", "nothing*.dat", "empty"])
def test_a_name_that_holds_nothing_is_said_and_leaves_no_table(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "t.csv"
    result = follow(tmp_path / name, "--out", out)
    assert result.exit_code == 1
    assert name in result.output
    assert "Traceback" not in result.output
    assert not out.exists()
