"""AutoSAS with candidates that the network chooses: an operation for pipelines of AFL-agent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from AFL.double_agent import AutoSAS as autosas
from AFL.double_agent.AutoSAS import AutoSAS, SASModel

from ...types import Curve, SasnetError
from .candidates import LEAST, candidates


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
