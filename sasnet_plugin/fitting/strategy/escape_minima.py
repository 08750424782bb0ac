"""Candidates that may have ended in a local minimum: fitted again by basin hopping or with more time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.assessment.goodness_of_fit import doubtful, explains
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.task import Budget, Task
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import Curve


def escapes(curve: Curve, tasks: Sequence[Task], fits: Sequence[ModelFit], seconds: float) -> list[Task]:
    """Candidates that may have ended in a local minimum, to look for a deeper one from many starts.

    Where no fit explains the curve, or not well: the best one, the best of other forms, and last what the
    network thinks likeliest, to have what time the others leave. Else: the likeliest, if its own fit does
    not explain it. None of them expensive, as each step of basin hopping would be so too; of the expensive
    ones the network's likeliest is fitted once more from the bank's curves, if there is time for it.

    Parameters
    ----------
    curve : Curve
    tasks : sequence of Task
    fits : sequence of ModelFit
    seconds : float
        That are left for it.
    """
    by_name = {t.name: t for t in tasks}

    def again(fit: ModelFit, time: float, *, hopping: bool = True) -> Task:
        start, budget = starting_values(fit), Budget(time)
        task = by_name[fit.name]
        return replace(task, curve=curve, starts=(), extra=start, basin_hopping=hopping, budget=budget)

    known = [fit for fit in sorted(fits, key=lambda f: f.chisq) if fit.name in by_name]
    cheap = [f for f in known if fit_cost_class(f.model) != "slow" or f.seconds < STRATEGY.escape_cheap]
    least = min((f.reduced_chisq for f in fits), default=np.inf)
    explained, sure = explains(least, len(curve)), not doubtful(least, len(curve))
    expensive = max((f for f in known if f not in cheap), key=lambda f: f.probability, default=None)
    last = []
    if (
        expensive
        and not sure
        and expensive.probability >= STRATEGY.possible
        and seconds >= STRATEGY.again_needs
    ):
        last = [again(expensive, STRATEGY.again, hopping=False)]
    if not cheap:
        return last
    likeliest = max(cheap, key=lambda f: f.probability)
    if sure:
        if likeliest.probability < STRATEGY.expected or explains(likeliest.reduced_chisq, len(curve)):
            return []
        return [again(likeliest, STRATEGY.escape_explained)]
    others = [f for f in cheap if f is not likeliest]
    chosen, forms = others[:1], {likeliest.model, *(f.model for f in others[:1])}
    if likeliest.probability < STRATEGY.sure:
        near = STRATEGY.escape_behind * cheap[0].chisq
        chosen += [f for f in others if f.model not in forms and f.chisq < near]
    most = STRATEGY.escape if last or explained else STRATEGY.patience
    first = [again(f, STRATEGY.escape) for f in chosen[: STRATEGY.escapes - 1]]
    return [*first, again(likeliest, most), *last]
