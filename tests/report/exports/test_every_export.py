"""What holds for every file that a fit is written to."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from simulated_fits import simulated

from sasnet_plugin.files import check_output
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.report.exports.bumps import write_session
from sasnet_plugin.report.exports.hdf5 import write_nxcansas
from sasnet_plugin.report.exports.write_all import export, marks
from sasnet_plugin.types import SasnetError

Write = Callable[[FitResult, Path], object]
WRITERS = pytest.mark.parametrize("write", [write_session, write_nxcansas])


@WRITERS
def test_same_fits_same_bytes(tmp_path: Path, write: Write) -> None:
    result = simulated("pinhole")
    write(result, tmp_path / "a.h5")
    write(result, tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@WRITERS
def test_no_fit_and_no_room_are_one_sentence(tmp_path: Path, write: Write) -> None:
    result = simulated("perfect")
    path = tmp_path / "missing" / "fits.h5"
    for what in (result, replace(result, fits=())):
        with pytest.raises(SasnetError) as caught:
            write(what, path)
        text = str(caught.value)
        assert text.startswith(f"{path}: ")
        assert text.endswith(".")
        assert "\n" not in text
    assert list(tmp_path.iterdir()) == []


def test_each_data_set_has_files_of_its_own_and_knows_them(tmp_path: Path) -> None:
    """Names behind SasView's keys, names without ASCII letters, and equal names of other folders."""
    result = simulated("perfect")
    names = ("water.dat", "溶媒.dat", "試料.dat", "b/water.dat", "Ä.dat")
    written: dict[str, list[Path]] = {}
    for k, name in enumerate(names):
        curve = replace(result.curve, file=name, intensity=result.curve.intensity * (1 + k))
        for _ in range(2):  # the second run replaces what the first has written
            for path, mark in marks(curve, tmp_path).items():
                check_output(path, mark=mark)
            paths = export(replace(result, curve=curve), tmp_path)
            assert written.setdefault(name, paths) == paths
    files = [path for paths in written.values() for path in paths]
    assert len(files) == len(set(files)) == 5 * len(names)
    for name, paths in written.items():
        project = json.loads(paths[0].read_text(encoding="utf-8"))
        (data,) = [value["fit_data"][0] for value in project.values() if "fit_data" in value]
        assert data["filename"] == Path(name).name
