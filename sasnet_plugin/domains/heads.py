"""The questions that are asked of measurements: a closed list of heads, each plain data.

How a head is trained, calibrated, decoded and scored depends on its type, not on the kind of measurement:
`train.heads` has layers and losses, `predict.calibration` the calibration, `predict.decoding` the answers,
`report.scores` the scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: What a network reads, by the names of its inputs; each (n, …). Of a set of images (n, frames, …) with
#: `FRAME_MASK` (n, frames), 1 where a frame is there; those that are come first.
Inputs = Mapping[str, NDArray[Any]]
FRAME_MASK = "frame_mask"
#: What is true, by the name of the head (see each); NaN, or −1 of a class, where an example has no label.
Targets = Mapping[str, NDArray[Any]]
#: What a network gives, by the names of `outputs_of`.
Outputs = Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True)
class Parameter:
    """One number that a network estimates.

    Parameters
    ----------
    unit : str
        "" for ratios and counts.
    prior : (float, float)
        Least and largest value that it was drawn with.
    text : str
        What it is.
    log : bool
        Estimated as a logarithm.
    floor : float
        Less than this is the same as nothing (logarithmic ones that may be 0).
    odd : bool
        Changes its sign in a mirror.
    scaling : (float, float) or None
        Middle and step, of the natural logarithm where `log`, of the network's scale; None takes middle and
        standard deviation of the prior's range.
    of : tuple of str
        Classes that have it, of the head that names classes; given where the likeliest is one of them. Empty:
        whatever the class.
    """

    name: str
    unit: str = ""
    prior: tuple[float, float] = (0.0, 1.0)
    text: str = ""
    log: bool = False
    floor: float = 0.0
    odd: bool = False
    scaling: tuple[float, float] | None = None
    of: tuple[str, ...] = ()

    def scale_value(self, value: float) -> float:
        """On the network's scale: about −1.7 to 1.7 over the prior."""
        middle, step = self._scale()
        return float(((self._log(value) if self.log else value) - middle) / step)

    def value(self, scaled: float, error: float) -> tuple[float, float]:
        """Value and standard error in the parameter's unit, from those on the network's scale."""
        middle, step = self._scale()
        x = middle + step * scaled
        if not self.log:
            return float(x), float(step * error)
        quantity = float(np.exp(min(x, 700.0)))
        return quantity, float(quantity * np.sinh(min(step * error, 3.0)))

    @property
    def may_be_zero(self) -> bool:
        """Whether its prior holds 0, so that an error over the truth would say nothing."""
        return not self.log and self.prior[0] <= 0 <= self.prior[1]

    def _scale(self) -> tuple[float, float]:
        if self.scaling is not None:
            return self.scaling
        low, high = (self._log(x) if self.log else x for x in self.prior)
        return (low + high) / 2, (high - low) / float(np.sqrt(12))

    def _log(self, value: float) -> float:
        return float(np.log(max(value, self.floor)))


