"""A tiny library of cheap models, simulated once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from sasnet_plugin.simulate.curve_simulator import SIMULATOR
from sasnet_plugin.simulate.dataset import Request, plan
from sasnet_plugin.simulate.library import Library

CHEAP = ("sphere", "core_shell_sphere", "mono_gauss_coil", "lorentz", "teubner_strey", "power_law")
FACTORS = ("hardsphere", "squarewell")


@pytest.fixture(scope="session")
def shard_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rounds of a dozen curves of each cheap model."""
    folder = tmp_path_factory.mktemp("shards")
    for _ in plan(SIMULATOR, folder, Request(rounds=2, seed=7, models=(*CHEAP, *FACTORS), limit=12)).run():
        pass
    return folder


@pytest.fixture(scope="session")
def library(shard_folder: Path) -> Library:
    """The tiny library with the protocol's share of structure factors."""
    return Library(shard_folder)


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A user's own model file: a Gaussian chain's Guinier law with its length in Å."""
    path = tmp_path / "my_guinier.py"
    path.write_text(
        '"""A Guinier law."""\n'
        "import numpy as np\n"
        'name = "my_guinier"\n'
        'title = "Guinier law"\n'
        'description = "exp(-(q rg)^2/3)"\n'
        'category = "shape-independent"\n'
        'parameters = [["rg", "Ang", 60.0, [0, np.inf], "", "Radius of gyration"]]\n'
        "def Iq(q, rg):\n"
        "    return np.exp(-((q * rg) ** 2) / 3)\n"
        "Iq.vectorized = True\n",
        encoding="utf-8",
    )
    return path
