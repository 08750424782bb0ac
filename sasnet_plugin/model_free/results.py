"""What a curve says without a model: plain numbers, each with its error and with the range it comes from.

Named tuples: to make a frozen dataclass takes eight times as long, and every command would pay at its start.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from ..arrays import Floats
from ..digits import align_columns, format_with_error, significant

# --- What a curve says without a model: plain numbers, each with its error and with the range it
# --- comes from.


class Measured(Protocol):
    """A curve: see `sasnet_plugin.types.Curve`."""

    @property
    def q(self) -> Floats:
        """(n,) Å⁻¹, positive and ascending."""

    @property
    def intensity(self) -> Floats:
        """(n,) cm⁻¹ or arbitrary."""

    @property
    def dintensity(self) -> Floats | None:
        """(n,) one standard deviation."""

    @property
    def dq(self) -> Floats | None:
        """(n,) pinhole resolution, Å⁻¹."""

    @property
    def dxl(self) -> Floats | None:
        """(n,) slit half length, Å⁻¹."""

    @property
    def dxw(self) -> Floats | None:
        """(n,) slit half width, Å⁻¹."""


class Refused(NamedTuple):
    """Why there is no such number; false, so that ``if curve.guinier():`` asks whether there is one."""

    reason: str  #: A phrase without a full stop.

    def __bool__(self) -> bool:
        return False

    def as_dict(self) -> dict[str, Any]:
        return {"refused": self.reason}


class Guinier(NamedTuple):
    """Radius of gyration and forward intensity from the lowest q."""

    #: rg, rg_error: Å. The error holds noise and what the unknown shape may do to the value, one standard
    #: deviation.
    rg: float
    rg_error: float
    #: i0, i0_error: I(q → 0), in the unit of the intensity, the background subtracted.
    i0: float
    i0_error: float
    #: q_min, q_max: range used, Å⁻¹.
    q_min: float
    q_max: float
    points: int  #: Used.
    #: qrg_min, qrg_max: q Rg at its ends.
    qrg_min: float
    qrg_max: float
    #: κ₄, the coefficient of (q Rg)⁴ in ln I: −1/126 for a sphere, 1/36 for a Gaussian coil.
    curvature: float
    reduced_chisq: float
    left_out: int = 0  #: Points below the range, which do not lie on it.
    background: float = 0.0  #: Flat one that the highest q show, subtracted before; 0 where they show none.
    terms: tuple[float, ...] = ()  #: κ₄, κ₆, … of the curve that was fitted.

    def __repr__(self) -> str:
        return _table(self)

    def log_intensity(self, q: Floats) -> Floats:
        """ln I of the curve that was fitted, at q in Å⁻¹, without its smearing."""
        v = (q * self.rg) ** 2
        line: Floats = math.log(self.i0) - v / 3 + sum(k * v**n for n, k in enumerate(self.terms, start=2))
        return line


class Slope(NamedTuple):
    """d ln I / d ln q of a part of the curve."""

    #: value, error: one standard deviation, curvature and fringes of the part included.
    value: float
    error: float
    #: q_min, q_max: Å⁻¹.
    q_min: float
    q_max: float
    points: int

    def __repr__(self) -> str:
        return _table(self)


class Porod(NamedTuple):
    """Highest q: I = A q⁻ᵖ + B, and Porod's constant where p is 4."""

    #: exponent, exponent_error: p with a flat background allowed for.
    exponent: float
    exponent_error: float
    #: constant, constant_error: K of I = K q⁻⁴ + B, (unit of intensity) Å⁻⁴: 2π Δρ² S/V; None where p is not
    #: 4.
    constant: float | None
    constant_error: float | None
    #: background, background_error: B, in the unit of the intensity.
    background: float
    background_error: float
    #: q_min, q_max: Å⁻¹.
    q_min: float
    q_max: float
    points: int

    def __repr__(self) -> str:
        return _table(self)


class Plateau(NamedTuple):
    """A part of the curve that is level."""

    #: level, error: in the unit of the intensity.
    level: float
    error: float
    #: q_min, q_max: Å⁻¹.
    q_min: float
    q_max: float
    points: int

    def __repr__(self) -> str:
        return _table(self)


