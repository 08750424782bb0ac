"""Figures of merit of quantities: errors over the truth, but of one that may be 0 in its own unit."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.domains.heads import Parameter, Quantities
from sasnet_plugin.predict.findings import QuantitiesFinding, Value
from sasnet_plugin.report.evaluated import score

RADIUS = Parameter("radius", "Å", (10.0, 1000.0), log=True)
P2 = Parameter("p2", "", (-0.4, 0.9))
HEAD = Quantities("quantities", (RADIUS, P2), interval="error")


def finding(radius: float, p2: float) -> QuantitiesFinding:
    def value(of: float, error: float) -> Value:
        return Value(of, error, of - 1.6 * error, of + 1.6 * error, "")

    return QuantitiesFinding(HEAD, {"radius": value(radius, 0.1 * radius), "p2": value(p2, 0.05)})


def truth(radius: float, p2: float) -> list[float]:
    return [RADIUS.scale_value(radius), P2.scale_value(p2)]


def test_errors_are_over_the_truth_but_of_what_may_be_zero() -> None:
    true = np.array([truth(100.0, 0.0), truth(200.0, 0.0), truth(50.0, 0.5)])
    found = score(HEAD, [finding(110.0, 0.02), finding(220.0, 0.02), finding(55.0, 0.52)], true)
    assert found["radius"]["error"] == pytest.approx(0.1, rel=1e-3)
    assert found["p2"]["error"] == pytest.approx(0.02, rel=1e-3)
    assert found["p2"]["half_band"] == pytest.approx(0.08, rel=1e-3)
    assert found["p2"]["coverage"] == 1


@pytest.mark.parametrize(
    ("low", "log", "may"), [(-0.4, False, True), (0.0, False, True), (0.02, False, False), (0.0, True, False)]
)
def test_what_may_be_zero_is_told_by_its_prior(low: float, log: bool, may: bool) -> None:
    assert Parameter("x", prior=(low, 1.0), log=log, floor=0.1).may_be_zero == may