@dataclass(frozen=True)
class Group:
    """Classes that data of this kind rarely tell apart."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Classes:
    """Which one of several.

    Output ``name`` (n, labels), logits; with `given` (n, labels of that head, labels). Targets (n,) int, −1
    where unknown; in training also (n, labels), 1 for each label that is right, all 0 where unknown.

    Parameters
    ----------
    title : str
        What a class is called in answers, "model".
    labels : tuple of str
        Empty where they are those of the training data.
    groups : tuple of Group
        A partition of the labels; found when the network is calibrated. Empty: each by itself.
    given : str
        The head whose class this one depends on: the structure factor, given the form.
    allowed : mapping of str to tuple of str
        With `given`: labels that go with each class of that head, besides the first, which always does.
    others : str
        The label of out-of-distribution examples; empty: they have none.
    weight : float
        Of its loss.
    """

    name: str
    title: str = "class"
    labels: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    given: str = ""
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Tags:
    """Which of several, each of which may be there or not.

    Output ``name`` (n, labels), logits. Targets (n, labels) of 0 and 1, NaN where unknown.

    Parameters
    ----------
    parents : mapping of str to str
        A tag implies its parent.
    positive_weight : mapping of str to float
        Weight of examples that have the tag; 1 where it is not named.
    alone : str
        The tag that excludes all others; empty: there is none.
    weight : float
        Of its loss.
    """

    name: str
    labels: tuple[str, ...]
    parents: Mapping[str, str] = field(default_factory=dict)
    positive_weight: Mapping[str, float] = field(default_factory=dict)
    alone: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class Stated:
    """A number that is stated with a measurement and given beside what is estimated.

    Parameters
    ----------
    name : str
        Of an attribute of the measurement's geometry.
    shift : str
        The parameter by which the stated one is too small; empty where it is taken as it stands.
    """

    name: str
    unit: str
    shift: str = ""


@dataclass(frozen=True)
class Quantities:
    """Values with their uncertainties.

    Output ``name`` (n, parameters, 2), mean and log standard deviation on the network's scale. Targets
    (n, parameters) on that scale, NaN where unknown.

    Parameters
    ----------
    interval : str
        What an answer gives beside the value: ``"error"`` one standard deviation, ``"band"`` the ends of a
        band that holds 90 % of the truth, ``""`` nothing.
    least_known : float
        From this standard deviation on, on the network's scale, a value is not given.
    stated : tuple of Stated
        Given beside them.
    weight : float
        Of its loss.
    """

    name: str
    parameters: tuple[Parameter, ...]
    interval: str = "band"
    least_known: float = math.inf
    stated: tuple[Stated, ...] = ()
    weight: float = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """Of its parameters."""
        return tuple(parameter.name for parameter in self.parameters)


@dataclass(frozen=True)
class Distribution:
    """How an angle is distributed, with a band.

    Outputs ``name`` (n, bins) logits of the shares, and ``name_band`` (n, bins, 2) the 5 % and 95 % quantile
    of √(bins · p) where p is averaged over `resolution`. Targets (n, bins), shares.

    Parameters
    ----------
    bins : int
        From 0, over the period.
    period : float
        Degrees.
    resolution : float
        Full width at half maximum of that average, degrees.
    weight : float
        Of its loss.
    """

    name: str
    bins: int
    period: float
    resolution: float
    weight: float = 1.0

    @property
    def grid(self) -> NDArray[np.float64]:
        """(bins,) angles, degrees."""
        return np.asarray(np.arange(self.bins) * (self.period / self.bins))


@dataclass(frozen=True)
class Scope:
    """Is it anything that the network knows?

    Output ``name`` (n, 1), a logit. Targets (n,), 1 for what it knows and 0 for anything else.

    Parameters
    ----------
    inside : str
        Sentence of an answer, before ``": 97 %."``.
    outside : str
        Sentence below the threshold.
    silent : bool
        Below the threshold nothing else is said.
    refused : float
        Largest share of held-out examples of known kinds below the threshold.
    weight : float
        Of its loss.
    """

    name: str = "scope"
    inside: str = "A measurement of the kind that this model knows"
    outside: str = "This measurement is outside the training data of this model."
    silent: bool = False
    refused: float = 0.05
    weight: float = 0.5


@dataclass(frozen=True)
class Embedding:
    """A latent space, learned without labels.

    Output ``name`` (n, size). It has no targets.

    Parameters
    ----------
    size : int
        Of the latent space.
    weight : float
        Of its loss.
    """

    name: str
    size: int
    weight: float = 1.0


Head = Classes | Tags | Quantities | Distribution | Scope | Embedding


def outputs_of(heads: tuple[Head, ...]) -> dict[str, tuple[int, ...]]:
    """Names of the network's outputs and their shapes without the first axis.

    Parameters
    ----------
    heads : tuple of Head
        With their labels.
    """
    heads_by_name = {head.name: head for head in heads}
    outputs: dict[str, tuple[int, ...]] = {}
    for head in heads:
        if isinstance(head, Classes):
            earlier_head = heads_by_name[head.given] if head.given else None
            rows = (len(earlier_head.labels),) if isinstance(earlier_head, Classes) else ()
            outputs[head.name] = (*rows, len(head.labels))
        elif isinstance(head, Tags):
            outputs[head.name] = (len(head.labels),)
        elif isinstance(head, Quantities):
            outputs[head.name] = (len(head.parameters), 2)
        elif isinstance(head, Distribution):
            outputs[head.name] = (head.bins,)
            outputs[f"{head.name}_band"] = (head.bins, 2)
        elif isinstance(head, Scope):
            outputs[head.name] = (1,)
        else:
            outputs[head.name] = (head.size,)
    return outputs
