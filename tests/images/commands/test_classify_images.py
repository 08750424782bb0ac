"""``sasnet classify`` with patterns: found by their files, beside curves, each failure one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from tinypatterns import GEOMETRY, TOML, frames, pattern, write_stack
from tinyzoo import network, sphere_curve, write_zoo
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["classify", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def both(zoo: Path) -> Path:
    """A zoo with tiny networks for curves and for patterns."""
    return write_zoo(zoo, "gisas_hex")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = pattern(counts=1e6)
    path = tmp_path / "film.npy"
    np.save(path, image.counts)
    path.with_suffix(".toml").write_text(TOML)
    return path


def test_object_of_a_pattern(both: Path, picture: Path) -> None:
    code, out, err = run(picture, "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert set(answer) == {
        "file", "distribution", "geometry", "uniform_p_value", "deviance", "in_scope", "notes",
    }  # fmt: skip
    found = answer["distribution"]
    assert set(found) == {"xi_deg", "p", "p_low", "p_high"}
    assert all(len(column) == 120 for column in found.values())
    assert found["xi_deg"][:3] == [0.0, 0.5, 1.0]
    assert sum(found["p"]) == pytest.approx(1.0, abs=1e-3)
    assert answer["geometry"]["lattice"]["unit"] == "Å"
    assert answer["geometry"]["alpha_i"]["unit"] == "degrees"
    assert answer["deviance"] is None  # nothing was simulated again


def test_the_file_tells_its_kind(both: Path, picture: Path, tmp_path: Path) -> None:
    curve = tmp_path / "sphere.dat"
    np.savetxt(curve, np.column_stack(sphere_curve(60.0)))
    code, out, _ = run(curve, picture, curve, "--json")
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert ["models" in answer for answer in answers] == [True, False, True]
    assert "distribution" in answers[1]


def test_domain_can_be_said(both: Path, picture: Path) -> None:
    alone, told = run(picture, "--json"), run(picture, "--json", "--domain", "gisas_hex")
    assert alone == told
    code, _, err = run(picture, "--domain", "powder")
    assert code == 1
    assert "powder: no such kind of measurement" in err


def test_person_reads_a_picture_of_p_and_the_numbers(both: Path, picture: Path) -> None:
    code, out, _ = run(picture)
    assert code == 0
    assert "p(ξ), ξ 0 to 60 degrees" in out
    assert "lattice constant" in out  # what each quantity is stands beside it


def test_figure(both: Path, picture: Path, tmp_path: Path) -> None:
    code, _, err = run(picture, "--plot", tmp_path / "figure.png")
    assert (code, err) == (0, "")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--q-unit", "nm"], "has no q"),
        (["--q-range", "0.01:0.1"], "--q-range is only for curves"),
        (["--entry", "first"], "not a frame"),
        (["--entry", "3"], "there is no frame 3"),
    ],
)
def test_what_means_nothing_for_images_is_said(
    both: Path, picture: Path, options: list[str], word: str
) -> None:
    code, _, err = run(picture, *options)
    assert code == 1
    assert word in err
    assert err.count("\n") == 1


def test_models_are_not_for_images(both: Path, picture: Path) -> None:
    code, _, err = run(picture, "--domain", "gisas_hex", "--models", "sphere")
    assert code == 2
    assert "do not give --models or --exclude" in err.replace("\n", " ")


def test_no_geometry(both: Path, tmp_path: Path) -> None:
    path = tmp_path / "bare.npy"
    np.save(path, pattern().counts)
    code, out, err = run(path, "--json")
    assert code == 1
    sentence = json.loads(out)["error"]
    assert sentence.startswith(str(path))
    assert "wavelength" in sentence


def test_settings_beside_an_image_tell_which_kind_it_is(both: Path, tmp_path: Path) -> None:
    """Those of SANS were called mistyped ones of grazing incidence."""
    path = tmp_path / "sans.npy"
    np.save(path, np.random.default_rng(1).poisson(20.0, (128, 128)).astype(float))
    path.with_suffix(".toml").write_text(
        "wavelength = 6.0\nspread = 0.1\ndistance = 4000.0\ncollimation = 4000.0\nsource_radius = 8.0\n"
        "sample_radius = 4.0\npixel_size = 5.0\ndirect_beam = [63.5, 63.5]\n"
    )
    code, _, err = run(path)
    assert code == 1
    assert "--domain sans2d" in err
    assert "did you mean" not in err


def test_kinds_that_read_an_image_are_named_in_words(both: Path, tmp_path: Path) -> None:
    image = np.random.default_rng(1).poisson(20.0, (128, 128)).astype(float)
    np.save(tmp_path / "untold.npy", image)
    with h5py.File(tmp_path / "untold.h5", "w") as file:
        file["frames"] = image[None].astype(np.int32)
    for name in ("untold.npy", "untold.h5"):
        code, _, err = run(tmp_path / name)
        assert code == 1
        assert "xray_tags (X-ray scattering images of materials)" in err
        assert "with more geometry, gisas_hex (GISAS" in err
    assert "As GISAS patterns" in run(tmp_path / "untold.npy")[2]


def test_a_damaged_image_is_not_asked_about(both: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.cbf").write_bytes(b"###CBF: VERSION 1.5, CBFlib v0.7.8\n\ndata_x\n")
    code, _, err = run(tmp_path / "cut.cbf")
    assert code == 1
    assert "--domain" not in err


def test_settings_in_a_folder_of_images_are_no_measurements(both: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    np.save(folder / "film.npy", pattern().counts)
    (folder / "film.toml").write_text(TOML)
    (folder / "geometry.toml").write_text("wavelength = 1.34\n")
    for files in (folder, folder / "*"):
        code, _, err = run(files)
        assert (code, err) == (0, "")


def test_frames_of_a_stack_are_answered_one_by_one(both: Path, tmp_path: Path) -> None:
    path = tmp_path / "series.npy"
    np.save(path, np.stack([pattern(seed=k, counts=1e6).counts for k in range(3)]))
    path.with_suffix(".toml").write_text(TOML)
    code, out, _ = run(path, "--json")
    assert code == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == 3
    assert answers[0]["distribution"] != answers[1]["distribution"]


def test_verify_is_for_patterns(both: Path, tmp_path: Path) -> None:
    curve = tmp_path / "sphere.dat"
    np.savetxt(curve, np.column_stack(sphere_curve(60.0)))
    code, _, err = run(curve, "--verify")
    assert code == 1
    assert "sasnet fit" in err


def test_stranger_is_not_fitted(zoo: Path, picture: Path) -> None:
    write_zoo(zoo, "gisas_hex", onnx_bytes=network("gisas_hex", scope_bias=-3.0))
    code, out, _ = run(picture, "--json", "--verify")
    answer = json.loads(out)
    assert code == 0
    assert answer["deviance"] is None
    assert answer["uniform_p_value"] is None
    assert max(answer["distribution"]["p"]) < 0.01
    assert any("outside the training data of this model" in note for note in answer["notes"])
    assert any("Nothing was fitted" in note for note in answer["notes"])


def test_geometry_from_the_command_line(both: Path, picture: Path) -> None:
    beside = picture.with_suffix(".toml")
    _, there, _ = run(picture, "--json")
    lines = [line for line in TOML.splitlines() if line]
    beside.unlink()
    given = [part for line in lines for part in ("--geometry", line.replace('"', ""))]
    code, here, err = run(picture, "--json", *given)
    assert (code, err) == (0, "")
    assert json.loads(here) == json.loads(there)
    # What is given goes before what stands beside the image.
    beside.write_text(TOML)
    code, other, _ = run(picture, "--json", "--geometry", "alpha_i=0.17")
    assert code == 0
    known = [json.loads(text)["geometry"]["alpha_i"]["value"] for text in (there, other)]
    assert known[1] - known[0] == pytest.approx(0.01, abs=5e-3)


def test_geometry_that_is_none(both: Path, picture: Path, tmp_path: Path) -> None:
    code, _, err = run(picture, "--geometry", "alpha=0.2")
    assert code == 1
    assert "there is no setting 'alpha'; did you mean alpha_i" in err.replace("\n", " ")
    assert "Traceback" not in err
    code, _, err = run(picture, "--geometry", "alpha_i")
    assert code == 1
    assert "is not name=value, such as alpha_i=0.2" in err.replace("\n", " ")
    curve = tmp_path / "sphere.dat"
    np.savetxt(curve, np.column_stack(sphere_curve(60.0)))
    code, _, err = run(curve, "--geometry", "alpha_i=0.2")
    assert code == 1
    assert "--geometry is for images" in err.replace("\n", " ")


def test_who_knows_a_pattern_is_named_where_nobody_said_its_kind(both: Path, tmp_path: Path) -> None:
    """A frame of a growing film, taken for one of ordered particles, at a wavelength that these have not."""
    write_zoo(both, "gisas_growth")
    film = write_stack(tmp_path / "film.tif", frames(1, np.random.default_rng(2)))
    film.with_suffix(".toml").write_text(GEOMETRY)
    hint = "repeat with --domain gisas_growth"
    assert hint in run(film)[1]
    assert hint not in run(film, "--domain", "gisas_hex")[1], "who has said the kind is not asked again"
