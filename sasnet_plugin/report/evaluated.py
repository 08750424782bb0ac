"""`sasnet evaluate` of any kind of measurement: how good each head is on data that training never saw."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains.heads import Head, Outputs
from ..domains.simulator import HeldOut
from ..extensions import has_service, service
from ..files import write_figure
from ..predict import Predictor
from ..predict.decoding import compute_in_scope, decode
from ..simulate.dataset import Dataset
from ..simulate.stream import draw_held_out
from ..types import SasnetError
from ..workers.spread import Workers
from ..zoo import ZooModel
from .model_card import model_card
from .parts import Job, run_parts
from .scores import scope_figures, score, table

#: Known examples for one of each other kind.
KNOWN = 10
#: Known examples of a part, at most: seconds of work.
_TOGETHER = 20
#: Decades of counts in which figures are given apart.
COUNT_EDGES = (1e4, 1e5, 1e6, 1e7, 1e8)


@dataclass(frozen=True)
class Evaluated:
    """Figures of merit of a model on a test set."""

    result: dict[str, Any]  #: All figures, as plain data.
    table: str
    draw: Callable[[Path], None]  #: (file) draws them.
    card: Callable[[], str]  #: () to the text of the model card.
    #: (name, training logs by run, examples between two of their rows, path) writes the page that says why.
    write_page: Callable[[str, Mapping[str, Path], int, Path], object] | None = None


def evaluate_model(
    model: ZooModel,
    test: Path,
    *,
    per_model: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    workers: Workers = 1,
) -> Evaluated:
    """Evaluate each head on test data of another seed: all examples, by counts, by kind."""
    # `per_model` counts out-of-distribution examples of each kind, and a tenth of the known ones; `seed` is
    # of the measurement. Raises SasnetError if the data were simulated otherwise than the training data.
    data = Dataset(test, model.domain.open_simulator())
    _check_inputs(data, model, test)
    known_count = KNOWN * per_model
    order = np.resize(np.random.default_rng(seed).permutation(len(data)), known_count)
    number = -(-known_count // _TOGETHER)
    other_counts = map(len, np.array_split(np.arange(per_model), number))
    parts = list(zip(np.array_split(order, number), other_counts, strict=True))
    outputs, held_out = _join_parts(
        run_parts(answer_part, Job.create(model, test, seed), parts, workers=workers, progress=progress)
    )
    findings = decode(model.manifest.heads, outputs, model.manifest.calibration)[:known_count]
    heads = [head for head in model.manifest.heads if head.name in held_out.targets]
    shared = _parts(held_out).items()
    figures = {part: _figures(heads, findings, held_out, rows) for part, rows in shared}
    result: dict[str, Any] = {"known": known_count, "parts": figures}
    scope = model.manifest.scope
    if scope is not None:
        inside = compute_in_scope(scope, outputs, model.manifest.calibration[scope.name])
        result |= scope_figures(inside, known_count, held_out.about["kind"], model.manifest.scope_threshold)
    text = table(result)
    return Evaluated(
        result,
        text,
        lambda path: draw(result, path),
        lambda: model_card(model.domain, model.manifest, text),
        partial(service("network_page"), text, heads, findings, held_out)
        if has_service("network_page")
        else None,
    )


@lru_cache(maxsize=1)
def _open_job(job: Job) -> tuple[Predictor, Dataset]:
    predictor = job.predictor()
    return predictor, Dataset(job.test, predictor.domain.open_simulator())


def answer_part(job: Job, number: int, part: tuple[NDArray[np.intp], int]) -> tuple[Outputs, HeldOut]:
    """What the network says of some rows, and of so many of each other kind; with features of the rows."""
    predictor, data = _open_job(job)
    rows, other_count = part
    held_out = draw_held_out(
        predictor.domain, data, job.rng(number), known_count=len(rows), others=other_count, rows=rows.tolist()
    )
    features = {
        name: held_out.inputs[name][: held_out.known] for name in ("features",) if name in held_out.inputs
    }
    return predictor.outputs(held_out.inputs), replace(held_out, inputs=features)


def _join_parts(parts: Sequence[tuple[Outputs, HeldOut]]) -> tuple[Outputs, HeldOut]:
    outputs, held_out_parts = zip(*parts, strict=True)
    is_known = np.concatenate(
        [
            np.arange(len(held_out_part.about["kind"])) < held_out_part.known
            for held_out_part in held_out_parts
        ]
    )
    order = np.argsort(~is_known, kind="stable")

    def together(mappings: Sequence[Mapping[str, NDArray[Any]]], order_here: Any) -> dict[str, NDArray[Any]]:
        return {
            name: np.concatenate([mapping[name] for mapping in mappings])[order_here] for name in mappings[0]
        }

    return together(outputs, order), HeldOut(
        together([held_out_part.inputs for held_out_part in held_out_parts], ...),
        together([held_out_part.targets for held_out_part in held_out_parts], order),
        together([held_out_part.about for held_out_part in held_out_parts], order),
        int(is_known.sum()),
    )


def _check_inputs(data: Dataset, model: ZooModel, test: Path) -> None:
    window = data.simulator.inputs(test).get("window")
    # As JSON has it, which knows no tuples.
    if window is not None and json.loads(json.dumps(window)) != model.manifest.inputs["window"]:
        raise SasnetError(
            f"{test}: its data cover another q or angular range than the network needs; simulate them again."
        )


def _parts(held_out: HeldOut) -> dict[str, NDArray[np.intp]]:
    """Rows of known examples by what they have in common."""
    all_rows = np.arange(held_out.known)
    parts = {"all": all_rows}
    if "counts" in held_out.about:
        counts = held_out.about["counts"][: held_out.known]
        for low, high in zip(COUNT_EDGES[:-1], COUNT_EDGES[1:], strict=True):
            parts[f"{low:.0e} to {high:.0e} counts"] = all_rows[(counts >= low) & (counts < high)]
    kinds = held_out.about["kind"][: held_out.known]
    parts |= {str(kind): all_rows[kinds == kind] for kind in sorted(set(kinds) - {""})}
    return {part: rows for part, rows in parts.items() if rows.size}


def _figures(
    heads: Sequence[Head], findings: Sequence[Sequence[Any]], held_out: HeldOut, rows: NDArray[np.intp]
) -> dict[str, dict[str, dict[str, float]]]:
    return {
        head.name: figures_found
        for head in heads
        if (figures_found := _score_head(head, findings, held_out, rows))
    }


def _score_head(
    head: Head, findings: Sequence[Sequence[Any]], held_out: HeldOut, rows: NDArray[np.intp]
) -> dict[str, dict[str, float]]:
    findings_here = [
        next((f for f in findings[row] if f.head.name == head.name), None) for row in rows.tolist()
    ]
    return (
        score(head, findings_here, held_out.targets[head.name][rows]) if findings_here[0] is not None else {}
    )


def draw(result: dict[str, Any], path: Path) -> None:
    """Every figure of merit of every head against counts, where they are known; else those of all."""
    from matplotlib.figure import Figure

    parts = result["parts"]
    heads = list(parts["all"])
    figure = Figure(figsize=(9, 3.6 * len(heads)), layout="constrained")
    axes = figure.subplots(len(heads), 2, squeeze=False)
    by_counts = {part: float(part.split()[0]) * 10**0.5 for part in parts if part.endswith("counts")}
    for pair, name in zip(axes, heads, strict=True):
        for axis, keys in zip(pair, (_ERRORS, _HELD), strict=True):
            _draw_merits(axis, parts, name, keys, by_counts or {"all": 1.0})
            axis.set(title=name, xlabel="counts" if by_counts else "", xscale="log")
            if axis.lines:
                axis.legend(fontsize=7)
    write_figure(figure, path)


#: Figures of merit of the left panel, and those of the right one, of what is stated.
_ERRORS, _HELD = ("error", "w1", "top1", "right"), ("coverage", "ece")


def _draw_merits(
    axis: Any, parts: Mapping[str, Any], head: str, keys: Sequence[str], places: Mapping[str, float]
) -> None:
    for name_of_figure, figures in parts["all"][head].items():
        for key in (key for key in figures if key in keys):
            values = [parts[part].get(head, {}).get(name_of_figure, {}).get(key, np.nan) for part in places]
            axis.plot(list(places.values()), values, marker="o", label=f"{name_of_figure}, {key}")
