"""What a search knows: the curve, what was fitted and looked at, and what the best fit still leaves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...predict.sample_kinds import SAMPLE_KINDS
from ...simulate.priors import model_info
from ...types import Curve, ModelGuess, TechnicalError
from ..assessment.undetermined_lengths import tails_of
from ..evidence.discrepancy import Discrepancy
from ..evidence.marginal import Evidence, evidence
from ..problem.contrast import compute_contrast_values, fix_contrast
from ..problem.conventions import conventional, fix_default_solvent
from ..problem.free_parameters import add_surroundings, is_size
from ..problem.sums import as_part, prefix
from ..result.fit_result import SizeMixture
from ..result.model_fit import ModelFit, doubtful, explains
from ..settings import ASSESSMENT, EVIDENCE
from ..start_values.screening import SIMPLE
from ..start_values.sums import NearSum, collect_fixed, find_near_simple_sums
from ..task import Budget, FitOptions, Pair, Task
from .hypothesis import Beliefs, Hypothesis, Supposed, factors_of, second_share, size_of
from .settings import STRATEGY


@dataclass
class State:
    """Grows while a curve is fitted."""

    curve: Curve
    dintensity: NDArray[np.float64]
    beliefs: Beliefs
    options: FitOptions
    named: tuple[Hypothesis, ...] = ()  #: What the user wants fitted; empty where the network chooses.
    fits: dict[Hypothesis, ModelFit] = field(default_factory=dict)  #: The best fit of each hypothesis.
    #: The best fit of each hypothesis with each kind of size distribution.
    kinds: dict[tuple[Hypothesis, frozenset[tuple[str, str]]], ModelFit] = field(default_factory=dict)
    failed: set[Hypothesis] = field(default_factory=set)
    done: set[tuple[Any, ...]] = field(default_factory=set)
    #: Weighted residual of the bank's nearest curve, by model and structure factor.
    residuals: dict[Pair, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    #: What could not be done for a technical reason, though tried twice.
    unanswered: list[TechnicalError] = field(default_factory=list)
    #: Hard spheres of several sizes as a mixture, where that was asked.
    mixture: SizeMixture | None = None
    late: list[str] = field(default_factory=list)  #: Names of the hypotheses that there was no time to fit.
    #: Share of I within which models describe the curve, as none fits within the uncertainties; else 0.
    described_within: float = 0.0
    #: What a search with an error of a share of I has found, where the stated uncertainties are too precise.
    rough: State | None = None
    _evidence: dict[tuple[Hypothesis, float], Evidence] = field(default_factory=dict)
    _tails: dict[tuple[Hypothesis, float], tuple[int, ...]] = field(default_factory=dict)
    #: What a hypothesis promises beside the fit of another of a certain χ²: kept, as it is asked for again.
    expected: dict[tuple[Hypothesis, Hypothesis, float], Any] = field(default_factory=dict)
    #: The fits of which the best is known, and which it is.
    _best: tuple[tuple[ModelFit, ...], Hypothesis | None] = ((), None)
    #: What fits leave, each with the fit of which that was found.
    _left: dict[tuple[Hypothesis, bool], tuple[ModelFit, float]] = field(default_factory=dict)

    def within(self, share: float) -> State:
        """The same curve without fits, its uncertainties with an error of a share of I about each point."""
        wide = np.hypot(self.dintensity, share * self.discrepancy.local_mean)
        return State(
            self.curve, wide, self.beliefs, self.options, self.named, notes=self.notes,
            unanswered=self.unanswered, late=self.late, described_within=share,
        )  # fmt: skip

    @cached_property
    def discrepancy(self) -> Discrepancy:
        """What the curve and any model of it may differ by."""
        return Discrepancy(self.curve, self.dintensity)

    @property
    def best(self) -> Hypothesis | None:
        """The hypothesis of most evidence, with what is thought of sums and of a supposed resolution."""
        known_fits, fits = self._best[0], tuple(self.fits.values())
        if len(known_fits) != len(fits) or any(a is not b for a, b in zip(known_fits, fits, strict=True)):
            self._best = fits, min(self.fits, key=self._rank, default=None)
        return self._best[1]

    def _rank(self, hypothesis: Hypothesis) -> tuple[float, int]:
        """Its evidence as well as that is known, and its size: a fuzzy sphere may have become a sharp one."""
        return round(self.compute_minus_two_log(hypothesis), 2), size_of(hypothesis)

    @property
    def explanation(self) -> Hypothesis | None:
        return self.best if self.is_explained() else None

    @property
    def least_chisq(self) -> float:
        return min((fit.chisq for fit in self.fits.values()), default=np.inf)

    @property
    def least_reduced(self) -> float:
        return min((fit.reduced_chisq for fit in self.fits.values()), default=np.inf)

    @cached_property
    def simple_sums(self) -> list[NearSum]:
        """Simple models whose curves come near, alone and with a power law."""
        return find_near_simple_sums(self.curve, self.dintensity)

    @property
    def may_be_sum(self) -> bool:
        """Whether it would be known whose a contrast or a scale is that a user gives."""
        return self.options.contrast is None and "scale" not in self._given_names

    @property
    def resolution_guesses(self) -> set[Supposed]:
        """Resolutions that were found, which the file does not state."""
        return {h.resolution for h in self.fits if h.resolution is not None}

    @property
    def free(self) -> bool:
        """Whether the user leaves the choice of models, and of structure factors, to the search."""
        return self.options.models is None and self.options.structure_factor is None

    def _factors_tried(self, guess: ModelGuess, *, likely: bool) -> Sequence[str]:
        """List all structure factors for simple and likely fast forms, else the suggested one."""
        if SIMPLE.get(guess.name) or (Hypothesis(guess.name).cost == "fast" and likely):
            return factors_of(guess.name)
        return [guess.structure_factor] if guess.structure_factor else []

    @cached_property
    def possible(self) -> dict[Hypothesis, float]:
        """Models and products, and what is thought of each."""
        # Simple bodies and likely fast ones with every structure factor.
        hypotheses: list[Hypothesis] = []
        for rank, guess in enumerate(self.beliefs.suggestion.models):
            factors = self._factors_tried(guess, likely=rank < self.options.top)
            hypotheses += [Hypothesis(guess.name, factor) for factor in (None, *factors)]
        return {h: self.beliefs.estimate(h) for h in hypotheses if self.is_allowed(h)}

    def list_open_residuals(self) -> dict[Pair, float]:
        """The library's residuals of all that is not ruled out: a fit far behind the best is."""
        best = self.best
        if best is None:
            return self.residuals
        most = self.compute_minus_two_log(best) + STRATEGY.far_behind
        ruled_out = {h.pair for h in self.fits if self.compute_minus_two_log(h) > most}
        return {pair: r for pair, r in self.residuals.items() if pair not in ruled_out}

    def is_allowed(self, hypothesis: Hypothesis) -> bool:
        return self.options.allows(hypothesis.form, hypothesis.second, hypothesis.structure_factor)

    def evidence(self, hypothesis: Hypothesis) -> Evidence:
        key = hypothesis, self.fits[hypothesis].chisq
        if key not in self._evidence:
            self._evidence[key] = evidence(self.discrepancy, conventional(self.fits[hypothesis]))
        return self._evidence[key]

    def tails(self, hypothesis: Hypothesis) -> tuple[int, ...]:
        """Places of the components of its fit of which the data show a power law alone."""
        fit = self.fits[hypothesis]
        if not explains(fit.reduced_chisq, len(self.curve)):
            return ()
        key = hypothesis, fit.chisq
        if key not in self._tails:
            self._tails[key] = tails_of(fit, self.curve_of(hypothesis), self.dintensity)
        return self._tails[key]

    def compute_minus_two_log(self, hypothesis: Hypothesis) -> float:
        """-2 ln of its marginal likelihood, and of how often there are second components."""
        return self.evidence(hypothesis).minus_two_log + _seldom(hypothesis)

    def weigh_kinds(self, hypotheses: Collection[Hypothesis]) -> list[ModelFit]:
        """Their fits with each kind of size distribution, and what speaks for each."""
        return [
            replace(fit, log_evidence=-0.5 * (self._weigh_alone(fit) + _seldom(hypothesis)))
            for (hypothesis, _), fit in self.kinds.items()
            if hypothesis in hypotheses
        ]

    def _weigh_alone(self, fit: ModelFit) -> float:
        return evidence(self.discrepancy, conventional(fit)).minus_two_log

    def is_explained(self) -> bool:
        """Whether the best fit explains the curve, or leaves nothing that a better model could explain."""
        best = self.best
        if best is None:
            return False
        explains_curve = explains(self.fits[best].reduced_chisq, len(self.curve))
        if self.described_within:  # which is all that a systematic error may be
            return explains_curve
        return (
            explains_curve
            or self.mixture_explains
            or self.estimate_remaining_gain(best) <= STRATEGY.chance_gain
        )

    @property
    def mixture_explains(self) -> bool:
        """Whether hard spheres of several sizes explain the curve as a mixture, if not as a product."""
        return self.mixture is not None and explains(self.mixture.reduced_chisq, len(self.curve))

    def estimate_remaining_gain(self, hypothesis: Hypothesis, *, at_least: bool = True) -> float:
        """Return the ln likelihood still to be gained over a fit, down to noise as neighbouring residuals
        scatter; a small shared error is no gain. `at_least` subtracts chance; else it is an expectation.
        """
        fit = self.fits[hypothesis]
        known_gain = self._left.get((hypothesis, at_least))
        if known_gain is None or known_gain[0] is not fit:
            known_gain = self._left[hypothesis, at_least] = (
                fit,
                self._compute_remaining_gain(hypothesis, at_least),
            )
        return known_gain[1]

    def _compute_remaining_gain(self, hypothesis: Hypothesis, at_least: bool) -> float:
        fit, n = self.fits[hypothesis], len(self.curve)
        if not doubtful(fit.reduced_chisq, n) or self.mixture_explains:
            return STRATEGY.chance_gain
        excess = 0.5 * (fit.chisq - n + len(fit.free))
        residual = (self.curve.intensity - fit.theory) / self.dintensity
        if explains(fit.reduced_chisq, n):
            gain = estimate_shared_gain(residual)
        else:
            marginal_evidence = self.evidence(hypothesis)
            # Beside an error that neighbours share, noise far above the stated may be fine structure.
            most = ASSESSMENT.too_small if marginal_evidence.shared.relative > 0 else ASSESSMENT.hopeless
            misfit = marginal_evidence.misfit
            if (
                marginal_evidence.shared.relative > ASSESSMENT.small_systematic
            ):  # which excuses no end of a search
                misfit = max(misfit, n * (1 + np.log(max(fit.reduced_chisq, 1.0))))
            gain = 0.5 * (misfit - least_misfit(residual, most, scattered=at_least))
        return max(float(min(gain, excess)), STRATEGY.chance_gain)

    def curve_of(self, hypothesis: Hypothesis) -> Curve:
        supposed = hypothesis.resolution
        return self.curve if supposed is None else supposed.apply_to(self.curve)

    def task(self, hypothesis: Hypothesis, **changes: Any) -> Task:
        model, factor = hypothesis.pair
        curve = self.curve_of(hypothesis)
        fixed, ranges, fitted = dict(self.options.fixed), dict(self.options.ranges), self.options.fitted
        if hypothesis.second is not None:
            fixed, ranges = _assign_to_first(fixed), _assign_to_first(ranges)
            fitted = tuple(_assign_to_first(dict.fromkeys(fitted)))
        guess = self.beliefs.guesses.get(hypothesis.form)
        probability = guess.probability if guess and hypothesis.second is None else 0.0
        budget = changes.pop("budget", None) or Budget(self.seconds(hypothesis))
        task = Task(
            curve, self.dintensity, model, factor, probability,
            collect_fixed(model) | self._fix_widths(model, {*fixed, *ranges, *fitted}) | fixed, ranges,
            budget=budget.limit_by(Budget(best_chisq=self.least_reduced)), as_measured=hypothesis.as_measured,
            named=self.is_named(hypothesis), fitted=fitted, **changes,
        )  # fmt: skip
        task = self._apply_given(task)
        begin = prefix(0) if hypothesis.second is not None else ""
        free = {*task.fitted, *task.ranges}
        return replace(
            task, fixed=add_surroundings(factor, task.fixed, free, begin, self.options.temperature)
        )

    def _fix_widths(self, model: str, given_names: Collection[str]) -> dict[str, float]:
        """Widths of size distributions that a sample of the given kind does not have."""
        kind = self.options.sample_kind
        if kind is None or not SAMPLE_KINDS[kind].one_size:
            return {}
        sizes = filter(is_size, model_info(model).parameters.call_parameters)
        return {name: 0.0 for p in sizes if (name := f"{p.name}_pd") not in given_names}

    def is_named(self, hypothesis: Hypothesis) -> bool:
        """Whether the user named its model, and not a structure factor alone."""
        return self.options.models is not None and hypothesis.pair in {named.pair for named in self.named}

    def seconds(self, hypothesis: Hypothesis) -> float:
        """What a fit has at most: less where it is there to be compared with one that explains."""
        if self.is_explained() and hypothesis not in self.named:
            return STRATEGY.time["fast"]
        return STRATEGY.time[hypothesis.cost]

    def _apply_given(self, task: Task) -> Task:
        """Apply what user, materials and a start fix."""
        start = self.options.start
        if start is not None and (task.model, task.structure_factor) == (start.model, start.structure_factor):
            materials = (
                compute_contrast_values(self.options.contrast, start.model) if self.options.contrast else ()
            )
            start = start.drop_fixed(materials)
            task = replace(
                task, extra=task.extra or start.parameters, fixed=start.fixed | task.fixed,
                fitted=(*task.fitted, *start.fitted),
            )  # fmt: skip
        if self.options.contrast is not None:
            return fix_contrast(self.options.contrast, [task])[0][0]
        return fix_default_solvent([task], self._given_names)[0][0]

    @property
    def _given_names(self) -> set[str]:
        """Parameters of which the user gives value or range, or wants a fit."""
        return {*self.options.fixed, *self.options.ranges, *self.options.fitted}

    def materials(self) -> list[str]:
        """What was made of the user's materials in the models that were fitted."""
        fits = self.fits.values()
        tasks = [
            Task(self.curve, self.dintensity, f.model, f.structure_factor, fixed=dict(self.options.fixed))
            for f in sorted(fits, key=lambda f: f.name)
        ]
        if self.options.contrast is not None:
            return fix_contrast(self.options.contrast, tasks)[1]
        return fix_default_solvent(tasks, self._given_names)[1]

    def keep(self, hypothesis: Hypothesis, fit: ModelFit) -> None:
        old_fit = self.fits.get(hypothesis)
        if old_fit is None or fit.bic < old_fit.bic:
            self.fits[hypothesis] = fit
        kind = hypothesis, frozenset(fit.distributions.items())
        if kind not in self.kinds or fit.bic < self.kinds[kind].bic:
            self.kinds[kind] = fit

    @property
    def is_too_precise(self) -> bool:
        """Whether all fits of a free search are off by more than mis-stated uncertainties excuse."""
        is_open = self.free and bool(self.fits) and not self.described_within and self.rough is None
        return is_open and self.least_reduced > ASSESSMENT.hopeless

    def estimate_chance_to_explain(self) -> float:
        """How likely a model explains the curve that was not fitted yet: the less, the more have failed."""
        # What the network thinks of those that were fitted is what has been ruled out, if the curve is of a
        # model of the library at all. It hardly is where it was searched with an error of I as any instrument
        # has, in which the right model would have been found as well.
        tried = [*self.fits, *(self.rough.fits if self.rough else ())]
        single = {h.form for h in tried if h.second is None}
        failed = sum(guess.probability for name, guess in self.beliefs.guesses.items() if name in single)
        two = self.beliefs.two if self.free and not any(h.second for h in tried) else 0.0
        known = STRATEGY.in_library
        if self.rough is not None:
            known *= ASSESSMENT.seldom
        left = known * ((1 - two) * max(1 - failed, 0.0) + two)
        return left / (left + 1 - known)

    def keep_mixture(self, mixture: SizeMixture) -> None:
        if self.mixture is None or mixture.bic < self.mixture.bic:
            self.mixture = mixture

    def size(self, hypothesis: Hypothesis) -> int:
        """Parameters of a fit, or that one would need at least."""
        return len(self.fits[hypothesis].free) if hypothesis in self.fits else size_of(hypothesis)


