"""The distribution of rotations p(ξ), with its band and its mirror image; and its bias on uniform samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .canvas import Draw, Paint, framed

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: Inches.
SIZE = (8.4, 3.2)


def distribution(
    xi: NDArray[np.float64],
    p: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    *,
    mirror: NDArray[np.float64] | None = None,
    truth: NDArray[np.float64] | None = None,
) -> Draw:
    """p(ξ) in percent of a bin, its 90 % band, and dashed the solution of the other hand.

    Parameters
    ----------
    xi : (n,) float array
        Degrees.
    p, low, high : (n,) float arrays
        Share of each angle, and its band.
    mirror : (n,) float array, optional
        Drawn where the data cannot tell the two.
    truth : (n,) float array, optional
        Where it is known.
    """

    def draw(figure: Figure, paint: Paint) -> None:
        axes = figure.add_subplot()
        framed(axes, paint)
        axes.fill_between(
            xi, 100 * low, 100 * high, color=paint("fit1"), alpha=0.25, linewidth=0, label="90 % band"
        )
        axes.plot(xi, 100 * p, color=paint("fit1"), linewidth=1.6, label="p(ξ)", gid="p")
        if mirror is not None:
            axes.plot(
                xi, 100 * mirror, "--", color=paint("fit2"), linewidth=1.1, label="mirror", gid="mirror"
            )
        if truth is not None:
            axes.plot(xi, 100 * truth, ":", color=paint("ink"), linewidth=1.1, label="truth", gid="truth")
        axes.axhline(100 / xi.size, color=paint("muted"), linewidth=0.8, label="every angle alike")
        axes.set_xlim(float(xi[0]), float(xi[-1]))
        axes.set_ylim(0, None)
        axes.set_xlabel("rotation ξ / degrees", color=paint("ink"))
        axes.set_ylabel("share / %", color=paint("ink"))
        axes.legend(frameon=False, fontsize=8, labelcolor=paint("ink"))

    return draw


def bias(xi: NDArray[np.float64], predictions: NDArray[np.float64]) -> Draw:
    """What is found of samples whose every angle is alike: mean and the middle 90 % over the samples.

    Parameters
    ----------
    xi : (n,) float array
        Degrees.
    predictions : (samples, n) float array
        Distributions found.
    """
    mean = predictions.mean(axis=0)
    low, high = np.quantile(predictions, (0.05, 0.95), axis=0)
    return distribution(xi, mean, low, high)


def bias_of(predictions: NDArray[np.float64]) -> dict[str, float]:
    """How far predictions of uniform samples are from uniform.

    Parameters
    ----------
    predictions : (samples, n) float array
        Distributions found of samples whose every angle is alike.

    Returns
    -------
    dict
        ``systematic``: largest deviation of the mean prediction from 1/n, over 1/n; ``noise``: standard
        error of that mean in the same unit, averaged over the angles; ``total_variation``: mean of half the
        sum of deviations of each.
    """
    samples, n = predictions.shape
    off = n * predictions - 1
    return {
        "systematic": float(np.max(np.abs(off.mean(axis=0)))),
        "noise": float(np.mean(off.std(axis=0, ddof=1)) / np.sqrt(samples)) if samples > 1 else float("nan"),
        "total_variation": float(np.mean(np.abs(off).mean(axis=1)) / 2),
    }
