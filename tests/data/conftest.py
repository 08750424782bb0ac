"""Curves written as text, for the tests of reading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Writer = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Write columns as text and give the path."""

    def _write(*columns: np.ndarray, name: str = "curve.txt", header: str = "", delimiter: str = " ") -> Path:
        path = tmp_path / name
        np.savetxt(
            path, np.column_stack(columns), header=header, comments="", delimiter=delimiter, fmt="%.9e"
        )
        return path

    return _write


@pytest.fixture
def guinier() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """q (Å⁻¹), I and dI of a Guinier law with a background: 60 points."""
    q = np.geomspace(0.005, 0.4, 60)
    intensity = 100 * np.exp(-((q * 30) ** 2) / 3) + 0.1
    return q, intensity, 0.02 * intensity
