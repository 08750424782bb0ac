"""A time limit holds whatever a model does, and a killed process costs one fit."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sasnet_plugin.fitting.api import bank_path
from sasnet_plugin.fitting.pool import Workers
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.types import Curve, ModelZooError, SasnetError

Simulated = Callable[..., Curve]


def _task(curve: Curve, model: str, **more: object) -> Task:
    assert curve.dintensity is not None
    return Task(curve, curve.dintensity, model, None, **more)  # type: ignore[arg-type]


def test_all_are_answered_and_one_that_fails_is_a_sentence(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 60.0, "background": 0.01})
    tasks = [_task(curve, name) for name in ("sphere", "no_such_model", "vesicle")]
    with Workers(bank_path(), 1) as pool:
        answers = dict(pool.run(fit_candidate, tasks, 120.0))
    assert set(answers) == {0, 1, 2}
    assert isinstance(answers[0], ModelFit)
    assert isinstance(answers[2], ModelFit)
    assert isinstance(answers[1], SasnetError)
    assert "no_such_model" in str(answers[1])


def test_what_is_late_is_killed_and_the_processes_serve_on(simulated: Simulated) -> None:
    curve = simulated("superball", {"length_a": 90.0, "exponent_p": 3.0, "background": 0.01})
    slow = [_task(curve, "superball", budget=Budget(1e9)), _task(curve, "pringle", budget=Budget(1e9))]
    quick = [_task(curve, "sphere")]
    with Workers(bank_path(), 1) as pool:
        list(pool.run(fit_candidate, quick, 120.0))  # the process is up
        began = time.monotonic()
        answers = dict(pool.run(fit_candidate, slow, 0.3))
        assert time.monotonic() - began < 10
        assert all("time limit" in str(answers[i]) for i in (0, 1))
        assert isinstance(dict(pool.run(fit_candidate, quick, 120.0))[0], ModelFit)


def test_a_process_killed_from_outside_costs_its_own_fit(simulated: Simulated) -> None:
    curve = simulated("superball", {"length_a": 90.0, "exponent_p": 3.0, "background": 0.01})
    with Workers(bank_path(), 1) as pool:
        list(pool.run(fit_candidate, [_task(curve, "sphere")], 120.0))
        pid = pool._workers[0].child.pid
        threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
        answers = dict(
            pool.run(
                fit_candidate, [_task(curve, "superball", budget=Budget(1e9)), _task(curve, "sphere")], 120.0
            )
        )
    assert "killed" in str(answers[0])
    assert isinstance(answers[1], ModelFit)


def test_leaving_ends_the_processes() -> None:
    with Workers(bank_path(), 2) as pool:
        children = [w.child for w in pool._workers]
        assert all(child.alive for child in children)
    assert not any(child.alive for child in children)


def test_a_damaged_bank_is_a_sentence_of_its_own(tmp_path: Path) -> None:
    damaged = tmp_path / "seeds.npz"
    damaged.write_bytes(bank_path().read_bytes()[:100_000])
    with (
        pytest.raises(ModelZooError, match=r"seeds.npz: the bank of starting values cannot be read"),
        Workers(damaged),
    ):
        pass
