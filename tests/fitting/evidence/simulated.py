"""Curves off by an error that neighbours share, and fits of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sasnet_plugin.fitting.evidence.discrepancy import correlation
from sasnet_plugin.fitting.evidence.marginal import extents
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter

Q = np.geomspace(0.01, 0.5, 180)
#: Intensity over three decades, with minima.
CLEAN = 1.0 / (1 + (Q / 0.03) ** 2) ** 2 * (1.05 + np.cos(60 * Q)) + 1e-4
STATED = 0.01 * CLEAN


def shared(relative: float, length: float, rng: np.random.Generator, count: int = 1) -> np.ndarray:
    """(n, count) errors of I with Matérn's correlation, ν = 3/2."""
    root = np.linalg.cholesky(correlation(np.log(Q), length) + 1e-10 * np.eye(Q.size))
    return CLEAN[:, None] * relative * (root @ rng.standard_normal((Q.size, count)))


def fitted(
    measured: np.ndarray, theory: np.ndarray, slopes: np.ndarray | None = None, name: str = "sphere"
) -> ModelFit:
    """A fit whose parameters have slopes (n, k), in units of the uncertainty; without any, none is free."""
    chisq = float(np.sum(((measured - theory) / STATED) ** 2))
    columns = np.zeros((Q.size, 0)) if slopes is None else slopes
    k = columns.shape[1]
    counting = np.sqrt(np.diag(np.linalg.pinv(columns.T @ columns)))
    known = {f"p{i}": Parameter(1.0, float(counting[i]), "", False, 0.0, 2.0) for i in range(k)}
    bic = chisq + k * np.log(Q.size)
    fit = ModelFit(name, None, known, {}, chisq, chisq / (Q.size - k), bic, 0.5, 0.1, theory)
    return replace(fit, derivatives={f"p{i}": column for i, column in enumerate(columns.T)})


def least_squares(
    measured: np.ndarray, slopes: np.ndarray, name: str = "sphere"
) -> tuple[ModelFit, np.ndarray]:
    """A fit of CLEAN plus slopes (in units of STATED), and the values that it gives these."""
    values = np.linalg.lstsq(slopes, (measured - CLEAN) / STATED, rcond=None)[0]
    return fitted(measured, CLEAN + STATED * (slopes @ values), slopes, name), values


def widths(fit: ModelFit) -> np.ndarray:
    """Standard deviations of the priors of a fit's parameters."""
    return np.array(list(extents(fit, 1.0).values())) / np.sqrt(2 * np.pi)
