"""One thing has one name over all doors: options, keywords and keys; former names work, with a note."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import sasnet_plugin
from sasnet_plugin.cli.main import OLD_OPTIONS, app, rename_options
from sasnet_plugin.fitting.result.verdict import Verdict
from sasnet_plugin.types import Curve, DataError

runner = CliRunner()
#: Keywords of Python that no command has: arrays, randomness, and what a terminal shows by itself.
PYTHON_ALONE = {"curve", "curves", "rng", "progress", "solvents", "ties"}


def options_of(command: str) -> set[str]:
    """The options of a command as keywords."""
    group: Any = typer.main.get_command(app)
    found = group.get_command(None, command)
    return {name.removeprefix("--").replace("-", "_") for p in found.params for name in p.opts}


@pytest.mark.parametrize("function", ["fit", "fit_together"])
def test_keywords_are_options(function: str) -> None:
    keywords = set(inspect.signature(getattr(sasnet_plugin, function)).parameters)
    assert keywords - PYTHON_ALONE <= options_of("fit")


def test_how_a_file_is_read_has_the_same_names() -> None:
    keywords = set(inspect.signature(sasnet_plugin.load).parameters)
    assert keywords - {"path"} <= options_of("fit") & options_of("classify")


def test_tools_of_assistants_have_the_same_names() -> None:
    pytest.importorskip("mcp")
    import anyio

    from sasnet_plugin.integrations.assistant.folders import Folders
    from sasnet_plugin.integrations.assistant.server import build

    server, _ = build(Folders((Path.cwd(),)), 1)
    tools = {tool.name: set(tool.input_schema["properties"]) for tool in anyio.run(server.list_tools)}
    assert tools["fit"] - {"file", "q_min", "q_max", "exchange"} <= options_of("fit")
    assert tools["fit"] & {"exchange"} <= options_of("next")
    assert {"fixed", "ranges", "fitted", "q_range"} <= tools["fit"]


@pytest.mark.parametrize("old", OLD_OPTIONS)
def test_former_names_of_options_work_with_a_note(old: str, capsys: pytest.CaptureFixture[str]) -> None:
    new = OLD_OPTIONS[old]
    assert rename_options([old, "1", f"{old}=2", "--", old], {new}) == [new, "1", f"{new}=2", "--", old]
    assert f"{old} is now called {new}" in capsys.readouterr().err
    assert rename_options([old], {old, new}) == [old]
    assert rename_options([old], {"--other"}) == [old]
    assert capsys.readouterr().err == ""


def test_a_command_takes_a_former_name(tmp_path: Path) -> None:
    result = runner.invoke(app, ["fit", str(tmp_path / "no.dat"), "--fix", "radius=large"])
    assert result.exit_code == 2
    assert "--fix is now called --fixed" in result.output
    assert "--fixed" in result.output.split("is now called")[1]


def test_a_former_keyword_works_with_a_warning() -> None:
    with (
        pytest.raises(sasnet_plugin.SasnetError),
        pytest.warns(FutureWarning, match="ties= is now called tie="),
    ):
        sasnet_plugin.fit_together([curve(), curve()], ties=["nothing"])


def test_cautions_stand_in_json_by_both_names() -> None:
    said = json.loads(json.dumps(Verdict("explains with doubts", "Spheres.", ("One.", "Two.")).as_dict()))
    assert (said["caution"], said["cautions"]) == ("One.", ["One.", "Two."])
    assert (said["doubt"], said["doubts"]) == (said["caution"], said["cautions"])


def curve(points: int = 40) -> Curve:
    """A sphere's Guinier region."""
    q = np.geomspace(0.005, 0.1, points)
    return Curve(q, 10 * np.exp(-((q * 20) ** 2) / 3), np.full(points, 0.01))


def test_load_takes_a_q_range(tmp_path: Path) -> None:
    file = tmp_path / "a.dat"
    one = curve()
    np.savetxt(file, np.column_stack([one.q, one.intensity, one.dintensity]))
    found = sasnet_plugin.load(file, q_range=(0.01, math.inf))[0]
    assert found.q[0] >= 0.01
    assert len(found) == np.count_nonzero(one.q >= 0.01)


@pytest.mark.parametrize(
    ("name", "value"),
    [("q", -0.1), ("q", 0.0), ("q", math.nan), ("intensity", math.inf), ("dintensity", math.nan)],
)
def test_a_curve_refuses_what_is_no_number(name: str, value: float) -> None:
    columns = {"q": [0.1, 0.2], "intensity": [1.0, 2.0], "dintensity": [0.1, 0.1]}
    columns[name][0] = value
    with pytest.raises(
        DataError, match=rf"^the curve: {name} must hold only .*; remove 1 of the 2 points\.$"
    ):
        Curve(**{key: np.array(column) for key, column in columns.items()})


def test_results_are_short_tables() -> None:
    found = curve().model_free()
    lines = repr(found).splitlines()
    assert lines[0] == "ModelFree:"
    assert len(lines) <= 16
    assert max(len(line) for line in lines if " none " not in line) <= 110  # reasons are sentences
    assert "Rg (Guinier)" in repr(found)
    assert repr(found.guinier).startswith("Guinier:\n")
    for part in (found.low, found.porod, found.plateau, found.kratky):
        assert "array" not in repr(part)
    suggestion = repr(sasnet_plugin.suggest(curve()))
    assert suggestion.splitlines()[1].split() == ["model", "structure", "factor", "probability", "group"]
    assert len(suggestion.splitlines()) == 7


def test_a_parameter_is_found_by_its_name() -> None:
    best = sasnet_plugin.fit(curve(), models="sphere", progress=False, workers=1).best
    assert best is not None
    assert best["radius"] is best.parameters["radius"]
    assert str(best["radius"]).endswith(" Å")
    with pytest.raises(KeyError, match="sphere has no parameter 'radus'; it has scale, "):
        best["radus"]
    lines = repr(best).splitlines()
    assert lines[0].startswith("ModelFit of sphere, reduced χ² ")
    assert len(lines) == 1 + len(best.parameters)
