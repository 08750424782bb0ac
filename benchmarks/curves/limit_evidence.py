"""How well a model explains data, its parameters integrated over: Laplace's formula, checked by sampling.

Parameters are normal scores: a model's prior is a Gaussian in them, so that what the data do not show keeps
its prior width and costs nothing, and the volume that the data cut out of the prior is a ratio of
determinants (MacKay, Information Theory, Inference, and Learning Algorithms (2003), chapter 28).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: From normal scores (k,) to residuals (n,) in standard deviations; None where there is no curve.
Residuals = Callable[[Floats], Floats | None]

#: Largest step of a finite difference, and the least, in prior standard deviations; between them the change
#: of the curve is about one standard deviation of all data together.
_STEPS = (1e-4, 2e-2)
#: A fit has converged when so many iterations gained less than this in ln p.
_GAIN, _IDLE = 0.05, 2
#: After so many iterations a fit is given up that is far from where it is to come.
_PATIENCE = 5
#: Degrees of freedom of the proposal: Student's t, whose tails outlast the posterior's.
_FREEDOM = 5.0


@dataclass(frozen=True)
class Problem:
    """Residuals and the Gaussian prior of their parameters."""

    residuals: Residuals  #: See `Residuals`.
    precision: Floats  #: (k, k), inverse covariance of the prior of the normal scores, whose mean is 0.
    coarse: Residuals | None = None  #: Cheaper residuals, whose differences do for derivatives.

    def loss(self, z: Floats) -> tuple[float, Floats | None]:
        """−ln of likelihood and prior but for their normalisation, and the residuals."""
        r = self.residuals(z)
        if r is None or not np.all(np.isfinite(r)):
            return np.inf, None
        return float(0.5 * (r @ r + z @ self.precision @ z)), r


@dataclass(frozen=True)
class Mode:
    """A maximum of the posterior."""

    z: Floats  #: (k,)
    loss: float  #: See `Problem.loss`.
    hessian: Floats  #: (k, k), of the loss, Gauss–Newton.
    chi2: float


@dataclass(frozen=True)
class Evidence:
    """ln of the marginal likelihood, less the likelihood of a perfect fit."""

    laplace: float
    sampled: float = float("nan")  #: By importance sampling; NaN where it was not done.
    effective: float = 0.0  #: Effective number of samples.

    def best(self, least: float) -> float:
        """What was sampled with at least so many effective samples, else Laplace's."""
        return self.sampled if self.effective >= least else self.laplace


@dataclass
class Clock:
    """CPU time that may be used."""

    seconds: float
    began: float = field(default_factory=time.process_time)

    def over(self) -> bool:
        """Whether it is used up."""
        return time.process_time() - self.began > self.seconds

    def used(self) -> float:
        """CPU-seconds since it began."""
        return time.process_time() - self.began


def _jacobian(problem: Problem, z: Floats, r: Floats, steps: Floats, clock: Clock) -> Floats | None:
    asked, base = problem.residuals, r
    if problem.coarse is not None and (rough := problem.coarse(z)) is not None:
        asked, base = problem.coarse, rough
    columns = np.zeros((r.size, z.size))
    for i, step in enumerate(steps):
        if clock.over():
            return None
        for signed in (step, -step):
            there = asked(z + signed * np.eye(z.size)[i])
            if there is not None and np.all(np.isfinite(there)):
                columns[:, i] = (there - base) / signed
                break
    return columns


def _lower(
    problem: Problem, z: Floats, loss: float, gradient: Floats, hessian: Floats, damping: float
) -> tuple[Floats, float, Floats | None, float]:
    """The first of a few damped Newton steps that lowers the loss; no residuals where none does."""
    for _ in range(6):
        step = np.linalg.solve(hessian + damping * np.diag(np.diag(hessian)), -gradient)
        step *= min(1.0, 1.5 / max(float(np.abs(step).max()), 1e-12))
        new, r = problem.loss(z + step)
        if r is not None and new < loss:
            return z + step, new, r, damping / 5
        damping *= 5
    return z, loss, None, damping


def climb(
    problem: Problem, start: Floats, clock: Clock, *, hopeless: float = np.inf, iterations: int = 20
) -> Mode | None:
    """The nearest maximum of the posterior (Levenberg 1944, Marquardt 1963).

    Parameters
    ----------
    start : (k,) float array
    clock : Clock
    hopeless : float
        A loss that the fit must be about to reach, else it is given up.
    iterations : int

    Returns
    -------
    Mode or None
        None where there is no curve at the start, or no time for its derivatives.
    """
    z = start
    loss, r = problem.loss(z)
    if r is None:
        return None
    damping, idle = 1e-2, 0
    steps = np.full(z.size, 5e-3)
    hessian = problem.precision
    for number in range(iterations):
        jacobian = _jacobian(problem, z, r, steps, clock)
        if jacobian is None:
            break
        steps = np.clip(1 / np.maximum(np.linalg.norm(jacobian, axis=0), 1e-9), *_STEPS)
        hessian = jacobian.T @ jacobian + problem.precision
        gradient = jacobian.T @ r + problem.precision @ z
        before = loss
        z, loss, found, damping = _lower(problem, z, loss, gradient, hessian, damping)
        idle = idle + 1 if before - loss < _GAIN else 0
        if found is not None:
            r = found
        far = number >= _PATIENCE and loss - hopeless > 8 * (before - loss)
        if found is None or idle >= _IDLE or far or clock.over():
            break
    return None if hessian is problem.precision else Mode(z, loss, hessian, float(r @ r))


