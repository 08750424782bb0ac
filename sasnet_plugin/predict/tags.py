"""Which of several tags are there; of a second component and of interaction between bodies in sentences.

Of interaction: is it seen, of which type, and could this window show it.
A structure factor is the body's neighbours: its first peak lies near q = 2π/(2R) and its effect on I(q) is
below that. A window that begins beyond q = 0.8 π/R, R the effective radius, does not hold it, and no answer
of the network about such a curve can be more than its habit. Where the network has no head of its own for
these questions, detection is the probability of all structure factors together, and the radius that of the
sphere with the same radius of gyration, R = √(5/3) Rg (A. Guinier and G. Fournet, Small-Angle Scattering of
X-Rays, 1955).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..digits import significant
from ..domains import Finding
from ..domains.heads import Tags
from ..types import Curve
from .classes import FULL_BAR, ClassesFinding, percent
from .findings import Answer, QuantitiesFinding

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: The head's name, and its only tag.
COMPONENTS, TAG = "components", "second_component"
#: A structure factor shows below this times π/R.
SHOWN_BELOW = 0.8
#: Probability from which on an interaction is said to be there.
DETECTED = 0.5
_SPHERE = math.sqrt(5 / 3)


@dataclass(frozen=True)
class TagsFinding(Finding):
    """Which tags are there."""

    head: Tags
    probability: Mapping[str, float]  #: By tag, never above that of its parent.
    present: tuple[str, ...] = ()  #: Those said to be there, by thresholds chosen on held-out examples.

    def as_dict(self) -> dict[str, Any]:
        """Name, probability and verdict of each tag, under the head's name."""
        rows = [
            {"name": name, "probability": round(p, 6), "present": name in self.present}
            for name, p in self.probability.items()
        ]
        return {self.head.name: rows}

    def rows(self) -> Sequence[Sequence[str]]:
        if not self.probability:
            return ()
        bars = [
            [name, f"{percent(p):>6} {'█' * round(FULL_BAR * p)}"] for name, p in self.probability.items()
        ]
        return [["tag", "probability"], *bars]

    def sentences(self) -> Sequence[str]:
        texts = [f"{name} {percent(p)}" for name, p in self.probability.items() if name in self.present]
        return (f"{', '.join(texts) or 'None of the tags'}.",) if self.probability else ()

    def draw(self, axes: Axes) -> None:
        rows = np.arange(len(self.probability))
        axes.barh(rows, list(self.probability.values()))
        axes.set_yticks(rows, list(self.probability), fontsize=8)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("probability")

    def silence(self) -> TagsFinding:
        return replace(self, probability={}, present=())


@dataclass(frozen=True)
class ComponentsFinding(TagsFinding):
    """The tag of a second component: a mixture of two models, or of two sizes of one."""

    def rows(self) -> Sequence[Sequence[str]]:
        return ()

    def sentences(self) -> Sequence[str]:
        """Say whether there seems to be a second component, with its probability."""
        if TAG not in self.probability:
            return ()
        probability_text = percent(self.probability[TAG])
        if TAG in self.present:
            says = "seems to be there" if self.probability[TAG] >= 0.5 else "may be there"
            return (f"A second component, or a second size, {says} ({probability_text}).",)
        return (f"No second component was detected ({probability_text}).",)


def put_in_words(answer: Answer) -> Answer:
    """Put an answer's finding about components, if any, into a sentence."""
    findings = tuple(
        ComponentsFinding(f.head, f.probability, f.present)
        if isinstance(f, TagsFinding) and f.head.name == COMPONENTS
        else f
        for f in answer.findings
    )
    return replace(answer, findings=findings)


def probability_of_two(answer: Answer) -> float | None:
    """Probability of a second component; None of a network that does not look for one."""
    components = answer.finding(ComponentsFinding)
    return None if components is None else components.probability.get(TAG)


