"""Whether a curve can be assessed: its points, its uncertainties and its q range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Floats
from ..data.no_structure import constant, level, simple_shape
from ..data.raw import points
from ..digits import format_rounded
from ..domains import Seen
from ..domains.heads import Parameter
from ..noise import estimate_dintensity
from ..types import Curve, DataError
from .findings import QuantitiesFinding, Value

#: Of a curve that a simple shape explains, after its name.
NO_MODEL = "; such data hardly distinguish models, even if a probability is high."
UNINFORMATIVE = "A power law plus a constant fits this curve within its uncertainties" + NO_MODEL
FEW_POINTS = 25
#: Largest change of an uncertainty by rounding it to one digit.
_ROUNDING = 0.2


def check_curve(curve: Curve, inputs: Mapping[str, Any]) -> Seen:
    """Return the curve with notes on points outside the trained range (``q_range`` of the manifest, Å⁻¹), few
    points, or estimated uncertainties. Raises DataError for points out of order, not finite, or negative
    uncertainties.
    """
    # Files are tidied on reading, arrays are not, and the grid needs order.
    name = curve.file or "the curve"
    if not (_ascends(curve.q) and np.all(np.isfinite(curve.intensity))):
        raise DataError(
            f"{name}: q must be positive and ascending, and q and intensity finite;"
            " sort the points and remove the others."
        )
    if curve.dintensity is not None and not np.all(curve.dintensity >= 0):
        raise DataError(
            f"{name}: dintensity must be a number, not negative, at each point;"
            " remove the other points, or omit dintensity to have it estimated."
        )
    low, high = inputs["q_range"]
    return Seen(curve, tuple(_notes(curve, (low, high))))


def _notes(curve: Curve, q_range: tuple[float, float]) -> list[str]:
    notes = list(curve.notes)
    total = len(curve)
    inside = int(np.count_nonzero((curve.q >= q_range[0]) & (curve.q <= q_range[1])))
    if inside < total:
        notes.append(
            f"{total - inside} of {total} points are outside the trained q range"
            f" ({q_range[0]:g} to {q_range[1]:g} Å⁻¹) and were not used."
        )
    if inside < FEW_POINTS:
        notes.append(f"Only {inside} points were used, so the probabilities are less reliable.")
    if curve.dintensity is None and not any("estimated" in note for note in curve.notes):
        notes.append("No uncertainties were given; they were estimated from the scatter of the points.")
    return [*notes, *_doubts(curve, q_range)]


def is_flag(note: str) -> bool:
    """Whether a note says that the curve fixes no model."""
    return note.endswith(NO_MODEL)


def _ascends(q: Floats) -> bool:
    return bool(q.size and q[0] > 0 and np.all(np.diff(q) >= 0) and np.isfinite(q[-1]))


def _doubts(curve: Curve, q_range: tuple[float, float]) -> list[str]:
    """What is to be said of the uncertainties, and of a curve from which no model can be told."""
    inside = (curve.q >= q_range[0]) & (curve.q <= q_range[1])
    if curve.dintensity is not None:
        inside &= curve.dintensity > 0
    used = np.flatnonzero(inside)
    if used.size < 4:
        return []
    points_used = points(curve, used)
    judgement = judge_uncertainties(points_used.intensity, points_used.dintensity)
    if judgement.hopeless:
        return [judgement.note + NO_MODEL]
    level_of = constant(points_used.q, points_used.intensity, points_used.dintensity)
    if level_of is not None:
        value = format_rounded(level_of.value, level_of.error, _ROUNDING)
        return [
            *[f"{judgement.note}."] * bool(judgement.note),
            f"No structure: a constant, {value}, fits this curve{NO_MODEL}",
        ]
    name = simple_shape(points_used.q, points_used.intensity, judgement.sigma)
    shape = f"{name} fits this curve within {judgement.against}" if name else level(points_used.intensity)
    return [f"{judgement.note}."] * bool(judgement.note) + [shape + NO_MODEL] * bool(shape)


@dataclass(frozen=True)
class ScatterSettings:
    """When uncertainties do not fit the points."""

    #: Uncertainties over scatter from which they are too large. Points that a program has interpolated or
    #: smoothed scatter two or three times less than counting gives, and are not meant.
    above: float = 5.0
    below: float = 3.0  #: Scatter over uncertainties from which these are too small.
    #: Part of neighbouring fourth differences of unlike sign above which noise and no curvature makes them:
    #: 0.8 for noise, next to none for a smooth curve.
    changes: float = 0.65
    #: Standard deviations that the twentieth part of the points exceeds at least, in a curve that shows more
    #: than noise.
    faint: float = 2.0
    points: int = 15  #: Fewer do not show their scatter.


SETTINGS = ScatterSettings()
# Fourth differences take out any local cubic. The median of |x| of a unit normal is 0.6745.
_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
_MEDIAN = 0.6745


@dataclass(frozen=True)
class Judged:
    """What is to be thought of uncertainties."""

    note: str  #: A sentence without its full stop about them; empty where they fit the points.
    sigma: Floats  #: (n,), what a claim about the curve may rest on.
    against: str  #: What that is, to follow "within".
    hopeless: bool = False  #: They are so large that nothing can be told.


def judge_uncertainties(intensity: Floats, sigma: Floats | None) -> Judged:
    """Compare uncertainties (or None) with the scatter of points and the intensity, ascending in q."""
    scatter = estimate_dintensity(intensity)
    if sigma is None:
        return Judged("", scatter, "the scatter of its points, which its uncertainties were estimated from")
    share = _scatter_share(intensity, sigma)
    if share < 1 / SETTINGS.above:
        times = "more than a hundred" if share < 0.01 else f"about {1 / share:.2g}"
        note = (
            f"The uncertainties are {times} times the scatter of the points; with them, wrong models"
            " would fit the curve as well"
        )
        return Judged(note, np.minimum(sigma, scatter), "the scatter of its points")
    if np.quantile(intensity / sigma, 0.95) < SETTINGS.faint:
        note = "The uncertainties are as large as the intensities or larger"
        return Judged(note, sigma, "its uncertainties", hopeless=True)
    if share > SETTINGS.below:
        note = (
            f"The points scatter about {share:.2g} times as much as their uncertainties say; χ² will be"
            " large for the right model too"
        )
        return Judged(note, sigma, "its uncertainties")
    return Judged("", sigma, "its uncertainties")


def _scatter_share(intensity: Floats, sigma: Floats) -> float:
    """Scatter of the points over their uncertainties; 1 where curvature or few points hide it."""
    if intensity.size < SETTINGS.points:
        return 1.0
    differences = np.convolve(intensity, _FOURTH, "valid")
    expected = np.sqrt(np.convolve(sigma**2, _FOURTH**2, "valid"))
    share = float(np.median(np.abs(differences) / expected) / _MEDIAN)
    changes = float(np.mean(differences[1:] * differences[:-1] < 0))
    return 1.0 if share > 1 and changes < SETTINGS.changes else share


#: Quantities that make a sample another one; resolutions or backgrounds beyond training only cost precision.
_SIZES = ("lattice", "radius", "spacing")


def describe_beyond_training(findings: Iterable[Any]) -> list[str]:
    """Sentences on sizes that lie beyond training by more than their errors."""
    # A network knows no larger sizes, but what it extrapolates is beyond the range as well: of lattices of
    # 450 and 510 Å it says 431 and 435, trained with up to 420.
    sentences = []
    for finding in [
        range_finding for range_finding in findings if isinstance(range_finding, QuantitiesFinding)
    ]:
        sizes = [parameter for parameter in finding.head.parameters if parameter.name in _SIZES]
        sentences += [
            _describe_excess(parameter, finding.present_values.get(parameter.name)) for parameter in sizes
        ]
    return list(filter(None, sentences))


def _describe_excess(parameter: Parameter, value: Value | None) -> str:
    low, high = parameter.prior
    if value is None or (value.value - value.error <= high and value.value + value.error >= low):
        return ""
    return (
        f"{parameter.name} would be {value.value:.3g} {parameter.unit}, outside the training range of"
        f" this model, {low:g} to {high:g} {parameter.unit}."
    )
