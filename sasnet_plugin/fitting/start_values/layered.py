"""Starts of layered particles: a plain particle's fit with a layer, and other divisions into core and layer.

With deep fringes a layered body is found only from within a few per cent of its size, where a plain one,
whose size is all that it has, is found from far: a layer in it, of a contrast between those of body and
solvent or beyond both, is near enough to the sample.

Of a body with a core and a layer a curve shows well how large it is. Where the contrast of one of them is
weak, a thin layer about a large core and a thick one about a small core have much the same curve. And of a
plain power law the Guinier-Porod model (B. Hammouda, J. Appl. Cryst. 43 (2010) 716) has two readings: beyond
its knee, or before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arrays import Floats
from ...simulate.kernel import load_model
from ...simulate.size_distributions import distribution_keywords, find_density
from ...types import Curve
from ..problem.free_parameters import sharp
from ..settings import START_VALUES
from ..task import Task

# --- A plain particle's fit with a layer that is thin or most of it.

#: A fringe's top is looked for so far away, in ln q; and what of it a plain body may be off by.
_FRINGE, _OF_TOPS = 0.6, 0.1
#: Values of a plain body, and a share of its half size -> sizes of a layered one whose layer is that share.
Sizes = Callable[[Mapping[str, Any], float], dict[str, float]]


@dataclass(frozen=True)
class Plain:
    """The plain body that a layered one is without its layer."""

    name: str
    own: tuple[str, ...]  #: Its sizes.
    sizes: Sizes
    whole: Callable[[Mapping[str, Any]], dict[str, float]]  #: Values of a layered body -> these sizes.
    core: str = "radius"  #: Size of what is within the layer.
    layer: str = "thickness"
    #: inner, outer: the layered body's contrasts.
    inner: str = "sld_core"
    outer: str = "sld_shell"

    def task_of(self, layered: Task) -> Task:
        """Make the task to fit the plain body instead of a layered one, with the user's values."""
        known_names = {p.name for p in load_model(self.name).info.parameters.call_parameters}
        fixed = {name: value for name, value in layered.fixed.items() if name in known_names}
        ranges = {name: limits for name, limits in layered.ranges.items() if name in known_names}
        return replace(layered, model=self.name, fixed=fixed, ranges=ranges, extra=None)


def _round(values: Mapping[str, Any], share: float) -> dict[str, float]:
    radius = values["radius"]
    return {"radius": (1 - share) * radius, "thickness": share * radius}


def _round_whole(values: Mapping[str, Any]) -> dict[str, float]:
    return {"radius": values["radius"] + values["thickness"]}


def _ellipsoid(values: Mapping[str, Any], share: float) -> dict[str, float]:
    equator, pole = values["radius_equatorial"], values["radius_polar"]
    layer = share * min(equator, pole)
    core = equator - layer
    ratio = (pole - layer) / core
    return {"radius_equat_core": core, "x_core": ratio, "thick_shell": layer, "x_polar_shell": 1.0}


def _ellipsoid_whole(values: Mapping[str, Any]) -> dict[str, float]:
    core, layer = values["radius_equat_core"], values["thick_shell"]
    pole = values["x_core"] * core + values["x_polar_shell"] * layer
    return {"radius_equatorial": core + layer, "radius_polar": pole}


def _sheet(values: Mapping[str, Any], share: float) -> dict[str, float]:
    half = values["thickness"] / 2
    return {"length_tail": (1 - share) * half, "length_head": share * half}


def _sheet_whole(values: Mapping[str, Any]) -> dict[str, float]:
    return {"thickness": 2 * (values["length_tail"] + values["length_head"])}


#: By the layered body.
PLAIN: dict[str, Plain] = {
    "core_shell_sphere": Plain("sphere", ("radius",), _round, _round_whole),
    "core_shell_cylinder": Plain("cylinder", ("radius",), _round, _round_whole),
    "core_shell_ellipsoid": Plain(
        "ellipsoid", ("radius_equatorial", "radius_polar"), _ellipsoid, _ellipsoid_whole,
        "radius_equat_core", "thick_shell",
    ),
    "lamellar_hg": Plain(
        "lamellar", ("thickness",), _sheet, _sheet_whole, "length_tail", "length_head", "sld", "sld_head"
    ),
}  # fmt: skip


