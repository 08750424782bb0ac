"""Curves of one file from a number on, of a file that may still grow: those before are not read again.

A file of many curves is an HDF5 file of integrated images (NXazint1d and its kin), NXcanSAS with an I of
(frames, Q) or with an entry for each frame, or a text with several tables. HDF5 that another program has open
is read where that program lets it (SWMR), and else at a later look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import units
from ..domains import ReadOptions
from ..types import Curve, DataError
from . import containers, hdf5
from .clean import clean
from .limits import HDF5, sentence_of
from .load import load
from .raw import RawCurve

#: Frames of a series that are read at once.
_AT_ONCE = 32


class EmptyFrameError(DataError):
    """A frame that has room in its file, but no values: perhaps they are still to be written."""


def frames(path: str, options: ReadOptions, start: int = 0) -> Iterator[Curve | DataError]:
    """Yield a file's curves from number `start`, or a sentence. Raises DataError if none is readable."""
    try:
        with open(path, "rb") as file:
            head = file.read(len(HDF5))
    except OSError as error:
        raise DataError(sentence_of(path, error)) from error
    if head == HDF5:
        yield from _read_hdf5_frames(path, options, start)
    else:
        yield from _load_all(path, options)[start:]


def is_being_written(path: str) -> bool:
    """Whether another program has an HDF5 file open for writing; of other files nobody knows."""
    import h5py

    try:
        with h5py.File(path, "r"):
            return False
    except OSError:
        try:
            with h5py.File(path, "r", swmr=True):
                return True
        except OSError:
            return False


def holds_curves(path: str) -> bool:
    try:
        return next(frames(path, ReadOptions()), None) is not None
    except DataError:
        return False


def _load_all(path: str, options: ReadOptions) -> tuple[Curve, ...]:
    return load(path, q_unit=options.q_unit, entry=options.entry, wavelength=options.wavelength)


def _read_hdf5_frames(path: str, options: ReadOptions, start: int) -> Iterator[Curve | DataError]:
    try:
        with _open_hdf5(path) as file:
            reader = _several(file, path, options)
            if reader is not None and options.entry is None:
                for number, raw in reader(start):
                    yield _clean_frame(raw, path, number, options)
                return
    except hdf5.DAMAGE as error:
        if isinstance(error, DataError):
            raise
        raise hdf5.unreadable(path, error) from error
    yield from _load_all(path, options)[start:]


@contextmanager
def _open_hdf5(path: str) -> Iterator[Any]:
    """An HDF5 file, also one that another program is writing for readers beside it."""
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError:
        file = h5py.File(path, "r", swmr=True)
    with file:
        yield file


def _several(file: Any, name: str, options: ReadOptions) -> Any:
    """Return a reader of numbered raw curves from a number on; None if the file holds one curve."""
    sets = list(_sets(file))
    counts = [containers.frames_in(group) for group, _ in sets]
    if sum(counts) > 1:
        return lambda start: _data_sets(sets, counts, start, name, options)
    if sets:
        return None
    series = containers.all_series(file, name, options)
    return (lambda start: _read_integrated(series, start)) if _are_many(series) else None


def _sets(file: Any) -> Iterator[tuple[Any, Any]]:
    import h5py

    for _, entry in hdf5.members(file):
        if isinstance(entry, h5py.Group):
            yield from ((group, entry) for group in containers.data_groups(entry))


def _are_many(series: Sequence[containers.Series]) -> bool:
    return sum(series_item.frames for series_item in series) > 1 or any(
        series_item.intensity.ndim > 1 for series_item in series
    )


def _data_sets(
    sets: list[tuple[Any, Any]], counts: list[int], start: int, name: str, options: ReadOptions
) -> Iterator[tuple[int, RawCurve]]:
    frames_before = 0
    slits: dict[str, list[tuple[str, str]]] = {}
    for (group, entry), count in zip(sets, counts, strict=True):
        numbers = containers.frame_numbers(group, count)
        if entry.name not in slits:  # looked for once, in all of the entry
            slits[entry.name] = containers.find_hdf5_slit_lengths(entry)
        slit = slits[entry.name]
        for shift in range(max(start - frames_before, 0), count):
            raw = containers.data_set(group, entry, name, options, numbers[shift], slit)
            yield frames_before + shift + 1, raw
        frames_before += count


def _read_integrated(series: list[containers.Series], start: int) -> Iterator[tuple[int, RawCurve]]:
    frames_before = 0
    for series_item in series:
        count = series_item.frames
        for low in range(max(start - frames_before, 0), count, _AT_ONCE):
            for shift, raw in enumerate(series_item.read(low, min(low + _AT_ONCE, count))):
                yield frames_before + low + shift + 1, raw
        frames_before += count


def _clean_frame(raw: RawCurve, path: str, number: int, options: ReadOptions) -> Curve | DataError:
    forced = None if options.q_unit is None else units.canonical(options.q_unit, "q")
    if not (np.any(np.nan_to_num(raw.intensity)) and np.any(raw.q > 0)):
        return EmptyFrameError(f"{path}: no values are in it (frame {number}).")
    try:
        return clean(raw, file=path, entry=raw.title or f"frame {number}", q_unit=forced)
    except DataError as error:
        return DataError(f"{str(error).rstrip('.')} (frame {number}).")
