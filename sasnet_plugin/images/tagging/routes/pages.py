"""The page and its parts, as HTML; what comes from files and people is escaped by the templates."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response

from ....domains import PAGES, has_tags, specification
from ....predict.classes import percent
from ....types import SasnetError
from ....web.curves.bench import Bench
from ....web.settings import WEB
from ...report.raster import COLOURS, SCALES, VIEWS
from ..events import NO, UNKNOWN, YES
from ..expression import FUNCTIONS, WORDS, quote
from ..orders import ORDERS
from ..selection import cooccurrence
from ..tab import kind_of
from ..worker import PREDICT, THUMBNAILS
from ..workspace import Workspace
from . import Desk, Trainer

router = APIRouter()
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
    tabs, kinds = request.app.state.opened.tabs, {name: specification(name).title for name in PAGES}
    likely = _usual(request.app.state.opened.bench)
    if not likely and tabs.folder is not None:
        with contextlib.suppress(SasnetError):  # whoever knows it says it
            likely = kind_of(tabs.folder)
    bench = request.app.state.opened.bench
    all_dropped = bench is not None and bench.folder is None
    context = {"folder": tabs.folder, "kinds": kinds, "likely": likely, "bench": bench is not None}
    return _render(request, "untagged.html", all_dropped=all_dropped, **context)


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
        context = {
            "version": state.version, "images": int(is_present.sum()), "problems": len(desk.images.problem),
            "labelled": int((is_present & (state.value != UNKNOWN).any(axis=1)).sum()),
            "predicted": int((is_present & (state.model >= 0)).sum()),
            "thumbnails": desk.background.progress[THUMBNAILS],
            "predicting": desk.background.progress[PREDICT],
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
        pairs = [
            (pair, f"{quote(pair.first)} and {quote(pair.second)}",
             f"{quote(pair.first)} and not {quote(pair.second)}",
             f"{quote(pair.second)} and not {quote(pair.first)}")
            for pair in cooccurrence(state)[:_PAIRS]
        ]  # fmt: skip
    return _render(request, "together.html", counts=counts, pairs=pairs)
