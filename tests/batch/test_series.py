"""A series: each frame starts from the one before, changes of the model are said, parameters are drawn."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
from batchfiles import FAST
from typer.testing import CliRunner

from sasnet_plugin.batch.series import Frame, changes, draw, field_of, start_of
from sasnet_plugin.cli.main import app

SphereFile = Callable[..., Path]


def test_a_growing_sphere_is_followed_from_frame_to_frame(tmp_path: Path, sphere_file: SphereFile) -> None:
    radii = [50.0, 56.0, 62.0, 68.0, 74.0]
    for k, radius in enumerate(radii):
        # Frame 10 comes after frame 9, whatever a sorted list says.
        sphere_file(tmp_path / f"frame{k + 7}.dat", radius, header=f"temperature: {20 + 5 * k} C", seed=k)
    out = tmp_path / "grown.h5"
    arguments = [f"{tmp_path}/*.dat", "--out", out, "--series", "--against", "temperature", *FAST]
    done = CliRunner().invoke(app, ["batch", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    with out.with_suffix(".csv").open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [Path(row["file"]).stem for row in rows] == [f"frame{k}" for k in range(7, 12)]
    found = [float(row["radius"]) for row in rows]
    assert found == sorted(found)
    assert found == pytest.approx(radii, rel=0.03)
    # Scale and contrast do the same to a curve: with one contrast in all frames the scale says something.
    with h5py.File(out) as file:
        parameters = file["parameters"][:]
        contrast = parameters["value"][parameters["name"] == b"sld"]
    assert len(set(contrast)) == 1
    scale = np.array([float(row["scale"]) for row in rows])
    assert np.max(scale) / np.min(scale) < 1.1
    figure = out.with_suffix(".svg").read_text(encoding="utf-8")
    ElementTree.fromstring(figure)
    assert all(word in figure for word in ("radius / Å", "temperature", "sphere"))
    again = CliRunner().invoke(app, ["batch", *map(str, arguments)])
    assert "0 of 5 files to fit" in again.stderr
    assert out.with_suffix(".svg").read_text(encoding="utf-8") == figure


def record(model: str, radius: float) -> dict[str, Any]:
    def value(number: float, fixed: bool) -> dict[str, Any]:
        return {"value": number, "error": None if fixed else 0.1, "unit": "", "fixed": fixed}

    parameters = {
        "radius": value(radius, False), "radius_pd": value(0.1, False), "sld": value(3.0, True),
        "charge": value(2.0, True),
    }  # fmt: skip
    fit = {
        "model": model, "structure_factor": "hardsphere", "parameters": parameters,
        "distributions": {"radius": "schulz"},
    }  # fmt: skip
    return {"file": "/a", "rows": [{"fits": [fit]}]}


def test_a_start_is_the_best_fit_with_its_distributions_and_contrasts() -> None:
    start = start_of(record("sphere", 40.0))
    assert start is not None
    assert (start.model, start.structure_factor) == ("sphere", "hardsphere")
    assert start.parameters == {
        "radius": 40.0, "radius_pd": 0.1, "sld": 3.0, "charge": 2.0, "radius_pd_type": "schulz"
    }  # fmt: skip
    assert start.fixed == {"sld": 3.0}
    assert start_of(None) is None
    assert start_of({"file": "/a", "rows": [{"fits": []}]}) is None


def frame(number: int, model: str, **values: float) -> Frame:
    found = {name: (value, 0.1, "Ang") for name, value in values.items()}
    return Frame(number, f"/data/f{number}.dat", float(number), model, found)


def test_changes_of_the_model_are_said_and_drawn(tmp_path: Path) -> None:
    series = [
        frame(1, "sphere", radius=40.0, scale=1.0),
        frame(2, "sphere", radius=41.0, scale=1.0),
        frame(3, ""),
        frame(4, "cylinder", radius=30.0, length=200.0, scale=1.0),
    ]
    assert changes(series) == ["Frame 4 (f4.dat): sphere → cylinder."]
    assert changes(series[:3]) == []
    path = tmp_path / "s.svg"
    draw(series, path, "frame")
    text = path.read_text(encoding="utf-8")
    assert all(word in text for word in ("length / Å", "sphere", "cylinder"))
    png = tmp_path / "s.png"
    draw(series, png, "frame")
    assert png.read_bytes().startswith(b"\x89PNG")
    draw([frame(1, "")], path, "frame")  # nothing to draw is drawn as nothing
    ElementTree.fromstring(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("# Temperature: 25.5", 25.5),
        ("temperature = -3e1 K", -30.0),
        ("; temperature (C) 12", 12.0),
        ('<temperature unit="C">37.2</temperature>', 37.2),
        ('"temperature": 4,', 4.0),
        ("# sample_temperature: 9", math.nan),
        ("# temperature: warm\n0.01 2.0 0.1", math.nan),
        ("0.01 2.0 0.1", math.nan),
    ],
)
def test_a_field_of_a_text_file(tmp_path: Path, line: str, value: float) -> None:
    path = tmp_path / "a.dat"
    path.write_text(f"# title\n{line}\n", encoding="utf-8")
    assert field_of(path, "temperature") == pytest.approx(value, nan_ok=True)


def test_a_field_of_an_hdf5_file_and_of_none(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["entry/sample/temperature"] = np.array([295.0])
        file["entry/data/I"] = np.arange(5.0)
        file["entry"].attrs["pressure"] = 2.5
        file["entry/sample/name"] = "latex"
    assert field_of(path, "Temperature") == 295.0
    assert field_of(path, "pressure") == 2.5
    assert math.isnan(field_of(path, "I"))
    assert math.isnan(field_of(path, "name"))
    assert math.isnan(field_of(tmp_path / "none.h5", "temperature"))
