"""Batches: ask for one, stop it, go on, see its rows and what they can be drawn against, take its files."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, Field

from ...types import SasnetError
from ..settings import CURVES
from .curves import Number, OfCurves

router = APIRouter()


class Asked(BaseModel):
    """Data sets, whose files are fitted each on its own, and how; as of `sasnet batch`."""

    keys: list[str] = Field(min_length=1, max_length=CURVES.most_in_batch)
    window: tuple[Number, Number] | None = None
    models: list[str] | None = Field(default=None, max_length=20)
    structure_factor: str | None = None
    series: bool = False
    time_limit: float = Field(default=14.0, ge=1, le=CURVES.longest_fit)


@router.get("/api/keys")
def keys(bench: OfCurves, search: str = "") -> JSONResponse:
    """Return keys and files of all rows that a search finds, to tick them."""
    _, rows = bench.listing.rows(search, "name", backwards=False)
    if len(rows) > CURVES.most_in_batch:
        raise SasnetError(f"More than {CURVES.most_in_batch:,} data sets match the search; narrow it.")
    return JSONResponse({"keys": [[row.key, row.file] for row in rows if not (row.problem or row.is_image)]})


@router.post("/api/batches")
def batch(asked: Asked, bench: OfCurves) -> dict[str, Any]:
    """Have the files of data sets fitted."""
    from ...service.models import check_name

    for name in asked.models or ():
        check_name(name, None if asked.structure_factor in (None, "none") else asked.structure_factor)
    body = asked.model_dump(mode="json", exclude={"keys"}, exclude_none=True)
    return bench.batch(asked.keys, body).as_dict()


@router.get("/api/batches")
def batches(bench: OfCurves) -> JSONResponse:
    return JSONResponse({"batches": bench.batches.all(), "version": bench.batches.version})


@router.get("/api/batches/{number}")
def rows(number: int, bench: OfCurves, after: int = 0) -> JSONResponse:
    """A batch with its rows, those that came after so many."""
    about = bench.batches.batch(number).as_dict()
    return JSONResponse({**about, "rows": bench.batches.rows(number, after)})


@router.post("/api/batches/{number}/stop")
def stop(number: int, bench: OfCurves) -> dict[str, Any]:
    """End a batch; what is done is kept."""
    return {"stopped": bench.batches.stop(number)}


@router.post("/api/batches/{number}/go")
def go(number: int, bench: OfCurves) -> dict[str, Any]:
    """Do what is missing, or has failed."""
    return bench.batches.go_on(number).as_dict()


@router.get("/batches/{number}/{name}")
def file(number: int, name: str, bench: OfCurves) -> FileResponse:
    """A file of a batch's results."""
    path = bench.batches.folder_of(number) / name
    if name not in bench.batches.batch(number).written or not path.is_file():
        raise SasnetError("There is no such file of this batch.")
    return FileResponse(path, filename=name, headers={"Cache-Control": "no-store"})
