"""The noun itself, and what importing its readers costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.types import DataError, GrazingIncidence, Image

AXES = {"phi": np.array([-1.0, 0.0, 1.0]), "alpha_f": np.array([0.0, 1.0]), "wavelength": 1.3, "alpha_i": 0.2}
GOOD = np.ones((2, 3), dtype=bool)


def test_an_image_does_not_change() -> None:
    counts = np.ones((2, 3))
    image = Image(counts=counts, mask=GOOD, geometry=GrazingIncidence(**AXES))
    counts[0, 0] = 7.0
    assert image.counts[0, 0] == 1.0
    for array in (image.counts, image.mask, image.geometry.phi, image.geometry.alpha_f):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"counts": np.ones((3, 2))},
            r"counts \(3, 2\) and mask \(2, 3\) do not match the geometry of 2 rows and 3 columns",
        ),
        ({"mask": np.ones((2, 2), dtype=bool)}, "do not match"),
        ({"phi": np.array([1.0, 0.0, -1.0])}, "phi does not ascend"),
        ({"alpha_f": np.array([0.0, np.nan])}, "alpha_f does not ascend"),
        ({"counts": np.full((2, 3), np.nan)}, "some counts with mask True, which are used, are not numbers"),
    ],
)
def test_what_does_not_fit_is_one_sentence(changed: dict, sentence: str) -> None:
    geometry = GrazingIncidence(**AXES | {key: value for key, value in changed.items() if key in AXES})
    counts, mask = changed.get("counts", np.ones((2, 3))), changed.get("mask", GOOD)
    with pytest.raises(DataError, match=f"^a.tif: .*{sentence}"):
        Image(counts, mask, geometry, file="a.tif")


def test_importing_the_readers_loads_nothing_heavy(repository: Path) -> None:
    code = (
        "import sys, sasnet_plugin.images.reading;"
        "heavy = {'fabio', 'h5py', 'bornagain', 'PIL', 'matplotlib'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(repository)},
    )
    assert done.stdout.strip() == "[]"
