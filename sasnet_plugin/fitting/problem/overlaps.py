"""What no sample is, though sasmodels calculates it: bodies of a stack or a crystal within each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    """Whether layers are thicker than their spacing, or spheres reach into their neighbours.

    Parameters
    ----------
    form : str
        One that `is_limited`.
    parameters : mapping
        All of the form's, Å.
    """
    times, body, distance = _WITHIN[form]
    return bool(times * parameters[body] > parameters[distance])
