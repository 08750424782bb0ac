"""A model zoo with very small networks for any domain, for tests of everything around the trained ones.

Each has the real one's inputs and outputs: linear heads with fixed random weights on the mean of the features
over strips of the last axis but one, so that a network for patterns can see left from right.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sasnet_plugin.data.preprocess import N_CHANNELS, N_GRID
from sasnet_plugin.domains import specification
from sasnet_plugin.domains.heads import (
    Classes,
    Distribution,
    Group,
    Head,
    Quantities,
    Scope,
    Tags,
    outputs_of,
)
from sasnet_plugin.images.features import N_CHANNELS as N_IMAGE
from sasnet_plugin.zoo.registry import describe_head

FORMS = ("sphere", "fuzzy_sphere", "core_shell_sphere", "cylinder", "lamellar", "power_law")
FACTORS = ("", "hardsphere", "hayter_msa", "squarewell", "stickyhardsphere")
ALLOWED = dict.fromkeys(FORMS[:4], FACTORS[1:])
GROUPS = (("spherical", FORMS[:3]), ("rods", FORMS[3:4]), ("the rest", FORMS[4:]))
#: Heads that the packaged network does not have yet.
LABELLED = ("interaction", "components", "effective_radius")
#: Shape of the features and strips that the network sees.
_FEATURES = {"sas1d": ((N_GRID, N_CHANNELS), 1), "gisas_hex": ((64, 64, N_IMAGE), 8)}
_STATED = {
    "gisas_hex": {"wavelength": [1.1, 1.6], "alpha_i": [0.115, 0.235]},
    "gisas_growth": {"wavelength": [0.92, 1.02], "alpha_i": [0.28, 0.62]},
}
_EDGES = {
    "gisas_hex": {"phi": [-1.07, 1.07], "alpha_f": [0.0, 2.2]},
    "gisas_growth": {"phi": [-2.0, 2.0], "alpha_f": [0.0, 2.5]},
}


def heads_of(domain: str = "sas1d") -> tuple[Head, ...]:
    """The domain's heads, with classes."""
    found: list[Head] = []
    for head in specification(domain).heads:
        if domain == "sas1d" and head.name in LABELLED:
            continue
        if isinstance(head, Classes):
            groups = () if head.given else tuple(Group(*group) for group in GROUPS)
            labels, allowed = (FACTORS, ALLOWED) if head.given else (FORMS, {})
            head = replace(head, labels=labels, groups=groups, allowed=allowed)
        found.append(head)
    return tuple(found)


def manifest_entries(onnx_bytes: bytes = b"", domain: str = "sas1d", **changes: Any) -> dict[str, Any]:
    """Entries of the tiny network's manifest, with `changes`."""
    heads = heads_of(domain)
    inputs: dict[str, Any] = {"q_range": [1e-4, 1.0], "parameters": {}}
    if domain in _EDGES:
        inputs = {"window": {"rows": 64, "columns": 64, **_EDGES[domain]}, "stated": _STATED[domain]}
    entries: dict[str, Any] = {
        "format": 2,
        "name": domain,
        "domain": domain,
        "features_version": specification(domain).features_version,
        "heads": {head.name: describe_head(head) for head in heads},
        "calibration": {head.name: _calibration(head) for head in heads},
        "inputs": inputs,
        "versions": {},
        "data_hash": "0",
        "metrics": {},
        "sha256": {"model.onnx": hashlib.sha256(onnx_bytes).hexdigest()},
    }
    return entries | changes


def _calibration(head: Head) -> dict[str, Any]:
    if isinstance(head, Classes):
        return {"temperature": 0.8 if head.given else 1.5}
    if isinstance(head, Scope):
        return {"slope": 1.0 if head.silent else 1.2, "offset": 0.0 if head.silent else 0.1, "threshold": 0.3}
    if isinstance(head, Quantities):
        n = len(head.parameters)
        bands, errors = [[0.0, [3.29] * n], [99.0, [1.645] * n]], [[99.0, [1.0] * n]]
        return {"factors": {"band": bands, "error": errors, "": []}[head.interval]}
    if isinstance(head, Tags):
        return {"slope": [1.0] * len(head.labels), "offset": [0.0] * len(head.labels)}
    assert isinstance(head, Distribution)
    return {"band": 1.2, "uniform": [[0.0, [0.1, 0.2, 0.3, 0.4]], [99.0, [1.0, 2.0, 3.0, 4.0]]]}


