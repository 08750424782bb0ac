"""The structure factor of charged spheres with its coefficients kept."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sasmodels.core import build_model, load_model_info
from sasmodels.direct_model import call_kernel

from sasnet_plugin.simulate.kernel import load_model

Q = [np.geomspace(0.004, 0.4, 400)]
VALUES = {
    "radius": 25.0, "volfraction": 0.05, "charge": 20.0, "temperature": 298.0, "concentration_salt": 0.01,
    "dielectconst": 78.0, "sld": 0.4, "sld_solvent": 6.3, "radius_effective_mode": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", ["sphere@hayter_msa", "sphere@hayter_msa+power_law"])
def test_the_curve_is_sasmodels_own_whatever_came_before(name: str) -> None:
    own = build_model(load_model_info(name), dtype="double", platform="dll").make_kernel(Q)
    kept = load_model(name).make_kernel(Q)
    for changed in (
        {},
        {"charge": 30.0},
        {"volfraction": 0.1},
        {"concentration_salt": 0.0},
        {"radius": 40.0},
    ):
        values = VALUES | changed
        if "+" in name:
            values = {f"A_{key}": value for key, value in values.items()}
        np.testing.assert_array_equal(call_kernel(kept, values), call_kernel(own, values))


def test_it_takes_a_small_part_of_the_time() -> None:
    own = build_model(load_model_info("sphere@hayter_msa"), dtype="double", platform="dll").make_kernel(Q)
    kept = load_model("sphere@hayter_msa").make_kernel(Q)

    def seconds(kernel: object) -> float:
        each = []
        for number in range(5):
            began = time.process_time()
            call_kernel(kernel, VALUES | {"charge": 20.0 + number})
            each.append(time.process_time() - began)
        return min(each)

    assert seconds(kept) < 0.5 * seconds(own)
