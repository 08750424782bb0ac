"""``sasnet classify``: what it prints, when it fails, and that one bad file costs the others nothing."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tinyzoo import FORMS, network, sphere_curve, write_zoo
from typer.testing import CliRunner, Result

from sasnet_plugin.cli.answers import TableWriter
from sasnet_plugin.cli.kinds import CHUNK, outcomes
from sasnet_plugin.cli.main import app
from sasnet_plugin.predict import Answer, open_classifier
from sasnet_plugin.types import Curve

pytestmark = pytest.mark.usefixtures("zoo")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["classify", *map(str, arguments)])


def write_sphere(path: Path, radius: float = 60.0, *, q_factor: float = 1.0, points: int = 120) -> Path:
    q, intensity, sigma = sphere_curve(radius, points=points)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, np.column_stack([q * q_factor, intensity, sigma]))
    return path


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_has_the_promised_keys(tmp_path: Path) -> None:
    result = run("--json", "--top", 3, write_sphere(tmp_path / "a.dat"))
    assert result.exit_code == 0, result.output
    (answer,) = lines(result)
    assert {"file", "entry", "models", "groups", "in_scope", "notes"} <= answer.keys()
    assert answer["file"] == str(tmp_path / "a.dat")
    assert len(answer["models"]) == 3
    for model in answer["models"]:
        assert {"name", "structure_factor", "probability", "group"} <= model.keys()
        assert model["name"] in FORMS
        assert model["structure_factor"] is None or isinstance(model["structure_factor"], str)
    for group in answer["groups"]:
        assert group.keys() == {"name", "members", "probability"}
    for listed in (answer["models"], answer["groups"]):
        probabilities = [item["probability"] for item in listed]
        assert probabilities == sorted(probabilities, reverse=True)
        assert 0 <= probabilities[-1] <= probabilities[0] <= 1
    assert 0 <= answer["in_scope"] <= 1
    assert all(isinstance(note, str) for note in answer["notes"])


def test_json_writes_null_for_a_dilute_sample(tmp_path: Path) -> None:
    result = run("--json", "--models", "power_law", write_sphere(tmp_path / "a.dat"))
    assert lines(result)[0]["models"][0]["structure_factor"] is None


def test_table_for_a_person(tmp_path: Path) -> None:
    file = write_sphere(tmp_path / "a [1].dat")
    result = run("--details", "--top", 2, "--q-range", "0.005:", "--exclude", FORMS[-1], file)
    assert result.exit_code == 0, result.output
    assert "a [1].dat" in result.stdout
    assert sum(name in result.stdout for name in FORMS) >= 2
    assert re.search(r"[▁▂▃▄▅▆▇█]{20}", result.stdout)
    assert "A library model fits this curve" in result.stdout
    # What to do next with what was given, so that it can be pasted.
    assert result.stdout.rstrip().endswith(
        f"Next: sasnet fit '{file}' --exclude {FORMS[-1]} --top 2 --q-range 0.005:"
    )


def test_an_answer_has_eight_lines_at_most_sorted_by_probability(tmp_path: Path) -> None:
    file = write_sphere(tmp_path / "a.dat")
    result = run("--exclude", FORMS[-1], file)
    assert result.exit_code == 0, result.output
    title, *said = result.stdout.strip().splitlines()
    assert str(file) in title
    assert len(said) <= 7
    models = [line for line in said if line.startswith("  ")]
    shares = [int(re.search(r"(\d+) %", line)[1]) for line in models]  # type: ignore[index]
    assert shares == sorted(shares, reverse=True) != []
    assert all(line.count("%") == 1 for line in models), "one column of probability"
    (kinds,) = (line for line in said if line.startswith("Kind of model: "))
    shares = [int(share) for share in re.findall(r"(\d+) %", kinds.partition(". ")[0])]
    assert shares == sorted(shares, reverse=True) != []
    assert "At least one library model fits" in result.stdout
    assert said[-1].startswith(f"Next: sasnet fit {file} --exclude {FORMS[-1]}  # or --details")
    # What is left goes with --details, and nothing is only in the short answer.
    full = run("--details", "--exclude", FORMS[-1], file).stdout
    assert len(full.splitlines()) > len(said) + 1
    assert all(line.split()[0] in full for line in models)


def test_every_model_that_the_network_knows_is_of_one_kind() -> None:
    from sasnet_plugin.predict.predictor import open_classifier
    from sasnet_plugin.predict.short_answer import KINDS

    members = [name for names in KINDS.values() for name in names]
    assert len(members) == len(set(members))
    assert set(open_classifier().manifest.labels) <= set(members)


def test_out_of_scope_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo = write_zoo(tmp_path / "b", onnx_bytes=network(scope_bias=-4.0))
    monkeypatch.setenv("SASNET_MODEL_ZOO", str(zoo))
    result = run(write_sphere(tmp_path / "a.dat"))
    assert result.exit_code == 0
    unlike, table = "unlike the simulated curves of any single library model", "At least one library model"
    assert 0 < result.stdout.index(unlike) < result.stdout.index(table)


def test_no_name_is_cut_in_a_window_of_80_characters(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    names = ("hollow_rectangular_prism_thin_walls", "hardsphere", "  93 % ███████████", "  12 %")
    title = ("model", "structure factor", "probability", "uniform prior", "group")
    finding = SimpleNamespace(rows=lambda: [title, (*names, "boxes")])
    answer = SimpleNamespace(
        file="", entry="", known=True, findings=[finding], sentences=list, q_unit=None, doubts=0
    )
    TableWriter(details=True).answer(Curve(*sphere_curve(60.0)[:2]), answer)  # type: ignore[arg-type]
    printed = capsys.readouterr().out
    assert all(name in printed for name in names)
    assert "…" not in printed


def test_some_files_failed(tmp_path: Path) -> None:
    good, bad = write_sphere(tmp_path / "b.dat"), tmp_path / "a.dat"
    bad.write_text("")
    result = run("--json", bad, good, tmp_path / "missing.dat")
    assert result.exit_code == 1
    first, second, third = lines(result)
    assert first["file"] == str(bad)
    assert "error" in first
    assert second["models"]
    assert third["file"] == str(tmp_path / "missing.dat")
    assert "error" in third


def test_failures_go_to_stderr_for_a_person(tmp_path: Path) -> None:
    result = run(tmp_path / "missing.dat", write_sphere(tmp_path / "a.dat"))
    assert result.exit_code == 1
    assert "missing.dat" in result.stderr
    assert "missing.dat" not in result.stdout
    assert "a.dat" in result.stdout


def test_folder_is_searched_without_hidden_files(tmp_path: Path) -> None:
    write_sphere(tmp_path / "d" / "b.dat")
    write_sphere(tmp_path / "d" / "deep" / "a.dat")
    write_sphere(tmp_path / "d" / ".hidden.dat")
    write_sphere(tmp_path / "d" / ".git" / "c.dat")
    result = run("--json", tmp_path / "d")
    assert result.exit_code == 0, result.output
    assert [Path(answer["file"]).name for answer in lines(result)] == ["b.dat", "a.dat"]


def test_pattern_that_no_shell_expanded(tmp_path: Path) -> None:
    for name in ("a1.dat", "a2.dat", "b1.dat"):
        write_sphere(tmp_path / name)
    found = run("--json", tmp_path / "a?.dat")
    assert [Path(answer["file"]).name for answer in lines(found)] == ["a1.dat", "a2.dat"]
    nothing = run("--json", tmp_path / "z*.dat")
    assert nothing.exit_code == 1
    assert "no file matches" in lines(nothing)[0]["error"]


def test_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write_sphere(tmp_path / "a.dat")
    assert run("~/a.dat").exit_code == 0


def test_empty_folder_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    result = run("--json", tmp_path / "nothing")
    assert result.exit_code == 1
    assert lines(result)[0]["file"] == str(tmp_path / "nothing")


def test_order_of_the_files_is_kept_over_many_batches(tmp_path: Path) -> None:
    names = [f"{index:03d}.dat" for index in range(150)]
    for name in names:
        write_sphere(tmp_path / "d" / name, points=40)
    (tmp_path / "d" / "077.dat").write_text("no data here\n")
    answers = lines(run("--json", tmp_path / "d"))
    assert [Path(answer["file"]).name for answer in answers] == names
    assert [Path(answer["file"]).name for answer in answers if "error" in answer] == ["077.dat"]


def test_answers_stream() -> None:
    """The first file has its answer before the second is read, and none waits for more than a chunk."""
    read: list[str] = []

    def load(path: str) -> tuple[Curve, ...]:
        read.append(path)
        return (Curve(*sphere_curve(60.0, points=30), file=path),)

    judge = open_classifier().predictor.outcomes
    files = [f"{index}.dat" for index in range(500)]
    for index, (path, _, outcome) in enumerate(outcomes(files, load, judge, None, lambda: None)):
        assert path == files[index]
        assert isinstance(outcome, Answer)
        if index == 0:
            assert read == ["0.dat"]
        assert len(read) - index <= CHUNK
    assert read == files


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--top", "0", "{file}"],
        ["--top", "x", "{file}"],
        ["--q-range", "0.3", "{file}"],
        ["--q-range", "0.3:0.1", "{file}"],
        ["--q-range", "a:b", "{file}"],
        ["--q-unit", "furlong", "{file}"],
        ["--models", "sphree", "{file}"],
        ["--exclude", ",".join(FORMS), "{file}"],
        ["--unheard-of", "{file}"],
    ],
)
def test_wrong_usage(arguments: list[str], tmp_path: Path) -> None:
    file = write_sphere(tmp_path / "a.dat")
    assert run(*(argument.format(file=file) for argument in arguments)).exit_code == 2


def test_unknown_model_names_the_nearest(tmp_path: Path) -> None:
    result = run("--models", "sphere,cylindre", write_sphere(tmp_path / "a.dat"))
    assert result.exit_code == 2
    assert "did you mean cylinder?" in " ".join(result.stderr.split())


def test_models_and_exclude_by_comma_or_repeated(tmp_path: Path) -> None:
    file = write_sphere(tmp_path / "a.dat")
    commas = lines(run("--json", "--models", "sphere,cylinder,lamellar", "--exclude", "lamellar", file))
    repeated = lines(run("--json", "--models", "sphere", "--models", "cylinder", file))
    assert {model["name"] for model in commas[0]["models"]} == {"sphere", "cylinder"}
    assert commas[0]["models"] == repeated[0]["models"]
    assert sum(model["probability"] for model in commas[0]["models"]) == pytest.approx(1, abs=1e-5)


def test_q_range_changes_what_is_used(tmp_path: Path) -> None:
    file = write_sphere(tmp_path / "a.dat")
    (answer,) = lines(run("--json", "--q-range", ":0.1", file))
    assert any("points lie in the requested q range" in note for note in answer["notes"])
    outside = run("--json", "--q-range", "0.9:", file)
    assert outside.exit_code == 1
    assert "choose another --q-range" in lines(outside)[0]["error"]


def test_q_unit_makes_one_answer_of_two_files(tmp_path: Path) -> None:
    angstrom = lines(run("--json", "--q-unit", "A", write_sphere(tmp_path / "a.dat")))[0]
    nm = lines(run("--json", "--q-unit", "nm", write_sphere(tmp_path / "n.dat", q_factor=10.0)))[0]
    assert [m["name"] for m in nm["models"]] == [m["name"] for m in angstrom["models"]]
    assert [m["probability"] for m in nm["models"]] == pytest.approx(
        [m["probability"] for m in angstrom["models"]], abs=1e-4
    )


def test_plot_is_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "out.png"
    result = run("--plot", picture, write_sphere(tmp_path / "a.dat"), write_sphere(tmp_path / "b.dat", 30.0))
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_plot_that_cannot_be_written_is_one_sentence_after_the_answers(tmp_path: Path) -> None:
    folder = tmp_path / "out.png"
    folder.mkdir()
    result = run("--json", "--plot", folder, write_sphere(tmp_path / "a.dat"))
    assert result.exit_code == 1
    assert lines(result)[0]["models"]
    assert "the figure cannot be written" in result.stderr
    assert "Traceback" not in result.output


def test_unexpected_error_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("sasnet_plugin.data.load")
    original = module.load

    def broken(path: str, **options: Any) -> Any:
        if "bad" in str(path):
            raise RuntimeError("seven\nlines of detail")
        return original(path, **options)

    monkeypatch.setattr(module, "load", broken)
    result = run("--json", write_sphere(tmp_path / "bad.dat"), write_sphere(tmp_path / "good.dat"))
    assert result.exit_code == 1
    bad, good = lines(result)
    assert "RuntimeError: seven" in bad["error"]
    assert "\n" not in bad["error"]
    assert good["models"]


def test_damaged_network_is_one_sentence(zoo: Path, tmp_path: Path) -> None:
    with (zoo / "sas1d" / "model.onnx").open("ab") as file:
        file.write(b"x")
    result = run(write_sphere(tmp_path / "a.dat"))
    assert result.exit_code == 1
    assert "damaged" in result.stderr
    assert "Traceback" not in result.output


def test_an_assumed_unit_is_part_of_every_form(tmp_path: Path) -> None:
    q = np.geomspace(0.06, 3.5, 110)  # nm⁻¹; a sphere of 60 Å
    x = 6.0 * q
    intensity = 8.0 * (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2 + 0.02
    file, table = tmp_path / "silent.dat", tmp_path / "answers.csv"
    np.savetxt(file, np.column_stack([q, intensity, 0.02 * intensity]))
    lines = run(file, "--q-range", "0.1:3", "--csv", table).stdout.splitlines()
    assert lines[0].endswith("q read as Å⁻¹ (assumed)")
    assert "In nm⁻¹" in lines[1]
    (next_step,) = (line for line in lines if line.startswith("Next, if q is in nm⁻¹: sasnet fit"))
    assert next_step.partition("  # ")[0].endswith("--q-unit nm --q-range 0.01:0.3"), "the same points"
    assert "Å⁻¹ (assumed)" in table.read_text(encoding="utf-8")
    assert "q read as Å⁻¹ (assumed), perhaps wrongly" in run(tmp_path / "*.dat").stdout
    assert json.loads(run(file, "--json").stdout)["q_unit"] == {"value": "Å⁻¹", "stated": False}
    assert "(assumed)" not in run(file, "--q-unit", "nm").stdout


def test_details_say_the_largest_distance_and_the_regions(tmp_path: Path) -> None:
    path = write_sphere(tmp_path / "sphere.dat")
    plain, told = (json.loads(run("--json", *more, path).stdout) for more in ((), ("--details",)))
    assert "pair_distances" not in plain
    found = told["pair_distances"]
    assert found["d_max"] == pytest.approx(120.0, rel=0.06)
    assert len(found["r"]) == len(found["p"]) == len(found["p_error"])
    knees = [region for region in told["regions"]["regions"] if region["kind"] == "Guinier knee"]
    assert knees[0]["rg"] == pytest.approx(60 * np.sqrt(3 / 5), abs=3 * knees[0]["rg_error"])
    detailed = run("--details", path).stdout
    assert "D_max" in detailed
    assert "Guinier knee  Rg 4" in detailed
    assert "D_max" not in run(path).stdout
