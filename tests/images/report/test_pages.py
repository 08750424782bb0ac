"""The pages of answers about rotations: what was found, simulated again, and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tinypatterns
from tinyzoo import write_zoo

from sasnet_plugin.images.gisas.inversion import OrientationResult, insert_result
from sasnet_plugin.images.gisas.specification import GISAS_HEX
from sasnet_plugin.images.report import answer_page, page_name
from sasnet_plugin.predict import open_predictor
from sasnet_plugin.predict.findings import DistributionFinding
from sasnet_plugin.types import Image


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_zoo(tmp_path / "zoo")
    write_zoo(folder, "gisas_hex")
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(folder))
    return folder


@pytest.fixture
def pattern() -> Image:
    return tinypatterns.pattern(name="film.tif")


def test_an_answer_of_the_network_shows_where_it_looked(zoo: Path, pattern: Image, tmp_path: Path) -> None:
    (answer,) = open_predictor("gisas_hex").answers([pattern])
    text = answer_page(GISAS_HEX, pattern, answer, tmp_path).read_text(encoding="utf-8")
    assert text.count("<svg") == 4
    assert "Where the network looks" in text
    assert "Not verified" in text
    assert "Simulated again" not in text


def test_a_verified_answer_shows_its_residuals_and_its_mirror(
    zoo: Path, pattern: Image, tmp_path: Path
) -> None:
    (answer,) = open_predictor("gisas_hex").answers([pattern])
    guess = answer.finding(DistributionFinding)
    assert guess is not None
    simulated = np.full(pattern.counts.shape, pattern.counts.mean())
    result = OrientationResult(
        xi=guess.grid,
        p=guess.p,
        p_low=0.5 * guess.p,
        p_high=2 * guess.p,
        geometry={"lattice": (350.0, 2.0, "Å")},
        uniform_p_value=0.001,
        deviance=4100.0,
        expected_deviance=4050.0,
        deviance_sd=90.0,
        dof=4000,
        image=pattern,
        simulated=simulated,
        residual=np.zeros(pattern.counts.shape),
        mirror=np.roll(guess.p[::-1], 1),
        mirror_resolved=False,
    )
    text = answer_page(GISAS_HEX, pattern, insert_result(answer, result), tmp_path).read_text(
        encoding="utf-8"
    )
    assert text.count("<svg") == 4
    assert "Simulated again" in text
    assert "4050" in text
    assert "The angles are not all alike" in text
    assert "mirror solution" in text
    known = replace(result, mirror_resolved=True, uniform_p_value=0.4)
    text = answer_page(GISAS_HEX, pattern, insert_result(answer, known), tmp_path).read_text(encoding="utf-8")
    assert "mirror solution" not in text
    assert "may all be alike" in text


def test_a_stranger_s_page_gives_no_orientation(
    zoo: Path, pattern: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (answer,) = open_predictor("gisas_hex").answers(
        [replace(pattern, geometry=replace(pattern.geometry, wavelength=3.0))]
    )
    text = answer_page(GISAS_HEX, pattern, answer, tmp_path).read_text(encoding="utf-8")
    assert "No answer is given." in text
    assert text.count("<svg") == 1


def test_pages_of_frames_do_not_share_a_name(pattern: Image) -> None:
    other = replace(pattern, entry="frame 2")
    assert page_name(pattern, Path()) == page_name(replace(pattern), Path()) == "film.html"
    assert page_name(other, Path()) == "film-frame-2.html"
