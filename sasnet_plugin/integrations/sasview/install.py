"""Install and remove the file by which SasView finds sasnet, in SasView's folder of plugin models.

SasView has no entry points. It executes each file of that folder while its window is made; this one loads the
code of this folder by its path and waits for the window. Where sasnet is missing or fails, it writes one line
into SasView's log and changes nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from ...files import put_whole
from ...types import SasnetError

NAME = "sasnet_suggest.py"

_TEXT = '''"""Fitting -> Suggest model... in SasView. "sasnet sasview --uninstall" removes it.

SasView executes this file when it looks for plugin models; it is none.
"""

import importlib
import importlib.util
import logging
import os
import sys

RECORD = {record!r}


def begin(name="_sasnet_in_sasview"):
    log = logging.getLogger("sas.sasnet")
    # SasView says of this file that it holds no model. That is so.
    scan = logging.getLogger("sas.sascalc.fit.models")
    scan.addFilter(lambda record: os.path.basename(__file__) not in record.getMessage())
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        if name not in sys.modules:
            where = os.path.join(RECORD["folder"], "__init__.py")
            places = [RECORD["folder"]]
            spec = importlib.util.spec_from_file_location(name, where, submodule_search_locations=places)
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
        importlib.import_module(name + ".start").begin(RECORD)
    except Exception as error:
        for loaded in [each for each in sys.modules if each.split(".")[0] == name]:
            del sys.modules[loaded]
        log.warning(
            "sasnet is not added to SasView (%s: %s): repeat 'sasnet sasview --install', or delete %s.",
            type(error).__name__, " ".join(str(error).split()), __file__,
        )
    finally:
        sys.dont_write_bytecode = writes


class NoModel:
    """Taken for a model by SasView until it asks for the name."""

    @property
    def name(self):
        raise AttributeError("This is no model: it adds Fitting -> Suggest model to SasView.")


Model = NoModel()
begin()
'''


def record() -> dict[str, Any]:
    """Where this code lies, and the command that answers SasView's questions.

    Returns
    -------
    record : dict
        ``folder`` of this code; ``command``, program and arguments; ``environment``, variables that the
        command needs (``PYTHONPATH``, where that is how this sasnet was found).
    """
    path = os.environ.get("PYTHONPATH")
    return {
        "folder": str(Path(__file__).resolve().parent),
        # -P: SasView may be started in any folder, with any files in it.
        "command": [sys.executable, "-P", "-m", "sasnet_plugin", "serve"],
        "environment": {"PYTHONPATH": path} if path else {},
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


def install(folder: Path | None = None) -> Path:
    """Write the file.

    Parameters
    ----------
    folder : Path, optional
        Where SasView keeps its plugin models, if not in its usual place.

    Returns
    -------
    path : Path
        What was written.

    Raises
    ------
    SasnetError
        It cannot be written.
    """
    path = (folder or plugin_folder()) / NAME
    text = _TEXT.format(record=record())
    put_whole(path, text.encode("utf-8"), "menu entry for SasView", make_folder=True)
    return path


def uninstall(folder: Path | None = None) -> list[Path]:
    """Remove the file, what Python has compiled of it, and folders that are empty then.

    Parameters
    ----------
    folder : Path, optional
        As for `install`.

    Returns
    -------
    removed : list of Path

    Raises
    ------
    SasnetError
        Something cannot be removed.
    """
    folder = folder or plugin_folder()
    compiled = folder / "__pycache__"
    removed = []
    try:
        for path in (folder / NAME, *sorted(compiled.glob(f"{Path(NAME).stem}.*.pyc"))):
            if path.exists():
                path.unlink()
                removed.append(path)
        for each in (compiled, folder):
            if each.is_dir() and not any(each.iterdir()):
                each.rmdir()
    except OSError as error:
        where = error.filename or folder
        raise SasnetError(f"{where}: cannot be removed ({error.strerror}); delete it by hand.") from error
    return removed
