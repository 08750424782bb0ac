"""How good the answers of each type of head are against the truth, one function for each; as tables, too.

What is drawn depends on the seed and the part alone. Parts are told where the files lie, and each process
reads them once; what comes back are answers, not what was measured.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..domains.heads import Classes, Distribution, Head, Outputs, Quantities, Tags
from ..domains.simulator import HeldOut
from ..extensions import has_service, service
from ..files import write_figure
from ..predict import Predictor
from ..predict.arithmetic import circular_w1, mirror_distribution, smooth_distribution
from ..predict.classes import ClassesFinding
from ..predict.decoding import compute_in_scope, decode
from ..predict.findings import DistributionFinding, QuantitiesFinding
from ..predict.tags import TagsFinding
from ..simulate.dataset import Dataset, draw_held_out
from ..train import metrics
from ..types import SasnetError
from ..workers.spread import Workers, map_unordered
from ..zoo import ZooModel, open_folder
from .model_card import model_card

# --- How good the answers of each type of head are against the truth, one function for each; as
# --- tables, too.


def score(head: Head, findings: Sequence[Any], truth: NDArray[Any]) -> dict[str, dict[str, float]]:
    """Return figures of merit of n findings of a head: of the head itself, a tag, or a quantity."""
    # Targets as in `domains.heads`; unlabelled examples are excluded.
    if isinstance(head, Classes):
        return {head.title: _classes(head, findings, truth)}
    if isinstance(head, Tags):
        return _tags(head, findings, truth)
    if isinstance(head, Quantities):
        return _quantities(head, findings, truth)
    if isinstance(head, Distribution):
        return {f"p({head.name})": _distribution(head, findings, truth)}
    return {}


def _classes(head: Classes, findings: Sequence[ClassesFinding], truth: NDArray[Any]) -> dict[str, float]:
    rows = np.flatnonzero(truth >= 0).tolist()
    p, right = np.array([findings[row].probability for row in rows]), truth[rows].astype(np.intp)
    figures = {f"top{k}": metrics.top_k(p, right, k) for k in (1, 3, 5) if k < len(head.labels)}
    if head.groups:
        index = metrics.group_index([group.members for group in head.groups], head.labels)
        figures["group"] = metrics.group_accuracy(p, right, index)
    return figures | {"ece": metrics.compute_calibration_error(p.max(axis=1), p.argmax(axis=1) == right)}


def _tags(head: Tags, findings: Sequence[TagsFinding], truth: NDArray[Any]) -> dict[str, dict[str, float]]:
    figures = {}
    for column, label in enumerate(head.labels):
        rows = np.flatnonzero(np.isfinite(truth[:, column])).tolist()
        p = np.array([findings[row].probability[label] for row in rows])
        is_true = truth[rows, column] > 0.5
        has_both = bool(is_true.any() and not is_true.all())
        figures[label] = {
            "right": float(np.mean((p >= 0.5) == is_true)),
            "auroc": metrics.auroc(p[is_true], p[~is_true]) if has_both else float("nan"),
            "ece": metrics.compute_calibration_error(np.maximum(p, 1 - p), (p >= 0.5) == is_true),
        }
    return figures


def _quantities(
    head: Quantities, findings: Sequence[QuantitiesFinding], truth: NDArray[Any]
) -> dict[str, dict[str, float]]:
    """Error, and half width of the band, over the truth; share of the truth in the band, and in the error."""
    # Of a quantity that may be 0 both are in its own unit.
    figures = {}
    for column, parameter in enumerate(head.parameters):
        rows = [
            (v.value, v.error, v.low, v.high, parameter.value(float(true), 0.0)[0])
            for finding, true in zip(findings, truth[:, column], strict=False)
            if (v := finding.present_values.get(parameter.name)) and np.isfinite(true)
        ]
        if not rows:  # a class that has none of it
            continue
        value, error, low, high, true = np.array(rows).T
        size = 1.0 if parameter.may_be_zero else np.maximum(np.abs(true), 1e-12)
        miss = np.abs(value - true)
        figures[parameter.name] = {
            "error": float(np.median(miss / size)),
            "half_band": float(np.median((high - low) / 2 / size)),
            "coverage": float(np.mean((low <= true) & (true <= high))),
            "within": float(np.mean(miss <= error)),
        }
    return figures


def _distribution(
    head: Distribution, findings: Sequence[DistributionFinding], truth: NDArray[Any]
) -> dict[str, float]:
    """Circular W1, folded, and of the uniform answer, degrees; total variation; coverage of the band."""
    rows = np.flatnonzero(np.isfinite(truth).all(axis=1)).tolist()
    if not rows:
        return {}
    true = truth[rows].astype(np.float64)
    p, low, high = (np.array([getattr(findings[r], k) for r in rows]) for k in ("p", "p_low", "p_high"))
    inside = smooth_distribution(true, head)
    smoothed_p, smoothed_truth = ((x + mirror_distribution(x)) / 2 for x in (p, true))
    return {
        "w1": float(circular_w1(p, true, head.period).mean()),
        "w1_median": float(np.median(circular_w1(p, true, head.period))),
        "w1_folded": float(circular_w1(smoothed_p, smoothed_truth, head.period).mean()),
        "w1_uniform": float(circular_w1(np.full_like(true, 1 / head.bins), true, head.period).mean()),
        "total_variation": float((np.abs(p - true).sum(axis=1) / 2).mean()),
        "coverage": float(np.mean((inside >= low - 1e-9) & (inside <= high + 1e-9))),
    }


def scope_figures(
    in_scope: NDArray[np.float64], known_count: int, kind: NDArray[np.str_], threshold: float
) -> dict[str, Any]:
    """Return ``auroc`` of in_scope and ``others_answered`` (the share above the threshold) by
    out-of-distribution kind, and ``known_refused``; the first `known_count` examples are known.
    """
    inside, other_scores = (
        in_scope[:known_count],
        {name: in_scope[known_count:][kind[known_count:] == name] for name in kind[known_count:]},
    )
    return {
        "auroc": {name: metrics.auroc(inside, values) for name, values in other_scores.items()},
        "others_answered": {
            name: float((values >= threshold).mean()) for name, values in other_scores.items()
        },
        "known_refused": float(np.mean(inside < threshold)),
    }


def table(result: dict[str, Any]) -> str:
    """Figures of `report.evaluated` as Markdown: a table for each head, one row for each of its parts."""
    lines = [f"{result['known']:,} known examples.", ""]
    for part, heads in result["parts"].items():
        for name, figures in heads.items():
            columns = list(next(iter(figures.values())))
            lines += [f"{name}, {part}:", "", f"| {name} | {' | '.join(columns)} |"]
            lines.append("|---" * (len(columns) + 1) + "|")
            for name_of_figure, values in figures.items():
                lines.append(
                    f"| `{name_of_figure}` | {' | '.join(f'{values[key]:.3g}' for key in columns)} |"
                )
            lines.append("")
    if "auroc" in result:
        lines += _list_scope(result)
    return "\n".join(lines).rstrip() + "\n"


def _list_scope(result: dict[str, Any]) -> list[str]:
    lines = [f"Known examples refused: {100 * result['known_refused']:.1f} %.", ""]
    if result["auroc"]:
        lines += ["| kind | AUROC of in_scope | answered all the same |", "|---|---|---|"]
    return lines + [
        f"| {kind} | {value:.3f} | {100 * result['others_answered'][kind]:.1f} % |"
        for kind, value in result["auroc"].items()
    ]


# --- An evaluation in parts: any process measures and answers them, and the figures are the same
# --- wherever.

P = TypeVar("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Job:
    """What all parts of one evaluation have in common."""

    folder: Path
    sha256: tuple[tuple[str, str], ...]  #: Names of its files, and what a worker has to find there.
    test: Path  #: Folder of the shards.
    seed: int  #: Of the measurement.
    #: Its own: a worker of a cluster outlives it, and files are read anew for the next one.
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def create(cls, model: ZooModel, test: Path, seed: int) -> Job:
        """The evaluation of a model on a folder of shards."""
        return cls(model.folder.absolute(), tuple(model.sha256.items()), test.absolute(), seed)

    def predictor(self) -> Predictor:
        """Open the model anew. Raises ModelZooError if it is missing or another."""
        return Predictor.load(open_folder(self.folder, dict(self.sha256)))

    def rng(self, number: int) -> np.random.Generator:
        """What a part is drawn with."""
        return np.random.default_rng([self.seed, number])


def run_parts(
    function: Callable[[Job, int, P], R],
    job: Job,
    parts: Sequence[P],
    *,
    workers: Workers = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[R]:
    """Return results of all parts in order, from an importable function of (job, number, part)."""
    results: dict[int, R] = {}
    for number, result in map_unordered(partial(_one, function, job), enumerate(parts), workers=workers):
        results[number] = result
        if progress is not None:
            progress(len(results), len(parts))
    return [results[number] for number in range(len(parts))]


def _one(function: Callable[[Job, int, P], R], job: Job, item: tuple[int, P]) -> tuple[int, R]:
    number, part = item
    return number, function(job, number, part)


# --- `sasnet evaluate` of any kind of measurement: how good each head is on data that training
# --- never saw.

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
