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
        addresses = [address_of(argument) for argument in arguments if is_tiled(argument)]
        try:
            return any(holds_many(self._server(address), address, self._domain) for address in addresses)
        except BaseException:
            self.close()
            raise

    def expand(self, arguments: Iterable[str]) -> Iterator[str]:
        """Arguments with each address of a container replaced by those of its entries."""
        for argument in arguments:
            if not is_tiled(argument):
                yield argument
                continue
            address = address_of(argument)
            for node, inherited in entries_below(self._server(address), address, self._domain):
                file = str(node.address)
                self._newest = file, node, inherited
                yield file

    def read(self, file: str, options: ReadOptions) -> Iterator[tuple[Domain, Any]]:
        """Yield measurements of an entry with their domain, or a DataError for an unusable one. Raises
        SasnetError as `measured.entry_of` and `measured.read`, or for a part that is not there.
        """
        address = address_of(file)
        server = self._server(address)
        if self._newest is not None and self._newest[0] == file:
            _, node, inherited = self._newest
        else:
            node, inherited = node_at(server, address), {}
        entry = entry_of(server, node, self._domain, inherited)
        number = _number(options.entry, file)
        if number is not None and number > entry.parts:
            raise DataError(f"{file}: there is no measurement {number}; it holds {entry.parts}.")
        measurements = read(server, entry, options, (number or 1) - 1)
        for measurement in measurements:
            yield entry.domain, measurement
            if number is not None:
                return

    def _server(self, address: Address) -> Server:
        if address.server not in self._servers:
            self._servers[address.server] = Server(address, self._key)
        return self._servers[address.server]


def _number(entry: str | None, file: str) -> int | None:
    if entry is None:
        return None
    if not entry.isdecimal() or not 0 < int(entry) < 10**9:
        raise SasnetError(
            f"{file}: give the number of a measurement, from 1, with --entry; {entry} is not one."
        )
    return int(entry)
