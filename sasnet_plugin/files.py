"""Files that are put in place whole, or not at all, and never where somebody else's lie.

Besides, the texts and tables of this package that stand beside its modules.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .types import SasnetError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What a file says of itself, in the place that its format has for it, so that its command may replace it.
MARK = "written by sasnet"
#: By its ending, where a figure has it.
_MARKED = {".png": "Software", ".svg": "Creator", ".pdf": "Creator", ".eps": "Creator", ".ps": "Creator"}


def read_text(module: str, name: str) -> str:
    """Read a text of this package that stands beside a module, which gives its ``__file__``."""
    return Path(module).with_name(name).read_text(encoding="utf-8")


def read_tables(module: str) -> dict[str, Any]:
    """Read the tables that stand beside a module as a TOML file of the same name."""
    return tomllib.loads(read_text(module, f"{Path(module).stem}.toml"))


def check_output(path: str | Path, *, force: bool = False, mark: str = MARK) -> None:
    """Raise SasnetError rather than replace a file without `mark`, unless `force`; pipes and devices may be
    written.

    Commands call it before they compute. Input files never bear the mark of an output, so inputs are
    protected too.
    """
    target = Path(path)
    if force or not target.is_file():
        return
    try:
        with target.open("rb") as file:
            if os.fstat(file.fileno()).st_size:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                    if content.find(mark.encode()) >= 0:
                        return
    except OSError as error:
        raise SasnetError(
            f"{path}: exists and cannot be read ({error.strerror}); name another file."
        ) from None
    raise SasnetError(
        f"{path}: exists and was not written by this command; name another file, or repeat the command with"
        " --force to replace it."
    )


def check_place(path: str | Path) -> None:
    """Raise a SasnetError where the folder of a file is missing or may not be written to."""
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise SasnetError(f"{path}: there is no folder {folder}; make it, or name another file.")
    _check_writable(folder)


def check_folder(path: str | Path) -> None:
    """Raise a SasnetError where a folder to write to cannot be there, or be made."""
    folder = Path(path).absolute()
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise SasnetError(f"{folder}: is a file, not a folder; name another folder.")
    _check_writable(folder)


def _check_writable(folder: Path) -> None:
    # By writing: on shared and read-only file systems permissions alone do not say it.
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = "" if isinstance(error, PermissionError) else f" ({error.strerror})"
        raise SasnetError(f"{folder}: this folder is not writable{why}; name another folder.") from None


def check_figure(path: str | Path, *, force: bool = False) -> None:
    """As `check_output` and `check_place`, and that the ending names a format that a figure is marked in."""
    check_output(path, force=force)
    check_place(path)
    if Path(path).suffix.lower() not in _MARKED:
        raise SasnetError(f"{path}: a figure's name ends in {', '.join(_MARKED)}; give one of these endings.")


def put_whole(path: str | Path, content: bytes, label: str, *, make_folder: bool = False) -> None:
    """Put a file in place all at once, so that no reader sees half of it. Raises SasnetError (naming `label`)
    if it cannot be written; an earlier file then stays.
    """
    with put_aside(path, label, make_folder=make_folder) as aside:
        aside.write_bytes(content)


@contextlib.contextmanager
def put_aside(path: str | Path, label: str, *, make_folder: bool = False) -> Iterator[Path]:
    """Give a path to write to, which takes the file's place when all is written; otherwise as `put_whole`."""
    try:
        target = Path(path).resolve()
        if make_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file():
            yield target  # a pipe or a device is written to, not replaced
            return
        with put_in_one_step(target) as aside:
            yield aside
    except OSError as error:
        place = "another folder, one" if make_folder else "a file in a folder that exists,"
        raise SasnetError(
            f"{path}: the {label} cannot be written ({error.strerror or error}); name {place} that is"
            f" writable and has free space."
        ) from error


@contextlib.contextmanager
def put_in_one_step(path: Path, *, ending: str = "") -> Iterator[Path]:
    """Yield a path to write to; it replaces the file when all is written without an exception. `ending` is
    for writers that go by the name. Raises OSError; an earlier file then stays.
    """
    aside = path.with_name(f".{path.name}{_ASIDE}{os.getpid()}{ending}")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


@contextlib.contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold a lock that ends with its process, after waiting for others; without locks in the file system
    nobody waits.

    `path` is a file for the lock alone and stays: a removed one could be held twice. Raises OSError if it
    cannot be made.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with contextlib.suppress(ImportError, OSError):
            try:
                import fcntl
            except ImportError:
                import msvcrt

                msvcrt.locking(fd, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]  # tries for 10 s
            else:
                fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


class _Medium(io.FileIO):
    """A file whose writes never fail: the first error is kept, and what cannot be written is dropped.

    HDF5 ends its process, seconds later and by a segmentation fault, where it cannot write what it holds
    while it closes a file.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        count = len(rest)
        try:
            while rest and self.error is None:
                rest = rest[super().write(rest) or 0 :]
        except OSError as error:
            self.error = error
        return count

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0


@contextlib.contextmanager
def new_hdf5(path: Path, **options: Any) -> Iterator[Any]:
    """Open a new HDF5 file, put in place when complete; options as of ``h5py.File``. Raises OSError if it
    could not be written as a whole.
    """
    import h5py

    with _Medium(path, "w+") as medium:
        try:
            with h5py.File(medium, "w", **options) as file:
                yield file
        except Exception as error:
            if medium.error is None or isinstance(error, SasnetError):
                raise
        if medium.error is not None:
            raise medium.error


#: Between the name of a file that is under way and the number of the process; nobody else's files have it.
_ASIDE = ".sasnet-tmp"


def remove_leftovers(folder: Path, name: str = "") -> int:
    """Remove the half-written files of runs that were killed, or those of one file; returns how many."""
    count = 0
    for path in Path(folder).glob(f".*{_ASIDE}*"):
        owner = re.fullmatch(rf"\.(.+){re.escape(_ASIDE)}(\d+)(\.[a-z.0-9]+)?", path.name)
        if owner and name in ("", owner[1]) and not _alive(int(owner[2])):
            path.unlink(missing_ok=True)
            count += 1
    return count


@contextlib.contextmanager
def removing(folder: Path) -> Iterator[None]:
    """Remove files in the block, and folders left empty. Raises SasnetError that names a path."""
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise SasnetError(f"{place}: cannot be removed ({error.strerror}); delete it by hand.") from error


def remove_empty(*folders: Path) -> None:
    """Remove those of these folders that are empty, one after the other."""
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _alive(pid: int) -> bool:
    if os.name == "nt":  # there the signal 0 of os.kill is no question but Ctrl-C
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def plain_cell(text: str) -> str:
    """A text for a CSV, of which no spreadsheet makes a formula: these begin with one of a few signs."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def write_figure(figure: Figure, path: str | Path, *, dpi: int = 130) -> None:
    """Write a figure with `MARK` in the format of the file's ending (PNG, PDF, SVG). Raises SasnetError if
    that fails or the format is unknown.
    """
    try:
        figure.savefig(path, dpi=dpi, metadata=figure_mark(Path(path).suffix))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise SasnetError(f"{path}: the figure cannot be written ({reason}); name another file.") from None


def figure_mark(ending: str) -> dict[str, str] | None:
    """`MARK` as metadata for matplotlib, by a file's ending; None where the format has no place for it."""
    return {_MARKED[ending.lower()]: MARK} if ending.lower() in _MARKED else None
