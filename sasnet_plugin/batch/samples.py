"""Which files of a batch are curves of one sample: those in whose paths a pattern finds the same."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..types import SasnetError
from .plan import stamp

#: Behind the name of a sample, so that it is no file's.
MARK = " (together)"


@dataclass(frozen=True)
class Grouped:
    """What a batch is to answer, one row each, or one for each data set of a file."""

    names: list[str]  #: Files that stand alone, and samples at the place of their first file.
    files: Mapping[str, tuple[str, ...]]  #: Of each sample.


def _match_files(paths: Sequence[str], pattern: str) -> dict[tuple[str, ...], list[str]]:
    """Files by what the groups match in their names."""
    files: dict[tuple[str, ...], list[str]] = {}
    searched = compile_pattern(pattern)
    folder = _folder(paths) if paths else ""
    for path in paths:
        match = searched.search(os.path.relpath(path, folder).replace(os.sep, "/"))
        if match is not None:
            files.setdefault(_key(match), []).append(path)
    if paths and not files:
        raise SasnetError(
            f"{pattern}: matches none of the {len(paths)} files, such as"
            f" {os.path.relpath(paths[0], folder)}; for example, '(.*)_[^_]*' groups files whose names are"
            " equal up to the last _."
        )
    return files


def group_files(paths: Sequence[str], pattern: str | None) -> Grouped:
    """Group files into samples by a regular expression, searched in each name below the common folder (``/``
    between folders).
    """
    # Files with the same groups (or the same whole match) are one sample; others stand alone. Raises
    # SasnetError if the expression is invalid or nothing matches.
    if pattern is None:
        return Grouped(list(paths), {})
    files_by_key = _match_files(paths, pattern)
    samples = {_name(key, files): tuple(files) for key, files in files_by_key.items() if len(files) > 1}
    return Grouped(_order_names(paths, samples), samples)


def _order_names(paths: Sequence[str], samples: dict[str, tuple[str, ...]]) -> list[str]:
    """Files in their order, each sample in the place of its first one."""
    first = {files[0]: name for name, files in samples.items()}
    other_paths = {path for files in samples.values() for path in files[1:]}
    return [first.get(path, path) for path in paths if path not in other_paths]


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a user's regular expression; SasnetError if it is invalid."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise SasnetError(
            f"{pattern!r} is not a regular expression ({error}); write, for example, '(.*)_[^_]*'."
        ) from None


def _key(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(part or "" for part in match.groups()) or (match.group(),)


def _name(key: tuple[str, ...], files: Iterable[str]) -> str:
    """Name a sample by its match in the folder its files have in common, which lasts while its folders do."""
    return os.path.join(_folder(files), "_".join(part.strip("/").replace("/", "_") for part in key)) + MARK


def _folder(paths: Iterable[str]) -> str:
    return os.path.commonpath([os.path.dirname(path) for path in paths])


def stamp_of(name: str, files: Sequence[str] = ()) -> tuple[int, int]:
    """Size and time of a file's last change; of a sample their sum, and a number that tells all of them."""
    if not files:
        return stamp(name)
    stamps = [(path, *stamp(path)) for path in sorted(files)]
    digest = hashlib.sha256(repr(stamps).encode("utf-8", "surrogateescape")).digest()
    return sum(size for _, size, _ in stamps), int.from_bytes(digest[:7], "big")
