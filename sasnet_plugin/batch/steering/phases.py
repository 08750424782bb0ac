"""What is known of a map after some of its points: a Gaussian process for each label, and its entropy.

The labels of an aspect ("sphere-like", "rod-like", …) are regressed as indicators with a common kernel
(C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, 2006, section 6.5), which takes
the network's probabilities as they are and has a posterior in closed form. A label is right at a point where
its process exceeds all others. One label more, "something not seen yet", has a small share before
anything is measured, so that what is far from all measurements is not taken for known.

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
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.special import ndtr

from ...arrays import Floats
from ...types import SasnetError
from ..live.line import SHARE

# --- What is known of a map after some of its points: a Gaussian process for each label, and its
# --- entropy.

#: What no measurement has shown so far.
UNSEEN = "something not seen yet"


class BeliefSettings(NamedTuple):
    """How a map is believed to look before it is measured."""

    unseen: float = 0.15  #: Share of the label that no measurement has shown.
    #: Correlation lengths that are tried on each axis, as shares of the axis.
    lengths: tuple[float, ...] = (0.1, 0.2, 0.4, 0.8)
    #: Of these the most likely before anything is measured: a phase covers a third of an axis.
    usual: float = 0.3
    factor: float = 2.0  #: By which lengths differ from the usual one, one standard deviation.
    noise: tuple[float, ...] = (0.01, 0.1)  #: Variances of an indicator about its process that are tried.
    nodes: int = 7  #: Of the integral over the winning process.
    least: float = 0.2  #: A label that has so much nowhere is no label of its own.


BELIEF_SETTINGS = BeliefSettings()


@dataclass(frozen=True)
class Belief:
    """An aspect of a map after some measurements."""

    labels: tuple[str, ...]  #: The last is `UNSEEN`.
    mean: Floats  #: (labels, n), of the indicators' processes at all points.
    covariance: Floats  #: (n, n), common to the labels.
    noise: float  #: Variance of a measured indicator about its process.

    @property
    def variance(self) -> Floats:
        """(n,) of the processes."""
        return np.maximum(np.diagonal(self.covariance), 1e-9)

    def probability(self) -> Floats:
        """(labels, n) that a label is right at a point."""
        return wins(self.mean, self.variance)

    def predict_update(self, place: int) -> tuple[Floats, Floats, Floats]:
        """Predict what a measurement at a place would leave: chance of each label (labels,), means of the
        processes after each label (labels, labels, n; first index is the label shown), and variance (n,).
        """
        column = self.covariance[:, place]
        total = column[place] + self.noise
        chance = wins(self.mean[:, [place]], self.variance[[place]])[:, 0]
        surprise = np.eye(len(self.labels)) - self.mean[:, place]
        mean = self.mean[None] + surprise[:, :, None] * (column / total)[None, None]
        return chance, mean, np.maximum(self.variance - column**2 / total, 1e-9)


def wins(mean: Floats, variance: Floats) -> Floats:
    """Probability of each normal variable to be the largest: mean (..., labels, n), variance (n,)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(BELIEF_SETTINGS.nodes)
    z = mean / np.sqrt(variance)
    probabilities = np.zeros_like(z)
    labels = z.shape[-2]
    for t, w in zip(nodes, weights, strict=True):
        for label in range(labels):
            other_labels = np.delete(z, label, axis=-2)
            probabilities[..., label, :] += w * np.prod(
                ndtr(z[..., label, None, :] - other_labels + t), axis=-2
            )
    return np.asarray(probabilities / np.maximum(probabilities.sum(axis=-2, keepdims=True), 1e-300))


def entropy(probability: Floats) -> Floats:
    """Bits that are open, summed over the labels, the last axis but one."""
    safe = np.maximum(probability, 1e-12)
    return np.asarray(-np.sum(safe * np.log2(safe), axis=-2))


def compute_belief(steps: Floats, places: Sequence[int], shares: Sequence[Mapping[str, float]]) -> Belief:
    """Return the map after measurements at `places` (repeats allowed), indices into `steps` (n, axes)."""
    # `shares` are label probabilities.
    settings = BELIEF_SETTINGS
    labels = (
        *sorted({name for one_share in shares for name, p in one_share.items() if p >= settings.least}),
        UNSEEN,
    )
    prior = np.full(len(labels), (1 - settings.unseen) / max(len(labels) - 1, 1))
    prior[-1] = settings.unseen
    if not places:
        variance = settings.unseen * (1 - settings.unseen)
        kernel = variance * _kernel(steps, steps, _lengths(steps, settings.usual))
        return Belief(labels, np.repeat(prior[:, None], len(steps), 1), kernel, settings.noise[1])
    y = np.array([[one_share.get(name, 0.0) for one_share in shares] for name in labels])
    y[-1] += np.maximum(1 - y.sum(axis=0), 0.0)
    y -= prior[:, None]
    # An indicator that is one with probability p varies by p (1 - p).
    amplitude = float(np.mean(prior * (1 - prior)))
    measured_steps = steps[list(places)]
    best: tuple[float, Floats, float] | None = None
    for share in product(settings.lengths, repeat=steps.shape[1]):
        lengths = _lengths(steps, np.array(share))
        covariance_here = amplitude * _kernel(measured_steps, measured_steps, lengths)
        penalty = float(np.sum((np.log(np.array(share) / settings.usual) / np.log(settings.factor)) ** 2)) / 2
        for noise in settings.noise:
            score = _evidence(covariance_here, noise, y) - penalty
            if best is None or score > best[0]:
                best = score, lengths, noise
    assert best is not None
    _, lengths, noise = best
    return _posterior(labels, prior, y, steps, list(places), amplitude, lengths, noise)


