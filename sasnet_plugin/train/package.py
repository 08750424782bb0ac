"""From a finished run to a model in the zoo: calibration of every head, export, manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from ..domains import Domain
from ..domains.heads import Head, Inputs, Outputs, Scope
from ..domains.simulator import HeldOut, Simulator
from ..predict.arithmetic import ask_network
from ..predict.calibration import calibrate
from ..simulate.dataset import Dataset
from ..simulate.stream import as_read, draw_held_out, network_inputs
from ..zoo.manifest import FORMAT, describe_head
from .export import check_parity, export_onnx
from .network import load

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
