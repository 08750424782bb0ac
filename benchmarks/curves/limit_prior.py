"""The realistic protocol's prior as a Gaussian: parameters by their normal scores, from simulated draws.

A quantile function is read off the draws for each parameter and the scores' correlations (a Gaussian
copula); whatever is a choice or a number of layers is kept as it is, with the share of draws that have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.simulate.polydispersity import WIDTH
from sasnet_plugin.simulate.priors import model_info, parameter_names, sample_prior
from sasnet_plugin.types import SasnetError

Floats = NDArray[np.float64]
DRAWS = 800
#: Scores up to which the quantile function follows the draws; beyond it goes on straight.
_REACH = 2.75
_SCORES = np.linspace(-4.5, 4.5, 181)
#: More different whole numbers than this are sizes rather than kinds: a share of their own is by density.
_KINDS = 12
#: Of correlations towards none: as uncertain as so few draws leave them.
_SHRINK = 0.05
#: Draws that a quantile function takes at least.
_FEW = 20
#: Prefix of a contrast's angle to the first, and how near to a right one it may be.
_RATIO, _ANGLES = "contrast:", (-1.5707, 1.5707)


@dataclass(frozen=True)
class Quantiles:
    """One parameter as a monotone function of its normal score."""

    values: Floats  #: (m,), at `_SCORES`.
    log: bool  #: Whether these are logarithms.

    def value(self, z: float) -> float:
        """The parameter at a score."""
        found = float(np.interp(z, _SCORES, self.values))
        return float(np.exp(found)) if self.log else found

    def score(self, value: float) -> float:
        """The score of a value; the middle of its range where many scores have it."""
        at = float(np.log(max(value, 1e-300))) if self.log else value
        low, high = np.searchsorted(self.values, at, "left"), np.searchsorted(self.values, at, "right")
        if high > low:
            return float((_SCORES[low] + _SCORES[high - 1]) / 2)
        return float(np.interp(at, self.values, _SCORES))


def quantiles(draws: Floats) -> Quantiles:
    """From draws of one parameter, the logarithm's where it spans decades."""
    from scipy.interpolate import PchipInterpolator
    from scipy.stats import norm

    low, high = np.quantile(draws, [0.01, 0.99])
    log = bool(draws.min() > 0 and high > 8 * low)
    used = np.log(draws) if log else draws
    knots = np.linspace(-_REACH, _REACH, 23)
    at = np.quantile(used, norm.cdf(knots))
    values = np.asarray(PchipInterpolator(knots, at)(np.clip(_SCORES, -_REACH, _REACH)))
    slopes = (at[1] - at[0]) / (knots[1] - knots[0]), (at[-1] - at[-2]) / (knots[-1] - knots[-2])
    values += np.where(_SCORES < -_REACH, slopes[0] * (_SCORES + _REACH), 0.0)
    values += np.where(_SCORES > _REACH, slopes[1] * (_SCORES - _REACH), 0.0)
    return Quantiles(values, log)


def correlations(columns: Sequence[Floats]) -> Floats:
    """Of the normal scores of draws, (k, k), shrunk a little towards none."""
    from scipy.stats import norm, rankdata

    table = np.column_stack([norm.ppf(rankdata(c) / (len(c) + 1)) for c in columns])
    found = np.atleast_2d(np.corrcoef(table, rowvar=False))
    found = np.where(np.isfinite(found), found, 0.0) * (1 - _SHRINK)
    np.fill_diagonal(found, 1.0)
    return found


@dataclass(frozen=True)
class Coordinates:
    """Parameters of one kind of one model, as normal scores."""

    model: str
    names: tuple[str, ...]  #: Of what is continuous; contrasts as `reduced` has them.
    maps: tuple[Quantiles, ...]
    correlation: Floats  #: (k, k)
    fixed: Mapping[str, float]  #: Choices and numbers of layers.
    log_share: float  #: ln of the share of draws that have these.

    def parameters(self, z: Floats) -> dict[str, float]:
        """sasmodels' parameters at scores (k,)."""
        found = {n: m.value(x) for n, m, x in zip(self.names, self.maps, z, strict=True)}
        return expanded(self.model, dict(self.fixed) | found)

    def scores(self, parameters: Mapping[str, float]) -> Floats:
        """Scores of sasmodels' parameters, 0 where one is not given."""
        given = reduced(self.model, parameters)
        pages = zip(self.names, self.maps, strict=True)
        return np.array([page.score(given[n]) if n in given else 0.0 for n, page in pages])


def _phases(model: str, parameters: Mapping[str, float]) -> tuple[list[str], list[str]]:
    """Scattering length densities of solvents and of all else."""
    names = [n for n, p in parameter_names(model_info(model), parameters) if p.type == "sld"]
    solvents = [n for n in names if "solvent" in n] or names[-1:]
    return solvents, [n for n in names if n not in solvents]


def reduced(model: str, parameters: Mapping[str, float]) -> dict[str, float]:
    """Contrasts instead of scattering length densities, each as the angle that its ratio to the first has.

    The scale is free, so that a curve depends on these ratios alone; of a single contrast nothing is left.
    """
    solvents, others = _phases(model, parameters)
    found = {n: v for n, v in parameters.items() if n not in (*solvents, *others)}
    if solvents and all(n in parameters for n in (*solvents, *others)):
        first, *rest = (parameters[n] - parameters[solvents[0]] for n in others)
        found |= {
            f"{_RATIO}{n}": float(np.arctan2(c * np.sign(first), abs(first)))
            for n, c in zip(others[1:], rest, strict=True)
        }
    return found


