"""Which values no sample has."""

from __future__ import annotations

import pytest

from sasnet_plugin.fitting.assessment.diagnostics import impossible
from sasnet_plugin.fitting.result.model_fit import Parameter


@pytest.mark.parametrize(
    ("name", "value", "unit", "word"),
    [
        ("length", 0.03, "Ang", "atom"),
        ("length", 3.5, "Ang", ""),
        ("B_radius", 0.4, "Ang", "atom"),
        ("thickness1", -0.2, "Ang", "atom"),
        # A correlation length or roughness may be as short as it likes.
        ("cor_length", 0.03, "Ang", ""),
        ("volfraction", 0.75, "", "fill"),
        ("volfraction", 0.6, "", ""),
        ("surface_fraction", 1.2, "", "fraction"),
        ("fractal_dim", 3.05, "", ""),
        ("fractal_dim", 4.0, "", "above 3"),
        ("lorentz_scale", -1.0, "", "negative"),
        ("scale", 0.0, "", "scale, 0, is not positive"),
        ("B_scale", 0.0, "", "B_scale, 0, is not positive"),
    ],
)
def test_what_no_sample_has_is_said(name: str, value: float, unit: str, word: str) -> None:
    said = impossible(name, Parameter(value, 0.1, unit, False, -10.0, 100.0))
    assert word in said
    assert bool(said) == bool(word)
