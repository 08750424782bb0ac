"""Simulated samples that are counted longer and longer in one setting: what settles when, and rightly."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

os.environ.setdefault("SAS_OPENCL", "none")

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.predict.class_prior import common
from sasnet_plugin.predict.curves import open_classifier
from sasnet_plugin.simulate.clean import simulate_clean
from sasnet_plugin.simulate.instrument import Setting, sample_setting
from sasnet_plugin.simulate.measure import SYSTEMATIC
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class
from sasnet_plugin.types import Curve

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """A sample in a setting."""

    model: str  #: Form model.
    setting: Setting
    true: Floats  #: (n,), intensity at the setting's points, background included, 1 at most.
    expected: Floats  #: (n,), counts of a whole measurement as the protocol has it.
    systematic: Floats  #: (n,), factor on the intensity that more counting does not take away.


def samples(number: int, seed: int) -> Iterator[Sample]:
    """Samples of models as common as in practice, those left out whose curves take seconds."""
    labels = open_classifier().manifest.labels
    quick = [name for name in labels if fit_cost_class(name) in ("fast", "separable")]
    share = common(list(labels))
    share = np.array([p if name in quick else 0.0 for name, p in zip(labels, share, strict=True)])
    rng = np.random.default_rng(seed)
    made = 0
    while made < number:
        model = str(rng.choice(labels, p=share / share.sum()))
        clean = simulate_clean(model, rng)
        setting = sample_setting(rng)
        shift = _shift(clean.log_rg, setting, rng)
        wide = np.interp(np.arange(clean.log_intensity.size) + shift, np.arange(clean.log_intensity.size),
                         clean.log_intensity.astype(np.float64))  # fmt: skip
        true = np.maximum(np.asarray(setting.matrix @ np.exp(wide)), 0.0)
        if not np.all(np.isfinite(true)) or not true.max() > 0:
            continue
        true = true / true.max() + 10 ** rng.uniform(-5, -1.5)
        expected = true * setting.q * setting.step
        expected *= setting.counts / np.quantile(expected, 0.25)
        made += 1
        yield Sample(model, setting, true, expected, 1 + SYSTEMATIC * rng.standard_normal(true.size))


def _shift(log_rg: float, setting: Setting, rng: np.random.Generator) -> float:
    """Cells of the wide grid by which a sample's size is moved so that its shape lies in the window."""
    from sasnet_plugin.simulate.grid import PER_DECADE

    if not np.isfinite(log_rg):
        return 0.0
    low, high = np.log10(setting.q[0]), np.log10(setting.q[-1])
    wanted = rng.uniform(0.7 * low + 0.3 * high, high)
    # q Rg of a few lies where the window is.
    return float(np.clip((np.log10(2.0) - log_rg - wanted) * PER_DECADE, -1200, 1200))


def counted(sample: Sample, shares: Floats, rng: np.random.Generator) -> list[Curve]:
    """The sample after each of these shares of the whole measurement, the counts added up."""
    curves, total = [], np.zeros(sample.true.size)
    per_count = sample.true / sample.expected
    for before, share in zip([0.0, *shares[:-1]], shares, strict=True):
        mean = np.maximum(sample.expected * (share - before), 0.0)
        more = np.where(mean < 1e6, rng.poisson(np.minimum(mean, 1e6)),
                        mean + np.sqrt(mean) * rng.standard_normal(mean.size))  # fmt: skip
        total = total + more
        intensity = total * per_count / share * sample.systematic
        sigma = np.hypot(np.sqrt(np.maximum(total, 1.0)) * per_count / share, SYSTEMATIC * np.abs(intensity))
        curves.append(
            Curve(
                sample.setting.q, intensity, sigma, sample.setting.dq, sample.setting.dxl, file=sample.model
            )
        )
    return curves
