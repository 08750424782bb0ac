"""The chosen candidate once more, by another method of bumps: amoeba, differential evolution or DREAM."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.optimize.bumps_fitters import Refinement, minimise, quiet, sample
from sasnet_plugin.fitting.optimize.levenberg_marquardt import run_lm
from sasnet_plugin.fitting.problem.experiment import rebuilt
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.result.posterior import Posterior
from sasnet_plugin.fitting.settings import OPTIMIZE
from sasnet_plugin.fitting.task import UNLIMITED, Budget, Method, Pool
from sasnet_plugin.types import Curve, SasnetError

if TYPE_CHECKING:
    from sasnet_plugin.simulate.bank import Bank

_NAMES = {"amoeba": "The amoeba", "de": "Differential evolution", "dream": "DREAM"}


@dataclass(frozen=True)
class Refined:
    """The fit afterwards, and what to say of it."""

    fit: ModelFit
    notes: tuple[str, ...]


def refine_best(
    pool: Pool,
    curve: Curve,
    dintensity: NDArray[np.float64],
    fit: ModelFit,
    method: Method,
    seconds: float,
    rng: np.random.Generator,
) -> tuple[ModelFit, list[str]]:
    """Treat the best fit by another method, in a process that is killed when the time is up.

    Parameters
    ----------
    pool : Pool
    curve : Curve
    dintensity : (n,) float array
    fit : ModelFit
    method : Method
        Not lm.
    seconds : float
        Until it has to be done.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    fit : ModelFit
        As it was where the method did not end in time.
    notes : list of str
    """
    until = time.time() + OPTIMIZE.method_share * seconds
    job = Refinement(curve, dintensity, fit, method, until, int(rng.integers(2**32)))
    ((_, answer),) = pool.run(refine, [job], seconds)
    if isinstance(answer, SasnetError):
        return fit, [f"{method.name} was ended, so nothing of it was used: {answer}"]
    return answer.fit, list(answer.notes)


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
        # A gain that makes no difference is no reason for other values than Levenberg-Marquardt's.
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
    start = dict(job.fit.parameters)
    for name in job.fit.free:
        p = start[name]
        start[name] = replace(p, value=float(np.clip(best[name], p.low, p.high)))
    at_best = replace(job.fit, parameters=start)
    problem, fitness = rebuilt(job.curve, job.dintensity, at_best, seconds=seconds)
    fitness.residuals()  # so that the start is the best seen, if the time is up at once
    deviations = run_lm(problem, fitness, steps=OPTIMIZE.last_steps)
    theory = np.asarray(fitness.theory(), dtype=float)
    chisq = float(np.sum(((job.curve.intensity - theory) / job.dintensity) ** 2))
    for name in job.fit.free:
        value, error = float(getattr(fitness.model, name).value), deviations[name]
        start[name] = replace(start[name], value=value, error=error if np.isfinite(error) else None)
    count, points = len(job.fit.free), len(job.curve)
    return replace(
        job.fit,
        parameters=start,
        chisq=chisq,
        reduced_chisq=chisq / max(points - count, 1),
        bic=chisq + count * float(np.log(points)),
        theory=theory,
    )
