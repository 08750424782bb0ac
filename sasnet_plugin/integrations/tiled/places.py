"""What an address stands for: one measurement, or a container of them; and what these inherit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...domains import DEFAULT
from ...types import SasnetError, TechnicalError
from .address import Address
from .connection import Server
from .measured import domain_named, entry_of
from .nodes import CONTAINER, PAGE, Node, node_at, page_of

#: A container whose entries are measurements.
PLACE = "place"


def opened(server: Server, at: Address, domain: str | None) -> Node:
    """What an address stands for; a data set is a measurement, and no place for entries (`is_place`)."""
    node = node_at(server, at)
    if node.family == CONTAINER and not _is_data_set(server, node, domain):
        return replace(node, family=PLACE)
    return node


def opened_with(server: Server, at: Address, domain: str | None) -> tuple[Node, dict[str, Any]]:
    """Open an address with the metadata that measurements inherit from above and from a place."""
    root = opened(server, at, domain)
    above: dict[str, Any] = {}
    for depth in range(len(at.path)):
        try:
            above |= node_at(server, replace(at, path=at.path[:depth])).metadata
        except TechnicalError:
            raise
        except SasnetError:  # a key may be for a part of a server alone
            continue
    return root, {**above, **root.metadata} if is_place(root) else above


def is_place(node: Node) -> bool:
    return node.family == PLACE


def _is_data_set(server: Server, node: Node, domain: str | None) -> bool:
    try:
        found = entry_of(server, node, domain)
    except TechnicalError:
        raise
    except SasnetError:
        return False
    return bool(found.children) and found.node.address == node.address


def kind_of(server: Server, at: Address, given: str | None) -> str:
    """Return an address' kind of measurement: given, by metadata, or of its first entry; curves if empty.
    Raises SasnetError as `measured.entry_of` of a single measurement, or `Server.get`.
    """
    root, above = opened_with(server, at, given)
    if not is_place(root):
        return entry_of(server, root, given, above).domain.name
    told = domain_named(above, given, at)
    first = next(iter(page_of(server, at, 0, 1).nodes), None) if told is None else None
    return told or (first and domain_named(first.metadata, given, first.address)) or DEFAULT


def holds_many(server: Server, at: Address, domain: str | None) -> bool:
    """Whether an address is a container whose entries are measurements."""
    return is_place(opened(server, at, domain))


def entries_below(
    server: Server, at: Address, domain: str | None
) -> Iterator[tuple[Node, Mapping[str, Any]]]:
    """Entries that an address stands for, with the metadata of what they lie in: itself, or what it holds."""
    root, above = opened_with(server, at, domain)
    if not is_place(root):
        yield root, above
        return
    done, more = 0, True
    while more:
        page = page_of(server, at, done, PAGE)
        yield from ((node, above) for node in page.nodes)
        done, more = done + len(page.nodes), page.more
