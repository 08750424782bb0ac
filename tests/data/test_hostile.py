"""Files that mean harm (`hostile_files`): one sentence, soon, not in silence."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import hostile_files as hostile
import numpy as np
import pytest

from sasnet_plugin.data import load
from sasnet_plugin.data.limits import LIMITS
from sasnet_plugin.domains import ReadOptions, recognise_domain, specification
from sasnet_plugin.types import DataError, printable

GEOMETRY = ("wavelength=1.0", "alpha_i=0.2", "phi=[-1.0, 1.0]", "alpha_f=[0.0, 2.0]", "up=top")
SOON = 10.0  # seconds; each of these took for ever, or gigabytes


def read(path: Path) -> list[object]:
    """As the command does."""
    domain = specification(recognise_domain(path))
    options = ReadOptions(geometry=() if domain.name == "sas1d" else GEOMETRY)
    return list(domain.read(str(path), options))


def soon(function: Callable[[], object]) -> object:
    """What a function returns, if it does so in time."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(function())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    start = time.thread_time()
    thread.start()
    thread.join(20 * SOON)
    assert found, f"nothing after {20 * SOON:g} s"
    assert time.thread_time() - start < SOON
    return found[0]


@pytest.mark.parametrize(
    "name",
    [
        "no-images.sans.reading", "outside-link.h5", "outside-storage.h5", "outside-virtual.h5",
        "claims-10gb.h5", "cut-60.tif", "cut-99.tif", "cut-plain.tif", "loop.tif", "loop-packed.tif",
        "wide.tif",
        "far.tif", "no-directory.tif", "claims.npy", "claims.edf", "claims.cbf", "newlines.cbf", "axis.int",
        "blanks.int", "sparse.dat", "sparse.xml", "sparse.tif", "pipe.dat", "pipe.tif", "random.dat",
        "zero.tif", "thousands.dat", "swiss.dat", "german.dat",
    ],
)  # fmt: skip
def test_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    hostile.CASES[name][1](path)
    found = soon(lambda: read(path))
    assert isinstance(found, DataError), found
    assert str(path) in str(found)
    assert str(found).isprintable()


@pytest.mark.parametrize(
    "name", ["claims-beside.h5", "long-unit.h5", "long-unit.xml", "header-40.dat", "header-inverse.dat"]
)
def test_read_all_the_same(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    hostile.CASES[name][1](path)
    (curve,) = soon(lambda: load(path))  # type: ignore[misc]
    assert len(curve) == 60


def test_links_that_lead_back_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sasnet_plugin.data.hdf5.LIMITS", type(LIMITS)(objects=200))
    for kind in ("soft", "fan"):
        path = tmp_path / f"{kind}.h5"
        hostile.links(path, kind)
        (curve,) = soon(lambda path=path: load(path))  # type: ignore[misc]
        assert len(curve) == 60


def test_a_link_within_the_file_is_followed(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "a.h5"
    with hostile.nxcansas(path, rows=0) as file:
        file["raw/x"], file["raw/y"] = np.geomspace(0.005, 0.3, 60), np.linspace(9, 1, 60)
        file["sasentry01/sasdata01/Q"] = h5py.SoftLink("/raw/x")
        file["sasentry01/sasdata01/I"] = file["raw/y"]
    (curve,) = load(path)
    assert curve.q[-1] == pytest.approx(0.3)
    assert curve.intensity[0] == pytest.approx(9)


def test_titles_are_fit_for_a_terminal(tmp_path: Path) -> None:
    for name in ("escapes.h5", "escapes.pdh", "long-title.h5"):
        path = tmp_path / name
        hostile.CASES[name][1](path)
        (curve,) = load(path)
        assert curve.entry.isprintable()
        assert len(curve.entry) <= LIMITS.title
    assert printable("a\x1b[2J\u202eb\nc\udcff é π") == "a\ufffd[2J\ufffdb c\ufffd é π"
    assert str(DataError("f\x1b.dat: x")) == "f\ufffd.dat: x"


@pytest.mark.parametrize("late", [True, False])
def test_rows_of_another_width_are_counted(tmp_path: Path, late: bool) -> None:
    path = tmp_path / "a.dat"
    lines = hostile.ROWS.splitlines()
    path.write_text("".join(f"{line} {'1' if (n >= 40) == late else ''}\n" for n, line in enumerate(lines)))
    (curve,) = load(path)
    kept = 40 if late else 20
    assert len(curve) == max(kept, 60 - kept)
    lost = f"{min(kept, 60 - kept)} lines of numbers outside the table that was read"
    assert f"{lost} were ignored." in curve.notes


def test_a_row_that_words_part_from_the_table_is_counted(tmp_path: Path) -> None:
    path, lines = tmp_path / "a.dat", hostile.ROWS.splitlines()
    path.write_text("12.5 0.5 0.5\n" + "\n".join([lines[0], "some words", "more", "words 1 2", *lines[1:]]))
    (curve,) = load(path)
    assert len(curve) == 59
    assert "1 line of numbers outside the table that was read was ignored." in curve.notes


@pytest.mark.parametrize("cell", ["65,525.008", "65.525,008", "65'525.008", "1,065,525", "65\u202f525,008"])
def test_signs_between_thousands_are_refused(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "a.dat"
    path.write_text(f"q I dI\n0.001\t{cell}\t3\n" + hostile.ROWS.replace(" ", "\t"), encoding="utf-8")
    with pytest.raises(DataError, match="thousands separators"):
        load(path)


def test_whatever_a_reader_raises_the_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.dat"
    path.write_text(hostile.ROWS)
    for error in (KeyError("x"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), RecursionError("deep")):
        monkeypatch.setattr("sasnet_plugin.data.columns.table.read_table", _raises(error))
        with pytest.raises(DataError, match=str(path)) as caught:
            load(path)
        assert caught.value.__cause__ is error


def _raises(error: Exception) -> Callable[[str], object]:
    def function(_: str) -> object:
        raise error

    return function


def test_a_whole_tiff_is_read(tmp_path: Path) -> None:
    for number, kind in enumerate(({}, {"packed": False}, {"strips": 1})):
        path = tmp_path / f"{number}.tif"
        hostile.tiff(path, **kind)
        (image,) = read(path)
        assert image.counts.sum() == pytest.approx(hostile.IMAGE.sum(), rel=0.01)  # type: ignore[attr-defined]


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    folder = "/proc/self/fd"
    if not os.path.isdir(folder):
        pytest.skip("needs /proc")
    path = tmp_path / "cut-60.tif"
    hostile.CASES[path.name][1](path)
    before = len(os.listdir(folder))
    for _ in range(3):
        with pytest.raises(DataError):
            read(path)
    assert len(os.listdir(folder)) <= before
