"""One clean curve: noise-free, on the wide grid and no finer than it, with its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import SimulationError
from .grid import LN_STEP, N_WIDE, PER_DECADE, WIDE_MIN, WIDE_Q, blur
from .kernel import call
from .polydispersity import find_scaling_size, sample_polydispersity, spread_sizes
from .priors import max_length, model_info, sample_prior
from .quick_models.cost_classes import SLOW, cost_class
from .quick_models.quadrature import q_quiet, q_valid
from .quick_models.separable import SEPARABLE
from .quick_models.separable import intensity as separable
from .size_distributions import distribution_keywords

#: Largest body of the truncated prior, Å, and the q·size that a curve is followed point by point to: beyond,
#: each point costs an ever finer average over orientations and shows no more than its asymptote.
SIZE_MAX = {"fast": np.inf, "medium": 6000.0, "slow": 1500.0}
Q_SIZE_MAX = {"fast": np.inf, "medium": 2500.0, "slow": 600.0}
#: Points over 7.5 widths of a size distribution. A second distribution multiplies the cost, so it gets
#: fewer points, and slow models have one at most.
_PD = {"fast": 35, "medium": 17, "slow": 11}
_PD_SECOND = {"fast": 15, "medium": 7}
#: Points of a fast model in each cell of the grid, so that fringes finer than the grid are averaged right.
_PER_CELL = 2
#: Largest distance of a slower model's points, in cells: anywhere, and below q·size = 1.
_STEP, _STEP_QUIET = 12.0, 80.0
#: Where there are fringes: least distance of points in cells, and how far the phase q·size may advance from
#: one to the next. Monodisperse bodies, then polydisperse ones, of weaker fringes and costlier points.
_FRINGES = {"medium": ((2.0, 1.0), (4.0, 3.0)), "slow": ((2.0, 1.0), (12.0, np.inf))}
#: Layered spheres: many fringes, no average over orientations. Cells from point to point.
_RADIAL, _RADIAL_STEP = frozenset({"multilayer_vesicle", "onion", "spherical_sld"}), (1, 4)
#: Beyond q·size of `Q_SIZE_MAX`, or what the quadrature can be trusted to: distance of points in cells of a
#: curve that is sasmodels' own, and share of curves that are averaged there over this standard deviation in
#: ln q. Fits use sasmodels' own curve, noise of the integrator and all; samples show the average.
_BEYOND = {"medium": (6.0, 12.0), "slow": (12.0, 24.0)}
AVERAGED_SHARE, AVERAGED_OVER = 0.5, 0.12
_TRIES = 400
_LOG_FLOOR = -60.0


@dataclass(frozen=True)
class Clean:
    """A clean curve."""

    #: (N_WIDE,), ln I(q), blurred by 0.2 % of q (`grid.BLUR`), largest value 0; NaN from ``n_valid`` on.
    log_intensity: NDArray[np.float32]
    #: Points of the wide grid, from the low end, that the curve is known on. Under the truncated prior those
    #: that the quadrature can be trusted on.
    n_valid: int
    #: sasmodels' parameters, polydispersity included (its type as a number, see ``PD_TYPES``).
    parameters: dict[str, float]
    radius_effective: float  #: Å, 0 where the model has none.
    max_length: float  #: Largest length of the sample, Å; NaN where the model has none.
    log_rg: float  #: log10 of the radius of gyration in Å from the Guinier region; NaN where there is none.


PD_TYPES = ("gaussian", "lognormal", "schulz")


def simulate_clean(
    name: str, rng: np.random.Generator, *, monodisperse: bool = False, truncated: bool = False
) -> Clean:
    """Draw parameters from the prior and compute the clean curve of a form, a structure factor (S(q) itself)
    or a plugin file. `truncated` is the earlier prior: no large bodies of expensive models, nothing beyond
    the quadrature's accuracy.
    """
    # Raises SimulationError if no draw gives a finite, positive curve.
    for _ in range(_TRIES):
        parameters: dict[str, Any] = sample_prior(name, rng, truncated=truncated)
        if truncated:
            size = max_length(name, parameters)
            if size is not None and size > SIZE_MAX[cost_class(name)]:
                continue
        if not monodisperse:
            parameters |= _polydispersity(name, parameters, rng, truncated)
        averaged = not truncated and bool(rng.random() < AVERAGED_SHARE)
        clean = evaluate(name, parameters, truncated=truncated, averaged=averaged)
        if clean is not None:
            return clean
    raise SimulationError(
        f"{name}: none of {_TRIES} random parameter sets gave a valid curve; check its prior."
    )


def _polydispersity(
    name: str, parameters: dict[str, Any], rng: np.random.Generator, truncated: bool
) -> dict[str, Any]:
    """The protocol's size distributions, with as many points as the model's cost allows."""
    cost = cost_class(name)
    extra = sample_polydispersity(name, parameters, rng, narrow=not truncated)
    sizes = [key.removesuffix("_pd") for key in extra if key.endswith("_pd")]
    if cost == "slow" and len(sizes) == 2:
        drop = sizes.pop(int(rng.integers(2)))
        extra = _monodisperse(extra, drop)
    points = _PD_SECOND[cost] if len(sizes) == 2 else _PD[cost]
    for size in sizes:
        extra |= distribution_keywords(size, extra[f"{size}_pd_type"], extra[f"{size}_pd"], points)
    return extra


def evaluate(
    name: str, parameters: dict[str, Any], *, truncated: bool = False, averaged: bool = False
) -> Clean | None:
    """Compute the clean curve for parameters; None if invalid."""
    # Where the quadrature is inaccurate, `truncated` ends it and `averaged` averages over `AVERAGED_OVER`,
    # which leaves its asymptote.
    size = max_length(name, parameters)
    limit = _limit(name, parameters, size)
    trusted = int(np.clip(np.searchsorted(WIDE_Q, limit, side="right"), 0, N_WIDE))
    n_valid = trusted if truncated else N_WIDE
    spread = any(key.endswith("_pd") for key in parameters)
    nodes_q = _nodes(name, size, n_valid, spread=spread, trusted=trusted)
    if nodes_q.size < 8:
        return None
    q = WIDE_MIN * 10 ** (nodes_q / PER_DECADE)
    scaled = name in SLOW and find_scaling_size(name, parameters)
    used = _monodisperse(parameters, scaled) if scaled else parameters
    own_limit = np.inf if averaged or spread else limit
    intensity, radius_effective = _curve(name, q, used, own_limit, exactly=truncated)
    good = _good(q, intensity)
    if good == 0:
        return None
    if good < nodes_q.size:
        nodes_q, intensity = nodes_q[:good], intensity[:good]
        n_valid = min(n_valid, int(nodes_q[-1]) + 1)
    log_i = np.log(intensity)
    # Below q_quiet a closed formula cancels; the true curve is flat there.
    quiet = int(np.searchsorted(q[: nodes_q.size], q_quiet(name, parameters)))
    log_i[:quiet] = log_i[min(quiet, log_i.size - 1)]
    if scaled:
        log_i = blur(spread_sizes(parameters, scaled, nodes_q, log_i), 1)
    else:
        log_i = _average_in_cells(name, nodes_q, log_i, n_valid, trusted)
    n_valid = log_i.size
    if averaged and trusted < n_valid:
        log_i = _average_noise(log_i, trusted)
    log_i = np.maximum(log_i - log_i.max(), _LOG_FLOOR)
    full = np.full(N_WIDE, np.nan, dtype=np.float32)
    full[:n_valid] = log_i
    length = float("nan") if size is None else size
    return Clean(full, n_valid, _numbers(parameters), radius_effective, length, _guinier(log_i))


def _limit(name: str, parameters: dict[str, Any], size: float | None) -> float:
    """q up to which the quadrature can be trusted, Å⁻¹."""
    limit = q_valid(name, parameters)
    return limit if size is None else min(limit, Q_SIZE_MAX[cost_class(name)] / size)


def _monodisperse(parameters: dict[str, Any], size: str) -> dict[str, Any]:
    return {key: value for key, value in parameters.items() if not key.startswith(f"{size}_pd")}


def _good(q: NDArray[np.float64], intensity: NDArray[np.float64]) -> int:
    """How many points hold a curve: it may end in rounding at large q; a gap at small q means that the
    parameters were invalid, and leaves none.
    """
    good = np.isfinite(intensity) & (intensity > 0)
    if good.all():
        return q.size
    bad = int(np.argmin(good))
    return 0 if q[bad] < 0.3 else bad


def _curve(
    name: str, q: NDArray[np.float64], parameters: dict[str, Any], own_limit: float, *, exactly: bool
) -> tuple[NDArray[np.float64], float]:
    """I(q) but for a factor, and the effective radius; `exactly` with its integrator's noise."""
    # Of a pringle beyond `own`, too: sasmodels' own draws are sheets bent over so often that all of their
    # curve is that noise, and who fits with them sees it.
    if exactly or name not in SEPARABLE:
        result = call(name, q, parameters)
        return result.intensity, result.radius_effective
    defaults = {p.name: p.default for p in model_info(name).parameters.call_parameters}
    noisy = np.flatnonzero(q > own_limit) if name == "pringle" else np.zeros(0, dtype=np.intp)
    if noisy.size == 0:
        return separable(name, q, defaults | parameters), call(name, q[:1], parameters).radius_effective
    # Both from the first point on, which says by what factor they differ.
    points_asked = np.append(0, noisy)
    result = call(name, q[points_asked], parameters)
    rest = q[: noisy[0]] if noisy[0] else q[:1]
    quick = separable(name, rest, defaults | parameters)
    beyond = result.intensity[1:] * (quick[0] / result.intensity[0])
    return np.append(quick[: noisy[0]], beyond), result.radius_effective


