"""Every number that decides something in pictures of single pixels, with its unit and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RasterSettings:
    """Of pictures for a page that zooms them."""

    thumbnail: int = 72  #: Pixels of a side: rings and streaks are still told apart.
    descriptor: int = 8  #: Pixels of a side of what is compared where no model has seen the images.
    view: int = 900  #: Most pixels of a side of the picture of one image: as many as a page has for it.
    #: The same where somebody looks closer: a detector of 4 million pixels, each of its own.
    fine: int = 2400
    decades: float = 4.0  #: Below the brightest hundredth's, drawn as nothing on a logarithmic scale.
    far: float = 5.0  #: Standard deviations from which on a residual has the last colour.


RASTER = RasterSettings()
