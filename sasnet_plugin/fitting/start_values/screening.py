"""A first look with the bank alone: how near its curves come, for candidates and for simple bodies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.fitting.problem.cost_class import pace
from sasnet_plugin.fitting.start_values.curve_bank import binned, nearest
from sasnet_plugin.fitting.task import UNLIMITED, Budget, Pair
from sasnet_plugin.simulate.priors import allowed_structure_factors, structure_factors
from sasnet_plugin.types import Curve

if TYPE_CHECKING:
    from sasnet_plugin.simulate.bank import Bank

#: Bodies that experts try first; with each structure factor where the flag says so.
_SIMPLE = {
    "sphere": True,
    "core_shell_sphere": True,
    "ellipsoid": True,
    "cylinder": True,
    "vesicle": False,
    "fuzzy_sphere": False,
    "lamellar": False,
    "flexible_cylinder": False,
    "mono_gauss_coil": False,
    "polymer_excl_volume": False,
    "correlation_length": False,
    "broad_peak": False,
    "teubner_strey": False,
    "fractal": False,
    "guinier_porod": False,
}
#: How many of these are fitted besides the suggested ones, and how much worse than the best they may look.
_EXTRA, _WORSE = 3, 2.0
#: A structure factor must bring the bank's curves nearer by this.
_BETTER = 0.6
#: A dear model is left out where none of its curves comes nearer than this, absolutely and against the best.
#: (Of 34 simulated curves of dear models, the truth was at most 6.5 times worse than the best.)
_FAR, _FARTHER = 3.0, 15.0


def simple_pairs(suggested: Iterable[str] = ()) -> list[Pair]:
    """The bodies that experts try first, with their structure factors.

    Parameters
    ----------
    suggested : iterable of str
        Form models; the fast ones among them come with every structure factor too, as the network is right
        about that less often than about the form.
    """
    fast = {form: True for form in suggested if pace(form) == "fast"}
    pairs: list[Pair] = []
    for form, interacting in (_SIMPLE | fast).items():
        pairs.append((form, None))
        if interacting:
            allowed = allowed_structure_factors(form)
            pairs += [(form, factor) for factor in structure_factors() if factor in allowed]
    return pairs


@dataclass(frozen=True)
class Screen:
    """Rate pairs of form model and structure factor on one curve.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
    pairs : sequence of (str, str or None)
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    pairs: Sequence[Pair]
    name: str = "screening"


def screened(asked: Screen, bank: Bank, budget: Budget = UNLIMITED) -> dict[Pair, float]:
    """Least mean squared residual of the bank's curves of each pair, with 7 % tolerance; work for a pool."""
    data = binned(asked.curve, asked.dintensity)
    found: dict[Pair, float] = {}
    for form, factor in asked.pairs:
        if form in bank.models:
            seeds = nearest(bank.page(form), form, factor, data, count=1)
            found[form, factor] = seeds[0].badness if seeds else np.inf
    return found


def extra_pairs(badness: dict[Pair, float], chosen: Sequence[Pair], others: Sequence[Pair]) -> list[Pair]:
    """Those of the others that look as good as what was suggested, best first."""
    least = min(badness.values(), default=np.inf)
    if not np.isfinite(least):
        return []  # the first look did not come to an end in its time
    near = [p for p in others if p not in chosen and badness.get(p, np.inf) <= _WORSE * least]
    # At little volume fraction every structure factor is 1: to be of interest it has to do better.
    near = [p for p in near if p[1] is None or badness[p] <= _BETTER * badness.get((p[0], None), np.inf)]
    return sorted(near, key=lambda p: badness[p])[:_EXTRA]


def order_of(pair: Pair, badness: dict[Pair, float]) -> tuple[int, float]:
    """Fast models first, among them those that look best: what they reach tells when to give up on others."""
    return ("fast", "medium", "slow").index(pace(pair[0])), badness.get(pair, np.inf)


def plausible(pair: Pair, badness: dict[Pair, float]) -> bool:
    """Whether a pair is worth its time: fast ones always are."""
    least = min(badness.values(), default=np.inf)
    look = badness.get(pair, 0.0)
    return pace(pair[0]) == "fast" or look < _FAR or look < _FARTHER * least
