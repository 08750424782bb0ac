"""How a picture stands is told from BornAgain's own patterns, and never wrongly of an upright one."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.images.reading import arrange, arrange_point, picture_sides, side_of

EDGES = {"window": (0.0, 2.2), "horizon": (-0.5, 1.8)}
PHI = np.linspace(-1.07, 1.07, 65)


def _lattice(alpha_f: tuple[float, float], xi: float, lattice: float, radius: float) -> np.ndarray:
    """Spheres on a hexagonal lattice on silicon by BornAgain's plain interface, (64, 64)."""
    import bornagain as ba
    from bornagain import deg, nm

    grey = (0.5, 0.5, 0.5)
    particle = ba.Particle(ba.RefractiveMaterial("p", grey, 2.03e-5, 1.5e-6), ba.Sphere(radius * nm))
    crystal = ba.Crystal2D(particle, ba.HexagonalLattice2D(lattice * nm, xi * deg))
    crystal.setDecayFunction(ba.Profile2DCauchy(150 * nm, 150 * nm, 0.0))
    crystal.setLateralPositionVariance(1.5 * nm)
    top = ba.Layer(ba.Vacuum())
    top.addDeposit2D(1.0, crystal)
    sample = ba.Sample()
    sample.addLayer(top)
    sample.addLayer(ba.Layer(ba.RefractiveMaterial("Si", grey, 5.8e-6, 1e-7)))
    beam = ba.Beam(1.0, 0.134 * nm, 0.17 * deg)
    detector = ba.SphericalDetector(64, -1.07 * deg, 1.07 * deg, 64, alpha_f[0] * deg, alpha_f[1] * deg)
    simulation = ba.ScatteringSimulation(beam, sample, detector)
    simulation.options().setUseAvgMaterials(False)
    simulation.options().setNumberOfThreads(1)
    return np.array(simulation.simulate().intensities())


@pytest.fixture(scope="module", params=["window", "horizon"])
def simulated(request: pytest.FixtureRequest) -> tuple[str, list[np.ndarray]]:
    samples = [(0.0, 36.0, 8.5), (11.0, 31.0, 12.5), (26.0, 39.0, 10.0), (44.0, 34.0, 11.0)]
    return request.param, [_lattice(EDGES[request.param], *sample) for sample in samples]


@pytest.mark.parametrize("counts", [1e4, 1e6, 1e8])
@pytest.mark.parametrize("background", [0.0, 0.3])
def test_bornagain_patterns(
    counts: float, background: float, simulated: tuple[str, list[np.ndarray]], rng: np.random.Generator
) -> None:
    name, patterns = simulated
    edges = np.linspace(*EDGES[name], 65)
    phi, alpha_f = (PHI[1:] + PHI[:-1]) / 2, (edges[1:] + edges[:-1]) / 2
    for clean in patterns:
        expected = (1 - background) * clean / clean.sum() + background / clean.size
        values = rng.poisson(counts * expected).astype(float)
        mask = rng.random(values.shape) > 0.02
        mask[:, 20] = False
        upright = picture_sides(values, mask, phi, alpha_f)
        assert (upright.turned, upright.note) == ("", "")
        for quarters in (1, 3):
            turned = picture_sides(np.rot90(values, quarters), np.rot90(mask, quarters), phi, alpha_f)
            assert turned.turned.startswith("turned by 90 degrees")
        upside_down = picture_sides(values[::-1], mask[::-1], phi, alpha_f)
        assert "upside down" in upside_down.turned + upside_down.note


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True), (True, True)])
def test_a_point_goes_where_its_pixel_goes(turns: int, flips: tuple[bool, bool]) -> None:
    picture = np.arange(15).reshape(3, 5)
    arranged = arrange(picture, turns, flip_rows=flips[0], flip_columns=flips[1])
    for row in range(3):
        for column in range(5):
            c, r = arrange_point((column, row), (3, 5), turns, flip_rows=flips[0], flip_columns=flips[1])
            assert arranged[round(r), round(c)] == picture[row, column]


def test_the_specular_beam_lies_on_the_side_of_the_surface_normal() -> None:
    direct = (100.0, 200.0)
    specular = {
        "top": (101.0, 150.0),
        "bottom": (99.0, 260.0),
        "left": (40.0, 203.0),
        "right": (160.0, 199.0),
    }
    assert {side: side_of(direct, point) for side, point in specular.items()} == {
        side: side for side in specular
    }
