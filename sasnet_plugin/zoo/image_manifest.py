"""What the manifests of networks for images have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sasnet_plugin.zoo.manifest import common, malformed, pair

#: Keys of these entries, besides ``calibration.scope``.
KEYS = frozenset(("window", "quantities", "stated", "calibration", "scope_threshold"))


def seeing(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of every such manifest: its window, its quantities, its geometry, its scope.

    Parameters
    ----------
    raw : mapping
        The file's entries.
    """
    window = raw["window"]
    slope, offset = (float(x) for x in raw["calibration"]["scope"])
    return {
        **common(raw),
        "shape": (int(window["rows"]), int(window["columns"])),
        "phi": pair(window["phi"]),
        "alpha_f": pair(window["alpha_f"]),
        "quantities": tuple(map(str, raw["quantities"])),
        "stated": {str(k): pair(v) for k, v in raw["stated"].items()},
        "scope_slope": slope,
        "scope_offset": offset,
        "scope_threshold": float(raw["scope_threshold"]),
    }


def check_stated(stated: Mapping[str, tuple[float, float]], where: str) -> None:
    """See that the ranges of the geometry are given.

    Raises
    ------
    ModelZooError
        They are not.
    """
    if set(stated) != {"wavelength", "alpha_i"}:
        raise malformed(where, "does not give the ranges of wavelength and alpha_i")
