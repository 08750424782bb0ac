"""What a trained network for growing films says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sasnet_plugin.zoo.image_manifest import KEYS, check_stated, seeing
from sasnet_plugin.zoo.manifest import malformed, parsed


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
    return parsed(text, where, KEYS, _build, _check)


def _build(raw: dict[str, Any]) -> GrowthManifest:
    return GrowthManifest(
        **seeing(raw),
        band_scale=tuple(
            (float(one["level"]), tuple(float(x) for x in one["factors"]))
            for one in raw["calibration"]["bands"]
        ),
    )


def _check(manifest: GrowthManifest, where: str) -> None:
    if {len(factors) for _, factors in manifest.band_scale} != {len(manifest.quantities)}:
        raise malformed(where, "does not give one factor for the band of each quantity")
    check_stated(manifest.stated, where)
