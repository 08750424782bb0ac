"""How good a network for rotations of a lattice is on patterns of geometries that it never saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains.gisas_hex import HEADS
from ..domains.heads import Distribution, Quantities
from ..predict import Predictor
from ..predict.arithmetic import smoothed
from ..simulate.gisas.distances import circular_w1, folded_w1, total_variation
from ..simulate.gisas.geometry import N_XI, XI
from ..simulate.stream import HeldOut, held_out
from ..zoo import Manifest, ZooModel
from .card import model_card
from .evaluated import Evaluated
from .image_figures import answered, predictor_of, scope_figures, test_set
from .images.insight import bias_section, pls_section
from .images.page import Section
from .orientation_card import table
from .whole import write_figure

COUNT_EDGES = (1e4, 1e5, 1e6, 1e7, 1e8)
#: Where the seed's task is judged.
JUDGED = (1e5, 1e7)
KNOWN = 10
_HEAD = next(head for head in HEADS if isinstance(head, Distribution))


def evaluated(
    model: ZooModel,
    test: Path,
    *,
    per_model: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluated:
    """Distances from the truth, coverage of the bands, errors of the quantities, scope.

    Parameters
    ----------
    model : ZooModel
    test : Path
        Store of bases of geometries that training never saw.
    per_model : int
        Out-of-distribution patterns of each kind; ten times as many known patterns.
    seed : int
    progress : callable, optional

    Raises
    ------
    SasnetError
        The bases are of another window.
    """
    manifest = model.manifest
    domain, rng = model.domain, np.random.default_rng(seed)
    data = test_set(model, test)
    sets = (
        held_out(domain, data, rng, known=KNOWN * per_model, others=per_model),
        held_out(domain, data, rng, known=KNOWN * per_model, others=0, exposure=JUDGED),
        held_out(domain, data, rng, known=2 * per_model, others=0, exposure=JUDGED, family="uniform"),
    )
    predictor = predictor_of(model)
    answers = []
    for number, held in enumerate(sets):
        answers.append(_decoded(predictor, held))
        if progress is not None:
            progress(number + 1, len(sets))
    result = figures(answers[0], sets[0], manifest)
    result["judged"] = distances(answers[1], sets[1], np.ones(sets[1].known, dtype=bool))
    result["uniform_called_uniform"] = float(np.mean(answers[2].uniform_p_value > 0.05))
    text = table(result)

    def sections() -> list[Section]:
        known = sets[0].targets["scope"] > 0
        return [
            pls_section(sets[0].inputs["features"][known], _smoothed(sets[0].targets["xi"][known]), "p(ξ)"),
            bias_section(XI.astype(np.float64), answers[2].p),
        ]

    return Evaluated(
        result,
        text,
        lambda path: draw(result, path),
        lambda: model_card(model.domain, manifest, text),
        sections,
    )


@dataclass(frozen=True)
class Decoded:
    """Calibrated answers for n patterns.

    Parameters
    ----------
    p, p_low, p_high : (n, 120) arrays
        Share of each angle, and its 90 % band.
    values, errors : (n, quantities) arrays
        In the units of the parameters.
    in_scope, uniform_p_value : (n,) arrays
    """

    p: NDArray[np.float64]
    p_low: NDArray[np.float64]
    p_high: NDArray[np.float64]
    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    in_scope: NDArray[np.float64]
    uniform_p_value: NDArray[np.float64]


def _decoded(predictor: Predictor, held: HeldOut) -> Decoded:
    findings, in_scope = answered(predictor, held.inputs["features"])
    named = [list(row[1].known.values()) for row in findings]

    def column(key: str) -> NDArray[np.float64]:
        return np.array([getattr(row[0], key) for row in findings])

    return Decoded(
        p=column("p"),
        p_low=column("p_low"),
        p_high=column("p_high"),
        values=np.array([[v.value for v in row] for row in named]),
        errors=np.array([[v.error for v in row] for row in named]),
        in_scope=in_scope,
        uniform_p_value=column("uniform_p_value"),
    )


def _smoothed(p: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distributions averaged over the resolution of their head."""
    return smoothed(p, _HEAD)


