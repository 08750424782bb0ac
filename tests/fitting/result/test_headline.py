"""The one headline: what it names, its three levels, and that it never says two things at once."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.result.display import parameters_in_words
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.headline import DOES_NOT, DOUBTS, EXPLAINS, Headline, determined
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter, Verification
from sasnet_plugin.types import Curve

Q = np.geomspace(0.01, 0.3, 60)
CURVE = Curve(Q, 1 / Q, 0.01 / Q)


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
    "radius_pd": _p(0.1, 0.01, ""),
}
FIT = ModelFit("vesicle", "hardsphere", PARAMETERS, {}, 60.0, 1.0432, 70.0, 0.5, 0.1, 1 / Q)
GOOD = Verification(0.4, 0.1, (0.01, 0.02), True, ())
WRONG = Verification(
    1.0, -8.0, (0.01, 0.02), False, ("Residuals are not random: the model lacks something.",)
)


def _said(**changes: object) -> Headline:
    return replace(FitResult(CURVE, 0.01 / Q, (FIT,), True, verification=GOOD), **changes).headline  # type: ignore[arg-type]


def test_it_names_what_tells_most_with_matching_digits() -> None:
    assert str(_said()) == (
        "vesicle@hardsphere: radius 41.31 ± 0.62 Å, thickness 19.6 ± 1.1 Å, volfraction 0.120 ± 0.011;"
        " reduced χ² 1.04. Explains the data."
    )


def test_contrasts_beside_a_fitted_scale_are_a_convention_and_no_result() -> None:
    contrast = {"sld_core": _p(9.9, 0.16, "1e-6/Ang^2")}
    short = {name: PARAMETERS[name] for name in ("scale", "radius")} | contrast
    assert _said(fits=(replace(FIT, parameters=short),)).values == ("radius 41.31 ± 0.62 Å",)
    absolute = short | {"scale": _p(1.0, None, "", True)}
    said = _said(fits=(replace(FIT, parameters=absolute),)).values
    assert said == ("radius 41.31 ± 0.62 Å", "sld_core 9.90 ± 0.16 10⁻⁶ Å⁻²")


def test_what_the_time_limit_left_undone_is_said_with_the_way_to_go_on() -> None:
    go_on = "go on with --time-limit 300"
    assert str(_said(unfitted=("onion", "lamellar", "prism", "core"), go_on=go_on)).endswith(
        "Explains the data. Not fitted within the time limit (go on with --time-limit 300): onion, lamellar"
        " and 2 more."
    )
    cut = _said(limit_met=True, go_on=go_on, verification=WRONG)
    assert cut.judgement.startswith(
        "Does not explain the data: residuals are not random. The time limit ended"
    )
    assert go_on in cut.as_dict()["headline"]
    assert "time limit" not in str(_said()) + str(_said(limit_met=True, go_on=go_on))


def test_what_the_data_leave_open_is_no_measurement() -> None:
    opened = replace(FIT, parameters={"scale": _p(74.0, 6500.0, ""), "length": PARAMETERS["length"]})
    assert _said(fits=(opened,)).values == ("length not determined (200 ± 350 Å)",)
    assert "scale not determined (100 ± 6500)" in parameters_in_words(opened)
    # Zero is no mark for a density, and a good value of a background.
    assert determined("sld", _p(0.2, 0.5, "1e-6/Ang^2"))
    assert not determined("sld", _p(0.2, 12.0, "1e-6/Ang^2"))
    assert determined("background", _p(0.001, 0.002, "1/cm"))


def test_what_only_a_shared_error_makes_as_good_is_said_with_it() -> None:
    found = _said(alike=("sphere",), excused=("a systematic error of 2 % of I", ("onion", "raspberry")))
    assert found.doubts == (
        "sphere fits as well", "within a systematic error of 2 % of I onion and raspberry fit as well"
    )  # fmt: skip


def test_what_has_evidence_and_another_chisq_is_named_with_it() -> None:
    first, other = replace(FIT, weight=0.7), replace(FIT, model="onion", weight=0.28, reduced_chisq=0.813)
    third = replace(FIT, model="sphere", weight=0.02)
    assert _said(fits=(first, other, third)).doubts == (
        "onion@hardsphere has 28 % of the evidence, at reduced χ² 0.813",
    )
    explaining = _said(fits=(first, other), explaining=("sphere", "rod", "dab"))
    assert explaining.doubts[0] == "to their errors sphere, rod and 1 more explain the data, too"
    assert _said(fits=(first, other), alike=("onion@hardsphere",)).doubts == (
        "onion@hardsphere fits as well",
    )


def test_doubts_are_named_and_a_wrong_model_has_other_worries() -> None:
    warned = replace(
        FIT, warnings=("Residuals are not random: the model lacks something.", "A is at its limit.")
    )
    doubted = _said(fits=(warned,), alike=("sphere", "cylinder", "ellipsoid"))
    assert doubted.verdict == DOUBTS
    assert doubted.doubts == (
        "sphere, cylinder and 1 more fit as well", "residuals are not random", "a is at its limit"
    )  # fmt: skip
    named = replace(warned, parameters={**PARAMETERS, "A": _p(1.0, 0.1, "")})  # a plugin's
    assert _said(fits=(named,)).doubts[-1] == "A is at its limit"
    estimated = _said(curve=replace(CURVE, dintensity=None))
    assert estimated.doubts == ("the data state no uncertainties",)
    unknown = replace(FIT, parameters={**PARAMETERS, "radius": _p(41.3, None, "Ang")})
    assert _said(fits=(unknown,)).doubts == ("the errors of the parameters are not known",)
    wrong = _said(fits=(warned,), verified=False, verification=WRONG)
    assert (wrong.verdict, wrong.doubts) == (DOES_NOT, ("residuals are not random",))
    # Nor does a wrong model have values.
    assert str(wrong).startswith("vesicle@hardsphere; reduced χ² 1.04. Does not explain the data: ")
    shared = replace(WRONG, systematic={"relative": 0.021, "length_ln_q": 0.1, "noise": 1.0, "excuses": True})
    assert "within a systematic error of 2.1 % of I it would" in str(
        _said(verified=False, verification=shared)
    )
    # An error beside which the noise is still too large excuses nothing.
    loud = replace(WRONG, systematic={"relative": 0.021, "length_ln_q": 0.1, "noise": 5.0, "excuses": False})
    assert "it would" not in str(_said(verified=False, verification=loud))
    assert _said(fits=(), verified=False, verification=None).verdict == DOES_NOT


def test_no_answer_explains_everything_and_lacks_something() -> None:
    warnings = ((), ("Residuals are not random: the model lacks something there.",))
    for said, verification, alike in itertools.product(warnings, (GOOD, WRONG), ((), ("sphere",))):
        found = _said(fits=(replace(FIT, warnings=said),), verification=verification, alike=alike)
        assert (found.verdict == EXPLAINS) == (found.doubts == ())
        assert ("Explains the data." in str(found)) == (not said and verification is GOOD and not alike)
