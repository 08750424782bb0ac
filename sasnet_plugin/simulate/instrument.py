"""Instruments: which q are measured, how densely, how blurred, and with how many counts.

The six instruments and their ranges are the frozen protocol in ``realistic_protocol.toml``; training adds
a seventh, wider one, so that unusual windows, point densities and precisions are not new to the network.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from .draws import draw, loguniform
from .grid import pinhole_matrix, slit_matrix

#: Names of the protocol's instruments, in its order.
INSTRUMENTS = ("sans_merged", "sans_single", "sans_tof", "saxs_lab", "saxs_synchrotron", "usaxs_joined")
#: Share of training settings drawn from the wider instrument instead of the protocol.
BROAD_SHARE = 0.2
#: Share of protocol settings in training whose nominal resolution is left out.
HIDDEN_SHARE = 0.2
#: Share of training settings whose nominal pinhole resolution is wrong, and the factor's range.
WRONG_SHARE, WRONG_FACTOR = 0.15, (0.6, 1.6)
#: Chance that a setting of training is replaced when it is drawn; building one costs as much as measuring
#: tens of curves.
REPLACED = 0.5


@dataclass(frozen=True)
class Setting:
    """One setting of one instrument, shared by the curves measured with it."""

    instrument: str
    q: NDArray[np.float64]  #: (n,), Å⁻¹, ascending.
    #: (n,), pinhole resolution as the file gives it, one standard deviation, Å⁻¹.
    dq: NDArray[np.float64] | None
    dxl: NDArray[np.float64] | None  #: (n,), slit half length as the file gives it, Å⁻¹.
    counts: float  #: Expected counts at the weakest quarter of points.
    #: (n, N_WIDE) sparse matrix, true resolution and interpolation from the wide grid.
    matrix: sparse.csr_matrix
    step: NDArray[np.float64]  #: (n,), width of each q bin, Å⁻¹ (counts are proportional to I q step).
    #: (n,), true pinhole resolution, one standard deviation, Å⁻¹; None where there is none, or a slit.
    sigma: NDArray[np.float64] | None = None


@cache
def protocol() -> Mapping[str, Any]:
    """The frozen realistic protocol, as read from the package."""
    text = resources.files(__package__).joinpath("realistic_protocol.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def sample_setting(rng: np.random.Generator, *, broad: bool = False) -> Setting:
    """Draw a setting from the frozen protocol, or with ``broad`` from the wider training distribution."""
    if broad and rng.random() < BROAD_SHARE:
        return _broad(rng)
    table = protocol()["instrument"]
    weights = np.array([page["weight"] for page in table])
    index = int(rng.choice(len(table), p=weights / weights.sum()))
    setting = _protocol_setting(INSTRUMENTS[index], table[index], rng)
    if broad and rng.random() < HIDDEN_SHARE:
        # Many real files keep their resolution to themselves.
        setting = replace(setting, dq=None, dxl=None)
    if broad and setting.dq is not None and rng.random() < WRONG_SHARE:
        setting = replace(setting, dq=setting.dq * loguniform(*WRONG_FACTOR, rng))
    return setting


class Settings:
    """Settings for training, `count` of them at hand."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self._rng, self._count = rng, count
        self._kept: list[Setting] = []

    def draw(self) -> Setting:
        if len(self._kept) < self._count:
            self._kept.append(sample_setting(self._rng, broad=True))
            return self._kept[-1]
        position = int(self._rng.integers(self._count))
        if self._rng.random() < REPLACED:
            self._kept[position] = sample_setting(self._rng, broad=True)
        return self._kept[position]


