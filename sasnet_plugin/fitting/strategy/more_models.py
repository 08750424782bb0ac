"""More structure factors and more form models, where no candidate explains a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.problem.experiment import starting_values
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.strategy.candidates import screen
from sasnet_plugin.fitting.strategy.settings import STRATEGY
from sasnet_plugin.fitting.task import FitOptions, Pair, Pool, Task
from sasnet_plugin.simulate.priors import allowed_structure_factors, model_info, structure_factors
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import Curve, Suggestion


def more_models(
    pool: Pool,
    curve: Curve,
    dintensity: NDArray[np.float64],
    suggestion: Suggestion,
    options: FitOptions,
    tasks: Sequence[Task],
    fits: Sequence[ModelFit],
    residuals: Mapping[Pair, float],
    seconds: float,
) -> list[Task]:
    """What else to fit, the likeliest first.

    Parameters
    ----------
    pool : Pool
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
    known = [form for form in best if not form.endswith(".py")]
    hosts = [form for form in known if cost(form) != "slow"][: STRATEGY.more_hosts]
    # An expensive one only if no other is better, or if the network expects it.
    expected = {g.name for g in suggestion.models if g.probability > STRATEGY.expected}
    hosts += [f for f in known if cost(f) == "slow" and (f == best[0] or f in expected)][:1]
    pairs = [pair for form in hosts for pair in _products(form) if pair not in tried]
    forms: list[Pair] = [
        (guess.name, None)
        for guess in suggestion.models
        if (guess.name, None) not in tried
        and not guess.name.endswith(".py")
        and (cost(guess.name) != "slow" or guess.probability > STRATEGY.unlikely)
    ]
    unknown = [p for p in [*pairs, *forms] if p not in residuals]
    found = dict(residuals) | screen(pool, curve, dintensity, unknown, seconds)

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
    return [
        Task(
            curve, dintensity, form, factor,
            probability=0.0 if factor is not None else probabilities.get(form, 0.0),
            fixed=dict(options.fixed), ranges=dict(options.ranges), extra=_from_form(form, factor, fits),
        )
        for form, factor in [*pairs, *nearest(forms, STRATEGY.more_forms), *last]
    ]  # fmt: skip


def _products(form: str) -> list[Pair]:
    allowed = allowed_structure_factors(form)
    return [(form, factor) for factor in structure_factors() if factor in allowed]


def _from_form(form: str, factor: str | None, fits: Sequence[ModelFit]) -> dict[str, float] | None:
    """A start of a product: the fit of its form, with a weak interaction; None where there is none."""
    alone = next((f for f in fits if f.model == form and f.structure_factor is None), None)
    if factor is None or alone is None:
        return None
    start = starting_values(alone)
    defaults = {p.name: float(p.default) for p in model_info(factor).parameters.call_parameters}
    start |= {n: value for n, value in defaults.items() if n not in start and n != "radius_effective"}
    return start | {"volfraction": STRATEGY.more_volume}
