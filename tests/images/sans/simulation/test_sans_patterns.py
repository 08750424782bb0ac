"""Patterns behind a whole instrument: against sasmodels' own smearing, and where spots must lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prior_tables.sans import tables

from sasnet_plugin.images.sans import simulation
from sasnet_plugin.images.sans.nexus import Setting
from sasnet_plugin.images.sans.reading import SmallAngle, make_detector_geometry
from sasnet_plugin.images.sans.rings import N_RINGS, N_SECTORS, RINGS, average_around_beam, polar
from sasnet_plugin.images.sans.simulation import (
    PRIORS,
    SHARES,
    SIMULATOR,
    Background,
    Beam,
    Q,
    Sample,
    beam,
    draw_posture,
    draw_sample,
    efficiency,
    maier_saupe,
    others,
    pars_of,
    resize,
    row_of,
    simulate_measurement,
)
from sasnet_plugin.simulate.kernel import load_model

SETTING = Setting(6.0, 0.12, 8000.0, 8000.0, 15.0, 5.0, (5.0, 5.0), gravity=False)


@pytest.fixture(scope="module")
def rod() -> dict[str, object]:
    """A row of a cylinder."""
    parameters = {"radius": 60.0, "length": 300.0, "radius_pd": 0.1, "radius_pd_n": 15}
    return row_of(Sample("cylinder", {"radius": 60.0, "feature": 0.06}, "cylinder", parameters))


def smeared_by_sasmodels(name: str, geometry: SmallAngle, **parameters: float) -> np.ndarray:
    from sasmodels.data import Data2D
    from sasmodels.direct_model import DirectModel

    spread = geometry.spread()
    assert spread is not None
    qx, qy, along, across = (a.ravel() for a in (geometry.qx, geometry.qy, *spread))
    data = Data2D(x=qx, y=qy, z=np.ones_like(qx), dx=along, dy=across, dz=np.ones_like(qx))
    model = DirectModel(data, load_model(name))
    model.resolution.nsigma = 5.0
    return np.asarray(model(background=0.0, **parameters)).reshape(geometry.shape)


def test_a_blurred_sphere_is_that_of_sasmodels() -> None:
    row = row_of(
        Sample("sphere", {"radius": 180.0, "feature": 0.025}, "sphere", {"radius": 180.0, "radius_pd": 0.05})
    )
    line = make_detector_geometry((1, 40), (-6.0, 0.0), SETTING)
    expected = smeared_by_sasmodels("sphere", line, radius=180.0, radius_pd=0.05)
    found = simulation.pattern(row, line)
    ratio = (found / found[0, 0]) / (expected / expected[0, 0])
    # sasmodels takes a handful of radii and angles out to a few σ: a few per cent in deep minima.
    assert np.median(np.abs(ratio - 1)) < 0.015
    assert np.abs(ratio - 1).max() < 0.08


def test_an_oriented_rod_scatters_across_itself(rod: dict[str, object]) -> None:
    """Turned by a quarter it is the same pattern; with axes anywhere it is that without direction."""
    averages = maier_saupe(12.0)
    whole = make_detector_geometry((48, 48), (23.5, 23.5), replace(SETTING, pixel=(12.0, 12.0)))
    along = simulation.pattern(rod, whole, averages, 0.0)
    across = simulation.pattern(rod, whole, averages, np.pi / 2)
    assert across == pytest.approx(along.T, rel=1e-3)
    # A rod scatters across itself.
    assert along[36, 23] > 5 * along[23, 36]
    # Without a direction the series is its first term.
    alike = simulation.pattern(rod, whole, maier_saupe(0.0), 0.3)
    assert alike == pytest.approx(simulation.pattern(rod, whole), rel=5e-3)


def test_spots_lie_on_a_hexagon_and_not_all_are_seen_at_once() -> None:
    values = {
        "spacing": 600.0,
        "azimuthal": 2.0,
        "rocking": 0.1,
        "tail": 1.0,
        "second": 0.003,
        "domains": 1.0,
    }
    geometry = make_detector_geometry((128, 128), (63.5, 63.5), SETTING)
    g = 2 * np.pi / 600
    bragg = np.degrees(g / 2 / SETTING.k)
    one = simulation.spots(values, geometry, 0.0, (bragg, 0.0))
    row, column = np.unravel_index(np.argmax(one), one.shape)
    assert geometry.q[row, column] == pytest.approx(g, rel=0.05)
    assert np.hypot(geometry.qx[row, column] - g, geometry.qy[row, column]) < 0.1 * g
    # Half as far tilted along the neighbouring directions: those are weaker, the opposite one weaker still.
    opposite = one[np.hypot(geometry.qx + g, geometry.qy) < 0.1 * g].max()
    assert opposite < 0.35 * one.max()


@pytest.fixture(scope="module")
def seen() -> Beam:
    """A D22 in a usual setting."""
    rng = np.random.default_rng(4)
    one = simulation.INSTRUMENTS[0]
    setting = Setting(6.0, 0.1, 5600.0, 5600.0, 27.6, 5.0, one.pixel)
    return beam(one, setting, rng)


def test_counting_cells_is_counting_pixels(seen: Beam, rod: dict[str, object]) -> None:
    background = Background(flat=0.2, parasitic=0.05)
    gathered = simulation.gather_in_cells(seen)
    averages = maier_saupe(4.0)
    intensity = simulation.pattern(rod, seen.true, averages, 0.5)
    pixels = polar(simulate_measurement(intensity, seen, background, np.random.default_rng(1), 3e6))
    intensity = simulation.pattern(rod, gathered.geometry, averages, 0.5)
    quick = simulation.count_in_cells(intensity, gathered, background, np.random.default_rng(2), 3e6)
    assert quick.exposure == pytest.approx(pixels.exposure)
    many = (pixels.counts > 300) & (quick.counts > 300)
    assert many.sum() > 500
    ratio = pixels.counts[many] / quick.counts[many]
    noise = np.sqrt(1 / pixels.counts[many] + 1 / quick.counts[many])
    assert np.median(np.abs(ratio - 1) / noise) < 1.2  # 0.67 by counting alone
    assert abs(np.median(ratio) - 1) < 0.01


def test_an_averaged_image_is_explained_by_its_own_model() -> None:
    """Through the whole instrument and back: sasmodels' sphere, smeared by the curve's dq, at χ² of 1."""
    from sasmodels.data import Data1D
    from sasmodels.direct_model import DirectModel

    rng, parameters = np.random.default_rng(6), {"radius": 80.0, "radius_pd": 0.05}
    row = row_of(Sample("sphere", {"radius": 80.0}, "sphere", parameters))
    setting = Setting(6.0, 0.1, 4000.0, 4000.0, 15.0, 5.0, (5.3, 5.3))
    one = beam(simulation.INSTRUMENTS[-1], setting, rng)
    # A detector that counts evenly, as after its flat field: its faults are no matter of resolution.
    one = replace(one, true=replace(one.true, weight=one.stated.weight))
    curve = average_around_beam(
        simulate_measurement(simulation.pattern(row, one.true), one, Background(flat=0.05), rng, 5e5)
    )
    data = Data1D(x=curve.q, y=curve.intensity, dx=curve.dq, dy=curve.dintensity)
    model = DirectModel(data, load_model("sphere"))(background=0.0, **parameters)
    terms = np.stack([model, np.ones_like(model)], axis=1) / curve.dintensity[:, None]
    scale = np.linalg.lstsq(terms, curve.intensity / curve.dintensity, rcond=None)[0]
    pull = terms @ scale - curve.intensity / curve.dintensity
    assert np.mean(pull**2) < 1.4
    assert scale[0] > 0


@pytest.fixture
def few_beams(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A dozen beams instead of all."""
    monkeypatch.setattr(simulation, "N_BEAMS", 12)
    simulation.beams.cache_clear()
    yield
    simulation.beams.cache_clear()


