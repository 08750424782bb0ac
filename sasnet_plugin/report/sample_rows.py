"""What tables of fits say: of a sample's joint fits as rows of text, and of a width its distribution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..digits import chisq_text, quantity

if TYPE_CHECKING:
    from ..fitting.result.model_fit import ModelFit, Parameter
    from ..fitting.result.sample_result import JointFit, SampleResult

Rows = tuple[list[str], list[list[str]]]


def ranking(result: SampleResult, most: int) -> Rows:
    """Head and rows of the joint fits, the best `most`: weight, reduced χ², and χ²/n of each curve."""
    names = [Path(f).name for f in result.sample.files]
    head = ["model", "weight", "reduced χ²", *(f"χ²/n {name}" for name in names)]
    rows = [
        [
            fit.name, f"{100 * fit.weight:.0f} %", chisq_text(fit.reduced_chisq),
            *(chisq_text(c / t.size) for c, t in zip(fit.chisq, fit.theories, strict=True)),
        ]
        for fit in result.fits[:most]
    ]  # fmt: skip
    return head, rows


def list_shared(best: JointFit) -> list[list[str]]:
    """Parameter, value with error, and whether it was fitted, of what all curves have in common."""
    from ..fitting.result.model_fit import drop_unused

    return [[n, _text(p), "given" if p.fixed else "fitted"] for n, p in drop_unused(best.parameters).items()]


def own(best: JointFit) -> list[list[str]]:
    """Parameter, and its value with error for each curve."""
    return [[name, *(_text(curve_parameters[name]) for curve_parameters in best.own)] for name in best.own[0]]


def _text(p: Parameter) -> str:
    return "not determined" if p.undetermined else quantity(p.value, p.unit, p.error)


def distribution_of(fit: ModelFit, name: str, usual: str = "gaussian") -> str:
    """The kind of size distribution whose relative width a parameter is; empty for what is no width."""
    return fit.distributions.get(name.removesuffix("_pd"), usual) if name.endswith("_pd") else ""
