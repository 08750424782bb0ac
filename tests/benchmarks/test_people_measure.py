"""Samples that no model is: their curves hold to closed forms; the table counts what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.curves import people_layers, people_measure, people_particles, people_proteins


def test_atoms_of_a_ball_scatter_as_a_sphere_and_have_its_radius_of_gyration() -> None:
    rng = np.random.default_rng(1)
    places = rng.uniform(-1, 1, (6000, 3))
    places = 20.0 * places[np.linalg.norm(places, axis=1) < 1]
    found = people_proteins.amplitudes(people_proteins.Structure(places, ("C",) * len(places)), rng)
    curve, rg = people_proteins.intensity(found, (1.0, 0.0, 0.0))
    assert rg == pytest.approx(20 * np.sqrt(3 / 5), rel=0.02)
    x = people_proteins.Q[1:15] * 20
    sphere = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    # Form factors of single atoms fall by a few per cent there.
    assert curve[1:15] == pytest.approx(sphere, abs=0.01)


def test_displaced_water_lowers_what_scatters_and_bound_water_makes_it_larger() -> None:
    rng = np.random.default_rng(2)
    places = rng.normal(0, 8, (400, 3))
    found = people_proteins.amplitudes(people_proteins.Structure(places, ("C", "N", "O", "C") * 100), rng)
    _, plain = people_proteins.intensity(found, (1.0, 1.0, 0.0))
    _, wet = people_proteins.intensity(found, (1.0, 1.0, 1.0))
    assert wet > plain


def test_a_walk_keeps_its_bonds_and_avoids_itself() -> None:
    chain = people_proteins.walk(60, np.random.default_rng(3), 3)[-1]
    assert np.linalg.norm(np.diff(chain, axis=0), axis=1) == pytest.approx(3.8, rel=0.01)
    apart = np.linalg.norm(chain[:, None] - chain, axis=-1)
    assert apart[np.triu_indices(60, 3)].min() > 3.5


def test_a_large_vesicle_is_locally_flat() -> None:
    q = people_layers.Q
    flat = people_layers.sheets(np.random.default_rng(4))
    closed = people_layers.closed(np.random.default_rng(4), count=400)
    window = (q > 0.1) & (q < 0.5)
    ratio = np.log(closed[window] / flat[window])
    # Fringes of the sizes are left; the layer's own minima stand at the same place.
    assert np.std(ratio) < 0.6 * np.std(np.log(flat[window]))


def test_a_semicrystalline_polymer_peaks_at_its_long_period() -> None:
    q, rng = people_layers.Q, np.random.default_rng(5)
    ratios = []
    for _ in range(6):
        curve, period = people_layers.crystalline(rng)
        near = (q > 0.5 * 2 * np.pi / period) & (q < 1.8 * 2 * np.pi / period)
        ratios.append(q[near][np.argmax((q**2 * curve)[near])] * period / 2 / np.pi)
    assert np.median(ratios) == pytest.approx(1.0, abs=0.2)


def test_clusters_that_hit_one_another_touch_and_do_not_overlap() -> None:
    points = people_particles.merged(5, np.random.default_rng(6))
    apart = np.linalg.norm(points[:, None] - points, axis=-1) + 10 * np.eye(32)
    assert len(points) == 32
    assert apart.min(axis=1) == pytest.approx(2.0, abs=1e-6)


def test_a_long_rod_falls_as_one_over_q() -> None:
    q = np.array([0.01, 0.02])
    found = people_particles.rod(np.append(q, 1e-6), 3.0, 2000.0)
    assert found[0] / found[1] == pytest.approx(2.0, rel=0.05)


def test_samples_are_kept_as_they_were(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    curve = np.exp(-((people_layers.Q * 20) ** 2) / 3) + 1e-4
    some = [
        people_measure.measured("protein", ("sphere",), 20.0, people_layers.Q, curve, rng) for _ in range(9)
    ]
    people_measure.save(tmp_path / "some.npz", some)
    for before, after in zip(some, people_measure.load(tmp_path / "some.npz"), strict=True):
        assert after.kind == "protein"
        assert after.accepted == ("sphere",)
        assert after.q == pytest.approx(before.q)
        assert after.intensity * before.intensity.max() == pytest.approx(before.intensity, rel=1e-5, abs=1e-9)
        assert (after.dintensity is None) == (before.dintensity is None)
        if after.dintensity is not None and before.dintensity is not None:
            assert after.dintensity * before.intensity.max() == pytest.approx(before.dintensity, rel=0.02)


def test_a_wrong_name_without_a_flag_is_counted() -> None:
    one = np.ones(3)
    samples = [
        people_measure.Sample(kind, ("sphere",), 30.0, one, one, None, 60.0) for kind in ("upturn", "bilayer")
    ] * 2
    said = [
        people_measure.Said("sphere", 0.95, False, 31.0, 62.0),
        people_measure.Said("vesicle", 0.95, False, 40.0, 120.0),
        people_measure.Said("vesicle", 0.5, True, np.nan, np.nan),
        people_measure.Said("vesicle", 0.5, True, np.nan, np.nan),
    ]
    rows = {row["set"]: row for row in people_measure.figures(samples, said)}
    assert rows["upturn"]["first accepted"] == 0.5
    assert rows["upturn"]["or flagged"] == 1.0
    assert rows["bilayer"]["or flagged"] == 0.0
    assert rows["bilayer"]["wrong, not flagged"] == 0.5
    assert rows["bilayer"]["right of claims"] == 0.0
    assert rows["upturn"]["Rg within 10 %"] == 0.5
    assert rows["upturn"]["d within 10 %"] == 0.5
    assert rows["bilayer"]["d within 10 %"] == 0.0
    assert "| upturn | 2 |" in people_measure.table(list(rows.values()))
