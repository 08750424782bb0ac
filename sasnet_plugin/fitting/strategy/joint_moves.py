"""Where a joint fit may go from where it has ended: other layers, other shapes, other size distributions.

A long or a flat particle of one size and spheres of many sizes have curves alike to a few per cent (O.
Glatter and O. Kratky, Small Angle X-ray Scattering, 1982, chapter 5): a search that goes downhill ends at the
one where it begins near, and a size distribution that makes up for another shape stays.

sasmodels' size of a log-normal distribution is its median, that of the other kinds the mean: with the same
curve it is smaller by half the width squared, which is many errors. Kinds are compared by their means.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...simulate.clean import PD_TYPES
from ...simulate.priors import model_info
from ..assessment.error_estimates import Kind, spread_over
from ..ledger import Ledger
from ..pool import answers
from ..problem.experiment import starting_values
from ..problem.free_parameters import fittable
from ..problem.nested_models import larger
from ..result.model_fit import Parameter
from ..result.sample_result import JointFit, Key
from ..task import FitOptions, Pair
from .joint_fit import JointTask, fit_jointly

#: A model that is thought less probable is not fitted where another explains the sample.
UNLIKELY = 0.02
#: What every contrast is held against: bodies of one material, and of a core with a shell.
_PLAIN = ("sphere", "ellipsoid", "cylinder")
_SHELLS = ("core_shell_sphere", "core_shell_ellipsoid", "core_shell_cylinder")


def list_layered_bodies(body: str, chances: Mapping[str, float], but: Collection[str]) -> list[str]:
    """List bodies that one of fewer layers may stand for, the likeliest by `chances` first, without `but`."""
    material_count = materials(body)
    limits = [name for name in larger(body) if materials(name) > material_count > 0]
    likely = [
        n for n, chance in chances.items() if chance > UNLIKELY and materials(n) >= max(material_count, 2)
    ]
    body_names = dict.fromkeys(name for name in (*limits, *likely) if name not in but)
    return sorted(body_names, key=lambda name: -chances.get(name, 0.0))


def plainer(best: JointFit, options: FitOptions) -> list[Pair]:
    """Bodies with no more lengths than that of a fit, among hard neighbours where it has any."""
    # Of one material as well, where a fit of several leaves open whether they differ.
    factor = options.structure_factor
    if factor is None:
        factor = "hardsphere" if best.structure_factor else None
    elif factor == "none":
        factor = None
    bodies = [*_PLAIN]
    if materials(best.model) > 1:
        plain = _PLAIN if _may_be_one(best) else ()
        bodies = [n for n in (*plain, *_SHELLS) if lengths(n) <= lengths(best.model)]
    return [(name, factor) for name in bodies if name not in options.exclude]


def _may_be_one(fit: JointFit) -> bool:
    """Whether a density is so uncertain that it may be another part's."""
    density_parameters = (p for n, p in fit.parameters.items() if n.startswith("sld"))
    densities = [(p.value, p.error) for p in density_parameters if p.error is not None]
    return any(
        abs(value - other_density) < error
        for i, (value, error) in enumerate(densities)
        for j, (other_density, _) in enumerate(densities)
        if i != j
    )


def materials(model: str) -> int:
    """How many densities a body has, the solvent's left out."""
    table = model_info(model).parameters.call_parameters
    return len([p for p in table if p.type == "sld" and "solvent" not in p.name])


def lengths(model: str) -> int:
    """How many a body has, at least one."""
    table = model_info(model).parameters.call_parameters
    return max(len([p for p in table if p.type == "volume"]), 1)


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


#: Fits whose -2 ln of the evidence lies so far behind the best one may lead with another width: that of the
#: wrong length costs 40 in three curves that are off by 2 %, the wrong kind up to 25.
_LENGTH, _KIND = 60.0, 25.0
_AT_ONCE = 2
#: Width with which one begins that has none.
_FIRST_WIDTH = 0.1


def whichever_distribution(
    ledger: Ledger, fits: Sequence[JointFit], make_task: Callable[[JointFit], JointTask], most: float
) -> list[JointFit]:
    """Give the best fit, and those near it within `most` CPU seconds, the size distribution that suits each.
    `make_task` makes the task that begins where a fit ended.
    """
    if not fits:
        return []
    first = _whichever(ledger, fits[0], make_task)
    fits_found, end = [first], ledger.spent + most
    for fit in sorted(fits[1:], key=lambda joint: joint.minus_two_log):
        near = fit.minus_two_log < first.minus_two_log + _LENGTH and ledger.spent < end
        fits_found.append(_whichever(ledger, fit, make_task, first.minus_two_log, end) if near else fit)
    return fits_found