def _average_in_cells(
    name: str, nodes_q: NDArray[np.float64], log_i: NDArray[np.float64], n_valid: int, trusted: int
) -> NDArray[np.float64]:
    """The curve in each cell of the grid: averages of several points of a fast model, else by a spline."""
    if cost_class(name) == "fast":
        return blur(log_i[: _PER_CELL * (n_valid - 1) + 1], _PER_CELL)
    return blur(_interpolate(nodes_q, log_i, n_valid, trusted), 1)


def _interpolate(
    nodes_q: NDArray[np.float64], log_i: NDArray[np.float64], n_valid: int, trusted: int
) -> NDArray[np.float64]:
    """The curve in every cell: a cubic spline, straight lines between points of the integrator's noise."""
    from scipy.interpolate import CubicSpline

    cells = np.arange(n_valid)
    interpolated = np.asarray(CubicSpline(nodes_q, log_i)(cells))
    if trusted < n_valid:
        interpolated[trusted:] = np.interp(cells[trusted:], nodes_q, log_i)
    return interpolated


def _average_noise(log_i: NDArray[np.float64], trusted: int) -> NDArray[np.float64]:
    """The curve, from cell `trusted` on averaged over `AVERAGED_OVER` in ln q."""
    from scipy.ndimage import gaussian_filter1d

    cells = AVERAGED_OVER / LN_STEP
    begin = max(trusted - int(4 * cells), 0)
    part = log_i[begin:]
    # The trend first: an average of a steep power law is not on it.
    trend = gaussian_filter1d(part, cells, mode="nearest")
    mean = trend + np.log(gaussian_filter1d(np.exp(np.clip(part - trend, -20, 20)), cells, mode="nearest"))
    weight = np.clip((np.arange(part.size) + begin - trusted) / cells, 0.0, 1.0)
    return np.concatenate((log_i[:begin], part + weight * (mean - part)))


