"""What the pages ask for, by purpose; each asks the workspace, and holds nothing itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from ..retraining import Retraining
from ..workspace import Workspace


def _workspace(request: Request) -> Workspace:
    found: Workspace = request.app.state.workspace
    return found


def _retraining(request: Request) -> Retraining:
    found: Retraining = request.app.state.retraining
    return found


Desk = Annotated[Workspace, Depends(_workspace)]
Trainer = Annotated[Retraining, Depends(_retraining)]
