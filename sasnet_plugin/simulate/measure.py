"""What real files have beyond the frozen protocol: backgrounds that rise or fall, aggregates, bad joins, and
differences between a sample and its model that vary slowly with q. In training only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.no_structure import is_uninformative
from ..noise import estimate_dintensity
from .instrument import Setting, protocol

# --- What real files have beyond the frozen protocol: backgrounds that rise or fall, aggregates,
# --- bad joins, and differences between a sample and its model that vary slowly with q. In training
# --- only.


@dataclass(frozen=True)
class SystematicShares:
    """How often each occurs, and its range; shares of the training curves."""

    strong: float = 0.15  #: Flat background up to the signal itself: incoherent scattering of protons.
    #: Background B qⁿ, n uniform over `slopes`: solvent and its structure, empty cell, fluorescence, air.
    sloped: float = 0.2
    slopes: tuple[float, float] = (-2.0, 2.0)
    #: Of the total at the end where it is largest; log-uniform.
    slope_level: tuple[float, float] = (0.02, 3.0)
    #: Aggregates or large-scale structure: q⁻² to q⁻⁴ that is equal to the signal within the lowest part of
    #: the window.
    upturn: float = 0.15
    upturn_reach: float = 0.3  #: Largest such part, of the window's width in ln q.
    joined: float = 0.2  #: A step of up to 4 % where two configurations join.
    #: Off by a factor that varies slowly with q: transmission, detector efficiency, solid angle.
    slow: float = 0.45
    #: slow_size, slow_length: its rms, relative, and correlation length in ln q; log-uniform.
    slow_size: tuple[float, float] = (0.003, 0.06)
    slow_length: tuple[float, float] = (0.3, 2.0)
    #: What no sample shares with its model: off by a share of the local mean of I, so that minima, where the
    #: model is far below it, are off most (shape, roughness, multiple scattering fill them).
    minima: float = 0.25
    #: minima_size, minima_length: as for `slow`; the size relative to the local mean.
    minima_size: tuple[float, float] = (0.003, 0.08)
    minima_length: tuple[float, float] = (0.05, 0.5)
    minima_mean: float = 0.4  #: Half width of the local mean, in ln q.


SHARES = SystematicShares()


def roughen(
    q: NDArray[np.float64],
    smeared: NDArray[np.float64],
    background: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add what `SystematicShares` lists to curves (k, n) of maximum 1 with background (k, 1); a sloped
    background joins the curve, as no constant removes it. q in Å⁻¹.
    """
    k, n = smeared.shape
    smeared = smeared.copy()
    rows = _some(k, SHARES.minima, rng)
    smeared[rows] = _distort_minima(q, smeared[rows], rng)
    strong = rng.random((k, 1)) < SHARES.strong
    background = np.where(strong, np.exp(rng.uniform(np.log(0.03), 0.0, (k, 1))), background)
    rows = _some(k, SHARES.sloped, rng)
    smeared[rows] += _make_slope(q, smeared[rows] + background[rows], rng)
    rows = _some(k, SHARES.upturn, rng)
    smeared[rows] += _upturn(q, smeared[rows] + background[rows], rng)
    joined = rng.random((k, 1)) < SHARES.joined
    step = 1 + rng.uniform(-0.04, 0.04, (k, 1)) * (np.arange(n) >= rng.integers(0, n, (k, 1)))
    smeared = np.where(joined, smeared * step, smeared)
    rows = _some(k, SHARES.slow, rng)
    slow = _random_functions(np.log(q), rows.size, SHARES.slow_size, SHARES.slow_length, rng)
    smeared[rows] *= np.exp(slow)
    return smeared, background


