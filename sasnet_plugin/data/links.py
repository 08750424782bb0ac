"""What HDF5 files name of others: followed in the same folder and below it, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .hdf5 import external_links, is_outside, member, not_followed


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
