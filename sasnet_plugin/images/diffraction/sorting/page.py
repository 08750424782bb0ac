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


def _cluster(k: int, number: int, found: Sorted) -> Section:
    both = np.concatenate([found.representative(k), found.borderline(k)])
    text = f"{number:,} images. Upper rows: the middle of the cluster; lower rows: the least certain ones."
    return _sheet(f"Cluster {k}", found, both, text)


def write_report(
    path: Path,
    found: Sorted,
    like: tuple[str, Sequence[int]] | None = None,
    along: Sequence[NDArray[np.int64]] = (),
) -> None:
    """Write the page, with the images most like one (`like`: name and rows), and those along the largest
    components. Raises SasnetError if it cannot be written.
    """
    labels = [int(k) for k in np.unique(found.cluster) if k != NOISE]
    numbers = {k: int(np.count_nonzero(found.cluster == k)) for k in (*labels, NOISE)}
    stable = found.mixture.stability
    verdict = Verdict(
        f"{len(found.cluster):,} images in {len(labels)} clusters, {numbers[NOISE]:,} in none.",
        f"Sorting resampled images again gives clusters that agree by {stable:.2f} (adjusted Rand"
        f" index: 1 is identical, 0 is chance).",
        good=stable > SORTING.stable,
    )
    notes = ["Images of a cluster look alike after some rotation. A researcher must judge what they show."]
    if not verdict.good:
        notes.append("The clusters are not stable; use fewer clusters or more images.")
    sections = _sections(found, numbers, like, along)
    write_page(
        path, page("Sorted images", verdict, sections, facts={"embedding": found.embedding}, notes=notes)
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
    found: Sorted,
    numbers: Mapping[int, int],
    like: tuple[str, Sequence[int]] | None,
    along: Sequence[NDArray[np.int64]],
) -> list[Section]:
    """Make the map and sheets of images: most like one, along components, of each cluster, of noise (`NOISE`,
    last in `numbers`).
    """
    sections = [Section("Map", lambda figure, paint: _map(figure, found), (8.4, 4.6), _MAP)]
    if len(found.mixture.bic):
        sections.append(
            Section(
                "Number of clusters", lambda figure, paint: _bic(figure, found.mixture.bic), (8.4, 2.4), _BIC
            )
        )
    if like is not None:
        sections.append(
            _sheet(f"Most like {like[0]}", found, np.array(like[1]), "The most similar images come first.")
        )
    for number, rows in enumerate(along, start=1):
        sections.append(_sheet(f"Along component {number}", found, rows, _ALONG))
    sections += [_cluster(k, numbers[k], found) for k in list(numbers)[:-1]]
    if numbers[NOISE]:
        rows = found.representative(NOISE)
        sections.append(
            _sheet("Noise", found, rows, f"{numbers[NOISE]:,} images that lie far from every cluster.")
        )
    return sections


def _map(figure: Figure, found: Sorted) -> None:
    axes = figure.add_subplot()
    rows = np.arange(len(found.cluster))[:: max(1, len(found.cluster) // _DRAWN)]
    for k in np.unique(found.cluster[rows]):
        some = rows[found.cluster[rows] == k]
        colour = "0.7" if k == NOISE else f"C{k % 10}"
        name = "noise" if k == NOISE else str(k)
        x, y = found.plane[some].T
        axes.scatter(x, y, s=4, color=colour, label=name, rasterized=True)
    axes.set(xlabel="first component", ylabel="second component")
    axes.legend(fontsize=8, markerscale=2, ncols=2, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)


def _bic(figure: Figure, bic: NDArray[np.float64]) -> None:
    axes = figure.add_subplot()
    axes.plot(bic[:, 0], bic[:, 1] - bic[:, 1].min(), "o-")
    axes.set(xlabel="clusters", ylabel="BIC above the least", yscale="symlog")


def _sheet(title: str, found: Sorted, rows: NDArray[Any], text: str) -> Section:
    pictures = [picture(str(found.file[row]), int(found.entry[row]), found.geometry) for row in rows]
    lines = max(1, -(-len(rows) // _COLUMNS))

    def draw(figure: Figure, paint: Any) -> None:
        tile = _SIDE + _GAP
        sheet = np.full((lines * (tile + _LABEL), _COLUMNS * tile), np.nan)
        axes = figure.add_subplot()
        for number, (row, shown) in enumerate(zip(rows, pictures, strict=True)):
            top, left = (number // _COLUMNS) * (tile + _LABEL) + _LABEL, (number % _COLUMNS) * tile
            if shown is not None:
                some = shown[:_SIDE, :_SIDE]
                sheet[top : top + some.shape[0], left : left + some.shape[1]] = some
            label = f"{Path(str(found.file[row])).stem[:10]} {found.entry[row]}"
            axes.text(left, top - _GAP, label, fontsize=5, parse_math=False)
        axes.imshow(sheet, vmin=-_DECADES, vmax=0, cmap="viridis", interpolation="nearest")
        axes.set_axis_off()

    return Section(title, draw, (8.4, 0.95 * lines), text)


def picture(file: str, entry: int, geometry: tuple[str, ...]) -> NDArray[np.float64] | None:
    """The window of an image in decades below its brightest hundredth, `_SIDE` a side; None if it is gone."""
    try:
        some = next(frames(Path(file), geometry, start=entry - 1))
    except (SasnetError, StopIteration):
        return None
    counts, mask = some.counts[0], some.masks[0]
    column, row = (round(x) for x in some.window.centre)
    edge = round(some.window.edge)
    cut = slice(max(row - edge, 0), row + edge), slice(max(column - edge, 0), column + edge)
    step = max(1, 2 * edge // _SIDE)
    counts, mask = counts[cut], mask[cut]
    rows, columns = (n - n % step for n in counts.shape)
    blocks = (rows // step, step, columns // step, step)
    total = np.where(mask, counts, 0)[:rows, :columns].reshape(blocks).sum(axis=(1, 3))
    there = mask[:rows, :columns].reshape(blocks).sum(axis=(1, 3))
    mean = np.where(there > 0, total / np.maximum(there, 1), np.nan)
    top = np.nanquantile(mean, 0.99) if np.isfinite(mean).any() else 1.0
    return np.asarray(np.log10(np.maximum(mean / max(top, 1e-9), 10**-_DECADES)), dtype=np.float64)