def _protocol_setting(name: str, page: Mapping[str, Any], rng: np.random.Generator) -> Setting:
    q_min = draw(page["q_min"], rng)
    if page["q_max"].startswith("q_min *"):
        q_max = q_min * draw(page["q_max"].removeprefix("q_min *").strip(), rng)
    else:
        q_max = draw(page["q_max"], rng)
    n = int(draw(page["points"], rng))
    counts = draw(page["counts"], rng)
    if name == "sans_merged":
        q = _merge_distances(q_min, q_max, n, rng)
        dq = np.hypot(0.045 * q, rng.uniform(3e-4, 1.2e-3))
        return _pinhole(name, q, dq, dq, counts)
    if name == "sans_single":
        q = np.linspace(q_min, q_max, n)
        dq = np.hypot(0.05 * q, rng.uniform(4e-4, 2e-3))
        return _pinhole(name, q, dq, dq, counts)
    if name == "sans_tof":
        q = _linear_or_log(q_min, q_max, n, rng)
        dq = rng.uniform(0.03, 0.12) * q
        return _pinhole(name, q, dq, dq if rng.random() < 0.5 else None, counts)
    if name == "saxs_lab":
        q = np.linspace(q_min, q_max, n)
        if rng.random() < 0.2:
            dxl = np.full(n, rng.uniform(0.02, 0.1))
            return Setting(name, q, None, dxl, counts, slit_matrix(q, dxl), np.gradient(q))
        return _pinhole(name, q, np.full(n, rng.uniform(5e-4, 2e-3)), None, counts)
    if name == "saxs_synchrotron":
        q = _linear_or_log(q_min, q_max, n, rng)
        return _pinhole(name, q, 0.005 * q, None, counts)
    q = np.geomspace(q_min, q_max, n)
    if rng.random() < 0.5:
        dxl = np.where(q < 0.01, rng.uniform(0.02, 0.06), 0.0)
        return Setting(name, q, None, dxl, counts, slit_matrix(q, dxl), np.gradient(q))
    return _pinhole(name, q, np.zeros(n), None, counts)


def _broad(rng: np.random.Generator) -> Setting:
    """Any window of at least a factor of 5, any density, resolution to 15 %, counts to nearly noise-free."""
    width = rng.uniform(np.log(5), np.log(400))
    low, high = np.log(1e-4), np.log(1.0)
    start = rng.uniform(low + 1.0, high - width) if rng.random() < 0.85 else rng.uniform(low, high - width)
    q_min, q_max = float(np.exp(start)), float(np.exp(start + width))
    n = int(loguniform(15, 800, rng))
    q = _linear_or_log(q_min, q_max, n, rng)
    counts = loguniform(30, 1e8, rng)
    if rng.random() < 0.15:
        dxl = np.full(n, loguniform(0.01, 0.15, rng))
        return Setting("broad", q, None, dxl, counts, slit_matrix(q, dxl), np.gradient(q))
    sigma = np.zeros(n)
    if rng.random() < 0.7:
        sigma = np.hypot(rng.uniform(0.0, 0.15) * q, rng.uniform(0.0, 0.3) * q_min)
    return _pinhole("broad", q, sigma, sigma if rng.random() < 0.5 and sigma.any() else None, counts)


def _merge_distances(q_min: float, q_max: float, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Three detector distances, each linear in q and three times finer than the next, overlapping."""
    ratio = (q_max / q_min) ** (1 / 3)
    edges = q_min * ratio ** np.arange(4)
    share = rng.dirichlet((8.0, 8.0, 8.0))
    parts: list[NDArray[np.float64]] = []
    for k in range(3):
        points = max(4, int(round(share[k] * n))) if k < 2 else max(4, n - sum(p.size for p in parts))
        high = edges[k + 1] * (1.15 if k < 2 else 1.0)
        parts.append(np.linspace(edges[k], high, points))
    return np.sort(np.concatenate(parts))


def _linear_or_log(q_min: float, q_max: float, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.linspace(q_min, q_max, n) if rng.random() < 0.5 else np.geomspace(q_min, q_max, n)


def _pinhole(
    name: str,
    q: NDArray[np.float64],
    sigma: NDArray[np.float64],
    nominal: NDArray[np.float64] | None,
    counts: float,
) -> Setting:
    step = np.maximum(np.gradient(q), 1e-3 * q)
    true = sigma if sigma.any() else None
    return Setting(name, q, nominal, None, counts, pinhole_matrix(q, sigma), step, true)