def network(domain: str = "sas1d", *, seed: int = 1, scope_bias: float = 3.0) -> bytes:
    """Serialised ONNX graph."""
    rng = np.random.default_rng(seed)
    shape, strips = _FEATURES.get(domain, ((64, 64, N_IMAGE), 1))
    split = [-1, *shape[:-2], strips, shape[-2] // strips, shape[-1]]
    over = [axis for axis in range(1, len(split) - 1) if axis != len(split) - 3]
    width = strips * shape[-1]
    constants = [
        numpy_helper.from_array(np.array(split), "strips"),
        numpy_helper.from_array(np.array([-1, width]), "flat"),
    ]
    nodes = [
        helper.make_node("Reshape", ["features", "strips"], ["split"]),
        helper.make_node("ReduceMean", ["split"], ["mean"], axes=over, keepdims=0),
        helper.make_node("Reshape", ["mean", "flat"], ["row"]),
    ]
    heads = heads_of(domain)
    shapes = outputs_of(heads)
    for name, (spread, bias) in _weights(heads, scope_bias).items():
        size = int(np.prod(shapes[name]))
        weights = (spread * rng.normal(size=(width, size))).astype(np.float32)
        if domain == "gisas_growth":
            weights[:, 1::2] = 0.0  # errors that do not depend on the pattern
        offsets = np.tile(bias, size // len(bias)).astype(np.float32)
        for values, end in (
            (weights, "weights"),
            (offsets, "offsets"),
            (np.array([-1, *shapes[name]]), "shape"),
        ):
            constants.append(numpy_helper.from_array(values, f"{name}_{end}"))
        nodes.append(helper.make_node("Gemm", ["row", f"{name}_weights", f"{name}_offsets"], [f"{name}_row"]))
        nodes.append(helper.make_node("Reshape", [f"{name}_row", f"{name}_shape"], [name]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", *shape])],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, ["n", *v]) for k, v in shapes.items()],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _weights(heads: tuple[Head, ...], scope_bias: float) -> dict[str, tuple[float, tuple[float, ...]]]:
    """Spread of the weights of each output, and its offsets, repeated."""
    found: dict[str, tuple[float, tuple[float, ...]]] = {}
    for head in heads:
        if isinstance(head, Classes | Tags):
            found[head.name] = 5.0, (0.0,)
        elif isinstance(head, Scope):
            found[head.name] = 0.0, (scope_bias,)
        elif isinstance(head, Distribution):
            found[head.name] = 1.0, (0.0,)
            found[f"{head.name}_band"] = 0.1, (0.3, 2.0)
        elif isinstance(head, Quantities):
            usual = {"band": (0.3, (0.0, -2.0)), "error": (0.1, (0.0, -1.0)), "": (0.0, (1.7, -3.0))}
            found[head.name] = usual[head.interval]
    return found


def write_zoo(
    folder: Path,
    domain: str = "sas1d",
    *,
    onnx_bytes: bytes | None = None,
    scope_bias: float = 3.0,
    **changes: Any,
) -> Path:
    """Put the tiny network of a domain into a zoo; `changes` go into its manifest."""
    graph = network(domain, scope_bias=scope_bias) if onnx_bytes is None else onnx_bytes
    home = folder / domain
    home.mkdir(parents=True)
    (home / "model.onnx").write_bytes(graph)
    entries = manifest_entries(graph, domain, **changes)
    (home / "manifest.json").write_text(json.dumps(entries), encoding="utf-8")
    path = folder / "registry.json"
    registry = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    registry[domain] = {"path": domain, "domain": domain}
    path.write_text(json.dumps(registry), encoding="utf-8")
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
