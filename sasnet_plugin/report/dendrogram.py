"""The tree of models: who is confused with whom, and where it is cut into groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..types import ModelZooError
from ..zoo import Manifest


def draw_dendrogram(manifest: Manifest, path: Path) -> None:
    """Draw the dendrogram of the manifest's linkage (SVG or PNG by the file's suffix).

    Raises
    ------
    ModelZooError
        The manifest holds no linkage.
    """
    from matplotlib.figure import Figure
    from scipy.cluster.hierarchy import dendrogram

    linkage = np.asarray(manifest.metrics.get("linkage", ()), dtype=float)
    if linkage.shape != (len(manifest.forms) - 1, 4):
        raise ModelZooError(
            f"{manifest.name}: its manifest holds no dendrogram; train it again with this sasnet."
        )
    height = linkage[-(len(manifest.groups) - 1), 2] if len(manifest.groups) > 1 else np.inf
    figure = Figure(figsize=(8, 0.19 * len(manifest.forms) + 1.2), layout="constrained")
    axis = figure.subplots()
    dendrogram(
        linkage,
        labels=list(manifest.forms),
        orientation="left",
        color_threshold=height - 1e-9,
        above_threshold_color="0.5",
        leaf_font_size=8,
        ax=axis,
    )
    axis.axvline(height, color="0.3", linestyle=":", linewidth=1)
    axis.set_xlabel("−ln of the probability that one is taken for the other")
    axis.set_title(f"{len(manifest.groups)} groups (joined right of the dotted line)")
    figure.savefig(path, dpi=150)
