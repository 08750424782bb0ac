"""Single-shot diffraction images: read in a stream, features that do not turn with the particle."""

from __future__ import annotations

from pathlib import Path

from ..signature import HDF5


def recognise(path: Path) -> float:
    """1 for what only can be such a stack: HDF5 with CXI's version at its root; else 0, and --domain says
    it.
    """
    try:
        with path.open("rb") as stream:
            if not stream.read(8).startswith(HDF5):
                return 0.0
        import h5py

        with h5py.File(path, "r") as opened:
            return float("cxi_version" in opened)
    except (OSError, RuntimeError):
        return 0.0
