"""What the measurements of a domain are drawn from, and how its rows lie on disk and are handed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..types import SimulationError

if TYPE_CHECKING:
    from .heads import Head, Inputs, Targets

#: Arrays of one clean measurement by name; ``parameters`` is a mapping of numbers by name.
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Layout:
    """How the rows of a simulator lie on disk."""

    format: int = 1  #: Raised when the way from parameters to a row changes.
    stem: str = "rows"  #: What the names of shards begin with: ``films-00000.h5``.
    content: str = "{rows:,} rows"  #: Of ``rows`` and ``parts``, words for so many: "{rows:,} films".
    rows: int = 128  #: Of a shard, about a second to a minute of work, which is what a kill loses.
    per_round: int = 1024  #: Of a round.
    row_bytes: int = 10_000  #: At most, on disk.
    shard_bytes: int = 10_000  #: Of a shard besides its rows.
    #: () to everything besides seed and number that the content of a shard depends on; JSON holds it.
    settings: Callable[[], Mapping[str, Any]] | None = None
    unit: Callable[[str], str] | None = None  #: (name) to the unit of a parameter; None writes no units.
    #: The same for all rows, each with its unit.
    constants: Mapping[str, tuple[NDArray[Any], str]] = field(default_factory=dict)
    compressed: tuple[str, ...] = ()  #: Arrays that are worth it.
    in_memory: bool = True  #: Whether a dataset is read whole: rows are small and drawn one by one.


@dataclass(frozen=True)
class Mix:
    """What a stream hands over at once."""

    rows: int = 32  #: Rows of the dataset that are drawn.
    uses: int = 1  #: Measurements of each.
    others: int = 3  #: Of all these, out-of-distribution examples, where the simulator makes any.
    #: Measurements of a row at a time in held-out sets; 0 takes every row about as often.
    held_out_uses: int = 0
    known: int = 20  #: Known examples for one of each other kind in calibration.
    #: Further sets for calibration: so many for one of each other kind, options of the simulator's
    #: ``measure``; head, and entry of its calibration, that is taken from this set.
    more: tuple[tuple[int, Mapping[str, Any], str, str], ...] = ()


@dataclass(frozen=True)
class HeldOut:
    """Examples for calibration and tests, known ones first."""

    inputs: Inputs  #: What the network reads.
    targets: Targets  #: By head.
    #: What the simulator says besides, such as ``counts``; NaN of out-of-distribution examples, whose
    #: ``kind`` (n,) there is, as of known ones where the simulator says it.
    about: Mapping[str, NDArray[Any]]
    known: int  #: So many are known.


@runtime_checkable
class Simulator(Protocol):
    """What the measurements of a domain are drawn from.

    A class of its own derives from it and has `sample`, `clean` and `measure`; everything else has a usual
    form, to be changed where a domain needs another.
    """

    #: What is asked of `simulate_unknown`.
    kinds: tuple[str, ...] = ()
    mix: Mix = Mix()

    @property
    def layout(self) -> Layout:
        """How rows lie on disk."""
        return Layout()

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw the parameters of one sample and its beam."""
        raise SimulationError("sasnet cannot simulate such measurements.")

    def clean(self, params: Any) -> Row:
        """A row of the dataset: arrays by name, simulated without noise or instrument."""
        raise SimulationError("sasnet cannot simulate such measurements.")

    def measure(
        self, rows: Sequence[Row], rng: np.random.Generator, *, exposure: float | None = None
    ) -> tuple[Any, Targets]:
        """Measure rows anew: what `Domain.features` reads, and what is true, by head.

        Parameters
        ----------
        rows : sequence of mapping
            Of `clean`.
        exposure : float, optional
            Expected counts; default: drawn.

        Raises
        ------
        SimulationError
            Rows of this domain are drawn together, by `examples`.
        """
        raise SimulationError("These measurements cannot be simulated one by one; use examples().")

    def simulate_unknown(
        self, kind: str, row: Row, rng: np.random.Generator, *, exposure: float | None = None
    ) -> Any:
        """A measurement of something that the network does not know, by the instrument of a row."""
        raise SimulationError(
            f"{kind}: such measurements, outside the scope of the network, cannot be simulated."
        )

    def configure(self, settings: Mapping[str, Any]) -> Simulator:
        """The simulator of a dataset with these settings, such as its window."""
        return self

    def plan(self, folder: Path | str, request: Any) -> Any:
        """`simulate.shards.Plan` for a `Request`, where rows are of several kinds; None: the usual one."""
        return None

    def examples(
        self, folder: Path | str, rng: np.random.Generator
    ) -> Iterator[tuple[Inputs, Targets]] | None:
        """Examples without end, where rows must be drawn together; None: `measure` makes them."""
        return None

    def draw_held_out(
        self,
        folder: Path | str,
        rng: np.random.Generator,
        per_model: int,
        heads: tuple[Head, ...],
        progress: Callable[[int], None] | None = None,
    ) -> HeldOut | None:
        """Examples for calibration, where rows must be drawn together; None: `measure` makes them."""
        return None

    def labels(self, folder: Path | str) -> Mapping[str, Mapping[str, Any]]:
        """By head, the labels that a dataset decides."""
        return {}

    def inputs(self, folder: Path | str) -> Mapping[str, Any]:
        """What the manifest of a network says of its training data."""
        return {}
