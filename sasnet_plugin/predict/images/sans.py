"""Small-angle-scattering images: their direction or, where there is none, models of the averaged curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.sans.anisotropy import ONE_SIDED, Anisotropy, anisotropy, one_sided
from ...data.sans.average import averaged
from ...data.sans.features import images_of
from ...data.sans.polar import polar
from ...digits import NORMAL_90, with_error
from ...domains import DEFAULT, Seen
from ...types import Curve, DataError, Image, ModelZooError
from ..classes import ClassesFinding
from ..findings import Answer, DistributionFinding, QuantitiesFinding, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Why an image has no answer whose sides differ.
NOT_THROUGH = (
    "this is no image of a sample that the beam goes through (under grazing incidence it is so), or its"
    " centre is wrong; no shape is given."
)
#: Only a lattice that is as sure as this may scatter to one side.
SURELY_LATTICE = 0.9
#: How much farther the network's P₂ is off than it says, and by how much at least: bands of 90 % hold 90 % of
#: images that were simulated by other code (benchmarks/images/images_elsewhere.py), not 40 %.
P2_FACTOR, P2_LEAST = 2.0, 0.1
#: Up to this P₂, less its standard deviation, the same image is explained by axes across the direction a
#: quarter turn away, of a P₂ below 0 that is this times as large: of 100 images by other code with a
#: direction all were right up to a quarter turn, and the network took the wrong one in 12 of 34 below it, in
#: 2 of 66 above.
EITHER_WAY, ACROSS = 0.3, 1.2
#: Least P₂ that axes can have, all across the director.
LEAST_P2 = -0.5
#: Pixels within the network's range of q below which an image is not assessed.
LEAST_PIXELS = 200


def check(measurement: Any, inputs: Mapping[str, Any]) -> Seen:
    """See that an image lies where the network looks.

    Parameters
    ----------
    inputs : mapping
        Of the manifest: ``q_range`` in Å⁻¹, ``frames``.

    Raises
    ------
    DataError
        Too few pixels lie within the range of q.
    """
    low, high = inputs["q_range"]
    notes = list(measurement.notes)
    images = images_of(measurement)
    for image in images:
        if not isinstance(image, Image):
            continue
        inside = image.mask & (image.geometry.q >= low) & (image.geometry.q <= high)
        if np.count_nonzero(inside) < LEAST_PIXELS:
            raise DataError(
                f"{image.file or 'the image'}: only {np.count_nonzero(inside)} pixels lie between q ="
                f" {low:g} and {high:g} Å⁻¹; check wavelength, distance and pixel size."
            )
    if len(images) > inputs["frames"]:
        notes.append(f"Of {len(images)} settings the first {inputs['frames']} were used.")
    return Seen(measurement, tuple(notes))


@dataclass(frozen=True)
class OrientationFinding:
    """How the axes of particles are distributed; rotational symmetry about the director is assumed.

    Parameters
    ----------
    angles : DistributionFinding
        What is seen of the axes within the plane of the detector.
    p2 : Value or None
        Order parameter.
    director : Value
        Degrees anticlockwise from qx.
    picture : str
        How the picture lies in which that is seen, `SmallAngle.picture`.
    """

    angles: DistributionFinding
    p2: Value | None
    director: Value
    picture: str = "qx to the right and qy up"

    @property
    def head(self) -> Any:
        """Of the distribution."""
        return self.angles.head

    @property
    def other(self) -> tuple[float, float] | None:
        """Order parameter and director, degrees, that would look much alike; None where none does."""
        if self.p2 is None or self.p2.value <= 0 or self.p2.value - self.p2.error > EITHER_WAY:
            return None
        return max(-ACROSS * self.p2.value, LEAST_P2), (self.director.value + 90) % 180

    def as_dict(self) -> dict[str, Any]:
        """``orientation``."""
        found: dict[str, Any] = {"p2": _plain(self.p2), "director_deg": _plain(self.director)}
        found["xi_deg"] = [round(float(x), 4) for x in self.angles.grid]
        for key in ("p", "p_low", "p_high"):
            found[key] = [float(f"{x:.4g}") for x in getattr(self.angles, key)]
        if self.other is not None:
            found["or"] = {"p2": round(self.other[0], 3), "director_deg": round(self.other[1], 2)}
        found["angles"] = f"anticlockwise from the right, {self.picture}"
        return {"orientation": found}

    def rows(self) -> Sequence[Sequence[str]]:
        """Order parameter and director."""
        known = [("p2", self.p2), ("director", self.director)]
        if self.other is None:
            also = dict.fromkeys(("p2", "director"), "")
        else:
            also = {"p2": f" or {self.other[0]:.2f}", "director": f" or {self.other[1]:.1f}"}
        return [
            ["orientation", "value", "unit"],
            *([name, with_error(v.value, v.error) + also[name], v.unit] for name, v in known if v),
        ]

    def sentences(self) -> Sequence[str]:
        """What is assumed, and how angles are counted."""
        said = [
            "Axes are taken to be distributed alike around a director in the plane of the detector.",
            f"Its angle is counted anticlockwise from the right, {self.picture}.",
        ]
        if self.other is not None:
            said.append(
                f"The direction is known up to a quarter turn only: axes along {self.director.value:.0f}° and"
                f" axes across {self.other[1]:.0f}° (⟨P₂⟩ about {self.other[0]:.2f}) look alike here;"
                " --verify fits both."
            )
        return said

    def notes(self) -> Sequence[str]:
        """None."""
        return ()

    def draw(self, axes: Axes) -> None:
        """The distribution, and the director as a line; broken, the one that looks alike."""
        self.angles.draw(axes)
        axes.axvline(self.director.value, color="C3", linewidth=1)
        if self.other is not None:
            axes.axvline(self.other[1], color="C3", linewidth=1, linestyle="--")

    def silenced(self) -> OrientationFinding:
        """Any orientation may be."""
        return replace(self, angles=self.angles.silenced(), p2=None)


def completed(measurement: Any, answer: Answer) -> Answer:
    """The answer with what the image itself says: its direction, or that it has none and is a curve.

    An image without a direction is averaged, and the network for curves names the models of the curve.
    """
    images = images_of(measurement)
    seen = [image if not isinstance(image, Image) else polar(image) for image in images]
    around = anisotropy(seen)
    classes = answer.finding(ClassesFinding)
    lattice = classes is not None and classes.classes[0].name == "bragg_glass"
    sure = classes is not None and classes.classes[0].probability >= SURELY_LATTICE
    sides = max(map(one_sided, seen))
    if sides > ONE_SIDED and not (lattice and sure):
        return _one_sided(answer, sides)
    kept, p2 = _without_orientation(answer.findings)
    notes = list(answer.notes)
    angles = answer.finding(DistributionFinding)
    if around.directed and angles is not None and not lattice:
        first = images[0]
        where = (first.geometry.picture,) if isinstance(first, Image) else ()
        kept.append(OrientationFinding(angles, p2, director(angles, p2, around), *where))
    elif not around.directed and answer.known:
        models, more = _models(images)
        kept += models
        notes += more
    return replace(answer, findings=tuple(kept), notes=tuple(notes))


def _one_sided(answer: Answer, sides: float) -> Answer:
    """No answer where the beam's centre is wrong, or half of the image shows something else."""
    notes = [note for note in answer.notes if note != answer.scope.outside]
    said = f"Scattering at q and at −q differs by {sides:.0%}: {NOT_THROUGH}"
    silent = tuple(one.silenced() for one in answer.findings if not isinstance(one, DistributionFinding))
    return replace(answer, in_scope=0.0, known=False, findings=silent, notes=(*notes, said))


