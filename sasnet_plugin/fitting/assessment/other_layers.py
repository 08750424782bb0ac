"""Errors that hold another division of a layered body into core and layer, where it is as good.

Of a body with a core and a layer a curve shows well how large it is. Where the contrast of one of them is
weak, a thin layer about a large core and a thick one about a small core are two minima of much the same χ²,
and the curvature at one of them says nothing of the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import filterfalse
from typing import Any

import numpy as np

from ..optimize.local_search import LocalMinimum, refine
from ..problem.experiment import TimeUpError, starting_values
from ..problem.model_curves import ModelCurves
from ..result.components import is_amplitude
from ..result.covariance import errors_of
from ..settings import ASSESSMENT, START_VALUES
from ..start_values.layered import PLAIN, Plain, divided
from .held import Held


def spread_over_layers(asked: Held, deadline: float) -> dict[str, float]:
    """What adds to the errors of a fit, a standard deviation, for its other divisions that are as good.

    Each division is weighted by its likelihood, as `over_kinds` weights kinds of size distribution. Empty
    where it is no layered body, where core or layer is known, and of an expensive model.
    """
    fit = asked.fits[0]
    plain = PLAIN.get(fit.model)
    if plain is None or not {plain.core, plain.layer} <= asked.slopes.keys():
        return {}
    start = starting_values(fit)
    total, apart = 1.0, dict.fromkeys(filterfalse(is_amplitude, asked.slopes), 0.0)
    for other, weight in _as_good(asked, plain, start, deadline):
        total += weight
        for name in apart:
            apart[name] += weight * float(other.get(name, 0.0) - start[name]) ** 2
    return {name: float(np.sqrt(one / total)) for name, one in apart.items()}


def _as_good(
    asked: Held, plain: Plain, start: Mapping[str, Any], deadline: float
) -> list[tuple[dict[str, Any], float]]:
    """Parameters of other divisions, one of each, and their likelihood over that of the fit."""
    fit = asked.fits[0]
    fixed = asked.given | {name for name, p in fit.parameters.items() if p.fixed}
    local = ModelCurves(
        asked.curves[0], asked.dintensities[0], fit.name, fixed=fixed, per_decade=fit.per_decade
    )
    local.deadline = deadline
    # Of independent noise of the stated size; an error that neighbours share makes less of a difference.
    wider = float(fit.parameters[plain.core].error or 0.0) / errors_of(asked.slopes)[plain.core]
    kept, found = [start], []
    with suppress(TimeUpError):
        least = float(np.sum(local.solved(dict(start))[0] ** 2))
        for there in _minima(local, fit.model, start):
            risen = max(there.chisq - least, 0.0) / max(wider, 1.0) ** 2
            if risen < ASSESSMENT.significant**2 and not any(
                _same(plain, there.parameters, one) for one in kept
            ):
                kept.append(there.parameters)
                found.append((there.parameters, float(np.exp(-risen / 2))))
    return found


def _minima(local: ModelCurves, form: str, start: Mapping[str, Any]) -> Iterator[LocalMinimum]:
    """Beside other divisions, until the time is up."""
    for other in divided(form, start):
        there = refine(local, other)
        if there is not None:
            yield there
        if there is not None and there.cut:
            return


def _same(plain: Plain, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether core and layer are of much the same size."""
    off = (abs(np.log(one[name] / other[name])) for name in (plain.core, plain.layer))
    return bool(max(off) < START_VALUES.distinct)
