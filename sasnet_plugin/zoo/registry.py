"""Open a trained model by its name; its bytes are the ones that its manifest vouches for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from sasnet_plugin.types import ModelZooError
from sasnet_plugin.zoo.locate import REGISTRY, zoo_folder
from sasnet_plugin.zoo.manifest import Manifest, parse_manifest


@dataclass(frozen=True)
class ZooModel:
    """A verified model: its folder, its manifest and the bytes of its ONNX graph."""

    folder: Path
    manifest: Manifest
    onnx: bytes


def registered(folder: Path | None = None) -> dict[str, Path]:
    """Return the folder of each registered model by name.

    Raises
    ------
    ModelZooError
        No zoo, or a registry that cannot be read.
    """
    folder = zoo_folder() if folder is None else folder
    path = folder / REGISTRY
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): folder / entry["path"] for name, entry in entries.items()}
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
    models = registered(folder)
    if name not in models:
        raise ModelZooError(f"{name}: no such model in the zoo; choose one of {', '.join(sorted(models))}.")
    home = models[name]
    manifest_path = home / "manifest.json"
    manifest = parse_manifest(_read(manifest_path).decode("utf-8", errors="replace"), str(manifest_path))
    _check_preprocessing(manifest, manifest_path)
    # The bytes that were hashed are the bytes that are run: nothing is read twice.
    return ZooModel(home, manifest, _verified(home, "model.onnx", manifest))


def verify(model: ZooModel) -> None:
    """Check every file that the manifest names, also those that prediction does not need.

    Raises
    ------
    ModelZooError
        A file is missing or its sha256 differs.
    """
    for name in model.manifest.sha256:
        _verified(model.folder, name, model.manifest)


def _check_preprocessing(manifest: Manifest, path: Path) -> None:
    from sasnet_plugin.data.preprocess import PREPROCESS_VERSION

    if manifest.preprocess_version != PREPROCESS_VERSION:
        raise ModelZooError(
            f"{path}: the model was trained with preprocessing version {manifest.preprocess_version},"
            f" but this sasnet has version {PREPROCESS_VERSION};"
            " install the sasnet that it was made with, or retrain it."
        )


def _verified(folder: Path, name: str, manifest: Manifest) -> bytes:
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
