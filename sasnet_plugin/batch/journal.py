"""The journal of a batch: one line a file, on the disk before the next is begun.

A kill, a full disk or a power cut can tear its last line and no other; that line is cut off when the batch
goes on. Each line ends with a checksum of itself: one that a disk has changed is counted and passed over, and
its file is done again. HDF5 is made of the journal and may be thrown away. In memory there is one short entry
a file, so ten thousand files cost a few megabytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.limits import sentence_of
from ..types import Curve, SasnetError, product_name

if TYPE_CHECKING:
    from ..fitting.result.fit_result import FitResult
    from ..fitting.result.sample_result import JointFit, SampleResult


# --- The journal of a batch: one line a file, on the disk before the next is begun.

#: First line, by which a journal is known; and that of journals without checksums, which are read too.
HEADER = {"journal": "sasnet batch", "version": 2}
OLD_HEADER = HEADER | {"version": 1}
#: Keys without which a line without checksum is taken for damaged: of an answer, and of each of its rows.
_KEYS = {"file", "size", "mtime", "options", "limit", "late", "time", "rows"}
_ROW_KEYS = {"entry", "notes", "seconds", "error", "fits"}
Record = dict[str, Any]


class BatchError(SasnetError):
    """A results file or journal that cannot be read, written or shared."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the answer about a file lies, and what decides whether it still holds."""

    offset: int  #: Of the line, bytes.
    #: size, mtime: of the data file, bytes and nanoseconds.
    size: int
    mtime: int
    options: str  #: Digest of the options.
    limit: float  #: Time limit, s.
    failed: bool  #: A data set of it has no answer.
    late: bool  #: Time ran out.
    time: float  #: When it was answered, seconds since 1970.
    version: str  #: Of what answered it; empty in journals without checksums.


def journal_of(out: Path) -> Path:
    """The journal that belongs to a results file."""
    return out.with_name(out.name + ".journal")


class Journal:
    """A journal open for writing by one process, with the place of the last answer about each file. Raises
    BatchError if the file is no journal, cannot be written, or another batch is writing it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[str, Place] = {}
        self.options: dict[str, Any] = {}
        #: Lines that are not as they were written.
        self.damaged = 0
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise _unwritable(path, error) from error
        try:
            lock(self._fd, path)
            self._end = 0
            self.catch_up()
            os.ftruncate(self._fd, self._end)
            if self._end == 0:
                self._append(HEADER)
        except BaseException as error:
            os.close(self._fd)
            if isinstance(error, OSError):
                raise _unwritable(path, error) from error
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._fd)

    def catch_up(self) -> None:
        """Read lines that are on the disk only: all at first, later one whose writing Ctrl-C interrupted."""
        for offset, length, record in whole_lines(self.path):
            if offset >= self._end:
                self._end = offset + length
                self._take_in(offset, record)

    def versions(self, names: Iterable[str]) -> dict[str, int]:
        """Count the answers about these files by the version of sasnet that gave them."""
        versions: dict[str, int] = {}
        for name in names:
            version = self.places[name].version
            versions[version] = versions.get(version, 0) + 1
        return versions

    def name_options(self, digest: str, options: dict[str, Any]) -> None:
        if digest not in self.options:
            self._append({"options": digest, "are": options})
            self.options[digest] = options

    def add(self, record: Record) -> None:
        """Append the answer about a file; on the disk on return, else BatchError."""
        # The record holds ``file``, ``size``, ``mtime``, ``options``, ``limit``, ``late``, ``time``,
        # ``version`` and ``rows``.
        self._take_in(self._append(record), record)

    def take_over(self, other_path: Path) -> None:
        """Copy from another journal, a shard's, the answers that are missing here or older."""
        for _, _, record in whole_lines(other_path):
            if record is None:
                self.damaged += 1
            elif "file" in record:
                if self._is_newer(record):
                    self._take_in(self._append(record, sync=False), record)
            elif "options" in record:
                self.name_options(record["options"], record["are"])
        self._sync()

    def _sync(self) -> None:
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise self._full(error) from error

    def _is_newer(self, record: Record) -> bool:
        place = self.places.get(record["file"])
        return place is None or place.time < record["time"]

    def _take_in(self, offset: int, record: Record | None) -> None:
        if record is None:
            self.damaged += 1
        elif "file" in record:
            self.places[record["file"]] = _place(offset, record)
        elif "options" in record:
            self.options[record["options"]] = record["are"]

    def _append(self, record: Record, *, sync: bool = True) -> int:
        line = line_of(record)
        offset, rest = self._end, memoryview(line)
        try:
            os.lseek(self._fd, offset, os.SEEK_SET)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            if sync:
                os.fsync(self._fd)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, offset)
            raise self._full(error) from error
        self._end += len(line)
        return offset

    def _full(self, error: OSError) -> BatchError:
        advice = "make room and give the same command again, which goes on with what is kept"
        return _unwritable(self.path, error, advice)

    def records(self, names: Iterable[str] | None = None) -> Iterator[Record]:
        """The last answer about each file, or about those of some names; read from the disk one at a time."""
        # Without names, in the natural order of the files' names.
        try:
            with open(self.path, "rb") as file:
                for name in sorted(self.places, key=natural) if names is None else names:
                    file.seek(self.places[name].offset)
                    yield json.loads(file.readline())  # whole when it was taken in
        except OSError as error:
            raise BatchError(
                f"{self.path}: cannot be read ({error.strerror or error}); try again."
            ) from error


