"""Models: predict in the background, retrain on the labels, take the new one."""

from __future__ import annotations

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel

from ....types import SasnetError
from .. import exchange
from ..events import UNKNOWN
from . import Desk, Trainer

router = APIRouter()


class Which(BaseModel):
    """Images of a selection; empty: all."""

    selection: str = ""


@router.post("/api/predict")
def predict(which: Which, desk: Desk) -> dict[str, object]:
    return {
        "files": desk.background.predict(desk.rows(which.selection).tolist() if which.selection else None)
    }


@router.post("/api/stop")
def stop(desk: Desk, trainer: Trainer) -> dict[str, object]:
    """Predict no more, and train no more."""
    desk.background.stop()
    trainer.stop()
    return {"done": True}


@router.post("/api/retrain")
def retrain(desk: Desk, trainer: Trainer) -> dict[str, object]:
    with desk.lock:
        desk.refresh()
        csv = exchange.to_csv(desk.state)
        labelled = int(np.count_nonzero((desk.state.value != UNKNOWN).any(axis=1)))
    trainer.start(csv, labelled)
    return {"done": True}


@router.post("/api/use")
def use(desk: Desk, trainer: Trainer) -> dict[str, object]:
    """Predict with the model that was trained last; what others have said stays in the log."""
    if trainer.zoo is None:
        raise SasnetError("There is no new model yet.")
    trainer.used = trainer.zoo
    desk.background.zoo = str(trainer.zoo)
    return {"files": desk.background.predict()}
