"""Small-angle-scattering images through the commands: what is answered, of files, sets and junk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.images.sans import simulation
from sasnet_plugin.images.sans.nexus import Setting, compute_pixel_resolution
from sasnet_plugin.images.sans.simulation import (
    Background,
    Direction,
    Posture,
    Sample,
    beam,
    row_of,
    simulate_measurement,
)
from sasnet_plugin.images.sans.specification import LABELS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Spheres near and far, and rods along 30 degrees, as columns Qx Qy I dI."""
    found, rng = tmp_path_factory.mktemp("sans"), np.random.default_rng(2)
    sphere = Sample("sphere", {"radius": 80.0}, "sphere", {"radius": 80.0, "radius_pd": 0.05})
    rods = Sample("cylinder", {"radius": 30.0}, "cylinder", {"radius": 30.0, "length": 300.0})
    turned = Direction(simulation.maier_saupe(simulation.strength_of(0.7)), np.radians(30.0))
    for name, posture, distance in (
        ("near", Posture(row_of(sphere)), 4000.0),
        ("far", Posture(row_of(sphere)), 12_000.0),
        ("rods", Posture(row_of(rods), turned), 4000.0),
    ):
        setting = Setting(6.0, 0.1, distance, distance, 15.0, 5.0, (5.3, 5.3))
        one = beam(simulation.INSTRUMENTS[-1], setting, rng)
        image = simulate_measurement(posture.intensity(one.true), one, Background(flat=0.05), rng, 5e5)
        keep, geometry = image.mask, image.geometry
        along, across = compute_pixel_resolution(setting, geometry.qx, geometry.qy)
        columns = geometry.qx, geometry.qy, image.counts, np.sqrt(image.counts + 1), along, across
        values = [column[keep] for column in columns]
        head = "Data columns Qx - Qy - I(Qx,Qy) - err(I) - SigmaQ_parall - SigmaQ_perp\nASCII data"
        np.savetxt(found / f"{name}.dat", np.stack(values, axis=1), header=head, comments="", fmt="%.6g")
    return found


