"""Counts from one grid of angles to another: every pixel shared out by area, nothing gained or lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...types import DataError, Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...arrays import Floats


@dataclass(frozen=True)
class Rebinned:
    """An image on another grid."""

    #: Counts gathered from the pixels that count; its mask is True where any of a cell is covered.
    image: Image
    coverage: Floats  #: (rows, columns), share of each cell's area that pixels that count cover, 0..1.


def edges_of(centres: Floats) -> Floats:
    """Edges of cells from their (n,) ascending centres: half-way between, and as far beyond both ends."""
    if centres.size < 2:
        raise ValueError("a grid needs at least two cells")
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def overlap(old: Floats, new: Floats) -> Floats:
    """Return shares (m, n) of each old cell in each new one, from ascending edges (n + 1,) and (m + 1,);
    columns sum to 1 within the new range.
    """
    low = np.maximum(new[:-1, None], old[None, :-1])
    high = np.minimum(new[1:, None], old[None, 1:])
    return np.clip(high - low, 0.0, None) / np.diff(old)[None, :]


def rebin(image: Image, phi_edges: Floats, alpha_f_edges: Floats) -> Rebinned:
    """Counts of an image gathered into the cells of another grid, area by area.

    Parameters
    ----------
    phi_edges : (columns + 1,) float array
        Degrees, ascending.
    alpha_f_edges : (rows + 1,) float array
        Degrees, ascending.

    Returns
    -------
    Rebinned
        Its counts sum to the image's counts, as far as its pixels count and lie within the new range.
    """
    from scipy import sparse

    phi_old, alpha_old = edges_of(image.geometry.phi), edges_of(image.geometry.alpha_f)
    across = sparse.csr_array(overlap(phi_old, phi_edges))
    along = sparse.csr_array(overlap(alpha_old, alpha_f_edges))
    counts = np.where(image.mask, image.counts, 0.0)
    gathered = along @ (across @ counts.T).T
    area = np.outer(np.diff(alpha_old), np.diff(phi_old)) * image.mask
    covered = along @ (across @ area.T).T
    coverage = np.clip(covered / np.outer(np.diff(alpha_f_edges), np.diff(phi_edges)), 0.0, 1.0)
    return Rebinned(
        image=replace(
            image,
            counts=gathered,
            mask=coverage > 0,
            geometry=replace(
                image.geometry,
                phi=(phi_edges[1:] + phi_edges[:-1]) / 2,
                alpha_f=(alpha_f_edges[1:] + alpha_f_edges[:-1]) / 2,
            ),
        ),
        coverage=coverage,
    )


def to_window(
    image: Image,
    *,
    phi: tuple[float, float],
    alpha_f: tuple[float, float],
    shape: tuple[int, int],
    least_coverage: float = 0.5,
) -> Image:
    """An image on the window of a network, whatever its detector.

    A cell that masked pixels cover in part is scaled up to what it would have counted; one of which less
    than ``least_coverage`` was measured is masked and has no counts.

    Parameters
    ----------
    phi, alpha_f : (float, float)
        Edges of the window, degrees.
    least_coverage : float
        0..1.

    Raises
    ------
    DataError
        The image has nothing within the window, or its pixels are coarser than twice the window's.
    """
    name, old = image.file or "the image", image.geometry
    columns, rows = np.linspace(*phi, shape[1] + 1), np.linspace(*alpha_f, shape[0] + 1)
    rebinned = rebin(image, columns, rows)
    whole = rebinned.coverage >= least_coverage
    if not np.any(whole):
        raise DataError(
            f"{name}: it covers phi {_span(old.phi)} and alpha_f {_span(old.alpha_f)} degrees, which is"
            f" outside the analysed range phi {_span(columns)}, alpha_f {_span(rows)}; check the geometry."
        )
    for axis, angles, new in (("phi", old.phi, columns), ("alpha_f", old.alpha_f, rows)):
        pitch, target_step = float(np.median(np.diff(angles))), float(new[1] - new[0])
        if pitch > 2 * target_step:
            raise DataError(
                f"{name}: its pixels are {pitch:.3g} degrees apart in {axis}, but the network needs"
                f" {target_step:.3g}; measure or export the image with a finer grid."
            )
    counts = np.where(whole, rebinned.image.counts / np.where(whole, rebinned.coverage, 1.0), 0.0)
    share = float(np.mean(whole))
    notes = image.notes
    if share < 1.0:
        notes = (*notes, f"{100 * share:.0f} % of the angular range that the network needs was measured.")
    return replace(rebinned.image, counts=counts, mask=whole, notes=notes)


def _span(values: Floats) -> str:
    return f"{values[0]:.2f} to {values[-1]:.2f}"


def scatter(
    counts: Floats,
    good: NDArray[np.bool_],
    boxes: tuple[Floats, Floats, Floats, Floats],
    phi_edges: Floats,
    alpha_f_edges: Floats,
) -> tuple[Floats, Floats]:
    """Share counts of pixels anywhere out over an even grid (m, n) by area; `boxes` are lowest and highest
    phi, lowest and highest alpha_f, degrees. Also returns the share of each cell covered by usable pixels.
    """
    size = (alpha_f_edges.size - 1, phi_edges.size - 1)
    parts = [_steps(boxes[0], boxes[1], phi_edges), _steps(boxes[2], boxes[3], alpha_f_edges)]
    cell = (phi_edges[1] - phi_edges[0]) * (alpha_f_edges[1] - alpha_f_edges[0])
    area = (boxes[1] - boxes[0]) * (boxes[3] - boxes[2]) / cell
    total, coverage = np.zeros(size[0] * size[1]), np.zeros(size[0] * size[1])
    for column, across in parts[0]:
        for row, along in parts[1]:
            shared = across * along
            hit = good & (shared > 0) & (column >= 0) & (column < size[1]) & (row >= 0) & (row < size[0])
            index = row[hit] * size[1] + column[hit]
            total += np.bincount(index, weights=(counts * shared)[hit], minlength=total.size)
            coverage += np.bincount(index, weights=(area * shared)[hit], minlength=total.size)
    return total.reshape(size), coverage.reshape(size)


def _steps(low: Floats, high: Floats, edges: Floats) -> list[tuple[NDArray[np.intp], Floats]]:
    """List for each cell that a pixel may touch its index and the pixel's share."""
    step = edges[1] - edges[0]
    start = np.floor((low - edges[0]) / step).astype(np.intp)
    reach = int(np.max(np.floor((high - edges[0]) / step).astype(np.intp) - start)) + 1
    steps = []
    for k in range(reach):
        cell_low = edges[0] + (start + k) * step
        inside = np.minimum(high, cell_low + step) - np.maximum(low, cell_low)
        steps.append((start + k, np.clip(inside, 0.0, None) / (high - low)))
    return steps
