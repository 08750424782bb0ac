"""What the pages ask for, by purpose; each asks the workspace, and holds nothing itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from ...types import SasnetError
from ..retraining import Retraining
from ..workspace import Workspace


def _workspace(request: Request) -> Workspace:
    found: Workspace | None = request.app.state.workspace
    if found is None:
        raise SasnetError("No folder of images is open; end sasnet and start 'sasnet tag FOLDER'.")
    return found


def _retraining(request: Request) -> Retraining:
    found: Retraining = request.app.state.retraining
    return found


Desk = Annotated[Workspace, Depends(_workspace)]
Trainer = Annotated[Retraining, Depends(_retraining)]
