"""Parameters of a fit: which are fitted, within which ranges, and with which size distributions."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...simulate.clean import PD_TYPES
from ...simulate.kernel import load_model
from ...simulate.quick_models.cost_classes import cost_class
from ...simulate.size_distributions import adapt_ranges, distribution_keywords
from ..result.components import bare, is_scale
from ..settings import PROBLEM, START_VALUES
from .sums import prefix, scales_of

if TYPE_CHECKING:
    from ..task import Task


_Key = TypeVar("_Key")
_TINY = float(np.finfo(float).tiny)
#: Whether the particle gives its effective radius to the structure factor (1), or that is a parameter (0).
EFFECTIVE_MODE = "radius_effective_mode"
#: Of charged spheres, not fitted.
SURROUNDINGS = ("temperature", "dielectconst")
#: Not fitted: modes, the surroundings of charged spheres, and the effective radius unless its range is given.
_NOT_FITTED = frozenset({"structure_factor_mode", EFFECTIVE_MODE, "radius_effective", *SURROUNDINGS})
#: The structure factor whose charge depends on the temperature and the dielectric constant of the solvent.
CHARGED = "hayter_msa"
#: Fitted where there is some, as a width of sizes is.
SALT = "concentration_salt"
#: Counts that a body has: integers, which a slope cannot find.
COUNTS = frozenset(
    {"n_shells", "n_stacking", "n_pearls", "num_pearls", "Nlayers", "n_pairs", "n_aggreg", "arms"}
)
#: Other integers: how many parameters there are, or which kind of shape.
_OTHER_INTEGERS = frozenset({"n", "n_steps", "level", "n_sides", "case_num"})


def dielectric_constant_of_water(temperature: float) -> float:
    """Relative, at a temperature in K between 273 and 373 (C. G. Malmberg & A. A. Maryott, J. Res. Natl. Bur.
    Stand. 56 (1956) 1).
    """
    t = temperature - 273.15
    return 87.740 - 0.40008 * t + 9.398e-4 * t**2 - 1.410e-6 * t**3


def add_surroundings(
    factor: str | None, fixed: Mapping[str, float], free: Collection[str] = (), prefix: str = "",
    given: float | None = None,
) -> dict[str, float]:  # fmt: skip
    """Fixed values with those of water around charged particles at a `given` temperature (K) or 25 °C, but
    for what is fixed or `free`.
    """
    if factor != CHARGED:
        return dict(fixed)
    temperature = fixed.get(f"{prefix}temperature", given or PROBLEM.temperature)
    water = {"temperature": temperature, "dielectconst": dielectric_constant_of_water(temperature)}
    named = {f"{prefix}{name}": value for name, value in water.items()}
    return {name: value for name, value in named.items() if name not in free} | dict(fixed)


def names_of(info: Any) -> set[str]:
    names = set()
    for p in info.parameters.call_parameters:
        names.add(p.name)
        if p.polydisperse:
            names |= {f"{p.name}_pd", f"{p.name}_pd_n", f"{p.name}_pd_nsigma", f"{p.name}_pd_type"}
    return names


def select_accepted(info: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    """Select the parameters that a model has; others would raise an error."""
    names = names_of(info)
    return {k: v for k, v in parameters.items() if k in names}


def moves(column: NDArray[np.float64]) -> bool:
    """Whether a parameter with this effect moves the curve: a column (n,) with a length to divide by."""
    # A component that has no curve at these values leaves numbers so small that their squares are 0.
    return _TINY < _length(column) < np.inf


def _length(column: NDArray[np.float64]) -> float:
    return math.sqrt(column @ column)


def moving(columns: Mapping[_Key, NDArray[np.float64]]) -> dict[_Key, NDArray[np.float64]]:
    """The effects (n,), by parameter, of those that `moves`."""
    return {name: column for name, column in columns.items() if moves(column)}


def independent(
    columns: Mapping[_Key, NDArray[np.float64]], reach: Mapping[_Key, float] | None = None
) -> list[_Key]:
    """Select columns (n,), effects in uncertainties, that are no combination of earlier ones."""
    # `reach` is how far each value may be off. A parameter without effect within it comes last, as it would
    # replace others that the data determine.
    basis: list[NDArray[np.float64]] = []
    free: list[_Key] = []
    lengths = {name: _length(column) for name, column in moving(columns).items()}
    for far in (reach, {}) if reach else ({},):  # the second time, whatever effect one has
        for name in [name for name in lengths if name not in free]:
            column, length = columns[name], lengths[name]
            rest = column / length - sum((c @ column) / length * c for c in basis)
            remaining_norm = _length(rest)
            felt = remaining_norm * length * far.get(name, np.inf) > 1
            if felt and remaining_norm >= PROBLEM.alike:
                basis.append(rest / remaining_norm)
                free.append(name)
    return free


def fittable(info: Any, parameters: Mapping[str, Any], fitted: Collection[str] = ()) -> list[str]:
    """List continuous parameters in use: scale, background, shape, widths, salt, contrasts, fractions."""
    # What the user wants `fitted` stands before what the data may not distinguish from it.
    shape: list[str] = []
    sld: list[str] = []
    last: list[str] = []
    rows = {"shape": shape, "sld": sld, "last": last}
    for name, row, needed in _fittable(info):
        if all(float(parameters.get(n, default)) > least for n, default, least in needed):
            rows[row].append(name)
    usual = [*scales_of(info.id), "background", *shape, *_effective_radii(parameters), *sld, *last]
    chosen = [name for name in list_continuous(info) if name in fitted] if fitted else []
    return list(dict.fromkeys([*usual[: usual.index("background") + 1], *chosen, *usual]))


def list_continuous(info: Any) -> list[str]:
    """Names of the parameters that a fit can vary, size distributions included."""
    names: list[str] = []
    for p in info.parameters.call_parameters:
        if p.type in ("orientation", "magnetic") or p.choices or _is_integer(p):
            continue
        names += [p.name, f"{p.name}_pd"] if p.polydisperse else [p.name]
    return names


def _effective_radii(parameters: Mapping[str, Any]) -> list[str]:
    modes = [name for name, value in parameters.items() if bare(name) == EFFECTIVE_MODE and value == 0]
    return [name.removesuffix("_mode") for name in modes]


@lru_cache(maxsize=256)
def _fittable(info: Any) -> list[tuple[str, str, list[tuple[str, float, float]]]]:
    """Names, what each is, and which values have to be above what for it to be fitted."""
    # Widths and salt that are in use, and no layer beyond the last, such as ``thickness7`` where n is 4.
    entries: list[tuple[str, str, list[tuple[str, float, float]]]] = []
    for p in info.parameters.call_parameters:
        if _is_never_fitted(p):
            continue
        row = _row(p, info)
        needed = _layer(p, info) + ([(p.name, 0.0, 0.0)] if bare(p.name) == SALT else [])
        entries.append((p.name, row, needed))
        if row == "shape" and p.polydisperse:
            entries.append((f"{p.name}_pd", row, [*needed, (f"{p.name}_pd", 0.0, 0.0)]))
    return entries


def _is_never_fitted(p: Any) -> bool:
    """Whether it is no continuous parameter of a form, or one of those that `fittable` names first."""
    name = bare(p.name)
    if name in _NOT_FITTED or name == "background" or is_scale(name):
        return True
    return p.type in ("orientation", "magnetic") or bool(p.choices) or _is_integer(p)


def _row(p: Any, info: Any) -> str:
    """What a parameter is: of the shape, a contrast, or the solvent's or an amount."""
    if p.type == "sld" or "sld" in p.name:
        return "last" if "solvent" in p.name else "sld"
    return "last" if p.name == "volfraction" and "@" not in info.id else "shape"


