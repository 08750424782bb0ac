"""X-ray scattering images: lattices against their Miller indices, textures, counts, tags that follow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from prior_tables.rows import quantities

from sasnet_plugin.images.xray_tags import simulation
from sasnet_plugin.images.xray_tags.simulation import SIMULATOR
from sasnet_plugin.images.xray_tags.specification import LABELS, PARENTS, WEIGHTS, XRAY_TAGS
from sasnet_plugin.simulate.dataset import Row


@pytest.mark.parametrize(
    ("name", "squares"),
    [
        # h² + k² + l² of the allowed reflections (International Tables; of the gyroid's as of Ia-3d).
        ("bcc", [2, 4, 6, 8, 10, 12, 14]),
        ("fcc", [3, 4, 8, 11, 12, 16, 19]),
        ("gyroid", [6, 8, 14, 16, 20, 22, 24, 26]),
        ("lamellar", [1, 4, 9, 16]),
        ("hexagonal", [1, 3, 4, 7, 9, 12]),
    ],
)
def test_rings_lie_where_the_miller_indices_say(name: str, squares: list[int]) -> None:
    at, _ = simulation.powder(name, len(squares))
    np.testing.assert_allclose(at, np.sqrt(np.array(squares) / squares[0]), rtol=1e-5)


def test_close_packed_rings_and_strengths_are_those_of_hcp_and_fcc() -> None:
    at, _ = simulation.powder("hcp", 5)
    # q(100), (002), (101), (102), (110) at c/a = √(8/3): d of magnesium's table scaled, 1 : 1.0607 : …
    c = np.sqrt(8 / 3)
    squares = [4 / 3, 4 / c**2, 4 / 3 + 1 / c**2, 4 / 3 + 4 / c**2, 4.0]
    np.testing.assert_allclose(at, np.sqrt(np.array(squares) / squares[0]), rtol=1e-5)
    # (111) has 8 reflections and (200) 6, both of |F|² = 16, over q².
    _, height = simulation.powder("fcc", 2)
    assert height[1] == pytest.approx(6 / 8 * 3 / 4)
    # |F|² of hcp: (100) a quarter of (002)'s, three quarters of it (101): 4 cos²(π(h + 2k)/3 + πl/2).
    found = simulation.reflections("hcp")
    weight = {round(float(q), 3): w for q, w in zip(found.distance, found.weights, strict=True)}
    assert list(weight.values())[:3] == pytest.approx([0.25, 1.0, 0.75])


def test_a_crystal_along_its_cube_axis_shows_a_square_of_spots() -> None:
    spots = simulation.crystal("bcc", np.eye(3), 0.05, 2.1)
    at = np.hypot(spots[:, 0], spots[:, 1])
    # (110) and what it becomes by a quarter turn; then (200), four each; of (2 1 1) none is in the plane.
    np.testing.assert_allclose(np.sort(at)[:8], [1] * 4 + [np.sqrt(2)] * 4, rtol=1e-6)
    assert np.diff(np.sort(np.arctan2(spots[:4, 1], spots[:4, 0]))) == pytest.approx(np.pi / 2)


def test_texture_has_the_mean_1_and_the_ratio_of_its_formula() -> None:
    phi = np.linspace(0, 2 * np.pi, 3600, endpoint=False)
    for eta, fold in ((0.0, 2), (0.4, 1), (0.85, 6)):
        found = simulation.texture(phi, eta, fold, 0.3)
        assert found.mean() == pytest.approx(1, rel=1e-9)
        # Between arcs over on an arc: ((1 − η)/(1 + η))².
        assert found.min() / found.max() == pytest.approx(((1 - eta) / (1 + eta)) ** 2, rel=1e-3)
        assert phi[found.argmax()] % (2 * np.pi / fold) == pytest.approx(0.3 if eta else 0, abs=0.002)
    grains = [simulation.speckle(np.random.default_rng(1), n, 0.02) for n in (10, 3000)]
    assert [g.mean() for g in grains] == pytest.approx([1, 1])
    assert grains[0].std() > 5 * grains[1].std()  # a fine powder is an even ring


def test_diffuse_terms_have_their_limits_and_hard_spheres_their_compressibility() -> None:
    q = np.array([1e-3, 40.0, 80.0])
    for kind, slope in (("power_law", -3.0), ("ornstein_zernike", -2.0), ("debye_bueche", -4.0)):
        low, one, two = simulation.diffuse_low_q(q, kind, 3.0)
        assert np.log2(two / one) == pytest.approx(slope, abs=0.01)
        assert kind == "power_law" or low == pytest.approx(1, abs=1e-4)
    small = simulation.diffuse_low_q(np.array([0.01]), "guinier", 3.0)
    assert np.log(small[0]) == pytest.approx(-((0.03) ** 2) / 3)
    np.testing.assert_allclose(
        simulation.diffuse_high_q(np.array([0.01, 9.0]), 1.5), [0.015**2, 1], rtol=1e-3
    )
    dense, dilute = (simulation.body("sphere", 5.0, 0.05, phi) for phi in (0.3, 0.0))
    ratio = dense / dilute
    # Percus and Yevick: S(0) = (1 − φ)⁴/(1 + 2φ)²; here both curves are scaled by their largest value.
    s_0 = 0.7**4 / 1.6**2
    assert ratio[0] / np.median(ratio[simulation.GRID * 5 > 12]) == pytest.approx(s_0, rel=0.1)


def scene(main: str, lattice: str = "", **given: float) -> Row:
    """A scene of known parts, without what was drawn beside them."""
    plain = dict.fromkeys(simulation.PRIORS, 0.0) | {
        "first": 0.25, "width": 0.02, "halo": 0.4, "debye_waller": 0.1, "sigma": 1.0, "size": 8.0,
        "spread": 0.1, "thick": 0.1, "spot": 0.02, "seed": 3.0,
    }  # fmt: skip
    number = list(simulation.LATTICE).index(lattice) if lattice else -1
    return simulation.row(
        plain | {"main": float(list(simulation.MAIN).index(main)), "lattice": float(number)} | given
    )


def tags_of(row: Row, monkeypatch: pytest.MonkeyPatch, **given: float) -> set[str]:
    """Tags of a measurement in the middle of a detector without faults."""
    drawn = dict.fromkeys(simulation.MEASUREMENT, 0.0) | {
        "theta": 5.0, "resolution": 0.7, "counts": 100.0, "background": 0.01, "reach": 0.1, "disk": 0.1,
        "bar": 0.04, "wedge": 8.0, "stated": 1.0,
    }  # fmt: skip
    monkeypatch.setattr(simulation, "draw_all", lambda priors, rng: drawn | given)
    monkeypatch.setattr(simulation, "STOPS", {"": 1})
    image, tags = simulation.shot(row, np.random.default_rng(1))
    assert set(tags) == set(LABELS)
    assert image.counts.shape == (128, 128)
    return {name for name, value in tags.items() if value}


def test_tags_follow_from_the_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(
        main: str, lattice: str = "", measured: dict[str, float] | None = None, **given: float
    ) -> set[str]:
        return tags_of(scene(main, lattice, **given), monkeypatch, **measured or {})

    rings = {"ring", "higher_orders", "many_rings"}
    assert found("lattice", "bcc") == {"bcc"} | rings
    assert found("lattice", "fcc", eta=0.6) == {"fcc", "textured"} | rings
    assert found("lattice", "hexagonal", grains=30.0) == {"polycrystalline"} | rings
    assert found("lattice", "lamellar", first=0.6) == {"ring", "higher_orders"}
    assert found("lattice", "bcc", disorder=0.1) >= {"disordered", "ring", "bcc"}
    # Spots from one side do not tell the lattice: along [001] both cubic ones are squares.
    assert found("crystal", "fcc") == {"single_crystal"}
    assert found("crystal", "fcc", measured={"counts": 0.002}) == {"weak_scattering"}
    assert found("halos") == {"halo", "amorphous"}
    assert found("halos", also_ring=0.5) == {"halo", "ring"}
    assert found("bodies") == set()
    assert found("bodies", volume_fraction=0.4) == {"structure_factor", "disordered"}
    assert found("nothing", low_q=1.0, high_q=1.0) == {"diffuse_low_q", "diffuse_high_q"}
    assert found("halos", measured={"counts": 0.4}) == {"halo", "amorphous", "weak_scattering"}
    assert found("halos", measured={"counts": 900.0, "high_background": 2.0}) == {
        "halo", "amorphous", "strong_scattering", "high_background"
    }  # fmt: skip
    assert "beam_off_image" in found("halos", measured={"off_image": 0.2})
    # What cannot be seen is not said: a ring of a thousandth under a bright ground.
    assert "ring" not in found("halos", also_ring=1e-4, measured={"high_background": 4.0, "counts": 2.0})


def test_each_stop_stands_in_the_beam_and_is_tagged_where_it_takes_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = simulation.Place((128, 100), (50.0, 64.0), 0.1)
    drawn = dict.fromkeys(simulation.MEASUREMENT, 0.0) | {"disk": 0.1, "bar": 0.05, "wedge": 8.0}
    for kind in ("circular", "linear", "wedge"):
        shadow = simulation.stop(kind, drawn, place, np.random.default_rng(2))
        assert shadow[64, 50]
        at_border = shadow[0].any() or shadow[-1].any() or shadow[:, 0].any() or shadow[:, -1].any()
        assert at_border == (kind != "circular")
    area = simulation.stop("circular", drawn, place, np.random.default_rng(2)).sum()
    assert area == pytest.approx(np.pi * (0.1 * simulation.REFERENCE) ** 2, rel=0.1)


def test_an_arm_thinner_than_a_pixel_takes_its_share_of_each_from_its_disk_to_the_edge() -> None:
    place = simulation.Place((128, 128), (63.5, 63.5), 0.1)
    # That of a laboratory's frame of silver behenate: 6 of 619 pixels, and a disk of 12.
    drawn = dict.fromkeys(simulation.MEASUREMENT, 0.0) | {"bar": 3 / 310, "head": 6 / 310}
    low, high = simulation.MEASUREMENT["bar"].limits()
    assert low < drawn["bar"] < high
    for seed in range(12):
        shadow = simulation.stop("linear", drawn, place, np.random.default_rng(seed))
        assert shadow.max() == 1
        row, column = np.nonzero(shadow)
        # Every circle around the beam, from beyond the disk to the edge, meets the arm once.
        radius = np.hypot(column - 63.5, row - 63.5)
        on_rings, _ = np.histogram(radius, np.arange(6, 60, 2), weights=shadow[shadow > 0])
        assert np.all(on_rings > 0.5)
        width = shadow[np.hypot(*place.offsets()) > 0.2].sum()
        length = np.ptp(radius[radius > 0.2 * simulation.REFERENCE])
        assert width / length == pytest.approx(2 * drawn["bar"] * simulation.REFERENCE, rel=0.3)


def test_the_published_tables_are_those_of_the_code_and_of_no_network_trained_before(
    repository: Path,
) -> None:
    text = (repository / "docs" / "xray_tags_network.md").read_text(encoding="utf-8")
    for table in (simulation.PRIORS, simulation.MEASUREMENT):
        assert quantities(table) in text
    manifest = json.loads((repository / "model_zoo" / "xray_tags" / "manifest.json").read_text())
    same = manifest["inputs"] == json.loads(json.dumps(SIMULATOR.inputs(None)))
    assert ("trained on an earlier prior" in text) == (not same)


def test_q_is_that_of_a_flat_detector_and_counts_are_poisson() -> None:
    place = simulation.Place((128, 128), (64.0, 64.0), np.radians(30.0))
    q, _ = place.polar()
    # At the reference radius 2θ is 30 degrees; at half of it, tan 2θ is half as large.
    assert q[64, 0] == pytest.approx(1)
    half = np.arctan(0.5 * np.tan(np.radians(30)))
    assert q[64, 32] == pytest.approx(np.sin(half / 2) / np.sin(np.radians(15)))
    rng = np.random.default_rng(3)
    none = dict.fromkeys(simulation.MEASUREMENT, 0.0)
    counts = simulation.count_pixels(np.full((128, 128), 7.0), none, np.zeros((128, 128), bool), rng)
    assert counts.mean() == pytest.approx(7, abs=0.1)
    assert counts.var() == pytest.approx(7, rel=0.05)


def test_the_same_seed_gives_the_same_images_and_what_is_drawn_is_as_published() -> None:
    def made() -> tuple[list[np.ndarray], np.ndarray]:
        rng = np.random.default_rng(5)
        rows = [SIMULATOR.clean(SIMULATOR.sample(rng)) for _ in range(12)]
        images, targets = SIMULATOR.measure(rows, rng)
        images.append(SIMULATOR.simulate_unknown("clouds", rows[0], rng))
        return [image.counts for image in images], targets["tags"]

    (one, tags), (two, same) = made(), made()
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    np.testing.assert_array_equal(tags, same)
    assert set(PARENTS) | set(WEIGHTS) <= set(LABELS)
    for child, parent in PARENTS.items():
        assert np.all(tags[:, LABELS.index(child)] <= tags[:, LABELS.index(parent)])
    json.dumps(SIMULATOR.inputs(None))
    rng = np.random.default_rng(6)
    mains = [simulation.main_of(simulation.draw_scene(rng)) for _ in range(1500)]
    for name, share in simulation.MAIN.items():
        assert np.mean([m == name for m in mains]) == pytest.approx(
            share / sum(simulation.MAIN.values()), abs=0.04
        )


def test_the_network_reads_what_does_not_depend_on_the_turn_and_much_less_on_the_pixels() -> None:
    rng = np.random.default_rng(7)
    image, _ = simulation.shot(scene("lattice", "bcc"), rng, 3e6)
    read = XRAY_TAGS.features
    from sasnet_plugin.images.xray_tags.reading import window
    from sasnet_plugin.types import Image

    def again(counts: np.ndarray, mask: np.ndarray, centre: tuple[float, float]) -> Image:
        return Image(counts, mask, window(counts.shape, centre))

    rows, _ = image.counts.shape
    column, row = image.geometry.centre
    turned = again(np.rot90(image.counts), np.rot90(image.mask), (row, image.counts.shape[1] - 1 - column))
    # Each pixel as nine: an image of a finer detector, the counts of a pixel shared by chance.
    finer = rng.poisson(np.kron(image.counts / 9, np.ones((3, 3))))
    finer = again(finer, np.kron(image.mask, np.ones((3, 3))) > 0, (3 * column + 1, 3 * row + 1))
    found = read([image, turned, finer])["profile"]
    assert rows
    assert np.abs(found[1] - found[0]).mean() < 0.02
    assert np.abs(found[2] - found[0])[:, :3].mean() < 0.08
    assert np.ptp(found[0][:, 1]) > 1  # the rings stand out from their ground
