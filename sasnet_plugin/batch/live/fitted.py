"""One model fitted to each curve of a series, from where the fit of the curve before has ended."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...types import Curve, SasnetError

if TYPE_CHECKING:
    from ...fitting.result.model_fit import ModelFit
    from ...simulate.bank import Bank

#: Seconds of evaluations for a curve that follows another, and for one to which the model is new.
_NEXT, _FIRST = 1.0, 8.0
#: Reduced χ² above which, and by how much larger than before, a fit may have lost its way and starts anew.
_POOR, _WORSE = 2.0, 2.0


def parameters_of(name: str) -> list[tuple[str, str]]:
    """List names and units of the parameters of a sasmodels model, such as ``sphere@hardsphere``. Raises
    SasnetError for an unknown model.
    """
    from ...simulate.kernel import load_model

    form, _, factor = name.partition("@")
    parameters: list[tuple[str, str]] = [("scale", ""), ("background", "1/cm")]
    for part in filter(None, (form, factor)):
        try:
            info = load_model(part).info
        except Exception as error:
            raise SasnetError(f"{name}: sasmodels has no model {part!r}; see 'sasnet fit --help'.") from error
        for parameter in info.parameters.kernel_parameters:
            parameters += _list_names_and_units(parameter)
    return list(dict.fromkeys(parameters))


def _list_names_and_units(parameter: Any) -> Iterator[tuple[str, str]]:
    """Name and unit of each element of a parameter, a length's followed by its distribution's width."""
    for element in _elements(parameter):
        yield element, str(parameter.units)
        if parameter.polydisperse and parameter.type == "volume":
            yield f"{element}_pd", ""


def _elements(parameter: Any) -> list[str]:
    if parameter.length <= 1:
        return [str(parameter.id)]
    return [f"{parameter.id}{k}" for k in range(1, parameter.length + 1)]


@dataclass
class Fitted:
    """Fits a model to one curve after the other."""

    name: str  #: Form model and structure factor, ``sphere@hardsphere``.
    _before: ModelFit | None = None
    _bank: Bank | None = field(default=None, repr=False)

    def fit(self, curve: Curve) -> dict[str, tuple[float, float]]:
        """Value and error (one standard deviation) of what was fitted, and ``reduced_chisq``."""
        # Empty where no fit was found. The errors are those of the fit at its model: that the model explains
        # the curve is for reduced χ² to say.
        fit_found = self._fit_starting_from(curve, self._before)
        if self._before is not None and self._has_lost(fit_found, self._before):
            candidates = filter(None, (fit_found, self._fit_starting_from(curve, None)))
            fit_found = min(candidates, key=lambda fit: fit.reduced_chisq, default=None)
        if fit_found is None:
            return {}
        self._before = fit_found
        return _values_of(fit_found) | {"reduced_chisq": (fit_found.reduced_chisq, math.nan)}

    @staticmethod
    def _has_lost(fit: ModelFit | None, earlier: ModelFit) -> bool:
        """Whether a fit from the one before is none, or so much worse that the search begins anew."""
        return fit is None or fit.reduced_chisq > max(_POOR, _WORSE * earlier.reduced_chisq)

    def _fit_starting_from(self, curve: Curve, earlier: ModelFit | None) -> ModelFit | None:
        from ...fitting.api import uncertainties
        from ...fitting.pool import answer_of
        from ...fitting.problem.conventions import conventional
        from ...fitting.strategy.fit_candidate import fit_candidate
        from ...fitting.task import Budget, Task
        from ...simulate.bank import Bank
        from ...zoo import bank_path

        if self._bank is None:
            self._bank = Bank(bank_path())
        form, _, factor = self.name.partition("@")
        sigma, _ = uncertainties(curve)
        starts, fixed = ((), {}) if earlier is None else _carry_over_values(earlier)
        budget = Budget(_FIRST if earlier is None else _NEXT)
        task = Task(curve, sigma, form, factor or None, fixed=fixed, starts=starts, budget=budget)  # type: ignore[arg-type]
        answer = answer_of(fit_candidate, task, self._bank, budget)
        if isinstance(answer, Exception):
            return None
        # What begins anew, as after a pause, has the contrast that the frames before have: the usual one.
        return answer if earlier is not None else conventional(answer)


def _values_of(fit: ModelFit) -> dict[str, tuple[float, float]]:
    return {
        name: (p.value, math.nan if p.error is None else p.error)
        for name, p in fit.parameters.items()
        if not p.fixed
    }


def _carry_over_values(earlier: ModelFit) -> tuple[tuple[Mapping[str, Any], ...], dict[str, float]]:
    """Where the next fit starts, and what it has fixed."""
    values = {name: p.value for name, p in earlier.parameters.items()}
    # Scale and contrast do the same to a curve: the contrast must not change from frame to frame.
    fixed = {name: p.value for name, p in earlier.parameters.items() if p.fixed and "sld" in name}
    return (values,), fixed
