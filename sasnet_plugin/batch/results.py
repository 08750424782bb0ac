"""HDF5 and CSV of a batch, made of its journal: for h5py, HDFView, pandas and spreadsheets.

Three tables, each a one-dimensional dataset of rows: ``datasets`` (one row a data set), ``fits`` (one a
fitted model) and ``parameters`` (one a parameter of a fit). They refer to one another by row number. Rows are
written in blocks, so that memory does not grow with the number of files.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..files import check_output, new_hdf5, plain_cell, put_aside, read_tables
from .journal import BatchError, Record, Row, best_of, journal_of, name_of

FORMAT, VERSION = "sasnet batch", 1
_BLOCK = 2000
_TEXT, _NUMBER, _COUNT, _FLAG = "text", "f8", "i8", "bool"
#: Columns of each table: name, kind, and what it holds.
TABLES: Mapping[str, Sequence[tuple[str, str, str]]] = read_tables(__file__)
#: Columns of the CSV before those of the parameters.
CSV_COLUMNS = tuple(name for name, _, _ in TABLES["datasets"] if name not in ("options", "first_fit", "fits"))

#: By which sasnet knows a table of its own.
FIRST_COLUMNS = ",".join(CSV_COLUMNS[:6])


def check_ours(out: Path, *, force: bool = False) -> None:
    """Refuse to overwrite what is not a result of the same batch, unless `force`. Raises SasnetError if the
    journal cannot reproduce what lies there.
    """
    if out.exists() and not out.is_file():
        raise BatchError(f"{out}: is not a file; give the results file with --out.")
    for path, mark in ((out, FORMAT), (out.with_suffix(".csv"), FIRST_COLUMNS)):
        check_output(path, force=force, mark=mark)
        if path.exists() and not force and not journal_of(out).exists():
            raise BatchError(
                f"{path}: exists, but its journal {journal_of(out).name} with the answers does not. Its"
                f" results would be overwritten; move it away, choose another name with --out, or give"
                f" --force."
            )


def write_results(
    records: Callable[[], Iterable[Record]], options: dict[str, Any], out: Path
) -> tuple[int, int]:
    """Write ``out`` (HDF5) and the CSV next to it, each put in place whole."""
    # `records` starts again from the first answer at each call; `options` are those of the runs by their
    # digest.
    # Returns the number of data sets, and of those without an answer.
    with put_aside(out, "results file") as aside:
        counts = _hdf5(records(), options, aside)
    with put_aside(out.with_suffix(".csv"), "table of results") as aside:
        _csv(records, aside)
    return counts


def _add_fit(fit: dict[str, Any], datasets: _Table, fits: _Table, parameters: _Table) -> None:
    first, numbers = parameters.count, ("reduced_chisq", "bic", "weight", "probability", "seconds")
    for name, p in fit["parameters"].items():
        value, error = (float("nan") if p[key] is None else p[key] for key in ("value", "error"))
        parameters.add((fits.count, name, value, error, p["unit"], p["fixed"]))
    fits.add(
        (datasets.count, fit["model"], fit["structure_factor"] or "",
         *(float("nan") if fit[name] is None else fit[name] for name in numbers),
         " ".join(fit["warnings"]), first, parameters.count - first)
    )  # fmt: skip


def _hdf5(records: Iterable[Record], options: dict[str, Any], path: Path) -> tuple[int, int]:
    from .. import __version__

    failed = 0
    with new_hdf5(path, libver=("earliest", "v110")) as file:
        file.attrs["format"], file.attrs["version"] = FORMAT, VERSION
        file.attrs["program"] = f"sasnet {__version__}"
        file.attrs["options"] = json.dumps(options)
        datasets, fits, parameters = (_Table(file, name) for name in TABLES)
        for record, row in _rows(records):
            first = fits.count
            for fit in row["fits"]:
                _add_fit(fit, datasets, fits, parameters)
            flat = summary(record, row)
            values = [flat[name] for name in CSV_COLUMNS]
            datasets.add((*values, record["options"], first, fits.count - first))
            failed += bool(row["error"])
        for table in (datasets, fits, parameters):
            table.close()
        return datasets.count, failed


def summary(record: Record, row: Row) -> dict[str, Any]:
    """One data set in the columns of the CSV; nan, 0 or empty where there is no answer."""
    nan = float("nan")
    best = best_of(row) or {}
    late = row.get("limit_met", record.get("late", False))
    sentences = [*row["notes"], *best.get("warnings", ())]
    return {
        "file": record["file"],
        "entry": row["entry"],
        "best": name_of(best) if best else "",
        "model": best.get("model", ""),
        "structure_factor": best.get("structure_factor") or "",
        "reduced_chisq": best.get("reduced_chisq", nan),
        "bic": best.get("bic", nan),
        "weight": nan if best.get("weight") is None else best["weight"],
        "verified": bool(row.get("verified")),
        **_model_free(row),
        **_protein(row),
        "points": row.get("points", 0),
        "q_unit": row.get("q_unit", ""),
        "q_min": row.get("q_min", nan),
        "q_max": row.get("q_max", nan),
        "seconds": row["seconds"],
        "limit_met": bool(late),
        "stopped_by_clock": bool(row.get("stopped_by_clock", late)),
        "headline": row.get("headline", ""),
        "caution": row.get("doubt", ""),
        "doubt": row.get("doubt", ""),
        "notes": " ".join(sentences),
        "error": row["error"],
        "version": record.get("version", ""),
    }


def _model_free(row: Row) -> dict[str, float]:
    """The columns of what is said without a model; nan where there is nothing, or in an older journal."""
    model_free = row.get("model_free") or {}
    guinier, porod = model_free.get("guinier", {}), model_free.get("porod", {})
    numbers = {
        "rg": row.get("rg"),
        "rg_error": guinier.get("rg_error"),
        "rg_network": row.get("rg_network"),
        "i0": guinier.get("i0"),
        "i0_error": guinier.get("i0_error"),
        "low_slope": model_free.get("low_slope", {}).get("value"),
        "high_slope": model_free.get("high_slope", {}).get("value"),
        "porod_exponent": porod.get("exponent"),
        "porod_constant": porod.get("constant"),
        "peak_q": next((peak["q"] for peak in model_free.get("peaks", ())), None),
    }
    return {name: float("nan") if value is None else float(value) for name, value in numbers.items()}


#: Systematic error, of I, from which on the stated uncertainties are flagged.
_UNDERSTATED = 5e-3


def _protein(row: Row) -> dict[str, Any]:
    """The columns of a protein, or of compact particles that no model fits, by p(r); see `ProteinResult`."""
    values = row.get("protein")
    names = ("d_max", "molecular_weight")
    columns: dict[str, Any] = dict.fromkeys([*names, *(f"{name}_error" for name in names)], float("nan"))
    if values is None:
        return columns | {"quality": ""}
    for name in ("rg", "i0", *names):
        found = values.get(name) or {}
        if "value" in found:
            columns |= {name: float(found["value"]), f"{name}_error": float(found["error"])}
        elif name == "rg":  # Guinier's law may give one where p(r) gives a reason
            return columns | {"quality": "refused"}
    return columns | {"quality": " ".join(_list_flags(values)) or "good"}


def _list_flags(values: Mapping[str, Any]) -> list[str]:
    """What disturbs the curve of a protein, one word each."""
    quality, mass = values["quality"], values["molecular_weight"]
    flags = {
        "aggregation": quality.get("aggregation"),
        "repulsion": quality.get("repulsion"),
        "disturbed_points": quality.get("disturbed_points"),
        "understated_errors": quality.get("systematic_error", 0.0) > _UNDERSTATED,
        "flexible": values["compactness"].get("kind") == "flexible",
        "ways_disagree": mass.get("distrusted"),
        "no_d_max": "refused" in values["d_max"],
    }
    return [name for name, is_set in flags.items() if is_set]


def _rows(records: Iterable[Record]) -> Iterator[tuple[Record, Row]]:
    return ((record, row) for record in records for row in record["rows"])


def _parameters(row: Any) -> dict[str, Any]:
    best = best_of(row)
    return best["parameters"] if best else {}


def _csv(records: Callable[[], Iterable[Record]], path: Path) -> None:
    """One row a data set; of the best fit each parameter that was fitted anywhere, and its error."""
    names = _collect_fitted_names(records())
    head = [*CSV_COLUMNS, *(column for name in names for column in (name, f"{name} error"))]
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(head)
        for record, row in _rows(records()):
            flat, parameters = summary(record, row), _parameters(row)
            cells = [parameters.get(name, {}).get(key) for name in names for key in ("value", "error")]
            table.writerow(map(_cell, [*map(flat.__getitem__, CSV_COLUMNS), *cells]))


def _collect_fitted_names(records: Iterable[Record]) -> list[str]:
    """Parameters that were fitted anywhere, those of most rows first."""
    counts = Counter(
        name for _, row in _rows(records) for name, p in _parameters(row).items() if not p["fixed"]
    )
    return sorted(counts, key=lambda name: (-counts[name], name))


def _cell(value: Any) -> Any:
    """A cell of the CSV: empty for nan, eight significant digits, yes or no."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return ("no", "yes")[value]
    if isinstance(value, str):
        return plain_cell(value)
    return f"{value:.8g}" if isinstance(value, float) else value


