"""Answers of heads that estimate, values and distributions; and the answer that holds those of all heads."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..digits import NORMAL_90, format_with_error, significant
from ..domains import Finding
from ..domains.heads import Distribution, Quantities, Scope
from ..units import QUnit
from .arithmetic import Floats
from .classes import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_EIGHTHS = " ▁▂▃▄▅▆▇█"
#: From this p value on a uniform distribution is not ruled out.
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Value:
    """One number of an answer.

    Parameters
    ----------
    error : float
        One standard deviation.
    low, high : float
        Ends of the 90 % band.
    """

    value: float
    error: float
    low: float
    high: float
    unit: str


#: What a fit of a pattern gives beside the quantities of its network.
_FITTED = {
    "alpha_i": "angle of incidence, as stated and its misalignment",
    "wavelength": "as stated",
    "diffuse_alpha": "length over which the decaying background falls upwards",
    "diffuse_phi": "half width of the decaying background across",
}


#: Significant digits of what ``--json`` says of a value, by the kind of its interval.
_DIGITS = {"error": {"value": 6, "error": 3}, "band": {"value": 5, "low": 5, "high": 5}}


@dataclass(frozen=True)
class QuantitiesFinding(Finding):
    """Values with their uncertainties.

    Parameters
    ----------
    values : mapping of str to Value or None
        By parameter; None where it is not known well enough to be given.
    """

    head: Quantities
    values: Mapping[str, Value | None]

    def as_dict(self) -> dict[str, Any]:
        """Each value with its interval under the head's name; without intervals, the values alone."""
        if not self.head.interval:
            return {k: None if v is None else float(f"{v.value:.3g}") for k, v in self.values.items()}
        digits = _DIGITS[self.head.interval]
        return {
            self.head.name: {
                name: {key: float(f"{getattr(v, key):.{n}g}") for key, n in digits.items()} | {"unit": v.unit}
                for name, v in self.present_values.items()
            }
        }

    @property
    def present_values(self) -> dict[str, Value]:
        """The values that are given."""
        return {name: value for name, value in self.values.items() if value is not None}

    def rows(self) -> Sequence[Sequence[str]]:
        """A row for each value; without intervals there is no table."""
        if not self.head.interval or not self.present_values:
            return ()
        meaning = _FITTED | {parameter.name: parameter.text for parameter in self.head.parameters}
        numbers, titles = _format_with_band, ["value", "90 % band"]
        if self.head.interval == "error":
            numbers, titles = _format_with_error, ["value"]
        rows = ([name, *numbers(v), v.unit, meaning.get(name, "")] for name, v in self.present_values.items())
        return [["quantity", *titles, "unit", "meaning"], *rows]

    def sentences(self) -> Sequence[str]:
        """Values that stand in no table."""
        if self.head.interval:
            return ()
        text = {parameter.name: parameter.text or parameter.name for parameter in self.head.parameters}
        rounded = {name: float(f"{v.value:.2g}") for name, v in self.present_values.items()}
        return [
            f"{text[name].capitalize()} about {rounded[name]:g} {v.unit}."
            for name, v in self.present_values.items()
        ]

    def draw(self, axes: Axes) -> None:
        """Each value with its interval, over the range that it was trained with."""
        places = {parameter.name: parameter for parameter in self.head.parameters}
        placed = [(places[name], v) for name, v in self.present_values.items() if name in places]
        for row, (parameter, v) in enumerate(placed):
            positions = [
                float(np.clip((parameter.scale_value(x) / math.sqrt(12)) + 0.5, -0.05, 1.05))
                for x in (v.value, v.low, v.high)
            ]
            axes.plot(positions[1:], [row, row], color="C0", linewidth=4, alpha=0.35, solid_capstyle="butt")
            axes.plot(positions[0], row, "o", color="C0", markersize=4)
            number = format_with_error(v.value, v.error) if self.head.interval == "error" else _band(v)
            axes.text(1.08, row, f"{number} {v.unit}", va="center", fontsize=8, parse_math=False)
        axes.set_yticks(range(len(placed)), [parameter.name for parameter, _ in placed], fontsize=8)
        axes.invert_yaxis()
        axes.set_xlim(-0.05, 1.45)
        axes.set_xticks([0, 1], ["least", "largest"])
        axes.set_xlabel("value and 90 % band over the trained range")

    def silence(self) -> QuantitiesFinding:
        """Nothing is said."""
        return replace(self, values={})


