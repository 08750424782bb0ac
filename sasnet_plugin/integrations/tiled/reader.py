"""Entries of Tiled servers read one after the other, as files are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...domains import Domain, ReadOptions
from ...names import is_tiled
from ...types import DataError, SasnetError
from .address import Address, address_of
from .connection import Server
from .measured import entry_of, read
from .nodes import Node, node_at
from .places import entries_below, holds_many


class Reader:
    """Reads addresses, keeping a connection to each server; an empty key as for `Server`."""

    def __init__(self, key: str, domain: str | None) -> None:
        self._key, self._domain = key, domain
        self._servers: dict[str, Server] = {}
        # The entry that was listed last: it is read next.
        self._newest: tuple[str, Node, Mapping[str, Any]] | None = None

    def close(self) -> None:
        for server in self._servers.values():
            server.close()

    def many(self, arguments: Iterable[str]) -> bool:
        """Whether a container of measurements is among some arguments; raises as `Server.get`."""
        addresses = [address_of(one) for one in arguments if is_tiled(one)]
        try:
            return any(holds_many(self._server(at), at, self._domain) for at in addresses)
        except BaseException:
            self.close()
            raise

    def expanded(self, arguments: Iterable[str]) -> Iterator[str]:
        """Arguments with each address of a container replaced by those of its entries."""
        for argument in arguments:
            if not is_tiled(argument):
                yield argument
                continue
            at = address_of(argument)
            for node, inherited in entries_below(self._server(at), at, self._domain):
                file = str(node.address)
                self._newest = file, node, inherited
                yield file

    def read(self, file: str, options: ReadOptions) -> Iterator[tuple[Domain, Any]]:
        """Yield measurements of an entry with their domain, or a DataError for an unusable one. Raises
        SasnetError as `measured.entry_of` and `measured.read`, or for a part that is not there.
        """
        at = address_of(file)
        server = self._server(at)
        if self._newest is not None and self._newest[0] == file:
            _, node, inherited = self._newest
        else:
            node, inherited = node_at(server, at), {}
        entry = entry_of(server, node, self._domain, inherited)
        wanted = _number(options.entry, file)
        if wanted is not None and wanted > entry.parts:
            raise DataError(f"{file}: there is no measurement {wanted}; it holds {entry.parts}.")
        found = read(server, entry, options, (wanted or 1) - 1)
        for one in found:
            yield entry.domain, one
            if wanted is not None:
                return

    def _server(self, at: Address) -> Server:
        if at.server not in self._servers:
            self._servers[at.server] = Server(at, self._key)
        return self._servers[at.server]


def _number(entry: str | None, file: str) -> int | None:
    if entry is None:
        return None
    if not entry.isdecimal() or not 0 < int(entry) < 10**9:
        raise SasnetError(
            f"{file}: give the number of a measurement, from 1, with --entry; {entry} is not one."
        )
    return int(entry)
