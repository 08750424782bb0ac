"""A power law that appears at low q between two curves of a series: clusters, surfaces, a network.

The later curve is compared with a multiple of the earlier one, the same stretched along q, as by particles
that have grown a little, a flat background and c q⁻ᵖ, by least squares at each exponent. Only what the power
law explains nearly all of is one.

A curve is averaged into some bins of q with the same weights in every frame, so that a frame that differs by
its intensity and a flat background alone is a·m + b, m being the mean of the frames before. What is left of
the mean of the newest frames after the best a and b is compared with its stated errors, which may be wrong by
a factor for each bin: the factors are estimated from frames before, under a prior at 1, and the ratio follows
an F distribution. It is asked for every possible beginning among the newest frames. One odd frame is no
change: what is found has to hold without the frame that speaks for it most.

Where a change begins, and whether it is a jump, is asked of the newest frames whatever state they belong to:
their distances along the direction of the change are a jump, also on a drift, or a drift, or neither clearly.
A drift of all of them has no first one. A drift that goes on is reported once, a jump in its direction too.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.signal import savgol_filter
from scipy.special import fdtrc

from ..arrays import Floats

# --- A power law that appears at low q between two curves of a series: clusters, surfaces, a
# --- network.


class UpturnSettings(NamedTuple):
    """What an upturn is."""

    #: Exponents that are tried. Steeper laws no sample has; less steep ones are broad shapes, not upturns.
    exponents: tuple[float, ...] = tuple(np.round(np.arange(1.0, 5.01, 0.1), 2))
    seen: float = 5.0  #: Standard deviations from which on it is there.
    share: float = 0.05  #: Of the intensity at the lowest q it makes at least so much.
    #: Of the χ² that a multiple and a background leave, the power law leaves at most so much, besides noise.
    rest: float = 0.1


UPTURNS = UpturnSettings()


class Upturn(NamedTuple):
    """A power law c q⁻ᵖ that one curve has and another has not."""

    exponent: float
    error: float  #: One standard deviation.
    share: float  #: Of the intensity at the lowest q.


def find_upturn(
    q: Floats,
    earlier: Floats,
    of_before: Floats,
    after: Floats,
    of_after: Floats,
    settings: UpturnSettings = UPTURNS,
) -> Upturn | None:
    """Find the power law by which a curve differs from an earlier one; None if unclear."""
    # q in Å⁻¹, ascending; both curves in one unit with standard deviations.
    good = np.isfinite(earlier + after) & (of_before > 0) & (of_after > 0)
    if good.sum() < 8:
        return None
    q, earlier, of_before, after, of_after = (x[good] for x in (q, earlier, of_before, after, of_after))
    sigma = of_after
    columns = [earlier, np.ones_like(q), _stretch(q, earlier)]
    base_chisq = math.inf
    for _ in range(2):  # the variance depends on the multiple
        (scale, *_), base_chisq, _ = _fit_weighted_columns(columns, after, sigma)
        sigma = np.hypot(of_after, scale * of_before)
    laws = [
        _fit_weighted_columns([*columns, (q / q[0]) ** -exponent], after, sigma)
        for exponent in settings.exponents
    ]
    chisqs = np.array([chisq for _, chisq, _ in laws])
    best = int(chisqs.argmin())
    (*_, amount), chisq, (*_, error_of_amount) = laws[best]
    spread = max(1.0, chisq / (q.size - 5))
    noise = q.size - 5 + 3 * math.sqrt(2 * q.size)
    clear = amount > settings.seen * error_of_amount * math.sqrt(spread)
    explained = chisq - noise < settings.rest * (base_chisq - chisq)
    if not (clear and explained and amount > settings.share * after[0]):
        return None
    near = chisqs < chisq + spread
    error = max(float(np.ptp(np.array(settings.exponents)[near])) / 2, 0.05)
    return Upturn(float(settings.exponents[best]), error, float(amount / after[0]))


def _stretch(q: Floats, intensity: Floats) -> Floats:
    """The change of a curve when it is stretched along q a little: dI / d ln q, smoothed."""
    width = min(max(5, q.size // 16), q.size - 2) | 1
    change, step = (savgol_filter(x, width, 2, deriv=1) for x in (intensity, np.log(q)))
    return np.asarray(change / step)


def _fit_weighted_columns(
    columns: list[Floats], values: Floats, sigma: Floats
) -> tuple[Floats, float, Floats]:
    """Coefficients, χ² and standard deviations of the coefficients."""
    matrix = np.stack(columns, axis=1) / sigma[:, None]
    size = np.linalg.norm(matrix, axis=0)
    left_vectors, singular, right = np.linalg.svd(matrix / size, full_matrices=False)
    inverse = np.where(singular > 1e-10 * singular[0], 1 / np.maximum(singular, 1e-300), 0.0)
    coefficients = right.T @ (inverse * (left_vectors.T @ (values / sigma)))
    errors = np.sqrt(np.sum((right.T * inverse) ** 2, axis=1))
    chisq = float(np.sum((values / sigma - (matrix / size) @ coefficients) ** 2))
    return coefficients / size, chisq, errors / size


# --- Where a series of curves changes: a likelihood ratio of what no scale and no background
# --- explains.


class ChangeSettings(NamedTuple):
    """When a series has changed."""

    #: Of q, alike in ln q: changes of a sample are smooth in q, so that more would only add noise.
    bins: int = 14
    window: int = 16  #: Newest frames among which a change may have begun.
    least: int = 3  #: Frames that a change is compared with, at least.
    fewest: int = 2  #: The same of a jump whose probability by chance is below the square of `chance`.
    #: Probability by chance of one comparison below which it is a change. A frame is compared some fifteen
    #: times, one in a thousand may be wrong, and errors are not quite normal.
    chance: float = 1e-6
    without_best: float = 1e-3  #: The same for what is left without the frame that speaks for it most.
    #: Of what a frame differs by from those before it the next one has at least so much, or it is odd.
    back: float = 0.3
    #: Frames that the prior of the factor on stated errors counts for; the factor is common to all bins
    #: before its own frames say otherwise, for `own` frames.
    prior: float = 2.0
    own: float = 8.0
    same: float = 0.7  #: Cosine between two changes from which on the second goes on with the first.
    quiet: int = 24  #: Frames after a change within which another of the same direction goes on with it.
    #: A jump on a drift is larger than what the drift makes in so many frames.
    drifts: float = 3.0
    #: By how much less -2 ln of the likelihood, each parameter paid for, a jump explains the frames than a
    #: drift, or a drift than a jump, to be told from it.
    clear: float = 12.0


SETTINGS = ChangeSettings()


class Change(NamedTuple):
    """A place where a series changes."""

    first: int  #: Number of the first frame that differs.
    seen: int  #: Number of the frame with which that became clear.
    chance: float  #: Probability that frames without a change look so, of one comparison.
    gradual: bool  #: The difference grows from there on, and does not come at once.
    goes_on: bool = False  #: It goes on with the change before, in the same direction.
    is_clear: bool = True  #: Whether it is gradual.
    has_onset: bool = True  #: It begins there; else the frames before may have drifted as well.


@dataclass(frozen=True)
class Binned:
    """A frame in the bins."""

    number: int
    #: value, variance: (bins,), mean intensity and its stated variance.
    value: Floats
    variance: Floats


@dataclass
class Detector:
    """Takes frames one after the other; what it keeps does not grow."""

    settings: ChangeSettings = SETTINGS
    edges: Floats | None = None  #: (bins + 1,), of q, Å⁻¹; None before the first frame.
    q: Floats = field(default_factory=lambda: np.zeros(0))
    point_weight: Floats = field(default_factory=lambda: np.zeros(0))
    #: total, variance: (bins,), weighted sum of the frames of this state that are no longer in `newest`, and
    #: its stated variance.
    total: Floats = field(default_factory=lambda: np.zeros(0))
    variance: Floats = field(default_factory=lambda: np.zeros(0))
    weight: float = 0.0
    frames: int = 0
    #: (bins,), sum of squared residuals of the frames of this state and, fading, of states before.
    squares: Floats = field(default_factory=lambda: np.zeros(0))
    counted: float = 0.0  #: Frames in it.
    newest: deque[tuple[Binned, Floats]] = field(default_factory=deque)
    #: The newest frames since the last jump, of whatever state.
    recent: deque[Binned] = field(default_factory=deque)
    waiting: int = 0  #: Number of the frame that may be the first of a jump, or odd: the next one tells.
    direction: Floats = field(default_factory=lambda: np.zeros(0))
    changed: int = 0  #: Number of the last frame with a change that was no clear jump.
    drifts: bool = False  #: That change was a drift, or went on with one.
    odd: list[int] = field(default_factory=list)

    def add(self, number: int, q: Floats, intensity: Floats, sigma: Floats) -> Change | None:
        """Add the next frame (numbers ascend, q in Å⁻¹) and return the change that it establishes, if any."""
        frame = self._bin_frame(number, q, intensity, sigma)
        if frame is None:
            return None
        self._absorb(self.settings.window - 1)
        self.newest.append((frame, self._residual(frame)))
        self.recent.append(frame)
        if len(self.recent) > self.settings.window:
            self.recent.popleft()
        self._drop_odd()
        return self._change() or self._jump_after_few()

    def _change(self) -> Change | None:
        difference = self._best(self.settings.least, self.settings.chance)
        return (
            None
            if difference is None
            else self._begin_if_sure(difference, self._onset(difference.begin, difference.direction))
        )

    def _jump_after_few(self) -> Change | None:
        """A jump so clear that fewer frames before it suffice, as shortly after another change."""
        difference = self._best(self.settings.fewest, self.settings.chance**2)
        if difference is None:
            return None
        onset = self._onset(difference.begin, difference.direction)
        return None if onset.gradual else self._begin_if_sure(difference, onset)

    def _begin_if_sure(self, difference: _Difference, onset: Onset) -> Change | None:
        """The change; None, once, where the newest frame alone differs, which the next may show to be odd."""
        previous_number, newest = (frame.number for frame, _ in list(self.newest)[-2:])
        if not onset.is_clear and len(self.newest) - difference.begin < self.settings.least:
            return None  # the next frame may tell
        if onset.place == len(self.recent) - 1 and self.waiting < previous_number:
            self.waiting = newest
            return None
        return self._begin_anew(difference, onset)

    # --- bins ---

    def _bin_frame(self, number: int, q: Floats, intensity: Floats, sigma: Floats) -> Binned | None:
        good = np.isfinite(intensity) & np.isfinite(sigma) & (sigma > 0) & (q > 0)
        if good.sum() < 2 * self.settings.least:
            return None
        q, intensity, sigma = q[good], intensity[good], sigma[good]
        if self.edges is None or not self._covers(q):
            self._arrange(q, intensity, sigma)
        if not np.array_equal(q, self.q):
            intensity, sigma = np.interp(self.q, q, intensity), np.interp(self.q, q, sigma)
        assert self.edges is not None
        place = np.clip(np.searchsorted(self.edges, self.q, side="right") - 1, 0, self.edges.size - 2)
        size = self.edges.size - 1
        norm = np.bincount(place, self.point_weight, size)
        value = np.bincount(place, self.point_weight * intensity, size) / norm
        variance = np.bincount(place, (self.point_weight * sigma) ** 2, size) / norm**2
        return Binned(number, value, variance)

    def _covers(self, q: Floats) -> bool:
        """Whether a frame reaches as far as those before, so that it can be compared with them."""
        assert self.edges is not None
        step = (self.edges[-1] / self.edges[0]) ** (1 / max(self.edges.size - 1, 1))
        return bool(q[0] <= self.edges[0] * step and q[-1] >= self.edges[-1] / step)

    def _arrange(self, q: Floats, intensity: Floats, sigma: Floats) -> None:
        """Bins for frames of such a q, and a new state without a change: nothing can be compared."""
        self.q, self.point_weight = q, 1 / sigma**2
        bin_edges = np.geomspace(q[0], q[-1] * (1 + 1e-9), min(self.settings.bins, q.size // 2) + 1)
        inside = np.histogram(q, bin_edges)[0]
        edges = [bin_edges[0]]
        kept_count = 0
        for count, edge in zip(inside, bin_edges[1:], strict=True):
            kept_count += int(count)
            if kept_count >= 2:
                edges.append(edge)
                kept_count = 0
        edges[-1] = bin_edges[-1]
        self.edges = np.array(edges)
        size = self.edges.size - 1
        self.total, self.variance, self.squares = np.zeros(size), np.zeros(size), np.zeros(size)
        self.weight, self.frames, self.counted, self.changed = 0.0, 0, 0.0, 0
        self.drifts = False
        self.newest.clear()
        self.recent.clear()
        self.direction = np.zeros(0)

    # --- what was before ---

    def _absorb(self, room: int) -> None:
        """The oldest of the newest frames become part of what was before."""
        while len(self.newest) > room:
            frame, residual = self.newest.popleft()
            w = _weight(frame)
            self.total, self.variance = self.total + w * frame.value, self.variance + w**2 * frame.variance
            self.weight, self.frames = self.weight + w, self.frames + 1
            self.squares, self.counted = self.squares + residual**2, self.counted + 1

    def _average_before(self, count: int) -> tuple[Floats, Floats] | None:
        """Mean and variance of this state's frames before the newest but for the first so many of these."""
        if self.frames + count == 0:
            return None
        total, variance, weight = self.total, self.variance, self.weight
        for frame, _ in list(self.newest)[:count]:
            w = _weight(frame)
            total, variance, weight = total + w * frame.value, variance + w**2 * frame.variance, weight + w
        return total / weight, variance / weight**2

    def _factor(self, count: int) -> tuple[Floats, float]:
        """Return the factor by which each bin's stated variance is wrong, and how many frames say so."""
        squares, n = self.squares, self.counted
        for _, residual in list(self.newest)[:count]:
            squares, n = squares + residual**2, n + 1
        common = (self.settings.prior + float(squares.mean())) / (self.settings.prior + n)
        own_factor = (self.settings.own * common + squares) / (self.settings.own + n)
        return own_factor, self.settings.prior + n

    def _residual(self, frame: Binned) -> Floats:
        """A frame against the mean of those before it, in stated standard deviations; 0 for the first."""
        averages = self._average_before(len(self.newest))
        if averages is None:
            return np.zeros_like(frame.value)
        residual, variance, freedom = _compute_residual(
            frame.value, frame.variance, *averages, np.ones_like(frame.value)
        )
        return np.asarray(residual / np.sqrt(variance) * math.sqrt(residual.size / max(freedom, 1)))

    # --- whether it has changed ---

    def _best(self, least: int, most: float) -> _Difference | None:
        """Find the clearest difference between newest and earlier frames, of a chance up to `most`."""
        difference = None
        frame_count = len(self.newest)
        for begin in range(frame_count - 2, -1, -1):
            if self.frames + begin < least:
                break
            chance, direction = self._chance(begin, range(begin, frame_count))
            if chance < (most if difference is None else difference.chance) and self._holds(
                begin, frame_count
            ):
                difference = _Difference(begin, chance, direction)
        return difference

    def _chance(self, begin: int, possible_frames: range) -> tuple[float, Floats]:
        """Probability by chance of what these frames differ by from those before one of them."""
        averages = self._average_before(begin)
        assert averages is not None
        factor, frames = self._factor(begin)
        chosen = [self.newest[k][0] for k in possible_frames]
        w = np.array(list(map(_weight, chosen)))
        w /= w.sum()
        value = sum(share * frame.value for share, frame in zip(w, chosen, strict=True))
        variance = sum(share**2 * frame.variance for share, frame in zip(w, chosen, strict=True))
        residual, of_left, freedom = _compute_residual(value, variance, *averages, factor)
        if freedom < 1:
            return 1.0, residual
        ratio = float(np.sum(residual**2 / of_left)) / freedom
        return float(fdtrc(freedom, max(frames * freedom, 1.0), ratio)), residual / np.sqrt(of_left)

    def _holds(self, begin: int, frame_count: int) -> bool:
        """Whether it is one without the frame that speaks for it most."""
        if frame_count - begin == 2:
            both_chances = [self._chance(begin, range(k, k + 1)) for k in range(begin, frame_count)]
            alike = _cosine(both_chances[0][1], both_chances[1][1]) > 0
            return alike and max(chance for chance, _ in both_chances) < self.settings.without_best
        loudest = min(range(begin, frame_count), key=lambda k: self._chance(begin, range(k, k + 1))[0])
        others_left = [k for k in range(begin, frame_count) if k != loudest]
        # What is left in one piece is asked; frames on both sides of the loudest are averaged by halves.
        parts = [range(begin, loudest), range(loudest + 1, frame_count)]
        chances = [self._chance(begin, part)[0] for part in parts if len(part)]
        return bool(others_left) and min(chances) < self.settings.without_best

    def _drop_odd(self) -> None:
        """Leave out the frame before the newest where it alone differs from those before and after it."""
        frame_count = len(self.newest)
        if frame_count < 2 or self.frames + frame_count - 2 < self.settings.least:
            return
        suspect = frame_count - 2
        chance, single_direction = self._chance(suspect, range(suspect, suspect + 1))
        if chance >= self.settings.chance:
            return
        chance, after = self._chance(suspect, range(frame_count - 1, frame_count))
        if chance > self.settings.without_best or after @ single_direction < self.settings.back * float(
            single_direction @ single_direction
        ):
            self.odd.append(self.newest[suspect][0].number)
            del self.newest[suspect]
            self.recent = deque(frame for frame in self.recent if frame.number != self.odd[-1])

    # --- afterwards ---

    def _begin_anew(self, difference: _Difference, onset: Onset) -> Change:
        """The frames from the onset on are a new state."""
        newest, first = self.newest[-1][0].number, self.recent[onset.place].number
        is_jump = onset.is_clear and not onset.gradual
        follows = not is_jump and self._has_changed(first) and self._is_like(difference, onset)
        drifts = self.drifts and follows
        self._restart(first)
        if is_jump:
            self.recent = deque(frame for frame in self.recent if frame.number >= first)
        else:
            self.direction, self.changed = difference.direction, newest
            self.drifts = drifts or onset.gradual
        goes_on = follows and (drifts or not onset.gradual)  # that it is a drift may be new
        return Change(
            first, newest, difference.chance, onset.gradual, goes_on, onset.is_clear, onset.has_onset
        )

    def _is_like(self, difference: _Difference, onset: Onset) -> bool:
        least = self.settings.same if onset.has_onset else 0.0
        return _likeness(self.direction, difference.direction) > least

    def _restart(self, first: int) -> None:
        """Forget the frames before one, but how wrong stated errors are."""
        frames = [frame for frame, _ in self.newest]
        begin = next(place for place, frame in enumerate(frames) if frame.number >= first)
        squares, counted = self.squares, self.counted
        for _, residual in list(self.newest)[:begin]:
            squares, counted = squares + residual**2, counted + 1
        # As of so many frames at most.
        fade = min(1.0, 2 * self.settings.own / max(counted, 1.0))
        self.squares, self.counted = squares * fade, counted * fade
        self.total, self.variance = np.zeros_like(self.total), np.zeros_like(self.variance)
        self.weight, self.frames = 0.0, 0
        self.newest.clear()
        for frame in frames[begin:]:
            self.newest.append((frame, self._residual(frame)))

    def _has_changed(self, first: int) -> bool:
        return bool(self.changed) and first - self.changed <= self.settings.quiet

    def _onset(self, begin: int, direction: Floats) -> Onset:
        """Find where a change in a direction begins, and whether it is a drift; `begin` is the first frame
        that differs by a test of means.
        """
        averages = self._average_before(begin)
        assert averages is not None
        factor, _ = self._factor(begin)
        unit = direction / max(float(np.linalg.norm(direction)), 1e-300)
        heights = []
        for frame in self.recent:
            residual, variance, _ = _compute_residual(frame.value, frame.variance, *averages, factor)
            heights.append(float(unit @ (residual / np.sqrt(variance))))
        numbers = [frame.number for frame in self.recent]
        # A drift that is known already does not begin anew with the frames that showed it.
        earliest = self.newest[max(self.settings.least - self.frames, 0)][0].number
        is_known = self.drifts or not self._has_changed(earliest)
        places = [p for p, number in enumerate(numbers) if number >= earliest or not is_known]
        jump, drift = _jump(np.array(heights), self.settings.drifts), _drift(np.array(heights), places)
        scale = max(1.0, min(jump.spread, drift.spread))
        gain = drift.misfit(scale) - jump.misfit(scale)
        clear = self.settings.clear
        if jump.place is not None and gain > 0 and (gain > clear or not self.drifts):
            return Onset(jump.place, gradual=False, is_clear=gain > clear)
        place = drift.place or numbers.index(self.newest[begin][0].number)
        is_drift = gain < -clear
        return Onset(place, gradual=is_drift, is_clear=is_drift, has_onset=drift.place is not None)