def _whichever(
    ledger: Ledger,
    fit: JointFit,
    make_task: Callable[[JointFit], JointTask],
    best: float = np.inf,
    end: float = np.inf,
) -> JointFit:
    """The fit with the width of the length that suits best, and of the kind that does where that matters."""
    lengths = [fit, *_fit_in_turn(ledger, other_lengths(make_task(fit), fit), end)]
    moved = min(lengths, key=lambda length_fit: length_fit.minus_two_log)
    if moved.minus_two_log > best + _KIND:
        return spread_over_kinds(lengths)
    return spread_over_kinds([*lengths, *_fit_in_turn(ledger, other_kinds(make_task(moved), moved), end)])


def either_proportions(ledger: Ledger, fit: JointFit, make_task: Callable[[JointFit], JointTask]) -> JointFit:
    """The fit, long or flat, whichever is likelier, with errors that hold the other as well."""
    return spread_over_kinds([fit, *_fit_in_turn(ledger, other_proportions(make_task(fit), fit), np.inf)])


def _fit_in_turn(ledger: Ledger, tasks: Sequence[JointTask], end: float) -> list[JointFit]:
    """A few at once, until so much CPU is spent, s; what a busy clock says makes no difference."""
    fits_found: list[JointFit] = []
    for i in range(0, len(tasks), _AT_ONCE):
        if ledger.spent < end:
            subset = answers(ledger, fit_jointly, tasks[i : i + _AT_ONCE], ledger.remaining)
            fits_found += [fit for _, fit in subset if isinstance(fit, JointFit)]
    return fits_found


def other_kinds(task: JointTask, fit: JointFit) -> list[JointTask]:
    """Repeat a fit from its end with other kinds of its widest distribution."""
    widths = _widths(fit)
    if not widths:
        return []
    widest = max(widths, key=lambda n: widths[n])
    distribution = fit.distributions[widest]
    return [_set_start_values(task, {f"{widest}_pd_type": kind}) for kind in PD_TYPES if kind != distribution]


def other_lengths(task: JointTask, fit: JointFit) -> list[JointTask]:
    """Repeat the fit with the width of another length than the widest one, or of each."""
    widths = _widths(fit)
    used = set(
        fittable(model_info(task.name), {n: p.value for n, p in fit.make_curve_fit(0).parameters.items()})
    )
    table = model_info(task.name).parameters.call_parameters
    lengths = [p.name for p in table if p.polydisperse and p.type == "volume" and p.name in used]
    free = [n for n in lengths if f"{n}_pd" not in task.fixed and n not in widths]
    if not widths:
        return [_set_start_values(task, {f"{n}_pd": _FIRST_WIDTH, f"{n}_pd_type": PD_TYPES[0]}) for n in free]
    widest = max(widths, key=lambda n: widths[n])
    width, distribution = widths[widest], fit.distributions[widest]
    return [
        _set_start_values(task, {f"{widest}_pd": 0.0, f"{n}_pd": width, f"{n}_pd_type": distribution})
        for n in free
    ]


def _widths(fit: JointFit) -> dict[str, float]:
    width_parameters = {n: fit.parameters[f"{n}_pd"] for n in fit.distributions}
    return {n: p.value for n, p in width_parameters.items() if not p.fixed}


def _set_start_values(task: JointTask, values: Mapping[str, Any]) -> JointTask:
    return replace(task, starts=tuple({**(s or {}), **values} for s in task.starts))


def spread_over_kinds(fits: Sequence[JointFit]) -> JointFit:
    """Take the likeliest of fits that differ in their distribution, with errors that cover the others."""
    best = min(fits, key=lambda fit: fit.minus_two_log)
    rest = [
        (float(np.exp(0.5 * (best.minus_two_log - fit.minus_two_log))), fit)
        for fit in fits
        if fit is not best
    ]

    def spread(key: Key) -> Parameter:
        name, place = key[0], key[1] or 0
        kinds = [
            Kind(weight, {**fit.parameters, **fit.own[place]}, fit.distributions)
            for weight, fit in [(1.0, best), *rest]
        ]
        return spread_over(name, kinds[0], kinds[1:])

    return best.replace_parameters({key: spread(key) for key in best.parameters_by_key()})
