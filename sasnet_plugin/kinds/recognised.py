"""How sure each kind of image is that a file holds one: every file that is opened is asked by all.

What reads HDF5 and settings is imported for the files that need it.
"""

from __future__ import annotations

from pathlib import Path


def grazing(path: Path) -> float:
    """1 for what can only be an image, else 0."""
    from ..data.signature import is_image

    return float(is_image(path))


def sans(path: Path) -> float:
    """1 for a file that can only be a small-angle-scattering image, else 0."""
    from ..data.signature import HDF5, is_text_image

    try:
        with path.open("rb") as stream:
            start = stream.read(6000)
    except OSError:
        return 0.0
    if start.startswith(HDF5):
        from ..data.sans import nexus

        return float(nexus.recognise(path))
    return float(is_text_image(start))


def particles(path: Path) -> float:
    """1 for HDF5 with CXI's version at its root, which only a stack of diffraction images has; else 0."""
    from ..data.signature import HDF5

    try:
        with path.open("rb") as stream:
            if not stream.read(8).startswith(HDF5):
                return 0.0
        import h5py

        with h5py.File(path, "r") as opened:
            return float("cxi_version" in opened)
    except (OSError, RuntimeError):
        return 0.0


def materials(path: Path) -> float:
    """0.5 for an image, which others may be surer of; 0 for a pattern of grazing incidence.

    That is one of BornAgain's, or with an angle of incidence in the TOML file beside it.
    """
    from ..data.signature import is_image, is_simulated
    from ..types import DataError

    if not is_image(path) or is_simulated(path):
        return 0.0
    from ..data.images.settings import read_toml

    try:
        return 0.5 if read_toml(path).alpha_i is None else 0.0
    except DataError:  # it says other things, of another kind of measurement
        return 0.5
