"""The list of data sets, and one of them: what it may be, and a model beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from ...types import SasnetError, printable
from ..curves.bench import Bench
from ..curves.listing import describe_row, select_window
from ..on_page import adapt_to_page
from ..settings import CURVES

router = APIRouter()
_EXAMPLE = Path(__file__).parents[1] / "curves" / "example.dat"


def _bench(request: Request) -> Bench:
    bench: Bench | None = request.app.state.opened.bench
    if bench is None:
        raise SasnetError("This page shows no curves; start 'sasnet web'.")
    return bench


OfCurves = Annotated[Bench, Depends(_bench)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Data(BaseModel):
    """A data set, in a window of q (Å⁻¹) and with a unit of q."""

    key: str
    window: tuple[Number, Number] | None = None
    q_unit: str | None = None

    def body(self) -> dict[str, Any]:
        """What a question says besides the key."""
        return self.model_dump(exclude={"key"})


class Reading(BaseModel):
    """How curves of a file are read: their unit of q, the wavelength (Å) where the first column is 2θ."""

    key: str
    q_unit: Literal["A", "nm"] | None = None
    wavelength: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class Model(Data):
    """A model for it."""

    model: str
    structure_factor: str | None = None


class Values(Model):
    """With values, in sasmodels' units."""

    values: dict[str, Number | str] = Field(default_factory=dict)
    per_decade: int | None = Field(default=None, ge=1, le=1000)


@router.get("/api/files")
def files(
    bench: OfCurves, search: str = "", order: str = "name", backwards: bool = False, start: int = 0,
    count: int = 60, images: bool = False,
) -> JSONResponse:  # fmt: skip
    """A window of the list, or of the images in it."""
    version, rows = bench.listing.rows(search, order, backwards=backwards, images=images)
    first, page_rows = select_window(rows, start, count)
    bench.shelf.read_first(page_rows)
    return JSONResponse(
        {
            "version": version,
            "count": len(rows),
            "start": first,
            "rows": [describe_row(row) for row in page_rows],
        }
    )


@router.get("/api/news")
def news(bench: OfCurves) -> JSONResponse:
    """What has changed, by version, and the fits under way; asked for again and again."""
    shelf, history = bench.shelf, bench.history
    return JSONResponse(
        {
            "files": shelf.version, "total": len(shelf.rows()), "left": shelf.remaining,
            "fits": history.version, "open": history.open(), "batches": bench.batches.version,
        }
    )  # fmt: skip


@router.get("/api/about")
def describe_bench(bench: OfCurves) -> dict[str, Any]:
    """Which folders these are, and which models there are."""
    models = bench.ask("model")
    return {
        "folder": str(bench.folder or ""), "dropped": str(bench.dropped), "work": str(bench.work), **models,
    }  # fmt: skip


@router.post("/api/drop")
async def drop(request: Request, name: str, bench: OfCurves, within: str = "") -> dict[str, Any]:
    """Keep a dropped file, which is the body, in the folder in which it was dropped."""
    if int(request.headers.get("content-length", "0")) > CURVES.largest_file:
        most = CURVES.largest_file // 2**20
        raise SasnetError(
            f"{printable(name)[-100:]}: has more than {most} MiB; start sasnet web with its folder."
        )
    content = await request.body()
    return {"key": await run_in_threadpool(bench.drop, name, content, within)}


@router.post("/api/read")
def read(how: Reading, bench: OfCurves) -> dict[str, Any]:
    """Say how the curves of a file are read; it is kept."""
    if bench.shelf.row(how.key).is_image:
        raise SasnetError(
            f"{bench.shelf.row(how.key).file}: is an image; set how to read it in the tab Images."
        )
    body = how.model_dump(exclude={"key"}, exclude_none=True)
    bench.ask("open", how.key, body)  # whoever is mistaken is told before anything is kept
    bench.shelf.choose(how.key, body)
    return {"key": how.key}


@router.post("/api/what")
def what(data: Data, bench: OfCurves) -> dict[str, Any]:
    """Whether a file, perhaps dropped a moment ago, is an image or holds curves."""
    return {"image": bench.ask("what", data.key)}


@router.post("/api/scan")
def scan(bench: OfCurves) -> dict[str, Any]:
    """Look at the folders now."""
    bench.shelf.scan()
    return {"version": bench.shelf.version}


@router.post("/api/example")
def example(bench: OfCurves) -> dict[str, Any]:
    """Put the example among the dropped files."""
    key = bench.drop("example spheres.dat", _EXAMPLE.read_bytes())
    bench.shelf.scan()
    return {"key": key}


@router.post("/api/curve")
def curve(data: Data, bench: OfCurves) -> JSONResponse:
    """A curve with all that is said of it before a fit."""
    row = bench.shelf.row(data.key)
    found_data = bench.ask("open", data.key, data.body())
    found_data["notes"] = [adapt_to_page(note) for note in found_data["notes"]]
    return JSONResponse({"key": data.key, "file": row.file, **found_data})


@router.post("/api/suggest")
def suggest(data: Data, bench: OfCurves) -> JSONResponse:
    """What may explain the curve in its window."""
    return JSONResponse(bench.ask("suggest", data.key, data.body()))


@router.post("/api/start")
def start(model: Model, bench: OfCurves) -> JSONResponse:
    """A model with values to begin from."""
    return JSONResponse(bench.ask("start", model.key, model.body()))


@router.post("/api/evaluate")
def evaluate(values: Values, bench: OfCurves) -> JSONResponse:
    """A model at given values."""
    return JSONResponse(bench.ask("evaluate", values.key, values.body()))


@router.get("/api/model")
def model(bench: OfCurves, name: str, structure_factor: str | None = None) -> JSONResponse:
    return JSONResponse(bench.ask("model", "", {"model": name, "structure_factor": structure_factor}))
