"""Parameters of a fit that the data do not determine one by one: they move together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, compress, islice

import numpy as np

from ...digits import listed
from ..problem.free_parameters import moving
from ..result import sentences
from ..result.model_fit import ModelFit
from ..settings import ASSESSMENT, OPTIMIZE


def tied(fit: ModelFit, explained: set[str]) -> tuple[list[str], set[str]]:
    """Parameters that move together, and the names of all that is explained by that or before."""
    groups = [group for group in together(fit) if _matters(group, fit, explained)]
    said = [
        (
            f"{listed(group)} {sentences.CORRELATED}: these data determine only a combination. Fix the"
            f" values that you know."
        )
        for group in groups
    ]
    shown = dict(_pairs(fit, explained, groups)[:3])  # of more nobody reads
    if shown:
        named = ", ".join(f"{a} and {b} ({r:.3f})" for (a, b), r in shown.items())
        said.append(
            f"The data hardly distinguish {named}: they {sentences.CORRELATED} (coefficient in"
            f" brackets). Fix one"
            " of a pair if known."
        )
    return said, explained.union(*groups, *shown)


def together(fit: ModelFit) -> list[tuple[str, ...]]:
    """Sets of three parameters and more of which the data determine fewer combinations."""
    found = _triple(fit)
    for names in _combinations(fit):
        if not any(set(names) <= set(other) for other in found):
            found.append(names)
    return found


def _triple(fit: ModelFit) -> list[tuple[str, ...]]:
    """Three parameters of which all pairs are strongly correlated, if there are."""
    pairs = set(map(frozenset, fit.correlations))
    triples = combinations(sorted(set().union(*pairs)), 3)
    return list(islice((t for t in triples if all({*pair} in pairs for pair in combinations(t, 2))), 1))


def _combinations(fit: ModelFit) -> Iterator[tuple[str, ...]]:
    """Names of three and more in an eigenvector of the derivatives' correlations that is next to nothing."""
    # What is large in one of them can be changed together without a change of the curve (D. A. Belsley, E.
    # Kuh, R. E. Welsch, Regression Diagnostics (1980), chapter 3).
    known = moving(fit.derivatives)
    if len(known) < 3:  # of an expensive model there are none
        return
    columns = np.stack(list(known.values()), axis=1)
    columns = columns / np.linalg.norm(columns, axis=0)
    values, vectors = np.linalg.eigh(columns.T @ columns)
    for vector in vectors.T[values < 1 - OPTIMIZE.strong]:
        names = tuple(compress(known, np.abs(vector) > ASSESSMENT.in_combination))
        if len(names) > 2:
            yield names


def _matters(names: Sequence[str], fit: ModelFit, explained: set[str]) -> bool:
    """Whether one of the correlated is badly known, else it is no one's concern, and none was explained."""
    if explained & set(names) or not set(names) <= fit.parameters.keys():
        return False
    known = [fit.parameters[name] for name in names]
    return any(p.error is None or p.error > ASSESSMENT.well_known * abs(p.value) for p in known)


def _pairs(
    fit: ModelFit, explained: set[str], groups: Sequence[tuple[str, ...]]
) -> list[tuple[tuple[str, str], float]]:
    return [
        (pair, r)
        for pair, r in fit.correlations.items()
        if _matters(pair, fit, explained) and not any(set(pair) <= set(g) for g in groups)
    ]
