"""Stand-ins of the size and format of two public measurements: read, masked, shown, and answered or refused.

GALAXI's Ag nanoparticles on a Pilatus 1M (TIFF), and one frame of a film that grows at P03 on a Pilatus 2M
(CBF).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from detectorfiles import (
    DECTRIS_HEADER,
    PILATUS_1M,
    PILATUS_2M,
    pattern,
    pilatus_gaps,
    write_cbf,
    write_dectris_tiff,
)
from tinyzoo import write_zoo

from sasnet_plugin.images import report
from sasnet_plugin.images.growth.simulation import growing
from sasnet_plugin.images.growth.simulation import pattern as film_pattern
from sasnet_plugin.images.reading import load_images, to_window
from sasnet_plugin.images.report import Section, Verdict, page
from sasnet_plugin.images.simulation import Window
from sasnet_plugin.predict import open_predictor
from sasnet_plugin.predict.findings import QuantitiesFinding
from sasnet_plugin.report import canvas
from sasnet_plugin.types import Image

#: Millimetres.
PIXEL, GALAXI, P03 = 0.172, 1730.0, 2500.0
THICKNESS, DISTANCE = 12.0, 85.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("standins")


@pytest.fixture(scope="module")
def galaxi(folder: Path) -> Image:
    rng = np.random.default_rng(7)
    pitch = float(np.degrees(PIXEL / GALAXI))
    values = pattern(PILATUS_1M, direct=(487.5, 800.0), pitch=pitch, alpha_i=0.4, counts=2e6, rng=rng)
    values[700:820, 470:505] = 0  # the beamstop
    values[pilatus_gaps(PILATUS_1M)] = -1
    path = write_dectris_tiff(folder / "galaxi.tif", values)
    path.with_suffix(".toml").write_text(
        f"wavelength = 1.34\nalpha_i = 0.4\ndistance = {GALAXI}\ndirect_beam = [487.5, 800.0]\n",
        encoding="utf-8",
    )
    return load_images(path)[0]


@pytest.fixture(scope="module")
def frame(folder: Path) -> Image:
    """A hemispherical film at 2.5 m, the horizon 1,300 rows below the top."""
    rng = np.random.default_rng(8)
    rows, columns = PILATUS_2M
    pitch = float(np.degrees(PIXEL / P03))
    direct = (columns / 2 - 0.5, 1300 + 0.4 / pitch)
    # Simulated on pixels four times as wide, above the horizon, and drawn onto the detector's.
    up, across = 1300 // 4, columns // 4 + 1 - (columns // 4 + 1) % 2
    seen = Window(up, across, (-across * 2 * pitch, across * 2 * pitch), (0.0, 1300 * pitch))
    clean = np.repeat(np.repeat(film_pattern(growing(THICKNESS, DISTANCE), seen), 4, 0), 4, 1)
    expected = np.full(PILATUS_2M, 1e-6)
    start = (columns - clean.shape[1]) // 2
    expected[:1300, max(start, 0) : start + clean.shape[1]] = clean[::-1, max(-start, 0) :][:, :columns]
    values = rng.poisson(5e6 * expected / expected.sum()).astype(np.int32)
    values[pilatus_gaps(PILATUS_2M)] = -1
    path = write_cbf(folder / "film_00042.cbf", values, DECTRIS_HEADER.replace("1M", "2M"))
    path.with_suffix(".toml").write_text(
        f"wavelength = 0.96\nalpha_i = 0.4\ndistance = {P03}\ndirect_beam = [{direct[0]}, {direct[1]}]\n",
        encoding="utf-8",
    )
    return load_images(path)[0]


def test_galaxi_s_image_is_read_and_masked(galaxi: Image) -> None:
    assert galaxi.counts.shape == PILATUS_1M
    assert not galaxi.mask[::-1][pilatus_gaps(PILATUS_1M)].any()
    # The beamstop above the horizon is known by its shadow.
    shadow = galaxi.mask[::-1][700:730, 472:486]
    assert not shadow.any()
    assert 0.8 < galaxi.mask.mean() < 0.99
    assert galaxi.geometry.phi[0] < -2.5
    assert galaxi.geometry.phi[-1] > 2.5


def test_a_frame_of_a_growing_film_is_read_and_masked(frame: Image) -> None:
    assert frame.counts.shape == PILATUS_2M
    assert not frame.mask[::-1][pilatus_gaps(PILATUS_2M)].any()
    assert frame.counts[frame.mask].sum() > 4e6
    seen = to_window(frame, phi=(-2.0, 2.0), alpha_f=(0.0, 2.5), shape=(64, 64))
    assert seen.mask.mean() > 0.9
    profile = np.where(seen.geometry.phi > 0.3, np.where(seen.mask, seen.counts, 0).sum(axis=0), 0)
    expected = np.degrees(np.arcsin(frame.geometry.wavelength / DISTANCE))
    assert seen.geometry.phi[np.argmax(profile)] == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("name", ["galaxi", "frame"])
def test_both_are_shown_with_mask_and_geometry(name: str, request: pytest.FixtureRequest) -> None:
    image: Image = request.getfixturevalue(name)
    drawn = canvas.svg(report.pattern(image), name, "Pattern", report.PATTERN_SIZE)
    assert "specular beam" in drawn
    assert "horizon" in drawn
    text = page(
        image.file,
        Verdict("Read."),
        [Section("Pattern", report.pattern(image), report.PATTERN_SIZE)],
        notes=image.notes,
    )
    assert "Gaps between the modules" in text
    assert len(text) < 1_500_000  # two million pixels do not go into a page


def test_the_image_is_refused_and_the_frame_is_answered(
    galaxi: Image, frame: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tiny network says yes to everything: what refuses the first is its wavelength."""
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(write_zoo(tmp_path / "zoo", "gisas_growth")))
    other, film = open_predictor("gisas_growth").answers([galaxi, frame])
    assert other.scope.outside in other.notes
    nothing, found = (answer.finding(QuantitiesFinding) for answer in (other, film))
    assert nothing is not None
    assert found is not None
    assert nothing.present_values == {}
    assert found.present_values["distance"].low < found.present_values["distance"].high
