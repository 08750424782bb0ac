"""First points of single curves that a beamstop dims, in joint fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sasnet_plugin.batch.worker import OneByOne
from sasnet_plugin.data.sample.described import sample_of
from sasnet_plugin.fitting.api import exclude_steps, fit_sample
from sasnet_plugin.fitting.task import FitOptions
from sasnet_plugin.simulate.bank import Bank
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

SOLVENTS = (-0.56, 2.5, 6.36)


def sphere(seed: int, q: np.ndarray, solvent: float, dim: int = 0) -> Curve:
    """Spheres of 60 A, the first points 30 % too dark."""
    clean = call("sphere", q, {"radius": 60.0, "sld": 1.0, "sld_solvent": solvent, "scale": 0.01}).intensity
    clean = clean + 0.02
    error = 0.01 * clean
    measured = clean + error * np.random.default_rng(seed).standard_normal(q.size)
    measured[:dim] *= 0.7
    return Curve(q, measured, error, file=f"{seed}.dat")


def test_each_curve_has_its_own_edge() -> None:
    q = np.geomspace(0.006, 0.3, 90)
    curves = [sphere(i, q, s, dim) for i, (s, dim) in enumerate(zip(SOLVENTS, (2, 0, 1), strict=True))]
    sample = sample_of(curves, {"kind": "contrasts"})
    clear = exclude_steps(sample)
    assert [len(c) for c in clear.curves] == [88, 90, 89]
    assert clear.curves[1] is curves[1]
    assert [len(c) for c in exclude_steps(sample, {0}).curves] == [90, 90, 89]
    asked = sample_of([replace(c, q_asked=True) for c in curves], {"kind": "contrasts"})
    assert exclude_steps(asked) is asked


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["contrasts", "settings"])
def test_dimmed_points_are_left_out_and_named(bank: Bank, kind: str) -> None:
    if kind == "contrasts":
        q = np.geomspace(0.006, 0.3, 90)
        curves = [sphere(i, q, s, 2 * (i == 1)) for i, s in enumerate(SOLVENTS)]
    else:
        ends = ((0.004, 0.06), (0.02, 0.35))
        curves = [sphere(i, np.geomspace(*end, 60), 6.36, 2 * (i == 1)) for i, end in enumerate(ends)]
    pool = OneByOne(bank, {}, lambda *said: None)
    result = fit_sample(pool, sample_of(curves, {"kind": kind}), FitOptions(workers=1))
    assert result.explained
    assert result.best is not None
    p = result.best.parameters["radius"]
    assert p.error is not None
    assert abs(p.value - 60.0) < 4 * p.error
    assert len(result.sample.curves[1]) == len(curves[1]) - 2
    assert "without the first 2 points of 1.dat (beamstop?)" in result.verdict.headline
    assert any(note.startswith("1.dat: The first 2 points lie below a step") for note in result.notes)
