"""What is said of a curve besides its models: how large it is, and what kind of sample.

Size is the curve's own where it has a Guinier region, the network's estimate beside it. A kind is said where
the curve does not say which model: "compact particles, Rg 18 Å".
A protein is no ellipsoid, and a real bilayer no slab. Of such samples several models are equally right, and
none of them is the answer; what they have in common is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..digits import significant
from ..domains.heads import Classes, Quantities
from ..model_free.in_words import contradiction, lines
from ..model_free.results import Guinier, ModelFree, Peak, Slope
from ..simulate.bodies import accepted
from . import tags
from .classes import DECISIVE, ClassesFinding, percent
from .findings import Answer, QuantitiesFinding, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..types import Curve
    from .arithmetic import Floats


def _without_laws(names: Sequence[str]) -> frozenset[str]:
    """A Guinier law says of a body that it is there, whatever its shape."""
    return frozenset(names) - frozenset(accepted.GUINIER)


LAYERS = "stacked layers"
#: Kinds, the simplest first, and the models that are of each.
KINDS: Mapping[str, frozenset[str]] = {
    "compact particles": _without_laws(accepted.COMPACT),
    "elongated particles": _without_laws(accepted.ELONGATED),
    "flexible chains": _without_laws(accepted.FLEXIBLE),
    "a bilayer, flat or closed": frozenset({*accepted.SHEET, "vesicle"}),
    LAYERS: frozenset(accepted.MULTILAYER),
    "a branched cluster": frozenset(accepted.CLUSTER),
}
#: Orders of layers lie at whole multiples of the first, within this share.
_WHOLE = 0.04
#: From this slope on the lowest q is an upturn, of a network or of surfaces beside what is seen.
_UPTURN = -1.5
#: Of which a radius of gyration is said; of what is no known model, one of these, or layers whose orders are
#: seen: the rings of any lattice look like stacked layers to a network.
_BODIES = ("compact particles", "elongated particles", "flexible chains")


@dataclass(frozen=True)
class SizeFinding:
    """Numbers without a model, worked out when they are first asked for, and the network's Rg."""

    head: Quantities
    curve: Curve
    network: Value | None  #: Rg as the network estimates it, Å; None where it does not know.

    @cached_property
    def found(self) -> ModelFree:
        """What the curve says without a model."""
        return self.curve.model_free()

    @property
    def rg(self) -> float | None:
        """Guinier's where there is a Guinier region, else the network's, Å."""
        if isinstance(self.found.guinier, Guinier):
            return self.found.guinier.rg
        return None if self.network is None else self.network.value

    def as_dict(self) -> dict[str, Any]:
        """``rg``, ``rg_network`` and ``model_free``."""
        network = None if self.network is None else float(f"{self.network.value:.3g}")
        own = self.found.guinier
        rg = float(f"{own.rg:.4g}") if isinstance(own, Guinier) else network
        return {"rg": rg, "rg_network": network, "model_free": self.found.as_dict()}

    def rows(self) -> Sequence[Sequence[str]]:
        return ()

    def sentences(self) -> Sequence[str]:
        """One line, the network's estimate where it stands alone, and whether they contradict each other."""
        said = [*lines(self.found)]
        if self.network is None:
            return said
        if isinstance(self.found.guinier, Guinier):
            differs = contradiction(self.found, self.network.value, self.network.error)
            return [*said, differs] if differs else said
        return [*said, f"Radius of gyration about {significant(self.network.value, 2)} Å by the network."]

    def notes(self) -> Sequence[str]:
        return ()

    def draw(self, axes: Axes) -> None:
        """Nothing; see `report.model_free`."""

    def silenced(self) -> SizeFinding:
        """What needs no network is still said."""
        return replace(self, network=None)


