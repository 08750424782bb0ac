"""Tables of the nouns: rows, of pandas where it is installed, and a ranking on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...digits import chisq_text
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit, Parameter
from ...fitting.result.sample_result import SampleResult
from ...types import Curve, ModelGuess, SasnetError, Suggestion


def frame_of(thing: Curve | Suggestion | FitResult | SampleResult) -> Any:
    """Return a noun as a pandas.DataFrame. Raises SasnetError without pandas."""
    try:
        import pandas
    except ImportError as error:
        raise SasnetError(
            "A table needs pandas, which is not installed; run pip install pandas"
            f"{', or take as_dict()' if hasattr(thing, 'as_dict') else ''}."
        ) from error
    return pandas.DataFrame(rows_of(thing))


def _make_curve_columns(curve: Curve) -> dict[str, Any]:
    columns = {name: getattr(curve, name) for name in ("q", "intensity", "dintensity", "dq", "dxl", "dxw")}
    return {name: values for name, values in columns.items() if values is not None}


def _make_guess_row(guess: ModelGuess) -> dict[str, Any]:
    return {"model": guess.name} | {name: value for name, value in vars(guess).items() if name != "name"}


def rows_of(thing: Curve | Suggestion | FitResult | SampleResult) -> Any:
    """Columns of a curve; a row for each model of a suggestion, for each parameter of each fit."""
    if isinstance(thing, Curve):
        return _make_curve_columns(thing)
    if isinstance(thing, Suggestion):
        return [_make_guess_row(guess) for guess in thing.models]
    if isinstance(thing, FitResult):
        return _make_fit_rows(thing)
    return _make_sample_rows(thing)


def _make_fit_rows(result: FitResult) -> list[dict[str, Any]]:
    return [
        {"rank": rank, "model": fit.name, "weight": fit.weight, "reduced_chisq": fit.reduced_chisq, **row}
        for rank, fit in enumerate(result.fits, start=1)
        for row in _parameters(fit.parameters)
    ]


def _make_sample_rows(result: SampleResult) -> list[dict[str, Any]]:
    """Parameters that all curves share have no curve; what is not determined has no value, but a reason."""
    sample_rows = []
    for rank, fit in enumerate(result.fits, start=1):
        head = {"rank": rank, "model": fit.name, "weight": fit.weight, "reduced_chisq": fit.reduced_chisq}
        sample_rows += [{**head, "curve": "", **row} for row in _mark_undetermined(fit.parameters)]
        for file, curve_parameters in zip(result.sample.files, fit.own, strict=True):
            sample_rows += [
                {**head, "curve": Path(file).name, **row} for row in _mark_undetermined(curve_parameters)
            ]
    return sample_rows


def _mark_undetermined(parameters: Mapping[str, Parameter]) -> list[dict[str, Any]]:
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


def ranking_of(fits: Sequence[ModelFit]) -> Any:
    """The ranking as a table of rich."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("model", no_wrap=True)
    table.add_column("structure factor")
    for name in ("weight", "χ²/dof", "BIC", "fitted"):
        table.add_column(name, justify="right")
    for fit in fits:
        table.add_row(
            Text(fit.short_model),
            Text(fit.structure_factor or "–"),
            f"{100 * fit.weight:.0f} %",
            chisq_text(fit.reduced_chisq),
            f"{fit.bic:.1f}",
            str(len(fit.free)),
        )
    return table
