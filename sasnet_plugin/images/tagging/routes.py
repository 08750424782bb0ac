"""What the pages of tags ask for; each request asks the workspace, and holds nothing itself."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import quote as quote_address

import numpy as np
from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field

from ...domains import PAGES, has_tags, specification
from ...predict.classes import percent
from ...types import SasnetError
from ...web.curves.bench import Bench
from ...web.routes import OfCurves, Seconds
from ...web.settings import WEB
from ..raster import COLOURS, SCALES, VIEWS, Look, colour_bar
from ..service import How, titles
from . import exchange
from .events import NO, UNKNOWN, YES, Event
from .retraining import Retraining
from .selection import FUNCTIONS, ORDERS, WORDS, Pair, cooccurrence, quote
from .worker import PREDICT, THUMBNAILS
from .workspace import Tagging, Workspace, kind_of

# --- Images of the list: what they may show, their pictures, of which kind they are, and fits of
# --- them.

router = APIRouter()
_NEVER = {"Cache-Control": "no-store"}
#: How a picture is drawn, from the parameters of a request.
AskedLook = Annotated[Look, Depends()]


class WhichImage(BaseModel):
    """An image."""

    key: str


class ChosenKind(WhichImage):
    """How it is read, and all others that do not tell their kind; all empty: as the file says."""

    kind: str = ""
    geometry: list[str] = Field(default_factory=list, max_length=100)
    others: bool = False


class Verified(WhichImage):
    """A fit of it."""

    time_limit: Seconds = 60.0


@router.get("/api/images/about")
def describe_options() -> dict[str, Any]:
    """Kinds of images, and how pictures may be drawn."""
    return {"kinds": titles(), "views": VIEWS, "scales": SCALES, "colours": COLOURS}


@router.post("/api/image")
def image_line(which: WhichImage, bench: OfCurves) -> JSONResponse:
    row = _row(bench, which.key)
    # The row itself may just be read anew.
    rows = [one_row for one_row in bench.shelf.rows() if one_row.root == row.root]
    keys = ["", *(one_row.key for one_row in rows if one_row.is_image or one_row.key == row.key), ""]
    place = keys.index(row.key)
    neighbours = {"before": keys[place - 1], "after": keys[place + 1]}
    found_image = bench.ask_image("image", which.key)
    return JSONResponse(
        {"key": which.key, "file": row.file, "number": row.entry, **neighbours, **found_image}
    )


@router.post("/api/image/kinds")
def kinds(which: WhichImage, bench: OfCurves) -> JSONResponse:
    """What each kind says of an image."""
    _row(bench, which.key)
    found_kinds = bench.ask_image("kinds", which.key)
    return JSONResponse({"kinds": found_kinds})


@router.post("/api/image/choose")
def choose(chosen: ChosenKind, bench: OfCurves) -> dict[str, Any]:
    """Say of which kind the images of a file are, and how they were measured; it is kept."""
    first = _row(bench, chosen.key)
    reading = How(chosen.kind, tuple(setting for setting in map(str.strip, chosen.geometry) if setting))
    untold = [row for row in bench.shelf.rows() if row.is_image and not row.line["image"]]
    other_rows = [row for row in untold if chosen.others and (row.root, row.file) != (first.root, first.file)]
    for row in (first, *other_rows):
        bench.shelf.choose(row.key, {"kind": reading.kind, "geometry": list(reading.geometry)})
    return {"images": 1 + len(other_rows), "key": chosen.key}


@router.post("/api/image/verify")
def verify(verified: Verified, bench: OfCurves) -> dict[str, Any]:
    """Have physics fitted from the answer on, and simulated again."""
    return bench.verify(verified.key, verified.time_limit).as_dict()


@router.post("/api/image/average")
def average(which: WhichImage, bench: OfCurves) -> dict[str, Any]:
    """Keep the average of an isotropic image as a curve of its own; its key."""
    _row(bench, which.key)
    name, text = bench.ask_image("average", which.key)
    key = bench.drop(name, text.encode())
    bench.shelf.scan()
    return {"key": key}


@router.get("/api/image/picture")
def image_picture(key: str, bench: OfCurves, look: AskedLook) -> Response:
    """An image, drawn as it is asked for; where its pixels lie stands in a header."""
    _row(bench, key)
    png, about = bench.ask_image("picture", key, {"look": vars(look)})
    return Response(png, 200, _NEVER | {"X-Frame-About": json.dumps(about)}, "image/png")


@router.get("/api/image/figure")
def figure(key: str, number: int, bench: OfCurves, night: bool = False) -> Response:
    _row(bench, key)
    return Response(
        bench.ask_image("figure", key, {"number": number, "night": night}), 200, _NEVER, "image/png"
    )


@router.get("/api/image/page")
def image_page(key: str, bench: OfCurves) -> Response:
    """The report of the answer, as a file."""
    _row(bench, key)
    name, content = bench.ask_image("page", key)
    headers = {"Content-Disposition": f"attachment; filename*=utf-8''{quote_address(name)}"}
    return Response(content, 200, _NEVER | headers, "text/html; charset=utf-8")


def _row(bench: Bench, key: str) -> Any:
    """Return the row of an image or unread file. Raises SasnetError if there is none."""
    row = bench.shelf.row(key)
    if not row.is_image and (row.line or row.problem):
        raise SasnetError(f"{row.file}: {row.problem or 'is a curve; see the tab Curve.'}")
    return row


# --- The tab of tags before it is open: of which kind are the images of the folder?


class Kind(BaseModel):
    """Of what lies in the folder."""

    kind: str


@router.post("/api/tagging")
def begin(kind: Kind, request: Request) -> dict[str, Any]:
    """Open the tags of images of a kind."""
    specification(kind.kind)
    tagging = request.app.state.opened.tag(kind.kind)
    if tagging is None:
        raise SasnetError("This page shows no tags; start 'sasnet tag FOLDER'.")
    return {"kind": tagging.workspace.domain}


# --- What the pages ask for, by purpose; each asks the workspace, and holds nothing itself.


def _tagging(request: Request) -> Tagging:
    tagging: Tagging | None = request.app.state.opened.tagging
    if tagging is None:
        raise SasnetError("No folder of images is open; open the tab Tags first.")
    return tagging


def _workspace(request: Request) -> Workspace:
    return _tagging(request).workspace


def _retraining(request: Request) -> Retraining:
    return _tagging(request).retraining


Desk = Annotated[Workspace, Depends(_workspace)]
Trainer = Annotated[Retraining, Depends(_retraining)]


def routers() -> list[APIRouter]:
    """Return all routes of the pages of images."""
    return [router]


# --- Lists of images, thumbnails, and pictures of one.

#: What stands for a thumbnail that is not made yet.
_NOT_YET = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M3 4.5h3" stroke="gray"/></svg>'
)
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}


class Wanted(BaseModel):
    """A filter, an order; or a row, for images like it."""

    filter: str = ""
    order: str = "name"
    like: int | None = None


@router.post("/api/select")
def select(wanted: Wanted, desk: Desk) -> dict[str, object]:
    """Filter and order images."""
    name, number = desk.select(wanted.filter, wanted.order, wanted.like)
    return {"selection": name, "count": number}


@router.get("/api/cells")
def cells(selection: str, desk: Desk, start: int = 0, count: int = 100) -> JSONResponse:
    """What a page shows of some images of a selection, from `start` on."""
    first = max(start, 0)
    with desk.lock:
        rows = desk.rows(selection)[first : first + min(max(count, 0), WEB.most_cells)]
        state, images = desk.state, desk.images
        value, p, version = state.value[rows], state.probability[rows], state.change_version[rows]
        found_cells = []
        for place, row in enumerate(rows.tolist()):
            labelled = np.flatnonzero(value[place] != UNKNOWN)
            with np.errstate(invalid="ignore"):
                open_tags = np.flatnonzero((value[place] == UNKNOWN) & (p[place] >= WEB.present))
            order = open_tags[np.argsort(-p[place, open_tags], kind="stable")]
            file, number = images.keys[row]
            found_cells.append(
                {
                    "row": row, "file": file, "number": number, "title": images.title[row],
                    "labels": [[int(t), int(value[place, t])] for t in labelled],
                    "suggested": [[int(t), round(float(p[place, t]), 3)] for t in order],
                    "problem": images.problem.get(row, ""), "version": int(version[place]),
                    "picture": desk.background.address(row),
                }
            )  # fmt: skip
        return JSONResponse({"cells": found_cells, "tags": state.tags, "start": first})


@router.get("/thumb/{content}/{number}")
def thumbnail(content: str, number: int, desk: Desk) -> Response:
    """The thumbnail of what a file holds."""
    png = desk.background.png(content, number) if 0 < number < 2**62 else None
    if png is None:
        return Response(_NOT_YET, 404, _NEVER, "image/svg+xml")
    return Response(png, 200, _FOR_EVER, "image/png")


@router.get("/thumb/{row}")
def thumb(row: int, desk: Desk) -> Response:
    """Where the thumbnail of an image is, or a sign that it is being made."""
    if address := desk.background.want(row):
        return RedirectResponse(f"/thumb/{address}", 307, _NEVER)
    return Response(_NOT_YET, 200, _NEVER, "image/svg+xml")


@router.get("/view/{row}")
def view(row: int, desk: Desk, look: AskedLook) -> Response:
    """One image, drawn as it is asked for."""
    view_shown = desk.background.view(row, look)
    headers = {"X-Frame-About": json.dumps(view_shown.about)}
    return Response(view_shown.png, 200, _NEVER | headers, "image/png")


@router.get("/colours/{name}")
def colours(name: str) -> Response:
    """Draw the colours of a scale from its lowest value to its highest."""
    return Response(colour_bar(name), 200, _FOR_EVER, "image/png")


# --- What people do to labels: tag, accept, undo; and labels as files, out and in.

_WRITERS = {
    "csv": (exchange.to_csv, "text/csv; charset=utf-8"),
    "json": (exchange.to_json, "application/json"),
    "h5": (exchange.to_hdf5, "application/x-hdf5"),
}


class Person(BaseModel):
    """Who does it."""

    who: str


class Chosen(Person):
    """Images: rows, or places in a selection, all of it by default."""

    rows: list[int] = Field(default_factory=list)
    selection: str = ""
    places: list[int] | None = None

    def find_rows(self, desk: Workspace) -> Sequence[int]:
        """Rows of them."""
        if not self.selection:
            return self.rows
        rows: list[int] = desk.rows(self.selection).tolist()
        if self.places is None:
            return rows
        if self.places and not 0 <= min(self.places) <= max(self.places) < len(rows):
            raise SasnetError("There is no such image.")
        return [rows[place] for place in self.places]


class Previewed(Chosen):
    """Images, of which it may be asked first what would be written."""

    preview: bool = False


class Label(Previewed):
    """A tag that is there, is not, or is not known (−1)."""

    tag: str
    value: Literal[-1, 0, 1]


class Accepted(Previewed):
    """Suggestions of a tag or of all (empty), from one probability on; value 0: they are wrong."""

    tag: str = ""
    value: Literal[0, 1] = 1
    least: float = Field(ge=0, le=1, allow_inf_nan=False)
    most: float = Field(default=-1.0, ge=-1, le=1, allow_inf_nan=False)


class NewTag(BaseModel):
    """A tag of the users' own."""

    name: str


