"""How large it is: by the curve itself where it has a Guinier region, the network's estimate beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..digits import significant
from ..domains.heads import Quantities
from ..model_free.in_words import contradiction, lines
from ..model_free.results import Guinier, ModelFree
from . import described, interaction
from .findings import Answer, QuantitiesFinding, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..types import Curve


@dataclass(frozen=True)
class SizeFinding:
    """Numbers without a model, worked out when they are first asked for, and the network's Rg.

    Parameters
    ----------
    network : Value or None
        Rg as the network estimates it, Å; None where it does not know.
    """

    head: Quantities
    curve: Curve
    network: Value | None

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
        """No table."""
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
        """None."""
        return ()

    def draw(self, axes: Axes) -> None:
        """Nothing; see `report.model_free`."""

    def silenced(self) -> SizeFinding:
        """What needs no network is still said."""
        return replace(self, network=None)


def complete(curve: Curve, answer: Answer) -> Answer:
    """An answer with what its curve says of interaction, of itself, and of the kind of sample.

    Parameters
    ----------
    curve : Curve
        What was measured.
    """
    answer = interaction.complete(curve, answer)
    network = answer.finding(QuantitiesFinding, "size")
    if network is None:
        return answer
    own = SizeFinding(network.head, curve, next(iter(network.known.values()), None))
    answer = replace(answer, findings=tuple(own if f is network else f for f in answer.findings))
    return described.complete(answer, own)
