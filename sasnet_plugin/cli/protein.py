"""``sasnet protein FILES…``: size, molecular weight and quality of proteins in solution."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ..files import check_folder
from ..fitting.request import FileRequest
from ..types import SasnetError
from .arguments import Quiet, add_request
from .files import curves_of, expand
from .streams import json_lines

_CONCENTRATION = re.compile(
    r"\s*(?P<value>[\d.eE+-]+)\s*(?:(?:±|\+-|\+/-)\s*(?P<error>[\d.eE+-]+))?\s*(?:mg/m[lL]|g/[lL])\s*"
)


def read_concentration(text: str | None) -> tuple[float | None, float | None]:
    """Return a concentration and its error, mg/ml, or wrong usage."""
    if text is None:
        return None, None
    match = _CONCENTRATION.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        value, error = float(match["value"]), float(match["error"] or 0)
        if not 0 < value < float("inf") or not 0 <= error < float("inf"):
            raise ValueError
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a concentration; write it in mg/ml, such as '2.1 mg/ml' or '2.1±0.1 mg/ml'.",
            param_hint="--concentration",
        ) from None
    return value, error or None


@add_request("q_range", "q_unit", "entry")
def protein(
    files: Annotated[list[str], typer.Argument(help="Data files, folders or patterns.")],
    concentration: Annotated[
        str | None,
        typer.Option(
            "--concentration", help="Such as '2.1 mg/ml' or '2.1±0.1 mg/ml'; for intensities in cm⁻¹."
        ),
    ] = None,
    absolute: Annotated[
        bool,
        typer.Option("--absolute", help="The intensities are in cm⁻¹ although the file does not say so."),
    ] = False,
    monomer: Annotated[
        float | None, typer.Option("--monomer", metavar="KDA", help="Molecular weight of a monomer, kDa.")
    ] = None,
    sequence: Annotated[
        str | None,
        typer.Option("--sequence", metavar="FASTA", help="Sequence of a monomer, or a FASTA file with it."),
    ] = None,
    structure: Annotated[
        Path | None,
        typer.Option(
            "--structure", metavar="FILE", help="PDB or mmCIF file of a structure to compare with the curve."
        ),
    ] = None,
    frames: Annotated[
        list[str] | None,
        typer.Option("--frames", help="Frames of the same sample to compare (CorMap); repeatable."),
    ] = None,
    request: FileRequest = FileRequest(),  # noqa: B008  it is frozen
    report: Annotated[
        Path | None, typer.Option("--report", help="Folder for a page with four plots of each curve.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each curve.")] = False,
    quiet: Quiet = False,
) -> None:
    """Give Rg, D_max, molecular weight and quality of proteins in solution, with errors.

    The curves are of X-rays, with the buffer subtracted.

    Exit code 0: every curve has all that was asked for; 1: some have not, with a sentence; 2: wrong usage.
    """
    from ..data.load import load
    from ..protein import protein as analyse
    from ..protein.text import headline, lines_of_protein
    from ..report.protein import write_protein_page

    value, error = read_concentration(concentration)
    window, q_unit, entry = request.window, request.q_unit, request.entry
    if report is not None:
        check_folder(report)
    print_json = json_lines() if as_json else None
    failed = False

    def complain(sentence: str) -> None:
        nonlocal failed
        failed = True
        typer.echo(sentence, err=True)

    try:
        compared = [curve for path in frames or () for curve in load(path, q_unit=q_unit, entry=entry)]
        for path in expand(files):
            for name, curve in curves_of(path, lambda file: load(file, q_unit=q_unit, entry=entry), window):
                if isinstance(curve, SasnetError):
                    complain(str(curve))
                    continue
                result = analyse(
                    curve, concentration=value, concentration_error=error, absolute=absolute,
                    monomer=monomer, sequence=sequence, structure=structure, frames=compared,
                )  # fmt: skip
                if print_json is not None:
                    print_json(result.as_dict())
                else:
                    lines = [headline(result)] if quiet else lines_of_protein(result)
                    typer.echo("\n".join([f"{name}: {lines[0]}", *(f"  {line}" for line in lines[1:])]))
                if report is not None:
                    typer.echo(f"  page: {write_protein_page(report, curve, result)}", err=as_json)
                for problem in result.problems:
                    complain(f"{name}: {problem}")
    except SasnetError as mistake:
        complain(str(mistake))
    if failed:
        raise typer.Exit(1)
