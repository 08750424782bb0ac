"""From a scan to outcomes: what was answered of its events, by the ids of the suggestions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...types import SasnetError
from .agent import ID
from .documents import Answered, Documents

if TYPE_CHECKING:
    from bluesky_adaptive.protocols import OptimizationProblem

#: Where bluesky-adaptive's default plan writes the ids in the order in which it measured.
ORDER = "blop_acquisition_order"


def problem(
    agent: Any, actuators: Sequence[Any], sensors: Sequence[Any], documents: Documents
) -> OptimizationProblem[Any]:
    """What the plans of bluesky-adaptive take: ``RE(optimize(problem(…), iterations=…))``.

    Parameters
    ----------
    actuators, sensors : sequence
        Devices of Bluesky; an actuator is called as what it sets.
    documents : Documents
        Subscribed to the RunEngine.
    """
    from bluesky_adaptive.protocols import OptimizationProblem

    return OptimizationProblem(agent, actuators, sensors, Evaluation(documents))


@dataclass(frozen=True)
class Evaluation:
    """What a plan of bluesky-adaptive asks of a scan."""

    documents: Documents  #: Subscribed to the RunEngine.
    #: Whose events are the curves of the suggestions, one of each, in the order of the scan.
    stream: str = "primary"

    def __call__(self, uid: Any, suggestions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return an outcome for each suggestion of a run, or of runs in the order measured. Raises
        SasnetError unless each has one event with a curve.
        """
        if isinstance(uid, str):
            order = list(
                self.documents.start_of(uid).get(ORDER, [suggestion[ID] for suggestion in suggestions])
            )
            events = [
                suggestion for suggestion in self.documents.answers(uid) if suggestion.stream == self.stream
            ]
        else:
            order = list(uid)
            events = [
                suggestion for suggestion in self.documents.answers() if suggestion.stream == self.stream
            ][-len(order) :]
        if len(events) != len(order):
            raise SasnetError(
                f"the scan has {len(events)} events with a curve for {len(order)} suggestions."
                f" Subscribe the Documents to the RunEngine, and write one curve for each suggestion"
                f" into the stream {self.stream!r}."
            )
        by_id: dict[Any, Answered] = dict(zip(order, events, strict=True))
        return [{ID: suggestion[ID], **by_id[suggestion[ID]].outcome} for suggestion in suggestions]
