"""SMV, MarCCD and SAXSLAB with their headers; packed files by their content."""

from __future__ import annotations

import bz2
import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from sasnet_plugin.images import reading, recognition
from sasnet_plugin.images.nexus import RawFrame
from sasnet_plugin.images.reading import iter_images

COUNTS = np.random.default_rng(1).poisson(30, (64, 80)).astype(np.uint16)


def only(path: Path) -> RawFrame:
    (found,) = reading.frames(path, str(path))
    return found


def smv(path: Path) -> Path:
    from fabio.adscimage import AdscImage

    header = {
        "HEADER_BYTES": "512", "DIM": "2", "BYTE_ORDER": "little_endian", "TYPE": "unsigned_short",
        "SIZE1": "80", "SIZE2": "64", "PIXEL_SIZE": "0.1", "DISTANCE": "2000.0", "WAVELENGTH": "1.1",
        "BEAM_CENTER_X": "4.0", "BEAM_CENTER_Y": "3.0",
    }  # fmt: skip
    AdscImage(data=COUNTS, header=header).write(str(path))
    return path


def marccd(path: Path, order: str = "<") -> Path:
    """A TIFF whose pixels begin after MarCCD's own header."""
    head = tiff_head()

    def put(offset: int, form: str, *values: int) -> None:
        struct.pack_into(order + form, head, 1024 + offset, *values)

    put(0, "I", 2)
    put(28, "II", 1234, 1234)
    put(80, "III", 80, 64, 2)
    put(640, "iii", 2_000_000, 40_000, 30_000)
    put(768, "iii", 1, 100_000, 100_000)
    put(908, "i", 110_000)
    path.write_bytes(bytes(head) + COUNTS.tobytes())
    return path


def saxslab(path: Path) -> Path:
    """A TIFF with the instrument's XML in front of its pixels."""
    said = {
        "det_pixel_size": "100e-6 100e-6", "pixelsize": "0.1 0.1", "beamcenter_nominal": "0 0",
        "beamcenter_actual": "30.00    40.00", "wavelength": "1.1", "detector_dist": "2000.0",
    }  # fmt: skip
    text = "".join(f'<param name="{name}">{value}</param>' for name, value in said.items())
    head = tiff_head()
    xml = f'<?xml version="1.0" ?><SAXSLABparameters>{text}</SAXSLABparameters>'.encode()
    head[1024 : 1024 + len(xml)] = xml
    path.write_bytes(bytes(head) + COUNTS.tobytes())
    return path


def tiff_head() -> bytearray:
    """What stands before the pixels of a TIFF, with room for more."""
    head = bytearray(4096)
    tags = [(256, 4, 1, 80), (257, 4, 1, 64), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(273, 4, 1, 4096), (278, 4, 1, 64), (279, 4, 1, 80 * 64 * 2)]
    head[:8] = b"II*\0" + struct.pack("<I", 8)
    head[8:10] = struct.pack("<H", len(tags))
    for number, tag in enumerate(tags):
        head[10 + 12 * number : 22 + 12 * number] = struct.pack("<HHII", *tag)
    return head


@pytest.mark.parametrize("write", [smv, marccd, saxslab])
@pytest.mark.parametrize("name", ["a.img", "a.mccd", "a.tif"])
def test_the_geometry_of_the_header_is_used(tmp_path: Path, write: object, name: str) -> None:
    found = only(write(tmp_path / name))  # type: ignore[operator]
    assert np.array_equal(found.values, COUNTS)
    said = found.geometry
    assert (said.wavelength, said.distance) == pytest.approx((1.1, 2000.0))
    assert said.pixel_size == pytest.approx((0.1, 0.1))
    assert said.direct_beam == pytest.approx((40.0, 30.0))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("name", ["packed.dat", "packed.cbf", "a.img.gz"])
def test_packed_files_are_told_by_their_content(tmp_path: Path, pack: object, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(pack(smv(tmp_path / "plain.img").read_bytes()))  # type: ignore[operator]
    assert recognition.is_image(path)
    assert np.array_equal(only(path).values, COUNTS)


def test_a_plain_file_that_is_named_as_packed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npy.gz"
    with path.open("wb") as stream:
        np.save(stream, COUNTS)
    settings = {"wavelength": 1.3, "alpha_i": 0.2, "phi": (-1.0, 1.0), "alpha_f": (1.5, -0.3)}
    from sasnet_plugin.images.reading import ImageSettings

    (image,) = iter_images(path, ImageSettings(**settings))  # type: ignore[arg-type]
    assert image.counts.sum() == COUNTS.sum()
