"""What a file says of a small-angle-scattering image, before anything is masked or found from the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ....types import DataError
from .settings import SansSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....arrays import Floats


@dataclass(frozen=True)
class RawSans:
    """One image as it stands in a file."""

    values: Floats  #: (rows, columns), counts or intensities.
    #: qx, qy: (rows, columns), Å⁻¹; None where the file has pixels and their geometry is in `settings`.
    qx: Floats | None = None
    qy: Floats | None = None
    error: Floats | None = None  #: (rows, columns), one standard deviation of values that are no counts.
    #: along, across: (rows, columns), spread of q, one standard deviation, Å⁻¹.
    along: Floats | None = None
    across: Floats | None = None
    bad: NDArray[np.bool_] | None = None  #: (rows, columns), what the file itself leaves out.
    settings: SansSettings = SansSettings()  #: What its header says.
    entry: str = ""
    notes: tuple[str, ...] = ()
    top_first: bool = False  #: The first row is the highest of the picture; of no meaning where there is q.
    #: Name of the detector's panel; those of one entry are one measurement. Empty where there is one.
    panel: str = ""
    area: float = 1.0  #: Solid angle of a pixel in the beam over that of the other panels.


def are_counts(values: Floats) -> bool:
    """Whether all finite values are whole numbers and none is negative."""
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.min() >= 0 and np.all(finite == np.round(finite)))


def as_counts(values: Floats, error: Floats | None, mask: NDArray[np.bool_]) -> float:
    """Counts that one unit of reduced values stands for, by their errors; 0 where nothing says so."""
    # A value v with the error e has as many counts as have its relative error, v²/e².
    if error is None:
        return 0.0
    is_known = mask & (values > 0) & (error > 0)
    return float(np.median(values[is_known] / error[is_known] ** 2)) if np.any(is_known) else 0.0


def estimate_error(values: Floats, good: NDArray[np.bool_], q: Floats) -> Floats:
    """Estimate the standard deviation (rows, columns) ring by ring from neighbours in a row. Raises DataError
    if there are no two.
    """
    pairs = good[:, 1:] & good[:, :-1]
    if not np.any(pairs):
        raise DataError("no two neighbouring pixels hold values; give a whole image.")
    apart = np.abs(np.diff(values, axis=1))[pairs] / np.sqrt(2)
    q_right = q[:, 1:][pairs]
    edges = np.quantile(q_right, np.linspace(0, 1, 13))
    ring = np.clip(np.searchsorted(edges, q_right, side="right") - 1, 0, 11)
    # 1.4826 of the median of |x| is the standard deviation of a Gaussian.
    level = np.array(
        [1.4826 * np.median(apart[ring == k]) if np.any(ring == k) else np.nan for k in range(12)]
    )
    is_known = np.isfinite(level) & (level > 0)
    if not np.any(is_known):
        raise DataError("neighbouring pixels hold the same values; give measured data.")
    middle = (edges[1:] + edges[:-1]) / 2
    return np.asarray(np.interp(q, middle[is_known], level[is_known]))
