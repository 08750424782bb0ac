"""Run by SasView's Python: SasView as it starts itself, with sasnet put into its window when that is made.

``python launcher.py RECORD [FILE…]`` with the record of `install` as json. No file is changed; SasView's
own file in the folder of plugin models, if it is there as well, finds that nothing is left to do.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import Any

NAME = "_sasnet_in_sasview"


def main() -> int:
    """Start SasView; ends when its window is closed."""
    record, files = json.loads(sys.argv[1]), sys.argv[2:]
    try:
        import sas.cli
        from sas.system import lib
    except ImportError as error:
        print(f"sasnet: SasView cannot be started ({error}).", file=sys.stderr)
        return 1
    prepare = lib.setup_qt_env

    def then() -> None:
        # The last thing before SasView imports its windows, which read what is set here.
        prepare()
        wrap(record, files)

    lib.setup_qt_env = then
    # Files are not for SasView 6.1, which runs them as scripts.
    sys.argv = ["sasview"]
    return int(sas.cli.main() or 0)


def wrap(record: dict[str, Any], files: list[str]) -> None:
    """Have the main window add sasnet to itself when it is ready, and load the files."""
    start = _load(record["folder"])

    from sas.qtgui.MainWindow.MainWindow import MainSasViewWindow

    make = MainSasViewWindow.__init__

    def init(window: Any, *args: Any, **kwargs: Any) -> None:
        make(window, *args, **kwargs)
        start.attach(window, record)
        start.load_soon(window, files)

    MainSasViewWindow.__init__ = init


def _load(folder: str) -> Any:
    """Import `start` from the folder, as the file of `install` does."""
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        if NAME not in sys.modules:
            spec = importlib.util.spec_from_file_location(
                NAME, f"{folder}/__init__.py", submodule_search_locations=[folder]
            )
            assert spec is not None
            assert spec.loader is not None
            sys.modules[NAME] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[NAME])
        return importlib.import_module(f"{NAME}.start")
    finally:
        sys.dont_write_bytecode = writes


if __name__ == "__main__":
    sys.exit(main())
