"""Results of real fits to simulated curves, one for each kind of resolution."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from sasnet_plugin.fitting.evidence.discrepancy import Discrepancy
from sasnet_plugin.fitting.evidence.marginal import weigh_fits
from sasnet_plugin.fitting.problem.experiment import experiment
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.fit_warning import FitWarning
from sasnet_plugin.fitting.strategy.fit_candidate import fit_candidate
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.simulate.bank import BANK_STEP, LOG_Q_MIN, N_BANK, Page
from sasnet_plugin.simulate.clean import PD_TYPES
from sasnet_plugin.simulate.kernel import call
from sasnet_plugin.types import Curve

KINDS = ("pinhole", "slit", "perfect")
_Q = np.geomspace(0.004, 0.3, 60)
_RESOLUTION = {
    "pinhole": {"dq": 0.04 * _Q + 3e-4},
    "slit": {"dxl": np.full(60, 0.02)},
    "perfect": {},
}
#: kind -> model, structure factor, truth, the bank's only curve of each candidate.
_CASES = {
    "pinhole": (
        ("ellipsoid", None),
        {"radius_polar": 30.0, "radius_equatorial": 70.0, "radius_equatorial_pd": 0.2,
         "radius_equatorial_pd_type": "lognormal"},
        {
            ("ellipsoid", None): {"radius_polar": 33.0, "radius_equatorial": 66.0,
                                  "radius_equatorial_pd": 0.15, "radius_equatorial_pd_type": 1.0},
            ("sphere", None): {"radius": 60.0, "radius_pd": 0.2, "radius_pd_type": 0.0},
        },
    ),
    "slit": (
        ("cylinder", None),
        {"radius": 25.0, "length": 300.0},
        {("cylinder", None): {"radius": 27.0, "length": 280.0}, ("sphere", None): {"radius": 80.0}},
    ),
    "perfect": (
        ("sphere", "hardsphere"),
        {"radius": 50.0, "volfraction": 0.25, "radius_effective_mode": 1},
        {("sphere", "hardsphere"): {"radius": 52.0}, ("sphere", None): {"radius": 45.0}},
    ),
}  # fmt: skip


class _Bank:
    """A bank of starting values with one curve; nothing further is looked for in it."""

    models = ()

    #: None beyond the nearest.
    models: tuple[str, ...] = ()

    def __init__(self, parameters: dict[str, float]) -> None:
        self.parameters = parameters

    def page(self, model: str) -> Page:
        q = np.exp(LOG_Q_MIN + BANK_STEP * np.arange(N_BANK))
        words = {k: PD_TYPES[int(v)] if k.endswith("_type") else v for k, v in self.parameters.items()}
        found = call(model, q, words)
        return Page(
            tuple(self.parameters),
            np.array([list(self.parameters.values())]),
            np.log(found.intensity / found.intensity.max())[None].astype(np.float32),
            np.array([found.radius_effective]),
        )


@cache
def simulated(kind: str) -> FitResult:
    """Candidates fitted to a noisy curve of the first one."""
    (model, factor), truth, candidates = _CASES[kind]
    name = model if factor is None else f"{model}@{factor}"
    blank = Curve(_Q, np.ones(60), **_RESOLUTION[kind], file=f"/data/{kind}.dat", entry=f"{kind} run 7")
    clean = np.asarray(experiment(blank, np.ones(60), name, {**truth, "background": 0.02}).theory())
    error = 0.02 * clean + 1e-3
    rng = np.random.default_rng(11)
    curve = replace(blank, intensity=clean + error * rng.normal(size=60), dintensity=error)
    fits = [
        fit_candidate(Task(curve, error, m, s, 0.5), _Bank(start))  # type: ignore[arg-type]
        for (m, s), start in candidates.items()
    ]
    order = weigh_fits(Discrepancy(curve, error), fits).fits
    first = replace(order[0], warnings=(FitWarning("The charge cannot be told."),))
    return FitResult(curve, error, (first, *order[1:]), True, ("Simulated for a test.",))
