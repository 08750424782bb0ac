"""Solvents by name: common, deuterated, and none."""

from __future__ import annotations

import pytest

from sasnet_plugin.fitting.problem.materials import SOLVENTS, solvent


@pytest.mark.parametrize(
    ("name", "formula"),
    [("D2O", "D2O"), ("heavy water", "D2O"), ("Water", "H2O"), ("d-toluene", "C7D8"), ("d8-THF", "C4D8O"),
     ("d2-water", "D2O"), ("isopropanol", "C3H8O"), ("2-Propanol", "C3H8O"), ("d4-methanol", "CD4O")],
)  # fmt: skip
def test_names_of_solvents(name: str, formula: str) -> None:
    found = solvent(name)
    assert found is not None
    assert found[0] == formula


def test_a_deuterated_solvent_has_the_molar_volume_of_the_common_one() -> None:
    deuterated = solvent("d-toluene")
    assert deuterated is not None
    # periodictable takes a density with an n as that of the natural isotopes.
    assert deuterated[1] == f"{SOLVENTS['toluene'][1]:g}n"


@pytest.mark.parametrize("name", ["d3-toluene", "d-d2o", "kerosene", "d-", ""])
def test_what_is_no_solvent(name: str) -> None:
    assert solvent(name) is None
