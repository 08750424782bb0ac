"""Whole numbers in a model, such as the layers of a stack: they are tried, as no slope leads there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sasnet_plugin.fitting.optimize.local_search import Polished

#: Counts that a body has; others (``n`` of core_multi_shell) say which parameters there are.
COUNTS = frozenset({"n_shells", "n_stacking", "n_pearls", "num_pearls", "Nlayers", "n_pairs", "n_aggreg"})
#: Ratios and differences that are tried.
_RATIOS, _STEPS = (0.5, 0.7, 0.9, 1.1, 1.4, 2.0), (-1, 1)
_MOST_ROUNDS = 8


def counts_of(info: Any, parameters: dict[str, Any]) -> list[str]:
    """Names of the counts that a model has.

    Parameters
    ----------
    info : sasmodels.modelinfo.ModelInfo
    parameters : dict
        Its values.
    """
    controls = {p.length_control for p in info.parameters.kernel_parameters if p.length_control}
    return sorted((COUNTS & parameters.keys()) - controls)


def climbed(
    names: list[str], best: Polished, polish: Callable[[dict[str, Any]], Polished | None]
) -> Polished:
    """Follow counts as long as χ² falls.

    Parameters
    ----------
    names : list of str
        Of the counts.
    best : Polished
        Where to begin.
    polish : callable
        Polishes a start; None where it has no finite curve or the time is up.

    Returns
    -------
    Polished
        The best that was seen.
    """
    seen = {tuple(best.parameters[n] for n in names)}
    for _ in range(_MOST_ROUNDS):
        before = best
        for start in _near(names, before.parameters):
            key = tuple(start[n] for n in names)
            if key in seen:
                continue
            seen.add(key)
            found = polish(start)
            if found is not None and found.chisq < best.chisq:
                best = found
        if best is before:
            break
    return best


def _near(names: list[str], parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in names:
        value = round(float(parameters[name]))
        tried = {max(round(r * value), 1) for r in _RATIOS} | {max(value + s, 1) for s in _STEPS}
        for count in sorted(tried - {value}):
            yield parameters | {name: float(count)}
