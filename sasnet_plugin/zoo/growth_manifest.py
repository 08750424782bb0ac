"""What a trained network for growing films says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sasnet_plugin.zoo.manifest import entries, malformed, pair

_KEYS = frozenset(("window", "quantities", "stated", "calibration", "scope_threshold"))


@dataclass(frozen=True)
class GrowthManifest:
    """The contents of ``manifest.json``.

    Parameters
    ----------
    name, domain, preprocess_version, versions, metrics, data_hash, sha256
        As in `zoo.manifest.Manifest`.
    shape : (int, int)
        Rows and columns of the window that the network sees.
    phi, alpha_f : (float, float)
        Its outer edges, degrees.
    quantities : tuple of str
        In the order of the network's outputs.
    stated : mapping of str to (float, float)
        Least and largest wavelength (Å) and angle of incidence (degrees) that it was trained with.
    band_scale : tuple of (float, tuple of float)
        Largest level (see `data.images.features`, channel "level") of each class, ascending, and in it the
        half width of each quantity's 90 % band over the network's standard deviation.
    scope_slope, scope_offset : float
        in_scope = sigmoid(slope * logit + offset).
    scope_threshold : float
        Below this in_scope the pattern is of another kind.
    """

    name: str
    domain: str
    preprocess_version: int
    shape: tuple[int, int]
    phi: tuple[float, float]
    alpha_f: tuple[float, float]
    quantities: tuple[str, ...]
    stated: Mapping[str, tuple[float, float]]
    band_scale: tuple[tuple[float, tuple[float, ...]], ...]
    scope_slope: float
    scope_offset: float
    scope_threshold: float
    versions: Mapping[str, Any]
    metrics: Mapping[str, Any]
    data_hash: str
    sha256: Mapping[str, str]


def parse_growth_manifest(text: str, where: str) -> GrowthManifest:
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
    numbers = {len(factors) for _, factors in manifest.band_scale}
    if numbers != {len(manifest.quantities)}:
        raise malformed(where, "does not give one factor for the band of each quantity")
    if set(manifest.stated) != {"wavelength", "alpha_i"}:
        raise malformed(where, "does not give the ranges of wavelength and alpha_i")
    if "model.onnx" not in manifest.sha256:
        raise malformed(where, "gives no sha256 for model.onnx")
    return manifest


def _build(raw: dict[str, Any]) -> GrowthManifest:
    window, calibration = raw["window"], raw["calibration"]
    slope, offset = (float(x) for x in calibration["scope"])
    return GrowthManifest(
        name=str(raw["name"]),
        domain=str(raw["domain"]),
        preprocess_version=int(raw["preprocess_version"]),
        shape=(int(window["rows"]), int(window["columns"])),
        phi=pair(window["phi"]),
        alpha_f=pair(window["alpha_f"]),
        quantities=tuple(map(str, raw["quantities"])),
        stated={str(k): pair(v) for k, v in raw["stated"].items()},
        band_scale=tuple(
            (float(one["level"]), tuple(float(x) for x in one["factors"])) for one in calibration["bands"]
        ),
        scope_slope=slope,
        scope_offset=offset,
        scope_threshold=float(raw["scope_threshold"]),
        versions=dict(raw["versions"]),
        metrics=dict(raw["metrics"]),
        data_hash=str(raw["data_hash"]),
        sha256={str(k): str(v) for k, v in raw["sha256"].items()},
    )
