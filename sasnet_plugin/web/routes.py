"""What the pages of curves ask for; each request asks the bench, and holds nothing itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from ..batch.plan import TIME_LIMIT
from ..data.sample.described import polarisation_of
from ..data.sample.sample import KINDS, SPINS
from ..fitting.request import (
    OPTIONS,
    READING,
    REFINING,
    START,
    request_from_json,
)
from ..planning.measurements import examples
from ..service.interactive import check_name
from ..types import SasnetError, printable
from .curves.bench import Bench
from .curves.shelf import describe_row, select_window
from .settings import CURVES

# --- The list of data sets, and one of them: what it may be, and a model beside it.

router = APIRouter()
_EXAMPLE = Path(__file__).parent / "curves" / "example.dat"


def _bench(request: Request) -> Bench:
    bench: Bench | None = request.app.state.opened.bench
    if bench is None:
        raise SasnetError("This page shows no curves; start 'sasnet web'.")
    return bench


OfCurves = Annotated[Bench, Depends(_bench)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Data(BaseModel):
    """A data set, in a window of q (Å⁻¹) and with a unit of q: "" of the file, None: chosen for it."""

    key: str
    window: tuple[Number, Number] | None = None
    q_unit: str | None = None

    def body(self) -> dict[str, Any]:
        """What a question says besides the key."""
        return self.model_dump(exclude={"key"})


class Reading(BaseModel):
    """How curves of a file are read: unit of q ("": that of the file), wavelength (Å) of a column of 2θ."""

    key: str
    q_unit: Literal["A", "nm", ""] | None = None
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
            "pictures": shelf.pictures,
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
    bench.ask("open", how.key, {"q_unit": "", **body})  # whoever is mistaken is told before it is kept
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
    chosen = bench.shelf.find_choice(data.key)
    unit = chosen.get("q_unit", "") if data.q_unit is None else data.q_unit
    reading = {"unit": unit, "chosen": {"q_unit": None, "wavelength": None, **chosen}}
    return JSONResponse({"key": data.key, "file": row.file, **reading, **found_data})


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


# --- How curves are fitted: the options of `sasnet fit`, bounded.


class Start(BaseModel):
    """Values of a model that a fit begins from."""

    model: str
    structure_factor: str | None = None
    values: dict[str, Number | str]


Word = Annotated[str, Field(max_length=CURVES.longest_search)]
Words = Annotated[list[Word], Field(max_length=50)]
Seconds = Annotated[float, Field(ge=OPTIONS["time_limit"].kind.least, le=CURVES.longest_fit)]
Numbers = Annotated[dict[Word, Number], Field(max_length=50)]


def _bound(kind: Any) -> Any:
    """The type of a value in JSON as a body may have it: short texts, finite numbers, few entries."""
    if kind == START.json:
        return Start
    origin, inner = get_origin(kind), tuple(map(_bound, get_args(kind)))
    if origin in (list, dict):
        return Annotated[origin[inner], Field(max_length=50)]
    plain = {str: Word, float: Number}.get(kind, kind)
    return origin[inner] if origin is tuple else Union[inner] if inner else plain  # noqa: UP007


#: Options that the page asks in other ways: the data set by its key, the range of q by the plot.
IN_OTHER_WAYS = (*READING, "workers")
_FIELDS: dict[str, Any] = {
    name: (_bound(about.kind.json) | None, Field(default=None, description=about.help_text))
    for name, about in OPTIONS.items()
    if name not in IN_OTHER_WAYS
}
_OptionsOfFit: Any = create_model("_OptionsOfFit", **_FIELDS)


class AskedOfFit(_OptionsOfFit):
    """How curves are fitted, in a window of q (Å⁻¹)."""

    without: ClassVar[tuple[str, ...]] = ()  #: Options that it does not take.
    window: tuple[Number, Number] | None = None
    time_limit: Seconds | None = None

    def body(self) -> dict[str, Any]:
        """Return the request as `sasnet serve` takes it. Raises SasnetError for a wrong option or model."""
        body: dict[str, Any] = self.model_dump(mode="json", exclude={"keys"}, exclude_none=True)
        if refused := body.keys() & set(self.without):
            raise SasnetError(f"{min(refused)}: a batch has no such option; fit its curves one by one.")
        request_from_json(body, without=IN_OTHER_WAYS)
        factor = body.get("structure_factor")
        pairs = [(name, factor) for name in body.get("models", ())]
        if start := body.get("start"):
            pairs.append((start["model"], start.get("structure_factor")))
        for name, factor in pairs:  # no file of a plugin: its code would run
            check_name(name, None if factor in ("none", "") else factor)
        return body


# --- Batches: ask for one, stop it, go on, see its rows and what they can be drawn against, take
# --- its files.


class AskedBatch(AskedOfFit):
    """Data sets, whose files are fitted each on its own, and how; as of `sasnet batch`."""

    without: ClassVar[tuple[str, ...]] = REFINING
    keys: list[str] = Field(min_length=1, max_length=CURVES.most_in_batch)
    series: bool = False
    q_unit: Literal["A", "nm"] | None = None
    time_limit: Seconds = TIME_LIMIT


@router.get("/api/keys")
def keys(bench: OfCurves, search: str = "") -> JSONResponse:
    """Return keys and files of all rows that a search finds, to tick them."""
    _, rows = bench.listing.rows(search, "name", backwards=False)
    if len(rows) > CURVES.most_in_batch:
        raise SasnetError(f"More than {CURVES.most_in_batch:,} data sets match the search; narrow it.")
    return JSONResponse({"keys": [[row.key, row.file] for row in rows if not (row.problem or row.is_image)]})


class Keys(BaseModel):
    """Data sets."""

    keys: list[str] = Field(max_length=CURVES.most_in_batch)


@router.post("/api/sectors")
def sectors(which: Keys, bench: OfCurves) -> list[list[float] | None]:
    """Azimuth and half-width in degrees that the file of each data set gives for its sector."""
    return [row.line.get("sector") for row in bench.shelf.wait_for(which.keys)]


@router.post("/api/batches")
def batch(asked: AskedBatch, bench: OfCurves) -> dict[str, Any]:
    return bench.batch(asked.keys, asked.body()).as_dict()


@router.get("/api/batches")
def batches(bench: OfCurves) -> JSONResponse:
    return JSONResponse({"batches": bench.batches.all(), "version": bench.batches.version})


@router.get("/api/batches/{number}")
def rows(number: int, bench: OfCurves, after: int = 0) -> JSONResponse:
    """A batch with its rows, those that came after so many."""
    about = bench.batches.batch(number).as_dict()
    batch_rows = bench.batches.rows(number, after)
    units = bench.shelf.units_of_intensity([row["key"] for row in batch_rows])
    for row, unit in zip(batch_rows, units, strict=True):
        row["intensity_unit"] = unit
    return JSONResponse({**about, "rows": batch_rows})


@router.post("/api/batches/{number}/stop")
def stop_batch(number: int, bench: OfCurves) -> dict[str, Any]:
    """End a batch; what is done is kept."""
    return {"stopped": bench.batches.stop(number)}


@router.post("/api/batches/{number}/go")
def go(number: int, bench: OfCurves) -> dict[str, Any]:
    """Do what is missing, or has failed."""
    return bench.batches.go_on(number).as_dict()


@router.get("/batches/{number}/{name}")
def batch_file(number: int, name: str, bench: OfCurves) -> FileResponse:
    """A file of a batch's results."""
    path = bench.batches.folder_of(number) / name
    if name not in bench.batches.batch(number).written or not path.is_file():
        raise SasnetError("There is no such file of this batch.")
    return FileResponse(path, filename=name, headers={"Cache-Control": "no-store"})


