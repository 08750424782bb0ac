"""What a trained model says of itself: classes, groups, temperatures, versions.

An unknown format is an error. Plain dataclasses and checks rather than pydantic: this is read on every
cold start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sasnet_plugin.types import ModelZooError

M = TypeVar("M")

FORMAT = 1
#: What every manifest says.
COMMON = frozenset(
    ("format", "name", "domain", "preprocess_version", "versions", "data_hash", "metrics", "sha256")
)
_KEYS = frozenset(
    ("q_range", "forms", "structure_factors", "allowed_structure_factors", "temperature", "groups",
     "scope_threshold", "parameters")
)  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Form models that data of this kind rarely tell apart."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """The contents of ``manifest.json``.

    Parameters
    ----------
    name, domain : str
        The model's name in the registry, and the kind of measurement that it reads.
    preprocess_version : int
        Version of the preprocessing that it was trained with.
    q_range : (float, float)
        Trained q range, Å⁻¹.
    forms : tuple of str
        Form models, in the order of the network's classes.
    structure_factors : tuple of (str or None)
        Structure factors in the network's order; the first is None, a dilute sample.
    allowed_structure_factors : mapping of str to tuple of str
        Structure factors that each form model can be multiplied with.
    temperature_form, temperature_structure_factor : float
        Divisors of the logits, fitted on held-out data.
    scope_slope, scope_offset : float
        in_scope = sigmoid(slope * logit + offset).
    groups : tuple of Group
        A partition of the forms.
    scope_threshold : float
        Below this in_scope no known model may fit.
    parameters, versions, metrics : mapping
        Parameter names, units and ranges; library versions; figures on held-out data.
    data_hash : str
        Hash of the training data.
    sha256 : mapping of str to str
        Hash of each file beside the manifest.
    """

    name: str
    domain: str
    preprocess_version: int
    q_range: tuple[float, float]
    forms: tuple[str, ...]
    structure_factors: tuple[str | None, ...]
    allowed_structure_factors: Mapping[str, tuple[str, ...]]
    temperature_form: float
    temperature_structure_factor: float
    scope_slope: float
    scope_offset: float
    groups: tuple[Group, ...]
    scope_threshold: float
    parameters: Mapping[str, Any]
    versions: Mapping[str, Any]
    metrics: Mapping[str, Any]
    data_hash: str
    sha256: Mapping[str, str]


def parse_manifest(text: str, where: str) -> Manifest:
    """Parse and check a manifest.

    Parameters
    ----------
    text : str
        Contents of ``manifest.json``.
    where : str
        Its path, for the error message.

    Raises
    ------
    ModelZooError
        Not JSON, another format, a key missing or unknown, or entries that contradict each other.
    """
    return parsed(text, where, _KEYS, _build, _check)


def parsed(
    text: str,
    where: str,
    keys: frozenset[str],
    build: Callable[[dict[str, Any]], M],
    check: Callable[[M, str], None],
) -> M:
    """Parse a manifest with these keys, those of every domain included.

    Parameters
    ----------
    text, where
        As for `parse_manifest`.
    keys : frozenset of str
    build : callable
        From the entries to the manifest.
    check : callable
        (manifest, where) raises where entries contradict each other.

    Raises
    ------
    ModelZooError
        Not JSON, another format, a key missing or unknown, or entries that contradict each other.
    """
    raw = entries(text, where, keys)
    try:
        manifest = build(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise malformed(where, f"has a malformed entry ({type(error).__name__}: {error})") from error
    check(manifest, where)
    if "model.onnx" not in raw["sha256"]:
        raise malformed(where, "gives no sha256 for model.onnx")
    return manifest


def common(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that the manifest of every domain has."""
    return {
        "name": str(raw["name"]),
        "domain": str(raw["domain"]),
        "preprocess_version": int(raw["preprocess_version"]),
        "versions": dict(raw["versions"]),
        "metrics": dict(raw["metrics"]),
        "data_hash": str(raw["data_hash"]),
        "sha256": {str(k): str(v) for k, v in raw["sha256"].items()},
    }


def entries(text: str, where: str, keys: frozenset[str]) -> dict[str, Any]:
    """The entries of a manifest of this format that has exactly these keys, those of every domain included.

    Raises
    ------
    ModelZooError
        Not JSON, another format, a key missing or unknown.
    """
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise malformed(where, f"is not JSON ({error})") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        found = raw.get("format") if isinstance(raw, dict) else None
        raise ModelZooError(
            f"{where}: manifest format {found!r} is not the format {FORMAT} that this sasnet reads;"
            " update sasnet, or use a model made for this version."
        )
    if missing := (keys | COMMON) - raw.keys():
        raise malformed(where, f"lacks {', '.join(sorted(missing))}")
    if unknown := raw.keys() - (keys | COMMON):
        raise malformed(where, f"has unknown keys ({', '.join(sorted(unknown))})")
    return raw


def pair(value: Any) -> tuple[float, float]:
    """Two numbers, of a range or of the edges of a window."""
    low, high = (float(x) for x in value)
    return low, high


def _build(raw: dict[str, Any]) -> Manifest:
    temperature = raw["temperature"]
    slope, offset = (float(x) for x in temperature["scope"])
    return Manifest(
        **common(raw),
        q_range=pair(raw["q_range"]),
        forms=tuple(map(str, raw["forms"])),
        structure_factors=tuple(None if x is None else str(x) for x in raw["structure_factors"]),
        allowed_structure_factors={k: tuple(v) for k, v in raw["allowed_structure_factors"].items()},
        temperature_form=float(temperature["form"]),
        temperature_structure_factor=float(temperature["structure_factor"]),
        scope_slope=slope,
        scope_offset=offset,
        groups=tuple(Group(str(g["name"]), tuple(map(str, g["members"]))) for g in raw["groups"]),
        scope_threshold=float(raw["scope_threshold"]),
        parameters=dict(raw["parameters"]),
    )


def _check(manifest: Manifest, where: str) -> None:
    members = sorted(member for group in manifest.groups for member in group.members)
    allowed = manifest.allowed_structure_factors
    if not manifest.forms or len(set(manifest.forms)) != len(manifest.forms):
        raise malformed(where, "lists no form model, or one of them twice")
    if members != sorted(manifest.forms):
        raise malformed(where, "has groups that do not hold each form model exactly once")
    if not manifest.structure_factors or manifest.structure_factors[0] is not None:
        raise malformed(where, "does not begin its structure factors with null (none)")
    if unknown := {name for names in allowed.values() for name in names} - set(manifest.structure_factors):
        raise malformed(
            where, f"allows structure factors that it does not list ({', '.join(sorted(unknown))})"
        )
    if unknown := set(allowed) - set(manifest.forms):
        raise malformed(where, f"allows structure factors on unknown forms ({', '.join(sorted(unknown))})")
    if not (manifest.temperature_form > 0 and manifest.temperature_structure_factor > 0):
        raise malformed(where, "has a temperature that is not positive")


def malformed(where: str, what: str) -> ModelZooError:
    """The error of a manifest that cannot be used; `what` continues "the manifest …"."""
    return ModelZooError(f"{where}: the manifest {what}; reinstall sasnet-plugin or export the model again.")
