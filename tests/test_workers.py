"""The pool: each message is of its own job, and what is not heard to its end is ended."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sasnet_plugin.types import SasnetError
from sasnet_plugin.workers import pool as workers_pool
from sasnet_plugin.workers.pool import GoneError, Pool, Said
from sasnet_plugin.workers.threads import environment_of_one_thread, one_thread

PATIENCE = 60.0


def begin_late(seconds: float) -> Callable[[Any, Callable[[Any], None]], Any]:
    """As `begin`, on a machine that has other things to do."""
    time.sleep(seconds)
    return begin()


def begin(*given: Any) -> Callable[[Any, Callable[[Any], None]], Any]:
    """Say a job's own messages, and answer with what the process was begun with."""

    def work(job: Any, say: Callable[[Any], None]) -> Any:
        for message in job.get("say", ()):
            say(message)
        if "raise" in job:
            raise job["raise"] or UnsendableError(1, 2)
        if "kill" in job:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(job.get("sleep", 0.0))
        return (lambda: 3) if "unsendable" in job else job.get("answer", given)

    return work


class UnsendableError(Exception):
    """Cannot be made from what it was pickled with."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(one + other)


@pytest.fixture
def started() -> Iterator[Callable[..., Pool]]:
    pools: list[Pool] = []

    def make(*arguments: Any, **how: Any) -> Pool:
        pools.append(Pool("test_workers:begin", *arguments, quiet=True, **how))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def all_of(pool: Pool) -> list[Said]:
    """What is said until no job is under way."""
    found: list[Said] = []
    deadline = time.monotonic() + PATIENCE
    while pool.active_jobs and time.monotonic() < deadline:
        found += pool.hear(1.0)
    return found


def test_messages_bear_the_number_of_their_job(started: Callable[..., Pool]) -> None:
    pool = started(2, first=("bank",), each=[(0,), (1,)])
    jobs = {pool.ask({"say": [f"{k}.{part}" for part in range(3)], "answer": k}): k for k in range(2)}
    assert pool.room == 0
    found = all_of(pool)
    for number, k in jobs.items():
        said = [one for one in found if one.number == number]
        assert [one.message for one in said] == [f"{k}.0", f"{k}.1", f"{k}.2", k]
        assert [one.last for one in said] == [False, False, False, True]
    assert pool.room == 2
    again = {pool.ask({}), pool.ask({})}
    assert not again & set(jobs), "no number is given twice"
    assert {one.message for one in all_of(pool)} == {("bank", 0), ("bank", 1)}


def test_what_a_stopped_job_has_said_is_never_heard(started: Callable[..., Pool]) -> None:
    pool = started()
    first = pool.ask({"say": ["mine"] * 100, "sleep": 60})
    (one,) = pool.hear(PATIENCE)
    assert (one.number, one.message) == (first, "mine")
    pool.stop(first)  # with 99 messages that nobody has heard
    second = pool.ask({"say": ["yours"], "answer": "end"})
    assert [(s.number, s.message) for s in all_of(pool)] == [(second, "yours"), (second, "end")]


def test_a_job_that_is_left_in_the_middle_does_not_outlive_its_block(started: Callable[..., Pool]) -> None:
    pool = started()

    def left() -> None:
        with pool.doing({"say": ["a", "b", "c"], "sleep": 60}):
            pool.hear(PATIENCE)
            raise RuntimeError("of whoever hears it")

    with pytest.raises(RuntimeError):
        left()
    assert (pool.active_jobs, pool.pids) == ([], [])
    with pool.doing({"answer": 7}):
        assert [one.message for one in pool.hear(PATIENCE)] == [7]
    assert len(pool.pids) == 1, "one that is done leaves its process for the next"


def test_a_killed_process_is_said_of_each_of_its_jobs_and_replaced(started: Callable[..., Pool]) -> None:
    pool = started(1, ahead=3)
    numbers = [pool.ask({"answer": 1}), pool.ask({"kill": True}), pool.ask({"answer": 3})]
    found = all_of(pool)
    assert [one.number for one in found] == numbers
    assert [type(one.error) for one in found] == [type(None), GoneError, GoneError]
    pool.ask({"answer": 4})
    assert [one.message for one in all_of(pool)] == [4]


def test_a_process_that_dies_between_jobs_loses_none(started: Callable[..., Pool]) -> None:
    pool = started()
    pool.ask({})
    all_of(pool)
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    pool.ask({"answer": "here"})
    assert [one.message for one in all_of(pool)] == ["here"]


def test_exceptions_come_back_as_they_were_or_as_a_sentence(started: Callable[..., Pool]) -> None:
    pool = started()
    for error, expected in (
        (SasnetError("a.dat: is no file."), "a.dat: is no file."),
        (ValueError("wrong"), "wrong"),
        (None, "a worker failed"),
    ):
        pool.ask({"raise": error})
        (said,) = all_of(pool)
        assert said.last
        assert expected in str(said.error)
        assert "Traceback" in "".join(getattr(said.error, "__notes__", [""])) or type(error) is not ValueError
    with pytest.raises(Exception, match="pickle"):
        pool.ask({"answer": lambda: 3})
    assert pool.room == 1
    pool.ask({"unsendable": True})
    (said,) = all_of(pool)
    assert "a worker failed" in str(said.error) or "pickle" in str(said.error)


def test_a_worn_process_is_replaced(started: Callable[..., Pool]) -> None:
    pool, seen = started(most=2), []
    for _ in range(5):
        seen.append(pool.fresh())
        pool.ask({})
        all_of(pool)
    assert seen == [True, False, True, False, True]


def test_closing_ends_whoever_waits(started: Callable[..., Pool]) -> None:

    pool = started()
    pool.ask({"sleep": 60})
    threading.Timer(0.2, pool.close).start()
    began = time.monotonic()
    assert pool.hear() == []
    assert time.monotonic() - began < 20


def keep_one(started: Callable[..., Pool], **how: Any) -> int:
    """The process of a pool that has done a job and is closed."""
    pool = started(**how)
    pool.ask({})
    all_of(pool)
    (pid,) = pool.pids
    pool.close(keep=True)
    pool.close()
    return pid


@pytest.fixture
def none_kept() -> Iterator[None]:
    list(map(workers_pool._drop, list(workers_pool._IDLE)))
    yield
    list(map(workers_pool._drop, list(workers_pool._IDLE)))


@pytest.mark.usefixtures("none_kept")
def test_a_process_is_kept_for_a_pool_that_is_made_alike(
    started: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = tmp_path / "library"
    library.touch()
    pid = keep_one(started, first=(library,))
    again = started(first=(library,))
    again.start()
    assert again.pids == [pid]
    assert not again.fresh()
    number = again.ask({"say": ["yours"]})
    assert [(said.number, said.message) for said in all_of(again)] == [
        (number, "yours"),
        (number, (library,)),
    ]
    again.close(keep=True)
    # Other arguments, surroundings or files are those of another process.
    assert keep_one(started, first=("other",)) != pid
    monkeypatch.setenv("SASNET_MODEL_ZOO", "elsewhere")
    assert keep_one(started, first=(library,)) != pid
    monkeypatch.delenv("SASNET_MODEL_ZOO")
    os.utime(library, (1, 1))
    assert keep_one(started, first=(library,)) != pid
    monkeypatch.chdir(tmp_path)
    assert keep_one(started, first=(library,)) != pid


@pytest.mark.usefixtures("none_kept")
def test_a_process_that_works_or_is_worn_or_gone_is_not_kept(started: Callable[..., Pool]) -> None:
    pool = started()
    pool.ask({"sleep": 60})
    pool.close(keep=True)
    keep_one(started, most=1)
    assert not workers_pool._IDLE
    os.kill(keep_one(started), signal.SIGKILL)
    time.sleep(0.2)
    later = started()
    later.ask({"answer": "here"})
    assert [said.message for said in all_of(later)] == ["here"]


@pytest.mark.usefixtures("none_kept")
def test_no_more_processes_are_kept_than_there_are_cores_nor_for_long(
    started: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    pids = [keep_one(started, first=(k,)) for k in range(2)]
    assert [child.pid for child in workers_pool._IDLE] == pids[1:]
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    monkeypatch.setattr(workers_pool, "_IDLE_SECONDS", 0.1)
    keep_one(started)
    deadline = time.monotonic() + PATIENCE
    while workers_pool._IDLE and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not workers_pool._IDLE


def test_a_process_that_begins_late_costs_no_job() -> None:
    pool = Pool("test_workers:begin_late", first=(3.0,), quiet=True)
    try:
        patience = pool.patience(1.0)
        pool.ask({"answer": 7})
        assert [said.message for said in pool.hear(patience)] == [7]
        assert pool.patience(1.0) == 1.0, "it has begun"
        pool.ask({"sleep": 30.0})
        assert pool.hear(pool.patience(1.0)) == []
    finally:
        pool.close()


def threads_of_linear_algebra() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_linear_algebra_has_one_thread_in_a_block_and_as_many_as_before_after_it() -> None:
    np.linalg.inv(np.eye(3))
    with threadpool_limits(2, "blas"):
        with one_thread():
            with one_thread():
                assert threads_of_linear_algebra() == {1}
            assert threads_of_linear_algebra() == {1}
        assert threads_of_linear_algebra() == {2}


@pytest.mark.parametrize("given", ["3", None])
def test_a_process_computes_on_one_thread_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert environment_of_one_thread() == {"OMP_NUM_THREADS": given or "1"}


def test_a_fit_in_python_computes_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    from sasnet_plugin.fitting import api
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.types import Curve

    class ReachedError(Exception):
        pass

    def reached(*_: Any) -> None:
        assert threads_of_linear_algebra() == {1}
        raise ReachedError

    monkeypatch.setattr(api, "uncertainties", reached)
    q = np.geomspace(0.01, 0.3, 50)
    with threadpool_limits(2, "blas"):
        with pytest.raises(ReachedError):
            api.fit_with(None, Curve(q, 1 / q, 0.01 / q), FitOptions())  # type: ignore[arg-type]
        assert threads_of_linear_algebra() == {2}