@dataclass(frozen=True)
class DistributionFinding(Finding):
    """How an angle is distributed.

    Parameters
    ----------
    p, p_low, p_high : (bins,) arrays
        Share of each angle and the ends of its 90 % band.
    uniform_p_value : float
        Share of samples with every angle alike whose answer is as far from it; NaN where that is not known.
    mirror : (bins,) array or None
        The mirror solution where the data cannot exclude it.
    """

    head: Distribution
    p: Floats
    p_low: Floats
    p_high: Floats
    uniform_p_value: float = math.nan
    mirror: Floats | None = None

    @property
    def grid(self) -> Floats:
        """(bins,) angles, degrees."""
        return self.head.grid

    def as_dict(self) -> dict[str, Any]:
        """``distribution`` and ``uniform_p_value``."""
        return {
            "distribution": {
                f"{self.head.name}_deg": [round(float(x), 4) for x in self.grid],
                **{key: [float(f"{x:.5g}") for x in getattr(self, key)] for key in ("p", "p_low", "p_high")},
            },
            "uniform_p_value": finite(self.uniform_p_value),
        }

    def rows(self) -> Sequence[Sequence[str]]:
        """No table: see `line`."""
        return ()

    def line(self, width: int = 60) -> str:
        """The shares as characters, and what they are."""
        if not math.isfinite(self.uniform_p_value):
            return ""
        parts = self.p.reshape(min(width, self.p.size), -1).sum(axis=1)
        top = float(parts.max()) or 1.0
        bars = "".join(_EIGHTHS[math.ceil((len(_EIGHTHS) - 1) * max(float(x), 0.0) / top)] for x in parts)
        return f"{bars}  p({self.symbol}), {self.symbol} 0 to {self.head.period:g} degrees"

    @property
    def symbol(self) -> str:
        """The angle in print."""
        return {"xi": "ξ", "phi": "φ", "psi": "ψ", "chi": "χ"}.get(self.head.name, self.head.name)

    def sentences(self) -> Sequence[str]:
        """How much lies at which angle, and whether every angle may be alike."""
        if not math.isfinite(self.uniform_p_value):
            return ()
        period = float(self.head.period)
        peaks_text = in_words(peaks(self.grid, self.p, self.p_low, self.p_high, period), period)
        verdict = "may all be alike" if self.uniform_p_value > SIGNIFICANT else "are not all alike"
        text = f"The angles {verdict}: p = {significant(self.uniform_p_value, 3)} for a uniform distribution."
        return (peaks_text, text) if peaks_text and self.uniform_p_value <= SIGNIFICANT else (text,)

    def draw(self, axes: Axes) -> None:
        """The shares with their band, and a line where every angle is alike."""
        axes.fill_between(self.grid, self.p_low, self.p_high, color="0.8", label="90 % band", step="mid")
        axes.step(self.grid, self.p, where="mid", label=f"p({self.symbol})")
        if self.mirror is not None:
            axes.plot(self.grid, self.mirror, "--", color="C1", linewidth=1.1, label="mirror")
        axes.axhline(1 / self.p.size, color="0.6", linewidth=0.8, linestyle="--")
        # Where nothing is said the band goes to 1.
        axes.set(xlim=(0, self.head.period), ylim=(0, 1.3 * float(self.p.max()) + 0.02))
        axes.set(xlabel=f"{self.symbol} / degrees", ylabel="share")
        axes.legend(fontsize="small")

    def silence(self) -> DistributionFinding:
        """Any distribution may be."""
        even = np.full_like(self.p, 1 / self.p.size)
        return replace(
            self,
            p=even,
            p_low=np.zeros_like(even),
            p_high=np.ones_like(even),
            uniform_p_value=math.nan,
            mirror=None,
        )


