"""Of which kind the images of a file are, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ...data.settings_tables import COMMON
from ...domains import DEFAULT, PAGES, Domain, ReadOptions, has_tags, recognise_domain, specification
from ...types import DataError, SasnetError
from ..settings import IMAGES


@dataclass(frozen=True)
class How:
    """How a user says that a file is read. Raises SasnetError for unknown kinds or settings."""

    kind: str = ""  #: Name of a domain; empty: as the file says.
    geometry: tuple[str, ...] = ()  #: ``name=value``, see `domains.ReadOptions`.

    def __post_init__(self) -> None:
        if self.kind not in ("", *titles()):
            raise SasnetError(f"{self.kind[:40]!r}: no such kind of image; choose {', '.join(titles())}.")
        longest = max(map(len, self.geometry), default=0)
        if len(self.geometry) > IMAGES.texts or longest > IMAGES.longest:
            raise SasnetError(
                f"Give at most {IMAGES.texts} settings name=value, each of {IMAGES.longest} characters."
            )
        # Names of files are for whoever may write beside the image.
        if any(setting.partition("=")[0].strip().endswith("_file") for setting in self.geometry):
            raise SasnetError("Give names of files in a TOML file next to the image, not here.")

    @property
    def reading(self) -> ReadOptions:
        return ReadOptions(geometry=self.geometry)


def how_of(body: Mapping[str, Any]) -> How:
    """Parse that from a question; errors as `How`."""
    return How(str(body.get("kind") or ""), tuple(map(str, body.get("geometry") or ())))


def titles() -> dict[str, str]:
    """Kinds of images and what is measured, by name."""
    return {name: specification(name).title for name in PAGES if name != DEFAULT}


def find_sure_kind(path: Path) -> str:
    """Detect a file's kind; empty if none is sure. Raises SasnetError if several are equally sure."""
    name = recognise_domain(path)
    return "" if name == DEFAULT else name


def settle_kind(path: str, reading: How) -> tuple[str, str]:
    """The kind that a file's images are read as, empty where it is to be chosen; and why, a sentence or
    none.
    """
    # A file that says it surely, but not all that this kind needs, is of another one if no third can read it.
    if reading.kind:
        return reading.kind, ""
    try:
        kind, reason = find_sure_kind(Path(path)), "The file does not give the kind of its images."
    except SasnetError as error:
        kind, reason = "", str(error)
    if kind:
        problem = _unread(path, kind, reading)
        if not problem:
            return kind, ""
        reason = f"Perhaps of {specification(kind).title}: {problem}"
    able = [name for name in titles() if name != kind and not _unread(path, name, reading)]
    if len(able) > 1:
        others = [name for name in titles() if name not in able]
        more = (
            f" With more settings of the geometry, {_listed(others)} are possible as well." if others else ""
        )
        reason = f"The file does not give the kind of its images. They can be read as {_listed(able)}.{more}"
    if len(able) == 1:
        title = specification(able[0]).title
        return able[0], f"Read as {title}: with the given geometry no other kind is possible."
    return "", reason


def _listed(names: Sequence[str]) -> str:
    """What kinds measure, the last after "or"."""
    *most, last = (specification(name).title for name in names)
    return f"{', '.join(most)} or {last}" if most else last


def _unread(path: str, kind: str, reading: How) -> str:
    try:
        image = measurement(path, specification(kind), 1, How(kind, reading.geometry))
    except SasnetError as error:
        return str(error)
    return "" if image is not None else "it holds no image."


def short(path: str, sentence: str) -> str:
    """A sentence without the folder of a file, which whoever asks knows."""
    return sentence.replace(f"{Path(path).parent}/", "")


def list_companions(path: Path) -> list[str]:
    """Names of files beside an image that say how it was measured, there or not."""
    return [path.with_suffix(".toml").name, COMMON]


def measurements(path: str, domain: Domain, reading: How) -> Iterator[Any]:
    return iter(domain.read(path, reading.reading))


def measurement(path: str, domain: Domain, number: int, reading_options: How = How()) -> Any | None:
    """One of them, by its number from 1; None where there are fewer."""
    if number == 1:
        return next(measurements(path, domain, reading_options), None)
    first = next(measurements(path, domain, reading_options), None)
    if first is not None and first.entry.startswith("frame "):  # stacks are read from there on
        reading = ReadOptions(entry=str(number), geometry=reading_options.geometry)
        return next(iter(domain.read(path, reading)), None)
    return next(islice(measurements(path, domain, reading_options), number - 1, None), None)


def readable(path: str, number: int, reading: How) -> Any:
    """Read an image for its picture alone, by the first kind that can; without a geometry if none reads with
    it. Raises DataError with the reason of a kind that gives tags, which needs least.
    """
    try:
        return _readable(path, number, reading)
    except SasnetError:
        return _readable(path, number, How())


def _readable(path: str, number: int, how: How) -> Any:
    problem: Exception | None = None
    # Kinds that say tags alone need no geometry: they read most.
    for domain in sorted(map(specification, titles()), key=has_tags, reverse=True):
        try:
            one = measurement(path, domain, number, How(geometry=how.geometry))
        except SasnetError as error:
            problem = problem or error
            continue
        if one is not None:
            return one
    raise problem or DataError(f"{path}: holds no image number {number}.")
