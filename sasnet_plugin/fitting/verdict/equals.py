"""Which fits are as good as the best: of one kind, of another shape, or with another size distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...data.scatter import is_stated
from ...digits import significant
from ..result.components import bare
from ..result.fit_result import FitResult
from ..result.fit_warning import About
from ..result.model_fit import ModelFit, Parameter, explains
from ..result.reported_values import is_determined
from ..settings import ASSESSMENT, EVIDENCE, START_VALUES
from .names import is_upturn, shape
from .settings import VERDICT
from .sizes import find_lower_bounds


def as_good(result: FitResult) -> list[ModelFit]:
    """Fits that these data do not distinguish from the best one, or not with any certainty."""
    if not result.fits:
        return []
    best = result.fits[0]
    return [fit for fit in result.fits[1:] if _as_near(result, fit) and _says_another(best, fit)]


def _as_near(result: FitResult, fit: ModelFit) -> bool:
    """Whether its residuals are no larger than the best one's, whatever stands for it."""
    tied_names = {*result.alike, *result.excused[1]}
    best = max(result.fits[0].reduced_chisq, ASSESSMENT.negligible)
    if is_overstated(result) or fit.short_name in result.explaining:
        near = fit.reduced_chisq <= ASSESSMENT.much_worse * best
        return near and fit.short_name in {*tied_names, *result.explaining}
    near = fit.reduced_chisq <= ASSESSMENT.worse * max(best, 1.0)
    return fit.short_name in tied_names or (near and fit.weight >= EVIDENCE.weight_to_name)


def _says_another(best: ModelFit, fit: ModelFit) -> bool:
    """Whether a fit is another answer: none that has become the best model, or that shows less than it."""
    return not is_disguised(best, fit) and (_blind(best) or not shows_no_length(fit))


def is_overstated(result: FitResult) -> bool:
    """Whether the uncertainties are so much larger than the scatter that they hardly reject any model."""
    return result.fits[0].reduced_chisq * VERDICT.misstated**2 <= 1


def same_kind(result: FitResult, first: ModelFit, second: ModelFit) -> bool:
    """Whether two models are of one shape, or of one group that the network cannot tell apart."""
    if shape(first.model) == shape(second.model):
        return True
    groups = result.expected.groups if result.expected else ()
    return any({first.model, second.model} <= set(group.members) for group in groups)


def list_same_kind(result: FitResult) -> list[ModelFit]:
    """List fits as good as the best and of its kind."""
    return [fit for fit in as_good(result) if same_kind(result, result.fits[0], fit)]


def list_other_shapes(result: FitResult) -> list[ModelFit]:
    """List fits as good as the best that mean another sample."""
    return [fit for fit in as_good(result) if not same_kind(result, result.fits[0], fit)]


def find_simpler_shape(result: FitResult) -> ModelFit | None:
    """Nearest fit of another shape with fewer parameters that χ² does not reject, but its evidence does."""
    # Evidence decides between models of which one is right. Where the right one may be in no library, a model
    # of many parameters that fits is no proof against a simpler one that fits too.
    best = result.fits[0]
    if not is_stated(result.curve) or not small_chisq(result):
        return None

    def is_simpler(fit: ModelFit) -> bool:
        fewer = len(fit.free) < len(best.free) and explains(fit.reduced_chisq, len(result.curve))
        return fewer and not same_kind(result, best, fit) and not is_disguised(best, fit)

    return min(filter(is_simpler, result.fits[1:]), key=lambda fit: fit.reduced_chisq, default=None)


def is_disguised(best: ModelFit, fit: ModelFit) -> bool:
    """Whether a fit has become the best model: an ellipsoid of equal axes, a sum with next to no second, or
    the same particles with an interaction of which the data show nothing.
    """
    if fit.components and fit.components[-1].fraction < ASSESSMENT.negligible:
        return fit.components[0].name in (best.model, best.name) and not much_better(fit, best)
    if fit.model == best.model and best.structure_factor is None and fit.structure_factor is not None:
        shown = (name for name in fit.free if name not in best.parameters)
        return not any(shown) and not much_better(fit, best)
    return any(w.about is About.SIMPLER and w.model == best.name for w in fit.warnings)


