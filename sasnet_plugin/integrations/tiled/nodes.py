"""Entries of a Tiled server: what they say of themselves, and the measurements in them.

What a file says in its header stands in the metadata of an entry or of what it lies in: ``domain``, and for
images ``geometry``, a table of settings; units of columns as NXcanSAS, xarray and people write them.
"""

from __future__ import annotations

import io
import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.limits import LIMITS, too_large
from ...data.load import curves_of_columns, quantity
from ...domains import DEFAULT, PAGES, Domain, ReadOptions, specification
from ...names import is_tiled
from ...types import DataError, SasnetError, TechnicalError
from .connection import Address, Server, Wanted, address_of

# --- Entries of a Tiled server: what they say of themselves, and the numbers that they hold.

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


# --- The measurements of an entry: columns become curves, arrays of rows and columns images, as
# --- files would.

#: An array of at most so many rows or columns is one of columns, not an image.
COLUMNS = 6
#: Arrays of a data set that are looked at.
CHILDREN = 32
#: What an array of columns without names holds, as a file of columns does.
_UNNAMED = ("q", "I", "dI", "dq")
#: Settings that name files: those of another machine are none of ours.
_OF_FILES = frozenset({"mask_file", "empty_file", "dataset"})
_UNIT_KEYS = ("units", "unit", "@units")
_Q, _I, _ERROR = "q", "intensity", "dintensity"


@dataclass(frozen=True)
class Entry:
    """An entry as it is to be read."""

    node: Node
    domain: Domain  #: Of its measurements.
    parts: int  #: How many there are.
    children: tuple[Node, ...] = ()  #: Of a data set: its arrays.
    inherited: Mapping[str, Any] | None = None  #: Metadata of what it lies in, below its own.

    @property
    def metadata(self) -> dict[str, Any]:
        """Its own, over those of what it lies in."""
        return {**(self.inherited or {}), **self.node.metadata}

    @property
    def complete(self) -> bool:
        """Whether nothing more is to be waited for: a single array, or q, I and dI."""
        quantities = {_Q, _I, _ERROR}
        return not self.children or quantities <= {quantity(child.address.name) for child in self.children}


def domain_named(metadata: Mapping[str, Any], domain: str | None, place: object) -> str | None:
    """Return the domain given or named by metadata, or None. Raises DataError if unknown."""
    name = domain or metadata.get("domain")
    if name is None or name in PAGES:
        return name
    raise DataError(
        f"{place}: its metadata say domain = {str(name)[:40]!r}; write one of {', '.join(PAGES)}, or give"
        " --domain."
    )


def entry_of(
    server: Server, node: Node, domain: str | None, inherited: Mapping[str, Any] | None = None
) -> Entry:
    """Find what an entry holds; a given domain overrides metadata. Raises DataError if nothing known."""
    domain_name = domain_named({**(inherited or {}), **node.metadata}, domain, node.address)
    curves = specification(DEFAULT)
    if node.family == TABLE or node.fields:
        return Entry(node, curves, 1, inherited=inherited)
    if node.family == ARRAY:
        return _make_array_entry(node, domain_name, inherited)
    if node.family == CONTAINER:
        return _make_container_entry(server, node, domain, inherited)
    raise DataError(
        f"{node.address}: it is of the type {node.family!r}; give tables, arrays or containers of these."
    )


def _make_array_entry(node: Node, domain: str | None, inherited: Mapping[str, Any] | None) -> Entry:
    shape = node.shape
    if len(shape) == 2 and 2 <= min(shape) <= COLUMNS and domain in (None, DEFAULT):
        return Entry(node, specification(DEFAULT), 1, inherited=inherited)
    if len(shape) not in (2, 3):
        size = " x ".join(map(str, shape)) or "one"
        raise DataError(f"{node.address}: it holds {size} values; give columns q, I, dI, or images.")
    if domain is None or domain == DEFAULT:
        other_names = ", ".join(name for name in PAGES if name != DEFAULT)
        raise DataError(
            f"{node.address}: it contains an image, not a curve; give its kind with --domain, or as"
            f" domain in its metadata: {other_names}."
        )
    return Entry(node, specification(domain), 1 if len(shape) == 2 else shape[0], inherited=inherited)