# --- The first page: that of curves where there are any to show, else that of tags.


@router.get("/")
def first(request: Request) -> Response:
    """The page of curves and images, which asks for everything else."""
    state = request.app.state
    response: Response
    if state.opened.bench is None:
        response = RedirectResponse("/tags", 303)
    else:
        context = {
            "tags": state.opened.tabs.tagging is not None, "kinds": KINDS, "spins": SPINS,
            "instruments": examples(), "options": OPTIONS, "longest_fit": CURVES.longest_fit,
            "batch_seconds": TIME_LIMIT,
        }  # fmt: skip
        response = state.templates.TemplateResponse(request, "curves.html", context)
    state.keys.give(response)
    return response


# --- Fits: ask for one, stop it, go back to it, take its files.


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
    sectors: dict[str, Word] = Field(default={}, max_length=CURVES.most_together)
    field: Number | None = None  #: Azimuth of a saturating magnetic field, degrees.
    spins: dict[str, Word] = Field(default={}, max_length=CURVES.most_together)
    polarisation: Word = ""  #: Efficiencies, such as ``0.95:0.98``.

    def sections(self) -> dict[str, Any]:
        """What was said, as a sample file has it."""
        body = self.model_dump(mode="json", exclude_none=True)
        if self.polarisation:
            body["polarisation"] = polarisation_of(self.polarisation)
        return {name: value for name, value in body.items() if value not in ("", {}, [])}