def _layer(p: Any, info: Any) -> list[tuple[str, float, float]]:
    stem = p.name.rstrip("0123456789")
    of_model = {k.id: k for k in info.parameters.kernel_parameters}
    vector = of_model.get(stem)
    if stem == p.name or vector is None or vector.length <= 1 or vector.length_control is None:
        return []
    control = of_model[vector.length_control]
    return [(control.id, float(control.default), float(p.name[len(stem) :]) - 1)]


def _is_integer(p: Any) -> bool:
    name = bare(p.name)
    return name in COUNTS | _OTHER_INTEGERS or name.rstrip("0123456789") == "shape"


def widths_of(parameters: Iterable[str]) -> list[str]:
    return [name for name in parameters if name.endswith("_pd")]


def sharp(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if "_pd" not in name}


def complete_distributions(parameters: dict[str, Any], points: int) -> dict[str, Any]:
    """Add kind, range and points of each size distribution, so many over `USUAL_RANGE`; the bank gives
    ``radius_pd_type`` as a number.
    """
    start = dict(parameters)
    for key in widths_of(start):
        if not start[key] and f"{key}_n" in start:
            continue
        kind = start.get(f"{key}_type", "gaussian")
        kind = kind if isinstance(kind, str) else PD_TYPES[int(kind)]
        start |= distribution_keywords(key.removesuffix("_pd"), kind, float(start[key]), points)
    return start


