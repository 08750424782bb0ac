"""Rg of an answer: Guinier's where there is one, the network's beside it, and said where they differ."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.domains.heads import Parameter, Quantities
from sasnet_plugin.predict import suggest
from sasnet_plugin.predict.described import SizeFinding
from sasnet_plugin.predict.findings import Value
from sasnet_plugin.types import Curve

HEAD = Quantities("size", (Parameter("rg", "Å", (1.0, 1e4)),), interval="")
Q = np.geomspace(0.004, 0.4, 200)


def _sphere(radius: float = 60.0) -> Curve:
    x = Q * radius
    clean = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 1e-4
    return Curve(Q, clean * (1 + 0.02 * np.random.default_rng(0).standard_normal(Q.size)), 0.02 * clean)


def _finding(curve: Curve, network: float | None) -> SizeFinding:
    value = None if network is None else Value(network, 0.05 * network, network, network, "Å")
    return SizeFinding(HEAD, curve, value)


def test_guiniers_rg_is_the_answers_and_the_networks_stands_beside_it() -> None:
    found = _finding(_sphere(), 50.0)
    said = found.as_dict()
    assert said["rg"] == pytest.approx(60 * np.sqrt(3 / 5), rel=0.02)
    assert said["rg_network"] == 50
    assert not any("contradicts" in sentence for sentence in found.sentences())


def test_a_contradiction_is_said() -> None:
    assert any("contradicts" in sentence for sentence in _finding(_sphere(), 150.0).sentences())


def test_without_a_guinier_region_the_networks_rg_stands_alone() -> None:
    power = Curve(Q, Q**-2.0, 0.02 * Q**-2.0)
    found = _finding(power, 150.0)
    assert (found.rg, found.as_dict()["rg"]) == (150, 150)
    assert "by the network" in found.sentences()[-1]
    assert _finding(power, None).rg is None


def test_what_needs_no_network_is_said_where_the_network_is_silent() -> None:
    assert _finding(_sphere(), 50.0).silence().rg == _finding(_sphere(), 50.0).rg


def test_a_suggestion_holds_it() -> None:
    found = suggest(_sphere())
    assert found.rg == pytest.approx(60 * np.sqrt(3 / 5), rel=0.02)
    assert found.rg_network is not None
    assert found.model_free is not None
    assert found.model_free.guinier.rg == found.rg  # type: ignore[union-attr]
