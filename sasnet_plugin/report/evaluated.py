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
from ..predict.decoding import decode, in_scope
from ..simulate.dataset import Dataset
from ..simulate.stream import held_out
from ..types import SasnetError
from ..workers.spread import Workers
from ..zoo import ZooModel
from .model_card import model_card
from .parts import Job, in_parts
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


def evaluated(
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
    data = Dataset(test, model.domain.simulated())
    _check_inputs(data, model, test)
    known = KNOWN * per_model
    order = np.resize(np.random.default_rng(seed).permutation(len(data)), known)
    number = -(-known // _TOGETHER)
    others = map(len, np.array_split(np.arange(per_model), number))
    parts = list(zip(np.array_split(order, number), others, strict=True))
    outputs, held = _joined(
        in_parts(answered, Job.of(model, test, seed), parts, workers=workers, progress=progress)
    )
    findings = decode(model.manifest.heads, outputs, model.manifest.calibration)[:known]
    heads = [head for head in model.manifest.heads if head.name in held.targets]
    shared = _parts(held).items()
    figures = {part: _figures(heads, findings, held, rows) for part, rows in shared}
    result: dict[str, Any] = {"known": known, "parts": figures}
    scope = model.manifest.scope
    if scope is not None:
        inside = in_scope(scope, outputs, model.manifest.calibration[scope.name])
        result |= scope_figures(inside, known, held.about["kind"], model.manifest.scope_threshold)
    text = table(result)
    return Evaluated(
        result,
        text,
        lambda path: draw(result, path),
        lambda: model_card(model.domain, model.manifest, text),
        partial(service("network_page"), text, heads, findings, held)
        if has_service("network_page")
        else None,
    )


@lru_cache(maxsize=1)
def _opened(job: Job) -> tuple[Predictor, Dataset]:
    predictor = job.predictor()
    return predictor, Dataset(job.test, predictor.domain.simulated())


def answered(job: Job, number: int, part: tuple[NDArray[np.intp], int]) -> tuple[Outputs, HeldOut]:
    """What the network says of some rows, and of so many of each other kind; with features of the rows."""
    predictor, data = _opened(job)
    rows, others = part
    held = held_out(
        predictor.domain, data, job.rng(number), known=len(rows), others=others, rows=rows.tolist()
    )
    features = {name: held.inputs[name][: held.known] for name in ("features",) if name in held.inputs}
    return predictor.outputs(held.inputs), replace(held, inputs=features)


def _joined(parts: Sequence[tuple[Outputs, HeldOut]]) -> tuple[Outputs, HeldOut]:
    outputs, held = zip(*parts, strict=True)
    known = np.concatenate([np.arange(len(one.about["kind"])) < one.known for one in held])
    order = np.argsort(~known, kind="stable")

    def together(of: Sequence[Mapping[str, NDArray[Any]]], at: Any) -> dict[str, NDArray[Any]]:
        return {name: np.concatenate([one[name] for one in of])[at] for name in of[0]}

    return together(outputs, order), HeldOut(
        together([one.inputs for one in held], ...),
        together([one.targets for one in held], order),
        together([one.about for one in held], order),
        int(known.sum()),
    )


def _check_inputs(data: Dataset, model: ZooModel, test: Path) -> None:
    window = data.simulator.inputs(test).get("window")
    # As JSON has it, which knows no tuples.
    if window is not None and json.loads(json.dumps(window)) != model.manifest.inputs["window"]:
        raise SasnetError(
            f"{test}: contains data of another range than the network needs; simulate them again."
        )


def _parts(held: HeldOut) -> dict[str, NDArray[np.intp]]:
    """Rows of known examples by what they have in common."""
    every = np.arange(held.known)
    found = {"all": every}
    if "counts" in held.about:
        counts = held.about["counts"][: held.known]
        for low, high in zip(COUNT_EDGES[:-1], COUNT_EDGES[1:], strict=True):
            found[f"{low:.0e} to {high:.0e} counts"] = every[(counts >= low) & (counts < high)]
    kinds = held.about["kind"][: held.known]
    found |= {str(kind): every[kinds == kind] for kind in sorted(set(kinds) - {""})}
    return {part: rows for part, rows in found.items() if rows.size}


def _figures(
    heads: Sequence[Head], findings: Sequence[Sequence[Any]], held: HeldOut, rows: NDArray[np.intp]
) -> dict[str, dict[str, dict[str, float]]]:
    return {head.name: found for head in heads if (found := _scored(head, findings, held, rows))}


def _scored(
    head: Head, findings: Sequence[Sequence[Any]], held: HeldOut, rows: NDArray[np.intp]
) -> dict[str, dict[str, float]]:
    own = [next((f for f in findings[row] if f.head.name == head.name), None) for row in rows.tolist()]
    return score(head, own, held.targets[head.name][rows]) if own[0] is not None else {}


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
    axis: Any, parts: Mapping[str, Any], head: str, keys: Sequence[str], at: Mapping[str, float]
) -> None:
    for of, figures in parts["all"][head].items():
        for key in (key for key in figures if key in keys):
            values = [parts[part].get(head, {}).get(of, {}).get(key, np.nan) for part in at]
            axis.plot(list(at.values()), values, marker="o", label=f"{of}, {key}")
