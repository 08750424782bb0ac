"""Start SasView with sasnet in its menu, whether or not the file of `install` is there."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ...types import SasnetError
from .install import record


def start_sasview(files: Sequence[str], python: str | None = None) -> int:
    """Start SasView and wait until it is closed.

    Parameters
    ----------
    files : sequence of str
        Data files to load.
    python : str, optional
        The Python that has SasView, or the folder of its environment; that of sasnet itself if not given.

    Returns
    -------
    status : int
        SasView's exit status.

    Raises
    ------
    SasnetError
        There is no SasView, or a file is missing.
    """
    program = python_with_sasview(python)
    paths = [str(Path(name).expanduser().absolute()) for name in files]
    for path in paths:
        if not Path(path).exists():
            raise SasnetError(f"{path}: there is no such file; check the path.")
    environment = dict(os.environ)
    if program != sys.executable:
        # What sasnet needs there is not for SasView.
        environment.pop("PYTHONPATH", None)
    script = Path(__file__).with_name("launcher.py")
    return subprocess.run([program, str(script), json.dumps(record()), *paths], env=environment).returncode


def python_with_sasview(given: str | None) -> str:
    """The Python that has SasView."""
    if given is None:
        found = importlib.util.find_spec("sas")
        places = list(found.submodule_search_locations or ()) if found else []
        if not any(Path(place, "qtgui").is_dir() for place in places):
            raise SasnetError(
                "SasView is not installed beside sasnet; "
                "name the Python that has it: sasnet sasview --python PATH."
            )
        return sys.executable
    path = Path(given).expanduser()
    for candidate in (path, path / "bin" / "python", path / "Scripts" / "python.exe"):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            break
    else:
        raise SasnetError(f"{given}: there is no Python here; give the path of the Python that has SasView.")
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('sas.qtgui') is None)"
    try:
        checked = subprocess.run([str(candidate), "-I", "-c", code], capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        raise SasnetError(
            f"{given}: cannot be started ({error}); give the Python that has SasView."
        ) from error
    if checked.returncode:
        raise SasnetError(f"{given}: this Python has no SasView; install it there with pip install sasview.")
    return str(candidate.absolute())
