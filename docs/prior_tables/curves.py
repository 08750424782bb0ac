"""The tables of docs/prior_models.md: what each model's parameters are drawn from."""

from __future__ import annotations

import inspect
import zlib

import numpy as np

from sasnet_plugin.simulate import lengths, priors
from sasnet_plugin.simulate.priors import FROZEN, OWN_PRIORS

DRAWS = 500
_CELL = "| {} | {} | {} | {} | {} |"


def quantiles(name: str) -> str:
    """Return a model's table: 5 %, 50 % and 95 % of each parameter over `DRAWS` draws.

    The seed follows from the name, so that the table is the same on every run. Layers share one row;
    what the prior does not vary is called fixed.
    """
    info = priors.model_info(name)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values: dict[str, list[float]] = {p.id: [] for p in info.parameters.kernel_parameters}
    sizes = []
    for _ in range(DRAWS):
        pars = priors.sample_prior(name, rng)
        sizes.append(priors.max_length(name, pars))
        for key, value in pars.items():
            values[lengths.base_id(info, key)].append(value)
    rows = ["| parameter | unit | 5 % | 50 % | 95 % |", "|---|---|---|---|---|"]
    for key, drawn in values.items():
        if not drawn:
            continue
        unit = lengths.unit_of(info, key)
        rows.append(_row(key, "" if unit.lower() == "none" else unit.replace("Ang", "Å"), drawn))
    if sizes[0] is not None:
        rows.append(_row("*largest length*", "Å", [size for size in sizes if size is not None]))
    return "\n".join(rows)


def _row(key: str, unit: str, drawn: list[float]) -> str:
    if np.ptp(drawn) == 0:
        return _CELL.format(key, unit, "fixed", f"{drawn[0]:.4g}", "")
    return _CELL.format(key, unit, *(f"{v:.3g}" for v in np.quantile(drawn, (0.05, 0.5, 0.95))))


def section(name: str) -> str:
    """Return one model's section: where its prior comes from and its table."""
    if name in OWN_PRIORS:
        factor = priors.model_info(name).structure_factor
        half = "Our own. " if factor else "Half sasmodels' own draw, half ours. "
        origin = half + " ".join((inspect.getdoc(OWN_PRIORS[name]) or "").split())
    else:
        origin = "sasmodels' `random()`."
    if name in FROZEN:
        more = ", ".join(f"{parameter} {text}" for parameter, text in FROZEN[name].items())
        origin += f" Besides: {more}."
    return f"### {name}\n\n{origin}\n\n{quantiles(name)}\n"


def tables() -> str:
    """Return the sections of all form models and structure factors, sorted by name."""
    names = sorted({*priors.form_models(), *priors.structure_factors(), "two_yukawa"})
    return "\n".join(section(name) for name in names)
