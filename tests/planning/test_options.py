"""Options of a plan: the same from texts and from objects, and what they change of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.result.model_fit import Parameter
from sasnet_plugin.planning.measurements import exchanged_density
from sasnet_plugin.planning.options import list_conflicts, plan_options, tie_exchanging
from sasnet_plugin.types import Curve, SasnetError

_SUGAR = "C6H7H[1]3O5@1.5"


def test_texts_and_objects_say_the_same() -> None:
    by_command = plan_options(
        {
            "parameter": None, "aim": None, "solvents": ["H2O,D2O", "40%D2O"],
            "exchange": [f"sld_shell={_SUGAR}"], "changes": ["sld_core=6.2,scale=0.02"],
            "instrument": "tof_sans",
        }
    )  # fmt: skip
    by_page = plan_options(
        {
            "parameter": "", "solvents": " H2O, D2O,40%D2O", "exchange": f"sld_shell = {_SUGAR};",
            "changes": "sld_core=6.2,scale=0.02", "instrument": "tof_sans",
        }
    )  # fmt: skip
    by_assistant = plan_options(
        {
            "solvents": ["H2O", "D2O", "40%D2O"], "exchange": {"sld_shell": _SUGAR},
            "changes": {"sld_core=6.2,scale=0.02": {"sld_core": 6.2, "scale": 0.02}},
            "instrument": "tof_sans",
        }
    )  # fmt: skip
    assert by_command == by_page == by_assistant
    assert by_command["changes"] == {"sld_core=6.2,scale=0.02": {"sld_core": 6.2, "scale": 0.02}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"solvent": "D2O"}, "solvent: there is no such option of a plan; use parameter"),
        ({"aim": "much"}, "aim: 'much' is not possible"),
        ({"aim": 2}, "An aim of 2 is impossible; give a share between 0 and 1"),
        ({"time": "-1"}, "A counting time of -1 is impossible; give a positive number"),
        ({"time": True}, "time: True is not possible"),
        ({"parameter": 3}, "parameter: 3 is not possible"),
        ({"exchange": "sld_shell"}, "'sld_shell' is no part with its material"),
        ({"exchange": {"sld_shell": "H2O"}}, "'sld_shell=H2O' is no part with its material"),
        ({"exchange": "=C6H6@0.9"}, "is no part with its material"),
        ({"exchange": {"sld_shell": "C6Qq7@1.5"}}, "C6Qq7@1.5 is no formula with a density"),
        ({"exchange": {"sld_shell": "C6H6@heavy"}}, "C6H6@heavy is no formula with a density"),
        ({"exchange": 5}, "'5' is no part with its material"),
        ({"solvents": "H2O, foo"}, "foo is neither"),
        ({"solvents": 5}, "5 is neither"),
        ({"changes": {"core": {"sld_core": "x"}}}, "'core' is no change of a sample"),
        ({"changes": {"core": 6.2}}, "'core' is no change of a sample"),
        ({"changes": "=3"}, "is no change of a sample"),
        ({"earlier": {"rivals": {}}}, "The earlier plan is none"),
    ],
)
def test_a_wrong_option_is_refused_in_a_sentence(body: dict[str, Any], words: str) -> None:
    with pytest.raises(SasnetError) as refused:
        plan_options(body)
    assert words in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_an_exchanging_part_follows_the_solvent_of_each_curve() -> None:
    q = np.geomspace(0.01, 0.1, 20)
    curves = [Curve(q, 1 / (1 + i + q), 0.01 / (1 + q), file=f"{i}.dat") for i in range(2)]
    sample = sample_of(curves, {"solvents": {"1": -0.56, "2": 4.0}})
    tie = tie_exchanging(sample, {"sld_shell": _SUGAR}).ties["sld_shell"]
    for solvent in (-0.56, 1.5, 4.0, 6.35):
        expected = exchanged_density(_SUGAR, solvent)
        assert tie.value({"sld_solvent": solvent}) == pytest.approx(expected, abs=2e-3)
    unknown = sample_of(curves, {"kind": "contrasts"})
    assert tie_exchanging(unknown, {"sld_shell": _SUGAR}).ties == {}


def test_a_fit_with_another_density_than_the_material_is_named() -> None:
    density = exchanged_density(_SUGAR, 6.36)
    fitted = {"sld_shell": Parameter(density + 1.0, 0.1, "1e-6/Ang^2", False, 0.0, 10.0)}
    (said,) = list_conflicts({"sld_shell": _SUGAR}, 6.36, fitted)
    assert f"fixed at {density:.3g}" in said
    fixed = {"sld_shell": Parameter(density, None, "1e-6/Ang^2", True, 0.0, 10.0)}
    assert list_conflicts({"sld_shell": _SUGAR}, 6.36, fixed) == []
    assert list_conflicts({"sld_shell": _SUGAR}, None, fitted) == []
