"""The measurements of an entry: columns become curves, arrays of rows and columns images, as files would.

What a file says in its header stands in the metadata of an entry or of what it lies in: ``domain``, and for
images ``geometry``, a table of settings; units of columns as NXcanSAS, xarray and people write them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.named import curves_of_columns, quantity
from ...domains import DEFAULT, PAGES, Domain, ReadOptions, specification
from ...types import DataError, SasnetError, TechnicalError
from .connection import Server
from .nodes import ARRAY, CONTAINER, TABLE, Node, array, ask_ahead, page_of, table

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
    """An image by the reader of files of its domain."""
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
