"""What decides the answers of a batch."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sasnet_plugin.fitting.task import Contrast


@dataclass(frozen=True)
class Options:
    """How each file of a batch is read and fitted; as the options of ``sasnet fit``.

    Parameters
    ----------
    top : int
        Form models fitted.
    models : tuple of str or None
        Fit these instead of the network's choice.
    structure_factor : str or None
        Fit this one alone ("none" for none).
    fixed : dict
        Values of parameters that are not fitted, in sasmodels' units.
    ranges : dict
        (low, high) of fitted parameters.
    contrast : Contrast or None
        Scattering length densities of sample and solvent, not fitted.
    window : (float, float) or None
        Only q within it, Å⁻¹.
    q_unit : str or None
        Unit of q where the file is silent or wrong.
    entry : str or None
        Only this entry of a file that holds several.
    """

    top: int = 5
    models: tuple[str, ...] | None = None
    structure_factor: str | None = None
    fixed: dict[str, float] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    contrast: Contrast | None = None
    window: tuple[float, float] | None = None
    q_unit: str | None = None
    entry: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it: what was given, without what was left to its default."""
        found = {name: value for name, value in asdict(self).items() if value not in (None, {})}
        if self.window is not None:
            # JSON knows no infinity.
            found["window"] = [None if math.isinf(edge) else edge for edge in self.window]
        return found

    @property
    def digest(self) -> str:
        """Short name of these options; other options, other name."""
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
