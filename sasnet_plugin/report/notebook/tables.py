"""``to_dataframe`` of the nouns: the rows, and a table of pandas where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import Parameter
from ...fitting.together.result import SampleResult
from ...types import Curve, SasnetError, Suggestion


def frame_of(thing: Curve | Suggestion | FitResult | SampleResult) -> Any:
    """A noun as a pandas.DataFrame.

    Raises
    ------
    SasnetError
        There is no pandas.
    """
    try:
        import pandas
    except ImportError as error:
        raise SasnetError(
            "A table of pandas needs pandas, which is not installed: run pip install pandas"
            f"{', or take as_dict()' if hasattr(thing, 'as_dict') else ''}."
        ) from error
    return pandas.DataFrame(rows_of(thing))


def rows_of(thing: Curve | Suggestion | FitResult | SampleResult) -> Any:
    """Columns of a curve; a row for each model of a suggestion, for each parameter of each fit."""
    if isinstance(thing, Curve):
        names = ("q", "intensity", "dintensity", "dq", "dxl", "dxw")
        return {name: getattr(thing, name) for name in names if getattr(thing, name) is not None}
    if isinstance(thing, Suggestion):
        return [{"model" if k == "name" else k: v for k, v in vars(g).items()} for g in thing.models]
    if isinstance(thing, FitResult):
        return _of_fits(thing)
    return _of_sample(thing)


def _of_fits(result: FitResult) -> list[dict[str, Any]]:
    return [
        {"rank": rank, "model": fit.name, "weight": fit.weight, "reduced_chisq": fit.reduced_chisq, **row}
        for rank, fit in enumerate(result.fits, start=1)
        for row in _parameters(fit.parameters)
    ]


def _of_sample(result: SampleResult) -> list[dict[str, Any]]:
    """Parameters that all curves share have no curve; what is not determined has no value, but a reason."""
    found = []
    for rank, fit in enumerate(result.fits, start=1):
        head = {"rank": rank, "model": fit.name, "weight": fit.weight, "reduced_chisq": fit.reduced_chisq}
        found += [{**head, "curve": "", **row} for row in _marked(fit.parameters)]
        for file, own in zip(result.sample.files, fit.own, strict=True):
            found += [{**head, "curve": Path(file).name, **row} for row in _marked(own)]
    return found


def _marked(parameters: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    return [
        {**row, "reason": p.undetermined} | ({"value": None} if p.undetermined else {})
        for row, p in zip(_parameters(parameters), parameters.values(), strict=True)
    ]


def _parameters(parameters: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    return [
        {
            "parameter": name,
            "value": p.value,
            "error": None if p.fixed else p.error,
            "unit": p.unit,
            "fixed": p.fixed,
        }
        for name, p in parameters.items()
    ]
