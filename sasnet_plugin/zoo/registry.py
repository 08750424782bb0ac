"""What a trained model says of itself: its heads, what was calibrated, what it reads, how it was made.

An unknown format is an error. Plain dataclasses and checks rather than pydantic: this is read on every
cold start.

``registry.json`` says of each model where it lies, of what kind it is, and size and sha256 of each of its
files. A file that is used is hashed when it is opened, which costs a few milliseconds; of the others the size
is compared.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..domains import DEFAULT, Domain, specification
from ..domains.heads import Classes, Distribution, Group, Head, Quantities, Scope, Tags
from ..files import put_whole
from ..types import ModelZooError, SasnetError

# --- What a trained model says of itself: its heads, what was calibrated, what it reads, how it was
# --- made.

FORMAT = 2
_KEYS = frozenset(
    ("format", "name", "domain", "features_version", "heads", "calibration", "inputs", "versions",
     "data_hash", "metrics", "sha256")
)  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """The contents of ``manifest.json``."""

    #: name, domain: the model's name in the registry, and the kind of measurement that it reads.
    name: str
    domain: str
    features_version: int  #: Version of the features that it was trained with.
    #: Those of the domain, with the labels and groups that the network was trained and calibrated with.
    heads: tuple[Head, ...]
    calibration: Mapping[str, Mapping[str, Any]]  #: By head, see `predict.calibration`.
    #: What it was trained with: ``q_range`` in Å⁻¹; of images ``window`` with rows, columns and the edges of
    #: the axes, ``stated`` with the least and largest value of each number that is stated with them; of
    #: curves also ``parameters``, names, units and ranges of each model's.
    inputs: Mapping[str, Any]
    versions: Mapping[str, Any]  #: Library versions.
    metrics: Mapping[str, Any]  #: Figures on held-out data.
    data_hash: str  #: Hash of the training data.
    sha256: Mapping[str, str]  #: Hash of each file beside the manifest.

    def head(self, name: str) -> Any:
        """Return a head by name. Raises KeyError without one."""
        return next(head for head in self.heads if head.name == name)

    @property
    def classes(self) -> Classes | None:
        """The first head that names classes."""
        return next((head for head in self.heads if isinstance(head, Classes)), None)

    @property
    def labels(self) -> tuple[str, ...]:
        """Its classes, in the network's order."""
        return self.classes.labels if self.classes else ()

    @property
    def groups(self) -> tuple[Group, ...]:
        """Groups of these classes."""
        return self.classes.groups if self.classes else ()

    @property
    def scope(self) -> Scope | None:
        """The head that says whether a measurement is of a known kind."""
        return next((head for head in self.heads if isinstance(head, Scope)), None)

    @property
    def scope_threshold(self) -> float:
        """Below this in_scope a measurement is of no known kind."""
        return float(self.calibration[self.scope.name]["threshold"]) if self.scope else 0.0


def parse_manifest(text: str, place: str) -> Manifest:
    """Parse and check a manifest; `place` is its path. Raises ModelZooError for other formats, missing,
    unknown or contradictory entries.
    """
    raw = _manifest_entries(text, place)
    try:
        domain = specification(str(raw["domain"]))
    except SasnetError as error:
        raise ModelZooError(f"{place}: made for a kind of measurement that is not known ({error})") from None
    try:
        manifest = _build(raw, domain, place)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise make_manifest_error(
            place, f"has a malformed entry ({type(error).__name__}: {error})"
        ) from error
    if "model.onnx" not in manifest.sha256:
        raise make_manifest_error(place, "gives no sha256 for model.onnx")
    return manifest


def _manifest_entries(text: str, place: str) -> dict[str, Any]:
    """What stands in a manifest of this format, under the names that it must have."""
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise make_manifest_error(place, f"is not JSON ({error})") from error
    format_number = raw.get("format") if isinstance(raw, dict) else None
    if format_number != FORMAT:
        raise ModelZooError(
            f"{place}: manifest format {format_number!r} is not the format {FORMAT} that this sasnet reads;"
            " update sasnet, or use a model made for this version."
        )
    if missing := _KEYS - raw.keys():
        raise make_manifest_error(place, f"lacks {', '.join(sorted(missing))}")
    if unknown := raw.keys() - _KEYS:
        raise make_manifest_error(place, f"has unknown keys ({', '.join(sorted(unknown))})")
    return dict(raw)


def _build(raw: Mapping[str, Any], domain: Domain, place: str) -> Manifest:
    # A model may be older than a question of its domain; what it was not asked, it does not answer.
    heads = tuple(
        fill_head(head, raw["heads"][head.name]) for head in domain.heads if head.name in raw["heads"]
    )
    if unknown := set(raw["heads"]) - {head.name for head in heads}:
        raise make_manifest_error(
            place, f"has heads that are not in its domain ({', '.join(sorted(unknown))})"
        )
    calibration = {str(name): dict(values) for name, values in raw["calibration"].items()}
    heads_by_name = {head.name: head for head in heads}
    for head in heads:
        if fault := _fault(head, heads_by_name, calibration.get(head.name, {})):
            raise make_manifest_error(place, fault)
    return Manifest(
        name=str(raw["name"]),
        domain=str(raw["domain"]),
        features_version=int(raw["features_version"]),
        heads=heads,
        calibration=calibration,
        inputs=dict(raw["inputs"]),
        versions=dict(raw["versions"]),
        metrics=dict(raw["metrics"]),
        data_hash=str(raw["data_hash"]),
        sha256={str(k): str(v) for k, v in raw["sha256"].items()},
    )


