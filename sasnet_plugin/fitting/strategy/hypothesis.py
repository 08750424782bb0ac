"""What may explain a curve, as frozen data, and how likely each is before it is fitted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

import numpy as np

from ...digits import significant
from ...simulate.library import DILUTE_SHARE
from ...simulate.priors import list_structure_factors, model_info, structure_factors
from ...simulate.quick_models.lattice import LATTICES
from ...simulate.quick_models.quick import fit_cost_class
from ...types import Curve, ModelGuess, Suggestion, product_name, sum_parts
from ..problem.free_parameters import SALT
from ..result.model_fit import ModelFit
from ..settings import ASSESSMENT, PROBLEM, START_VALUES
from ..start_values.screening import SIMPLE
from ..start_values.sums import SMOOTH, TERMS, is_simple_sum, is_smooth_sum
from ..task import Pair
from .settings import STRATEGY

#: Sums that sasmodels also has as a model with an exponent more.
AS_ONE: dict[tuple[str, str | None], str] = {("lorentz", "power_law"): "correlation_length"}


@dataclass(frozen=True)
class Supposed:
    """A resolution that the file does not state, dq = √((relative q)² + absolute²)."""

    relative: float  #: dq/q.
    absolute: float  #: Å⁻¹.
    error: float = field(default=1.0, compare=False)  #: Of its width, relative: how well the curve shows it.

    def apply_to(self, curve: Curve) -> Curve:
        return replace(curve, dq=np.hypot(self.relative * curve.q, self.absolute))

    @property
    def words(self) -> str:
        """For people."""
        if self.relative:
            return f"dq/q = {significant(100 * self.relative, 2)} %"
        return f"dq = {significant(self.absolute, 2)} Å⁻¹"


def describe_resolution(supposed: Supposed) -> str:
    # Few instruments are so coarse, and sizes that are spread wash out fringes as well.
    wide = supposed.relative > PROBLEM.wide_resolution
    return (
        f"The file gives no resolution. A resolution of {supposed.words} was used, because models then fit"
        f" much better. Give the resolution in the file if it is known."
        f"{' So wide a resolution may stand for a distribution of sizes.' if wide else ''}"
    )


@dataclass(frozen=True)
class Hypothesis:
    """One explanation of a curve."""

    form: str  #: sasmodels' name of the body, or the path of a plugin.
    structure_factor: str | None = None
    second: str | None = None  #: A second component beside it.
    resolution: Supposed | None = None  #: None: what the file states.
    #: Calculated at the measured points alone, as SasView does, whatever its fringes need.
    as_measured: bool = False

    @cached_property
    def pair(self) -> Pair:
        """Model and structure factor as a task has them: those of a sum are in the model's name."""
        if self.second is None:
            return self.form, self.structure_factor
        return f"{product_name(self.form, self.structure_factor)}+{self.second}", None

    @property
    def name(self) -> str:
        return product_name(*self.pair)

    @cached_property
    def cost(self) -> str:
        return fit_cost_class(self.pair[0])

    @cached_property
    def seconds(self) -> float:
        """What a fit of it is expected to take."""
        return STRATEGY.expected_time[self.cost] * (1 if self.structure_factor is None else 2)


def make_hypothesis(pair: Pair) -> Hypothesis:
    """The hypothesis of a task's model and structure factor, sums included."""
    model, factor = pair
    if "+" not in model:
        return Hypothesis(model, factor)
    first, second = sum_parts(model)
    return replace(parse_hypothesis(first), second=second)


def parse_hypothesis(name: str) -> Hypothesis:
    """The hypothesis of sasmodels' name of a model, a product or a sum."""
    if "+" in name:
        return make_hypothesis((name, None))
    form, _, factor = name.partition("@")
    return Hypothesis(form, factor or None)


@cache
def factors_of(form: str) -> list[str]:
    """Structure factors that a form model may have; of a plugin that is not known."""
    if form.endswith(".py"):
        return []
    allowed = list_structure_factors(form)
    return [factor for factor in structure_factors() if factor in allowed]


@cache
def size_of(hypothesis: Hypothesis) -> int:
    """Parameters that it needs at least: of shape, and a scale for each component, and the background."""
    # A body's one contrast is another name of its scale.
    parts = sum_parts(hypothesis.name)
    return 1 + sum(_shape(part) for part in parts)


