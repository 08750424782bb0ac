"""A curve in Python: itself, the name of its file, or what `load` returns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sasnet_plugin
from sasnet_plugin.data.given import curve_of, curves_of
from sasnet_plugin.types import Curve, SasnetError
from sasnet_plugin.wording import SURFACE

Q = np.geomspace(0.01, 0.3, 60)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.dat"
    np.savetxt(path, np.column_stack([Q, 1 / (1 + (50 * Q) ** 4), 0.01 / Q]), header="q(1/A) I dI")
    return path


def test_a_path_is_its_curve_and_what_load_returns_are_its_curves(file: Path, example_data: Path) -> None:
    read = sasnet_plugin.load(file)
    for given in (file, str(file), read[0], read, [file]):
        np.testing.assert_array_equal(curve_of(given).q, read[0].q)
    several = example_data / "latex_smeared.xml"
    assert [one.entry for one in curves_of(several)] == [one.entry for one in sasnet_plugin.load(several)]
    assert len(curves_of([several, file])) == 3


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (5, "of the type int"),
        (None, "of the type NoneType"),
        ([1.0, 2.0], "of the type float"),
        (Q, "of the type float64"),
        ("no such.dat", "no such.dat: there is no such file"),
        ([], "Give one curve, not 0"),
    ],
)
def test_what_is_no_curve_is_said(given: Any, sentence: str) -> None:
    for verb in (curve_of, sasnet_plugin.fit):
        with pytest.raises(SasnetError, match=sentence):
            verb(given)


def test_a_file_of_several_curves_is_not_one(example_data: Path) -> None:
    several = example_data / "latex_smeared.xml"
    for verb in (curve_of, sasnet_plugin.fit, sasnet_plugin.suggest):
        with pytest.raises(SasnetError, match=r"holds 2 curves; take one .*load\(.*latex_smeared.xml"):
            verb(several)


def test_the_doors_of_python_take_a_file(file: Path) -> None:
    curve = Curve(*(getattr(sasnet_plugin.load(file)[0], name) for name in ("q", "intensity", "dintensity")))
    answer = sasnet_plugin.suggest(file)
    assert answer.models == sasnet_plugin.suggest(curve).models
    assert [one.models for one in sasnet_plugin.suggest([file, curve])] == [answer.models] * 2
    found = sasnet_plugin.fit(str(file), models="sphere", structure_factor="none", workers=1, progress=False)
    assert {one.model for one in found.fits} == {"sphere"}


def test_sentences_name_keywords_and_not_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SASNET_SURFACE", "python")
    angles = np.linspace(0.5, 10.0, 60)
    path = tmp_path / "angles.dat"
    np.savetxt(path, np.column_stack([angles, 1 / angles]), header="2theta I")
    for verb in (sasnet_plugin.fit, sasnet_plugin.suggest, lambda one: sasnet_plugin.fit_together([one])):
        with pytest.raises(SasnetError, match="wavelength") as said:
            verb(path)
        assert "--" not in str(said.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"top": 0}, "top must be a whole number of at least 1, not 0"),
        ({"workers": 1.5}, "workers must be a whole number"),
        ({"time_limit": -1}, "time_limit must be a number of seconds of at least 1, not -1"),
        ({"time_limit": float("nan")}, "time_limit must be a number"),
        ({"fixed": {"radius": "50 A"}}, "radius is fixed at '50 A', which is not a number"),
        ({"ranges": {"radius": 5}}, "radius has the range 5; give two numbers"),
        ({"ranges": {"radius": (50, 5)}}, "the smaller first"),
    ],
)
def test_values_that_no_fit_can_have_are_said(
    file: Path, options: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were passed over in silence, and the fit did what it liked."""
    monkeypatch.setenv(SURFACE, "python")
    with pytest.raises(SasnetError, match=sentence.replace("(", "[(]")):
        sasnet_plugin.fit(file, **options)
