"""What decides the answers of a batch: how its files are read, and how they are fitted."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from sasnet_plugin.fitting.task import FitOptions

#: Of a fit, what changes its answer; the time is kept beside each answer, and more of it may be given later.
_DECIDES = ("top", "models", "structure_factor", "fixed", "ranges", "contrast")


@dataclass(frozen=True)
class Options:
    """How each file is read and fitted, as ``sasnet fit``, ``bumps`` and ``batch`` are told.

    Parameters
    ----------
    fit : FitOptions
    window : (float, float) or None
        Only q within it, Å⁻¹.
    q_unit : str or None
        Unit of q where the file is silent or wrong.
    entry : str or None
        Only this entry of a file that holds several.
    """

    fit: FitOptions = FitOptions()
    window: tuple[float, float] | None = None
    q_unit: str | None = None
    entry: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it: what was given, without what was left to its default."""
        given = asdict(self)
        fit = given.pop("fit")
        found = {name: fit[name] for name in _DECIDES} | given
        found = {name: value for name, value in found.items() if value not in (None, {})}
        if self.window is not None:
            # JSON knows no infinity.
            found["window"] = [None if math.isinf(edge) else edge for edge in self.window]
        return found

    @property
    def digest(self) -> str:
        """Short name of these options; other options, other name."""
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
