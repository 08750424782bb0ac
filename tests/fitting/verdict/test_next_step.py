"""The command that is named next: it runs, and it carries every option that was given."""

from __future__ import annotations

import shlex
from dataclasses import fields, replace

import pytest
import typer
from made_results import CURVE, SPHERE, WRONG, answer, fitted, p

from sasnet_plugin.cli.fit_options import start_given
from sasnet_plugin.fitting.task import Contrast, FitOptions, Method, Start
from sasnet_plugin.fitting.verdict.next_step import command, next_step, words_of
from sasnet_plugin.types import GroupGuess, ModelGuess, SasnetError, Suggestion
from sasnet_plugin.units import QUnit

USUAL = FitOptions()
ALL = FitOptions(
    top=3, models=("sphere", "vesicle"), structure_factor="none", fixed={"sld": 4.0},
    ranges={"radius": (10, 90)}, contrast=Contrast(3.5, 6.4, "SiO2@2.2", "40%D2O", "xray"),
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
        "--ranges": "radius=10:90", "--sample": "SiO2@2.2", "--solvent": "40%D2O", "--probe": "xray",
        "--method": "dream", "--samples": "500", "--burn": "20", "--wavelength": "1.54", "--q-unit": "nm",
        "--q-range": "0.1:3", "--entry": "run 2",
    }  # fmt: skip
    assert words_of(USUAL) == {}


def test_a_start_is_said_to_the_digit_with_its_model_and_dropped_with_another() -> None:
    values = {"radius": 60.1 / 3, "radius_pd": 0.1, "radius_pd_type": "schulz"}
    one = replace(
        USUAL, models=("sphere",), structure_factor="none", start=Start("sphere", None, values),
        ranges={"radius": (10 / 3, 90.0)},
    )  # fmt: skip
    said = shlex.split(command("a.dat", one, {}))
    start = said[said.index("--start") + 1]
    assert start == f"radius={60.1 / 3!r},radius_pd=0.1,radius_pd_type=schulz"
    assert said[said.index("--ranges") + 1] == f"radius={10 / 3!r}:90"
    assert start_given([start], ("sphere",), "none") == one.start
    assert "--start" in command("a.dat", one, {"--report": "pages"})
    assert "--start" not in command("a.dat", one, {"--models": ("vesicle",)})
    assert "--start" not in words_of(replace(one, models=None)), "another start than the command's"


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
    with pytest.raises((typer.BadParameter, SasnetError), match=said):
        start_given(given, models, None)


@pytest.mark.parametrize("name", [f.name for f in fields(FitOptions) if f.name != "start"])
def test_no_field_of_the_options_is_forgotten(name: str) -> None:
    one = replace(USUAL, **{name: getattr(ALL, name)})
    assert words_of(one) != words_of(USUAL)


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
    simple = "thickness, 0.1 Å, is at its lower limit: sphere gives the same curve with fewer parameters."
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
