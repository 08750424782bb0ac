"""The tree of models: who is confused with whom, and where it is cut into groups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin.files import write_figure

from ..types import ModelZooError
from ..zoo import Manifest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


def linkage_of(manifest: Manifest) -> NDArray[np.float64]:
    """The manifest's linkage, (models - 1, 4), as scipy has it.

    Raises
    ------
    ModelZooError
        The manifest holds no linkage.
    """
    linkage = np.asarray(manifest.metrics.get("linkage", ()), dtype=float)
    if linkage.shape != (len(manifest.labels) - 1, 4):
        raise ModelZooError(
            f"{manifest.name}: its manifest holds no dendrogram; train it again with this sasnet."
        )
    return linkage


def cut_height(manifest: Manifest) -> float:
    """Height at which the tree is cut into the manifest's groups."""
    linkage = linkage_of(manifest)
    return float(linkage[-(len(manifest.groups) - 1), 2]) if len(manifest.groups) > 1 else np.inf


def members_of_links(manifest: Manifest) -> dict[int, frozenset[str]]:
    """Models below each link of the tree, by scipy's number of the link."""
    count = len(manifest.labels)
    found: dict[int, frozenset[str]] = {i: frozenset((name,)) for i, name in enumerate(manifest.labels)}
    for row, (a, b, *_) in enumerate(linkage_of(manifest)):
        found[count + row] = found[int(a)] | found[int(b)]
    return {link: members for link, members in found.items() if link >= count}


def draw_tree(
    axes: Axes, manifest: Manifest, colour: Callable[[int], str] | None = None, *, cut: str = "0.3"
) -> None:
    """Draw the tree into axes, leaves on the right, with a dotted line where it is cut into groups.

    Parameters
    ----------
    axes : Axes
    manifest : Manifest
    colour : callable, optional
        Colour of a link by scipy's number of it; default: one for each group.
    cut : str
        Colour of the dotted line.

    Raises
    ------
    ModelZooError
        The manifest holds no linkage.
    """
    from scipy.cluster.hierarchy import dendrogram

    height = cut_height(manifest)
    style: dict[str, Any] = {"color_threshold": height - 1e-9, "above_threshold_color": "0.5"}
    dendrogram(
        linkage_of(manifest),
        labels=list(manifest.labels),
        orientation="left",
        leaf_font_size=8,
        ax=axes,
        **(style if colour is None else {"link_color_func": colour}),
    )
    if np.isfinite(height):
        axes.axvline(height, color=cut, linestyle=":", linewidth=1)


def draw_dendrogram(manifest: Manifest, path: Path) -> None:
    """Draw the dendrogram of the manifest's linkage (SVG or PNG by the file's suffix).

    Raises
    ------
    ModelZooError
        The manifest holds no linkage.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.19 * len(manifest.labels) + 1.2), layout="constrained")
    axes = figure.subplots()
    draw_tree(axes, manifest)
    axes.set_xlabel("−ln of the probability that one is taken for the other")
    axes.set_title(f"{len(manifest.groups)} groups (joined right of the dotted line)")
    write_figure(figure, path, dpi=150)
