"""The list of data sets: those of the folder and those that were dropped, and what is known of each."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ...digits import significant
from ...files import put_whole
from ...fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from ...predict.classes import percent
from ...service.interactive import Asked, Line, Place, UnansweredError
from ...types import SasnetError, printable, product_name
from ...written import is_written_by_sasnet
from ..content import IMAGE_FORMATS, OTHERS, Images, Stamp, stamp_at
from ..settings import CURVES, WEB
from .history import CHOSEN, LOOKED, Record

# --- The list of data sets: those of the folder and those that were dropped, and what is known of
# --- each.

#: Names of the two folders in the addresses of files.
FOLDER, DROPPED = "folder", "dropped"


@dataclass
class Row:
    """A data set, or a file that was not read yet."""

    #: root, file: which folder, and the name in it, with "/".
    root: str
    file: str
    entry: int = 1  #: Number in the file, from 1.
    #: What `service.interactive.Desk.look` says; empty until the file was read.
    line: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""  #: Why there is nothing to be said.
    #: Of the best fit: ``level``, ``headline``, ``doubt``; empty where there was none.
    verdict: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Key by which the pages name the row."""
        return f"{self.root}:{self.file}#{self.entry}"

    @property
    def is_image(self) -> bool:
        """Whether it was seen to be one."""
        return "image" in self.line

    @cached_property
    def text(self) -> str:
        """Text that a search reads; kept, as each typed letter searches 10⁵ rows."""
        words = (self.line.get(name, "") for name in ("entry", "group", "model"))
        return "\n".join((self.file, *words)).casefold()


