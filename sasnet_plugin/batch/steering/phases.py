"""Which sample of a grid to measure next so that the map of its phases is known soonest, and why.

The phase of a sample is what the network says of its curve in some aspects: which group of models, whether
bodies interact, whether there are two populations. Each aspect is a map of its own (`belief`); a measurement
is worth the bits by which the entropies of all maps are expected to fall (D. V. Lindley, Ann. Math. Statist.
27 (1956) 986; D. J. C. MacKay, Neural Comput. 4 (1992) 590).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...arrays import Floats
from ..live.line import SHARE
from .belief import UNSEEN, Belief, compute_belief, entropy, wins
from .grid import Grid, spread

#: Probability of each label, for each aspect.
Shares = Mapping[str, Mapping[str, float]]
#: The aspects, and what is said where the network knows nothing of the kind.
GROUP, INTERACTION, POPULATIONS = "group", "interaction", "populations"
UNKNOWN = "nothing that the network knows"
_HALF = 0.5


class PhaseSettings(NamedTuple):
    """How samples are chosen."""

    #: Samples for each axis, and one more, that are spread over the grid before anything is inferred.
    first: int = 4
    candidates: int = 40  #: Samples of the largest own entropy whose gain is worked out.
    enough: float = 0.3  #: Bits that the best sample has to promise; below them the map is taken for known.
    #: Probability of the best label below which a measured sample is undecided: in its own answer, and in
    #: what its neighbours say with it.
    decided: float = 0.85
    again: int = 2  #: Times that an undecided sample is measured again, longer.
    longer: float = 8.0  #: How many times as long: noise falls to a third.


SETTINGS = PhaseSettings()


@dataclass(frozen=True)
class Suggestion:
    """A sample to measure."""

    place: int  #: Of the raster.
    gain: float  #: Bits that are expected of it; NaN while samples are only spread.
    reason: str
    longer: bool = False  #: It was measured and is undecided: count it longer than before.


@dataclass(frozen=True)
class Boundary:
    """Two neighbours of different phases."""

    between: tuple[dict[str, float], dict[str, float]]  #: Points of the grid.
    phases: tuple[str, str]
    probability: float  #: That they differ, taken by itself.


def aspects_of(outcome: Mapping[str, object]) -> Shares:
    """Labels of a sample from the numbers of an answer, ``p sphere`` and so on, as far as it has any."""
    groups = {
        name.removeprefix(SHARE): value
        for name, one_value in outcome.items()
        if name.startswith(SHARE) and (value := _number(one_value)) is not None
    }
    shares: dict[str, Mapping[str, float]] = {}
    total = sum(groups.values())
    scope = _number(outcome.get("in_scope"))
    two_populations = _number(outcome.get("two_populations"))
    if total > 0:
        shares[GROUP] = {name: value / total for name, value in groups.items() if value > 0}
    elif scope is not None and (two_populations is None or two_populations < _HALF):
        # That no single model explains it, two populations say already.
        shares[GROUP] = {UNKNOWN: 1.0}
    pairs = (
        (INTERACTION, "interacting", "interacting", "not interacting"),
        (POPULATIONS, "two_populations", "two populations", "one population"),
    )
    for aspect, key, yes, no in pairs:
        p = _number(outcome.get(key))
        if p is not None:
            shares[aspect] = {yes: min(max(p, 0.0), 1.0), no: 1 - min(max(p, 0.0), 1.0)}
    return shares


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


@dataclass
class PhaseMap:
    """A grid of samples, what has been measured of it, and what that says of the rest."""

    grid: Grid
    #: What makes a phase; others are passed over.
    aspects: tuple[str, ...] = (GROUP, INTERACTION, POPULATIONS)
    settings: PhaseSettings = SETTINGS
    measured: list[tuple[int, Shares]] = field(default_factory=list)  #: (place, shares)
    failed: set[int] = field(default_factory=set)  #: Places that are not to be suggested again.
    _beliefs: dict[str, Belief] = field(default_factory=dict)
    _upto: int = -1

    def take(self, place: int, shares: Shares) -> None:
        self.measured.append((place, shares))

    def beliefs(self) -> dict[str, Belief]:
        """The map of each aspect of which something was measured."""
        if self._upto != len(self.measured):
            self._beliefs = {}
            for aspect in self.aspects:
                measured_pairs = [
                    (place, shares_here[aspect])
                    for place, shares_here in self.measured
                    if shares_here.get(aspect)
                ]
                if measured_pairs:
                    places, shares = zip(*measured_pairs, strict=True)
                    self._beliefs[aspect] = compute_belief(self.grid.steps, places, shares)
            self._upto = len(self.measured)
        return self._beliefs

    def open_bits(self) -> Floats:
        """(n,) entropy of what is believed of each sample."""
        bits = np.zeros(len(self.grid))
        for belief in self.beliefs().values():
            bits = bits + entropy(belief.probability())
        return bits

    def suggest(self, waiting: Sequence[int] = ()) -> Suggestion | None:
        """Choose the next sample, None if all are measured or `waiting` for it."""
        taken_places = {place for place, _ in self.measured} | self.failed | set(waiting)
        free = np.array([place not in taken_places for place in range(len(self.grid))])
        if not free.any():
            return None
        first = min(self.settings.first * len(self.grid.axes) + 1, len(self.grid))
        if len(taken_places) < first or not self.beliefs():
            place = spread(self.grid, sorted(taken_places))
            place = place if free[place] else int(np.argmax(free))
            return Suggestion(place, math.nan, self._spread_words(place))
        most = self._most(free, waiting)
        return self._longer(most, waiting) or most

    def _most(self, free: NDArray[np.bool_], waiting: Sequence[int]) -> Suggestion:
        beliefs = [_add_waiting_measurements(belief, waiting) for belief in self.beliefs().values()]
        entropies = np.sum([entropy(belief.probability()) for belief in beliefs], axis=0)
        places = np.flatnonzero(free)
        candidates = places[np.argsort(-entropies[places], kind="stable")][
            : self.settings.candidates
        ].tolist()
        gains = [sum(estimate_gain(belief, place) for belief in beliefs) for place in candidates]
        best = int(np.argmax(gains))
        place, gain = candidates[best], float(gains[best])
        return Suggestion(place, gain, self._words(place, gain, float(entropies.sum())))

    def _longer(self, most: Suggestion, waiting: Sequence[int]) -> Suggestion | None:
        """Where no new sample promises enough: the undecided one that is most open, to be counted longer."""
        if most.gain >= self.settings.enough:
            return None
        often = Counter(place for place, _ in self.measured)
        again = [k for k in self.find_undecided() if often[k] <= self.settings.again and k not in waiting]
        if not again:
            return None
        open_bits = self.open_bits()
        place = max(again, key=lambda k: float(open_bits[k]))
        return Suggestion(place, most.gain, self._longer_words(place), longer=True)

    def find_undecided(self) -> list[int]:
        """Measured samples of which neither their own answers nor their neighbours' say what they are."""
        undecided: set[int] = set()
        for aspect, belief in self.beliefs().items():
            best = belief.probability()[:-1].max(axis=0, initial=0.0)
            answers = [
                (place, max(shares_here[aspect].values()))
                for place, shares_here in self.measured
                if shares_here.get(aspect)
            ]
            sure = {place for place, p in answers if max(p, float(best[place])) >= self.settings.decided}
            undecided |= {place for place, _ in answers} - sure
        return sorted(undecided)

    def phases(self) -> tuple[list[str], Floats]:
        """The most probable phase of each sample, and its probability."""
        names: list[list[str]] = [[] for _ in range(len(self.grid))]
        sure = np.ones(len(self.grid))
        for belief in self.beliefs().values():
            beliefs_here = (
                wins(belief.mean[:-1], belief.variance) if len(belief.labels) > 1 else np.ones((1, len(sure)))
            )
            best = beliefs_here.argmax(axis=0)
            sure = sure * belief.probability()[best, np.arange(len(sure))]
            for place, k in enumerate(best):
                names[place].append(belief.labels[int(k)])
        return [", ".join(labels) or UNSEEN for labels in names], sure

    def boundaries(self) -> list[Boundary]:
        """Neighbours of different phases, as it is believed."""
        phases, _ = self.phases()
        boundaries = []
        for first, second in self.grid.neighbours:
            if phases[first] == phases[second]:
                continue
            alike = 1.0
            for belief in self.beliefs().values():
                p = belief.probability()
                alike *= float(np.sum(p[:, first] * p[:, second]))
            ends = self.grid.point(int(first)), self.grid.point(int(second))
            boundaries.append(Boundary(ends, (phases[first], phases[second]), 1 - alike))
        return boundaries

    def assess_convergence(self) -> tuple[bool, str]:
        """Whether more samples would hardly change the map, and a sentence, which names what is undecided."""
        most, undecided = self.suggest(), self.find_undecided()
        doubt = f" {len(undecided)} measured samples are undecided; measure them longer." if undecided else ""
        if most is None:
            return True, f"All {len(self.grid)} samples of the grid are measured.{doubt}"
        if most.longer:
            return False, most.reason
        open_now = float(self.open_bits().sum())
        if not most.gain < self.settings.enough:
            return False, f"{open_now:.1f} bits of information on the map are missing. {most.reason}"
        if undecided:
            return True, f"Other samples hardly change the map, but it has not converged.{doubt}"
        return True, (
            f"The map has converged after {len(self.measured)} of {len(self.grid)} samples: the best"
            f" next one would give {most.gain:.2f} of the {open_now:.1f} bits of information that it lacks."
        )

    def _longer_words(self, place: int) -> str:
        doubt = self._doubt(place, self.settings.decided) or "its answers disagree"
        return (
            f"{self.grid.words(place)}: measured but still undecided, {doubt}; measure it"
            f" {self.settings.longer:g} times as long."
        )

    def _spread_words(self, place: int) -> str:
        return f"{self.grid.words(place)}: farthest from all measured points, because little is known yet."

    def _words(self, place: int, gain: float, total: float) -> str:
        doubt_text = self._doubt(place, 0.95) or "no single property is very uncertain"
        return (
            f"{self.grid.words(place)}: {doubt_text}. A measurement is expected to give {gain:.1f} of the"
            f" {total:.1f} bits of information that the map lacks."
        )

    def _doubt(self, place: int, sure: float) -> str:
        """The two most probable labels of each aspect that is not so sure at a place."""
        parts = []
        for belief in self.beliefs().values():
            p = belief.probability()[:, place]
            first, second = np.argsort(-p)[:2]
            if p[first] < sure:
                parts.append(
                    f"{belief.labels[first]} ({p[first]:.0%}) or {belief.labels[second]} ({p[second]:.0%})"
                )
        return "; ".join(parts)


def estimate_gain(belief: Belief, place: int) -> float:
    """Bits by which the entropy of a map is expected to fall by a measurement at a place."""
    chance, mean, variance = belief.predict_update(place)
    entropy_before = float(entropy(belief.probability()).sum())
    after = entropy(wins(mean, variance)).sum(axis=-1)
    return entropy_before - float(chance @ after)


def _add_waiting_measurements(belief: Belief, waiting: Sequence[int]) -> Belief:
    """Return the belief with the uncertainty left once waiting places are measured; means stay."""
    for place in waiting:
        column = belief.covariance[:, place]
        covariance_left = belief.covariance - np.outer(column, column) / (column[place] + belief.noise)
        belief = Belief(belief.labels, belief.mean, covariance_left, belief.noise)
    return belief
