"""Curves to fit: simulated by sasmodels itself, with noise of a known size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sasnet_plugin.fitting.assessment import error_estimates
from sasnet_plugin.fitting.ledger import cut, read_counted_time
from sasnet_plugin.fitting.pool import answer_of
from sasnet_plugin.fitting.task import Budget
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.types import Curve
from sasnet_plugin.zoo import bank_path

Q = np.geomspace(0.004, 0.4, 120)


@pytest.fixture(scope="module")
def exact_calibration() -> Iterator[None]:
    """Leave the calibration of q out of errors, for tests of something else that is unknown."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(error_estimates, "PROBLEM", replace(error_estimates.PROBLEM, alike=0.0))
        yield


class Here:
    """A pool that works in this process and remembers the names of what it was asked."""

    count = 1
    #: For each fit, s.
    seconds = 8.0

    def __init__(self, bank: Bank) -> None:
        self.bank, self.names = bank, list[str]()

    def clock(self) -> float:
        return 0.0

    def run(
        self, work: Any, asked: Sequence[Any], seconds: float, plan: Any = None
    ) -> Iterator[tuple[int, Any]]:
        least = np.inf
        for index, task in enumerate(asked):
            self.names.append(task.name)
            budget = Budget(self.seconds, least) if plan is None else plan.budget(index)
            answer = answer_of(work, task, self.bank, budget)
            least = min(least, getattr(answer, "reduced_chisq", np.inf))
            if plan is not None:
                plan.record_answer(index, answer, read_counted_time(), cut())
            yield index, answer


@pytest.fixture(scope="session")
def bank() -> Bank:
    return Bank(bank_path())


@pytest.fixture(scope="session")
def simulated() -> Callable[..., Curve]:
    """A curve of a model in cm⁻¹ with 3 % resolution and 2 % noise."""

    def make(name: str, parameters: dict[str, Any], *, slit: float = 0.0, seed: int = 0) -> Curve:
        from sasmodels.direct_model import call_kernel

        from sasnet_plugin.fitting.problem.resolution import resolution
        from sasnet_plugin.fitting.settings import PROBLEM
        from sasnet_plugin.simulate.kernel import load_model

        dq, dxl = 0.03 * Q, np.full(Q.size, slit)
        columns = {"dxl": dxl} if slit else {"dq": dq}
        # An instrument averages everything within its resolution, not the measured points alone.
        found = resolution(Curve(Q, np.ones(Q.size), **columns), PROBLEM.finest)
        exact = found.apply(call_kernel(load_model(name).make_kernel([found.q_calc]), parameters))
        sigma = 0.02 * exact + 1e-4 * exact.max() * 0.01
        noise = np.random.default_rng(seed).standard_normal(Q.size)
        return Curve(Q, exact + sigma * noise, sigma, file=f"{name}.dat", **columns)

    return make


@pytest.fixture
def pool(bank: Bank) -> Here:
    return Here(bank)
