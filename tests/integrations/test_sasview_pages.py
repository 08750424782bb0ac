"""What is put into a fit page of the real SasView 6.2: every value, limit and box, and the χ² of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sasviews import Home

from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter
from sasnet_plugin.report.exports.sasview import fit_page
from sasnet_plugin.simulate.size_distributions import distribution_keywords
from sasnet_plugin.types import Curve

SPHERE = {
    "scale": 0.0123456,
    "background": 0.0345678,
    "sld": 4.1234567,
    "sld_solvent": 1.0,
    "radius": 61.80339,
}
PRODUCT = {"radius_effective_mode": 1.0, "structure_factor_mode": 0.0, "volfraction": 0.2345678}
LAYERS = {"scale": 0.02, "background": 0.05, "sld_core": 1.0, "radius": 80.0, "sld_solvent": 6.4, "n": 3.0}
LAYERS |= {
    "sld1": 3.4567,
    "thickness1": 23.456,
    "sld2": 5.1,
    "thickness2": 31.415,
    "sld3": 2.5,
    "thickness3": 12.0,
}
VESICLE = {"scale": 0.9, "background": 0.045678, "sld": 0.5, "sld_solvent": 6.3, "volfraction": 0.034567}
VESICLE |= {"radius": 98.765, "thickness": 33.2109, "radius_pd": 0.2, "charge": 17.5, "temperature": 300.0}
VESICLE |= {"concentration_salt": 0.02, "dielectconst": 71.0, "radius_effective_mode": 1.0}
VESICLE |= {"structure_factor_mode": 0.0}
SPREAD = {"radius_pd": 0.1234567}
#: Model, values, size distributions: what has gone wrong in SasView.
MODELS: list[tuple[str, dict[str, float], dict[str, str]]] = [
    ("sphere", SPHERE | SPREAD, {"radius": "schulz"}),
    ("sphere@hardsphere", SPHERE | SPREAD | PRODUCT, {"radius": "lognormal"}),
    ("sphere@hardsphere", SPHERE | PRODUCT | {"radius_effective_mode": 0.0, "radius_effective": 70.0}, {}),
    ("sphere@stickyhardsphere", SPHERE | PRODUCT | {"perturb": 0.1, "stickiness": 0.2345}, {}),
    ("vesicle@hayter_msa", VESICLE, {"radius": "schulz"}),
    ("core_multi_shell@hardsphere", LAYERS | PRODUCT | {"thickness2_pd": 0.12}, {"thickness2": "gaussian"}),
]
HELD = {"sld_solvent", "radius_effective_mode", "structure_factor_mode", "n", "temperature"}


def made_up(curve: Curve, name: str, values: dict[str, float], kinds: dict[str, str]) -> ModelFit:
    """A fit that nobody made: the model calculated with these values, its χ², limits around them."""
    form, _, factor = name.partition("@")
    parameters = {
        k: Parameter(v, None, "", True, v, v)
        if k in HELD
        else Parameter(v, v / 70, "", False, v / 3, 3.1 * v)
        for k, v in values.items()
    }
    if "perturb" in parameters:  # at its limit, as fits often end
        parameters["perturb"] = Parameter(0.1, 0.01, "", False, 0.01, 0.1)
    start: dict[str, Any] = dict(values)
    for size, kind in kinds.items():
        start |= distribution_keywords(size, kind, start[f"{size}_pd"], 35)
    assert curve.dintensity is not None
    fitness = experiment(curve, curve.dintensity, name, start)
    chisq = float(np.sum(fitness.residuals() ** 2))
    theory = np.asarray(fitness.theory(), dtype=float)
    return ModelFit(form, factor or None, parameters, kinds, chisq, 1.0, 0.0, 0.5, 0.1, theory)


@pytest.fixture(scope="module")
def curves() -> dict[str, Curve]:
    q = np.geomspace(0.0051234, 0.298765, 90)
    blank = Curve(q, np.ones(90), np.ones(90), dq=0.05 * q)
    truth = made_up(blank, *MODELS[0]).theory
    error = 0.03 * truth + 0.001
    measured = truth + error * np.random.default_rng(5).standard_normal(90)
    return {
        name: Curve(q, measured, error, dq=0.05 * q, file=name) for name in ("stated.txt", "unstated.txt")
    }


@pytest.fixture(scope="module")
def fits(curves: dict[str, Curve]) -> list[ModelFit]:
    return [made_up(curves["stated.txt"], *model) for model in MODELS]


@pytest.fixture(scope="module")
def seen(
    curves: dict[str, Curve], fits: list[ModelFit], sasview62: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """One session of SasView for all cases: its start is what costs time."""
    home = Home(tmp_path_factory.mktemp("pages"))
    files = []
    for name, curve in curves.items():
        columns = [curve.q, curve.intensity, curve.dintensity, curve.dq]
        table = np.column_stack(columns if name == "stated.txt" else columns[:3])
        files.append(home.folder / name)
        np.savetxt(files[-1], table, fmt="%.9g", header="Q I dI dQ" if name == "stated.txt" else "Q I dI")
    assert home.sasnet("--install").returncode == 0
    stated, unstated = curves.values()
    even = {"data": "unstated.txt", "dq": [float(v) for v in 0.05 * unstated.q]}
    uneven = {"data": "unstated.txt", "dq": [0.001] * len(unstated)}
    cases = [{"data": "stated.txt", "dq": None, "page": fit_page(stated, fit)} for fit in fits]
    cases += [each | {"page": fit_page(unstated, fits[0])} for each in (even, uneven)]
    unknown = fit_page(stated, fits[0]) | {"fitpage_model": ["no_such_model"]}
    cases.append({"data": "stated.txt", "dq": None, "page": unknown})
    found = home.session([str(sasview62)], "pages", files, pages=cases)
    assert found["status"] == 0
    return found | {"cases": cases}


@pytest.mark.parametrize("number", range(len(MODELS)), ids=[model[0] for model in MODELS])
def test_page_has_every_value_limit_and_box(seen: dict[str, Any], fits: list[ModelFit], number: int) -> None:
    sent, found, fit = seen["cases"][number]["page"], seen["sends"][number], fits[number]
    assert found["left"] == []
    assert found["can_fit"]
    check_page(sent, found["page"])
    assert found["page"]["smearing"] == "Use dQ Data"
    # χ² over the number of points, as SasView calculates it from its own model and resolution.
    assert found["chi2_as_sent"] == pytest.approx(fit.chisq / len(fit.theory), rel=0.01)


def check_page(sent: dict[str, Any], page: dict[str, Any]) -> None:
    """A page, as SasView writes it down and calculates with it, against what was sent."""
    state = page["state"]
    assert page["model"] == sent["fitpage_model"][0]
    assert page["structure_factor"] == sent["fitpage_structure"][0]
    assert page["polydispersity"] == (sent["polydisperse_params"] == ["True"])
    parameters = {k: v for k, v in sent.items() if isinstance(v, list) and len(v) >= 6}
    free = {name for name, entry in parameters.items() if entry[0] == "True"}
    assert set(page["free"]) == free
    assert len(free) > 2
    for name, entry in parameters.items():
        there = state[name]
        assert there[0] == entry[0] or entry[0] == "None", name
        if name == "radius_effective" and entry[0] == "None":
            continue  # follows from the form; SasView calculates and shows it
        assert float(there[1]) == pytest.approx(float(entry[1]), rel=1e-4), name
        if not name.endswith("_mode"):
            assert page["kernel"][name] == pytest.approx(float(entry[1]), rel=1e-4), name
        if entry[0] == "True":
            assert [float(v) for v in there[3:5]] == pytest.approx(
                [float(v) for v in entry[3:5]], rel=1e-4
            ), name
            limits = [float(v) for v in page["limits"][name]]
            assert limits == pytest.approx([float(v) for v in entry[3:5]], rel=1e-4), name
        if name.endswith(".width"):
            # SasView shows the range with five digits.
            assert [float(v) for v in there[5:7]] == pytest.approx(
                [float(v) for v in entry[5:7]], rel=1e-4
            ), name
            assert there[7] == entry[7], name


def test_curves_are_taken_as_loaded(seen: dict[str, Any], curves: dict[str, Curve]) -> None:
    for name, curve in curves.items():
        taken = seen["curves"][name]
        np.testing.assert_allclose(taken["q"], curve.q, rtol=1e-8)
        np.testing.assert_allclose(taken["intensity"], curve.intensity, rtol=1e-8)
        np.testing.assert_allclose(taken["dintensity"], curve.dintensity, rtol=1e-8)
    np.testing.assert_allclose(seen["curves"]["stated.txt"]["dq"], curves["stated.txt"].dq, rtol=1e-8)
    assert seen["curves"]["unstated.txt"]["dq"] is None


def test_resolution_that_was_found_is_set_where_sasview_can(
    seen: dict[str, Any], fits: list[ModelFit]
) -> None:
    even, uneven = seen["sends"][len(MODELS) : len(MODELS) + 2]
    assert even["left"] == []
    assert even["page"]["smearing"] == "Custom Pinhole Smear"
    assert even["chi2_as_sent"] == pytest.approx(fits[0].chisq / len(fits[0].theory), rel=0.01)
    assert uneven["page"]["smearing"] == "None"
    assert uneven["left"] == ["no resolution, not dq = 0.001 Å⁻¹ at the first point"]


def test_model_that_sasview_does_not_list_is_refused_in_a_sentence(seen: dict[str, Any]) -> None:
    assert "no_such_model" in seen["sends"][-1]["refused"]
    # One page each, the first in the page that was empty; none for the refused one.
    assert seen["tabs"] == len(seen["cases"]) - 1
    assert seen["modal"] == ["What's New in SasView 6.2.0"]