@router.post("/api/tag")
def tag(label: Label, desk: Desk) -> dict[str, object]:
    label_values = label.find_rows(desk), label.tag, label.value, label.who
    return _preview(desk, desk.tagging(*label_values)) if label.preview else {"done": desk.tag(*label_values)}


@router.post("/api/accept")
def accept(wanted: Accepted, desk: Desk) -> dict[str, object]:
    """Accept and reject what the model suggests."""
    accepted_values = wanted.find_rows(desk), wanted.tag, wanted.least, wanted.most, wanted.who, wanted.value
    if wanted.preview:
        return _preview(desk, desk.accepting(*accepted_values))
    yes, no = desk.accept(*accepted_values)
    return {"accepted": yes, "rejected": no}


def _preview(desk: Workspace, events: Sequence[Event]) -> dict[str, object]:
    """How many labels would be written on how many images, and all of the first of these."""
    images: dict[tuple[str, int], list[Event]] = {}
    for event in events:
        images.setdefault((event.file, event.number), []).append(event)
    first = []
    with desk.lock:
        for key, events_here in list(images.items())[: WEB.previewed]:
            row = desk.images.row[key]
            first.append(
                {
                    "file": key[0], "number": key[1], "picture": desk.background.address(row) or str(row),
                    "labels": [[event.tag, event.value] for event in events_here],
                }
            )  # fmt: skip
    count = Counter(event.value for event in events)
    return {"labels": len(events), "images": len(images), "yes": count[YES], "no": count[NO], "first": first}


