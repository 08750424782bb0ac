"""The ranking as panels of Bumps' web page: what its Custom tab offers for a model with ``webview_plots``.

Bumps' own server answers every program and every web page of this machine: it lists folders, writes files and
loads problems, which are programs. Here a request needs what `web.access` asks for, and what it may do with
files ends at the folder of the session.
"""

from __future__ import annotations

import asyncio
import csv
import functools
import inspect
import io
import multiprocessing
import os
import signal
import tempfile
import threading
import time
import webbrowser
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..digits import chisq_text
from ..fitting.optimize.bumps_fit import fitter_for
from ..fitting.result.fit_result import FitResult
from ..fitting.result.model_fit import STOPPED
from ..fitting.verdict.equals import worth_showing
from ..fitting.verdict.sentences import NAMES
from ..report.exports.bumps import write_session
from ..web.access import Keys, listening

# --- The ranking as panels of Bumps' web page: what its Custom tab offers for a model with
# --- ``webview_plots``.

#: Titles, as the tab lists them.
RANKING, WARNINGS, CURVES = "Suggested models", "Warnings and notes", "Curves of the suggested models"


class Panels(dict[str, dict[str, Any]]):
    """Bumps' table of panels: title -> function and when it is to be drawn again.

    It stays behind when a problem is pickled, so that a session which a user saves opens without sasnet, and
    so that processes which only calculate do without it.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> Panels:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, ()


def panels(result: FitResult) -> Panels:
    """Make the panels of a curve with at least one fit."""

    def panel(kind: str, draw: Callable[[FitResult, str], Any]) -> dict[str, Any]:
        def func(model: Any, problem: Any) -> dict[str, Any]:
            return {"fig_type": kind, "plotdata": draw(result, str(problem.name))}

        return {"func": func, "change_with": "parameter"}

    return Panels(
        {
            RANKING: panel("table", ranking),
            WARNINGS: panel("table", warnings),
            CURVES: panel("plotly", curves),
        }
    )


def ranking(result: FitResult, shown_name: str) -> str:
    """Write a table as CSV, best first, marking the fit `shown_name` on the page."""
    header = ["Rank", "Model", "Structure factor", "χ²/dof", "BIC", "Weight", "Network", "Shown"]
    rows = [
        [
            str(rank),
            fit.short_model,
            fit.structure_factor or "–",
            chisq_text(fit.reduced_chisq),
            f"{fit.bic:.1f}",
            STOPPED if fit.given_up else _share(fit.weight),
            _share(fit.probability),
            "◂" if fit.name == shown_name else "",
        ]
        for rank, fit in enumerate(worth_showing(result.fits), start=1)
    ]
    return _table(header, rows)


def _describe_verdict(result: FitResult) -> list[list[str]]:
    verdict = result.verdict
    lines = [("Answer", verdict.headline), ("Caution", verdict.doubt), ("Next", verdict.next)]
    return [[about, text] for about, text in lines if text]


def warnings(result: FitResult, shown_name: str) -> str:
    """The verdict, the notes, and the warnings of the fit that the page shows, as CSV."""
    rows = [
        [fit.short_name, sentence]
        for fit in result.fits
        if fit.name == shown_name
        for sentence in fit.warnings
    ]
    if result.verification is not None:
        rows.insert(0, [f"{result.fits[0].short_name} (best)", result.verification.describe()])
    rows[:0] = _describe_verdict(result)
    rows += [["", note] for note in result.notes]
    if any(sign in shown_name for sign in "@+"):
        rows.append(["Names", str(NAMES)])
    return _table(["About", "What to know"], rows)


def _table(header: list[str], rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue()


def _share(value: float) -> str:
    return "<0.01" if value < 0.005 else f"{value:.2f}"


def _ends(result: FitResult) -> list[float] | None:
    """A range of its own in decades, as one point that is nearly zero would squeeze everything else."""
    heights = np.log10([v for fit in result.fits for v in fit.theory if np.isfinite(v) and v > 0])
    return [float(heights.min()) - 1.0, float(heights.max()) + 0.5] if heights.size else None


def curves(result: FitResult, shown_name: str) -> Any:
    """The data and every fit, as a plotly figure; the one that the page shows is drawn thicker."""
    import plotly.graph_objects as go

    curve = result.curve
    figure = go.Figure()
    figure.add_scatter(
        x=curve.q.tolist(), y=curve.intensity.tolist(), mode="markers", name="data",
        marker={"size": 4, "color": "#888888"},
    )  # fmt: skip
    for fit in worth_showing(result.fits):
        figure.add_scatter(
            x=curve.q.tolist(),
            y=[float(v) if np.isfinite(v) else None for v in fit.theory],
            mode="lines",
            line={"width": 3.0 if fit.name == shown_name else 1.2},
            name=f"{fit.short_name}: {chisq_text(fit.reduced_chisq)}",
        )
    figure.update_layout(
        xaxis={"type": "log", "title": {"text": "q (Å⁻¹)"}},
        yaxis={"type": "log", "title": {"text": curve.intensity_label}, "range": _ends(result)},
        template="simple_white",
        legend={"x": 0.02, "y": 0.02, "yanchor": "bottom"},
        margin={"l": 60, "r": 20, "t": 20, "b": 50},
    )
    return figure


# --- What stands before Bumps' server: whoever asks must know the address that was printed, and
# --- gets one folder.

#: What runs code of whoever sends it: problems are scripts or pickles, sessions hold pickles.
OFF = ("load_problem_file", "load_session", "set_serialized_problem")
_OFF_SENTENCE = (
    "Loading is disabled on this page. For problems and sessions that you trust, start 'bumps' itself."
)
#: Names of what says where a file lies.
_PLACES = ("pathlist", "filename", "filepath", "export_path")

Function = Callable[..., Awaitable[Any]]
Notify = Callable[..., Awaitable[Any]]


def guard(app: Any, keys: Keys) -> None:
    """Have an application of aiohttp answer those alone who have a key."""
    from aiohttp import web

    @web.middleware
    async def check(request: Any, handler: Function) -> Any:
        if why := keys.refusal(request.headers, request.query, request.cookies):
            return web.Response(status=403, text=f"{why}\n")
        response = await handler(request)
        if request.path == "/":
            keys.give(response)
        return response

    app.middlewares.append(check)


def restrict(registry: MutableMapping[str, Function], folder: Path, notify: Notify) -> None:
    """Restrict Bumps' ``api.REGISTRY`` in place: nothing is loaded, and files lie below one folder; `notify`
    is its ``add_notification``.
    """
    folder = folder.resolve()
    for name, function in list(registry.items()):
        parameters = inspect.signature(function).parameters
        if name in OFF:
            registry[name] = _disable(function, notify)
        elif name == "set_shared_setting" or any(place in parameters for place in _PLACES):
            registry[name] = _restrict_to_folder(function, folder, notify)
        elif any("path" in place or "file" in place for place in parameters):
            registry[name] = _disable(
                function, notify
            )  # of a later version of Bumps: what it does is not known


def _disable(function: Function, notify: Notify) -> Function:
    @functools.wraps(function)
    async def refuse(*args: Any, **kwargs: Any) -> None:
        await notify(_OFF_SENTENCE, title="Not loaded", timeout=8000)

    return refuse


def _restrict_to_folder(function: Function, folder: Path, notify: Notify) -> Function:
    signature = inspect.signature(function)

    @functools.wraps(function)
    async def call_inside(*args: Any, **kwargs: Any) -> Any:
        arguments = signature.bind(*args, **kwargs).arguments
        if function.__name__ == "set_shared_setting":
            arguments = (arguments["setting"] == "session_output_file" and arguments["value"]) or {}
        path = _place(arguments)
        if path is None or path.resolve().is_relative_to(folder):
            return await function(*args, **kwargs)
        if function.__name__ == "get_dirlisting":
            return await function(list(folder.parts))
        sentence = f"{path}: is outside {folder}, the only folder that this page reads and writes."
        await notify(sentence, title="Not done", timeout=8000)
        return None

    return call_inside


def _place(given_value: Any) -> Path | None:
    """The file or folder that the arguments of a request name; None where they name none."""
    parts: list[str] = []
    for name in _PLACES:
        value = given_value.get(name)
        if value is not None:
            parts += [str(part) for part in value] if isinstance(value, list | tuple) else [str(value)]
    return Path(*parts).expanduser() if parts else None


# --- Bumps' web page, opened with the fits of a curve: the best one as the problem, all in its
# --- History tab.

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
