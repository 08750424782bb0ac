"""The command that is named next: it runs, and it carries every option that was given."""

from __future__ import annotations

import ast
import inspect
import shlex
from dataclasses import fields, replace
from typing import Any

import pytest
import typer
from made_results import CURVE, SPHERE, WRONG, answer, fitted, p

import sasnet_plugin
from sasnet_plugin.data.advice import ALL_Q
from sasnet_plugin.fitting.asked import make_start, options_of
from sasnet_plugin.fitting.request import OPTIONS, FitRequest, list_given
from sasnet_plugin.fitting.result.fit_warning import About, FitWarning
from sasnet_plugin.fitting.task import Contrast, FitOptions, LateError, Method
from sasnet_plugin.fitting.verdict.next_step import call, command, next_step, translate_to_python
from sasnet_plugin.fitting.verdict.tell import add_verdict
from sasnet_plugin.types import GroupGuess, ModelGuess, SasnetError, Suggestion
from sasnet_plugin.units import QUnit
from sasnet_plugin.wording import SURFACE, Phrase, option, template

# --- The command that is named next: it runs, and it carries every option that was given.

USUAL = FitOptions()
ALL = FitOptions(
    top=3, models=("sphere", "vesicle"), structure_factor="none", sample_kind="protein", fixed={"sld": 4.0},
    ranges={"radius": (10, 90)}, fitted=("radius_pd",), temperature=310.0,
    contrast=Contrast(3.5, 6.4, "SiO2@2.2", "40%D2O", "xray"),
    method=Method("dream", 500, 20), time_limit=40.0, workers=1, prior="uniform", exclude=("onion",),
    also={"--wavelength": "1.54", "--q-unit": "nm", "--q-range": "0.1:3", "--entry": "run 2"},
)  # fmt: skip
#: Perhaps.
IN_NM = answer(curve=replace(CURVE, q_unit=QUnit(stated=False, doubt="in nm⁻¹ …")))
#: Folders that were asked for.
WRITTEN = {"--report": "out", "--export": "mine"}


def test_every_option_that_was_given_is_in_it_as_a_shell_takes_it() -> None:
    said = shlex.split(command("run 7/latex.dat", ALL, {}))
    assert said[:3] == ["sasnet", "fit", "run 7/latex.dat"]
    given = dict(zip(said[3::2], said[4::2], strict=True))
    assert given == {
        "--models": "sphere,vesicle", "--exclude": "onion", "--top": "3", "--prior": "uniform",
        "--structure-factor": "none", "--time-limit": "40", "--workers": "1", "--fixed": "sld=4",
        "--ranges": "radius=10:90", "--fitted": "radius_pd", "--temperature": "310", "--sample": "SiO2@2.2",
        "--sample-kind": "protein", "--solvent": "40%D2O", "--probe": "xray",
        "--method": "dream", "--samples": "500", "--burn": "20", "--wavelength": "1.54", "--q-unit": "nm",
        "--q-range": "0.1:3", "--entry": "run 2",
    }  # fmt: skip
    assert list_given(USUAL) == {}


def read_start(texts: list[str], models: tuple[str, ...] | None, others: FitOptions = USUAL) -> FitRequest:
    """What a command line asks with these starting values."""
    start = OPTIONS["start"].parse(texts)
    return FitRequest(models=models, start=start, ranges=others.ranges, fitted=others.fitted)


def test_a_start_is_said_to_the_digit_with_its_model_and_dropped_with_another() -> None:
    values = {"radius": 60.1 / 3, "radius_pd": 0.1, "radius_pd_type": "schulz"}
    one = replace(
        USUAL, models=("sphere",), structure_factor="none", start=make_start("sphere", None, values),
        ranges={"radius": (10 / 3, 90.0)}, fitted=("scale", "radius_pd"),
    )  # fmt: skip
    said = shlex.split(command("a.dat", one, {}))
    start = said[said.index("--start") + 1]
    assert start == f"radius={60.1 / 3!r},radius_pd=0.1,radius_pd_type=schulz"
    assert said[said.index("--ranges") + 1] == f"radius={10 / 3!r}:90"
    assert said[said.index("--fitted") + 1] == "scale,radius_pd"
    assert options_of(read_start([start], ("sphere",), one)).start == one.start
    assert "--start" in command("a.dat", one, {"--report": "pages"})
    assert "--start" not in command("a.dat", one, {"--models": ("vesicle",)})
    assert "--start" not in list_given(replace(one, models=None)), "another start than the command's"


@pytest.mark.parametrize(
    ("given", "models", "said"),
    [
        (["radius=5"], None, "need exactly one model"),
        (["radius=5"], ("sphere", "vesicle"), "need exactly one model"),
        (["raduis=5"], ("sphere",), "no such parameter"),
        (["radius"], ("sphere",), "name=number"),
        (["radius_pd_type=evil"], ("sphere",), "gaussian"),
        (["radius=5"], ("spher",), "spher"),
    ],
    ids=str,
)
def test_a_start_that_cannot_be_is_wrong_usage(given: list[str], models: tuple[str, ...], said: str) -> None:
    with pytest.raises(SasnetError, match=said):
        options_of(read_start(given, models))


@pytest.mark.parametrize("name", [f.name for f in fields(FitOptions) if f.name != "start"])
def test_no_field_of_the_options_is_forgotten(name: str) -> None:
    one = replace(USUAL, **{name: getattr(ALL, name)})
    assert list_given(one) != list_given(USUAL)


