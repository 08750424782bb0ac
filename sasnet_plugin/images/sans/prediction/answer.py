"""Small-angle-scattering images: their direction or, where there is none, models of the averaged curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ....digits import NORMAL_90, with_error
from ....domains import DEFAULT, Seen
from ....predict.classes import ClassesFinding
from ....predict.findings import Answer, DistributionFinding, QuantitiesFinding, Value
from ....types import Curve, DataError, Image, ModelZooError
from ..reading.anisotropy import ONE_SIDED, Anisotropy, anisotropy, one_sided
from ..reading.average import averaged
from ..reading.features import images_of
from ..reading.polar import Polar, polar
from .axes import held_against
from .bodies import beside_network, named_by, sized_by

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Why an image has no answer whose sides differ.
NOT_THROUGH = (
    "this is not an image in transmission (perhaps grazing incidence), or its centre is wrong; no shape"
    " is given."
)
#: Only a lattice that is as sure as this may scatter to one side.
SURELY_LATTICE = 0.9
#: χ² of a cell from which on no order is said: of simulated images with all faults of instruments, 10⁶ counts
#: and a body that is right it is below 12; sasdata's magnetic spheres have 170.
UNEXPLAINED = 25.0
NO_BODY = (
    "Neither cylinders nor ellipsoids around a director scatter like this image. So no order parameter"
    " is given, and the direction is that of the pattern."
)
#: Before what is said of models of the average.
AVERAGE = "Its azimuthal average, among models of curves"
#: Pixels within the network's range of q below which an image is not assessed.
LEAST_PIXELS = 200


def check(measurement: Any, inputs: Mapping[str, Any]) -> Seen:
    """Check that an image covers the manifest's ``q_range``, Å⁻¹; else DataError."""
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
    """How the axes of particles are distributed; rotational symmetry about the director is assumed."""

    angles: DistributionFinding  #: What is seen of the axes within the plane of the detector.
    p2: Value | None
    director: Value  #: Degrees anticlockwise from qx.
    #: How the picture lies in which that is seen, `SmallAngle.picture`.
    picture: str = "qx to the right and qy up"
    #: Order parameter and director, degrees, that explain the image about as well.
    other: tuple[float, float] | None = None

    @property
    def head(self) -> Any:
        return self.angles.head

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"p2": _plain(self.p2), "director_deg": _plain(self.director)}
        found["xi_deg"] = [round(float(x), 4) for x in self.angles.grid]
        for key in ("p", "p_low", "p_high"):
            found[key] = [float(f"{x:.4g}") for x in getattr(self.angles, key)]
        if self.other is not None:
            found["or"] = {"p2": round(self.other[0], 3), "director_deg": round(self.other[1], 2)}
        found["angles"] = f"anticlockwise from the right, {self.picture}"
        return {"orientation": found}

    def rows(self) -> Sequence[Sequence[str]]:
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
        counted = f"counted anticlockwise from the right, {self.picture}."
        if self.p2 is None:
            return [f"The angle of the direction is {counted}"]
        said = [
            "Particle axes are assumed to be distributed symmetrically around a director in the"
            " detector plane.",
            f"Its angle is {counted}",
        ]
        if self.other is not None:
            said.append(
                "The direction is known only up to a rotation by 90°: ⟨P₂⟩ about"
                f" {self.other[0]:.2f} about {self.other[1]:.0f}° is possible as well; --verify fits both."
            )
        return said

    def notes(self) -> Sequence[str]:
        return ()

    def draw(self, axes: Axes) -> None:
        """The distribution, and the director as a line; broken, the one that looks alike."""
        self.angles.draw(axes)
        axes.axvline(self.director.value, color="C3", linewidth=1)
        if self.other is not None:
            axes.axvline(self.other[1], color="C3", linewidth=1, linestyle="--")

    def silenced(self) -> OrientationFinding:
        """Any orientation may be."""
        return replace(self, angles=self.angles.silenced(), p2=None, other=None)