def _some(k: int, share: float, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.flatnonzero(rng.random(k) < share)


def _make_slope(
    q: NDArray[np.float64], total: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """B qⁿ, where it is largest `slope_level` times what is there, flat background included."""
    k = len(total)
    power = rng.uniform(*SHARES.slopes, (k, 1))
    end = np.where(power[:, 0] > 0, -1, 0)
    anchor = total[np.arange(k), end][:, None]
    level = anchor * np.exp(rng.uniform(np.log(SHARES.slope_level[0]), np.log(SHARES.slope_level[1]), (k, 1)))
    return np.asarray(level * (q / q[end][:, None]) ** power)


def _upturn(
    q: NDArray[np.float64], total: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    k, n = total.shape
    power = rng.uniform(2.0, 4.0, (k, 1))
    reach = np.exp(rng.uniform(0.0, SHARES.upturn_reach, k) * np.log(q[-1] / q[0]))
    end = np.minimum(np.searchsorted(q, q[0] * reach), n - 1)
    level = total[np.arange(k), end][:, None]
    return np.asarray(np.minimum(level * (q / q[end][:, None]) ** -power, 300.0))


def _distort_minima(
    q: NDArray[np.float64], smeared: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """I plus a slowly varying share of its local mean; never below a twentieth of what it was."""
    log_q = np.log(q)
    low = np.searchsorted(log_q, log_q - SHARES.minima_mean)
    high = np.searchsorted(log_q, log_q + SHARES.minima_mean, side="right")
    total = np.cumsum(np.pad(smeared, ((0, 0), (1, 0))), axis=1)
    mean = (total[:, high] - total[:, low]) / (high - low)
    off = _random_functions(log_q, len(smeared), SHARES.minima_size, SHARES.minima_length, rng)
    return np.maximum(smeared + off * mean, 0.05 * smeared)


def _random_functions(
    log_q: NDArray[np.float64],
    k: int,
    sizes: tuple[float, float],
    lengths: tuple[float, float],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """(k, n) Gaussian random functions of ln q (random Fourier features of a squared exponential)."""
    size = np.exp(rng.uniform(np.log(sizes[0]), np.log(sizes[1]), (k, 1)))
    length = np.exp(rng.uniform(np.log(lengths[0]), np.log(lengths[1]), (k, 1, 1)))
    frequency = rng.standard_normal((k, 6, 1)) / length
    phase = rng.uniform(0, 2 * np.pi, (k, 6, 1))
    waves = np.cos(frequency * log_q + phase)
    return np.asarray(size * np.sqrt(2 / 6) * np.sum(rng.standard_normal((k, 6, 1)) * waves, axis=1))


# --- From clean curves to measured ones: blur, background, counts, and what goes wrong at a
# --- beamline.

#: Systematic scatter of every instrument, relative (protocol: "plus 0.5 % systematic").
SYSTEMATIC = 0.005
#: In training, shares of the curves whose uncertainties are absent, given too small or too large; by what.
ABSENT, TOO_SMALL, TOO_LARGE = 0.25, 0.15, 0.1
_SMALL, _LARGE = (0.15, 0.6), (1.7, 6.0)


@dataclass(frozen=True)
class Measured:
    """Curves as measured in one setting."""

    intensity: NDArray[np.float64]  #: (k, n), with noise, background and faults; may be negative.
    #: (k, n), as given by the file, or estimated from the scatter where it was absent.
    dintensity: NDArray[np.float64]
    #: (k, n), what an endless measurement would give: smeared, with the background that was left, no fault.
    expected: NDArray[np.float64]
    #: (k, n), true standard deviation of the intensity, whatever the file says of it.
    honest: NDArray[np.float64]
    given: NDArray[np.bool_]  #: (k,), whether the uncertainty came with the data.
    #: (k,), whether a constant, or a power law plus a constant, explains the curve.
    uninformative: NDArray[np.bool_]


def measure(
    clean: NDArray[np.float64], setting: Setting, rng: np.random.Generator, *, wide: bool = False
) -> Measured:
    """Measure as `measure_smeared`, from curves on the wide grid (k, N_WIDE) without resolution."""
    return measure_smeared(np.asarray(setting.matrix @ clean.T).T, setting, rng, wide=wide)


def measure_smeared(
    smeared: NDArray[np.float64], setting: Setting, rng: np.random.Generator, *, wide: bool = False
) -> Measured:
    """Measure smeared curves (k, n), any scale, with the protocol's background, noise and faults."""
    # Expected counts go as I q Δq (ring area), with ``setting.counts`` at the 25th percentile; counts are
    # Poisson. A flat background comes after smearing; if over-subtracted, (1 + f) times it is removed after
    # counting. `wide` (training) adds real files' faults: `systematic.roughen`; no systematic scatter in a
    # tenth, 2 % in another; uncertainties absent in a quarter, 1.7 to 7 times too small in 15 %, too large in
    # 10 %.
    faults = protocol()["faults"]
    k = smeared.shape[0]
    smeared = np.maximum(smeared, 0.0)
    smeared /= np.max(smeared, axis=1, keepdims=True)
    # protocol: background_over_max = "loguniform 1e-5 3e-2"
    background = np.exp(rng.uniform(np.log(1e-5), np.log(3e-2), (k, 1)))
    systematic = np.full((k, 1), SYSTEMATIC)
    if wide:
        smeared, background = roughen(setting.q, smeared, background, rng)
        kind = rng.random((k, 1))
        systematic = np.where(kind < 0.1, 0.0, np.where(kind < 0.2, 0.02, systematic))
    true = smeared + background
    n = true.shape[1]

    exposure = setting.q * setting.step
    expected = true * exposure
    expected *= setting.counts / np.quantile(expected, 0.25, axis=1, keepdims=True)
    # numpy's Poisson generator takes no mean above 2^63; there the normal limit is exact for our purpose.
    counted = np.where(
        expected < 1e6,
        rng.poisson(np.minimum(expected, 1e6)),
        expected + np.sqrt(expected) * rng.standard_normal((k, n)),
    )
    per_count = true / expected
    intensity = counted * per_count
    intensity = intensity * (1 + systematic * rng.standard_normal((k, n)))
    sigma = np.sqrt(np.maximum(counted, 1.0)) * per_count
    sigma = np.hypot(sigma, systematic * np.abs(intensity))
    honest = np.sqrt(np.maximum(expected, 1.0)) * per_count
    honest = np.hypot(honest, systematic * true)

    over = rng.random((k, 1)) < faults_share(faults["oversubtracted"])
    excess = np.exp(rng.uniform(np.log(0.1), np.log(1.0), (k, 1)))
    subtracted = np.where(over, (1 + excess) * background, 0.0)
    intensity = intensity - subtracted

    uninformative = is_uninformative(setting.q, intensity, honest)

    low = rng.random((k, 1)) < faults_share(faults["beamstop"])
    first = rng.integers(1, 4, endpoint=True, size=(k, 1))
    loss = rng.uniform(0.1, 0.7, (k, 1))
    intensity *= np.where(low & (np.arange(n) < first), 1 - loss, 1.0)

    hit = (rng.random((k, 1)) < faults_share(faults["outliers"])) & (rng.random((k, n)) < 0.01)
    intensity = intensity + np.where(hit, 5 * sigma * rng.choice((-1.0, 1.0), (k, n)), 0.0)

    has_error = np.asarray(rng.random(k) >= (ABSENT if wide else faults["dI_absent"]))
    wrong = rng.random((k, 1)) < faults_share(faults["dI_misstated"])
    factor = np.exp(rng.uniform(np.log(0.5), np.log(2.0), (k, 1)))
    sigma = sigma * np.where(wrong, factor, 1.0)
    if wide:
        kind = rng.random((k, 1))
        small = np.exp(rng.uniform(np.log(_SMALL[0]), np.log(_SMALL[1]), (k, 1)))
        large = np.exp(rng.uniform(np.log(_LARGE[0]), np.log(_LARGE[1]), (k, 1)))
        sigma = sigma * np.where(kind < TOO_SMALL, small, np.where(kind > 1 - TOO_LARGE, large, 1.0))
    if not has_error.all():
        sigma[~has_error] = estimate_dintensity(intensity[~has_error])
    scale = np.exp(rng.uniform(np.log(1e-3), np.log(1e6), (k, 1)))
    return Measured(
        intensity * scale,
        sigma * scale,
        (true - subtracted) * scale,
        honest * scale,
        has_error,
        uninformative,
    )


def faults_share(text: str) -> float:
    """The share at the end of a fault's line, e.g. 0.1 of "first … points low in 0.10"."""
    return float(text.rsplit(" in ", 1)[1].split(";")[0])
