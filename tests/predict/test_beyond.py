"""Sizes beyond training are named, by more than their errors; resolutions are not."""

from __future__ import annotations

import pytest

from sasnet_plugin.domains.heads import Parameter, Quantities
from sasnet_plugin.predict.findings import QuantitiesFinding, Value
from sasnet_plugin.predict.predictor import describe_beyond_training

HEAD = Quantities(
    "geometry",
    (Parameter("lattice", "Å", (280.0, 420.0)), Parameter("sigma_phi", "degrees", (0.003, 0.03))),
    interval="error",
)


def finding(**values: tuple[float, float]) -> QuantitiesFinding:
    given = {name: Value(v, e, v - e, v + e, "") for name, (v, e) in values.items()}
    return QuantitiesFinding(HEAD, {**dict.fromkeys(HEAD.names), **given})


@pytest.mark.parametrize(("lattice", "far"), [(431.0, True), (424.0, False), (350.0, False), (268.0, True)])
def test_a_size_beyond_training_by_more_than_its_error(lattice: float, far: bool) -> None:
    said = describe_beyond_training([finding(lattice=(lattice, 6.0))])
    assert bool(said) == far
    if far:
        assert said[0].startswith(
            f"lattice would be {lattice:.3g} Å, outside the training range of this model, 280 to 420 Å"
        )


def test_resolutions_and_what_is_not_given_are_left_alone() -> None:
    assert describe_beyond_training([finding(sigma_phi=(0.09, 0.001)), object()]) == []
