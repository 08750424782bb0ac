"""The first page: that of curves where there are any to show, else that of images."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from ...data.sample.sample import KINDS

router = APIRouter()


@router.get("/")
def first(request: Request) -> Response:
    """The page of curves, which asks for everything else."""
    state = request.app.state
    found: Response
    if state.bench is None:
        found = RedirectResponse("/images", 303)
    else:
        context = {"images": state.workspace is not None, "kinds": KINDS}
        found = state.templates.TemplateResponse(request, "curves.html", context)
    state.keys.give(found)
    return found