class _Difference(NamedTuple):
    """What the newest frames from one on differ by from those before it."""

    begin: int  #: Among the newest.
    chance: float
    direction: Floats  #: (bins,), in standard deviations.


class Onset(NamedTuple):
    """Where a change begins."""

    place: int  #: Among the recent frames.
    gradual: bool
    is_clear: bool  #: Whether it is gradual.
    has_onset: bool = True


def _weight(frame: Binned) -> float:
    """One number a frame, so that means of frames that differ by scale and background differ by no more."""
    return 1 / float(np.mean(frame.variance / np.maximum(np.abs(frame.value), 1e-300) ** 2) + 1e-12)


def _compute_residual(
    value: Floats, variance: Floats, mean: Floats, of_mean: Floats, factor: Floats
) -> tuple[Floats, Floats, int]:
    """What the best scale and background of a mean leave of a frame, its variance, degrees of freedom."""
    scale = float(np.sum(value * mean / variance) / np.sum(mean**2 / variance))
    background = 0.0
    total = factor * (variance + scale**2 * of_mean)
    columns = np.stack([mean, np.ones_like(mean)])
    # Twice, as the variance of what is left depends on the scale.
    for _ in range(2):
        total = factor * (variance + scale**2 * of_mean)
        normal = (columns / total) @ columns.T
        normal += np.diag(1e-12 * np.diag(normal))
        scale, background = np.linalg.solve(normal, (columns / total) @ value)
    return value - scale * mean - background, total, value.size - 2


