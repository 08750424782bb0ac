"""What is said beside the numbers of an inversion: verdict, limits of the data, ends of ranges."""

from __future__ import annotations

from ....digits import significant
from ....predict.arithmetic import circular_w1
from ..simulation.geometry import PERIOD
from .counts import Counts
from .forward import Refined
from .information import MirrorAmbiguity
from .parameters import INDEX, PARAMETERS, Parameter
from .posterior import Posterior
from .settings import INVERSION
from .verify import Verification

#: Said where the bound on geometries ended the search.
CUT = "The search ended before all films were tried; the true film may differ by more than its error."


def notes_of(
    checked: Verification,
    mirror: MirrorAmbiguity,
    alike: float,
    modes: float,
    posterior: Posterior,
    refined: Refined,
    counts: Counts,
    cut: bool,
) -> tuple[str, ...]:
    if checked.in_scope < 0.5:
        return (checked.sentence,)
    sentences = [
        checked.sentence,
        mirror.sentence,
        f"The data determine about {modes:.0f} of the 119 modes of p(ξ).",
    ]
    if alike > INVERSION.not_uniform:
        sentences.append(f"A uniform distribution is not excluded (p = {significant(alike, 2)}).")
    free = refined.weights / max(float(refined.weights.sum()), 1e-300)
    apart = float(circular_w1(free, posterior.samples.p.mean(axis=0), PERIOD))
    sentences.append(f"Without a prior for p(ξ) the fit differs by {apart:.1f} degrees.")
    sentences += _end_sentences(posterior)
    if cut:
        sentences.append(CUT)
    sentences.append(_counts_sentence(counts))
    return tuple(sentences)


def list_at_ends(posterior: Posterior) -> tuple[str, ...]:
    """Names of quantities that stand at an end of the range of the prior, or beyond: nothing was measured."""
    # What blurs or spreads may be nothing at all: at 0 it is a measurement.
    rows = zip(PARAMETERS, posterior.inner, posterior.error, strict=True)
    return tuple(parameter.name for parameter, inner, error in rows if _is_at_end(parameter, inner, error))


def _is_at_end(parameter: Parameter, inner: float, error: float) -> bool:
    low, high = parameter.limits()
    first, last = (parameter.inner(x) for x in parameter.prior.limits())
    bounded = parameter.prior.share >= 1 and parameter.scale != "square"
    near = min(float(error), 0.02 * (high - low))
    return bool(inner > last - near or (bounded and inner < first + near))


def _end_sentences(posterior: Posterior) -> list[str]:
    sentences = []
    for name in list_at_ends(posterior):
        parameter = PARAMETERS[INDEX[name]]
        value = parameter.value(float(posterior.inner[INDEX[name]]))
        low, high = (f"{x:g}" for x in parameter.prior.limits())
        unit = f" {parameter.unit}" if parameter.unit else ""
        sentences.append(
            f"{name} is at {significant(value, 3)}{unit}, the end of the trained range ({low} to"
            f" {high}{unit}); it was not measured, and the true value may lie outside."
        )
    return sentences


def _counts_sentence(counts: Counts) -> str:
    counts_off_rod = counts.y[counts.rotation_mask].sum()
    return (
        f"{significant(counts.y.sum(), 3)} counts in the analysed range; {significant(counts_off_rod, 3)} of"
        f" them are more than 0.1 degrees from the specular rod and carry the information on rotation."
    )
