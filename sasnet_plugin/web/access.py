"""Who is let in: pages are for whoever knows the address that was printed, on this machine alone.

A request needs

- a Host that is this machine, so that no web page reaches it by a name of its own (DNS rebinding);
- no Origin but the page's own;
- the token of the address, or the cookie that the page got with it.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..types import SasnetError
from .settings import WEB

#: Of this machine, as a browser here or behind an SSH tunnel names it; with any port.
_HOSTS = ("localhost", "127.0.0.1", "[::1]")
#: What a page may load: what this server gives, and nothing that stands in the page itself.
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
_POLICY += " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Keys:
    """Tokens by which requests are let in. The port names the cookie, as a machine's ports share cookies;
    `host` is this machine in the address, `path` the page's without first stroke.
    """

    def __init__(self, port: int, host: str = "localhost", path: str = "") -> None:
        self._token = secrets.token_urlsafe(24)
        self._once: list[str] = []
        self._cookie, self._name = secrets.token_urlsafe(24), f"sasnet-{port}"
        self._page = f"http://{host}:{port}/{path}"

    @property
    def address(self) -> str:
        """Address of the page, for its user."""
        return f"{self._page}?token={self._token}"

    def address_once(self, fragment: str = "") -> str:
        """Address for one request, as everyone on a machine sees a browser's arguments."""
        self._once.append(secrets.token_urlsafe(24))
        return f"{self._page}?token={self._once[-1]}{fragment}"

    def refusal(
        self, headers: Mapping[str, str], query: Mapping[str, str], cookies: Mapping[str, str]
    ) -> str:
        """Why a request is not answered; empty where it is."""
        host = headers.get("host", "") or headers.get("Host", "")
        name = host.rpartition(":")[0] or host
        if name not in _HOSTS and host not in _HOSTS:
            return "This page can be opened only on this machine."
        if (headers.get("origin") or headers.get("Origin") or f"http://{host}") != f"http://{host}":
            return "Requests from other pages are refused."
        if not self._knows(query.get("token", ""), cookies.get(self._name, "")):
            return "Open the address that sasnet has printed, with its token."
        return ""

    def _knows(self, token: str, cookie: str) -> bool:
        if token in self._once:
            self._once.remove(token)
            return True
        pairs = (token, self._token), (cookie, self._cookie)
        return any(
            secrets.compare_digest(given_key.encode(), known_key.encode()) for given_key, known_key in pairs
        )

    def give(self, response: Any) -> None:
        """Let whoever got this response (aiohttp's or Starlette's) ask again without the token."""
        response.set_cookie(self._name, self._cookie, httponly=True, samesite="Strict", path="/")
        response.headers["Referrer-Policy"] = "no-referrer"


class Guard:
    """What stands before an ASGI application: it hears those alone who have a key, and no endless request."""

    def __init__(self, app: Any, keys: Keys) -> None:
        self._app, self._keys = app, keys

    async def __call__(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return None  # no page has a WebSocket
        from fastapi.requests import HTTPConnection
        from fastapi.responses import PlainTextResponse

        connection = HTTPConnection(scope)
        if why := self._keys.refusal(connection.headers, connection.query_params, connection.cookies):
            return await PlainTextResponse(f"{why}\n", 403)(scope, receive, send)
        if _may_be_too_large(connection.headers):
            text = f"A request must give its length and have at most {WEB.largest_request:,} bytes.\n"
            return await PlainTextResponse(text, 413)(scope, receive, send)

        async def send_guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [(key.lower().encode(), value.encode()) for key, value in _HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        return await self._app(scope, receive, send_guarded)


def _may_be_too_large(headers: Mapping[str, str]) -> bool:
    length = headers.get("content-length", "0")
    return "transfer-encoding" in headers or not length.isdigit() or int(length) > WEB.largest_request


def listening(port: int) -> socket.socket:
    """Open a socket for browsers of this machine. Raises SasnetError if the port is taken or privileged."""
    listener = socket.socket()
    try:
        if os.name != "nt":  # a page that was closed a moment ago is no obstacle
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("localhost", port))
    except OSError as error:
        listener.close()
        raise SasnetError(
            f"Port {port} cannot be used ({error.strerror}); give another --port, or none for a free one."
        ) from None
    return listener
