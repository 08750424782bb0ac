"""Stages of a fit: candidates, what they have become, an unknown resolution, escapes, and more models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.digits import chisq_text
from sasnet_plugin.fitting.assessment.evidence import log_evidence
from sasnet_plugin.fitting.assessment.goodness_of_fit import explains
from sasnet_plugin.fitting.pool import answers
from sasnet_plugin.fitting.problem.contrast import with_contrast
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.problem.free_parameters import other_kinds
from sasnet_plugin.fitting.problem.resolution import has_resolution
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.candidates import simplifications
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.strategy.fitted import Fitted
from sasnet_plugin.fitting.strategy.further_fits import (
    at_measured_points,
    escapes,
    from_defaults,
    more_models,
    nearest_of_each,
)
from sasnet_plugin.fitting.strategy.other_factors import other_factors
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.strategy.two_components import (
    asked_for,
    first_alone,
    intricate,
    only_systematic,
    other_sums,
    simple_bodies,
    sums_to_fit,
)
from sasnet_plugin.fitting.strategy.unknown_resolution import again_with, resolution_of, resolution_searches
from sasnet_plugin.fitting.task import Budget, Counting, FitOptions, LateError, Named, Pair, Task, Work
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import Curve, SasnetError, Suggestion, TechnicalError


@dataclass(frozen=True)
class Stages:
    """Fits a curve until something explains it, or nothing is left to try, or the time is up.

    Parameters
    ----------
    pool : Counting
    dintensity : (n,) float array
    suggestion : Suggestion
        Of all models.
    residuals : mapping
        What screening found, by form model and structure factor.
    options : FitOptions
    notes : list of str
        Grows.
    deadline : float
        By the pool's clock, s.
    unanswered : list of TechnicalError
        What could not be done for a technical reason, though tried twice; grows.
    late : list of str
        Names of the candidates that there was no time to fit; grows.
    """

    pool: Counting
    dintensity: NDArray[np.float64]
    suggestion: Suggestion
    residuals: Mapping[Pair, float]
    options: FitOptions
    notes: list[str]
    deadline: float
    unanswered: list[TechnicalError] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    @property
    def left(self) -> float:
        """Seconds."""
        return self.deadline - self.pool.clock()

    def run(self, curve: Curve, tasks: Sequence[Task]) -> Fitted:
        """Fit the candidates, and more of them where these do not explain the curve.

        Where the user names no models, what the fits have become is fitted too, and, unless a structure
        factor is named, other models may be tried.

        Parameters
        ----------
        curve : Curve
        tasks : sequence of Task
            The first to be fitted first.
        """
        found = self.explained(curve, tasks, STRATEGY.explained_share * self.left)
        found = self.still_asked_for(found)
        return self.with_best_distribution(found) if found.fits else found

    def explained(self, curve: Curve, tasks: Sequence[Task], if_explained: float) -> Fitted:
        """What `run` finds, each with the kind of size distribution that it was found with.

        `if_explained`: seconds for what explains an explained curve better. Other models are not tried for
        that: to the small errors of a real instrument there is always one that bends.
        """
        free = self.options.models is None
        others = free and self.options.structure_factor is None
        found = self.still_asked_for(self.first_round(curve, tasks, sums=others))
        if free:
            simple = simplifications(found.tasks, found.fits)
            found = replace(found, tasks=found.tasks + simple, fits=found.fits + self.fit(simple))
        if not found.fits:
            return found
        if others and found.unexplained:
            siblings = other_factors(found.tasks, found.fits)
            found = replace(found, tasks=found.tasks + siblings, fits=found.fits + self.fit(siblings))
        if found.unexplained and not found.notes:
            found = self.at_measured_points(found, ("medium",))
        unknown = not has_resolution(curve)
        resolved = self.with_resolution(found) if unknown else found
        if not resolved.unexplained:
            resolved = self.escaped(resolved, min(if_explained, self.left))
            return self.with_second_component(resolved) if others and self.intricate(resolved) else resolved
        # A resolution may imitate what a fit in a wrong minimum lacks, and what another model has.
        share, before = STRATEGY.escape_shares[0 if others else 1], np.inf
        first = found
        while found.unexplained and found.chisq < STRATEGY.promising * before:
            before = found.chisq
            found = self.escaped(found, share * self.left)
            if self.only_systematic(found):
                break
        if found is not first:
            resolved = max(resolved, self.with_resolution(found) if unknown else found, key=self.evidence)
        if not (others and resolved.unexplained):
            return resolved
        excused = self.only_systematic(resolved)
        # Even then: what a shared error excuses, a second component may explain to the noise.
        resolved = self.with_second_component(resolved)
        if excused or not resolved.unexplained or self.only_systematic(resolved):
            return resolved
        more = self.with_more_models(found)
        if unknown and more.unexplained and more.chisq < found.chisq:
            more = self.with_resolution(more)
        last = max(more, resolved, key=self.evidence)
        return self.escaped(last, STRATEGY.escape_shares[1] * self.left) if last.unexplained else last

    def only_systematic(self, found: Fitted) -> bool:
        """What the best fit leaves is of the size of a measurement's own systematic error."""
        return only_systematic(found.curve, self.dintensity, found.best)

    def intricate(self, found: Fitted) -> bool:
        """The best fit is no simpler than a sum of two simple models."""
        return intricate(found.curve, found.best)

    def fit(self, tasks: Sequence[Task]) -> list[ModelFit]:
        """Fit tasks; what cannot be fitted becomes a note, or is late."""
        fits: list[ModelFit] = []
        for _, answer in answers(self.pool, fit_candidate, tasks, self.left):
            if isinstance(answer, LateError):
                self.late.append(answer.name)
            elif isinstance(answer, TechnicalError):
                self.unanswered.append(answer)
            elif isinstance(answer, SasnetError):
                self.notes.append(str(answer))
            else:
                fits.append(answer)
        return fits

    def tried(self, work: Work, asked: Sequence[Named], seconds: float) -> list[Any]:
        """Answers that may fail or be late: then nothing is lost, and only what is technical is said."""
        found = [a for _, a in answers(self.pool, work, asked, seconds)]
        self.unanswered.extend(a for a in found if isinstance(a, TechnicalError))
        return [a for a in found if not isinstance(a, SasnetError)]

    def escaped(self, found: Fitted, seconds: float) -> Fitted:
        """The same after a few candidates' attempts to escape from a local minimum."""
        tried = self.tried(fit_candidate, escapes(found.curve, found.tasks, found.fits, seconds), seconds)
        better = {f.name: f for f in tried if f.bic < min(o.bic for o in found.fits if o.name == f.name)}
        return replace(found, fits=[better.get(f.name, f) for f in found.fits]) if better else found

    def at_measured_points(self, found: Fitted, costs: Collection[str] = ("fast", "medium")) -> Fitted:
        """The same with the model at the measured points alone where that explains what finer ones do not.

        So are curves calculated that SasView has smeared: no measurement, but what people try a program with.
        """
        asked = at_measured_points(found.curve, found.tasks, found.fits, costs)
        fits = self.tried(fit_candidate, asked, STRATEGY.as_measured_share * self.left) if asked else []
        best = min(fits, key=lambda fit: fit.reduced_chisq, default=None)
        if best is None or best.reduced_chisq > STRATEGY.as_measured_gain * found.chisq:
            return found
        note = (
            f"Calculated at the measured points alone, as SasView does, {best.short_name} has a reduced χ² of"
            f" {chisq_text(best.reduced_chisq)}; at as many as its fringes need no model comes below"
            f" {chisq_text(found.chisq)}. These data seem to be calculated that way, and were fitted so."
        )
        again = {f.name: f for f in fits}
        kept = [again.get(f.name, f) for f in found.fits]
        tasks = [replace(t, as_measured=t.name in again) for t in found.tasks]
        return replace(found, tasks=tasks, fits=kept, notes=(*found.notes, note))

    def with_best_distribution(self, found: Fitted) -> Fitted:
        """The same with the best fit's size distribution of the kind that the data like best.

        Expensive models keep theirs.
        """
        best = min(found.fits, key=lambda f: f.bic)
        if (
            fit_cost_class(best.model) == "slow"
            or best.seconds > STRATEGY.other_kinds
            or not best.distributions
        ):
            return found
        task = replace(next(t for t in found.tasks if t.name == best.name), curve=found.curve)
        tasks = [replace(task, starts=(start,)) for start in other_kinds(starting_values(best))]
        fits = [f for f in self.tried(fit_candidate, tasks, self.left) if f.bic < best.bic]
        better = min(fits, key=lambda f: f.bic, default=best)
        return replace(found, fits=[better if f is best else f for f in found.fits])

    def with_more_models(self, found: Fitted) -> Fitted:
        """The same with other models and structure factors."""
        tasks, failed = more_models(
            self.pool, found.curve, self.dintensity, self.suggestion, self.options, found.tasks, found.fits,
            self.residuals, STRATEGY.screening_again * self.left,
        )  # fmt: skip
        self.unanswered.extend(failed)
        if self.options.contrast is not None:
            tasks, _ = with_contrast(self.options.contrast, tasks)
        fits = self.fit(tasks)
        return replace(found, tasks=found.tasks + tasks, fits=found.fits + fits) if fits else found

    def sums(self, curve: Curve, fits: Sequence[ModelFit], nearer: float) -> list[Task]:
        """Sums of two models whose curves in the bank are nearer than those of single ones, by a factor."""
        found, failed = sums_to_fit(
            self.pool, curve, self.dintensity, self.suggestion, self.options, fits, self.residuals, nearer,
            STRATEGY.sums_screening * max(self.left, STRATEGY.sums_kept * self.deadline),
        )  # fmt: skip
        self.unanswered.extend(failed)
        return found

    def first_round(self, curve: Curve, tasks: Sequence[Task], *, sums: bool) -> Fitted:
        """Cheap models first; where none explains the curve, sums of two, if wanted, before expensive ones.

        Sums are tried here only where no single model's curve in the bank comes near.
        """
        before = len(self.unanswered)  # a plugin that fails for want of a curve says so when it fails again
        own = self.tried(fit_candidate, from_defaults(tasks), self.left)
        done = {f.name for f in own if explains(f.reduced_chisq, len(curve))}
        done |= {error.name for error in self.unanswered[before:]}
        kept, left = [t for t in tasks if t.name in done], [t for t in tasks if t.name not in done]
        cheap = [task for task in left if fit_cost_class(task.model) == "fast"]
        rest = [task for task in left if fit_cost_class(task.model) != "fast"]
        found = Fitted(curve, kept + cheap, nearest_of_each(own + self.fit(cheap)))
        if found.unexplained:  # before expensive ones at points that the data do not ask for
            found = self.at_measured_points(found)
        if sums and (found.unexplained or not found.fits):
            least = min(self.residuals.values(), default=0.0)
            rest = (self.sums(curve, [], STRATEGY.sums_clear) if least > STRATEGY.sums_needed else []) + rest
        if found.fits:
            beat, so = Budget(best_chisq=found.chisq), bool(found.notes)
            rest = [replace(t, budget=t.budget.within(beat), as_measured=so) for t in rest]
        found = replace(found, tasks=found.tasks + rest, fits=nearest_of_each(found.fits + self.fit(rest)))
        best_is_sum = sums and bool(found.fits) and "+" in found.best.model
        return self.with_rivals_of_sum(found, self.left) if best_is_sum else found

    def with_rivals_of_sum(self, found: Fitted, seconds: float) -> Fitted:
        """The same with what its best sum is held against: sums that look like it, and its body alone."""
        others = other_sums(found.tasks, found.fits)
        fits = found.fits + self.tried(fit_candidate, others, STRATEGY.terms_share * seconds)
        alone = self.tried(fit_candidate, first_alone(found.tasks, fits), STRATEGY.terms_share * seconds)
        return replace(found, tasks=found.tasks + others, fits=nearest_of_each(fits + alone))

    def still_asked_for(self, found: Fitted) -> Fitted:
        """The same without sums that single models do as well as."""
        alone = [f for f in found.fits if "+" not in f.model]
        sums = [f for f in found.fits if "+" in f.model]
        if not sums or not alone:
            return found
        kept = asked_for(found.curve, self.dintensity, alone, sums)
        names = {f.name for f in (*alone, *kept)}
        return replace(found, tasks=[t for t in found.tasks if t.name in names], fits=alone + kept)

    def with_second_component(self, found: Fitted) -> Fitted:
        """The same with sums of two models, where one is asked for and none was tried.

        A sum imitates a body that was not thought of, so that the simple ones are fitted before.
        """
        alone = simple_bodies(
            found.curve, self.dintensity, self.suggestion, self.options, found.tasks, self.residuals
        )
        found = replace(
            found, tasks=found.tasks + alone, fits=found.fits + self.tried(fit_candidate, alone, self.left)
        )
        if not (found.unexplained or self.intricate(found)):
            return found
        tried = {task.name for task in found.tasks}
        sums = [task for task in self.sums(found.curve, found.fits, 1.0) if task.name not in tried]
        seconds = max(STRATEGY.sums_share * self.left, STRATEGY.sums_kept * self.deadline)
        fits = self.tried(fit_candidate, sums, seconds)
        found = replace(found, tasks=found.tasks + sums, fits=found.fits + fits)
        return self.still_asked_for(self.with_rivals_of_sum(found, seconds))

    def with_resolution(self, found: Fitted) -> Fitted:
        """Fit again with the resolution that a file does not state, where the curve asks for one."""
        asked = resolution_searches(found.tasks, found.fits, STRATEGY.resolution_each * self.left)
        guesses = [
            g for g in self.tried(resolution_of, asked, STRATEGY.resolution_all * self.left) if g is not None
        ]
        guess = min(guesses, key=lambda g: g.chisq, default=None)
        if guess is None or guess.chisq > min(f.chisq for f in found.fits):
            return found
        again = again_with(guess, found.tasks, found.fits)
        fits = self.fit(again)
        if not fits:
            return found
        note = (
            f"The file states no resolution; with {guess.words} models come much nearer to the data, and it"
            " was used. State it in the file if it is known."
        )
        # A model that stands far from first may ask for one that the better ones do not.
        resolved = Fitted(again[0].curve, found.tasks, fits, (note,))
        return max(found, resolved, key=self.evidence)

    def evidence(self, found: Fitted) -> float:
        """ln of that for what was found; a resolution that the file does not state has to be asked for."""
        supposed = bool(found.tasks) and has_resolution(found.curve) > has_resolution(found.tasks[0].curve)
        cost = STRATEGY.dq_gain + np.log(len(found.curve)) if supposed else 0.0
        return log_evidence(found.curve, self.dintensity, found.fits) - 0.5 * cost
