"""Lists of images, thumbnails, and pictures of one."""

from __future__ import annotations

import json

import numpy as np
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel

from ....web.settings import WEB
from ...report.raster import Look, colour_bar
from ..events import UNKNOWN
from . import Desk

router = APIRouter()
#: What stands for a thumbnail that is not made yet.
_NOT_YET = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M3 4.5h3" stroke="gray"/></svg>'
)
#: The address of a thumbnail is what its file holds.
_NEVER = {"Cache-Control": "no-store"}
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
def picture(content: str, number: int, desk: Desk) -> Response:
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
def view(
    row: int,
    desk: Desk,
    view: str = "linear",
    scale: str = "log",
    colours: str = "viridis",
    mask: bool = True,
    fine: bool = False,
) -> Response:
    """One image, drawn as it is asked for."""
    view_shown = desk.background.view(row, Look(view, scale, colours, mask, fine))
    headers = {"X-Frame-About": json.dumps(view_shown.about)}
    return Response(view_shown.png, 200, _NEVER | headers, "image/png")


@router.get("/colours/{name}")
def colours(name: str) -> Response:
    """Draw the colours of a scale from its lowest value to its highest."""
    return Response(colour_bar(name), 200, _FOR_EVER, "image/png")
