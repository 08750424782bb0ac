"""What a network sees of a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Seen:
    """What a network sees of a measurement.

    Parameters
    ----------
    measurement : Curve, Image, …
        As its features are made of: of an image, what lies in the network's window.
    notes : tuple of str
        What was done to the data and what to be careful about, one plain sentence each.
    known : bool
        False where it was measured in a way that the network was not trained with; nothing is in scope then.
    """

    measurement: Any
    notes: tuple[str, ...] = ()
    known: bool = True
