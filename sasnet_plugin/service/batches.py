"""A batch as the pages ask for it: `sasnet batch` in a process that may be killed at any moment.

What is done lies in the journal; killed, the same job does what is missing.
"""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.limits import sentence_of
from ..digits import unit_text
from ..fitting.request import REFINING, request_from_json
from ..fitting.result.verdict import DOES_NOT, DOUBTS, EXPLAINS
from ..types import SasnetError, product_name
from ..units import UNIT_OF_I, is_of_intensity
from .answers import plain
from .fits import PROBLEM, PROGRESS

if TYPE_CHECKING:
    from ..batch.journal import Journal, Record
    from ..batch.plan import Options

ROWS, WRITTEN = "rows", "written"
#: Files of a batch in its folder.
RESULTS, TABLE, TREND, REPORT = "results.h5", "rows.json", "trend.html", "index.html"
#: Files whose curves are drawn in the report: what is still looked at one by one.
_DRAWN = 300
Say = Callable[[tuple[str, Any]], None]


@dataclass(frozen=True)
class BatchJob:
    """What is to be done."""

    files: tuple[str, ...]  #: Whole names, in the order of a series.
    folder: str  #: For journal, results and report; made.
    #: As a request of `sasnet serve` says how each is fitted, ``window``, and ``readings`` of `Options`.
    body: Mapping[str, Any] = field(default_factory=dict)
    series: bool = False  #: They are frames: each begins from the answer before it as well.
    fit: bool = True  #: False: fit nothing, write what is there.