def to_hdf5(text: str) -> bytes:
    """Bytes of a string in HDF5: without zero bytes, which end it; file names need not be UTF-8."""
    return text.replace("\0", "").encode("utf-8", "surrogateescape")


class _Table:
    """A dataset that grows by blocks of rows."""

    def __init__(self, file: Any, name: str) -> None:
        import h5py

        kinds = {_TEXT: h5py.string_dtype(), _FLAG: np.dtype(bool)}
        columns = TABLES[name]
        self._dtype = np.dtype([(column, kinds.get(kind, kind)) for column, kind, _ in columns])
        self._set = file.create_dataset(name, (0,), self._dtype, maxshape=(None,), chunks=(512,))
        for column, _, meaning in columns:
            self._set.attrs[column] = meaning
        self._block: list[tuple[Any, ...]] = []
        self.count = 0

    def add(self, row: tuple[Any, ...]) -> None:
        self._block.append(tuple(to_hdf5(value) if isinstance(value, str) else value for value in row))
        self.count += 1
        if len(self._block) == _BLOCK:
            self.close()

    def close(self) -> None:
        if self._block:
            length_before = self._set.shape[0]
            self._set.resize((length_before + len(self._block),))
            self._set[length_before:] = np.array(self._block, dtype=self._dtype)
            self._block = []
