"""The curve of a benchmark's truth as sasmodels calculates it, with sasmodels' resolution.

Training's grid has shortcuts: cells of 0.3 % of q, splines between the points of dear models, size
distributions that end elsewhere, and at q below the resolution's width the beam's other side. They are
enough to learn from; where uncertainties are small, no fit could come near such a curve.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.types import Curve, product_name

if TYPE_CHECKING:
    from sasnet_plugin.simulate.instrument import Setting

#: Of size distributions: of one, and of each where there are more, whose points multiply. Of costly models
#: as many as a fit has: a superball would take nine minutes.
POINTS = {"fast": (201, 61), "medium": (21, 21), "slow": (15, 15)}


def calculated(
    curve: Curve, dintensity: NDArray[np.float64], model: tuple[str, str | None], parameters: dict[str, Any],
    setting: Setting, expected: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:  # fmt: skip
    """sasmodels' curve, without background in units of `expected`, and the background; at as many points of
    q as its peaks and fringes need.
    """
    from sasnet_plugin.fitting.problem.experiment import experiment, silent
    from sasnet_plugin.fitting.problem.resolution import apply_sampling, scale_and_background
    from sasnet_plugin.fitting.settings import PROBLEM
    from sasnet_plugin.simulate.quick_models.quick import fit_cost_class, is_exact

    form, factor = model
    name = product_name(form, factor)
    start = spread(form, parameters)
    if factor:
        start["radius_effective_mode"] = 0
    seen = curve if setting.dxl is not None else replace(curve, dq=setting.sigma)
    # Paracrystals: a table of sasmodels' own averages, where a curve of narrow peaks would take minutes.
    table = is_exact(name, start)
    fitness = experiment(seen, dintensity, name, start, quick=table)
    fitness.model.scale.value, fitness.model.background.value = 1.0, 0.0
    fitness.update()

    def fitted() -> tuple[float, float]:
        theory = np.asarray(fitness.theory())
        scale, background = scale_and_background(theory, 1 / dintensity**2, expected, lowest=-np.inf)
        return float(scale), float(background)

    with silent():
        fitness.model.scale.value, _ = fitted()
        fitness.update()
        finest = PROBLEM.finest_by_cost["fast" if table else fit_cost_class(form)]
        apply_sampling(fitness, seen, sampling_of(fitness, seen, finest))
        scale, background = fitted()
        return scale * np.asarray(fitness.theory()), background


def sampling_of(fitness: Any, curve: Curve, finest: int) -> int | None:
    """As `sampling_needed`, of an experiment; it is left with the last sampling that was tried."""
    from sasnet_plugin.fitting.problem.resolution import apply_sampling, has_resolution, sampling_needed

    def residual(per_decade: int | None) -> Any:
        apply_sampling(fitness, curve, per_decade)
        return np.asarray(fitness.theory(), dtype=float) / fitness.dIq

    return sampling_needed(residual, finest=finest) if has_resolution(curve) else None


def spread(form: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """With size distributions of as many points as the cost of the model allows: few are fringes apart."""
    from sasnet_plugin.fitting.problem.free_parameters import complete_distributions, widths_of
    from sasnet_plugin.simulate.quick_models.cost_classes import cost_class

    return complete_distributions(parameters, POINTS[cost_class(form)][len(widths_of(parameters)) > 1])


def of_product(form: str, parameters: dict[str, Any], interacting: dict[str, float]) -> dict[str, float]:
    """A structure factor's parameters as those of sasmodels' product P@S.

    For hollow bodies sasmodels' ``volfraction`` is of the matter, and S(q) has that of the whole bodies,
    larger by their volume over that of the matter (sasmodels' ``product.py``).
    """
    from sasmodels.direct_model import call_Fq

    from sasnet_plugin.simulate.kernel import load_model

    body = spread(form, parameters) | {"radius_effective_mode": 1}
    kernel = load_model(form).make_kernel([np.array([0.01])])
    *_, ratio = call_Fq(kernel, body)
    return interacting | {"volfraction": interacting["volfraction"] / float(ratio)}