def _without_orientation(findings: Sequence[Any]) -> tuple[list[Any], Value | None]:
    """Findings without the distribution and P₂, which is said beside a director; and P₂ with its error."""
    kept: list[Any] = []
    p2 = None
    for one in findings:
        if isinstance(one, QuantitiesFinding):
            p2 = calibrated(one.values.get("p2"))
            one = replace(one, values={name: v for name, v in one.values.items() if name != "p2"})
        if not isinstance(one, DistributionFinding):
            kept.append(one)
    return kept, p2


def calibrated(p2: Value | None) -> Value | None:
    """The network's order parameter with an error that holds what it does not know of: see `P2_FACTOR`."""
    if p2 is None:
        return None
    error = float(np.hypot(P2_FACTOR * p2.error, P2_LEAST))
    return replace(
        p2, error=error, low=p2.value - NORMAL_90 * error, high=min(p2.value + NORMAL_90 * error, 1.0)
    )


def director(angles: DistributionFinding, p2: Value | None, around: Anisotropy) -> Value:
    """Direction about which axes are distributed.

    The image's second harmonics tell it precisely up to a quarter turn; the network, which one it is.
    """
    mean = np.sum(angles.p * np.exp(2j * np.radians(angles.grid)))
    rough = float(np.degrees(np.angle(mean)) / 2) + (90 if p2 is not None and p2.value < 0 else 0)
    best = around.axis + 90 * round((rough - around.axis) / 90)
    value, error = best % 180, around.axis_error
    return Value(value, error, value - NORMAL_90 * error, value + NORMAL_90 * error, "degrees")


def as_curve(measurement: Any) -> Curve | None:
    """The average around the beam of an image that is alike all around; None of one with a direction.

    Raises
    ------
    DataError
        Too few pixels count.
    """
    image = most_counted(images_of(measurement))
    if image is None or anisotropy([polar(image)]).directed:
        return None
    note = "The image is alike all around: what is fitted is its average around the beam."
    return averaged(replace(image, notes=(*image.notes, note)))


def most_counted(images: Sequence[Any]) -> Image | None:
    """The image with the most counts, or of reduced ones with as many as have its errors."""
    readable = [image for image in images if isinstance(image, Image)]
    if len(readable) == 1:
        return readable[0]
    return max(readable, key=lambda one: float(polar(one).counts.sum()), default=None)


def _models(images: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """What the network for curves says of the average of the image with the most counts."""
    from ..predictor import open_predictor

    image = most_counted(images)
    if image is None:
        return [], []
    try:
        (found,) = open_predictor(DEFAULT).answers([averaged(replace(image, notes=()))])
    except (DataError, ModelZooError) as error:
        return [], [f"Its averaged curve has no answer: {error}"]
    named = found.finding(ClassesFinding)
    said = "The image is alike all around: averaged, it is a curve, of which models are named besides."
    if not found.known:
        return [], ["Its averaged curve is outside what the network for curves knows."]
    return [named] if named else [], [said]


def _plain(one: Value | None) -> dict[str, float] | None:
    if one is None:
        return None
    return {"value": float(f"{one.value:.4g}"), "error": float(f"{one.error:.2g}")}
