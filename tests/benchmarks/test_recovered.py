"""Which parameters of a fit count as given back."""

from __future__ import annotations

import numpy as np

from benchmarks.fitting.recovered import compared
from benchmarks.fitting.task import Problem
from sasnet_plugin.types import Curve

Q = np.geomspace(0.01, 0.1, 20)


def _given(form: str, factor: str | None, parameters: dict[str, float]) -> Problem:
    return Problem(0, Curve(Q, np.ones(20)), np.ones(20), form, factor, parameters, 1.0)


def test_within_a_tenth_or_three_sigma() -> None:
    given = _given("ellipsoid", None, {"radius_polar": 100.0, "radius_equatorial": 50.0, "sld": 3.0})
    row = {"values": {"radius_polar": [109.0, 0.1], "radius_equatorial": [60.0, 3.0], "sld": [3.0, 0.1]}}
    assert compared(row, given) == {"radius_polar": True, "radius_equatorial": False}
    row["values"]["radius_equatorial"] = [60.0, 3.5]
    assert compared(row, given)["radius_equatorial"]
    row["values"]["radius_polar"] = [111.0, None]
    assert not compared(row, given)["radius_polar"]


def test_what_the_unit_of_intensity_decides_does_not_count() -> None:
    given = _given("gauss_lorentz_gel", None, {"gauss_scale": 100.0, "cor_length_static": 100.0})
    row = {"values": {"gauss_scale": [1.0, 0.1], "cor_length_static": [101.0, 1.0], "background": [0.1, 0.1]}}
    assert compared(row, given) == {"cor_length_static": True}


def test_what_the_truth_has_not_does_not_count() -> None:
    given = _given("sphere", "hardsphere", {"radius": 50.0, "volfraction": 0.2})
    row = {"values": {"radius": [50.0, 1.0], "radius_pd": [0.05, 0.01], "volfraction": [0.4, 0.01]}}
    assert compared(row, given) == {"radius": True, "volfraction": False}
