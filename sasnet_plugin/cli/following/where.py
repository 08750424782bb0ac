"""Where the network is asked: here, or on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...predict import Predictor
    from ...predict.elsewhere import Elsewhere


@contextmanager
def asked_where(scheduler: str | None, domain: str, here: Predictor) -> Iterator[Predictor | Elsewhere]:
    """Yield what answers: the network itself, or its like on a cluster while connected. Raises ClusterError
    if no scheduler answers.
    """
    if scheduler is None:
        yield here
        return
    from ...predict.elsewhere import Elsewhere
    from ...workers.spread import connected

    with connected(scheduler) as cluster:
        yield Elsewhere(cluster, domain)