@pytest.mark.usefixtures("few_beams")
def test_the_same_seed_gives_the_same_bytes_and_every_class_is_measured() -> None:
    rng = np.random.default_rng(0)
    rows = [SIMULATOR.clean(draw_sample(rng, name)) for name in SHARES]
    first, second = (SIMULATOR.measure(rows, np.random.default_rng(5)) for _ in range(2))
    for one, other in zip(first[0], second[0], strict=True):
        assert all(np.array_equal(a.counts, b.counts) for a, b in zip(one.images, other.images, strict=True))
    targets = first[1]
    assert targets["class"].tolist() == list(range(len(SHARES)))
    assert targets["xi"][:4].sum(axis=1) == pytest.approx(1, abs=1e-5)
    known = np.isfinite(targets["quantities"])
    assert known.sum(axis=1).tolist() == [2, 4, 4, 3, 1, known[5].sum()]
    for kind in SIMULATOR.kinds:
        (image,) = SIMULATOR.simulate_unknown(kind, rows[0], rng, exposure=1e4).images
        # What lies behind the beamstop, and what dead time loses, is not counted.
        assert 0.3e4 < image.counts.sum() < 1.1e4


def test_a_sample_is_the_same_in_all_settings(rod: dict[str, object]) -> None:
    rng = np.random.default_rng(3)
    posture = draw_posture(rod, rng)
    geometry = SmallAngle(*np.meshgrid(RINGS[40:60], [0.0]), np.ones((1, 20)), setting=SETTING)
    assert np.array_equal(posture.intensity(geometry), posture.intensity(geometry))


