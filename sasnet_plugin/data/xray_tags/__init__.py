"""X-ray scattering images of materials: read with the beam found, as rings and a polar map.

Every file is asked whether it is one: the modules that read them are imported for those that are.
"""

from __future__ import annotations

from pathlib import Path

from ...types import DataError
from ..signature import is_image, is_simulated


def recognise(path: Path) -> float:
    """0.5 for an image, which others may be surer of; 0 for a pattern of grazing incidence.

    That is one of BornAgain's, or with an angle of incidence in the TOML file beside it.
    """
    if not is_image(path) or is_simulated(path):
        return 0.0
    from ..images.settings import read_toml

    try:
        return 0.5 if read_toml(path).alpha_i is None else 0.0
    except DataError:  # it says other things, of another kind of measurement
        return 0.5
