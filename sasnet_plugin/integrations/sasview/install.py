"""Install and remove the file by which SasView finds sasnet, in SasView's folder of plugin models.

SasView has no entry points. It executes each file of that folder while its window is made; this one loads the
code of this folder by its path and waits for the window. Where sasnet is missing or fails, it writes one line
into SasView's log and changes nothing.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...files import check_output, put_whole, read_text, remove_empty, removing
from ...types import SasnetError
from ...wording import SURFACE, Surface
from ...workers.child import safe_environment

NAME = "sasnet_suggest.py"

_TEXT = read_text(__file__, "menu_entry.txt")


def record() -> dict[str, Any]:
    """Return ``folder`` of this code, ``command`` (program and arguments) that answers SasView, and its
    ``environment``, such as ``PYTHONPATH``.
    """
    path = safe_environment().get("PYTHONPATH")
    return {
        "folder": str(Path(__file__).resolve().parent),
        # -P: SasView may be started in any folder, with any files in it.
        "command": [sys.executable, "-P", "-m", "sasnet_plugin", "serve"],
        "environment": {SURFACE: Surface.PAGE.value, **({"PYTHONPATH": path} if path else {})},
    }


def plugin_folder() -> Path:
    """SasView's folder of plugin models, as ``sas.system.user.get_plugin_dir()`` has it since SasView 6.1."""
    home = Path.home()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or str(home / "AppData" / "Local")
        data = Path(local) / "sasview" / "SasView"
    elif sys.platform == "darwin":
        data = home / "Library" / "Application Support" / "SasView"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME", "").strip() or home / ".local" / "share") / "SasView"
    return data / "plugin_models"


def install(folder: Path | None = None, *, force: bool = False) -> Path:
    """Write the file into SasView's plugin folder. SasnetError if it cannot, or must not replace one."""
    path = (folder or plugin_folder()) / NAME
    check_output(path, force=force, mark="sasnet sasview --uninstall")
    text = _TEXT.format(record=record())
    put_whole(path, text.encode("utf-8"), "menu entry for SasView", make_folder=True)
    return path


def is_sasview_here(folder: Path | None = None) -> bool:
    """Whether this Python has SasView, or SasView has been started by this user: its folder holds more than
    what `install` writes.
    """
    if _has_sasview() or (folder is not None and folder.is_dir()):
        return True
    plugins = plugin_folder()
    found = {*plugins.parent.glob("*"), *plugins.glob("*")}
    return bool(found - {plugins, plugins / NAME, plugins / "__pycache__"})


def _has_sasview() -> bool:
    spec = importlib.util.find_spec("sas")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return any(Path(place, "qtgui").is_dir() for place in places)


def uninstall(folder: Path | None = None) -> list[Path]:
    """Remove the file, its compiled forms and empty folders. Raises SasnetError on failure."""
    folder = folder or plugin_folder()
    compiled = folder / "__pycache__"
    removed = []
    with removing(folder):
        for path in (folder / NAME, *sorted(compiled.glob(f"{Path(NAME).stem}.*.pyc"))):
            if path.exists():
                path.unlink()
                removed.append(path)
        remove_empty(compiled, folder)
    return removed


def start_sasview(files: Sequence[str], python: str | None = None) -> int:
    """Start SasView with its Python (an executable or environment; default: sasnet's), wait, and return its
    exit status. Raises SasnetError without SasView or a file.
    """
    program = python_with_sasview(python)
    paths = [str(Path(name).expanduser().absolute()) for name in files]
    for path in paths:
        if not Path(path).exists():
            raise SasnetError(f"{path}: there is no such file; check the path.")
    environment = {**os.environ, **safe_environment()}
    if program != sys.executable:
        # What sasnet needs there is not for SasView.
        environment.pop("PYTHONPATH", None)
    script = Path(__file__).with_name("launcher.py")
    return subprocess.run([program, str(script), json.dumps(record()), *paths], env=environment).returncode


def python_with_sasview(python: str | None) -> str:
    """The Python that has SasView."""
    if python is None:
        if not _has_sasview():
            raise SasnetError(
                "SasView is not installed together with sasnet; name the Python that has it: sasnet"
                " sasview --python PATH."
            )
        return sys.executable
    path = Path(python).expanduser()
    for candidate in (path, path / "bin" / "python", path / "Scripts" / "python.exe"):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            break
    else:
        raise SasnetError(f"{python}: there is no Python here; give the path of the Python that has SasView.")
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('sas.qtgui') is None)"
    try:
        checked = subprocess.run([str(candidate), "-I", "-c", code], capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        raise SasnetError(
            f"{python}: cannot be started ({error}); give the Python that has SasView."
        ) from error
    if checked.returncode:
        raise SasnetError(f"{python}: this Python has no SasView; install it there with pip install sasview.")
    return str(candidate.absolute())
