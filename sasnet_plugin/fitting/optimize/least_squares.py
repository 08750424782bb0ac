"""Levenberg-Marquardt within bounds that renews its Jacobian only where a step asks for it.

The secant version of K. Madsen, H. B. Nielsen and O. Tingleff (Methods for Non-Linear Least Squares Problems,
2nd ed. 2004, algorithm 3.31): between two Jacobians from differences, Broyden's update of rank one. Of models
of scattering a Jacobian costs as many curves as there are parameters, and a step costs one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..settings import OPTIMIZE

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """What is minimised, and where.

    Parameters
    ----------
    residuals : callable
        (k,) -> (n,), finite.
    jacobian : callable
        (k,) -> (n, k).
    """

    residuals: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]
    low: Array
    high: Array


@dataclass
class _State:
    x: Array
    residual: Array
    jacobian: Array
    fresh: bool = True
    damping: float = OPTIMIZE.damping

    @property
    def total(self) -> float:
        return float(self.residual @ self.residual)


def least_squares(
    problem: Problem, x: Array, jacobian: Array | None = None, *, steps: int, enough: float = OPTIMIZE.enough
) -> Array:
    """Where the sum of squared residuals is least, downhill from x.

    Parameters
    ----------
    x : (k,) float array
        Within the bounds.
    jacobian : (n, k) float array, optional
        There, if it is known.
    enough : float
        Relative fall of the sum at which it ends.
    """
    known = problem.jacobian(x) if jacobian is None else jacobian
    state = _State(x, problem.residuals(x), known)
    for _ in range(steps):
        before, fresh = state.total, state.fresh
        step = _step(state, problem)
        if step is None:
            break
        moved = np.clip(state.x + step, problem.low, problem.high)
        if not np.any(moved != state.x):
            break
        if not _taken(state, problem, moved):
            continue
        if before - state.total <= enough * before:
            if fresh:
                break
            if not state.fresh:
                _renew(state, problem)
    return state.x


def _taken(state: _State, problem: Problem, moved: Array) -> bool:
    """Go there if the sum falls; else a new Jacobian, or a shorter step the next time."""
    step, residual = moved - state.x, problem.residuals(moved)
    expected = state.residual + state.jacobian @ step
    fall, promised = state.total - float(residual @ residual), state.total - float(expected @ expected)
    good = fall > 0
    if good:
        # What the step has shown of the curve's own slope along it.
        update = np.outer(residual - expected, step) / float(step @ step)
        state.x, state.residual, state.jacobian = moved, residual, state.jacobian + update
    if fall > OPTIMIZE.trusted * promised > 0:
        state.damping = max(state.damping / OPTIMIZE.damping_step, 1e-12)
    elif state.fresh:
        state.damping *= OPTIMIZE.damping_step
    if not state.fresh and fall < OPTIMIZE.trusted * promised:
        _renew(state, problem)
    elif good:
        state.fresh = False
    return good


def _renew(state: _State, problem: Problem) -> None:
    state.jacobian, state.fresh = problem.jacobian(state.x), True


def _step(state: _State, problem: Problem) -> Array | None:
    """Damped step of the parameters that are not held by a bound; None where nothing can move."""
    gradient = state.jacobian.T @ state.residual
    held = ((state.x <= problem.low) & (gradient > 0)) | ((state.x >= problem.high) & (gradient < 0))
    scale = np.linalg.norm(state.jacobian, axis=0)
    free = ~held & (scale > 0)
    if not np.any(free):
        return None
    unit = state.jacobian[:, free] / scale[free]
    normal = unit.T @ unit + state.damping * np.eye(int(free.sum()))
    step = np.zeros(state.x.size)
    step[free] = -np.linalg.solve(normal, gradient[free] / scale[free]) / scale[free]
    longest = float(np.max(np.abs(step)))
    return step * min(1.0, OPTIMIZE.longest_step / max(longest, 1e-300))