def completed(measurement: Any, answer: Answer) -> Answer:
    """The answer with what the image itself says: its direction, or that it has none and is a curve."""
    # An image without a direction is averaged, and the network for curves names the models of the curve.
    images = images_of(measurement)
    seen = [image if not isinstance(image, Image) else polar(image) for image in images]
    around = anisotropy(seen)
    classes = answer.finding(ClassesFinding)
    lattice = classes is not None and classes.classes[0].name == "bragg_glass"
    sure = classes is not None and classes.classes[0].probability >= SURELY_LATTICE
    sides = max(map(one_sided, seen))
    if sides > ONE_SIDED and not (lattice and sure):
        return _one_sided(answer, sides)
    kept = _without_orientation(answer.findings)
    notes = list(answer.notes)
    angles = answer.finding(DistributionFinding)
    if around.directed and angles is not None and not lattice:
        kept, more = _directed(images, seen, kept, angles, around)
        notes += more
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


def _directed(
    images: Sequence[Any],
    seen: Sequence[Polar],
    kept: Sequence[Any],
    angles: DistributionFinding,
    around: Anisotropy,
) -> tuple[list[Any], list[str]]:
    """What is said of an image with a direction: which body, how large and how it lies, by its rings, too."""
    most = max(range(len(images)), key=lambda one: float(seen[one].counts.sum()))
    found = held_against(seen[most], around.axis)
    classes = next((one for one in kept if isinstance(one, ClassesFinding)), None)
    where = images[most].geometry.picture if isinstance(images[most], Image) else OrientationFinding.picture
    if found is None or classes is None or found.over > UNEXPLAINED:
        notes = [] if found is None else [NO_BODY]
        return [*kept, OrientationFinding(angles, None, director(angles, around), where)], notes
    bodies = beside_network(found, classes, angles)
    named = named_by(bodies, classes)
    best = named.head.labels[int(np.argmax(named.probability))]
    changed = [named if one is classes else one for one in kept]
    if best in bodies.shares():
        changed = [
            sized_by(bodies, best, one) if isinstance(one, QuantitiesFinding) else one for one in changed
        ]
    p2, axis, other = bodies.orientation()
    return [*changed, OrientationFinding(angles, p2, axis, where, other)], []


def _without_orientation(findings: Sequence[Any]) -> list[Any]:
    kept: list[Any] = []
    for one in findings:
        if isinstance(one, QuantitiesFinding):
            one = replace(one, values={name: v for name, v in one.values.items() if name != "p2"})
        if not isinstance(one, DistributionFinding):
            kept.append(one)
    return kept


def director(angles: DistributionFinding, around: Anisotropy) -> Value:
    """Direction along which axes are seen, where no body could be held against the image."""
    # The image's second harmonics tell it precisely up to a quarter turn; the network, which one it is.
    mean = np.sum(angles.p * np.exp(2j * np.radians(angles.grid)))
    rough = float(np.degrees(np.angle(mean)) / 2)
    best = around.axis + 90 * round((rough - around.axis) / 90)
    value, error = best % 180, around.axis_error
    return Value(value, error, value - NORMAL_90 * error, value + NORMAL_90 * error, "degrees")


def as_curve(measurement: Any) -> Curve | None:
    """Average an isotropic image around the beam; None if it has a direction. Raises DataError if too few
    pixels count.
    """
    image = most_counted(images_of(measurement))
    if image is None or anisotropy([polar(image)]).directed:
        return None
    note = "The image is isotropic; its azimuthal average is fitted."
    return averaged(replace(image, notes=(*image.notes, note)))


def most_counted(images: Sequence[Any]) -> Image | None:
    """The image with the most counts, or of reduced ones with as many as have its errors."""
    readable = [image for image in images if isinstance(image, Image)]
    if len(readable) == 1:
        return readable[0]
    return max(readable, key=lambda one: float(polar(one).counts.sum()), default=None)


def _models(images: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """What the network for curves says of the average of the image with the most counts."""
    from ....predict.predictor import open_predictor

    image = most_counted(images)
    if image is None:
        return [], []
    try:
        (found,) = open_predictor(DEFAULT).answers([averaged(replace(image, notes=()))])
    except (DataError, ModelZooError) as error:
        return [], [f"Its averaged curve has no answer: {error}"]
    named = found.finding(ClassesFinding)
    said = "The image is isotropic; models of its azimuthal average are listed, too."
    if not found.known:
        return [], ["Its averaged curve is unlike the training data of the network for curves."]
    return [replace(named, introduction=AVERAGE)] if named else [], [said]


def _plain(one: Value | None) -> dict[str, float] | None:
    if one is None:
        return None
    return {"value": float(f"{one.value:.4g}"), "error": float(f"{one.error:.2g}")}
