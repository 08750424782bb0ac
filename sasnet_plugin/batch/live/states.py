"""The states that a series goes through: where one ends, and what is different in the next, in words.

Curves of one state are averaged, and the averages before and after a change are asked of the network: what a
frame alone is too noisy for, its state may show.

A sequential test as for images (`batch/series.py`): after each curve the probabilities are those of all so
far, and the answer is settled when one group of models has stayed above a threshold while the counts grew by
a third, whether in two curves or in two hundred.
"""

from __future__ import annotations

import io
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import Floats
from ...files import plain_cell
from ...model_free.changes import Change, Detector, Upturn, find_upturn, pack_state, restore_state
from ...noise import fill_dintensity
from ...predict import Answer
from ...predict.classes import percent
from ...predict.counting import group_shares
from ...types import Curve, DataError, SasnetError
from ..series import HEAD, Look, Sequential, SettledSettings, growing
from .line import Said, summarise_answer
from .line import text as text_of

# --- The states that a series goes through: where one ends, and what is different in the next, in
# --- words.

#: From curves to what is said of them.
Ask = Callable[[Sequence[Curve]], Sequence["Answer | Exception"]]
#: A probability on the other side of this is another answer, of so much it has moved at least.
_HALF, _MOVED = 0.5, 0.25
#: Standard deviations by which a number has changed.
_CLEAR = 3.0


@dataclass(frozen=True)
class Changed:
    """A change with what is different."""

    change: Change
    words: str  #: A phrase without a full stop, such as "two populations".

    @property
    def sentence(self) -> str:
        change = self.change
        seen = f"{self.words} (seen in frame {change.seen})."
        if change.gradual and not change.has_onset:
            return f"The curve changes steadily: {seen}"
        frame_text = f"From {'' if change.is_clear else 'about '}frame {change.first} on "
        return f"{frame_text}{'the curve changes gradually: ' if change.gradual else ''}{seen}"


@dataclass
class Mean:
    """A weighted sum of curves on one grid of q."""

    total: Floats
    variance: Floats
    weight: float = 0.0

    def add(self, intensity: Floats, sigma: Floats) -> None:
        """Add a curve, weighted by a number of its own so that scales do not matter."""
        w = weight_of(intensity, sigma)
        self.total, self.variance = self.total + w * intensity, self.variance + (w * sigma) ** 2
        self.weight += w


def weight_of(intensity: Floats, sigma: Floats) -> float:
    """Weight of a curve in an average of curves of other intensities."""
    inverse = float(np.median(sigma / np.maximum(np.abs(intensity), 1e-300)))
    return 1 / max(inverse * float(np.median(np.abs(intensity))), 1e-300) ** 2


