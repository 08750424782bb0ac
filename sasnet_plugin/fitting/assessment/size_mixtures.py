"""Hard spheres of several sizes as a mixture, where a fit has one structure factor for all of them.

sasmodels multiplies P(q) of a size distribution by S(q) of its mean size, which oscillates more than that of
a sample's spheres: by 1 % of I for widths of 5 %, by 4 % for 10 % at a volume fraction of .35. Sticky
spheres take that up, with an attraction that the sample has not. So the mixture is fitted as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from ...arrays import Floats
from ...simulate.hard_sphere_mixtures import SphereMixture
from ...types import Curve
from ..evidence.marginal import sort_by_weight
from ..ledger import read_spent_time
from ..optimize.local_search import refine
from ..problem.experiment import starting_values
from ..problem.model_curves import ModelCurves
from ..result.fit_result import FitResult, SizeMixture
from ..result.model_fit import ModelFit, explains
from ..result.reported_values import moments
from ..settings import ASSESSMENT, EVIDENCE
from ..task import UNLIMITED, Budget

if TYPE_CHECKING:
    from ...simulate.bank import Bank

#: Form and structure factor of what is asked about, the size that is distributed, and its width.
_FORM, _FACTOR, _SIZE, _WIDTH = "sphere", "hardsphere", "radius", "radius_pd"


@dataclass(frozen=True)
class MixtureTask:
    """A curve, and its fit with hard spheres of several sizes."""

    curve: Curve
    dintensity: Floats  #: (n,)
    product: ModelFit
    fixed: frozenset[str] = frozenset()  #: Parameters that a user has given.

    @property
    def name(self) -> str:
        return self.product.name


def mixture_task(
    curve: Curve, dintensity: Floats, fit: ModelFit, least_reduced: float, given_names: frozenset[str]
) -> MixtureTask | None:
    """Prepare the question for `fit_mixture`; None where a fit is none of hard spheres of several sizes."""
    is_distributed = (fit.model, fit.structure_factor) == (_FORM, _FACTOR) and _WIDTH in fit.free
    near = fit.reduced_chisq <= ASSESSMENT.much_worse * max(least_reduced, 1.0)
    if not (is_distributed and near and fit.parameters[_WIDTH].value > 0):
        return None
    return MixtureTask(curve, dintensity, fit, given_names)


class _MixtureCurves(ModelCurves):
    """Curves of a product as a mixture."""

    def __init__(self, task: MixtureTask) -> None:
        fit = task.product
        fixed = task.fixed | (fit.parameters.keys() - fit.free)
        super().__init__(task.curve, task.dintensity, fit.name, fixed=fixed, per_decade=fit.per_decade)
        self._mixture = SphereMixture(fit.model, self.q_calculated)

    def _calculate(self, parts: list[dict[str, Any]]) -> Floats:
        calculated = self._mixture.intensity(parts[0], _SIZE)
        return np.array([self._resolution.apply(calculated)])


def fit_mixture(
    task: MixtureTask, bank: Bank | None = None, budget: Budget = UNLIMITED
) -> SizeMixture | None:
    """The mixture of least χ² near the fit of the product; work for a pool."""
    fit = task.product
    local = _MixtureCurves(task)
    local.deadline = read_spent_time() + budget.seconds
    minimum = refine(local, starting_values(fit))
    if minimum is None:
        return None
    n, k = len(task.curve), len(fit.free)
    values = {name: float(minimum.parameters[name]) for name in fit.free}
    mean, deviation = moments(fit.distributions.get(_SIZE, "gaussian"), values[_WIDTH])
    mean *= float(minimum.parameters[_SIZE])
    bic = minimum.chisq + k * float(np.log(n))
    return SizeMixture(fit.name, mean, deviation, values, minimum.chisq / max(n - k, 1), bic)


def rank_by_mixture(order: Sequence[ModelFit], mixture: SizeMixture | None) -> list[ModelFit]:
    """Fits by falling weight, hard spheres with the evidence of the mixture where it is strongly more."""
    best = order[0]
    if mixture is None or best.name == mixture.name or (lead := mixture.lead_over(best)) <= EVIDENCE.strong:
        return list(order)
    others = float(expit(-lead / 2))
    reweighted_fits = [
        replace(fit, weight=1 - others if fit.name == mixture.name else others * fit.weight) for fit in order
    ]
    return sort_by_weight(reweighted_fits)


def add_mixture(result: FitResult, mixture: SizeMixture | None) -> FitResult:
    """The result with a mixture that is no worse than the best fit, and what that changes in errors of it."""
    best = result.best
    if mixture is None or best is None or not _is_rival(mixture, best, len(result.curve)):
        return result
    if best.name != mixture.name:
        return replace(result, mixture=mixture)
    names = (_SIZE, _WIDTH, "volfraction")
    moved = {
        name: mixture.values[name] - best.parameters[name].value for name in names if name in mixture.values
    }
    parameters = {
        name: replace(p, error=float(np.hypot(p.error, moved[name]))) if p.error and name in moved else p
        for name, p in best.parameters.items()
    }
    fits = (replace(best, parameters=parameters), *result.fits[1:])
    return replace(result, fits=fits, mixture=mixture)


def _is_rival(mixture: SizeMixture, best: ModelFit, points: int) -> bool:
    """Whether a mixture is better than the best fit, or explains as well as one with interactions or with
    more parameters, such as a broad peak.
    """
    lead = mixture.lead_over(best)
    is_comparable = best.structure_factor is not None or len(mixture.values) < len(best.free)
    also = is_comparable and explains(mixture.reduced_chisq, points)
    return lead > EVIDENCE.strong or (also and lead > -EVIDENCE.strong)