def expanded(model: str, parameters: Mapping[str, float]) -> dict[str, float]:
    """Scattering length densities, 1e-6/Å², of contrasts: the solvent's 0, the largest 5 from it."""
    solvents, others = _phases(model, parameters)
    found = {n: v for n, v in parameters.items() if not n.startswith(_RATIO)}
    if not solvents:
        return found
    contrasts = np.array(
        [1.0, *(np.tan(np.clip(parameters.get(f"{_RATIO}{n}", 0.0), *_ANGLES)) for n in others[1:])]
    )
    contrasts *= 5.0 / np.abs(contrasts).max()
    return found | dict.fromkeys(solvents, 0.0) | dict(zip(others, contrasts.tolist(), strict=True))


@lru_cache(maxsize=128)
def draws(model: str) -> tuple[dict[str, float], ...]:
    """Draws of a model's prior, always the same, with contrasts as `reduced` has them."""
    rng = np.random.default_rng(7)
    found = []
    for _ in range(DRAWS):
        try:
            found.append(reduced(model, sample_prior(model, rng)))
        except SasnetError:
            continue
    return tuple(found)


@lru_cache(maxsize=128)
def _whole(model: str) -> frozenset[str]:
    """Parameters that are whole numbers in every draw."""
    names = {name for one in draws(model) for name in one}
    values = {name: [one[name] for one in draws(model) if name in one] for name in names}
    return frozenset(
        name for name, found in values.items() if len(set(found)) > 1 and all(v == round(v) for v in found)
    ) | _controls(model)


def _controls(model: str) -> frozenset[str]:
    """Numbers of layers, which may be the same in every draw."""
    return frozenset(p.id for p in model_info(model).parameters.kernel_parameters if p.is_control)


def _share(model: str, fixed: Mapping[str, float]) -> float:
    """Of draws that have these whole numbers; of one among many by the density about it."""
    every = draws(model)
    share = 1.0
    left = list(every)
    for name, value in fixed.items():
        column = np.array([one[name] for one in left if name in one])
        if column.size == 0:
            continue
        if len(set(column)) > _KINDS:
            near = np.abs(np.log((column + 0.5) / (value + 0.5))) < 0.35
            share *= max(float(near.mean()), 1 / DRAWS) / max(0.7 * (value + 0.5), 1.0)
            continue
        same = [one for one in left if one.get(name) == value]
        share *= max(len(same), 0.5) / len(left)
        left = same or left
    return share


def coordinates(model: str, like: Mapping[str, float]) -> Coordinates:
    """Of a model with the choices and numbers of layers that some parameters have.

    Parameters
    ----------
    model : str
        Form model or structure factor; of the latter without the effective radius, which is the body's.
    like : mapping
        sasmodels' parameters; size distributions are not read.
    """
    fixed = {name: round(float(like[name])) for name in sorted(_whole(model)) if name in like}
    pool = _alike(model, fixed)
    given = reduced(model, like)
    columns = {
        n: np.array([one[n] for one in pool if n in one])
        for n in given
        if n not in fixed and n != "radius_effective" and "_pd" not in n
    }
    names = [n for n, drawn in columns.items() if drawn.size >= _FEW and np.ptp(drawn) > 0]
    still = {n: float(given[n]) for n in columns if n not in names}
    maps = tuple(quantiles(columns[n]) for n in names)
    share = float(np.log(_share(model, fixed)))
    return Coordinates(model, tuple(names), maps, _together(pool, names), fixed | still, share)


def _alike(model: str, fixed: Mapping[str, float]) -> list[dict[str, float]]:
    """Draws with the same numbers of layers; all, where these are too few."""
    kinds = {n: v for n, v in fixed.items() if n in _controls(model)}
    found = [one for one in draws(model) if all(one.get(n) == v for n, v in kinds.items())]
    return found if len(found) >= 1.5 * _FEW else list(draws(model))


def _together(pool: Sequence[Mapping[str, float]], names: Sequence[str]) -> Floats:
    """Correlations of parameters in draws that have all of them; none where these are too few."""
    complete = [one for one in pool if all(n in one for n in names)]
    if not names or len(complete) <= 3 * len(names) + 10:
        return np.eye(len(names))
    return correlations([np.array([one[n] for one in complete]) for n in names])


@lru_cache(maxsize=1)
def widths() -> Quantiles:
    """Relative width of a size distribution under the protocol."""
    return quantiles(np.random.default_rng(3).uniform(*WIDTH, 4000))


@lru_cache(maxsize=1)
def backgrounds() -> Quantiles:
    """Background that is left, over the largest intensity: over-subtracted in a tenth of the curves."""
    rng = np.random.default_rng(4)
    level = np.exp(rng.uniform(np.log(1e-5), np.log(3e-2), 8000))
    taken = np.where(rng.random(8000) < 0.1, 1 + np.exp(rng.uniform(np.log(0.1), 0.0, 8000)), 0.0)
    return quantiles(level * (1 - taken))
