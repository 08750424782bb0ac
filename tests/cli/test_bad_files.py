"""Input that is not (good) 1D small-angle scattering: one clear sentence, or an answer with a note."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tinyzoo import sphere_curve
from typer.testing import CliRunner

from sasnet_plugin.cli.main import app

pytestmark = pytest.mark.usefixtures("zoo")


def _columns(path: Path, *columns: np.ndarray) -> None:
    np.savetxt(path, np.column_stack(columns))


def _png(path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(8) for _ in range(8)))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def _truncated_hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["q"] = np.arange(5000.0)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _reflectometry(path: Path) -> None:
    q = np.linspace(0.008, 0.3, 80)
    reflectivity = np.minimum(1.0, (0.012 / q) ** 4)
    header = "Reflectometry\nQ (1/A)  R  dR  dQ"
    np.savetxt(path, np.column_stack([q, reflectivity, 0.02 * reflectivity, 0.03 * q]), header=header)


Q, INTENSITY, SIGMA = sphere_curve(60.0)
HOLED = INTENSITY.copy()
HOLED[[7, 47, 87]] = np.nan
HOLED[50] = np.inf

REFUSED: dict[str, tuple[str, Callable[[Path], object]]] = {
    "empty": ("a.dat", lambda p: p.write_bytes(b"")),
    "binary": ("a.dat", lambda p: p.write_bytes(np.random.default_rng(1).bytes(5000))),
    "prose": ("a.txt", lambda p: p.write_text("We measured on a rainy day.\nNothing scattered.\n" * 20)),
    "one column": ("a.dat", lambda p: _columns(p, INTENSITY)),
    "q all zero": ("a.dat", lambda p: _columns(p, 0 * Q, INTENSITY, SIGMA)),
    "negative q": ("a.dat", lambda p: _columns(p, -Q, INTENSITY, SIGMA)),
    "3 points": ("a.dat", lambda p: _columns(p, Q[:3], INTENSITY[:3], SIGMA[:3])),
    "no overlap": ("a.dat", lambda p: _columns(p, 1e-7 * Q, INTENSITY, SIGMA)),
    "all negative": ("a.dat", lambda p: _columns(p, Q, -INTENSITY, SIGMA)),
    "missing": ("a.dat", lambda p: None),
    "folder without files": ("a", lambda p: p.mkdir()),
    "image": ("a.png", _png),
    "truncated HDF5": ("a.h5", _truncated_hdf5),
    "reflectometry": ("a.refl", _reflectometry),
}

MENDED: dict[str, Callable[[Path], object]] = {
    "unsorted q": lambda p: _columns(p, Q[::-1], INTENSITY[::-1], SIGMA[::-1]),
    "NaN and inf": lambda p: _columns(p, Q, HOLED, SIGMA),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_refused_with_one_sentence(case: str, tmp_path: Path) -> None:
    name, make = REFUSED[case]
    path = tmp_path / name
    make(path)
    result = CliRunner().invoke(app, ["classify", "--json", str(path)])
    assert result.exit_code == 1
    (answer,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert answer["file"] == str(path)
    assert name in answer["error"]
    assert "\n" not in answer["error"]
    assert answer["error"].endswith(".")
    assert "Error:" not in answer["error"]  # an exception's class is no help to the user
    assert "Traceback" not in result.output


@pytest.mark.parametrize("case", sorted(MENDED))
def test_mended_with_the_same_answer_and_a_note(case: str, tmp_path: Path) -> None:
    _columns(tmp_path / "plain.dat", Q, INTENSITY, SIGMA)
    MENDED[case](tmp_path / "mended.dat")
    result = CliRunner().invoke(
        app, ["classify", "--json", str(tmp_path / "plain.dat"), str(tmp_path / "mended.dat")]
    )
    assert result.exit_code == 0, result.output
    plain, mended = (json.loads(line) for line in result.stdout.splitlines())
    assert mended["models"][0]["name"] == plain["models"][0]["name"]
    assert set(mended["notes"]) - set(plain["notes"])


def test_more_points_than_a_measurement_has_are_refused(tmp_path: Path) -> None:
    q, intensity, sigma = sphere_curve(60.0, points=1_000_000)
    rows = (f"{a:.7g} {b:.6g} {c:.3g}\n" for a, b, c in zip(q, intensity, sigma, strict=True))
    with (tmp_path / "a.dat").open("w") as file:
        file.writelines(rows)
    result = CliRunner().invoke(app, ["classify", "--json", str(tmp_path / "a.dat")])
    assert result.exit_code == 1
    assert "too much for one measurement" in json.loads(result.stdout)["error"]
