"""Parameters of a fit that the data do not determine one by one: they move together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, compress, islice

import numpy as np

from ...digits import join_names
from ..problem.free_parameters import moving
from ..result import sentences
from ..result.model_fit import ModelFit
from ..settings import ASSESSMENT, OPTIMIZE


def describe_ties(fit: ModelFit, explained: set[str]) -> tuple[list[str], set[str]]:
    """Parameters that move together, and the names of all that is explained by that or before."""
    groups = [group for group in together(fit) if _matters(group, fit, explained)]
    said = [
        (
            f"{join_names(group)} {sentences.CORRELATED}: these data determine only a combination. Fix the"
            f" values that you know."
        )
        for group in groups
    ]
    shown_pairs = dict(_pairs(fit, explained, groups)[:3])  # of more nobody reads
    if shown_pairs:
        pair_texts = ", ".join(f"{a} and {b} ({r:.3f})" for (a, b), r in shown_pairs.items())
        said.append(
            f"The data hardly distinguish {pair_texts}: they {sentences.CORRELATED} (coefficient in"
            f" brackets). Fix one"
            " of a pair if known."
        )
    return said, explained.union(*groups, *shown_pairs)


def together(fit: ModelFit) -> list[tuple[str, ...]]:
    """Sets of three parameters and more of which the data determine fewer combinations."""
    groups = _triple(fit)
    for names in _combinations(fit):
        if not any(set(names) <= set(other_group) for other_group in groups):
            groups.append(names)
    return groups


def _triple(fit: ModelFit) -> list[tuple[str, ...]]:
    """Three parameters of which all pairs are strongly correlated, if there are."""
    pairs = set(map(frozenset, fit.correlations))
    triples = combinations(sorted(set().union(*pairs)), 3)
    return list(islice((t for t in triples if all({*pair} in pairs for pair in combinations(t, 2))), 1))


def _combinations(fit: ModelFit) -> Iterator[tuple[str, ...]]:
    """Names of three and more in an eigenvector of the derivatives' correlations that is next to nothing."""
    # What is large in one of them can be changed together without a change of the curve (D. A. Belsley, E.
    # Kuh, R. E. Welsch, Regression Diagnostics (1980), chapter 3).
    slopes = moving(fit.derivatives)
    if len(slopes) < 3:  # of an expensive model there are none
        return
    columns = np.stack(list(slopes.values()), axis=1)
    columns = columns / np.linalg.norm(columns, axis=0)
    values, vectors = np.linalg.eigh(columns.T @ columns)
    for vector in vectors.T[values < 1 - OPTIMIZE.strong]:
        names = tuple(compress(slopes, np.abs(vector) > ASSESSMENT.in_combination))
        if len(names) > 2:
            yield names


def _matters(names: Sequence[str], fit: ModelFit, explained: set[str]) -> bool:
    """Whether one of the correlated is badly known, else it is no one's concern, and none was explained."""
    if explained & set(names) or not set(names) <= fit.parameters.keys():
        return False
    parameters = [fit.parameters[name] for name in names]
    return any(p.error is None or p.error > ASSESSMENT.well_known * abs(p.value) for p in parameters)


def _pairs(
    fit: ModelFit, explained: set[str], groups: Sequence[tuple[str, ...]]
) -> list[tuple[tuple[str, str], float]]:
    return [
        (pair, r)
        for pair, r in fit.correlations.items()
        if _matters(pair, fit, explained) and not any(set(pair) <= set(g) for g in groups)
    ]
