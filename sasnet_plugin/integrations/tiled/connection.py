"""Requests to a Tiled server, addresses on it, and news over its websocket; failures become sentences.

It only says that it is worth a look: what there is, the container itself says. So nothing is lost when the
connection breaks, or messages with it.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ...data.limits import LIMITS, too_large
from ...names import TILED
from ...types import SasnetError, TechnicalError, describe_install, printable

if TYPE_CHECKING:
    import httpx


# --- Where an entry of a Tiled server is: ``tiled:http://host:port/path``; a key in it is never
# --- shown.

#: What Tiled's own addresses of an entry have before its path, and its API.
_API = ("/api/v1/metadata", "/api/v1", "/ui/browse")


@dataclass(frozen=True)
class Address:
    """An entry of a server."""

    server: str  #: ``http://host:port``, with what stands before Tiled's own paths.
    path: tuple[str, ...] = ()  #: From the server's root.
    #: From the address as it was given; never part of what is shown.
    key: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        # Where the server stands below a path of its own, the API's says where that ends.
        api_path = "" if self.server.count("/") == 2 else _API[0]
        return f"{TILED}{self.server}{api_path}/{self.url_path}"

    @property
    def url_path(self) -> str:
        return "/".join(quote(part, safe="") for part in self.path)

    def descend(self, name: str) -> Address:
        return replace(self, path=(*self.path, name))

    @property
    def parent(self) -> Address:
        """What it lies in; of the root, the root."""
        return replace(self, path=self.path[:-1])

    @property
    def name(self) -> str:
        """Name of the entry; empty for the root."""
        return self.path[-1] if self.path else ""


def address_of(text: str) -> Address:
    """Parse an entry that a user writes or copies from Tiled's page. Raises SasnetError for anything else."""
    try:
        url = urlsplit(text.removeprefix(TILED).strip())
        host, port = url.hostname, url.port
    except ValueError:
        raise _wrong(text) from None
    if url.scheme not in ("http", "https") or not host:
        raise _wrong(text)
    server_path, path = "", url.path
    for api_marker in _API:
        head, marker, rest = url.path.partition(api_marker)
        if marker and (not rest or rest.startswith("/")):
            server_path, path = head, rest
            break
    shown_host = f"[{host}]" if ":" in host else host
    server = f"{url.scheme}://{shown_host}{'' if port is None else f':{port}'}{server_path.rstrip('/')}"
    parts = tuple(unquote(part) for part in path.split("/") if part)
    key = next(iter(parse_qs(url.query).get("api_key", [])), "")
    return Address(server, parts, key)


def _wrong(text: str) -> SasnetError:
    plain = text.partition("?")[0]
    # What stands before an @ may be a password.
    shown_text = plain if "@" not in plain else f"{TILED}…@{plain.rpartition('@')[2]}"
    return SasnetError(
        f"{printable(shown_text)}: is not an address on a Tiled server; write {TILED}http://HOST:PORT/PATH."
    )


# --- Requests to a Tiled server: failures become sentences, and that the server is away is told
# --- apart.

#: Seconds for a connection, and for an answer.
CONNECT, ANSWER = 5.0, 30.0
#: Answers of a server, or of what stands before it, that is being started or overloaded.
_AWAY = frozenset({429, 500, 502, 503, 504})
_ACCEPT = "application/json"
#: Environment variable of the API key, as Tiled's own client has it.
VARIABLE = "TILED_API_KEY"


#: Requests for data under way at once, where they are asked for ahead: one waits for the server's
#: database while another is computed, and more than some only wait for each other.
AT_ONCE = 4


@dataclass(frozen=True)
class Wanted:
    """Data of an entry in a media type."""

    route: str  #: Of the API.
    of: Address
    kind: str
    params: tuple[tuple[str, str], ...] = ()  #: As they stand in the URL.


class NoEntryError(SasnetError):
    """There is no entry at an address, or none that may be read."""