def laplace(problem: Problem, mode: Mode) -> Evidence:
    """Laplace's formula at a maximum; exact where the residuals are linear in the parameters."""
    _, prior = np.linalg.slogdet(problem.precision)
    _, posterior = np.linalg.slogdet(mode.hessian)
    return Evidence(float(-mode.loss + 0.5 * (prior - posterior)))


@dataclass(frozen=True)
class _Proposal:
    """A Student distribution: its middle and a triangular root of its scale matrix."""

    middle: Floats
    root: Floats

    def draw(self, rng: np.random.Generator) -> tuple[Floats, float]:
        """A sample and ln of its density."""
        from scipy.special import gammaln

        k = self.middle.size
        x = rng.standard_normal(k) / np.sqrt(rng.chisquare(_FREEDOM) / _FREEDOM)
        norm = gammaln((_FREEDOM + k) / 2) - gammaln(_FREEDOM / 2) - 0.5 * k * np.log(_FREEDOM * np.pi)
        density = (
            norm - np.sum(np.log(np.diag(self.root))) - 0.5 * (_FREEDOM + k) * np.log1p(x @ x / _FREEDOM)
        )
        return self.middle + self.root @ x, float(density)

    def nearer(self, samples: Floats, log_weights: Floats) -> _Proposal:
        """Moved to where the weights are, flattened until a third of the samples count."""
        w = _flattened(log_weights, len(log_weights) / 3)
        middle = w @ samples
        off = samples - middle
        # What so few samples say of the scale is trusted as far as they are many.
        trust = len(samples) / (len(samples) + 4.0 * self.middle.size)
        scale = trust * (off.T * w) @ off + (1 - trust) * self.root @ self.root.T
        return _Proposal(middle, np.linalg.cholesky(scale + 1e-12 * np.eye(middle.size)))


def _flattened(log_weights: Floats, effective: float) -> Floats:
    """Weights to the largest power at which so many of them count."""
    shifted = np.where(np.isfinite(log_weights), log_weights, -1e300) - np.max(log_weights)
    power = 1.0
    while True:
        w = np.exp(power * shifted)
        w /= w.sum()
        if 1 / np.sum(w**2) >= effective or power < 1e-3:
            return w
        power *= 0.7


def sampled(
    problem: Problem, mode: Mode, rng: np.random.Generator, counts: Sequence[int], clock: Clock
) -> Evidence:
    """The same by importance sampling from a Student distribution that follows the samples.

    Population Monte Carlo (Cappé, Guillin, Marin and Robert, J. Comput. Graph. Stat. 13 (2004) 907): what is
    said is of the last round alone, whose proposal the round does not depend on, so that it has no bias.

    Parameters
    ----------
    counts : sequence of int
        Samples of each round, fewer of them where the time is over.
    """
    from scipy.special import logsumexp

    k = mode.z.size
    found = laplace(problem, mode)
    _, prior = np.linalg.slogdet(problem.precision)
    # Of the inverse of a stiff matrix there may be no root to working precision; of the matrix there is.
    proposal = _Proposal(mode.z, np.linalg.inv(np.linalg.cholesky(mode.hessian)).T)
    for count in counts:
        samples, weights = [], []
        for _ in range(count):
            z, density = proposal.draw(rng)
            samples.append(z)
            weights.append(-problem.loss(z)[0] + 0.5 * prior - 0.5 * k * np.log(2 * np.pi) - density)
            if clock.over():
                break
        w = np.array(weights)
        total = float(logsumexp(w))
        if not np.isfinite(total) or len(w) < min(8, count):
            return found
        effective = float(np.exp(2 * total - logsumexp(2 * w)))
        found = Evidence(found.laplace, total - float(np.log(w.size)), effective)
        if clock.over():
            break
        proposal = proposal.nearer(np.array(samples), w)
    return found


def posterior(evidence: dict[str, float]) -> dict[str, float]:
    """Probability of each model from ln of its evidence times its prior, −inf allowed."""
    top = max(evidence.values())
    raw = {name: float(np.exp(value - top)) for name, value in evidence.items()}
    return {name: value / sum(raw.values()) for name, value in raw.items()}
