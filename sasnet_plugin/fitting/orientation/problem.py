"""What is inverted, how many geometries the inversion may look at, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .counts import Counts
from .parameters import Guess
from .settings import INVERSION


@dataclass
class Effort:
    """Geometries that were looked at, counted; a descent that has begun ends, no other begins.

    Counted rather than timed: the same pattern has the same answer on any machine.

    Parameters
    ----------
    told : callable or None
        Told of each stage in a few words.
    """

    most: int = INVERSION.most_geometries
    told: Callable[[str], None] | None = None
    spent: int = 0

    @property
    def over(self) -> bool:
        """No other descent may begin."""
        return self.spent >= self.most

    def say(self, stage: str) -> None:
        """Tell of a stage."""
        if self.told is not None:
            self.told(f"{stage}, {self.spent} geometries so far")


@dataclass(frozen=True)
class Problem:
    """A pattern, what is known of its geometry before, and the bound on the search."""

    counts: Counts
    guess: Guess
    effort: Effort = field(default_factory=Effort)
