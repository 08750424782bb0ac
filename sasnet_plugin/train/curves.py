"""What training on curves needs: what the network is built for, and examples with their answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..simulate.examples import Examples, Stream, concatenate
from ..simulate.library import Library

_FORBIDDEN = -1e9
#: Settings of the instrument in what a worker hands over at once.
_CHUNKS = 8


def labels(folder: Path) -> dict[str, Any]:
    """Form models, structure factors, and which go together, of the shards in a folder."""
    library = Library(folder)
    return {
        "forms": list(library.forms),
        "structure_factors": list(library.structure_factors),
        "allowed": {n: list(a) for n, a in zip(library.forms, library.allowed, strict=True)},
    }


class CurveStream:
    """An endless stream of measured curves with their answers.

    Parameters
    ----------
    folder : Path
        Of shards.
    rng : numpy.random.Generator
    """

    def __init__(self, folder: Path | str, rng: np.random.Generator) -> None:
        library = Library(Path(folder))
        self._allowed = allowed_table(library)
        self._stream = Stream(library, rng)

    def take(self) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
        """Features and answers of some hundred curves."""
        part = concatenate([self._stream.chunk() for _ in range(_CHUNKS)])
        return part.features, answers(part, self._allowed)


def allowed_table(library: Library) -> NDArray[np.float32]:
    """(forms, 1 + factors) array, 0 where the form takes the structure factor, -1e9 where not."""
    table = np.full((len(library), 1 + len(library.structure_factors)), _FORBIDDEN, dtype=np.float32)
    table[:, 0] = 0
    for row, names in enumerate(library.allowed):
        for name in names:
            table[row, 1 + library.structure_factors.index(name)] = 0
    return table


def answers(examples: Examples, allowed: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """What the losses compare with (see `sasnet_plugin.train.net.losses`)."""
    has_rg = np.isfinite(examples.log_rg)
    return {
        "form": examples.form.astype(np.int32),
        "structure_factor": examples.structure_factor.astype(np.int32),
        "allowed": allowed[np.maximum(examples.form, 0)],
        "in_scope": examples.in_scope,
        "log_rg": np.where(has_rg, examples.log_rg, 0).astype(np.float32),
        "has_rg": has_rg.astype(np.float32),
    }