#: Second names of a scale, and what fits of a structure factor leave as it is.
_NOT_COUNTED = frozenset(
    {"i_zero", SALT, "radius_effective", "temperature", "dielectconst", "structure_factor_mode",
     "radius_effective_mode", "ndensity", "v_core", "v_corona"}
)  # fmt: skip


def _list_shape_parameters(info: Any) -> list[Any]:
    skipped = ("magnetic", "orientation")
    return [p for p in info.parameters.kernel_parameters if p.type not in skipped]


def _shape(part: str) -> int:
    if part.endswith(".py"):
        return 4
    names = [p.name for p in _list_shape_parameters(model_info(part))]
    slds = sum("sld" in name for name in names)
    count = sum("sld" not in name and name not in _NOT_COUNTED for name in names)
    return 1 + count + max(slds - 2, 0)


@dataclass(frozen=True)
class Beliefs:
    """How likely hypotheses are, as the network sees the curve; nothing is impossible before its fit."""

    suggestion: Suggestion  #: Of all models.

    @cached_property
    def guesses(self) -> dict[str, ModelGuess]:
        return {guess.name: guess for guess in self.suggestion.models}

    def estimate(self, hypothesis: Hypothesis) -> float:
        """0..1; of a sum that of its first component, times how often curves have two."""
        guess = self.guesses.get(hypothesis.form)
        if guess is None:
            return STRATEGY.least_prior
        least = STRATEGY.simple_prior if hypothesis.form in SIMPLE else STRATEGY.least_prior
        probability = guess.probability
        if hypothesis.form in LATTICES:  # which differ in few peaks: where one is likely, all are compared
            probability = sum(g.probability for name, g in self.guesses.items() if name in LATTICES) / len(
                LATTICES
            )
        chance = max(probability, least) * max(
            factor_share(guess, hypothesis.structure_factor), STRATEGY.simple_prior
        )
        return chance * second_share(hypothesis)

    def rather(self, hypothesis: Hypothesis, other_hypothesis: Hypothesis) -> float:
        """How likely it is the one of two, 0..1."""
        chance = self.estimate(hypothesis)
        return chance / (chance + self.estimate(other_hypothesis))

    def estimate_with_sums(self, hypothesis: Hypothesis) -> float:
        """Return a hypothesis' prior; of a smooth sum how likely the classifier sees no known model."""
        # What the network thinks of single models is then a share of the rest.
        chance = self.estimate(hypothesis)
        if hypothesis.second is None or not is_smooth(hypothesis):
            return chance
        return max(chance, self.suggestion.second_component or 0.0, 1 - self.suggestion.in_scope)

    @property
    def two(self) -> float:
        """How likely a second component is before sums are fitted."""
        return max(self.suggestion.second_component or 0.0, ASSESSMENT.seldom)

    def first(self) -> dict[str, float]:
        """The simplest models of the likely groups, and the likeliest models, with what is known of each."""
        # The members of a group are hardly distinguishable, and a group of twenty may keep the simple ones
        # out of the first five. A simple model that explains the curve is what the evidence prefers.
        chances: dict[str, float] = {}
        for group in self.suggestion.groups:
            if group.probability >= ASSESSMENT.seldom:
                # Before another explains the curve all are fitted, afterwards what each is worth itself.
                chances |= self._simplest(group.members)
        for guess in self.suggestion.models:
            slow = fit_cost_class(guess.name) == "slow"
            if guess.probability >= (ASSESSMENT.likely if slow else ASSESSMENT.seldom):
                chances[guess.name] = guess.probability
        return chances

    def _simplest(self, members: Iterable[str]) -> dict[str, float]:
        """Select members of a group with the fewest parameters that are not slow."""
        quick = (m for m in members if m in self.guesses and fit_cost_class(m) != "slow")
        simplest = sorted(quick, key=lambda m: (size_of(Hypothesis(m)), m))[: START_VALUES.near_fits]
        return {name: self.guesses[name].probability for name in simplest}


@cache
def second_share(hypothesis: Hypothesis) -> float:
    """How often a curve holds a certain second component, over how often it holds none."""
    # Gels, networks and polymers in solution often show large structures at low q as well: a power law.
    if hypothesis.second is None:
        return 1.0
    if (hypothesis.form, hypothesis.second) in AS_ONE:
        return 1.0
    if hypothesis.form in SMOOTH and hypothesis.form not in ("power_law", "porod"):
        return ASSESSMENT.likely
    return ASSESSMENT.seldom / (len(TERMS) + 1)


