"""Levenberg-Marquardt within bounds that renews its Jacobian only where a step asks for it.

The secant version of K. Madsen, H. B. Nielsen and O. Tingleff (Methods for Non-Linear Least Squares Problems,
2nd ed. 2004, algorithm 3.31): between two Jacobians from differences, Broyden's update of rank one. Of models
of scattering a Jacobian costs as many curves as there are parameters, and a step costs one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...arrays import Floats
from ..settings import OPTIMIZE


@dataclass(frozen=True)
class Problem:
    """What is minimised, and where."""

    residuals: Callable[[Floats], Floats]  #: (k,) -> (n,), finite.
    jacobian: Callable[[Floats], Floats]  #: (k,) -> (n, k).
    low: Floats
    high: Floats


@dataclass
class _State:
    x: Floats
    residual: Floats
    jacobian: Floats
    fresh: bool = True
    damping: float = OPTIMIZE.damping

    total: float = 0.0  #: Sum of the squared residuals.


def least_squares(
    problem: Problem,
    x: Floats,
    jacobian: Floats | None = None,
    *,
    steps: int,
    enough: float = OPTIMIZE.enough,
) -> Floats:
    """Minimise the sum of squared residuals downhill from x, within bounds; stop at a relative fall below
    `enough`. `jacobian` (n, k) is that at x, if known.
    """
    known_jacobian = problem.jacobian(x) if jacobian is None else jacobian
    residual = problem.residuals(x)
    state = _State(x, residual, known_jacobian, total=float(residual @ residual))
    for _ in range(steps):
        old_total, fresh = state.total, state.fresh
        moved = _make_step(state, problem)
        if moved is None or (fresh and _promise(state) <= enough**2 * old_total):
            break
        if 0 < _fall(state, problem, moved) <= enough * old_total:
            if fresh:
                break
            _renew(state, problem)
    return state.x


def _promise(state: _State) -> float:
    """How far the sum falls by the slopes at most: of a step that begins at a minimum no curve is made."""
    base, _ = np.linalg.qr(state.jacobian)
    along = base.T @ state.residual
    return float(along @ along)


def _fall(state: _State, problem: Problem, moved: Floats) -> float:
    """Go there if the sum falls; else a new Jacobian, or a shorter step the next time. How far it falls."""
    step, residual = moved - state.x, problem.residuals(moved)
    expected = state.residual + state.jacobian @ step
    total = float(residual @ residual)
    fall, promised = state.total - total, state.total - float(expected @ expected)
    good = fall > 0
    if good:
        # What the step has shown of the curve's own slope along it.
        update = np.multiply.outer(residual - expected, step) / float(step @ step)
        state.x, state.residual, state.total = moved, residual, total
        state.jacobian = state.jacobian + update
    _damp(state, fall, promised)
    if not state.fresh and fall < OPTIMIZE.trusted * promised:
        _renew(state, problem)
    elif good:
        state.fresh = False
    return fall


def _damp(state: _State, fall: float, promised: float) -> None:
    """Longer steps after one that gave what was promised, else shorter ones, but for a worn Jacobian."""
    if fall > OPTIMIZE.trusted * promised > 0:
        state.damping = max(state.damping / OPTIMIZE.damping_step, 1e-12)
    elif state.fresh:
        state.damping *= OPTIMIZE.damping_step


def _renew(state: _State, problem: Problem) -> None:
    """The Jacobian at this place, where it is another's."""
    if not state.fresh:
        state.jacobian, state.fresh = problem.jacobian(state.x), True


def _make_step(state: _State, problem: Problem) -> Floats | None:
    """After a damped step of the parameters that are not held by a bound; None where nothing can move."""
    gradient, x = state.jacobian.T @ state.residual, state.x
    scale = np.sqrt(np.add.reduce(state.jacobian**2, axis=0))
    free = scale > 0
    free &= ((x > problem.low) | (gradient <= 0)) & ((x < problem.high) | (gradient >= 0))
    if not free.any():
        return None
    unit = state.jacobian[:, free] / scale[free]
    normal = unit.T @ unit
    normal.flat[:: len(normal) + 1] += state.damping
    step = np.zeros(x.size)
    step[free] = -np.linalg.solve(normal, gradient[free] / scale[free]) / scale[free]
    longest = max(map(abs, step.tolist()))
    step = step * min(1.0, OPTIMIZE.longest_step / max(longest, 1e-300))
    moved = np.minimum(np.maximum(x + step, problem.low), problem.high)
    return moved if moved.tolist() != x.tolist() else None
