"""A folder of shards: of one seed and plan, each put in place in one step, what was killed swept up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import put_in_one_step
from ..types import SimulationError


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