def is_smooth(hypothesis: Hypothesis) -> bool:
    """Whether its curve has neither fringes nor peaks, so that no usual resolution shows in it."""
    return is_smooth_sum(hypothesis.pair[0])


def is_simple_curve(hypothesis: Hypothesis) -> bool:
    """Whether it is a curve of the grid that `start_values.sums` compares, or a sum of those."""
    return is_simple_sum(hypothesis.name)


@cache
def is_of_particles(hypothesis: Hypothesis) -> bool:
    """Whether a particle of known shape is in it: fringes have many minima, one for each other size."""
    parts = sum_parts(hypothesis.pair[0])
    return any(p.endswith(".py") or str(model_info(p).category).startswith("shape:") for p in parts)


def factor_share(guess: ModelGuess, factor: str | None) -> float:
    """Probability of a structure factor, or of none; the likeliest leaves the rest to the four others."""
    share = guess.structure_factor_probability
    if factor == guess.structure_factor:
        return share
    if guess.structure_factor is None:
        return (1 - share) / 4
    return (1 - share) * (ASSESSMENT.likely if factor is None else (1 - ASSESSMENT.likely) / 3)


def priors(suggestion: Suggestion, fits: Iterable[ModelFit], *, explained: bool) -> list[float]:
    """Return what the ranking of fits starts from."""
    # If a fit explains the curve: how common its model and structure factor are, as the evidence says what
    # the curve says and the classifier would count it twice. Otherwise fits may be in wrong minima, and the
    # classifier knows more.
    hypotheses = [make_hypothesis((fit.model, fit.structure_factor)) for fit in fits]
    shares = _estimate_commonness(suggestion, hypotheses) if explained else _as_seen(suggestion, hypotheses)
    return [max(p, STRATEGY.least_prior) * second_share(h) for p, h in zip(shares, hypotheses, strict=True)]


def _estimate_commonness(suggestion: Suggestion, hypotheses: Sequence[Hypothesis]) -> list[float]:
    """How common the form of each is among those fitted, and its structure factor among samples."""
    common = _frequencies(suggestion)
    forms = [_common_form(candidate) for candidate in hypotheses]
    most = max((common.get(form, 1.0) for form in forms), default=1.0)

    def factor(hypothesis: Hypothesis) -> float:
        allowed = factors_of(hypothesis.form)
        if not allowed:
            return 1.0
        return DILUTE_SHARE if hypothesis.structure_factor is None else (1 - DILUTE_SHARE) / len(allowed)

    return [
        common.get(form, 1.0) / most * factor(candidate)
        for form, candidate in zip(forms, hypotheses, strict=True)
    ]


def _common_form(hypothesis: Hypothesis) -> str:
    """The model that says how common a hypothesis is: of a sum that a model of its own says, that."""
    return AS_ONE.get((hypothesis.form, hypothesis.second), hypothesis.form)


def _as_seen(suggestion: Suggestion, hypotheses: Sequence[Hypothesis]) -> list[float]:
    """The network's probabilities."""
    # It cannot distinguish the members of a group, so those that were fitted share its probability by how
    # common each is; each has its structure factor's probability besides. Of sums it has seen none: they have
    # what is common of their first component.
    guesses, common = Beliefs(suggestion).guesses, _frequencies(suggestion)
    members = {name: group for group in suggestion.groups for name in group.members}
    fitted = {hypothesis.form for hypothesis in hypotheses}
    fitted_members = {group.name: fitted.intersection(group.members) for group in suggestion.groups}
    all_common = sum(common.values()) or 1.0

    def prior(hypothesis: Hypothesis) -> float:
        if hypothesis.second is not None:
            return common.get(hypothesis.form, 1.0) / all_common
        guess, group = guesses.get(hypothesis.form), members.get(hypothesis.form)
        if guess is None or group is None:
            return guess.probability if guess else STRATEGY.least_prior
        share = common.get(hypothesis.form, 1.0) / sum(
            common.get(name, 1.0) for name in fitted_members[group.name]
        )
        factor = factor_share(guess, hypothesis.structure_factor)
        return float(group.probability * share * max(factor, STRATEGY.simple_prior))

    return list(map(prior, hypotheses))


def _frequencies(suggestion: Suggestion) -> dict[str, float]:
    """How common each model is over how common all are together, as the network was told, by its name."""
    return {g.name: g.probability / g.uniform if g.uniform else 1.0 for g in suggestion.models}