def answers(*arguments: object) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["classify", "--json", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_an_isotropic_image_has_classes_and_models_of_its_curve(folder: Path) -> None:
    (found,) = answers(folder / "near.dat")
    assert list(found) == [
        "file", "entry", "classes", "quantities", "orientation", "models", "in_scope", "notes",
    ]  # fmt: skip
    assert {one["name"] for one in found["classes"]} <= set(LABELS)
    assert found["orientation"] is None
    # Which of the bodies that are alike at this noise comes first is the network's for curves to say.
    assert {"sphere", "core_shell_sphere"} & {one["name"] for one in found["models"]}
    assert "p2" not in found["quantities"]
    assert all(set(v) == {"value", "error", "unit"} for v in found["quantities"].values())


def test_oriented_rods_have_a_direction_and_are_no_curve(folder: Path) -> None:
    (found,) = answers(folder / "rods.dat")
    assert found["models"] is None
    said = found["orientation"]
    assert said["director_deg"]["value"] == pytest.approx(30, abs=3)
    assert len(said["xi_deg"]) == len(said["p"]) == len(said["p_low"]) == len(said["p_high"])
    best = said["xi_deg"][int(np.argmax(said["p"]))]
    assert abs((best - 30 + 90) % 180 - 90) <= 15


def test_two_settings_are_one_answer(folder: Path) -> None:
    (found,) = answers("--set", folder / "near.dat", folder / "far.dat")
    assert found["entry"] == "(2 settings)"
    result = CliRunner().invoke(app, ["classify", "--set", str(folder / "near.dat"), str(folder / "no.dat")])
    assert result.exit_code == 1
    assert "no such file" in result.output


def test_a_table_for_people_and_a_picture(folder: Path) -> None:
    picture = folder / "a.png"
    result = CliRunner().invoke(app, ["classify", str(folder / "rods.dat"), "--plot", str(picture)])
    assert result.exit_code == 0, result.output
    assert "director" in result.stdout
    assert picture.stat().st_size > 5000


def test_a_fit_of_rods_by_the_command_has_their_order_and_a_page(folder: Path) -> None:
    result = CliRunner().invoke(
        app,
        ["fit", str(folder / "rods.dat"), "--json"]
        + ["--report", str(folder / "pages"), "--export", str(folder / "exports")],
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout.splitlines()[0])
    assert found["fit"]["verified"], found["fit"]
    assert found["fit"]["parameters"]["p2"]["value"] == pytest.approx(0.7, abs=0.04)
    assert found["orientation"]["director_deg"]["value"] == pytest.approx(30, abs=1)
    assert len(list((folder / "exports").glob("*.nxcansas.h5"))) == 1
    (page,) = (folder / "pages").glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert "Profile and harmonics" in text
    assert "grazing" not in text


def test_frames_are_added_up_and_the_next_setting_is_ranked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sasnet_plugin.images.sans import prediction

    monkeypatch.setattr(prediction, "ADVICE", prediction.AdviceSettings(3, 3, 6, 3.0))
    rng, setting = np.random.default_rng(4), Setting(6.0, 0.1, 4000.0, 4000.0, 15.0, 5.0, (5.3, 5.3))
    sphere = Sample("sphere", {"radius": 80.0}, "sphere", {"radius": 80.0, "radius_pd": 0.05})
    one = beam(simulation.INSTRUMENTS[-1], setting, rng)
    intensity = Posture(row_of(sphere)).intensity(one.true)
    frames = folder / "frames"
    frames.mkdir()
    lines = ["wavelength = 6.0", "spread = 0.1", "distance = 4000", "collimation = 4000", "pixel_size = 5.3"]
    lines += ["source_radius = 15", "sample_radius = 5", "direct_beam = [63.5, 63.5]"]
    (frames / "geometry.toml").write_text("\n".join(lines))
    for number in range(3):
        np.save(
            frames / f"{number}.npy",
            simulate_measurement(intensity, one, Background(flat=0.05), rng, 5e3).counts,
        )
    arguments = ["follow", str(frames), "--domain", "sans2d", "--out", str(folder / "t.csv")]
    result = CliRunner().invoke(
        app, [*arguments, "--next", "distance=12000,collimation=12000", "--plot", str(folder / "t.png")]
    )
    assert result.exit_code == 0, result.output
    assert "3 frames." in result.output
    assert "converged" in result.output.lower()
    assert "distance=12000" in result.output
    assert "bits of information expected" in result.output
    rows = (folder / "t.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 4
    counts = [float(row.split(",")[3]) for row in rows[1:]]
    assert counts[2] == pytest.approx(3 * counts[0], rel=0.1)
    more = [*arguments[:-1], str(folder / "v.csv"), "--before", str(folder / "before.npy")]
    far = replace(setting, distance=12000.0, collimation=12000.0)
    there = beam(simulation.INSTRUMENTS[-1], far, rng)
    wide = Posture(row_of(sphere)).intensity(there.true)
    np.save(folder / "before.npy", simulate_measurement(wide, there, Background(flat=0.05), rng, 2e4).counts)
    text = "\n".join(lines).replace("4000", "12000")
    (folder / "before.toml").write_text(text)
    both = CliRunner().invoke(app, [*more, "--next", "distance=2000,collimation=4000"])
    assert both.exit_code == 0, both.output
    assert "distance=2000" in both.output
    alone, beside = (
        [row.split(",")[5:11] for row in (folder / name).read_text(encoding="utf-8").splitlines()[1:]]
        for name in ("t.csv", "v.csv")
    )
    assert alone != beside
    refused = CliRunner().invoke(app, [*more, "--force", "--before", str(folder / "none.npy")])
    assert refused.exit_code != 0
    assert "none.npy" in refused.output
    reduced = CliRunner().invoke(
        app,
        [
            "follow",
            str(folder / "near.dat"),
            str(folder / "near.dat"),
            *arguments[2:4],
            "--out",
            str(folder / "u.csv"),
        ],
    )
    assert reduced.exit_code == 1
    assert "contains no counts" in (folder / "u.csv").read_text(encoding="utf-8")


def test_what_no_beam_through_a_sample_shows_is_refused(folder: Path) -> None:
    rows = np.loadtxt(folder / "near.dat", skiprows=2)
    lines = (folder / "near.dat").read_text(encoding="utf-8").splitlines()[:2]
    # Under grazing incidence the horizon cuts off one half.
    rows[rows[:, 1] < 0, 2] *= 0.05
    np.savetxt(folder / "grazing.dat", rows, header="\n".join(lines), comments="", fmt="%.6g")
    (found,) = answers(folder / "grazing.dat")
    assert found["in_scope"] == 0
    assert found["classes"] is None or not found["quantities"]
    assert any("grazing incidence" in note for note in found["notes"])
