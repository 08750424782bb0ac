"""sasmodels' models with no more points of quadrature than a fit needs on its way.

sasmodels 1.1 averages over orientations with 20, 76, 500 or 5000 points, whichever is enough, and some models
always take 76² or 150²; between two steps of that ladder a body costs up to ten times what it needs. Here the
steps are narrow, and what is fixed is no more than the model's own prior asks for. Most curves agree to 1e-3:
enough to find a minimum, whose χ² sasmodels then calculates as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ...types import SasnetError, SimulationError, sum_parts
from ..compile_cache import prepare
from ..kernel import build, load_model
from .cost_classes import cost_class
from .lattice import LATTICES, WIDTHS, use_table
from .quadrature import c_nodes, replace_rule, set_quadrature
from .similar import SIMILAR, add_similar_kernel
from .size_averages import PARTICLES, add_size_averages
from .written import write_by_content

#: Points that one integral may have.
LADDER = (8, 12, 16, 20, 26, 34, 44, 58, 76, 100, 130, 170, 220, 290, 380, 500)
#: Points for a phase difference qr: those of n points are exact to degree 2n - 1, and the Legendre series of
#: the cosine of 2 qr u, u in (0, 1), ends soon after degree qr.
SLOPE, LEAST = 0.6, 9.0
#: More of them where the integrand is a narrow peak, as that of a rod about its axis.
SLOPES = {"triaxial_ellipsoid": 1.3}
#: Most points of two integrals together, as sasmodels has it.
MOST = 100_000
#: One integral, which is no longer expensive with as many points as it needs.
SINGLE = ("stacked_disks",)
#: These take as long as many others of two angles, whatever their sizes.
CAPPED = {"barbell", "capped_cylinder"}
#: What does for models whose number of points is fixed (in sasmodels 76 and 20).
FIXED = {"micromagnetic_FF_3D": 20, "superball": 14}


@cache
def quick_model(name: str) -> Any:
    """Return the model of `kernel.load_model` with fewer quadrature points, or itself without quadrature.
    Raises SimulationError if it cannot be loaded or compiled.
    """
    model = load_model(name)
    if len(sum_parts(name)) > 1:
        from sasmodels.mixture import MixtureModel

        # Of what is the same but for its rule of quadrature: the parameters stay.
        quicker = any(is_quick(part) for part in sum_parts(name))
        return MixtureModel(model.info, [quick_model(part) for part in sum_parts(name)]) if quicker else model
    form, _, factor = name.partition("@")
    if form.endswith(".py"):
        return model
    page = _page(form)
    if page is None and form not in SIMILAR:
        return model
    from sasmodels import core
    from sasmodels.product import ProductModel, make_product_info

    try:
        body = build(page) if page else load_model(form)
        if form in SIMILAR:
            body = add_similar_kernel(body)
        if form in PARTICLES:
            body = add_size_averages(body)
        if not factor:
            return body
        return ProductModel(
            make_product_info(body.info, core.load_model_info(factor)), body, load_model(factor)
        )
    except SasnetError:
        raise
    except Exception as error:
        raise SimulationError(f"{name}: sasmodels cannot compile this model ({error}).") from error


@cache
def is_quick(name: str) -> bool:
    """Whether `quick_model` gives another model than `kernel.load_model`."""
    return quick_model(name) is not load_model(name)


def is_exact(name: str, parameters: Mapping[str, Any]) -> bool:
    """Whether the quick curve is sasmodels' within 1e-3, a few narrow peaks aside."""
    if name not in LATTICES:
        return False
    return bool(WIDTHS[0] <= np.log(max(abs(float(parameters.get("d_factor", 0.0))), 1e-9)) <= WIDTHS[-1])


def nearest_exact(name: str, parameters: Mapping[str, Any]) -> dict[str, float]:
    """What has to change for `is_exact`, the quick model's curve staying the same, if anything can."""
    # Beyond its table of d_factor a quick lattice has the curve of the table's end.
    if name not in LATTICES or is_exact(name, parameters):
        return {}
    ends = np.exp(WIDTHS[[0, -1]])
    # One part in 10⁹ inside, so that the logarithm is, too.
    return {
        "d_factor": float(
            np.clip(parameters.get("d_factor", 0.0), ends[0] * (1 + 1e-9), ends[1] * (1 - 1e-9))
        )
    }


@cache
def fit_cost_class(name: str) -> str:
    """Return a quick model's cost class in fits, fast, medium or slow; of a sum the slowest."""
    forms = [part.partition("@")[0] for part in sum_parts(name)]
    medium = {*LATTICES, *SINGLE, *PARTICLES} - CAPPED
    classes = {"medium" if form in medium else cost_class(form) for form in forms}
    return next(cost for cost in ("slow", "medium", "fast") if cost in classes)


def _page(form: str) -> Any:
    """sasmodels' page of a form model with another rule of quadrature; None where it has none to replace."""
    from sasmodels import core

    # Beside what is compiled of them: the path is part of what sasmodels knows a compiled model by.
    folder = prepare()
    info = core.load_model_info(form)
    if form in LATTICES:
        return use_table(info, folder)
    if form in FIXED:
        return set_quadrature(info, FIXED[form], folder)
    if "lib/adaptive.c" in (info.source or ()):
        return replace_rule(info, [str(_ladder(folder, SLOPES.get(form, SLOPE)))])
    return None


def _ladder(folder: Path, slope: float) -> Path:
    """The C file of an adaptive rule with narrow steps, for sasmodels' calls of ``gauss_weights``."""
    lines = [
        "// Written by sasnet: Gauss-Legendre rules, the smallest that resolves a phase difference of qr.",
        *(c_nodes(n) for n in LADDER),
        f"#define ADAPTIVE_MAX_OUTER {MOST // max(LADDER)}",
        f"#define ADAPTIVE_MAX_76 {MOST // 76}",
        "static int gauss_weights(double qr, int n_outer, constant double **w, constant double **z)",
        "{",
        f"    const double wanted = {slope} * qr + {LEAST};",
        f"    const double most = {MOST} / (double) (n_outer > 0 ? n_outer : 1);",
    ]
    for n, following in zip(LADDER, (*LADDER[1:], None), strict=True):
        enough = f"    if (wanted <= {n} || {following} > most) " if following else "    "
        lines.append(enough + f"{{ *w = Gauss{n}Wt; *z = Gauss{n}Z; return {n}; }}")
    text = "\n".join([*lines, "}", ""])
    return write_by_content(folder, "sasnet_quadrature", text)
