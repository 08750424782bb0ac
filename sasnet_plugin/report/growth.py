"""How good a network for growing films is on films that it never saw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..domains.gisas_growth import FILM
from ..predict.findings import QuantitiesFinding
from ..simulate.stream import HeldOut, held_out
from ..zoo import ZooModel
from .card import model_card
from .evaluated import Evaluated
from .image_figures import answered, predictor_of, scope_figures, scope_table, test_set
from .images.insight import pls_section
from .images.page import Section
from .whole import write_figure

COUNTS = (1e4, 1e5, 1e6, 1e7, 1e8)
#: Where the network is judged.
JUDGED = 1e6
KNOWN = 10


def evaluated(
    model: ZooModel,
    test: Path,
    *,
    per_model: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluated:
    """Relative errors, coverage of the bands against counts, scope.

    Parameters
    ----------
    model : ZooModel
    test : Path
        Store of films that training never saw.
    per_model : int
        Out-of-distribution patterns of each kind; ten times as many known patterns for each number of counts.
    seed : int
    progress : callable, optional

    Raises
    ------
    SasnetError
        The films are of another window.
    """
    manifest = model.manifest
    domain, data = model.domain, test_set(model, test)
    rng = np.random.default_rng(seed)
    predictor = predictor_of(model)
    result: dict[str, Any] = {"by_counts": {}}
    for number, counts in enumerate(COUNTS):
        held = held_out(domain, data, rng, known=KNOWN * per_model, others=0, exposure=counts)
        findings, _ = answered(predictor, held.inputs["features"])
        result["by_counts"][f"{counts:.0e}"] = quantity_figures([row[0] for row in findings], held)
        if progress is not None:
            progress(number + 1, len(COUNTS) + 1)
    held = held_out(domain, data, rng, known=KNOWN * per_model, others=per_model)
    _, in_scope = answered(predictor, held.inputs["features"])
    result |= scope_figures(in_scope, held, manifest.scope_threshold)
    if progress is not None:
        progress(len(COUNTS) + 1, len(COUNTS) + 1)
    text = table(result)

    def sections() -> list[Section]:
        known = held.targets["scope"] > 0
        return [
            pls_section(held.inputs["features"][known], held.targets["quantities"][known], "the quantities")
        ]

    return Evaluated(
        result,
        text,
        lambda path: draw(result, path),
        lambda: model_card(model.domain, manifest, text),
        sections,
    )


def quantity_figures(answers: list[QuantitiesFinding], held: HeldOut) -> dict[str, dict[str, float]]:
    """Of each quantity: median error over the truth, median half width of the band over it, coverage."""
    scaled = held.targets["quantities"].astype(np.float64)
    found = {}
    for column, quantity in enumerate(FILM):
        rows = [answer.known[quantity.name] for answer in answers]
        value, low, high = np.array([(row.value, row.low, row.high) for row in rows]).T
        true = np.array([quantity.value(float(x), 0.0)[0] for x in scaled[:, column]])
        found[quantity.name] = {
            "error": float(np.median(np.abs(value - true) / true)),
            "half_band": float(np.median((high - low) / 2 / true)),
            "coverage": float(np.mean((low <= true) & (true <= high))),
        }
    return found


def draw(result: dict[str, Any], path: Path) -> None:
    """Median relative error, and coverage of the band, against counts."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    counts = [float(key) for key in result["by_counts"]]
    for quantity in FILM:
        rows = [figures[quantity.name] for figures in result["by_counts"].values()]
        left.plot(counts, [100 * row["error"] for row in rows], marker="o", label=quantity.name)
        right.plot(counts, [row["coverage"] for row in rows], marker="o")
    left.set(xlabel="counts", ylabel="median relative error / %", xscale="log", yscale="log")
    left.legend(fontsize=8)
    right.axhspan(0.85, 0.95, color="0.9")
    right.set(xlabel="counts", ylabel="coverage of the 90 % band", xscale="log", ylim=(0, 1))
    write_figure(figure, path)


def table(result: dict[str, Any]) -> str:
    """Figures as Markdown."""
    lines = [
        "Median relative error / coverage of the 90 % band, in percent.",
        "",
        "| quantity | " + " | ".join(f"{float(key):.0e} counts" for key in result["by_counts"]) + " |",
        "|---|" + "---|" * len(result["by_counts"]),
    ]
    for quantity in FILM:
        cells = [
            f"{100 * rows[quantity.name]['error']:.1f} / {100 * rows[quantity.name]['coverage']:.0f}"
            for rows in result["by_counts"].values()
        ]
        lines.append(f"| `{quantity.name}` | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *scope_table(result)]) + "\n"
