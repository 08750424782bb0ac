"""Whether a diffraction image is unlike anything that was simulated, whatever the network says of it.

A network answers anything with confidence, a powder's rings, too. So the profile around the beam is compared
with those of simulated shots: where the nearest is farther than it is for nearly all simulated ones, nothing
is in scope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....domains import Seen
from ....types import Image
from ..labels import NAME
from ..reading.features import LEAST_COUNTS
from ..reading.polar import bin_images, rings

#: File of the bank, beside the network.
BANK = "novelty.npz"
#: Share of simulated shots of as many counts that may be called novel.
SHARE = 0.01
#: How far the nearest simulated profile is from one of the same kind, decades: sizes are not that dense.
_APART = 0.1
#: Share of a ring that must have been measured.
_COVERED = 0.2
#: Natural to decimal logarithm: relative error to decades.
_DECADES = 0.4343
_NOVEL = (
    "This profile is unlike all simulated shots. Only 1 % of simulated shots with as many counts are as far"
    " from their nearest neighbour."
)
NOT_EMPTY = (
    "The frame looks empty, but no simulated empty frame has such a profile: something else scatters here."
)


@dataclass(frozen=True)
class Profiles:
    """What is seen around the beam."""

    decades: NDArray[np.floating]  #: (n, RINGS), decimal logarithm of the mean counts a pixel.
    variance: NDArray[np.floating]  #: (n, RINGS), of it, by counting.
    seen: NDArray[np.bool_]  #: (n, RINGS), enough of the ring was measured.
    level: NDArray[np.floating]  #: (n,), decimal logarithm of all counts.


@dataclass(frozen=True)
class Bank:
    """Profiles of simulated shots, and how far other simulated shots are from the nearest."""

    #: decades, seen: (n, RINGS), of `Profiles`.
    decades: NDArray[np.floating]
    seen: NDArray[np.bool_]
    empty: NDArray[np.bool_]  #: (n,), shots without a particle.
    #: levels, limits, empty_limits: (k,), decimal logarithm of counts; the distance that `SHARE` of simulated
    #: shots exceed, and of those without a particle from their like.
    levels: NDArray[np.floating]
    limits: NDArray[np.floating]
    empty_limits: NDArray[np.floating]

    def distances(self, found_profiles: Profiles, *, empty: bool = False) -> NDArray[np.float64]:
        """Return the mean square distance (n,) from the nearest profile over the rings, in standard
        deviations and whatever the scale; with `empty`, from shots without a particle alone.
        """
        rows = self.empty if empty else slice(None)
        bank, covered = self.decades[rows], self.seen[rows]
        nearest = np.empty(len(found_profiles.level))
        for row, decades in enumerate(found_profiles.decades):
            weight = covered * (found_profiles.seen[row] / (found_profiles.variance[row] + _APART**2))
            total = np.maximum(weight.sum(axis=1), 1e-9)
            off = decades - bank
            mean = (weight * off).sum(axis=1) / total
            square = (weight * off**2).sum(axis=1) - mean**2 * total
            number = np.count_nonzero(weight, axis=1)
            # A profile of which few rings are seen in both says nothing.
            enough = number >= 0.5 * np.count_nonzero(found_profiles.seen[row])
            nearest[row] = np.min(np.where(enough, square / np.maximum(number, 1), np.inf))
        return nearest

    def novel(self, found_profiles: Profiles, *, empty: bool = False) -> NDArray[np.bool_]:
        """(n,) whether each is farther from the nearest than simulated shots of as many counts are."""
        limits = self.empty_limits if empty else self.limits
        return np.asarray(
            self.distances(found_profiles, empty=empty) > np.interp(found_profiles.level, self.levels, limits)
        )


def profiles(images: Sequence[Image]) -> Profiles:
    found_rings = rings(bin_images(images))
    is_covered = (found_rings.rate > 0) & (found_rings.coverage > _COVERED)
    return Profiles(
        np.log10(np.where(is_covered, found_rings.rate, 1.0)),
        _DECADES**2 / np.maximum(found_rings.counts, 0.5),
        is_covered,
        np.log10(1 + found_rings.counts.sum(axis=1)),
    )


@lru_cache(maxsize=2)
def _bank(zoo: Path) -> Bank | None:
    """The bank beside the network, undamaged; networks of a user's own labels have none."""
    from ....zoo import find_checked

    path = find_checked(NAME, BANK)
    if not path.is_file():
        return None
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in Bank.__annotations__}
    return Bank(**arrays | {"decades": arrays["decades"].astype(np.float32)})


def is_novel(image: Image, *, empty: bool = False) -> bool:
    """Whether an image is unlike all simulated shots, or all without a particle; False without a bank."""
    from ....zoo import zoo_folder

    bank = _bank(zoo_folder())
    if bank is None or image.counts.sum() < LEAST_COUNTS:
        return False
    return bool(bank.novel(profiles([image]), empty=empty)[0])


def check(measurement: Any, inputs: Mapping[str, Any]) -> Seen:
    """Check whether an image is unlike anything simulated; `inputs` of the manifest."""
    if not is_novel(measurement):
        return Seen(measurement, measurement.notes)
    return Seen(measurement, (*measurement.notes, _NOVEL), known=False)