@dataclass
class States:
    """Takes the curves of a series; what it keeps does not grow."""

    ask: Ask
    detector: Detector = field(default_factory=Detector)
    number: int = 0
    like: Curve | None = None
    mean: Mean | None = None  #: Of the frames of this state that are no longer among the newest.
    begun: int = 0  #: First frame of this state.
    newest: deque[tuple[int, Floats, Floats]] = field(default_factory=deque)  #: Of whatever state.

    def add(self, number: int, curve: Curve) -> Changed | None:
        """Take the next curve; the change that it makes clear, if it does and is none that only goes on."""
        self.number = number
        sigma = fill_dintensity(curve.intensity, curve.dintensity)
        arranged = self.detector.edges
        change = self.detector.add(number, curve.q, curve.intensity, sigma)
        if self.like is None or self.detector.edges is not arranged:
            self._begin(curve)
        self._take(number, curve, sigma)
        self._forget_odd()
        if change is None:
            return None
        words = self._words(change)
        self._begin_anew(change.first)
        return None if change.goes_on else Changed(change, words)

    def _begin(self, curve: Curve) -> None:
        self.like = curve
        self.mean = Mean(np.zeros(len(curve)), np.zeros(len(curve)))
        self.newest.clear()

    def _take(self, number: int, curve: Curve, sigma: Floats) -> None:
        assert self.like is not None
        intensity = curve.intensity
        if not np.array_equal(curve.q, self.like.q):
            intensity, sigma = (
                np.interp(self.like.q, curve.q, intensity),
                np.interp(self.like.q, curve.q, sigma),
            )
        self.newest.append((number, intensity, sigma))
        while len(self.newest) > self.detector.settings.window:
            place, old, of_old = self.newest.popleft()
            assert self.mean is not None
            if place >= self.begun:
                self.mean.add(old, of_old)

    def _begin_anew(self, first: int) -> None:
        assert self.like is not None
        self.mean = Mean(np.zeros(len(self.like)), np.zeros(len(self.like)))
        self.begun = first

    def _average(self, begin: Mean | None, frames: Sequence[tuple[int, Floats, Floats]]) -> Curve | None:
        assert self.like is not None
        size = len(self.like)
        mean = Mean(np.zeros(size), np.zeros(size))
        if begin is not None:
            mean = Mean(begin.total, begin.variance, begin.weight)
        for _, intensity, sigma in frames:
            mean.add(intensity, sigma)
        if mean.weight <= 0:
            return None
        like, sigma = self.like, np.sqrt(mean.variance) / mean.weight
        return Curve(like.q, mean.total / mean.weight, sigma, like.dq, like.dxl, like.dxw, file=like.file)

    def _forget_odd(self) -> None:
        while self.detector.odd:
            odd = self.detector.odd.pop()
            self.newest = deque(frame for frame in self.newest if frame[0] != odd)

    def _average_around(self, first: int) -> tuple[Curve | None, Curve | None]:
        """Averages of this state's frames before one, and of the others."""
        # Where the change before has just been, of the few frames before: a series that drifts has other
        # curves long before.
        earlier_frames = [frame for frame in self.newest if frame[0] < first]
        state_frames = [frame for frame in earlier_frames if frame[0] >= self.begun]
        after = [frame for frame in self.newest if frame[0] >= first]
        mean = self.mean
        if (mean is None or mean.weight <= 0) and len(state_frames) < self.detector.settings.least:
            state_frames = earlier_frames[-self.detector.settings.least :]
        return self._average(mean, state_frames), self._average(None, after)

    def _words(self, change: Change) -> str:
        average_before, after = self._average_around(change.first)
        if average_before is None or after is None:
            return SHAPE
        answer_before, answer_after = self.ask([average_before, after])
        if isinstance(answer_before, Exception) or isinstance(answer_after, Exception):
            return SHAPE
        return different(
            summarise_answer(answer_before),
            summarise_answer(answer_after),
            _upturn_between(average_before, after),
            _upturn_between(after, average_before),
        )

    def as_bytes(self) -> bytes:
        """What is kept so that another process can go on, as a numpy archive."""
        arrays: dict[str, Any] = pack_state(self.detector)
        arrays["number"] = np.array([self.number])
        if self.like is not None and self.mean is not None:
            like = self.like
            for name in ("q", "dq", "dxl", "dxw"):
                if getattr(like, name) is not None:
                    arrays[f"like_{name}"] = getattr(like, name)
            arrays["mean"] = np.stack([self.mean.total, self.mean.variance])
            arrays["mean_weight"] = np.array([self.mean.weight])
            arrays["begun"] = np.array([self.begun])
            arrays["newest"] = np.array([number for number, _, _ in self.newest])
            arrays["newest_curves"] = np.array([[i, s] for _, i, s in self.newest])
        memory = io.BytesIO()
        np.savez(memory, **arrays)
        return memory.getvalue()


