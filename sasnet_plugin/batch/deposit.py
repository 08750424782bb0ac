"""What a batch leaves for others: each curve with its fits as NXcanSAS, all in one HDF5, forms of archives.

Done from the journal when the fits are done. What lies in the folder already and says the same is kept and
read, so that an export that was stopped goes on; what says something else of the same data is made anew; what
belongs to other data, or to somebody else, is never replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import MARK, check_output, new_hdf5, put_aside, remove_leftovers
from ..types import SasnetError
from . import rebuilt, sample_again
from .journal import Journal, Record
from .rows import Row
from .samples import MARK as MARK_OF_SAMPLE

if TYPE_CHECKING:
    from ..fitting.result.fit_result import FitResult
    from ..types import Curve

#: All curves of the batch; ending of each one's own file.
TOGETHER, ENDING = "fitted_curves.h5", ".nxcansas.h5"


@dataclass
class Exported:
    """What was written."""

    #: written, kept: data sets whose files are new, or were there already and say the same.
    written: int = 0
    kept: int = 0
    #: Why data sets could not be exported, a sentence each.
    complaints: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)  #: What is left to be done by hand, a sentence each.


@dataclass(frozen=True)
class DataSet:
    """A data set with the file that is its own."""

    row: Row
    curve: Curve
    path: Path
    digest: str  #: See `rebuilt.digest`; stands in each of its files.

    @property
    def stem(self) -> str:
        return self.path.name.removesuffix(ENDING)


def export(journal: Journal, folder: Path, *, force: bool = False) -> Exported:
    """Write all fits of a batch to a folder, made if missing; `force` replaces files that sasnet has not
    written. Raises SasnetError if the folder holds the measurements, cannot be written, or holds files of
    another origin.
    """
    from ..report.exports import archives, hdf5

    folder, exported = Path(folder), Exported()
    if folder.resolve() in {Path(path).parent.resolve() for path in journal.places}:
        raise SasnetError(f"{folder}: holds the measurements; give another folder for --export.")
    # Another batch has files of all of its own.
    mark = f"{MARK} from {journal.path.name}".encode("ascii", "replace").decode()
    names = archives.AllFiles(folder, mark)
    for path in (folder / TOGETHER, names.project):
        check_output(path, force=force, mark=mark)
    with put_aside(folder / TOGETHER, "file of fitted curves", make_folder=True) as aside:
        remove_leftovers(folder)
        with new_hdf5(aside) as file:
            hdf5.begin(file, mark)
            for record in journal.records():
                results: list[FitResult] = []
                for data in _data_sets(journal, record, folder, exported):
                    with _complaining(exported):
                        result, new = _one(data, force)
                        intervals_drawn = [rebuilt.intervals(data.row, fit) for fit in result.fits]
                        names.add(result, folder / data.stem, data.digest, force=force)
                        hdf5.add(file, data.stem, result, intervals_drawn)
                        exported.written, exported.kept = exported.written + new, exported.kept + (not new)
                        results.append(result)
                with _complaining(exported):
                    _together(record, results, folder, force)
    exported.remarks.extend(names.close())
    return exported


def _data_sets(journal: Journal, record: Record, folder: Path, exported: Exported) -> Iterator[DataSet]:
    with _complaining(exported):
        for row, curve in rebuilt.curves(record, journal.options.get(record["options"], {})):
            yield _name_data_set(record, row, curve, folder)


def _together(record: Record, results: Sequence[FitResult], folder: Path, force: bool) -> None:
    """Write a sample's joint fit for SasView and Bumps, where all its curves have theirs again."""
    from ..report.exports.write_all import SAMPLE_MARKS, write_sample
    from ..report.page import document

    row = record["rows"][0]
    if not record["file"].endswith(MARK_OF_SAMPLE) or len(results) != len(
        row.get("sample", {}).get("files", ())
    ):
        return
    name = document.stem(record["file"], "", "sample")
    for ending, mark in SAMPLE_MARKS.items():
        check_output(folder / f"{name}.{ending}", force=force, mark=mark)
    write_sample(sample_again.joint(row, results), folder, name)


@contextmanager
def _complaining(exported: Exported) -> Iterator[None]:
    """Keep the sentence of a data set that cannot be exported, and go on with the next."""
    try:
        yield
    except SasnetError as error:
        exported.complaints.append(str(error))


def _name_data_set(record: Record, row: Row, curve: Curve, folder: Path) -> DataSet:
    """A data set under a name that nothing of other data has."""
    from ..report.page import document

    identity = document.identity(curve.file, curve.entry, curve.q, curve.intensity)
    start = document.stem(curve.file, curve.entry, "curve")
    path = folder / document.free_name(folder, start, ENDING, MARK, identity)
    return DataSet(row, curve, path, rebuilt.digest(record, row))


def _one(data: DataSet, force: bool) -> tuple[FitResult, bool]:
    """A data set's fits, its file in place, and whether that is new."""
    from ..report.exports.hdf5 import theories, write_nxcansas
    from ..report.page import document

    check_output(data.path, force=force)
    curve = data.curve
    if _says(data.path, data.digest):
        # One that is damaged is made again.
        with suppress(OSError, KeyError, SasnetError):
            return rebuilt.result_of(data.row, curve, theories(data.path, len(data.row["fits"]))), False
    result = rebuilt.result_of(data.row, curve)
    identity = document.identity(curve.file, curve.entry, curve.q, curve.intensity)
    # A file that lacks a fit is tried again each time.
    answer = data.digest if len(result.fits) == len(data.row["fits"]) else ""
    write_nxcansas(
        result, data.path, with_all=True, known_by={"sasnet_data": identity, "sasnet_answer": answer}
    )
    return result, True


def _says(path: Path, digest: str) -> bool:
    try:
        return digest.encode("ascii") in path.read_bytes()
    except OSError:
        return False
