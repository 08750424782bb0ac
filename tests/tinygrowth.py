"""A model zoo with a very small network for growing films, and files with frames of a film that grows.

The network has the real one's inputs and outputs: linear heads on the mean of the features over the window.
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
from sasnet_plugin.simulate.growth.pattern import pattern
from sasnet_plugin.simulate.growth.priors import growing
from sasnet_plugin.simulate.growth.quantities import NAMES
from sasnet_plugin.simulate.images.window import Window

#: Somewhat more than the network sees, as a detector does.
SEEN = Window(rows=72, columns=80, phi=(-2.2, 2.2), alpha_f=(0.0, 2.7))
GEOMETRY = (
    "wavelength = 0.96\nalpha_i = 0.4\n"
    f"phi = [{-2.2 + 0.0275:g}, {2.2 - 0.0275:g}]\nalpha_f = [{2.7 - 0.01875:g}, 0.01875]\n"
)


def manifest_entries(onnx_bytes: bytes, **changes: Any) -> dict[str, Any]:
    """Entries of the tiny network's manifest, with `changes`."""
    entries: dict[str, Any] = {
        "format": 1,
        "name": "gisas_growth",
        "domain": "gisas_growth",
        "preprocess_version": PREPROCESS_VERSION,
        "window": {"rows": 64, "columns": 64, "phi": [-2.0, 2.0], "alpha_f": [0.0, 2.5]},
        "quantities": list(NAMES),
        "stated": {"wavelength": [0.92, 1.02], "alpha_i": [0.28, 0.62]},
        "calibration": {
            "bands": [
                {"level": 0.0, "factors": [3.29] * len(NAMES)},
                {"level": 99.0, "factors": [1.645] * len(NAMES)},
            ],
            "scope": [1.0, 0.0],
        },
        "scope_threshold": 0.3,
        "versions": {},
        "data_hash": "0",
        "metrics": {},
        "sha256": {"model.onnx": hashlib.sha256(onnx_bytes).hexdigest()},
    }
    return entries | changes


def network(*, seed: int = 1, scope_bias: float = 3.0) -> bytes:
    """Serialised ONNX graph: the mean of the features over the window, then one linear map for each head."""
    rng = np.random.default_rng(seed)
    n = len(NAMES)
    weights = {
        "quantities_flat": (0.3 * rng.normal(size=(N_CHANNELS, 2 * n)), np.zeros(2 * n)),
        "scope": (np.zeros((N_CHANNELS, 1)), np.array([scope_bias])),
    }
    weights["quantities_flat"][0][:, 1::2] = 0.0  # errors that do not depend on the pattern
    weights["quantities_flat"][1][1::2] = -2.0
    constants = [numpy_helper.from_array(np.array([-1, n, 2], dtype=np.int64), "shape")]
    nodes = [helper.make_node("ReduceMean", ["features"], ["mean"], axes=[1, 2], keepdims=0)]
    for name, (matrix, offset) in weights.items():
        constants.append(numpy_helper.from_array(matrix.astype(np.float32), f"{name}_weights"))
        constants.append(numpy_helper.from_array(offset.astype(np.float32), f"{name}_offsets"))
        nodes.append(helper.make_node("Gemm", ["mean", f"{name}_weights", f"{name}_offsets"], [name]))
    nodes.append(helper.make_node("Reshape", ["quantities_flat", "shape"], ["quantities"]))
    shapes = {"quantities": [n, 2], "scope": [1]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 64, 64, N_CHANNELS])],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, ["n", *v]) for k, v in shapes.items()],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def write_zoo(folder: Path, *, scope_bias: float = 3.0, **changes: Any) -> Path:
    """Write a zoo that holds the tiny network; `changes` go into its manifest."""
    graph = network(scope_bias=scope_bias)
    home = folder / "gisas_growth"
    home.mkdir(parents=True)
    (home / "model.onnx").write_bytes(graph)
    (home / "manifest.json").write_text(json.dumps(manifest_entries(graph, **changes)), encoding="utf-8")
    registry = {"gisas_growth": {"path": "gisas_growth", "domain": "gisas_growth"}}
    (folder / "registry.json").write_text(json.dumps(registry), encoding="utf-8")
    return folder


def frames(number: int, rng: np.random.Generator, *, counts: float = 2e5) -> np.ndarray:
    """Counts of a film that grows, (number, rows, columns) int32, row 0 on top."""
    shapes = [pattern(growing(thickness, 60 + 0.5 * thickness), SEEN) for thickness in np.linspace(3, 40, 5)]
    chosen = [shapes[index * 5 // number] for index in range(number)]
    return np.stack([rng.poisson(counts * one / one.sum())[::-1] for one in chosen]).astype(np.int32)


def write_stack(path: Path, values: np.ndarray) -> Path:
    """A TIFF of several pages, with its geometry."""
    import tifffile

    with tifffile.TiffWriter(path) as file:
        for frame in values:
            file.write(frame, contiguous=True)
    path.with_suffix(".toml").write_text(GEOMETRY, encoding="utf-8")
    return path


def write_nexus(path: Path, values: np.ndarray) -> Path:
    """A NeXus stream of frames in one dataset, with its geometry."""
    import h5py

    with h5py.File(path, "w") as file:
        data = file.create_dataset("entry/data/data", data=values, chunks=(1, *values.shape[1:]))
        file["entry"].attrs.update(NX_class="NXentry", default="data")
        file["entry/data"].attrs.update(NX_class="NXdata", signal="data")
        data.attrs["interpretation"] = "image"
    path.with_suffix(".toml").write_text(GEOMETRY, encoding="utf-8")
    return path
