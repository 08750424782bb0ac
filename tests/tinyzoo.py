"""A model zoo with a very small network, for tests of everything around the trained one.

The network has the real one's inputs and outputs: linear heads with fixed random weights on the mean of the
features over the q grid.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sasnet_plugin.data.preprocess import N_CHANNELS, N_GRID, PREPROCESS_VERSION

FORMS = ("sphere", "fuzzy_sphere", "core_shell_sphere", "cylinder", "lamellar", "power_law")
FACTORS = (None, "hardsphere", "hayter_msa", "squarewell", "stickyhardsphere")
ALLOWED = {name: list(FACTORS[1:]) for name in FORMS[:4]} | {"lamellar": [], "power_law": []}
GROUPS = (("spherical", FORMS[:3]), ("rods", FORMS[3:4]), ("the rest", FORMS[4:]))


def manifest_entries(onnx_bytes: bytes = b"", **changes: Any) -> dict[str, Any]:
    """Entries of the tiny network's manifest, with `changes`."""
    entries: dict[str, Any] = {
        "format": 1,
        "name": "sas1d",
        "domain": "sas1d",
        "preprocess_version": PREPROCESS_VERSION,
        "q_range": [1e-4, 1.0],
        "forms": list(FORMS),
        "structure_factors": list(FACTORS),
        "allowed_structure_factors": ALLOWED,
        "temperature": {"form": 1.5, "structure_factor": 0.8, "scope": [1.2, 0.1]},
        "groups": [{"name": name, "members": list(members)} for name, members in GROUPS],
        "scope_threshold": 0.3,
        "parameters": {},
        "versions": {},
        "data_hash": "0",
        "metrics": {},
        "sha256": {"model.onnx": hashlib.sha256(onnx_bytes).hexdigest()},
    }
    return entries | changes


def network(*, seed: int = 1, scope_bias: float = 3.0) -> bytes:
    """Serialised ONNX graph: the mean of the features over the grid, then one linear map for each head."""
    rng = np.random.default_rng(seed)
    forms, factors = len(FORMS), len(FACTORS)
    sizes = {"form": forms, "structure_factor_flat": forms * factors, "scope": 1, "size": 2}
    bias = {"scope": np.array([scope_bias]), "size": np.array([1.7, -3.0])}
    constants = [numpy_helper.from_array(np.array([-1, forms, factors], dtype=np.int64), "shape")]
    nodes = [helper.make_node("ReduceMean", ["features"], ["mean"], axes=[1], keepdims=0)]
    for name, size in sizes.items():
        spread = 5.0 if name.startswith(("form", "structure")) else 0.0
        weights = spread * rng.normal(size=(N_CHANNELS, size))
        offsets = bias.get(name, np.zeros(size))
        constants.append(numpy_helper.from_array(weights.astype(np.float32), f"{name}_weights"))
        constants.append(numpy_helper.from_array(offsets.astype(np.float32), f"{name}_offsets"))
        nodes.append(helper.make_node("Gemm", ["mean", f"{name}_weights", f"{name}_offsets"], [name]))
    nodes.append(helper.make_node("Reshape", ["structure_factor_flat", "shape"], ["structure_factor"]))
    shapes = {"form": [forms], "structure_factor": [forms, factors], "scope": [1], "size": [2]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", N_GRID, N_CHANNELS])],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, ["n", *v]) for k, v in shapes.items()],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def write_zoo(folder: Path, *, onnx_bytes: bytes | None = None, **changes: Any) -> Path:
    """Write a zoo that holds the tiny network as ``sas1d``; `changes` go into its manifest."""
    graph = network() if onnx_bytes is None else onnx_bytes
    home = folder / "sas1d"
    home.mkdir(parents=True)
    (home / "model.onnx").write_bytes(graph)
    (home / "manifest.json").write_text(json.dumps(manifest_entries(graph, **changes)), encoding="utf-8")
    registry = {"sas1d": {"path": "sas1d", "domain": "sas1d"}}
    (folder / "registry.json").write_text(json.dumps(registry), encoding="utf-8")
    return folder


def sphere_intensity(q: np.ndarray, radius: float) -> np.ndarray:
    """I(q) of a homogeneous sphere, 1 at q = 0 (Rayleigh, Proc. R. Soc. A 84 (1911) 25)."""
    x = q * radius
    return np.asarray((3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2)


def sphere_curve(
    radius: float, *, points: int = 120, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """q (Å⁻¹), I and dI of a noisy sphere curve."""
    rng = np.random.default_rng(seed)
    q = np.geomspace(0.004, 0.4, points)
    clean = sphere_intensity(q, radius) + 1e-4
    sigma = 0.02 * clean + 1e-5
    return q, rng.normal(clean, sigma), sigma
