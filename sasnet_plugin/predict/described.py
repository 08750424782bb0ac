"""What is said of a curve besides its models: how large it is, and what kind of sample.

Size is the curve's own where it has a Guinier region, the network's estimate beside it. A kind is said where
the curve does not say which model: "compact particles, Rg 18 Å".
A protein is no ellipsoid, and a real bilayer no slab. Of such samples several models are equally right, and
none of them is the answer; what they have in common is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from ..digits import significant
from ..domains import Finding
from ..domains.heads import Classes, Quantities
from ..model_free.results import Guinier, ModelFree, Peak, Slope, contradiction, lines
from ..simulate import accepted
from ..types import Curve
from . import tags
from .classes import DECISIVE, ClassesFinding, percent
from .findings import Answer, QuantitiesFinding, Value

if TYPE_CHECKING:
    from ..protein.results import ProteinResult
    from .arithmetic import Floats


def _drop_laws(names: Sequence[str]) -> frozenset[str]:
    """A Guinier law says of a body that it is there, whatever its shape."""
    return frozenset(names) - frozenset(accepted.GUINIER)


LAYERS = "stacked layers"
#: Kinds, the simplest first, and the models that are of each.
KINDS: Mapping[str, frozenset[str]] = {
    "compact particles": _drop_laws(accepted.COMPACT),
    "elongated particles": _drop_laws(accepted.ELONGATED),
    "flexible chains": _drop_laws(accepted.FLEXIBLE),
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
class SizeFinding(Finding):
    """Numbers without a model, worked out when they are first asked for, and the network's Rg."""

    head: Quantities
    curve: Curve
    network: Value | None  #: Rg as the network estimates it, Å; None where it does not know.

    @cached_property
    def model_free(self) -> ModelFree:
        """What the curve says without a model."""
        return self.curve.model_free()

    @property
    def rg(self) -> float | None:
        """Guinier's where there is a Guinier region, else the network's, Å."""
        if isinstance(self.model_free.guinier, Guinier):
            return self.model_free.guinier.rg
        return None if self.network is None else self.network.value

    def as_dict(self) -> dict[str, Any]:
        """``rg``, ``rg_network`` and ``model_free``."""
        network = None if self.network is None else float(f"{self.network.value:.3g}")
        guinier = self.model_free.guinier
        rg = float(f"{guinier.rg:.4g}") if isinstance(guinier, Guinier) else network
        return {"rg": rg, "rg_network": network, "model_free": self.model_free.as_dict()}

    def sentences(self) -> Sequence[str]:
        """One line, the network's estimate where it stands alone, and whether they contradict each other."""
        sentences = [*lines(self.model_free)]
        if self.network is None:
            return sentences
        if isinstance(self.model_free.guinier, Guinier):
            differs = contradiction(self.model_free, self.network.value, self.network.error)
            return [*sentences, differs] if differs else sentences
        return [
            *sentences,
            f"Radius of gyration about {significant(self.network.value, 2)} Å by the network.",
        ]

    def silence(self) -> SizeFinding:
        """What needs no network is still said."""
        return replace(self, network=None)


@dataclass(frozen=True)
class ParticlesFinding(Finding):
    """Separate compact particles that are of no known model, worked out when they are first asked for."""

    curve: Curve
    head: Quantities | None = None  #: Of the size, in the answer of a network.

    @cached_property
    def result(self) -> ProteinResult | None:
        """All that p(r) says of the particles; None where they may be something else."""
        from ..protein.particles import find_particles, measure_particles, shows_maximum

        result = measure_particles(self.curve)
        particles = find_particles(result)
        return None if particles is None or shows_maximum(self.curve, particles) else result

    def as_dict(self) -> dict[str, Any]:
        """``protein``, as of a fit."""
        return {"protein": None if self.result is None else self.result.values_as_dict()}

    def sentences(self) -> Sequence[str]:
        """How large the particles are, as the headline of a fit begins."""
        from ..protein.particles import describe_particles, find_particles

        particles = find_particles(self.result, is_neutron=bool(self.curve.spin))
        return () if particles is None else (describe_particles(particles),)


