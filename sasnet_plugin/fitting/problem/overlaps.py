"""What no sample is, though sasmodels calculates it: overlapping particles, and negative intensities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arrays import Floats
from ..settings import PROBLEM

#: By form what is at most as large as what; of `lamellar_hg_stack_caille` sasmodels' own draws fill more.
_WITHIN: Mapping[str, tuple[float, str, str]] = {
    "lamellar_stack_caille": (1, "thickness", "d_spacing"),
    "lamellar_stack_paracrystal": (1, "thickness", "d_spacing"),
    "sc_paracrystal": (2, "radius", "dnn"),
    "bcc_paracrystal": (2, "radius", "dnn"),
    "fcc_paracrystal": (2, "radius", "dnn"),
}


def is_limited(form: str) -> bool:
    """Whether a form's bodies may lie within each other at some of its parameters."""
    return form in _WITHIN


def overlaps(form: str, parameters: Mapping[str, Any]) -> bool:
    """Whether layers are thicker than their spacing, or spheres overlap (forms that `is_limited`)."""
    times, body, distance = _WITHIN[form]
    return bool(times * parameters[body] > parameters[distance])


def lowest_intensity(measured: Floats) -> float:
    """Return the least intensity that a fit of these data may have: 0 or, if less, the least measured."""
    # Where too much was subtracted, the data themselves fall below 0. A curve that falls lower is no
    # intensity, though its background makes up for it elsewhere.
    return float(np.min(measured, initial=0.0))


def is_too_low(intensity: Floats, measured: Floats) -> bool:
    """Whether an intensity with background falls below 0 and below all data, by more than rounding."""
    rounding = PROBLEM.rounding * np.max(np.abs(measured), initial=0.0)
    return bool(np.any(intensity < lowest_intensity(measured) - rounding))


def is_negative(intensity: Floats) -> bool:
    """Whether an intensity without background falls below 0 by more than rounding; NaN is ignored."""
    # sasmodels' `stickyhardsphere` is -1 where its equation has no solution, and `squarewell` and others fail
    # for wide or deep wells. Structure factors are variances and intensities counts, so neither can be
    # negative.
    if intensity.min(initial=0.0) >= 0:  # what is not a number is not
        return False
    largest = np.nanmax(np.abs(intensity), initial=0.0)
    return bool(np.nanmin(intensity, initial=0.0) < -PROBLEM.rounding * largest)