def states_of(content: bytes, ask: Ask) -> States:
    """Read states written by `States.as_bytes`. Raises ValueError, KeyError or OSError for anything else."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    states = States(ask, restore_state(arrays), int(arrays["number"][0]))
    if "like_q" in arrays:
        q = arrays["like_q"]
        dq, dxl, dxw = (arrays.get(f"like_{name}") for name in ("dq", "dxl", "dxw"))
        states.like = Curve(q, np.ones_like(q), None, dq, dxl, dxw)
        total, variance = arrays["mean"]
        states.mean = Mean(total, variance, float(arrays["mean_weight"][0]))
        states.begun = int(arrays["begun"][0])
        for number, (intensity, sigma) in zip(arrays["newest"], arrays["newest_curves"], strict=True):
            states.newest.append((int(number), intensity, sigma))
    return states


#: Where no finding says more.
SHAPE = "the shape of the curve is another"


def _upturn_between(first: Curve, second: Curve) -> Upturn | None:
    assert first.dintensity is not None
    assert second.dintensity is not None
    return find_upturn(first.q, first.intensity, first.dintensity, second.intensity, second.dintensity)


def different(
    earlier: Said, after: Said, upturn: Upturn | None = None, upturn_before: Upturn | None = None
) -> str:
    """Describe the change between two states, the most telling first, and the kind of sample now."""
    # `upturn` and `upturn_before` are power laws at low q that only the later or only the earlier state has.
    if upturn is not None:  # which the network takes for a second population
        differences = [f"an upturn at low q (q^−{upturn.exponent:.1f} ± {upturn.error:.1f})"]
    elif upturn_before is not None:
        differences = ["no upturn at low q any more"]
    else:
        differences = _describe_network_change(earlier, after) + _numbers(earlier, after)
    return ", ".join([*(differences or [SHAPE]), *_describe_same_kind(earlier, after)])


def _describe_network_change(earlier: Said, after: Said) -> list[str]:
    parts = list(filter(None, (_second(earlier, after), _forces(earlier, after))))
    if earlier.known and not after.known and not parts:
        return ["no single model that the network knows (a mixture, or something else)"]
    return [*parts, *_describe_new_kind(earlier, after)]


def _describe_new_kind(earlier: Said, after: Said) -> list[str]:
    """Another group, or else another model, that is likely and clearly likelier than that of before."""
    if not after.known:
        return []
    if after.group != earlier.group:
        share = after.shares.get(after.group, 0.0)
        clear = share >= _HALF and share - after.shares.get(earlier.group, 0.0) >= _HALF
        return [f"{after.group} ({percent(share)})"] if clear else []
    if after.model != earlier.model and after.model_probability >= _HALF:
        return [f"{after.model} ({percent(after.model_probability)})"]
    return []


def _describe_same_kind(earlier: Said, after: Said) -> list[str]:
    """The model, or else the group, that is likely before and after."""
    if not all((earlier.known, after.known, after.model == earlier.model)):
        return []
    if after.model_probability >= _HALF:
        return [f"kind as before: {after.model} ({percent(after.model_probability)})"]
    share = after.shares.get(after.group, 0.0)
    if after.group == earlier.group and share >= _HALF:
        return [f"kind as before: {after.group} ({percent(share)})"]
    return []


def _second(earlier: Said, after: Said) -> str:
    if after.several and not earlier.several:
        text = "two populations" if after.second >= _HALF else "perhaps two populations"
        return f"{text} ({percent(after.second)})"
    return f"one population ({percent(1 - after.second)})" if earlier.several and not after.several else ""


def _forces(earlier: Said, after: Said) -> str:
    if _crosses_half(earlier.interacting, after.interacting):
        return f"interaction between bodies ({percent(after.interacting)})"
    lost = _crosses_half(after.interacting, earlier.interacting)
    return f"no interaction between bodies ({percent(1 - after.interacting)})" if lost else ""


def _crosses_half(earlier: float, after: float) -> bool:
    return earlier < _HALF <= after and after - earlier >= _MOVED


def _numbers(earlier: Said, after: Said) -> list[str]:
    radii = [answer.numbers.get("rg") for answer in (earlier, after)]
    if radii[0] is None or radii[1] is None:
        return []
    (old, old_error), (new, new_error) = radii  # type: ignore[misc]
    if abs(new - old) < _CLEAR * np.hypot(old_error, new_error):
        return []
    return [f"Rg {old:.4g} → {new:.4g} ± {new_error:.2g} Å"]


# --- Curves of one sample added up as they come: when its answer is settled, and what more counting
# --- would bring.

#: Of simulated samples (docs/studies.md) two or three in a hundred that settle so are wrong; with
#: 0.95, as for images, it would be seven. With the growth it does not depend on how long a curve was counted.
SETTLED = SettledSettings(probability=0.98, frames=2, growth=1.3)
#: What of the settled answers may be wrong, as it is said.
WRONG = 0.03


def merge_curves(first: Curve, second: Curve) -> Curve:
    """Add two measurements in one setting, weighted by counts. Raises DataError if their q differ."""
    if not np.array_equal(first.q, second.q):
        raise DataError(
            f"{second.file}: its q values differ from those of the earlier curves, so it cannot be"
            f" added; give curves of one setting."
        )
    sigmas = [fill_dintensity(curve.intensity, curve.dintensity) for curve in (first, second)]
    weights = [
        weight_of(curve.intensity, sigma) for curve, sigma in zip((first, second), sigmas, strict=True)
    ]
    share = [w / sum(weights) for w in weights]
    intensity = share[0] * first.intensity + share[1] * second.intensity
    sigma = np.hypot(share[0] * sigmas[0], share[1] * sigmas[1])
    return Curve(
        first.q,
        intensity,
        sigma,
        first.dq,
        first.dxl,
        first.dxw,
        second.file,
        second.entry,
        first.notes,
        first.q_unit,
    )


def counts_of(curve: Curve) -> float:
    """Counts that would have the curve's relative errors, Σ (I/σ)²."""
    return float(np.sum((curve.intensity / fill_dintensity(curve.intensity, curve.dintensity)) ** 2))


