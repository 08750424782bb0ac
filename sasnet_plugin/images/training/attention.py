"""Feature maps of a trained network and their gradients, from which Grad-CAM++ is made.

The exported network has no gradients; what it looks at is found by covering parts of the pattern
(`images.report.patterns.occlusion`).
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
    with _recorded(last) as seen:
        found = _TAPES[backend](model, features, score, seen)
    if getattr(model, "one_side", False):
        found = found * 2  # the same to the right and to the left
    return _whole([np.asarray(maps) for maps, _ in found]), _whole([np.asarray(g) for _, g in found])


def _last_convolution(model: keras.Model) -> Any:
    found: list[Any] = []

    def look(layers: list[Any]) -> None:
        for layer in layers:
            if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv1D):
                found.append(layer)
            look(getattr(layer, "layers", []))

    look(model.layers)
    if not found:
        raise SasnetError(f"{model.name}: has no layer of convolutions; its attention cannot be drawn.")
    return found[-1]


@contextmanager
def _recorded(layer: Any) -> Iterator[list[Any]]:
    """What a layer gives each time it is called meanwhile."""
    seen: list[Any] = []
    call = layer.call

    def record(*args: Any, **kwargs: Any) -> Any:
        seen.append(call(*args, **kwargs))
        return seen[-1]

    layer.call = record
    try:
        yield seen
    finally:
        layer.call = call


def _by_torch(model: Any, features: NDArray[np.float32], score: Any, seen: list[Any]) -> Any:
    import torch

    with torch.enable_grad():
        outputs = model(keras.ops.convert_to_tensor(features), training=False)
        gradients = torch.autograd.grad(score(outputs).sum(), seen)
    return [(m.detach().cpu().numpy(), g.cpu().numpy()) for m, g in zip(seen, gradients, strict=True)]


def _by_tensorflow(model: Any, features: NDArray[np.float32], score: Any, seen: list[Any]) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        outputs = model(tf.convert_to_tensor(features), training=False)
        total = tf.reduce_sum(score(outputs))
    gradients = tape.gradient(total, seen)
    return [(m.numpy(), g.numpy()) for m, g in zip(seen, gradients, strict=True)]


_TAPES = {"torch": _by_torch, "tensorflow": _by_tensorflow}


def _whole(parts: list[NDArray[Any]]) -> NDArray[np.float64]:
    """One map; of two, the first is the right side and the second the left one, from the middle outwards."""
    if len(parts) == 1:
        (one,) = parts
        return (one[:, :, None] if one.ndim == 3 else one).astype(np.float64)
    right, left = parts
    return np.concatenate((left[:, :, ::-1], right), axis=2).astype(np.float64)
