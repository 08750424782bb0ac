"""Partial least squares: which directions in the patterns go with which directions in the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...report.canvas import Draw, Paint, frame_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ...arrays import Floats


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


def components_figure(model: Pls, shape: tuple[int, int], *, most: int = 6) -> Draw:
    """Draw the first components, `shape` (rows, columns) with row 0 lowest, and what all explain."""
    panel_count = min(most, model.loadings.shape[1])

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
