"""Small files of images of several kinds: some tell theirs, others do not, and some are broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tinypatterns import pattern

from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.images.sans import simulation
from sasnet_plugin.images.sans.nexus import Setting
from sasnet_plugin.images.sans.simulation import (
    Background,
    Direction,
    Posture,
    Sample,
    beam,
    pars_of,
    row_of,
    simulate_measurement,
)
from sasnet_plugin.types import DataError

#: Of the rods: degrees anticlockwise from the right, Å, and length over diameter.
DIRECTOR, RADIUS, ASPECT = 30.0, 40.0, 4.0
_SETTING = Setting(6.0, 0.12, 4000.0, 4000.0, 15.0, 5.0, (5.3, 5.3))
_SAID = "spread = 0.12\ncollimation = 4000\nsource_radius = 15\nsample_radius = 5\n"
_PLACE = "wavelength = 6\ndistance = 4000\npixel_size = 5.3\ndirect_beam = [{:.2f}, {:.2f}]\n"


def rods(folder: Path, name: str = "rods.npy", *, told: bool = True) -> Path:
    """SANS of rods with a direction; with a TOML file by which no other kind is meant, or with none."""
    sample = Sample("cylinder", {}, "cylinder", pars_of("cylinder", RADIUS, ASPECT, 0.1))
    turned = Direction(simulation.maier_saupe(simulation.strength_of(0.6)), np.radians(DIRECTOR))
    rng = np.random.default_rng(3)
    one = beam(simulation.INSTRUMENTS[-1], _SETTING, rng)
    image = simulate_measurement(
        Posture(row_of(sample), turned).intensity(one.true), one, Background(flat=0.05), rng, 3e5
    )
    counts, qx, qy = image.counts, image.geometry.qx, image.geometry.qy
    counts = np.where(image.mask, counts, -1)
    if qy[0, 0] < qy[-1, 0]:  # the first row of a file is above
        counts, qx, qy = counts[::-1], qx[::-1], qy[::-1]
    assert qx[0, 0] < qx[0, -1]
    column = np.interp(0.0, qx.mean(axis=0), np.arange(qx.shape[1]))
    row = np.interp(0.0, -qy.mean(axis=1), np.arange(qy.shape[0]))
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / name, counts.astype(np.int32))
    if told:
        (folder / name).with_suffix(".toml").write_text(_SAID + _PLACE.format(column, row))
    return folder / name


def lattice(folder: Path, name: str = "film.npz") -> Path:
    """A pattern of grazing incidence, which holds all that is needed."""
    image = pattern()
    angles = {"phi": image.geometry.phi, "alpha_f": image.geometry.alpha_f}
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / name, counts=image.counts, wavelength=1.34, alpha_i=0.16, **angles)
    return folder / name


def broken(folder: Path, name: str = "broken.cbf") -> Path:
    """The beginning of a detector's file."""
    (folder / name).write_bytes(b"###CBF: VERSION 1.5, CBFlib v0.7.8\n\ndata_x\n")
    return folder / name


def refused(
    read: Callable[..., Iterable[Any]],
    path: Path,
    content: bytes | np.ndarray,
    options: dict[str, Any],
    said: str,
) -> None:
    """See that a file of this content is refused by one sentence that says so."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    with pytest.raises(DataError, match=said) as caught:
        list(read(path, ReadOptions(**options)))
    assert str(caught.value).count(". ") == 0
