"""Everything that opens elsewhere, of one fit, in one folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...files import MARK, put_whole
from ...types import sum_parts
from ...written import CLIPBOARD_HEAD, PROJECT_END
from ..page import names
from .bumps_script import write_script
from .bumps_session import write_session
from .nxcansas import write_nxcansas
from .sasview_clipboard import clipboard_text, plugin_text, sasview_name
from .sasview_project import data_digits, write_project

if TYPE_CHECKING:
    from ...fitting.result.fit_result import FitResult
    from ...types import Curve

#: Ending of each file, and by what one that was written here is known: SasView and Bumps leave it out when
#: they save what a user did.
_MARKS = {
    "sasview.json": PROJECT_END,
    "parameters.txt": CLIPBOARD_HEAD,
    "bumps.py": MARK,
    "session.h5": MARK,
    "nxcansas.h5": MARK,
}


def marks(curve: Curve, folder: Path) -> dict[Path, str]:
    """The files that `export` writes for a data set, each with its mark (`files.check_output`)."""
    end = next(iter(_MARKS))
    start = names.stem(curve.file, curve.entry, "curve")
    stem = names.free_name(folder, start, f".{end}", PROJECT_END, data_digits(curve)).removesuffix(f".{end}")
    return {Path(folder) / f"{stem}.{end}": mark for end, mark in _MARKS.items()}


def _encode_names(curve: Curve) -> Curve:
    """Replace names that not every format can hold, as files' names need not be UTF-8."""
    file, entry = (name.encode("utf-8", "replace").decode("utf-8") for name in (curve.file, curve.entry))
    return replace(curve, file=file, entry=entry)


def export(result: FitResult, folder: Path) -> list[Path]:
    """Write a fit, if any, for SasView, Bumps and readers of NXcanSAS. Raises SasnetError on failure."""
    # ``NAME.sasview.json`` (project), ``NAME.parameters.txt`` (clipboard text of the best fit),
    # ``NAME.bumps.py`` (its script), ``NAME.session.h5`` (every fit) and ``NAME.nxcansas.h5``, NAME as the
    # HTML page's; for a sum also its SasView plugin, ``sphere_plus_power_law.py``.
    best = result.best
    if best is None:
        return []
    project, text, script, session, nexus = marks(result.curve, folder)
    result = replace(result, curve=_encode_names(result.curve))
    copied = clipboard_text(best).encode("utf-8")
    put_whole(text, copied, "SasView clipboard text", make_folder=True)
    write_project(result, project)
    write_script(result, best, script)
    write_session(result, session)
    write_nxcansas(result, nexus)
    plugins = []
    for model in dict.fromkeys(fit.model for fit in result.fits if len(sum_parts(fit.model)) > 1):
        plugins.append(Path(folder) / f"{sasview_name(model)}.py")
        put_whole(plugins[-1], plugin_text(model).encode("utf-8"), "SasView plugin model")
    return [project, text, script, session, nexus, *plugins]
