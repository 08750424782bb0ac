"""Open a trained model by its name; its bytes are the ones that its manifest vouches for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sasnet_plugin.domains import Domain, page, resolve
from sasnet_plugin.types import ModelZooError, SasnetError
from sasnet_plugin.zoo.locate import REGISTRY, zoo_folder


@dataclass(frozen=True)
class ZooModel:
    """A verified model: its folder, its manifest (of its domain's kind) and the bytes of its ONNX graph."""

    folder: Path
    manifest: Any
    onnx: bytes
    domain: Domain


def registered(folder: Path | None = None) -> dict[str, Path]:
    """Return the folder of each registered model by name.

    Raises
    ------
    ModelZooError
        No zoo, or a registry that cannot be read.
    """
    return {name: home for name, (home, _) in _entries(folder).items()}


def _entries(folder: Path | None) -> dict[str, tuple[Path, str]]:
    """Folder and domain of each registered model by name."""
    folder = zoo_folder() if folder is None else folder
    path = folder / REGISTRY
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {str(n): (folder / entry["path"], str(entry["domain"])) for n, entry in entries.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelZooError(
            f"{path}: cannot be read as a registry of models ({type(error).__name__}: {error});"
            " reinstall sasnet-plugin."
        ) from error


def open_model(name: str = "sas1d", *, folder: Path | None = None) -> ZooModel:
    """Open one model and check it: manifest format, preprocessing version, sha256 of the graph.

    Parameters
    ----------
    name : str
        Name in the registry.
    folder : Path or None
        The zoo; None looks for it (`zoo_folder`).

    Raises
    ------
    ModelZooError
        Unknown name, missing or damaged file, or a model made for another preprocessing.
    """
    models = _entries(folder)
    if name not in models:
        raise ModelZooError(f"{name}: no such model in the zoo; choose one of {', '.join(sorted(models))}.")
    home, kind = models[name]
    try:
        domain = page(kind)
    except SasnetError as error:
        raise ModelZooError(f"{home}: made for a kind of measurement that is not known ({error})") from None
    manifest_path = home / "manifest.json"
    text = _read(manifest_path).decode("utf-8", errors="replace")
    manifest = resolve(domain.manifest)(text, str(manifest_path))
    _check_preprocessing(manifest.preprocess_version, resolve(domain.preprocess_version), manifest_path)
    # The bytes that were hashed are the bytes that are run: nothing is read twice.
    return ZooModel(home, manifest, _verified(home, "model.onnx", manifest), domain)


def verify(model: ZooModel) -> None:
    """Check every file that the manifest names, also those that prediction does not need.

    Raises
    ------
    ModelZooError
        A file is missing or its sha256 differs.
    """
    for name in model.manifest.sha256:
        _verified(model.folder, name, model.manifest)


def _check_preprocessing(trained: int, ours: int, path: Path) -> None:
    if trained != ours:
        raise ModelZooError(
            f"{path}: the model was trained with preprocessing version {trained},"
            f" but this sasnet has version {ours};"
            " install the sasnet that it was made with, or retrain it."
        )


def _verified(folder: Path, name: str, manifest: Any) -> bytes:
    data = _read(folder / name)
    if hashlib.sha256(data).hexdigest() != manifest.sha256[name].lower():
        raise ModelZooError(
            f"{folder / name}: the file is damaged or was changed (its sha256 is not the manifest's);"
            " reinstall sasnet-plugin or export the model again."
        )
    return data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelZooError(f"{path}: cannot be read ({error.strerror}); reinstall sasnet-plugin.") from error
