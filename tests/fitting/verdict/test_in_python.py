"""What is said to who calls from Python: calls that can be made, keywords that exist."""

from __future__ import annotations

import ast
import inspect
from dataclasses import replace
from typing import Any

import pytest
from made_results import CURVE, SPHERE, WRONG, answer

import sasnet_plugin
from sasnet_plugin.fitting.task import Contrast, FitOptions, Method
from sasnet_plugin.fitting.verdict.next_step import call, translate_to_python
from sasnet_plugin.fitting.verdict.tell import add_verdict
from sasnet_plugin.in_python import translate_sentence


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("(go on with --time-limit 180): line.", "(go on with time_limit=180): line."),
        ("give more with --time-limit.", "give more with time_limit."),
        ("run again with --workers 1", "run again with workers=1"),
        ("density itself, such as --fixed sld=4.0.", 'density itself, such as fixed={"sld": 4.0}.'),
        ("increase --burn and --samples.", "increase burn and samples."),
        ("(--q-unit A or --q-unit nm)", '(q_unit="A" or q_unit="nm")'),
        ("--wavelength 1.5418 for Cu Kα", "wavelength=1.5418 for Cu Kα"),
        ("'--q-range 0:' includes them again.", "'curve.within(0)' includes them again."),
        ("no options: −1 – 2 – nothing", "no options: −1 – 2 – nothing"),
    ],
)
def test_options_become_keywords(said: str, expected: str) -> None:
    assert translate_sentence(said) == expected


def arguments(code: str) -> dict[str, Any]:
    """Keywords of a call of `fit`, which has them."""
    tree = ast.parse(code, mode="eval").body
    assert isinstance(tree, ast.Call)
    found = {k.arg: ast.literal_eval(k.value) for k in tree.keywords}
    inspect.signature(sasnet_plugin.fit).bind(None, **found)
    return found


def test_a_call_carries_all_that_was_given() -> None:
    options = FitOptions(
        top=3, models=("sphere", "cylinder"), structure_factor="none", fixed={"sld": 4.0, "radius": 12.5},
        ranges={"length": (10.0, 500.0)}, contrast=Contrast(1.0, 2.0, "SiO2@2.2", "D2O", "xray"),
        method=Method("dream", 5000, 10), time_limit=30.0, workers=1, prior="uniform", exclude=("rpa",),
        also={"--wavelength": "1.54"},
    )  # fmt: skip
    assert arguments(call("a.dat", options, {"--time-limit": 120.0})) == {
        "top": 3, "models": ["sphere", "cylinder"], "structure_factor": "none",
        "fixed": {"sld": 4, "radius": 12.5}, "ranges": {"length": (10, 500)}, "sample": "SiO2@2.2",
        "solvent": "D2O", "probe": "xray", "method": "dream", "samples": 5000, "burn": 10,
        "time_limit": 120, "workers": 1, "prior": "uniform", "exclude": ["rpa"], "wavelength": 1.54,
    }  # fmt: skip


def test_how_a_curve_is_read_is_no_option_of_a_fit() -> None:
    assert call("a 'b'.dat", FitOptions(), {"--q-unit": "nm"}) == 'fit(load("a \'b\'.dat", q_unit="nm")[0])'
    assert call("", FitOptions(), {"--q-range": (0.01, None)}) == "fit(curve.within(low=0.01))"
    assert (
        call("", FitOptions(), {"--models": None, "--q-range": (None, 0.3)}) == "fit(curve.within(high=0.3))"
    )
    assert call("a.dat", FitOptions(), {"--report": "pages"}) == "result.plot()"


@pytest.mark.parametrize("result", [answer(SPHERE), answer(SPHERE, verification=WRONG, limit_met=True)])
def test_an_answer_names_no_option_of_the_command(result: Any) -> None:
    fit = replace(SPHERE, warnings=("Cut short; give more with --time-limit.",))
    options = FitOptions(time_limit=30.0)
    made = add_verdict(
        replace(result, fits=(fit,), notes=("go on with --time-limit 60",), curve=CURVE), options
    )
    found = translate_to_python(made, options)
    said = " ".join((str(found), *found.notes, *found.fits[0].warnings, found.verdict.next))
    assert "--" not in said
    assert "sasnet fit" not in said
    assert found.verdict.next
    assert found.verdict.level == made.verdict.level
