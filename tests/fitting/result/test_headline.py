"""Which parameters tell most of a sample, and which the data do not determine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.result.reported_values import (
    describe_value,
    is_determined,
    list_undetermined,
    parameters_in_words,
    telling,
)

Q = np.geomspace(0.01, 0.3, 60)


def _p(value: float, error: float | None, unit: str, fixed: bool = False) -> Parameter:
    return Parameter(value, error, unit, fixed, 0.0, 1e3)


PARAMETERS = {
    "scale": _p(0.01, 0.001, ""),
    "background": _p(0.1, 0.01, "1/cm"),
    "sld": _p(4.0, None, "1e-6/Ang^2", True),
    "radius": _p(41.31, 0.62, "Ang"),
    "thickness": _p(19.58, 1.1, "Ang"),
    "length": _p(200.0, 350.0, "Ang"),
    "volfraction": _p(0.12, 0.011, ""),
    "charge": _p(12.0, 1.0, "e"),
    "radius_pd": _p(0.1, 0.01, ""),
}
FIT = ModelFit("vesicle", "hardsphere", PARAMETERS, {}, 60.0, 1.0432, 70.0, 0.5, 0.1, 1 / Q)


def test_lengths_come_first_and_a_width_besides() -> None:
    assert [name for name, _ in telling(FIT)] == ["radius", "thickness", "charge", "radius_pd"]


def test_contrasts_beside_a_fitted_scale_are_a_convention_and_no_result() -> None:
    contrast = {"sld_core": _p(9.9, 0.16, "1e-6/Ang^2")}
    short = {name: PARAMETERS[name] for name in ("scale", "radius")} | contrast
    assert [name for name, _ in telling(replace(FIT, parameters=short))] == ["radius"]
    absolute = replace(FIT, parameters=short | {"scale": _p(1.0, None, "", True)})
    assert [name for name, _ in telling(absolute)] == ["radius", "sld_core"]


def test_what_the_data_leave_open_is_no_measurement() -> None:
    opened = replace(FIT, parameters={"scale": _p(74.0, 6500.0, ""), "length": PARAMETERS["length"]})
    assert list_undetermined(opened) == ["length"]
    assert describe_value("length", PARAMETERS["length"]) == "length not determined (200 ± 350 Å)"
    assert "sld" not in parameters_in_words(FIT)
    assert "scale not determined (100 ± 6500)" in parameters_in_words(opened)
    # Zero is no mark for a density, and a good value of a background.
    assert is_determined("sld", _p(0.2, 0.5, "1e-6/Ang^2"))
    assert not is_determined("sld", _p(0.2, 12.0, "1e-6/Ang^2"))
    assert is_determined("background", _p(0.001, 0.002, "1/cm"))
