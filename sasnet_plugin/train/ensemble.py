"""Several trained networks that answer together: one graph, the mean of what each of them says.

Networks that were trained apart err apart; the mean of their outputs is right more often than any of them,
and more honest about it (Lakshminarayanan, Pritzel & Blundell, NeurIPS 2017, arXiv:1612.01474).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..types import SasnetError

#: In front of the names of a member's weights and nodes.
_MEMBER = "member{}/"


def joined(networks: Sequence[bytes]) -> bytes:
    """One graph of several, each of which may be of several itself; all count alike.

    Parameters
    ----------
    networks : sequence of bytes
        As ONNX has them, of the same inputs and outputs.

    Raises
    ------
    SasnetError
        They read or say different things.
    """
    import onnx
    from onnx import compose, helper

    protos = [one for network in networks for one in members(onnx.load_from_string(network))]
    first = protos[0].graph
    nodes, weights = [], []
    for number, proto in enumerate(protos):
        if _ends(proto.graph) != _ends(first):
            raise SasnetError(
                "networks that answer together must read the same inputs and have the same classes;"
                " train both on the same models."
            )
        graph = compose.add_prefix(proto, _MEMBER.format(number)).graph
        for node in graph.node:
            for place, name in enumerate(node.input):
                plain = name.removeprefix(_MEMBER.format(number))
                if any(plain == one.name for one in first.input):
                    node.input[place] = plain
        nodes += list(graph.node)
        weights += list(graph.initializer)
    for output in first.output:
        said = [_MEMBER.format(number) + output.name for number in range(len(protos))]
        nodes.append(helper.make_node("Mean", said, [output.name]))
    graph = helper.make_graph(nodes, "ensemble", list(first.input), list(first.output), weights)
    whole = helper.make_model(graph, opset_imports=protos[0].opset_import, ir_version=protos[0].ir_version)
    onnx.checker.check_model(whole)
    return bytes(whole.SerializeToString())


def members_of(network: bytes) -> int:
    """Of how many networks a graph is the mean."""
    import onnx

    return len(members(onnx.load_from_string(network)))


def members(proto: Any) -> list[Any]:
    """The networks that a graph is the mean of, in their order; itself where it is one network."""
    import onnx
    from onnx import helper

    graph, found = proto.graph, []
    while any(node.output[0].startswith(_MEMBER.format(len(found))) for node in graph.node):
        own = _MEMBER.format(len(found))
        nodes = []
        for node in graph.node:
            if not node.output[0].startswith(own):
                continue
            plain = onnx.NodeProto()
            plain.CopyFrom(node)
            plain.name = node.name.removeprefix(own)
            for names in (plain.input, plain.output):
                for place, name in enumerate(names):
                    names[place] = name.removeprefix(own)
            nodes.append(plain)
        weights = []
        for weight in graph.initializer:
            if weight.name.startswith(own):
                renamed = onnx.TensorProto()
                renamed.CopyFrom(weight)
                renamed.name = weight.name.removeprefix(own)
                weights.append(renamed)
        one = helper.make_graph(nodes, "member", list(graph.input), list(graph.output), weights)
        found.append(helper.make_model(one, opset_imports=proto.opset_import, ir_version=proto.ir_version))
    return found or [proto]


def _ends(graph: Any) -> list[tuple[str, Any]]:
    """Names and shapes of inputs and outputs, but for the number of examples."""
    return [
        (one.name, [d.dim_value for d in one.type.tensor_type.shape.dim][1:])
        for one in (*graph.input, *graph.output)
    ]
