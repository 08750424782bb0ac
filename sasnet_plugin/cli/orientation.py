"""How an answer about rotations of a lattice is written: as an object for ``--json``, or for a person."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sasnet_plugin.predict.orientation import OUT_OF_SCOPE, units
from sasnet_plugin.types import OrientationGuess, OrientationResult

if TYPE_CHECKING:
    from rich.console import Console

    from sasnet_plugin.types import Image

Answer = OrientationGuess | OrientationResult
_BARS = " ▁▂▃▄▅▆▇█"
_SMALL = 0.05


def as_dict(answer: Answer) -> dict[str, Any]:
    """Return the object that ``--json`` prints for one pattern; numbers that are not known are null."""
    given = units()
    return {
        "file": answer.file,
        "distribution": {
            "xi_deg": [round(float(x), 4) for x in answer.xi],
            **{key: [float(f"{x:.5g}") for x in getattr(answer, key)] for key in ("p", "p_low", "p_high")},
        },
        "geometry": {
            name: {"value": float(f"{v[0]:.6g}"), "error": float(f"{v[1]:.3g}"), "unit": given.get(name, "")}
            for name, v in answer.geometry.items()
        },
        "uniform_p_value": _number(answer.uniform_p_value),
        "deviance": _number(getattr(answer, "deviance", math.nan)),
        "in_scope": round(float(answer.in_scope), 6),
        "notes": list(dict.fromkeys(answer.notes)),
    }


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def show(console: Console, image: Image, answer: Answer) -> None:
    """Print an answer: p(ξ) as bars, its peaks, the sample's numbers, and a few sentences."""
    from rich.table import Table
    from rich.text import Text

    say = console.print
    title = " · ".join(part for part in (answer.file, image.entry) if part)
    say(Text(title or "image", style="bold"), soft_wrap=True)
    if OUT_OF_SCOPE not in answer.notes:
        say(Text(f"{bars(answer)}  p(ξ), ξ 0 to 60 degrees", style="cyan"), soft_wrap=True)
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("quantity", "value", "error", "unit"):
            table.add_column(column, no_wrap=True)
        given = units()
        for name, v in answer.geometry.items():
            table.add_row(Text(name), f"{v[0]:.4g}", f"{v[1]:.2g}", Text(given.get(name, "")))
        say(table)
    for sentence in _sentences(answer):
        say(Text(sentence), soft_wrap=True)
    say()


def bars(answer: Answer, width: int = 60) -> str:
    """p(ξ) as characters, one for each degree by default."""
    parts = answer.p.reshape(width, -1).sum(axis=1)
    top = float(parts.max()) or 1.0
    return "".join(_BARS[math.ceil((len(_BARS) - 1) * max(float(x), 0.0) / top)] for x in parts)


def _sentences(answer: Answer) -> list[str]:
    found = []
    if math.isfinite(answer.uniform_p_value):
        verdict = "may all be alike" if answer.uniform_p_value > _SMALL else "are not all alike"
        found.append(f"The angles {verdict}: p = {answer.uniform_p_value:.3g} for a uniform distribution.")
    deviance = getattr(answer, "deviance", math.nan)
    if math.isfinite(deviance):
        found.append(
            f"Simulated again: Poisson deviance {deviance:.4g} over {getattr(answer, 'dof', 0)} pixels."
        )
    if OUT_OF_SCOPE not in answer.notes:
        found.append(f"A pattern of the kind that this model knows: {100 * answer.in_scope:.0f} %.")
    return [*found, *(f"Note: {note}" for note in dict.fromkeys(answer.notes))]
