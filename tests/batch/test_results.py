"""The results file and the table beside it hold what the journal holds, and memory does not grow with it."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest

from sasnet_plugin.batch.results import CSV_COLUMNS, TABLES, check_ours, write_results
from sasnet_plugin.types import SasnetError


def fit(model: str, factor: str | None, values: dict[str, tuple[float, float | None]]) -> dict[str, Any]:
    return {
        "model": model, "structure_factor": factor, "reduced_chisq": 1.5, "bic": 30.0, "weight": 0.75,
        "probability": 0.25, "seconds": 0.5, "warnings": ["Look at this."], "distributions": {},
        "parameters": {
            name: {"value": value, "error": error, "unit": "Ang", "fixed": error is None}
            for name, (value, error) in values.items()
        },
    }  # fmt: skip


def record(file: str, *fits: dict[str, Any], error: str = "", **more: Any) -> dict[str, Any]:
    row = {
        "entry": "first", "points": 50, "q_min": 0.01, "q_max": 0.3, "rg": None, "verified": True,
        "notes": ["A note, with “quotes”."], "seconds": 2.5, "error": error, "fits": list(fits),
    }  # fmt: skip
    return {"file": file, "options": "abc", "late": bool(error), "rows": [row | more]}


#: A name that is not UTF-8, as Linux allows; one with a comma and a line break.
NAMES = (os.fsdecode(b"/data/t\xe9st.dat"), "/data/a, b\n.dat", "/data/c.dat")


def records() -> Iterator[dict[str, Any]]:
    yield record(
        NAMES[0],
        fit("sphere", "hardsphere", {"radius": (50.125, 0.5), "sld": (4.0, None)}),
        fit("lamellar", None, {"thickness": (20.0, 1.0)}),
        limit_met=True,
    )
    yield record(NAMES[1], fit("lamellar", None, {"thickness": (math.pi, 1.0)}))
    yield record(NAMES[2], error="No table\0 of numbers.")


def test_both_files_give_back_what_went_in(tmp_path: Path) -> None:
    out = tmp_path / "r.h5"
    assert write_results(records, {"abc": {"top": 5}}, out) == (3, 1)
    with h5py.File(out) as file:
        assert file.attrs["format"] == "sasnet batch"
        assert json.loads(file.attrs["options"]) == {"abc": {"top": 5}}
        for name, columns in TABLES.items():
            assert file[name].dtype.names == tuple(column for column, _, _ in columns)
            assert set(file[name].attrs) == {column for column, _, _ in columns}
        rows, fits, parameters = (file[name][:] for name in TABLES)
    assert [os.fsdecode(name) for name in rows["file"]] == list(NAMES)
    assert rows["best"].tolist() == [b"sphere@hardsphere", b"lamellar", b""]
    assert rows["verified"].tolist() == [True, True, True]
    # What the row itself says of the limit; in older journals, what the file says.
    assert rows["limit_met"].tolist() == [True, False, True]
    assert rows["stopped_by_clock"].tolist() == [True, False, True]
    assert rows["error"][2] == b"No table of numbers."
    assert math.isnan(rows["rg"][0])
    assert math.isnan(rows["reduced_chisq"][2])
    assert rows["first_fit"].tolist() == [0, 2, 3]
    assert rows["fits"].tolist() == [2, 1, 0]
    assert fits["dataset"].tolist() == [0, 0, 1]
    assert fits["model"].tolist() == [b"sphere", b"lamellar", b"lamellar"]
    assert fits["first_parameter"].tolist() == [0, 2, 3]
    assert parameters["value"].tolist() == [50.125, 4.0, 20.0, math.pi]
    assert parameters["fixed"].tolist() == [False, True, False, False]
    with out.with_suffix(".csv").open(encoding="utf-8", errors="surrogateescape", newline="") as text:
        table = list(csv.DictReader(text))
    assert [row["file"] for row in table] == list(NAMES)
    assert list(table[0])[len(CSV_COLUMNS) :] == ["radius", "radius error", "thickness", "thickness error"]
    assert table[0]["radius"] == "50.125"
    assert table[0]["thickness"] == ""
    assert float(table[1]["thickness"]) == pytest.approx(math.pi)
    assert table[0]["notes"] == "A note, with “quotes”. Look at this."
    assert table[2]["best"] == ""


def test_the_same_answers_give_the_same_table(tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        write_results(records, {}, tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_memory_does_not_grow_with_the_number_of_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sasnet_plugin.batch.results._BLOCK", 200)

    def peak(count: int) -> int:
        def many() -> Iterator[dict[str, Any]]:
            for k in range(count):
                values = {f"radius{i}": (float(i), 1.0) for i in range(5)}
                yield record(f"/data/{k}", fit("sphere", None, values))

        tracemalloc.start()
        try:
            write_results(many, {}, tmp_path / "many.h5")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few = peak(400)  # more than a block of every table
    assert peak(1600) < 1.5 * few


def test_a_full_disk_keeps_the_old_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "r.h5"
    write_results(records, {}, out)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for place in ("h5py.Dataset.resize", "csv.writer"):
        with monkeypatch.context() as patch:
            patch.setattr(place, full)
            with pytest.raises(SasnetError, match="No space left on device"):
                write_results(records, {"changed": {}}, out)
        assert {path.name for path in tmp_path.iterdir()} == set(before)
    assert out.with_suffix(".csv").read_bytes() == before["r.csv"]


@pytest.mark.parametrize("name", ["r.h5", "r.csv"])
def test_anothers_file_is_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"my thesis")
    with pytest.raises(SasnetError, match="was not written by this command"):
        check_ours(tmp_path / "r.h5")
    check_ours(tmp_path / "r.h5", force=True)
    with pytest.raises(SasnetError, match="is not a file"):
        check_ours(tmp_path)
