"""A time limit holds whatever a model does, and a killed process costs one fit."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from sasnet_plugin.fitting.api import sentences_of
from sasnet_plugin.fitting.pool import Workers, answer_of, answers
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.types import Curve, ModelZooError, SasnetError, TechnicalError
from sasnet_plugin.zoo import bank_path

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


def test_an_answer_that_is_none_costs_no_process(simulated: Simulated) -> None:
    task = _task(simulated("sphere", {"radius": 60.0, "background": 0.01}), "sphere")
    with Workers(bank_path(), 1) as pool:
        pid = pool._pool.pids[0]
        # Any function of a module that returns None.
        assert dict(pool.run(logging.debug, [task, task], 60.0)) == {0: None, 1: None}
        assert pool._pool.pids[0] == pid


def test_what_is_late_is_killed_and_the_processes_serve_on(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 60.0, "background": 0.01})
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
    curve = simulated("sphere", {"radius": 60.0, "background": 0.01})
    quick = _task(curve, "sphere")
    with Workers(bank_path(), 1) as pool:
        list(pool.run(fit_candidate, [quick], 120.0))
        pid = pool._pool.pids[0]
        threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
        answers = dict(pool.run(fit_candidate, [_task(curve, "superball", budget=Budget(1e9)), quick], 120.0))
    assert "killed" in str(answers[0])
    assert isinstance(answers[1], ModelFit)


def test_an_answer_that_cannot_be_sent_is_said_and_costs_no_process(simulated: Simulated) -> None:
    task = _task(simulated("sphere", {"radius": 60.0, "background": 0.01}), "sphere")
    with Workers(bank_path(), 1) as pool:
        pid = pool._pool.pids[0]
        (found,) = dict(pool.run(_unsendable, [task], 60.0)).values()
        assert isinstance(found, TechnicalError)
        assert "sphere: the fit failed (" in str(found)
        assert pool._pool.pids[0] == pid


def _unsendable(*_: object) -> object:
    return threading.Lock()


class _Failing:
    """A pool in which some pieces of work fail for a technical reason, so many times."""

    count = 1

    def __init__(self, times: dict[str, int]) -> None:
        self.times, self.done = times, list[str]()

    def clock(self) -> float:
        return 0.0

    def run(self, work: object, asked: Sequence[Task], seconds: float) -> Iterator[tuple[int, object]]:
        for index, task in enumerate(asked):
            self.done.append(task.name)
            self.times[task.name] = self.times.get(task.name, 0) - 1
            failed = self.times[task.name] >= 0
            yield index, TechnicalError(task.name, "no room") if failed else f"{task.name} done"


def test_what_fails_for_a_technical_reason_is_done_once_more(simulated: Simulated) -> None:
    curve = simulated("sphere", {"radius": 60.0})
    tasks = [_task(curve, name) for name in ("sphere", "cylinder", "vesicle")]
    pool = _Failing({"sphere": 1, "vesicle": 2})
    found = dict(answers(pool, fit_candidate, tasks, 10.0))
    assert pool.done == ["sphere", "cylinder", "vesicle", "sphere", "vesicle"]
    assert (found[0], found[1]) == ("sphere done", "cylinder done")
    assert isinstance(found[2], TechnicalError)
    assert str(pickle.loads(pickle.dumps(found[2]))) == "vesicle: no room."
    assert sentences_of([found[2], TechnicalError("lamellar", "no room")]) == [
        "vesicle, lamellar: no room. Tried twice; the answer is incomplete."
    ]


def test_exceptions_of_this_machine_are_technical_and_a_models_own_are_not() -> None:
    def fails(error: Exception) -> Any:
        def work(*_: object) -> None:
            raise error

        return answer_of(work, Task(None, None, "sphere", "hardsphere"), None, Budget())  # type: ignore[arg-type]

    for error in (OSError(28, "No space left on device"), MemoryError(), TechnicalError("sphere", "no cc")):
        answer = fails(error)
        assert isinstance(answer, TechnicalError)
        assert answer.name == "sphere@hardsphere"
    assert not isinstance(fails(ZeroDivisionError()), TechnicalError)


def test_leaving_keeps_the_processes_and_an_error_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with Workers(bank_path(), 2) as pool:
        assert len(pool._pool.pids) == 1  # the second begins with the first job that finds none idle
        pool._pool.start()
        pids = pool._pool.pids
        assert len(pids) == 2
    for pid in pids:
        os.kill(pid, 0)

    def interrupt() -> None:
        with Workers(bank_path(), 2) as pool:
            pool._pool.start()
            assert set(pool._pool.pids) == set(pids)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_process_that_has_a_users_model_is_not_kept(simulated: Simulated, tmp_path: Path) -> None:
    (tmp_path / "ball.py").write_text(
        "name = title = 'ball'\ncategory = 'shape:sphere'\n"
        "parameters = [['radius', 'Ang', 50.0, [0, 1e4], 'volume', '']]\n"
        "def Iq(q, radius):\n    return 1 / (1 + (q * radius) ** 4)\nIq.vectorized = True\n"
    )
    task = _task(simulated("sphere", {"radius": 60.0, "background": 0.01}), str(tmp_path / "ball.py"))
    with Workers(bank_path(), 1) as pool:
        list(pool.run(fit_candidate, [task], 120.0))
        (pid,) = pool._pool.pids
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_damaged_bank_is_a_sentence_of_its_own(tmp_path: Path) -> None:
    damaged = tmp_path / "seeds.npz"
    damaged.write_bytes(bank_path().read_bytes()[:100_000])
    with (
        pytest.raises(ModelZooError, match=r"seeds.npz: the library of starting values cannot be read"),
        Workers(damaged),
    ):
        pass
