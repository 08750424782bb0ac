"""HDF5 with filters of others is read, and a filter that nobody has is named; neither is called damaged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest

from sasnet_plugin.data import hdf5, load
from sasnet_plugin.images import nexus
from sasnet_plugin.types import DataError

Q = np.geomspace(0.005, 0.3, 200)
FILTERS = {
    "bitshuffle LZ4": lambda: hdf5plugin.Bitshuffle(cname="lz4"),
    "bitshuffle Zstandard": lambda: hdf5plugin.Bitshuffle(cname="zstd"),
    "LZ4": hdf5plugin.LZ4,
    "Zstandard": hdf5plugin.Zstd,
    "Blosc": hdf5plugin.Blosc,
    "Blosc2": hdf5plugin.Blosc2,
}


def nxcansas(path: Path, **how: object) -> Path:
    with h5py.File(path, "w") as file:
        data = file.create_group("entry/data")
        file["entry"].attrs.update(canSAS_class="SASentry", NX_class="NXentry", version="1.1")
        data.attrs.update(canSAS_class="SASdata", NX_class="NXdata", signal="I", I_axes="Q", Q_indices=0)
        for name, values, unit in (("Q", Q, "1/A"), ("I", 50 * np.exp(-((Q * 30) ** 2) / 3) + 0.1, "1/cm")):
            data.create_dataset(name, data=values, chunks=(100,), **how).attrs["units"] = unit
    return path


@pytest.mark.parametrize("name", FILTERS)
def test_curves_and_images_are_read(tmp_path: Path, name: str) -> None:
    (curve,) = load(nxcansas(tmp_path / "curve.h5", **FILTERS[name]()))
    np.testing.assert_allclose(curve.q, Q)
    image = np.random.default_rng(1).poisson(5, (64, 64)).astype(np.uint32)
    with h5py.File(tmp_path / "image.h5", "w") as file:
        file.create_dataset("entry/data/data", data=image[None], chunks=(1, 64, 64), **FILTERS[name]())
    (frame,) = nexus.read(tmp_path / "image.h5", "image.h5")
    np.testing.assert_array_equal(frame.values, image)


def test_they_are_imported_for_such_files_alone(tmp_path: Path) -> None:
    plain, packed = nxcansas(tmp_path / "plain.h5"), nxcansas(tmp_path / "packed.h5", **hdf5plugin.LZ4())
    program = (
        "import sys; from sasnet_plugin.data import load; load(sys.argv[1]);"
        "assert 'hdf5plugin' not in sys.modules; load(sys.argv[2]); assert 'hdf5plugin' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(plain), str(packed)], check=True)


def test_a_filter_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = nxcansas(tmp_path / "packed.h5", **hdf5plugin.LZ4())
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda number: False)
    with pytest.raises(DataError, match=r"not installed here, LZ4 \(32004\)"), hdf5.open_file(path, "f"):
        raise OSError("can't read data")


def test_where_the_filters_are_not_installed_the_sentence_says_how(tmp_path: Path) -> None:
    """hdf5plugin is large, and an extra."""
    path = nxcansas(tmp_path / "packed.h5", **hdf5plugin.LZ4())
    program = (
        "import sys; sys.modules['hdf5plugin'] = None\n"
        "from sasnet_plugin.data import load\n"
        "from sasnet_plugin.types import DataError\n"
        "try: load(sys.argv[1])\n"
        "except DataError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(
        "LZ4 (32004); install hdf5plugin (pip install hdf5plugin), or write it without (h5repack -f NONE)."
    )


def test_what_is_cut_short_is_damaged(tmp_path: Path) -> None:
    path = nxcansas(tmp_path / "packed.h5", **hdf5plugin.LZ4())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="damaged or cut short"):
        load(path)
