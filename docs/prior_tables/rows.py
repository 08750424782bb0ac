"""Rows that pages on several kinds of measurement have."""

from __future__ import annotations

from collections.abc import Mapping

from sasnet_plugin.simulate.draws import Prior


def quantities(table: Mapping[str, Prior], *, seed: bool = False) -> str:
    """Return the rows of a table of quantities; with what the seed of this work drew, or without."""
    rows = ["| quantity | unit | drawn | not 0 in | meaning |" + (" seed |" if seed else "")]
    rows.append("|---|---|---|---|---|" + ("---|" if seed else ""))
    for name, prior in table.items():
        row = f"| `{name}` | {prior.unit} | {prior.drawn} | {prior.share:.0%} | {prior.text} |"
        rows.append(row + (f" {prior.seed or '0'} |" if seed else ""))
    return "\n".join(rows)