def _nodes(name: str, size: float | None, n_valid: int, *, spread: bool, trusted: int) -> NDArray[np.float64]:
    """Where to evaluate, in cells of the wide grid."""
    # Fast models at several points in each cell. The others at every twelfth cell, coarser below q·size = 1,
    # and finer where a body has fringes, whose distance in q is 2π/size. From cell `trusted` on there is
    # nothing to resolve.
    if cost_class(name) == "fast":
        return np.arange(_PER_CELL * (n_valid - 1) + 1) / _PER_CELL
    if size is None or name in _RADIAL:
        step_each = _RADIAL_STEP[spread] if name in _RADIAL else 1
        return np.unique(np.append(np.arange(0, n_valid, step_each), n_valid - 1)).astype(float)
    step = np.full(n_valid, _STEP)
    q_size = WIDE_Q[:n_valid] * size
    step[q_size < 1] = _STEP_QUIET
    least, phase = _FRINGES[cost_class(name)][spread]
    step = np.clip(phase / (q_size * LN_STEP), least, step)
    step[trusted:] = np.maximum(step[trusted:], _BEYOND[cost_class(name)][spread])
    number = np.concatenate(([0.0], np.cumsum(1 / step[:-1])))
    grid = np.linspace(0, number[-1], int(np.ceil(number[-1])) + 1)
    return np.unique(np.round(np.interp(grid, number, np.arange(n_valid))))


def _numbers(parameters: dict[str, Any]) -> dict[str, float]:
    return {
        key: float(PD_TYPES.index(value)) if isinstance(value, str) else float(value)
        for key, value in parameters.items()
    }


def _guinier(log_i: NDArray[np.float64]) -> float:
    """log10 Rg from Guinier's ln I = ln I0 − Rg² q²/3, where ln I is 0.02 to 0.1 below a plateau."""
    start = log_i[0]
    begin, end = np.argmax(log_i < start - 0.02), np.argmax(log_i < start - 0.1)
    if end <= begin or begin < 160 or np.max(log_i[:end]) > start + 1e-3:
        return float("nan")
    q2 = WIDE_Q[begin:end] ** 2
    slope = np.polyfit(q2, log_i[begin:end], 1)[0] if end - begin > 2 else -0.06 / (q2[-1] or 1.0)
    return float(0.5 * np.log10(-3 * slope)) if slope < 0 else float("nan")
