"""Flat and long bodies of one volume: a search that goes downhill ends at either, and curves may be of both.

An oblate and a prolate body of the same volume and a like spread of distances have curves alike to a few per
cent (O. Glatter and O. Kratky, Small Angle X-ray Scattering, 1982, chapter 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ..evidence.settings import EVIDENCE
from .one_model import JointTask
from .result import JointFit

Values = Mapping[str, float]
#: Long over wide, or wide over long, of bodies that may be taken for each other: less is a sphere, and rods
#: and sheets have curves of their own.
_ALIKE = (1.2, 4.0)


def _rod(values: Values) -> tuple[float, dict[str, float]]:
    wide = values["radius"]
    ratio = values["length"] / (2 * wide)
    radius = wide * ratio ** (2 / 3)
    return ratio, {"radius": radius, "length": 2 * radius / ratio}


def _ellipsoid(values: Values) -> tuple[float, dict[str, float]]:
    wide = values["radius_equatorial"]
    ratio = values["radius_polar"] / wide
    radius = wide * ratio ** (2 / 3)
    return ratio, {"radius_equatorial": radius, "radius_polar": radius / ratio}


def _coated_ellipsoid(values: Values) -> tuple[float, dict[str, float]]:
    ratio = values["x_core"]
    return ratio, {"radius_equat_core": values["radius_equat_core"] * ratio ** (2 / 3), "x_core": 1 / ratio}


#: Of a body's values: how long it is over how wide, and those of one with the inverse ratio and its volume.
_INVERTED: dict[str, Callable[[Values], tuple[float, dict[str, float]]]] = {
    "cylinder": _rod,
    "core_shell_cylinder": _rod,
    "core_shell_bicelle": _rod,
    "ellipsoid": _ellipsoid,
    "core_shell_ellipsoid": _coated_ellipsoid,
}


def long_over_wide(fit: JointFit) -> float:
    """Of a body that may be flat or long; NaN of others."""
    if fit.model not in _INVERTED:
        return float("nan")
    return _INVERTED[fit.model](_values(fit))[0]


def _values(fit: JointFit) -> dict[str, float]:
    return {name: p.value for name, p in fit.of_curve(0).parameters.items()}


def other_proportions(task: JointTask, fit: JointFit) -> list[JointTask]:
    """The same with a long body where it is flat, and a flat one where it is long; of others none.

    Parameters
    ----------
    task : JointTask
        Begins where the fit has ended.
    """
    if fit.model not in _INVERTED:
        return []
    ratio, inverted = _INVERTED[fit.model](_values(fit))
    free = all(name in fit.parameters and not fit.parameters[name].fixed for name in inverted)
    if not free or not _ALIKE[0] < max(ratio, 1 / ratio) < _ALIKE[1]:
        return []
    starts = tuple({**(start or {}), **inverted} for start in task.starts)
    return [replace(task, starts=starts, settled=False)]


def beside(best: JointFit, others: Iterable[JointFit]) -> JointFit:
    """A fit with the sizes of a body of the other proportions that the curves do not tell from it."""
    near = [
        one
        for one in others
        if (long_over_wide(one) - 1) * (long_over_wide(best) - 1) < 0
        and one.minus_two_log < best.minus_two_log + EVIDENCE.strong
    ]
    if not near:
        return best
    other = min(near, key=lambda one: one.minus_two_log)
    names = _INVERTED[other.model](_values(other))[1]
    return replace(best, inverted={name: other.parameters[name] for name in names})
