"""Other minima of much the same χ² as a fit's."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.start_values.layered import PLAIN, divide_layers, make_layered_starts, others_of
from sasnet_plugin.simulate.kernel import call

Q = np.geomspace(0.005, 0.2, 40)


def body(form: str) -> dict[str, float]:
    """Values of the plain body of a layered one."""
    sizes = dict(zip(PLAIN[form].own, (60.0, 40.0), strict=False))
    return {**sizes, "sld": 1.0, "sld_solvent": 6.0, "background": 0.0, "scale": 1.0}


@pytest.mark.parametrize("form", PLAIN)
def test_another_division_is_as_large_and_as_broad(form: str) -> None:
    plain = PLAIN[form]
    first = next(make_layered_starts(form, body(form)))
    width = {f"{plain.core}_pd": 0.1, f"{plain.core}_pd_n": 35, f"{plain.core}_pd_nsigma": 3.0}
    values = first | width | {f"{plain.core}_pd_type": "schulz"}
    others = list(divide_layers(form, values))
    for other in others:
        assert plain.whole(other) == pytest.approx(plain.whole(values))
        (broad,) = [name for name in (plain.core, plain.layer) if f"{name}_pd" in other]
        assert other[broad] * other[f"{broad}_pd"] == pytest.approx(0.1 * values[plain.core])
        assert other[f"{broad}_pd_type"] == "schulz"
    layers = [other[plain.layer] for other in others]
    assert max(layers) > 3 * min(layers)


def test_a_power_law_is_read_on_the_other_side_of_a_knee() -> None:
    others = others_of("guinier_porod")
    assert others is not None
    values = {"rg": 0.4, "s": 2.7, "porod_exp": 4.0, "scale": 1e-4, "background": 0.0}
    (other,) = others.starts(values, Q)
    ratio = call("guinier_porod", Q, other).intensity / call("guinier_porod", Q, values).intensity
    assert np.ptp(np.log(ratio)) < 0.1
    assert other["rg"] > 1 / Q[0]


def test_a_knee_that_is_seen_has_one_reading() -> None:
    others = others_of("guinier_porod")
    assert others is not None
    assert list(others.starts({"rg": 60.0, "s": 1.0, "porod_exp": 4.0}, Q)) == []
