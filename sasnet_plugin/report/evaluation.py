"""How good a model of the zoo is on curves it never saw: figures, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains.heads import Outputs
from ..files import write_figure
from ..predict.arithmetic import mean_and_sigma, sigmoid, softmax
from ..predict.decoding import compute_given_probability
from ..predict.predictor import Predictor
from ..simulate.curve_simulator import prior_of
from ..simulate.examples import (
    SOURCES,
    Examples,
    concatenate,
    draw_kind_examples,
    draw_model_examples,
    wide_set,
)
from ..simulate.library import Library
from ..simulate.out_of_distribution import KINDS
from ..train import metrics
from ..types import SasnetError
from ..workers.spread import Workers
from ..zoo import Manifest, ZooModel
from .evaluated import Evaluated, Job, run_parts
from .model_card import model_card

COUNT_EDGES = (30, 300, 3_000, 30_000, 1_000_001)
WIDTH_EDGES = (0.5, 1.1, 1.6, 2.0, 2.5, 4.0)
#: Of the largest length times the largest q: up to the first minimum, fringes, many of them, their average.
SIZE_EDGES = (0.0, 30.0, 300.0, 3_000.0, np.inf)

#: Out-of-scope curves of each kind over all of known models, and at least.
_OTHERS, _FEWEST = 0.125, 20
#: Out-of-scope curves, or curves measured as in training, of a part: enough for a stream to even models out.
_TOGETHER = 1000


@dataclass(frozen=True)
class Decoded:
    """Calibrated answers for n curves."""

    form: NDArray[np.float64]  #: (n, F), probability of each form model, whatever its structure factor.
    #: (n, F, S), probability of each structure factor given the form model; zero where not allowed.
    structure_factor: NDArray[np.float64]
    in_scope: NDArray[np.float64]  #: (n,)
    rg: NDArray[np.float64]  #: (n,), radius of gyration, Å.


def predict(examples: Examples, predictor: Predictor) -> Decoded:
    """Calibrated answers of the exported network for test examples."""
    return decode_outputs(predictor.outputs({"features": examples.features}), predictor.manifest)


def decode_outputs(outputs: Outputs, manifest: Manifest) -> Decoded:
    """Calibrated answers from the network's outputs, as arrays."""
    calibration = manifest.calibration
    scope = outputs["scope"][:, 0].astype(np.float64)
    return Decoded(
        softmax(outputs["form"] / calibration["form"]["temperature"]),
        compute_given_probability(
            manifest.head("structure_factor"), manifest.labels, outputs, calibration["structure_factor"]
        ),
        sigmoid(calibration["scope"]["slope"] * scope + calibration["scope"]["offset"]),
        10.0 ** mean_and_sigma(outputs["size"])[0][:, 0],
    )


def evaluate(answers: Decoded, examples: Examples, manifest: Manifest) -> dict[str, Any]:
    """Return figures of merit: ``all`` and each instrument's top1, top3, top5, group, factor, ece, count;
    ``balanced_factor``; ``auroc`` by out-of-distribution kind; ``by_counts``, ``by_width``, ``by_size``;
    ``confused``; ``per_model``; ``rg`` (median error in decades); ``reliability``. Out-of-distribution curves
    (form −1) are for the scope.
    """
    known_rows = np.flatnonzero(examples.form >= 0)
    index = metrics.group_index([g.members for g in manifest.groups], manifest.labels)
    result: dict[str, Any] = {"all": _figures(answers, examples, known_rows, index)}
    for number, name in enumerate(SOURCES):
        rows = known_rows[examples.instrument[known_rows] == number]
        if rows.size:
            result[name] = _figures(answers, examples, rows, index)
    truth = examples.form[known_rows]
    factor = _factor(answers, known_rows)
    has = examples.structure_factor[known_rows]
    result["balanced_factor"] = metrics.compute_balanced_accuracy(has, factor)
    result["auroc"] = _auroc(answers, examples, known_rows)
    result["by_counts"] = _evaluate_in_bins(
        answers, examples, known_rows, examples.counts, COUNT_EDGES, index
    )
    result["by_width"] = _evaluate_in_bins(
        answers, examples, known_rows, examples.decades, WIDTH_EDGES, index
    )
    result["by_size"] = _evaluate_in_bins(answers, examples, known_rows, examples.size_q, SIZE_EDGES, index)
    first = answers.form[known_rows].argmax(axis=1)
    matrix = metrics.confusion_matrix(truth, first, len(manifest.labels))
    result["confused"] = metrics.find_confused_pairs(matrix, manifest.labels, 15)
    result["per_model"] = {manifest.labels[c]: r for c, r in metrics.recall(truth, first).items()}
    has_rg = known_rows[np.isfinite(examples.log_rg[known_rows])]
    result["reliability"] = _reliability(answers.form[known_rows].max(axis=1), first == truth)
    result["rg"] = float(np.median(np.abs(np.log10(answers.rg[has_rg]) - examples.log_rg[has_rg])))
    return result


