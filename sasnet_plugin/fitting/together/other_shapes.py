"""Shapes of one volume: from where a joint fit has ended to where a body of another shape may be.

A long or a flat body of one size and spheres of many sizes have curves alike to a few per cent (O. Glatter
and O. Kratky, Small Angle X-ray Scattering, 1982, chapter 5): a search that goes downhill ends at the one
where it begins near, and a size distribution that makes up for another shape stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..problem.experiment import starting_values
from ..task import FitOptions
from .one_model import JointTask
from .result import JointFit

Values = Mapping[str, float]
Start = dict[str, Any]
#: Long over wide of the bodies one begins at, a long and a flat one.
_RATIOS = (1.8, 0.55)
#: Width of a polydisperse sphere one begins at.
_WIDTH = 0.15
#: Of the volume that is seen of spheres of many sizes, <R⁶>/<R³>, over that of the mean one: 1 + 12 w² to
#: lowest order in the width w, of which a third for the radius.
_SEEN = 4.0


def _sphere(radius: float, ratio: float) -> Start:
    del ratio
    return {"radius": radius, "radius_pd": _WIDTH}


def _ellipsoid(radius: float, ratio: float) -> Start:
    wide = radius * ratio ** (-1 / 3)
    return {"radius_equatorial": wide, "radius_polar": wide * ratio}


def _rod(radius: float, ratio: float) -> Start:
    wide = radius * (2 / 3 / ratio) ** (1 / 3)
    return {"radius": wide, "length": 2 * wide * ratio}


def _make_coated_ellipsoid(radius: float, ratio: float) -> Start:
    return {"radius_equat_core": radius * ratio ** (-1 / 3), "x_core": ratio, "x_polar_shell": 1.0}


#: Of each body, the sphere of its volume, or of its core's; and its sizes from that and from its ratio.
_BODIES: dict[str, tuple[Callable[[Values], float], Callable[[float, float], Start]]] = {
    "sphere": (lambda v: v["radius"], _sphere),
    "ellipsoid": (lambda v: (v["radius_polar"] * v["radius_equatorial"] ** 2) ** (1 / 3), _ellipsoid),
    "cylinder": (lambda v: (0.75 * v["radius"] ** 2 * v["length"]) ** (1 / 3), _rod),
    "core_shell_sphere": (lambda v: v["radius"], _sphere),
    "core_shell_ellipsoid": (
        lambda v: v["x_core"] ** (1 / 3) * v["radius_equat_core"],
        _make_coated_ellipsoid,
    ),
    "core_shell_cylinder": (lambda v: (0.75 * v["radius"] ** 2 * v["length"]) ** (1 / 3), _rod),
}
_ROUND = ("sphere", "core_shell_sphere")
#: Long over wide, of bodies that are either.
_RATIO: dict[str, Callable[[Values], float]] = {
    "ellipsoid": lambda v: v["radius_polar"] / v["radius_equatorial"],
    "cylinder": lambda v: v["length"] / (2 * v["radius"]),
    "core_shell_ellipsoid": lambda v: v["x_core"],
    "core_shell_cylinder": lambda v: v["length"] / (2 * v["radius"]),
}
#: A longer or flatter body has a curve of its own, and is not taken for the other.
_MOST = 4.0
_THICKNESS = {"core_shell_ellipsoid": "thick_shell"}


def kin(fit: JointFit, options: FitOptions) -> list[str]:
    """Bodies of as many materials as that of a fit, of those that a user asks for; none where it is no
    body.
    """
    # Its own too, as a long and a flat one of it are two.
    if fit.model not in _BODIES:
        return []
    coated = fit.model.startswith("core_shell")
    bodies = [n for n in _BODIES if n.startswith("core_shell") == coated and n not in options.exclude]
    other_bodies = [n for n in bodies if n not in _ROUND or n != fit.model]
    return [n for n in other_bodies if options.models is None or n in options.models]


def sizes(model: str) -> list[str]:
    """Names of the lengths of one of these bodies, or of its core, and of their ratio."""
    return [name for name in _BODIES[model][1](1.0, 1.0) if name != "x_polar_shell" and "_pd" not in name]


def other_shapes(task: JointTask, fit: JointFit, models: Sequence[str]) -> list[JointTask]:
    """Make long and flat bodies (`kin` of the fit) with the volume of a fit and one size, for all curves."""
    if not models:
        return []
    curve_values = [starting_values(fit.make_curve_fit(i)) for i in range(len(fit.own))]
    mean = sum(_compute_apparent_radius(fit.model, start) for start in curve_values) / len(curve_values)
    tasks = []
    for model in models:
        for ratio in (1.0,) if model in _ROUND else _RATIOS:
            body_values = _BODIES[model][1](mean, ratio)
            starts = tuple(
                _others(fit.model, s) | _coat(fit.model, model, s) | body_values for s in curve_values
            )
            tasks.append(replace(task, model=model, starts=starts, settled=False))
    return tasks


def other_proportions(task: JointTask, fit: JointFit) -> list[JointTask]:
    """Make a long body of a fit flat, and the reverse; none of others."""
    # With the widths that it has, and where none is the first of its sizes', with one of that alone: neither
    # of the two need be of one size, nor of many in the same length.
    curve_values = [starting_values(fit.make_curve_fit(i)) for i in range(len(fit.own))]
    if fit.model not in _RATIO or any(fit.make_curve_fit(0).parameters[n].fixed for n in sizes(fit.model)):
        return []
    ratio = _RATIO[fit.model](curve_values[0])
    if not 1 / _MOST < ratio < _MOST:
        return []
    (volume, of_volume), (long, flat) = _BODIES[fit.model], _RATIOS
    starts = [s | of_volume(volume(s), long if ratio < 1 else flat) for s in curve_values]
    start_sets = [starts]
    width = f"{sizes(fit.model)[0]}_pd"
    if any(name.endswith("_pd") for name in curve_values[0]) and width not in curve_values[0]:
        start_sets.append([{n: v for n, v in s.items() if "_pd" not in n} | {width: _WIDTH} for s in starts])
    return [replace(task, starts=tuple(start_set), settled=False) for start_set in start_sets]


def _compute_apparent_radius(model: str, values: Start) -> float:
    """Radius of the sphere of the volume that a curve shows, polydispersity included."""
    width = max((v for n, v in values.items() if n.endswith("_pd")), default=0.0)
    return float(_BODIES[model][0](values) * (1 + _SEEN * width**2))


def _others(model: str, values: Start) -> Start:
    """What is no size: densities, neighbours, scale and background."""
    sizes = {*_BODIES[model][1](1.0, 1.0), _THICKNESS.get(model, "thickness")}
    return {n: v for n, v in values.items() if not any(n == s or n.startswith(f"{s}_pd") for s in sizes)}


def _coat(model: str, other_model: str, values: Start) -> Start:
    """The shell's thickness under the other body's name, where it has one."""
    if not other_model.startswith("core_shell"):
        return {}
    return {_THICKNESS.get(other_model, "thickness"): values[_THICKNESS.get(model, "thickness")]}
