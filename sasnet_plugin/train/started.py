"""A network that begins with the weights of one in a zoo, read from its ONNX file.

A zoo keeps no Keras weights. ONNX's do as well: layers are found by their names, those that Keras has
numbered by their order; constants of one value a channel may have been folded into another shape.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ..domains.heads import FRAME_MASK
from ..predict.predictor import Runtime
from ..types import SasnetError
from ..zoo import ZooModel
from .last_layer import read_stored_weights, remove_labels
from .network import leaves

FloatArray = NDArray[np.float32]
#: Largest difference of a logit that storage in 16 bits makes, relative to the largest logit or to 1; and
#: that arithmetic in bfloat16, of 8 bits, makes.
_SAME, _SAME_MIXED = 1e-2, 1e-1
#: Layers that Keras has named.
_NUMBERED = re.compile(r"(conv1d|conv2d|dense|layer_normalization)(?:_(\d+))?")
#: Between a product and the sum that adds the bias, what only changes a shape.
_SHAPES = ("Squeeze", "Transpose", "Reshape", "Cast")


def begin_with(model: Any, packaged: bytes, place: str) -> tuple[str, ...]:
    """Copy the weights of every layer of a packaged ONNX network into a model, and return layers it lacks.
    Raises SasnetError if shapes or answers differ; `place` names it.
    """
    import onnx

    # What a user's labels have added is no layer of Keras': it begins with what was there before.
    proto = remove_labels(onnx.load_from_string(packaged))
    graph, packaged = proto.graph, proto.SerializeToString()
    inside = {layer.name for layer in model.layers if hasattr(layer, "layers")}
    weights = _renumber(_weights_of(proto, inside))
    layers = {layer.name: layer for layer in leaves(model) if layer.weights}
    new = []
    for name, layer in _renumber(layers).items():
        weight = weights.get(name)
        if weight is None:
            new.append(layer.name)
            continue
        try:
            layer.set_weights(_as_keras(layer, *weight)[: len(layer.weights)])
        except ValueError:
            raise SasnetError(
                f"{place}: its layer {layer.name} has another shape; start from a network of the same sizes."
            ) from None
    if len(new) == len(layers):
        raise SasnetError(f"{place}: has no layer of this network; start from a network of the same domain.")
    known_outputs = [
        output.name for output in graph.output if not any(name.startswith(output.name) for name in new)
    ]
    _check(model, packaged, place, known_outputs)
    return tuple(new)


def describe_start(start: ZooModel) -> dict[str, Any]:
    """Which network another began with: its training, and that of the one it began with itself."""
    metrics = start.manifest.metrics
    return {
        "name": start.manifest.name,
        "sha256": start.manifest.sha256["model.onnx"],
        "training": metrics.get("training"),
        "start": metrics.get("start"),
    }


def _as_keras(layer: Any, kernel: FloatArray, bias: FloatArray) -> list[FloatArray]:
    if isinstance(layer, keras.layers.Conv1D):
        return [kernel[:, :, 0, :].transpose(2, 1, 0), bias]
    if isinstance(layer, keras.layers.Conv2D):
        return [kernel.transpose(2, 3, 1, 0), bias]
    return [kernel, bias]


def _weights_of(proto: Any, inside: Collection[str]) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Kernel and bias, or scale and offset, by the layer's name; of the networks inside as of the whole."""
    arrays = {name: values.astype(np.float32) for name, values in read_stored_weights(proto).items()}
    users: dict[str, list[Any]] = {}
    for node in proto.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    weights: dict[str, tuple[FloatArray, FloatArray]] = {}
    products = [node for node in proto.graph.node if node.op_type in ("Conv", "MatMul", "Gemm")]
    for node in [node for node in products if node.input[1] in arrays]:
        kernel = arrays[node.input[1]]
        channels = kernel.shape[0 if node.op_type == "Conv" else -1]
        bias = arrays[node.input[2]] if len(node.input) > 2 else _find_bias(node, channels, arrays, users)
        weights[_layer(node.input[1], inside)] = kernel, bias.reshape(-1)
    scales = {name for name in arrays if name.endswith("/Reshape:0") and "layer_normalization" in name}
    for name in scales:
        offset = arrays[name.replace("/Reshape:0", "/Reshape_1:0")]
        weights[_layer(name, inside)] = arrays[name].reshape(-1), offset.reshape(-1)
    return weights


def _find_bias(node: Any, channels: int, arrays: dict[str, Any], users: dict[str, list[Any]]) -> FloatArray:
    """The constant that is added to a node's product; zero where there is none."""
    name = node.output[0]
    for _ in range(len(_SHAPES)):
        for user in users.get(name, []):
            constants = [arrays[i] for i in user.input if i in arrays]
            if user.op_type == "Add" and constants and constants[0].size == channels:
                return np.asarray(constants[0], np.float32)
        after = [user for user in users.get(name, []) if user.op_type in _SHAPES]
        if not after:
            break
        name = after[0].output[0]
    return np.zeros(channels, np.float32)


def _renumber(layers: dict[str, Any]) -> dict[str, Any]:
    """Layers by name, with numbers that begin at 0: Keras counts on from network to network."""
    parts = {name: _NUMBERED.fullmatch(name) for name in layers}
    renumbered = {name: layers[name] for name, part in parts.items() if part is None}
    numbered = sorted((m[1], int(m[2] or 0), name) for name, m in parts.items() if m is not None)
    count: dict[str, int] = {}
    for kind, _, name in numbered:
        renumbered[f"{kind}_{count.setdefault(kind, 0)}"] = layers[name]
        count[kind] += 1
    return renumbered


def _layer(name: str, inside: Collection[str]) -> str:
    """Keras' name of the layer that an initializer belongs to: behind those of the networks that hold it."""
    parts = [re.sub(r"_\d+$", "", part) for part in name.split("/")[1:]]
    return next((part for part in parts if part not in inside), name)


def _check(model: Any, packaged: bytes, place: str, outputs: Sequence[str]) -> None:
    """See that both answer alike, where both answer."""
    tolerance = _SAME if model.compute_dtype == "float32" else _SAME_MIXED
    rng = np.random.default_rng(0)
    inputs = {
        tensor.name: rng.standard_normal((4, *(2 if n is None else n for n in tensor.shape[1:]))).astype("f4")
        for tensor in model.inputs
    }
    if FRAME_MASK in inputs:
        inputs[FRAME_MASK][:] = 1
    current = model.predict(inputs if len(inputs) > 1 else next(iter(inputs.values())), verbose=0)
    shared = [name for name in outputs if name in current]
    packaged_outputs = Runtime(packaged, outputs=shared, where=place).run(inputs)
    for name in shared:
        if not _alike(np.ravel(packaged_outputs[name]), np.ravel(current[name]), tolerance):
            raise SasnetError(
                f"{place}: answers differently from this network with the same weights ({name}); start from a"
                " network of the same sizes."
            )


def _alike(theirs: FloatArray, ours: FloatArray, tolerance: float) -> bool:
    return theirs.shape == ours.shape and bool(
        np.max(np.abs(theirs - ours)) <= tolerance * max(1.0, np.max(np.abs(theirs)))
    )
