"""From clean curves to measured ones: blur, background, counts, and what goes wrong at a beamline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..data.no_structure import is_uninformative
from ..noise import estimate_dintensity
from .instrument import Setting, protocol
from .systematic import roughen

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