class Shelf:
    """The list of files in its folders (by `FOLDER` and `DROPPED`), each read in turn by `line`; `record`
    keeps answers, `without` (dropped files and results of fits) is no part of `FOLDER`, `live` rescans.
    """

    def __init__(
        self, roots: Mapping[str, Path], without: Path, record: Record, line: Line, *, live: bool = True
    ) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self._record, self._line = record, line
        self._folders = {root: Images(path, without) for root, path in roots.items()}
        self._rows: dict[tuple[str, str], list[Row]] = {}
        self._verdicts: dict[str, Mapping[str, Any]] = {}
        self._waiting: deque[tuple[str, str]] = deque()
        self._urgent: deque[tuple[str, str]] = deque()
        self._unread: set[tuple[str, str]] = set()
        self._known = {event.about: event.body for event in record.events(LOOKED)}
        #: File -> how it is read where somebody has said it: of an image as `images.service.kinds.How`, of
        #: curves the `Place.q_unit` and `Place.wavelength`.
        self._chosen = {event.about: event.body for event in record.events(CHOSEN)}
        self._closed, self._more = threading.Event(), threading.Event()
        self.scan()
        self._threads = [threading.Thread(target=self._read, daemon=True)]
        if live:
            self._threads.append(threading.Thread(target=self._watch, daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def remaining(self) -> int:
        """Files that are still to be read."""
        return len(self._unread)

    @property
    def pictures(self) -> int:
        """Pictures in the folders, which are no measurements."""
        return sum(images.pictures for images in self._folders.values())

    @property
    def files(self) -> int:
        """Files in the list, without looking at each."""
        return len(self._rows)

    def rows(self) -> list[Row]:
        with self.lock:
            return [row for rows in self._rows.values() for row in rows]

    def row(self, key: str) -> Row:
        """Return the row of a key. Raises SasnetError without one."""
        with self.lock:
            if row := self._find_row(key):
                return row
        name = printable(key.rpartition("#")[0].partition(":")[2] or key)[:200]
        if not name:
            raise SasnetError("No data set is open; choose one from the list.")
        raise SasnetError(f"{name}: is not in the list; it may have been removed.")

    def units_of_intensity(self, keys: Sequence[str]) -> list[str]:
        """Return the unit of I of each row's file; empty where it gives none or is not in the list."""
        with self.lock:
            rows = map(self._find_row, keys)
            return [row.line.get("intensity_unit", "") if row else "" for row in rows]

    def place(
        self,
        key: str,
        window: Sequence[float] | None = None,
        q_unit: str | None = None,
        wavelength: float | None = None,
    ) -> Place:
        """Where the data of a row are, read as said here, else as chosen; the unit "" is that of the file."""
        row = self.row(key)
        low_high = None if window is None else (float(window[0]), float(window[1]))
        place = self._place(row.root, row.file)
        return replace(
            place, entry=row.entry, window=low_high,
            q_unit=place.q_unit if q_unit is None else q_unit or None,
            wavelength=wavelength or place.wavelength,
        )  # fmt: skip

    def _place(self, root: str, file: str) -> Place:
        """A file, read as somebody has said."""
        options = self._chosen.get(f"{root}:{file}", {})
        path = str(self._folders[root].folder / file)
        return Place(path, q_unit=options.get("q_unit") or None, wavelength=options.get("wavelength"))

    def find_choice(self, key: str) -> Mapping[str, Any]:
        """How somebody has said that the file of a row is read; empty where nobody has."""
        row = self.row(key)
        return self._chosen.get(f"{row.root}:{row.file}", {})

    def geometry_of(self, path: Path, kind: str) -> tuple[str, ...]:
        """Return the geometry that somebody has given for a file as images of a kind; empty if none."""
        for root, images in self._folders.items():
            if path.is_relative_to(images.folder):
                chosen = self._chosen.get(f"{root}:{path.relative_to(images.folder)}", {})
                if chosen.get("kind") == kind:
                    return tuple(chosen.get("geometry") or ())
        return ()

    def kind_of(self, path: Path) -> str:
        """Return of which kind the images of a file are read in the list; empty where it is not known."""
        with self.lock:
            for root, images in self._folders.items():
                if path.is_relative_to(images.folder):
                    rows = self._rows.get((root, path.relative_to(images.folder).as_posix()), [])
                    return str(rows[0].line.get("image", "")) if rows else ""
        return ""

    def choose(self, key: str, options: Mapping[str, Any]) -> None:
        """Say how the file of a row is read; it is read anew."""
        row = self.row(key)
        self._record.add(CHOSEN, f"{row.root}:{row.file}", options)
        with self.lock:
            self._chosen[f"{row.root}:{row.file}"] = options
            self._put(row.root, row.file, [{}] * len(self._rows[row.root, row.file]), "")
            self._urgent.append((row.root, row.file))
        self._more.set()

    def read_first(self, rows: Sequence[Row]) -> None:
        """Read these first: somebody sees them."""
        for row in rows:
            address = row.root, row.file
            if not row.line and not row.problem and address not in self._urgent:
                self._urgent.append(address)
        self._more.set()

    def wait_for(self, keys: Sequence[str]) -> list[Row]:
        """Return the rows of keys once their files are read, or after `CURVES.look_seconds`."""
        end = time.monotonic() + CURVES.look_seconds
        self.read_first([self.row(key) for key in keys])
        while True:
            rows = [self.row(key) for key in keys]
            if all(row.line or row.problem for row in rows) or time.monotonic() > end:
                return rows
            time.sleep(0.05)

    def take_verdict(self, key: str, verdict: Mapping[str, Any]) -> None:
        """Take in what a fit of a data set says, unless an earlier one of the same reading fits better."""
        with self.lock:
            if _is_better(old := self._verdicts.get(key, {}), verdict):
                verdict = {**old, "best": f"best: {old['source']}"}
            self._verdicts[key] = verdict
            if row := self._find_row(key):
                row.verdict = verdict
            self.version += 1

    def forget_verdict(self, key: str) -> None:
        """No fit of a data set says anything."""
        with self.lock:
            self._verdicts.pop(key, None)
            if row := self._find_row(key):
                row.verdict = {}
            self.version += 1

    def scan(self) -> None:
        """See what is new, changed or gone."""
        for root, images in self._folders.items():
            stamps = images.look()
            with self.lock:
                gone_rows = [
                    address for address in self._rows if address[0] == root and address[1] not in stamps
                ]
                changed = images.take(stamps)
                for address in gone_rows:
                    del self._rows[address]
                    self._unread.discard(address)
                for file in changed:
                    self._take_in(root, file, stamps[file])
                if gone_rows or changed:
                    self.version += 1
        self._more.set()

    def close(self) -> None:
        self._closed.set()
        self._more.set()
        self._line.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def _find_row(self, key: str) -> Row | None:
        """The row of a key, where there is one; the caller holds the lock."""
        file, _, entry = key.rpartition("#")
        root, _, name = file.partition(":")
        return next((row for row in self._rows.get((root, name), []) if str(row.entry) == entry), None)

    def _take_in(self, root: str, file: str, stamp: Stamp) -> None:
        known_line, chosen = self._known.get(f"{root}:{file}", {}), self._chosen.get(f"{root}:{file}", {})
        as_known = known_line.get("stamp") == list(stamp[:2]) and known_line.get("chosen", {}) == chosen
        if as_known and self._stamp_companions(root, file, known_line["lines"]) == known_line.get(
            "beside", {}
        ):
            self._put(root, file, known_line["lines"], known_line["problem"])
        elif root == FOLDER and is_written_by_sasnet(self._folders[root].folder / file):
            self._rows.pop((root, file), None)  # no measurement; one that was dropped on the page is shown
        else:
            self._put(root, file, [{}], "")
            self._waiting.append((root, file))
            self._unread.add((root, file))

    def _put(self, root: str, file: str, lines: Sequence[Mapping[str, Any]], problem: str) -> None:
        rows = [Row(root, file, place, line, problem) for place, line in enumerate(lines or [{}], start=1)]
        for row in rows:
            row.verdict = self._verdicts.get(row.key, {})
        with self.lock:
            self._rows[root, file] = rows
            self._unread.discard((root, file))
            self.version += 1

    def _next(self) -> tuple[str, str] | None:
        with self.lock:
            for files in (self._urgent, self._waiting):
                while files:
                    address = files.popleft()
                    if (
                        address in self._rows
                        and not self._rows[address][0].line
                        and not self._rows[address][0].problem
                    ):
                        return address
        return None

    def _read(self) -> None:
        while not self._closed.is_set():
            address = self._next()
            if address is None:
                self._more.wait(WEB.scan_seconds)
                self._more.clear()
                continue
            self._try(lambda address=address: self._look(*address))  # type: ignore[misc]

    def _look(self, root: str, file: str) -> None:
        images = self._folders[root]
        stamp = images.stamp.get(file)
        if stamp is None:
            return
        lines: list[Mapping[str, Any]] = []
        problem, lasting = "", True
        chosen = self._chosen.get(f"{root}:{file}", {})
        try:
            lines = self._line.ask(Asked("look", self._place(root, file), dict(chosen)))
        except SasnetError as error:
            if self._closed.is_set():
                return
            problem = printable(str(error).replace(f"{images.folder}/", ""))
            # What a busy machine had no time for is read when the page is opened the next time.
            lasting = not isinstance(error, UnansweredError)
        if self._chosen.get(f"{root}:{file}", {}) != chosen:  # somebody has said meanwhile how it is read
            self._urgent.append((root, file))
            return
        companions = self._stamp_companions(root, file, lines)
        self._put(root, file, lines, problem)
        body = {
            "stamp": list(stamp[:2]), "lines": lines, "problem": problem, "chosen": chosen,
            "beside": companions,
        }  # fmt: skip
        if lasting:
            self._record.add(LOOKED, f"{root}:{file}", body)

    def _stamp_companions(self, root: str, file: str, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Files that say how an image was measured, and their stamps; a change of them is one of it."""
        images, (place, stroke, _) = self._folders[root], file.rpartition("/")
        names = [f"{place}{stroke}{name}" for name in (lines[0].get("beside", ()) if lines else ())]
        stamps = tuple((name, stamp_at(images.folder, name)) for name in names)
        if stamps:
            images.beside[file] = stamps
        return {name: list(stamp[:2]) for name, stamp in stamps if stamp is not None}

    def _watch(self) -> None:
        pause = WEB.scan_seconds
        while not self._closed.wait(pause):
            start_time = time.monotonic()
            self._try(self.scan)
            pause = WEB.scan_seconds * max(1.0, time.monotonic() - start_time)

    def _try(self, work: Callable[[], None]) -> None:
        """Whatever becomes of a folder or a disk, the next look has its turn."""
        try:
            work()
        except Exception:
            if not self._closed.is_set():
                self._closed.wait(1.0)


# --- Files that are dropped on the page: kept whole under their own names, in a folder that the
# --- page names.

#: Between looking for a free name and taking it nobody else may look: files of one name come at once.
_ONE_AT_A_TIME = threading.Lock()
#: Of what lies beside an image and says how it was measured.
_GEOMETRY = ".toml"
#: Device names and signs that some system does not take in a name.
_FORBIDDEN = frozenset('<>:"/\\|?*')


def drop(folder: Path, name: str, content: bytes, within: str = "") -> str:
    """Keep a file once and return its name in the folder. Raises SasnetError if it is too large, nameless,
    cannot be kept, or is a second geometry of one folder.

    `within` is the folder in which it was dropped: a geometry there holds for its images alone.
    """
    parts = [_name(part) for part in within.split("/") if part][: CURVES.deepest]
    place = folder.joinpath(*parts)
    return "/".join([*parts, _put(place, _name(name), content)])


def _put(folder: Path, own: str, content: bytes) -> str:
    """Keep a file of this name, or of one with a number; its name."""
    _check(own, content)
    digest = hashlib.sha256(content).digest()
    stem, ending = Path(own).stem, Path(own).suffix
    with _ONE_AT_A_TIME:
        for number in range(1, CURVES.most_dropped + 1):
            found = own if number == 1 else f"{stem} ({number}){ending}"
            path = folder / found
            if not path.exists():
                put_whole(path, content, "dropped file", make_folder=True)
                return found
            if path.is_file() and hashlib.sha256(path.read_bytes()).digest() == digest:
                return found
            _check_replaced(path)
    raise SasnetError(f"{own}: there are too many files of this name in {folder}.")


def _check_replaced(path: Path) -> None:
    """Raise SasnetError for a second geometry of the same name: under another name it would be nobody's."""
    if path.suffix.lower() == _GEOMETRY:
        raise SasnetError(
            f"{path.name}: a geometry file of this name was dropped before; change or remove {path}, or give"
            " the geometry in the tab Images."
        )


def _check(name: str, content: bytes) -> None:
    if Path(name).suffix.lower() in OTHERS - {_GEOMETRY}:
        raise SasnetError(
            f"{name}: this kind of file contains no curves or images of a measurement. Curves are read from"
            f" text, XML and HDF5, images from {IMAGE_FORMATS}."
        )
    if len(content) > CURVES.largest_file:
        most = CURVES.largest_file // 2**20
        raise SasnetError(
            f"{name}: has more than {most} MiB; start sasnet web with its folder instead of dropping it."
        )


def _name(name: str) -> str:
    """Return a name's last part in letters that file systems take. Raises SasnetError if empty."""
    last = name.replace("\\", "/").rpartition("/")[2]
    clean = "".join("_" if c in _FORBIDDEN or not c.isprintable() else c for c in last).strip().lstrip(".")
    while len(clean.encode()) > CURVES.longest_name:
        clean = clean[1:]  # the ending tells the format
    if not clean:
        raise SasnetError(f"{printable(name)[:80]!r}: is not a valid file name.")
    return clean


# --- The list as it is seen: searched, sorted, a window of it at a time.

#: Words of a search that mean a state instead of a name.
STATES = {
    "fitted": "those that were fitted",
    "unfitted": "those that were not",
    "explained": "those that a fit explains",
    "caution": "those with a caution",
    "unreadable": "files that hold no curve",
}
#: What is said of an image where the doubt beside it says all.
_OUTSIDE = "unlike what the network knows"
_LEVELS = {EXPLAINS: 3, DOUBTS: 2, DOES_NOT: 1}
_ORDERS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: (row.file.casefold(), row.entry),
    "answer": lambda row: (row.line.get("group", "~"), -(row.line.get("probability") or 0.0)),
    "probability": lambda row: -_number(_probability(row)),
    "doubt": lambda row: (not _doubt(row), row.file.casefold()),
    "state": lambda row: (-_LEVELS.get(row.verdict.get("level", ""), 0), bool(row.problem), not row.line),
}


def _is_better(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether an earlier verdict, of data that were read in the same way, is better."""
    levels = [_LEVELS.get(verdict.get("level", ""), 0) for verdict in (old, new)]
    return old.get("reading") == new.get("reading") and levels[0] > levels[1]


class Listing:
    """Keeps the last order, as a page scrolls through it."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._last: tuple[tuple[Any, ...], list[Row]] = ((), [])

    def rows(
        self, search: str, order: str, *, backwards: bool, images: bool = False
    ) -> tuple[int, list[Row]]:
        """Return the list's version and the rows that a search finds, in an order, maybe images alone. Raises
        SasnetError for an unknown order or a long search.
        """
        if order not in _ORDERS:
            raise SasnetError(f"{order[:40]!r}: no such sort order; choose {', '.join(_ORDERS)}.")
        if len(search) > CURVES.longest_search:
            raise SasnetError(
                f"The search has {len(search):,} characters; use at most {CURVES.longest_search}."
            )
        version = self._shelf.version
        key = version, search, order, backwards, images
        if self._last[0] != key:
            rows = [row for row in self._shelf.rows() if row.is_image or not images]
            words = search.casefold().split()
            found_rows = [row for row in rows if all(_has(row, word) for word in words)]
            found_rows.sort(key=_ORDERS[order], reverse=backwards)
            self._last = key, found_rows
        return version, self._last[1]


def _number(probability: float | None) -> float:
    return -1.0 if probability is None else probability


def _has(row: Row, word: str) -> bool:
    if word in STATES:
        level = row.verdict.get("level", "")
        states = {
            "fitted": bool(level), "unfitted": not level and bool(row.line), "explained": level == EXPLAINS,
            "caution": bool(_doubt(row)), "unreadable": bool(row.problem),
        }  # fmt: skip
        return states[word]
    return word in row.text


def _doubt(row: Row) -> str:
    return str(row.verdict.get("doubt") or row.problem or row.line.get("doubt", ""))


def describe_row(row: Row) -> dict[str, Any]:
    line = row.line
    return {
        "key": row.key, "file": row.file, "dropped": row.root == "dropped", "image": row.is_image,
        "kind": line.get("kind", ""), "thumb": line.get("thumb", ""), "further": line.get("further", False),
        "pixels": line.get("pixels"), "entry": line.get("entry", ""),
        "number": row.entry, "spark": line.get("spark", []), "points": line.get("points"),
        "answer": _answer(row), "probability": _probability(row), "doubt": _doubt(row),
        "state": _state(row), "level": row.verdict.get("level", ""), "read": bool(line or row.problem),
    }  # fmt: skip


def _probability(row: Row) -> float | None:
    """That of the classifier's answer; none of a fitted row, whose answer the classifier did not give."""
    return None if row.verdict.get("headline") else row.line.get("probability")


def _answer(row: Row) -> str:
    if headline := row.verdict.get("headline"):
        return str(headline)
    if not row.line:
        return ""
    if row.is_image:
        return _OUTSIDE if row.line["answer"] == row.line["doubt"] else str(row.line["answer"])
    model = product_name(row.line["model"], row.line["structure_factor"])
    text, group = f"{model} {percent(row.line['model_probability'])}", row.line["group"]
    # The group first: the column beside it has the group's probability, and a long answer is cut at its end.
    return text if group == row.line["model"] else f"{group} {percent(row.line['probability'])} · {text}"


def _state(row: Row) -> str:
    if level := row.verdict.get("level"):
        chisq = row.verdict.get("chisq")
        fitted = row.verdict.get("best", "fitted")
        return f"{fitted}, χ² {significant(chisq, 3)}" if chisq else str(level)
    if row.is_image:
        return "classified" if row.line["image"] else str(row.line["answer"])
    return "cannot be read" if row.problem else "classified" if row.line else "waits"


def select_window(rows: Sequence[Row], start: int, count: int) -> tuple[int, list[Row]]:
    """A window of the rows: its first place, and what lies in it."""
    first = min(max(start, 0), max(len(rows) - 1, 0))
    return first, list(rows[first : first + min(max(count, 0), CURVES.most_rows)])