class Server:
    """A connection that outlives the server's restarts. An empty key takes the address', ``TILED_API_KEY``,
    or a login of Tiled's client. Raises TechnicalError if it does not answer, SasnetError if it is no Tiled
    server or tiled is missing.
    """

    def __init__(self, address: Address, key: str = "") -> None:
        try:
            import httpx
            from tiled.client.context import Context
        except ImportError:
            raise SasnetError(
                f"tiled: addresses need packages that are not installed; run {describe_install('tiled')}"
            ) from None
        self.address = address
        self._httpx = httpx
        self.key = _check_key(key or address.key or os.environ.get(VARIABLE, ""), address)
        if not self.key:
            os.environ.pop(VARIABLE, None)  # an empty one is none, to Tiled's client as well
        self.api = f"{address.server}/api/v1"
        # Tiled's client tries again for long before it says that nobody is there.
        self._probe()
        try:
            self._context = Context(
                self.api, api_key=self.key or None, timeout=httpx.Timeout(ANSWER, connect=CONNECT)
            )
            if not self.key and self._context.server_info.authentication.providers:
                self._context.use_cached_tokens()
        except httpx.HTTPError as error:
            raise self._make_error(error, address) from None
        self._client: httpx.Client = self._context.http_client
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sasnet-tiled")
        self._ahead: dict[Wanted, Future[bytes]] = {}

    def close(self) -> None:
        self.forget()
        self._threads.shutdown(wait=False)
        self._client.close()

    def _probe(self) -> None:
        try:
            about = self._httpx.get(f"{self.api}/", timeout=CONNECT, follow_redirects=True)
            if about.status_code in _AWAY:
                raise self._away(self.address, f"status {about.status_code}")
            if "api_version" not in about.json():
                raise ValueError
        except (self._httpx.HTTPError, self._httpx.InvalidURL, UnicodeError) as error:
            raise self._make_error(error, self.address) from None
        except (ValueError, TypeError):
            raise SasnetError(
                f"{self.address}: the server there is not a Tiled server; check host and port."
            ) from None

    def get(self, route: str, address: Address, **params: Any) -> Any:
        """Ask the API about an entry. Raises TechnicalError if the server is away, NoEntryError without such
        an entry, SasnetError if it refuses.
        """
        return self._send("GET", route, address, params=params).json()

    def send(self, method: str, route: str, of: Address, content: Any, **params: Any) -> Any:
        """Send JSON about an entry; raises as `get` does."""
        head = {"Content-Type": "application/json"}
        response = self._send(method, route, of, params=params, content=json.dumps(content), headers=head)
        return response.json() if response.content else None

    def put(self, route: str, address: Address, content: bytes, kind: str) -> None:
        """Put data of a media type in the place of what is there; raises as `get` does."""
        self._send("PUT", route, address, content=content, headers={"Content-Type": kind})

    def ahead(self, request: Wanted) -> None:
        """Ask for data that `data` will be asked for soon; what has gone wrong, that will say."""
        if request not in self._ahead:
            self._ahead[request] = self._threads.submit(self._data, request)

    def forget(self) -> None:
        """What was asked ahead is not taken: an entry may be another by the time that it is read."""
        for answer in self._ahead.values():
            answer.cancel()
        self._ahead.clear()

    def data(self, request: Wanted) -> bytes:
        """Data of an entry, no more than a measurement can be; raises as `get` does."""
        under_way = self._ahead.pop(request, None)
        return self._data(request) if under_way is None else under_way.result()

    def _data(self, request: Wanted) -> bytes:
        whole, total = bytearray(), request.of

        def read(response: httpx.Response) -> None:
            for chunk in response.iter_bytes():
                whole.extend(chunk)
                if len(whole) > LIMITS.array_bytes:
                    raise too_large(str(total), f"over {LIMITS.array_bytes / 2**20:.0f} MiB", "a measurement")

        self._stream(request, read)
        return bytes(whole)

    def _url(self, route: str, address: Address) -> str:
        # Made here, not taken from what the server answers: the key goes to this server alone.
        return f"{self.api}/{route}/{address.url_path}"

    def _send(self, method: str, route: str, address: Address, **options: Any) -> httpx.Response:
        options["headers"] = {"Accept": _ACCEPT} | dict(options.get("headers", {}))
        try:
            response = self._client.request(method, self._url(route, address), **options)
        except self._httpx.HTTPError as error:
            raise self._make_error(error, address) from None
        self._check(response, address)
        return response

    def _stream(self, request: Wanted, read: Callable[[httpx.Response], None]) -> None:
        url, head = self._url(request.route, request.of), {"Accept": request.kind}
        try:
            with self._client.stream("GET", url, params=dict(request.params), headers=head) as response:
                if response.is_error:
                    response.read()
                self._check(response, request.of, data=True)
                read(response)
        except self._httpx.HTTPError as error:
            raise self._make_error(error, request.of) from None

    def _check(self, response: httpx.Response, address: Address, *, data: bool = False) -> None:
        status = response.status_code
        if not response.is_error:
            return
        # At data the server stumbles over an entry that is damaged or half written.
        if status in _AWAY and not (data and status == 500):
            raise self._away(address, f"status {status}")
        if status in (401, 403):
            raise SasnetError(f"{address}: {self._describe_refusal(status)}")
        if status == 404:
            raise NoEntryError(
                f"{address}: there is no such entry, or you have no permission to read it; check the path."
            )
        raise SasnetError(
            f"{address}: the server refuses this (status {status}: {_detail(response)}); check the entry."
        )

    def _describe_refusal(self, status: int) -> str:
        variable = f"the environment variable {VARIABLE} or --tiled-key"
        if not self.key:
            return f"the server wants an API key; give it by {variable}."
        reason = (
            "does not know the API key that was given"
            if status == 401
            else "does not let this API key do that"
        )
        return f"the server {reason}; give another by {variable}."

    def _make_error(self, error: Exception, address: Address) -> SasnetError:
        """What went wrong on the way; the server may come back."""
        if isinstance(error, self._httpx.HTTPStatusError):
            status = error.response.status_code
            if status in _AWAY:
                return self._away(address, f"status {status}")
            return SasnetError(f"{address}: {self._describe_refusal(status)}")
        never = self._httpx.UnsupportedProtocol, self._httpx.LocalProtocolError, self._httpx.InvalidURL
        if isinstance(error, (*never, UnicodeError)):
            return SasnetError(f"{address}: is not a valid address; check host and port.")
        reason = str(error).strip() or type(error).__name__
        return self._away(address, reason.rpartition("] ")[2].lower())

    def _away(self, address: Address, why: str) -> TechnicalError:
        return TechnicalError(
            str(address),
            printable(f"the server does not answer ({why}); see that it runs, and check the address"),
        )


def _check_key(key: str, address: Address) -> str:
    """The key, if it can be one; what it is, is not said."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SasnetError(f"{address}: the API key contains invalid characters; copy it again.")
    return key


def _detail(response: Any) -> str:
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = response.reason_phrase
    return printable(" ".join(str(detail).split())[:200])


# --- Rings when a container has something new: over a websocket, where the server streams what
# --- happens in it.

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
