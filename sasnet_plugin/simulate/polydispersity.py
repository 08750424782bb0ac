"""Which sizes of a model are polydisperse, as the realistic protocol has it, and averages from one curve.

If all lengths of a body grow by s, F²(q) becomes s⁶ F²(q s): a size distribution of the only length is a
sum of shifted copies of one slow curve (superball: one orientation average instead of 35).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import lengths
from .grid import LN_STEP
from .lengths import powers
from .priors import model_info, parameter_names
from .size_distributions import count_points, distribution_keywords, find_nsigma

POLYDISPERSE = ((0, 0.4), (1, 0.5), (2, 0.1))
"""(number of polydisperse parameters, probability)."""
DISTRIBUTIONS = (("gaussian", 0.4), ("lognormal", 0.3), ("schulz", 0.3))
"""(sasmodels' name, probability)."""
WIDTH = (0.03, 0.3)
#: Share of narrow distributions in training, as of most syntheses of nanoparticles, and their widths.
NARROW_SHARE, NARROW = 0.3, (0.02, 0.08)


def sample_polydispersity(
    name: str, pars: Mapping[str, float], rng: np.random.Generator, *, pd_n: int = 35, narrow: bool = False
) -> dict[str, Any]:
    """Draw which sizes are polydisperse, and how, as the realistic protocol has it: sasmodels' keywords.

    None 0.4, one size 0.5, two 0.1 (as many as the model has); relative width uniform 0.03..0.3;
    Gaussian 0.4, lognormal 0.3, Schulz 0.3; `pd_n` points over 7.5 widths. With `narrow`, for
    training, three tenths of the widths are uniform 0.02..0.08. `pars` are those of `sample_prior`.
    """
    info = model_info(name)
    sizes = [
        parameter_name
        for parameter_name, parameter in parameter_names(info, pars)
        if parameter.polydisperse
        and parameter.type == "volume"
        and lengths.unit_of(info, parameter.id) == "Ang"
        and pars[parameter_name] > 0
    ]
    counts, chances = zip(*POLYDISPERSE, strict=True)
    count = min(int(rng.choice(counts, p=chances)), len(sizes))
    extra: dict[str, Any] = {}
    for index in sorted(rng.choice(len(sizes), size=count, replace=False)) if count else ():
        kind, width = _draw_kind(rng), _width(rng, narrow)
        extra[f"{sizes[index]}_pd"] = width
        extra |= distribution_keywords(sizes[index], kind, width, pd_n)
    return extra


def _draw_kind(rng: np.random.Generator) -> str:
    return DISTRIBUTIONS[rng.choice(len(DISTRIBUTIONS), p=[d[1] for d in DISTRIBUTIONS])][0]


def _width(rng: np.random.Generator, narrow: bool) -> float:
    return float(rng.uniform(*(NARROW if narrow and rng.random() < NARROW_SHARE else WIDTH)))


#: Points over 7.5 widths of a distribution.
_POINTS = 41
#: Of a distribution that is applied anew to each training curve.
_FEW = 25


def find_scaling_size(name: str, parameters: dict[str, Any]) -> str | None:
    """The polydisperse parameter, if it is the only length of the model and nothing else is polydisperse."""
    wide = [key.removesuffix("_pd") for key in parameters if key.endswith("_pd")]
    if len(wide) != 1:
        return None
    exponents = powers(model_info(name))
    if exponents is None:
        return None
    dimensional = list(filter(exponents.get, exponents))
    return wide[0] if dimensional == wide else None


def spread_sizes(
    parameters: dict[str, Any], size: str, positions: NDArray[np.float64], log_i: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average a monodisperse curve over its only length's distribution (``<size>_pd`` and the like): ln I per
    volume (m,) at points in wide-grid cells.
    """
    # Returns ln of Σ w s⁶ P(q s)/Σ w s³ on the wide grid, P = I V, up to the largest size's end.
    from sasmodels.weights import get_weights
    from scipy.interpolate import CubicSpline

    centre = parameters[size]
    kind, width, nsigma = (parameters[f"{size}_pd{key}"] for key in ("_type", "", "_nsigma"))
    points = count_points(kind, width, _POINTS, size)
    values, weights = get_weights(kind, points, width, nsigma, centre, (0.0, np.inf), True)
    ratio = np.asarray(values) / centre
    shift = np.log(ratio) / LN_STEP
    n = int(positions[-1] + 1 - np.ceil(max(shift.max(), 0.0)))
    spline = CubicSpline(positions, log_i, extrapolate=True)
    steps = np.arange(max(n, 0))
    # Below the first point the curve has its plateau.
    shifted = spline(np.maximum(steps + shift[:, None], positions[0]))
    total = np.sum((weights * ratio**6)[:, None] * np.exp(shifted), axis=0)
    return np.log(total / np.sum(weights * ratio**3))


def size_distribution(
    rng: np.random.Generator, *, narrow: bool = False
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """A size distribution of the protocol, or of training, as shifts in grid points and weights w s⁶."""
    from sasmodels.weights import get_weights

    kind, width = _draw_kind(rng), _width(rng, narrow)
    points, nsigma = count_points(kind, width, _FEW), find_nsigma(kind, width)
    size, weight = get_weights(kind, points, width, nsigma, 1.0, (0.0, np.inf), True)
    shift = np.round(np.log(size) / LN_STEP).astype(np.intp)
    return shift, np.asarray(weight * np.asarray(size) ** 6)


def spread(
    log_i: NDArray[np.floating], shift: NDArray[np.intp], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average ln I (n,) of one body over relative sizes, all lengths in proportion: shifts in grid points,
    weights number times volume squared; up to the largest body's end.
    """
    # sasmodels spreads one length, a curve for each value; this cheap likeness is added to true ones in
    # training.
    n = max(log_i.size - max(int(shift.max()), 0), 1)
    reach = max(-int(shift.min()), 0)
    # Below the first point the curve has its plateau.
    padded = np.exp(np.concatenate((np.full(reach, log_i[0]), log_i)).astype(np.float64))
    total = np.zeros(n)
    for s, w in zip(shift, weight, strict=True):
        total += w * padded[reach + s : reach + s + n]
    return np.asarray(np.log(total / np.sum(weight)))