def recognise(
    curves: Iterable[tuple[str, Any]],
    answers: Callable[[Sequence[Any]], Sequence[Answer | Exception]],
    curves_kept: list[Curve],
    settings: SettledSettings = SETTLED,
) -> Iterator[Look]:
    """Answer the sum of all curves after each (file, curve or exception); `curves_kept` holds the sum."""
    test = Sequential(settings)
    total: Curve | None = None
    for number, (file, curve) in enumerate(curves, start=1):
        entry = str(getattr(curve, "entry", ""))
        try:
            if isinstance(curve, Exception):
                raise curve
            whole = curve if total is None else merge_curves(total, curve)
            (answer,) = answers([whole])
            if isinstance(answer, Exception):
                raise answer
        except SasnetError as error:
            yield Look(number, file, entry, note=str(error), settled=test.settled)
            continue
        total = whole
        curves_kept[:] = [whole]
        shares, counts = group_shares(answer), counts_of(whole)
        test.look(shares, answer.known, counts)
        yield Look(number, file, entry, counts, answer.in_scope, shares, test.settled)


@dataclass
class Sum:
    """How a sum of curves went."""

    frames: int = 0
    failures: int = 0
    first: Look | None = None  #: With which the answer was settled.
    last: Look | None = None  #: The newest with an answer.

    def take(self, look: Look) -> bool:
        """Take a look; whether the answer is settled with this one."""
        self.frames, self.failures = look.number, self.failures + bool(look.note)
        self.last = look if look.classes else self.last
        new = bool(look.settled) and self.first is None
        self.first = look if new else self.first
        return new

    @property
    def sentence(self) -> str:
        """Whether it is settled, and since when; with the share of such answers that are wrong."""
        if self.first is not None:
            return (
                f"Converged after frame {self.first.number}, {self.first.counts:,.0f} counts:"
                f" {self.first.settled}. Its probability stayed at or above {SETTLED.probability:.0%} while"
                f" the counts grew by {SETTLED.growth - 1:.0%}. In simulations, at most {WRONG:.0%} of such"
                " answers were wrong. You may stop."
            )
        if self.last is None:
            return "No frame has an answer."
        look = self.last
        best = max(look.classes, key=lambda name: look.classes[name])
        doubt = "" if look.in_scope > 0.5 else ", and it may be nothing that the network knows"
        return f"Not converged after {look.counts:,.0f} counts: {best} has {look.classes[best]:.0%}{doubt}."


def write(
    looks: Iterable[Look], path: Path, groups: Sequence[str], report: Callable[[Look, Sum], None]
) -> Sum:
    """Write a line for each look as it comes, then call `report`. Raises SasnetError if the table cannot be
    written, or if no frame has an answer and an earlier table lies there.
    """
    whole = Sum()
    with growing(path, [*HEAD, *groups, "settled", "note"]) as table:
        for look in looks:
            numbers = [look.counts, look.in_scope, *(look.classes.get(name, math.nan) for name in groups)]
            names = [plain_cell(text) for text in (look.file, look.entry)]
            cells = [text_of(number) for number in numbers]
            table.add([look.number, *names, *cells, look.settled, plain_cell(look.note)], look.note)
            whole.take(look)
            report(look, whole)
    return whole
