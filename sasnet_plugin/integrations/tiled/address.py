"""Where an entry of a Tiled server is: ``tiled:http://host:port/path``; a key in it is never shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ...names import TILED
from ...types import SasnetError, printable

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
