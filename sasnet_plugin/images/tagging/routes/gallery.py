"""Images of the list: what they may show, their pictures, of which kind they are, and fits of them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from ....types import SasnetError
from ....web.curves.bench import Bench
from ....web.on_page import adapt_to_page
from ....web.routes.curves import OfCurves
from ....web.settings import CURVES
from ...report.raster import COLOURS, SCALES, VIEWS
from ...service.kinds import How, titles

router = APIRouter()
_NEVER = {"Cache-Control": "no-store"}


class Which(BaseModel):
    """An image."""

    key: str


class Chosen(Which):
    """How it is read, and all others that do not tell their kind; all empty: as the file says."""

    kind: str = ""
    geometry: list[str] = Field(default_factory=list, max_length=100)
    others: bool = False


class Verified(Which):
    """A fit of it."""

    time_limit: float = Field(default=60.0, ge=1, le=CURVES.longest_fit)


@router.get("/api/images/about")
def describe_options() -> dict[str, Any]:
    """Kinds of images, and how pictures may be drawn."""
    return {"kinds": titles(), "views": VIEWS, "scales": SCALES, "colours": COLOURS}


@router.post("/api/image")
def image(which: Which, bench: OfCurves) -> JSONResponse:
    row = _row(bench, which.key)
    keys = [one_row.key for one_row in bench.shelf.rows() if one_row.is_image and one_row.root == row.root]
    place = keys.index(row.key) if row.key in keys else 0
    after = keys[place + 1] if place + 1 < len(keys) else ""
    neighbours = {"before": keys[place - 1] if place else "", "after": after}
    found_image = bench.ask_image("image", which.key)
    found_image["reason"] = adapt_to_page(found_image["reason"])
    return JSONResponse(
        {"key": which.key, "file": row.file, "number": row.entry, **neighbours, **found_image}
    )


@router.post("/api/image/kinds")
def kinds(which: Which, bench: OfCurves) -> JSONResponse:
    """What each kind says of an image."""
    _row(bench, which.key)
    found_kinds = bench.ask_image("kinds", which.key)
    return JSONResponse({"kinds": [{**kind, "said": adapt_to_page(kind["said"])} for kind in found_kinds]})


@router.post("/api/image/choose")
def choose(chosen: Chosen, bench: OfCurves) -> dict[str, Any]:
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
def average(which: Which, bench: OfCurves) -> dict[str, Any]:
    """Keep the average of an isotropic image as a curve of its own; its key."""
    _row(bench, which.key)
    name, text = bench.ask_image("average", which.key)
    key = bench.drop(name, text.encode())
    bench.shelf.scan()
    return {"key": key}


@router.get("/api/image/picture")
def picture(
    key: str, bench: OfCurves, view: str = "linear", scale: str = "log", colours: str = "viridis",
    mask: bool = True, fine: bool = False,
) -> Response:  # fmt: skip
    """An image, drawn as it is asked for; where its pixels lie stands in a header."""
    look = {"view": view, "scale": scale, "colours": colours, "mask": mask, "fine": fine}
    _row(bench, key)
    png, about = bench.ask_image("picture", key, {"look": look})
    return Response(png, 200, _NEVER | {"X-Frame-About": json.dumps(about)}, "image/png")


@router.get("/api/image/figure")
def figure(key: str, number: int, bench: OfCurves, night: bool = False) -> Response:
    _row(bench, key)
    return Response(
        bench.ask_image("figure", key, {"number": number, "night": night}), 200, _NEVER, "image/png"
    )


@router.get("/api/image/page")
def page(key: str, bench: OfCurves) -> Response:
    """The report of the answer, as a file."""
    _row(bench, key)
    name, content = bench.ask_image("page", key)
    headers = {"Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}"}
    return Response(content, 200, _NEVER | headers, "text/html; charset=utf-8")


def _row(bench: Bench, key: str) -> Any:
    """Return the row of an image or unread file. Raises SasnetError if there is none."""
    row = bench.shelf.row(key)
    if not row.is_image and (row.line or row.problem):
        raise SasnetError(f"{row.file}: {row.problem or 'is a curve; see the tab Curve.'}")
    return row
