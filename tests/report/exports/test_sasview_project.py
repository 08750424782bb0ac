"""A project file's and a clipboard's text; benchmarks/service/sasview_opens.py asks SasView itself."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.report.exports.sasview import (
    category,
    clipboard_text,
    fit_page,
    outward,
    page_state,
    plugin_text,
    sasview_name,
    selections,
    write_project,
)
from sasnet_plugin.simulate.size_distributions import count_points, find_nsigma
from sasnet_plugin.types import Curve, SasnetError

SPHERE = {
    "scale": 0.0123456789,
    "background": 0.0345,
    "sld": 4.1234567,
    "sld_solvent": 1.0,
    "radius": 61.80339,
}
PRODUCT = {"radius_effective": 50.0, "volfraction": 0.2345678, "structure_factor_mode": 0.0}
PRODUCT |= {"radius_effective_mode": 1.0}


def parameters(values: dict[str, float], free: tuple[str, ...]) -> dict[str, Parameter]:
    return {
        k: Parameter(v, v / 50, "", False, v / 3, 3.3 * v)
        if k in free
        else Parameter(v, None, "", True, v, v)
        for k, v in values.items()
    }


def fitted(
    curve: Curve, name: str, values: dict[str, float], free: tuple[str, ...], **kinds: str
) -> ModelFit:
    form, _, factor = name.partition("@")
    start: dict[str, Any] = values | {f"{k}_pd_type": v for k, v in kinds.items()}
    assert curve.dintensity is not None
    theory = np.asarray(experiment(curve, curve.dintensity, name, start).theory(), dtype=float)
    chisq = float(np.sum(((curve.intensity - theory) / curve.dintensity) ** 2))
    reduced = chisq / (len(curve) - len(free))
    return ModelFit(
        form, factor or None, parameters(values, free), kinds, chisq, reduced, 0.0, 0.5, 0.1, theory
    )


@pytest.fixture(scope="module")
def result() -> FitResult:
    q = np.geomspace(0.00456, 0.3219, 60)
    blank = Curve(q, np.ones(60), np.ones(60), dq=0.05 * q, file="some/where/silica.dat", entry="run 7")
    values = SPHERE | {"radius_pd": 0.1234567}
    free = ("scale", "background", "radius", "radius_pd")
    truth = fitted(blank, "sphere", values, free, radius="gaussian").theory
    error = 0.03 * truth
    noise = np.random.default_rng(3).standard_normal(60)
    curve = replace(blank, intensity=truth + error * noise, dintensity=error)
    fits = (
        fitted(curve, "sphere", values, free, radius="gaussian"),
        fitted(curve, "sphere", values, free, radius="schulz"),
        fitted(curve, "sphere@hardsphere", values | PRODUCT, (*free, "volfraction"), radius="gaussian"),
        fitted(curve, "ellipsoid", {"scale": 0.01, "radius_polar": 55.5}, ("radius_polar",)),
    )
    return FitResult(curve, error, fits, notes=("All is well.",))


@pytest.fixture(scope="module")
def content(result: FitResult, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("sasview") / "silica.json"
    write_project(result, path)
    assert sorted(path.parent.iterdir()) == [path]
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def data_set(content: dict[str, Any]) -> dict[str, Any]:
    found = [value for value in content.values() if isinstance(value, dict) and "fit_data" in value]
    assert len(found) == 1
    return found[0]


def pages(content: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """What stands in each fit page when all is read: the last entry with its index."""
    return {int(page["tab_index"][0]): page for page in data_set(content)["fit_params"]}


def test_sasview_reads_the_best_page_last_and_each_twice(content: dict[str, Any], result: FitResult) -> None:
    """It shows the page that it has read last, and has the χ² of values that it had before it reads them."""
    order = [int(page["tab_index"][0]) for page in data_set(content)["fit_params"]]
    assert order[-len(result.fits) :] == list(range(len(result.fits), 0, -1))
    assert set(order[: -len(result.fits)]) == set(order)


def test_data_are_embedded_to_the_last_digit(content: dict[str, Any], result: FitResult) -> None:
    data, properties, others = data_set(content)["fit_data"]
    assert (data["__type__"], properties, others) == ("Data1D", {"checked": True}, [])
    columns = {
        "x": result.curve.q,
        "y": result.curve.intensity,
        "dx": result.curve.dq,
        "dy": result.dintensity,
    }
    for name, column in columns.items():
        assert data[name]["__type__"] == "ndarray"
        np.testing.assert_array_equal(data[name]["data"], column)
    assert data["dxl"] is data["dxw"] is None
    assert data["is_data"] is True
    assert data["name"] == "silica.dat run 7"
    assert content[data["id"]] == data_set(content)


def test_each_fit_has_a_page_of_its_own(content: dict[str, Any], result: FitResult) -> None:
    found = pages(content)
    assert sorted(found) == [1, 2, 3, 4]
    identity = data_set(content)["fit_data"][0]["id"]
    for page, fit in zip(found.values(), result.fits, strict=True):
        assert page["model_name"] == page["fitpage_model"] == [fit.model]
        assert page["fitpage_structure"] == [fit.structure_factor or "None"]
        assert page["data_id"] == [[identity]]
        assert page["is_batch_fitting"] == ["False"]
    assert [page["fitpage_category"] for page in found.values()] == [
        ["Sphere"], ["Sphere"], ["Sphere"], ["Ellipsoid"],
    ]  # fmt: skip


def test_values_come_back_and_fitted_parameters_have_their_limits(
    content: dict[str, Any], result: FitResult
) -> None:
    for page, fit in zip(pages(content).values(), result.fits, strict=True):
        for name, parameter in fit.parameters.items():
            row = page[f"{name.removesuffix('_pd')}.width" if name.endswith("_pd") else name]
            assert float(row[1]) == parameter.value
            if name in fit.free:
                assert row[0] == "True"
                assert float(row[2]) == parameter.error
                low, high = float(row[3]), float(row[4])
                # SasView uses five digits of a value: it may not leave the limits by that.
                assert low <= parameter.low <= float(f"{parameter.value:.5g}") <= parameter.high <= high
                assert (low, high) == pytest.approx((parameter.low, parameter.high), rel=1e-4)
            elif not name.endswith("_mode") and name != "radius_effective":
                assert row[0] == "False"
                assert float(row[3]) < float(row[4]), "a user could not let it go"


@pytest.mark.parametrize(("value", "low", "high"), [(0.1, 0.01, 0.1), (0.3, 0.3, 1.0), (-0.1, -0.1, 0.0)])
def test_value_at_its_limit_stays_inside_in_single_precision(value: float, low: float, high: float) -> None:
    """SasView refuses to fit from beyond a limit, be it by a rounding: 0.1 in single precision is more."""
    at_limit = {"perturb": Parameter(value, 0.01, "", False, low, high)}
    page = page_state(
        ModelFit("sphere", "stickyhardsphere", at_limit, {}, 1.0, 1.0, 1.0, 1.0, 1.0, np.zeros(1))
    )
    single = float(np.float32(f"{float(page['perturb'][1]):.5g}"))
    assert float(page["perturb"][3]) <= single <= float(page["perturb"][4])
    assert single == pytest.approx(value, rel=2e-4)


def test_a_running_sasview_gets_what_the_project_holds(content: dict[str, Any], result: FitResult) -> None:
    for page, fit in zip(pages(content).values(), result.fits, strict=True):
        live = json.loads(json.dumps(fit_page(result.curve, fit), allow_nan=False))
        assert live.items() <= page.items()
        # What is left is which page of the project it is, and of which of its data.
        assert set(page) - set(live) == {
            "is_data", "tab_index", "tab_name", "is_batch_fitting", "data_name", "data_id",
        }  # fmt: skip


def test_size_distributions_are_set(content: dict[str, Any]) -> None:
    gaussian, schulz, product, none = pages(content).values()
    for page, kind in ((gaussian, "gaussian"), (schulz, "schulz"), (product, "gaussian")):
        assert page["polydisperse_params"] == ["True"]
        width = page["radius.width"]
        points, reach = count_points(kind, float(width[1]), 35), find_nsigma(kind, float(width[1]))
        assert width[5:] == [str(points), repr(reach), kind]
    assert none["polydisperse_params"] == ["False"]
    assert not [name for name in none if name.endswith(".width")]


def test_kind_of_distribution_is_set_before_the_width(content: dict[str, Any]) -> None:
    """SasView passes on only a width that changes, and resets what it passed on when the kind is set."""
    first, last, again = [p for p in data_set(content)["fit_params"] if p["tab_index"] == ["2"]]
    assert again == last
    assert first["radius.width"][7] == last["radius.width"][7] == "schulz"
    assert float(first["radius.width"][1]) == 0 < float(last["radius.width"][1])


def test_rows_of_a_product(content: dict[str, Any]) -> None:
    page = pages(content)[3]
    assert page["structure_factor_mode"][:2] == ["None", "0"]
    assert page["radius_effective_mode"][:2] == ["None", "1"]
    assert page["radius_effective"][0] == "None"
    assert page["volfraction"][0] == "True"
    assert set(SPHERE) | set(PRODUCT) <= set(page)


def test_structure_factor_is_chosen_until_the_background_is_read(content: dict[str, Any]) -> None:
    chosen = [p["fitpage_structure"][0] for p in data_set(content)["fit_params"] if p["tab_index"] == ["3"]]
    # Each must differ from the one before: SasView acts on a change only.
    assert chosen == ["squarewell", "hardsphere", "hardsphere"]  # and read once more for its χ²


@pytest.mark.parametrize(
    ("model", "mode", "times", "lost"),
    [
        ("sphere", 1.0, 2, "radius_effective_mode"),
        ("mono_gauss_coil", 1.0, 3, "radius_effective_mode"),
        # Rows: scale, background, two modes, heading, sld, sld_solvent, radius, heading, ...: below them all.
        ("sphere", 0.0, 6, "below"),
        ("core_multi_shell", 1.0, 1, "its own"),
    ],
)
def test_row_that_sasview_passes_over_is_harmless(model: str, mode: float, times: int, lost: str) -> None:
    values = {"radius_effective_mode": mode, "structure_factor_mode": 0.0, "n": 2.0}
    fit = ModelFit(model, "hardsphere", parameters(values, ()), {}, 1.0, 1.0, 1.0, 1.0, 1.0, np.zeros(1))
    assert selections(fit) == times, lost


def test_layers_are_counted_and_those_beyond_left_out() -> None:
    values = {"n": 2.0, "radius": 50.0} | {
        f"{name}{i}": 1.0 * i for i in (1, 2, 3) for name in ("sld", "thickness")
    }
    fit = ModelFit("core_multi_shell", None, parameters(values, ()), {}, 1.0, 1.0, 1.0, 1.0, 1.0, np.zeros(1))
    page = page_state(fit)
    assert page["multiplicity"] == ["2"]
    assert {"sld1", "thickness2"} <= set(page)
    assert not {"n", "sld3", "thickness3"} & set(page)


def test_resolution_weights_and_range_are_those_of_the_data(
    content: dict[str, Any], result: FitResult, tmp_path: Path
) -> None:
    page = pages(content)[1]
    assert (page["smearing"], page["weighting"]) == (["1"], ["1"])
    q = result.curve.q
    low, high = float(page["q_range_min"][0]), float(page["q_range_max"][0])
    assert 0 < low <= q[0]
    assert high >= q[-1]
    assert (low, high) == pytest.approx((q[0], q[-1]), rel=0.01)

    path = tmp_path / "slit.json"
    length = np.full(60, 0.05)
    write_project(replace(result, curve=replace(result.curve, dq=None, dxl=length)), path)
    slit = json.loads(path.read_text(encoding="utf-8"))
    data = data_set(slit)["fit_data"][0]
    # SasView smears by slits only where there are both columns and no dx.
    assert data["dx"] is None
    assert data["dxl"]["data"] == list(length)
    assert data["dxw"]["data"] == [0.0] * 60
    assert pages(slit)[1]["smearing"] == ["1"]

    write_project(replace(result, curve=replace(result.curve, dq=None)), path)
    assert pages(json.loads(path.read_text(encoding="utf-8")))[1]["smearing"] == ["0"]


def test_the_same_result_gives_the_same_bytes(result: FitResult, tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    write_project(result, first)
    write_project(result, second)
    assert first.read_bytes() == second.read_bytes()


def test_clipboard_text_reads_back_as_sasview_reads_it(result: FitResult) -> None:
    fit = result.fits[2]
    head, *lines = clipboard_text(fit).split(":")
    assert head == "sasview_parameter_values"
    read = {name: state for name, *state in (line.split(",") for line in lines)}
    assert all(state for state in read.values())
    assert read["model_name"] == ["sphere"]
    assert read["fitpage_structure"] == ["hardsphere"]
    width = fit.parameters["radius_pd"].value
    points, reach = count_points("gaussian", width, 35), find_nsigma("gaussian", width)
    assert read["radius.width"][4:] == ["0.40741", str(points), repr(reach), "gaussian"]
    for name, parameter in fit.parameters.items():
        row = read[f"{name.removesuffix('_pd')}.width" if name.endswith("_pd") else name]
        assert float(row[1]) == parameter.value
        # More than five entries: SasView takes the third for the error, the next two for the limits.
        assert len(row) == (8 if name.endswith("_pd") else 6)
        assert (row[0] == "True") == (name in fit.free)
    assert not {"q_range_min", "smearing", "data_id", "tab_name"} & set(read)


def test_categories_are_sasviews() -> None:
    names = {"sphere": "Sphere", "fcc_paracrystal": "Paracrystal", "mono_gauss_coil": "Shape Independent"}
    assert {name: category(name) for name in names} == names


@pytest.mark.parametrize(
    ("value", "down", "up"),
    [(0.00456789, "0.00456", "0.00457"), (-1.2345, "-1.24", "-1.23"), (0.0, "0.0", "0.0"),
     (np.inf, "inf", "inf"), (0.25, "0.25", "0.25"), (123456.0, "123000.0", "124000.0")],
)  # fmt: skip
def test_limits_are_rounded_away_from_what_they_hold(value: float, down: str, up: str) -> None:
    assert (outward(value, 3, up=False), outward(value, 3, up=True)) == (down, up)


def test_what_cannot_be_written_is_said_in_one_sentence(result: FitResult, tmp_path: Path) -> None:
    with pytest.raises(SasnetError, match=r"silica\.dat: no model could be fitted"):
        write_project(replace(result, fits=()), tmp_path / "a.json")
    with pytest.raises(SasnetError, match=r"a\.txt: SasView opens a project only from .*\.json"):
        write_project(result, tmp_path / "a.txt")
    with pytest.raises(SasnetError, match=r"nowhere.a\.json: .* cannot be written .*a folder that exists"):
        write_project(result, tmp_path / "nowhere" / "a.json")
    folder = tmp_path / "folder.json"
    os.mkdir(folder)
    with pytest.raises(SasnetError, match="cannot be written"):
        write_project(result, folder)
    assert [p for p in tmp_path.iterdir() if p != folder] == []


def test_a_sum_comes_with_the_plugin_model_that_sasview_needs(result: FitResult, tmp_path: Path) -> None:
    """SasView reads such files by this function of sasmodels, and lists the model by its name."""
    from sasmodels.sasview_model import load_custom_model

    path = tmp_path / f"{sasview_name('sphere+power_law')}.py"
    path.write_text(plugin_text("sphere+power_law"), encoding="utf-8")
    model = load_custom_model(str(path))()
    values = {"A_scale": 0.01, "B_scale": 1e-5, "A_radius": 61.8, "B_power": 3.0, "background": 0.03}
    sum_fit = fitted(result.curve, "sphere+power_law", values | {"scale": 1.0}, ("A_radius", "B_power"))
    page = page_state(sum_fit)
    assert page["model_name"] == [model.name] == ["sphere_plus_power_law"]
    assert page["fitpage_category"] == ["Plugin Models"]
    assert set(values) <= set(page) & set(model.params)
    for name, value in values.items():
        model.setParam(name, value)
    q = result.curve.q
    sphere, line = (model_of(name, q) for name in ("sphere", "power_law"))
    expected = 0.01 * sphere(radius=61.8) + 1e-5 * line(power=3.0) + 0.03
    assert model.evalDistribution(q) == pytest.approx(expected, rel=1e-5)


def model_of(name: str, q: Any) -> Any:
    from sasmodels.data import empty_data1D
    from sasmodels.direct_model import DirectModel

    from sasnet_plugin.simulate.kernel import load_model

    calculate = DirectModel(empty_data1D(q, resolution=0.0), load_model(name))
    return lambda **values: calculate(background=0.0, **values)