class _Course(NamedTuple):
    """Distances of frames along a direction as a function of their number, fitted by least squares."""

    squares: float  #: Sum of squared residuals, in standard deviations of a frame.
    parameters: int  #: Fitted, the place where it begins included.
    frames: int
    place: int | None  #: Where it begins; None where it began before.

    @property
    def spread(self) -> float:
        """Variance of a frame about it."""
        return self.squares / max(self.frames - self.parameters, 1)

    def misfit(self, variance: float) -> float:
        """-2 ln of the likelihood, with what its parameters cost (G. Schwarz, Ann. Stat. 6 (1978) 461)."""
        return self.squares / variance + self.parameters * math.log(self.frames)


def _fit_columns(heights: Floats, columns: Sequence[Floats]) -> tuple[Floats, float]:
    """Coefficients of columns and a constant, and the sum of squared residuals."""
    matrix = np.stack([np.ones_like(heights), *columns], axis=1)
    coefficients, *_ = np.linalg.lstsq(matrix, heights)
    return np.asarray(coefficients), float(np.sum((heights - matrix @ coefficients) ** 2))


def _jump(heights: Floats, drifts: float) -> _Course:
    """The best jump, alone or on a drift that is slow against it."""
    count = heights.size
    frame = np.arange(count, dtype=np.float64)
    courses = []
    for place in range(1, count):
        step = (frame >= place).astype(np.float64)
        courses.append(_Course(_fit_columns(heights, [step])[1], 3, count, place))
        coefficients, squares = _fit_columns(heights, [step, frame])
        if count > 4 and abs(coefficients[1]) > drifts * abs(coefficients[2]):
            courses.append(_Course(squares, 4, count, place))
    return _best_of(courses)


