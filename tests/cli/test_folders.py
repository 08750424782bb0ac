"""``sasnet classify FOLDER``: a line a file, a table, an overview; tables on request."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from tinyzoo import network, sphere_curve, write_zoo
from typer.testing import CliRunner

from sasnet_plugin.cli.files import many
from sasnet_plugin.cli.main import app

pytestmark = pytest.mark.usefixtures("zoo")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    runs.mkdir()
    for name, radius in (("a.dat", 60.0), ("b.dat", 90.0)):
        np.savetxt(runs / name, np.column_stack(sphere_curve(radius)))
    (runs / "letter.txt").write_text("Dear colleague, the beam was down.\n", encoding="utf-8")
    return runs


def _run(*arguments: object) -> tuple[int, list[str], str]:
    result = CliRunner().invoke(app, ["classify", *map(str, arguments)])
    return result.exit_code, result.stdout.splitlines(), result.stderr


def test_one_line_a_file_and_tables_on_request(folder: Path) -> None:
    code, lines, said = _run(folder)
    assert code == 1
    assert [line.split()[0] for line in lines] == ["a.dat", "b.dat", "2"]
    assert "%" in lines[0]
    assert "sasnet batch" in lines[-1]
    assert "letter.txt" in said
    assert len(_run(folder, "--details")[1]) > 12
    assert len(_run(folder, "--quiet")[1]) == 2
    assert len(_run(folder / "a.dat", "--quiet")[1]) == 1
    assert many([str(folder / "*.dat")])
    assert not many([str(folder / "a.dat"), "missing.dat"])


def test_a_doubt_comes_before_the_model_that_it_is_about(
    folder: Path, example_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubtful = write_zoo(tmp_path / "doubtful", onnx_bytes=network(scope_bias=-4.0))
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(doubtful))
    said = _run(folder)[1][0]
    assert re.search("perhaps no known model.* [0-9]+ %", said)
    shutil.copy(example_data / "latex_smeared.xml", folder)  # two entries
    said = next(line for line in _run(folder)[1] if line.startswith("latex_smeared.xml"))
    assert said.endswith("perhaps no known model in 2 of them")


def test_a_table_and_an_overview_name_what_has_no_answer(folder: Path, tmp_path: Path) -> None:
    table, pages = tmp_path / "a.csv", tmp_path / "pages"
    for _ in range(2):  # the same command again replaces what it wrote
        assert _run(folder, "--csv", table, "--report", pages)[0] == 1
    assert table.read_text(encoding="utf-8").count("\n") == 4
    assert "3 data sets, 1 without an answer" in (pages / "index.html").read_text(encoding="utf-8")
    table.write_text("mine")
    assert _run(folder, "--csv", table)[0] == 1
    assert table.read_text() == "mine"


def test_earlier_outputs_are_left_out_of_a_folder_and_a_pattern(folder: Path) -> None:
    """A second run on the same folder read tables and pages of the first as data."""
    outputs = ("--csv", folder / "a.csv", "--report", folder / "pages", "--plot", folder / "a.png")
    first = _run(folder, *outputs)
    for given in (folder, folder / "*"):
        _, lines, said = _run(given, *outputs)
        assert lines == first[1]
        # Of a pattern the folder of pages is one match, and the others beside it.
        assert f"{given}: 5 outputs of sasnet are skipped; name such a file itself to read it." in said
        assert said.count("no table of numbers") == 1  # the letter
    code, _, said = _run(folder / "pages")
    assert (code, said.count("3 outputs of sasnet are skipped")) == (1, 1)
    # What is named is read.
    assert "a.csv: it holds no table of numbers" in _run(folder / "a.csv")[2]


def test_entries_of_a_file_that_fail_are_one_sentence_in_its_place(folder: Path, tmp_path: Path) -> None:
    """A file of five hundred tables of another kind wrote five hundred sentences."""
    diffraction = np.column_stack([np.linspace(5.0, 9.0, 30), np.linspace(3.0, 1.0, 30)])
    with (folder / "0.dat").open("w") as file:
        for _ in range(4):
            np.savetxt(file, diffraction, header="q(1/A) I")
    table = tmp_path / "t.csv"
    code, lines, said = _run(folder, "--csv", table)
    assert code == 1
    assert [line.split()[0] for line in lines] == ["a.dat", "b.dat", "2"]
    first, second = said.splitlines()
    assert first.startswith(f"{folder / '0.dat'}: none of its 30 points lies in the trained range")
    assert first.endswith("(So 3 more entries have no answer.)")
    assert "letter.txt" in second
    with table.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["entry"] for row in rows] == ["0 1", "0 2", "0 3", "0 4", "a", "b", ""]


@pytest.mark.parametrize(
    ("option", "name", "sentence"),
    [
        ("--plot", "missing/a.png", "there is no folder"),
        ("--csv", "missing/a.csv", "there is no folder"),
        ("--plot", "a.jpg", "a figure's name ends in .png, .svg"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_read(
    folder: Path, tmp_path: Path, option: str, name: str, sentence: str
) -> None:
    code, lines, said = _run(folder, option, tmp_path / name)
    assert (code, lines) == (1, [])
    assert sentence in said
    assert "letter.txt" not in said


def test_the_next_command_takes_a_name_that_begins_with_a_dash(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    shutil.copy("a.dat", "-a.dat")
    assert any(line.startswith("Next: sasnet fit ./-a.dat  # ") for line in _run("./-a.dat")[1])