@router.post("/api/undo")
def undo(person: Person, desk: Desk) -> dict[str, object]:
    """Take the person's last action back."""
    return {"done": desk.undo(person.who)}


@router.post("/api/redo")
def redo(person: Person, desk: Desk) -> dict[str, object]:
    """Do again what was taken back."""
    return {"done": desk.undo(person.who, again=True)}


@router.post("/api/tags")
def new_tag(wanted: NewTag, desk: Desk) -> dict[str, object]:
    """Offer one more tag."""
    desk.new_tag(wanted.name)
    return {"tags": desk.state.tags}


@router.get("/export/labels.{kind}")
def export(kind: str, desk: Desk) -> Response:
    if kind not in _WRITERS:
        raise SasnetError(f"Labels are given as {', '.join(_WRITERS)}.")
    write, media = _WRITERS[kind]
    with desk.lock:
        desk.refresh()
        content = write(desk.state)
    headers = {"Content-Disposition": f'attachment; filename="labels.{kind}"'}
    return Response(content, 200, headers, media)


@router.get("/export/log.csv")
def log(desk: Desk) -> Response:
    """Every event."""
    headers = {"Content-Disposition": 'attachment; filename="log.csv"'}
    return Response(exchange.log_csv(desk.log.read_since(0)), 200, headers, "text/csv; charset=utf-8")