def _band(v: Value) -> str:
    return f"{significant(v.low, 3)} to {significant(v.high, 3)}"


def _format_with_band(v: Value) -> list[str]:
    return [significant(v.value, 3), _band(v)]


def _format_with_error(v: Value) -> list[str]:
    return [format_with_error(v.value, v.error)]


def finite(value: float) -> float | None:
    """A number as JSON has it: rounded, and None where it is none."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _new(notes: Sequence[str], sentences: Sequence[str]) -> list[str]:
    """Notes, each once, that none of some sentences ends in."""
    ends = [end.casefold() for end in sentences]
    return [n for n in dict.fromkeys(notes) if not any(end.endswith(n.casefold()) for end in ends)]


F = TypeVar("F")


@dataclass(frozen=True)
class Answer:
    """What is said of one measurement.

    Parameters
    ----------
    in_scope : float
        0..1; how much it looks like anything that the network knows.
    findings : tuple of Finding
        In the order of the domain's heads.
    notes : tuple of str
        What was done to the data and what to be careful about, one plain sentence each.
    known : bool
        Whether `in_scope` is above the model's threshold.
    q_unit : QUnit or None
        Of a curve: in which unit q was read.
    keys : tuple of str
        Entries of ``--json`` in their order, None where there is no such finding; empty: as they come.
    unsaid : tuple of Finding
        What would have been said were it known, where nothing is: a verification may begin there.
    caution : str
        Why the likeliest answer may be wrong; also one of the notes.
    has_scope : bool
        Whether the network assesses `in_scope`; else it is 1 unless the measurement itself rules it out.
    """

    file: str
    entry: str
    in_scope: float
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    scope: Scope = Scope()
    known: bool = True
    keys: tuple[str, ...] = ()
    q_unit: QUnit | None = None
    unsaid: tuple[Finding, ...] = ()
    has_scope: bool = True
    caution: str = ""

    @property
    def assessed_scope(self) -> float | None:
        """`in_scope`; None where the network does not assess it."""
        return float(self.in_scope) if self.has_scope or not self.known else None

    def as_dict(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        description: dict[str, Any] = {"file": self.file, "entry": self.entry}
        if self.q_unit is not None:
            description["q_unit"] = self.q_unit.as_dict()
        for finding in self.findings:
            description |= finding.as_dict()
        share = self.assessed_scope
        description |= {
            "in_scope": None if share is None else round(share, 6),
            "notes": list(dict.fromkeys(self.notes)),
        }
        return {key: description.get(key) for key in self.keys} if self.keys else description

    def finding(self, kind: type[F], name: str = "") -> F | None:
        """The first finding of a type, and of a head of this name."""
        for finding in self.findings:
            if isinstance(finding, kind) and name in ("", finding.head.name):  # type: ignore[attr-defined]
                return finding
        return None

    @property
    def doubts(self) -> int:
        """How many of the sentences come before the numbers: on the unit of q, and on the scope."""
        return bool(self.q_unit and self.q_unit.doubt) + (not self.known)

    def sentences(self) -> list[str]:
        """What is said around the tables: doubts, verdict, scope, the rest, and the other notes."""
        first, notes = self.sentences_and_notes()
        return [*first, *(f"Note: {note}" for note in notes)]

    def sentences_and_notes(self) -> tuple[list[str], list[str]]:
        """Doubts, verdict, scope and the rest; and the notes that none of these says already."""
        sentence_lists = [list(finding.sentences()) for finding in self.findings]
        unit = self.q_unit.doubt if self.q_unit is not None else ""
        headlines = [getattr(one_finding, "headline", "") for one_finding in self.findings]
        first = [
            *filter(None, (unit, *headlines)),
            *self._describe_scope(next(iter(sentence_lists), [])),
        ]
        first += [f"Caution: {self.caution}"] if self.caution else []
        first += itertools.chain.from_iterable(sentence_lists[1:])
        return first, _new(self.notes, first)

    def _describe_scope(self, verdict: Sequence[str]) -> list[str]:
        """The verdict and whether it can be believed; without a verdict of its own a finding is silent."""
        if self.known:
            share = self.assessed_scope
            return [*verdict, *([] if share is None else [f"{self.scope.inside}: {percent(share)}."])]
        inner = [
            sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence
            for sentence in verdict
        ]
        if self.findings and getattr(self.findings[0], "is_other", False):
            inner = []
        return [
            self.scope.outside,
            *(f"If it is one of the known kinds all the same: {sentence}" for sentence in inner),
        ]


#: A peak is one of its own where the minimum to the next is below this share of its height.
_SADDLE = 0.5
#: Least share of a peak that is named, and of the floor below all.
_LEAST = 0.05


@dataclass(frozen=True)
class Peak:
    """Angles about one."""

    angle: float  #: Mean, degrees.
    #: share, error: of all, above the floor, with one standard deviation.
    share: float
    error: float


def peaks(grid: Floats, p: Floats, p_low: Floats, p_high: Floats, period: float) -> list[Peak]:
    """Find peaks of a periodic distribution (angles in degrees, shares and 90 % band), the largest first."""
    # Each bin belongs to its peak by steepest ascent; one without a minimum before a higher one is part of
    # that.
    count = p.size
    smooth = (np.roll(p, 1) + 2 * p + np.roll(p, -1)) / 4
    floor = float(smooth.min())
    above = np.maximum(p - floor, 0.0)
    home = np.arange(count)
    for _ in range(count):
        around = np.stack([smooth[(home - 1) % count], smooth[home], smooth[(home + 1) % count]])
        moved = (home + np.argmax(around, axis=0) - 1) % count
        if np.array_equal(moved, home):
            break
        home = moved
    tops = sorted(set(home.tolist()), key=lambda top: -smooth[top])
    for top in tops[::-1]:  # the lowest first
        higher = [other for other in tops if smooth[other] > smooth[top] and np.any(home == other)]
        saddles = {other: _saddle(smooth, top, other) for other in higher}
        if not saddles:
            continue
        nearest = max(saddles, key=lambda other: saddles[other])
        if saddles[nearest] - floor > _SADDLE * (smooth[top] - floor) or above[home == top].sum() < _LEAST:
            home[home == top] = nearest
    found = []
    for top in sorted(set(home.tolist())):
        mine = home == top
        share = float(above[mine].sum())
        turn = 2 * np.pi * (grid[mine] - grid[top]) / period
        offset = np.angle(np.sum(above[mine] * np.exp(1j * turn))) * period / (2 * np.pi)
        spread = (p_high[mine] - p_low[mine]) / 2 / NORMAL_90
        found.append(Peak(float((grid[top] + offset) % period), share, float(np.sqrt(np.sum(spread**2)))))
    return sorted((peak for peak in found if peak.share >= _LEAST), key=lambda peak: -peak.share)


def _saddle(smooth: Floats, a: int, b: int) -> float:
    """The lowest value on the way from one bin to another, the shorter of the two ways."""
    low, high = sorted((a, b))
    return float(max(smooth[low : high + 1].min(), np.concatenate([smooth[high:], smooth[: low + 1]]).min()))


def in_words(found: list[Peak], period: float) -> str:
    """Say "70 % at 0°, 30 % at 30° (± 1 %)"; what lies at no peak is spread over all angles."""
    rest = 1 - sum(peak.share for peak in found)
    parts = [f"{100 * peak.share:.0f} % at {round(peak.angle, 0) % period:g}°" for peak in found]
    if rest >= _LEAST:
        parts.append(f"{100 * rest:.0f} % at every angle alike")
    error = max((peak.error for peak in found), default=0.0)
    return f"{', '.join(parts)} (± {max(100 * error, 1):.0f} %)." if found else ""