def test_a_command_that_is_named_is_understood_by_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    from sasnet_plugin.cli.main import app

    group = typer.main.get_command(app)
    said = shlex.split(next_step(answer(), ALL)[0])
    context = group.make_context("sasnet", said[1:], resilient_parsing=False)  # type: ignore[attr-defined]
    _, fit, rest = group.resolve_command(context, said[1:])  # type: ignore[attr-defined]
    parsed = fit.make_context("fit", rest).params
    assert parsed["models"] == ["sphere,vesicle"]
    assert parsed["q_unit"] == "nm"
    assert str(parsed["report"]) == "pages"


def test_without_a_file_there_is_no_command() -> None:
    assert next_step(answer(curve=replace(CURVE, file="")), USUAL) == ("", "")


@pytest.mark.parametrize(
    ("found", "options", "added"),
    [
        (answer(), USUAL, "--report pages"),
        (answer(), replace(USUAL, also={"--report": "out"}), "--report out --export exports"),
        (answer(), replace(USUAL, also=WRITTEN), "--report out --export mine --details"),
        (answer(verification=WRONG), replace(USUAL, also=WRITTEN), "--report out --export mine --details"),
        (IN_NM, USUAL, "--q-unit nm"),
        (IN_NM, replace(USUAL, also={"--q-range": "0.1:3"}), "--q-range 0.01:0.3 --q-unit nm"),
        (IN_NM, replace(USUAL, also={"--q-range": ":3"}), "--q-range :0.3 --q-unit nm"),
        (answer(verification=WRONG, unfitted=("onion",)), USUAL, "--time-limit 360"),
        (answer(verification=WRONG), USUAL, "--report pages"),
        (answer(verification=replace(WRONG, worst=(0.0101, 0.02))), USUAL, "--q-range 0.0212:"),
        (answer(verification=replace(WRONG, worst=(0.2, 0.31))), USUAL, "--q-range :0.189"),
        (answer(verification=WRONG), replace(USUAL, models=("sphere",), top=3), "--top 3"),
        (
            answer(fitted("cylinder", radius=p(20, 1), length=p(150, 350))),
            USUAL,
            "--models cylinder --structure-factor none --fixed length=150",
        ),
    ],
)
def test_what_it_does_follows_from_the_answer(found: object, options: FitOptions, added: str) -> None:
    said, purpose = next_step(found, options)  # type: ignore[arg-type]
    assert said.startswith(f"sasnet fit 'run 7/latex.dat' {added}")
    assert purpose


def test_a_simpler_model_is_tried_next() -> None:
    simple = FitWarning("thickness is 0.", About.SIMPLER, parameter="thickness", model="sphere")
    shell = replace(SPHERE, model="vesicle", warnings=(simple,))
    assert next_step(answer(shell), USUAL)[0].endswith("--models sphere --structure-factor none")


def test_what_the_network_expects_is_named_next_where_none_of_it_was_fitted() -> None:
    groups = (
        GroupGuess("cylinders and boxes", ("cylinder", "prism"), 0.9),
        GroupGuess("spheres", ("sphere",), 0.1),
    )
    guesses = (ModelGuess("cylinder", "hardsphere", 0.8, "cylinders and boxes"),)
    found = answer(SPHERE, expected=Suggestion("", "", guesses, groups, 0.9))
    said, purpose = next_step(found, USUAL)
    assert "--models cylinder --structure-factor hardsphere" in said
    assert "expects" in purpose


def test_one_entry_of_many_is_named() -> None:
    many = replace(answer(SPHERE).curve, entry="run 3, 0.1 %", entries=240)
    said, _ = next_step(answer(SPHERE, curve=many), FitOptions())
    assert "--entry 'run 3, 0.1 %'" in said
    given, _ = next_step(answer(SPHERE, curve=many), FitOptions(also={"--entry": "3"}))
    assert given.count("--entry") == 1
    assert "--entry" not in next_step(answer(SPHERE, curve=replace(many, entries=1)), FitOptions())[0]


# --- What is said to who calls from Python: calls that can be made, keywords that exist.


@pytest.mark.parametrize(
    ("phrase", "command", "python", "page"),
    [
        (option("time-limit", 180), "--time-limit 180", "time_limit=180", "--time-limit 180"),
        (option("q-unit", "nm", page="nm⁻¹"), "--q-unit nm", 'q_unit="nm"', "nm⁻¹"),
        (option("for"), "--for", "parameter", "--for"),
        (ALL_Q, "--q-range 0:", "curve.within(0)", "--q-range 0:"),
    ],
)
def test_each_surface_has_its_own_words(
    phrase: Phrase, command: str, python: str, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for surface, words in (("command", command), ("python", python), ("page", page)):
        monkeypatch.setenv(SURFACE, surface)
        assert f"{phrase}" == words
        assert template("Go on with {it}.", it=phrase)() == f"Go on with {words}."
    monkeypatch.delenv(SURFACE)
    assert str(phrase) == python, "no program has said who reads"


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
def test_an_answer_names_no_option_of_the_command(result: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SURFACE, "python")
    options = FitOptions(time_limit=30.0)
    made = add_verdict(
        replace(result, fits=(SPHERE,), notes=(str(LateError("sphere")),), curve=CURVE), options
    )
    found = translate_to_python(made, options)
    said = " ".join((str(found), *found.notes, found.verdict.next))
    assert "--" not in said
    assert "sasnet fit" not in said
    assert found.verdict.next
    assert found.verdict.level == made.verdict.level
