"""Find the folder of trained models, and open one: its bytes are the ones that its manifest vouches for."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from sasnet_plugin.domains import DEFAULT, Domain, specification
from sasnet_plugin.types import ModelZooError
from sasnet_plugin.zoo.manifest import Manifest, parse_manifest

ENVIRONMENT = "SASNET_MODEL_ZOO"
REGISTRY = "registry.json"


def zoo_folder() -> Path:
    """Return the model zoo's folder.

    Looked for in this order: the environment variable ``SASNET_MODEL_ZOO``; ``model_zoo`` inside the
    package; ``model_zoo`` beside the package (a checkout, or a wheel that installs it as its own
    top-level folder).

    Returns
    -------
    Path
        A folder that holds ``registry.json``.

    Raises
    ------
    ModelZooError
        No such folder, or the one that the environment names holds no registry.
    """
    named = os.environ.get(ENVIRONMENT)
    if named:
        folder = Path(named).expanduser()
        if not (folder / REGISTRY).is_file():
            raise ModelZooError(
                f"{folder}: {ENVIRONMENT} points here, but there is no {REGISTRY};"
                " point it to a model_zoo folder, or unset it to use the installed one."
            )
        return folder
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "model_zoo", package.parent / "model_zoo"):
        if (folder / REGISTRY).is_file():
            return folder
    raise ModelZooError(
        f"{package.parent / 'model_zoo'}: no trained models are installed here; reinstall sasnet-plugin,"
        f" or set {ENVIRONMENT} to a model_zoo folder."
    )


@dataclass(frozen=True)
class ZooModel:
    """A verified model: its folder, its manifest, the bytes of its ONNX graph, and what it reads."""

    folder: Path
    manifest: Manifest
    onnx: bytes
    domain: Domain


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


def open_model(name: str = DEFAULT, *, folder: Path | None = None) -> ZooModel:
    """Open one model and check it: manifest format, version of the features, sha256 of the graph.

    Parameters
    ----------
    name : str
        Name in the registry.
    folder : Path or None
        The zoo; None looks for it (`zoo_folder`).

    Raises
    ------
    ModelZooError
        Unknown name, missing or damaged file, or a model made for other features.
    """
    models = registered(folder)
    if name not in models:
        raise ModelZooError(f"{name}: no such model in the zoo; choose one of {', '.join(sorted(models))}.")
    home = models[name]
    path = home / "manifest.json"
    manifest = parse_manifest(_read(path).decode("utf-8", errors="replace"), str(path))
    domain = specification(manifest.domain)
    if manifest.features_version != domain.features_version:
        raise ModelZooError(
            f"{path}: the model was trained with features of version {manifest.features_version},"
            f" but this sasnet has version {domain.features_version};"
            " install the sasnet that it was made with, or retrain it."
        )
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
