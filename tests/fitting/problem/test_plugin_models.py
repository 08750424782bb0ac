"""A user's own model: found by path or in the folder of plugins, suggested, and with curves to start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.fitting.problem.plugin_models import add_plugins, page_of, split
from sasnet_plugin.fitting.settings import PROBLEM
from sasnet_plugin.fitting.start_values.screening import from_bank
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve, ModelGuess, SasnetError, Suggestion

MODEL = """
from numpy import exp, inf
name = "my_gaussian"
title = "A Gaussian"
description = "exp(-(q w)^2)"
category = "shape-independent"
parameters = [["width", "Ang", 20.0, [0, inf], "", "width"]]
def Iq(q, width):
    return exp(-((q * width) ** 2))
Iq.vectorized = True
"""


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    path = tmp_path / "my_gaussian.py"
    path.write_text(MODEL, encoding="utf-8")
    return str(path)


def test_a_plugin_is_found_by_path_and_in_the_folder(
    plugin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert split(["sphere", plugin], ["sphere"]) == (["sphere"], [plugin])
    monkeypatch.setenv("SAS_MODELPATH", str(tmp_path))
    assert split(["custom.my_gaussian"], ["sphere"]) == ([], [plugin])
    assert split(["unheard_of"], ["sphere"]) == (["unheard_of"], [])
    assert split(None, ["sphere"]) == (None, [])


@pytest.mark.parametrize("name", ["../mine", "../../x", "sub/mine", "custom.../mine", "/mine", ".", ""])
def test_a_name_does_not_lead_out_of_the_folder_of_plugins(
    name: str, plugin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "plugins" / "of SasView"
    (folder / "sub").mkdir(parents=True)
    for place in (folder / "sub/mine.py", folder.parent / "mine.py", tmp_path / "x.py"):
        place.write_bytes(Path(plugin).read_bytes())
    monkeypatch.setenv("SAS_MODELPATH", str(folder))
    assert split([name], ["sphere"]) == ([name], []), "the network does not know it, and refuses it"


def test_no_part_of_a_sum_is_a_file_that_runs(plugin: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    Path(plugin).write_text(f"open({str(ran)!r}, 'w').close()\n{MODEL}", encoding="utf-8")
    for name in (
        f"sphere@{plugin}+sphere",
        f"sphere+sphere@{plugin[:-3]}",
        "sphere@custom.my_gaussian+sphere",
    ):
        assert split([name], ["sphere"]) == ([name], []), "the network does not know it, and refuses it"
    assert not ran.exists()
    assert split(["sphere@hardsphere+sphere"], ["sphere"]) == ([], ["sphere@hardsphere+sphere"])


def test_a_path_that_sasmodels_would_misread_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SasnetError, match="rename it"):
        split([str(tmp_path / "a+b.py")], [])


def test_plugins_share_the_probability_with_what_the_network_suggests() -> None:
    suggestion = Suggestion("", "", (ModelGuess("sphere", None, 1.0, ""),), (), 1.0)
    both = add_plugins(suggestion, ["a.py"], is_only=False)
    assert [(g.name, g.probability) for g in both.models] == [("a.py", 0.5), ("sphere", 0.5)]
    alone = add_plugins(suggestion, ["a.py", "b.py"], is_only=True)
    assert [g.probability for g in alone.models] == [0.5, 0.5]


def test_a_comma_at_the_end_of_a_line_of_random_is_no_failure(tmp_path: Path) -> None:
    """As in spherical_micelle and longcylinder_micelle of SasView's marketplace."""
    path = tmp_path / "with_comma.py"
    comma = "def random():\n    width = 30.0,\n    return dict(width=width)\n"
    path.write_text(MODEL.replace("my_gaussian", "with_comma") + comma, encoding="utf-8")
    page = page_of(str(path), 10.0)
    assert page.log_intensity.shape[0] == PROBLEM.plugin_curves
    assert {page.row(i)["width"] for i in range(1, 5)} == {30.0}


def test_a_fit_starts_from_the_defaults_whatever_lies_nearer(plugin: str) -> None:
    q = np.geomspace(0.005, 0.05, 60)
    curve = Curve(q, np.exp(-((60.0 * q) ** 2)) + 1e-3, np.full(60, 1e-3))
    assert curve.dintensity is not None
    starts = from_bank(Task(curve, curve.dintensity, plugin, None), None)  # type: ignore[arg-type]
    assert starts[0]["width"] == 20.0
    assert abs(starts[1]["width"] - 60.0) < 20.0


def test_the_first_curve_to_start_from_is_of_the_default_parameters(plugin: str) -> None:
    page = page_of(plugin, 0.0)  # no time: the default alone
    assert page.row(0)["width"] == 20.0
    assert page.log_intensity.shape[0] == 1
    assert np.nanmax(page.log_intensity) == pytest.approx(0.0, abs=1e-6)


def test_a_plugin_that_raises_beside_its_defaults_is_fitted_from_them(tmp_path: Path, bank: Bank) -> None:
    """As one of SasView's marketplace does, whose number of layers has to be whole."""
    path = tmp_path / "whole.py"
    path.write_text(
        MODEL.replace('"width"]]', '"width"], ["n", "", 4.0, [1, 9], "", "layers"]]')
        .replace("def Iq(q, width):", "def Iq(q, width, n):\n    if n != 4: raise ValueError('n')"),
        encoding="utf-8",
    )  # fmt: skip
    q = np.geomspace(0.005, 0.1, 40)
    exact = np.exp(-((q * 20.0) ** 2))
    curve = Curve(q, exact + 0.01 * np.cos(9.0 * np.arange(40)), np.full(40, 0.01))
    assert curve.dintensity is not None
    fit = fit_candidate(Task(curve, curve.dintensity, str(path), None), bank, Budget(1.0))
    assert fit.reduced_chisq < 1.5
    assert fit.parameters["width"].value == pytest.approx(20.0, rel=0.1)
    assert fit.parameters["n"].value == 4.0