def _posterior(
    labels: tuple[str, ...], prior: Floats, y: Floats, steps: Floats, places: list[int], amplitude: float,
    lengths: Floats, noise: float,
) -> Belief:  # fmt: skip
    kernel = amplitude * _kernel(steps, steps, lengths)
    across = kernel[places]
    lower = cholesky(across[:, places] + noise * np.eye(len(places)), lower=True)
    mean = prior[:, None] + y @ cho_solve((lower, True), across)
    solution = np.asarray(solve_triangular(lower, across, lower=True))
    return Belief(labels, np.asarray(mean), kernel - solution.T @ solution, noise)


def _evidence(kernel: Floats, noise: float, y: Floats) -> float:
    """Log marginal likelihood of indicators (labels, m), but for a constant."""
    lower = cholesky(kernel + noise * np.eye(len(kernel)), lower=True, check_finite=False)
    white = solve_triangular(lower, y.T, lower=True, check_finite=False)
    # Indicators sum to one: one label of them says nothing of its own.
    free = (len(y) - 1) / len(y)
    return float(-0.5 * free * np.sum(white**2) - (len(y) - 1) * np.sum(np.log(np.diagonal(lower))))


def _lengths(steps: Floats, share: float | Floats) -> Floats:
    """Correlation lengths in steps of the grid, a step and a half at least."""
    return np.asarray(np.maximum(share * np.maximum(steps.max(axis=0), 1.0), 1.5))


def _kernel(first: Floats, second: Floats, lengths: Floats) -> Floats:
    """Matérn's covariance of smoothness 3/2: boundaries are sharper than what is smooth for ever."""
    apart = (first[:, None] - second[None]) / lengths
    r = np.sqrt(3 * np.sum(apart**2, axis=-1))
    return np.asarray((1 + r) * np.exp(-r))


# --- The samples that could be measured: a grid of compositions, temperatures or whatever is set.

Ints = NDArray[np.int64]
#: Points of a grid at most: the covariance of all with all is held, 2 MB at 500 and 130 MB at 4,000.
MOST = 4000


@dataclass(frozen=True)
class Grid:
    """All combinations of the values of some axes, the last axis fastest, as a raster goes."""

    #: Values of each axis in their order; neighbours count as equally different, so that a concentration may
    #: ascend by factors.
    axes: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        if not self.axes:
            raise SasnetError("the grid has no axes; name at least one with its values.")
        axes = {str(name): tuple(map(float, values)) for name, values in self.axes.items()}
        for name, values in axes.items():
            if not values or not all(map(math.isfinite, values)) or len(set(values)) < len(values):
                raise SasnetError(
                    f"the grid's axis {name!r} needs values that are finite and differ; it has"
                    f" {', '.join(map(repr, values)) or 'none'}."
                )
        if math.prod(map(len, axes.values())) > MOST:
            raise SasnetError(
                f"the grid has more than {MOST:,} points; take wider steps, and refine where the boundary is."
            )
        object.__setattr__(self, "axes", axes)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(map(len, self.axes.values()))

    def __len__(self) -> int:
        return math.prod(self.shape)

    @cached_property
    def steps(self) -> Floats:
        """(n, axes) places of all points in steps of the grid."""
        return np.stack(np.unravel_index(np.arange(len(self)), self.shape), axis=1).astype(np.float64)

    def point(self, place: int) -> dict[str, float]:
        indices = np.unravel_index(place, self.shape)
        pairs = zip(self.axes.items(), indices, strict=True)
        return {name: values[int(k)] for (name, values), k in pairs}

    def place(self, point: Mapping[str, object]) -> int:
        """Find the raster point nearest to a point. Raises SasnetError if an axis is missing."""
        indices = []
        for name, values in self.axes.items():
            try:
                value = float(point[name])  # type: ignore[arg-type]
            except (KeyError, TypeError, ValueError):
                value = math.nan
            if not math.isfinite(value):
                raise SasnetError(
                    f"a point of the grid needs a finite value of {name!r}; {dict(point)!r} has none."
                )
            indices.append(int(np.argmin(np.abs(np.array(values) - value))))
        return int(np.ravel_multi_index(indices, self.shape))

    @cached_property
    def neighbours(self) -> Ints:
        """(pairs, 2) places one step apart."""
        number = np.arange(len(self)).reshape(self.shape)
        pairs = []
        for axis in range(number.ndim):
            low, high = np.delete(number, -1, axis), np.delete(number, 0, axis)
            pairs.append(np.stack([low.ravel(), high.ravel()], axis=1))
        return np.concatenate(pairs).astype(np.int64)

    def words(self, place: int) -> str:
        return ", ".join(f"{name} {value:.4g}" for name, value in self.point(place).items())


def spread(grid: Grid, taken_places: Sequence[int]) -> int:
    """The place that is farthest from those taken, in shares of each axis; the first is the middle."""
    scale = np.maximum(np.array(grid.shape) - 1, 1)
    scaled = grid.steps / scale
    if not taken_places:
        return int(np.argmin(np.sum((scaled - 0.5) ** 2, axis=1)))
    nearest = np.min([np.sum((scaled - scaled[index]) ** 2, axis=1) for index in taken_places], axis=0)
    return int(np.argmax(nearest))


# --- Which sample of a grid to measure next so that the map of its phases is known soonest, and
# --- why.

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
        taken_places = {*dict(self.measured), *self.failed, *waiting}
        free = ~np.isin(np.arange(len(self.grid)), list(taken_places))
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
        undecided = sorted({*self.find_undecided()}.difference(waiting))
        again = [k for k in undecided if often[k] <= self.settings.again]
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
            undecided |= dict(answers).keys() - sure
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
