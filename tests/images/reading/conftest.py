"""Small detector files with a known pattern, for the tests of reading images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from detectorfiles import pattern, write_dectris_tiff


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


SMALL_TOML = """
wavelength = 1.34
alpha_i = 0.2
distance = 2000.0
pixel_size = 1.0
direct_beam = [32.0, 55.0]
"""


@pytest.fixture
def small(tmp_path: Path, rng: np.random.Generator) -> Callable[..., Path]:
    """A TIFF of 64 x 64 pixels of 1 mm at 2 m with its TOML; the horizon is 7 rows over the beam."""

    def _write(
        values: np.ndarray | None = None, toml: str | None = SMALL_TOML, name: str = "small.tif"
    ) -> Path:
        if values is None:
            pitch = float(np.degrees(1 / 2000))
            values = pattern((64, 64), direct=(32, 55), pitch=pitch, alpha_i=0.2, counts=2e5, rng=rng)
        path = write_dectris_tiff(tmp_path / name, values, "")
        if toml is not None:
            path.with_suffix(".toml").write_text(toml, encoding="utf-8")
        return path

    return _write
