"""``explore``: the page of curves from Python, on a curve that need not lie in any file."""

from __future__ import annotations

import atexit
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from html import escape
from importlib.util import find_spec
from pathlib import Path

from ..data.given import Given, curves_of
from ..report.exports.hdf5 import write_curve
from ..report.page.document import stem
from ..types import Curve, SasnetError, describe_install
from ..workers.child import safe_environment

#: The line by which the server says where its page is.
_ADDRESS = re.compile(r"http://\S+")
#: Packages without which there is no page.
_NEEDED = ("fastapi", "uvicorn", "jinja2", "sqlalchemy", "pydantic")


class Exploration:
    """A page that is served until it is closed, at the latest with this Python.

    Parameters
    ----------
    address : str
        Of the page, with its key.
    folder : Path
        What was done on the page is kept in it, until the page is closed.
    """

    def __init__(
        self, process: subprocess.Popen[str], address: str, folder: tempfile.TemporaryDirectory[str]
    ) -> None:
        self._process, self.address, self._kept = process, address, folder
        self.folder = Path(folder.name)
        atexit.register(self.close)

    def close(self) -> None:
        """End the server and clear its folder; once closed, nothing."""
        atexit.unregister(self.close)
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._kept.cleanup()

    def __repr__(self) -> str:
        return f"<Exploration {self.address}>"

    def _repr_html_(self) -> str:
        return f'<a href="{escape(self.address)}" target="_blank">The page of this curve</a>'


def explore(curves: Given | Sequence[Given], *, browser: bool = True) -> Exploration:
    """Open the page of ``sasnet web`` on curves.

    Parameters
    ----------
    curves : Curve, path, or sequence of these
        The first is shown; the others are in the page's list.
    browser : bool
        Open the page in your browser; else it can be opened at the `Exploration.address`.

    Returns
    -------
    Exploration
        Close it when you are done.

    Raises
    ------
    SasnetError
        There is no curve, a package is missing, or the server does not start.
    """
    curve_list = _check_curves(curves_of(curves))
    temporary_directory = tempfile.TemporaryDirectory(prefix="sasnet-explore-", ignore_cleanup_errors=True)
    first = _write_curves(curve_list, Path(temporary_directory.name) / "data")
    command = [sys.executable, "-P", "-m", "sasnet_plugin", "web", str(first.parent), "--once"]
    command += ["--show", first.name, "--work", str(Path(temporary_directory.name) / "work")]
    command += [] if browser else ["--no-browser"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=os.environ | _make_environment(),
    )
    address = _address(process)
    if not address:
        process.wait()
        temporary_directory.cleanup()
        raise SasnetError("The server of the page stopped at once; run sasnet web to see the reason.")
    return Exploration(process, address, temporary_directory)


def _check_curves(curves: list[Curve]) -> list[Curve]:
    if not curves:
        raise SasnetError("There is no curve to explore; give one, or a list of them, as load returns.")
    if missing := next((name for name in _NEEDED if find_spec(name) is None), ""):
        raise SasnetError(f"The page needs {missing}, which is not installed; run {describe_install('web')}")
    return curves


def _write_curves(curves: list[Curve], folder: Path) -> Path:
    folder.mkdir()
    files = [folder / f"{i:03d}-{stem(c.file, c.entry, 'curve')}.h5" for i, c in enumerate(curves, 1)]
    for file, curve in zip(files, curves, strict=True):
        write_curve(curve, file)
    return files[0]


def _address(process: subprocess.Popen[str]) -> str:
    """What the server says of its page; empty where it has ended."""
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    return next((match[0] for line in lines if (match := _ADDRESS.search(line))), "")


def _make_environment() -> dict[str, str]:
    """Variables by which the child finds this very package, and nothing in the current folder."""
    package_folder = str(Path(__file__).resolve().parents[2])
    environment = safe_environment()
    return environment | {
        "PYTHONPATH": os.pathsep.join(filter(None, [package_folder, environment.get("PYTHONPATH", "")]))
    }
