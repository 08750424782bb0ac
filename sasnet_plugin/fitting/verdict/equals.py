"""Which fits are as good as the best: of one kind, of another shape, or with another size distribution."""

from __future__ import annotations

from collections.abc import Sequence

from sasnet_plugin.digits import significant
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.settings import ASSESSMENT

from .names import shape
from .settings import VERDICT


def as_good(result: FitResult) -> list[ModelFit]:
    """Fits that these data do not distinguish from the best one, or not with any certainty."""
    named = {*result.alike, *result.excused[1], *result.explaining}
    return [
        fit
        for fit in result.fits[1:]
        if fit.short_name in named or (fit.weight >= VERDICT.named and _fair(fit, result))
    ]


def _fair(fit: ModelFit, result: FitResult) -> bool:
    """Whether a fit with some of the evidence is not so far off that only its simplicity stands for it."""
    return fit.reduced_chisq <= ASSESSMENT.worse * max(result.fits[0].reduced_chisq, 1.0)


def same_kind(result: FitResult, one: ModelFit, other: ModelFit) -> bool:
    """Whether two models are of one shape, or of one group that the network cannot tell apart."""
    if shape(one.model) == shape(other.model):
        return True
    groups = result.expected.groups if result.expected else ()
    return any({one.model, other.model} <= set(group.members) for group in groups)


def of_one_kind(result: FitResult) -> list[ModelFit]:
    """Those that are as good as the best, and of its kind."""
    return [fit for fit in as_good(result) if same_kind(result, result.fits[0], fit)]


def of_other_shape(result: FitResult) -> list[ModelFit]:
    """Those that are as good as the best, and mean another sample."""
    return [fit for fit in as_good(result) if not same_kind(result, result.fits[0], fit)]


def other_distributions(result: FitResult) -> list[ModelFit]:
    """Fits of the best model with other kinds of size distribution that are as good."""
    best = result.fits[0]
    return [
        fit
        for fit in (*result.fits[1:], *result.distributions)
        if fit.name == best.name
        and dict(fit.distributions) != dict(best.distributions)
        and fit.chisq - best.chisq < ASSESSMENT.significant**2
    ]


def nearest(result: FitResult) -> ModelFit:
    """The fit of the least reduced χ², whatever its evidence."""
    return min(result.fits, key=lambda fit: fit.reduced_chisq)


def near(fits: Sequence[ModelFit]) -> tuple[ModelFit, ...]:
    """The fits that are worth a look: not a hundred times worse than the best of them."""
    least = min((fit.reduced_chisq for fit in fits), default=1.0)
    most = VERDICT.hopeless * max(least, VERDICT.least_chisq)
    return tuple(fit for fit in fits if fit is fits[0] or fit.reduced_chisq <= most)


def within_error(result: FitResult) -> str:
    """The systematic error with which the best fit explains the data, in words; empty where none does.

    An error beside which the noise is still too large, or that no measurement has, excuses nothing.
    """
    error = (result.verification and result.verification.systematic) or {}
    if not error.get("excuses", False):
        return ""
    more = " and a background that changes along q" if error.get("background") else ""
    return f"a systematic error of {significant(100 * error['relative'], 2)} % of I{more}"
