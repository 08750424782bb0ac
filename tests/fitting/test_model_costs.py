"""What models cost beyond averages over orientations: names that exist, and the order of what is measured."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from sasnet_plugin.fitting.costs import ADDED, DIRECTIONS, LAYERS, OWN, PER_POINT, cost
from sasnet_plugin.simulate.priors import model_info
from sasnet_plugin.simulate.quick_models.quick import FIXED

Q = np.geomspace(0.01, 0.3, 50)


@pytest.mark.parametrize("name", sorted({*ADDED, *LAYERS, *PER_POINT}))
def test_models_and_the_parameters_that_count_layers_exist(name: str) -> None:
    parameters = {p.name for p in model_info(name).parameters.kernel_parameters}
    if name in LAYERS:
        assert LAYERS[name][0] in parameters


def test_the_number_of_points_that_sasmodels_fixes_is_known_where_the_quick_model_fixes_another() -> None:
    assert OWN.keys() == FIXED.keys()
    assert all(FIXED[name] < OWN[name] for name in OWN)


def test_a_superball_costs_more_than_a_cylinder_and_a_stack_of_two_layers_less() -> None:
    size = {"radius": 20.0, "length": 400.0, "length_a": 50.0}
    cylinder = cost("cylinder", size, Q, quick=True)
    assert cost("superball", size, Q, quick=True) > 10 * cylinder
    assert cost("superball", size, Q, quick=False) > cost("superball", size, Q, quick=True)
    layers = {"n_shells": 2.0, "thickness_pd": 0.1, "thickness_pd_n": 35}
    widths = {"radius_pd": 0.1, "radius_pd_n": 35}
    assert cost("multilayer_vesicle", layers, Q, quick=True) < cost("cylinder", size | widths, Q, quick=False)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_what_averages_over_directions_takes_so_many_and_counts_alike_at_every_size(name: str) -> None:
    info = model_info(name)
    assert inspect.signature(info.Iq).parameters["npoints_fibonacci"].default == DIRECTIONS[name]
    small, large = (cost(name, {"radius": size, "length": size}, Q, quick=True) for size in (10.0, 300.0))
    assert small == large > cost("cylinder", {"radius": 20.0, "length": 400.0}, Q, quick=True)