def _drift(heights: Floats, places: Sequence[int]) -> _Course:
    """The best drift: a straight line, a parabola, or a line that begins at one of these places."""
    count = heights.size
    frame = np.arange(count, dtype=np.float64)
    courses = [_Course(_fit_columns(heights, [frame])[1], 2, count, None)]
    if count > 3:
        courses.append(_Course(_fit_columns(heights, [frame, frame**2])[1], 3, count, None))
    for place in places:
        if place > 0:
            slope = np.maximum(frame - place + 1, 0.0)
            courses.append(_Course(_fit_columns(heights, [slope])[1], 3, count, place))
    return _best_of(courses)


def _best_of(courses: Sequence[_Course]) -> _Course:
    scale = max(1.0, min(course.spread for course in courses))
    return min(courses, key=lambda course: course.misfit(scale))


def _likeness(first: Floats, second: Floats) -> float:
    """Cosine between two directions, in standard deviations each, without what noise takes from it."""
    if first.shape != second.shape:
        return 0.0
    lengths = [max(float(x @ x) - x.size, 1.0) for x in (first, second)]
    return float(first @ second) / math.sqrt(math.prod(lengths))


def _cosine(first: Floats, second: Floats) -> float:
    if first.shape != second.shape:
        return 0.0
    return float(first @ second / max(float(np.linalg.norm(first) * np.linalg.norm(second)), 1e-300))


