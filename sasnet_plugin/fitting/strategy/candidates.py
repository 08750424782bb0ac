"""Which models to fit: what the network suggests, the simplest of likely groups, and simple bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.assessment.diagnostics import reached
from sasnet_plugin.fitting.problem.nested_models import simpler
from sasnet_plugin.fitting.result.fit_result import ModelFit
from sasnet_plugin.fitting.task import Pair, Task
from sasnet_plugin.simulate.priors import allowed_structure_factors
from sasnet_plugin.simulate.quick import fit_cost_class
from sasnet_plugin.types import Curve, Suggestion
from sasnet_plugin.zoo import Manifest

#: Of a group that the network gives at least this much, the simplest models are fitted too, this many.
_GROUP_SHARE, _SIMPLEST = 0.1, 3
#: A structure factor that the network gives at least this much, given the model, is a candidate of its own.
_FACTOR_SHARE = 0.15
#: Of so many of the best fits it is asked whether they have become a simpler model.
_LOOKED_AT = 4
#: No structure factor is ruled out by the network before it was fitted.
_LEAST_FACTOR = 0.02


def shortlist(suggestion: Suggestion, top: int, manifest: Manifest) -> Suggestion:
    """The likeliest models, and the simplest of the likely groups.

    Data hardly tell the members of a group apart, and a group of twenty may crowd the simple ones out of the
    first five. A simple model that explains the curve is what the evidence prefers, so it has to be tried.

    Parameters
    ----------
    suggestion : Suggestion
        Of all models.
    top : int
        Models taken by their probability.
    manifest : Manifest
        Of the network: groups, and the parameters of each model.
    """

    def size(name: str) -> int:
        return len({p.rstrip("0123456789") for p in manifest.inputs["parameters"].get(name, ())})

    chosen = {guess.name for guess in suggestion.models[:top]}
    for group in suggestion.groups:
        if group.probability >= _GROUP_SHARE:
            chosen.update(sorted(group.members, key=lambda m: (size(m), m))[:_SIMPLEST])
    return replace(suggestion, models=tuple(g for g in suggestion.models if g.name in chosen))


def candidates(
    suggestion: Suggestion,
    curve: Curve,
    dintensity: NDArray[np.float64],
    structure_factor: str | None,
    fixed: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]],
    pairs: Sequence[Pair] = (),
) -> list[Task]:
    """What to fit: each suggested model with its likely structure factors, and other pairs.

    Parameters
    ----------
    suggestion : Suggestion
        The models to fit.
    curve : Curve
    dintensity : (n,) float array
    structure_factor : str or None
        Given by a user: this one alone, "none" for none.
    fixed, ranges : mapping
        Given by a user.
    pairs : sequence of (str, str or None)
        Form models and structure factors besides.
    """
    wanted: dict[Pair, float] = {}
    for guess in suggestion.models:
        share = guess.structure_factor_probability
        if structure_factor is not None:
            factor = None if structure_factor == "none" else structure_factor
            wanted[guess.name, factor] = guess.probability
            continue
        wanted[guess.name, guess.structure_factor] = guess.probability * share
        if guess.structure_factor is None:
            continue
        if 1 - share >= _FACTOR_SHARE:
            wanted[guess.name, None] = guess.probability * (1 - share)
        if fit_cost_class(guess.name) == "fast" and "hardsphere" in allowed_structure_factors(guess.name):
            # What the others become where there is neither charge nor attraction.
            wanted.setdefault((guess.name, "hardsphere"), guess.probability * (1 - share) / 4)
    for pair in pairs:
        wanted.setdefault(pair, 0.0)
    return [
        Task(curve, dintensity, form, factor, probability, dict(fixed), dict(ranges))
        for (form, factor), probability in wanted.items()
    ]


def priors(suggestion: Suggestion, fits: Sequence[ModelFit]) -> list[float]:
    """What the ranking of fits starts from.

    The network cannot tell the members of a group apart, so those that were fitted share its probability
    evenly; each has its structure factor's probability besides.

    Parameters
    ----------
    suggestion : Suggestion
        Of all models.
    fits : sequence of ModelFit
    """
    guesses = {guess.name: guess for guess in suggestion.models}
    members = {name: group for group in suggestion.groups for name in group.members}
    tried: dict[str, set[str]] = {}
    for fit in fits:
        if fit.model in members:
            tried.setdefault(members[fit.model].name, set()).add(fit.model)
    found = []
    for fit in fits:
        guess, group = guesses.get(fit.model), members.get(fit.model)
        if guess is None or group is None:
            found.append(fit.probability)
            continue
        likely = guess.structure_factor == fit.structure_factor
        share = guess.structure_factor_probability
        factor = share if likely else (1 - share) / 4
        found.append(group.probability / len(tried[group.name]) * max(factor, _LEAST_FACTOR))
    return found


def simplifications(tasks: Sequence[Task], fits: Sequence[ModelFit]) -> list[Task]:
    """The simpler models that the best fits have become, where they were not fitted themselves.

    Parameters
    ----------
    tasks : sequence of Task
        What was fitted.
    fits : sequence of ModelFit
    """
    known = {fit.name for fit in fits}
    by_name = {task.name: task for task in tasks}
    found: dict[str, Task] = {}
    for fit in sorted(fits, key=lambda f: f.bic)[:_LOOKED_AT]:
        for reduction in simpler(fit.model, fit.structure_factor):
            if reduction.name in known or not reached(reduction, fit):
                continue
            form, _, factor = reduction.name.partition("@")
            start = reduction.start({name: p.value for name, p in fit.parameters.items()})
            found.setdefault(
                reduction.name,
                replace(
                    by_name[fit.name],
                    model=form,
                    structure_factor=factor or None,
                    probability=0.0,
                    starts=(start,),
                ),
            )
    return list(found.values())
