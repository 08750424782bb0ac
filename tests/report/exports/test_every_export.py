"""What holds for every file that a fit is written to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from simulated_fits import simulated

from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.report.exports.bumps import write_session
from sasnet_plugin.report.exports.hdf5 import write_nxcansas
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