def _example(name: str) -> str:
    if name not in ("", *examples()):
        raise ValueError(f"give one of {', '.join(examples())}")
    return name


class AskedPlan(BaseModel):
    """What a plan of the next measurement is asked for, as of `plan_options`."""

    parameter: Word = ""
    aim: Number | None = None
    solvents: Word = ""
    exchange: Word = ""
    changes: Word = ""
    instrument: Annotated[str, AfterValidator(_example)] = ""  #: No path: no other file is read.
    instrument_text: str = Field(default="", max_length=100_000)
    time: Number | None = None


class AskedFit(AskedOfFit):
    """One data set, or several of one sample, and how they are fitted; as of `sasnet fit`."""

    keys: list[str] = Field(min_length=1, max_length=CURVES.most_together)
    q_unit: str | None = None
    sample_description: Description | None = None
    plan: AskedPlan | None = None  #: Plan the next measurement as well.

    def body(self) -> dict[str, Any]:
        """Return the request as `sasnet serve` takes it."""
        body = super().body()
        if self.sample_description:
            body["sample_description"] = self.sample_description.sections()
        return body


@router.post("/api/fits")
def fit(asked: AskedFit, bench: OfCurves) -> dict[str, Any]:
    return bench.fit(asked.keys, asked.body()).as_dict()


@router.get("/api/fits")
def fits(key: str, bench: OfCurves) -> JSONResponse:
    """Fits of a data set, the newest first."""
    return JSONResponse({"fits": bench.history.find_fits(key), "batches": bench.batches.find_rows(key)})


@router.get("/api/fits/{number}")
def answer(number: int, bench: OfCurves) -> JSONResponse:
    found_fit, found_answer = bench.history.fit(number).as_dict(), bench.history.answer(number)
    if plan := (found_answer or {}).get("plan"):
        plan = {"lines": plan["lines"], "table": plan["table"], "picture": plan.get("picture", "")}
        found_answer = {**found_answer, "plan": plan}
    return JSONResponse({**found_fit, "answer": found_answer})


@router.post("/api/fits/{number}/stop")
def stop_fit(number: int, bench: OfCurves) -> dict[str, Any]:
    """End a fit."""
    return {"stopped": bench.history.stop(number)}


@router.post("/api/fits/{number}/remove")
def remove_fit(number: int, bench: OfCurves) -> dict[str, Any]:
    """Remove a fit and its files."""
    bench.remove_fit(number)
    return {"removed": number}


@router.post("/api/remove")
def remove_file(data: Data, bench: OfCurves) -> dict[str, Any]:
    """Remove a dropped file."""
    bench.remove_file(data.key)
    return {"removed": data.key}


@router.get("/fits/{number}/{name}")
def fit_file(number: int, name: str, bench: OfCurves) -> FileResponse:
    found_fit = bench.history.fit(number)
    path = bench.history.folder_of(number) / name
    if name not in found_fit.files or not path.is_file():
        raise SasnetError("There is no such file of this fit.")
    return FileResponse(path, filename=name, headers={"Cache-Control": "no-store"})
