"""How good the answers of each type of head are against the truth, one function for each; as tables, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains.heads import Classes, Distribution, Head, Quantities, Tags
from ..predict.arithmetic import circular_w1, mirror_distribution, smooth_distribution
from ..predict.classes import ClassesFinding
from ..predict.findings import DistributionFinding, QuantitiesFinding
from ..predict.tags import TagsFinding
from ..train import metrics


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
        lines += [f"Known examples refused: {100 * result['known_refused']:.1f} %.", ""]
        if result["auroc"]:
            lines += ["| kind | AUROC of in_scope | answered all the same |", "|---|---|---|"]
        lines += [
            f"| {kind} | {value:.3f} | {100 * result['others_answered'][kind]:.1f} % |"
            for kind, value in result["auroc"].items()
        ]
    return "\n".join(lines).rstrip() + "\n"
