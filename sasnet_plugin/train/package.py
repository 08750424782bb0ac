"""From a finished run to a model in the zoo: calibration, groups, export, manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.preprocess import PREPROCESS_VERSION, Q_MAX, Q_MIN
from ..simulate.bank import build_bank
from ..simulate.examples import Examples, mixed_set
from ..simulate.library import Library
from ..simulate.shards import shard_paths
from ..types import SasnetError
from .calibrate import fit_platt, fit_temperature, scope_threshold
from .export import check_parity, export_onnx
from .curves import allowed_table
from .groups import cut, link, mutual_confusion
from .loop import load_net

FORMAT = 1
_PARITY_ROWS = 32


def package(
    run: Path,
    data: Path,
    validation: Path,
    target: Path,
    *,
    per_model: int = 60,
    seed: int = 7,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Calibrate, group, export and describe a trained network.

    Parameters
    ----------
    run : Path
        Of a finished training.
    data : Path
        Its shards, for their hash and parameter ranges.
    validation : Path
        Shards of another seed: temperatures, groups and the threshold come from them.
    target : Path
        Folder of the model in the zoo; ``model.onnx``, ``parity.npz``, ``seeds.npz`` (where fits start) and
        ``manifest.json`` are written.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    SasnetError
        The run is unfinished, or the validation shards lack a model.
    """
    from scipy.special import expit, softmax

    model, settings = load_net(run)
    library = Library(validation)
    if list(library.forms) != settings["forms"]:
        raise SasnetError(
            f"{validation}: does not hold the models of {run}; simulate the same list of models."
        )
    rng = np.random.default_rng(seed)
    examples = mixed_set(library, rng, per_model=per_model, stranger_share=0.1, progress=progress)
    # The parity file keeps features in half precision: compare on exactly these.
    features = examples.features.astype(np.float16).astype(np.float32)
    outputs = {
        key: np.asarray(value) for key, value in model.predict(features, batch_size=256, verbose=0).items()
    }
    calibration = calibrate(outputs, examples, allowed_table(library))

    known = examples.form >= 0
    probability = softmax(outputs["form"][known].astype(np.float64) / calibration["form"], axis=1)
    confusion = mutual_confusion(probability, examples.form[known])
    linkage = link(confusion)
    groups = cut(linkage, library.forms, confusion)

    target.mkdir(parents=True, exist_ok=True)
    onnx, parity, bank = target / "model.onnx", target / "parity.npz", target / "seeds.npz"
    export_onnx(model, onnx)
    build_bank(data, bank)
    rows = np.random.default_rng(0).choice(
        len(features), size=min(_PARITY_ROWS, len(features)), replace=False
    )
    worst = check_parity(onnx, features[rows], {k: v[rows] for k, v in outputs.items()}, parity)

    slope, offset = calibration["scope"]
    scope = expit(slope * outputs["scope"][:, 0].astype(np.float64) + offset)
    manifest = {
        "format": FORMAT,
        "name": "sas1d",
        "domain": "sas1d",
        "preprocess_version": PREPROCESS_VERSION,
        "q_range": [Q_MIN, Q_MAX],
        "forms": settings["forms"],
        "structure_factors": [None, *settings["structure_factors"]],
        "allowed_structure_factors": settings["allowed"],
        "temperature": calibration,
        "groups": [{"name": name, "members": list(members)} for name, members in groups],
        "scope_threshold": scope_threshold(scope[known]),
        "parameters": parameter_ranges(data, settings["forms"]),
        "versions": _versions(),
        "data_hash": data_hash(data),
        "metrics": {
            "parity": worst,
            "linkage": [[round(float(x), 5) for x in row] for row in linkage],
            "training": settings["train"],
            "network": settings["net"],
            "weights": int(model.count_params()),
        },
        "sha256": {path.name: _sha256(path) for path in (onnx, parity, bank)},
    }
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest


def calibrate(
    outputs: dict[str, NDArray[np.floating]], examples: Examples, allowed: NDArray[np.float32]
) -> dict[str, Any]:
    """Temperatures of form and structure factor, slope and offset of the scope."""
    known = examples.form >= 0
    form = examples.form[known]
    factor = outputs["structure_factor"][known][np.arange(len(form)), form] + allowed[form]
    several = allowed[form][:, 1:].max(axis=1) > -1  # where there is a choice at all
    return {
        "form": fit_temperature(outputs["form"][known], form),
        "structure_factor": fit_temperature(factor[several], examples.structure_factor[known][several]),
        "scope": list(fit_platt(outputs["scope"][:, 0], examples.in_scope)),
    }


def parameter_ranges(data: Path, forms: list[str]) -> dict[str, dict[str, Any]]:
    """Unit, least and greatest value of every parameter in the shards, by model."""
    import h5py

    found: dict[str, dict[str, Any]] = {name: {} for name in forms}
    for path in shard_paths(data):
        with h5py.File(path, "r") as file:
            page = found.get(Path(str(file.attrs["model"])).stem)
            if page is None:
                continue
            table = file["parameters"]
            for key, unit, column in zip(
                table.attrs["names"], table.attrs["units"], table[()].T, strict=True
            ):
                if "_pd" in key or not np.isfinite(column).any():
                    continue
                low, high = float(np.nanmin(column)), float(np.nanmax(column))
                entry = page.setdefault(str(key), {"unit": str(unit), "range": [low, high]})
                entry["range"] = [min(low, entry["range"][0]), max(high, entry["range"][1])]
    for page in found.values():
        for entry in page.values():
            entry["range"] = [float(f"{x:.4g}") for x in entry["range"]]
    return found


def data_hash(data: Path) -> str:
    """One hash over names and contents of all shards."""
    total = hashlib.sha256()
    for path in shard_paths(data):
        total.update(path.name.encode())
        total.update(_sha256(path).encode())
    return total.hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for name in ("sasnet_plugin", "sasmodels", "keras", "tensorflow", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
