"""What a trained network for rotations of a lattice says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sasnet_plugin.zoo.image_manifest import KEYS, check_stated, seeing
from sasnet_plugin.zoo.manifest import malformed, parsed

_KEYS = KEYS | {"n_xi", "resolution", "uniform"}


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
    return parsed(text, where, _KEYS, _build, _check)


def _build(raw: dict[str, Any]) -> OrientationManifest:
    calibration = raw["calibration"]
    return OrientationManifest(
        **seeing(raw),
        n_xi=int(raw["n_xi"]),
        resolution=float(raw["resolution"]),
        band_scale=float(calibration["band"]),
        error_scale=tuple(float(x) for x in calibration["errors"]),
        uniform=tuple((float(c["level"]), tuple(float(x) for x in c["distance"])) for c in raw["uniform"]),
    )


def _check(manifest: OrientationManifest, where: str) -> None:
    if len(manifest.error_scale) != len(manifest.quantities):
        raise malformed(where, "does not give one factor for the error of each quantity")
    if not manifest.uniform or any(not distances for _, distances in manifest.uniform):
        raise malformed(where, "has no distances of uniform patterns")
    check_stated(manifest.stated, where)
