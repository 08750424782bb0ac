"""Bumps' web page, opened with the fits of a curve: the best one as the problem, all in its History tab."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from ..fitting.optimize.bumps_fit import fitter_for
from ..fitting.result.fit_result import FitResult
from ..report.exports.bumps import write_session
from ..web.access import Keys, listening
from .bumps_guard import guard, restrict
from .bumps_panel import panels

#: Seconds that open connections of browsers are waited for at the end.
_PATIENCE = 1.0
#: Seconds between two looks of a process at whether the one that started it still lives.
_LOOK = 0.3


def show(
    result: FitResult, *, port: int = 0, browser: bool = True, workers: int = 2, ready: Callable[[str], None]
) -> NoReturn:
    """Serve the page until Ctrl-C, which also ends what Bumps started. Port 0 takes 5148 or a free one;
    `ready` gets the address; `workers` are for Bumps' fits. Raises SasnetError if nothing was fitted or the
    port is taken.
    """
    from aiohttp import web
    from bumps.webview.server import api, webserver
    from bumps.webview.server.cli import BumpsOptions
    from bumps.webview.server.logger import logger

    logger.setLevel("WARNING")
    load(api.state, result)
    folder = Path(result.curve.file).resolve().parent
    folder = folder if folder.is_dir() else Path.cwd()
    options = BumpsOptions(
        headless=True,  # the browser needs a token
        port=port,
        parallel=workers,
        path=str(folder),
        fit_options={"fit": fitter_for(len(result.fits[0].free))},
    )

    def end(code: int = 0) -> NoReturn:
        """Leave, without the long goodbye of Bumps, which may wait for ever for a fit with processes."""
        with suppress(Exception):
            api.state.autosave()
        for process in multiprocessing.active_children():
            process.kill()
        os._exit(code)

    async def shutdown() -> None:
        # The page hears that its request arrived before it hears no more.
        asyncio.get_running_loop().call_later(0.1, end)

    api.REGISTRY["shutdown"] = shutdown  # "Quit" in the page's menu
    _children_leave_with_us()
    signal.signal(signal.SIGINT, lambda *_: end())
    signal.signal(signal.SIGTERM, lambda *_: end(143))
    restrict(api.REGISTRY, folder, api.add_notification)
    webserver.init_web_app()
    webserver.sio.eio.cors_allowed_origins = None  # Bumps says "*"
    webserver.sio.on("set_base_path", handler=_ignore)  # would be kept for Bumps itself
    sock = webserver.setup_app(options, listening(port) if port else None)
    keys = Keys(api.state.port)
    guard(webserver.app, keys)

    def announce_page(*_: Any) -> None:
        """Called when the page can be opened."""
        ready(keys.address)
        if browser:
            threading.Thread(target=webbrowser.open_new_tab, args=(keys.address_once(),), daemon=True).start()

    web.run_app(
        webserver.app,
        sock=sock,
        print=announce_page,
        shutdown_timeout=_PATIENCE,
        handle_signals=False,
    )
    end()


async def _ignore(*_: Any) -> None:
    """Answer nothing."""


def _children_leave_with_us() -> None:
    """Let forked processes watch whether this one still lives."""
    # Those of a pool of Bumps wait for work for ever where this one was killed, or ended while it forked
    # them.
    if not hasattr(os, "register_at_fork"):
        return  # without fork they see the end of their pipe
    parent = 0

    def remember_parent() -> None:
        nonlocal parent
        parent = os.getpid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    def watch_parent() -> None:
        threading.Thread(target=watch, daemon=True).start()

    os.register_at_fork(before=remember_parent, after_in_child=watch_parent)


def load(state: Any, result: FitResult) -> None:
    """Put all fits into bumps' ``State`` with the ranking as panels. Raises SasnetError without fit."""
    from bumps.webview.server.state_hdf5_backed import get_custom_plots_available

    # By way of a file, so that Bumps opens what it would open elsewhere, too.
    handle, name = tempfile.mkstemp(suffix=".h5", prefix="sasnet-")
    os.close(handle)
    try:
        write_session(result, name)
        state.read_session_file(name)
    finally:
        os.unlink(name)
    extra = panels(result)
    for problem in (state.problem, *(item.problem for item in state.history.store.values())):
        for model in problem.fitProblem.models:
            model.webview_plots = extra
    state.shared.custom_plots_available = get_custom_plots_available(state.problem.fitProblem)
