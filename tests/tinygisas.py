"""A model zoo with a very small network for patterns, for tests of everything around the trained one.

It has the real one's inputs and outputs: linear heads with fixed random weights on the mean of the features
over the rows of eight strips of columns, so that it sees left from right.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sasnet_plugin.data.images.features import N_CHANNELS, PREPROCESS_VERSION
from sasnet_plugin.simulate.gisas.geometry import N_XI, WINDOW
from sasnet_plugin.simulate.gisas.nuisance import NAMES
from sasnet_plugin.types import GrazingIncidence, Image

STRIPS = 8


def manifest_entries(onnx_bytes: bytes = b"", **changes: Any) -> dict[str, Any]:
    """Entries of the tiny network's manifest, with `changes`."""
    entries: dict[str, Any] = {
        "format": 1,
        "name": "gisas_hex",
        "domain": "gisas_hex",
        "preprocess_version": PREPROCESS_VERSION,
        "window": {
            "rows": WINDOW.rows,
            "columns": WINDOW.columns,
            "phi": list(WINDOW.phi),
            "alpha_f": list(WINDOW.alpha_f),
        },
        "n_xi": N_XI,
        "resolution": 3.0,
        "quantities": list(NAMES),
        "stated": {"wavelength": [1.1, 1.6], "alpha_i": [0.115, 0.235]},
        "calibration": {"band": 1.2, "errors": [1.0] * len(NAMES), "scope": [1.0, 0.0]},
        "scope_threshold": 0.5,
        "uniform": [
            {"level": 0.0, "distance": [0.1, 0.2, 0.3, 0.4]},
            {"level": 99.0, "distance": [1.0, 2.0, 3.0, 4.0]},
        ],
        "versions": {},
        "data_hash": "0",
        "metrics": {},
        "sha256": {"model.onnx": hashlib.sha256(onnx_bytes).hexdigest()},
    }
    return entries | changes


def network(*, seed: int = 1, scope_bias: float = 4.0) -> bytes:
    """Serialised ONNX graph."""
    rng = np.random.default_rng(seed)
    quantities = len(NAMES)
    width = STRIPS * N_CHANNELS
    heads = {"xi": [N_XI], "band": [N_XI, 2], "nuisance": [quantities, 2], "scope": [1]}
    spread = {"xi": 1.0, "band": 0.1, "nuisance": 0.1, "scope": 0.0}
    bias = {
        "band": np.tile([0.3, 2.0], N_XI),
        "nuisance": np.tile([0.0, -1.0], quantities),
        "scope": np.array([scope_bias]),
    }
    constants = [
        numpy_helper.from_array(
            np.array([-1, WINDOW.rows, STRIPS, WINDOW.columns // STRIPS, N_CHANNELS]), "strips"
        ),
        numpy_helper.from_array(np.array([-1, width]), "flat"),
    ]
    nodes = [
        helper.make_node("Reshape", ["features", "strips"], ["split"]),
        helper.make_node("ReduceMean", ["split"], ["mean"], axes=[1, 3], keepdims=0),
        helper.make_node("Reshape", ["mean", "flat"], ["row"]),
    ]
    for name, shape in heads.items():
        size = int(np.prod(shape))
        weights = spread[name] * rng.normal(size=(width, size))
        constants.append(numpy_helper.from_array(weights.astype(np.float32), f"{name}_weights"))
        offsets = bias.get(name, np.zeros(size)).astype(np.float32)
        constants.append(numpy_helper.from_array(offsets, f"{name}_offsets"))
        constants.append(numpy_helper.from_array(np.array([-1, *shape]), f"{name}_shape"))
        nodes.append(
            helper.make_node("Gemm", ["row", f"{name}_weights", f"{name}_offsets"], [f"{name}_flat"])
        )
        nodes.append(helper.make_node("Reshape", [f"{name}_flat", f"{name}_shape"], [name]))
    size = ["n", WINDOW.rows, WINDOW.columns, N_CHANNELS]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, ["n", *v]) for k, v in heads.items()],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def add_to_zoo(folder: Path, *, onnx_bytes: bytes | None = None, **changes: Any) -> Path:
    """Put the tiny network as ``gisas_hex`` into a zoo; `changes` go into its manifest."""
    graph = network() if onnx_bytes is None else onnx_bytes
    home = folder / "gisas_hex"
    home.mkdir(parents=True)
    (home / "model.onnx").write_bytes(graph)
    (home / "manifest.json").write_text(json.dumps(manifest_entries(graph, **changes)), encoding="utf-8")
    path = folder / "registry.json"
    registry = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    registry["gisas_hex"] = {"path": "gisas_hex", "domain": "gisas_hex"}
    path.write_text(json.dumps(registry), encoding="utf-8")
    return folder


def pattern(*, seed: int = 0, counts: float = 1e5, name: str = "") -> Image:
    """A pattern with a rod, two unequal side maxima and noise on the network's window."""
    rng = np.random.default_rng(seed)
    alpha, phi = WINDOW.centres()
    across = (
        50 * np.exp(-0.5 * (phi / 0.03) ** 2)
        + 2 * np.exp(-0.5 * ((phi - 0.25) / 0.04) ** 2)
        + np.exp(-0.5 * ((phi + 0.5) / 0.04) ** 2)
        + 0.05
    )
    clean = np.outer(np.exp(-alpha / 0.5), across)
    drawn = rng.poisson(clean * counts / clean.sum()).astype(np.float64)
    return Image(
        drawn, np.ones(WINDOW.shape, dtype=bool), GrazingIncidence(phi, alpha, 1.34, 0.16), file=name
    )
