"""``python -m sasnet_plugin`` is the command ``sasnet``."""

import gc
import os
import signal
import sys


def main() -> None:
    """Run the command line."""
    # Before numpy is imported: its threads wait for each other by working, half as much again for one fit,
    # and there is a process a core.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # What is imported stays, and would be looked through a hundred times in vain; `cli.main.Command` ends it.
    gc.disable()
    usual = signal.getsignal(signal.SIGINT) == signal.default_int_handler
    # Nothing is lost before the command itself runs; a module that is interrupted says so at length, and the
    # parser of options ends with another exit code. `cli.main.Command` makes Ctrl-C an exception again.
    if usual:
        signal.signal(signal.SIGINT, _leave)
    from .cli.main import main as run

    run()


def _leave(*_: object) -> None:
    os._exit(130)


if __name__ == "__main__":
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if not sys.flags.safe_path and sys.path[0] == os.getcwd() != home:
        del sys.path[0]  # the current folder holds data, not modules
    main()
