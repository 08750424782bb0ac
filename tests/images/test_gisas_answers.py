"""The trained network for patterns: on patterns of its kind, and on what is none of its business."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tinypatterns import folded_w1
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app
from sasnet_plugin.images.gisas.inversion import OrientationGuess, guess_of
from sasnet_plugin.images.gisas.simulation import basis, deltas, mix, peak
from sasnet_plugin.images.simulation import (
    MARGIN,
    N_XI,
    PERIOD,
    WINDOW,
    Geometry,
    Measurement,
    compute_expected_counts,
)
from sasnet_plugin.predict import Predictor, open_predictor
from sasnet_plugin.predict.arithmetic import circular_w1, mirror_distribution
from sasnet_plugin.types import GrazingIncidence, Image
from sasnet_plugin.zoo import list_registered

pytestmark = pytest.mark.skipif("gisas_hex" not in list_registered(), reason="no trained network in the zoo")
pytest.importorskip("bornagain")

GEOMETRY = Geometry(
    lattice=350, width=1500, position_spread=18, radius=105, radius_pd=0.05, wavelength=1.34, alpha_i=0.17
)
STEADY = Measurement(
    sigma_phi=0.01,
    sigma_alpha=0.01,
    shift_phi=0.0,
    shift_alpha=0.0,
    flat=0.01,
    diffuse=0.0,
    diffuse_alpha=0.5,
    diffuse_phi=0.3,
    counts=1e6,
)
TWO = deltas(np.array([5.0, 26.0]), np.array([0.65, 0.35]))


def suggest(reader: Predictor, images: list[Image]) -> list[OrientationGuess]:
    return [guess_of(answer) for answer in reader.answers(images)]


@pytest.fixture(scope="module")
def half() -> np.ndarray:
    return basis(GEOMETRY, WINDOW.add_margin(MARGIN)).half()


@pytest.fixture(scope="module")
def reader() -> Predictor:
    return open_predictor("gisas_hex")


def measured(clean: np.ndarray, counts: float, seed: int) -> Image:
    expected = compute_expected_counts(clean, WINDOW, replace(STEADY, counts=counts))
    alpha, phi = WINDOW.centres()
    drawn = np.random.default_rng(seed).poisson(expected).astype(np.float64)
    return Image(
        drawn, np.ones(WINDOW.shape, dtype=bool), GrazingIncidence(phi, alpha, 1.34, 0.17), file="test"
    )


def plain(counts: np.ndarray) -> Image:
    alpha, phi = WINDOW.centres()
    return Image(
        counts, np.ones(WINDOW.shape, dtype=bool), GrazingIncidence(phi, alpha, 1.34, 0.2), file="stranger"
    )


@pytest.mark.parametrize("truth", [TWO, peak(12.0, 8.0)], ids=["two angles", "a peak"])
def test_answer_is_closer_than_knowing_nothing(reader: Predictor, half: np.ndarray, truth) -> None:
    guesses = suggest(reader, [measured(mix(half, truth), 3e6, seed) for seed in range(4)])
    for guess in guesses:
        assert guess.in_scope > reader.manifest.scope_threshold
        assert folded_w1(guess.p, truth) < 0.75 * folded_w1(np.full(N_XI, 1 / N_XI), truth)
        assert guess.uniform_p_value < 0.05


def test_measuring_longer_changes_the_answer_within_noise(reader: Predictor, half: np.ndarray) -> None:
    clean = mix(half, TWO)
    answers = {c: suggest(reader, [measured(clean, c, s) for s in range(4)]) for c in (1e6, 1e7)}
    within = max(circular_w1(one.p, answers[1e6][0].p, PERIOD) for one in answers[1e6][1:])
    across = circular_w1(answers[1e6][0].p, answers[1e7][0].p, PERIOD)
    assert across < max(2.5 * within, 1.5)


def test_mirrored_pattern_gives_the_mirrored_answer(reader: Predictor, half: np.ndarray) -> None:
    image = measured(mix(half, TWO), 1e6, 3)
    straight, turned = suggest(reader, [image, replace(image, counts=image.counts[:, ::-1])])
    np.testing.assert_allclose(turned.p, mirror_distribution(straight.p), atol=1e-5)


def test_even_distribution_is_called_even(reader: Predictor, half: np.ndarray) -> None:
    clean = mix(half, np.full(N_XI, 1 / N_XI))
    guesses = suggest(reader, [measured(clean, 1e6, seed) for seed in range(10)])
    assert sum(guess.uniform_p_value > 0.05 for guess in guesses) >= 7


def test_pattern_of_a_plain_script_through_its_file(tmp_path: Path) -> None:
    """BornAgain's own interface, 256 x 256 pixels, Poisson noise, TIFF, command line: 0 and 30 degrees."""
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("fabio")
    script = Path(__file__).parents[1] / "reference" / "gisas_plain.py"
    subprocess.run([sys.executable, str(script), str(tmp_path / "clean.npy"), "256", "256"], check=True)
    clean = np.load(tmp_path / "clean.npy")[::-1]  # pictures have the sky at the top
    counts = np.random.default_rng(1).poisson(clean * (1e6 / clean.sum()))
    path = tmp_path / "film.tif"
    tifffile.imwrite(path, counts.astype(np.int32))
    path.with_suffix(".toml").write_text(
        "wavelength = 1.34\nalpha_i = 0.16\nphi = [-1.0658203125, 1.0658203125]\n"
        'alpha_f = [2.195703125, 0.004296875]\nup = "top"\n'
    )
    result = CliRunner().invoke(app, ["classify", str(path), "--json"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["in_scope"] > 0.5
    p = np.array(answer["distribution"]["p"])
    xi = np.array(answer["distribution"]["xi_deg"])
    about = {at: float(p[np.abs((xi - at + 30) % 60 - 30) <= 5].sum()) for at in (0, 15, 30, 45)}
    assert about[0] > about[30] > max(about[15], about[45])
    assert about[0] + about[30] > 0.7
    lattice = answer["geometry"]["lattice"]
    assert abs(lattice["value"] - 360) < max(4 * lattice["error"], 10)


def strangers(half: np.ndarray) -> dict[str, np.ndarray]:
    alpha, phi = WINDOW.centres()
    rng = np.random.default_rng(9)
    # Rings of spheres of 26 Å without order, as of silver particles on a wafer, about the reflected beam.
    q = 2 * np.pi / 1.34 * np.radians(np.hypot(alpha[:, None] - 0.2, phi[None, :]))
    x = np.maximum(q * 43.0, 1e-6)
    form = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    order = 1 + 1.5 * np.exp(-0.5 * ((q - 0.06) / 0.012) ** 2)
    rod = 30 * np.exp(-0.5 * (phi / 0.03) ** 2)[None, :] * np.exp(-((alpha[:, None] - 0.2) ** 2) / 0.02)
    rings = form * order + rod
    guinier = (1 + (q / 0.02) ** 2) ** -2.0
    ordered = mix(half, TWO)[:64, MARGIN:-MARGIN]

    def drawn(clean: np.ndarray) -> np.ndarray:
        return rng.poisson(clean * (1e6 / clean.sum())).astype(np.float64)

    return {
        "rings of silver particles": drawn(rings),
        "nothing but background": rng.poisson(20.0, WINDOW.shape).astype(np.float64),
        "one dimension": drawn(guinier + 1e-3),
        "on its side": drawn(np.rot90(ordered)),
        "on its head": drawn(ordered[::-1]),
    }


def test_strangers_get_no_orientation(reader: Predictor, half: np.ndarray) -> None:
    found = strangers(half)
    guesses = suggest(reader, [plain(counts) for counts in found.values()])
    for name, guess in zip(found, guesses, strict=True):
        assert reader.manifest.scope.outside in guess.notes, name
        assert guess.p.max() < 0.01, name
        assert guess.p_high.min() == 1, name
