"""What the pages ask for, by purpose; each asks the workspace, and holds nothing itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from ....types import SasnetError
from ..retraining import Retraining
from ..tab import Tagging
from ..workspace import Workspace


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
    from . import gallery, images, labels, models, opening, pages

    return [part.router for part in (opening, pages, images, labels, models, gallery)]
