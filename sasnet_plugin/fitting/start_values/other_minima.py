"""Where another minimum of much the same χ² may be, which no slope leads to from a fit.

Of a body with a core and a layer a curve shows well how large it is. Where the contrast of one of them is
weak, a thin layer about a large core and a thick one about a small core have much the same curve. And of a
plain power law the Guinier-Porod model (B. Hammouda, J. Appl. Cryst. 43 (2010) 716) has two readings: beyond
its knee, or before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Floats
from .layered import PLAIN, Plain, make_layered_starts

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
    kind = {f"{largest}_pd{end}": values[f"{broad_names[0]}_pd{end}"] for end in ("_n", "_nsigma", "_type")}
    return {f"{largest}_pd": spread / layered[largest], **kind}
