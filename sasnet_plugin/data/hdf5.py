"""HDF5 files as they are, not as they claim to be: links stay in the file, loops end, sizes are known first.

HDF5 lets a file point into others (external links, external storage, virtual data sets) and back into itself,
and lets a data set of any size take no room at all. What is read here is what lies in the file, and images in
files of the same folder, or below it, that a detector's master file links to or is put together from.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from itertools import filterfalse
from pathlib import Path
from typing import Any

import numpy as np

from ..types import DataError
from .limits import LIMITS

# --- HDF5 files as they are, not as they claim to be: links stay in the file, loops end, sizes are
# --- known first.

#: What h5py raises about damaged files.
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)
#: Soft links that are followed one after the other; detectors' master files have two.
_HOPS = 4
#: Filters up to this number are HDF5's own; the registered ones of others begin above.
_OWN_FILTERS = 255
#: Registered numbers of filters that hdf5plugin does not bring, or not everywhere, for the sentence.
_FILTERS = {
    305: "LZO", 307: "bzip2", 32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle", 32013: "ZFP",
    32015: "Zstandard", 32017: "SZ", 32018: "FCIDECOMP", 32019: "JPEG", 32026: "Blosc2",
}  # fmt: skip


@contextmanager
def open_file(path: Path, file: str) -> Iterator[Any]:
    """Open an HDF5 file; hdf5plugin's filters (bitshuffle, LZ4, Zstandard, Blosc) are imported only if
    needed. Raises DataError if a filter is missing.
    """
    import h5py

    with h5py.File(path, "r") as opened, _remember_dead_links(opened):
        wanting = _unknown_filters(opened)
        if wanting:
            with suppress(ImportError):  # an extra
                import_module("hdf5plugin")
            wanting = {number for number in wanting if not h5py.h5z.filter_avail(number)}
        try:
            yield opened
        except DAMAGE as error:
            if not wanting:
                raise
            raise _filters_missing(file, wanting) from error


#: Of each file that `open_file` has open, by HDF5's number of it: links that lead nowhere, as paths with the
#: hops that were left. Those of a chain of thousands would be followed again by every look through a group.
_DEAD_LINKS: dict[int, set[tuple[str, int]]] = {}


@contextmanager
def _remember_dead_links(opened: Any) -> Iterator[None]:
    import h5py

    number = h5py.h5o.get_info(opened.id).fileno
    _DEAD_LINKS[number] = set()
    try:
        yield
    finally:
        _DEAD_LINKS.pop(number, None)


def _filters_missing(file: str, wanting: set[int]) -> DataError:
    filter_names = ", ".join(f"{_FILTERS.get(number, 'unknown')} ({number})" for number in sorted(wanting))
    brings = "" if sys.modules.get("hdf5plugin") else " install hdf5plugin (pip install hdf5plugin), or"
    return DataError(
        f"{file}: it is compressed with an HDF5 filter that is not installed here, {filter_names};{brings}"
        " write it without (h5repack -f NONE)."
    )


def _unknown_filters(opened: Any) -> set[int]:
    """Numbers of the filters of a file's data sets that HDF5 does not know by itself."""
    import h5py

    wanting: set[int] = set()
    for _, item in own_items(opened):
        if isinstance(item, h5py.Dataset):
            properties = item.id.get_create_plist()
            numbers = {properties.get_filter(index)[0] for index in range(properties.get_nfilters())}
            wanting.update(filterfalse(h5py.h5z.filter_avail, (n for n in numbers if n > _OWN_FILTERS)))
    return wanting


def member(group: Any, path: str, hops: int = _HOPS) -> Any:
    """Return the member at a path, over at most `hops` soft links within the file; None if there is none."""
    item = group.file["/"] if path.startswith("/") else group
    for name in path.split("/"):
        item = item if name in ("", ".") else _own_member(item, name, hops)
    return None if is_outside(item) else item


def _own_member(group: Any, name: str, hops: int) -> Any:
    """What a name leads to in a group, over soft links; None where that is no group or has no such member."""
    import h5py

    if not isinstance(group, h5py.Group):
        return None
    # By its low-level functions: Group.get looks for a name three times.
    links, key = group.id.links, _as_key(name)
    if not links.exists(key):
        return None
    kind = links.get_info(key).type
    if kind == h5py.h5l.TYPE_SOFT:
        return _follow(group, links.get_val(key).decode("utf-8", "surrogateescape"), hops)
    return group[name] if kind == h5py.h5l.TYPE_HARD else None