def distances(answers: Decoded, held: HeldOut, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Circular W1, folded W1, total variation, W1 of the uniform answer, coverage of the 90 % band."""
    p, truth = answers.p[rows], held.targets["xi"][rows]
    even = np.full(N_XI, 1 / N_XI)
    found = _smoothed(truth)
    inside = (found >= answers.p_low[rows] - 1e-9) & (found <= answers.p_high[rows] + 1e-9)
    return {
        "count": int(rows.sum()),
        "w1": float(circular_w1(p, truth).mean()),
        "w1_median": float(np.median(circular_w1(p, truth))),
        "w1_folded": float(folded_w1(p, truth).mean()),
        "w1_uniform": float(circular_w1(np.broadcast_to(even, truth.shape), truth).mean()),
        "total_variation": float(total_variation(p, truth).mean()),
        "coverage": float(inside.mean()),
    }


def figures(answers: Decoded, held: HeldOut, manifest: Manifest) -> dict[str, Any]:
    """All figures of merit of a set with known patterns and others.

    Returns
    -------
    dict
        ``all``, ``by_counts``, ``by_family`` (see `distances`); ``quantities``: median error over the
        prior's standard deviation, and share within one stated error; ``auroc`` by out-of-distribution
        kind and ``others_answered``, the share that passes the threshold; ``known_refused``;
        ``not_uniform_called_uniform``.
    """
    known = held.targets["scope"] > 0
    result: dict[str, Any] = {"all": distances(answers, held, known), "by_counts": [], "by_family": {}}
    for low, high in zip(COUNT_EDGES[:-1], COUNT_EDGES[1:], strict=True):
        rows = known & (held.about["counts"] >= low) & (held.about["counts"] < high)
        if rows.any():
            result["by_counts"].append({"low": low, "high": high, **distances(answers, held, rows)})
    for family in sorted(set(held.about["kind"][known])):
        result["by_family"][str(family)] = distances(answers, held, known & (held.about["kind"] == family))
    result["quantities"] = {}
    head = next(head for head in manifest.heads if isinstance(head, Quantities))
    for column, quantity in enumerate(head.parameters):
        scaled = np.array([quantity.scaled(v) for v in answers.values[known, column]])
        miss = np.abs(scaled - held.targets["geometry"][known, column])
        true = np.array([quantity.value(float(x), 0.0)[0] for x in held.targets["geometry"][known, column]])
        within = np.abs(answers.values[known, column] - true) <= answers.errors[known, column]
        result["quantities"][quantity.name] = {
            "median": float(np.median(miss)),
            "within": float(within.mean()),
        }
    result |= scope_figures(
        answers.in_scope,
        held,
        manifest.scope_threshold,
    )
    sharp = known & (held.about["kind"] == "deltas")
    result["not_uniform_called_uniform"] = float(np.mean(answers.uniform_p_value[sharp] > 0.05))
    return result


def draw(result: dict[str, Any], path: Path) -> None:
    """Distance from the truth against counts, and coverage of the band."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots(1, 2)
    centres = [np.sqrt(f["low"] * f["high"]) for f in result["by_counts"]]
    for key in ("w1", "w1_folded", "w1_uniform"):
        axes[0].plot(centres, [f[key] for f in result["by_counts"]], marker="o", label=key)
    axes[0].set(xlabel="counts", ylabel="circular W1 / degrees", xscale="log")
    axes[0].set_ylim(bottom=0)
    axes[0].legend()
    axes[1].plot(centres, [f["coverage"] for f in result["by_counts"]], marker="o")
    axes[1].axhspan(0.85, 0.95, color="0.9")
    axes[1].set(xlabel="counts", ylabel="coverage of the 90 % band", xscale="log", ylim=(0, 1))
    write_figure(figure, path)
