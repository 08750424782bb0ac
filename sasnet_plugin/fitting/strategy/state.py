"""What a search knows: the curve, what was fitted and looked at, and what the best fit still leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.goodness_of_fit import doubtful, explains
from sasnet_plugin.fitting.assessment.systematic_error import systematic_error
from sasnet_plugin.fitting.problem.contrast import settled, with_contrast
from sasnet_plugin.fitting.problem.conventions import with_default_solvent
from sasnet_plugin.fitting.problem.sums import as_part
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.start_values.second_component import fixed_of
from sasnet_plugin.fitting.strategy.hypothesis import Beliefs, Hypothesis, Supposed, size_of
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.task import Budget, FitOptions, Pair, Task
from sasnet_plugin.types import Curve, TechnicalError


@dataclass
class State:
    """Grows while a curve is fitted.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    beliefs : Beliefs
    options : FitOptions
    named : tuple of Hypothesis
        What the user wants fitted; empty where the network chooses.
    fits : dict
        The best fit of each hypothesis.
    failed : set
        Hypotheses that cannot be fitted.
    done : set
        Steps that were taken.
    residuals : dict
        Weighted residual of the bank's nearest curve, by model and structure factor.
    notes : list of str
    unanswered : list of TechnicalError
        What could not be done for a technical reason, though tried twice.
    late : list of str
        Names of the hypotheses that there was no time to fit.
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    beliefs: Beliefs
    options: FitOptions
    named: tuple[Hypothesis, ...] = ()
    fits: dict[Hypothesis, ModelFit] = field(default_factory=dict)
    failed: set[Hypothesis] = field(default_factory=set)
    done: set[tuple[Any, ...]] = field(default_factory=set)
    residuals: dict[Pair, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unanswered: list[TechnicalError] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    _left: dict[tuple[Hypothesis, float], tuple[float, float]] = field(default_factory=dict)

    @property
    def best(self) -> Hypothesis | None:
        """The hypothesis of least BIC, a supposed resolution paid for."""
        return min(self.fits, key=self.bic, default=None)

    @property
    def free(self) -> bool:
        """Whether the user leaves the choice of models, and of structure factors, to the search."""
        return self.options.models is None and self.options.structure_factor is None

    def allowed(self, hypothesis: Hypothesis) -> bool:
        """Whether the user excludes none of its components."""
        return not {hypothesis.form, hypothesis.second} & set(self.options.exclude)

    def bic(self, hypothesis: Hypothesis) -> float:
        """BIC of a fit, with noise of its own size, and what is supposed besides."""
        fit, n = self.fits[hypothesis], len(self.curve)
        size = max(fit.chisq / n, 1.0)
        found = fit.chisq / size + n * np.log(size) + fit.bic - fit.chisq
        found += STRATEGY.second_component * (hypothesis.second is not None)
        return float(found + (hypothesis.resolution is not None) * (STRATEGY.dq_gain + np.log(n)))

    def explained(self) -> bool:
        """Whether the best fit explains the curve, or leaves nothing that a better model could explain."""
        best = self.best
        if best is None:
            return False
        known = explains(self.fits[best].reduced_chisq, len(self.curve))
        return known or self.left(best)[1] <= STRATEGY.chance_gain

    def left(self, hypothesis: Hypothesis) -> tuple[float, float]:
        """What ln of the likelihood may still gain beside a fit: excused by a small shared error, and not.

        What the scatter of neighbouring residuals about each other says of the noise is all that a better
        model could reach.
        """
        fit = self.fits[hypothesis]
        key = hypothesis, fit.chisq
        if key not in self._left:
            self._left[key] = self._gain(fit)
        return self._left[key]

    def _gain(self, fit: ModelFit) -> tuple[float, float]:
        n = len(self.curve)
        if not doubtful(fit.reduced_chisq, n):
            return STRATEGY.chance_gain, STRATEGY.chance_gain
        excess = max(0.5 * (fit.chisq - n + len(fit.free)), STRATEGY.chance_gain)
        residual = (self.curve.intensity - fit.theory) / self.dintensity
        if explains(fit.reduced_chisq, n):
            gain = max(min(shared_gain(residual), excess), STRATEGY.chance_gain)
            return gain, gain
        gain = min(possible_gain(residual), excess)
        if gain <= STRATEGY.chance_gain:
            return gain, gain
        error = systematic_error(self.curve, self.dintensity, fit)
        excused = 0 < error.relative < STRATEGY.systematic
        return (STRATEGY.chance_gain if excused else gain), gain

    def task(self, hypothesis: Hypothesis, **more: Any) -> Task:
        """What to send to a process."""
        model, factor = hypothesis.pair
        curve = with_resolution(self.curve, hypothesis.resolution)
        fixed, ranges = dict(self.options.fixed), dict(self.options.ranges)
        if hypothesis.second is not None:
            fixed, ranges = _of_first(fixed), _of_first(ranges)
        least = min((f.reduced_chisq for h, f in self.fits.items()), default=np.inf)
        guess = self.beliefs.guesses.get(hypothesis.form)
        probability = guess.probability if guess and hypothesis.second is None else 0.0
        seconds = STRATEGY.time[hypothesis.cost]
        if self.fits and self.explained() and hypothesis not in self.named:
            seconds = STRATEGY.brief
        budget = more.pop("budget", Budget(seconds))
        task = Task(
            curve, self.dintensity, model, factor, probability, fixed_of(model) | fixed, ranges,
            budget=budget.within(Budget(best_chisq=least)), as_measured=hypothesis.as_measured, **more,
        )  # fmt: skip
        return self._given(task)

    def _given(self, task: Task) -> Task:
        """With what user, materials and a start settle."""
        start = self.options.start
        if start is not None and (task.model, task.structure_factor) == (start.model, start.structure_factor):
            materials = settled(self.options.contrast, start.model) if self.options.contrast else ()
            start = start.without_fixed(materials)
            task = replace(task, extra=task.extra or start.parameters, fixed=start.fixed | task.fixed)
        if self.options.contrast is not None:
            return with_contrast(self.options.contrast, [task])[0][0]
        return with_default_solvent([task], {*self.options.fixed, *self.options.ranges})[0][0]

    def materials(self) -> list[str]:
        """What was made of the user's materials in the models that were fitted."""
        fits = self.fits.values()
        tasks = [
            Task(self.curve, self.dintensity, f.model, f.structure_factor, fixed=dict(self.options.fixed))
            for f in sorted(fits, key=lambda f: f.name)
        ]
        if self.options.contrast is not None:
            return with_contrast(self.options.contrast, tasks)[1]
        return with_default_solvent(tasks, {*self.options.fixed, *self.options.ranges})[1]

    def keep(self, hypothesis: Hypothesis, fit: ModelFit) -> None:
        """The better one of what is known of it."""
        known = self.fits.get(hypothesis)
        if known is None or fit.bic < known.bic:
            self.fits[hypothesis] = fit

    def size(self, hypothesis: Hypothesis) -> int:
        """Parameters of a fit, or that one would need at least."""
        return len(self.fits[hypothesis].free) if hypothesis in self.fits else size_of(hypothesis)


def possible_gain(residual: NDArray[np.float64]) -> float:
    """By how much ln of the likelihood could grow, were nothing left but what neighbours do not share.

    The variance of independent noise is that of second differences over 6 (J. von Neumann et al., Ann. Math.
    Stat. 12 (1941) 153); two standard deviations of its own scatter are taken off.

    Parameters
    ----------
    residual : (n,) float array
        In units of the uncertainty.
    """
    n = residual.size
    if n < 3:
        return STRATEGY.chance_gain
    alone = max(float(np.mean((residual[2:] - 2 * residual[1:-1] + residual[:-2]) ** 2)) / 6, 1.0)
    every = max(float(np.mean(residual**2)), 1.0)
    found = 0.5 * n * np.log(every / alone) - STRATEGY.noise_scatter * np.sqrt(n)
    return float(max(found, STRATEGY.chance_gain))


def shared_gain(residual: NDArray[np.float64]) -> float:
    """By how much ln of the likelihood could grow by what neighbours share, of residuals as large as stated.

    A smooth misfit adds its square to the sum of the products of neighbours, of which independent noise has
    zero with a standard deviation of √n; one is added.

    Parameters
    ----------
    residual : (n,) float array
        In units of the uncertainty.
    """
    return float(0.5 * (residual[1:] @ residual[:-1] + np.sqrt(residual.size)))


def with_resolution(curve: Curve, supposed: Supposed | None) -> Curve:
    """A curve with a resolution that its file does not state."""
    if supposed is None:
        return curve
    return replace(curve, dq=np.hypot(supposed.relative * curve.q, supposed.absolute))


def _of_first(given: Mapping[str, Any]) -> dict[str, Any]:
    """A user's values of the first component, by the sum's names."""
    return as_part(given, 0) | ({"background": given["background"]} if "background" in given else {})


def forms_of(hypotheses: Iterable[Hypothesis]) -> list[str]:
    """Form models, each once."""
    return list(dict.fromkeys(h.form for h in hypotheses))
