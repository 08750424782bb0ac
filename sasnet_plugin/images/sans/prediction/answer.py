"""Small-angle-scattering images: their direction or, where there is none, models of the averaged curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ....digits import NORMAL_90, format_with_error
from ....domains import DEFAULT, Seen
from ....predict.classes import ClassesFinding
from ....predict.findings import Answer, DistributionFinding, QuantitiesFinding, Value
from ....types import Curve, DataError, Image, ModelZooError
from ..reading.anisotropy import ONE_SIDED, Anisotropy, anisotropy, one_sided
from ..reading.average import average_around_beam
from ..reading.features import images_of
from ..reading.polar import Polar, polar
from .axes import fit_bodies
from .bodies import combine_with_network, replace_sizes, share_classes

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
        description: dict[str, Any] = {"p2": _plain(self.p2), "director_deg": _plain(self.director)}
        description["xi_deg"] = [round(float(x), 4) for x in self.angles.grid]
        for key in ("p", "p_low", "p_high"):
            description[key] = [float(f"{x:.4g}") for x in getattr(self.angles, key)]
        if self.other is not None:
            description["or"] = {"p2": round(self.other[0], 3), "director_deg": round(self.other[1], 2)}
        description["angles"] = f"anticlockwise from the right, {self.picture}"
        return {"orientation": description}

    def rows(self) -> Sequence[Sequence[str]]:
        named_values = [("p2", self.p2), ("director", self.director)]
        if self.other is None:
            also = dict.fromkeys(("p2", "director"), "")
        else:
            also = {"p2": f" or {self.other[0]:.2f}", "director": f" or {self.other[1]:.1f}"}
        return [
            ["orientation", "value", "unit"],
            *(
                [name, format_with_error(v.value, v.error) + also[name], v.unit]
                for name, v in named_values
                if v
            ),
        ]

    def sentences(self) -> Sequence[str]:
        """What is assumed, and how angles are counted."""
        counted = f"counted anticlockwise from the right, {self.picture}."
        if self.p2 is None:
            return [f"The angle of the direction is {counted}"]
        texts = [
            "Particle axes are assumed to be distributed symmetrically around a director in the"
            " detector plane.",
            f"Its angle is {counted}",
        ]
        if self.other is not None:
            texts.append(
                "The direction is known only up to a rotation by 90°: ⟨P₂⟩ about"
                f" {self.other[0]:.2f} about {self.other[1]:.0f}° is possible as well; --verify fits both."
            )
        return texts

    def notes(self) -> Sequence[str]:
        return ()

    def draw(self, axes: Axes) -> None:
        """The distribution, and the director as a line; broken, the one that looks alike."""
        self.angles.draw(axes)
        axes.axvline(self.director.value, color="C3", linewidth=1)
        if self.other is not None:
            axes.axvline(self.other[1], color="C3", linewidth=1, linestyle="--")

    def silence(self) -> OrientationFinding:
        """Any orientation may be."""
        return replace(self, angles=self.angles.silence(), p2=None, other=None)


def complete_answer(measurement: Any, answer: Answer) -> Answer:
    """The answer with what the image itself says: its direction, or that it has none and is a curve."""
    # An image without a direction is averaged, and the network for curves names the models of the curve.
    images = images_of(measurement)
    polars = [image if not isinstance(image, Image) else polar(image) for image in images]
    around = anisotropy(polars)
    classes = answer.finding(ClassesFinding)
    lattice = classes is not None and classes.classes[0].name == "bragg_glass"
    sure = classes is not None and classes.classes[0].probability >= SURELY_LATTICE
    sides = max(map(one_sided, polars))
    if sides > ONE_SIDED and not (lattice and sure):
        return _one_sided(answer, sides)
    findings = _drop_orientation(answer.findings)
    notes = list(answer.notes)
    angles = answer.finding(DistributionFinding)
    if around.has_direction and angles is not None and not lattice:
        findings, notes_added = _describe_direction(images, polars, findings, angles, around)
        notes += notes_added
    elif not around.has_direction and answer.known:
        models, notes_added = _models(images)
        findings += models
        notes += notes_added
    return replace(answer, findings=tuple(findings), notes=tuple(notes))


def _one_sided(answer: Answer, sides: float) -> Answer:
    """No answer where the beam's centre is wrong, or half of the image shows something else."""
    notes = [note for note in answer.notes if note != answer.scope.outside]
    text = f"Scattering at q and at −q differs by {sides:.0%}: {NOT_THROUGH}"
    silent = tuple(
        finding.silence() for finding in answer.findings if not isinstance(finding, DistributionFinding)
    )
    return replace(answer, in_scope=0.0, known=False, findings=silent, notes=(*notes, text))