def line_of(record: Record) -> bytes:
    """A line of the journal: JSON, whose last key is the CRC-32 of what stands before it."""
    text = json.dumps(record)[:-1].encode("ascii")
    return text + b', "crc": "%08x"}\n' % zlib.crc32(text)


#: Bytes of a line from the comma before its checksum on.
_TAIL = len(b', "crc": "01234567"}\n')


def _record_of(line: bytes) -> Record | None:
    """What a line with a checksum says; None where it is not as it was written."""
    text, tail = line[:-_TAIL], line[-_TAIL:]
    if tail != b', "crc": "%08x"}\n' % zlib.crc32(text):
        return None
    record: Record = json.loads(text + b"}")
    return record


def _old_record_of(line: bytes) -> Record | None:
    """What a line without checksum says; None where it lacks what a line has."""
    try:
        content = json.loads(line)
        record: Record | None = content if {"options", "are"} <= content.keys() else None
        if _KEYS <= content.keys() and all(_ROW_KEYS <= row.keys() for row in content["rows"]):
            record = content
    except (ValueError, TypeError, AttributeError):
        return None
    return record


def whole_lines(path: Path) -> Iterator[tuple[int, int, Record | None]]:
    """Yield offset, length and content of each whole line of a journal, the first included. A damaged line
    has the content None; a last line torn by a kill is skipped. Raises BatchError if it is no journal.
    """
    with open(path, "rb") as file:
        head = file.readline()
        if not head.endswith(b"\n") and _header().startswith(head):
            return
        old = json.dumps(OLD_HEADER).encode("ascii") + b"\n"
        is_known = head in (old, _header())
        if not is_known and not any(map(_record_of, file)):
            raise BatchError(
                f"{path}: is not a journal of sasnet batch, in which it keeps the answers so far; choose"
                f" another name with --out."
            )
        yield 0, len(head), HEADER if is_known else None
        file.seek(len(head))
        yield from _read_following_lines(file, len(head), head == old)


def _read_following_lines(
    lines: Iterable[bytes], offset: int, old: bool
) -> Iterator[tuple[int, int, Record | None]]:
    """The lines behind the first; `old`: of a journal without checksums."""
    for line in lines:
        if not line.endswith(b"\n"):
            return
        record = _record_of(line)
        # What is appended to an old journal has checksums, and all behind it.
        old = old and record is None
        yield offset, len(line), _old_record_of(line) if old else record
        offset += len(line)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Key by which ``run9`` comes before ``run10``."""
    parts = re.split(r"(\d+)", name)
    return [(1, int(part), part) if k % 2 else (0, 0, part) for k, part in enumerate(parts)]


def _place(offset: int, record: Record) -> Place:
    return Place(
        offset, record["size"], record["mtime"], record["options"], record["limit"],
        any(row["error"] for row in record["rows"]), record["late"], record["time"],
        str(record.get("version", "")),
    )  # fmt: skip


def _header() -> bytes:
    return line_of(HEADER)


def lock(fd: int, path: Path) -> None:
    """Keep a second process out; the system unlocks when this process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows does not let two write one file anyway
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BatchError(
            f"{path}: another sasnet process is writing it; wait until it ends, or choose another name"
            f" with --out."
        ) from None
    except OSError:
        return  # a file system without locks


def _unwritable(path: Path, error: OSError, advice: str = "") -> BatchError:
    advice = advice or "name with --out a file in a folder that exists, may be written to and has room"
    return BatchError(f"{path}: cannot be written ({error.strerror or error}); {advice}.")


# --- An answer as the journal keeps it: plain dictionaries, one row a data set.

Row = dict[str, Any]


