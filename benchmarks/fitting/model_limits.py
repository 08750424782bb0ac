"""Does any model at any limit end in an internal exception? Each parameter is fixed at 0 and at its bounds.

``python -m benchmarks fitting/model_limits --write`` fits a small curve with every model of sasmodels and one
parameter fixed at 0, at its lowest and at its highest value, and at the ends of what fits allow. An honest
sentence is as good as a fit; an exception, a value that is not a number, or a negative intensity is not.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..common import markdown, parser_of, resumed, show

#: Seconds that a fit may plan with: enough for a start and a few steps.
_SECONDS = 1.0
#: What sentences of users' faults never hold.
_INTERNAL = re.compile(r"please report|\b\w+(Error|Exception|Warning)\b|Traceback|the fit failed")


def limits(model: str, structure_factor: str | None = None) -> Iterator[tuple[str, float]]:
    """Each parameter of a model with the values to fix it at."""
    from sasnet_plugin.simulate.priors import model_info
    from sasnet_plugin.types import product_name

    for p in model_info(product_name(model, structure_factor)).parameters.call_parameters:
        if p.type in ("magnetic", "orientation") or p.name == "background" or p.name.endswith("_mode"):
            continue
        ends = [0.0, *(end for end in p.limits if np.isfinite(end))]
        for value in dict.fromkeys(map(float, ends)):
            yield p.name, value
        if p.polydisperse and p.type == "volume":
            yield f"{p.name}_pd", 1.0


def outcome(pool: Any, curve: Any, model: str, structure_factor: str | None, name: str, value: float) -> str:
    """What came of one fit: "fit", a sentence, or what is wrong, with "!" in front."""
    from dataclasses import replace

    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.asked import check_names
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.types import SasnetError

    options = FitOptions(
        models=(model,), structure_factor=structure_factor or "none", fixed={name: value}, time_limit=_SECONDS
    )
    try:
        check_names(options)
        found = fit_with(pool, replace(curve), options)
        said = [str(found), *found.notes]
        json.dumps(found.as_dict(), default=str)
    except SasnetError as error:
        return f"{'!' * bool(_INTERNAL.search(str(error)))}{error}"
    except Exception as error:
        return f"!{type(error).__name__}: {error}"
    if internal := next(filter(_INTERNAL.search, said), ""):
        return f"!{internal}"
    for fit in found.fits:
        if not np.all(np.isfinite(fit.theory)):
            return "!the fit is not finite"
        if np.any(fit.theory < 0):
            return "!the fit is negative"
    return "fit" if found.fits else "no fit: " + said[0].splitlines()[0]


def curve_of(points: int = 24) -> Any:
    """A small curve of spheres with 3 % noise."""
    from sasnet_plugin.simulate.kernel import call
    from sasnet_plugin.types import Curve

    q = np.geomspace(0.006, 0.3, points)
    clean = 0.01 * call("sphere", q, {"radius": 55.0, "sld": 4.0, "sld_solvent": 1.0}).intensity + 0.02
    noise = np.random.default_rng(4).standard_normal(points)
    return Curve(q, clean * (1 + 0.03 * noise), 0.03 * clean, file="sphere.dat")


def main(argv: list[str] | None = None) -> None:
    """Run, and print or write the table."""
    from sasnet_plugin.fitting.pool import Workers
    from sasnet_plugin.simulate.priors import form_models, structure_factors
    from sasnet_plugin.zoo import bank_path

    parser = parser_of(__doc__)
    parser.add_argument("--models", default="", help="Only these, by commas.")
    parser.add_argument("--kept", type=Path, default=Path("model_limits.jsonl"), help="What is done.")
    asked = parser.parse_args(argv)
    names = asked.models.split(",") if asked.models else form_models()
    pairs: list[tuple[str, str | None]] = [(name, None) for name in names]
    pairs += [] if asked.models else [("sphere", factor) for factor in structure_factors()]
    cases = {
        f"{model}{'@' + factor if factor else ''} {name}={value:g}": (model, factor, name, value)
        for model, factor in pairs
        for name, value in limits(model, factor)
    }
    with Workers(bank_path(), 1) as pool:
        solve = partial(map, lambda key: {"key": key, "outcome": outcome(pool, curve_of(), *cases[key])})
        rows = resumed(asked.kept, list(cases), solve, lambda row: str(row)[:240], "key")
    show(report({row["key"]: row["outcome"] for row in rows}), asked.write, __file__)


def report(done: dict[str, str]) -> str:
    """The table, and each failure."""
    kinds = Counter(kind(text) for text in done.values())
    rows = [[name, f"{count:,}"] for name, count in kinds.most_common()]
    models = len({key.partition(" ")[0] for key in done})
    bad = [f"- `{key}`: {text[1:300]}" for key, text in sorted(done.items()) if text.startswith("!")]
    intro = (
        f"# Models at their limits\n\n{len(done):,} fits of a small curve, {models} models and products, each"
        " with one parameter fixed\nat 0 or at an end of its limits in sasmodels.\n\n"
    )
    table = markdown(["what came", "fits"], rows)
    return intro + table + "\n" + ("\n" + "\n".join(bad) + "\n" if bad else "")


def kind(text: str) -> str:
    """Which row of the table an outcome belongs to."""
    if text.startswith("!"):
        return "internal exception, no number or negative intensity"
    return "a fit" if text == "fit" else "a sentence that says why there is no fit"
