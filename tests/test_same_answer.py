"""Terminal, JSON, page, report, batch, assistants and exports give the same answer to the same file."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from sasnet_plugin import load
from sasnet_plugin.batch.journal import make_fit_row
from sasnet_plugin.cli.fit import print_result
from sasnet_plugin.cli.main import app
from sasnet_plugin.digits import format_with_error, unit_text
from sasnet_plugin.fitting.api import fit_with
from sasnet_plugin.fitting.pool import Workers
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.reported_values import is_determined
from sasnet_plugin.fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.integrations.assistant.tools import describe_fit as describe_to_assistant
from sasnet_plugin.report.exports.hdf5 import write_nxcansas
from sasnet_plugin.report.page.reports import page
from sasnet_plugin.service.answers import plain
from sasnet_plugin.service.fits import describe_fit as describe_to_page
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.units import UNIT_OF_I
from sasnet_plugin.web.access import Keys
from sasnet_plugin.web.app import Opened, Tabs, application
from sasnet_plugin.web.curves.bench import Bench
from sasnet_plugin.workers.threads import one_thread
from sasnet_plugin.zoo import bank_path, open_model

#: Example files of sasdata, each with models that are fitted to it.
MEASURED = {
    "AOT_Microemulsion-Core_Contrast.xml": ("sphere", "core_shell_sphere"),
    "Ludox_silica.xml": ("sphere",),
    "ISIS_Polymer_Blend_TK49.xml": ("mono_gauss_coil",),
    "apoferritin.txt": ("vesicle",),
    "conalbumin.txt": ("sphere",),
    "cyl_400_20.txt": ("cylinder",),
    "sphere_80.txt": ("sphere",),
    "hSDS_D2O_2p0_percent.xml": ("sphere",),
    "PolySpheres.txt": ("sphere",),
    "latex_smeared.xml": ("sphere",),
}
_SPHERE = {"radius": 60.0, "sld": 1.0, "sld_solvent": 6.0, "scale": 0.01, "background": 0.01}
_Q = np.geomspace(0.006, 0.3, 90)


def _intensity(model: str = "sphere", **values: Any) -> Any:
    return call(model, _Q, _SPHERE | values if model == "sphere" else values).intensity


#: Simulated: how the columns are named, models that are fitted, and I(q) without noise.
SIMULATED: Mapping[str, tuple[str, tuple[str, ...], Callable[[], Any]]] = {
    "in_per_cm": ("q(1/A) I(1/cm) dI(1/cm)", ("sphere", "ellipsoid"), _intensity),
    "no_unit_of_i": ("q(1/A) I dI", ("sphere", "ellipsoid"), _intensity),
    "no_units": ("", ("sphere",), _intensity),
    "in_counts": ("q(1/A) I(counts) dI(counts)", ("sphere",), lambda: 1e4 * _intensity()),
    "in_per_metre": ("q(1/A) I(1/m) dI(1/m)", ("sphere",), lambda: 100 * _intensity()),
    "over_subtracted": ("q(1/A) I(1/cm) dI(1/cm)", ("sphere",), lambda: _intensity() - 0.02),
    "wrong_model": ("q(1/A) I dI", ("sphere",), lambda: 10 / (1 + (40 * _Q) ** 2) + 0.01),
    "two_sizes": ("q(1/A) I dI", ("sphere",), lambda: _intensity() + _intensity(radius=25.0, scale=0.1)),
    "a_constant": ("q(1/A) I(1/cm) dI(1/cm)", ("sphere",), lambda: np.full(_Q.size, 5.0)),
    "coils": ("q(1/A) I dI", ("mono_gauss_coil", "sphere"),
              lambda: call("mono_gauss_coil", _Q, {"i_zero": 40.0, "rg": 60.0}).intensity + 0.05),
}  # fmt: skip
FILES = (*MEASURED, *SIMULATED)
LEVELS = {EXPLAINS: "verdict", DOUBTS: "verdict doubt", DOES_NOT: "verdict wrong"}


def write_simulated(name: str, folder: Path) -> Path:
    """Write a simulated measurement, noise of 2 %."""
    header, _, intensity = SIMULATED[name]
    clean = np.asarray(intensity())
    error = 0.02 * np.abs(clean) + 1e-4 * np.abs(clean).max()
    columns = np.c_[_Q, clean + error * np.random.default_rng(3).standard_normal(_Q.size), error]
    path = folder / f"{name}.dat"
    np.savetxt(path, columns, header=header, comments="# " if header else "")
    return path


def find(name: str, examples: Path, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """A file and the models that are fitted to it."""
    if name in MEASURED:
        return examples / name, MEASURED[name]
    return write_simulated(name, folder), SIMULATED[name][1]


@cache
def groups() -> Any:
    return open_model("sas1d").manifest


def in_words(text: str) -> str:
    """A page's text without marks, blanks counted once."""
    return " ".join(
        html.unescape(re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)).split()
    )


@pytest.fixture(scope="module")
def pool() -> Iterator[Workers]:
    with Workers(bank_path(), 1) as workers:
        yield workers


