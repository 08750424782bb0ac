"""The noun of a fit of an image; it imports little, as the process that fits reads it while it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..places import Place


@dataclass(frozen=True)
class ImageJob:
    """An image whose physics is to be fitted."""

    places: tuple[Place, ...]  #: The one.
    folder: str  #: For what is written of it; made.
    #: ``kind``, ``geometry`` (see `kinds.How`), ``time_limit`` in seconds.
    body: Mapping[str, Any] = field(default_factory=dict)
