"""sasCIF, read by gemmi and held against the names, types and values of the wwPDB's dictionary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulated_fits import KINDS, simulated

from sasnet_plugin.model_free import Guinier, PairDistances
from sasnet_plugin.report.exports.archives import blank, sascif

gemmi = pytest.importorskip("gemmi")
ITEMS = {
    line.split()[0]: line.split()[1:]
    for line in (Path(__file__).with_name("sascif_items.txt")).read_text(encoding="ascii").splitlines()
    if not line.startswith("#")
}


def read(content: bytes) -> Any:
    return gemmi.cif.read_string(content.decode("ascii"))


def items(document: Any) -> dict[str, list[str]]:
    """Values of each item, of all blocks."""
    found: dict[str, list[str]] = {}
    for block in document:
        for item in block:
            if item.pair is not None:
                found.setdefault(item.pair[0], []).append(item.pair[1])
            else:
                for name in item.loop.tags:
                    found.setdefault(name, []).extend(block.find_values(name))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_names_types_and_values_are_the_dictionarys(kind: str) -> None:
    for name, values in items(read(sascif(simulated(kind), "run1"))).items():
        assert name in ITEMS, f"{name} is no item of the dictionary"
        kind_of, mandatory, *allowed = ITEMS[name]
        for value in values:
            assert value != "?" or mandatory == "no"
            if value == "?":
                continue
            if kind_of in ("float", "int"):
                {"float": float, "int": int}[kind_of](value)
            if allowed:
                assert gemmi.cif.as_string(value) in allowed


def test_a_name_that_the_dictionary_lacks_is_seen() -> None:
    """The table is the dictionary's, not what is written."""
    assert "_sas_result.Rg" not in ITEMS
    assert "_sas_scan.unit" not in ITEMS
    assert len(ITEMS) > 120


@pytest.mark.parametrize("kind", KINDS)
def test_points_fits_and_sizes_come_back(kind: str) -> None:
    result = simulated(kind)
    document = read(sascif(result, "run1"))
    assert [block.name for block in document] == [
        "run1_MAIN", *(f"run1_FIT_{k}" for k in range(1, len(result.fits) + 1))
    ]  # fmt: skip
    main = document[0]

    def column(block: Any, name: str) -> np.ndarray:
        return np.array([float(v) for v in block.find_values(name)])

    for name, values in (
        ("momentum_transfer", result.curve.q),
        ("intensity", result.curve.intensity),
        ("intensity_su_counting", result.curve.dintensity),
    ):
        if values is not None:
            np.testing.assert_array_equal(column(main, f"_sas_scan_intensity.{name}"), values)
    for number, fit in enumerate(result.fits, 1):
        np.testing.assert_array_equal(column(document[number], "_sas_model_fitting.fit"), fit.theory)
        chisq = float(document[number].find_value("_sas_model_fitting_details.chi_square"))
        assert chisq == fit.reduced_chisq
        said = gemmi.cif.as_string(document[number].find_value("_sas_model.comment"))
        assert all(f"{parameter} = " in said for parameter in fit.parameters)
    guinier, distances = result.model_free.guinier, result.pair_distances
    rg, dmax = (main.find_value(f"_sas_result.{name}") for name in ("Rg_from_Guinier", "Dmax"))
    assert (rg is None) == (not isinstance(guinier, Guinier))
    assert (dmax is None) == (not isinstance(distances, PairDistances))
    if isinstance(guinier, Guinier):
        assert float(rg) == pytest.approx(guinier.rg / 10)  # nm
        first, last = (int(main.find_value(f"_sas_result.Guinier_point_{end}")) for end in ("min", "max"))
        assert last - first + 1 >= guinier.points
        assert result.curve.q[first - 1] == pytest.approx(guinier.q_min)
    if isinstance(distances, PairDistances):
        assert float(dmax) == pytest.approx(distances.d_max / 10)


def test_what_only_the_author_knows_is_left_blank() -> None:
    (main, *_) = read(sascif(simulated(KINDS[0]), "run1"))
    assert blank()
    assert all(main.find_value(name) == "?" for name in blank())


def test_estimated_errors_are_not_called_counting_statistics() -> None:
    result = simulated(KINDS[0])
    bare = replace(result, curve=replace(result.curve, dintensity=None))
    (main, *_) = read(sascif(bare, "run1"))
    assert not list(main.find_values("_sas_scan_intensity.intensity_su_counting"))
    assert len(list(main.find_values("_sas_scan_intensity.intensity"))) == len(result.curve)


def test_titles_of_any_letters_are_ascii_and_quoted() -> None:
    result = simulated(KINDS[0])
    named = replace(result, curve=replace(result.curve, entry="Lösung 'A'; #1\ndata_x"))
    (main, *_) = read(sascif(named, "run1"))
    assert gemmi.cif.as_string(main.find_value("_sas_scan.title")) == "L?sung 'A'; #1 data_x"