def _seldom(hypothesis: Hypothesis) -> float:
    """-2 ln of how often there is what a hypothesis supposes besides a model."""
    # A supposed resolution is a parameter without a slope, as likely in each decade of what instruments have:
    # the better the curve shows it, the more it costs. And it has to be worth a mention, as most files that
    # state none are of instruments where it hardly matters. A curve that the measured points alone give is a
    # calculated one: strong evidence, or it is not said.
    minus_two_log = -2 * np.log(second_share(hypothesis)) + EVIDENCE.strong * hypothesis.as_measured
    if hypothesis.resolution is None:
        return float(minus_two_log)
    extent = np.log(STRATEGY.most_relative_dq / STRATEGY.relative_dq[0]) / np.sqrt(2 * np.pi)
    resolution_prior = max(2 * np.log(extent / hypothesis.resolution.error), 0.0)
    return float(minus_two_log + resolution_prior + EVIDENCE.bare_mention)


def least_misfit(
    residual: NDArray[np.float64], most: float = ASSESSMENT.hopeless, *, scattered: bool = True
) -> float:
    """Return -2 ln likelihood if residuals (in uncertainties) were noise alone, of variance second
    differences / 6 (J. von Neumann et al., Ann. Math. Stat. 12 (1941) 153).
    """
    # Above the variance `most` it is no noise: fringes may be as fine as points. `scattered` adds two
    # standard deviations of n times that variance less the sum of squares: √(17/9 n) each for white noise.
    n = residual.size
    if n < 3:
        return np.inf
    noise = float(np.mean((residual[2:] - 2 * residual[1:-1] + residual[:-2]) ** 2)) / 6
    noise = float(np.clip(noise, 1.0, most))
    chance = 2 * np.sqrt(17 / 9 * n) if scattered else 0.0
    return float(n * (1 + np.log(noise)) + chance)


def estimate_shared_gain(residual: NDArray[np.float64]) -> float:
    """Estimate the gain of ln likelihood from what neighbouring residuals (in uncertainties) share."""
    # A smooth misfit adds its square to the sum of neighbours' products; independent noise has 0 ± √n, which
    # is subtracted.
    return float(0.5 * (residual[1:] @ residual[:-1] - np.sqrt(residual.size)))


def _assign_to_first(given_values: Mapping[str, Any]) -> dict[str, Any]:
    """A user's values of the first component, by the sum's names."""
    return as_part(given_values, 0) | (
        {"background": given_values["background"]} if "background" in given_values else {}
    )
