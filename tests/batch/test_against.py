"""What a series can be drawn against is in headers, XML, HDF5, names and dates; no column of data is."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import pytest

from sasnet_plugin.batch.series import CHANGED, collect_abscissa_values, numbers_of

ROWS = "\n".join(f"{q / 100:.4g} {10 / q:.4g} 0.1" for q in range(1, 40))
HEADERS = {
    "# temperature: 25.3 °C": {"temperature": 25.3},
    "Temperature (K) = 298.15": {"Temperature": 298.15},
    "; Pressure [bar] : 1.5e2, held": {"Pressure": 150.0},
    '"Time":"12.5",': {"Time": 12.5},
    "# date: 2026-11-26": {},
    "# q range 0.01 0.3": {},
    "# wavelength: 6\n# wavelength: 7": {},
}


@pytest.mark.parametrize(("head", "found"), HEADERS.items(), ids=lambda one: str(one)[:20])
def test_numbers_of_a_header_are_found_by_their_names(
    tmp_path: Path, head: str, found: dict[str, float]
) -> None:
    path = tmp_path / "run.dat"
    path.write_text(f"{head}\n{ROWS}\n")
    assert numbers_of(path) == found


def test_elements_that_are_there_once_are_found_and_the_points_are_not(tmp_path: Path) -> None:
    path = tmp_path / "run.xml"
    points = "".join(f"<Idata><Q unit='1/A'>{k}</Q><I>1</I></Idata>" for k in range(1, 4))
    path.write_text(
        f'<?xml version="1.0"?><SASroot><temperature unit="C"> 40 </temperature>{points}</SASroot>'
    )
    assert numbers_of(path) == {"temperature": 40.0}


def test_scalars_of_hdf5_are_found(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "run.h5", "w") as file:
        file["entry/sample/temperature"] = 310.0
        file["entry/data/I"] = [1.0, 2.0]
        file["entry/title"] = "micelles"
    assert numbers_of(tmp_path / "run.h5") == {"temperature": 310.0}


def test_names_and_dates_count_and_a_file_that_is_gone_has_its_name(tmp_path: Path) -> None:
    path = tmp_path / "gel_25.5C_run7.dat"
    path.write_text(ROWS)
    os.utime(path, (600, 600))
    assert collect_abscissa_values(path) == {
        "number 1 in the name": 25.5,
        "number 2 in the name": 7.0,
        CHANGED: 10.0,
    }
    path.unlink()
    assert collect_abscissa_values(path) == {"number 1 in the name": 25.5, "number 2 in the name": 7.0}
