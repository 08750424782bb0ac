"""What stands before Bumps' server: whoever asks must know the address that was printed, and gets one folder.

Bumps' own server answers every program and every web page of this machine: it lists folders, writes files and
loads problems, which are programs. Here a request needs

- a Host that is this machine, so that no web page reaches it by a name of its own (DNS rebinding);
- no Origin but the page's own;
- the token of the address, or the cookie that the page got with it;

and what it may do with files ends at the folder of the session.
"""

from __future__ import annotations

import functools
import inspect
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

#: Of this machine, as a browser here or behind an SSH tunnel names it; with any port.
_HOSTS = ("localhost", "127.0.0.1", "[::1]")
#: What runs code of whoever sends it: problems are scripts or pickles, sessions hold pickles.
OFF = ("load_problem_file", "load_session", "set_serialized_problem")
_OFF_SENTENCE = (
    "Loading is off in sasnet's page: start 'bumps' itself for problems and sessions that you trust."
)
#: Names of what says where a file lies.
_PLACES = ("pathlist", "filename", "filepath", "export_path")

Function = Callable[..., Awaitable[Any]]
Notify = Callable[..., Awaitable[Any]]


class Keys:
    """Tokens by which requests are let in.

    Parameters
    ----------
    port : int
        Of the page; cookies are shared by all ports of a machine.
    """

    def __init__(self, port: int) -> None:
        self._token = secrets.token_urlsafe(24)
        self._once: list[str] = []
        self._cookie, self._name = secrets.token_urlsafe(24), f"sasnet-{port}"
        self._port = port

    @property
    def address(self) -> str:
        """Of the page, for its user."""
        return f"http://localhost:{self._port}/?token={self._token}"

    def address_once(self) -> str:
        """The same for one request: everyone on a machine sees the arguments of a browser."""
        self._once.append(secrets.token_urlsafe(24))
        return f"http://localhost:{self._port}/?token={self._once[-1]}"

    def refusal(self, request: Any) -> str:
        """Why a request (aiohttp's) is not answered; empty where it is."""
        name = request.host.rpartition(":")[0] or request.host
        if name not in _HOSTS and request.host not in _HOSTS:
            return "This page is for this machine alone."
        if request.headers.get("Origin", f"http://{request.host}") != f"http://{request.host}":
            return "This page answers no other page."
        if not self._known(request.query.get("token", ""), request.cookies.get(self._name, "")):
            return "Open the address that sasnet has printed, with its token."
        return ""

    def _known(self, token: str, cookie: str) -> bool:
        if token in self._once:
            self._once.remove(token)
            return True
        pairs = (token, self._token), (cookie, self._cookie)
        return any(secrets.compare_digest(given.encode(), known.encode()) for given, known in pairs)

    def give(self, response: Any) -> None:
        """Let whoever got this response (aiohttp's) ask again without the token."""
        response.set_cookie(self._name, self._cookie, httponly=True, samesite="Strict", path="/")
        response.headers["Referrer-Policy"] = "no-referrer"


def guard(app: Any, keys: Keys) -> None:
    """Have an application of aiohttp answer those alone who have a key."""
    from aiohttp import web

    @web.middleware
    async def check(request: Any, handler: Function) -> Any:
        if why := keys.refusal(request):
            return web.Response(status=403, text=f"{why}\n")
        response = await handler(request)
        if request.path == "/":
            keys.give(response)
        return response

    app.middlewares.append(check)


def restrict(registry: MutableMapping[str, Function], folder: Path, notify: Notify) -> None:
    """Replace what Bumps' page may ask for: nothing is loaded, and files lie in one folder.

    Parameters
    ----------
    registry : mapping of str to coroutine function
        Bumps' ``api.REGISTRY``; changed.
    folder : Path
        Everything below may be read and written.
    notify : callable
        Bumps' ``add_notification``, by which the user is told.
    """
    folder = folder.resolve()
    for name, function in list(registry.items()):
        known = inspect.signature(function).parameters
        if name in OFF:
            registry[name] = _off(function, notify)
        elif name == "set_shared_setting" or any(each in known for each in _PLACES):
            registry[name] = _within(function, folder, notify)
        elif any("path" in each or "file" in each for each in known):
            registry[name] = _off(function, notify)  # of a later version of Bumps: what it does is not known


def _off(function: Function, notify: Notify) -> Function:
    @functools.wraps(function)
    async def refuse(*args: Any, **kwargs: Any) -> None:
        await notify(_OFF_SENTENCE, title="Not loaded", timeout=8000)

    return refuse


def _within(function: Function, folder: Path, notify: Notify) -> Function:
    signature = inspect.signature(function)

    @functools.wraps(function)
    async def checked(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        if function.__name__ == "set_shared_setting":
            given = given["value"] if given["setting"] == "session_output_file" and given["value"] else {}
        path = _place(given)
        if path is None or path.resolve().is_relative_to(folder):
            return await function(*args, **kwargs)
        if function.__name__ == "get_dirlisting":
            return await function(list(folder.parts))
        sentence = f"{path}: lies outside {folder}, where this page reads and writes."
        await notify(sentence, title="Not done", timeout=8000)
        return None

    return checked


def _place(given: Any) -> Path | None:
    """The file or folder that the arguments of a request name; None where they name none."""
    parts: list[str] = []
    for name in _PLACES:
        value = given.get(name)
        if value is not None:
            parts += [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]
    return Path(*parts).expanduser() if parts else None
