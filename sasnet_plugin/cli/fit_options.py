"""The options that ``sasnet fit`` and ``sasnet batch`` share."""

from __future__ import annotations

from typing import Annotated

import typer

Files = Annotated[list[str], typer.Argument(help="Data files, folders (searched to the bottom) or patterns.")]
Top = Annotated[int, typer.Option("--top", min=1, help="How many models to fit.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--models", help="Fit these models (commas or repeated), or plugin files."),
]
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
Sample = Annotated[
    str | None,
    typer.Option(
        "--sample",
        metavar="FORMULA@DENSITY",
        help="What scatters, such as SiO2@2.2 (g/cm³): its scattering length density is not fitted.",
    ),
]
Solvent = Annotated[
    str | None,
    typer.Option(
        "--solvent", metavar="NAME", help="What it is in: D2O, 40%D2O, toluene, or FORMULA@DENSITY."
    ),
]
Probe = Annotated[str, typer.Option("--probe", help="For --sample and --solvent: neutron or xray.")]
Wavelength = Annotated[float | None, typer.Option("--wavelength", help="Å, for --probe xray, such as 1.54.")]
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
