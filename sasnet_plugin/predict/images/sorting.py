"""What the network says of a diffraction image as a point that images are sorted by.

A small network on the tags' logits and the quantities, trained to tell the bodies of two simulators apart: a
direction in which tags differ by how a body was simulated is short in it, one in which bodies differ is long.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...domains.diffraction import NAME

#: Its file, beside the network.
FILE = "sorting.npz"
#: Beyond this logit a tag, or a kind of body, is as sure as it can be.
SURE = 8.0
Layers = tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]


def read(outputs: Mapping[str, NDArray[np.floating]]) -> NDArray[np.float32]:
    """What the small network reads of the large one's outputs, (n, d)."""
    quantities = outputs["quantities"]
    flat = quantities.reshape(len(quantities), -1)
    return np.concatenate([tags(outputs) / 4, flat], axis=1).astype(np.float32)


def applied(layers: Layers, values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Logits of the kinds of bodies, (n, kinds): linear layers with what is below 0 cut off between them."""
    for number, (weights, offsets) in enumerate(layers):
        values = (np.maximum(values, 0) if number else values) @ weights + offsets
    return np.clip(values, -SURE, SURE).astype(np.float32)


def points(outputs: Mapping[str, NDArray[np.floating]]) -> NDArray[np.float32]:
    """Points of images: their logits of bodies; `tags`, where the network is not the one these belong to."""
    layers = _layers()
    return applied(layers, read(outputs)) if layers else tags(outputs)


def tags(outputs: Mapping[str, NDArray[np.floating]]) -> NDArray[np.float32]:
    """Logits of the tags, (n, tags)."""
    return np.clip(outputs["tags"], -SURE, SURE).astype(np.float32)


def _layers() -> Layers:
    from ..predictor import open_predictor

    manifest = open_predictor(NAME).manifest
    return _stored(manifest.sha256["model.onnx"])


@lru_cache(maxsize=4)
def _stored(network: str) -> Layers:
    """The installed layers; none where they belong to another network or there are none."""
    from ...zoo import checked

    path = Path(checked(NAME, FILE))
    if not path.exists():
        return ()
    with np.load(path) as file:
        if str(file["network"]) != network:
            return ()
        number = sum(name.startswith("weights") for name in file.files)
        return tuple((file[f"weights{k}"], file[f"offsets{k}"]) for k in range(number))