@dataclass(frozen=True)
class KindFinding:
    """A kind of sample that several models share."""

    head: Classes  #: Of the models.
    likeliest: str  #: Of `KINDS`; empty where none is decisive, or one model is.
    probability: float  #: Of all its models together.
    #: Whether the curve is said to be of a known model. Asked only where a kind is said: what the curve says
    #: without a model takes a while.
    known: bool
    size: SizeFinding

    @cached_property
    def kind(self) -> str:
        """The kind; of what is no known model a body, or layers whose orders are seen; else empty."""
        bare = self.known or self.likeliest in _BODIES
        seen = bare or (self.likeliest == LAYERS and orders(self.size.found.peaks))
        return self.likeliest if seen else ""

    def as_dict(self) -> dict[str, Any]:
        """``sample``: the kind and its probability; None where none is said."""
        found = {"kind": self.kind, "probability": round(self.probability, 6)}
        return {"sample": found if self.kind else None}

    def rows(self) -> Sequence[Sequence[str]]:
        return ()

    def sentences(self) -> Sequence[str]:
        """The kind, how sure it is, how large, and the power law that rises beside orders of layers."""
        if not self.kind:
            return ()
        size = beside = ""
        if self.kind in _BODIES and self.size.rg is not None:
            size = f", Rg {significant(self.size.rg, 2)} Å"
        elif self.kind == LAYERS and (slope := upturn(self.size.found)) is not None:
            beside = f" with an upturn, q^{significant(slope, 2)}"
        return (
            (
                f"Kind of sample, for any of these models: {self.kind}{size}{beside}"
                f" ({percent(self.probability)})."
            ),
        )

    def notes(self) -> Sequence[str]:
        return ()

    def draw(self, axes: Axes) -> None:
        """Nothing."""

    def silenced(self) -> KindFinding:
        return replace(self, likeliest="")


def kind_of(labels: Sequence[str], probability: Floats, uniform: Floats | None) -> tuple[str, float]:
    """Return the likeliest kind and its probability; "" if it is not decisive or one model is."""
    # A kind decisive under one prior only is not reported: a quarter of those were wrong on simulated curves,
    # of those at `DECISIVE` under both one in eight. `uniform` None means no other prior.
    if probability.max() >= DECISIVE:
        return "", 0.0
    even = probability if uniform is None else uniform
    shares = {
        kind: min(
            float(sum(p[row] for row, name in enumerate(labels) if name in models))
            for p in (probability, even)
        )
        for kind, models in KINDS.items()
    }
    # Of kinds that share nearly all their models, the simplest.
    best = max(shares.values())
    kind = next(name for name, share in shares.items() if share >= 0.98 * best)
    return (kind, shares[kind]) if shares[kind] >= DECISIVE else ("", 0.0)


def orders(peaks: Sequence[Peak]) -> bool:
    """Whether all maxima, two or more, lie at whole multiples of the first, as orders of layers do."""
    multiples = [peak.q / peaks[0].q for peak in peaks]
    return len(multiples) > 1 and all(abs(m / round(m) - 1) < _WHOLE for m in multiples)


def upturn(found: ModelFree) -> float | None:
    """Exponent of the power law before orders of layers; None where there is none."""
    low, peaks = found.low, found.peaks
    if not isinstance(low, Slope) or low.value > _UPTURN or not orders(peaks) or low.q_max > peaks[0].q:
        return None
    return low.value


def with_kind(answer: Answer, size: SizeFinding) -> Answer:
    """An answer with the kind of sample after its models."""
    classes = answer.finding(ClassesFinding)
    if classes is None or classes.silent:
        return answer
    kind, share = kind_of(classes.head.labels, classes.probability, classes.uniform)
    said = KindFinding(classes.head, kind, share, answer.known, size)
    return replace(answer, findings=(answer.findings[0], said, *answer.findings[1:]))


def complete(curve: Curve, answer: Answer) -> Answer:
    """An answer with what its curve says of interaction, of itself, and of the kind of sample."""
    answer = tags.complete(curve, answer)
    network = answer.finding(QuantitiesFinding, "size")
    if network is None:
        return answer
    own = SizeFinding(network.head, curve, next(iter(network.known.values()), None))
    answer = replace(answer, findings=tuple(own if f is network else f for f in answer.findings))
    return with_kind(answer, own)