@pytest.mark.parametrize("name", FILES)
def test_every_surface_gives_the_same_answer(
    name: str, pool: Workers, example_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, models = find(name, example_data, tmp_path)
    result = fit_with(pool, load(path)[0], FitOptions(models=models, time_limit=60.0))
    with one_thread():  # many small decompositions, for which threads would wait for each other
        report = page(result, groups())
    print_result(result, details=True)
    terminal = " ".join(capsys.readouterr().out.split())
    answer = json.loads(json.dumps(plain(result.as_dict())))
    shown = plain(describe_to_page(result))
    assistant = describe_to_assistant(result)
    row = make_fit_row(result, None, 1.0)

    # The page and the batch have the JSON's own answer.
    assert shown["fit"] == answer
    for key in ("headline", "caution", "cautions", "verdict", "next"):
        assert assistant[key] == answer[key]
    assert (row["headline"], row["doubt"], row["verified"]) == (
        answer["headline"], answer["caution"], answer["verified"],
    )  # fmt: skip

    # Verdict and cautions.
    assert answer["headline"] in terminal
    assert answer["headline"] in in_words(report)
    for caution in answer["cautions"]:
        assert caution in terminal
        assert caution in in_words(report)
    assert ("Caution:" in terminal) == bool(answer["cautions"])
    assert f'<div class="{LEVELS[answer["verdict"]]}">' in report
    assert answer["verified"] == (answer["verdict"] != DOES_NOT)

    # What the unit of I is.
    given = answer["intensity_unit"]
    assert given == result.curve.intensity_unit
    assert f"Unit of I {given or 'not given in the file'}" in in_words(report)
    assert ("(if I is in cm⁻¹)" in answer["headline"]) <= (given == "")
    if result.best is None:
        return
    _values_agree(result, answer, terminal, in_words(report), assistant, shown)
    _export_agrees(result, answer, tmp_path / "fit.h5")


def _values_agree(
    result: FitResult, answer: Any, terminal: str, report: str, assistant: Any, shown: Any
) -> None:
    best, given = answer["fits"][0], answer["intensity_unit"]
    assert result.best is not None
    assert answer["best"] == result.best.name
    assert shown["curves"][0]["name"] == result.best.short_name
    assert shown["curves"][0]["values"].keys() >= {n for n, p in best["parameters"].items() if not p["fixed"]}
    of_intensity = {"cm⁻¹": "1/cm"}.get(given, given or UNIT_OF_I)
    assert best["parameters"]["background"]["unit"] == of_intensity
    for name, p in result.best.parameters.items():
        told = best["parameters"][name]
        assert (told["value"], told["error"], told["unit"], told["fixed"]) == (
            p.value,
            p.error,
            p.unit,
            p.fixed,
        )
        if p.fixed:
            continue
        assert assistant["fits"][0]["parameters"][name]["value"] == p.value
        assert assistant["fits"][0]["parameters"][name]["unit"] == p.unit
        text = f"{format_with_error(p.value, p.error)}"
        if is_determined(name, p):
            assert f"{name} {text} {unit_text(p.unit)}".rstrip() in terminal
        else:
            assert f"{name} not determined" in terminal
        assert f"{text} {unit_text(p.unit)}".rstrip() in report


def _export_agrees(result: FitResult, answer: Any, path: Path) -> None:
    write_nxcansas(result, path)
    with h5py.File(path) as file:
        process = file["sasentry02/sasprocess01"]
        terms = {term.attrs["name"]: term.attrs["value"] for key, term in process.items() if "term" in key}
        said = process["description"].asstr()[()]
    assert terms == {name: p["value"] for name, p in answer["fits"][0]["parameters"].items()}
    assert ("; verified" in said) == answer["verified"]
    assert [curve.intensity_unit for curve in load(path)][0] == answer["intensity_unit"]


@pytest.mark.parametrize("name", ["hSDS_D2O_2p0_percent.xml", "no_unit_of_i", "wrong_model"])
def test_the_doors_print_one_answer(name: str, example_data: Path, tmp_path: Path) -> None:
    """The command, its report and the fit on the page give one answer."""
    path, models = find(name, example_data, tmp_path)
    said = CliRunner().invoke(
        app,
        ["fit", str(path), "--models", ",".join(models), "--time-limit", "60", "--workers", "1", "--json",
         "--report", str(tmp_path / "pages")],
    )  # fmt: skip
    answer = json.loads(said.stdout)
    (report,) = (tmp_path / "pages").glob("*.html")
    assert answer["headline"] in in_words(report.read_text(encoding="utf-8"))
    of_page = _fit_on_the_page(path, models, tmp_path / "work")
    for key in ("headline", "cautions", "verdict", "verified", "best", "intensity_unit"):
        assert of_page[key] == answer[key]
    for ours, theirs in zip(of_page["fits"], answer["fits"], strict=True):
        assert ours["parameters"] == theirs["parameters"]


def _fit_on_the_page(path: Path, models: tuple[str, ...], work: Path) -> Mapping[str, Any]:
    """The answer of a fit that is asked for as the page asks, by its routes."""
    home = "http://127.0.0.1:8000"
    keys, bench = Keys(8000, "127.0.0.1"), Bench(None, work, 1)
    tabs = Tabs(lambda: bench, None, bench.dropped)
    try:
        with TestClient(application(Opened(tabs), keys), base_url=home) as client:
            client.get(keys.address)
            dropped = client.post("/api/drop", params={"name": path.name}, content=path.read_bytes()).json()
            client.post("/api/scan")
            body = {"keys": [dropped["key"]], "models": list(models), "time_limit": 60.0}
            number = client.post("/api/fits", json=body).json()["number"]
            end = time.monotonic() + 300
            while (found := client.get(f"/api/fits/{number}").json())["open"]:
                assert time.monotonic() < end
                time.sleep(0.2)
    finally:
        bench.close()
    answer: Mapping[str, Any] = found["answer"]["fit"]
    return answer