def _auroc(answers: Decoded, examples: Examples, known_rows: NDArray[np.intp]) -> dict[str, float]:
    return {
        kind: metrics.auroc(answers.in_scope[known_rows], answers.in_scope[examples.kind == number])
        for number, kind in enumerate(KINDS)
        if np.any(examples.kind == number)
    }


def _reliability(stated: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, float]]:
    table = metrics.reliability(stated, right)
    return [
        {"stated": float(c), "right": float(a), "count": int(n)}
        for c, a, n in zip(table.confidence, table.accuracy, table.count, strict=True)
        if n
    ]


def curves(
    model: ZooModel,
    test: Path,
    *,
    per_model: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    workers: Workers = 1,
) -> Evaluated:
    """Evaluate accuracy and calibration under the frozen realistic protocol, `per_model` test curves each;
    else as `evaluated.evaluate_model`. Raises SasnetError if shards hold other models.
    """
    job = Job.create(model, test, seed)
    forms = _open_job(job)[1].forms
    if forms != model.manifest.labels:
        raise SasnetError(
            f"{test}: contains other models than the network; simulate the models of the network."
        )
    parts = _parts(len(forms), per_model)
    answers_found = run_parts(answer_part, job, parts, workers=workers, progress=progress)
    wide = [kind_name for kind_name, _, _ in parts].index("wide")
    result = evaluate(*_join_parts(answers_found[:wide]), model.manifest)
    result["wide"] = _wide(*_join_parts(answers_found[wide:]), model.manifest)
    result["prior"] = prior_of(test)
    table = markdown(result, model.manifest)
    return Evaluated(
        result,
        table,
        lambda path: draw(result, path),
        lambda: model_card(model.domain, model.manifest, table),
    )


def _pieces(count: int) -> list[int]:
    return [min(_TOGETHER, count - start) for start in range(0, count, _TOGETHER)]


@lru_cache(maxsize=1)
def _open_job(job: Job) -> tuple[Predictor, Library]:
    return job.predictor(), Library(job.test)


def answer_part(job: Job, number: int, part: tuple[str, int, int]) -> tuple[Decoded, Examples] | None:
    """What is said of so many curves of a model, of another kind or as in training; without features."""
    # None where no setting shows any.
    (predictor, library), rng = _open_job(job), job.rng(number)
    kind_name, index_here, count = part
    if kind_name == "wide":
        examples_found = [wide_set(library, rng, count=count)]
    else:
        examples_found = (draw_model_examples if kind_name == "model" else draw_kind_examples)(
            library, index_here, rng, count
        )
    if not examples_found:
        return None
    examples = concatenate(examples_found)
    return predict(examples, predictor), replace(examples, features=examples.features[:, :0])


def _join_parts(parts: Sequence[tuple[Decoded, Examples] | None]) -> tuple[Decoded, Examples]:
    answers, examples = zip(*(part for part in parts if part is not None), strict=True)
    names = [field.name for field in fields(Decoded)]
    return (
        Decoded(**{name: np.concatenate([getattr(field, name) for field in answers]) for name in names}),
        concatenate(list(examples)),
    )


def _wide(answers: Decoded, examples: Examples, manifest: Manifest) -> dict[str, float]:
    """Figures of curves measured as in training, and what share of them is said to be of no known model."""
    known_rows = np.flatnonzero(examples.form >= 0)
    index = metrics.group_index([g.members for g in manifest.groups], manifest.labels)
    outside = np.mean(answers.in_scope[known_rows] < manifest.scope_threshold)
    return {**_figures(answers, examples, known_rows, index), "outside": float(outside)}