def _make_container_entry(
    server: Server, node: Node, domain: str | None, inherited: Mapping[str, Any] | None
) -> Entry:
    page = page_of(server, node.address, 0, CHILDREN)
    arrays = tuple(one_node for one_node in page.nodes if one_node.family == ARRAY)
    roles = {quantity(one_node.address.name): one_node for one_node in arrays}
    if _Q in roles and _I in roles:
        frames = roles[_I].shape
        return Entry(node, specification(DEFAULT), frames[0] if len(frames) == 2 else 1, arrays, inherited)
    if len(page.nodes) == 1 and not page.more:
        return entry_of(server, page.nodes[0], domain, {**(inherited or {}), **node.metadata})
    if not page.nodes:
        raise DataError(f"{node.address}: it is empty; write arrays q, I and dI, or a table, into it.")
    names = ", ".join(one_node.address.name for one_node in page.nodes[:5])
    raise DataError(
        f"{node.address}: it holds no arrays called q and I, but {names}{' …' if page.more else ''}; give"
        " the path of the measurements themselves."
    )


def read(
    server: Server, entry: Entry, options: ReadOptions, start: int = 0, *, whole: bool = True
) -> Iterator[Any]:
    """Yield measurements of an entry from number `start`, or a DataError for an unusable one; unless `whole`,
    zeros throughout are not there yet. Raises SasnetError as `nodes.array`, or if it is not there yet.
    """
    if entry.domain.name == DEFAULT:
        yield from _curves(server, entry, options, start, whole)
        return
    for part in range(start, entry.parts):
        values = array(server, entry.node, part if len(entry.node.shape) == 3 else None)
        _see_it_is_there(values, entry.node.address, whole)
        try:
            yield _image(values, entry, options, part)
        except TechnicalError:
            raise
        except SasnetError as error:
            yield error


def _see_it_is_there(values: NDArray[Any], place: object, whole: bool) -> None:
    if not whole and values.dtype.names is None and not values.any():
        raise DataError(f"{place}: all its values are zero; write the measured values.")


def _curves(server: Server, entry: Entry, options: ReadOptions, start: int, whole: bool) -> Iterator[Any]:
    if options.geometry:
        raise DataError(f"{entry.node.address}: --geometry is for images; a curve has none.")
    if entry.children:
        yield from _read_data_set(server, entry, options, start, whole)
    elif start == 0:
        node = entry.node
        columns = table(server, node) if node.family == TABLE else _columns_of(array(server, node), entry)
        units = {name: _unit(name, entry.metadata) for name in columns}
        yield curves_of_columns(columns, str(node.address), options, units, node.address.name)[0]


def _read_data_set(
    server: Server, entry: Entry, options: ReadOptions, start: int, whole: bool
) -> Iterator[Any]:
    place, name = str(entry.node.address), entry.node.address.name
    arrays = [child for child in entry.children if _belongs_to_curve(child)]
    values = _values(server, arrays)
    for child in arrays:
        _see_it_is_there(values[child.address.name], child.address, whole)
    units = {
        child.address.name: _unit(child.address.name, {**entry.metadata, **_own(child)}) for child in arrays
    }
    if all(value.ndim == 1 for value in values.values()):
        yield curves_of_columns(values, place, options, units, name)[0]
        return
    for part in range(start, entry.parts):
        columns = {key: value[part] if value.ndim == 2 else value for key, value in values.items()}
        try:
            yield curves_of_columns(columns, place, options, units, f"{name} {part + 1}")[0]
        except DataError as error:
            yield error


def _values(server: Server, arrays: Iterable[Node]) -> dict[str, NDArray[Any]]:
    for node in arrays:
        ask_ahead(server, node)
    try:
        return {node.address.name: array(server, node) for node in arrays}
    except BaseException:
        server.forget()
        raise


