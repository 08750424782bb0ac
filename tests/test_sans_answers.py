"""Small-angle-scattering images through the commands: what is answered, of files, sets and junk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.data.sans.resolution import Setting, of_pixels
from sasnet_plugin.domains.sans2d import LABELS
from sasnet_plugin.simulate.sans import instruments, orientation
from sasnet_plugin.simulate.sans.measurement import Background, beam, measured
from sasnet_plugin.simulate.sans.samples import Sample, row_of
from sasnet_plugin.simulate.sans.simulator import Direction, Posture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Spheres near and far, and rods along 30 degrees, as columns Qx Qy I dI."""
    found, rng = tmp_path_factory.mktemp("sans"), np.random.default_rng(2)
    sphere = Sample("sphere", {"radius": 80.0}, "sphere", {"radius": 80.0, "radius_pd": 0.05})
    rods = Sample("cylinder", {"radius": 30.0}, "cylinder", {"radius": 30.0, "length": 300.0})
    turned = Direction(orientation.maier_saupe(orientation.strength_of(0.7)), np.radians(30.0))
    for name, posture, distance in (
        ("near", Posture(row_of(sphere)), 4000.0),
        ("far", Posture(row_of(sphere)), 12_000.0),
        ("rods", Posture(row_of(rods), turned), 4000.0),
    ):
        setting = Setting(6.0, 0.1, distance, distance, 15.0, 5.0, (5.3, 5.3))
        one = beam(instruments.INSTRUMENTS[-1], setting, rng)
        image = measured(posture.intensity(one.true), one, Background(flat=0.05), rng, 5e5)
        keep, geometry = image.mask, image.geometry
        along, across = of_pixels(setting, geometry.qx, geometry.qy)
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
