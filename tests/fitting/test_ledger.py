"""What a fit may spend is counted in evaluations: the same with any number of processes, busy or idle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.batch import worker
from sasnet_plugin.batch.plan import Options
from sasnet_plugin.fitting import api, ledger
from sasnet_plugin.fitting.ledger import Ledger, Shares
from sasnet_plugin.fitting.pool import InProcess, answer_of
from sasnet_plugin.fitting.settings import EFFORT
from sasnet_plugin.fitting.start_values import screening
from sasnet_plugin.fitting.task import Budget, FitOptions, LateError, Plan
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve


class _Beside:
    """A pool of so many processes, which are done in an order that chance decides."""

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.rng, self.given = count, np.random.default_rng(seed), dict[int, Budget]()

    def run(
        self, work: Any, asked: Sequence[Any], seconds: float, plan: Plan | None = None
    ) -> Iterator[tuple[int, Any]]:
        assert plan is not None
        todo, running = list(range(len(asked))), list[int]()
        while todo or running:
            while todo and len(running) < self.count and (budget := plan.budget(todo[0])) is not None:
                self.given[todo[0]] = budget
                running.append(todo.pop(0))
            index = running.pop(int(self.rng.integers(len(running))))
            spent = min(0.3 * (index % 3 + 1), self.given[index].seconds)
            answer = SimpleNamespace(reduced_chisq=10.0 / (index + 1))
            plan.record_answer(index, answer, spent, False)
            yield index, answer


def test_budgets_do_not_depend_on_how_many_work_nor_on_who_is_done_first() -> None:
    asked = [SimpleNamespace(name=str(i), budget=Budget(8.0 if i % 4 else 1.0)) for i in range(12)]
    found = []
    for count, seed in ((1, 0), (2, 1), (2, 2), (4, 3), (16, 4)):
        pool = _Beside(count, seed)
        kept = Ledger(pool, np.inf)
        order = [index for index, _ in kept.run(print, asked, 5.0)]
        assert order == sorted(order)
        found.append((pool.given, kept.clock()))
    assert all(one == found[0] for one in found)
    given = found[0][0]
    assert given[EFFORT.ahead + 1].best_chisq == 10.0
    assert given[EFFORT.ahead].best_chisq == np.inf
    assert 0 < sum(b.seconds for b in given.values())


def test_what_the_first_ones_leave_is_for_the_others_and_nothing_is_begun_with_nothing_left() -> None:
    asked = [SimpleNamespace(name="a")] * 8
    thrifty, wasteful = Shares(4.0, asked), Shares(4.0, asked)
    for shares, each in ((thrifty, 0.0), (wasteful, 10.0)):
        for index in range(6):
            budget = shares.budget(index)
            assert budget is not None
            shares.record_answer(index, None, each, False)
    thrifty_last, wasteful_last = thrifty.budget(6), wasteful.budget(6)
    assert thrifty_last is not None
    assert wasteful_last is not None
    assert thrifty_last.seconds > 0.4
    assert isinstance(answer_of(print, asked[6], None, wasteful_last), LateError)  # type: ignore[arg-type]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock on the wall that stands until a test moves it."""
    now = [0.0]
    for module in (api, ledger, screening, worker):
        monkeypatch.setattr(
            module, "time", SimpleNamespace(monotonic=lambda: now[0], thread_time=lambda: 0.0)
        )
    return now


@pytest.mark.parametrize(("passed", "limit"), [(25.0, 20.0), (100.0, 90.0)])
def test_a_clock_that_is_up_before_anything_is_fitted_still_gives_the_fast_models(
    clock: list[float],
    monkeypatch: pytest.MonkeyPatch,
    simulated: Callable[..., Curve],
    bank: Bank,
    passed: float,
    limit: float,
) -> None:
    """As on a machine where imports alone take longer than the time limit; by a clock of the test's own."""
    opened = api.open_classifier

    def slowly(*args: Any) -> Any:
        clock[0] += passed
        return opened(*args)

    monkeypatch.setattr(api, "open_classifier", slowly)
    curve = simulated("sphere", {"radius": 60.0, "sld": 2.0, "sld_solvent": 6.0})
    options = FitOptions(models=("ellipsoid", "sphere"), structure_factor="none", time_limit=limit)
    found = api.fit_with(worker.OneByOne(bank, {}, lambda *said: None), curve, options)
    assert [fit.name for fit in found.fits] == ["sphere"]
    assert found.fits[0].parameters["radius"].value == pytest.approx(60.0, rel=0.01)
    assert found.limit_met
    assert found.unfitted == ("ellipsoid",)
    left = f"Not fitted within the time limit (go on with --time-limit {max(300, 4 * limit):.0f}): ellipsoid."
    assert left in found.notes
    assert found.as_dict()["unfitted"] == ["ellipsoid"]