def test_a_turned_beam_is_the_same_beam(seen: Beam) -> None:
    gathered = simulation.gather_in_cells(seen)
    quarter = simulation.turn_beam(gathered, N_SECTORS // 4)
    assert quarter.stated.shape == (N_RINGS, N_SECTORS)
    assert quarter.geometry.qy[:, 9] == pytest.approx(gathered.geometry.qx[:, 0])
    assert quarter.stated[:, 9] == pytest.approx(gathered.stated[:, 0])


def test_the_prior_holds_what_it_says(repository: Path) -> None:
    assert tables() in (repository / "docs" / "sans_network.md").read_text(encoding="utf-8")
    rng = np.random.default_rng(1)
    assert sum(SHARES.values()) == pytest.approx(1)
    assert "sphere" not in others()
    for name, table in PRIORS.items():
        values = [draw_sample(rng, name).values for _ in range(5 if name == "unknown" else 40)]
        for key, prior in table.items():
            low, high = prior.limits()
            drawn = np.array([one[key] for one in values])
            if key == "aspect":
                drawn = np.maximum(drawn, 1 / drawn)
            assert np.all((drawn >= low * 0.999) & (drawn <= high * 1.001))
    assert Q[0] < RINGS[0] < RINGS[-1] < Q[-1]


def test_a_body_in_another_size_is_the_body_computed_in_that_size() -> None:
    rng = np.random.default_rng(5)
    small = Sample(
        "cylinder", {"radius": 30.0, "feature": 0.1}, "cylinder", pars_of("cylinder", 30.0, 4.0, 0.1)
    )
    row = row_of(small)
    for _ in range(3):
        found = resize(row, rng)
        radius = found["parameters"]["radius"]
        again = row_of(Sample("cylinder", {}, "cylinder", pars_of("cylinder", radius, 4.0, 0.1)))
        # Where neither end of the table is near: from the plateau to the tenth fringe.
        seen = (Q * radius > 0.05) & (Q * radius < 30) & (Q * radius / 30 < 2.0)
        apart = (found["log_intensity"] - again["log_intensity"])[seen]
        assert np.abs(apart - apart.mean()).max() < 0.02
        assert np.abs(found["directed"] - again["directed"])[seen].max() < 0.05
        assert found["parameters"]["feature"] * radius == pytest.approx(3.0)


def test_sizes_at_use_follow_the_prior_whatever_the_row_has() -> None:
    rng = np.random.default_rng(6)
    row = row_of(draw_sample(rng, "sphere"))
    radii = np.array([resize(row, rng)["parameters"]["radius"] for _ in range(300)])
    assert 14 < radii.min() < 25 < 300 < radii.max() < 515
    assert np.median(radii) == pytest.approx(np.sqrt(15 * 500), rel=0.25)


def test_detectors_count_unevenly_by_pixel_by_tube_over_areas_and_at_the_rim() -> None:
    chamber = next(one for one in simulation.INSTRUMENTS if one.tubes < 0)
    tubes = next(one for one in simulation.INSTRUMENTS if one.tubes == 1)
    even = {"efficiency": 0.0, "pixels": 0.0, "uneven": 0.0, "patch": 8.0, "edge": 0.0}

    def drawn(one: simulation.Instrument, **changed: float) -> np.ndarray:
        return efficiency(one, even | changed, np.random.default_rng(1))

    assert np.ptp(drawn(chamber)) == 0
    assert drawn(chamber, pixels=0.1).std() == pytest.approx(0.1, rel=0.03)
    of_tubes = drawn(tubes, efficiency=0.04)
    assert np.ptp(of_tubes, axis=0).max() == 0
    assert of_tubes[0].std() == pytest.approx(0.04, rel=0.2)
    # Clouds of eight pixels: neighbours are alike, pixels five sizes apart are not.
    clouds = drawn(chamber, uneven=0.05) - 1
    assert clouds.std() == pytest.approx(0.05, rel=0.1)
    assert np.corrcoef(clouds[:, 1:].ravel(), clouds[:, :-1].ravel())[0, 1] > 0.95
    assert abs(np.corrcoef(clouds[:, 40:].ravel(), clouds[:, :-40].ravel())[0, 1]) < 0.4
    rim = drawn(chamber, edge=3.0)
    assert rim[64, 0] == pytest.approx(1 - np.exp(-0.5 / 3))
    assert rim[64, 64] == pytest.approx(1, abs=1e-6)


def test_bodies_that_keep_apart_scatter_less_near_the_beam_and_more_at_their_distance() -> None:
    q = np.geomspace(1e-4, 1.0, 400)
    seen = simulation.interference(q, 2.0, 300.0)
    assert seen[0] == pytest.approx(1 / 3, rel=1e-3)
    assert seen[-1] == pytest.approx(1, abs=0.01)
    # The first maximum of the correlation hole's transform: tan x = 3 x / (3 - x²).
    assert q[seen.argmax()] * 300 == pytest.approx(5.76, rel=0.02)
    assert np.all(simulation.interference(q, 0.0, 300.0) == 1)
