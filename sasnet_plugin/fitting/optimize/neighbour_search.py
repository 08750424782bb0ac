"""Valleys beside the one that a start lies in: fringes of a size that is off by some of them look alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sasnet_plugin.fitting.optimize.local_search import Polished

#: One size is changed by these factors, the others follow.
_RATIOS = (0.97, 1.03, 0.94, 1.06, 0.9, 1.11, 0.78, 1.28)
#: Sizes that are tried, and how often all of them are.
_SIZES, _ROUNDS = 4, 3
#: χ² has to fall to so much of what it was for another round.
_BETTER = 0.9


def sizes_of(info: Any, parameters: dict[str, Any], held: frozenset[str]) -> list[str]:
    """Names of the lengths of a body that a fit varies, the longest first: its fringes are the finest.

    Parameters
    ----------
    info : sasmodels.modelinfo.ModelInfo
    parameters : dict
        Its values.
    held : frozenset of str
        Given by a user.
    """
    found = [p.name for p in info.parameters.call_parameters if p.type == "volume" and p.units == "Ang"]
    found = [n for n in found if n not in held and float(parameters.get(n, 0.0)) > 0]
    return sorted(found, key=lambda n: -float(parameters[n]))[:_SIZES]


def crossed(
    names: list[str],
    best: Polished,
    polish: Callable[[dict[str, Any]], Polished | None],
    enough: float,
) -> Polished:
    """Look for a deeper valley with one size after the other changed.

    Parameters
    ----------
    names : list of str
        Of the sizes.
    best : Polished
        Where to begin.
    polish : callable
        Polishes a start; None where it has no finite curve or the time is up.
    enough : float
        χ² that leaves nothing to look for.

    Returns
    -------
    Polished
        The best that was seen.
    """
    for _ in range(_ROUNDS):
        before = best.chisq
        for name in names:
            value = best.parameters[name]
            for ratio in _RATIOS:
                if best.chisq < enough:
                    return best
                found = polish(best.parameters | {name: ratio * value})
                if found is not None and found.chisq < best.chisq:
                    best = found
        if best.chisq > _BETTER * before:
            break
    return best
