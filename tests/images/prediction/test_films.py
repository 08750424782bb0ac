"""Answers about growing films: bands in their units, strangers refused, the geometry heeded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tinypatterns import GEOMETRY, SEEN, frames, write_stack
from tinyzoo import manifest_entries, write_zoo
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.images.growth.specification import FILM, HEADS
from sasnet_plugin.predict import Answer, open_predictor
from sasnet_plugin.predict.decoding import compute_in_scope, decode
from sasnet_plugin.predict.findings import QuantitiesFinding, Value
from sasnet_plugin.types import DataError, GrazingIncidence, Image

NAMES = tuple(parameter.name for parameter in FILM)

runner = CliRunner()


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_zoo(tmp_path / "zoo", "gisas_growth")
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(folder))
    return folder


@pytest.fixture
def image() -> Image:
    counts = frames(1, np.random.default_rng(1))[0][::-1].astype(float)
    alpha_f, phi = SEEN.centres()
    return Image(
        counts,
        np.ones(counts.shape, bool),
        GrazingIncidence(phi, alpha_f, 0.96, 0.4),
        file="film.tif",
        entry="frame 3",
    )


def quantities(answer: Answer) -> dict[str, Value]:
    found = answer.finding(QuantitiesFinding)
    assert found is not None
    return found.present_values


def decoded(values: dict[str, float], log_sigma: float, level: float) -> dict[str, Value]:
    head = np.zeros((1, len(NAMES), 2), np.float32)
    head[0, :, 0] = [parameter.scale_value(values[parameter.name]) for parameter in FILM]
    head[0, :, 1] = log_sigma
    outputs = {"quantities": head, "scope": np.full((1, 1), 2.0), "level": np.array([level])}
    said = manifest_entries(domain="gisas_growth")["calibration"]
    assert compute_in_scope(HEADS[1], outputs, said["scope"])[0] == pytest.approx(1 / (1 + np.exp(-2.0)))
    ((found,),) = decode(HEADS, outputs, said)
    return found.present_values


def test_outputs_become_values_and_bands() -> None:
    truth = {
        "distance": 90.0, "distance_spread": 12.0, "radius": 30.0, "aspect": 1.1, "radius_pd": 0.2,
        "coverage": 0.4, "metal": 8.0, "polymer": 250.0,
    }  # fmt: skip
    found = decoded(truth, -2.0, 0.7)
    assert {name: v.value for name, v in found.items()} == pytest.approx(truth, rel=1e-5)
    assert all(v.low < v.value < v.high for v in found.values())
    # Lengths have a factor, thickness of the polymer a distance.
    distance, polymer = found["distance"], found["polymer"]
    assert distance.low * distance.high == pytest.approx(90.0**2)
    step = np.log(200 / 40) / np.sqrt(12)
    assert distance.high / 90.0 == pytest.approx(np.exp(1.645 * np.exp(-2.0) * step), rel=1e-4)
    assert polymer.low + polymer.high == pytest.approx(500.0)
    # A wider band where the network is less sure, or calibration says so.
    wider = decoded(truth, -1.0, 0.7)
    assert all(wider[name].high - wider[name].low > v.high - v.low for name, v in found.items())
    short = decoded(truth, -2.0, -0.7)
    assert short["polymer"].high - 250 == pytest.approx(2 * (polymer.high - 250))
    assert {name: v.value for name, v in short.items()} == {name: v.value for name, v in found.items()}


def test_an_image_gets_every_quantity_with_its_unit(zoo: Path, image: Image) -> None:
    (answer,) = open_predictor("gisas_growth").answers([image])
    found = quantities(answer)
    assert tuple(found) == NAMES
    assert [found[parameter.name].unit for parameter in FILM] == [parameter.unit for parameter in FILM]
    assert (answer.file, answer.entry) == ("film.tif", "frame 3")
    (other,) = open_predictor("gisas_growth").answers([replace(image, counts=image.counts[:, ::-1])])
    for name, value in quantities(other).items():
        assert (value.low, value.high) == pytest.approx((found[name].low, found[name].high), rel=1e-4)


def test_other_wavelengths_and_strangers_get_no_quantities(
    zoo: Path, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (guess,) = open_predictor("gisas_growth").answers(
        [replace(image, geometry=replace(image.geometry, wavelength=1.54))]
    )
    assert quantities(guess) == {}
    assert guess.in_scope == 0
    assert guess.scope.outside in guess.notes
    assert any("wavelength = 1.54 Å" in note for note in guess.notes)
    monkeypatch.setenv(
        "SASNET_MODEL_ZOO", str(write_zoo(tmp_path / "other", "gisas_growth", scope_bias=-4.0))
    )
    (guess,) = open_predictor("gisas_growth").answers([image])
    assert quantities(guess) == {}
    assert guess.scope.outside in guess.notes


def test_one_bad_image_does_not_take_the_others_with_it(zoo: Path, image: Image) -> None:
    far = replace(image, geometry=replace(image.geometry, phi=image.geometry.phi + 50))
    good, bad = open_predictor("gisas_growth").outcomes([image, far])
    assert quantities(good)  # type: ignore[arg-type]
    assert isinstance(bad, DataError)
    assert "film.tif" in str(bad)


def test_classify_answers_in_a_table_and_in_json(zoo: Path, tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "film.tif", frames(2, np.random.default_rng(2)))
    plot = tmp_path / "film.png"
    result = runner.invoke(app, ["classify", str(stack), "--domain", "gisas_growth", "--plot", str(plot)])
    assert result.exit_code == 0, result.output
    assert "distance" in result.output
    assert "90 % band" in result.output
    assert plot.stat().st_size > 5000
    result = runner.invoke(app, ["classify", str(stack), "--domain", "gisas_growth", "--json"])
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert [line["entry"] for line in lines] == ["frame 1", "frame 2"]
    distance = lines[0]["quantities"]["distance"]
    assert distance["low"] < distance["value"] < distance["high"]
    assert distance["unit"] == "Å"
    assert 0 <= lines[0]["in_scope"] <= 1


def test_no_models_can_be_chosen(zoo: Path, tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "film.tif", frames(1, np.random.default_rng(2)))
    result = runner.invoke(app, ["classify", str(stack), "--domain", "gisas_growth", "--models", "sphere"])
    assert result.exit_code != 0
    assert "Traceback" not in result.output


def test_the_geometry_of_a_folder_serves_all_its_images(zoo: Path, tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "film.tif", frames(1, np.random.default_rng(2)))
    stack.with_suffix(".toml").unlink()
    (tmp_path / "geometry.toml").write_text(GEOMETRY, encoding="utf-8")
    result = runner.invoke(app, ["classify", str(stack), "--domain", "gisas_growth", "--json"])
    assert result.exit_code == 0, result.output
    stack.with_suffix(".toml").write_text("wavelength = 1.54\n", encoding="utf-8")
    result = runner.invoke(app, ["classify", str(stack), "--domain", "gisas_growth", "--json"])
    assert "wavelength = 1.54 Å is outside" in result.output


def test_a_page_shows_pattern_quantities_and_where_the_network_looked(zoo: Path, tmp_path: Path) -> None:
    stack = write_stack(tmp_path / "film.tif", frames(2, np.random.default_rng(2)))
    folder = tmp_path / "pages"
    result = runner.invoke(
        app, ["classify", str(stack), "--domain", "gisas_growth", "--report", str(folder), "--json"]
    )
    assert result.exit_code == 0, result.output
    pages = sorted(folder.glob("film-frame-*.html"))
    assert len(pages) == 2
    assert (folder / "index.html").exists()
    text = pages[0].read_text(encoding="utf-8")
    assert text.count("<svg") == 3
    for word in ("Quantities", "distance", "Where the network looks", "specular beam", "90 % band"):
        assert word in text
    value = json.loads(result.output.splitlines()[0])["quantities"]["distance"]["value"]
    assert f"{value:.3g}" in text
