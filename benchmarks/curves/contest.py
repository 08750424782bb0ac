"""Contestants that each answer once: what is answered is kept, so that a killed benchmark goes on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Answer:
    """What a contestant says of the test curves."""

    probability: NDArray[np.floating[Any]]  #: (n, k)
    seconds: float  #: Of training.
    parameters: int  #: Trainable numbers; leaves of trees; 0 where there are none.
    remark: str = ""
    extra: dict[str, NDArray[Any]] | None = None  #: dict of arrays, whatever else it answers, first axis n.


@dataclass(frozen=True)
class Contestant:
    """A contestant, not yet run."""

    key: str  #: Short name, for files and ``--contestants``.
    title: str  #: For the table.
    settings: dict[str, Any]  #: All that its answer depends on beside the data, as JSON has it.
    run: Callable[[Path], Answer]  #: From its own folder (for checkpoints) to its answer.


def answer(contestant: Contestant, work: Path, data: dict[str, Any]) -> Answer:
    """The kept answer, or a new one, which is then kept.

    Parameters
    ----------
    contestant : Contestant
    work : Path
        Folder for answers and checkpoints.
    data : dict
        What the data depend on, as JSON has it: other data or settings go to another folder, so that nothing
        is resumed or read that does not belong.
    """
    settings = json.dumps({"data": data, "settings": contestant.settings}, sort_keys=True)
    folder = work / f"{contestant.key}-{hashlib.sha256(settings.encode()).hexdigest()[:10]}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(settings + "\n", encoding="utf-8")
    arrays, result = folder / "answer.npz", folder / "result.json"
    if not result.exists():
        found = contestant.run(folder)
        with replacing(arrays) as file:
            extra = {f"extra_{k}": v for k, v in (found.extra or {}).items()}
            np.savez_compressed(file, probability=found.probability.astype(np.float32), **extra)
        facts = {"seconds": found.seconds, "parameters": found.parameters, "remark": found.remark}
        with replacing(result) as file:
            file.write(json.dumps(facts).encode())
    facts = json.loads(result.read_text(encoding="utf-8"))
    with np.load(arrays) as file:
        extra = {k.removeprefix("extra_"): file[k] for k in file.files if k.startswith("extra_")}
        return Answer(file["probability"], extra=extra, **facts)


class replacing:
    """A file that is put in place whole, or not at all."""

    def __init__(self, path: Path) -> None:
        self.path, self.temporary = path, path.with_name(f"{path.name}.tmp{os.getpid()}")

    def __enter__(self) -> Any:
        self.file = self.temporary.open("wb")
        return self.file

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.file.close()
        if kind is None:
            os.replace(self.temporary, self.path)
        else:
            self.temporary.unlink()
