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


def open_node(server: Server, address: Address, domain: str | None) -> Node:
    """What an address stands for; a data set is a measurement, and no place for entries (`is_place`)."""
    node = node_at(server, address)
    if node.family == CONTAINER and not _is_data_set(server, node, domain):
        return replace(node, family=PLACE)
    return node


def open_with_metadata(server: Server, address: Address, domain: str | None) -> tuple[Node, dict[str, Any]]:
    """Open an address with the metadata that measurements inherit from above and from a place."""
    root = open_node(server, address, domain)
    above: dict[str, Any] = {}
    for depth in range(len(address.path)):
        try:
            above |= node_at(server, replace(address, path=address.path[:depth])).metadata
        except TechnicalError:
            raise
        except SasnetError:  # a key may be for a part of a server alone
            continue
    return root, {**above, **root.metadata} if is_place(root) else above


def is_place(node: Node) -> bool:
    return node.family == PLACE


def _is_data_set(server: Server, node: Node, domain: str | None) -> bool:
    try:
        entry = entry_of(server, node, domain)
    except TechnicalError:
        raise
    except SasnetError:
        return False
    return bool(entry.children) and entry.node.address == node.address


def kind_of(server: Server, address: Address, domain: str | None) -> str:
    """Return an address' kind of measurement: given, by metadata, or of its first entry; curves if empty.
    Raises SasnetError as `measured.entry_of` of a single measurement, or `Server.get`.
    """
    root, above = open_with_metadata(server, address, domain)
    if not is_place(root):
        return entry_of(server, root, domain, above).domain.name
    domain_name = domain_named(above, domain, address)
    first = next(iter(page_of(server, address, 0, 1).nodes), None) if domain_name is None else None
    return domain_name or (first and domain_named(first.metadata, domain, first.address)) or DEFAULT


def holds_many(server: Server, address: Address, domain: str | None) -> bool:
    """Whether an address is a container whose entries are measurements."""
    return is_place(open_node(server, address, domain))


def entries_below(
    server: Server, address: Address, domain: str | None
) -> Iterator[tuple[Node, Mapping[str, Any]]]:
    """Entries that an address stands for, with the metadata of what they lie in: itself, or what it holds."""
    root, above = open_with_metadata(server, address, domain)
    if not is_place(root):
        yield root, above
        return
    done_count, has_more = 0, True
    while has_more:
        page = page_of(server, address, done_count, PAGE)
        yield from ((node, above) for node in page.nodes)
        done_count, has_more = done_count + len(page.nodes), page.more
