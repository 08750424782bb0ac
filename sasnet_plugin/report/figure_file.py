"""A figure as a file, or one sentence why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..types import SasnetError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
