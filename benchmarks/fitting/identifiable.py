"""What a measurement can tell at best, and whether a fit of another model is the true body after all.

Neither looks at how an answer was found: the first knows the truth and the noise alone, the second a table of
limits (`sasnet_plugin.fitting.problem.nested_models`) and the fitted curve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: A parameter is identifiable where its least standard error is below this share of the 10 % that count.
MARGIN = 1 / 3
_STEP = 1e-4
#: A fitted curve is one of the true model's where their distance is this much of the noise, rms.
_SAME = 1 / 3
_DEPTH = 3


def least_errors(
    intensity: Callable[[Mapping[str, float]], Array], truth: Mapping[str, float], dintensity: Array
) -> dict[str, float]:
    """Cramér-Rao bounds: the least relative standard error that any unbiased estimate can have.

    Parameters
    ----------
    intensity : callable
        From parameters to I(q), (n,).
    truth : mapping of str to float
        All parameters that are not known, none zero. Scale stands for scale × contrast² (× volume fraction):
        what multiplies the same curve cannot be told apart by any measurement.
    dintensity : (n,) float array
        Standard deviation of the noise.

    Returns
    -------
    dict
        By parameter; infinite where the curve does not depend on it, or does as it depends on others.

    Notes
    -----
    The diagonal of the inverse of Fisher's information J^T J (Kay, Fundamentals of Statistical Signal
    Processing, 1993, ch. 3) with J = dI/d ln p / dI at the truth, from its singular values, of which none
    counts as smaller than rounding. It is local: a second, distant minimum is not its business.
    """
    names = list(truth)
    columns = []
    for name in names:
        up, down = (intensity({**truth, name: truth[name] * (1 + s * _STEP)}) for s in (1, -1))
        columns.append((up - down) / (2 * _STEP) / dintensity)
    jacobian = np.stack(columns, axis=1)
    length = np.linalg.norm(jacobian, axis=0)
    seen = length > 0
    found = dict.fromkeys(names, float("inf"))
    if not seen.any():
        return found
    _, singular, axes = np.linalg.svd(jacobian[:, seen] / length[seen], full_matrices=False)
    singular = np.maximum(singular, 1e-9 * singular[0])
    variance = np.sum((axes / singular[:, None]) ** 2, axis=0) / length[seen] ** 2
    for name, value in zip(np.array(names)[seen], variance, strict=True):
        found[str(name)] = float(np.sqrt(value))
    return found


def identifiable(errors: Mapping[str, float], within: float) -> tuple[str, ...]:
    """Parameters that can be expected within this relative distance of the truth."""
    return tuple(name for name, error in errors.items() if error < MARGIN * within)


#: Limits that the product's table does not have: fitted model -> true one, and its parameters (the own one of
#: that name, or a number). Porod's law is a power law; so are these where their crossover, 1/rg or
#: crossover, lies outside the window, whichever side of it is left. The curve tells whether it does.
_SPECIAL: dict[str, tuple[tuple[str, dict[str, str | float]], ...]] = {
    "porod": (("power_law", {"power": 4.0}),),
    "guinier_porod": (("power_law", {"power": "porod_exp"}), ("power_law", {"power": "s"})),
    "two_power_law": (("power_law", {"power": "power_1"}), ("power_law", {"power": "power_2"})),
}


def as_model(
    name: str,
    values: Mapping[str, float],
    theory: Array,
    target: str,
    sizes: tuple[str, ...],
    intensity: Callable[[Mapping[str, float]], Array],
    dintensity: Array,
) -> dict[str, float] | None:
    """A fit in the parameters of another model, where both are the same body.

    Parameters
    ----------
    name : str
        The fitted model, ``sphere`` or ``sphere@hardsphere``.
    values : mapping of str to float
        Its parameters.
    theory : (n,) float array
        Its curve.
    target : str
        The true form model.
    sizes : tuple of str
        Its parameters beside scale and background.
    intensity : callable
        From these sizes to the true model's I(q) at scale 1 and background 0, (n,).
    dintensity : (n,) float array
        Noise of the measurement.

    Returns
    -------
    dict or None
        Sizes, scale and background. None where no limit of the fitted model is the true one, or where the
        fitted curve is none of its curves: further from the nearest than a third of the noise, rms.
    """
    for start in _ways(name, values, target):
        if not all(np.isfinite(start.get(size, np.nan)) for size in sizes):
            continue
        found = _nearest({size: start[size] for size in sizes}, theory, intensity, dintensity)
        if found is not None:
            return found
    return None


def _ways(name: str, values: Mapping[str, float], target: str) -> list[dict[str, float]]:
    """The target's parameters, by every chain of limits that leads to it."""
    from sasnet_plugin.fitting.problem.nested_models import simpler

    found, frontier = [], [(name, dict(values))]
    for _ in range(_DEPTH + 1):
        following = []
        for model, point in frontier:
            if model == target:
                found.append(point)
                continue
            for other, sizes in _SPECIAL.get(model, ()):
                following.append(
                    (other, {k: point[v] if isinstance(v, str) else v for k, v in sizes.items()})
                )
            form, _, factor = model.partition("@")
            for limit in simpler(form, factor or None):
                try:
                    following.append((limit.name, limit.start(point)))
                except (KeyError, ZeroDivisionError, ValueError):
                    continue
        frontier = following
    return found


def _nearest(
    start: dict[str, float],
    theory: Array,
    intensity: Callable[[Mapping[str, float]], Array],
    dintensity: Array,
) -> dict[str, float] | None:
    """The model's curve nearest to a fitted one, if it is near enough."""
    from scipy.optimize import least_squares

    from sasnet_plugin.fitting.problem.resolution import scale_and_background

    names = list(start)
    first = np.array([start[name] for name in names], dtype=float)

    def solved(x: Array) -> tuple[Array, float, float]:
        curve = intensity(dict(zip(names, x, strict=True)))
        scale, background = scale_and_background(curve, dintensity**-2.0, theory, lowest=-np.inf)
        residual = (scale * curve + background - theory) / dintensity
        return np.nan_to_num(residual, nan=1e6), float(scale), float(background)

    with np.errstate(all="ignore"):
        x = first
        if np.sqrt(np.mean(solved(first)[0] ** 2)) > 1e-6:
            # In units of the start; a body's sizes stay positive.
            fitted: Any = least_squares(
                lambda f: solved(first * np.exp(f))[0], np.zeros(first.size), max_nfev=30
            )
            x = first * np.exp(fitted.x)
        residual, scale, background = solved(x)
    if not np.sqrt(np.mean(residual**2)) < _SAME:
        return None
    return dict(zip(names, map(float, x), strict=True)) | {"scale": scale, "background": background}