def coarse(model: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Use fewer points in size distributions, as two of them multiply the cost."""
    count = max(len(widths_of(parameters)), 1)
    return complete_distributions(parameters, max(PROBLEM.coarse_width_points[cost_class(model)] // count, 5))


def points_needed(
    model: str, parameters: dict[str, Any], residuals: Callable[[dict[str, Any]], NDArray[np.float64]]
) -> int:
    """Choose the fewest points of size distributions that change the curve little, or what the model's cost
    allows; `residuals` of parameters in uncertainties.
    """
    # Fringes washed out by a distribution need few; those of narrow distributions or large particles need
    # more.
    most, count = PROBLEM.width_points[cost_class(model)], len(widths_of(parameters))
    if count == 0:
        return most
    if count == 1:
        most = PROBLEM.one_width_points[cost_class(model)]
    exact = residuals(complete_distributions(parameters, most))
    for points in PROBLEM.few_width_points:
        if points >= most:
            break
        change = residuals(complete_distributions(parameters, points)) - exact
        if float(np.mean(change**2)) < PROBLEM.tolerance:
            return points
    return most


def other_kinds(parameters: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return parameters for each other kind of size distribution, by name, and for none."""
    widths = widths_of(parameters)
    if not widths:
        return {}
    kinds = {"none": sharp(parameters)}
    for kind in PD_TYPES:
        changed = {f"{k}_type": kind for k in widths}
        if not changed.items() <= parameters.items():
            kinds[kind] = adapt_ranges(parameters | changed, parameters)
    return kinds


def other_widths(task: Task, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Return parameters with a distribution of each size in turn and, if there is one, without."""
    # A width that another size or none should have washes out the same fringes.
    table = load_model(task.model).info.parameters.call_parameters
    varied = parameters.keys() - task.fixed.keys()
    widths = [f"{p.name}_pd" for p in table if is_size(p) and p.name in varied]
    begin = len(prefix(0)) if "+" in task.model else 0
    groups = groupby(widths, lambda name: name[:begin])
    return [variant for _, group in groups for variant in _other_widths(task, parameters, list(group))]


def is_size(p: Any) -> bool:
    return bool(p.polydisperse and p.type == "volume")


def _other_widths(task: Task, parameters: dict[str, Any], widths: list[str]) -> list[dict[str, Any]]:
    """Do the same in one component: give a distribution to each size without one."""
    present_widths = tuple(width for width in widths if width in parameters)
    if task.kept_widths.intersection(present_widths):
        return []
    points = PROBLEM.coarse_width_points[cost_class(task.model)]
    plain = {k: v for k, v in parameters.items() if not k.startswith(present_widths)}
    variants = []
    for width in (name for name in widths if name not in present_widths and name not in task.fixed):
        kind = {f"{width}_type": parameters[f"{present_widths[0]}_type"]} if present_widths else {}
        variants.append(complete_distributions(plain | kind | {width: PROBLEM.first_width}, points))
    return [*variants, plain] if present_widths else variants


def counts_of(info: Any, parameters: dict[str, Any], fixed: Iterable[str] = ()) -> list[str]:
    """Names of the counts that a body has and that are free, such as the layers of a stack."""
    # Others, such as ``n`` of core_multi_shell, say which parameters there are.
    controls = {p.length_control for p in info.parameters.kernel_parameters if p.length_control}
    return sorted((COUNTS & parameters.keys()).difference(controls, fixed))


def round_counts(parameters: Mapping[str, Any], fixed: Iterable[str] = ()) -> dict[str, Any]:
    """Parameters with whole counts, as sasmodels calculates with: the library has fractions of arms."""
    counts = {n for n in parameters if bare(n) in COUNTS}.difference(fixed)
    return {**parameters, **{name: float(round(float(parameters[name]))) for name in counts}}


def sizes_of(info: Any, parameters: dict[str, Any], fixed: frozenset[str]) -> list[str]:
    """Names of the lengths of a body that a fit varies, the longest first: its fringes are the finest."""
    lengths = {p.name for p in info.parameters.call_parameters if p.units == "Ang"} - fixed
    size_names = [n for n in fittable(info, parameters) if n in lengths and float(parameters.get(n, 0.0)) > 0]
    return sorted(size_names, key=lambda n: -float(parameters[n]))


def are_near_in_size(names: Iterable[str], a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether there are sizes of these names, and all are much the same in two."""
    sizes = [(float(a[n]), float(b.get(n, 0.0))) for n in names]
    off = [abs(np.log(x / y)) if min(x, y) > 0 else np.inf for x, y in sizes]
    return bool(off) and bool(max(off) < START_VALUES.distinct)
