"""Fits: ask for one, stop it, go back to it, take its files."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ...types import SasnetError
from ..settings import CURVES
from .curves import Number, OfCurves

router = APIRouter()


class Start(BaseModel):
    """Values of a model that a fit begins from."""

    model: str
    structure_factor: str | None = None
    values: dict[str, Number | str]


Numbers = Annotated[dict[str, Number], Field(max_length=CURVES.most_together)]
Word = Annotated[str, Field(max_length=CURVES.longest_search)]
Words = Annotated[list[Word], Field(max_length=50)]


class Description(BaseModel):
    """What is known of curves of one sample: the sections of a sample file, curves by their number."""

    model_config = ConfigDict(extra="forbid")
    kind: Word | None = None
    solvents: dict[str, Number | Word] = Field(default={}, max_length=CURVES.most_together)
    concentrations: Numbers = {}
    probes: dict[str, Word] = Field(default={}, max_length=CURVES.most_together)
    scale: Numbers = {}
    share: Words = []
    own: Words = []
    tie: dict[str, Word] = Field(default={}, max_length=20)
    values: dict[str, Numbers] = Field(default={}, max_length=20)


class Asked(BaseModel):
    """One data set, or several of one sample, and how they are fitted; as of `sasnet fit`."""

    keys: list[str] = Field(min_length=1, max_length=CURVES.most_together)
    window: tuple[Number, Number] | None = None
    q_unit: str | None = None
    models: list[str] | None = Field(default=None, max_length=20)
    structure_factor: str | None = None
    fixed: dict[str, Number] = Field(default_factory=dict)
    ranges: dict[str, tuple[Number, Number]] = Field(default_factory=dict)
    start: Start | None = None
    sample_description: Description | None = None
    time_limit: float = Field(default=90.0, ge=1, le=CURVES.longest_fit)
    plan: bool = False  #: Plan the next measurement as well.

    def body(self) -> dict[str, Any]:
        """Return the request as `sasnet serve` takes it."""
        body: dict[str, Any] = self.model_dump(mode="json", exclude={"keys"}, exclude_none=True)
        if description := body.get("sample_description"):
            body["sample_description"] = {name: value for name, value in description.items() if value}
        return body


@router.post("/api/fits")
def fit(asked: Asked, bench: OfCurves) -> dict[str, Any]:
    from ...service.models import check_name

    pairs = [(name, asked.structure_factor) for name in asked.models or ()]
    if asked.start:
        pairs.append((asked.start.model, asked.start.structure_factor))
    for name, factor in pairs:  # no file of a plugin: its code would run
        check_name(name, None if factor in ("none", "") else factor)
    return bench.fit(asked.keys, asked.body()).as_dict()


@router.get("/api/fits")
def fits(key: str, bench: OfCurves) -> JSONResponse:
    """Fits of a data set, the newest first."""
    return JSONResponse({"fits": bench.history.find_fits(key), "batches": bench.batches.find_rows(key)})


@router.get("/api/fits/{number}")
def answer(number: int, bench: OfCurves) -> JSONResponse:
    found_fit = bench.history.fit(number).as_dict()
    return JSONResponse({**found_fit, "answer": bench.history.answer(number)})


@router.post("/api/fits/{number}/stop")
def stop(number: int, bench: OfCurves) -> dict[str, Any]:
    """End a fit."""
    return {"stopped": bench.history.stop(number)}


@router.get("/fits/{number}/{name}")
def file(number: int, name: str, bench: OfCurves) -> FileResponse:
    found_fit = bench.history.fit(number)
    path = bench.history.folder_of(number) / name
    if name not in found_fit.files or not path.is_file():
        raise SasnetError("There is no such file of this fit.")
    return FileResponse(path, filename=name, headers={"Cache-Control": "no-store"})
