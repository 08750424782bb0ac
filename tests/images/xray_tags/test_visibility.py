"""What counts as seen: strengths that a fit would find, not counts that something else may explain."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images.xray_tags import simulation
from sasnet_plugin.images.xray_tags.simulation import parts_of
from tests.images.xray_tags.test_xray_scenes import scene, tags_of

Q = np.linspace(0.03, 1.2, 240)


def test_the_error_of_a_strength_is_that_of_a_fit_of_all_of_them() -> None:
    rng = np.random.default_rng(1)
    templates = {
        "ring": 4 * simulation.peak(Q, 0.5, 0.05),
        "neighbour": 9 * simulation.peak(Q, 0.53, 0.06),
        "ground": np.full_like(Q, 20.0),
    }
    total = sum(templates.values())
    seen = simulation.measure_visibility(templates, 1 / total)
    design = np.stack(list(templates.values()), axis=1) / np.sqrt(total)[:, None]
    fits = [np.linalg.lstsq(design, rng.poisson(total) / np.sqrt(total), rcond=None)[0] for _ in range(2000)]
    for name, scatter in zip(templates, np.std(fits, axis=0), strict=True):
        assert seen[name] == pytest.approx(1 / scatter, rel=0.08), name
    # Alone it would be found much better: √Σ c²/t.
    assert seen["ring"] < 0.8 * float(np.sqrt((templates["ring"] ** 2 / total).sum()))
    same = simulation.measure_visibility({"one": total, "other": 2 * total}, 1 / total)
    assert max(same.values()) < 0.1 * float(np.sqrt(total.sum()))


def test_what_slit_scattering_may_be_is_no_diffuse_scattering(monkeypatch: pytest.MonkeyPatch) -> None:
    row = scene("rings", low_q=1.0)
    # The diffuse part made exactly what slits scatter with the same reach.
    row["curves"][1] = 20 * np.exp(-simulation.GRID / 0.1)
    assert "diffuse_low_q" not in tags_of(row, monkeypatch)
    assert "diffuse_low_q" in tags_of(row, monkeypatch, reach=0.03)


def test_bodies_interact_where_no_dilute_ones_scatter_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    row = scene("bodies", volume_fraction=0.4)
    assert "structure_factor" in tags_of(row, monkeypatch)
    assert "structure_factor" not in tags_of(row, monkeypatch, counts=0.001, high_background=3.0)
    row["curves"][3] = row["curves"][0]
    assert "structure_factor" not in tags_of(row, monkeypatch)


def test_order_that_fades_is_seen_by_more_rings_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "disordered" in tags_of(scene("lattice", "bcc", disorder=0.1), monkeypatch)
    # Of layers with the second order off the detector, one breadth is seen, whatever it comes from.
    one = scene("lattice", "lamellar", disorder=0.1, first=0.95)
    one["rings"][1:] = 0
    found = tags_of(one, monkeypatch)
    assert "ring" in found
    assert "disordered" not in found


def test_grains_and_texture_are_seen_where_they_stand_out_of_counting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few, many = {"counts": 0.02}, {"counts": 100.0}
    grains, arcs = scene("lattice", "bcc", grains=100.0), scene("lattice", "bcc", eta=0.3)
    assert "polycrystalline" in tags_of(grains, monkeypatch, **many)
    assert "polycrystalline" not in tags_of(grains, monkeypatch, **few)
    assert "textured" in tags_of(arcs, monkeypatch, **many)
    assert "textured" not in tags_of(arcs, monkeypatch, counts=0.003)


def test_a_part_without_its_unevenness_has_the_same_counts_around_the_beam() -> None:
    phi = np.linspace(0, 2 * np.pi, 720, endpoint=False)[None, :]
    q = np.broadcast_to(np.linspace(0.2, 0.3, 60)[:, None], (60, 720))
    row = scene("lattice", "bcc", eta=0.5, grains=40.0)
    part = parts_of(row, q, np.broadcast_to(phi, q.shape), 0.01, np.random.default_rng(3))[0]
    assert part.even is not None
    assert part.textured is not None
    for uneven in (part.intensity, part.textured):
        assert uneven.mean() == pytest.approx(part.even.mean(), rel=0.15)
    assert part.intensity.std() > part.textured.std() > part.even.std()
    assert simulation.main_of(row["parameters"]) == "lattice"
