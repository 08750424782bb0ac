"""A command, and an exporter: a function of a result that returns bytes with the mark of sasnet's files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from sasnet_plugin import FitResult, load
from sasnet_plugin.files import MARK


def invariant(file: Annotated[Path, typer.Argument(help="File of one curve.")]) -> None:
    """Print the sum of q² I(q) over the points of a curve, by trapezia."""
    (curve,) = load(file)
    typer.echo(f"{np.trapezoid(curve.q**2 * curve.intensity, curve.q):.3g}")


def encode_residuals(result: FitResult) -> bytes:
    """Return a table of q and (I - theory) / dI of the best fit."""
    residual = (result.curve.intensity - result.best.theory) / result.dintensity
    rows = (f"{q:.6g},{r:.3f}" for q, r in zip(result.curve.q, residual, strict=True))
    return "\n".join([f"# {MARK}", "q,residual", *rows, ""]).encode()
