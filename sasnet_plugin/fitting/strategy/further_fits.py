"""What else to fit: plugins from their own values, and where nothing explains a curve, more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.goodness_of_fit import doubtful, explains
from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.problem.plugin_models import plugin_defaults
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.start_values.screening import with_fixed
from sasnet_plugin.fitting.strategy.candidates import screen
from sasnet_plugin.fitting.strategy.other_factors import factors_of, with_defaults
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.task import Budget, Counting, FitOptions, Pair, Task
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import Curve, Suggestion, TechnicalError


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


def from_defaults(tasks: Sequence[Task]) -> list[Task]:
    """Plugins from the values that their files state, calculated at the measured points alone.

    These values are the author's own of such a sample, and the one thing that is known of a model that
    nobody here has seen; from the draws of a plugin's prior, a minimum beside them may be missed.

    Parameters
    ----------
    tasks : sequence of Task
    """
    return [
        replace(task, starts=(with_fixed(plugin_defaults(task.model), task.fixed),), as_measured=True)
        for task in tasks
        if task.model.endswith(".py") and not task.starts
    ]


def nearest_of_each(fits: Sequence[ModelFit]) -> list[ModelFit]:
    """Of fits of the same model the one of least BIC, in the order in which models come first.

    Parameters
    ----------
    fits : sequence of ModelFit
    """
    names = dict.fromkeys(fit.name for fit in fits)
    return [min((f for f in fits if f.name == name), key=lambda f: f.bic) for name in names]


def at_measured_points(
    curve: Curve, tasks: Sequence[Task], fits: Sequence[ModelFit], costs: Collection[str]
) -> list[Task]:
    """Fits at more points than were measured, again at the measured points alone, the simplest first."""
    least, by_name = min(fit.reduced_chisq for fit in fits), {task.name: task for task in tasks}
    near = [
        fit
        for fit in sorted(fits, key=lambda fit: (len(fit.free), fit.reduced_chisq))
        if fit.per_decade is not None
        and fit.reduced_chisq < STRATEGY.as_measured_near * least
        and fit_cost_class(fit.model) in costs
        and fit.name in by_name
    ]
    return [
        replace(by_name[fit.name], curve=curve, starts=(starting_values(fit),), as_measured=True)
        for fit in near[: STRATEGY.as_measured]
    ]


def more_models(
    pool: Counting,
    curve: Curve,
    dintensity: NDArray[np.float64],
    suggestion: Suggestion,
    options: FitOptions,
    tasks: Sequence[Task],
    fits: Sequence[ModelFit],
    residuals: Mapping[Pair, float],
    seconds: float,
) -> tuple[list[Task], tuple[TechnicalError, ...]]:
    """What else to fit, the likeliest first; and why screening could not rate some of it.

    Parameters
    ----------
    pool : Counting
    curve : Curve
    dintensity : (n,) float array
    suggestion : Suggestion
        Of all models.
    options : FitOptions
        Whose values and ranges hold for the new tasks; one of the old may fix more, for its own model alone.
    tasks : sequence of Task
        What was fitted.
    fits : sequence of ModelFit
        What came of them, at least one.
    residuals : mapping
        What screening found, by form model and structure factor.
    seconds : float
        For screening what was not screened yet.
    """
    tried = {task.pair for task in tasks}
    cost = fit_cost_class
    best = list(dict.fromkeys(f.model for f in sorted(fits, key=lambda f: f.reduced_chisq)))
    known = [form for form in best if not form.endswith(".py") and "+" not in form]
    hosts = [form for form in known if cost(form) != "slow"][: STRATEGY.more_hosts]
    # An expensive one only if no other is better, or if the network expects it.
    expected = {g.name for g in suggestion.models if g.probability > STRATEGY.expected}
    hosts += [f for f in known if cost(f) == "slow" and (f == best[0] or f in expected)][:1]
    products: list[Pair] = [(form, factor) for form in hosts for factor in factors_of(form)]
    pairs = [pair for pair in products if pair not in tried]
    forms: list[Pair] = [
        (guess.name, None)
        for guess in suggestion.models
        if (guess.name, None) not in tried
        and not guess.name.endswith(".py")
        and (cost(guess.name) != "slow" or guess.probability > STRATEGY.unlikely)
    ]
    unknown = [p for p in [*pairs, *forms] if p not in residuals]
    rated, failed, _ = screen(pool, curve, dintensity, unknown, seconds)
    found = dict(residuals) | rated

    def residual(pair: Pair) -> float:
        return found.get(pair, np.inf)

    def nearest(among: list[Pair], count: int) -> list[Pair]:
        return sorted(among, key=residual)[:count]

    least = min((residual(p) for p in tried), default=np.inf)
    pairs = [p for p in pairs if residual(p) < residual((p[0], None))]
    forms = [p for p in forms if residual(p) < STRATEGY.more_worse * least]
    medium = nearest([p for p in pairs if cost(p[0]) == "medium"], STRATEGY.more_expensive)
    last = nearest([p for p in pairs if cost(p[0]) == "slow"], STRATEGY.more_expensive)
    pairs = nearest([p for p in pairs if cost(p[0]) == "fast" or p in medium], STRATEGY.more_pairs)
    probabilities = {g.name: g.probability for g in suggestion.models}
    more = [
        Task(
            curve, dintensity, form, factor,
            probability=0.0 if factor is not None else probabilities.get(form, 0.0),
            fixed=dict(options.fixed), ranges=dict(options.ranges), extra=_from_form(form, factor, fits),
        )
        for form, factor in [*pairs, *nearest(forms, STRATEGY.more_forms), *last]
    ]  # fmt: skip
    return more, failed


def _from_form(form: str, factor: str | None, fits: Sequence[ModelFit]) -> dict[str, float] | None:
    """A start of a product: the fit of its form, with a weak interaction; None where there is none."""
    alone = next((f for f in fits if f.model == form and f.structure_factor is None), None)
    if factor is None or alone is None:
        return None
    return with_defaults(starting_values(alone), factor) | {"volfraction": STRATEGY.more_volume}
