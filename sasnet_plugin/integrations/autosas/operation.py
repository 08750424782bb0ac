"""Which models AutoSAS is to fit to some curves, with start values and bounds, as its ``model_inputs``."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from AFL.double_agent import AutoSAS as autosas
from AFL.double_agent.AutoSAS import AutoSAS, SASModel

from ...types import Curve, SasnetError, product_name

if TYPE_CHECKING:
    from ...fitting.result.model_fit import ModelFit
    from ...predict.findings import Answer
    from ...simulate.bank import Bank


# --- Which models AutoSAS is to fit to some curves, with start values and bounds, as its
# --- ``model_inputs``.

#: Form model and structure factor.
Pair = tuple[str, str | None]
#: Bounds of scale and background beside their start values: a factor, as AutoSAS's own examples have it.
REACH = 1e3
#: Seconds of a candidate's fit, from whose end AutoSAS starts.
SECONDS = 3.0
#: A pair of less probability for every curve is left out.
LEAST = 0.02


def candidates(curves: Sequence[Curve], top: int = 4, least: float = LEAST) -> list[dict[str, Any]]:
    """List candidates for curves, the most probable first, at least `least` probable for one."""
    # Each has ``name``, ``sasmodel``, ``q_min``, ``q_max`` (Å⁻¹) and ``fit_params`` with ``value`` and, if
    # fitted, ``bounds``, from a short fit to the curve of highest probability. Raises SasnetError without
    # curves or if none resembles anything known.
    from ...predict import open_predictor
    from ...simulate.bank import Bank
    from ...zoo import bank_path

    predictor = open_predictor()
    choice = predictor.choice(len(predictor.manifest.labels))
    answers = predictor.answers(curves, choice) if curves else []
    pairs = _select_pairs(curves, answers, least)
    bank = Bank(bank_path())
    window = _window(curves) if curves else {}
    made_candidates = filter(None, (_make_candidate(pair, curve, bank) for pair, curve in pairs.items()))
    found_candidates = [candidate | window for candidate in itertools.islice(made_candidates, top)]
    if not found_candidates:
        raise SasnetError(
            "these curves are unlike all library models, so AutoSAS gets no candidates; give its"
            " model_inputs yourself."
        )
    return found_candidates


def _pairs(answer: Answer) -> list[tuple[Pair, float]]:
    from ...predict.curves import suggestion_of

    suggestion = suggestion_of(answer)
    return (
        [((model.name, model.structure_factor), model.probability) for model in suggestion.models]
        if answer.known
        else []
    )


def _window(curves: Sequence[Curve]) -> dict[str, float]:
    """AutoSAS leaves out what lies outside; a little more, as the ends are compared after rounding."""
    low, high = min(c.q[0] for c in curves), max(c.q[-1] for c in curves)
    return {"q_min": float(low) * (1 - 1e-6), "q_max": float(high) * (1 + 1e-6)}


def _select_pairs(curves: Sequence[Curve], answers: Sequence[Answer], least: float) -> dict[Pair, Curve]:
    """Pairs by falling sum of their probabilities, each with the curve for which it is the most probable."""
    best: dict[Pair, tuple[float, Curve]] = {}
    total: dict[Pair, float] = {}
    for curve, answer in zip(curves, answers, strict=True):
        for pair, p in _pairs(answer):
            total[pair] = total.get(pair, 0.0) + p
            if p > best.get(pair, (0.0, curve))[0]:
                best[pair] = p, curve
    order = sorted(total, key=lambda pair: -total[pair])
    return {pair: best[pair][1] for pair in order if best[pair][0] >= least}


def _make_candidate(pair: Pair, curve: Curve, bank: Bank) -> dict[str, Any] | None:
    """A candidate; None where no start of the bank leads anywhere."""
    from ...fitting.api import uncertainties
    from ...fitting.pool import answer_of
    from ...fitting.strategy.fit_candidate import fit_candidate
    from ...fitting.task import Budget, Task

    form, factor = pair
    if form not in bank.models:
        return None
    budget = Budget(SECONDS)
    task = Task(curve, uncertainties(curve)[0], form, factor, budget=budget, as_measured=True)
    fit = answer_of(fit_candidate, task, bank, budget)
    if fit is None or isinstance(fit, Exception):
        return None
    name = product_name(form, factor)
    return {"name": name.replace("@", "_"), "sasmodel": name, "fit_params": _parameters(fit, name)}


def _parameters(fit: ModelFit, name: str) -> dict[str, dict[str, Any]]:
    from ...simulate.kernel import load_model

    call_parameters = {p.name: p for p in load_model(name).info.parameters.call_parameters}
    return {
        key: {
            "value": float(parameter.value),
            "bounds": None if parameter.fixed else _bounds(call_parameters.get(key), key, parameter.value),
        }
        for key, parameter in fit.parameters.items()
        if _is_number(key, parameter.value)
    }


def _is_number(name: str, value: Any) -> bool:
    """Whether AutoSAS may set it: kinds of distributions and choices it may not."""
    return isinstance(value, int | float) and not name.endswith("_type") and math.isfinite(value)


def _bounds(parameter: Any, name: str, value: float) -> list[float] | None:
    """Return bounds of what is fitted; None without finite ones, and it is fixed."""
    from ...fitting.problem.bounds import reach_of

    size = max(abs(value), 1e-8)
    if name == "scale":
        low, high = size / REACH, size * REACH
    elif name == "background":
        low, high = 0.0, size * REACH
    elif name.endswith("_pd"):
        low, high = 0.0, 1.0
    elif parameter is None:
        return None
    else:
        low, high = reach_of(parameter, value)
    return [low, high] if -math.inf < low < high < math.inf else None


# --- AutoSAS with candidates that the network chooses: an operation for pipelines of AFL-agent.


class SasnetAutoSAS(AutoSAS):
    """AutoSAS whose ``model_inputs`` are filled from the curves each time it is calculated.

    It is a class and inherits, as a pipeline of AFL-agent takes, copies and stores nothing else. Its output
    is that of AutoSAS; ``model_inputs`` then holds what was fitted, for ModelSelectAIC and the like.

    Parameters
    ----------
    sas_variable, sas_err_variable, q_variable : str
        Of the dataset: intensity, its uncertainty, q in Å⁻¹.
    sample_dim : str
        Dimension along which the samples lie.
    least : float
        Probability that a model has to have for some sample.
    """

    def __init__(
        self,
        sas_variable: str,
        sas_err_variable: str,
        q_variable: str,
        output_prefix: str,
        sample_dim: str = "sample",
        top: int = 4,
        least: float = LEAST,
        fit_method: dict[str, Any] | None = None,
        name: str = "SasnetAutoSAS",
    ) -> None:
        super().__init__(
            sas_variable=sas_variable, sas_err_variable=sas_err_variable, q_variable=q_variable,
            output_prefix=output_prefix, sample_dim=sample_dim, fit_method=fit_method, name=name,
        )  # fmt: skip
        self.top, self.least = top, least

    def calculate(self, dataset: Any) -> SasnetAutoSAS:
        """Choose candidates, and fit them.

        Raises
        ------
        SasnetError
            A variable is missing, or the network knows nothing that resembles the samples.
        """
        self.model_inputs = candidates(self.curves(dataset), self.top, self.least)
        with _use_bumps_1():
            super().calculate(dataset)
        return self

    def curves(self, dataset: Any) -> list[Curve]:
        """The samples of a dataset."""
        missing = [variable for variable in self.input_variable if variable not in dataset]
        if missing:
            raise SasnetError(
                f"the dataset has no variable {missing[0]!r}; it has {', '.join(map(str, dataset))}."
            )
        curves = []
        for k in range(dataset.sizes[self.sample_dim]):
            q, intensity, error = (self._column(dataset[name], k) for name in self.input_variable)
            keep = np.isfinite(q) & np.isfinite(intensity) & (q > 0)
            order = np.argsort(q[keep], kind="stable")
            curves.append(
                Curve(q[keep][order], intensity[keep][order], error[keep][order], file=f"sample {k + 1}")
            )
        return curves

    def _column(self, variable: Any, k: int) -> np.ndarray:
        data_array = variable.isel({self.sample_dim: k}) if self.sample_dim in variable.dims else variable
        return np.asarray(data_array.values, dtype=np.float64).ravel()


class _Model(SASModel):
    """A model of AutoSAS in bumps 1: AFL-agent 1.3 is written for 0.9.

    There a parameter's bounds are an object, here a pair, and a problem's covariance needs no place.
    """

    def _initialize_model(self) -> None:
        from bumps.fitproblem import FitProblem
        from sasmodels.bumps_model import Experiment, Model

        self.model = Model(self.kernel)
        for name, value in self.init_params.items():
            parameter = self.model.parameters()[name]
            parameter.value = value["value"]
            if value.get("bounds") is not None:
                parameter.range(*value["bounds"])
        self.experiment = Experiment(data=self.data, model=self.model)
        self.problem = problem = FitProblem(self.experiment)
        problem.cov = partial(_covariance, problem)


def _covariance(problem: Any, x: Any = None) -> Any:
    return type(problem).cov(problem, problem.getp() if x is None else x)


@contextmanager
def _use_bumps_1() -> Iterator[None]:
    """AutoSAS makes its models so that bumps 1 takes them."""
    original_model = autosas.SASModel
    autosas.SASModel = _Model
    try:
        yield
    finally:
        autosas.SASModel = original_model
