"""What a user may mean by FILES: paths, folders, patterns that no shell has expanded; and files to write."""

from __future__ import annotations

import glob
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from ..files import check_figure, check_folder, check_output, check_place
from ..names import is_tiled
from ..types import Curve, DataError, SasnetError
from ..written import is_written_by_sasnet
from . import sentences


def expand(
    arguments: Iterable[str],
    *,
    addresses: bool = False,
    output: Callable[[str], bool] = is_written_by_sasnet,
    said: Callable[[str], None] | None = None,
) -> Iterator[str | DataError]:
    """Yield the files that the arguments stand for, in a stable order, or a DataError for an empty folder or
    pattern.

    Folders (without hidden files), ``~`` and the patterns ``*``, ``?``, ``[]``, ``**`` are expanded, without
    the settings of images (TOML) and what sasnet has written (`output`); `said` gets a sentence on what was
    excluded. Other names pass as they are. Addresses on a Tiled server pass only with `addresses`.
    """
    left_out: Counter[str] = Counter()
    has_any = False
    for argument in arguments:
        is_single = not many([argument])
        for path in _expand_argument(argument, addresses):
            if not is_single and isinstance(path, str) and output(path):
                left_out[argument] += 1
            else:
                has_any = True
                yield path
    for argument, count in left_out.items():
        subject = "1 output of sasnet is" if count == 1 else f"{count} outputs of sasnet are"
        sentence = f"{argument}: {subject} skipped; name such a file itself to read it."
        if has_any:
            (said or print_to_stderr)(sentence)
        else:
            yield DataError(sentence)


def _expand_argument(argument: str, addresses: bool) -> Iterator[str | DataError]:
    path = os.path.expanduser(argument)
    if is_tiled(argument):
        yield argument if addresses else _no_file(argument)
    elif os.path.isdir(path):
        yield from _list_folder(path)
    elif glob.has_magic(path) and not os.path.lexists(path):
        yield from _or_else(_matches(path), f"{argument}: no file matches this pattern; check the path.")
    else:
        yield path


def print_to_stderr(sentence: str) -> None:
    typer.echo(sentence, err=True)


@dataclass
class Frames:
    """Files of a series: without pictures for the eye but those that are named; `said` hears of the first."""

    arguments: Sequence[str]
    said: Callable[[str], None] = print_to_stderr
    #: By the hash of a path whether it is a picture: a folder is listed many times a second.
    _known: dict[int, bool] = field(default_factory=dict)

    def keep(self, paths: Iterable[str | DataError]) -> Iterator[str | DataError]:
        """Yield what is no picture."""
        named = set(map(os.path.expanduser, self.arguments))
        for path in paths:
            if not isinstance(path, str) or path in named or not self._is_picture(path):
                yield path

    def _is_picture(self, path: str) -> bool:
        if (known := self._known.get(hash(path))) is not None:
            return known
        from ..data.scope import picture_of

        head = _read_head(path)
        picture = picture_of(head)
        if picture and not any(self._known.values()):
            self.said(str(sentences.PICTURES_SKIPPED(file=path, picture=picture)))
        if head:  # an empty file may become anything
            self._known[hash(path)] = bool(picture)
        return bool(picture)


def _read_head(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(512)
    except OSError:
        return b""


def _no_file(address: str) -> DataError:
    shown_address = address.partition("?")[0]  # a key may stand behind it
    return DataError(
        f"{shown_address}: is not a file; entries of a Tiled server are read by sasnet classify and sasnet"
        " follow."
    )


def _or_else(paths: Iterator[str | DataError], sentence: str) -> Iterator[str | DataError]:
    first = next(paths, None)
    yield DataError(sentence) if first is None else first
    yield from paths


def _matches(pattern: str) -> Iterator[str | DataError]:
    for match in sorted(glob.iglob(pattern, recursive=True)):
        if not os.path.isdir(match):
            yield from _measurements([match])
        elif "**" not in pattern:  # with ** the files below are matches themselves
            yield from _list_folder(match)


def _list_folder(folder: str) -> Iterator[str | DataError]:
    yield from _or_else(
        _files_in(folder), f"{folder}: the folder holds no files; name a folder with data files."
    )


def _files_in(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = _exclude_hidden(folders)
        # A pipe or socket would wait for ever.
        paths = (os.path.join(parent, name) for name in _measurements(_exclude_hidden(names)))
        yield from filter(os.path.isfile, paths)


def _measurements(names: Iterable[str]) -> list[str]:
    """Names of files without those that say how an image next to them was measured."""
    return [name for name in names if not name.lower().endswith(".toml")]


def _exclude_hidden(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith("."))


def time_outcomes(outcomes: Iterable[tuple[str, Any]], start_time: float) -> Iterator[tuple[str, Any, float]]:
    """Yield each (path, measurement) with its seconds; `start_time` is by `time.monotonic`."""
    for path, outcome in outcomes:
        yield path, outcome, time.monotonic() - start_time
        start_time = time.monotonic()


def curves_of(
    path: str | SasnetError, read: Callable[[str], Iterable[Any]], window: tuple[float, float] | None
) -> Iterator[tuple[str, Any]]:
    """Yield (path, measurement or error) for each in a file of `expand`, q within `window`, Å⁻¹."""
    if isinstance(path, SasnetError):
        yield str(path).partition(":")[0], path
        return
    try:
        # One after the other: a file may hold more images than memory does.
        for curve in read(path):
            try:
                cut = curve if window is None else _apply_q_range(curve, window)
            except SasnetError as error:
                yield path, error
            else:
                yield path, cut
    except Exception as error:  # one file must not stop the others, whatever is wrong with it
        yield path, error


def _apply_q_range(curve: Any, window: tuple[float, float]) -> Curve:
    from ..data.clean import cut_to_q_range

    if not isinstance(curve, Curve):
        raise DataError(f"{curve.file}: --q-range is only for curves; do not give it.")
    return cut_to_q_range(curve, *window)


def many(arguments: Sequence[str]) -> bool:
    """Whether a folder or a pattern is among the arguments, so that tables would run for pages."""
    paths = [os.path.expanduser(argument) for argument in arguments]
    return any(os.path.isdir(p) or (glob.has_magic(p) and not os.path.lexists(p)) for p in paths)


def report_page(report: Path | None, name: str) -> Path | None:
    """The page of this name in the folder of reports; made if missing.

    The name of an HTML file, as ``--report`` took formerly, is kept, with a note.
    """
    if report is None:
        return None
    if report.suffix.lower() in (".html", ".htm"):
        typer.echo(f"sasnet: {sentences.REPORT_IN_FOLDER(file=report)}", err=True)
        return report

    check_folder(report)
    report.mkdir(parents=True, exist_ok=True)
    return report / name


def check_free(report: Path | None, plot: Path | None, table: Path | None, *, force: bool) -> None:
    """See that an overview, a figure and a table can be written, and nothing but sasnet's own is there."""
    if not any((report, plot, table)):
        return
    from ..report.page.overview import HEAD, INDEX

    if plot is not None:
        check_figure(plot, force=force)
    if table is not None:
        check_place(table)
        check_output(table, force=force, mark=HEAD)
    if report is not None:
        check_folder(report)
        check_output(report / INDEX, force=force)


def say_drawn(plot: Path, shown_count: int, asked_count: int) -> None:
    """Say where a figure holds only the first of several."""
    if asked_count > shown_count:
        typer.echo(f"{plot}: only the first {shown_count} data sets are drawn.", err=True)
