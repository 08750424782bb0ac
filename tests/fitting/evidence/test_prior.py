"""How densely values lie before a curve is seen."""

from __future__ import annotations

import numpy as np
import pytest

from sasnet_plugin.fitting.evidence.marginal import extents, penalise_outside
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.fitting.settings import PROBLEM


def of(model: str, factor: str | None = None, **values: tuple[float, float, str]) -> ModelFit:
    known = {k: Parameter(v, e, unit, False, -np.inf, np.inf) for k, (v, e, unit) in values.items()}
    return ModelFit(model, factor, known, {}, 1.0, 1.0, 1.0, 0.5, 0.1, np.ones(3))


def test_a_size_is_as_likely_in_each_decade() -> None:
    small, large = (extents(of("sphere", radius=(r, 1.0, "Ang")), 1.0)["radius"] for r in (10.0, 1000.0))
    assert large == pytest.approx(100 * small)
    # Four decades: e.g. from 1 Å to 1 µm.
    assert small == pytest.approx(10 * np.log(1e4))


def test_what_has_two_ends_is_as_likely_in_each_interval() -> None:
    found = extents(of("sphere", "hardsphere", volfraction=(0.2, 0.01, ""), radius_pd=(0.1, 0.01, "")), 1.0)
    assert found["volfraction"] == pytest.approx(0.74, abs=0.01)
    assert found["radius_pd"] == pytest.approx(0.7)
    assert extents(of("sphere", background=(0.1, 0.01, "1/cm")), 0.4)["background"] == 0.4
    # Exponents of a power law from that of thin rods on.
    extent = PROBLEM.most_exponent - PROBLEM.least_power
    assert extents(of("power_law", power=(4.0, 0.1, "")), 1.0)["power"] == pytest.approx(extent)
    assert extents(of("sphere+power_law", B_power=(4.0, 0.1, "")), 1.0)["B_power"] == pytest.approx(extent)


def test_a_chain_shorter_than_it_is_stiff_is_a_rod() -> None:
    """Rods of 400 Å were chains of 1.9 Å, of which the form factor of a thin disc is left."""
    kuhn = (100.0, 10.0, "Ang")
    assert penalise_outside(of("flexible_cylinder", length=(400.0, 10.0, "Ang"), kuhn_length=kuhn)) == 0
    assert penalise_outside(of("flexible_cylinder", length=(1.9, 0.4, "Ang"), kuhn_length=kuhn)) > 100
    assert (
        penalise_outside(of("sphere+flexible_cylinder", B_length=(80.0, 2.0, "Ang"), B_kuhn_length=kuhn))
        == 100
    )
    assert penalise_outside(of("cylinder", length=(5.0, 0.4, "Ang"))) == 0


def test_no_sample_has_a_layer_thinner_than_an_atom() -> None:
    assert penalise_outside(of("core_shell_sphere", thickness=(1.2, 0.1, "Ang"))) == 0
    assert penalise_outside(of("core_shell_sphere", thickness=(0.5, 0.1, "Ang"))) == pytest.approx(25)
    # A value that may as well be larger is not held against it.
    assert penalise_outside(of("core_shell_sphere", thickness=(0.5, 5.0, "Ang"))) < 0.1
    # A correlation length may be as short as it likes.
    assert penalise_outside(of("correlation_length", cor_length=(0.03, 0.001, "Ang"))) == 0
    assert penalise_outside(of("sphere", "hardsphere", volfraction=(0.8, 0.01, ""))) > 30
