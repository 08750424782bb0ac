"""A bumps problem from a curve, a model and its starting values."""

from __future__ import annotations

import contextlib
import io
import logging
import time
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.quick import quick_model
from sasnet_plugin.types import Curve

#: What a residual is where the model has no value: large, finite, so that LM turns back instead of hanging.
_NO_VALUE = 1e6
#: A parameter whose effect is a combination of the others' to this accuracy is left as it is.
_DEGENERATE = 3e-3
#: Not fitted unless a user asks: modes, the surroundings of charged spheres, what the body itself decides.
_HELD = frozenset(
    {"structure_factor_mode", "radius_effective_mode", "radius_effective", "temperature", "dielectconst",
     "concentration_salt"}
)  # fmt: skip
#: Counts: integers, kept at their start.
_WHOLE = frozenset(
    {"n", "n_shells", "n_steps", "n_stacking", "n_pearls", "Nlayers", "n_pairs", "level", "n_sides",
     "num_pearls", "n_aggreg", "case_num"}
)  # fmt: skip
#: Fitted sizes stay within this factor of their start.
_REACH = 30.0


class TimeUpError(Exception):
    """A fit has used its time; what it found so far stands."""


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Without what bumps prints, logs and warns of: it is said in the notes.

    bumps logs the traceback of whatever ends a calculation, `TimeUpError` too, and who has set up no logging
    sees that.
    """
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
    seconds: float = np.inf,
    quick: bool = False,
) -> Any:
    """A sasmodels Experiment whose residuals are always finite, and which ends a fit that takes too long.

    Parameters
    ----------
    curve : Curve
    dintensity : (n,) float array
        Positive.
    name : str
        sasmodels' name, ``sphere`` or ``sphere@hardsphere``.
    parameters : dict
        Start; what is not given takes sasmodels' default.
    seconds : float
        CPU time after which its theory and residuals raise `TimeUpError`.
    quick : bool
        With the model of `simulate.quick`.

    Notes
    -----
    ``best`` of the experiment is the least χ² seen, with the values of all parameters there.
    """
    from sasmodels.bumps_model import Experiment, Model
    from sasmodels.data import Data1D

    class Guarded(Experiment):  # type: ignore[misc]
        """NaN residuals would keep LM running for ever."""

        deadline = time.process_time() + seconds
        best: tuple[float, dict[str, Any]] = (np.inf, {})

        def theory(self) -> NDArray[np.float64]:
            if time.process_time() > self.deadline:
                raise TimeUpError
            return np.asarray(super().theory())

        def residuals(self) -> NDArray[np.float64]:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found = np.asarray(super().residuals(), dtype=float)
            found = np.clip(np.nan_to_num(found, nan=_NO_VALUE), -_NO_VALUE, _NO_VALUE)
            chisq = float(found @ found)
            if chisq < self.best[0]:
                self.best = (chisq, {k: p.value for k, p in self.model.parameters().items()})
            return np.asarray(found)

    data = Data1D(x=curve.q, y=curve.intensity, dy=dintensity)
    data.filename = curve.entry or curve.file or "curve"
    if curve.dxl is not None or curve.dxw is not None:
        data.dxl, data.dxw = curve.dxl, curve.dxw
    elif curve.dq is not None:
        data.dx = curve.dq
    kernel = quick_model(name) if quick else load_model(name)
    model = Model(kernel, **accepted(kernel.info, parameters))
    return Guarded(data=data, model=model)


def accepted(info: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    """Those of the parameters that a model has: what is left of another model's would be an error.

    Parameters
    ----------
    info : sasmodels.modelinfo.ModelInfo
    parameters : dict
    """
    known = set()
    for p in info.parameters.call_parameters:
        known.add(p.name)
        if p.polydisperse:
            known |= {f"{p.name}_pd", f"{p.name}_pd_n", f"{p.name}_pd_nsigma", f"{p.name}_pd_type"}
    return {k: v for k, v in parameters.items() if k in known}


def choose_free(fitness: Any, held: frozenset[str]) -> tuple[list[str], list[str]]:
    """Which parameters the data can tell, and which are left at their start because others do the same.

    Parameters
    ----------
    fitness : Experiment
        At its start.
    held : frozenset of str
        Not to be fitted: given by the user.

    Returns
    -------
    free, same : list of str
        ``same``: fittable, but their effect is a combination of the effects of free ones.
    """
    model = fitness.model
    order = fittable(model.sasmodel.info, {k: p.value for k, p in model.parameters().items()})
    order = [name for name in order if name in model.parameters()]
    base = np.asarray(fitness.theory(), dtype=float)
    weight = 1 / np.hypot(fitness.dIq, 1e-3 * np.abs(base))
    columns: dict[str, NDArray[np.float64]] = {}
    for name in order:
        if name in held:
            continue
        parameter = getattr(model, name)
        start = float(parameter.value)
        step = 1e-4 * (abs(start) or 1.0)
        column = None
        for sign in (1.0, -1.0):
            parameter.value = start + sign * step
            fitness.update()
            moved = np.asarray(fitness.theory(), dtype=float)
            if np.all(np.isfinite(moved)):
                column = (moved - base) * weight
                break
        parameter.value = start
        fitness.update()
        columns[name] = np.zeros_like(base) if column is None else column
    free = independent(columns)
    return free, [name for name in columns if name not in free]


def independent(columns: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Names of the columns that are no combination of those before them.

    Parameters
    ----------
    columns : mapping of str to (n,) float array
        Effect of each parameter on the curve, in units of its uncertainty.
    """
    kept: list[NDArray[np.float64]] = []
    free = []
    for name, column in columns.items():
        length = np.linalg.norm(column)
        if not np.isfinite(length) or length == 0:
            continue
        column = column / length
        rest = column - sum((c @ column) * c for c in kept)
        if np.linalg.norm(rest) < _DEGENERATE:
            continue
        kept.append(rest / np.linalg.norm(rest))
        free.append(name)
    return free