def _belongs_to_curve(node: Node) -> bool:
    return bool(quantity(node.address.name)) and 1 <= len(node.shape) <= 2


def _own(node: Node) -> dict[str, Any]:
    """The unit of an array of a data set, also from its attributes as xarray has them, under its name."""
    attrs = node.metadata.get("attrs")
    metadata = {**(attrs if isinstance(attrs, Mapping) else {}), **node.metadata}
    unit = _text_of(metadata, _UNIT_KEYS)
    return {node.address.name: {"units": unit}} if unit else {}


def _unit(name: str, metadata: Mapping[str, Any]) -> str:
    """The unit of a column: by ``units``, a table of them; under its own name, as NXcanSAS; or ``q_unit``."""
    tables = (metadata.get(key) for key in _UNIT_KEYS)
    unit = next(filter(None, (_text_of(lookup, (name,)) for lookup in tables)), "")
    unit = unit or _text_of(metadata.get(name), _UNIT_KEYS)
    return unit or (_text_of(metadata, ("q_unit", "q_units")) if quantity(name) == _Q else "")


def _text_of(lookup: object, keys: Iterable[str]) -> str:
    """The first of some values of a table that is a text; empty where there is none, or no table."""
    if not isinstance(lookup, Mapping):
        return ""
    return next((lookup[key] for key in keys if isinstance(lookup.get(key), str)), "")


def _columns_of(values: NDArray[Any], entry: Entry) -> dict[str, NDArray[Any]]:
    """Columns of an array of records, or of one with as many rows or columns as a curve has quantities."""
    if values.dtype.names:
        return {name: values[name] for name in values.dtype.names}
    across = values if values.shape[0] <= values.shape[1] else values.T
    columns = entry.metadata.get("columns")
    if isinstance(columns, (list, tuple)) and len(columns) == len(across):
        return {str(name): column for name, column in zip(columns, across, strict=True)}
    if len(across) > len(_UNNAMED):
        raise DataError(
            f"{entry.node.address}: it has {len(across)} columns without names; name them by columns in its"
            " metadata, such as [q, I, dI]."
        )
    return dict(zip(_UNNAMED, across, strict=False))


def _image(values: NDArray[Any], entry: Entry, options: ReadOptions, part: int) -> Any:
    place = str(entry.node.address)
    settings = _geometry(entry.metadata, place)
    settings.update(setting.partition("=")[::2] for setting in options.geometry)
    geometry = tuple(f"{name.strip()}={value.strip()}" for name, value in settings.items())
    with tempfile.TemporaryDirectory(prefix="sasnet-tiled-") as folder:
        path = Path(folder) / "image.npy"
        np.save(path, values, allow_pickle=False)
        reading = replace(options, geometry=geometry, entry=None, failed=None)
        try:
            image = next(iter(entry.domain.read(str(path), reading)))
        except SasnetError as error:
            raise DataError(str(error).replace(str(path), place)) from error
    title = entry.node.address.name if entry.parts == 1 else f"{entry.node.address.name} {part + 1}"
    return replace(image, file=place, entry=title)


def _geometry(metadata: Mapping[str, Any], place: str) -> dict[str, str]:
    """Read an image's settings as texts. Raises DataError if they are no table, or name a file."""
    geometry = metadata.get("geometry", {})
    if not isinstance(geometry, Mapping):
        raise DataError(
            f"{place}: geometry in its metadata is not a table; write, for example, {{'distance': 4000}}."
        )
    for name in geometry:
        if name in _OF_FILES:
            raise DataError(
                f"{place}: geometry in its metadata names a file in {name}; give this file with --geometry."
            )
    return {str(name): json.dumps(value) for name, value in geometry.items()}


# --- What an address stands for: one measurement, or a container of them; and what these inherit.

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


# --- Entries of Tiled servers read one after the other, as files are.


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
