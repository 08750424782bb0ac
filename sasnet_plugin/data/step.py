"""First points that the edge of a beamstop dims: they lie below a step that nothing else in a curve is like.

The step takes a tenth of the intensity or more, which no body does from one point to the next where all
that follow go on smoothly. A shadow that takes nearly all is known without a fit (`shadow`); of this one a
fit says whether the rest is explained without it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from ..types import Curve
from .advice import ALL_Q
from .raw import points
from .shadow import scatter


class StepSettings(NamedTuple):
    """What a step is."""

    most: int = 4  #: Points that may lie below it.
    window: int = 8  #: Points beyond it through which a parabola in ln q continues them.
    smooth: float = 0.01  #: Of I, by which a curve may be off a parabola there.
    #: least, errors, over: the step in ln I, in its errors, and over the largest that any of the next points
    #: makes.
    least: float = 0.1
    errors: float = 4.0
    over: float = 3.0
    near: int = 13  #: So many of these.


SETTINGS = StepSettings()


def exclude_step(curve: Curve) -> Curve:
    """The curve without the first points that lie below a step; itself where there is none."""
    # Of a thousand simulated curves without an edge four seem to have one; of edges, half are larger than
    # noise and fringes.
    dark = 0 if curve.q_asked else count_below_step(curve)
    if not dark:
        return curve
    number = np.arange(len(curve))
    clear, below = points(curve, number >= dark), points(curve, number < dark)
    lie, were, back = (
        ("point lies", "it was", "it") if dark == 1 else (f"{dark} points lie", "they were", "them")
    )
    note = (
        f"The first {lie} below a step at q = {clear.q[0]:.4g} Å⁻¹, as at the edge of a beamstop."
        f" The model fits the other points, so {were} excluded; '{ALL_Q}' includes {back} again."
    )
    return replace(clear, notes=(*curve.notes, note), shadow=replace(below, notes=(note,)))


def count_below_step(curve: Curve) -> int:
    """How many of the first points lie below a step, as those beyond it continue; 0 where none is seen."""
    first = curve.intensity[: SETTINGS.most + SETTINGS.window]
    if len(curve) < 2 * first.size or np.any(first <= 0):
        return 0
    if curve.dintensity is None:
        curve = replace(curve, dintensity=scatter(curve.intensity))
    return next((dark for dark in range(SETTINGS.most, 0, -1) if _is_step(curve, dark)), 0)


def _is_step(curve: Curve, dark: int) -> bool:
    """Whether all points before one lie low, the last of them more than any beyond it that follow."""
    off, error = _compare_before_step(curve, dark)
    if np.any(off > -np.maximum(SETTINGS.least, SETTINGS.errors * error)):
        return False
    beyond = range(dark + 1, min(dark + 1 + SETTINGS.near, len(curve) - SETTINGS.window))
    return bool(
        -off[-1] > SETTINGS.over * max(abs(float(_compare_before_step(curve, i)[0][-1])) for i in beyond)
    )


def _compare_before_step(curve: Curve, start: int) -> tuple[Floats, Floats]:
    """ln of up to four points before one over a parabola through those from it on; and errors of these."""
    first, end = max(start - SETTINGS.most, 0), start + SETTINGS.window
    intensity = np.maximum(curve.intensity[first:end], 1e-300)
    assert curve.dintensity is not None
    relative, log_i = np.abs(curve.dintensity[first:end]) / intensity, np.log(intensity)
    x = np.log(curve.q[first:end] / curve.q[start])
    rows, own_points = np.stack([np.ones_like(x), x, x * x], axis=1), slice(start - first, None)
    error = np.hypot(relative[own_points], SETTINGS.smooth)
    continued = rows[: start - first] @ np.linalg.pinv(rows[own_points] / error[:, None])
    off = log_i[: start - first] - continued @ (log_i[own_points] / error)
    return off, np.hypot(np.linalg.norm(continued, axis=1), relative[: start - first])
