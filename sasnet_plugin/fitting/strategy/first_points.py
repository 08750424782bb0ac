"""A search without first points that a beamstop's edge seems to dim, if what is left is explained then."""

from __future__ import annotations

from ...data.step import exclude_step
from ...types import Curve
from ..pool import answers
from ..problem.experiment import starting_values
from ..result.model_fit import ModelFit, explains
from ..task import Counting
from .fit_candidate import fit_candidate
from .search import Found, search
from .state import State


def search_points(pool: Counting, whole: State, deadline: float) -> tuple[State, Found]:
    """Search with all points, or with those beyond a step that no model explains."""
    # One bad point of a precise curve can end a search in a wrong minimum.
    clear = exclude_step(whole.curve)
    if clear is not whole.curve:
        state = _make_rest_state(whole, clear)
        search_result = search(pool, state, 0.5 * (pool.clock() + deadline))
        if state.is_explained() and not _explains_all(pool, whole, state, deadline):
            return state, search_result
    return whole, search(pool, whole, deadline)


def _make_rest_state(whole: State, clear: Curve) -> State:
    return State(
        clear, whole.dintensity[-len(clear) :], whole.beliefs, whole.options, whole.named,
        notes=[*whole.notes, *clear.notes[len(whole.curve.notes) :]],
    )  # fmt: skip


def _explains_all(pool: Counting, whole: State, state: State, deadline: float) -> bool:
    best = state.best
    if best is None:
        return False
    task = whole.task(best, starts=(starting_values(state.fits[best]),))
    refits = [fit for _, fit in answers(pool, fit_candidate, [task], max(deadline - pool.clock(), 1.0))]
    return any(isinstance(fit, ModelFit) and explains(fit.reduced_chisq, len(whole.curve)) for fit in refits)
