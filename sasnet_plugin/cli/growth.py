"""How an answer about a growing film is written: as an object for ``--json``, or for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sasnet_plugin.predict.growth import OUT_OF_SCOPE
from sasnet_plugin.types import GrowthGuess

if TYPE_CHECKING:
    from rich.console import Console

    from sasnet_plugin.types import Image


def as_dict(answer: GrowthGuess) -> dict[str, Any]:
    """Return the object that ``--json`` prints for one pattern."""
    return {
        "file": answer.file,
        "entry": answer.entry,
        "quantities": {
            name: {
                "value": float(f"{value:.5g}"),
                "low": float(f"{low:.5g}"),
                "high": float(f"{high:.5g}"),
                "unit": unit,
            }
            for name, (value, low, high, unit) in answer.quantities.items()
        },
        "in_scope": round(answer.in_scope, 6),
        "notes": list(answer.notes),
    }


def show(console: Console, image: Image, answer: GrowthGuess) -> None:
    """Print an answer: a table of quantities with their bands, and a few sentences."""
    from rich.table import Table
    from rich.text import Text

    title = " · ".join(part for part in (answer.file, answer.entry) if part)
    console.print(Text(title or "image", style="bold"), soft_wrap=True)
    if answer.quantities:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("quantity", "value", "90 % band", "unit"):
            table.add_column(column, no_wrap=True)
        for name, (value, low, high, unit) in answer.quantities.items():
            table.add_row(Text(name), f"{value:.3g}", f"{low:.3g} to {high:.3g}", Text(unit))
        console.print(table)
    if OUT_OF_SCOPE not in answer.notes:
        console.print(f"A pattern of the kind that this model knows: {100 * answer.in_scope:.0f} %.")
    for note in answer.notes:
        console.print(Text(f"Note: {note}"), soft_wrap=True)
    console.print()