def _describe_direction(
    images: Sequence[Any],
    polars: Sequence[Polar],
    findings_kept: Sequence[Any],
    angles: DistributionFinding,
    around: Anisotropy,
) -> tuple[list[Any], list[str]]:
    """What is said of an image with a direction: which body, how large and how it lies, by its rings, too."""
    most = max(range(len(images)), key=lambda item: float(polars[item].counts.sum()))
    bodies_fitted = fit_bodies(polars[most], around.axis)
    classes = next((item for item in findings_kept if isinstance(item, ClassesFinding)), None)
    picture = images[most].geometry.picture if isinstance(images[most], Image) else OrientationFinding.picture
    if bodies_fitted is None or classes is None or bodies_fitted.over > UNEXPLAINED:
        notes = [] if bodies_fitted is None else [NO_BODY]
        return [*findings_kept, OrientationFinding(angles, None, director(angles, around), picture)], notes
    bodies = combine_with_network(bodies_fitted, classes, angles)
    shared_classes = share_classes(bodies, classes)
    best = shared_classes.head.labels[int(np.argmax(shared_classes.probability))]
    changed = [shared_classes if item is classes else item for item in findings_kept]
    if best in bodies.shares():
        changed = [
            replace_sizes(bodies, best, item) if isinstance(item, QuantitiesFinding) else item
            for item in changed
        ]
    p2, axis, other_orientation = bodies.orientation()
    return [*changed, OrientationFinding(angles, p2, axis, picture, other_orientation)], []


def _drop_orientation(findings: Sequence[Any]) -> list[Any]:
    findings_kept: list[Any] = []
    for finding in findings:
        if isinstance(finding, QuantitiesFinding):
            finding = replace(finding, values={name: v for name, v in finding.values.items() if name != "p2"})
        if not isinstance(finding, DistributionFinding):
            findings_kept.append(finding)
    return findings_kept


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
    if image is None or anisotropy([polar(image)]).has_direction:
        return None
    note = "The image is isotropic; its azimuthal average is fitted."
    return average_around_beam(replace(image, notes=(*image.notes, note)))


def most_counted(images: Sequence[Any]) -> Image | None:
    """The image with the most counts, or of reduced ones with as many as have its errors."""
    readable = [image for image in images if isinstance(image, Image)]
    if len(readable) == 1:
        return readable[0]
    return max(readable, key=lambda latest: float(polar(latest).counts.sum()), default=None)


def _models(images: Sequence[Any]) -> tuple[list[Any], list[str]]:
    """What the network for curves says of the average of the image with the most counts."""
    from ....predict.predictor import open_predictor

    image = most_counted(images)
    if image is None:
        return [], []
    try:
        (curve_answer,) = open_predictor(DEFAULT).answers([average_around_beam(replace(image, notes=()))])
    except (DataError, ModelZooError) as error:
        return [], [f"Its averaged curve has no answer: {error}"]
    curve_classes = curve_answer.finding(ClassesFinding)
    text = "The image is isotropic; models of its azimuthal average are listed, too."
    if not curve_answer.known:
        return [], ["Its averaged curve is unlike the training data of the network for curves."]
    return [replace(curve_classes, introduction=AVERAGE)] if curve_classes else [], [text]


def _plain(value: Value | None) -> dict[str, float] | None:
    if value is None:
        return None
    return {"value": float(f"{value.value:.4g}"), "error": float(f"{value.error:.2g}")}