@dataclass(frozen=True)
class InteractionFinding(Finding):
    """What a curve says of the interaction between bodies."""

    head: Tags
    interacting: float  #: Probability that there is a structure factor, of whatever type.
    kind: str  #: The likeliest type, if there is one; empty where no form considered has any.
    kind_probability: float  #: Of that type, given that there is one.
    window_shows: bool | None  #: Whether the window could show it; None where the body's size is not known.
    radius: float | None  #: Effective radius that this follows from, Å.
    q_min: float  #: Where the curve begins, Å⁻¹.
    silent: bool = False
    #: Probability of all structure factors together, where the network has another answer for detection.
    with_factor: float | None = None

    @property
    def q_needed(self) -> float | None:
        """Where a window has to begin to show it, Å⁻¹."""
        return None if self.radius is None else SHOWN_BELOW * math.pi / self.radius

    def as_dict(self) -> dict[str, Any]:
        """``interaction``: its probability, the type given that there is one, and what the window shows."""
        needed = self.q_needed
        return {
            self.head.name: {
                "interacting": round(self.interacting, 6),
                "structure_factor": self.kind or None,
                "structure_factor_probability": round(self.kind_probability, 6) if self.kind else None,
                "q_range_shows": self.window_shows,
                "window_shows": self.window_shows,  # its former name, until the next release
                "radius_effective": None if self.radius is None else float(f"{self.radius:.3g}"),
                "q_needed": None if needed is None else float(f"{needed:.3g}"),
            }
        }

    @property
    def _where(self) -> str:
        """Say from which q down an interaction would show, if a size is known."""
        if self.radius is None or self.q_needed is None:
            return ""
        return (
            f": bodies of about {significant(self.radius, 2)} Å show it below"
            f" q = {significant(self.q_needed, 2)} Å⁻¹, and the data begin at"
            f" {significant(self.q_min, 2)} Å⁻¹"
        )

    def sentences(self) -> Sequence[str]:
        """Whether it is seen and of which type; or that this window cannot show it."""
        if self.silent:
            return ()
        if self.window_shows is False:
            return (f"This q range cannot show interparticle interactions{self._where}.",)
        other_probability = self.with_factor
        if other_probability is not None and (other_probability < DETECTED) != (self.interacting < DETECTED):
            return (
                (
                    f"Interactions are possible but not certain. The network gives interactions"
                    f" {percent(self.interacting)}, but models with a structure factor"
                    f" {percent(other_probability)}."
                ),
            )
        if self.interacting < DETECTED:
            return (f"No interparticle interaction was detected (interacting {percent(self.interacting)}).",)
        kind = f"; if so, most likely {self.kind} ({percent(self.kind_probability)})" if self.kind else ""
        return (f"The particles interact: {percent(self.interacting)}{kind}.",)

    def draw(self, axes: Axes) -> None:
        axes.barh([0], [self.interacting])
        axes.set_yticks([0], ["interacting"], fontsize=8)
        axes.set_xlim(0, 1)
        axes.set_xlabel("probability")

    def silence(self) -> InteractionFinding:
        return replace(self, silent=True)


def complete(curve: Curve, answer: Answer) -> Answer:
    """An answer with the three statements, in the place of what heads of their own say of them."""
    answer = put_in_words(answer)
    classes = answer.finding(ClassesFinding)
    if classes is None or not classes.given:
        return answer
    own_tags = answer.finding(TagsFinding, "interaction")
    size = answer.finding(QuantitiesFinding, "size")
    radius = answer.finding(QuantitiesFinding, "effective_radius")
    rest = tuple(f for f in answer.findings if id(f) not in (id(own_tags), id(radius)))
    interaction = _find_interaction(curve, classes, own_tags, size, radius)
    return replace(answer, findings=(*rest, interaction.silence() if classes.silent else interaction))


def _find_interaction(
    curve: Curve,
    classes: ClassesFinding,
    own_tags: TagsFinding | None,
    size: QuantitiesFinding | None,
    effective: QuantitiesFinding | None,
) -> InteractionFinding:
    head, given_shares = classes.given[0]
    joint = classes.probability @ given_shares
    none_index = head.labels.index("") if "" in head.labels else None
    kinds = np.array([0.0 if i == none_index else p for i, p in enumerate(joint)])
    total = float(kinds.sum())
    # Models that no structure factor goes with, as microemulsions and networks, do not interact.
    able = np.ones(len(given_shares), dtype=bool) if none_index is None else given_shares[:, none_index] < 1.0
    possible = float(classes.probability @ able)
    best = int(kinds.argmax())
    tags = own_tags.probability if own_tags is not None else {}
    radius = _value(effective, 1.0) or _value(size, _SPHERE)
    q_min = float(curve.q.min())
    shows = None if radius is None else bool(q_min < SHOWN_BELOW * math.pi / radius)
    if _value(effective, 1.0) is None and "window_shows" in tags:
        shows, radius = tags["window_shows"] >= DETECTED, None
    return InteractionFinding(
        own_tags.head if own_tags is not None else Tags("interaction", ("interacting", "window_shows")),
        min(float(tags.get("interacting", total)), possible),
        head.labels[best] if total > 0 else "",
        float(kinds[best] / total) if total > 0 else 0.0,
        shows,
        radius,
        q_min,
        with_factor=total if "interacting" in tags else None,
    )


def _value(quantities: QuantitiesFinding | None, factor: float) -> float | None:
    values = list(quantities.present_values.values()) if quantities is not None else []
    return factor * values[0].value if values else None
