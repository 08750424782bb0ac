"""Figures and pages of images; each figure is made of arrays alone."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..digits import significant
from ..domains import Domain, Finding
from ..domains.heads import Classes, Distribution, Head, Quantities, Tags
from ..domains.simulator import HeldOut
from ..predict import Answer, open_predictor
from ..predict.arithmetic import sigmoid, smooth_distribution, softmax
from ..predict.findings import DistributionFinding
from ..report.canvas import Draw, Paint, bar, frame_axes, picture, svg, upright
from ..report.page import document
from ..report.page.document import write_page
from ..types import Image, SasnetError
from .features import CHANNELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# --- A pattern as it was measured, beside what was simulated of it, and where a network looks:
# --- Grad-CAM++.

#: Inches.
PATTERN_SIZE, COMPARISON_SIZE = (7.2, 5.0), (12.5, 3.9)
#: Residuals beyond so many standard deviations have the last colour.
_FAR = 5.0


def pattern(image: Image) -> Draw:
    """Draw counts in logarithmic colours with horizon and both beams; masked pixels show the ground."""
    image = upright(image)

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.add_subplot()
        artist = picture(axes, image.counts, image, paint, norm=log_scale(image), cmap="viridis")
        bar(figure, artist, axes, "counts", paint)
        geometry(axes, image)

    return draw


def comparison(
    image: Image, simulated: NDArray[np.floating], residual: NDArray[np.floating] | None = None
) -> Draw:
    """Draw measured, simulated and residual (default `compute_signed_deviance`) side by side."""
    deviance = compute_signed_deviance(image.counts, simulated) if residual is None else residual

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.subplots(1, 3, sharex=True, sharey=True)
        norm = log_scale(image)
        for place, values, title in (
            (axes[0], image.counts, "measured"),
            (axes[1], simulated, "simulated"),
        ):
            artist = picture(place, values, image, paint, norm=norm, cmap="viridis")
            place.set_title(title, color=paint("ink"), fontsize=11)
        is_reduced = getattr(image.geometry, "error", None) is not None
        bar(figure, artist, list(axes[:2]), "intensity" if is_reduced else "counts", paint)
        artist = picture(axes[2], deviance, image, paint, vmin=-_FAR, vmax=_FAR, cmap="RdBu_r")
        axes[2].set_title("residual", color=paint("ink"), fontsize=11)
        bar(figure, artist, axes[2], "standard deviations", paint)

    return draw


def compute_signed_deviance(
    counts: NDArray[np.floating], expected: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Signed root of each pixel's Poisson deviance, about standard normal: d² = 2 (n ln(n/μ) − n + μ)
    (McCullagh & Nelder, Generalized Linear Models, 1989).
    """
    n, mu = np.asarray(counts, dtype=np.float64), np.maximum(expected, 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.where(n > 0, n * np.log(n / mu), 0.0)
    return np.asarray(np.sign(n - mu) * np.sqrt(np.maximum(2 * (logarithm - n + mu), 0.0)))


def log_scale(image: Image) -> Any:
    """Make one logarithmic scale for an image's pictures, from weakest to brightest usable pixel."""
    from matplotlib.colors import LogNorm

    positive = image.counts[image.mask & (image.counts > 0)]
    if not positive.size:
        return LogNorm(0.5, 1.0)
    low, high = np.quantile(positive, (0.01, 0.9995))
    return LogNorm(max(float(low), 1e-12) / 1.5, max(float(high), float(low) * 3), clip=True)


def geometry(axes: Axes, image: Image) -> None:
    """Mark horizon and beams where they lie in the picture; none where there is no incidence."""
    if not hasattr(image.geometry, "alpha_i"):
        return
    from matplotlib.patheffects import withStroke

    left_end, right, bottom, top = (*axes.get_xlim(), *axes.get_ylim())
    # White on a dark rim is seen on every colour of the picture.
    rim = [withStroke(linewidth=2.2, foreground="#00000090")]
    ink: dict[str, Any] = {"color": "#ffffff", "path_effects": rim}
    ground = {"boxstyle": "round,pad=0.15", "facecolor": "#000000", "alpha": 0.45, "linewidth": 0}
    words: dict[str, Any] = {"fontsize": 8, "color": "#ffffff", "bbox": ground}
    if bottom < 0 < top:
        axes.axhline(0.0, linestyle="--", linewidth=0.9, **ink)
        axes.annotate("horizon", (right, 0.0), ha="right", va="bottom", **words)
    for height, name in ((image.geometry.alpha_i, "specular beam"), (-image.geometry.alpha_i, "direct beam")):
        if bottom < height < top and left_end < 0 < right:
            axes.plot([0.0], [height], "o", markersize=9, fillstyle="none", gid=name.split()[0], **ink)
            axes.annotate(
                name, (0.0, height), xytext=(8, 0), textcoords="offset points", va="center", **words
            )
    axes.set_xlim(left_end, right)
    axes.set_ylim(bottom, top)


#: Inches.
SIZE = (10.5, 4.2)


def grad_cam(maps: NDArray[np.floating], gradients: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute Grad-CAM++ (Chattopadhay et al., WACV 2018, arXiv:1710.11063), (rows, columns), at most 1, from
    activations A and gradients g of a score, (rows, columns, channels).
    """
    # L = relu Σ_k w_k A^k, w_k = Σ_ij α^k_ij relu(g^k_ij), α^k_ij = (g^k_ij)² / [2 (g^k_ij)² + Σ_ab A^k_ab
    # (g^k_ij)³].
    a, g = np.asarray(maps, dtype=np.float64), np.asarray(gradients, dtype=np.float64)
    below = 2 * g**2 + a.sum(axis=(0, 1)) * g**3
    alpha = np.divide(g**2, below, out=np.zeros_like(g), where=np.abs(below) > 1e-30)
    weight = (alpha * np.maximum(g, 0)).sum(axis=(0, 1))
    activation = np.maximum(a @ weight, 0)
    return np.asarray(activation / activation.max() if activation.max() > 0 else activation)


def occlusion(
    score: Callable[[NDArray[np.bool_]], NDArray[np.floating]],
    mask: NDArray[np.bool_],
    *,
    patch: tuple[int, int],
    batch: int = 64,
) -> NDArray[np.float64]:
    """Map how much an answer changes when patches, half overlapping, are covered as by a beamstop: root mean
    square, averaged over patches with the pixel.
    """
    # Needs no gradients, so works with exported networks (M. D. Zeiler, R. Fergus, ECCV 2014); `score` maps
    # (n, rows, columns) masks to (n, …) answers.
    rows, columns = mask.shape
    up, across = max(1, patch[0] // 2), max(1, patch[1] // 2)
    spans = [
        (slice(max(r, 0), r + patch[0]), slice(max(c, 0), c + patch[1]))
        for r in range(1 - up, rows, up)
        for c in range(1 - across, columns, across)
    ]
    whole = np.asarray(score(mask[None]), dtype=np.float64).reshape(-1)
    total, number = np.zeros((rows, columns)), np.zeros((rows, columns))
    for start in range(0, len(spans), batch):
        batch_spans = spans[start : start + batch]
        covered = np.repeat(mask[None], len(batch_spans), axis=0)
        for covered_mask, (r, c) in zip(covered, batch_spans, strict=True):
            covered_mask[r, c] = False
        scores = np.asarray(score(covered), dtype=np.float64).reshape(len(batch_spans), -1)
        change = np.sqrt(np.mean((scores - whole) ** 2, axis=1))
        for (r, c), value in zip(batch_spans, change, strict=True):
            total[r, c] += value
            number[r, c] += 1
    return total / np.maximum(number, 1)


def spread_over(values: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    """A coarse map as a smooth one of so many rows and columns, between its least and its largest value."""
    from scipy.ndimage import zoom

    factors = [n / m for n, m in zip(shape, values.shape, strict=True)]
    smooth = zoom(np.asarray(values, np.float64), factors, order=1, mode="nearest", grid_mode=True)
    return np.clip(smooth, np.min(values), np.max(values))


def attention(image: Image, values: NDArray[np.floating]) -> Draw:
    """Draw the pattern with a `grad_cam` or `occlusion` map of any shape over it."""
    fine = spread_over(values, (image.counts.shape[0], image.counts.shape[1]))

    def draw(figure: Figure, paint: Paint) -> None:
        left_axes, right = figure.subplots(1, 2, sharex=True, sharey=True)
        norm = log_scale(image)
        artist = picture(left_axes, image.counts, image, paint, norm=norm, cmap="viridis")
        bar(figure, artist, left_axes, "counts", paint)
        geometry(left_axes, image)
        picture(right, image.counts, image, paint, norm=norm, cmap="Greys_r")
        artist = picture(right, fine, image, paint, cmap="inferno", alpha=0.65, vmin=0.0)
        bar(figure, artist, right, "attention", paint)

    return draw


# --- Quantities against time, each with its band; and errors against the number of examples.

Column = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]
#: Inches of one panel.
_WIDTH, _HEIGHT, _COLUMNS = 4.2, 2.1, 2


def trends_size(quantities: int) -> tuple[float, float]:
    """Size of the figure of so many quantities, inches."""
    return _WIDTH * min(quantities, _COLUMNS), _HEIGHT * -(-quantities // _COLUMNS) + 0.4


def trends(
    time: NDArray[np.float64],
    columns: Mapping[str, Column],
    units: Mapping[str, str],
    *,
    against: str = "frame",
) -> Draw:
    """Draw a panel of value and 90 % band for each quantity, each (n,) with NaN where there is no answer,
    against time or frame number.
    """

    def draw(figure: Figure, paint: Paint) -> None:
        across = min(len(columns), _COLUMNS)
        places = figure.subplots(-(-len(columns) // across), across, sharex=True, squeeze=False)
        for axes in places.flat[len(columns) :]:
            axes.set_visible(False)
        for axes, (name, (value, low, high)) in zip(places.flat, columns.items(), strict=False):
            frame_axes(axes, paint)
            axes.fill_between(time, low, high, color=paint("fit1"), alpha=0.25, linewidth=0)
            axes.plot(time, value, color=paint("fit1"), linewidth=1.4, gid=name)
            unit = units.get(name, "")
            axes.set_ylabel(f"{name} / {unit}" if unit else name, color=paint("ink"))
        for axes in places[-1]:
            axes.set_xlabel(against, color=paint("ink"))

    return draw


def learning_curves(curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Draw:
    """Draw error against examples seen on logarithmic axes, a line for each way of training."""

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.add_subplot()
        frame_axes(axes, paint)
        for index, (name, (examples, error)) in enumerate(curves.items()):
            axes.plot(examples, error, color=paint(f"fit{index % 4 + 1}"), label=name, gid=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("examples seen", color=paint("ink"))
        axes.set_ylabel("error", color=paint("ink"))
        axes.legend(frameon=False, fontsize=9, labelcolor=paint("ink"))

    return draw


def draw_against_counts(
    counts: Sequence[float], classes: Mapping[str, Sequence[float]], settled: float | None
) -> Draw:
    """Draw class probabilities against counts, with a line where the answer is settled; classes always below
    a twentieth are skipped.
    """

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.subplots()
        frame_axes(axes, paint)
        for number, (name, p) in enumerate((k, v) for k, v in classes.items() if max(v) >= 0.05):
            axes.plot(counts, p, color=f"C{number}", linewidth=1.4, marker=".", label=name)
        if settled is not None:
            axes.axvline(settled, color=paint("muted"), linewidth=0.9, linestyle="--", label="settled")
        axes.set(xscale="log", xlabel="counts", ylabel="probability", ylim=(-0.02, 1.02))
        axes.legend(fontsize="small", frameon=False)

    return draw


# --- Partial least squares: which directions in the patterns go with which directions in the
# --- answers.


@dataclass(frozen=True)
class Pls:
    """Components of patterns X that explain answers Y."""

    mean_x: Floats  #: (pixels,)
    mean_y: Floats  #: (answers,)
    #: (pixels, components), R: centred patterns times R are the scores, which are orthonormal over the
    #: training patterns.
    weights: Floats
    loadings: Floats  #: (pixels, components), P: the picture that goes with each score.
    answers: Floats  #: (answers, components), Q: the answer that goes with each score.
    #: explained_x, explained_y: (components,), share of the variance that each component explains.
    explained_x: Floats
    explained_y: Floats

    def scores(self, x: NDArray[np.floating]) -> Floats:
        """(n, components) scores of (n, pixels) patterns."""
        return np.asarray((np.asarray(x, np.float64) - self.mean_x) @ self.weights)

    def predict(self, x: NDArray[np.floating], components: int | None = None) -> Floats:
        """(n, answers) by the first components; default: by all."""
        return np.asarray(self.mean_y + self.scores(x)[:, :components] @ self.answers[:, :components].T)


def pls(x: NDArray[np.floating], y: NDArray[np.floating], components: int) -> Pls:
    """Partial least squares by SIMPLS (S. de Jong, Chemometr. Intell. Lab. Syst. 18, 251, 1993) of y (n,
    answers) on x (n, pixels); fewer components if x has fewer directions.
    """
    mean_x, mean_y = x.mean(axis=0, dtype=np.float64), y.mean(axis=0, dtype=np.float64)
    x0, y0 = x - mean_x, y - mean_y
    cross = x0.T @ y0
    whole_x, whole_y = float(np.sum(x0**2)), float(np.sum(y0**2))
    components_found: list[tuple[Floats, Floats, Floats]] = []
    basis = np.empty((x.shape[1], 0))
    for _ in range(min(components, len(x) - 1, x.shape[1])):
        # The dominant left singular vector of the cross covariance, from its smaller square.
        if np.linalg.norm(cross) < 1e-12 * np.sqrt(whole_x * whole_y):
            break
        weight = cross @ np.linalg.eigh(cross.T @ cross)[1][:, -1]
        score = x0 @ weight
        norm = float(np.linalg.norm(score))
        if norm < 1e-12 * np.sqrt(whole_x):
            break
        weight, score = weight / norm, score / norm
        loading = x0.T @ score
        direction = loading - basis @ (basis.T @ loading)
        direction -= basis @ (basis.T @ direction)  # once more: rounding
        direction /= np.linalg.norm(direction)
        cross = cross - np.outer(direction, direction @ cross)
        cross -= basis @ (basis.T @ cross)
        basis = np.column_stack((basis, direction))
        components_found.append((weight, loading, y0.T @ score))
    weights, loadings, answers = (np.array(columns).T for columns in zip(*components_found, strict=True))
    return Pls(
        mean_x,
        mean_y,
        weights,
        loadings,
        answers,
        np.sum(loadings**2, axis=0) / whole_x,
        np.sum(answers**2, axis=0) / whole_y,
    )


def components_figure(model: Pls, shape: tuple[int, int]) -> Draw:
    """Draw the first components, `shape` (rows, columns) with row 0 lowest, and what all explain."""
    panel_count = min(_DRAWN, model.loadings.shape[1])

    def draw(figure: Figure, paint: Paint) -> None:
        grid = figure.add_gridspec(2, panel_count, height_ratios=(1, 1.2))
        for index in range(panel_count):
            axes = figure.add_subplot(grid[0, index])
            values = model.loadings[:, index].reshape(shape)
            far = float(np.max(np.abs(values))) or 1.0
            axes.imshow(values, origin="lower", aspect="auto", cmap="RdBu_r", vmin=-far, vmax=far)
            axes.set_title(f"{index + 1}", color=paint("ink"), fontsize=9)
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set_color(paint("line"))
        axes = figure.add_subplot(grid[1, :])
        frame_axes(axes, paint)
        number = np.arange(1, model.loadings.shape[1] + 1)
        for values, role, name in (
            (model.explained_x, "fit2", "of the patterns"),
            (model.explained_y, "fit1", "of the answers"),
        ):
            axes.plot(number, 100 * np.cumsum(values), "o-", color=paint(role), markersize=3, label=name)
        axes.set_xlabel("components", color=paint("ink"))
        axes.set_ylabel("variance explained / %", color=paint("ink"))
        axes.set_ylim(0, 102)
        axes.legend(frameon=False, fontsize=8, labelcolor=paint("ink"))

    return draw


# --- The page of an answer about an image: what was measured and found, and where the network
# --- looked.


@dataclass(frozen=True)
class Section:
    """A part of the page: a figure, a table, or both."""

    title: str
    draw: Draw | None = None  #: The figure, see `canvas.Draw`.
    size: tuple[float, float] = (8.4, 3.2)  #: Of the figure, inches.
    text: str = ""  #: Below it, one sentence or two.
    table: Sequence[Sequence[str]] = field(default_factory=tuple)  #: The first row is the head.


@dataclass(frozen=True)
class Verdict:
    """The first sentence of the page."""

    text: str
    more: str = ""
    good: bool = True  #: Whether the answer can be relied on.


def page(
    title: str,
    verdict: Verdict,
    sections: Sequence[Section],
    *,
    facts: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    embedded: str = "",
) -> str:
    """Return the whole page as escaped text; `facts` are wavelength, incidence, counts."""
    body = [
        "<header>",
        '<p class="eyebrow">Scattering images · read by sasnet</p>',
        f"<h1><bdi>{escape(title)}</bdi></h1>",
        document.verdict(escape(verdict.text), escape(verdict.more), level="" if verdict.good else "doubt"),
        document.facts(facts or {}),
        "</header>",
        document.notes(notes),
        *(_section(section, number) for number, section in enumerate(sections)),
    ]
    text = "\n".join(part for part in body if part)
    return document.document(f"{title} · sasnet", text, pictures=True, identity=embedded)


def _section(section: Section, number: int) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>"]
    if section.draw is not None:
        figure_text = svg(section.draw, f"figure{number}", section.title, section.size)
        parts.append(f"<figure>{figure_text}</figure>")
    if section.text:
        parts.append(f'<p class="small">{escape(section.text)}</p>')
    if section.table:
        parts.append(document.table(section.table[0], section.table[1:]))
    return f"<section>{''.join(parts)}</section>"


#: Rows and columns that are covered at a time; of a larger image this share of each.
_PATCH, _SHARE = (8, 6), 0.125
#: Inches of the drawing of a finding.
_FINDING_SIZE = (8.4, 3.2)
_TITLES: Mapping[type, str] = {
    Classes: "Classes",
    Tags: "Tags",
    Quantities: "Quantities",
    Distribution: "Distribution of angles",
}


#: What a page says first, and its sections, that of the pattern in front.
Parts = tuple[Verdict, list[Section]]


def answer_page(
    domain: Domain, image: Image, answer: Answer, folder: Path, page_parts: Parts | None = None
) -> Path:
    """Write the page of an answer about an image and return its path; `page_parts` are `parts`, if there
    already. Raises SasnetError if it cannot be written.
    """
    verdict, sections = page_parts or parts(domain, image, answer)
    return _write_image_page(image, verdict, sections, answer.notes, folder)


def parts(domain: Domain, image: Image, answer: Answer, *, looked: bool = True) -> Parts:
    """Return verdict and sections of an image's page: the pattern, findings, then the domain's."""
    # `looked` adds where the classifier looks, some hundred evaluations.
    sections = [_make_pattern_section(image)]
    sentences = answer.sentences()
    # What was simulated again says whether it holds; a domain whose simulations always hold says nothing.
    again = [finding for finding in answer.findings if hasattr(finding, "title")]
    if not (answer.known or again):
        return Verdict("No answer is given.", answer.scope.outside, good=False), sections
    sections += [_section_of(finding) for finding in answer.findings]
    if domain.sections:
        sections += domain.sections(image, answer)
    elif looked and not again:
        sections.append(_make_attention_section(domain, image))
    return _verdict(domain, sentences, again), sections


def _verdict(domain: Domain, sentences: Sequence[str], again: Sequence[Any]) -> Verdict:
    more_sentences = [sentence for sentence in sentences[1:2] if not sentence.startswith("Note:")]
    if not domain.refine:
        return Verdict(sentences[0], " ".join(more_sentences), good=True)
    if not again:
        more_sentences.append("Not verified: this answer was not simulated and compared with the image.")
    verified = any(getattr(finding, "verified", True) for finding in again)
    return Verdict(sentences[0], " ".join(more_sentences), good=verified)


def _section_of(finding: Any) -> Section:
    """A finding, drawn, with its table and what it says."""
    text = " ".join(finding.sentences())
    if again := getattr(finding, "result", None):
        drawn_figure = comparison(again.image, again.simulated, again.residual)
        return Section(finding.title, drawn_figure, COMPARISON_SIZE, text)
    if getattr(finding, "mirror", None) is not None:
        text += " Dashed: the mirror solution, which the data cannot exclude."
    return Section(_title_of(finding), _draw_finding(finding), _FINDING_SIZE, text, finding.rows())


def _draw_finding(finding: Finding) -> Draw:
    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.add_subplot()
        frame_axes(axes, paint)
        finding.draw(axes)
        legend = axes.get_legend()
        for text in (axes.xaxis.label, axes.yaxis.label, *(legend.get_texts() if legend else ())):
            text.set_color(paint("ink"))

    return draw


def _title_of(finding: Any) -> str:
    texts = (getattr(finding, name, "") for name in ("title", "introduction"))
    return next(filter(None, texts), "") or _TITLES[type(finding.head)]


def page_name(image: Image, folder: Path) -> str:
    return document.page_name(folder, image.file, image.entry, identity_of(image), default="image")


def identity_of(image: Image) -> str:
    return document.identity(image.file, image.entry, image.counts)


def _make_pattern_section(image: Image) -> Section:
    return Section(
        "Pattern",
        pattern(image),
        PATTERN_SIZE,
        f"{100 * (1 - image.mask.mean()):.1f} % of the pixels are masked and left blank.",
    )


def _make_attention_section(domain: Domain, image: Image) -> Section:
    """Where covering a part of what the network sees changes its answer."""
    predictor = open_predictor(domain.name)
    measurement = predictor.prepare(image).measurement
    head = predictor.manifest.heads[0]

    def score(masks: NDArray[np.bool_]) -> NDArray[np.floating]:
        counts = np.where(masks, measurement.counts, 0.0)
        covered = [replace(measurement, counts=n, mask=mask) for n, mask in zip(counts, masks, strict=True)]
        outputs = predictor.runtime.run(predictor.features(covered))[head.name]
        # Of numbers with their errors the numbers, of logits the probabilities.
        if isinstance(head, Quantities):
            return np.asarray(outputs[..., 0])
        return np.asarray(sigmoid(outputs) if isinstance(head, Tags) else softmax(outputs))

    rows, columns = (max(n, int(_SHARE * m)) for n, m in zip(_PATCH, measurement.mask.shape, strict=True))
    occluded = occlusion(score, measurement.mask, patch=(rows, columns))
    return Section(
        "Where the network looks",
        attention(measurement, occluded),
        SIZE,
        "Change of the answer when a part of the image is covered, as by a beamstop.",
    )


def _write_image_page(
    image: Image,
    verdict: Verdict,
    sections: list[Section],
    notes: tuple[str, ...],
    folder: Path,
) -> Path:
    geometry: Any = image.geometry
    facts = {
        "Counts": significant(image.counts[image.mask].sum(), 3),
        "Pixels": f"{image.counts.shape[1]} × {image.counts.shape[0]}",
    }
    if hasattr(geometry, "alpha_i"):
        stated = {"Wavelength": f"{geometry.wavelength:.4g} Å", "Incidence": f"{geometry.alpha_i:.3g}°"}
        facts = stated | facts
    title = " · ".join(part for part in (Path(image.file).name, image.entry) if part) or "Image"
    all_notes = (*image.notes, *notes)
    text = page(title, verdict, sections, facts=facts, notes=all_notes, embedded=identity_of(image))
    return document.write_page(Path(folder) / page_name(image, folder), text)


# --- A network for patterns explained: how it learned, what its patterns hold, and what it makes of
# --- nothing.

COMPONENTS, _DRAWN = 30, 6
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
            f"Partial least squares of {len(pictures):,} patterns against {subject}. Its {number} components"
            f" explain {share:.0f} % of the variance of {subject}; the first are drawn. A network may"
            f" explain more, by nonlinear relations."
        ),
    )


def bias_section(head: Distribution, predictions: NDArray[np.float64]) -> Section:
    """Show mean and middle 90 % of predictions (samples, n) for samples with uniform angles."""
    figures = bias_of(predictions)
    low, high = np.quantile(predictions, (0.05, 0.95), axis=0)
    return Section(
        "What it makes of a uniform sample",
        _draw_finding(DistributionFinding(head, predictions.mean(axis=0), low, high)),
        _FINDING_SIZE,
        f"{len(predictions)} patterns of samples with a uniform distribution of angles: mean answer and"
        f" central 90 %. The mean deviates from uniform by at most {100 * figures['systematic']:.1f} %"
        f" (noise {100 * figures['noise']:.1f} %); a single answer by {figures['total_variation']:.3f}"
        f" (total variation distance, 0 to 1).",
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
        [bias_section(head, np.array([finding.p for finding in own_findings]))]
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
