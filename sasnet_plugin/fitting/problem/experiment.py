"""The bumps problem of a curve and a model, from starting values or where a fit has ended."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...simulate.kernel import call, load_model
from ...simulate.kernel_call import Curves, KernelCall, keep_curves
from ...simulate.quick_models.quick import quick_model
from ...simulate.size_distributions import distribution_keywords
from ...types import Curve, sum_parts
from ..ledger import count, read_spent_time
from ..result.model_fit import ModelFit
from ..settings import PROBLEM
from .bumps_import import import_bumps
from .free_parameters import EFFECTIVE_MODE, complete_distributions, select_accepted
from .overlaps import is_negative, is_too_low
from .resolution import apply_sampling, resolution
from .sums import all_exact, parts_of, scales_of


class TimeUpError(Exception):
    """A fit has used its time; what it found so far stands."""


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Suppress what bumps prints, logs and warns of; the notes of a fit say it."""
    # bumps logs the traceback of whatever ends a calculation, `TimeUpError` too; without any logging set up
    # it would reach the terminal.
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def experiment(
    curve: Curve,
    dintensity: NDArray[np.float64],
    name: str,
    parameters: dict[str, Any],
    *,
    quick: bool = False,
) -> Any:
    """Make a sasmodels Experiment (``sphere@hardsphere``) with finite residuals."""
    # Its ``best`` is the least χ² seen, with all parameters. After its ``deadline``, in evaluations
    # (`costs`), it raises `TimeUpError`.
    import_bumps()
    from sasmodels.bumps_model import Experiment, Model

    class Guarded(Experiment):  # type: ignore[misc]
        """NaN residuals would keep LM running for ever; a negative intensity is none, and so has none."""

        deadline = np.inf
        #: Points of size distributions over `USUAL_RANGE`, whose ranges follow their widths; 0: as given.
        width_points = 0
        is_bounded = False  #: No intensity with background `is_too_low`.
        best: tuple[float, dict[str, Any]] = (np.inf, {})
        #: Added to I(q) before smearing: what sasmodels' own curve has more than a quick one.
        correction: NDArray[np.float64] | None = None
        Iq_calc: NDArray[np.float64]

        def theory(self) -> NDArray[np.float64]:
            if read_spent_time() > self.deadline:
                raise TimeUpError
            if "theory" not in self._cache:
                for part, _, part_parameters in parts_of(name, self.model.state()):
                    count(part, part_parameters, self.resolution.q_calc, quick=quick)
            try:
                intensity = np.asarray(super().theory())
            except Exception:  # a user's model has no value there, whatever it raises
                return np.full(len(curve), np.nan)
            # sasmodels keeps what it calculated before smearing, without background.
            is_low = self.is_bounded and is_too_low(intensity, curve.intensity)
            has_none = is_low or is_negative(np.asarray(self.Iq_calc))
            return np.full(len(curve), np.nan) if has_none else intensity

        def _calc_theory(self, pars: dict[str, Any], cutoff: float = 0.0) -> NDArray[np.float64]:
            """As sasmodels', with what does not change between calls kept."""
            if self._kernel is None:
                self._kernel: Any = self._model.make_kernel((self.resolution.q_calc,))
                kernels = (load(part).make_kernel([self.resolution.q_calc]) for part in sum_parts(name))
                self._calls = [keep_curves(KernelCall(kernel, cutoff)) for kernel in kernels]
            if self.width_points:
                pars = complete_distributions(pars, self.width_points)
            self.Iq_calc = _add_parts(name, pars, self._calls)
            if self.correction is not None:
                corrected = self.Iq_calc + self.correction
                self.Iq_calc = np.where(corrected < 0, self.Iq_calc, corrected)
            return np.asarray(self.resolution.apply(self.Iq_calc) + pars.get("background", 0.0))

        def residuals(self) -> NDArray[np.float64]:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                residuals = np.asarray(super().residuals(), dtype=float)
            residuals = np.clip(
                np.nan_to_num(residuals, nan=PROBLEM.no_value), -PROBLEM.no_value, PROBLEM.no_value
            )
            chisq = float(residuals @ residuals)
            if chisq < self.best[0]:
                self.best = (chisq, {k: p.value for k, p in self.model.parameters().items()})
            return np.asarray(residuals)

    load = quick_model if quick else load_model
    kernel = load(name)
    model = Model(kernel, **select_accepted(kernel.info, parameters))
    for parameter in model.parameters().values():
        if parameter.name.endswith("_pd_nsigma"):  # sasmodels allows 10: not enough for log-normal ones
            parameter.limits = (0.0, np.inf)
    data = _make_data(curve, dintensity)
    smeared, data.dx = data.dx, None
    # Of the large sizes of a broad distribution there are so few that the default leaves them out.
    fitness = Guarded(data=data, model=model, cutoff=0.0)
    if smeared is not None:  # of which a search has the weights already
        data.dx, fitness.resolution = smeared, resolution(curve)
    return fitness


