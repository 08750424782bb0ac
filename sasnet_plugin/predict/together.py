"""What several curves of one sample say together: the network's answers multiplied as likelihood ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..types import GroupGuess, ModelGuess, Suggestion
from .class_prior import COMMON, common

#: Exponent of the product of n answers, n^(-0.7): what is wrong with the model of one curve is wrong with the
#: next, and a curve near its match point says little, however surely. Of 100 simulated samples in three
#: solvents (docs/studies.md) the group is right in 97 % (95 with n^(-0.3)), of 100 others in 96 (93).
_DEPENDENCE = 0.7
#: Share of answers to single curves that mean nothing: no curve alone rules a model out.
_ASTRAY = 0.02
#: No structure factor is less probable than this by one curve alone.
_LEAST = 1e-3
#: A curve that gives the common group less than this contradicts the others.
_AGAINST = 0.03


def together(suggestions: Sequence[Suggestion], prior: str = COMMON) -> Suggestion:
    """Combine the answers to each curve of a sample, under the "common" or "uniform" prior."""
    # Likelihood ratios of independent measurements multiply; those of one sample share what no model has, so
    # the product gets a power below 1.
    if len(suggestions) == 1:
        return suggestions[0]
    names = [guess.name for guess in suggestions[0].models]
    prior_weight = common(names) if prior == COMMON else np.ones(len(names))
    power = len(suggestions) ** -_DEPENDENCE
    likelihood = power * sum(_log_uniform(suggestion, names) for suggestion in suggestions)
    weight = prior_weight * np.exp(likelihood - likelihood.max())
    uniform = np.exp(likelihood - likelihood.max())
    probabilities = dict(zip(names, weight / weight.sum(), strict=True))
    plain = dict(zip(names, uniform / uniform.sum(), strict=True))
    group = {name: g.name for g in suggestions[0].groups for name in g.members}
    models = [
        _guess(name, probabilities[name], plain[name], group.get(name, ""), suggestions) for name in names
    ]
    models.sort(key=lambda guess: -guess.probability)
    first = suggestions[0]
    return replace(
        first,
        models=tuple(models),
        groups=_groups(first.groups, probabilities),
        in_scope=float(min(suggestion.in_scope for suggestion in suggestions)),
        rg_network=None, curve=None,
        notes=tuple(dict.fromkeys(note for suggestion in suggestions for note in suggestion.notes)),
    )  # fmt: skip


def _groups(groups: Sequence[GroupGuess], probabilities: Mapping[str, float]) -> tuple[GroupGuess, ...]:
    """Sum the present probabilities of each group's members, by falling probability."""
    anew = [
        replace(g, probability=float(sum(probabilities.get(name, 0.0) for name in g.members))) for g in groups
    ]
    return tuple(sorted(anew, key=lambda g: -g.probability))


def contradicting(answer: Suggestion, suggestions: Sequence[Suggestion]) -> list[int]:
    """Places of the curves that think next to nothing of the group that all together show."""
    if len(suggestions) < 3:
        return []
    likely = answer.groups[0].name
    against = [i for i, suggestion in enumerate(suggestions) if _share(suggestion, likely) < _AGAINST]
    return against if len(against) * 2 < len(suggestions) else []


def _log_uniform(suggestion: Suggestion, names: Sequence[str]) -> np.ndarray:
    share: Mapping[str, float] = {
        g.name: g.uniform if g.uniform is not None else g.probability for g in suggestion.models
    }
    shares = np.array([share.get(name, 0.0) for name in names])
    return np.asarray(np.log((1 - _ASTRAY) * shares + _ASTRAY / len(names)))


def _share(suggestion: Suggestion, group: str) -> float:
    return next((g.probability for g in suggestion.groups if g.name == group), 0.0)


def _guess(
    name: str, probability: float, uniform: float, group: str, suggestions: Sequence[Suggestion]
) -> ModelGuess:
    """The model with the structure factor that its curves show together."""
    guesses = [g for suggestion in suggestions for g in suggestion.models if g.name == name]
    factors = dict.fromkeys(g.structure_factor for g in guesses)
    total = {factor: sum(np.log(max(_chance(g, factor), _LEAST)) for g in guesses) for factor in factors}
    best = max(total, key=lambda factor: total[factor])
    share = float(1.0 / sum(np.exp(v - total[best]) for v in total.values()))
    return ModelGuess(name, best, float(probability), group, share, float(uniform))


def _chance(guess: ModelGuess, factor: str | None) -> float:
    """Probability of a structure factor by one curve; the others share what its own leaves."""
    factor_probability = guess.structure_factor_probability
    return factor_probability if guess.structure_factor == factor else (1 - factor_probability) / 4
