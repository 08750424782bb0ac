"""A second round: where no candidate explains a curve, more structure factors and more models are tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sasnet_plugin.fitting.assessment.ranking import doubtful, explains
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.strategy.candidate_selection import look
from sasnet_plugin.fitting.task import Budget, Pair, Task
from sasnet_plugin.simulate.priors import allowed_structure_factors, model_info, structure_factors
from sasnet_plugin.simulate.quick import fit_cost_class
from sasnet_plugin.types import Suggestion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sasnet_plugin.fitting.result.fit_result import ModelFit
    from sasnet_plugin.fitting.task import Pool
    from sasnet_plugin.types import Curve

#: Structure factors are tried on so many of the best form models; so many pairs are fitted, so many dear ones
#: among them, and so many forms.
_FORMS, _PAIRS, _DEAR, _MORE = 3, 4, 2, 3
#: Candidates that leap to other valleys, and CPU time in s that the fit of a dear one took at most.
_CAUGHT, _CHEAP = 3, 6.0
#: CPU time for the leaps of one, of the likeliest, and of the likeliest where another explains the curve, s.
_LEAPING, _EXPECTED_LEAPING, _ASTRAY = 8.0, 30.0, 10.0
#: The network's probability from which on a dear one is fitted again, and the time that it needs at least and
#: takes at most, s.
_POSSIBLE, _FOR_A_DEAR_ONE, _AGAIN = 0.1, 20.0, 60.0
#: The network's probability from which on a model is expected to explain the curve, and little else is tried.
_EXPECTED, _SURE = 0.3, 0.7
#: One is of interest whose χ² is at most so many times the best one's.
_BEHIND = 5.0
#: A form model is of interest whose curves look at most so much worse than the best, by the bank.
_WORSE = 1.5
#: A dear one is looked at if the network gives it this much.
_LIKELY = 0.01


@dataclass(frozen=True)
class Round:
    """What a second round starts from.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    suggestion : Suggestion
        Of all models.
    tasks : sequence of Task
        Those of the first round.
    fits : sequence of ModelFit
        What came of them, at least one.
    badness : mapping
        What the first look found, by form model and structure factor.
    fixed, ranges : mapping
        Given by the user; a task of the first round may hold more, for its own model alone.
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    suggestion: Suggestion
    tasks: Sequence[Task]
    fits: Sequence[ModelFit]
    badness: Mapping[Pair, float]
    fixed: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]


def second_round(pool: Pool, given: Round, seconds: float) -> list[Task]:
    """What else to fit.

    Parameters
    ----------
    pool : Pool
    given : Round
    seconds : float
        For another look with the bank.

    Returns
    -------
    list of Task
        The likeliest first.
    """
    tried = {(t.model, t.structure_factor) for t in given.tasks}
    best = list(dict.fromkeys(f.model for f in sorted(given.fits, key=lambda f: f.reduced_chisq)))
    known = [form for form in best if not form.endswith(".py")]
    hosts = [form for form in known if fit_cost_class(form) != "slow"][:_FORMS]
    # A dear one only if no other is better, or if the network expects it.
    expected = {g.name for g in given.suggestion.models if g.probability > _EXPECTED}
    dear_hosts = [f for f in known if fit_cost_class(f) == "slow" and (f == best[0] or f in expected)][:1]
    pairs = [p for form in hosts + dear_hosts for p in _interacting(form) if p not in tried]
    forms: list[Pair] = [
        (guess.name, None)
        for guess in given.suggestion.models
        if (guess.name, None) not in tried
        and not guess.name.endswith(".py")
        and (fit_cost_class(guess.name) != "slow" or guess.probability > _LIKELY)
    ]
    unknown = [p for p in [*pairs, *forms] if p not in given.badness]
    badness = dict(given.badness) | look(pool, given.curve, given.dintensity, unknown, seconds)
    least = min((badness.get(p, np.inf) for p in tried), default=np.inf)
    pairs = [p for p in pairs if badness.get(p, np.inf) < badness.get((p[0], None), np.inf)]
    forms = [p for p in forms if badness.get(p, np.inf) < _WORSE * least]

    def nearest(found: list[Pair], count: int) -> list[Pair]:
        return sorted(found, key=lambda p: badness.get(p, np.inf))[:count]

    dear = nearest([p for p in pairs if fit_cost_class(p[0]) == "medium"], _DEAR)
    last = nearest([p for p in pairs if fit_cost_class(p[0]) == "slow"], _DEAR)
    pairs = nearest([p for p in pairs if fit_cost_class(p[0]) == "fast" or p in dear], _PAIRS)
    return [_task(given, p) for p in [*pairs, *nearest(forms, _MORE), *last]]


