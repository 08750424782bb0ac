"""Real data fitted without a hint: the values that experts found, no fewer than on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fitting.real_fits import EXPECTED, Row, files_met, judge, recorded, table
from sasnet_plugin import load
from sasnet_plugin.fitting.api import fit_with
from sasnet_plugin.fitting.pool import Workers
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.zoo import bank_path

#: Of those of the benchmark, without the two that take the longest and are fitted elsewhere in the tests.
FITTED = set(EXPECTED) - {"apoferritin.txt", "Ludox_silica.xml"}


@pytest.fixture(scope="module")
def rows(example_data: Path) -> list[Row]:
    found = []
    with Workers(bank_path(), 2) as pool:
        for name in sorted(FITTED):
            for curve in load(example_data / name):
                found.append(judge(name, fit_with(pool, curve, FitOptions(time_limit=90.0)).as_dict()))
    print("\n" + table(found))
    return found


def test_every_data_set_has_a_fit(rows: list[Row]) -> None:
    assert {row.file for row in rows} == FITTED
    assert all(row.best != "none" for row in rows)


def test_experts_values_are_found_no_less_than_on_record(rows: list[Row], repository: Path) -> None:
    before = recorded(repository / "benchmarks" / "fitting" / "real_fits.md")
    assert before, "the record names no file that was met"
    assert before & FITTED <= files_met(rows)


def test_a_value_out_of_its_range_is_not_met() -> None:
    def answer(radius: float) -> dict[str, object]:
        parameters = {"radius": {"value": radius, "error": 1.0, "unit": "Ang", "fixed": False}}
        fit = {"model": "sphere", "structure_factor": "hayter_msa", "weight": 1.0, "reduced_chisq": 1.0}
        return {"entry": "", "fits": [{**fit, "parameters": parameters}]}

    assert judge("hSDS_D2O_2p0_percent.xml", answer(21.0)).met
    assert not judge("hSDS_D2O_2p0_percent.xml", answer(24.0)).met
    assert judge("apoferritin.txt", answer(41.0)).expert == "not fitted"