def _add_parts(name: str, parameters: dict[str, Any], calls: list[Curves]) -> NDArray[np.float64]:
    """I(q) of a model, or of a sum, before smearing and without background."""
    scales = scales_of(name)
    common = parameters["scale"] if len(scales) > 1 else 1.0
    parts = zip(scales, calls, parts_of(name, parameters), strict=True)
    return np.asarray(
        np.sum([common * parameters[scale] * call(part) for scale, call, (_, _, part) in parts], axis=0)
    )


def _make_data(curve: Curve, dintensity: NDArray[np.float64]) -> Any:
    from sasmodels.data import Data1D

    data = Data1D(x=curve.q, y=curve.intensity, dy=dintensity)
    data.filename = curve.entry or curve.file or "curve"
    if curve.dxl is not None or curve.dxw is not None:
        data.dxl, data.dxw = curve.dxl, curve.dxw
    elif curve.dq is not None:
        data.dx = curve.dq
    return data


def starting_values(fit: ModelFit) -> dict[str, Any]:
    """Return all keywords of sasmodels' ``Model`` that restore the fit, distributions included."""
    values: dict[str, Any] = {}
    for name, parameter in fit.parameters.items():
        values[name] = float(parameter.value)
        if name.endswith("_pd"):
            kind = fit.distributions.get(name.removesuffix("_pd"), "gaussian")
            values |= distribution_keywords(name[:-3], kind, values[name], fit.pd_points)
    return values


def add_effective_radii(fit: ModelFit) -> ModelFit:
    """State the radius (Å) that each particle gives to its structure factor, where that is no parameter."""
    # sasmodels ignores the value of the parameter then, but a reader takes it for the one in use.
    parameters = dict(fit.parameters)
    for part, begin, values in parts_of(fit.name, starting_values(fit)):
        if values.get(EFFECTIVE_MODE) == 1:
            form = part.partition("@")[0]
            own_values = select_accepted(load_model(form).info, values)
            radius = call(form, np.ones(1), own_values).radius_effective
            name = f"{begin}radius_effective"
            parameters[name] = replace(parameters[name], value=radius, low=radius, high=radius)
    return replace(fit, parameters=parameters)


def rebuilt(
    curve: Curve,
    dintensity: NDArray[np.float64],
    fit: ModelFit,
    *,
    seconds: float = np.inf,
    bounded: bool = True,
    quick: bool = False,
) -> tuple[Any, Any]:
    """Rebuild the Bumps problem of a fit with its ranges; its one model is an `experiment`."""
    # Residuals raise `TimeUpError` after `seconds` of evaluations. `bounded` refuses what falls below the
    # data and 0: right for descents, while points all over the ranges would nearly all be refused.
    import_bumps()
    from bumps.fitproblem import FitProblem

    fitness = experiment_of(curve, dintensity, fit, quick=quick)
    fitness.deadline = read_spent_time() + seconds
    fitness.is_bounded = bounded and "background" in fit.free and not is_too_low(fit.theory, curve.intensity)
    return FitProblem(fitness), fitness


def experiment_of(
    curve: Curve, dintensity: NDArray[np.float64], fit: ModelFit, *, quick: bool = False
) -> Any:
    """The experiment of a fit, where it ended, with ranges and points of q as it had them."""
    values = starting_values(fit)
    quick = quick or all_exact(fit.name, values)
    fitness = experiment(curve, dintensity, fit.name, values, quick=quick)
    fitness.width_points = fit.pd_points
    if fit.per_decade is not None:
        apply_sampling(fitness, curve, fit.per_decade)
    for name in fit.free:
        getattr(fitness.model, name).range(fit.parameters[name].low, fit.parameters[name].high)
    return fitness
