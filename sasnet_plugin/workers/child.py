"""Processes that may be killed at any moment, end with their parent, and leave Ctrl-C to it.

None takes a file of the current folder, where the data lie, for a module of Python.

A child is a plain Python that speaks pickles over pipes, none of `multiprocessing`: that would run its
parent's script again, which would need a main guard, and is refused to a daemon, such as a worker of Dask.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from ..types import SasnetError

#: Where this package lies.
_HOME = str(Path(__file__).resolve().parents[2])
#: What a process starts with. Its path is the one that Python makes without the current folder, in which any
#: files may lie, then what its parent has beside. This package is the parent's own, wherever that found it.
_CODE = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.path.insert(0, {home!r})
import sasnet_plugin.workers.child
del sys.path[0]
sys.path += [folder for folder in {path!r} if folder not in sys.path]
sasnet_plugin.workers.child._live({target!r})
"""


def current_folder() -> str:
    """Where this process is; empty if the folder was removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def safe_path(folders: Iterable[str]) -> list[str]:
    """Folders of modules, without the current one, unless this package lies there."""
    current = current_folder()
    full = (os.path.abspath(folder) for folder in folders if folder) if current else iter(folders)
    return [folder for folder in full if folder and (folder != current or folder == _HOME)]


def safe_environment() -> dict[str, str]:
    """Variables by which a Python, and each that it starts, imports nothing from the current folder."""
    environment = {"PYTHONSAFEPATH": "1"}
    if python_path := os.environ.get("PYTHONPATH"):
        environment["PYTHONPATH"] = os.pathsep.join(safe_path(python_path.split(os.pathsep)))
    return environment


@contextlib.contextmanager
def deaf_children() -> Iterator[None]:
    """What this thread starts in the block never hears Ctrl-C, not even while it begins; its parent does."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


@contextlib.contextmanager
def delay_interrupt() -> Iterator[None]:
    """Ctrl-C in the block is heard at its end: a module in C that it interrupts says that it is broken."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if heard:
        raise KeyboardInterrupt


#: Where (child, message) goes.
Heard = queue.Queue[tuple[Any, Any]] | queue.SimpleQueue[tuple[Any, Any]]


class Child:
    """A process that runs ``module:function`` with ``receive()`` and ``say(message)`` until `end` or the
    parent's end. Raises SasnetError if it cannot start.

    `heard` gets (child, message), and (child, None) at the end; `quiet` hides what it prints; `environment`
    adds variables.
    """

    def __init__(
        self,
        target: str,
        heard: Heard,
        *,
        quiet: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        code = _CODE.format(home=_HOME, path=safe_path(sys.path), target=target)
        try:
            with deaf_children():
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", code],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL if quiet else None,
                    env={**os.environ, **safe_environment(), **(environment or {})},
                )
        except OSError as error:
            raise SasnetError(
                f"sasnet: no further process can be started ({error.strerror}); use fewer workers."
            ) from error
        #: Where its messages go; may be changed while it has nothing to say.
        self.heard = heard
        #: End the process at once, and wait until it is gone; also done when nobody holds the child any more.
        self.end: Callable[[], object] = weakref.finalize(self, _kill, self._process, os.getpid())
        # The thread holds no child, which is ended when nobody else does.
        arguments = self._process.stdout, weakref.ref(self)
        threading.Thread(target=_hear, args=arguments, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, message: Any) -> None:
        """Send a message; to a process that is gone it says nothing, as that is heard anyway."""
        data = pickle.dumps(message)
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(data)
            self._process.stdin.flush()


def _kill(process: subprocess.Popen[bytes], parent: int) -> None:
    if os.getpid() != parent:  # a fork of the parent, which goes on
        return
    process.kill()
    process.wait()
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _hear(stdout: Any, child: weakref.ref[Child]) -> None:
    """Pass on what a process says; None when it says no more."""
    with stdout:
        message: Any = ...
        while message is not None:
            try:
                message = pickle.load(stdout)
            except Exception:  # it ended, perhaps in the middle of a message
                message = None
            if (owner := child()) is not None:
                owner.heard.put((owner, message))
            del owner


def _live(target: str) -> None:
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a model prints must not come between the messages
    messages: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, messages), daemon=True).start()

    def say(message: Any) -> None:
        data = pickle.dumps(message)
        try:
            out.write(data)
            out.flush()
        except BrokenPipeError:
            os._exit(1)

    function_of(target)(messages.get, say)


def _listen(stdin: Any, messages: queue.Queue[Any]) -> None:
    """Pass messages on; end this process, whatever it is doing, when nobody is left to hear its answers."""
    while True:
        try:
            messages.put(pickle.load(stdin))
        except Exception:
            os._exit(1)


def function_of(target: str) -> Callable[..., Any]:
    """The function that ``module:function`` names."""
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(import_module(module), name)
    return function
