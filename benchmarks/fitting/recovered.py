"""How many of the true parameters sasnet's fits give back where they rank the true model first."""

from __future__ import annotations

from typing import Any

import numpy as np

from .task import Problem, problem

WITHIN, SIGMAS = 0.1, 3.0
#: What data tell of these is a product with others that are held.
_TYPES = ("sld", "magnetic")


def compared(row: dict[str, Any], given: Problem) -> dict[str, bool]:
    """Of each fitted parameter that the truth has: whether it is within 10 % or 3 σ.

    Parameters
    ----------
    row : dict
        Of sasnet, with ``values``: value and error by name.
    given : Problem
    """
    skipped, found = amplitudes(given.name), {}
    for name, (value, error) in row["values"].items():
        if name in given.parameters and name not in skipped:
            truth = float(given.parameters[name])
            found[name] = bool(abs(value - truth) <= max(WITHIN * abs(truth), SIGMAS * (error or 0.0)))
    return found


def amplitudes(name: str) -> set[str]:
    """Parameters that tell nothing where the unit of the intensity is arbitrary; contrasts go with them."""
    from sasnet_plugin.simulate.kernel import load_model

    table = load_model(name).info.parameters.call_parameters
    skipped = {p.name for p in table if p.type in _TYPES or p.units == "1/cm" or "scale" in p.name}
    return skipped | {"background"}


def sentence(rows: list[dict[str, Any]], seed: int) -> str:
    """For the table: parameters and problems that were given back."""
    known = [r for r in rows if r["success"] and r["best"] == r["model"]]
    each = [c for c in (compared(r, problem(r["index"], seed, exact=False)) for r in known) if c]
    if not each:
        return ""
    every = np.concatenate([list(c.values()) for c in each])
    whole = np.mean([all(c.values()) for c in each])
    return (
        f"\nThe true model fits and is ranked first in {len(known)} problems. Of the {every.size} parameters"
        f" fitted there (without amplitudes, background, contrasts), {100 * every.mean():.1f} % are within"
        f" 10 % or 3 σ of the truth; all of a problem's are in {100 * whole:.0f} % of {len(each)}.\n"
    )
