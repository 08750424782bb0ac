"""Rounds of fits: candidates, what they have become, an unstated resolution, and a second try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.ranking import explains
from sasnet_plugin.fitting.problem.contrast import with_contrast
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.problem.resolution import has_resolution
from sasnet_plugin.fitting.problem.size_distributions import other_kinds
from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.fitting.strategy.candidates import simplifications
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.strategy.more_models import Round, caught, second_round
from sasnet_plugin.fitting.strategy.unknown_resolution import again_with, resolution_of, unstated_resolution
from sasnet_plugin.fitting.task import Contrast, LateError, Named, Pair, Pool, Task, Work
from sasnet_plugin.simulate.quick import fit_cost_class
from sasnet_plugin.types import Curve, SasnetError, Suggestion

#: Of the time that is left, for leaps to other valleys before and after other models are tried.
_LEAPING = 0.6, 0.95
#: As long as χ² falls to so much of what it was, leaps go on.
_PROMISING = 0.7
#: Of all the time, for what explains an explained curve better.
_DOUBT = 0.1
#: CPU time that a fit took at most for other kinds of its size distribution to be tried, s.
_BRIEF = 3.0


@dataclass(frozen=True)
class Fitted:
    """What was fitted to a curve.

    Parameters
    ----------
    curve : Curve
        With a resolution where one was found that the file does not state.
    tasks : list of Task
        As they were first given.
    fits : list of ModelFit
    notes : tuple of str
        Plain sentences.
    """

    curve: Curve
    tasks: list[Task]
    fits: list[ModelFit]
    notes: tuple[str, ...] = ()

    @property
    def unexplained(self) -> bool:
        """Whether there are fits, none of which explains the curve."""
        return bool(self.fits) and not explains(_best(self), len(self.curve))


@dataclass(frozen=True)
class Rounds:
    """Fits a curve until something explains it, or nothing is left to try, or the time is up.

    Parameters
    ----------
    pool : Pool
    dintensity : (n,) float array
    suggestion : Suggestion
        Of all models.
    badness : mapping
        What the first look found, by form model and structure factor.
    contrast : Contrast or None
        Given by the user.
    notes : list of str
        Grows.
    deadline : float
        By the pool's clock, s.
    fixed, ranges : mapping
        Given by the user.
    """

    pool: Pool
    dintensity: NDArray[np.float64]
    suggestion: Suggestion
    badness: Mapping[Pair, float]
    contrast: Contrast | None
    notes: list[str]
    deadline: float
    fixed: Mapping[str, float] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """Seconds."""
        return self.deadline - self.pool.clock()

    def run(self, curve: Curve, tasks: Sequence[Task], *, free: bool, others: bool) -> Fitted:
        """Fit the candidates, and more of them where these do not explain the curve.

        Parameters
        ----------
        curve : Curve
        tasks : sequence of Task
            The first to be fitted first.
        free : bool
            The user named no models: what they have become is fitted too.
        others : bool
            Other models and structure factors may be tried.
        """
        doubt = _DOUBT * self.left
        found = self.explained(curve, tasks, doubt, free=free, others=others)
        return self.with_kinds(found) if found.fits else found

    def explained(
        self, curve: Curve, tasks: Sequence[Task], doubt: float, *, free: bool, others: bool
    ) -> Fitted:
        """What `run` finds, each with the kind of size distribution that it was found with.

        `doubt`: seconds for what explains an explained curve better. Other models are not tried for that: to
        the small errors of a real instrument there is always one that bends.
        """
        found = Fitted(curve, list(tasks), self.fit(tasks))
        if free:
            simple = simplifications(found.tasks, found.fits)
            found = Fitted(curve, found.tasks + simple, found.fits + self.fit(simple))
        if not found.fits:
            return found
        silent = not has_resolution(curve)
        resolved = self.with_resolution(found) if silent else found
        if not resolved.unexplained:
            return self.with_leaps(resolved, min(doubt, self.left))
        # A resolution may imitate what a fit in a wrong valley lacks, and what another model has.
        share, before = _LEAPING[0 if others else 1], np.inf
        first = found
        while found.unexplained and _best(found) < _PROMISING * before:
            before = _best(found)
            found = self.with_leaps(found, share * self.left)
        if found is not first:
            resolved = min(resolved, self.with_resolution(found) if silent else found, key=_best)
        if not (others and resolved.unexplained):
            return resolved
        more = self.second(found)
        if silent and more.unexplained and _best(more) < _best(found):
            more = self.with_resolution(more)
        last = min(more, resolved, key=_best)
        return self.with_leaps(last, _LEAPING[1] * self.left) if last.unexplained else last

    def fit(self, tasks: Sequence[Task]) -> list[ModelFit]:
        """Fit tasks; what cannot be fitted becomes a note."""
        fits: list[ModelFit] = []
        late = []
        for _, answer in self.pool.run(fit_candidate, tasks, self.left) if tasks else ():
            if isinstance(answer, LateError):
                late.append(answer.name)
            elif isinstance(answer, SasnetError):
                self.notes.append(str(answer))
            else:
                fits.append(answer)
        if late:
            self.notes.append(
                f"Not fitted within the time limit (give more with --time-limit): {', '.join(late)}."
            )
        return fits

    def with_leaps(self, found: Fitted, seconds: float) -> Fitted:
        """The same with a few candidates' leaps to other valleys."""
        tried = self.tried(fit_candidate, caught(found.curve, found.tasks, found.fits, seconds), seconds)
        better = {f.name: f for f in tried if f.bic < min(o.bic for o in found.fits if o.name == f.name)}
        return replace(found, fits=[better.get(f.name, f) for f in found.fits]) if better else found

    def with_kinds(self, found: Fitted) -> Fitted:
        """The same with the best fit's size distribution of the kind that the data like best.

        Dear models keep theirs.
        """
        best = min(found.fits, key=lambda f: f.bic)
        task = next(t for t in found.tasks if t.name == best.name)
        if fit_cost_class(best.model) == "slow" or best.seconds > _BRIEF:
            return found
        jobs = [
            replace(task, curve=found.curve, starts=(start,)) for start in other_kinds(starting_values(best))
        ]
        fits = [f for f in self.tried(fit_candidate, jobs, self.left) if f.bic < best.bic]
        if not fits:
            return found
        better = min(fits, key=lambda f: f.bic)
        return replace(found, fits=[better if f is best else f for f in found.fits])

    def tried(self, work: Work, asked: Sequence[Named], seconds: float) -> list[Any]:
        """Answers that may fail or be late: then nothing is lost, and nothing is said."""
        answers = (a for _, a in self.pool.run(work, asked, seconds)) if asked else ()
        return [a for a in answers if not isinstance(a, SasnetError)]

    def second(self, found: Fitted) -> Fitted:
        """The same with other models and structure factors."""
        given = Round(
            found.curve, self.dintensity, self.suggestion, found.tasks, found.fits, self.badness,
            self.fixed, self.ranges,
        )  # fmt: skip
        tasks, _ = with_contrast(self.contrast, second_round(self.pool, given, 0.2 * self.left))
        fits = self.fit(tasks)
        return replace(found, tasks=found.tasks + tasks, fits=found.fits + fits) if fits else found

    def with_resolution(self, found: Fitted) -> Fitted:
        """Fit again with the resolution that a file does not state, where the curve asks for one."""
        searches = unstated_resolution(found.tasks, found.fits, 0.3 * self.left)
        guesses = [g for g in self.tried(resolution_of, searches, 0.5 * self.left) if g is not None]
        guess = min(guesses, key=lambda g: g.chisq, default=None)
        if guess is None or guess.chisq > min(f.chisq for f in found.fits):
            return found
        again = again_with(guess, found.tasks, found.fits)
        fits = self.fit(again)
        if not fits:
            return found
        note = (
            f"The file states no resolution; {guess.words} explains the data much better and was used."
            " State it in the file if it is known."
        )
        return Fitted(again[0].curve, found.tasks, fits, (note,))


def _best(found: Fitted) -> float:
    return min(f.reduced_chisq for f in found.fits)
