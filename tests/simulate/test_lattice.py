"""The lattice's part of a paracrystal's curve, from a table of sasmodels' own values."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick_models import lattice
from sasnet_plugin.simulate.quick_models.quick import quick_model

#: Lattice constant over nearest-neighbour distance, spheres per cell.
CELLS = {"sc_paracrystal": (1.0, 1), "bcc_paracrystal": (2 / 3**0.5, 2), "fcc_paracrystal": (2**0.5, 4)}


@pytest.fixture(scope="module")
def tables() -> dict[str, np.ndarray]:
    return lattice.tables()


@pytest.mark.parametrize("form", lattice.LATTICES)
def test_the_table_is_of_the_sasmodels_that_is_installed(form: str, tables: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    for k in rng.integers(lattice.WIDTHS.size, size=3):
        at = np.sort(rng.integers(lattice.HIGH, size=20))
        found = lattice.calculate(form, 1 + lattice.STEP * at, float(np.exp(lattice.WIDTHS[k])))
        assert np.exp(tables[form][k, lattice.LOW + at]) == pytest.approx(found, rel=1e-5)


@pytest.mark.parametrize("form", lattice.LATTICES)
def test_far_beyond_its_peaks_a_lattice_is_spheres_of_their_share_of_the_volume(
    form: str, tables: dict[str, np.ndarray]
) -> None:
    edge, spheres = CELLS[form]
    share = spheres * 4 / 3 * np.pi / edge**3  # of spheres with a radius of dnn: φ = share (radius / dnn)³
    assert np.exp(tables[form][-1, -1]) == pytest.approx(share, rel=1e-4)


@pytest.mark.parametrize("form", lattice.LATTICES)
@pytest.mark.parametrize("d_factor", [0.063, 0.1, 0.17])
@pytest.mark.parametrize("radius_pd", [0.0, 0.15])
def test_the_quick_curve_is_that_of_sasmodels(form: str, d_factor: float, radius_pd: float) -> None:
    from sasmodels.direct_model import call_kernel

    q = np.geomspace(1e-3, 0.3, 80)
    pars = {"dnn": 217.0, "d_factor": d_factor, "radius": 71.0, "background": 0.0}
    pars |= {"radius_pd": radius_pd, "radius_pd_n": 5, "radius_pd_nsigma": 3.0} if radius_pd else {}
    own, ours = (
        np.asarray(call_kernel(m.make_kernel([q]), pars)) for m in (load_model(form), quick_model(form))
    )
    assert ours == pytest.approx(own, rel=0.02)
    assert np.sqrt(np.mean((ours / own - 1) ** 2)) < 3e-3
