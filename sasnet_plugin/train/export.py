"""Export to ONNX in half-precision storage, and proof that it answers as the trained network does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..predict.predictor import Runtime
from ..types import SasnetError

#: Largest difference of a logit between the trained network and the exported one: 16-bit weights allow it.
PARITY = 0.05
#: Inputs and answers that are kept beside a network: enough to see that it is the same, and small.
STORED = 8


def export_onnx(model: Any, path: Path) -> None:
    """Write a Keras model as ONNX, large weights stored in 16 bits and computed in 32. Raises SasnetError on
    a backend other than TensorFlow, which alone exports a dynamic batch size.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise SasnetError(
            f"exporting to ONNX needs Keras on TensorFlow, not on {keras.backend.backend()};"
            " run the same command again with KERAS_BACKEND=tensorflow (a finished training is not repeated)."
        )
    full = path.with_suffix(".full.onnx")
    model.export(str(full), format="onnx", verbose=False)
    halve(full, path)
    full.unlink()


def halve(source: Path, target: Path) -> None:
    """Store float32 weights of 256 numbers or more as float16, each followed by a Cast to float32."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    proto = onnx.load(str(source))
    graph = proto.graph
    casts = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < 256:
            continue
        values = numpy_helper.to_array(tensor).astype(np.float16)
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(values, f"{name}__half"))
        casts.append(helper.make_node("Cast", [f"{name}__half"], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        graph.node.insert(0, node)
    onnx.checker.check_model(proto)
    onnx.save(proto, str(target))


def check_parity(
    path: Path,
    inputs: Mapping[str, NDArray[np.float32]],
    expected: Mapping[str, NDArray[np.floating]],
    store: Path,
    *,
    heads: tuple[str, ...],
) -> float:
    """Compare exported and trained network on `heads`, store the first `STORED` for later checks, and return
    the largest difference. Raises SasnetError above `PARITY`.
    """
    answers = Runtime(path.read_bytes(), outputs=sorted(expected), where=str(path)).run(inputs)
    worst = max(float(np.max(np.abs(answers[head] - expected[head]))) for head in heads)
    if worst > PARITY:
        raise SasnetError(
            f"{path}: differs from the trained network by {worst:.3g} in a logit; do not use it."
        )
    arrays: dict[str, Any] = {name: np.asarray(v[:STORED], np.float32) for name, v in expected.items()}
    stored_inputs: dict[str, Any] = {name: v[:STORED].astype(np.float16) for name, v in inputs.items()}
    np.savez_compressed(store, **stored_inputs, **arrays)
    return worst
