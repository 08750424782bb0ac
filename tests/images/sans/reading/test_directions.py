"""One convention of up and of angles: a tilted director is read as the same angle from every format.

Rods lie at +30 degrees, anticlockwise from the right as the picture is seen, so they scatter across that.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from sasnet_plugin.domains import ReadOptions
from sasnet_plugin.images.sans.reading import read
from sasnet_plugin.images.sans.rings import anisotropy, polar
from sasnet_plugin.types import DataError, Image

TILT = 30.0
N, BEAM = (90, 100), (52.0, 41.0)
GEOMETRY = "wavelength=6", "distance=8000", "pixel_size=5", f"direct_beam=[{BEAM[0]:g},{BEAM[1]:g}]"


def picture(*, lowest_first: bool = False) -> np.ndarray:
    """What a screen shows with the first row on top; or the rows from below."""
    row, column = np.mgrid[: N[0], : N[1]]
    # On a screen with row 0 on top, up is towards smaller rows.
    x, y = column - BEAM[0], -(row - BEAM[1])
    turn = np.arctan2(y, x) - np.radians(TILT)
    r = np.hypot(x, y)
    rate = 300 * np.exp(-((r / 25) ** 2)) * (1 - 0.7 * np.cos(2 * turn)) + 2
    counts = np.random.default_rng(1).poisson(rate)
    return counts[::-1] if lowest_first else counts


def axis(path: Path, *geometry: str) -> tuple[float, Image]:
    (image,) = read(path, ReadOptions(geometry=geometry))
    found = anisotropy([polar(image)])
    assert found.has_direction
    return found.axis, image


def tiff(path: Path) -> None:
    from fabio.tifimage import TifImage

    TifImage(data=picture().astype(np.int32)).write(str(path))


def cbf(path: Path) -> None:
    from fabio.cbfimage import CbfImage

    CbfImage(data=picture().astype(np.int32)).write(str(path))


def edf(path: Path) -> None:
    from fabio.edfimage import EdfImage

    EdfImage(data=picture().astype(np.int32)).write(str(path))


def npy(path: Path) -> None:
    with path.open("wb") as stream:
        np.save(stream, picture())


def nexus(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["entry/data/data"] = picture()[None].astype(np.uint32)


def nxsas(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["entry/definition"] = "NXsas"
        file["entry/instrument/detector/data"] = picture().astype(np.uint32)


@pytest.mark.parametrize(
    ("write", "name"),
    [(tiff, "a.tif"), (cbf, "a.cbf"), (edf, "a.edf"), (npy, "a.npy"), (nexus, "a.h5"), (nxsas, "b.h5")],
)
def test_pictures_have_their_first_row_on_top(tmp_path: Path, write: object, name: str) -> None:
    write(tmp_path / name)  # type: ignore[operator]
    found, image = axis(tmp_path / name, *GEOMETRY)
    # Two harmonics point along the director or across it.
    assert found == pytest.approx(TILT, abs=2)
    assert image.geometry.picture == "the file's first row on top"
    assert np.hypot(image.geometry.qx, image.geometry.qy)[int(BEAM[1]), int(BEAM[0])] < 1e-9


@pytest.mark.parametrize(
    ("up", "turned"), [("bottom", TILT), ("left", (TILT - 90) % 90), ("right", (TILT + 90) % 90)]
)
def test_up_turns_and_mirror_mirrors(tmp_path: Path, up: str, turned: float) -> None:
    npy(tmp_path / "a.npy")
    plain = axis(tmp_path / "a.npy", *GEOMETRY)[1]
    found, image = axis(tmp_path / "a.npy", *GEOMETRY, f"up={up}")
    assert found == pytest.approx(turned, abs=2)
    assert up in image.geometry.picture
    # The pixel in the middle of the named side is above the beam.
    rows, columns = N
    place = {
        "bottom": (rows - 1, int(BEAM[0])),
        "left": (int(BEAM[1]), 0),
        "right": (int(BEAM[1]), columns - 1),
    }
    assert image.geometry.qy[place[up]] > 0.01
    assert abs(image.geometry.qx[place[up]]) < 1e-6
    assert image.geometry.q == pytest.approx(plain.geometry.q)
    found, image = axis(tmp_path / "a.npy", *GEOMETRY, "mirror=true")
    assert found == pytest.approx(90 - TILT, abs=2)
    with pytest.raises(DataError, match="up = 'north' is no side; use one of top, bottom, left, right"):
        axis(tmp_path / "a.npy", *GEOMETRY, "up=north")


def grid() -> tuple[np.ndarray, np.ndarray]:
    step = 2 * np.pi / 6 * 5 / 8000
    return np.meshgrid((np.arange(N[1]) - BEAM[0]) * step, (np.arange(N[0]) - (N[0] - 1 - BEAM[1])) * step)


def canSAS(path: Path) -> None:
    qx, qy = grid()
    with h5py.File(path, "w") as file:
        group = file.create_group("sasentry/sasdata")
        group.attrs["canSAS_class"] = "SASdata"
        counts = picture(lowest_first=True)
        group["I"], group["Idev"], group["Qx"], group["Qy"] = counts, np.sqrt(counts + 1.0), qx, qy


def columns(path: Path) -> None:
    qx, qy = grid()
    counts = picture(lowest_first=True)
    table = np.stack([qx, qy, counts, np.sqrt(counts + 1.0)], axis=2).reshape(-1, 4)
    np.savetxt(path, table, header="Data columns Qx - Qy - I(Qx,Qy) - err(I)\nASCII data", comments="")


def sinq(path: Path) -> None:
    """Counted from the lower left, the beam from 1."""
    counts = picture(lowest_first=True)
    head = (
        "FORMATVERSION:2\nWAVELENGTH:6.0\nDISTANCE:8.0\nPIXELSIZE:5.0\n"
        f"CENTER_X:{BEAM[0] + 1}\nCENTER_Y:{N[0] - BEAM[1]}\nSIZE_X:{N[1]}\nSIZE_Y:{N[0]}\nDATA:\n"
    )
    path.write_text(head + "\n".join(f"{n:g} {np.sqrt(n + 1):g}" for n in counts.ravel()) + "\n")


def mantid(path: Path) -> None:
    qx, qy = grid()
    counts = picture(lowest_first=True)
    with h5py.File(path, "w") as file:
        group = file.create_group("mantid_workspace_1/workspace")
        group["values"], group["errors"] = counts.astype(float), np.sqrt(counts + 1.0)
        for name, q in (("axis1", qx[0]), ("axis2", qy[:, 0])):
            step = q[1] - q[0]
            group[name] = np.append(q, q[-1] + step) - step / 2
            group[name].attrs["units"] = "MomentumTransfer"


@pytest.mark.parametrize(
    ("write", "name"), [(canSAS, "a.h5"), (columns, "a.dat"), (sinq, "a.sans"), (mantid, "m.nxs")]
)
def test_what_has_q_has_qy_upwards(tmp_path: Path, write: object, name: str) -> None:
    write(tmp_path / name)  # type: ignore[operator]
    assert axis(tmp_path / name)[0] == pytest.approx(TILT, abs=2)


def test_the_picture_of_a_report_stands_as_its_angles_are_counted(tmp_path: Path) -> None:
    from sasnet_plugin.report.canvas import axes_of, upright

    for write, name in ((npy, "a.npy"), (canSAS, "a.h5")):
        write(tmp_path / name)
        shown = upright(axis(tmp_path / name, *(GEOMETRY if write is npy else ()))[1])
        (left, right, bottom, top), across, _ = axes_of(shown)
        assert left < 0 < right
        assert bottom < 0 < top
        assert across.startswith("qx")
        # Drawn from below, the first row is the lowest: it is the picture's last.
        assert np.array_equal(shown.counts[0] * shown.mask[0], picture()[-1] * shown.mask[0])


def test_an_answer_says_how_its_angles_are_counted(tmp_path: Path) -> None:
    from sasnet_plugin.predict.predictor import open_predictor

    npy(tmp_path / "a.npy")
    answer = open_predictor("sans2d").answers(list(read(tmp_path / "a.npy", ReadOptions(geometry=GEOMETRY))))[
        0
    ]
    assert "anticlockwise from the right, the file's first row on top" in " ".join(answer.sentences())
    assert "first row on top" in answer.as_dict()["orientation"]["angles"]