def test_assured_models_extend_the_time_only_until_something_is_fitted(clock: list[float]) -> None:
    """They took as long again as the time limit where others were fitted: 45 s of VTMA's 90 s."""
    walls = list[float]()

    class Recording(_Beside):
        def run(self, work: Any, asked: Sequence[Any], seconds: float, plan: Plan | None = None) -> Any:
            walls.append(seconds)
            return super().run(work, asked, seconds, plan)

    kept = Ledger(Recording(1, 0), 10.0, first=70.0)
    asked = [SimpleNamespace(name="a", budget=Budget(1.0), assured=True)]
    for _ in range(2):
        list(kept.run(print, asked, 5.0))
    assert walls == [70.0, 10.0]


def test_all_stages_of_a_fit_take_from_one_account_of_time(
    monkeypatch: pytest.MonkeyPatch, simulated: Callable[..., Curve], bank: Bank
) -> None:
    """The search leaves some of it, so that the reported errors are those with all that is unknown."""
    ends = dict[str, float]()
    run = ledger.Ledger.run

    def recorded(kept: Ledger, work: Any, *args: Any) -> Any:
        ends[work.__name__] = max(ends.get(work.__name__, 0.0), kept.until)
        return run(kept, work, *args)

    monkeypatch.setattr(ledger.Ledger, "run", recorded)
    curve = simulated("sphere", {"radius": 60.0, "background": 0.01})
    began = time.monotonic()
    options = FitOptions(models=("sphere",), structure_factor="none", time_limit=40.0)
    api.fit_with(InProcess(bank), curve, options, wall=30.0)
    late = time.monotonic() - began  # of the machine, until the account was opened
    assert {"fit_candidate", "fit_by_bumps", "errors_to_add"} <= ends.keys()
    assert ends["fit_candidate"] - began < 0.8 * 30.0 + late
    assert 0.9 * 30.0 < ends["errors_to_add"] - began < 30.0 + late


def _row(path: Path, bank: Bank, limit: float) -> dict[str, Any]:
    """The row that a process of a batch has for a file."""
    options = Options(FitOptions(models=("sphere",), structure_factor="none", fixed={"radius_pd": 0.0}))
    said: list[tuple[Any, ...]] = []
    worker.serve(worker.Job(str(path), options, limit), bank, lambda *message: said.append(message))
    ((_, row, _),) = (message for message in said if message[0] == "row")
    return dict(row)


def _tick(monkeypatch: pytest.MonkeyPatch, step: float) -> list[float]:
    """A clock on the wall that goes on by so much each time that it is read."""
    now = [0.0]

    def monotonic() -> float:
        now[0] += step
        return now[0]

    for module in (api, ledger, screening, worker):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=monotonic, thread_time=lambda: 0.0))
    return now


def test_rows_of_a_batch_do_not_depend_on_the_clock_until_it_stops_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, simulated: Callable[..., Curve], bank: Bank
) -> None:
    file, limit = tmp_path / "sphere.dat", 20.0
    curve = simulated("sphere", {"radius": 60.0, "sld": 2.0, "sld_solvent": 6.0})
    np.savetxt(file, np.column_stack([curve.q, curve.intensity, curve.dintensity]))
    rows, passed = [], []
    for step in (0.0, 0.05, 50.0):
        now = _tick(monkeypatch, step)
        rows.append(_row(file, bank, limit))
        passed.append(now[0])
    idle, busy, stopped = rows
    assert limit < passed[1] < worker.PATIENCE * limit < passed[2]
    assert [row["stopped_by_clock"] for row in rows] == [False, False, True]
    assert not busy["limit_met"]
    assert busy["fits"] == idle["fits"]
    assert stopped["limit_met"]
    assert any("clock" in note for note in stopped["notes"])


def test_a_task_is_cut_where_a_clock_has_decided_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    now, cpu = [0.0], [0.0]
    monkeypatch.setattr(ledger, "time", SimpleNamespace(monotonic=lambda: now[0], thread_time=lambda: cpu[0]))
    q, sphere = np.geomspace(0.01, 0.3, 100), {"radius": 50.0}
    for wall, processor, cut in ((4.0, 1.0, False), (9.0, 1.0, True), (4.0, 30.0, True)):
        ledger.begin(2.0, wall=10.0)
        while ledger.read_counted_time() < 1.0:  # half of the budget
            ledger.count("sphere", sphere, q, quick=True)
        counted = ledger.read_counted_time()
        now[0], cpu[0] = now[0] + wall, cpu[0] + processor
        assert (ledger.read_spent_time() > counted) == cut
        assert ledger.cut() == cut