def fittable(info: Any, parameters: Mapping[str, Any]) -> list[str]:
    """Continuous parameters: scale, background, lengths and shape, widths in use, contrasts, fractions.

    Parameters
    ----------
    info : sasmodels.modelinfo.ModelInfo
    parameters : mapping
        Values; only widths of distributions count here (those of zero are not fitted).
    """
    shape: list[str] = []
    sld: list[str] = []
    last: list[str] = []
    for p in info.parameters.call_parameters:
        if p.name in ("scale", "background") or p.type in ("orientation", "magnetic"):
            continue
        if p.name in _HELD or p.choices or _whole(p) or _unused(p, info, parameters):
            continue
        if p.type == "sld" or "sld" in p.name:
            (last if "solvent" in p.name else sld).append(p.name)
        elif p.name in ("volfraction",) and "@" not in info.id:
            last.append(p.name)
        else:
            shape.append(p.name)
            if p.polydisperse and float(parameters.get(f"{p.name}_pd", 0.0)) > 0:
                shape.append(f"{p.name}_pd")
    return ["scale", "background", *shape, *sld, *last]


def _unused(p: Any, info: Any, parameters: Mapping[str, Any]) -> bool:
    """A parameter of a layer beyond the last, such as ``thickness7`` where n is 4."""
    stem = p.name.rstrip("0123456789")
    vector = next((k for k in info.parameters.kernel_parameters if k.id == stem and k.length > 1), None)
    if stem == p.name or vector is None or vector.length_control is None:
        return False
    control = next(k for k in info.parameters.kernel_parameters if k.id == vector.length_control)
    return int(p.name[len(stem) :]) > int(parameters.get(control.id, control.default))


def _whole(p: Any) -> bool:
    return p.name in _WHOLE or p.name.startswith(("shape", "nu_fixed"))


def set_ranges(fitness: Any, free: list[str]) -> None:
    """Let the free parameters vary within sasmodels' limits and a factor of thirty of their start."""
    for name in free:
        parameter = getattr(fitness.model, name)
        low, high = parameter.limits
        start = float(parameter.value)
        if name.endswith("_pd"):
            low, high = 0.0, 0.7
        elif name == "background":
            low, high = -np.inf, np.inf
        elif "sld" in name:
            low, high = max(low, start - 15.0), min(high, start + 15.0)
        elif start > 0:
            low, high = max(low, start / _REACH if name != "scale" else 0.0), min(high, start * _REACH)
            if name == "scale":
                high = np.inf
        parameter.range(low, high)
