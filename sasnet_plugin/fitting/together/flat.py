"""Errors where χ² of all curves of a sample is no parabola, as those of a single fit (`assessment.flat`)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ...arrays import Floats
from ...simulate.bank import Bank
from ..assessment.flat import add_flatness
from ..assessment.held import Held, errors_beside_held
from ..ledger import read_spent_time
from ..optimize.profile_likelihood import Profile
from ..problem.experiment import TimeUpError
from ..result.components import is_amplitude
from ..result.covariance import errors_of
from ..task import UNLIMITED, Budget
from .joint import Key
from .one_model import JointTask, joint_of

#: Steps to the minimum of plain least squares: a fit may stand where slow errors have moved it.
_STEPS = 6


@dataclass(frozen=True)
class Unknown:
    """A joint fit of which it is asked how well it is known."""

    held: Held  #: The fit as each curve has it.
    task: JointTask  #: Begins where it has ended.

    @property
    def name(self) -> str:
        return self.held.name

    def error(self, key: Key) -> float:
        """Standard deviation of a parameter of the fit; 0 without one."""
        name, place = key
        p = self.held.fits[place or 0].parameters.get(name)
        return (p and p.error) or 0.0


def errors_to_add(task: Unknown, bank: Bank | None = None, budget: Budget = UNLIMITED) -> dict[Any, float]:
    """What adds to the errors of a joint fit: what it holds, and where χ² is flat; for a pool."""
    deadline = read_spent_time() + budget.seconds
    added_errors = errors_beside_held(task.held, bank, budget)
    flat = _flat(task, deadline)
    return add_flatness(added_errors, {key: task.error(key) for key in flat}, flat)


def _flat(task: Unknown, deadline: float) -> dict[Key, float]:
    """Errors of the shape where χ² is flat; of those that there was time for."""
    joint = joint_of(task.task)
    for curve in joint.curves:
        curve.deadline = deadline
    slopes: Mapping[Any, Floats] = task.held.slopes
    independent: Mapping[Any, float] = errors_of(slopes)
    flat_errors: dict[Key, float] = {}
    with suppress(TimeUpError):
        joint.refine(_STEPS)
        if not joint.codes:
            return {}
        codes_here = joint.best[1]
        profile = Profile(joint.residuals, joint.codes_at(codes_here), joint.jacobian(codes_here))
        for i, key in enumerate(joint.codes):
            error, error_alone = task.error(key), independent.get(key, 0.0)
            if error > 0 and error_alone > 0 and not is_amplitude(key[0]):
                flat_errors[key] = profile.half(i, error, error / error_alone)
    return flat_errors