def make_fit_row(result: FitResult, rg_network: float | None, seconds: float) -> Row:
    """Return the row of a data set, with or without a fit; `rg_network` in Å, `seconds` of wall clock."""
    # A row that lacks candidates for a technical reason carries an error too, so that the next run repeats
    # it.
    curve = result.curve
    result_values = result.as_dict()
    rg = result_values["model_free"]["guinier"].get("rg", rg_network)
    row: Row = {
        "entry": curve.entry,
        "points": len(curve),
        "q_unit": curve.q_unit.cell_text,
        "q_min": float(curve.q[0]),
        "q_max": float(curve.q[-1]),
        "rg": rg,
        "rg_network": rg_network,
        "model_free": result_values["model_free"],
        **_protein_values(result_values),
        "verified": result.verified,
        "headline": result.verdict.headline,
        "doubt": result.verdict.doubt,
        "notes": list(result.notes),
        "seconds": seconds,
        "error": "",
        "fits": [
            fit
            | {
                "probability": fit_found.probability,
                "distributions": dict(fit_found.distributions),
                # By which the fit's curve is calculated again, to the same points.
                "per_decade": fit_found.per_decade,
                "pd_points": fit_found.pd_points,
            }
            for fit, fit_found in zip(result_values["fits"], result.fits, strict=True)
        ],
    }
    if result.unanswered:
        names = ", ".join(result.unanswered)
        row["error"] = f"{curve.file}: incomplete without {names}; the notes say why; give the command again."
    if result.best is None and result.constant is None:
        row["error"] = f"{curve.file}: no model could be fitted; the notes say why."
    return row


def _protein_values(result_values: Mapping[str, Any]) -> Row:
    """The numbers of a protein, or of compact particles that no model fits; without p(r)."""
    values = result_values.get("protein")
    return {} if values is None else {"protein": {k: v for k, v in values.items() if k != "p_of_r"}}


def record_assumed_resolution(read: Curve, fitted: Curve) -> Row:
    """What the row says more where a resolution was assumed that the file does not have: σ of q (n,), 1/Å."""
    if fitted.dq is None or (read.dq is not None and np.array_equal(fitted.dq, read.dq[-len(fitted) :])):
        return {}
    return {"assumed_dq": fitted.dq.tolist()}


def make_sample_row(name: str, result: SampleResult, seconds: float) -> Row:
    """Return the row of a sample of several curves; the curve's number follows the name of what each curve
    has of its own. `seconds` of wall clock.
    """
    if not result.fits and len(result.singles) == 1:
        return make_fit_row(result.singles[0], None, seconds)
    curves, result_values = result.sample.curves, result.as_dict()
    row: Row = {
        "entry": names_of(result_values["files"]),
        "sample": {
            "kind": result.sample.kind,
            "files": [curve.file for curve in curves],
            "points": list(map(len, curves)),
            "q_min": [float(curve.q[0]) for curve in curves],
        },
        **_extent(curves),
        "verified": result.explained,
        "headline": result.verdict.headline,
        "doubt": result.verdict.doubt,
        "notes": list(result.notes),
        "seconds": seconds,
        "error": "",
        "fits": _joint_fits(result, result_values),
    }
    if result.best is None:
        row["error"] = f"{name}: no model could be fitted to its curves together; the notes say why."
    return row


def _extent(curves: Sequence[Curve]) -> Row:
    units = {curve.q_unit.cell_text for curve in curves}
    return {
        "points": sum(map(len, curves)),
        "q_unit": " and ".join(sorted(units)),
        "q_min": min(float(curve.q[0]) for curve in curves),
        "q_max": max(float(curve.q[-1]) for curve in curves),
    }


def _joint_fits(result: SampleResult, result_values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        _joint(fit, list(result_values["files"]))
        | {
            "probability": fit_found.probability, "seconds": fit_found.seconds,
            "distributions": dict(fit_found.distributions), "chisq": list(fit_found.chisq),
            "per_decade": fit_found.per_decade, "scale": _scales(fit_found),
        }
        for fit, fit_found in zip(result_values["fits"], result.fits, strict=True)
    ]  # fmt: skip


def _scales(fit: JointFit) -> Row | None:
    """How the scales of a sample's curves go together; None where they do not."""
    if fit.factors is None:
        return None
    return {
        "factors": list(fit.factors), "common": fit.common, "background_deviation": fit.background_deviation,
    }  # fmt: skip


def _joint(fit: dict[str, Any], files: list[str]) -> dict[str, Any]:
    own_values = {
        f"{name} {number}": p
        for number, file in enumerate(files, start=1)
        for name, p in fit["own"][file].items()
    }
    names_kept = ("model", "structure_factor", "fitter", "weight", "reduced_chisq", "bic")
    return {key: fit[key] for key in names_kept} | {
        "parameters": fit["parameters"] | own_values,
        "warnings": [],
    }


def names_of(files: Iterable[str]) -> str:
    return " + ".join(PurePath(file).name for file in files)


def make_failure_row(path: str, error: Exception, *, curve: Curve | None = None, seconds: float = 0.0) -> Row:
    return {
        "entry": "" if curve is None else curve.entry,
        "notes": [],
        "seconds": seconds,
        "error": sentence_of(path, error),
        "fits": [],
    }


def name_of(fit: dict[str, Any]) -> str:
    """Name of a fitted model, ``sphere@hardsphere``; of a plugin file its own without the folder's."""
    factor, model = fit["structure_factor"], str(fit["model"])
    model = PurePath(model).stem if model.endswith(".py") else model
    return product_name(model, factor)


def best_of(row: Row) -> dict[str, Any] | None:
    return row["fits"][0] if row["fits"] else None
