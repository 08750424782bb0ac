"""Both ends of a curve, and what is level: slopes, Porod's law with a flat background, the widest plateau."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, median
from .results import Plateau, Porod, Refused, Slope


class EndSettings(NamedTuple):
    """What an end is."""

    factor: float = 2.0  #: Largest over smallest q of a part whose slope is given.
    porod: float = 3.0  #: The same for Porod's law: fringes average out over more than one.
    points: tuple[int, int] = (6, 12)  #: Fewest for a slope and for Porod's law.
    #: Parts, left out in turn, by which the error of Porod's law is found (jackknife, M. H. Quenouille,
    #: Biometrika 43 (1956) 353): it holds fringes and curvature.
    blocks: int = 6
    seen: float = 3.0  #: Standard deviations from which on something is there.
    loose: float = 0.4  #: Error of an exponent from which on it is not given.
    bins: int = 12  #: A decade, for plateaus.
    #: level, width: relative change that a plateau may have, and decades that it has at least.
    level: float = 0.08
    width: float = 0.3


SETTINGS = EndSettings()
_EXPONENTS = np.arange(0.5, 7.51, 0.1)


def slopes(q: Floats, intensity: Floats, sigma: Floats) -> tuple[Slope | Refused, Slope | Refused]:
    """Return d ln I / d ln q at the lowest and the highest q; arguments as `guinier.guinier`."""
    low, high = q <= q[0] * SETTINGS.factor, q >= q[-1] / SETTINGS.factor
    return tuple(  # type: ignore[return-value]
        _slope(q[part], intensity[part], sigma[part]) for part in (low, high)
    )


def _slope(q: Floats, intensity: Floats, sigma: Floats) -> Slope | Refused:
    if q.size < SETTINGS.points[0]:
        return Refused(f"only {q.size} points within a factor of {SETTINGS.factor:g} in q")
    if median(intensity / sigma) < SETTINGS.seen:
        return Refused("the intensity there is no larger than its noise")
    lit = intensity > 0
    x, y = np.log(q[lit] / np.sqrt(q[0] * q[-1])), np.log(intensity[lit])
    weight = (intensity[lit] / sigma[lit]) ** 2
    columns = np.stack([np.ones_like(x), x, x**2], axis=1)
    normal = columns.T @ (weight[:, None] * columns) + np.diag([0.0, 0.0, 1e-12])
    value, error = 0.0, 0.0
    for terms in (3, 2):
        part = normal[:terms, :terms]
        theta = np.linalg.solve(part, columns[:, :terms].T @ (weight * y))
        residual = y - columns[:, :terms] @ theta
        reduced = float(np.sum(weight * residual**2)) / max(x.size - terms, 1)
        if terms == 3:  # how much the slope itself changes over the part
            error = 2 * abs(float(theta[2])) * float(np.std(x))
        else:
            value = float(theta[1])
            statistical = float(np.linalg.inv(part)[1, 1]) * max(reduced, 1.0)
            error = float(np.hypot(error, np.sqrt(statistical)))
    return Slope(value, error, float(q[0]), float(q[-1]), int(np.sum(lit)))


def porod(q: Floats, intensity: Floats, sigma: Floats) -> Porod | Refused:
    """Fit A q⁻ᵖ + B at the highest q, K q⁻⁴ + B for p = 4 (G. Porod, Kolloid-Z. 124 (1951) 83)."""
    part = q >= q[-1] / SETTINGS.porod
    if np.sum(part) < SETTINGS.points[1]:
        return Refused(f"only {np.sum(part)} points within a factor of {SETTINGS.porod:g} in q")
    q, intensity, sigma = q[part], intensity[part], sigma[part]
    sums = _Sums.prepare(q, intensity, sigma, SETTINGS.blocks)
    whole, parts = sums.best()
    exponent, error = whole[0], _jackknife(parts[:, 0])
    at_start = whole[1]  # A q⁻ᵖ at the lowest q of the part
    if at_start < SETTINGS.seen * _jackknife(parts[:, 1]) or not _EXPONENTS[1] < exponent < _EXPONENTS[-2]:
        return Refused("over the highest q the intensity does not fall as a power of q to a flat background")
    if error > SETTINGS.loose:
        return Refused(f"the exponent at the highest q is known to ± {error:.1f} only")
    law, laws = whole, parts
    constant = constant_error = None
    if abs(exponent - 4) <= 2 * error + 0.05:
        law, laws = sums.sum_law(4.0)
        constant, constant_error = law[1] * q[0] ** 4, _jackknife(laws[:, 1]) * q[0] ** 4
    return Porod(
        exponent, error, constant, constant_error, law[2], _jackknife(laws[:, 2]), float(q[0]), float(q[-1]),
        q.size,
    )  # fmt: skip


def _jackknife(values: Floats) -> float:
    blocks = values.size
    return float(np.sqrt((blocks - 1) / blocks * np.sum((values - values.mean()) ** 2)))


class _Sums(NamedTuple):
    """Sums over blocks of points that give A and B for every exponent with or without any block.

    `matrix` (exponents, blocks + 1, 6): w, w f, w f², w I, w f I, w I² with f = (q / q₀)⁻ᵖ, without each
    block, and last of all points.
    """

    q: Floats
    intensity: Floats
    weight: Floats
    block: NDArray[np.intp]

    @classmethod
    def prepare(cls, q: Floats, intensity: Floats, sigma: Floats, blocks: int) -> _Sums:
        place = np.log(q / q[0]) / np.log(q[-1] / q[0])
        return cls(q, intensity, sigma**-2, np.minimum((place * blocks).astype(np.intp), blocks - 1))

    def matrix(self, exponents: Floats) -> Floats:
        f = np.exp(-exponents[:, None] * np.log(self.q / self.q[0]))
        w, wi = self.weight, self.weight * self.intensity
        ones_array = np.ones_like(f)
        terms = np.stack(
            [w * ones_array, w * f, w * f**2, wi * ones_array, wi * f, wi * self.intensity * ones_array],
            axis=-1,
        )
        count = int(self.block[-1]) + 1
        edges = np.searchsorted(self.block, np.arange(count))
        edges = edges[np.append(True, np.diff(edges) > 0)]
        sums = np.add.reduceat(terms, edges, axis=1)
        total = sums.sum(axis=1, keepdims=True)
        return np.concatenate([total - sums, total], axis=1)

    def laws(self, exponents: Floats) -> tuple[Floats, Floats]:
        """(exponents, blocks + 1, 3) exponent, A at the first q, B; and χ²."""
        w, wf, wff, wi, wfi, wii = np.moveaxis(self.matrix(exponents), -1, 0)
        spread = w * wff - wf**2
        a = (w * wfi - wf * wi) / np.maximum(spread, 1e-300)
        b = (wi - a * wf) / w
        chi2 = wii - a * wfi - b * wi
        return np.stack([np.broadcast_to(exponents[:, None], a.shape), a, b], axis=-1), chi2

    def sum_law(self, exponent: float) -> tuple[Floats, Floats]:
        """(3,) of all points and (blocks, 3) without each."""
        parameters, _ = self.laws(np.array([exponent]))
        return parameters[0, -1], parameters[0, :-1]

    def best(self) -> tuple[Floats, Floats]:
        """Return `sum_law`, each at its own best exponent, by a parabola through χ²."""
        parameters, chi2 = self.laws(_EXPONENTS)
        chi2 = np.where(parameters[..., 1] > 0, chi2, np.inf)
        column = np.arange(chi2.shape[1])
        k = np.clip(np.argmin(chi2, axis=0), 1, _EXPONENTS.size - 2)
        low, middle, high = (chi2[k + step, column] for step in (-1, 0, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            bend = low - 2 * middle + high
            shift = np.clip(0.5 * (low - high) / bend, -1, 1)
        shift = np.where(np.isfinite(low) & np.isfinite(high) & (bend > 0), shift, 0.0)
        neighbour = parameters[k + np.where(shift < 0, -1, 1), column]
        laws = parameters[k, column] + np.abs(shift)[:, None] * (neighbour - parameters[k, column])
        return laws[-1], laws[:-1]


def _may_begin(level: Floats, error: Floats, weight: Floats) -> NDArray[np.bool_]:
    """Whether each bin and the next two are level: a plateau may begin there."""
    may_begin = np.zeros(level.size, dtype=bool)
    if level.size < 3:
        return may_begin
    levels, errors, weights = (
        np.stack([values[:-2], values[1:-1], values[2:]]) for values in (level, error, weight)
    )
    change, noise = np.ptp(levels, axis=0), np.max(errors, axis=0)
    mean = np.sum(levels * weights, axis=0) / np.sum(weights, axis=0)
    may_begin[:-2] = (change <= SETTINGS.level * mean + 2 * noise) & (mean > SETTINGS.seen * noise)
    return may_begin


def plateau(q: Floats, intensity: Floats, sigma: Floats) -> Plateau | Refused:
    """Find the widest part, by factors of q, of constant intensity; arguments as `slopes`."""
    place = (np.log10(q / q[0]) * SETTINGS.bins).astype(np.intp)
    first = np.flatnonzero(np.append(True, np.diff(place) > 0))
    weight = sigma**-2
    total = np.add.reduceat(weight, first)
    level = np.add.reduceat(weight * intensity, first) / total
    error = total**-0.5
    last = np.append(first[1:], q.size) - 1
    best: tuple[float, int, int] | None = None
    ends = np.log10(q[last[-1]] / q[first])
    starts = np.flatnonzero(ends >= SETTINGS.width)
    for start in starts[_may_begin(level, error, total)[starts]]:
        if best is not None and ends[start] <= best[0]:
            break
        change = np.maximum.accumulate(level[start:]) - np.minimum.accumulate(level[start:])
        noise = np.maximum.accumulate(error[start:])
        mean = np.cumsum(level[start:] * total[start:]) / np.cumsum(total[start:])
        flat = (change <= SETTINGS.level * mean + 2 * noise) & (mean > SETTINGS.seen * noise)
        stop = start + int(np.argmin(flat)) if not flat.all() else level.size
        if stop - start < 3:
            continue
        decades = float(np.log10(q[last[stop - 1]] / q[first[start]]))
        if decades >= SETTINGS.width and (best is None or decades > best[0]):
            best = decades, int(first[start]), int(last[stop - 1]) + 1
    if best is None:
        return Refused(f"the intensity is level over no {SETTINGS.width:g} decades of q")
    part = slice(*best[1:])
    w = weight[part]
    mean = float(np.sum(w * intensity[part]) / np.sum(w))
    reduced = float(np.sum(w * (intensity[part] - mean) ** 2)) / max(w.size - 1, 1)
    return Plateau(
        mean, float(np.sum(w) ** -0.5) * max(reduced, 1.0) ** 0.5, float(q[best[1]]), float(q[best[2] - 1]),
        w.size,
    )  # fmt: skip
