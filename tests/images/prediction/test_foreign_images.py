"""What is no single particle, and an incidence that the horizon contradicts, is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from formula_bodies import ball

from benchmarks.images import elsewhere_gisas
from sasnet_plugin.images.diffraction.prediction import is_speckled, profiles, stray_light
from sasnet_plugin.images.diffraction.reading import bin_images, rings
from sasnet_plugin.images.diffraction.simulation import (
    PIXELS,
    SIMULATOR,
    draw_sample,
    shot,
    simulate_measurement,
)
from sasnet_plugin.images.gisas.checks import begins_at, misfit
from sasnet_plugin.images.reading import load_images
from sasnet_plugin.types import Image

DETECTOR = {"hole": 0.08, "gap": 0.0, "beside": 0.0, "dead": 0.0, "saturation": 0.0, "empty": 1e5}


@pytest.fixture(scope="module")
def shots() -> dict[str, Image]:
    """By what they show: a streak, a sphere, stray light, speckle of a hundred spheres anywhere."""
    rng = np.random.default_rng(71)
    rows = {
        kind: SIMULATOR.clean(draw_sample(rng, {kind: 1}, {}, 1)) for kind in ("streak", "round", "empty")
    }
    found = {kind: shot(row, rng, 1e5, DETECTOR) for kind, row in rows.items()}
    q = (np.arange(PIXELS) - (PIXELS - 1) / 2) / (PIXELS / 2)
    waves = [np.exp(1j * np.outer(place, q)) for place in rng.uniform(-60, 60, (2, 100))]
    field = np.abs(np.einsum("ky,kx->yx", *waves) * ball(8 * np.hypot(q[:, None], q))) ** 2
    return found | {"speckle": simulate_measurement(field, rng, 1e5, fixed=DETECTOR)}


def test_stray_light_alone_is_told_from_particles(shots: dict[str, Image]) -> None:
    told = {k: stray_light(profiles([i]), float(i.counts.sum())) for k, i in shots.items()}
    assert told == {"streak": False, "round": False, "empty": True, "speckle": False}


def test_few_counts_do_not_tell_stray_light(shots: dict[str, Image]) -> None:
    assert not stray_light(profiles([shots["empty"]]), 1e3)


def test_speckle_is_told_from_particles(shots: dict[str, Image]) -> None:
    told = {k: is_speckled(rings(bin_images([i]))) for k, i in shots.items()}
    assert told == {"streak": False, "round": False, "empty": False, "speckle": True}


def test_a_pattern_below_its_horizon_is_said(tmp_path: Path) -> None:
    path, _ = elsewhere_gisas.scene(0, 71, tmp_path)
    (right,) = load_images(path)
    assert misfit(right) == ""
    assert begins_at(right) == pytest.approx(0.01, abs=0.02)
    # As if the sample had been stated to be tilted by 0.04 degrees more.
    beam = right.geometry
    wrong = replace(beam, alpha_f=np.asarray(beam.alpha_f) - 0.04, alpha_i=beam.alpha_i + 0.04)
    assert "alpha_i" in misfit(replace(right, geometry=wrong))
