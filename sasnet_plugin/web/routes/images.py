"""Lists of images, thumbnails, and pictures of one."""

from __future__ import annotations

import numpy as np
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from ..events import UNKNOWN
from ..pictures import Look
from ..settings import WEB
from . import Desk

router = APIRouter()
#: What stands for a thumbnail that is not made yet.
_NOT_YET = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M3 4.5h3" stroke="gray"/></svg>'
)
#: The address of a thumbnail has the time of its file's last change in it.
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
        state, images, pictures = desk.state, desk.images, desk.background.pictures
        value, p, version = state.value[rows], state.probability[rows], state.changed[rows]
        found = []
        for place, row in enumerate(rows.tolist()):
            said = np.flatnonzero(value[place] != UNKNOWN)
            with np.errstate(invalid="ignore"):
                open_tags = np.flatnonzero((value[place] == UNKNOWN) & (p[place] >= WEB.present))
            order = open_tags[np.argsort(-p[place, open_tags], kind="stable")]
            file, number = images.keys[row]
            found.append(
                {
                    "row": row, "file": file, "number": number, "title": images.title[row],
                    "labels": [[int(t), int(value[place, t])] for t in said],
                    "suggested": [[int(t), round(float(p[place, t]), 3)] for t in order],
                    "problem": images.problem.get(row, ""), "version": int(version[place]),
                    "stamp": images.stamp.get(file, (0, 0))[1], "ready": bool(np.isfinite(pictures[row, 0])),
                }
            )  # fmt: skip
        return JSONResponse({"cells": found, "tags": state.tags, "start": first})


@router.get("/thumb/{row}")
def thumb(row: int, desk: Desk) -> Response:
    """A thumbnail, or a sign that it is being made."""
    png = desk.background.png(row)
    if png is None:
        return Response(_NOT_YET, 200, {"Cache-Control": "no-store"}, "image/svg+xml")
    return Response(png, 200, _FOR_EVER, "image/png")


@router.get("/view/{row}")
def view(
    row: int,
    desk: Desk,
    view: str = "linear",
    scale: str = "log",
    colours: str = "viridis",
    mask: bool = True,
) -> Response:
    """One image, drawn as it is asked for."""
    shown = desk.background.view(row, Look(view, scale, colours, mask))
    return Response(shown.png, 200, {"Cache-Control": "no-store"}, "image/png")
