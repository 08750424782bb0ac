"""A suggested model before any fit: its nearest curve of the bank, as values that a fit can begin from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fitting.result.model_fit import ModelFit
from ..fitting.task import UNLIMITED, Budget, Task
from ..types import SasnetError

if TYPE_CHECKING:
    from ..simulate.bank import Bank
    from ..types import Curve
    from .messages import Request

#: Seconds for the values of one model.
_SECONDS = 60.0


def started(task: Task, bank: Bank, budget: Budget = UNLIMITED) -> ModelFit | None:
    """The start of a fit as if it were one, its parameters without errors; work for a pool."""
    # None where the bank has no curve of the model.
    from ..fitting.optimize.finish import as_it_stands
    from ..fitting.start_values.screening import from_bank
    from ..fitting.strategy.fit_candidate import described

    if task.model not in bank.models or not (starts := from_bank(task, bank)):
        return None
    return described(task, as_it_stands(task, starts[0]), None, 0.0)


def start_page(pool: Any, curve: Curve, request: Request) -> dict[str, Any]:
    """Return SasView's fit page of a model not fitted. Raises SasnetError if sasnet has no curves of it."""
    from ..fitting.api import uncertainties
    from ..report.exports.sasview_project import fit_page
    from .messages import name

    model, factor = name(request.body, "model") or "", name(request.body, "structure_factor")
    task = Task(curve, uncertainties(curve)[0], model, factor)
    found = next((fit for _, fit in pool.run(started, [task], _SECONDS)), None)
    if not isinstance(found, ModelFit):
        raise SasnetError(f"{model}: sasnet has no starting values for it; choose the model on the fit page.")
    return {"page": fit_page(curve, found) | {"model": model, "structure_factor": factor}}
