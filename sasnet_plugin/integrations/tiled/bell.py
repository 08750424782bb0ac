"""Rings when a container has something new: over a websocket, where the server streams what happens in it.

It only says that it is worth a look: what there is, the container itself says. So nothing is lost when the
connection breaks, or messages with it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from .address import Address

#: Seconds after which a broken stream is tried again; where a server has none, there is one try in so many.
AGAIN, NONE_THERE = 1.0, 60.0
_LISTEN = 0.5
_NEW = "container-child-created"


class Bell:
    """A thread that listens; an empty API key stands for none."""

    def __init__(self, container: Address, key: str) -> None:
        scheme = "wss" if container.server.startswith("https") else "ws"
        server = container.server.partition("://")[2]
        self._url = f"{scheme}://{server}/api/v1/stream/single/{container.url_path}?envelope_format=json"
        self._key = key
        self._rung, self._closed = threading.Event(), threading.Event()
        #: Whether the server can be heard now.
        self.heard = False
        self._thread = threading.Thread(target=self._run, name="sasnet-tiled-bell", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        rung = self._rung.wait(seconds)
        self._rung.clear()
        return rung

    def close(self) -> None:
        self._closed.set()
        self._rung.set()
        self._thread.join(timeout=2 * _LISTEN)

    def _run(self) -> None:
        from websockets.exceptions import InvalidHandshake, WebSocketException
        from websockets.sync.client import connect

        head = {"Authorization": f"Apikey {self._key}"} if self._key else {}
        while not self._closed.is_set():
            pause = AGAIN
            try:
                # Of what comes nothing is kept, so that a message may be as long as it likes.
                with connect(self._url, additional_headers=head, max_size=None, open_timeout=5) as stream:
                    self._listen(stream.recv)
            except InvalidHandshake:
                pause = NONE_THERE
            except (WebSocketException, OSError, EOFError):
                pass
            self.heard = False
            self._closed.wait(pause)

    def _listen(self, receive: Callable[..., Any]) -> None:
        while not self._closed.is_set():
            try:
                message = receive(timeout=_LISTEN)
            except TimeoutError:
                continue
            # The first says what is streamed; there may be news from before the connection stood.
            if _is_new(message) or not self.heard:
                self._rung.set()
            self.heard = True


def _is_new(message: Any) -> bool:
    try:
        return bool(json.loads(message).get("type") == _NEW)
    except (ValueError, AttributeError):
        return False