def describe_head(head: Head) -> dict[str, Any]:
    """What a manifest says of a head: what is not on the domain's page, or must agree with it."""
    if isinstance(head, Classes):
        return _describe_classes(head)
    if isinstance(head, Tags):
        return {"labels": list(head.labels)}
    if isinstance(head, Quantities):
        return {"parameters": list(head.names)}
    if isinstance(head, Distribution):
        return {"bins": head.bins, "resolution": head.resolution}
    return {}


def _describe_classes(head: Classes) -> dict[str, Any]:
    description: dict[str, Any] = {"labels": list(head.labels)}
    if head.groups:
        description["groups"] = [{"name": g.name, "members": list(g.members)} for g in head.groups]
    if head.given:
        description["allowed"] = {name: list(labels) for name, labels in head.allowed.items()}
    return description


def fill_head(head: Head, entry: Mapping[str, Any]) -> Head:
    """Return a head of the domain with what a manifest says. Raises ValueError if they contradict."""
    if isinstance(head, Classes):
        return replace(
            head,
            labels=tuple(map(str, entry["labels"])),
            groups=tuple(
                Group(str(g["name"]), tuple(map(str, g["members"]))) for g in entry.get("groups", ())
            ),
            allowed={str(k): tuple(map(str, v)) for k, v in entry.get("allowed", {}).items()},
        )
    if dict(entry) != describe_head(head):
        raise ValueError(f"{head.name} is {dict(entry)}, not {describe_head(head)}")
    return head


def _fault(head: Head, heads_by_name: Mapping[str, Head], entry: Mapping[str, Any]) -> str:
    """What is wrong with a head and its calibration, to go on after "the manifest …"; empty where nothing."""
    if isinstance(head, Classes):
        return _fault_of_classes(head, heads_by_name.get(head.given), entry)
    if isinstance(head, Scope) and not entry.keys() >= {"slope", "offset", "threshold"}:
        return "does not calibrate the scope"
    if isinstance(head, Tags) and not len(entry["slope"]) == len(entry["offset"]) == len(head.labels):
        return f"does not calibrate each tag of {head.name}"
    if isinstance(head, Quantities):
        return _fault_of_quantities(head, entry)
    if isinstance(head, Distribution) and not (
        entry["band"] > 0 and all(probability for _, probability in entry["uniform"])
    ):
        return f"does not calibrate the band of {head.name}"
    return ""


def _fault_of_quantities(head: Quantities, entry: Mapping[str, Any]) -> str:
    if head.interval and {len(factors) for _, factors in entry["factors"]} != {len(head.parameters)}:
        return f"does not give one factor for the uncertainty of each of {head.name}"
    return ""


def _fault_of_classes(head: Classes, earlier_head: Head | None, entry: Mapping[str, Any]) -> str:
    if not head.labels or len(set(head.labels)) != len(head.labels):
        return f"lists no class of {head.name}, or one of them twice"
    members = sorted(member for group in head.groups for member in group.members)
    if head.groups and members != sorted(head.labels):
        return f"has groups that do not hold each class of {head.name} exactly once"
    if not entry["temperature"] > 0:
        return "has a temperature that is not positive"
    return _fault_of_allowed(head, earlier_head)


def _fault_of_allowed(head: Classes, earlier_head: Head | None) -> str:
    if unknown := {label for labels in head.allowed.values() for label in labels} - set(head.labels):
        return f"allows classes of {head.name} that it does not list ({', '.join(sorted(unknown))})"
    if isinstance(earlier_head, Classes) and (unknown := set(head.allowed) - set(earlier_head.labels)):
        return (
            f"allows classes of {head.name} on unknown ones of {earlier_head.name}"
            f" ({', '.join(sorted(unknown))})"
        )
    return ""


def make_manifest_error(place: str, problem: str) -> ModelZooError:
    """The error of a manifest that cannot be used; `problem` continues "the manifest …"."""
    return ModelZooError(
        f"{place}: the manifest {problem}; reinstall sasnet-plugin or export the model again."
    )


# --- Find the folder of trained models, and open one: its bytes are the ones that the registry
# --- vouches for.

ENVIRONMENT = "SASNET_MODEL_ZOO"
REGISTRY = "registry.json"
BANK = "seeds.npz"


#: Inside the package, and next to it.
_INSTALLED = tuple(folder / "model_zoo" for folder in Path(__file__).resolve().parents[1:3])


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
    for folder in _INSTALLED:
        if (folder / REGISTRY).is_file():
            return folder
    raise ModelZooError(
        f"{_INSTALLED[-1]}: no trained models are installed here; reinstall sasnet-plugin,"
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


def list_registered() -> dict[str, Path]:
    """Return each registered model's folder. Raises ModelZooError without zoo or readable registry."""
    return {name: home for name, (home, _) in _entries(zoo_folder()).items()}


def register(home: Path, registry: Path | None = None) -> None:
    """Write down a model with the size and sha256 of each of its files; other models stay as they are.

    The default `registry` is ``registry.json`` beside the model's folder. Raises ModelZooError if the folder
    holds no model, or the registry cannot be read.
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
