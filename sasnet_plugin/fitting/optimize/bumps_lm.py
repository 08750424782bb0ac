"""Bumps' Levenberg-Marquardt, the last steps after another of bumps' fitters."""

from __future__ import annotations

from typing import Any

import numpy as np

from sasnet_plugin.fitting.problem.experiment import TimeUpError, silent


def run_lm(problem: Any, fitness: Any, **options: float) -> dict[str, float]:
    """Bumps' Levenberg-Marquardt from where an experiment stands, which is left at the best point seen.

    Parameters
    ----------
    fitness : Experiment
        Its only model, with a deadline; without one afterwards.
    **options : float
        Of bumps: ``steps``, ``ftol``, ``xtol``.

    Returns
    -------
    dict of str to float
        Standard deviations of the free parameters, NaN where the time was up.
    """
    from bumps.fitters import fit

    names = [p.name for p in problem._parameters]
    with silent():
        try:
            deviations = np.asarray(fit(problem, method="lm", **options).dx)
        except TimeUpError:
            deviations = np.full(len(names), np.nan)
    fitness.deadline = np.inf
    if fitness.best[0] < float(np.sum(fitness.residuals() ** 2)):
        for name, value in fitness.best[1].items():
            getattr(fitness.model, name).value = value
        fitness.update()
    return {name: float(error) for name, error in zip(names, deviations, strict=True)}
