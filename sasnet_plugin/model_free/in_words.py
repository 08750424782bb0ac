"""Numbers without a model in one line."""

from __future__ import annotations

from ..digits import format_with_error, significant
from .results import Guinier, Kratky, ModelFree, PairDistances, Peak, Refused, Slope

#: Relative error of a slope beyond which it is not worth a word.
_KNOWN = 0.25
#: Ratio from which on two radii of gyration contradict each other.
_APART = 1.2
#: q Rg of the first maximum of a sphere, 5.76 √(3/5), and of a thin shell, 4.49.
_FRINGE = 4.5
#: Height of the Kratky plot's maximum from which on a body is not compact: a sphere has 1.03.
_COMPACT = 1.2


def lines(model_free: ModelFree) -> tuple[str, ...]:
    """The numbers in one line, and a sentence where they do not go together."""
    return tuple(filter(None, (_line(model_free), _clusters(model_free))))


def _line(model_free: ModelFree) -> str:
    """Write Rg and I(0) or why there are none, the slope at the highest q, the first maximum."""
    # ``Without a model: Rg 49.2 ± 0.4 Å, I(0) 8.27 ± 0.03 (Guinier, q·Rg 0.30 to 2.5); slope −4.0 ± 0.1 at
    # the highest q.``
    sentences = [
        _guinier(model_free.guinier) if isinstance(model_free.guinier, Guinier) else _none(model_free)
    ]
    if isinstance(model_free.high, Slope) and model_free.high.error < _KNOWN * abs(model_free.high.value):
        sentences.append(
            f"slope {format_with_error(model_free.high.value, model_free.high.error)} at the highest q"
        )
    if model_free.peaks:
        sentences.append(_peak(model_free.peaks[0]))
    return f"Without a model: {'; '.join(sentences)}.".replace("slope -", "slope −")


def _guinier(guinier: Guinier) -> str:
    ends = f"{significant(guinier.qrg_min, 2)} to {significant(guinier.qrg_max, 2)}"
    left_out = f", without the first {guinier.left_out} points" if guinier.left_out else ""
    return (
        f"Rg {format_with_error(guinier.rg, guinier.rg_error)} Å, I(0)"
        f" {format_with_error(guinier.i0, guinier.i0_error)}"
        f" (Guinier, q·Rg {ends}{left_out})"
    )


def _none(model_free: ModelFree) -> str:
    return f"no Guinier region: {getattr(model_free.guinier, 'reason', '')}"


def _peak(peak: Peak) -> str:
    return f"maximum at q = {format_with_error(peak.q, peak.q_error)} Å⁻¹ (2π/q = {significant(peak.d, 3)} Å)"


def _clusters(model_free: ModelFree) -> str:
    """Say that the particle is long or aggregates raise Rg, if the first maximum is of a smaller one."""
    guinier, kratky = model_free.guinier, model_free.kratky
    if not isinstance(guinier, Guinier) or not isinstance(kratky, Kratky) or not model_free.peaks:
        return ""
    first = model_free.peaks[0]
    rg = _FRINGE / first.q
    if not first.fringe or guinier.rg < _APART * rg or (kratky.peak_y or 0) < _COMPACT:
        return ""
    return (
        f"The first maximum, at q = {significant(first.q, 2)} Å⁻¹, belongs to a round particle with Rg"
        f" of about {significant(rg, 2)} Å, but Rg is larger. Either the particle is elongated, or"
        f" aggregates increase Rg."
    )


def distances(pair_distances: PairDistances | Refused) -> str:
    """p(r) in one line."""
    if isinstance(pair_distances, Refused):
        return f"No p(r): {pair_distances.reason}."
    return (
        f"Distances p(r): D_max {format_with_error(pair_distances.d_max, pair_distances.d_max_error)} Å,"
        f" Rg {format_with_error(pair_distances.rg, pair_distances.rg_error)} Å, I(0)"
        f" {format_with_error(pair_distances.i0, pair_distances.i0_error)}."
    )


def contradiction(model_free: ModelFree, rg: float | None, error: float = 0.0) -> str:
    """Write a sentence if another Rg (the classifier's, Å) differs beyond both errors; else empty."""
    guinier = model_free.guinier
    if rg is None or not isinstance(guinier, Guinier) or max(rg / guinier.rg, guinier.rg / rg) < _APART:
        return ""
    if abs(rg - guinier.rg) < 2 * (guinier.rg_error**2 + error**2) ** 0.5:
        return ""
    return (
        f"The network's estimate of Rg, about {significant(rg, 2)} Å, contradicts the Guinier value,"
        f" {significant(guinier.rg, 3)} Å. Check the Guinier plot before you use either."
    )
