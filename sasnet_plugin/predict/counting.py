"""How much longer a curve has to be counted until its answer is settled, and whether it ever will be.

Curves of the bank that resemble the measured one stand for what the sample may be: of each model as much as
the network gives it, and within a model by their χ². Each is measured again in simulation with more counts,
and the network is asked. What share of them is settled then, and how much of that wrongly, is the forecast.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..noise import fill_dintensity
from ..types import Curve
from .classes import ClassesFinding, percent
from .findings import Answer
from .predictor import Predictor

if TYPE_CHECKING:
    from ..simulate.bank import Bank


@dataclass(frozen=True)
class OutlookSettings:
    """How the forecast is made."""

    #: Times the counts so far at which it is looked ahead.
    levels: tuple[float, ...] = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 512.0)
    #: A model of less probability does not stand for the sample.
    least: float = 0.02
    #: Curves of the bank of each model, at most.
    each: int = 6
    #: Cells of the bank by which its curves are moved, so that sizes between its own are there, too.
    moves: tuple[int, ...] = (-8, -6, -4, -2, 0, 2, 4, 6, 8)
    #: Relative error added to the measured one: no curve of the bank is the sample.
    coarse: float = 0.05
    #: Points of the curve that are compared, at most.
    points: int = 100
    #: Relative error that more counting does not take away.
    systematic: float = 0.005
    #: Chance from which on a counting time is advised, and below which counting is said not to settle it.
    likely: float = 0.5
    hardly: float = 0.15


OUTLOOK = OutlookSettings()
#: Nodes and weights of a normal distribution, to the fifth moment.
_NODES, _WEIGHTS = (-math.sqrt(3.0), 0.0, math.sqrt(3.0)), (1 / 6, 2 / 3, 1 / 6)


@dataclass(frozen=True)
class Outlook:
    """What more counting will bring."""

    levels: tuple[float, ...]  #: Times the counts so far.
    settled: tuple[float, ...]  #: Chance that the answer is settled by then.
    wrong: float  #: Share of those that will be settled wrongly.
    #: Groups by their mean probability at the last level: what will stay undecided if it does.
    rivals: tuple[tuple[str, float], ...]

    @property
    def factor(self) -> float | None:
        """Times the counts so far after which it is more likely settled than not; None if not by the last."""
        pairs = zip(self.levels, self.settled, strict=True)
        return next((level for level, chance in pairs if chance >= OUTLOOK.likely), None)

    @property
    def hopeless(self) -> bool:
        """Whether more counting will hardly settle it."""
        return self.settled[-1] < OUTLOOK.hardly

    def describe(self) -> str:
        """One sentence: how long to count, or what else to do."""
        if self.factor is not None:
            chance = self.settled[self.levels.index(self.factor)]
            return (
                f"Count {self.factor:g} times as long in total: the answer then converges with a probability"
                f" of {percent(chance)}. Of such answers, {percent(self.wrong)} are wrong."
            )
        last = self.levels[-1]
        names = " and ".join(name for name, _ in self.rivals[:2])
        if self.hopeless:
            return (
                f"Longer counting hardly helps (chance {percent(self.settled[-1])} with {last:g} times"
                f" the counts), because {names} look alike in this q range. Measure another q range or"
                f" another contrast."
            )
        return (
            f"With {last:g} times the counts, the answer converges with a probability of"
            f" {percent(self.settled[-1])}; otherwise {names} remain."
        )


def group_shares(answer: Answer) -> dict[str, float]:
    classes = answer.finding(ClassesFinding)
    if classes is None:
        return {}
    rows = {name: row for row, name in enumerate(classes.head.labels)}
    return {
        group.name: float(sum(classes.probability[rows[name]] for name in group.members))
        for group in classes.head.groups
    }


def outlook(
    curve: Curve,
    predictor: Predictor,
    bank: Bank,
    threshold: float,
    rng: np.random.Generator,
    settings: OutlookSettings = OUTLOOK,
) -> Outlook | None:
    """Forecast an answer for longer counting; None if nothing known resembles the curve."""
    # A group is settled from probability `threshold`.
    choice = predictor.choice(len(predictor.manifest.labels))
    (answer,) = predictor.answers([curve], choice)
    classes = answer.finding(ClassesFinding)
    if classes is None or not answer.known:
        return None
    share = dict(zip(classes.head.labels, map(float, classes.probability), strict=True))
    group_of = {name: group.name for group in classes.head.groups for name in group.members}
    weights, truths, labels = alike(curve, share, bank, settings)
    if not labels:
        return None
    settled, right = [], []
    for level in settings.levels:
        again = [simulate_longer_count(curve, truth, level, rng, settings) for truth in truths]
        answers = predictor.answers(again, choice)
        shares = [group_shares(one_answer) for one_answer in answers]
        best = [max(group_share, key=lambda name: group_share[name]) for group_share in shares]
        sure = np.array([
            one_answer.known and group_share[name] >= threshold
            for one_answer, group_share, name in zip(answers, shares, best, strict=True)
        ])  # fmt: skip
        settled.append(sure)
        right.append(np.array([name == group_of[label] for name, label in zip(best, labels, strict=True)]))
    # Who was settled once stays so.
    ever = np.logical_or.accumulate(np.array(settled), axis=0)
    first = np.argmax(np.array(settled), axis=0)
    at_first = np.array(right)[first, np.arange(len(labels))]
    settled_now = float(weights @ ever[-1])
    wrong = float(weights @ (ever[-1] & ~at_first)) / settled_now if settled_now > 0 else 0.0
    mean = _mean(shares, weights)
    rivals = tuple(sorted(mean.items(), key=lambda pair: -pair[1]))
    return Outlook(settings.levels, tuple(float(x) for x in ever @ weights), wrong, rivals)


def _mean(shares: Sequence[Mapping[str, float]], weights: Floats) -> dict[str, float]:
    return {
        name: float(sum(w * share[name] for w, share in zip(weights, shares, strict=True)))
        for name in shares[0]
    }


def alike(
    curve: Curve,
    share: Mapping[str, float],
    bank: Bank,
    settings: OutlookSettings = OUTLOOK,
    target: Curve | None = None,
) -> tuple[Floats, list[Floats], list[str]]:
    """Return weights, curves and models of what the sample may be, from each model's probability `share`;
    `target` sets other points and resolution.
    """
    weights: list[float] = []
    truths: list[Floats] = []
    labels: list[str] = []
    for model, p in share.items():
        if p < settings.least or model not in bank.models:
            continue
        weights_of_model, curves = _find_alike_curves(
            curve, bank.page(model), settings, curve if target is None else target
        )
        weights += [p * w for w in weights_of_model]
        truths += curves
        labels += [model] * len(curves)
    total = sum(weights)
    return np.array(weights) / (total or 1.0), truths, labels


def _find_alike_curves(
    curve: Curve, page: Any, settings: OutlookSettings, target: Curve
) -> tuple[list[float], list[Floats]]:
    """Curves of a model that resemble the measured one, at these points, and their weights."""
    sigma = fill_dintensity(curve.intensity, curve.dintensity)
    step = max(1, -(-len(curve) // settings.points))
    points_used = slice(step // 2, None, step)
    error = np.hypot(sigma[points_used], settings.coarse * np.abs(curve.intensity[points_used]))
    chisq, scales = [], []
    for move in settings.moves:
        chisq_here, scale_pair = _compare_shapes(curve, page, move, points_used, error)
        chisq.append(chisq_here)
        scales.append(scale_pair)
    all_chisq = np.array(chisq)
    order = np.argsort(all_chisq, axis=None)[: settings.each]
    best = all_chisq.ravel()[order]
    if not order.size or not np.isfinite(best[0]):
        return [], []
    order, best = order[np.isfinite(best)], best[np.isfinite(best)]
    # The bank is too coarse for the likelihood itself: a third of them is to matter at least.
    spread = max(1.0, float(best[-1] - best[0]) / 2)
    weight = np.exp(-(best - best[0]) / (2 * spread))
    curves = []
    for place in order:
        move, row = divmod(int(place), all_chisq.shape[1])
        scale, background = scales[move][row]
        shape = _shapes(target, page.log_intensity[row : row + 1], settings.moves[move], slice(None))[0]
        curves.append(scale * shape + background)
    # Beyond its window a curve of the bank may not be known.
    good = [k for k, one_curve in enumerate(curves) if np.all(np.isfinite(one_curve))]
    weights_kept = weight[good]
    return list(weights_kept / (weights_kept.sum() or 1.0)), [curves[k] for k in good]


def _compare_shapes(
    curve: Curve, page: Any, move: int, points_used: slice, error: Floats
) -> tuple[Floats, Floats]:
    """χ² of each curve of a page with its best scale and background, and these, (n, 2)."""
    shapes = _shapes(curve, page.log_intensity, move, points_used)
    w = error**-2.0
    y = curve.intensity[points_used]
    s, sy, ss, sh, shy = w.sum(), w @ y, (shapes**2) @ w, shapes @ w, shapes @ (w * y)
    determinant = np.maximum(ss * s - sh**2, 1e-300)
    scale, background = (shy * s - sh * sy) / determinant, (ss * sy - sh * shy) / determinant
    flat = background < 0
    scale = np.where(flat, shy / np.maximum(ss, 1e-300), scale)
    background = np.where(flat, 0.0, background)
    off = y - scale[:, None] * shapes - background[:, None]
    with np.errstate(all="ignore"):
        chisq = (off**2) @ w
    bad = ~np.isfinite(chisq) | (scale <= 0)
    return np.where(bad, np.inf, chisq), np.stack([scale, background], axis=1)


def _shapes(curve: Curve, log_intensity: NDArray[np.float32], move: int, points_used: slice) -> Floats:
    """(n, points) curves of the bank at the measured points, moved by so many cells, their q blurred."""
    from ..simulate.bank import BANK_STEP, LOG_Q_MIN

    q = curve.q[points_used]
    if curve.dq is None:
        return np.exp(_interpolate(log_intensity, (np.log(q) - LOG_Q_MIN) / BANK_STEP + move))
    shapes = np.zeros((len(log_intensity), q.size))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        q_node = np.maximum(q + node * np.nan_to_num(curve.dq[points_used]), 0.2 * q)
        shapes += weight * np.exp(
            _interpolate(log_intensity, (np.log(q_node) - LOG_Q_MIN) / BANK_STEP + move)
        )
    return shapes


def _interpolate(log_intensity: NDArray[np.float32], cell: Floats) -> Floats:
    low = np.clip(np.floor(cell).astype(int), 0, log_intensity.shape[1] - 2)
    part = np.clip(cell - low, 0.0, 1.0)
    values = log_intensity.astype(np.float64)
    return np.asarray(values[:, low] * (1 - part) + values[:, low + 1] * part)


def simulate_longer_count(
    curve: Curve, truth: Floats, level: float, rng: np.random.Generator, settings: OutlookSettings = OUTLOOK
) -> Curve:
    """A sample measured with so many times the counts of the curve."""
    sigma, fixed = fill_dintensity(curve.intensity, curve.dintensity), settings.systematic * np.abs(truth)
    counting = np.maximum(sigma**2 - (settings.systematic * curve.intensity) ** 2, 0.1 * sigma**2) / level
    error = np.hypot(np.sqrt(counting), fixed)
    intensity = truth + error * rng.standard_normal(truth.size)
    return Curve(curve.q, intensity, error, curve.dq, curve.dxl, curve.dxw)
