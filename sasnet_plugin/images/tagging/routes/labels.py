"""What people do to labels: tag, accept, undo; and labels as files, out and in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from ....types import SasnetError
from ....web.settings import WEB
from .. import exchange, importing
from ..events import NO, YES, Event
from ..workspace import Workspace
from . import Desk

router = APIRouter()
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
    yes = sum(event.value == YES for event in events)
    no = sum(event.value == NO for event in events)
    return {"labels": len(events), "images": len(images), "yes": yes, "no": no, "first": first}


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
    return {"done": await run_in_threadpool(lambda: desk.bring(importing.labels_of(content), who))}
