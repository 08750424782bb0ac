"""Files that are put in place whole, or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..types import SasnetError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def put_whole(path: str | Path, content: bytes, what: str, *, make_folder: bool = False) -> None:
    """Put a file in place all at once: no reader and no full disk sees half of it.

    Parameters
    ----------
    path : str or Path
    content : bytes
    what : str
        What it is, for the sentence of an error.
    make_folder : bool
        Make the file's folder where it does not exist.

    Raises
    ------
    SasnetError
        It cannot be written; what lay there before is untouched.
    """
    with put_aside(path, what, make_folder=make_folder) as aside:
        aside.write_bytes(content)


@contextlib.contextmanager
def put_aside(path: str | Path, what: str, *, make_folder: bool = False) -> Iterator[Path]:
    """Give a path to write to, which takes the file's place when all is written; otherwise as `put_whole`."""
    aside = None
    try:
        target = Path(path).resolve()
        if make_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file():
            yield target  # a pipe or a device is written to, not replaced
            return
        aside = target.with_name(f".{target.name}.tmp{os.getpid()}")
        yield aside
        os.replace(aside, target)
    except OSError as error:
        where = "another folder, one" if make_folder else "a file in a folder that exists,"
        raise SasnetError(
            f"{path}: the {what} cannot be written ({error.strerror or error}); name {where} that may be"
            " written to and has room."
        ) from error
    finally:
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)


def write_figure(figure: Figure, path: str | Path, *, dpi: int = 130) -> None:
    """Write a figure; the file's ending chooses the format (PNG, PDF, SVG).

    Raises
    ------
    SasnetError
        The file cannot be written, or its ending is no format of matplotlib.
    """
    try:
        figure.savefig(path, dpi=dpi)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise SasnetError(f"{path}: the figure cannot be written ({reason}); name another file.") from None
