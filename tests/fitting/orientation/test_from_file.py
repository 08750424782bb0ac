"""A pattern that a script outside the package simulated: in as a TIFF file, out as an orientation."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.data.images import load_images
from sasnet_plugin.fitting.orientation import invert, prior_guess
from sasnet_plugin.simulate.gisas.geometry import XI

pytest.importorskip("fabio")


def test_a_file_of_plain_bornagain_is_read_and_inverted(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "reference" / "gisas_file.py"
    path = tmp_path / "film.tif"
    subprocess.run([sys.executable, script, path, "1e6"], check=True, timeout=300)
    (image,) = load_images(path)
    assert image.counts.shape == (128, 128)
    # What an experimenter knows: about the distance of the particles and their size.
    guess = prior_guess(image)
    near = {"lattice": (355.0, 6.0), "radius": (108.0, 4.0)}
    found = invert(image, replace(guess, geometry={**guess.geometry, **near}))
    distance = np.minimum(XI, 60 - XI)
    assert found.p[distance <= 3].sum() == pytest.approx(0.7, abs=0.1)
    assert found.p[np.abs(XI - 30) <= 3].sum() == pytest.approx(0.3, abs=0.1)
    assert found.geometry["lattice"][0] == pytest.approx(360, abs=2)
    assert found.geometry["radius"][0] == pytest.approx(110, abs=1)
    assert found.uniform_p_value < 0.01
    assert found.in_scope > 0.5
    assert found.file == str(path)
