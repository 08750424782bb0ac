"""The page of a sorting: how many clusters and how stable, a map, a contact sheet of each, images alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ....report.page.document import write_page
from ....types import SasnetError
from ...report.pages import Section, Verdict, page
from ..reading.load import frames
from .mixture import NOISE
from .settings import SORTING
from .sorted_file import Sorted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Pixels of a side of a picture on a contact sheet, and pictures in a row.
_SIDE, _COLUMNS = 96, 12
#: Pixels between pictures, and above them for their names.
_GAP, _LABEL = 4, 18
#: Points on the map.
_DRAWN = 4000
#: Counts over the brightest hundredth's that are drawn as nothing.
_DECADES = 4.0


def _cluster(k: int, number: int, sorting: Sorted) -> Section:
    examples = np.concatenate([sorting.representative(k), sorting.borderline(k)])
    text = f"{number:,} images. Upper rows: the middle of the cluster; lower rows: the least certain ones."
    return _sheet(f"Cluster {k}", sorting, examples, text)


def write_report(
    path: Path,
    sorting: Sorted,
    like: tuple[str, Sequence[int]] | None = None,
    along: Sequence[NDArray[np.int64]] = (),
) -> None:
    """Write the page, with the images most like one (`like`: name and rows), and those along the largest
    components. Raises SasnetError if it cannot be written.
    """
    labels = [int(k) for k in np.unique(sorting.cluster) if k != NOISE]
    numbers = {k: int(np.count_nonzero(sorting.cluster == k)) for k in (*labels, NOISE)}
    stable = sorting.mixture.stability
    verdict = Verdict(
        f"{len(sorting.cluster):,} images in {len(labels)} clusters, {numbers[NOISE]:,} in none.",
        f"Sorting resampled images again gives clusters that agree by {stable:.2f} (adjusted Rand"
        f" index: 1 is identical, 0 is chance).",
        good=stable > SORTING.stable,
    )
    notes = ["Images of a cluster look alike after some rotation. A researcher must judge what they show."]
    if not verdict.good:
        notes.append("The clusters are not stable; use fewer clusters or more images.")
    sections = _sections(sorting, numbers, like, along)
    write_page(
        path, page("Sorted images", verdict, sections, facts={"embedding": sorting.embedding}, notes=notes)
    )


_ALONG = (
    "One component grows from left to right, from two standard deviations below its mean to two above."
    " Each step shows the image whose other components are nearest to their means. The visible change"
    " is the meaning of the component."
)
_MAP = "Each point is an image, in the plane of the two largest principal components; noise in grey."
_BIC = (
    "Bayesian information criterion against the number of clusters; the number with the smallest"
    " value is used."
)


def _sections(
    sorting: Sorted,
    numbers: Mapping[int, int],
    like: tuple[str, Sequence[int]] | None,
    along: Sequence[NDArray[np.int64]],
) -> list[Section]:
    """Make the map and sheets of images: most alike, along components, of clusters, of noise."""
    sections = [Section("Map", lambda figure, paint: _map(figure, sorting), (8.4, 4.6), _MAP)]
    if len(sorting.mixture.bic):
        sections.append(
            Section(
                "Number of clusters",
                lambda figure, paint: _bic(figure, sorting.mixture.bic),
                (8.4, 2.4),
                _BIC,
            )
        )
    if like is not None:
        sections.append(
            _sheet(f"Most like {like[0]}", sorting, np.array(like[1]), "The most similar images come first.")
        )
    for number, rows in enumerate(along, start=1):
        sections.append(_sheet(f"Along component {number}", sorting, rows, _ALONG))
    sections += [_cluster(k, numbers[k], sorting) for k in list(numbers)[:-1]]
    if numbers[NOISE]:
        rows = sorting.representative(NOISE)
        sections.append(
            _sheet("Noise", sorting, rows, f"{numbers[NOISE]:,} images that lie far from every cluster.")
        )
    return sections


def _map(figure: Figure, sorting: Sorted) -> None:
    axes = figure.add_subplot()
    rows = np.arange(len(sorting.cluster))[:: max(1, len(sorting.cluster) // _DRAWN)]
    for k in np.unique(sorting.cluster[rows]):
        members = rows[sorting.cluster[rows] == k]
        colour = "0.7" if k == NOISE else f"C{k % 10}"
        name = "noise" if k == NOISE else str(k)
        x, y = sorting.plane[members].T
        axes.scatter(x, y, s=4, color=colour, label=name, rasterized=True)
    axes.set(xlabel="first component", ylabel="second component")
    axes.legend(fontsize=8, markerscale=2, ncols=2, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def _bic(figure: Figure, bic: NDArray[np.float64]) -> None:
    axes = figure.add_subplot()
    axes.plot(bic[:, 0], bic[:, 1] - bic[:, 1].min(), "o-")
    axes.set(xlabel="clusters", ylabel="BIC above the least", yscale="symlog")


def _sheet(title: str, sorting: Sorted, rows: NDArray[Any], text: str) -> Section:
    pictures = [picture(str(sorting.file[row]), int(sorting.entry[row]), sorting.geometry) for row in rows]
    lines = max(1, -(-len(rows) // _COLUMNS))

    def draw(figure: Figure, paint: Any) -> None:
        tile = _SIDE + _GAP
        sheet = np.full((lines * (tile + _LABEL), _COLUMNS * tile), np.nan)
        axes = figure.add_subplot()
        for number, (row, shown_picture) in enumerate(zip(rows, pictures, strict=True)):
            top, left_edge = (number // _COLUMNS) * (tile + _LABEL) + _LABEL, (number % _COLUMNS) * tile
            if shown_picture is not None:
                tile_values = shown_picture[:_SIDE, :_SIDE]
                sheet[top : top + tile_values.shape[0], left_edge : left_edge + tile_values.shape[1]] = (
                    tile_values
                )
            label = f"{Path(str(sorting.file[row])).stem[:10]} {sorting.entry[row]}"
            axes.text(left_edge, top - _GAP, label, fontsize=5, parse_math=False)
        axes.imshow(sheet, vmin=-_DECADES, vmax=0, cmap="viridis", interpolation="nearest")
        axes.set_axis_off()

    return Section(title, draw, (8.4, 0.95 * lines), text)


def picture(file: str, entry: int, geometry: tuple[str, ...]) -> NDArray[np.float64] | None:
    """The window of an image in decades below its brightest hundredth, `_SIDE` a side; None if it is gone."""
    try:
        block = next(frames(Path(file), geometry, start=entry - 1))
    except (SasnetError, StopIteration):
        return None
    counts, mask = block.counts[0], block.masks[0]
    column, row = (round(x) for x in block.window.centre)
    edge = round(block.window.edge)
    cut = slice(max(row - edge, 0), row + edge), slice(max(column - edge, 0), column + edge)
    step = max(1, 2 * edge // _SIDE)
    counts, mask = counts[cut], mask[cut]
    rows, columns = (n - n % step for n in counts.shape)
    blocks = (rows // step, step, columns // step, step)
    total = np.where(mask, counts, 0)[:rows, :columns].reshape(blocks).sum(axis=(1, 3))
    good_counts = mask[:rows, :columns].reshape(blocks).sum(axis=(1, 3))
    mean = np.where(good_counts > 0, total / np.maximum(good_counts, 1), np.nan)
    top = np.nanquantile(mean, 0.99) if np.isfinite(mean).any() else 1.0
    return np.asarray(np.log10(np.maximum(mean / max(top, 1e-9), 10**-_DECADES)), dtype=np.float64)
