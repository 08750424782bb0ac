"""The options that ``sasnet fit`` and ``sasnet batch`` share."""

from __future__ import annotations

from typing import Annotated

import typer

Files = Annotated[list[str], typer.Argument(help="Data files, folders (searched to the bottom) or patterns.")]
Top = Annotated[int, typer.Option("--top", min=1, help="How many models to fit.")]
Models = Annotated[list[str] | None, typer.Option("--models", help="Fit these models (commas or repeated).")]
StructureFactor = Annotated[
    str | None,
    typer.Option("--structure-factor", help="Fit with this structure factor alone; 'none' for none."),
]
Fix = Annotated[
    list[str] | None, typer.Option("--fix", metavar="NAME=VALUE", help="Keep a parameter at a value.")
]
Ranges = Annotated[
    list[str] | None,
    typer.Option("--range", metavar="NAME=LOW:HIGH", help="Let a parameter vary in this range alone."),
]
QRange = Annotated[
    str | None,
    typer.Option("--q-range", metavar="A:B", help="Use only q from A to B, Å⁻¹; either may be left out."),
]
QUnit = Annotated[
    str | None,
    typer.Option("--q-unit", help="Unit of q: A (Å⁻¹) or nm (nm⁻¹), where the file is silent or wrong."),
]
Entry = Annotated[str | None, typer.Option("--entry", help="Only this entry of a file that holds several.")]
TimeLimit = Annotated[float, typer.Option("--time-limit", min=1.0, help="Seconds for each data set.")]
