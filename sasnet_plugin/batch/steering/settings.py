"""Which range of q to measure next, or how long to count, by the information that is expected per second.

Curves of the bank that resemble what is measured stand for what the sample may be (`predict.counting`). Each
is measured in simulation with each option, and the network is asked. What the option tells of the group of
models is bounded from below by the entropy now less the mean log loss of the answers then (D. Barber,
F. Agakov, NIPS 16 (2003) 201), so that an answer that would be sure and wrong counts against it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...arrays import Floats
from ...noise import fill_dintensity
from ...predict import Predictor
from ...predict.class_prior import common
from ...predict.classes import ClassesFinding
from ...predict.counting import OUTLOOK, alike, group_shares, simulate_longer_count
from ...types import Curve, SasnetError

if TYPE_CHECKING:
    from ...simulate.bank import Bank


class OptionSettings(NamedTuple):
    """How options are compared."""

    #: Least probability of a group in the log loss: the network's probabilities are not known better.
    floor: float = 0.01
    worth: float = 0.05  #: Bits below which an option is said to tell hardly anything.


SETTINGS = OptionSettings()


@dataclass(frozen=True)
class Option:
    """What could be measured next of the same sample."""

    name: str
    seconds: float
    q_range: tuple[float, float] | None = None  #: Å⁻¹; None counts on in the setting that was measured.
    #: Counts per second at the same q and intensity, relative to the setting that was measured.
    rate: float = 1.0

    def __post_init__(self) -> None:
        low, high = self.q_range or (1.0, 2.0)
        if not (0 < self.seconds < math.inf and 0 < self.rate < math.inf and 0 < low < high < math.inf):
            raise SasnetError(
                f"the setting {self.name!r} needs a time and a rate above 0 and a q range in Å⁻¹ whose first"
                " end is the smaller."
            )


@dataclass(frozen=True)
class Promise:
    """What is expected of an option."""

    option: Option
    bits: float  #: Of information about the group of models.
    open_bits: float
    rivals: tuple[str, str]  #: The two groups that are most probable now.

    @property
    def reason(self) -> str:
        option = self.option
        action = "counting on" if option.q_range is None else "q {:.3g} to {:.3g} Å⁻¹".format(*option.q_range)
        if self.bits < SETTINGS.worth:
            expected = f"is expected to tell hardly anything of the {self.open_bits:.2f} bits that are open"
        else:
            expected = f"is expected to settle {self.bits:.2f} of the {self.open_bits:.2f} bits that are open"
        return (
            f"{option.name} ({action}, {option.seconds:g} s) {expected} between {' and '.join(self.rivals)}."
        )


def promises(
    curve: Curve,
    seconds: float,
    options: Sequence[Option],
    predictor: Predictor,
    bank: Bank,
    rng: np.random.Generator,
) -> list[Promise]:
    """Rank options by bits gained per second, given the curve measured so far. Raises SasnetError if there is
    no option or nothing known resembles the curve.
    """
    if not options or not seconds > 0:
        raise SasnetError("name at least one setting, and the time that was counted, above 0 s.")
    choice = predictor.choice(len(predictor.manifest.labels))
    (answer,) = predictor.answers([curve], choice)
    classes = answer.finding(ClassesFinding)
    if classes is None or not answer.known:
        raise SasnetError(
            f"{curve.file or 'the curve'}: it resembles nothing that the network knows, so no setting can be"
            " advised; look at the curve."
        )
    shares = group_shares(answer)
    first, second = sorted(shares, key=lambda name: -shares[name])[:2]
    found_promises = []
    for option in options:
        bits_before, bits = _estimate_settled_bits(
            curve, seconds, option, classes, shares, predictor, bank, rng
        )
        found_promises.append(Promise(option, bits, bits_before, (first, second)))
    return sorted(found_promises, key=lambda promise: -promise.bits / promise.option.seconds)


def _estimate_settled_bits(
    curve: Curve, seconds: float, option: Option, classes: ClassesFinding,
    current_shares: Mapping[str, float],
    predictor: Predictor, bank: Bank, rng: np.random.Generator,
) -> tuple[float, float]:  # fmt: skip
    """Bits that are open now, and how many of them an option is expected to settle."""
    share = dict(zip(classes.head.labels, map(float, classes.probability), strict=True))
    group_of = {name: group.name for group in classes.head.groups for name in group.members}
    points_measured = _points(curve, option)
    weights, truths, labels = alike(curve, share, bank, target=points_measured)
    if not labels:
        raise SasnetError(f"{curve.file or 'the curve'}: no library curve resembles it.")
    simulated = [
        _simulate_measurement(curve, points_measured, truth, option, seconds, rng) for truth in truths
    ]
    choice = predictor.choice(len(predictor.manifest.labels))
    then = [group_shares(answer) for answer in predictor.answers(simulated, choice)]
    if option.q_range is not None:
        prior = _group_prior(classes.head.labels, group_of)
        then = [_both(current_shares, answer, prior) for answer in then]
    groups = [group_of[label] for label in labels]
    entropy_before = _entropy(weights, groups)
    loss = [-math.log2(max(answer[name], SETTINGS.floor)) for answer, name in zip(then, groups, strict=True)]
    return entropy_before, max(entropy_before - float(weights @ np.array(loss)), 0.0)


def _points(curve: Curve, option: Option) -> Curve:
    """Points of a setting, as dense in ln q as those measured, with the same relative resolution."""
    if option.q_range is None:
        return curve
    low, high = option.q_range
    density = (len(curve) - 1) / max(math.log(curve.q[-1] / curve.q[0]), 1e-3)
    q = np.geomspace(low, high, int(np.clip(density * math.log(high / low), 30, 400)))
    dq = None if curve.dq is None else q * float(np.nanmedian(curve.dq / curve.q))
    return Curve(q, np.ones_like(q), None, dq, file=curve.file)


def _simulate_measurement(
    curve: Curve,
    points_measured: Curve,
    truth: Floats,
    option: Option,
    seconds: float,
    rng: np.random.Generator,
) -> Curve:
    """A sample measured with an option: with what is counted already, or in another range."""
    if option.q_range is None:
        return simulate_longer_count(curve, truth, 1 + option.rate * option.seconds / seconds, rng)
    # Counts go with the intensity and the area of the ring, q dq; their scale is that of what was measured.
    known = fill_dintensity(curve.intensity, curve.dintensity)
    per = (curve.intensity / known) ** 2 / np.maximum(curve.intensity * curve.q**2, 1e-300)
    scale = float(np.median(per[per > 0])) * option.rate * option.seconds / seconds
    truth = np.maximum(truth, 1e-300)
    counts = np.maximum(scale * truth * points_measured.q**2, 1e-9)
    sigma = truth * np.hypot(1 / np.sqrt(counts), OUTLOOK.systematic)
    noisy = truth + sigma * rng.standard_normal(truth.size)
    return Curve(points_measured.q, noisy, sigma, points_measured.dq, file=curve.file)


def _group_prior(labels: Sequence[str], group_of: Mapping[str, str]) -> dict[str, float]:
    prior: dict[str, float] = {}
    share = common(list(labels))
    for label, p in zip(labels, share / share.sum(), strict=True):
        prior[group_of[label]] = prior.get(group_of[label], 0.0) + float(p)
    return prior


def _both(
    first: Mapping[str, float], second: Mapping[str, float], prior: Mapping[str, float]
) -> dict[str, float]:
    """Answers to two independent measurements of a sample, as one."""
    product = {name: first[name] * second[name] / max(prior[name], 1e-9) for name in first}
    total = sum(product.values()) or 1.0
    return {name: value / total for name, value in product.items()}


def _entropy(weights: Floats, groups: Sequence[str]) -> float:
    share: dict[str, float] = {}
    for w, name in zip(weights, groups, strict=True):
        share[name] = share.get(name, 0.0) + float(w)
    return -float(sum(p * math.log2(p) for p in share.values() if p > 0))
