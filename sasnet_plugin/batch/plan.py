"""What a batch is to do: how files are read and fitted, which need an answer, which are another shard's."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..data.sample.described import Described
from ..fitting.request import FileRequest
from ..fitting.task import FitOptions
from ..types import SasnetError
from ..zoo import bank_path
from .journal import Journal, Place, journal_of

# --- What a batch is to do: how files are read and fitted, which need an answer, which are another
# --- shard's.

#: Default limit for each of thousands of files, s. Evaluations take at most 8 s of it, as `costs` counts
#: them: ten thousand files in a night, 12 hours, of two processes.
TIME_LIMIT = 14.0
#: Of a fit, what changes its answer; the time is kept beside each answer, and more of it may be given later.
_DECIDES = tuple({f.name for f in fields(FitOptions)} - {"method", "time_limit", "workers", "also"})


@dataclass(frozen=True)
class Options:
    """How each file is read and fitted, as ``sasnet fit``, ``bumps`` and ``batch`` are told."""

    fit: FitOptions = FitOptions()
    window: tuple[float, float] | None = None  #: Only q within it, Å⁻¹.
    q_unit: str | None = None  #: Unit of q where the file is silent or wrong.
    entry: str | None = None  #: Only this entry of a file that holds several.
    wavelength: float | None = None  #: Å; of curves against an angle, where the file does not say it.
    #: What is known of samples of several files; None where each file stands alone.
    described: Described | None = None
    #: By path, ``q_unit`` and ``wavelength`` of files for which somebody has said them.
    readings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, request: FileRequest, readings: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    ) -> Options:
        """What a user asks; `readings` as of this class. Raises SasnetError as `options_of`."""
        from ..fitting.asked import options_of

        read = request.window, request.q_unit, request.entry, request.wavelength
        return cls(options_of(request), *read, readings=dict(readings))

    def as_dict(self) -> dict[str, Any]:
        """Return the options given, without defaults, for JSON."""
        options_given = asdict(self)
        fit = options_given.pop("fit")
        description = {name: fit[name] for name in _DECIDES} | options_given
        description["plugins"] = _plugins(self.fit.models or ())
        # A date in a sample file is no JSON.
        description["described"] = json.loads(json.dumps(description["described"], default=str))
        if self.window is not None:
            description["window"] = list(map(_finite, self.window))
        return {name: value for name, value in description.items() if value not in (None, {}, ())}

    def reading_of(self, path: str) -> dict[str, Any]:
        """Return how a file is read, as `data.load` takes it."""
        shared = {"q_unit": self.q_unit, "entry": self.entry, "wavelength": self.wavelength}
        return shared | dict(self.readings.get(path, {}))

    @property
    def digest(self) -> str:
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _content(path: str) -> str:
    """Short name of what a file holds; empty where it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
    except OSError:
        return ""


@cache
def version() -> str:
    """What answers: versions of sasnet and of what computes, and the network with its starting values."""
    from importlib.metadata import version as installed

    import sasnet_plugin

    bank = bank_path()
    # The manifest vouches for the network's own bytes.
    contents = [_content(str(file))[:6] for file in (bank.with_name("manifest.json"), bank)]
    parts = {"sasnet": sasnet_plugin.__version__} | {name: installed(name) for name in ("sasmodels", "bumps")}
    parts[bank.parent.name] = "-".join(contents)
    return ", ".join(f"{name} {value}" for name, value in parts.items())


@dataclass(frozen=True)
class Shard:
    """One of several jobs that share the files."""

    #: number, count: from 1 to `count`.
    number: int
    count: int

    def holds(self, path: str) -> bool:
        """Whether a file is this shard's; it stays so when files are added, whatever the order."""
        # A checksum would do for thousands of files; its last bits are the same for ten numbers in a row.
        digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1

    def make_output_path(self, out: Path) -> Path:
        return out.with_name(f"{out.stem}.shard-{self.number}-of-{self.count}{out.suffix}")


def shard_journals(out: Path) -> list[Path]:
    """Journals that shards of a batch left beside it."""
    pattern = re.escape(f"{out.stem}.shard-") + r"\d+-of-\d+" + re.escape(f"{out.suffix}.journal")
    try:
        names = sorted(os.listdir(out.absolute().parent))
    except OSError:
        return []
    return [out.with_name(name) for name in names if re.fullmatch(pattern, name)]


def absolute(paths: Iterable[str], out: Path, *also: Path | None) -> Iterator[str]:
    """Yield each file once under its full name, without what the batch writes itself."""
    # `also` names further files that are no measurements: a second table or figure, and descriptions of
    # samples.
    outputs = (out, out.with_suffix(".csv"), journal_of(out), *shard_journals(out), *filter(None, also))
    output_paths = {str(p.absolute()) for p in outputs}
    visited: set[str] = set()
    for path in paths:
        full = os.path.abspath(path)
        if full in visited or full in output_paths:
            continue
        visited.add(full)
        yield full


def stamp(path: str) -> tuple[int, int]:
    """Size (bytes) and time of the last change (ns) of a file; -1 where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def missing(
    paths: Iterable[str],
    journal: Journal,
    options: Options,
    limit: float,
    stamped: Callable[[str], tuple[int, int]] = stamp,
) -> list[str]:
    """List files without a valid answer, and at the end those that failed."""
    # `stamped` gives what identifies a version of a file: `stamp`, or that of a sample's files.
    digest, places = options.digest, journal.places
    missing_paths = [path for path in paths if not _holds(places.get(path), stamped(path), digest, limit)]
    return sorted(missing_paths, key=lambda path: path in places and places[path].failed)


def _holds(place: Place | None, current_stamp: tuple[int, int], digest: str, limit: float) -> bool:
    if place is None or place.failed or place.options != digest:
        return False
    if place.late and limit > place.limit:
        return False  # more time may find what there was no time for
    return (place.size, place.mtime) == current_stamp


def remarks(journal: Journal, paths_kept: Iterable[str]) -> Iterator[str]:
    """What there is to say of a journal: damaged lines, and answers to keep that another version gave."""
    if journal.damaged:
        yield (
            f"{journal.path}: {journal.damaged} of its lines are damaged (a bad disk or memory?) and"
            f" were skipped; files without an answer are fitted again."
        )
    for name, count in journal.versions(paths_kept).items():
        if name != version():
            yield (
                f"{journal.path}: {count} answers were made by {name or 'an earlier version'}, not by"
                f" {version()}, and are kept; see the column version. Choose another name with --out to fit"
                f" all with this version."
            )


def _finite(edge: float) -> float | None:
    """Replace infinity, which JSON does not know, by None."""
    return None if math.isinf(edge) else edge


def _plugins(models: Iterable[str]) -> dict[str, Any]:
    """Another content of a plugin is another model."""
    return {name: _content(name) for name in models if name.endswith(".py")}


# --- Which files of a batch are curves of one sample: those in whose paths a pattern finds the
# --- same.

#: Behind the name of a sample, so that it is no file's.
MARK = " (together)"


@dataclass(frozen=True)
class Grouped:
    """What a batch is to answer, one row each, or one for each data set of a file."""

    names: list[str]  #: Files that stand alone, and samples at the place of their first file.
    files: Mapping[str, tuple[str, ...]]  #: Of each sample.


def _match_files(paths: Sequence[str], pattern: str) -> dict[tuple[str, ...], list[str]]:
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
    """Group files into samples by a regular expression, searched in each path below the common folder."""
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
