"""The table of figures of a network for rotations of a lattice."""

from __future__ import annotations

from typing import Any

from .image_figures import scope_table

_HEAD = (
    "| patterns | number | W1 | median | folded W1 | uniform's W1 | total variation | band holds |\n"
    "|---|---|---|---|---|---|---|---|"
)


def table(result: dict[str, Any]) -> str:
    """Figures of `report.orientation.figures` as Markdown; distances in degrees."""
    lines = [
        "Distances are circular W1 in degrees (period 60); the band is that of p averaged over 3 degrees.",
        "",
        _HEAD,
        _row("10⁵ to 10⁷ counts", result["judged"]),
        _row("all of the prior", result["all"]),
    ]
    lines += [_row(f"{f['low']:.0e} to {f['high']:.0e} counts", f) for f in result["by_counts"]]
    lines += [_row(name, f) for name, f in result["by_family"].items()]
    lines += [
        "",
        f"Uniform truth is called uniform in {100 * result['uniform_called_uniform']:.1f} % (10⁵ to 10⁷"
        " counts), one to five single angles in"
        f" {100 * result['not_uniform_called_uniform']:.1f} % (10⁴ to 10⁸).",
        "",
        "| quantity | median error over the prior's standard deviation | within one stated error |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {f['median']:.2f} | {100 * f['within']:.0f} % |"
        for name, f in result["quantities"].items()
    ]
    return "\n".join([*lines, "", *scope_table(result)]) + "\n"


def _row(name: str, f: dict[str, Any]) -> str:
    return (
        f"| {name} | {f['count']} | {f['w1']:.2f} | {f['w1_median']:.2f} | {f['w1_folded']:.2f}"
        f" | {f['w1_uniform']:.2f} | {f['total_variation']:.2f} | {100 * f['coverage']:.1f} % |"
    )
