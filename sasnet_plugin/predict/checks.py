"""Whether a curve or an image can be assessed: its points and uncertainties, its window, its geometry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arrays import Floats
from ..data.no_structure import constant, level, simple_shape
from ..data.raw import points
from ..digits import rounded
from ..domains import Seen
from ..domains.heads import Parameter
from ..noise import estimate_dintensity
from ..types import Curve, DataError, Image
from .findings import QuantitiesFinding, Value

#: Of a curve that a simple shape explains, after its name.
NO_MODEL = "; such data hardly distinguish models, even if a probability is high."
UNINFORMATIVE = "A power law plus a constant explains this curve within its uncertainties" + NO_MODEL
FEW_POINTS = 25
#: Largest change of an uncertainty by rounding it to one digit.
_ROUNDING = 0.2
#: Quantities that make a sample another one; resolutions or backgrounds beyond training only cost precision.
_SIZES = ("lattice", "radius", "spacing")


def check_curve(curve: Curve, inputs: Mapping[str, Any]) -> Seen:
    """The curve, and notes: points outside the trained range, few points, estimated uncertainties.

    Files are tidied on reading; arrays come as they are, and the grid needs ascending, finite points.

    Parameters
    ----------
    inputs : mapping
        Of the manifest: ``q_range``, Å⁻¹.

    Raises
    ------
    DataError
        Its points are not in order, not finite, or have negative uncertainties.
    """
    name = curve.file or "the curve"
    if not (_ascends(curve.q) and np.all(np.isfinite(curve.intensity))):
        raise DataError(
            f"{name}: q must be positive and ascending, and q and intensity finite;"
            " sort the points and drop the others."
        )
    if curve.dintensity is not None and not np.all(curve.dintensity >= 0):
        raise DataError(
            f"{name}: dintensity must be a number, not negative, at each point;"
            " drop the others, or leave dintensity out to have it estimated."
        )
    low, high = inputs["q_range"]
    return Seen(curve, tuple(_notes(curve, (low, high))))


def _notes(curve: Curve, q_range: tuple[float, float]) -> list[str]:
    notes = list(curve.notes)
    total = len(curve)
    inside = int(np.count_nonzero((curve.q >= q_range[0]) & (curve.q <= q_range[1])))
    if inside < total:
        notes.append(
            f"{total - inside} of {total} points lie outside the trained q range"
            f" ({q_range[0]:g} to {q_range[1]:g} Å⁻¹) and were not used."
        )
    if inside < FEW_POINTS:
        notes.append(f"Only {inside} points were used; the probabilities rest on little data.")
    if curve.dintensity is None and not any("estimated" in note for note in curve.notes):
        notes.append("No uncertainties were given; they were estimated from the scatter of the points.")
    return [*notes, *_doubts(curve, q_range)]


def is_flag(note: str) -> bool:
    """Whether a note says that the curve fixes no model."""
    return note.endswith(NO_MODEL)


def _ascends(q: Floats) -> bool:
    """Whether it is positive, ascending and finite."""
    return bool(q.size and q[0] > 0 and np.all(np.diff(q) >= 0) and np.isfinite(q[-1]))


def _doubts(curve: Curve, q_range: tuple[float, float]) -> list[str]:
    """What is to be said of the uncertainties, and of a curve from which no model can be told."""
    inside = (curve.q >= q_range[0]) & (curve.q <= q_range[1])
    if curve.dintensity is not None:
        inside &= curve.dintensity > 0
    used = np.flatnonzero(inside)
    if used.size < 4:
        return []
    seen = points(curve, used)
    found = judged(seen.intensity, seen.dintensity)
    if found.hopeless:
        return [found.note + NO_MODEL]
    level_of = constant(seen.q, seen.intensity, seen.dintensity)
    if level_of is not None:
        value = rounded(level_of.value, level_of.error, _ROUNDING)
        return [
            *[f"{found.note}."] * bool(found.note),
            f"No structure: a constant, {value}, explains this curve{NO_MODEL}",
        ]
    name = simple_shape(seen.q, seen.intensity, found.sigma)
    shape = f"{name} explains this curve within {found.against}" if name else level(seen.intensity)
    return [f"{found.note}."] * bool(found.note) + [shape + NO_MODEL] * bool(shape)


#: Less than this share of the window, or fewer counts in it, is too little to answer: training has
#: 10⁴ counts.
LEAST_SEEN, FEW_COUNTS = 0.1, 1000
_UNITS = {"wavelength": "Å", "alpha_i": "degrees"}


def check_image(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """The image on the window that the network sees, and what is to be said of it.

    Parameters
    ----------
    inputs : mapping
        Of the manifest: ``window`` and ``stated``.

    Raises
    ------
    DataError
        Too little of it was measured, or it holds no counts.
    """
    return _checked(image, on_window(image, inputs["window"]), image.notes, inputs)


def check_share(image: Image, inputs: Mapping[str, Any]) -> Seen:
    """As `check_image`; where a part of the window was not measured, a note says how large the rest is.

    Nothing is known of patterns with next to no counts, or whose horizon is not where the incidence puts it.
    """
    from ..data.images.horizon import misfit

    seen = on_window(image, inputs["window"])
    found = _checked(image, seen, seen.notes, inputs)
    total = float(seen.counts[seen.mask].sum())
    if total < FEW_COUNTS:
        said = (
            f"The angular range of the network holds {total:.0f} counts, too few to answer; measure longer."
        )
    else:
        said = misfit(image)
    return replace(found, notes=(*found.notes, said), known=False) if said else found


def _checked(image: Image, seen: Image, notes: tuple[str, ...], inputs: Mapping[str, Any]) -> Seen:
    beyond = [
        f"{name} = {getattr(image.geometry, name):g} {_UNITS[name]} is outside what the network was trained"
        f" with, {low:g} to {high:g} {_UNITS[name]}."
        for name, (low, high) in inputs["stated"].items()
        if not low <= getattr(image.geometry, name) <= high
    ]
    return Seen(seen, (*notes, *beyond), known=not beyond)


def on_window(image: Image, window: Mapping[str, Any]) -> Image:
    """The image on a window: ``rows``, ``columns`` and the outer edges ``phi``, ``alpha_f``, degrees.

    Raises
    ------
    DataError
        Too little of it was measured, or it holds no counts.
    """
    from ..data.images import to_window

    (left, right), (low, high) = window["phi"], window["alpha_f"]
    shape = int(window["rows"]), int(window["columns"])
    seen = to_window(image, phi=(left, right), alpha_f=(low, high), shape=shape)
    name = image.file or "the image"
    if np.mean(seen.mask) < LEAST_SEEN:
        raise DataError(
            f"{name}: only {100 * np.mean(seen.mask):.0f} % of the angular range of the network (phi"
            f" {left:g} to {right:g}, alpha_f {low:g} to {high:g} degrees) was measured; check the geometry"
            " and the mask."
        )
    if not np.any(seen.counts[seen.mask] > 0):
        raise DataError(f"{name}: holds no counts in the angular range of the network; check the geometry.")
    return seen


def beyond_training(findings: Iterable[Any]) -> list[str]:
    """Sentences on sizes that lie beyond training by more than their errors.

    A network knows no larger sizes, but what it extrapolates is beyond the range as well: of lattices of 450
    and 510 Å it says 431 and 435, trained with up to 420.
    """
    said = []
    for finding in [one for one in findings if isinstance(one, QuantitiesFinding)]:
        sizes = [parameter for parameter in finding.head.parameters if parameter.name in _SIZES]
        said += [_beyond(parameter, finding.known.get(parameter.name)) for parameter in sizes]
    return list(filter(None, said))


def _beyond(parameter: Parameter, value: Value | None) -> str:
    low, high = parameter.prior
    if value is None or (value.value - value.error <= high and value.value + value.error >= low):
        return ""
    return (
        f"{parameter.name} would be {value.value:.3g} {parameter.unit}, beyond the {low:g} to"
        f" {high:g} {parameter.unit} that this model was trained with."
    )


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


def judged(intensity: Floats, sigma: Floats | None) -> Judged:
    """Compare uncertainties with the scatter of the points and with the intensity.

    Parameters
    ----------
    intensity : (n,) float array
        By ascending q.
    sigma : (n,) float array or None
        None where the file has none; zeros are left to the caller.
    """
    scatter = estimate_dintensity(intensity)
    if sigma is None:
        return Judged("", scatter, "the scatter of its points, which its uncertainties were estimated from")
    share = _scatter_share(intensity, sigma)
    if share < 1 / SETTINGS.above:
        times = "more than a hundred" if share < 0.01 else f"about {1 / share:.2g}"
        note = (
            f"The uncertainties are {times} times the scatter of the points; with them, wrong models"
            " would explain the curve as well"
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
