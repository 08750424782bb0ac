"""What archives want of a fitted data set: sasCIF, columns of text, and a project for SASBDB of all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...files import MARK, check_output, put_whole
from ...names import describe_install
from . import sasbdb, sascif

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...fitting.result.fit_result import FitResult

PROJECT = "sasbdb.json"


@dataclass
class AllFiles:
    """Writes them data set after data set."""

    folder: Path  #: For the project of all.
    mark: str  #: By which the project is known (`files.check_output`).
    _samples: list[dict[str, Any]] = field(default_factory=list)

    @property
    def project(self) -> Path:
        """The file of all data sets."""
        return self.folder / PROJECT

    def add(self, result: FitResult, start: Path, digest: str, *, force: bool = False) -> None:
        """Write what belongs to a data set, except what has this digest already."""
        curve = result.curve
        files: dict[str, tuple[NDArray[np.float64], ...]] = {
            f"{start.name}.dat": (curve.intensity, result.dintensity)
        }
        fits = [f"{start.name}.fit{number}.dat" for number in range(1, len(result.fits) + 1)]
        files |= {
            name: (curve.intensity, result.dintensity, fit.theory)
            for name, fit in zip(fits, result.fits, strict=True)
        }
        for name, columns in files.items():
            if _to_write(start.with_name(name), digest, force):
                content = _columns(digest, curve.q, *columns)
                put_whole(start.with_name(name), content, "columns of a curve")
        if find_spec("gemmi") and _to_write(path := start.with_name(f"{start.name}.sascif"), digest, force):
            put_whole(path, sascif.sascif(result, start.name, digest), "sasCIF file")
        self._samples.append(sasbdb.sample(result, f"{start.name}.dat", fits, self.mark))

    def close(self) -> list[str]:
        """Write the project; what is left for the author, a sentence each."""
        if not self._samples:
            return []
        text = json.dumps(sasbdb.project(self._samples), indent=2, ensure_ascii=False, allow_nan=False)
        put_whole(self.project, (text + "\n").encode("utf-8"), "project for SASBDB")
        notes = [f"{PROJECT}: fill in these before you deposit it: {', '.join(sasbdb.OF_THE_AUTHOR)}."]
        if find_spec("gemmi"):
            notes.append(f"sasCIF: fill in these entries, marked by ?: {', '.join(sascif.blank())}.")
        else:
            notes.append(f"sasCIF is not written without gemmi; add it {describe_install('deposit')}")
        return notes


def _to_write(path: Path, digest: str, force: bool) -> bool:
    """Whether a file is missing or says something else; one that is not sasnet's is an error."""
    check_output(path, force=force)
    return not path.exists() or digest.encode("ascii") not in path.read_bytes()


def _columns(digest: str, *columns: NDArray[np.float64]) -> bytes:
    names = " ".join(("q(1/A)", "I", "dI", "fit")[: len(columns)])
    lines = [" ".join(repr(float(value)) for value in row) for row in zip(*columns, strict=True)]
    return "\n".join([f"# {MARK} {digest}", f"# {names}", *lines, ""]).encode("ascii")
