"""A bank of clean curves with their parameters, small enough to ship: where fits find starting values."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any
from weakref import finalize
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from ..arrays import ArrayCache
from ..types import ModelZooError, SimulationError
from .dataset import shard_paths
from .grid import N_WIDE, PER_DECADE, WIDE_MIN
from .priors import structure_factors

#: Cells of the wide grid in one of the bank's: 50 points a decade.
_COARSE = 16
N_BANK = (N_WIDE - 1) // _COARSE + 1
BANK_STEP = float(np.log(10) / PER_DECADE * _COARSE)
LOG_Q_MIN = float(np.log(WIDE_MIN))
#: ln I below the largest by more than this is noise in any measurement, and half precision ends.
FLOOR = -40.0


@dataclass(frozen=True)
class Page:
    """Curves of one form model."""

    names: tuple[str, ...]  #: Of the parameters, as sasmodels has them, ``<p>_pd`` included.
    parameters: NDArray[np.float64]  #: (n, p), in sasmodels' units; NaN where a curve has no such parameter.
    #: (n, N_BANK), ln I, averaged over a cell, largest value about 0; NaN where not known.
    log_intensity: NDArray[np.float32]
    radius_effective: NDArray[np.float64]  #: (n,), Å; 0 where the model has none.

    def __len__(self) -> int:
        return len(self.parameters)

    def row(self, index: int) -> dict[str, float]:
        values = self.parameters[index].tolist()
        return {name: value for name, value in zip(self.names, values, strict=True) if isfinite(value)}


@dataclass(frozen=True)
class _Row:
    parameters: dict[str, float]
    log_intensity: NDArray[np.float64]
    radius: float

    @property
    def has_distribution(self) -> bool:
        return any(name.endswith("_pd") for name in self.parameters)


def build_bank(shards: Path, target: Path, *, per_model: int = 160) -> int:
    """Write a bank (``.npz``) of at most `per_model` first curves of each form model in a folder of shards,
    half monodisperse if there are as many. Raises SimulationError without such a shard.
    """
    rows_by_model: dict[str, list[_Row]] = {}
    for path in shard_paths(shards):
        model, rows = _rows(path)
        if model not in structure_factors():
            rows_by_model.setdefault(model, []).extend(rows)
    if not rows_by_model:
        raise SimulationError(f"{shards}: no simulated form factors here; make them with 'sasnet simulate'.")
    arrays: dict[str, NDArray[Any]] = {}
    total = 0
    for model, curves in rows_by_model.items():
        chosen = _choose_rows(curves, per_model)
        arrays |= {f"{model}/{name}": values for name, values in _as_arrays(chosen).items()}
        total += len(chosen)
    with Path(target).open("wb") as out:
        np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
    return total


def _rows(path: Path) -> tuple[str, list[_Row]]:
    import h5py

    with h5py.File(path, "r") as file:
        model = Path(str(file.attrs["model"])).stem
        if model in structure_factors():
            return model, []
        names = [str(n) for n in file["parameters"].attrs["names"]]
        columns = (file["parameters"][()], file["log_intensity"][()], file["radius_effective"][()])
    rows = []
    for values, log_i, radius in zip(*columns, strict=True):
        is_known = np.isfinite(values)
        parameters = {name: float(values[i]) for i, name in enumerate(names) if is_known[i]}
        rows.append(_Row(parameters, _coarse(log_i), float(radius)))
    return model, rows


def _choose_rows(curves: list[_Row], number: int) -> list[_Row]:
    """The first curves, half of them monodisperse where there are as many."""
    mono = [row for row in curves if not row.has_distribution]
    poly = [row for row in curves if row.has_distribution]
    half = max(number // 2, number - len(poly))
    chosen = mono[:half]
    return chosen + poly[: number - len(chosen)]


def _as_arrays(rows: list[_Row]) -> dict[str, NDArray[Any]]:
    text_keys = sorted({k for row in rows for k in row.parameters if not _numerical(k)})
    table = [[row.parameters.get(k, np.nan) for k in text_keys] for row in rows]
    return {
        "names": np.array(text_keys),
        "parameters": np.array(table, dtype=np.float32),
        "log_intensity": _pack(np.array([row.log_intensity for row in rows], dtype=np.float16)),
        "radius_effective": np.array([row.radius for row in rows], dtype=np.float32),
    }


def _pack(curves: NDArray[np.float16]) -> NDArray[np.uint8]:
    """Store smooth float16 curves (k, n) so that zip halves them: bit differences along q, high and low bytes
    apart, (2, k, n). `_unpack` restores the same bits.
    """
    bits = curves.view(np.uint16)
    steps = bits.copy()
    steps[:, 1:] -= bits[:, :-1]
    return np.stack([steps >> 8, steps & 255]).astype(np.uint8)


def _unpack(packed: NDArray[np.uint8]) -> NDArray[np.float16]:
    high, low = packed.astype(np.uint16)
    return np.cumsum((high << 8) | low, axis=1, dtype=np.uint16).view(np.float16)


def _numerical(name: str) -> bool:
    return name.endswith(("_pd_n", "_pd_nsigma"))


def _coarse(log_i: NDArray[np.float32]) -> NDArray[np.float64]:
    """Average I over a cell of the bank, so that fringes finer than it leave their mean."""
    reach = _COARSE // 2
    padded = np.pad(np.exp(log_i.astype(np.float64)), reach, mode="edge")
    sums = np.convolve(padded, np.ones(2 * reach + 1) / (2 * reach + 1), "valid")[::_COARSE]
    with np.errstate(divide="ignore"):
        return np.asarray(np.maximum(np.log(sums), FLOOR))


class Bank:
    """The pages of a file of `build_bank`, read when asked for. Raises ModelZooError if damaged."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        try:
            if self.path.is_file() and not is_zipfile(self.path):
                raise ValueError("it is damaged")  # numpy would say something else, and leave the file open
            self._file = np.load(self.path)
            self.models = tuple(k.removesuffix("/names") for k in self._file.files if k.endswith("/names"))
        except (OSError, ValueError) as error:
            raise ModelZooError(
                f"{path}: the library of starting values cannot be read ({error}); reinstall sasnet-plugin."
            ) from error
        #: Curves of the last models, as a search asks for each of them several times.
        self._pages: ArrayCache[Page] = ArrayCache(4 * 2**20)
        # Whoever drops it need not close it: callers hold it for as long as they ask.
        self._closed = finalize(self, self._file.close)

    def page(self, model: str) -> Page:
        """Return curves of one form model. Raises KeyError if the bank has none."""
        if model not in self.models:
            raise KeyError(model)
        return self._pages.get(model, lambda: self._read(model), lambda page: page.log_intensity.nbytes)

    def _read(self, model: str) -> Page:
        return Page(
            tuple(str(n) for n in self._file[f"{model}/names"]),
            self._file[f"{model}/parameters"].astype(np.float64),
            _unpack(self._file[f"{model}/log_intensity"]).astype(np.float32),
            self._file[f"{model}/radius_effective"].astype(np.float64),
        )

    def close(self) -> None:
        self._closed()
