"""Rows of clean measurements on disk, by the layout that their simulator says, read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domains.simulator import Row, Simulator
from ..types import SimulationError

PARAMETERS = "parameters"


def shard_paths(folder: Path | str) -> list[Path]:
    """List finished shards of a folder by name. Raises SimulationError without one."""
    paths = sorted(Path(folder).glob("*-[0-9][0-9][0-9][0-9]*.h5"))
    if not paths:
        raise SimulationError(f"{folder}: no shards here; make them with 'sasnet simulate --out {folder}'.")
    return paths


@contextmanager
def open_shard(path: Path) -> Iterator[Any]:
    """Open a shard to read. Raises SimulationError if it is damaged or incomplete."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise SimulationError(
            f"{path}: not a shard of sasnet ({error}); delete it and simulate again."
        ) from None


class Dataset:
    """The rows of a folder.

    Parameters
    ----------
    simulator : Simulator
        It is asked to fit itself to the folder's settings, such as its window.

    Raises
    ------
    SimulationError
        There is no shard in it, its note of settings cannot be read, or a shard is damaged.
    """

    def __init__(self, folder: Path | str, simulator: Simulator) -> None:
        self.paths = shard_paths(folder)
        try:
            self.settings = dict(json.loads((Path(folder) / "settings.json").read_text(encoding="utf-8")))
            self.simulator = simulator.configure(self.settings)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SimulationError(
                f"{folder}: its settings.json cannot be read ({error}); simulate into another folder."
            ) from None
        self._per_shard = simulator.layout.rows

    def __len__(self) -> int:
        return len(self.paths) * self._per_shard

    def __getitem__(self, index: int) -> Row:
        """One row, arrays as stored.

        Raises
        ------
        IndexError
            There are not so many.
        SimulationError
            Its shard is damaged.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        number, row = divmod(index, self._per_shard)
        if self.simulator.layout.in_memory:
            names, columns = self._columns
            row_index: Any = index
        else:
            with open_shard(self.paths[number]) as file:
                names = [str(name) for name in file[PARAMETERS].attrs["names"]]
                columns, row_index = {name: file[name][row : row + 1] for name in file}, 0
        values = {name: column[row_index] for name, column in columns.items()}
        drawn_values = map(float, values[PARAMETERS])
        return {**values, PARAMETERS: dict(zip(names, drawn_values, strict=True))}

    @cached_property
    def _columns(self) -> tuple[list[str], dict[str, NDArray[Any]]]:
        parts = []
        for path in self.paths:
            with open_shard(path) as file:
                names = [str(name) for name in file[PARAMETERS].attrs["names"]]
                parts.append({name: file[name][()] for name in file})
        return names, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def digest_of(tables: Any) -> str:
    """A short name of numbers that the content of shards depends on, such as a prior."""
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()[:16]
