"""Answers about growing films: bands in their units, strangers refused, the geometry heeded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sasnet_plugin.predict.growth import OUT_OF_SCOPE, Outputs, decode, open_growth
from sasnet_plugin.zoo.growth_manifest import parse_growth_manifest
from tinygrowth import GEOMETRY, SEEN, frames, manifest_entries, network, write_stack, write_zoo
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.simulate.growth.quantities import NAMES, QUANTITIES, scaled
from sasnet_plugin.types import DataError, GrazingIncidence, Image, ModelZooError

runner = CliRunner()


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_zoo(tmp_path / "zoo")
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


def outputs(values: dict[str, float], log_sigma: float) -> Outputs:
    head = np.zeros((1, len(NAMES), 2), np.float32)
    head[0, :, 0], head[0, :, 1] = scaled(values), log_sigma
    return Outputs(head, np.full((1, 1), 2.0, np.float32))


def test_outputs_become_values_and_bands() -> None:
    truth = {
        "distance": 90.0, "distance_spread": 12.0, "radius": 30.0, "aspect": 1.1, "radius_pd": 0.2,
        "coverage": 0.4, "metal": 8.0, "polymer": 250.0,
    }  # fmt: skip
    manifest = parse_growth_manifest(json.dumps(manifest_entries(b"")), "here")
    one = outputs(truth, -2.0)
    found = decode(one, one, np.array([0.7]), manifest)
    np.testing.assert_allclose(found.values[0], [truth[name] for name in NAMES], rtol=1e-5)
    assert np.all(found.low < found.values)
    assert np.all(found.values < found.high)
    # Lengths have a factor, thickness of the polymer a distance.
    column = NAMES.index("distance")
    low, high = found.low[0, column], found.high[0, column]
    assert low * high == pytest.approx(90.0**2)
    step = np.log(200 / 40) / np.sqrt(12)
    assert high / 90.0 == pytest.approx(np.exp(1.645 * np.exp(-2.0) * step), rel=1e-4)
    column = NAMES.index("polymer")
    assert found.low[0, column] + found.high[0, column] == pytest.approx(500.0)
    # A wider band where the network is less sure, or calibration says so.
    wider = decode(outputs(truth, -1.0), outputs(truth, -1.0), np.array([0.7]), manifest)
    assert np.all(wider.high - wider.low > found.high - found.low)
    short = decode(one, one, np.array([-0.7]), manifest)
    column = NAMES.index("polymer")
    assert short.high[0, column] - 250 == pytest.approx(2 * (found.high[0, column] - 250))
    np.testing.assert_array_equal(short.values, found.values)
    assert found.in_scope[0] == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_an_image_gets_every_quantity_with_its_unit(zoo: Path, image: Image) -> None:
    (guess,) = open_growth().suggest([image])
    assert tuple(guess.quantities) == NAMES
    for quantity in QUANTITIES:
        value, low, high, unit = guess.quantities[quantity.name]
        assert low < value < high
        assert unit == quantity.unit
    assert (guess.file, guess.entry) == ("film.tif", "frame 3")
    mirrored = replace(image, counts=image.counts[:, ::-1])
    (other,) = open_growth().suggest([mirrored])
    for name in NAMES:
        assert other.quantities[name][:3] == pytest.approx(guess.quantities[name][:3], rel=1e-4)


def test_other_wavelengths_and_strangers_get_no_quantities(
    zoo: Path, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (guess,) = open_growth().suggest([replace(image, geometry=replace(image.geometry, wavelength=1.54))])
    assert guess.quantities == {}
    assert guess.in_scope == 0
    assert OUT_OF_SCOPE in guess.notes
    assert any("wavelength = 1.54 Å" in note for note in guess.notes)
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path / "other", scope_bias=-4.0)))
    (guess,) = open_growth().suggest([image])
    assert guess.quantities == {}
    assert OUT_OF_SCOPE in guess.notes


def test_one_bad_image_does_not_take_the_others_with_it(zoo: Path, image: Image) -> None:
    far = replace(image, geometry=replace(image.geometry, phi=image.geometry.phi + 50))
    good, bad = open_growth().outcomes([image, far])
    assert good.quantities  # type: ignore[union-attr]
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


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"calibration": {"bands": [{"level": 1, "factors": [1]}], "scope": [1, 0]}}, "one factor"),
        ({"calibration": {"bands": [], "scope": [1, 0]}}, "one factor"),
        ({"stated": {"wavelength": [0.9, 1.0]}}, "alpha_i"),
        ({"window": {"rows": 64}}, "malformed"),
        ({"sha256": {}}, "model.onnx"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ModelZooError, match=said):
        parse_growth_manifest(json.dumps(manifest_entries(network(), **changes)), "here")


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
    pages = sorted(folder.glob("*.html"))
    assert len(pages) == 2
    text = pages[0].read_text(encoding="utf-8")
    assert text.count("<svg") == 2
    for word in ("Clusters", "distance", "Where the network looks", "specular beam", "90 % band"):
        assert word in text
    value = json.loads(result.output.splitlines()[0])["quantities"]["distance"]["value"]
    assert f"{value:.3g}" in text


def test_curves_have_their_pages_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_text("\n".join(f"{q:g} {1 / q:g}" for q in np.linspace(0.01, 0.3, 60)))
    result = runner.invoke(app, ["classify", str(tmp_path / "a.dat"), "--report", str(tmp_path / "pages")])
    assert result.exit_code == 2
    assert "sasnet fit --report" in result.output