def _as_key(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _follow(group: Any, path: str, hops: int) -> Any:
    """What a soft link in a group leads to, None where that is nothing or too far."""
    import h5py

    dead = _DEAD_LINKS.get(h5py.h5o.get_info(group.id).fileno) if path.startswith("/") else None
    if not hops or (dead is not None and (path, hops) in dead):
        return None
    item = member(group, path, hops - 1)
    if item is None and dead is not None:
        dead.add((path, hops))
    return item


def members(group: Any) -> Iterator[tuple[str, Any]]:
    for name in group:
        item = member(group, name)
        if item is not None:
            yield name, item


def walk_members(group: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield names and members of a group level by level, `depth` levels deep, at most `LIMITS.objects`."""
    import h5py

    waiting, count = [(group, 0)], 0
    while waiting and count < LIMITS.objects:
        inside, level = waiting.pop(0)
        for name, item in members(inside):
            count += 1
            yield name, item
            if isinstance(item, h5py.Group) and level < depth:
                waiting.append((item, level + 1))


def own_items(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield path and item of what lies below a group in this file, each once, at most `LIMITS.depth` deep."""
    # As h5py's ``visititems``, whose time grows as the square of the depth.
    yield from _own_items(group, "", LIMITS.depth, {_place(group)})


def _own_items(group: Any, within: str, depth: int, visited: set[Any]) -> Iterator[tuple[str, Any]]:
    import h5py

    # By its low-level functions: Group.get looks for a name three times.
    links = group.id.links
    for name in group:
        if links.get_info(_as_key(name)).type != h5py.h5l.TYPE_HARD:
            continue
        item = group[name]
        place = _place(item)
        if place in visited:
            continue
        visited.add(place)
        yield f"{within}{name}", item
        if isinstance(item, h5py.Group) and depth > 0:
            yield from _own_items(item, f"{within}{name}/", depth - 1, visited)


def external_links(group: Any) -> dict[str, Any]:
    """Links into other files below a group, ``h5py.ExternalLink`` by their paths; as deep as `own_items`."""
    import h5py

    groups = [("", group), *((f"{path}/", item) for path, item in own_items(group))]
    links = {
        f"{path}{name}": item.get(name, getlink=True)
        for path, item in groups
        if isinstance(item, h5py.Group)
        for name in item
    }
    return {path: link for path, link in links.items() if isinstance(link, h5py.ExternalLink)}


def _place(item: Any) -> Any:
    """Where an item lies in its file: the same for all links to it."""
    import h5py

    return h5py.h5o.get_info(item.id).addr


def is_outside(item: Any) -> bool:
    """Whether the values of a data set lie in another file."""
    import h5py

    if not isinstance(item, h5py.Dataset):
        return False
    return bool(item.is_virtual or item.id.get_create_plist().get_external_count())


def hollow(item: Any) -> bool:
    """Whether a data set claims more values than any compression gets into the room that it takes."""
    if item.is_virtual:
        return False
    return bool(item.nbytes > LIMITS.packing * max(item.id.get_storage_size(), 1))


@dataclass(frozen=True)
class Survey:
    """What one meets on the way down through all links."""

    elsewhere: str  #: The first thing that lies in another file; empty where there is none.
    flat: bool  #: It holds SASdata of two dimensions.


def survey(file: Any) -> Survey:
    """Look through an open file, at names and sizes alone."""
    looked = _Looked([(file["/"], 0)])
    while looked.goes_on:
        group, depth = looked.waiting.pop()
        for name in group:
            looked.take(group, name, depth)
    flat = any(name == "I" and item.ndim == 2 for name, item in looked.sets)
    return Survey(looked.elsewhere, flat)


@dataclass
class _Looked:
    """What was met so far, and groups with their depth that are still to be looked into."""

    waiting: list[tuple[Any, int]]
    sets: list[tuple[str, Any]] = field(default_factory=list)
    elsewhere: str = ""
    tame: bool = True
    objects: int = 0

    @property
    def goes_on(self) -> bool:
        return bool(self.waiting) and self.tame and self.objects < LIMITS.objects

    def take(self, group: Any, name: str, depth: int) -> None:
        import h5py

        self.objects += 1
        item, far = _follow_link(group, name)
        self.elsewhere = self.elsewhere or far
        self.tame &= item is None or _is_tame(item, depth)
        if isinstance(item, h5py.Group):
            self.waiting.append((item, depth + 1))
        elif isinstance(item, h5py.Dataset):
            self.sets.append((name, item))


def _follow_link(group: Any, name: str) -> tuple[Any, str]:
    """What a name stands for in this file, or None; and its path where that is in another one, else empty."""
    import h5py

    link = group.get(name, getlink=True)
    item = None if isinstance(link, h5py.ExternalLink) else member(group, name)
    if item is not None:
        return item, ""
    far = isinstance(link, h5py.ExternalLink) or _leads_somewhere(group, name)
    return None, f"{group.name}/{name}".replace("//", "/") if far else ""


def _leads_somewhere(group: Any, name: str) -> bool:
    """Whether HDF5 itself finds something at a link that `member` does not follow."""
    try:
        return isinstance(group.get(name, getclass=True), type)
    except DAMAGE:  # links that go round in a circle, or one after the other without end
        return False


def _is_tame(item: Any, depth: int) -> bool:
    import h5py

    kind = text(item.attrs.get("canSAS_class", item.attrs.get("NX_class", "")))
    if kind and not kind.isidentifier():
        return False
    if isinstance(item, h5py.Group):
        return depth < LIMITS.depth
    unit = item.attrs.get("units", item.attrs.get("unit", "")) if isinstance(item, h5py.Dataset) else ""
    return len(text(unit)) < LIMITS.title


def text(value: Any) -> str:
    """An attribute or a value that should be text, without blanks around it."""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    return value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else str(value).strip()


def unreadable(file: str, error: Exception) -> DataError:
    """The error for what stopped the reading: damage, as HDF5 says itself, or an unexpected layout."""
    if isinstance(error, OSError | RuntimeError) or "nable to" in str(error):
        return DataError(f"{file}: the HDF5 file is damaged or cut short; copy it again from its source.")
    return DataError(
        f"{file}: the content of the HDF5 file does not match the names of its groups and datasets ({error});"
        " export the curve as text or NXcanSAS."
    )


def not_followed(file: str, place: str) -> DataError:
    return DataError(
        f"{file}: {place} lies in another file, and links to other files are not followed; give that file, or"
        " one that holds the data itself (h5repack, h5copy)."
    )


# --- What HDF5 files name of others: followed in the same folder and below it, and nowhere else.


def resolve_link(name: str, path: Path) -> Path | None:
    """Resolve a file name in the file at `path`; None unless it lies in the same folder or below."""
    folder = path.resolve().parent
    if name == ".":
        return path
    target = (folder / name).resolve()
    return target if target.is_relative_to(folder) else None


def resolve_external_links(
    opened: Any, path: Path, file: str
) -> tuple[dict[str, tuple[Path, str]], dict[str, str]]:
    """Resolve external links to files of the same folder, and map missing ones. Raises DataError for a link
    to another folder, including by symbolic link.
    """
    links, missing = {}, {}
    for name, link in sorted(external_links(opened).items()):
        target = resolve_link(link.filename, path)
        if target is None or target == path.resolve() or link.filename == ".":
            raise not_followed(file, f"/{name}")
        if target.is_file():
            links[f"/{name}"] = target, link.path
        else:
            missing[f"/{name}"] = link.filename
    return links, missing


def find_lost_sources(item: Any, path: Path, file: str) -> list[str]:
    """Name missing sources of a virtual data set. Raises DataError for another folder, or nested ones."""
    lost: list[str] = []
    for name in sorted({source.file_name for source in item.virtual_sources()}):
        inside = {source.dset_name for source in item.virtual_sources() if source.file_name == name}
        lost += _find_lost_files(item, name, inside, path, file)
    return lost


def _find_lost_files(item: Any, name: str, places: set[str], path: Path, file: str) -> list[str]:
    """Names of files that are not there, of one that a virtual data set takes what lies in `places` from."""
    target = resolve_link(name, path)
    if target is None:
        raise not_followed(file, item.name)
    if not target.is_file():
        return [name]
    if name == ".":
        return _find_lost_links(item.file, places, path, file)
    if not _holds(target, places):
        raise not_followed(file, item.name)
    return []


def _holds(target: Path, places: set[str]) -> bool:
    """Whether the values at these places are in a file itself."""
    import h5py

    with h5py.File(target, "r") as opened:
        members_found = [member(opened, place) for place in places]
        return None not in members_found and not any(map(is_outside, members_found))


def _find_lost_links(opened: Any, places: set[str], path: Path, file: str) -> list[str]:
    """Names of files that are not there, of those in which a file's own links have what lies in `places`."""
    import h5py

    lost = []
    for place in sorted(places):
        link = opened.get(place, getlink=True)
        if not isinstance(link, h5py.ExternalLink):
            continue
        target = resolve_link(link.filename, path)
        if target is None:
            raise not_followed(file, place)
        if not target.is_file():
            lost.append(link.filename)
    return lost