@router.post("/api/import")
async def bring(request: Request, who: str, desk: Desk) -> dict[str, object]:
    """Take in the labels of a file, which is the body."""
    content = await request.body()
    return {"done": await run_in_threadpool(lambda: desk.bring(exchange.labels_of(content), who))}


# --- Models: predict in the background, retrain on the labels, take the new one.


class WhichModel(BaseModel):
    """Images of a selection; empty: all."""

    selection: str = ""


@router.post("/api/predict")
def predict(which: WhichModel, desk: Desk) -> dict[str, object]:
    return {
        "files": desk.background.predict(desk.rows(which.selection).tolist() if which.selection else None)
    }


@router.post("/api/stop")
def stop(desk: Desk, trainer: Trainer) -> dict[str, object]:
    """Predict no more, and train no more."""
    desk.background.stop()
    trainer.stop()
    return {"done": True}


@router.post("/api/retrain")
def retrain(desk: Desk, trainer: Trainer) -> dict[str, object]:
    with desk.lock:
        desk.refresh()
        csv = exchange.to_csv(desk.state)
        labelled = int(np.count_nonzero((desk.state.value != UNKNOWN).any(axis=1)))
    trainer.start(csv, labelled)
    return {"done": True}


@router.post("/api/use")
def use(desk: Desk, trainer: Trainer) -> dict[str, object]:
    """Predict with the model that was trained last; what others have said stays in the log."""
    if trainer.zoo is None:
        raise SasnetError("There is no new model yet.")
    trainer.used = trainer.zoo
    desk.background.zoo = str(trainer.zoo)
    return {"files": desk.background.predict()}


# --- The page and its parts, as HTML; what comes from files and people is escaped by the templates.

#: Pairs of tags that are listed.
_PAIRS = 60


def _render(request: Request, name: str, **context: Any) -> Response:
    response: Response = request.app.state.templates.TemplateResponse(request, name, context)
    return response


@router.get("/tags")
def page(request: Request) -> Response:
    """The page itself, which asks for everything else; before it is open, the question of which kind."""
    opened = request.app.state.opened
    response = _render_closed(request) if opened.tagging is None else _page(request, opened.tagging.workspace)
    request.app.state.keys.give(response)
    return response


def _render_closed(request: Request) -> Response:
    tabs, kinds = request.app.state.opened.tabs, _kinds()
    likely = _usual(request.app.state.opened.bench)
    if not likely and tabs.folder is not None:
        with contextlib.suppress(SasnetError):  # whoever knows it says it
            likely = kind_of(tabs.folder)
    bench = request.app.state.opened.bench
    all_dropped = bench is not None and bench.folder is None
    context = {"folder": tabs.folder, "kinds": kinds, "likely": likely, "bench": bench is not None}
    return _render(request, "untagged.html", all_dropped=all_dropped, **context)


def _kinds() -> dict[str, str]:
    return {name: specification(name).title for name in PAGES}


def _usual(bench: Bench | None) -> str:
    """Return the kind of most images of the list, also among curves; empty if none is sure."""
    rows = [] if bench is None else bench.shelf.rows()
    votes = Counter(row.line["image"] for row in rows if row.is_image and row.line["image"])
    return votes.most_common(1)[0][0] if votes else ""


def _page(request: Request, desk: Workspace) -> Response:
    with desk.lock:
        context = {
            "folder": desk.folder.name, "title": specification(desk.domain).title, "domain": desk.domain,
            "tags": list(desk.state.tags), "orders": list(ORDERS), "views": VIEWS, "scales": SCALES,
            "colours": COLOURS, "words": {k: v[0] for k, v in WORDS.items()}, "functions": FUNCTIONS,
            "user": request.app.state.opened.tabs.user, "many": WEB.previewed_from,
            "bench": request.app.state.opened.tabs.bench is not None,
            "trained": has_tags(specification(desk.domain)),
            "kinds": {} if request.app.state.opened.tabs.kind else _kinds(),
        }  # fmt: skip
    return _render(request, "page.html", **context)


