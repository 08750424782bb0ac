"""Parameters of a fit that the data do not determine one by one: they move together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, islice

import numpy as np

from ...digits import listed
from ..problem.free_parameters import moving
from ..result.model_fit import ModelFit
from ..settings import ASSESSMENT, OPTIMIZE


def tied(fit: ModelFit, explained: set[str]) -> tuple[list[str], set[str]]:
    """Parameters that move together, and the names of all that is explained by that or before."""
    groups = [g for g in together(fit) if not explained & set(g) and _matters(g, fit)]
    said = [
        f"{listed(group)} move together: these data determine a combination of them, not each; fix what"
        " is known."
        for group in groups
    ]
    shown = _pairs(fit, explained, groups)[:3]  # of more nobody reads
    if shown:
        named = ", ".join(f"{a} and {b} ({r:.3f})" for (a, b), r in shown)
        said.append(
            f"The data hardly distinguish {named}: they move together, correlation in brackets; fix one of a"
            " pair if known."
        )
    return said, explained.union(*groups, *(pair for pair, _ in shown))


def together(fit: ModelFit) -> list[tuple[str, ...]]:
    """Sets of three parameters and more of which the data determine fewer combinations.

    Eigenvectors of the correlation matrix of the derivatives whose eigenvalue is next to nothing (D. A.
    Belsley, E. Kuh, R. E. Welsch, Regression Diagnostics (1980), chapter 3): what is large in one of them can
    be changed together without a change of the curve.
    """
    pairs = {frozenset(pair) for pair in fit.correlations}
    tied = sorted({name for pair in pairs for name in pair})
    triples = (t for t in combinations(tied, 3) if all({*p} in pairs for p in combinations(t, 2)))
    found: list[tuple[str, ...]] = list(islice(triples, 1))
    known = moving(fit.derivatives)
    if len(known) < 3:  # of an expensive model there are none
        return found
    columns = np.stack(list(known.values()), axis=1)
    columns = columns / np.linalg.norm(columns, axis=0)
    values, vectors = np.linalg.eigh(columns.T @ columns)
    for vector in vectors.T[values < 1 - OPTIMIZE.strong]:
        large = np.abs(vector) > ASSESSMENT.in_combination
        names = tuple(name for name, there in zip(known, large, strict=True) if there)
        if len(names) > 2 and not any(set(names) <= set(other) for other in found):
            found.append(names)
    return found


def _matters(names: Sequence[str], fit: ModelFit) -> bool:
    """Whether one of the correlated is badly known: if not, the correlation is no one's concern."""
    known = [fit.parameters[name] for name in names if name in fit.parameters]
    return len(known) == len(names) and any(
        p.error is None or p.error > ASSESSMENT.well_known * abs(p.value) for p in known
    )


def _pairs(
    fit: ModelFit, explained: set[str], groups: Sequence[tuple[str, ...]]
) -> list[tuple[tuple[str, str], float]]:
    """Pairs that are tied and of which no group says so already, with their correlation."""
    return [
        (pair, r)
        for pair, r in fit.correlations.items()
        if not explained & set(pair) and _matters(pair, fit) and not any(set(pair) <= set(g) for g in groups)
    ]
