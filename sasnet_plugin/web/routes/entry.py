"""The first page: that of curves where there are any to show, else that of tags."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from ...data.sample.sample import KINDS

router = APIRouter()


@router.get("/")
def first(request: Request) -> Response:
    """The page of curves and images, which asks for everything else."""
    state = request.app.state
    response: Response
    if state.opened.bench is None:
        response = RedirectResponse("/tags", 303)
    else:
        context = {"tags": state.opened.tabs.tagging is not None, "kinds": KINDS}
        response = state.templates.TemplateResponse(request, "curves.html", context)
    state.keys.give(response)
    return response
