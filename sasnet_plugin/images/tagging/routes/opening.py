"""The tab of tags before it is open: of which kind are the images of the folder?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from ....domains import specification
from ....types import SasnetError

router = APIRouter()


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
