"""Export to ONNX in half-precision storage, and proof that it answers as the trained network does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from ..domains import Domain
from ..domains.heads import Head, Inputs, Outputs, Scope
from ..domains.simulator import HeldOut, Simulator
from ..predict.arithmetic import ask_network
from ..predict.decoding import calibrate
from ..predict.predictor import Runtime
from ..simulate.dataset import Dataset, as_read, draw_held_out, network_inputs
from ..types import SasnetError
from ..zoo.registry import FORMAT, describe_head
from .network import load

# --- Export to ONNX in half-precision storage, and proof that it answers as the trained network
# --- does.

#: Largest difference of a logit between the trained network and the exported one: 16-bit weights allow it.
PARITY = 0.05
#: Inputs and answers that are kept beside a network: enough to see that it is the same, and small.
STORED = 8


def export_onnx(model: Any, path: Path) -> None:
    """Write a Keras model as ONNX, large weights stored in 16 bits and computed in 32. Raises SasnetError on
    a backend other than TensorFlow, which alone exports a dynamic batch size.
    """
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


# --- From a finished run to a model in the zoo: calibration of every head, export, manifest.

_PARITY_ROWS = 32


@dataclass(frozen=True)
class Trained:
    """A finished run, and what it says of held-out examples."""

    model: Any
    settings: dict[str, Any]
    domain: Domain
    heads: tuple[Head, ...]  #: With their labels.
    #: data, validation: shards that it was trained on, and shards of another seed.
    data: Path
    validation: Path
    target: Path  #: Folder of the model in the zoo.

    def outputs(self, inputs: Inputs) -> Outputs:
        outputs = self.model.predict(as_read(inputs), batch_size=256, verbose=0)
        return {key: np.asarray(value) for key, value in outputs.items()}

    def answers(self, inputs: Inputs) -> Outputs:
        """`outputs`, averaged as in prediction, and what is for calibration."""
        answers = ask_network(self.domain, self.heads, self.outputs, inputs)
        read = network_inputs(inputs)
        return {**answers, **{name: values for name, values in inputs.items() if name not in read}}


@dataclass(frozen=True)
class Finished:
    """What a domain adds to its model, by its `Domain.finish`."""

    heads: tuple[Head, ...]  #: With what the held-out examples decide, such as groups.
    metrics: Mapping[str, Any] = field(default_factory=dict)  #: For the manifest.
    files: tuple[Path, ...] = ()
    summary: str = ""  #: A few words for the user.


def package(
    run: Path,
    data: Path,
    validation: Path,
    target: Path,
    *,
    domain: Domain,
    per_model: int = 60,
    progress: Callable[[int], None] | None = None,
) -> tuple[dict[str, Any], str]:
    """Calibrate, export and describe a finished run into `target` (``model.onnx``, ``parity.npz``,
    ``manifest.json`` and the domain's files); returns a summary.
    """
    # Training shards `data` are hashed; calibration uses `validation` shards of another seed, `per_model`
    # examples of each model or out-of-distribution kind. Raises SasnetError if the run is unfinished or
    # validation does not fit.
    model, settings = load(run, domain)
    target.mkdir(parents=True, exist_ok=True)
    trained = Trained(model, settings, domain, model.heads, data, validation, target)
    simulator, rng = domain.open_simulator(), np.random.default_rng(7)
    held_out = _draw_held_out(trained, simulator, rng, per_model, progress)
    calibration = _calibrate_heads(trained, held_out.inputs, held_out)
    for number, options, name, entry in simulator.mix.more:
        rows = Dataset(validation, simulator)
        held_out_rows = draw_held_out(domain, rows, rng, known_count=number * per_model, others=0, **options)
        calibration[name][entry] = _calibrate_heads(
            trained, held_out_rows.inputs, held_out_rows, only_head=name
        )[name][entry]
    finished = Finished(
        trained.heads, summary=f"{len(trained.heads)} heads, {held_out.known:,} examples held out"
    )
    if domain.finish is not None:
        finished = domain.finish(trained, held_out, calibration)

    onnx, parity = target / "model.onnx", target / "parity.npz"
    export_onnx(model, onnx)
    worst = _parity(trained, held_out, onnx, parity)
    begun: dict[str, Any] = {name: settings[name] for name in ("start", "keep") if name in settings}
    manifest = {
        "format": FORMAT,
        "name": domain.name,
        "domain": domain.name,
        "features_version": domain.features_version,
        "heads": {head.name: describe_head(head) for head in finished.heads},
        "calibration": calibration,
        "inputs": simulator.inputs(data),
        "versions": _versions(),
        "data_hash": data_hash(data),
        "metrics": {
            "parity": worst,
            **finished.metrics,
            "training": settings["train"],
            **begun,
            "network": settings["net"] | {"weights": Path(settings["net"].get("weights", "")).name},
            "weights": int(model.count_params()),
        },
        "sha256": {path.name: _sha256(path) for path in (onnx, parity, *finished.files)},
    }
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest, finished.summary


def _draw_held_out(
    trained: Trained,
    simulator: Simulator,
    rng: np.random.Generator,
    per_model: int,
    progress: Callable[[int], None] | None,
) -> HeldOut:
    held_out = simulator.draw_held_out(trained.validation, rng, per_model, trained.heads, progress)
    if held_out is None:
        known_count = simulator.mix.known * per_model
        data = Dataset(trained.validation, simulator)
        held_out = draw_held_out(trained.domain, data, rng, known_count=known_count, others=per_model)
    # The parity file keeps half precision: compare on exactly these.
    half = {
        k: v.astype(np.float16).astype(np.float32) if v.ndim > 1 else v for k, v in held_out.inputs.items()
    }
    return HeldOut(half, held_out.targets, held_out.about, held_out.known)


def _calibrate_heads(
    trained: Trained, inputs: Inputs, held_out: HeldOut, only_head: str = ""
) -> dict[str, dict[str, Any]]:
    outputs = trained.answers(inputs)
    heads_by_name = {head.name: head for head in trained.heads}
    chosen = {only_head} if only_head else heads_by_name.keys()
    return {
        name: calibrate(head, outputs, held_out.targets, heads_by_name)
        for name, head in heads_by_name.items()
        if name in chosen & held_out.targets.keys()
    }


def _parity(trained: Trained, held_out: HeldOut, onnx: Path, store: Path) -> float:
    """Compare the exported network with the trained one by its first head and its scope."""
    n = len(next(iter(held_out.inputs.values())))
    rows = np.random.default_rng(0).choice(n, size=min(_PARITY_ROWS, n), replace=False)
    selected = {name: held_out.inputs[name][rows] for name in network_inputs(held_out.inputs)}
    compared = [trained.heads[0].name, *(head.name for head in trained.heads[1:] if isinstance(head, Scope))]
    return check_parity(onnx, selected, trained.outputs(selected), store, heads=tuple(compared))


def data_hash(data: Path) -> str:
    """One hash over names and contents of all shards."""
    total = hashlib.sha256()
    for path in sorted(Path(data).glob("*.h5")):
        total.update(path.name.encode())
        total.update(_sha256(path).encode())
    return total.hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _versions() -> dict[str, str]:
    versions = {}
    for name in ("sasnet_plugin", "sasmodels", "bornagain", "keras", "tensorflow", "numpy"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
