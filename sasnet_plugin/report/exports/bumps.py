"""Fits for Bumps: a model script with its data, and a session for ``bumps --session=FILE``."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...digits import chisq_text, join_names, quantity
from ...files import MARK, put_whole, read_text
from ...fitting.optimize.bumps_fit import fitter_for
from ...fitting.problem.experiment import experiment_of, starting_values
from ...fitting.problem.free_parameters import moving
from ...fitting.problem.resolution import choose_calculation_q, has_resolution, is_slit
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import STOPPED, ModelFit
from ...fitting.result.reported_values import errors_of
from ...fitting.settings import PROBLEM
from ...types import Curve, SasnetError

# --- A fit as a model script for bumps: one file with its data, run by ``bumps script.py --batch``.

#: Guarded, as LM goes on for ever once a residual is NaN: sphere@hayter_msa has no value at some charges.
_SCRIPT = read_text(__file__, "bumps_of_curve.txt")

#: What a script says whose only free parameter bumps' Levenberg-Marquardt would not fit.
_WARNING_OF_ONE = """\
# One parameter is free. Do not use --fit=lm: with one parameter bumps 1.0.5 may stop far from the minimum.
"""

#: What the errors of a fit include. Of an expensive model the derivatives are not kept.
_ALONE = "Errors are those of this fit alone."
_WIDER = (
    "Errors include what these data leave open{resolution}. This fit alone has {values} (from derivatives, as"
    " in Bumps)."
)
_RESOLUTION = ", such as the resolution, which the file does not give"
#: Over the error from derivatives; less is rounding.
_LARGER = 1.05

#: sasmodels calculates the model at the measured points: too few for fringes finer than their distance.
_FINER = """\
# The model is calculated at more points of q than were measured: its fringes are finer than their distance.
seen = fitness.resolution.q_calc
first, last = max(seen.min(), 0.02 * data.x.min()), seen.max()
finer = np.geomspace(first, last, int(np.ceil({per_decade} * np.log10(last / first))) + 1)
points = np.union1d(seen, finer)
{resolution}
"""
_PINHOLE = "fitness.resolution = Pinhole1D(data.x, data.dx, q_calc=points)"
_SLIT = """\
along = np.hypot(data.x[:, None], {length}[:, None] * np.linspace(0.0, 1.0, {nodes}))
points = np.union1d(points, along)
fitness.resolution = Slit1D(data.x, q_length=data.dxl, q_width=data.dxw, q_calc=points)"""


def write_script(result: FitResult, fit: ModelFit, path: str | Path) -> None:
    """Write any fit of a result as a bumps model script (``.py``) that needs sasmodels and bumps alone and
    starts at its χ². Raises SasnetError if that fails.
    """
    curve = result.curve
    columns: dict[str, NDArray[np.float64]]
    columns = {"q / Å⁻¹": curve.q, "I(q)": curve.intensity, "one standard deviation of I": result.dintensity}
    resolution = []
    # As in the fit, a slit goes before a pinhole.
    slit = curve.has_slit
    for attribute, text, column in (
        ("dx", "pinhole resolution, one standard deviation / Å⁻¹", None if slit else curve.dq),
        ("dxl", "slit half length / Å⁻¹", curve.dxl),
        ("dxw", "slit half width / Å⁻¹", curve.dxw),
    ):
        if column is not None:
            resolution.append(f"data.{attribute} = columns[{len(columns)}]\n")
            columns[text] = column
        elif slit and attribute != "dx":
            resolution.append(f"data.{attribute} = None\n")
    imports, sampling = finer_points(curve, fit.per_decade)
    rows = np.transpose(list(columns.values()))
    script = _SCRIPT.format(
        head="\n".join(f"# {line}" for line in _head(result, fit)),
        file=_one_line(Path(path).name),
        fitter=fitter_for(len(fit.free)),
        warning=warning_of(len(fit.free)),
        columns=", ".join(columns),
        table="\n".join(" ".join(repr(float(v)) for v in row) for row in rows),
        resolution="".join(resolution),
        imports=imports,
        sampling=sampling,
        title=_one_line(curve.entry or Path(curve.file).name or "curve"),
        name=fit.name,
        values="\n".join(f"    {name}={value!r}," for name, value in starting_values(fit).items()),
        ranges="\n".join(
            f"model.{name}.range({fit.parameters[name].low!r}, {fit.parameters[name].high!r})"
            for name in fit.free
        ),
    )
    put_whole(path, script.encode(), "bumps script")


def finer_points(curve: Curve, per_decade: int | None) -> tuple[str, str]:
    """Import and code that calculate the model where the fit did; empty for the measured points."""
    if per_decade is None:
        return "", ""
    if not is_slit(curve):
        code = _PINHOLE
    else:
        length = "data.dxl" if curve.dxl is not None else "np.zeros(len(data.x))"
        code = _SLIT.format(length=length, nodes=PROBLEM.along_slit)
    name = code.partition("resolution = ")[2].partition("(")[0]
    text = _FINER.format(per_decade=per_decade, resolution=code)
    return f"from sasmodels.resolution import {name}\n", text


def _head(result: FitResult, fit: ModelFit) -> list[str]:
    curve = result.curve
    source = " · ".join(part for part in (Path(curve.file).name, curve.entry) if part) or "a curve"
    lines = [
        f"{fit.name}, fitted to {_one_line(source)}; {MARK}.",
        f"χ² = {fit.chisq:.10g} for {len(curve)} points and {len(fit.free)} fitted parameters.",
        *_describe_fitter(fit),
    ]
    for name in fit.free:
        p = fit.parameters[name]
        lines.append(f"    {name} = {quantity(p.value, p.unit, p.error)}")
    remarks = filter(None, (describe_errors(curve, fit), *fit.warnings, *result.notes))
    return lines + [_one_line(sentence) for sentence in remarks]


def describe_errors(curve: Curve, fit: ModelFit) -> str:
    """Say what the errors of a fit include besides those of its derivatives; empty if these are not known."""
    if not fit.derivatives:
        return ""
    values = _list_widened(fit)
    resolution = "" if has_resolution(curve) else _RESOLUTION
    return _WIDER.format(resolution=resolution, values=join_names(values)) if values else _ALONE


def _list_widened(fit: ModelFit) -> list[str]:
    """Values, with the errors of their derivatives, whose errors are larger than these."""
    alone = {name: error for name, error in errors_of(moving(fit.derivatives)).items() if name in fit.free}
    return [
        f"{name} = {quantity(p.value, p.unit, alone[name])}"
        for name, p in fit.parameters.items()
        if (p.error or 0.0) > _LARGER * alone.get(name, np.inf)
    ]


def _describe_fitter(fit: ModelFit) -> list[str]:
    return [f"Fitted by {fit.fitter}."] if fit.fitter else []


def warning_of(free: int) -> str:
    """What a script says of its number of free parameters; empty where there is nothing to say."""
    return _WARNING_OF_ONE if free == 1 else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())


# --- Fits as a session of bumps: each candidate an item of the History tab of ``bumps
# --- --session=FILE``.

#: bumps' serializer. Its "dataclass" cannot write sasmodels' classes, and what cloudpickle and dill write of
#: code opens in the same version of Python only.
_SERIALIZER = "pickle"
#: In place of the time of saving: the same fits give the same bytes.
_NO_TIME = "0.000000"


class _Call:
    """A value that pickles as a call of an importable function, with attributes `state` set on its result.

    A sasmodels model would pickle with this machine's compiled library. As calls of sasmodels' functions, a
    session opens anywhere.
    """

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], state: dict[str, Any] | None = None
    ) -> None:
        self._recipe = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self._recipe


def write_session(result: FitResult, path: str | Path) -> None:
    """Write every fit as an item of a bumps session (``.h5``), the best one active. Raises SasnetError
    without fit or if that fails.
    """
    import h5py
    from bumps.webview.server.state_hdf5_backed import FitResult as Fitting
    from bumps.webview.server.state_hdf5_backed import HistoryItem, ProblemState, State

    if not result.fits:
        raise SasnetError(f"{path}: no model was fitted, so there is no session to write; fit one first.")
    state = State()
    # The tab shows the last item on top, so the best one comes last; bumps reads them in the order of names.
    for place, fit in enumerate(reversed(result.fits)):
        item = HistoryItem()
        problem, item.chisq_str = _problem(result, fit)
        item.problem = ProblemState(problem, _SERIALIZER)
        item.fitting = Fitting(method=fitter_for(len(fit.free)))
        item.timestamp = f"{place:04d}"
        weight = STOPPED if fit.given_up else f"weight {fit.weight:.2g}"
        item.label = f"{fit.name}: reduced χ² {chisq_text(fit.reduced_chisq)}, {weight}"
        item.keep = True
        state.history.store[item.timestamp] = item
    state.problem, state.fitting = item.problem, item.fitting
    shared = state.shared
    shared.active_history = item.timestamp
    shared.selected_fitter = fitter_for(len(result.fits[0].free))
    # Items that bumps saves later drop old ones beyond this length.
    shared.autosave_history_length = max(shared.autosave_history_length, 2 * len(result.fits))
    shared.model_file = {"filename": item.problem.fitProblem.name, "pathlist": []}
    shared.convergence_available = False
    shared.uncertainty_available = {"available": False, "num_points": 0}
    shared.custom_plots_available = {"parameter_based": False, "uncertainty_based": False}
    for name in ("model", "parameters", "history", "convergence", "uncertainty"):
        setattr(shared, f"updated_{name}", _NO_TIME)
    content = io.BytesIO(state.get_session_bytes())
    with h5py.File(content, "r+") as file:
        file.attrs["creator"] = MARK
    put_whole(path, content.getvalue(), "bumps session")


def _problem(result: FitResult, fit: ModelFit) -> tuple[Any, str]:
    """The bumps problem of one fit, where it ended, ready to be pickled; and its χ² as bumps prints it."""
    from bumps.fitproblem import FitProblem
    from sasmodels.bumps_model import Experiment, Model
    from sasmodels.core import load_model

    fitness = experiment_of(result.curve, result.dintensity, fit)
    for name, parameter in fitness.model.parameters().items():
        parameter.id = parameter.name = sys.intern(name)  # the id is random otherwise
    problem = FitProblem(fitness, name=fit.name)
    chisq = str(problem.chisq_str())
    kernel = _Call(load_model, (fit.name, "double", "dll"))
    model = _Call(object.__new__, (Model,), {**_intern(vars(fitness.model)), "sasmodel": kernel})
    portable = _Call(Experiment, (fitness._data, model, 0.0))
    if fit.per_decade is not None:
        state = vars(Experiment(data=fitness._data, model=fitness.model, cutoff=0.0))
        state |= {"model": model, "_model": kernel, "_resolution": _fine(result.curve, fit.per_decade)}
        portable = _Call(object.__new__, (Experiment,), _intern(state))
    problem._models, problem.active_model = [portable], portable
    return problem, chisq


def _fine(curve: Curve, per_decade: int) -> _Call:
    """sasmodels' resolution with the points that the fit took, its weights left for the reader to compute."""
    from sasmodels.resolution import Pinhole1D, Slit1D

    points = choose_calculation_q(curve, per_decade)
    if is_slit(curve):
        return _Call(Slit1D, (curve.q, curve.dxl, curve.dxw, points))
    return _Call(Pinhole1D, (curve.q, curve.dq, points))


def _intern(state: dict[str, Any]) -> dict[str, Any]:
    """Attributes with equal texts made one object."""
    # Pickle writes the second mention of an object in another way than an equal object, and which texts are
    # one object depends on all that the process did before: the same fits are to give the same bytes.
    interned: dict[str, Any] = {}
    for key, value in state.items():
        if isinstance(value, list):
            value = [sys.intern(v) for v in value]
        interned[sys.intern(key)] = sys.intern(value) if isinstance(value, str) else value
    return interned