class Peak(NamedTuple):
    """A maximum of I(q) between two minima, or between the lowest q and a minimum."""

    #: q, q_error: Å⁻¹.
    q: float
    q_error: float
    #: d, d_error: 2π/q, Å: a distance if it is a peak of order, not if it is a fringe.
    d: float
    d_error: float
    width: float  #: Full width at half of its height above the higher one of the two minima, Å⁻¹.
    intensity: float  #: There.
    #: It may be one: it stands lower than the curve at smaller q and is as wide as fringes of single bodies,
    #: so that d need be no distance.
    fringe: bool

    def __repr__(self) -> str:
        return _table(self)


class Kratky(NamedTuple):
    """The dimensionless Kratky plot, (q Rg)² I / I(0) against q Rg."""

    x: Floats  #: (n,), q Rg.
    #: y, dy: (n,), (q Rg)² I / I(0), the background of `Guinier` subtracted, and its standard deviation.
    y: Floats
    dy: Floats
    #: peak_x, peak_y: first maximum; a compact body has it at √3 with 3/e, a chain rises to a plateau near 2
    #: and has none.
    peak_x: float | None
    peak_y: float | None

    def __repr__(self) -> str:
        return _table(self)


class PairDistances(NamedTuple):
    """How often each distance occurs between two points of a body, weighted with their contrasts."""

    d_max: float  #: Largest distance, Å.
    d_max_error: float  #: One standard deviation.
    #: rg, rg_error: Å; half of the mean of r² over p(r) is Rg².
    rg: float
    rg_error: float
    #: i0, i0_error: integral of p(r), in the unit of the intensity.
    i0: float
    i0_error: float
    r: Floats  #: (n,), Å, from 0 to two standard deviations beyond the largest distance.
    #: p, p_error: (n,), (unit of the intensity) / Å, and one standard deviation, that of D included.
    p: Floats
    p_error: Floats
    #: q_min, q_max: range used, Å⁻¹.
    q_min: float
    q_max: float
    points: int  #: Used, after neighbours of many were averaged.
    reduced_chisq: float

    def __repr__(self) -> str:
        return _table(self)

    def as_dict(self) -> dict[str, Any]:
        columns = {name: [float(f"{x:.4g}") for x in getattr(self, name)] for name in ("r", "p", "p_error")}
        return round_values(self._asdict() | columns)


class ModelFree(NamedTuple):
    """All that a curve says without a model."""

    guinier: Guinier | Refused
    #: low, high: of the lowest and the highest q.
    low: Slope | Refused
    high: Slope | Refused
    porod: Porod | Refused
    plateau: Plateau | Refused  #: The widest one.
    peaks: tuple[Peak, ...]  #: By rising q.
    kratky: Kratky | Refused

    def __repr__(self) -> str:
        return _table(self)

    def as_dict(self) -> dict[str, Any]:
        """As ``--json`` prints it under ``model_free``."""
        names = {"low": "low_slope", "high": "high_slope"}
        return {
            names.get(name, name): list(map(_serialise, part)) if name == "peaks" else _serialise(part)
            for name, part in self._asdict().items()
        }


def _serialise(part: Any) -> dict[str, Any]:
    """A part for JSON, without its points."""
    if isinstance(part, Refused):
        return part.as_dict()
    return round_values({name: value for name, value in part._asdict().items() if name not in _POINTS})


_POINTS = frozenset({"terms", "x", "y", "dy"})


