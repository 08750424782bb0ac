"""The last layer of a head in an exported network, and what a user's labels change of its answers.

The layer stays as it was trained. What labels teach is added to its logits, through a gate that says how much
an image is like those that were labelled rather than like those that the network was trained with: the expert
gate of R. Aljundi et al., CVPR 2017, 3366, with logistic regressions for experts. So both stand in the graph,
and a later training can always go back to what was there before any label.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..domains.heads import Inputs, Tags
from ..predict.arithmetic import sigmoid
from ..predict.predictor import Runtime
from ..types import SasnetError
from ..zoo import ZooModel

#: What names of nodes and weights that labels have added begin with.
_ADDED = "labelled/"


@dataclass(frozen=True)
class Change:
    """What is added to the logits t of tags: t + σ(g·x)(W·x), of x and a last entry of 1."""

    gate: Floats  #: (size + 1,), g, logistic regression of whether an image is like the labelled ones.
    weights: Floats  #: (size + 1, labels), W.

    def compute_addition(self, features: Floats) -> Floats:
        """Return what is added to logits (n, labels) from the layer's input and 1, (n, size + 1)."""
        return np.asarray(sigmoid(features @ self.gate))[:, None] * (features @ self.weights)


@dataclass(frozen=True)
class Layer:
    """The last, dense layer of a head within an exported network."""

    graph: Any  #: The network as it was before any labels.
    source: str  #: Name of what the layer reads.
    #: kernel, bias: (size, labels), (labels,)
    kernel: Floats
    bias: Floats
    output: str  #: The head's name.

    @classmethod
    def find(cls, model: ZooModel, head: Tags) -> Layer:
        """Find the layer. Raises SasnetError if the network ends otherwise."""
        import onnx

        proto = remove_labels(onnx.load_from_string(model.onnx))
        nodes = {(name, node.op_type): node for node in proto.graph.node for name in node.output}
        stored = read_stored_weights(proto)
        add = nodes.get((head.name, "Add"))
        product = None if add is None else nodes.get((add.input[0], "MatMul"))
        if add is None or product is None or product.input[1] not in stored:
            raise SasnetError(
                f"{model.folder}: its network does not end in a dense layer; train without --start-from."
            )
        kernel, bias = (stored[name].astype(np.float64) for name in (product.input[1], add.input[1]))
        return cls(proto, product.input[0], kernel, bias, head.name)

    @property
    def digest(self) -> str:
        """Checksum of the network before any labels."""
        return hashlib.sha256(self.graph.SerializeToString(deterministic=True)).hexdigest()[:16]

    def read(self, inputs: Inputs) -> Floats:
        """What the layer reads of images, and 1, (n, size + 1)."""
        import onnx

        proto = onnx.ModelProto()
        proto.CopyFrom(self.graph)
        proto.graph.output.append(onnx.helper.make_empty_tensor_value_info(self.source))
        runtime = Runtime(proto.SerializeToString(), outputs=(self.source,))
        run_inputs = {name: values.astype(np.float32) for name, values in inputs.items() if values.ndim > 1}
        features = np.asarray(runtime.run(run_inputs)[self.source], dtype=np.float64)
        return np.column_stack([features, np.ones(len(features))])

    def logits(self, features: Floats) -> Floats:
        """Before any labels, (n, labels), by what it reads, (n, size + 1)."""
        return np.asarray(features @ np.vstack([self.kernel, self.bias]))

    def apply(self, change: Change) -> Any:
        """The graph with what other labels add."""
        import onnx
        from onnx import helper, numpy_helper

        proto = onnx.ModelProto()
        proto.CopyFrom(self.graph)
        _rename(proto.graph, self.output, f"{_ADDED}before")
        arrays = {"gate": change.gate[:, None], "weights": change.weights}
        for name, values in arrays.items():
            for ending, part in (("", values[:-1]), ("_bias", values[-1:])):
                stored = numpy_helper.from_array(part.astype(np.float32), f"{_ADDED}{name}{ending}")
                proto.graph.initializer.append(stored)
        steps = [
            ("MatMul", [self.source, "gate"], "gate_product"), ("Add", ["gate_product", "gate_bias"], "like"),
            ("Sigmoid", ["like"], "open"), ("MatMul", [self.source, "weights"], "weights_product"),
            ("Add", ["weights_product", "weights_bias"], "change"), ("Mul", ["open", "change"], "passed"),
            ("Add", ["before", "passed"], self.output),
        ]  # fmt: skip
        own_names = (self.source, self.output)
        for kind, read, make_node in steps:
            names = [name if name in own_names else f"{_ADDED}{name}" for name in (*read, make_node)]
            proto.graph.node.append(
                helper.make_node(kind, names[:-1], names[-1:], name=f"{_ADDED}{kind}_{make_node}")
            )
        onnx.checker.check_model(proto)
        return proto


def _select_added(items: Any) -> list[Any]:
    return [item for item in items if item.name.startswith(_ADDED)]


def _keep_original(items: Any) -> None:
    for item in _select_added(items):
        items.remove(item)


def remove_labels(proto: Any) -> Any:
    """A graph as it was before any labels were added."""
    import onnx

    model_proto = onnx.ModelProto()
    model_proto.CopyFrom(proto)
    added = [name for node in _select_added(model_proto.graph.node) for name in node.output]
    if not added:
        return model_proto
    (output,) = (name for name in added if not name.startswith(_ADDED))
    for items in (model_proto.graph.node, model_proto.graph.initializer):
        _keep_original(items)
    _rename(model_proto.graph, f"{_ADDED}before", output)
    return model_proto


def _rename(graph: Any, old: str, new: str) -> None:
    """Give a value that runs between nodes another name, wherever it is made or read."""
    for names in (names for node in graph.node for names in (node.input, node.output)):
        for place, name in enumerate(names):
            if name == old:
                names[place] = new


def read_stored_weights(proto: Any) -> dict[str, NDArray[Any]]:
    """Weights by name; large ones are stored in 16 bits, each before a Cast."""
    from onnx import numpy_helper

    stored = {initializer.name: numpy_helper.to_array(initializer) for initializer in proto.graph.initializer}
    return stored | {
        node.output[0]: stored[node.input[0]]
        for node in proto.graph.node
        if node.op_type == "Cast" and node.input[0] in stored
    }