@router.get("/status")
def status(request: Request, desk: Desk, trainer: Trainer) -> Response:
    """A line about what is there and what is under way; asked for every other second."""
    problem = desk.background.problem
    with desk.lock:
        try:
            desk.refresh()
        except SasnetError as error:  # what is known stays on the page
            problem = str(error)
        state, is_present = desk.state, desk.images.there
        predicted = is_present & (state.model >= 0)
        answered = predicted & np.isfinite(state.probability).any(axis=1)
        unsuggested = answered & ~state.suggestions.any(axis=1)
        context = {
            "version": state.version, "images": int(is_present.sum()), "problems": len(desk.images.problem),
            "labelled": int((is_present & (state.value != UNKNOWN).any(axis=1)).sum()),
            "predicted": int(predicted.sum()), "unsuggested": int(unsuggested.sum()),
            "threshold": percent(WEB.present), "unanswered": int((predicted & ~answered).sum()),
            "thumbnails": desk.background.progress[THUMBNAILS],
            "predicting": desk.background.progress[PREDICT],
            "others": desk.background.others, "pictures": desk.images.pictures,
            "people": list(state.people), "model": state.models[-1] if state.models else "",
        }  # fmt: skip
    new = trainer.zoo is not None and trainer.zoo != trainer.used
    return _render(
        request,
        "status.html",
        problem=problem,
        training=trainer.state,
        running=trainer.running,
        new=new,
        **context,
    )


@router.get("/image/{row}")
def image(request: Request, row: int, desk: Desk, order: str = "") -> Response:
    """One image with its tags, what the model says, and who has said what."""
    # Places of tags, with commas between them, are an order that is kept; others follow by what holds.
    with desk.lock:
        desk.images.check([row])
        state = desk.state
        file, number = desk.images.keys[row]
        tags = [
            {
                "place": place, "name": name, "value": int(state.value[row, place]),
                "by": state.people[state.author[row, place]] if state.author[row, place] >= 0 else "",
                "p": float(p) if np.isfinite(p := state.probability[row, place]) else None,
                "percent": percent(float(p)) if np.isfinite(p) else "", "filter": quote(name),
                "differs": bool(state.disagree[row, place]),
                "accepted": bool(state.acceptance[row, place]),
            }
            for place, name in enumerate(state.tags)
        ]  # fmt: skip
        model = state.models[state.model[row]] if state.model[row] >= 0 else ""
        sentences, problem = state.read_sentences(row), desk.images.problem.get(row, "")
        title = desk.images.title[row]
    usual = np.lexsort((-np.nan_to_num(state.probability[row]), state.value[row] != YES)).tolist()
    places = [int(place) for place in order.split(",") if place.isdecimal() and len(place) < 7]
    tags = [tags[place] for place in dict.fromkeys([*places, *usual]) if place < len(tags)]
    events = [
        (time.strftime("%Y-%m-%d %H:%M", time.localtime(e.time)), e.who, e.tag, e.value, e.model,
         percent(e.probability) if e.probability is not None else "")
        for e in desk.log.history(file, number)
    ]  # fmt: skip
    return _render(
        request, "image.html", row=row, file=file, number=number, title=title, tags=tags, model=model,
        said=sentences, problem=problem, events=events,
    )  # fmt: skip


@router.get("/together")
def together(request: Request, desk: Desk) -> Response:
    """Which tags come together, and how many images bear each."""
    with desk.lock:
        state = desk.state
        present, value = state.present[desk.images.there], state.value[desk.images.there]
        totals = zip(present.sum(axis=0), (value == YES).sum(axis=0), (value == NO).sum(axis=0), strict=True)
        counts = [
            (name, quote(name), *map(int, total)) for name, total in zip(state.tags, totals, strict=True)
        ]
        pairs = [(pair, _list_cells(pair)) for pair in cooccurrence(state)[:_PAIRS]]
    return _render(request, "together.html", counts=counts, pairs=pairs)


def _list_cells(pair: Pair) -> list[tuple[str, int, str, int]]:
    """Filter and number of the images with both tags and with one, each also of people's labels alone."""
    first, second = quote(pair.first), quote(pair.second)
    filters = [
        (f"{first} and {second}", f"person({first}) and person({second})"),
        (f"{first} and not {second}", f"person({first}) and no({second})"),
        (f"{second} and not {first}", f"person({second}) and no({first})"),
    ]
    numbers = zip(pair.numbers, pair.labelled, strict=True)
    return [(all_images, n, people, k) for (all_images, people), (n, k) in zip(filters, numbers, strict=True)]
