"""Entries of a Tiled server: what they say of themselves, and the numbers that they hold."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.failure import too_large
from ...data.limits import LIMITS
from ...types import DataError
from .address import Address
from .connection import Server, Wanted

ARRAY, TABLE, CONTAINER = "array", "table", "container"
#: Entries that are asked for at once.
PAGE = 50
_ARROW = "application/vnd.apache.arrow.file"
#: Arrays of more bytes are not asked for ahead: several of them would be held at once.
LARGE = 4 * 2**20


@dataclass(frozen=True)
class Node:
    """An entry."""

    address: Address
    family: str  #: "array", "table", "container" or another.
    metadata: Mapping[str, Any] = field(default_factory=dict)
    #: As the server has it: of an array its shape and type, of a table its columns.
    structure: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of an array; else empty."""
        return tuple(self.structure.get("shape", ())) if self.family == ARRAY else ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Columns of a table, or of an array of records."""
        if self.family == TABLE:
            return tuple(self.structure.get("columns", ()))
        kind = self.structure.get("data_type") or {}
        return tuple(one_field["name"] for one_field in kind.get("fields") or ())


@dataclass(frozen=True)
class Page:
    """Some entries of a container in the order in which they were made."""

    nodes: tuple[Node, ...]
    more: bool  #: There are others behind them.


def node_at(server: Server, address: Address) -> Node:
    """An entry; raises as `Server.get` does."""
    return _node(server.get("metadata", address)["data"], address)


def page_of(server: Server, container: Address, start: int, most: int, *, names_only: bool = False) -> Page:
    """List entries of a container from number `start` (0 first); `names_only` reads long containers fast.
    Errors as `Server.get`.
    """
    params: dict[str, Any] = {"page[offset]": start, "page[limit]": most}
    if names_only:
        params["fields"] = ""
    response = server.get("search", container, **params)
    nodes = tuple(_node(item, container.descend(item["id"])) for item in response["data"])
    return Page(nodes, bool((response.get("links") or {}).get("next")))


def _node(item: Mapping[str, Any], address: Address) -> Node:
    attributes = item.get("attributes") or {}
    family = str(attributes.get("structure_family") or "")
    return Node(address, family, attributes.get("metadata") or {}, attributes.get("structure") or {})


def ask_ahead(server: Server, node: Node) -> None:
    """Ask for the numbers of an entry before they are read, if it holds one measurement that is not large."""
    if node.family == TABLE:
        server.ahead(_request_table(node))
    elif node.family == ARRAY and len(node.shape) <= 2:
        try:
            kind = _kind(node)
        except DataError:
            return
        if 0 < math.prod(node.shape) * kind.itemsize <= LARGE:
            server.ahead(_request_array(node, None))


def _kind(node: Node) -> np.dtype[Any]:
    """Type of an array's values, which are numbers or records of them."""
    from tiled.structures.array import ArrayStructure

    kind: np.dtype[Any] = ArrayStructure.from_json(node.structure).data_type.to_numpy_dtype()
    if kind.hasobject or (kind.names is None and kind.kind not in "biuf"):
        raise DataError(f"{node.address}: it holds {kind}, not numbers; give a measurement.")
    return kind


def _request_array(node: Node, part: int | None) -> Wanted:
    shape = node.shape if part is None else node.shape[1:]
    params = [("expected_shape", ",".join(map(str, shape)) or "scalar")]
    if part is not None:
        params.append(("slice", ",".join([str(part), *([":"] * len(shape))])))
    return Wanted("array/full", node.address, "application/octet-stream", tuple(params))


def _request_table(node: Node, column: str = "") -> Wanted:
    columns = (("column", column),) if column else ()
    # The server makes less of a table's one part than of the table.
    if node.structure.get("npartitions") == 1:
        return Wanted("table/partition", node.address, _ARROW, (("partition", "0"), *columns))
    return Wanted("table/full", node.address, _ARROW, columns)


def array(server: Server, node: Node, part: int | None = None) -> NDArray[Any]:
    """Read an array, or one frame from 0. Raises DataError for other data, errors of `Server.get`."""
    kind, shape = _kind(node), node.shape if part is None else node.shape[1:]
    size = math.prod(shape)
    if size * kind.itemsize > LIMITS.array_bytes or size > LIMITS.pixels:
        raise too_large(str(node.address), f"{size:,} values", f"at most {LIMITS.pixels:,}")
    if not size:
        return np.zeros(shape, kind)
    content = server.data(_request_array(node, part))
    if len(content) != size * kind.itemsize:
        raise DataError(f"{node.address}: it is incomplete; write it again.")
    return np.frombuffer(content, kind).reshape(shape)


def table(server: Server, node: Node, column: str = "") -> dict[str, NDArray[Any]]:
    """Columns of numbers of a table, or the one of a name; raises as `array`."""
    import pyarrow

    content = server.data(_request_table(node, column))
    try:
        arrow_table = pyarrow.ipc.open_file(io.BytesIO(content)).read_all()
    except pyarrow.ArrowInvalid as error:
        raise DataError(f"{node.address}: its table cannot be read; write it again.") from error
    numbers = (pyarrow.types.is_integer, pyarrow.types.is_floating, pyarrow.types.is_boolean)
    return {
        name: column.to_numpy()
        for name, column in zip(arrow_table.column_names, arrow_table.columns, strict=True)
        # pandas keeps the index of a table as a column with such a name.
        if any(is_one(column.type) for is_one in numbers) and not name.startswith("__")
    }
