"""Feature maps of a trained network and their gradients, from which Grad-CAM++ is made.

The exported network has no gradients; what it looks at is found by covering parts of the pattern
(`report.images.attention.occlusion`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ..types import SasnetError


def maps_and_gradients(
    model: keras.Model, features: NDArray[np.float32], score: Callable[[dict[str, Any]], Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Activations of the last layer of convolutions, and the gradient of a score with respect to them.

    Parameters
    ----------
    model : keras.Model
        With a dict of outputs.
    features : (n, rows, columns, channels) float32 array
    score : callable
        From the outputs to one number for each pattern, (n,), by `keras.ops`.

    Returns
    -------
    maps, gradients : (n, smaller rows, smaller columns, channels) float arrays

    Raises
    ------
    SasnetError
        Keras runs on a backend without a tape (JAX), or the network has no pictures inside.
    """
    pictures = [layer for layer in model.layers if _is_picture(layer)]
    if not pictures:
        raise SasnetError(f"{model.name}: has no layer of convolutions; its attention cannot be drawn.")
    both = keras.Model(model.inputs, {"maps": pictures[-1].output, "outputs": dict(model.output)})
    backend = keras.backend.backend()
    if backend == "torch":
        maps, found = _by_torch(both, features, score)
    elif backend == "tensorflow":
        maps, found = _by_tensorflow(both, features, score)
    else:
        raise SasnetError(
            f"attention needs Keras on TensorFlow or torch, not on {backend}; set KERAS_BACKEND."
        )
    return np.asarray(maps, np.float64), np.asarray(found, np.float64)


def _is_picture(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Conv2D) and len(layer.output.shape) == 4


def _by_torch(both: keras.Model, features: NDArray[np.float32], score: Any) -> tuple[Any, Any]:
    import torch

    with torch.enable_grad():
        answer = both(keras.ops.convert_to_tensor(features), training=False)
        maps = answer["maps"]
        (found,) = torch.autograd.grad(score(answer["outputs"]).sum(), maps)
    return maps.detach().cpu().numpy(), found.detach().cpu().numpy()


def _by_tensorflow(both: keras.Model, features: NDArray[np.float32], score: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        answer = both(tf.convert_to_tensor(features), training=False)
        maps = answer["maps"]
        tape.watch(maps)
        total = tf.reduce_sum(score(answer["outputs"]))
    return maps.numpy(), tape.gradient(total, maps).numpy()