def round_values(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers with six significant digits."""
    return {key: float(f"{x:.6g}") if isinstance(x, float) else x for key, x in values.items()}


#: Quantity, value with its error and unit, and where it comes from.
Row = tuple[str, str, str]


def _table(part: Any) -> str:
    """A number without a model, or all of them, as a short table."""
    return "\n".join([f"{type(part).__name__}:", *align_columns(_rows(part))])


def _rows(part: Any) -> list[Row]:
    return _ROWS[type(part)](part)


def _range(part: Any) -> str:
    return f"q {significant(part.q_min, 3)} to {significant(part.q_max, 3)} Å⁻¹, {part.points} points"


def _guinier(part: Guinier) -> list[Row]:
    return [
        ("Rg (Guinier)", f"{format_with_error(part.rg, part.rg_error)} Å", _range(part)),
        ("I(0)", format_with_error(part.i0, part.i0_error), ""),
        ("q·Rg", f"{significant(part.qrg_min, 2)} to {significant(part.qrg_max, 2)}", ""),
    ]


def _slope(part: Slope, name: str = "slope") -> list[Row]:
    return [(name, format_with_error(part.value, part.error), _range(part))]


def _porod(part: Porod) -> list[Row]:
    rows = [("Porod exponent", format_with_error(part.exponent, part.exponent_error), _range(part))]
    if part.constant is not None:
        rows.append(("Porod constant", format_with_error(part.constant, part.constant_error), "times Å⁻⁴"))
    return [*rows, ("flat background", format_with_error(part.background, part.background_error), "")]


def _plateau(part: Plateau) -> list[Row]:
    return [("plateau", format_with_error(part.level, part.error), _range(part))]


def _peak(part: Peak) -> list[Row]:
    distance = f"2π/q = {format_with_error(part.d, part.d_error)} Å"
    fringe = ", perhaps a form-factor fringe" if part.fringe else ""
    return [("maximum", f"q = {format_with_error(part.q, part.q_error)} Å⁻¹", f"{distance}{fringe}")]


def _kratky(part: Kratky) -> list[Row]:
    if part.peak_x is None or part.peak_y is None:
        return [("Kratky plot", "no maximum", "")]
    place = f"at q·Rg = {significant(part.peak_x, 3)}"
    return [("Kratky maximum", significant(part.peak_y, 3), f"{place}; compact particle: 1.10 at 1.73")]


def _distances(part: PairDistances) -> list[Row]:
    return [
        ("D_max", f"{format_with_error(part.d_max, part.d_max_error)} Å", _range(part)),
        ("Rg from p(r)", f"{format_with_error(part.rg, part.rg_error)} Å", ""),
        ("I(0) from p(r)", format_with_error(part.i0, part.i0_error), ""),
        ("reduced χ²", significant(part.reduced_chisq, 3), ""),
    ]


def _refused(part: Refused) -> list[Row]:
    return [("none", part.reason, "")]


def _all(part: ModelFree) -> list[Row]:
    rows = _named("Rg (Guinier)", part.guinier)
    rows += _named("slope at the lowest q", part.low)
    rows += _named("slope at the highest q", part.high)
    rows += _named("Porod exponent", part.porod) + _named("plateau", part.plateau)
    rows += [row for peak in part.peaks for row in _peak(peak)] or [("maximum", "none", "")]
    return rows + _named("Kratky plot", part.kratky)


def _named(name: str, part: Any) -> list[Row]:
    """The rows of a part, or why it has no number; a slope with its place."""
    if isinstance(part, Refused):
        return [(name, "none", part.reason)]
    return _slope(part, name) if isinstance(part, Slope) else _rows(part)


#: How the rows of each kind of number are made.
_ROWS: Mapping[type, Callable[[Any], list[Row]]] = MappingProxyType(
    {
        Guinier: _guinier,
        Slope: _slope,
        Porod: _porod,
        Plateau: _plateau,
        Peak: _peak,
        Kratky: _kratky,
        PairDistances: _distances,
        Refused: _refused,
        ModelFree: _all,
    }
)


# --- Numbers without a model in one line.

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
        _say_guinier(model_free.guinier) if isinstance(model_free.guinier, Guinier) else _none(model_free)
    ]
    if isinstance(model_free.high, Slope) and model_free.high.error < _KNOWN * abs(model_free.high.value):
        sentences.append(
            f"slope {format_with_error(model_free.high.value, model_free.high.error)} at the highest q"
        )
    if model_free.peaks:
        sentences.append(_say_peak(model_free.peaks[0]))
    return f"Without a model: {'; '.join(sentences)}.".replace("slope -", "slope −")


def _say_guinier(guinier: Guinier) -> str:
    ends = f"{significant(guinier.qrg_min, 2)} to {significant(guinier.qrg_max, 2)}"
    left_out = f", without the first {guinier.left_out} points" if guinier.left_out else ""
    return (
        f"Rg {format_with_error(guinier.rg, guinier.rg_error)} Å, I(0)"
        f" {format_with_error(guinier.i0, guinier.i0_error)}"
        f" (Guinier, q·Rg {ends}{left_out})"
    )


def _none(model_free: ModelFree) -> str:
    return f"no Guinier region: {getattr(model_free.guinier, 'reason', '')}"


def _say_peak(peak: Peak) -> str:
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
