"""Files are written whole or not at all, and what a kill leaves is swept up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from unittest.mock import Mock

import h5py
import pytest

from sasnet_plugin.files import (
    check_folder,
    check_output,
    check_place,
    figure_mark,
    plain_cell,
    put_aside,
    put_in_one_step,
    put_whole,
    remove_leftovers,
    write_figure,
)
from sasnet_plugin.types import SasnetError


def test_what_goes_wrong_while_writing_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    put_whole(path, b"before", "table")

    def fail() -> None:
        with put_in_one_step(path) as aside:
            aside.write_bytes(b"half")
            assert path.read_bytes() == b"before"
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [each.name for each in tmp_path.iterdir()] == ["table.csv"]
    assert path.read_bytes() == b"before"


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SasnetError, match=r"table.csv: the table cannot be written \(No such file"):
        put_whole(tmp_path / "nowhere" / "table.csv", b"", "table")
    with pytest.raises(SasnetError, match="No space"), put_aside(tmp_path / "x", "figure"):
        raise OSError(28, "No space left on device")
    put_whole(tmp_path / "new" / "page.html", b"page", "report", make_folder=True)
    assert (tmp_path / "new" / "page.html").read_bytes() == b"page"


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    path, read = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    put_whole(path, b"through", "table")
    reader.join(10)
    assert read == [b"through"]
    assert path.is_fifo()


def test_leftovers_of_dead_processes_alone_are_removed(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom sasnet_plugin.files import put_in_one_step\n"
        "for name, ending in (('a.h5', ''), ('b.weights.h5', '.weights.h5')):\n"
        "    manager = put_in_one_step(Path(sys.argv[1]) / name, ending=ending)\n"
        "    manager.__enter__().write_bytes(b'half')\n"
        "    globals()[name] = manager\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=False)
    assert len(list(tmp_path.iterdir())) == 2
    with put_in_one_step(tmp_path / "c.h5") as ours:
        ours.write_bytes(b"under way")
        others = {"notes.tmp", "data.tmp4999999", ".x.tmp4999999", "x.sasnet-tmp4999999"}
        for name in others:
            (tmp_path / name).write_bytes(b"someone's")
        assert remove_leftovers(tmp_path, "a.h5") == 1
        assert remove_leftovers(tmp_path) == 1
    assert {each.name for each in tmp_path.iterdir()} == {"c.h5"} | others


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_a_figure_is_known_by_its_mark(tmp_path: Path, ending: str) -> None:
    from matplotlib.figure import Figure

    path = tmp_path / f"a{ending}"
    check_output(path)
    Figure().savefig(path)
    with pytest.raises(SasnetError, match="was not written by this command"):
        check_output(path)
    check_output(path, force=True)
    for _ in range(2):
        write_figure(Figure(), path)
        check_output(path)
    assert figure_mark(".jpg") is None


def test_nothing_is_lost_but_what_has_the_mark(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("empty", __file__):
        with pytest.raises(SasnetError, match="--force"):
            check_output(tmp_path / name, mark="columns of " + "a table")
    os.mkfifo(tmp_path / "pipe")
    check_output(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    with pytest.raises(SasnetError, match="link: exists"):
        check_output(tmp_path / "link")


def test_an_hdf5_file_without_room_is_an_oserror_and_the_process_lives_on(tmp_path: Path) -> None:
    # A limit on the size of files stands for the full disk; HDF5 would end the process when it exits.
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from sasnet_plugin.files import new_hdf5\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), -1))\n"
        "try:\n"
        "    with new_hdf5(Path(sys.argv[2])) as file:\n"
        "        for k in range(50):\n"
        "            file.create_dataset(f'set{k}', data=np.arange(500.0))\n"
        "            file[f'set{k}'].attrs['unit'] = 'Ang'\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    for room in (0, 5000, 60_000):
        command = [sys.executable, "-c", code, str(room), str(tmp_path / "file.h5")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "File too large\n", "")
    done = subprocess.run([*command[:3], "1000000", command[4]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    with h5py.File(tmp_path / "file.h5") as file:
        assert float(file["set49"][499]) == 499.0


def test_no_cell_is_a_formula() -> None:
    for text in ("=1+1", "+1", "-cmd|' /C calc'!A0", "@SUM(A1)", "\tx", "\r=1"):
        assert plain_cell(text) == f"'{text}"
    for text in ("", "a.dat", "/data/-1.dat", "Note: x = 1"):
        assert plain_cell(text) == text


def test_a_folder_that_cannot_take_a_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_place(tmp_path / "a.csv")
    check_folder(tmp_path / "new" / "below")
    with pytest.raises(SasnetError, match="there is no folder .*new; make it"):
        check_place(tmp_path / "new" / "a.csv")
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    for folder in ("taken", "taken/below"):
        with pytest.raises(SasnetError, match="taken: is a file, not a folder; name"):
            check_folder(tmp_path / folder)
    # Whoever runs the tests may be allowed everything, and on some file systems permissions say nothing.
    monkeypatch.setattr(os, "access", lambda *_: True)
    monkeypatch.setattr(tempfile, "TemporaryFile", Mock(side_effect=OSError(30, "Read-only file system")))
    said = f"{tmp_path}: this folder is not writable"
    with pytest.raises(SasnetError, match=said):
        check_place(tmp_path / "a.csv")
    with pytest.raises(SasnetError, match=said):
        check_folder(tmp_path / "new" / "below")