def caught(curve: Curve, tasks: Sequence[Task], fits: Sequence[ModelFit], seconds: float) -> list[Task]:
    """Candidates that may be caught in a valley beside the right one, to look for it from many starts.

    Where no fit explains the curve, or not well: the best one, the best of other forms, and last what the
    network thinks likeliest, to have what time the others leave. Else: the likeliest, if its own fit does
    not. None of them dear; of these the network's likeliest is fitted once more if there is time for it.

    Parameters
    ----------
    curve : Curve
    tasks : sequence of Task
    fits : sequence of ModelFit
    seconds : float
        That are left for it.
    """
    by_name = {t.name: t for t in tasks}
    known = [fit for fit in sorted(fits, key=lambda f: f.chisq) if fit.name in by_name]
    cheap = [fit for fit in known if fit_cost_class(fit.model) != "slow" or fit.seconds < _CHEAP]
    least = min((f.reduced_chisq for f in fits), default=np.inf)
    explained, sure = explains(least, len(curve)), not doubtful(least, len(curve))
    dear = max((f for f in known if f not in cheap), key=lambda f: f.probability, default=None)
    if dear is not None and (sure or dear.probability < _POSSIBLE or seconds < _FOR_A_DEAR_ONE):
        dear = None
    # From the bank's curves once more, with time: each step of a dear one's leaps would be as dear.
    last = [] if dear is None else [_once_more(by_name[dear.name], curve, dear, _AGAIN, hops=False)]
    if not cheap:
        return last
    likeliest = max(cheap, key=lambda f: f.probability)
    if sure:
        if likeliest.probability < _EXPECTED or explains(likeliest.reduced_chisq, len(curve)):
            return []
        return [_once_more(by_name[likeliest.name], curve, likeliest, _ASTRAY)]
    others = [f for f in cheap if f is not likeliest]
    chosen, forms = others[:1], {likeliest.model, *(f.model for f in others[:1])}
    if likeliest.probability < _SURE:
        chosen += [f for f in others if f.model not in forms and f.chisq < _BEHIND * cheap[0].chisq]
    leaps = [_once_more(by_name[f.name], curve, f, _LEAPING) for f in chosen[: _CAUGHT - 1]]
    most = _LEAPING if last or explained else _EXPECTED_LEAPING
    return [*leaps, _once_more(by_name[likeliest.name], curve, likeliest, most), *last]


def _once_more(task: Task, curve: Curve, fit: ModelFit, seconds: float, *, hops: bool = True) -> Task:
    start = starting_values(fit)
    return replace(task, curve=curve, starts=(), extra=start, hops=hops, budget=Budget(seconds))


def _interacting(form: str) -> list[Pair]:
    allowed = allowed_structure_factors(form)
    return [(form, factor) for factor in structure_factors() if factor in allowed]


def _task(given: Round, pair: Pair) -> Task:
    """A product starts also from the fit of its form, with a weak interaction."""
    form, factor = pair
    guess = next((g for g in given.suggestion.models if g.name == form), None)
    start = None
    alone = next((f for f in given.fits if f.model == form and f.structure_factor is None), None)
    if factor is not None and alone is not None:
        table = {p.name: p for p in model_info(factor).parameters.call_parameters}
        start = starting_values(alone)
        start |= {n: float(p.default) for n, p in table.items() if n not in start and n != "radius_effective"}
        start |= {"volfraction": 0.05}
    return Task(
        given.curve, given.dintensity, form, factor,
        probability=0.0 if guess is None or factor is not None else guess.probability,
        fixed=dict(given.fixed), ranges=dict(given.ranges), extra=start,
    )  # fmt: skip
