"""Do molecular weight and Rg of measured proteins lie within their errors, and those of freesas?

``python -m benchmarks proteins/measured --data FOLDER`` takes clones of the repositories of
``benchmarks/repositories.py`` in FOLDER, named without owner, and makes those that are missing with git.
Nothing of them is kept here. freesas is run on the same files where it is installed (Rambo and Tainer's mass
and the Guinier region, defaults). ``--write`` keeps the table.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sasnet_plugin.arrays import Floats
from sasnet_plugin.protein import MolecularWeight, Value, protein
from sasnet_plugin.types import Curve

from ..common import markdown, parser_of, show
from ..repositories import folder_of

_MERGED = "saxsmerge_benchmark", "input/{}/merge.dat"
_ROUND_ROBIN = "UnsolvedProblems", "research/reproducibility/sasbdb-filter-input.json"


class Known(NamedTuple):
    """A measured protein."""

    name: str
    repository: str
    path: str
    mass: float  #: kDa
    rg: float | None = None  #: Å
    #: Half a unit of the last digit of the published Rg, Å.
    rounded: float = 0.0


PROTEINS = (
    *(
        Known(name, _MERGED[0], _MERGED[1].format(name), mass)
        for name, mass in (
            ("Aldolase", 156.8), ("Anhydrase", 29.0), ("Ribonuclease", 13.7), ("Thyroglobulin", 669.0),
        )
    ),
    Known("glucose isomerase", "bioxtasraw", "Tests/data/glucose_isomerase.dat", 172.9, 33.6),
    Known("SASDPT4", *_ROUND_ROBIN, 14.3, 15.0, 0.5),
    Known("SASDPS4", *_ROUND_ROBIN, 20.8, 16.0, 0.5),
)  # fmt: skip
HEAD = [
    "protein", "kDa", "found", "± %", "errors off", "Rg published", "Rg found", "D_max", "CPU-s",
    "freesas kDa", "freesas Rg",
]  # fmt: skip


def read_curve(data: Path, known: Known) -> Curve:
    """q, I and σ of a protein; of the round robin the columns outlierError and outlierErrorSigma."""
    path = folder_of(data, known.repository) / known.path
    if path.suffix == ".json":
        proteins = json.loads(path.read_text(encoding="utf-8"))["proteins"]
        rows = next(one["rows"] for one in proteins if one["id"] == known.name)
        names = ("q", "outlierError", "outlierErrorSigma")
        columns = np.array([[row[name] for name in names] for row in rows if all(map(row.get, names))])
    else:
        columns = np.loadtxt(path, usecols=(0, 1, 2))
    q, intensity, sigma = (np.ascontiguousarray(column) for column in columns.T)
    return Curve(q, intensity, sigma, file=known.name)


def freesas_answer(curve: Curve) -> tuple[str, str]:
    """Rambo and Tainer's mass, kDa, and Rg, Å, each with its error, of freesas' defaults."""
    try:
        from freesas.autorg import autoRg
        from freesas.invariants import calc_Rambo_Tainer
    except ImportError:
        return "", ""
    assert curve.dintensity is not None
    columns: Floats = np.column_stack([curve.q, curve.intensity, curve.dintensity])
    try:
        region = autoRg(columns)
        mass = calc_Rambo_Tainer(columns, region)
    except Exception as error:
        return type(error).__name__, ""
    return (
        f"{mass.mass / 1000:.1f} ± {mass.sigma_mass / 1000:.1f}",
        f"{region.Rg:.2f} ± {region.sigma_Rg:.2f}",
    )


def rows_of(data: Path) -> Iterator[tuple[list[str], float | None, float | None, bool | None]]:
    """Each protein's line, errors off and relative error of its mass, and whether its Rg holds."""
    for known in PROTEINS:
        curve = read_curve(data, known)
        begin = time.process_time()
        result = protein(curve)
        seconds = time.process_time() - begin
        freesas = freesas_answer(curve)
        mass, rg = result.molecular_weight, result.rg
        if not isinstance(mass, MolecularWeight) or not isinstance(rg, Value):
            yield (
                [known.name, f"{known.mass:g}", "none", *[""] * 5, f"{seconds:.1f}", *freesas],
                None,
                None,
                None,
            )
            continue
        off = math.log(mass.value / known.mass) / mass.relative_error
        holds = None
        if known.rg is not None:
            off_rg = max(abs(rg.value - known.rg) - known.rounded, 0.0)
            holds = off_rg < 2 * rg.error or off_rg < 0.04 * known.rg
        length = (
            f"{result.d_max.value:.0f} ± {result.d_max.error:.0f}" if isinstance(result.d_max, Value) else ""
        )
        yield [
            known.name, f"{known.mass:g}", f"{mass.value:.1f}", f"{100 * mass.relative_error:.0f}",
            f"{off:+.1f}", "" if known.rg is None else f"{known.rg:g}",
            f"{rg.value:.2f} ± {rg.error:.2f}", length, f"{seconds:.1f}", *freesas,
        ], off, mass.relative_error, holds  # fmt: skip


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the clones")
    options = parser.parse_args()
    lines, off, widths, holds = zip(*rows_of(options.data), strict=True)
    within = sum(value is not None and abs(value) < 2 for value in off)
    width = np.median([value for value in widths if value is not None])
    right = [value for value in holds if value is not None]
    words = (
        f"Molecular weight within two errors: {within} of {len(lines)}. Median half-width of 68 %:"
        f" {100 * width:.0f} %. Rg within two errors or 4 %: {sum(right)} of {len(right)}.\n"
    )
    show(markdown(HEAD, lines), options.write, __file__, f"{words}\n")


if __name__ == "__main__":
    main()
