"""From a finished run to a model in the zoo: calibration, export, manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains import Domain, resolve
from ..domains.heads import Head, Outputs, Targets
from ..domains.sas1d import SAS1D
from ..predict.calibration import calibrate
from ..zoo.manifest import FORMAT, described
from .export import check_parity, export_onnx
from .loop import load_net

_PARITY_ROWS = 32


@dataclass(frozen=True)
class Trained:
    """A finished run, and what there is to calibrate it with.

    Parameters
    ----------
    model : keras.Model
    settings : dict
        Of its run, labels included.
    run : Path
        Folder of the run.
    data, validation : Path
        Shards that it was trained on, and shards of another seed.
    target : Path
        Folder of the model in the zoo.
    per_model : int
        Validation examples of each model, or of each kind.
    seed : int
    progress : callable or None
        Called with the number of finished models or kinds.
    """

    model: Any
    settings: dict[str, Any]
    run: Path
    data: Path
    validation: Path
    target: Path
    per_model: int
    seed: int
    progress: Callable[[int], None] | None = None

    def answers(
        self, features: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.floating]]]:
        """The network's outputs, and the features that they belong to, which the parity file can keep."""
        # It keeps them in half precision: compare on exactly these.
        features = features.astype(np.float16).astype(np.float32)
        found = self.model.predict(features, batch_size=256, verbose=0)
        return features, {key: np.asarray(value) for key, value in found.items()}


@dataclass(frozen=True)
class Calibrated:
    """What a domain makes of a trained network.

    Parameters
    ----------
    features, outputs
        Of held-out examples, from `Trained.answers`.
    heads : tuple of str
        Outputs that the exported network must give as the trained one does.
    entries : dict
        The domain's part of the manifest.
    metrics : dict
        Figures on held-out data.
    files : tuple of Path
        Written beside the network besides the graph and the parity file.
    summary : str
        A few words for the user.
    """

    features: NDArray[np.float32]
    outputs: dict[str, NDArray[np.floating]]
    heads: tuple[str, ...]
    entries: dict[str, Any]
    metrics: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    summary: str = ""


def package(
    run: Path,
    data: Path,
    validation: Path,
    target: Path,
    *,
    domain: Domain = SAS1D,
    per_model: int = 60,
    seed: int = 7,
    progress: Callable[[int], None] | None = None,
) -> tuple[dict[str, Any], str]:
    """Calibrate, export and describe a trained network.

    Parameters
    ----------
    run : Path
        Of a finished training.
    data : Path
        Its shards, for their hash.
    validation : Path
        Shards of another seed: all that is calibrated comes from them.
    target : Path
        Folder of the model in the zoo; ``model.onnx``, ``parity.npz``, ``manifest.json`` and what the domain
        adds are written.
    domain : Domain

    Returns
    -------
    manifest : dict
    summary : str
        A few words for the user.

    Raises
    ------
    SasnetError
        The run is unfinished, or the validation shards do not fit it.
    """
    model, settings = load_net(run, domain)
    target.mkdir(parents=True, exist_ok=True)
    trained = Trained(model, settings, run, data, validation, target, per_model, seed, progress)
    found: Calibrated = resolve(domain.calibrate)(trained)

    onnx, parity = target / "model.onnx", target / "parity.npz"
    export_onnx(model, onnx)
    rows = np.random.default_rng(0).choice(
        len(found.features), size=min(_PARITY_ROWS, len(found.features)), replace=False
    )
    worst = check_parity(
        onnx, found.features[rows], {k: v[rows] for k, v in found.outputs.items()}, parity, heads=found.heads
    )
    manifest = {
        "format": FORMAT,
        "name": domain.name,
        "domain": domain.name,
        "features_version": domain.features_version,
        **found.entries,
        "versions": _versions(),
        "data_hash": data_hash(data),
        "metrics": {
            "parity": worst,
            **found.metrics,
            "training": settings["train"],
            "network": settings["net"],
            "weights": int(model.count_params()),
        },
        "sha256": {path.name: _sha256(path) for path in (onnx, parity, *found.files)},
    }
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest, found.summary


def calibrated(heads: tuple[Head, ...], outputs: Outputs, targets: Targets) -> dict[str, dict[str, Any]]:
    """What `predict.calibration` fits of each head, by its name."""
    named = {head.name: head for head in heads}
    return {name: calibrate(head, outputs, targets, named) for name, head in named.items()}


def head_entries(heads: tuple[Head, ...], said: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The manifest's ``heads`` and ``calibration``."""
    return {"heads": {head.name: described(head) for head in heads}, "calibration": said}


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
    found = {}
    for name in ("sasnet_plugin", "sasmodels", "bornagain", "keras", "tensorflow", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