def _factor(answers: Decoded, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    return metrics.marginal_factor(answers.form[rows], answers.structure_factor[rows])


def _figures(
    answers: Decoded, examples: Examples, rows: NDArray[np.intp], index: NDArray[np.intp]
) -> dict[str, float]:
    p, truth = answers.form[rows], examples.form[rows]
    return {
        "top1": metrics.top_k(p, truth, 1),
        "top3": metrics.top_k(p, truth, 3),
        "top5": metrics.top_k(p, truth, 5),
        "group": metrics.group_accuracy(p, truth, index),
        "factor": float(np.mean(_factor(answers, rows) == examples.structure_factor[rows])),
        "ece": metrics.compute_calibration_error(p.max(axis=1), p.argmax(axis=1) == truth),
        "count": float(rows.size),
    }


def _evaluate_in_bins(
    answers: Decoded,
    examples: Examples,
    known_rows: NDArray[np.intp],
    by: NDArray[np.floating],
    edges: tuple[float, ...],
    index: NDArray[np.intp],
) -> list[dict[str, float]]:
    bins = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        rows = known_rows[(by[known_rows] >= low) & (by[known_rows] < high)]
        if rows.size >= 20:
            bins.append({"low": low, "high": high, **_figures(answers, examples, rows, index)})
    return bins


def _parts(forms: int, per_model: int) -> list[tuple[str, int, int]]:
    """What is measured, of which number, and how many: models, other kinds, and models as in training."""
    known_count = per_model * forms
    other_count = max(_FEWEST, int(known_count * _OTHERS))
    return [
        *(("model", form, per_model) for form in range(forms)),
        *(("kind", kind, count) for kind in range(len(KINDS)) for count in _pieces(other_count)),
        *(("wide", 0, count) for count in _pieces(known_count)),
    ]


def markdown(result: dict[str, Any], manifest: Manifest) -> str:
    """The figures as tables."""
    head = "| {} | curves | top-1 | top-3 | top-5 | group | structure factor | ECE |\n" + "|---" * 8 + "|"

    def row(name: str, f: dict[str, float]) -> str:
        cells = " | ".join(f"{100 * f[k]:.1f} %" for k in ("top1", "top3", "top5", "group", "factor"))
        return f"| {name} | {f['count']:.0f} | {cells} | {f['ece']:.3f} |"

    lines = [f"Curves are drawn from {result['prior']}.", ""] if "prior" in result else []
    lines += [head.format("instrument"), row("all", result["all"])]
    lines += [row(name, result[name]) for name in SOURCES if name in result]
    if "wide" in result:
        lines += [
            row("measured as in training", result["wide"]),
            "",
            (
                "Curves “measured as in training” have systematic errors, backgrounds that change along q,"
                f" and absent or wrong uncertainties. {100 * result['wide']['outside']:.1f} % of them are"
                " classified as no known model."
            ),
        ]
    for title, bins in (
        ("counts at the weakest quarter", result["by_counts"]),
        ("decades of q", result["by_width"]),
        ("largest length times largest q", result["by_size"]),
    ):
        lines += ["", head.format(title), *(row(f"{f['low']:g} to {f['high']:g}", f) for f in bins)]
    lines += [
        "",
        f"Groups: {len(manifest.groups)}. Mean recall of structure factors:"
        f" {100 * result['balanced_factor']:.1f} %. Median error of log10 Rg: {result['rg']:.3f}.",
        "",
        "Out of scope, AUROC of in_scope against known models: "
        + ", ".join(f"{kind} {value:.3f}" for kind, value in result["auroc"].items())
        + ".",
        "",
        "| stated probability of the first answer | share right | curves |\n|---|---|---|",
        *(
            f"| {100 * b['stated']:.0f} % | {100 * b['right']:.0f} % | {b['count']} |"
            for b in result["reliability"]
        ),
        "",
        "| most confused | mutual confusion |\n|---|---|",
    ]
    lines += [f"| {a} – {b} | {100 * share:.1f} % |" for a, b, share in result["confused"]]
    worst = sorted(result["per_model"].items(), key=lambda item: item[1])
    lines += ["", "| model | top-1 |\n|---|---|"]
    lines += [f"| {name} | {100 * value:.0f} % |" for name, value in worst]
    return "\n".join(lines) + "\n"


def draw(result: dict[str, Any], path: Path) -> None:
    """Reliability diagram, accuracy against counts and against the width of the window, as one picture."""
    from matplotlib.figure import Figure

    bins = result["reliability"]
    total = sum(b["count"] for b in bins)
    figure = Figure(figsize=(12, 4), layout="constrained")
    axes = figure.subplots(1, 3)
    axes[0].plot([0, 1], [0, 1], color="0.7")
    axes[0].scatter(
        [b["stated"] for b in bins],
        [b["right"] for b in bins],
        s=[8 + 300 * b["count"] / total for b in bins],
    )
    axes[0].set(xlabel="stated probability", ylabel="share right", title=f"ECE {result['all']['ece']:.3f}")
    for axis, key, label in ((axes[1], "by_counts", "counts"), (axes[2], "by_width", "decades of q")):
        centres = [np.sqrt(f["low"] * f["high"]) for f in result[key]]
        for figure_of_merit in ("top1", "top3", "top5", "group"):
            axis.plot(centres, [f[figure_of_merit] for f in result[key]], marker="o", label=figure_of_merit)
        axis.set(xlabel=label, ylim=(0, 1))
    axes[1].set_xscale("log")
    axes[1].legend()
    write_figure(figure, path)
