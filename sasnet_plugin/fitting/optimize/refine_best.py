"""The chosen candidate once more, by another method of bumps: amoeba, differential evolution or DREAM."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.ranking import ranked
from sasnet_plugin.fitting.optimize.bumps_fitters import minimise, quiet, sample
from sasnet_plugin.fitting.problem.experiment import TimeUpError, rebuilt
from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.fitting.result.posterior import Posterior
from sasnet_plugin.fitting.settings import OPTIMIZE
from sasnet_plugin.fitting.task import UNLIMITED, Budget, Method, Pool
from sasnet_plugin.types import Curve, SasnetError

if TYPE_CHECKING:
    from sasnet_plugin.simulate.bank import Bank

_NAMES = {"amoeba": "The amoeba", "de": "Differential evolution", "dream": "DREAM"}


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


@dataclass(frozen=True)
class Refined:
    """The fit afterwards, and what to say of it."""

    fit: ModelFit
    notes: tuple[str, ...]


def refine_best(
    pool: Pool,
    curve: Curve,
    dintensity: NDArray[np.float64],
    fits: Sequence[ModelFit],
    prior: Sequence[float],
    method: Method,
    seconds: float,
    rng: np.random.Generator,
) -> tuple[list[ModelFit], list[str]]:
    """Treat the best of some fits by another method, in a process that is killed when the time is up.

    Parameters
    ----------
    pool : Pool
    curve : Curve
    dintensity : (n,) float array
    fits : sequence of ModelFit
        At least one.
    prior : sequence of float
        What each of them had before it was fitted.
    method : Method
        Not lm.
    seconds : float
        Until it has to be done.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    fits : list of ModelFit
        The best one replaced.
    notes : list of str
    """
    best = ranked(fits, prior)[0]
    place = next(i for i, f in enumerate(fits) if f.name == best.name)
    until = time.time() + OPTIMIZE.method_share * seconds
    job = Refinement(curve, dintensity, fits[place], method, until, int(rng.integers(2**32)))
    ((_, answer),) = pool.run(refine, [job], seconds)
    if isinstance(answer, SasnetError):
        return list(fits), [f"{method.name} was ended, so nothing of it was used: {answer}"]
    return [answer.fit if i == place else f for i, f in enumerate(fits)], list(answer.notes)


def refine(job: Refinement, bank: Bank | None = None, budget: Budget = UNLIMITED) -> Refined:
    """Run the method; its values replace those of the fit where their χ² is smaller.

    Work for a pool, which needs no bank. It has its own time: it ends soon after
    ``job.until``, but not where a model does not return.
    """
    began = time.process_time()
    if not job.fit.free:
        return Refined(job.fit, (f"{job.name}: nothing to fit, so {job.method.name} was not run.",))
    left = max(job.until - time.time(), 0.1)
    problem, fitness = rebuilt(job.curve, job.dintensity, job.fit, seconds=left)
    before = float(np.sum(fitness.residuals() ** 2))
    name = _NAMES[job.method.name]
    with quiet(job.seed):
        if job.method.name == "dream":
            posterior, late = sample(problem, job)
        else:
            posterior, late = None, minimise(problem, fitness, job)
        # A gain that no one would notice is no reason for other values than Levenberg-Marquardt's.
        better = fitness.best[0] < before - OPTIMIZE.gain
        found = _from_best(job, fitness.best[1], OPTIMIZE.last_share * left) if better else None
    fit = job.fit if found is None else found
    notes = []
    if late:
        notes.append(f"{name} was cut short by the time limit; give more with --time-limit.")
    if job.method.name == "dream":
        notes.extend(_of_posterior(posterior))
    elif found is None:
        notes.append(f"{name} found nothing better than Levenberg-Marquardt.")
    else:
        notes.append(f"{name} brought χ² of {job.name} from {before:.5g} to {found.chisq:.5g}.")
    seconds = job.fit.seconds + time.process_time() - began
    return Refined(replace(fit, posterior=posterior, seconds=seconds), tuple(notes))


def _of_posterior(posterior: Posterior | None) -> list[str]:
    if posterior is None:
        return ["DREAM had no time for samples, so there are no credible intervals."]
    if not posterior.converged:
        return [
            f"DREAM has not converged (Gelman-Rubin R {posterior.gelman_rubin:.2f}): its intervals may"
            " still change; take more with --burn and --samples."
        ]
    return []


def _from_best(job: Refinement, best: dict[str, Any], seconds: float) -> ModelFit:
    """The best point seen, a few steps of Levenberg-Marquardt further, with the errors there."""
    from bumps.fitters import fit as bumps_fit

    def within(name: str) -> float:
        p = job.fit.parameters[name]
        return float(np.clip(best[name], p.low, p.high))

    start = {
        name: replace(p, value=within(name)) if not p.fixed else p for name, p in job.fit.parameters.items()
    }
    at_best = replace(job.fit, parameters=start)
    problem, fitness = rebuilt(job.curve, job.dintensity, at_best, seconds=seconds)
    fitness.residuals()  # so that the start is the best seen, if the time is up at once
    deviations: dict[str, float] = {}
    try:
        found = bumps_fit(problem, method="lm", steps=OPTIMIZE.last_steps)
        deviations = dict(zip([p.name for p in problem._parameters], np.asarray(found.dx), strict=True))
    except TimeUpError:
        pass
    fitness.deadline = np.inf
    for name in job.fit.free:
        getattr(fitness.model, name).value = fitness.best[1][name]
    fitness.update()
    theory = np.asarray(fitness.theory(), dtype=float)
    chisq = float(np.sum(((job.curve.intensity - theory) / job.dintensity) ** 2))
    parameters = dict(start)
    for name in job.fit.free:
        error = deviations.get(name, np.nan)
        parameters[name] = replace(
            start[name],
            value=float(fitness.best[1][name]),
            error=float(error) if np.isfinite(error) else None,
        )
    count, points = len(job.fit.free), len(job.curve)
    return replace(
        job.fit,
        parameters=parameters,
        chisq=chisq,
        reduced_chisq=chisq / max(points - count, 1),
        bic=chisq + count * float(np.log(points)),
        theory=theory,
    )
