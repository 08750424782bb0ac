"""Fits as a session of bumps: each candidate an item of the History tab of ``bumps --session=FILE``."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...digits import chisq_text
from ...files import MARK, put_whole
from ...fitting.optimize.bumps_fit import fitter_for
from ...fitting.problem.experiment import experiment_of
from ...fitting.problem.resolution import choose_calculation_q, is_slit
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit
from ...types import Curve, SasnetError

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
        item.label = f"{fit.name}: reduced χ² {chisq_text(fit.reduced_chisq)}, weight {fit.weight:.2g}"
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
    portable = _Call(Experiment, (fitness._data, model))
    if fit.per_decade is not None:
        state = vars(Experiment(data=fitness._data, model=fitness.model))
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
