"""What stands before Bumps' server: whoever asks must know the address that was printed, and gets one folder.

Bumps' own server answers every program and every web page of this machine: it lists folders, writes files and
loads problems, which are programs. Here a request needs what `web.access` asks for, and what it may do with
files ends at the folder of the session.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from ..web.access import Keys

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
