"""Checkpoints that a kill at any moment leaves whole: written aside, then put in place in one step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..files import put_in_one_step

_PATTERN = "epoch-[0-9][0-9][0-9][0-9][0-9][0-9].weights.h5"


def checkpoint(model: Any, run: Path, epochs: int) -> None:
    """Keep the weights and the optimizer's state after so many epochs; older checkpoints go.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    run : Path
        Folder.
    epochs : int
        Finished so far.
    """
    # Keras' own BackupAndRestore writes over its only file: a kill within the second that this takes
    # leaves nothing to resume from.
    path = run / f"epoch-{epochs:06d}.weights.h5"
    with put_in_one_step(path, ending=".weights.h5") as aside:
        model.save_weights(aside)
    for old in run.glob(_PATTERN):
        if old != path:
            old.unlink()


def restore(model: Any, run: Path) -> int:
    """Load the newest checkpoint, if there is one, and say how many epochs it has behind it.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    run : Path
        Folder.
    """
    found = sorted(run.glob(_PATTERN))
    if not found:
        return 0
    # The optimizer has no variables to load into before it knows the weights.
    model.optimizer.build(model.trainable_variables)
    model.load_weights(found[-1])
    return int(found[-1].name.removeprefix("epoch-").split(".")[0])