def much_better(fit: ModelFit, best: ModelFit) -> bool:
    """Whether the data show what a fit has more, by the Bayesian information criterion."""
    more = max(len(fit.free) - len(best.free), 1)
    return best.chisq - fit.chisq > more * math.log(fit.theory.size)


def shows_no_length(fit: ModelFit) -> bool:
    """Whether the data show no length of a body: a coil without its size is a power law."""
    return _blind(fit) and not all(p.fixed for _, p in _lengths(fit))


def _blind(fit: ModelFit) -> bool:
    """Whether the data determine none of a fit's lengths."""
    return bool(_lengths(fit)) and not _shows_length(fit)


def _lengths(fit: ModelFit) -> list[tuple[str, Parameter]]:
    return [(k, p) for k, p in fit.parameters.items() if p.unit == "Ang" and bare(k) != "radius_effective"]


def _shows_length(fit: ModelFit) -> bool:
    """Whether the data determine one of its lengths."""
    long = find_lower_bounds(fit)
    return any(not p.fixed and is_determined(k, p) and k not in long for k, p in _lengths(fit))


def much_nearer(result: FitResult) -> ModelFit | None:
    """The fit that comes nearest, where the one that stands first is several times as far off."""
    least = nearest(result)
    return least if least.reduced_chisq * VERDICT.nearer < result.fits[0].reduced_chisq else None


def no_shape(result: FitResult) -> bool:
    """Whether models of so many kinds are as good that the data choose none; two, if they show no size."""
    kinds: list[ModelFit] = []
    for fit in list_other_shapes(result):
        if not any(same_kind(result, fit, kind) for kind in kinds):
            kinds.append(fit)
    return len(kinds) > START_VALUES.near_fits or (bool(kinds) and _shows_no_size(result.fits[0]))


def _shows_no_size(fit: ModelFit) -> bool:
    return shows_no_length(fit) and not is_upturn(fit.model)


def nearest(result: FitResult) -> ModelFit:
    """The fit of the least reduced χ², whatever its evidence."""
    return min(result.fits, key=lambda fit: fit.reduced_chisq)


def worth_showing(fits: Sequence[ModelFit]) -> tuple[ModelFit, ...]:
    """The fits that are worth a look: not far worse than the best of them."""
    least = min((fit.reduced_chisq for fit in fits), default=1.0)
    most = ASSESSMENT.hopeless * max(least, ASSESSMENT.negligible)
    return tuple(fit for fit in fits if fit is fits[0] or fit.reduced_chisq <= most)


def is_explained(result: FitResult) -> bool:
    """Whether the best fit explains the data to their errors, which is taken for granted if not verified."""
    return result.best is not None and (result.verification is None or result.verification.explained)


def small_chisq(result: FitResult) -> bool:
    """Whether χ² of the best fit is within its own scatter."""
    return explains(result.fits[0].reduced_chisq, len(result.curve))


def name_uncertainties(result: FitResult) -> str:
    """Whose uncertainties these are."""
    return "stated" if is_stated(result.curve) else "estimated"


def describe_error(result: FitResult) -> str:
    """The systematic error with which the best fit explains the data, in words; empty where none does."""
    # An error beside which the noise is still too large, or that no measurement has, excuses nothing.
    error = (result.verification and result.verification.systematic) or {}
    if not error.get("excuses", False):
        return ""
    extra = " and a background that changes along q" if error.get("background") else ""
    return f"a systematic error of {significant(100 * error['relative'], 2)} % of I{extra}"


def is_explained_within_error(result: FitResult) -> bool:
    """Whether the best fit explains the data, be it within such an error."""
    return is_explained(result) or bool(describe_error(result))


def only_within_error(result: FitResult) -> str:
    """`describe_error` where the best fit does not explain the data without one; else empty."""
    return "" if is_explained(result) and small_chisq(result) else describe_error(result)
