"""A network asked on the workers of a Dask cluster, with the answers of one that is asked here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from .predictor import open_predictor

if TYPE_CHECKING:
    from ..workers.spread import Cluster
    from .findings import Answer


@dataclass(frozen=True)
class Elsewhere:
    """Asks the network of a domain where the workers are; they must have the same network installed."""

    cluster: Cluster
    name: str  #: Of the domain.

    def outcomes(self, measurements: Sequence[Any]) -> list[Answer | Exception]:
        return self.cluster.spread(partial(answer_remotely, self.name), measurements)


def answer_remotely(name: str, measurements: list[Any]) -> list[Answer | Exception]:
    """What a worker does with its share."""
    return open_predictor(name).outcomes(measurements)
