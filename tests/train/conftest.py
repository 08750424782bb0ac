"""A tiny world of cheap models to train on."""

from __future__ import annotations

from pathlib import Path

import pytest

MODELS = ("sphere", "lorentz", "dab", "lamellar", "hardsphere")


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sasnet_plugin.simulate.curve_simulator import SIMULATOR
    from sasnet_plugin.simulate.dataset import Request, plan

    folder = tmp_path_factory.mktemp("shards")
    assert list(plan(SIMULATOR, folder, Request(rounds=1, seed=11, models=MODELS, scale=0.075)).run())
    return folder
