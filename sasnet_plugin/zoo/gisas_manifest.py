"""What a trained network for rotations of a lattice says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sasnet_plugin.zoo.manifest import entries, malformed, pair

_KEYS = frozenset(
    ("window", "n_xi", "resolution", "quantities", "stated", "calibration", "scope_threshold", "uniform")
)


@dataclass(frozen=True)
class OrientationManifest:
    """The contents of ``manifest.json``.

    Parameters
    ----------
    name, domain, preprocess_version, versions, metrics, data_hash, sha256
        As in `zoo.manifest.Manifest`.
    shape : (int, int)
        Rows and columns of the window that the network sees.
    phi, alpha_f : (float, float)
        Its outer edges, degrees.
    n_xi : int
        Bins of the rotation angle over 60 degrees.
    resolution : float
        Full width at half maximum, degrees, over which p is averaged where a band is given.
    quantities : tuple of str
        What the network estimates besides, in the order of its outputs.
    stated : mapping of str to (float, float)
        Least and largest wavelength (Å) and angle of incidence (degrees) that it was trained with.
    band_scale : float
        Factor on the widths of the network's bands.
    error_scale : tuple of float
        Factor on the error of each quantity.
    scope_slope, scope_offset : float
        in_scope = sigmoid(slope * logit + offset).
    scope_threshold : float
        Below this in_scope the pattern is of another kind.
    uniform : tuple of (float, tuple of float)
        Largest level (see `data.images.features`, channel "level") of each class, and, of patterns whose
        truth is uniform, quantiles of the answer's distance from uniform, degrees, ascending.
    """

    name: str
    domain: str
    preprocess_version: int
    shape: tuple[int, int]
    phi: tuple[float, float]
    alpha_f: tuple[float, float]
    n_xi: int
    resolution: float
    quantities: tuple[str, ...]
    stated: Mapping[str, tuple[float, float]]
    band_scale: float
    error_scale: tuple[float, ...]
    scope_slope: float
    scope_offset: float
    scope_threshold: float
    uniform: tuple[tuple[float, tuple[float, ...]], ...]
    versions: Mapping[str, Any]
    metrics: Mapping[str, Any]
    data_hash: str
    sha256: Mapping[str, str]


def parse_orientation_manifest(text: str, where: str) -> OrientationManifest:
    """Parse and check a manifest.

    Raises
    ------
    ModelZooError
        Not JSON, another format, a key missing or unknown, or entries that contradict each other.
    """
    raw = entries(text, where, _KEYS)
    try:
        manifest = _build(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise malformed(where, f"has a malformed entry ({type(error).__name__}: {error})") from error
    _check(manifest, where)
    return manifest


def _build(raw: dict[str, Any]) -> OrientationManifest:
    window, calibration = raw["window"], raw["calibration"]
    slope, offset = (float(x) for x in calibration["scope"])
    return OrientationManifest(
        name=str(raw["name"]),
        domain=str(raw["domain"]),
        preprocess_version=int(raw["preprocess_version"]),
        shape=(int(window["rows"]), int(window["columns"])),
        phi=pair(window["phi"]),
        alpha_f=pair(window["alpha_f"]),
        n_xi=int(raw["n_xi"]),
        resolution=float(raw["resolution"]),
        quantities=tuple(map(str, raw["quantities"])),
        stated={str(k): pair(v) for k, v in raw["stated"].items()},
        band_scale=float(calibration["band"]),
        error_scale=tuple(float(x) for x in calibration["errors"]),
        scope_slope=slope,
        scope_offset=offset,
        scope_threshold=float(raw["scope_threshold"]),
        uniform=tuple((float(c["level"]), tuple(float(x) for x in c["distance"])) for c in raw["uniform"]),
        versions=dict(raw["versions"]),
        metrics=dict(raw["metrics"]),
        data_hash=str(raw["data_hash"]),
        sha256={str(k): str(v) for k, v in raw["sha256"].items()},
    )


def _check(manifest: OrientationManifest, where: str) -> None:
    if len(manifest.error_scale) != len(manifest.quantities):
        raise malformed(where, "does not give one factor for the error of each quantity")
    if not manifest.uniform or any(not distances for _, distances in manifest.uniform):
        raise malformed(where, "has no distances of uniform patterns")
    if set(manifest.stated) != {"wavelength", "alpha_i"}:
        raise malformed(where, "does not give the ranges of wavelength and alpha_i")
    if "model.onnx" not in manifest.sha256:
        raise malformed(where, "gives no sha256 for model.onnx")
