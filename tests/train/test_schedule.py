"""The learning rate over a run: up, constant, down at the end; what is faster on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
keras = pytest.importorskip("keras")

from sasnet_plugin.train import loop  # noqa: E402
from sasnet_plugin.train.loop import TrainConfig  # noqa: E402


def _rates(config: TrainConfig, steps: list[int]) -> np.ndarray:
    schedule = loop._schedule(keras, config)
    return np.array([float(schedule(step)) for step in steps])


def test_the_rate_is_constant_between_the_warm_up_and_the_last_fifth() -> None:
    config = TrainConfig(steps=1000, learning_rate=1e-3, decay=0.2)
    rates = _rates(config, [0, 10, 20, 400, 803, 902, 1000])
    assert rates[0] == pytest.approx(1e-3 / 50)
    assert rates[0] < rates[1] < rates[2]
    assert rates[2:5] == pytest.approx(1e-3, rel=1e-3)
    assert rates[5] == pytest.approx(0.5e-3, rel=0.02)
    assert rates[6] == pytest.approx(1e-5)


def test_without_a_share_the_rate_falls_from_the_warm_up_on() -> None:
    rates = _rates(TrainConfig(steps=1000, learning_rate=1e-3), [20, 500, 700, 1000])
    assert np.all(np.diff(rates) < 0)


def test_a_run_may_end_sooner_than_it_was_begun_but_not_with_another_rate(tmp_path: Path) -> None:
    from sasnet_plugin.types import SasnetError

    path = tmp_path / "settings.json"
    begun = {"train": {"steps": 900, "workers": 1, "mixed": None, "validate": 0, "learning_rate": 1e-3}}
    loop._settle(path, begun)
    sooner = {"train": begun["train"] | {"steps": 300, "mixed": True}}
    loop._settle(path, sooner)
    assert '"steps": 300' in path.read_text(encoding="utf-8")
    with pytest.raises(SasnetError, match="other settings"):
        loop._settle(path, {"train": begun["train"] | {"learning_rate": 2e-3}})


@pytest.mark.parametrize(
    ("flags", "pays"), [("avx512f amx_bf16", True), ("avx512f avx512_bf16", True), ("fma avx512f", False)]
)
def test_bfloat16_is_for_processors_that_multiply_it(
    monkeypatch: pytest.MonkeyPatch, flags: str, pays: bool
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"flags : {flags}\n")
    monkeypatch.setattr(Path, "exists", lambda _: True)
    monkeypatch.setattr(keras.distribution, "list_devices", lambda *_: [])
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    assert loop.bfloat16_pays() is pays