def restore_state(state: dict[str, Floats]) -> Detector:
    """A detector as `kept` has it."""
    names = ("edges", "q", "point_weight", "total", "variance", "squares", "direction")
    detector = Detector()
    for name in names:
        setattr(detector, name, np.asarray(state[name], dtype=np.float64))
    if detector.edges is not None and not detector.edges.size:
        detector.edges = None
    numbers = state["numbers"]
    detector.weight, detector.counted = float(numbers[0]), float(numbers[1])
    detector.frames, detector.changed, detector.waiting, drifts = map(int, numbers[2:])
    detector.drifts = bool(drifts)
    for number, value, variance, residual in zip(
        state["frame"], state["frame_value"], state["frame_variance"], state["frame_residual"], strict=True
    ):
        detector.newest.append((Binned(int(number), value, variance), residual))
    for number, value, variance in zip(
        state["recent"], state["recent_value"], state["recent_variance"], strict=True
    ):
        detector.recent.append(Binned(int(number), value, variance))
    return detector


def pack_state(detector: Detector) -> dict[str, Floats]:
    """What a detector has to keep to go on in another process, as arrays."""
    size = detector.total.size
    frames = [frame for frame, _ in detector.newest]

    def rows(arrays: list[Floats]) -> Floats:
        return np.array(arrays) if arrays else np.zeros((0, size))

    return {
        "edges": np.zeros(0) if detector.edges is None else detector.edges,
        "q": detector.q,
        "point_weight": detector.point_weight,
        "total": detector.total,
        "variance": detector.variance,
        "squares": detector.squares,
        "direction": detector.direction,
        "numbers": np.array(
            [
                detector.weight,
                detector.counted,
                detector.frames,
                detector.changed,
                detector.waiting,
                detector.drifts,
            ]
        ),
        "frame": np.array([frame.number for frame in frames], dtype=np.float64),
        "frame_value": rows([frame.value for frame in frames]),
        "frame_variance": rows([frame.variance for frame in frames]),
        "frame_residual": rows([residual for _, residual in detector.newest]),
        "recent": np.array([frame.number for frame in detector.recent], dtype=np.float64),
        "recent_value": rows([frame.value for frame in detector.recent]),
        "recent_variance": rows([frame.variance for frame in detector.recent]),
    }