@dataclass(frozen=True)
class KindFinding(Finding):
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
        is_seen = bare or (self.likeliest == LAYERS and orders(self.size.model_free.peaks))
        return self.likeliest if is_seen else ""

    def as_dict(self) -> dict[str, Any]:
        """``sample``: the kind and its probability; None where none is said."""
        description = {"kind": self.kind, "probability": round(self.probability, 6)}
        return {"sample": description if self.kind else None}

    def sentences(self) -> Sequence[str]:
        """The kind, how sure it is, how large, and the power law that rises beside orders of layers."""
        if not self.kind:
            return ()
        size = upturn_text = ""
        if self.kind in _BODIES and self.size.rg is not None:
            size = f", Rg {significant(self.size.rg, 2)} Å"
        elif self.kind == LAYERS and (slope := upturn(self.size.model_free)) is not None:
            upturn_text = f" with an upturn, q^{significant(slope, 2)}"
        return (
            (
                f"Kind of sample, independent of the model: {self.kind}{size}{upturn_text}"
                f" ({percent(self.probability)})."
            ),
        )

    def silence(self) -> KindFinding:
        return replace(self, likeliest="")


def kind_of(labels: Sequence[str], probability: Floats, uniform: Floats | None) -> tuple[str, float]:
    """Return the likeliest kind and its probability; "" if it is not decisive or one model is."""
    # A kind decisive under one prior only is not reported: a quarter of those were wrong on simulated curves,
    # of those at `DECISIVE` under both one in eight. `uniform` None means no other prior.
    if probability.max() >= DECISIVE:
        return "", 0.0
    even = probability if uniform is None else uniform
    shares = {
        kind: min(sum(p[rows].tolist()) for p in (probability, even))
        for kind, rows in _rows_of_kinds(tuple(labels)).items()
    }
    # Of kinds that share nearly all their models, the simplest.
    best = max(shares.values())
    kind = next(name for name, share in shares.items() if share >= 0.98 * best)
    return (kind, shares[kind]) if shares[kind] >= DECISIVE else ("", 0.0)


@cache
def _rows_of_kinds(labels: tuple[str, ...]) -> Mapping[str, list[int]]:
    return {
        kind: [row for row, name in enumerate(labels) if name in models] for kind, models in KINDS.items()
    }


def orders(peaks: Sequence[Peak]) -> bool:
    """Whether all maxima, two or more, lie at whole multiples of the first, as orders of layers do."""
    multiples = [peak.q / peaks[0].q for peak in peaks]
    return len(multiples) > 1 and all(abs(m / round(m) - 1) < _WHOLE for m in multiples)


def upturn(model_free: ModelFree) -> float | None:
    """Exponent of the power law before orders of layers; None where there is none."""
    low, peaks = model_free.low, model_free.peaks
    if not isinstance(low, Slope) or low.value > _UPTURN or not orders(peaks) or low.q_max > peaks[0].q:
        return None
    return low.value


def add_kind(answer: Answer, size: SizeFinding) -> Answer:
    """An answer with the kind of sample after its models."""
    classes = answer.finding(ClassesFinding)
    if classes is None or classes.silent:
        return answer
    kind, share = kind_of(classes.head.labels, classes.probability, classes.uniform)
    kind_finding = KindFinding(classes.head, kind, share, answer.known, size)
    return replace(answer, findings=(answer.findings[0], kind_finding, *answer.findings[1:]))


def complete(curve: Curve, answer: Answer) -> Answer:
    """An answer with what its curve says of interaction, of itself, and of the kind of sample."""
    answer = tags.complete(curve, answer)
    network = answer.finding(QuantitiesFinding, "size")
    if network is None:
        return answer
    size_finding = SizeFinding(network.head, curve, next(iter(network.present_values.values()), None))
    answer = replace(answer, findings=tuple(size_finding if f is network else f for f in answer.findings))
    answer = add_kind(answer, size_finding)
    # p(r) costs more than the network: only where no model of the library is likely.
    if answer.known:
        return answer
    return replace(answer, findings=(*answer.findings, ParticlesFinding(curve, size_finding.head)))
