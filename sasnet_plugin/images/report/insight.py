"""A network for patterns explained: how it learned, what its patterns hold, and what it makes of nothing."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...domains.heads import Distribution, Head, Quantities
from ...domains.simulator import HeldOut
from ...predict.arithmetic import smooth_distribution
from ...report.canvas import Draw, Paint, frame_axes
from ...report.page.document import write_page
from ...types import SasnetError
from ..reading.features import CHANNELS
from .pages import Section, Verdict, page
from .pls import components_figure, pls
from .trends import learning_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPONENTS = 30
_PLS_SIZE, _CURVE_SIZE = (9.0, 4.6), (6.4, 3.4)


def pls_section(features: NDArray[np.floating], answers: NDArray[np.floating], subject: str) -> Section:
    """Show which pictures go with which true answers (n, k); of features (n, rows, columns, channels), the
    root of the counts or the last channel.
    """
    pictures = features[..., min(CHANNELS.index("root"), features.shape[-1] - 1)]
    shape = (pictures.shape[1], pictures.shape[2])
    model = pls(pictures.reshape(len(pictures), -1), answers, COMPONENTS)
    share, number = 100 * model.explained_y.sum(), model.loadings.shape[1]
    return Section(
        "What the patterns hold",
        components_figure(model, shape),
        _PLS_SIZE,
        (
            f"Partial least squares of {len(pictures):,} patterns against {subject}: {number} components"
            f" explain {share:.0f} % of its variance; the first are drawn. What a network finds in"
            f" addition is not linear."
        ),
    )


def bias_section(xi: NDArray[np.float64], predictions: NDArray[np.float64]) -> Section:
    """Show predictions (samples, n) for samples with uniform angles; xi (n,) in degrees."""
    figures = bias_of(predictions)
    return Section(
        "What it makes of a uniform sample",
        bias(xi, predictions),
        SIZE,
        f"{len(predictions)} patterns of samples with a uniform distribution of angles: mean answer and"
        f" central 90 %. The mean deviates from uniform by at most {100 * figures['systematic']:.1f} %"
        f" (noise {100 * figures['noise']:.1f} %); a single answer by a total variation of"
        f" {figures['total_variation']:.3f}.",
    )


def _losses(path: Path) -> NDArray[np.float64]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            loss = np.array([float(row["loss"]) for row in csv.DictReader(file)])
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise SasnetError(f"{path}: is not a training log ({error}); give the log.csv of a run.") from None
    if not loss.size:
        raise SasnetError(f"{path}: holds no losses yet; wait for the first checkpoint.")
    return loss


def learning_section(logs: Mapping[str, Path], per_row: int) -> Section:
    """Plot loss against examples for runs' ``log.csv`` files, `per_row` examples between rows. Raises
    SasnetError if one is missing or holds no losses.
    """
    losses = {name: _losses(path) for name, path in logs.items()}
    # A likelihood may be negative; on a logarithmic axis the distance from the best is drawn.
    least = min(float(loss.min()) for loss in losses.values())
    curves = {
        name: (per_row * np.arange(1.0, loss.size + 1), loss - least + 0.1) for name, loss in losses.items()
    }
    return Section(
        "How it learned",
        learning_curves(curves),
        _CURVE_SIZE,
        f"Training loss less its least value, {least:.3g}, plus 0.1.",
    )


def write_network_page(
    table: str,
    heads: Sequence[Head],
    findings: Sequence[Sequence[Any]],
    held_out: HeldOut,
    name: str,
    logs: Mapping[str, Path],
    per_row: int,
    path: Path,
) -> Path:
    """Write the page of a network and return its path: a Markdown table of figures, heads, findings and
    truth, and learning curves of logs (`per_row` examples between rows). Raises SasnetError if it cannot be
    written or a log cannot be read.
    """
    figures = [
        Section("Figures", table=rows, text=text) for text, rows in _tables(table) if len(rows) > 1 or text
    ]
    sections = [*figures, *sections_of(heads, findings, held_out)]
    if logs:
        sections.append(learning_section(logs, per_row))
    verdict = Verdict(
        f"{name}: how good it is, and why.", "Simulated patterns that were not used in training."
    )
    return write_page(path, page(name, verdict, sections))


def sections_of(heads: Sequence[Head], findings: Sequence[Sequence[Any]], held_out: HeldOut) -> list[Section]:
    """Which pictures go with which answers; what is made of samples whose every angle is alike."""
    sections = []
    features = held_out.inputs.get("features")
    if features is None or features.ndim != 4:
        return []
    for head in heads:
        truth = held_out.targets[head.name][: held_out.known]
        if isinstance(head, Distribution):
            sections.append(
                pls_section(features[: held_out.known], smooth_distribution(truth, head), f"p({head.name})")
            )
            sections += _bias(head, findings, truth)
        elif isinstance(head, Quantities):
            sections.append(pls_section(features[: held_out.known], truth, "the quantities"))
    return sections


def _bias(head: Distribution, findings: Sequence[Sequence[Any]], truth: NDArray[Any]) -> list[Section]:
    """What is said of samples whose every angle is alike, where there are any."""
    even = np.flatnonzero(np.ptp(truth, axis=1) < 1e-6).tolist()
    own_findings = [next(f for f in findings[row] if f.head is head) for row in even]
    return (
        [bias_section(head.grid, np.array([finding.p for finding in own_findings]))]
        if len(own_findings) > 1
        else []
    )


def _tables(markdown: str) -> list[tuple[str, list[list[str]]]]:
    tables: list[tuple[str, list[list[str]]]] = []
    text: list[str] = []
    rows: list[list[str]] = []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
            if not all(set(cell) <= {"-", ":"} for cell in cells):
                rows.append(cells)
            continue
        if rows:
            tables.append((" ".join(text), rows))
            text, rows = [], []
        if line.strip():
            text.append(line.strip())
    if text:
        tables.append((" ".join(text), []))
    return tables


#: Inches.
SIZE = (8.4, 3.2)


def distribution(
    xi: NDArray[np.float64],
    p: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    *,
    mirror: NDArray[np.float64] | None = None,
) -> Draw:
    """Plot p(ξ) in percent per bin, its 90 % band, and dashed the mirror solution if the data cannot exclude
    it; xi in degrees.
    """

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.add_subplot()
        frame_axes(axes, paint)
        axes.fill_between(
            xi, 100 * low, 100 * high, color=paint("fit1"), alpha=0.25, linewidth=0, label="90 % band"
        )
        axes.plot(xi, 100 * p, color=paint("fit1"), linewidth=1.6, label="p(ξ)", gid="p")
        if mirror is not None:
            axes.plot(
                xi, 100 * mirror, "--", color=paint("fit2"), linewidth=1.1, label="mirror", gid="mirror"
            )
        axes.axhline(100 / xi.size, color=paint("muted"), linewidth=0.8, label="every angle alike")
        axes.set_xlim(float(xi[0]), float(xi[-1]))
        axes.set_ylim(0, None)
        axes.set_xlabel("rotation ξ / degrees", color=paint("ink"))
        axes.set_ylabel("share / %", color=paint("ink"))
        axes.legend(frameon=False, fontsize=8, labelcolor=paint("ink"))

    return draw


def bias(xi: NDArray[np.float64], predictions: NDArray[np.float64]) -> Draw:
    """Plot mean and middle 90 % of predictions (samples, n) for samples with uniform angles; xi in
    degrees.
    """
    mean = predictions.mean(axis=0)
    low, high = np.quantile(predictions, (0.05, 0.95), axis=0)
    return distribution(xi, mean, low, high)


def bias_of(predictions: NDArray[np.float64]) -> dict[str, float]:
    """Measure how far predictions (samples, n) for uniform samples are from uniform."""
    # ``systematic``: largest deviation of the mean from 1/n, over 1/n; ``noise``: standard error of that mean
    # in the same unit, averaged over the angles; ``total_variation``: mean of half the sum of deviations of
    # each.
    samples, n = predictions.shape
    off = n * predictions - 1
    return {
        "systematic": float(np.max(np.abs(off.mean(axis=0)))),
        "noise": float(np.mean(off.std(axis=0, ddof=1)) / np.sqrt(samples)) if samples > 1 else float("nan"),
        "total_variation": float(np.mean(np.abs(off).mean(axis=1)) / 2),
    }
