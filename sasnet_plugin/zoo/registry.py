"""Find the folder of trained models, and open one: its bytes are the ones that the registry vouches for.

``registry.json`` says of each model where it lies, of what kind it is, and size and sha256 of each of its
files. A file that is used is hashed when it is opened, which costs a few milliseconds; of the others the size
is compared.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..domains import DEFAULT, Domain, specification
from ..files import put_whole
from ..types import ModelZooError
from .manifest import Manifest, parse_manifest

ENVIRONMENT = "SASNET_MODEL_ZOO"
REGISTRY = "registry.json"
BANK = "seeds.npz"


def zoo_folder() -> Path:
    """Return the folder with ``registry.json``: ``SASNET_MODEL_ZOO``, else ``model_zoo`` inside the package
    or next to it (a checkout, or a wheel with it as top-level folder). Raises ModelZooError without one, or
    if the named one has none.
    """
    named_folder = os.environ.get(ENVIRONMENT)
    if named_folder:
        folder = Path(named_folder).expanduser()
        if not (folder / REGISTRY).is_file():
            raise ModelZooError(
                f"{folder}: {ENVIRONMENT} points to this folder, which has no {REGISTRY}. Set it to a"
                f" model_zoo folder, or unset it to use the installed one."
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
    """A verified model: its folder, its manifest, the bytes of its ONNX graph, and what it reads.

    `sha256` is that of each file, by its name.
    """

    folder: Path
    manifest: Manifest
    onnx: bytes
    domain: Domain
    sha256: Mapping[str, str] = field(default_factory=dict)


def list_registered(folder: Path | None = None) -> dict[str, Path]:
    """Return each registered model's folder. Raises ModelZooError without zoo or readable registry."""
    return {name: home for name, (home, _) in _entries(folder).items()}


def register(home: Path, registry: Path | None = None) -> None:
    """Write down a model with the size and sha256 of each of its files; other models stay as they are.

    Parameters
    ----------
    home : Path
        Folder of a packaged model.
    registry : Path, optional
        Default: ``registry.json`` beside that folder; made where it does not exist.

    Raises
    ------
    ModelZooError
        The folder holds no model, or the registry cannot be read.
    """
    path = registry or home.parent / REGISTRY
    manifest = parse_manifest(_read(home / "manifest.json").decode("utf-8"), str(home / "manifest.json"))
    named_files = {"manifest.json", "card.md", *manifest.sha256}
    files = {file: _read(home / file) for file in sorted(named_files) if (home / file).is_file()}
    entry = {
        "path": os.path.relpath(home, path.parent),
        "domain": manifest.domain,
        "files": {file: [len(data), hashlib.sha256(data).hexdigest()] for file, data in files.items()},
    }
    entries = {}
    if path.exists():
        _entries(path.parent)
        entries = json.loads(_read(path))
    entries[manifest.name] = entry
    put_whole(path, (json.dumps(entries, indent=1) + "\n").encode(), "registry of models")


def _entries(folder: Path | None) -> dict[str, tuple[Path, dict[str, tuple[int, str]]]]:
    """Folder, and size and sha256 of each file, of each model."""
    folder = zoo_folder() if folder is None else folder
    path = folder / REGISTRY
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(name): (
                folder / entry["path"],
                {str(file): (int(size), str(sha)) for file, (size, sha) in entry.get("files", {}).items()},
            )
            for name, entry in entries.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelZooError(
            f"{path}: cannot be read as a registry of models ({type(error).__name__}: {error});"
            " reinstall sasnet-plugin."
        ) from error


def open_model(name: str = DEFAULT, *, folder: Path | None = None) -> ZooModel:
    """Open a model (default zoo: `zoo_folder`) and check files, manifest and version of features. Raises
    ModelZooError if one is wrong.
    """
    home, files = _entry(name, folder)
    for file, (size, _) in files.items():
        _check_size(home / file, size)
    return open_folder(home, {file: sha for file, (_, sha) in files.items()})


def open_folder(home: Path, sha256: Mapping[str, str]) -> ZooModel:
    """Open a folder's model as `open_model`; `sha256` of its files, as of a `ZooModel`, find the same model
    again. Raises ModelZooError if one is wrong.
    """
    path = home / "manifest.json"
    text = _read_verified(home, "manifest.json", sha256) if "manifest.json" in sha256 else _read(path)
    manifest = parse_manifest(text.decode("utf-8", errors="replace"), str(path))
    sha256 = {**manifest.sha256, **sha256}
    domain = specification(manifest.domain)
    if manifest.features_version != domain.features_version:
        raise ModelZooError(
            f"{path}: the model was trained with features of version {manifest.features_version},"
            f" but this sasnet has version {domain.features_version};"
            " install the version of sasnet that made it, or train it again."
        )
    # The bytes that were hashed are the bytes that are run: nothing is read twice.
    return ZooModel(home, manifest, _read_verified(home, "model.onnx", sha256), domain, sha256)


def find_checked(name: str, file: str) -> Path:
    """Return the path of a model's file, with the registry's sha256 if it has one. Raises ModelZooError if
    unknown, missing, damaged or changed.
    """
    home, files = _entry(name, None)
    if file in files:
        _read_verified(home, file, {file: files[file][1]})
    return home / file


def bank_path() -> Path:
    """Find the bank of starting values: beside the network that suggests models, undamaged."""
    return find_checked(DEFAULT, BANK)


def _entry(name: str, folder: Path | None) -> tuple[Path, dict[str, tuple[int, str]]]:
    models = _entries(folder)
    if name not in models:
        raise ModelZooError(f"{name}: no such model in the zoo; choose one of {', '.join(sorted(models))}.")
    return models[name]


def verify(model: ZooModel) -> None:
    """Check every file that registry or manifest name, including those prediction does not need. Raises
    ModelZooError if one is missing or differs.
    """
    sha256 = model.sha256 or model.manifest.sha256
    for name in sha256:
        _read_verified(model.folder, name, sha256)


def _read_verified(folder: Path, name: str, sha256: Mapping[str, str]) -> bytes:
    data = _read(folder / name)
    if hashlib.sha256(data).hexdigest() != sha256[name].lower():
        raise _make_damage_error(folder / name, "sha256")
    return data


def _check_size(path: Path, size: int) -> None:
    try:
        if path.stat().st_size != size:
            raise _make_damage_error(path, "size")
    except OSError:
        _read(path)  # says why that is not possible


def _make_damage_error(path: Path, problem: str) -> ModelZooError:
    return ModelZooError(
        f"{path}: the file is damaged or was changed (its {problem} is not the registry's); reinstall"
        " sasnet-plugin, or package the model again."
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelZooError(f"{path}: cannot be read ({error.strerror}); reinstall sasnet-plugin.") from error
