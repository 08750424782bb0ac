"""What is inverted, how many geometries the inversion may look at, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .counts import Counts
from .parameters import Guess
from .settings import INVERSION


@dataclass
class Effort:
    """Geometries that were looked at, and their work; where it is over, no other descent begins.

    Counted rather than timed: the same pattern has the same answer on any machine.
    """

    most: int = INVERSION.most_geometries  #: Geometries.
    most_work: float = INVERSION.most_work  #: CPU-seconds, as `geometry` estimates them.
    told: Callable[[str], None] | None = None  #: Told of each stage in a few words.
    spent: int = 0
    work: float = 0.0

    @property
    def is_over(self) -> bool:
        """No other descent may begin."""
        return self.spent >= self.most or self.work >= self.most_work

    @property
    def half_over(self) -> bool:
        """Half of the geometries are spent."""
        return self.spent > self.most / 2

    def ends(self, number: int, most: int) -> bool:
        """A descent that has begun ends where it stands, after so many of at most so many geometries."""
        return number == most or self.work >= INVERSION.overrun * self.most_work

    def geometry(self, values: int) -> None:
        """Count one geometry, with so many values of the lattice's sums."""
        fixed_work, value_work = INVERSION.geometry_work
        self.spent += 1
        self.work += fixed_work + value_work * values / 1e6

    def say(self, stage: str) -> None:
        if self.told is not None:
            self.told(f"{stage}, {self.spent} geometries so far")


@dataclass(frozen=True)
class Problem:
    """A pattern, what is known of its geometry before, and the bound on the search."""

    counts: Counts
    guess: Guess
    effort: Effort = field(default_factory=Effort)