def relax_dips(curve: Curve, dintensity: Floats) -> Floats:
    """Uncertainties (n,) that let a plain body miss how deep the dips between fringes are."""
    # A layer decides that. Beside the data's own uncertainties a plain body follows the dips, however large
    # it has to be for it.
    log_q, intensity = np.log(curve.q), curve.intensity
    low, high = np.searchsorted(log_q, log_q - _FRINGE, "right"), np.searchsorted(log_q, log_q + _FRINGE)
    # Slices and no matrix: a curve may have thousands of points.
    largest_before = [intensity[a : i + 1].max() for i, a in enumerate(low)]
    after = [intensity[i:b].max() for i, b in enumerate(high)]
    return np.asarray(np.hypot(dintensity, _OF_TOPS * np.minimum(largest_before, after)))


def make_layered_starts(form: str, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Make starting values of a layered form, a key of `PLAIN`, from a fit of the plain one."""
    plain, solvent = PLAIN[form], values["sld_solvent"]
    contrast = values["sld"] - solvent
    rest = {name: value for name, value in sharp(values).items() if name not in (*plain.own, "sld")}
    for share in START_VALUES.layers:
        for of_body in START_VALUES.layer_contrasts:
            densities = {plain.inner: values["sld"], plain.outer: solvent + of_body * contrast}
            yield {**rest, **plain.sizes(values, share), **densities}


# --- Other minima of nearly the same χ².

#: Rg of a knee that q does not reach, times the nearest q that it does.
_NOT_SEEN_BEYOND, _NOT_SEEN_BELOW = 1.0, 10.0
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Others:
    """Starts of other minima of a model."""

    sizes: tuple[str, ...]  #: Parameters by which minima differ; all have to be open.
    starts: Callable[[Values, Floats], Iterator[dict[str, Any]]]  #: From values of a fit, and its q.


def others_of(form: str) -> Others | None:
    """Return other minima that a form is known to have, or None."""
    if form in PLAIN:
        plain = PLAIN[form]
        return Others((plain.core, plain.layer), lambda values, q: divide_layers(form, values))
    return Others(("rg",), _move_knee) if form == "guinier_porod" else None


def _move_knee(values: Values, q: Floats) -> Iterator[dict[str, Any]]:
    """A knee below the smallest q, where that of a fit is above the largest."""
    if values["rg"] * q[-1] < _NOT_SEEN_BEYOND:
        yield {**values, "rg": _NOT_SEEN_BELOW / q[0], "porod_exp": values["s"], "s": 0.0}


def divide_layers(form: str, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Make starts with the layer thin, and with it thick, at the fitted total size and width, from
    `problem.experiment.starting_values` of a form in `PLAIN`.
    """
    plain = PLAIN[form]
    core, layer = values[plain.core], values[plain.layer]
    # Of the contrast of both by their thickness: that of a body which is nearly all one of them.
    mean = (core * values[plain.inner] + layer * values[plain.outer]) / (core + layer)
    sizes = plain.whole(values)
    layer_names = (plain.core, plain.layer)
    rest = {n: v for n, v in values.items() if not n.startswith(tuple(f"{name}_pd" for name in layer_names))}
    for layered in make_layered_starts(form, {**rest, **sizes, "sld": mean}):
        widths = _as_broad(plain, values, layered)
        yield {**rest, **layered, **widths}


def _as_broad(plain: Plain, values: Mapping[str, Any], layered: Mapping[str, float]) -> dict[str, Any]:
    """Give the larger of core and layer the width that spreads the whole as the fit's widths do."""
    broad_names = [name for name in (plain.core, plain.layer) if f"{name}_pd" in values]
    if not broad_names:
        return {}
    spread = float(np.hypot.reduce([values[name] * values[f"{name}_pd"] for name in broad_names]))
    largest = max(plain.core, plain.layer, key=lambda name: layered[name])
    broad = f"{broad_names[0]}_pd"
    width = spread / layered[largest]
    points = find_density(
        values[f"{broad}_type"], values[broad], values[f"{broad}_n"], broad.removesuffix("_pd")
    )
    return {
        f"{largest}_pd": width,
        **distribution_keywords(largest, values[f"{broad}_type"], width, points),
    }
