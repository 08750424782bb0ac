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
        wanted = {_Q, _I, _ERROR}
        return not self.children or wanted <= {quantity(one.address.name) for one in self.children}


def domain_named(metadata: Mapping[str, Any], given: str | None, where: object) -> str | None:
    """Return the domain given or named by metadata, or None. Raises DataError if unknown."""
    told = given or metadata.get("domain")
    if told is None or told in PAGES:
        return told
    raise DataError(
        f"{where}: its metadata say domain = {str(told)[:40]!r}; write one of {', '.join(PAGES)}, or give"
        " --domain."
    )


def entry_of(
    server: Server, node: Node, given: str | None, inherited: Mapping[str, Any] | None = None
) -> Entry:
    """Find what an entry holds; a given domain overrides metadata. Raises DataError if nothing known."""
    told = domain_named({**(inherited or {}), **node.metadata}, given, node.address)
    curves = specification(DEFAULT)
    if node.family == TABLE or node.fields:
        return Entry(node, curves, 1, inherited=inherited)
    if node.family == ARRAY:
        return _of_array(node, told, inherited)
    if node.family == CONTAINER:
        return _of_container(server, node, given, inherited)
    raise DataError(
        f"{node.address}: it is of the type {node.family!r}; give tables, arrays or containers of these."
    )


def _of_array(node: Node, told: str | None, inherited: Mapping[str, Any] | None) -> Entry:
    shape = node.shape
    if len(shape) == 2 and 2 <= min(shape) <= COLUMNS and told in (None, DEFAULT):
        return Entry(node, specification(DEFAULT), 1, inherited=inherited)
    if len(shape) not in (2, 3):
        size = " x ".join(map(str, shape)) or "one"
        raise DataError(f"{node.address}: it holds {size} values; give columns q, I, dI, or images.")
    if told is None or told == DEFAULT:
        others = ", ".join(name for name in PAGES if name != DEFAULT)
        raise DataError(
            f"{node.address}: it contains an image, not a curve; give its kind with --domain, or as"
            f" domain in its metadata: {others}."
        )
    return Entry(node, specification(told), 1 if len(shape) == 2 else shape[0], inherited=inherited)


def _of_container(
    server: Server, node: Node, given: str | None, inherited: Mapping[str, Any] | None
) -> Entry:
    page = page_of(server, node.address, 0, CHILDREN)
    arrays = tuple(one for one in page.nodes if one.family == ARRAY)
    roles = {quantity(one.address.name): one for one in arrays}
    if _Q in roles and _I in roles:
        frames = roles[_I].shape
        return Entry(node, specification(DEFAULT), frames[0] if len(frames) == 2 else 1, arrays, inherited)
    if len(page.nodes) == 1 and not page.more:
        return entry_of(server, page.nodes[0], given, {**(inherited or {}), **node.metadata})
    if not page.nodes:
        raise DataError(f"{node.address}: it is empty; write arrays q, I and dI, or a table, into it.")
    names = ", ".join(one.address.name for one in page.nodes[:5])
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


def _see_it_is_there(values: NDArray[Any], where: object, whole: bool) -> None:
    if not whole and values.dtype.names is None and not values.any():
        raise DataError(f"{where}: all its values are zero; write the measured values.")


def _curves(server: Server, entry: Entry, options: ReadOptions, start: int, whole: bool) -> Iterator[Any]:
    if options.geometry:
        raise DataError(f"{entry.node.address}: --geometry is for images; a curve has none.")
    if entry.children:
        yield from _of_data_set(server, entry, options, start, whole)
    elif start == 0:
        node = entry.node
        columns = table(server, node) if node.family == TABLE else _columns_of(array(server, node), entry)
        units = {name: _unit(name, entry.metadata) for name in columns}
        yield curves_of_columns(columns, str(node.address), options, units, node.address.name)[0]


def _of_data_set(
    server: Server, entry: Entry, options: ReadOptions, start: int, whole: bool
) -> Iterator[Any]:
    where, name = str(entry.node.address), entry.node.address.name
    arrays = [one for one in entry.children if _of_curve(one)]
    values = _values(server, arrays)
    for one in arrays:
        _see_it_is_there(values[one.address.name], one.address, whole)
    units = {one.address.name: _unit(one.address.name, {**entry.metadata, **_own(one)}) for one in arrays}
    if all(found.ndim == 1 for found in values.values()):
        yield curves_of_columns(values, where, options, units, name)[0]
        return
    for part in range(start, entry.parts):
        columns = {key: found[part] if found.ndim == 2 else found for key, found in values.items()}
        try:
            yield curves_of_columns(columns, where, options, units, f"{name} {part + 1}")[0]
        except DataError as error:
            yield error


