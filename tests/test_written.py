"""Outputs of sasnet are known by what they hold, whatever their name; measurements are none."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from made_results import SPHERE, answer
from matplotlib.figure import Figure

from sasnet_plugin.files import write_figure
from sasnet_plugin.report.exports.write_all import export
from sasnet_plugin.report.page.overview import Row, write_csv, write_overview
from sasnet_plugin.report.page.reports import write_report
from sasnet_plugin.written import is_written_by_sasnet


@pytest.fixture
def outputs(tmp_path: Path) -> list[Path]:
    found = answer(SPHERE)
    rows = [Row("a.dat", "", "Spheres.")]
    export(found, tmp_path)
    write_report(found, tmp_path)
    write_csv(rows, tmp_path / "table.csv")
    write_overview(rows, tmp_path, "Fits")
    for ending in ("png", "svg", "pdf"):
        write_figure(Figure(), tmp_path / f"figure.{ending}")
    (tmp_path / "answers.json").write_text(json.dumps(found.as_dict(), ensure_ascii=False), encoding="utf-8")
    return sorted(tmp_path.iterdir())


def test_every_output_is_known_under_any_name(outputs: list[Path], tmp_path: Path) -> None:
    assert len(outputs) >= 12
    for path in outputs:
        assert is_written_by_sasnet(path), path.name
        renamed = path.rename(tmp_path / "run 7.dat")
        assert is_written_by_sasnet(renamed), path.name


def test_measurements_and_what_others_wrote_are_no_outputs(example_data: Path, tmp_path: Path) -> None:
    for path in filter(Path.is_file, example_data.rglob("*")):
        assert not is_written_by_sasnet(path), path
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["creator"] = "another program"
        file.attrs["shape"] = np.arange(3)
    others = {"table.csv": "file,intensity\na,1\n", "a.json": '{"file": "a"}\n', "b.json": "[1, 2]\n"}
    for name, text in others.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for path in [*tmp_path.iterdir(), tmp_path / "missing", tmp_path]:
        assert not is_written_by_sasnet(path), path
