"""bumps' fitters in this process alone: seeded, silent, and ended when the time is up."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.problem.experiment import TimeUpError, silent
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.result.posterior import Posterior, posterior_of
from sasnet_plugin.fitting.settings import OPTIMIZE
from sasnet_plugin.fitting.task import Method
from sasnet_plugin.types import Curve

#: bumps' defaults for all but the number of steps.
_OPTIONS = {"amoeba": {"steps": OPTIMIZE.amoeba_steps}, "de": {"steps": OPTIMIZE.de_steps}}


@dataclass(frozen=True)
class Refinement:
    """A fit to treat by another method.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        Positive.
    fit : ModelFit
    method : Method
    until : float
        Time of day (``time.time()``) at which it has to end.
    seed : int
        Of the random numbers.
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    fit: ModelFit
    method: Method
    until: float
    seed: int

    @property
    def name(self) -> str:
        """sasmodels' name of the model."""
        return self.fit.name


@contextlib.contextmanager
def quiet(seed: int) -> Iterator[None]:
    """Silent, and seeded: bumps draws from numpy's global state."""
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        with silent():
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


class _Clock:
    """Says when the time is up, and remembers that it was."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.late = False

    def __call__(self) -> bool:
        self.late = self.late or time.time() > self.until
        return self.late

    @property
    def left(self) -> float:
        """Seconds."""
        return self.until - time.time()


def _run(problem: Any, clock: _Clock, fitter: str, **options: Any) -> Any:
    """One of bumps' fitters, run until it ends or the time is up; None where it did not begin."""
    from bumps.fitters import FITTERS, FitDriver

    def values(points: Any) -> list[float]:
        found = []
        for point in points:
            if clock():  # a generation of a slow model takes longer than the time that is left
                raise TimeUpError
            found.append(problem.nllf(point))
        return found

    chosen = next(f for f in FITTERS if f.id == fitter)
    driver = FitDriver(
        fitclass=chosen, problem=problem, monitors=[], abort_test=clock, mapper=values, **options
    )
    driver.clip()
    try:
        driver.fit()
    except TimeUpError:
        clock.late = True
    return driver.fitter


def minimise(problem: Any, fitness: Any, job: Refinement) -> bool:
    """Run amoeba or de; the best point is the experiment's own. Whether it was cut short."""
    clock = _Clock(job.until)
    if job.method.name == "de":
        _bound(fitness, job.fit)
        problem.model_reset()
    _run(problem, clock, job.method.name, **_OPTIONS[job.method.name])
    return clock.late


def _bound(fitness: Any, fit: ModelFit) -> None:
    """Limits where there are none: a population is drawn between limits."""
    for name in fit.free:
        p = fit.parameters[name]
        if np.isfinite(p.low) and np.isfinite(p.high):
            continue
        reach = OPTIMIZE.scale_reach * (abs(p.value) or float(np.median(fitness.dIq)))
        getattr(fitness.model, name).range(max(p.low, p.value - reach), min(p.high, p.value + reach))


def sample(problem: Any, job: Refinement) -> tuple[Posterior | None, bool]:
    """DREAM's samples of the posterior, and whether it was cut short (J. A. Vrugt et al., 2009)."""
    clock = _Clock(job.until)
    method = job.method
    try:
        # Chains that begin where the curvature of χ² puts them need little burn-in.
        begin = "cov" if np.all(np.isfinite(problem.cov(problem.getp()))) else "eps"
        began = time.perf_counter()
        problem.nllf(problem.getp())
        each = time.perf_counter() - began
    except (np.linalg.LinAlgError, TimeUpError):
        begin, each = "eps", 1e-3
    # bumps sets memory aside for every draw: not for many more than the time allows.
    draws = min(method.samples, max(int(3 * clock.left / each), OPTIMIZE.kept_draws // 10))
    thin = -(-draws // OPTIMIZE.kept_draws)
    fitter = _run(
        problem, clock, "dream", samples=draws, burn=method.burn, thin=thin, pop=OPTIMIZE.chains, init=begin,
        outliers="iqr", trim=False,
    )  # fmt: skip
    late = clock.late or draws < method.samples
    state = None if fitter is None else fitter.state
    if state is None or state.generation < OPTIMIZE.least_draws:
        return None, late
    state.mark_outliers()
    _, chains = state.traces(portion=1.0)
    # Of all steps bumps keeps the last ones. A run that was cut short has burnt in for half of it at most.
    steps = int(state.generation)
    burnt = min(method.burn + 1, steps // 2)
    chains = np.asarray(chains)[max(0, (burnt - steps) // thin + len(chains)) :]
    if len(chains) < OPTIMIZE.least_draws:
        return None, late
    labels = list(problem.labels())
    order = [labels.index(name) for name in job.fit.free]
    rng = np.random.default_rng(job.seed)
    return posterior_of(job.fit.free, chains[:, :, order], rng), late