def begin(workers: int) -> Callable[[BatchJob, Say], tuple[str, Any]]:
    """Return what does batches in a process of the pool: says `PROGRESS`, `ROWS`, then `WRITTEN`."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    if hasattr(os, "nice"):  # whoever fits one curve by hand goes first
        os.nice(10)

    def do(job: BatchJob, say: Say) -> tuple[str, Any]:
        try:
            return WRITTEN, _run_batch(job, say, workers)
        except Exception as error:
            return PROBLEM, sentence_of(job.folder, error)

    return do


def _run_batch(job: BatchJob, say: Say, workers: int) -> list[str]:
    from ..batch import run
    from ..batch.journal import Journal, journal_of
    from ..batch.plan import missing

    folder = Path(job.folder)
    folder.mkdir(parents=True, exist_ok=True)
    options = batch_options(job.body, workers)
    with Journal(journal_of(folder / RESULTS)) as journal:
        limit, files = options.fit.time_limit, job.files
        todo = missing(files, journal, options, limit) if job.fit else []
        todo_files = set(todo)
        say((ROWS, _rows(journal, files, todo_files)))
        if todo:
            journal.name_options(options.digest, options.as_dict())
            if job.series:
                answers = run.series(files, todo, journal, options, limit)
            else:
                answers = run.local(todo, options, limit, workers)
            places = {path: place for place, path in enumerate(files)}
            done_count = len(files) - len(todo)

            def step(state: run.Progress) -> None:
                say((PROGRESS, {"done": done_count + state.done, "failed": state.failed}))

            run.keep(_report_answers(answers, places, say), journal, folder / RESULTS, len(todo), step)
        run.publish(journal, folder / RESULTS)
        rows = _rows(journal, files, set())
    return write_batch(rows, folder)


def batch_options(body: Mapping[str, Any], workers: int) -> Options:
    """Parse how each file is fitted. Raises SasnetError if what is asked for does not exist."""
    from ..batch.plan import Options
    from ..fitting.asked import check_names

    request = request_from_json({**body, "q_range": body.get("window"), "workers": workers}, without=REFINING)
    options = Options.of(request, body.get("readings") or {})
    check_names(options.fit)
    return options


def _rows(journal: Journal, files: tuple[str, ...], failed_files: set[str]) -> list[dict[str, Any]]:
    places = {path: place for place, path in enumerate(files) if path in journal.places.keys() - failed_files}
    records = zip(places.values(), journal.records(list(places)), strict=True)
    return [row for place, record in records for row in rows_of(record, place)]


def _report_answers(answers: Any, places: Mapping[str, int], say: Say) -> Any:
    """Pass answers on and say each once the next is asked for, when it is in the journal."""
    try:
        for record in answers:
            yield record
            say((ROWS, rows_of(record, places[record["file"]])))
    finally:
        answers.close()


def rows_of(record: Record, place: int) -> list[dict[str, Any]]:
    """Return page rows, one for each data set of a file."""
    # ``file``, ``place`` (of the file, from 0), ``entry`` (number in it, from 1), ``name`` (of the entry),
    # ``headline``, ``doubt``, ``level``, ``error``, ``chisq``, ``model``, ``structure_factor``, ``weights``
    # (of models), ``values`` (by name: value, error or None, unit, whether fixed), ``kinds`` (of size
    # distributions), ``at`` (numbers it can be drawn against).
    from ..batch.series import collect_abscissa_values

    abscissa = collect_abscissa_values(record["file"])
    return plain(
        [_row(record, row, place, entry, abscissa) for entry, row in enumerate(record["rows"], start=1)]
    )


def _row(
    record: Record, row: Mapping[str, Any], place: int, entry: int, abscissa: dict[str, float]
) -> dict[str, Any]:
    from ..batch.journal import best_of, name_of

    best = best_of(dict(row)) or {}
    return {
        "file": record["file"], "place": place, "entry": entry, "name": row["entry"],
        "headline": row.get("headline", ""), "doubt": row.get("doubt", ""), "error": row["error"],
        "level": _level(row) if best else "",
        "chisq": best.get("reduced_chisq"), "model": best.get("model", ""),
        "structure_factor": best.get("structure_factor"),
        "weights": {name_of(fit): fit["weight"] for fit in row["fits"]},
        "values": {
            name: [p["value"], p["error"], p["unit"], p["fixed"]]
            for name, p in best.get("parameters", {}).items()
        },
        "kinds": best.get("distributions", {}), "at": abscissa,
    }  # fmt: skip


def write_batch(rows: list[dict[str, Any]], folder: Path) -> list[str]:
    """Names of the files of a batch: results, report with the trend, and what the page reads."""
    from ..files import put_whole

    put_whole(folder / TABLE, json.dumps(rows, allow_nan=False).encode(), "table of the page")
    _report(rows, folder)
    _trend(rows, folder)
    return [REPORT, TREND, RESULTS, Path(RESULTS).with_suffix(".csv").name]


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """Rows of a batch as `write_batch` has left them; none where it was not."""
    try:
        rows: list[dict[str, Any]] = json.loads((folder / TABLE).read_text())
    except (OSError, ValueError):
        return []
    return rows


def _report(rows: list[dict[str, Any]], folder: Path) -> None:
    from ..data import load
    from ..report.page.overview import Row, thumbnail, write_overview

    def draw_thumbnail(row: Mapping[str, Any]) -> str:
        if len(rows) > _DRAWN:
            return ""
        try:
            return thumbnail(load(row["file"])[row["entry"] - 1])
        except (SasnetError, IndexError):  # it was removed, or is no curve
            return ""

    levels = {EXPLAINS: "", DOUBTS: "doubt"}
    lines = [
        Row(
            Path(row["file"]).name, row["name"], row["headline"] or row["error"], row["model"],
            row["structure_factor"] or "", reduced_chisq=row["chisq"], note=row["doubt"],
            level=levels.get(row["level"], "wrong"), thumbnail=draw_thumbnail(row),
        )
        for row in rows
    ]  # fmt: skip
    write_overview(lines, folder, f"{len({row['file'] for row in rows})} files")


def _level(row: Mapping[str, Any]) -> str:
    if not row.get("verified"):
        return DOES_NOT
    return DOUBTS if row.get("doubt") else EXPLAINS


def _trend(rows: list[dict[str, Any]], folder: Path) -> None:
    from ..files import put_whole
    from ..report.trend import describe_gaps, gaps_of, trend, trend_page, trend_size

    model_rows = [row for row in rows if row["model"]]
    numbers = {
        f"{name} / {unit}" if unit else name: (column(model_rows, name, 0), column(model_rows, name, 1))
        for name, unit in list_fitted_names(model_rows)
    }
    sentences = changes(model_rows) or [
        f"The model is {product_name(*_name_model(row))} in all frames." for row in model_rows[:1]
    ]
    time = np.arange(1.0, len(model_rows) + 1)
    gap_positions = [
        place + 0.5
        for place, (first_row, next_) in enumerate(pairwise(model_rows), 1)
        if _models(first_row) != _models(next_)
    ]
    gaps = [
        gap
        for (name, _), (title, (value, _)) in zip(list_fitted_names(model_rows), numbers.items(), strict=True)
        for gap in gaps_of(title, time, value, [_why_missing(row, name) for row in model_rows])
    ]
    figure = trend(time, _shares(model_rows), numbers, gap_positions, gaps, against="data set")
    page = trend_page(
        "Along the data sets", figure, trend_size(len(numbers)), sentences,
        f"{len(model_rows)} of {len(rows)} data sets have an answer.", describe_gaps(gaps, "data set"),
        again=None,
    )  # fmt: skip
    put_whole(folder / TREND, page.encode(), "page of the trend")


def _why_missing(row: Mapping[str, Any], name: str) -> str:
    return f"fixed in {row['model']}" if name in row["values"] else f"no parameter of {row['model']}"


def _shares(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Weight of each model in each row, (n,)."""
    models = dict.fromkeys(name for row in rows for name in row["weights"])
    return {name: np.array([row["weights"].get(name, 0.0) for row in rows]) for name in models}


def list_fitted_names(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Names and units of the parameters that were fitted, those of most data sets first, at most six."""
    values = [item for row in rows for item in row["values"].items()]
    counts = Counter(name for name, p in values if not p[3])
    units = {name: UNIT_OF_I if is_of_intensity(p[2]) else unit_text(p[2]) for name, p in values}
    order = sorted(counts, key=lambda name: (name in ("scale", "background"), -counts[name]))
    return [(name, units[name]) for name in order[:6]]


def column(rows: list[dict[str, Any]], name: str, part: int) -> Any:
    """Values (part 0) or errors (1) of a parameter (n,), NaN where it was not fitted."""

    def one(row: Mapping[str, Any]) -> float:
        p = row["values"].get(name)
        return math.nan if p is None or p[3] or p[part] is None else float(p[part])

    return np.array([one(row) for row in rows])


def _models(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["model"], row["structure_factor"] or ""


def changes(rows: list[dict[str, Any]]) -> list[str]:
    """A sentence for each place where the best model is another than before."""
    return [
        f"{Path(new['file']).name}: {product_name(*_name_model(old))} → {product_name(*_name_model(new))}."
        for old, new in zip(rows, rows[1:], strict=False)
        if _models(old) != _models(new)
    ]


def _name_model(row: Mapping[str, Any]) -> tuple[str, str | None]:
    return row["model"], row["structure_factor"] or None
