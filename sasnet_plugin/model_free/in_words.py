"""Numbers without a model in one line."""

from __future__ import annotations

from ..digits import significant, with_error
from .results import Guinier, Kratky, ModelFree, PairDistances, Peak, Refused, Slope

#: Relative error of a slope beyond which it is not worth a word.
_KNOWN = 0.25
#: Ratio from which on two radii of gyration contradict each other.
_APART = 1.2
#: q Rg of the first maximum of a sphere, 5.76 √(3/5), and of a thin shell, 4.49.
_FRINGE = 4.5
#: Height of the Kratky plot's maximum from which on a body is not compact: a sphere has 1.03.
_COMPACT = 1.2


def lines(found: ModelFree) -> tuple[str, ...]:
    """The numbers in one line, and a sentence where they do not go together."""
    return tuple(filter(None, (_line(found), _clusters(found))))


def _line(found: ModelFree) -> str:
    """Write Rg and I(0) or why there are none, the slope at the highest q, the first maximum."""
    # ``Without a model: Rg 49.2 ± 0.4 Å, I(0) 8.27 ± 0.03 (Guinier, q·Rg 0.30 to 2.5); slope −4.0 ± 0.1 at
    # the highest q.``
    said = [_guinier(found.guinier) if isinstance(found.guinier, Guinier) else _none(found)]
    if isinstance(found.high, Slope) and found.high.error < _KNOWN * abs(found.high.value):
        said.append(f"slope {with_error(found.high.value, found.high.error)} at the highest q")
    if found.peaks:
        said.append(_peak(found.peaks[0]))
    return f"Without a model: {'; '.join(said)}.".replace("slope -", "slope −")


def _guinier(found: Guinier) -> str:
    ends = f"{significant(found.qrg_min, 2)} to {significant(found.qrg_max, 2)}"
    left_out = f", without the first {found.left_out} points" if found.left_out else ""
    return (
        f"Rg {with_error(found.rg, found.rg_error)} Å, I(0) {with_error(found.i0, found.i0_error)}"
        f" (Guinier, q·Rg {ends}{left_out})"
    )


def _none(found: ModelFree) -> str:
    return f"no Guinier region: {getattr(found.guinier, 'reason', '')}"


def _peak(found: Peak) -> str:
    return f"maximum at q = {with_error(found.q, found.q_error)} Å⁻¹ (2π/q = {significant(found.d, 3)} Å)"


def _clusters(found: ModelFree) -> str:
    """Say that the particle is long or aggregates raise Rg, if the first maximum is of a smaller one."""
    own, kratky = found.guinier, found.kratky
    if not isinstance(own, Guinier) or not isinstance(kratky, Kratky) or not found.peaks:
        return ""
    first = found.peaks[0]
    rg = _FRINGE / first.q
    if not first.fringe or own.rg < _APART * rg or (kratky.peak_y or 0) < _COMPACT:
        return ""
    return (
        f"The first maximum, at q = {significant(first.q, 2)} Å⁻¹, belongs to a round particle with Rg"
        f" of about {significant(rg, 2)} Å, but Rg is larger. Either the particle is elongated, or"
        f" aggregates increase Rg."
    )


def distances(found: PairDistances | Refused) -> str:
    """p(r) in one line."""
    if isinstance(found, Refused):
        return f"No p(r): {found.reason}."
    return (
        f"Distances p(r): D_max {with_error(found.d_max, found.d_max_error)} Å,"
        f" Rg {with_error(found.rg, found.rg_error)} Å, I(0) {with_error(found.i0, found.i0_error)}."
    )


def contradiction(found: ModelFree, rg: float | None, error: float = 0.0) -> str:
    """Write a sentence if another Rg (the classifier's, Å) differs beyond both errors; else empty."""
    own = found.guinier
    if rg is None or not isinstance(own, Guinier) or max(rg / own.rg, own.rg / rg) < _APART:
        return ""
    if abs(rg - own.rg) < 2 * (own.rg_error**2 + error**2) ** 0.5:
        return ""
    return (
        f"The network's estimate of Rg, about {significant(rg, 2)} Å, contradicts the Guinier value,"
        f" {significant(own.rg, 3)} Å. Check the Guinier plot before you use either."
    )
