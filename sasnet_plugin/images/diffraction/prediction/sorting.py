"""What is seen of a diffraction image as a point that images are sorted by.

Small networks read each ring and what the large network says, and name a body in two vocabularies, each of a
simulator that it was trained on. A point holds the square roots of these probabilities: their distance is
Hellinger's, so that two sure answers are as far apart as points can be, whatever their logits. No direction
tells simulators from each other, as each vocabulary was learned on its own images alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..labels import NAME

#: Its file, beside the network.
FILE = "sorting.npz"
#: Beyond this logit a tag is as sure as it can be.
SURE = 8.0
#: Rings between the places that each of the first layers, convolutions along the rings, looks at.
STRIDES = (1, 2, 2)
#: How far apart the first vocabulary sets two images, over the second. Its kinds are looks: a long body's
#: tilt decides among them. At 0.5 the kinds of the first simulator are sorted with an adjusted Rand index of
#: .82, not .89, at 0.85 bodies of formulas with .77, not .79 (other seeds than those of the benchmark).
LOOKS = 0.65
Floats = NDArray[np.float32]
#: Weights, (taps, in, out) of a convolution or (in, out), and offsets, (out,).
Layers = tuple[tuple[Floats, Floats], ...]


def read(outputs: Mapping[str, NDArray[np.floating]]) -> Floats:
    """What the small networks read of the large one's outputs, (n, d)."""
    quantities = outputs["quantities"]
    flat = quantities.reshape(len(quantities), -1)
    return np.concatenate([tags(outputs) / 4, flat], axis=1).astype(np.float32)


def apply_layers(layers: Layers, features: Floats, tag_outputs: Floats) -> Floats:
    """Compute logits of all kinds (n, kinds), rectified after each layer but the last, from `features` (n,
    rings, channels) and `tag_outputs` (n, d) of `read`, which joins after the convolutions.
    """
    z = features
    for (weights, offsets), stride in zip(layers, STRIDES, strict=False):
        windows = sliding_window_view(z, len(weights), axis=1)[:, ::stride]
        z = np.maximum(np.tensordot(windows, weights, axes=([3, 2], [0, 1])) + offsets, 0)
    z = np.concatenate([z.reshape(len(z), -1), tag_outputs], axis=1)
    *hidden, (weights, offsets) = layers[len(STRIDES) :]
    for w, b in hidden:
        z = np.maximum(z @ w + b, 0)
    return np.asarray(z @ weights + offsets, dtype=np.float32)


def likeness(networks: tuple[Layers, ...], looks: int, features: Floats, tag_outputs: Floats) -> Floats:
    """Compute points (n, kinds) of all networks together: square roots of the probabilities within each
    vocabulary; `looks` counts the first vocabulary.
    """
    from ....predict.arithmetic import softmax

    logits = [apply_layers(layers, features, tag_outputs) for layers in networks]
    first, second = (
        np.mean([softmax(logit[:, part]) for logit in logits], axis=0)
        for part in (slice(looks), slice(looks, None))
    )
    return np.concatenate([LOOKS * np.sqrt(first), np.sqrt(second)], axis=1).astype(np.float32)


def points(inputs: Mapping[str, Floats], outputs: Mapping[str, NDArray[np.floating]]) -> Floats:
    """Compute `likeness` of images from the large network's outputs, or `tags` of another network."""
    networks, looks = _open_installed()
    return likeness(networks, looks, inputs["features"], read(outputs)) if networks else tags(outputs)


def tags(outputs: Mapping[str, NDArray[np.floating]]) -> Floats:
    """Logits of the tags, (n, tags)."""
    return np.clip(outputs["tags"], -SURE, SURE).astype(np.float32)


def _open_installed() -> tuple[tuple[Layers, ...], int]:
    from ....predict.predictor import open_predictor

    manifest = open_predictor(NAME).manifest
    return _read_stored(manifest.sha256["model.onnx"])


@lru_cache(maxsize=4)
def _read_stored(network: str) -> tuple[tuple[Layers, ...], int]:
    """The installed networks and the kinds of their first vocabulary; none where they belong to another large
    network or there are none.
    """
    from ....zoo import find_checked

    path = Path(find_checked(NAME, FILE))
    if not path.exists():
        return (), 0
    with np.load(path) as file:
        if str(file["network"]) != network or "looks" not in file:
            return (), 0
        networks, layers = (int(n) for n in file["size"])
        arrays = {name: file[name].astype(np.float32) for name in file.files if "/" in name}
        found_networks = tuple(
            tuple((arrays[f"{k}/{n}/weights"], arrays[f"{k}/{n}/offsets"]) for n in range(layers))
            for k in range(networks)
        )
        return found_networks, int(file["looks"])
