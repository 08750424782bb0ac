"""Joint fits by what speaks for each, as fits of one curve are (`assessment.assess`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...types import Suggestion
from ..assessment.assess import as_the_simpler, prefer_likeliest_group
from ..evidence.weights import alike, shares
from ..problem.nested_models import simpler
from ..result.model_fit import ModelFit
from ..result.sample_result import JointFit
from .hypothesis import priors

#: Share of the greatest weight from which on a fit may be first that explains what the likeliest does not.
_NEARLY = 0.01


def rank_fits(fits: Sequence[JointFit], suggestion: Suggestion) -> list[JointFit]:
    """Rank fits by marginal likelihood times how common each model is."""
    # A fit that became a fitted simpler model counts as that. Of indistinguishable fits one of the group with
    # most weight leads, preceded by its simpler limit. A fit that explains all curves precedes likelier ones
    # that need a rare error, unless its weight is negligible.
    if not fits:
        return []
    explained = any(not fit.lacking() for fit in fits)
    prior_weights = priors(suggestion, map(_as_single, fits), explained=explained)
    log = np.array([-0.5 * fit.minus_two_log for fit in fits]) + np.log(prior_weights)
    weight = shares(log)
    fits_by_name = {fit.name: fit for fit in fits}
    weighed = [replace(_as_single(f), weight=float(w)) for f, w in zip(fits, weight, strict=True)]
    # How many larger models were fitted that have become one says nothing for it.
    counted = as_the_simpler(weighed, max)
    total = sum(model_fit.weight for model_fit in counted)
    ranked = _plainest(prefer_likeliest_group(counted, suggestion.groups), fits_by_name)
    order = [replace(fits_by_name[model_fit.name], weight=model_fit.weight / total) for model_fit in ranked]
    least = _NEARLY * max(fit.weight for fit in order)
    first = next((fit for fit in order if fit.weight > least and not fit.lacking()), order[0])
    order = [first, *(fit for fit in order if fit is not first)]
    alike_names = alike(list(map(_as_single, order)))
    return [replace(fit, alike=fit.name in alike_names) for fit in order]


def _plainest(order: list[ModelFit], fits_by_name: Mapping[str, JointFit]) -> list[ModelFit]:
    """Put first what the leading fit becomes at a limit, if the curves do not tell them apart."""
    if fits_by_name[order[0].name].lacking():  # of what explains nothing the nearest is named
        return order
    limits = {limit.name for limit in simpler(order[0].model, order[0].structure_factor)}
    able = [
        model_fit
        for model_fit in order
        if model_fit.name in alike(order) and not fits_by_name[model_fit.name].lacking()
    ]
    first = next((model_fit for model_fit in able if model_fit.name in limits), order[0])
    return [first, *(model_fit for model_fit in order if model_fit is not first)]


def _as_single(fit: JointFit) -> ModelFit:
    return replace(
        fit.make_curve_fit(0), chisq=sum(fit.chisq), reduced_chisq=fit.reduced_chisq,
        log_evidence=-0.5 * fit.minus_two_log,
    )  # fmt: skip