def _values(server: Server, arrays: Iterable[Node]) -> dict[str, NDArray[Any]]:
    for one in arrays:
        ask_ahead(server, one)
    try:
        return {one.address.name: array(server, one) for one in arrays}
    except BaseException:
        server.forget()
        raise


def _of_curve(node: Node) -> bool:
    return bool(quantity(node.address.name)) and 1 <= len(node.shape) <= 2


def _own(node: Node) -> dict[str, Any]:
    """The unit of an array of a data set, also from its attributes as xarray has them, under its name."""
    attrs = node.metadata.get("attrs")
    own = {**(attrs if isinstance(attrs, Mapping) else {}), **node.metadata}
    unit = _text_of(own, _UNIT_KEYS)
    return {node.address.name: {"units": unit}} if unit else {}


def _unit(name: str, metadata: Mapping[str, Any]) -> str:
    """The unit of a column: by ``units``, a table of them; under its own name, as NXcanSAS; or ``q_unit``."""
    tables = (metadata.get(key) for key in _UNIT_KEYS)
    found = next(filter(None, (_text_of(told, (name,)) for told in tables)), "")
    found = found or _text_of(metadata.get(name), _UNIT_KEYS)
    return found or (_text_of(metadata, ("q_unit", "q_units")) if quantity(name) == _Q else "")


def _text_of(told: object, keys: Iterable[str]) -> str:
    """The first of some values of a table that is a text; empty where there is none, or no table."""
    if not isinstance(told, Mapping):
        return ""
    return next((told[key] for key in keys if isinstance(told.get(key), str)), "")


def _columns_of(values: NDArray[Any], entry: Entry) -> dict[str, NDArray[Any]]:
    """Columns of an array of records, or of one with as many rows or columns as a curve has quantities."""
    if values.dtype.names:
        return {name: values[name] for name in values.dtype.names}
    across = values if values.shape[0] <= values.shape[1] else values.T
    told = entry.metadata.get("columns")
    if isinstance(told, (list, tuple)) and len(told) == len(across):
        return {str(name): column for name, column in zip(told, across, strict=True)}
    if len(across) > len(_UNNAMED):
        raise DataError(
            f"{entry.node.address}: it has {len(across)} columns without names; name them by columns in its"
            " metadata, such as [q, I, dI]."
        )
    return dict(zip(_UNNAMED, across, strict=False))


def _image(values: NDArray[Any], entry: Entry, options: ReadOptions, part: int) -> Any:
    """An image by the reader of files of its domain."""
    where = str(entry.node.address)
    said = _geometry(entry.metadata, where)
    said.update(one.partition("=")[::2] for one in options.geometry)
    geometry = tuple(f"{name.strip()}={value.strip()}" for name, value in said.items())
    with tempfile.TemporaryDirectory(prefix="sasnet-tiled-") as folder:
        path = Path(folder) / "image.npy"
        np.save(path, values, allow_pickle=False)
        reading = replace(options, geometry=geometry, entry=None, failed=None)
        try:
            image = next(iter(entry.domain.read(str(path), reading)))
        except SasnetError as error:
            raise DataError(str(error).replace(str(path), where)) from error
    title = entry.node.address.name if entry.parts == 1 else f"{entry.node.address.name} {part + 1}"
    return replace(image, file=where, entry=title)


def _geometry(metadata: Mapping[str, Any], where: str) -> dict[str, str]:
    """Read an image's settings as texts. Raises DataError if they are no table, or name a file."""
    told = metadata.get("geometry", {})
    if not isinstance(told, Mapping):
        raise DataError(
            f"{where}: geometry in its metadata is not a table; write, for example, {{'distance': 4000}}."
        )
    for name in told:
        if name in _OF_FILES:
            raise DataError(
                f"{where}: geometry in its metadata names a file in {name}; give this file with --geometry."
            )
    return {str(name): json.dumps(value) for name, value in told.items()}
