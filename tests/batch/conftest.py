"""Small simulated files that small models are fitted to in a fraction of a second."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.simulate.kernel import call

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    return os.environ | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"}


@pytest.fixture
def sphere_file() -> Callable[..., Path]:
    """Write the curve of equal spheres, with 2 % noise."""

    def write(path: Path, radius: float, *, header: str = "", seed: int = 0, points: int = 40) -> Path:
        q = np.geomspace(0.006, 0.2, points)
        exact = call("sphere", q, {"radius": radius}).intensity + 0.1
        sigma = 0.02 * exact
        noisy = exact + sigma * np.random.default_rng(seed).standard_normal(q.size)
        np.savetxt(path, np.column_stack([q, noisy, sigma]), header=f"{header}\nq I dI")
        return path

    return write


@pytest.fixture
def spheres(tmp_path: Path, sphere_file: Callable[..., Path]) -> Path:
    """A folder with ten of them, and a letter."""
    folder = tmp_path / "data"
    folder.mkdir()
    for k in range(10):
        sphere_file(folder / f"run{k}.dat", 40.0 + k, seed=k)
    (folder / "letter.dat").write_text("Dear colleague, the beam was down.\n", encoding="utf-8")
    return folder


@pytest.fixture
def sasnet(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``sasnet batch`` as a process."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sasnet_plugin", "batch", *map(str, arguments)],
            env=environment, capture_output=True, text=True, encoding="utf-8", check=False,
        )  # fmt: skip

    return run
