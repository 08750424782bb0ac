"""A folder of shards: of one seed and plan, each put in place in one step, what was killed swept up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..compute import Workers, unordered_map
from ..files import put_in_one_step
from ..types import SimulationError


class Shard(Protocol):
    """A shard to be made."""

    @property
    def folder(self) -> str:
        """Where it belongs."""

    @property
    def path(self) -> Path:
        """Where it lies when it is finished."""


C = TypeVar("C", bound=Shard)


def made(
    chunks: Sequence[C],
    settings: Callable[[C], Mapping[str, Any]],
    make: Callable[[C], C],
    *,
    workers: Workers,
) -> Iterator[C]:
    """Make the shards that are missing; yields each chunk as it is done.

    Parameters
    ----------
    chunks : sequence
        Of one folder and one plan, in the order in which they are begun.
    settings : callable
        From a chunk to what `check_settings` compares.
    make : callable
        Makes one shard; a function that other processes can import.
    workers : int or str
        See `sasnet_plugin.compute.unordered_map`.

    Raises
    ------
    SimulationError
        The folder holds shards of another seed or plan.
    """
    if not chunks:
        return
    folder = Path(chunks[0].folder)
    folder.mkdir(parents=True, exist_ok=True)
    check_settings(folder, settings(chunks[0]))
    missing = [chunk for chunk in chunks if not chunk.path.exists()]
    yield from unordered_map(make, missing, workers=workers)


def check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """See that a folder's shards were made with these settings; note them in an empty one.

    Parameters
    ----------
    folder : Path
        It exists.
    settings : mapping
        Everything besides the name of a shard that its content depends on; JSON holds it.

    Raises
    ------
    SimulationError
        The folder holds shards of another seed or plan, or its note cannot be read.
    """
    path = folder / "settings.json"
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SimulationError(f"{path}: cannot be read ({error}); choose another folder.") from None
        if found != json.loads(json.dumps(settings)):
            raise SimulationError(
                f"{folder}: holds shards made with {found}, not {dict(settings)};"
                " choose another folder or the same options."
            )
        return
    with put_in_one_step(path) as temporary:
        temporary.write_text(json.dumps(settings) + "\n", encoding="utf-8")
