"""Feature maps of a trained network and their gradients, from which Grad-CAM++ is made.

The exported network has no gradients; what it looks at is found by covering parts of the pattern
(`images.report.occlusion`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ...types import SasnetError


def maps_and_gradients(
    model: keras.Model, features: NDArray[np.float32], score: Callable[[dict[str, Any]], Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the last convolutions' activations and a score's gradient, (n, smaller rows, smaller columns,
    channels), columns left to right; rings are one column, inner to outer.
    """
    # `score` maps outputs to (n,) by `keras.ops`. The trunk may see both sides (`trunks.two_sides`) or one
    # (`trunks.folded`). Raises SasnetError on JAX, which has no tape, or without pictures inside.
    last = _last_convolution(model)
    backend = keras.backend.backend()
    if backend not in _TAPES:
        raise SasnetError(
            f"attention needs Keras on TensorFlow or torch, not on {backend}; set KERAS_BACKEND."
        )
    with _record_outputs(last) as outputs:
        found_maps = _TAPES[backend](model, features, score, outputs)
    if getattr(model, "one_side", False):
        found_maps = found_maps * 2  # the same to the right and to the left
    return _whole([np.asarray(maps) for maps, _ in found_maps]), _whole(
        [np.asarray(g) for _, g in found_maps]
    )


def _last_convolution(model: keras.Model) -> Any:
    layers_found: list[Any] = []

    def look(layers: list[Any]) -> None:
        for layer in layers:
            if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv1D):
                layers_found.append(layer)
            look(getattr(layer, "layers", []))

    look(model.layers)
    if not layers_found:
        raise SasnetError(f"{model.name}: has no layer of convolutions; its attention cannot be drawn.")
    return layers_found[-1]


@contextmanager
def _record_outputs(layer: Any) -> Iterator[list[Any]]:
    """What a layer gives each time it is called meanwhile."""
    outputs: list[Any] = []
    call = layer.call

    def record(*args: Any, **kwargs: Any) -> Any:
        outputs.append(call(*args, **kwargs))
        return outputs[-1]

    layer.call = record
    try:
        yield outputs
    finally:
        layer.call = call


def _differentiate_by_torch(
    model: Any, features: NDArray[np.float32], score: Any, seen_outputs: list[Any]
) -> Any:
    import torch

    with torch.enable_grad():
        outputs = model(keras.ops.convert_to_tensor(features), training=False)
        gradients = torch.autograd.grad(score(outputs).sum(), seen_outputs)
    return [(m.detach().cpu().numpy(), g.cpu().numpy()) for m, g in zip(seen_outputs, gradients, strict=True)]


def _differentiate_by_tensorflow(
    model: Any, features: NDArray[np.float32], score: Any, seen_outputs: list[Any]
) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        outputs = model(tf.convert_to_tensor(features), training=False)
        total = tf.reduce_sum(score(outputs))
    gradients = tape.gradient(total, seen_outputs)
    return [(m.numpy(), g.numpy()) for m, g in zip(seen_outputs, gradients, strict=True)]


_TAPES = {"torch": _differentiate_by_torch, "tensorflow": _differentiate_by_tensorflow}


def _whole(parts: list[NDArray[Any]]) -> NDArray[np.float64]:
    """One map; of two, the first is the right side and the second the left one, from the middle outwards."""
    if len(parts) == 1:
        (part,) = parts
        return (part[:, :, None] if part.ndim == 3 else part).astype(np.float64)
    right, left_half = parts
    return np.concatenate((left_half[:, :, ::-1], right), axis=2).astype(np.float64)
