"""What a curve counts: points, size distributions, averages over orientations; and when the wall leads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting import costs, ledger

Q = np.geomspace(0.01, 0.3, 50)


def test_larger_bodies_wider_distributions_and_finer_points_cost_more() -> None:
    def cost(name: str, q: Any = Q, *, quick: bool = True, **parameters: float) -> float:
        ledger.begin(np.inf, np.inf)
        ledger.count(name, parameters, q, quick=quick)
        return ledger.read_counted_time()

    sphere = cost("sphere", radius=50.0)
    assert sphere == pytest.approx(cost("sphere", radius=5000.0))  # no average over orientations
    assert sphere < cost("sphere", radius=50.0, radius_pd=0.1, radius_pd_n=35) < 35 * sphere
    rod = cost("cylinder", radius=20.0, length=400.0)
    assert sphere < rod < cost("cylinder", radius=20.0, length=4000.0)
    assert rod < cost("cylinder", radius=20.0, length=400.0, quick=False)
    assert rod < cost("cylinder", np.geomspace(0.01, 0.3, 500), radius=20.0, length=400.0)
    assert rod < cost("parallelepiped", length_a=20.0, length_b=20.0, length_c=400.0)


def test_a_length_given_as_a_ratio_and_the_largest_of_a_distribution_count() -> None:
    """A box a hundred times as long as wide took a thousand times what it counted."""
    q = np.geomspace(0.003, 0.3, 200)

    def octahedron(ratio: float, width: float) -> float:
        spread = {"radius_a": 60.0, "b2a_ratio": ratio, "radius_a_pd": width, "radius_a_pd_n": 7}
        return costs.cost("truncated_octahedron", spread, q, quick=True)

    assert octahedron(10.0, 0.1) > 10 * octahedron(1.0, 0.1)
    assert octahedron(1.0, 0.7) > 1.5 * octahedron(1.0, 0.1)
    # A flat box is no longer than its side.
    assert octahedron(0.1, 0.1) == octahedron(1.0, 0.1)


@pytest.mark.parametrize("name", ["hollow_rectangular_prism", "hollow_rectangular_prism_thin_walls"])
def test_ratios_of_a_hollow_prism_are_no_lengths(name: str) -> None:
    """sasmodels' table has them in Å: a box ten times as long as wide counted as much as a cube of 60 Å."""

    def prism(long: float, wide: float) -> float:
        sides = {"length_a": 60.0, "thickness": 5.0, "b2a_ratio": wide, "c2a_ratio": long}
        return costs.cost(name, sides, np.geomspace(0.003, 0.3, 200), quick=True)

    assert prism(10.0, 1.0) > 3 * prism(1.0, 1.0)
    assert prism(0.1, 0.1) == prism(1.0, 1.0)


def test_an_average_over_a_cross_section_counts_its_width_and_no_length() -> None:
    """Coils of an elliptical section of 4000 Å took fifty times what they counted: minutes in one fit."""

    spread = {"radius_pd": 0.1, "radius_pd_n": 35}

    def coil(**sizes: float) -> float:
        usual = {"length": 1000.0, "kuhn_length": 100.0, "radius": 20.0, "axis_ratio": 1.5, **spread}
        return costs.cost("flexible_cylinder_elliptical", usual | sizes, Q, quick=False)

    assert coil(length=1e5, kuhn_length=1e4) == coil()
    assert coil(radius=4000.0) > 20 * coil()
    assert coil(axis_ratio=150.0) > 10 * coil()
    disks = {"radius": 4000.0, "thick_core": 10.0, "thick_layer": 5.0, "n_stacking": 5.0, **spread}
    wide, narrow = (
        costs.cost("stacked_disks", disks | {"radius": r}, Q, quick=False) for r in (4000.0, 40.0)
    )
    assert wide > 10 * narrow


def test_each_layer_counts_and_a_stack_of_few_is_cheap() -> None:
    def cost(name: str, **parameters: float) -> float:
        return costs.cost(name, parameters | {"thickness_pd": 0.1, "thickness_pd_n": 35}, Q, quick=False)

    for name, layers in (
        ("onion", "n_shells"),
        ("multilayer_vesicle", "n_shells"),
        ("stacked_disks", "n_stacking"),
    ):
        one, two, nine = (cost(name, **{layers: n}) for n in (1.0, 2.0, 9.0))
        assert nine - one == pytest.approx(8 * (two - one))
        assert two > one
    # It adds up two layers; the cylinder averages over orientations.
    assert cost("multilayer_vesicle", n_shells=2.0) < cost("cylinder", radius=20.0, length=400.0)


def test_the_clock_on_the_wall_leads_only_where_it_is_far_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(ledger, "time", SimpleNamespace(monotonic=lambda: now[0], thread_time=lambda: 0.0))

    def spend(seconds: float) -> None:  # of the wall, beside one evaluation
        ledger.count("sphere", {"radius": 50.0}, Q, quick=True)
        now[0] += seconds

    ledger.begin(1.0, 100.0)
    began = ledger.read_spent_time()
    for _ in range(100):
        spend(0.01)
    assert ledger.read_spent_time() - began == pytest.approx(ledger.read_counted_time())
    assert not ledger.cut()
    spend(60.0)
    assert ledger.read_spent_time() - began == pytest.approx(0.61, abs=0.01)  # of a budget of 1 in 100 s
    assert ledger.cut()
    ledger.begin(np.inf, 1.0)
    spend(60.0)
    assert not ledger.cut()


def test_a_long_thin_body_counts_its_two_integrals_and_no_square_of_its_length() -> None:
    """The inner average of an elliptical rod knows nothing of its length."""
    q = np.geomspace(0.003, 0.3, 200)

    def rod(length: float, minor: float = 15.0) -> float:
        shape = {"radius_minor": minor, "axis_ratio": 1.4, "length": length}
        return costs.cost("elliptical_cylinder", shape, q, quick=True)

    assert rod(20_000.0) / rod(2_000.0) < 11
    each = costs.EFFORT.each  # Python's part, whatever the size
    assert rod(2_000.0, minor=150.0) - each > 1.3 * (rod(2_000.0) - each)
