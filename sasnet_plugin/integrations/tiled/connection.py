"""Requests to a Tiled server: failures become sentences, and that the server is away is told apart."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...data.failure import too_large
from ...data.limits import LIMITS
from ...types import SasnetError, TechnicalError, describe_install, printable
from .address import Address

if TYPE_CHECKING:
    import httpx

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
