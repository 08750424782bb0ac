"""I(q) of a model at given values beside a curve, fast enough to follow a slider."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..types import Curve, SasnetError

if TYPE_CHECKING:
    from .places import Place

#: Experiments that are kept ready, each with its kernel on the points of a curve.
_KEPT = 16
#: Points of a size distribution; SasView offers as many, and a million would be calculated for ever.
_MOST_POINTS = 1000


@dataclass
class Evaluator:
    """Calculates models; what was set up for a curve and a model is used again."""

    _ready: OrderedDict[tuple[object, ...], Any] = field(default_factory=OrderedDict)

    def theory(
        self,
        place: Place,
        curve: Curve,
        name: str,
        parameters: Mapping[str, Any],
        per_decade: int | None = None,
    ) -> NDArray[np.float64]:
        """Calculate I(q) at a curve's points (n,) with resolution, sasmodels' defaults for missing
        parameters; `per_decade` points for smearing, None: the measured ones. Raises SasnetError if it is not
        finite or a parameter is unknown.
        """
        words = {k: v for k, v in parameters.items() if isinstance(v, str)}
        check(parameters)
        key = place, curve.q.tobytes(), name, per_decade, tuple(sorted(words.items()))
        if key not in self._ready:
            self._ready[key] = _experiment(curve, name, words, per_decade)
            while len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return evaluate_theory(self._ready[key], name, parameters)


def _is_kind(name: str, value: str) -> bool:
    from sasmodels.weights import DISTRIBUTIONS

    return name.endswith("_pd_type") and value in DISTRIBUTIONS


def check(parameters: Mapping[str, Any]) -> None:
    """Raise SasnetError unless values are numbers and distributions known, of sensible points."""
    for name, value in parameters.items():
        if isinstance(value, str) and not _is_kind(name, value):
            raise SasnetError(f"{name[:80]}: {value[:80]!r} is not a number; give a number.")
        if name.endswith("_pd_n") and not 0 <= float(value) <= _MOST_POINTS:
            raise SasnetError(f"{name[:80]}: a distribution has up to {_MOST_POINTS} points here.")


def _experiment(curve: Curve, name: str, words: dict[str, Any], per_decade: int | None) -> Any:
    from ..fitting.api import uncertainties
    from ..fitting.problem.experiment import experiment
    from ..fitting.problem.resolution import apply_sampling

    problem = experiment(curve, uncertainties(curve)[0], name, words)
    if per_decade is not None:
        apply_sampling(problem, curve, per_decade)
    known_parameters = problem.model.parameters()
    return problem, {key: parameter.value for key, parameter in known_parameters.items()}


def evaluate_theory(ready: tuple[Any, dict[str, float]], name: str, parameters: Mapping[str, Any]) -> Any:
    """Return I(q) of an experiment at values or defaults. Raises SasnetError for wrong ones."""
    problem, defaults = ready
    _set(problem.model.parameters(), name, parameters, defaults)
    problem.update()
    with np.errstate(all="ignore"):
        theory = np.asarray(problem.theory(), dtype=float)
    if not np.all(np.isfinite(theory)):
        raise SasnetError(f"{name}: has no finite, positive curve at these values; change them.")
    return theory


def compare_with_data(curve: Curve, theory: NDArray[np.float64]) -> dict[str, Any]:
    """A theory with its residuals (n,) in units of the uncertainty, and the mean of their squares."""
    from ..fitting.api import uncertainties

    error, note = uncertainties(curve)
    residuals = (curve.intensity - theory) / error
    return {
        "q": curve.q, "intensity": theory, "residuals": residuals,
        "reduced_chisq": float(np.mean(residuals**2)), "points": len(curve), "note": note,
    }  # fmt: skip


def _set(known_parameters: Any, name: str, values: Mapping[str, Any], defaults: Mapping[str, float]) -> None:
    numbers = {key: value for key, value in values.items() if not isinstance(value, str)}
    for key in numbers:
        if key not in known_parameters:
            raise SasnetError(f"{key}: {name} has no such parameter.")
    for key, default in defaults.items():
        value = float(numbers.get(key, default))
        if not np.isfinite(value):
            raise SasnetError(f"{key}: {value} is not a finite number; give a number.")
        known_parameters[key].value = value
